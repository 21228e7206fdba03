/*
 * PerfTest's command lines: every folder of tests/cases/perftest is one, most of them from its
 * documentation, and the settings that come out of it. WARREN_TEST_WRITE=1 writes those anew, to be
 * read before they are committed.
 */
#include "bench/perftest.h"

#include "app/settings.h"
#include "base/mem.h"
#include "bench/perftest_private.h"
#include "config/document.h"

#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

static glob_t cases;

/* The long options of bench. */
static const char *const bench_options[] = {"producers", "consumers", "producer-channels",
    "consumer-channels", "threads", "exchange", "type", "queue", "queue-pattern",
    "queue-pattern-from", "queue-pattern-to", "queue-type", "queue-argument", "auto-delete",
    "durable", "exclusive", "routing-key", "random-routing-key", "predeclared", "rate",
    "total-rate", "schedule", "arrivals", "publishing-interval", "random-start", "size",
    "size-schedule", "body", "content-type", "flag", "property", "stamp", "clock", "confirm",
    "confirm-timeout", "autoack", "multi-ack-every", "prefetch", "consumer-rate",
    "consumer-latency", "latency-schedule", "nack", "requeue", "polling", "polling-interval",
    "consumer-argument", "offset", "consumer-start-delay", "slow-start", "time", "pmessages",
    "cmessages", "exit-when", "drain", "interval", "format", "csv", "html", "json", "metrics",
    "compare", "expect", "warm-up", "find-max", "latency-bound", "churn", "url", "wait"};

static bool is_bench_option(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(bench_options); i++)
		if (strcmp(bench_options[i], name) == 0)
			return true;
	return false;
}

/* A member of `broker` in the settings. */
static bool is_broker_key(const char *name)
{
	json_error_t where;
	json_t *schema = json_loads(settings_schema(), 0, &where);
	const json_t *broker = json_object_get(json_object_get(schema, "$defs"), "broker");
	bool found = json_object_get(json_object_get(broker, "properties"), name) != NULL;
	json_decref(schema);
	return found;
}

static struct buf read_file(const char *path)
{
	struct buf text = {0};
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return text;
	for (size_t n = 1; n > 0; text.len += n)
		n = fread(buf_reserve(&text, 4096), 1, 4096, f);
	fclose(f);
	buf_append_str(&text, "");
	return text;
}

static struct buf translate(const char *command)
{
	struct buf yaml = {0};
	struct error err = {0};
	ck_assert_msg(perftest_translate(command, &yaml, &err), "%s\n%s", command, err.text);
	return yaml;
}

/* The YAML as a tree; it has to be in order, and to hold no key that we do not have. */
static struct document *load(const struct buf *yaml)
{
	struct problems problems = {0};
	struct error err = {0};
	struct document *doc = document_parse("yaml", buf_slice(yaml), &problems, &err);
	ck_assert_msg(doc != NULL, "%s\n%s", err.text, yaml->ptr);
	const char *key;
	json_t *value;
	json_object_foreach(json_object_get(document_root(doc), "bench"), key, value)
	    ck_assert_msg(is_bench_option(key), "bench has no '%s'", key);
	json_object_foreach(json_object_get(document_root(doc), "broker"), key, value)
	    ck_assert_msg(is_broker_key(key), "broker has no '%s'", key);
	problems_release(&problems);
	return doc;
}

START_TEST(each_case_is_translated)
{
	char *command_path = mem_printf("%scommand", cases.gl_pathv[_i]);
	char *expected_path = mem_printf("%ssettings.yaml", cases.gl_pathv[_i]);
	struct buf command = read_file(command_path), got = translate(command.ptr);
	if (getenv("WARREN_TEST_WRITE") != NULL) {
		FILE *f = fopen(expected_path, "w");
		fwrite(got.ptr, 1, got.len, f);
		fclose(f);
	}
	struct buf expected = read_file(expected_path);
	ck_assert_str_eq(got.ptr, expected.ptr != NULL ? expected.ptr : "(nothing)");
	document_free(load(&got));
	buf_release(&expected);
	buf_release(&got);
	buf_release(&command);
	free(expected_path);
	free(command_path);
}
END_TEST

START_TEST(there_are_sixty_cases)
{
	ck_assert_uint_ge(cases.gl_pathc, 60);
}
END_TEST

/* What becomes of options: a key of `bench` (of `broker` when it begins with '/'), as JSON; NULL
 * when it is not there. */
static const struct {
	const char *command, *key, *json;
} values[] = {
    {"-x 3", "producers", "3"},
    {"-x3", "producers", "3"},
    {"-x=3", "producers", "3"},
    {"-x +3", "producers", "3"},
    {"--producers 3", "producers", "3"},
    {"--producers=3", "producers", "3"},
    {"-producers 3", "producers", "3"},
    {"-producers=3", "producers", "3"},
    {"-producers33", "producers", "33"},
    {"--producers 3 --producers 4", "producers", "3"},
    {"--producer-ch 3", "producer-channels", "3"},
    {"-ax2", "autoack", "true"},
    {"-ax2", "producers", "2"},
    {"perf-test -X 2 -Y 4", "consumer-channels", "4"},
    {"-t topic", "exchange", "\"topic\""},
    {"-t topic", "type", "\"topic\""},
    {"-t topic -e x", "exchange", "\"x\""},
    {"-a", "exchange", "\"direct\""},
    {"-e", "exchange", "\"direct\""},
    {"-e -a", "autoack", "true"},
    {"-e amq.default", "exchange", "\"\""},
    {"-u a", "queue", "[\"a\"]"},
    {"-u a,b,,", "queue", "[\"a\",\"b\"]"},
    {"-u a,b", "routing-key", "\"perf\""},
    {"-u a,b -k x", "routing-key", "\"x\""},
    {"-u a", "routing-key", NULL},
    {"-u 12", "queue", "[\"12\"]"},
    {"-u -w", "queue", "[\"-w\"]"},
    {"-y 2", "queue-pattern-to", "2"},
    {"-y 2", "queue-pattern", "\"perf-%d\""},
    {"-y 2 -p", "queue-pattern", NULL},
    {"-y 1", "queue-pattern", NULL},
    {"-y 2 -qf names.txt", "queue-pattern", NULL},
    {"-qp q-%03d -qpf 0 -qpt 9 -u a", "queue", NULL},
    {"-qp q-%03d -qpf 0 -qpt 9", "queue-pattern-from", "0"},
    {"-a", "durable", "false"},
    {"-f persistent", "durable", NULL},
    {"-p", "durable", NULL},
    {"-ad FALSE", "auto-delete", "false"},
    {"-ad true", "auto-delete", "true"},
    {"-qq -ad true -u q", "auto-delete", "false"},
    {"-qq -u q", "flag", "[\"persistent\"]"},
    {"-qq -f mandatory -f persistent", "flag", "[\"mandatory\",\"persistent\"]"},
    {"-f persistent mandatory", "flag", "[\"persistent\",\"mandatory\"]"},
    {"-fpersistent", "flag", "[\"persistent\"]"},
    {"-f persistent -f persistent", "flag", "[\"persistent\"]"},
    {"-qa x-queue-type=quorum", "queue-type", "\"quorum\""},
    {"-qa x-queue-type=quorum", "queue-argument", NULL},
    {"-qa a=1,b=true,c=x", "queue-argument", "[\"a=1\",\"b=true\",\"c=x\"]"},
    {"-qa a=1 b=2 -qa a=3", "queue-argument", "[\"b=2\",\"a=3\"]"},
    {"-qa a=1.5,b=TRUE,c=null,d=", "queue-argument",
	"[\"a=\\\"1.5\\\"\",\"b=\\\"TRUE\\\"\",\"c=\\\"null\\\"\",\"d=\\\"\\\"\"]"},
    {"-qa a=b=c", "queue-argument", "[\"a=b\"]"},
    {"-qa x-dead-letter-exchange=amq.default", "queue-argument",
	"[\"x-dead-letter-exchange=\\\"\\\"\"]"},
    {"-qa x-single-active-consumer=True", "queue-argument", "[\"x-single-active-consumer=true\"]"},
    {"-sq", "prefetch", "200"},
    {"-sq -q 20", "prefetch", "20"},
    {"-sq -mlb 0 -qa x-max-length-bytes=5", "queue-argument",
	"[\"x-stream-max-segment-size-bytes=500000000\"]"},
    {"-mlb 5KB", "queue-argument", "[\"x-max-length-bytes=5000\"]"},
    {"-ma pt1h2m3.9s", "queue-argument", "[\"x-max-age=3723s\"]"},
    {"-ma P1DT1S", "queue-argument", "[\"x-max-age=86401s\"]"},
    {"-rkcs 10", "random-routing-key", "true"},
    {"-rkcs 0", "random-routing-key", NULL},
    {"-r 1000", "rate", "\"1000/s\""},
    {"-r 2.5", "rate", "\"2.5/s\""},
    {"-r 1e3", "rate", "\"1000/s\""},
    {"-r -1", "rate", NULL},
    {"-r -1", "random-start", NULL},
    {"-r 5", "random-start", "\"1s\""},
    {"-r 5 -prsd 9", "random-start", "\"9s\""},
    {"-r 0", "rate", NULL},
    {"-r 0", "schedule", "[\"0/s:3600s\"]"},
    {"-r 5 -vr 10:1", "rate", NULL},
    {"-r 5 -vr 10:1", "schedule", "[\"10/s:1s\"]"},
    {"-vr 200:30 0:5 -vr 7:1", "schedule", "[\"200/s:30s\",\"0/s:5s\",\"7/s:1s\"]"},
    {"-P 5 -vr 200:30", "schedule", NULL},
    {"-P 5", "publishing-interval", "\"5s\""},
    {"-P 0.25", "publishing-interval", "\"250ms\""},
    {"-P 0.1", "publishing-interval", "\"100ms\""},
    {"-a", "size", "12"},
    {"-s 11", "size", "12"},
    {"-s 4000", "size", "4000"},
    {"-x 0", "size", NULL},
    {"-vs 10:1 20:2 -s 5", "size", NULL},
    {"-vs 10:1 -vs 20:2", "size-schedule", "[\"12:1s\",\"20:2s\"]"},
    {"-B 'a, b'", "body", "[\"a\",\"b\"]"},
    {"-B a -s 5", "size", NULL},
    {"-B a", "stamp", "\"header\""},
    {"-B a -T text/plain", "content-type", "\"text/plain\""},
    {"-T text/plain", "content-type", NULL},
    {"-jb", "stamp", NULL},
    {"-jb -x 0", "stamp", "\"header\""},
    {"-mp contentType=text/plain,appId=5", "property",
	"[\"content_type=text/plain\",\"app_id=5\"]"},
    {"-mp deliveryMode=2,h=5", "property", "[\"delivery_mode=2\",\"h=5\"]"},
    {"-mp content_type=x", "property", NULL},
    {"-mp headers=x", "property", NULL},
    {"-ms", "clock", "\"wall\""},
    {"-a", "confirm", "0"},
    {"-x 0", "confirm", NULL},
    {"-c 100", "confirm", "100"},
    {"-c 0", "confirm", "65535"},
    {"-c -1", "confirm", "0"},
    {"-c 1 -ct 5", "confirm-timeout", "\"5s\""},
    {"-a", "prefetch", "0"},
    {"-q 10", "prefetch", "10"},
    {"-y 0 -u q", "prefetch", NULL},
    {"-A 100", "multi-ack-every", "100"},
    {"-A 0 -q 5", "multi-ack-every", NULL},
    {"-A 5 -q 5", "multi-ack-every", "5"},
    {"-R 50", "consumer-rate", "\"50/s\""},
    {"-L 1000", "consumer-latency", "\"1ms\""},
    {"-L 1500", "consumer-latency", "\"1500us\""},
    {"-L 2000000", "consumer-latency", "\"2s\""},
    {"-L 0", "consumer-latency", NULL},
    {"-L 5 -vl 0:3 500:2", "latency-schedule", "[\"0s:3s\",\"500us:2s\"]"},
    {"-L 5 -vl 0:3 500:2", "consumer-latency", NULL},
    {"-na", "requeue", "true"},
    {"-na -re false", "requeue", "false"},
    {"-re false", "requeue", NULL},
    {"-po -pi 20", "polling-interval", "\"20ms\""},
    {"-pi 20", "polling-interval", NULL},
    {"-ca x-priority=10", "consumer-argument", "[\"x-priority=10\"]"},
    {"-sco FIRST", "offset", "\"first\""},
    {"-sco 12", "offset", "12"},
    {"-sco 2022-06-03T07:45:54Z", "offset", "\"2022-06-03T07:45:54Z\""},
    {"-csd 3", "consumer-start-delay", "\"3s\""},
    {"-S", "slow-start", "true"},
    {"-z 30", "time", "\"30s\""},
    {"-z 0", "time", NULL},
    {"-C 5 -D 6", "pmessages", "5"},
    {"-D 6", "cmessages", "6"},
    {"-ew idle", "exit-when", "\"idle\""},
    {"-i 5", "interval", "\"5s\""},
    {"-mf default", "format", "\"table\""},
    {"-mf compact", "format", "\"compact\""},
    {"-o 'my file.csv'", "csv", "\"my file.csv\""},
    {"-mpr", "metrics", "\"0.0.0.0:8080\""},
    {"-mpp 9 -mpr", "metrics", "\"0.0.0.0:9\""},
    {"-mpp 9", "metrics", NULL},
    {"-h amqp://a", "/url", "\"amqp://a\""},
    {"-h amqp://a -h amqp://b", "/url", "\"amqp://a\""},
    {"-h amqp://a -H 'amqp://b, amqp://c'", "/url", "[\"amqp://b\",\"amqp://c\"]"},
    {"-b 10", "/heartbeat", "\"10s\""},
    {"-b 0", "/heartbeat", NULL},
    {"-cri 30", "/reconnect", "{\"from\":\"30s\",\"to\":\"30s\"}"},
    {"-cri 30-60", "/reconnect", "{\"from\":\"30s\",\"to\":\"60s\"}"},
};

START_TEST(an_option_becomes_a_setting)
{
	struct buf yaml = translate(values[_i].command);
	const char *key = values[_i].key;
	struct document *doc = load(&yaml);
	const json_t *section =
	    json_object_get(document_root(doc), key[0] == '/' ? "broker" : "bench");
	const json_t *value = json_object_get(section, key[0] == '/' ? key + 1 : key);
	char *got = value != NULL ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	ck_assert_pstr_eq(got, values[_i].json);
	free(got);
	document_free(doc);
	buf_release(&yaml);
}
END_TEST

/* Lines that have to be among the comments. */
static const struct {
	const char *command, *line;
} comments[] = {
    {"-m 10", "# not carried over: --ptxsize 10 (transactions; use --confirm)"},
    {"-x 1 -x 2", "# not carried over: --producers 2 (given twice; PerfTest takes the first)"},
    {"-f persistent foo",
	"# not carried over: --flag persistent foo (PerfTest knows persistent and mandatory only)"},
    {"-r 5 -vr 10:1", "# not carried over: --rate 5 (--variable-rate goes before it)"},
    {"-P 1 -vr 10:1",
	"# not carried over: --variable-rate 10:1 (--publishing-interval goes before it)"},
    {"-h amqp://a -H amqp://b", "# not carried over: --uri amqp://a (--uris goes before it)"},
    {"-x 1 stray", "# not carried over: 'stray' (PerfTest passes over it too)"},
    {"-x 1 -- -y 2", "# not carried over: '-y' (PerfTest passes over it too)"},
    {"-r 5 -k \"$KEY\"", "# not expanded: '$KEY' (put in what the shell would)"},
    {"RATE=5 perf-test -a",
	"# not carried over: the variable RATE (give --rate on the command line)"},
    {"-mp content_type=x",
	"# not carried over: header content_type (bench takes the name for the property)"},
    {"-y 0", "# without consumers and --queue PerfTest declares no queue, and the broker drops "
	     "the messages"},
    {"-sst 30 -u q",
	"# bench --wait 30s --exchange direct --queue q --no-durable --size 12 --confirm 0 "
	"--prefetch 0"},
    {"-cri 5-6 -k -w -x 1 -x0 -y0 -e amq.default -p",
	"# bench --set 'broker.reconnect={from: 5s, to: 6s}' --consumers 0 --predeclared "
	"--routing-key=-w --size 12 --confirm 0"},
    {"--id 'a\nb\x1b[2J' -u q", "# not carried over: --id 'a\\nb\\x1b[2J' (a label of its output)"},
};

START_TEST(what_is_not_carried_over_is_said)
{
	struct buf yaml = translate(comments[_i].command);
	char *line = mem_printf("\n%s\n", comments[_i].line);
	ck_assert_msg(strstr(yaml.ptr, line) != NULL, "%s\nis not in\n%s", line, yaml.ptr);
	document_free(load(&yaml));
	free(line);
	buf_release(&yaml);
}
END_TEST

static const char *const secrets[] = {
    "-h amqp://me:s3cret@host/vh -x 1",
    "--uri=amqp://me:s3cret@host",
    "-H amqp://me:s3cret@one,amqp://me:s3cret@two",
    "-h amqp://me:s3cret@host -h amqp://me:s3cret@other",
    "-o2sec s3cret",
    "--oauth2-client-secret=s3cret",
    "-o2p token=s3cret other=s3cret",
    "-mdk s3cret -mdak s3cret",
    "-x 1 amqp://me:s3cret@host",
    "--hurl=amqp://me:s3cret@host",
    "-x amqp://me:s3cret@host",
};

START_TEST(no_comment_and_no_error_shows_a_password)
{
	struct buf yaml = {0};
	struct error err = {0};
	if (perftest_translate(secrets[_i], &yaml, &err)) {
		document_free(load(&yaml));
		const char *at = yaml.ptr;
		while ((at = strstr(at, "s3cret")) != NULL) {
			const char *line = at;
			while (line > yaml.ptr && line[-1] != '\n')
				line--;
			ck_assert_msg(line[0] == ' ', "%s", line);
			at++;
		}
	}
	ck_assert_msg(strstr(err.text, "s3cret") == NULL, "%s", err.text);
	buf_release(&yaml);
}
END_TEST

static const struct {
	const char *command, *text;
} refused[] = {
    {"", "the command line is empty; it is one of PerfTest, such as 'perf-test -x 1 -y 2'"},
    {"make coffee -x 1", "no word of the command line is PerfTest; it begins with 'perf-test' or "
			 "with an option"},
    {"a -- -x 1", "no word of the command line is PerfTest; it begins with 'perf-test' or with an "
		  "option"},
    {"perf-test --producrs 1",
	"word 2, '--producrs': PerfTest has no such option; did you mean '--producers'?"},
    {"-x 1 --frobnicate", "word 3, '--frobnicate': PerfTest has no such option"},
    {"-Z", "word 1, '-Z': PerfTest has no such option"},
    {"-aZ", "word 1, '-aZ': PerfTest has no such option"},
    {"--=1", "word 1, '--=1': PerfTest has no such option"},
    {"--x 1", "word 1, '--x': PerfTest has no such option"},
    {"--p 1", "word 1, '--p': 10 options of PerfTest begin so, '--producers' is one"},
    {"-x", "word 1, '--producers': its value is missing"},
    {"-x -y 1", "word 1, '--producers': its value is missing"},
    {"-a -f", "word 2, '--flag': its value is missing"},
    {"--autoack=true", "word 1, '--autoack': takes no value"},
    {"-x many", "word 1, '--producers many': accepted: a whole number"},
    {"-x 1.5", "word 1, '--producers 1.5': accepted: a whole number"},
    {"-x ''", "word 1, '--producers ': accepted: a whole number"},
    {"-x 2147483648", "word 1, '--producers 2147483648': accepted: a whole number"},
    {"-x -1", "word 1, '--producers -1': accepted: a whole number from 0"},
    {"-x $N", "word 1, '--producers $N': accepted: a whole number"},
    {"-m many", "word 1, '--ptxsize many': accepted: a whole number"},
    {"-r fast", "word 1, '--rate fast': accepted: a number"},
    {"-P 0.05", "word 1, '--publishing-interval 0.05': accepted: a number of seconds from 0.1"},
    {"-vr 100", "word 1, '--variable-rate 100': accepted: VALUE:SECONDS, two whole numbers such as "
		"100:60"},
    {"-vr 100:60 5:0", "word 1, '--variable-rate 5:0': accepted: VALUE:SECONDS, two whole numbers "
		       "such as 100:60"},
    {"-vs -1:5", "word 1, '--variable-size -1:5': accepted: VALUE:SECONDS, two whole numbers such "
		 "as 100:60"},
    {"-vl 1:2:3", "word 1, '--variable-latency 1:2:3': accepted: VALUE:SECONDS, two whole numbers "
		  "such as 100:60"},
    {"-q 100 -A 200", "word 3, '--multi-ack-every 200': more than the prefetch of 100, so the "
		      "consumers would wait for ever"},
    {"-sq -A 201", "word 2, '--multi-ack-every 201': more than the prefetch of 200, so the "
		   "consumers would wait for ever"},
    {"-qq -sq", "word 2, '--stream-queue': not together with --quorum-queue: a queue is the one or "
		"the other"},
    {"-qp q%d -qpf 1", "word 3, '--queue-pattern-from': --queue-pattern, --queue-pattern-from and "
		       "--queue-pattern-to go together"},
    {"-qp q%d -qpf 2 -qpt 1", "word 5, '--queue-pattern-to 1': less than --queue-pattern-from 2"},
    {"-mlb 5gib", "word 1, '--max-length-bytes 5gib': accepted: a size such as 50mb or 100gb"},
    {"-mlb gb", "word 1, '--max-length-bytes gb': accepted: a size such as 50mb or 100gb"},
    {"-mlb 99999999999gb",
	"word 1, '--max-length-bytes 99999999999gb': accepted: a size such as 50mb or 100gb"},
    {"-smssb 4gb", "word 1, '--stream-max-segment-size-bytes 4gb': accepted: 3gb at most"},
    {"-mlb 1kb -smssb 1kb", "word 3, '--stream-max-segment-size-bytes 1kb': a segment is smaller "
			    "than --max-length-bytes"},
    {"-ma 5m", "word 1, '--max-age 5m': accepted: a duration such as PT15M or P5DT8H"},
    {"-ma P", "word 1, '--max-age P': accepted: a duration such as PT15M or P5DT8H"},
    {"-ma PT", "word 1, '--max-age PT': accepted: a duration such as PT15M or P5DT8H"},
    {"-ma P5M", "word 1, '--max-age P5M': accepted: a duration such as PT15M or P5DT8H"},
    {"-ma PT1S1M", "word 1, '--max-age PT1S1M': accepted: a duration such as PT15M or P5DT8H"},
    {"-ma PT0S", "word 1, '--max-age PT0S': accepted: a duration such as PT15M or P5DT8H"},
    {"-ll here", "word 1, '--leader-locator here': accepted: client-local or balanced"},
    {"-sco soon", "word 1, '--stream-consumer-offset soon': accepted: first, last, next, a number "
		  "or a time such as 2022-06-03T07:45:54Z"},
    {"-ew never", "word 1, '--exit-when never': accepted: empty or idle"},
    {"-mf json", "word 1, '--metrics-format json': accepted: default or compact"},
    {"-mpr -mpp 70000",
	"word 2, '--metrics-prometheus-port 70000': accepted: a port from 0 to 65535"},
    {"-cri 60-30", "word 1, '--connection-recovery-interval 60-30': accepted: seconds, such as 30 "
		   "or 30-60"},
    {"-mp priority=high", "word 1, '--message-properties high': accepted: a number from 0 to 255"},
    {"-mp timestamp=5",
	"word 1, '--message-properties 5': accepted: a time such as 2007-12-03T10:15:30+01:00"},
    {"-qa =5", "word 1, '--queue-args =5': accepted: NAME=VALUE,..."},
    {"-x \x1b[2J", "word 1, '--producers \\x1b[2J': accepted: a whole number"},
    {"-u \xff", "the command line is not UTF-8"},
    {"-x '1", "word 2: the quote ' is not closed"},
};

START_TEST(what_perftest_would_not_run_is_refused)
{
	struct buf yaml = {0};
	struct error err = {0};
	ck_assert_msg(!perftest_translate(refused[_i].command, &yaml, &err), "%s", yaml.ptr);
	ck_assert_int_eq(err.kind, ERROR_USAGE);
	ck_assert_str_eq(err.text, refused[_i].text);
	ck_assert_uint_eq(yaml.len, 0);
}
END_TEST

static const char *const odd_texts[] = {"12", "true", "Null", "~", "", "a: b", "#x", "a #b", "- x",
    "-", "${HOME}", "$${HOME}", "$", "$$", "$$$", "$HOME", "\x1b[2J", "\xc3\xa9", "a'b\"c\\", "[x",
    "{x}", "*x", "&x", "!x", "|", ">", "%x", "@x", "`x`", "x:", "x:y", "0x10", "1e5", ".inf", "=",
    "<<", "?", " x ", "a\nb", "a\tb", "\xe2\x80\xa8", "99999999999999999999", "...", "---"};

START_TEST(odd_texts_arrive_as_they_are)
{
	struct buf command = {0};
	buf_append_str(&command, "--routing-key=");
	words_quote(slice_str(odd_texts[_i]), &command);
	buf_append_str(&command, " --body-content-type=");
	words_quote(slice_str(odd_texts[_i]), &command);
	buf_append_str(&command, " -B f --queue=");
	words_quote(slice_str(odd_texts[_i]), &command);
	struct buf yaml = translate(command.ptr);
	struct document *doc = load(&yaml);
	const json_t *bench = json_object_get(document_root(doc), "bench");
	const char *key = json_string_value(json_object_get(bench, "routing-key"));
	const char *type = json_string_value(json_object_get(bench, "content-type"));
	const json_t *queue = json_array_get(json_object_get(bench, "queue"), 0);
	ck_assert_pstr_eq(key, odd_texts[_i]);
	ck_assert_pstr_eq(type, odd_texts[_i]);
	if (odd_texts[_i][0] != '\0')
		ck_assert_pstr_eq(json_string_value(queue), odd_texts[_i]);
	document_free(doc);
	buf_release(&yaml);
	buf_release(&command);
}
END_TEST

START_TEST(each_option_of_perftest_becomes_one_of_bench_or_has_a_reason)
{
	for (size_t i = 0; i < perftest_row_count; i++) {
		const struct perftest_row *row = &perftest_rows[i];
		bool is_lost =
		    row->kind == PERFTEST_NOT_CARRIED || row->kind == PERFTEST_NUMBER_NOT_CARRIED;
		ck_assert_msg(is_lost == (row->target == NULL), "%s", row->name);
		ck_assert_msg(is_lost == (row->reason != NULL), "%s", row->name);
		ck_assert_msg(is_lost || is_bench_option(row->target) || is_broker_key(row->target),
		    "%s: bench has no '%s'", row->name, row->target);
	}
}
END_TEST

START_TEST(names_and_letters_of_perftest_are_unique)
{
	for (size_t i = 0; i < perftest_row_count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct perftest_row *a = &perftest_rows[i], *b = &perftest_rows[j];
			ck_assert_str_ne(a->name, b->name);
			ck_assert_msg(a->letter[0] == '\0' || strcmp(a->letter, b->letter) != 0,
			    "-%s", a->letter);
		}
}
END_TEST

START_TEST(each_setting_is_one_of_bench)
{
	for (size_t i = 0; i < perftest_setting_count; i++) {
		const struct perftest_setting *setting = &perftest_settings[i];
		bool is_broker =
		    setting->shape == PERFTEST_BROKER || setting->shape == PERFTEST_BROKER_LIST;
		ck_assert_msg(
		    is_broker ? is_broker_key(setting->name) : is_bench_option(setting->name),
		    "'%s'", setting->name);
	}
}
END_TEST

static const char *const starts[] = {
    "-x 5",
    "perf-test -x 5",
    "./perf-test -x 5",
    "/opt/perf-test/bin/perf-test -x 5",
    "time perf-test -x 5",
    "bin/runjava com.rabbitmq.perf.PerfTest -x 5",
    "./runjava PerfTest -x 5",
    "java -jar perf-test.jar -x 5",
    "java -Xmx1g -jar target/perf-test-2.25.0.jar -x 5",
    "java -cp 'lib/*' com.rabbitmq.perf.PerfTest -x 5",
    "docker run --rm pivotalrabbitmq/perf-test -x 5",
    "docker run --network perf-test --name perf-test pivotalrabbitmq/perf-test:2.1 -x 5",
    "sudo podman run docker.io/pivotalrabbitmq/perf-test@sha256:00 -x 5",
    "docker exec perf-test perf-test -x 5",
    "kubectl run perf-test --image=pivotalrabbitmq/perf-test --restart=Never -- -x 5",
    "RATE=1 perf-test -x 5 --id pivotalrabbitmq/perf-test",
};

START_TEST(the_words_that_start_perftest_are_stepped_over)
{
	struct buf yaml = translate(starts[_i]);
	struct document *doc = load(&yaml);
	const json_t *bench = json_object_get(document_root(doc), "bench");
	ck_assert_int_eq(json_integer_value(json_object_get(bench, "producers")), 5);
	ck_assert_ptr_null(strstr(yaml.ptr, "passes over"));
	document_free(doc);
	buf_release(&yaml);
}
END_TEST

int main(void)
{
	glob("tests/cases/perftest/*/", 0, NULL, &cases);
	Suite *suite = suite_create("perftest");
	TCase *tc = tcase_create("perftest");
	tcase_add_loop_test(tc, each_case_is_translated, 0, (int)cases.gl_pathc);
	tcase_add_test(tc, there_are_sixty_cases);
	tcase_add_loop_test(tc, an_option_becomes_a_setting, 0, (int)ARRAY_LEN(values));
	tcase_add_loop_test(tc, what_is_not_carried_over_is_said, 0, (int)ARRAY_LEN(comments));
	tcase_add_loop_test(
	    tc, no_comment_and_no_error_shows_a_password, 0, (int)ARRAY_LEN(secrets));
	tcase_add_loop_test(tc, what_perftest_would_not_run_is_refused, 0, (int)ARRAY_LEN(refused));
	tcase_add_loop_test(tc, odd_texts_arrive_as_they_are, 0, (int)ARRAY_LEN(odd_texts));
	tcase_add_test(tc, each_option_of_perftest_becomes_one_of_bench_or_has_a_reason);
	tcase_add_test(tc, names_and_letters_of_perftest_are_unique);
	tcase_add_test(tc, each_setting_is_one_of_bench);
	tcase_add_loop_test(
	    tc, the_words_that_start_perftest_are_stepped_over, 0, (int)ARRAY_LEN(starts));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	globfree(&cases);
	return failed == 0 ? 0 : 1;
}
