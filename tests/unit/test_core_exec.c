#include "flow/core_exec.h"

#include "core_bench.h"
#include "flow/exec_command.h"
#include "flow/exec_environment.h"
#include "model/table.h"
#include "process_bench.h"

#include <errno.h>
#include <signal.h>

#define MIB (1024 * 1024)

/* Runs what *run holds through a command; *err is what the run failed with. */
static struct flow_counts run_core(
    const struct core_exec_options *options, struct run *run, uint64_t drain_ns, struct error *err)
{
	struct loop *loop = make_loop();
	struct core_exec *core = core_exec_create(loop, options, err);
	ck_assert_msg(core != NULL, "%s", err->text);
	struct flow_counts counts = run_through(run, loop, core_exec_core(core), drain_ns, err);
	core_exec_free(core);
	loop_free(loop);
	return counts;
}

/* One message through a command that is given 60 s; its fate, and the body that came out. */
static enum flow_fate run_one(
    const char *command, bool shell, const struct message *message, struct buf *body)
{
	const struct core_exec_options options = {
	    .command = command, .shell = shell, .timeout_ns = 60 * CHRONO_S, .jobs = 1};
	const struct flow_message m = {
	    .message = message, .queue = SLICE("work"), .redelivered = true};
	struct run run = {.messages = &m, .count = 1};
	struct error err = {0};
	(void)run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_str_eq(err.text, "");
	if (run.passed > 0)
		buf_append(body, run.results[0]->body);
	release_run(&run);
	return run.fates[0];
}

/* The body that comes out of a command that accepts; for buf_release. */
static struct buf output_of(const char *command, bool shell, const struct message *message)
{
	struct buf body = {0};
	ck_assert_int_eq(run_one(command, shell, message, &body), FLOW_ACCEPTED);
	buf_append_char(&body, '\0'); /* also when empty a string */
	body.len--;
	return body;
}

/* ---- verdicts ---- */

static const struct {
	const char *command;
	bool shell;
	enum flow_fate fate;
	const char *warning;
} verdicts[] = {
    {"true", false, FLOW_ACCEPTED, ""},
    {"false", false, FLOW_REJECTED,
	"warren: warning: 'false' ended with status 1: the message is rejected\n"},
    {"exit 75", true, FLOW_RETRY,
	"warren: warning: 'exit 75' ended with status 75: the message asks for another try\n"},
    {"exit 3", true, FLOW_REJECTED,
	"warren: warning: 'exit 3' ended with status 3: the message is rejected\n"},
    {"kill -9 $$", true, FLOW_REJECTED,
	"warren: warning: 'kill -9 $$' was killed by signal 9 (Killed): the message is "
	"rejected\n"},
    {"kill -TERM $$ # \x1b[31m", true, FLOW_REJECTED,
	"warren: warning: 'kill -TERM $$ # \\x1b[31m' was killed by signal 15 (Terminated): the "
	"message is rejected\n"},
    {"echo for people >&2", true, FLOW_ACCEPTED, "for people\n"},
};

START_TEST(end_of_the_command_decides)
{
	const struct message message = {.body = SLICE("body")};
	struct buf body = {0};
	int saved, memory = begin_capture(&saved);
	enum flow_fate fate = run_one(verdicts[_i].command, verdicts[_i].shell, &message, &body);
	char *text = end_capture(memory, saved);
	ck_assert_str_eq(text, verdicts[_i].warning);
	ck_assert_int_eq(fate, verdicts[_i].fate);
	free(text);
	buf_release(&body);
}
END_TEST

/* The first dies of SIGTERM; the second ignores it and is killed; in the third a child of the
 * command outlives it and holds the output, and ignores SIGTERM too. */
static const struct {
	const char *command, *warning;
} slow[] = {
    {"sleep 1000",
	"warren: warning: 'sleep 1000' took longer than 100ms: the message is rejected\n"},
    {"trap '' TERM; sleep 1000", "warren: warning: 'trap '' TERM; sleep 1000' took longer than "
				 "100ms: the message is rejected\n"},
    {"(trap '' TERM; sleep 1000) & wait", "warren: warning: '(trap '' TERM; sleep 1000) & wait' "
					  "took longer than 100ms: the message is rejected\n"},
    {"trap 'exit 0' TERM; sleep 1000 & wait",
	"warren: warning: 'trap 'exit 0' TERM; sleep 1000 & wait' took longer than 100ms: the "
	"message is rejected\n"},
};

START_TEST(command_that_takes_too_long_is_ended_and_the_message_rejected)
{
	const struct message message = {.body = SLICE("body")};
	const struct flow_message m = {.message = &message};
	const struct core_exec_options options = {
	    .command = slow[_i].command, .shell = true, .timeout_ns = 100 * CHRONO_MS, .jobs = 1};
	struct run run = {.messages = &m, .count = 1};
	struct error err = {0};
	int saved, memory = begin_capture(&saved);
	(void)run_core(&options, &run, PATIENCE_NS, &err);
	char *text = end_capture(memory, saved);
	ck_assert_str_eq(text, slow[_i].warning);
	ck_assert_int_eq(run.fates[0], FLOW_REJECTED);
	free(text);
	release_run(&run);
}
END_TEST

START_TEST(endless_output_is_cut_off_and_the_message_rejected)
{
	const struct message message = {.body = SLICE("body")};
	struct buf body = {0};
	int saved, memory = begin_capture(&saved);
	enum flow_fate fate = run_one("yes", false, &message, &body);
	char *text = end_capture(memory, saved);
	ck_assert_str_eq(
	    text, "warren: warning: 'yes' wrote more than 128 MiB: the message is rejected\n");
	ck_assert_int_eq(fate, FLOW_REJECTED);
	free(text);
}
END_TEST

/* ---- bodies ---- */

static struct slice big_body(void)
{
	char *bytes = mem_alloc(10 * MIB, 1);
	for (size_t i = 0; i < 10 * MIB; i++)
		bytes[i] = (char)(i * 7 + i / 4096);
	return (struct slice){bytes, 10 * MIB};
}

START_TEST(big_body_goes_in_and_comes_back_whole)
{
	const struct message message = {.body = big_body()};
	struct buf body = output_of("cat", false, &message);
	ck_assert_uint_eq(body.len, message.body.len);
	ck_assert(slice_equal(buf_slice(&body), message.body));
	buf_release(&body);
	free((char *)message.body.ptr);
}
END_TEST

START_TEST(command_need_not_read_its_input)
{
	const struct message message = {.body = big_body()};
	struct buf body = output_of("true", false, &message);
	ck_assert(slice_equal(buf_slice(&body), message.body)); /* nothing written: it stays */
	buf_release(&body);
	body = output_of("exec <&-; echo closed", true, &message);
	ck_assert_str_eq(body.ptr, "closed\n");
	buf_release(&body);
	free((char *)message.body.ptr);
}
END_TEST

START_TEST(output_replaces_the_body_and_nothing_else)
{
	const struct message message = {.body = SLICE("one"), .routing_key = SLICE("7")};
	const struct flow_message m = {.message = &message};
	const struct core_exec_options options = {.command = "tr a-z A-Z", .jobs = 1};
	struct run run = {.messages = &m, .count = 1};
	struct error err = {0};
	(void)run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_str_eq(run.keys.ptr, "7");
	check_slice(run.results[0]->body, "ONE");
	release_run(&run);
}
END_TEST

/* Whoever holds the output open after the command is not waited for. */
START_TEST(grandchild_that_lives_on_does_not_hang_the_run)
{
	const struct message message = {.body = SLICE("body")};
	struct buf body = output_of("sleep 1000 & echo $!", true, &message);
	int pid = atoi(body.ptr);
	ck_assert_int_gt(pid, 1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	buf_release(&body);
}
END_TEST

/* ---- the environment ---- */

static char *environment_line(const struct buf *environment, const char *name)
{
	char *start = mem_printf("%s=", name), *line = NULL;
	for (const char *at = environment->ptr; *at != '\0' && line == NULL;) {
		size_t length = strcspn(at, "\n");
		if (strncmp(at, start, strlen(start)) == 0)
			line = mem_strndup(at, length);
		at += length + (at[length] == '\n');
	}
	free(start);
	return line;
}

/* NULL: not there. */
static const struct {
	const char *name, *value;
} variables[] = {
    {"WARREN_EXCHANGE", "orders"},
    {"WARREN_ROUTING_KEY", "order.created"},
    {"WARREN_QUEUE", "work"},
    {"WARREN_REDELIVERED", "1"},
    {"WARREN_CONTENT_TYPE", "application/json"},
    {"WARREN_DELIVERY_MODE", "2"},
    {"WARREN_PRIORITY", NULL},
    {"WARREN_TIMESTAMP", "1700000000"},
    {"WARREN_MESSAGE_ID", NULL}, /* it holds a NUL */
    {"WARREN_TYPE", NULL},	 /* our own environment has one, which is another's */
    {"WARREN_APP_ID", ""},
    {"WARREN_HEADERS", "{\"x-region.1\":\"eu\",\"Tries\":-3,\"vip\":true,\"x_region_1\":\"us\","
		       "\"pi\":3.5,\"list\":[],\"nul\":\"a\\u0000b\",\"\":1}"},
    {"WARREN_HEADER_X_REGION_1", "eu"},
    {"WARREN_HEADER_TRIES", "-3"},
    {"WARREN_HEADER_VIP", "true"},
    {"WARREN_HEADER_PI", "3.5"},
    {"WARREN_HEADER_LIST", NULL},
    {"WARREN_HEADER_NUL", NULL},
    {"WARREN_HEADER_", NULL},
    {"WARREN_HEADER_STALE", NULL},
    {"WARREN_TEST_OTHER", "kept"},
    {"AMQP_URL", NULL},
    {"WARREN_URL", NULL},
    {"RABBITMQ_MANAGEMENT_URL", NULL},
    {"MY_PASSWORD", NULL},
    {"pgpassword", NULL},
    {"CLIENT_SECRET_ID", NULL},
    {"KEY_PASSPHRASE", NULL},
    {"SOME_PASSWD", NULL},
};

static void set_our_environment(void)
{
	static const char *const ours[] = {"AMQP_URL", "WARREN_URL", "RABBITMQ_MANAGEMENT_URL",
	    "MY_PASSWORD", "pgpassword", "CLIENT_SECRET_ID", "KEY_PASSPHRASE", "SOME_PASSWD",
	    "WARREN_TYPE", "WARREN_HEADER_STALE", "WARREN_QUEUE"};
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		setenv(ours[i], "hunter2", 1);
	setenv("WARREN_TEST_OTHER", "kept", 1);
}

static void make_headers(struct buf *headers)
{
	table_add_string(headers, "x-region.1", SLICE("eu"));
	table_add_int(headers, "Tries", -3);
	table_add_bool(headers, "vip", true);
	table_add_string(headers, "x_region_1", SLICE("us"));
	buf_append(headers, SLICE("\x02pid\x40\x0c\0\0\0\0\0\0"));
	buf_append(headers, SLICE("\x04listA\0\0\0\0"));
	table_add_string(headers, "nul", SLICE("a\0b"));
	table_add_int(headers, "", 1);
}

START_TEST(environment_holds_the_message_and_no_password)
{
	struct buf headers = {0};
	make_headers(&headers);
	set_our_environment();
	const struct message message = {
	    .exchange = SLICE("orders"),
	    .routing_key = SLICE("order.created"),
	    .present = MESSAGE_CONTENT_TYPE | MESSAGE_DELIVERY_MODE | MESSAGE_TIMESTAMP |
		       MESSAGE_MESSAGE_ID | MESSAGE_APP_ID | MESSAGE_HEADERS,
	    .content_type = SLICE("application/json"),
	    .delivery_mode = MESSAGE_PERSISTENT,
	    .timestamp = 1700000000,
	    .message_id = SLICE("a\0b"),
	    .headers = buf_slice(&headers),
	};
	struct buf environment = output_of("env", false, &message);
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		char *line = environment_line(&environment, variables[i].name);
		char *expected = variables[i].value == NULL
				     ? NULL
				     : mem_printf("%s=%s", variables[i].name, variables[i].value);
		if (expected == NULL)
			ck_assert_msg(line == NULL, "%s", line);
		else
			ck_assert_pstr_eq(line, expected);
		free(line);
		free(expected);
	}
	ck_assert_ptr_null(strstr(environment.ptr, "hunter2"));
	buf_release(&environment);
	buf_release(&headers);
}
END_TEST

/* Values of types that no table_add_ function makes, as they stand on the wire. */
static const struct {
	const char *bytes;
	size_t length;
	const char *value; /* NULL: not there */
} header_values[] = {
#define WIRE(bytes) "\x01h" bytes, sizeof("\x01h" bytes) - 1
    {WIRE("t\0"), "false"},
    {WIRE("b\xff"), "-1"},
    {WIRE("B\xff"), "255"},
    {WIRE("s\xff\xfe"), "-2"},
    {WIRE("u\xff\xfe"), "65534"},
    {WIRE("I\x80\0\0\0"), "-2147483648"},
    {WIRE("i\x80\0\0\0"), "2147483648"},
    {WIRE("l\x80\0\0\0\0\0\0\0"), "-9223372036854775808"},
    {WIRE("L\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615"},
    {WIRE("T\0\0\0\0\0\0\0\x05"), "5"},
    {WIRE("f\x3f\0\0\0"), "0.5"},
    {WIRE("d\xbf\xe0\0\0\0\0\0\0"), "-0.5"},
    {WIRE("d\x7f\xf0\0\0\0\0\0\0"), NULL}, /* infinite */
    {WIRE("D\x02\0\0\x04\xd2"), "1234e-2"},
    {WIRE("S\0\0\0\0"), ""},
    {WIRE("V"), NULL},
    {WIRE("x\0\0\0\x01"
	  "a"),
	NULL},
    {WIRE("F\0\0\0\0"), NULL},
};

START_TEST(header_of_each_plain_type_is_a_variable)
{
	const struct message message = {
	    .present = MESSAGE_HEADERS,
	    .headers = {header_values[_i].bytes, header_values[_i].length},
	};
	struct buf body = output_of("echo \"${WARREN_HEADER_H-unset}\"", true, &message);
	const char *value = header_values[_i].value != NULL ? header_values[_i].value : "unset";
	char *expected = mem_printf("%s\n", value);
	ck_assert_str_eq(body.ptr, expected);
	free(expected);
	buf_release(&body);
}
END_TEST

/* The first is told, and all are counted. */
START_TEST(long_values_are_left_out_with_a_warning)
{
	struct buf headers = {0}, text = {0};
	memset(buf_reserve(&text, 102401), 'x', 102401);
	text.len = 102401;
	table_add_string(&headers, "long", buf_slice(&text));
	const struct message message = {
	    .present = MESSAGE_HEADERS, .headers = buf_slice(&headers), .body = SLICE("kept")};
	int saved, memory = begin_capture(&saved);
	struct buf body =
	    output_of("echo ${WARREN_HEADERS-unset} ${WARREN_HEADER_LONG-unset}", true, &message);
	char *said = end_capture(memory, saved);
	ck_assert_str_eq(body.ptr, "unset unset\n");
	ck_assert_str_eq(said,
	    "warren: warning: WARREN_HEADERS is left out of the environment of the command: 102412 "
	    "bytes are too many (further ones are only counted)\n");
	free(said);
	buf_release(&body);
	buf_release(&headers);
	buf_release(&text);
}
END_TEST

START_TEST(what_is_left_out_is_told_once_and_counted)
{
	char *none[] = {NULL};
	struct exec_environment *environment = exec_environment_create(none);
	const struct message message = {.present = MESSAGE_HEADERS,
	    .headers = SLICE("\x01"
			     "at")};
	const struct flow_message m = {.message = &message};
	int saved, memory = begin_capture(&saved);
	for (int i = 0; i < 3; i++)
		free(exec_environment_fill(environment, &m));
	char *said = end_capture(memory, saved);
	ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
	ck_assert_uint_eq(exec_environment_left_out(environment), 3);
	free(said);
	exec_environment_free(environment);
}
END_TEST

START_TEST(damaged_headers_are_left_out_with_a_warning)
{
	const struct message message = {.present = MESSAGE_HEADERS,
	    .headers = SLICE("\x01"
			     "at")};
	int saved, memory = begin_capture(&saved);
	struct buf body = output_of("echo ${WARREN_HEADERS-unset}", true, &message);
	char *said = end_capture(memory, saved);
	ck_assert_str_eq(body.ptr, "unset\n");
	ck_assert_str_eq(said,
	    "warren: warning: WARREN_HEADERS is left out of the environment of "
	    "the command: damaged field table at byte 0 of 3 (further ones are only counted)\n");
	free(said);
	buf_release(&body);
}
END_TEST

/* ---- the process ---- */

START_TEST(command_gets_three_descriptors_and_its_own_group)
{
	const struct message message = {.body = SLICE("body")};
	int open_to_all = dup(STDOUT_FILENO); /* without FD_CLOEXEC */
	struct buf body = output_of("ls /proc/self/fd", false, &message);
	ck_assert_str_eq(body.ptr, "0\n1\n2\n3\n"); /* 3: ls reading the folder */
	close(open_to_all);
	buf_release(&body);
	body =
	    output_of("test $$ = $(cut -d ' ' -f 5 /proc/$$/stat) && echo leader", true, &message);
	ck_assert_str_eq(body.ptr, "leader\n");
	buf_release(&body);
}
END_TEST

/* Our loop ignores SIGPIPE, and a shell keeps ignoring what it finds ignored. */
static const struct {
	const char *command;
	int blocked;
	const char *warning;
} signals[] = {
    {"kill -PIPE $$", SIGUSR2,
	"warren: warning: 'kill -PIPE $$' was killed by signal 13 (Broken "
	"pipe): the message is rejected\n"},
    {"kill -USR1 $$", SIGUSR1,
	"warren: warning: 'kill -USR1 $$' was killed by signal 10 (User "
	"defined signal 1): the message is rejected\n"},
};

START_TEST(command_gets_default_signals)
{
	const struct message message = {.body = SLICE("body")};
	struct buf body = {0};
	sigset_t blocked;
	sigemptyset(&blocked);
	sigaddset(&blocked, signals[_i].blocked);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	int saved, memory = begin_capture(&saved);
	enum flow_fate fate = run_one(signals[_i].command, true, &message, &body);
	char *text = end_capture(memory, saved);
	ck_assert_str_eq(text, signals[_i].warning);
	ck_assert_int_eq(fate, FLOW_REJECTED);
	free(text);
}
END_TEST

START_TEST(no_descriptor_stays_open)
{
	const struct message message = {.body = SLICE("body")};
	size_t before = count_descriptors();
	struct buf body = {0};
	for (size_t i = 0; i < 5; i++)
		(void)run_one("cat", false, &message, &body);
	ck_assert_uint_eq(count_descriptors(), before);
	buf_release(&body);
}
END_TEST

/* ---- commands as text ---- */

#define MAX_WORDS 6
static const struct {
	const char *text;
	const char *words[MAX_WORDS];
} splits[] = {
    {"cat", {"cat"}},
    {"  a\tb \n c ", {"a", "b", "c"}},
    {"a 'b c' d", {"a", "b c", "d"}},
    {"a \"b c\" d", {"a", "b c", "d"}},
    {"a b\\ c", {"a", "b c"}},
    {"a '' \"\"", {"a", "", ""}},
    {"a'b'\"c\"d", {"abcd"}},
    {"a 'it'\\''s'", {"a", "it's"}},
    {"a '\\n' \"\\n\" \\n", {"a", "\\n", "\\n", "n"}},
    {"a \"\\\"\\\\\\$\\`\"", {"a", "\"\\$`"}},
    {"a \"'\" '\"'", {"a", "'", "\""}},
    {"a $HOME `id` $(id) ~", {"a", "$HOME", "`id`", "$(id)", "~"}},
    {"a | b; c", {"a", "|", "b;", "c"}},
    {"a * # b", {"a", "*", "#", "b"}},
    {"a \\\n b", {"a", "b"}},
    {"a b\\\nc", {"a", "bc"}},
    {"a \"b\\\nc\" 'd\\\ne'", {"a", "bc", "d\\\ne"}},
    {"a \"\\\\\n\"", {"a", "\\\n"}},
    {"a \\\\ \\\"", {"a", "\\", "\""}},
    {"caf\xc3\xa9 \xff", {"caf\xc3\xa9", "\xff"}},
};

START_TEST(command_is_split_as_a_shell_does)
{
	struct error err = {0};
	char **argv = exec_command_split(splits[_i].text, &err);
	ck_assert_msg(argv != NULL, "%s", err.text);
	for (size_t i = 0; i < MAX_WORDS && (i == 0 || splits[_i].words[i - 1] != NULL); i++)
		ck_assert_pstr_eq(argv[i], splits[_i].words[i]);
	free(argv);
}
END_TEST

static const struct {
	const char *command;
	enum error_kind kind;
	const char *text;
} mistakes[] = {
    {"", ERROR_USAGE, "the command is empty"},
    {" \n", ERROR_USAGE, "the command is empty"},
    {"cat 'a", ERROR_USAGE, "cannot split the command 'cat 'a': a ' is not closed"},
    {"cat \"a\\\"", ERROR_USAGE, "cannot split the command 'cat \"a\\\\\"': a \" is not closed"},
    {"cat a\\", ERROR_USAGE,
	"cannot split the command 'cat a\\\\': nothing follows the \\ at the end"},
    {"warren-test-nowhere x", ERROR_NO_INPUT,
	"cannot run 'warren-test-nowhere': no such program in PATH"},
    {"./nowhere", ERROR_NO_INPUT, "cannot run './nowhere': No such file or directory"},
    {"/tmp", ERROR_NO_INPUT, "cannot run '/tmp': Is a directory"},
    {"/etc/passwd", ERROR_NO_INPUT, "cannot run '/etc/passwd': Permission denied"},
    {"'' x", ERROR_NO_INPUT, "cannot run '': no such program in PATH"},
    {"'\x1b[31m'", ERROR_NO_INPUT, "cannot run '\\x1b[31m': no such program in PATH"},
};

START_TEST(command_that_cannot_run_is_refused_before_the_first_message)
{
	struct error err = {0};
	struct loop *loop = loop_create(&err);
	const struct core_exec_options options = {.command = mistakes[_i].command, .jobs = 1};
	ck_assert_ptr_null(core_exec_create(loop, &options, &err));
	ck_assert_str_eq(err.text, mistakes[_i].text);
	ck_assert_int_eq(err.kind, mistakes[_i].kind);
	loop_free(loop);
}
END_TEST

START_TEST(nothing_is_expanded_without_a_shell)
{
	const struct message message = {.body = SLICE("body")};
	struct buf body = output_of("echo $HOME \"$HOME\" * `id`", false, &message);
	ck_assert_str_eq(body.ptr, "$HOME $HOME * `id`\n");
	buf_release(&body);
	setenv("HOME", "/home/ada", 1);
	body = output_of("echo $HOME | tr a-z A-Z; exit 0", true, &message);
	ck_assert_str_eq(body.ptr, "/HOME/ADA\n");
	buf_release(&body);
}
END_TEST

START_TEST(empty_part_of_path_is_the_current_folder)
{
	enter_folder();
	write_script("tool", "#!/bin/sh\necho mine\n");
	write_file("cat", "not to be run");
	setenv("PATH", ":/usr/bin:/bin", 1);
	const struct message message = {.body = SLICE("body")};
	struct buf body = output_of("tool", false, &message);
	ck_assert_str_eq(body.ptr, "mine\n");
	buf_release(&body);
	body = output_of("cat", false, &message);
	ck_assert_str_eq(body.ptr, "body");
	buf_release(&body);
	leave_folder();
}
END_TEST

/* ---- several at a time ---- */

static const struct message keyed[] = {{.routing_key = {"0", 1}}, {.routing_key = {"1", 1}},
    {.routing_key = {"2", 1}}, {.routing_key = {"3", 1}}, {.routing_key = {"4", 1}},
    {.routing_key = {"5", 1}}, {.routing_key = {"6", 1}}, {.routing_key = {"7", 1}}};

static const struct flow_message queue[] = {{.message = &keyed[0]}, {.message = &keyed[1]},
    {.message = &keyed[2]}, {.message = &keyed[3]}, {.message = &keyed[4]}, {.message = &keyed[5]},
    {.message = &keyed[6]}, {.message = &keyed[7]}};

/* The first three wait until the fourth writes to them, so with fewer than four jobs nothing ends.
 */
START_TEST(as_many_commands_run_at_once_as_there_are_jobs)
{
	enter_folder();
	ck_assert_int_eq(mkfifo("0", 0600), 0);
	ck_assert_int_eq(mkfifo("1", 0600), 0);
	ck_assert_int_eq(mkfifo("2", 0600), 0);
	const struct core_exec_options options = {
	    .command = "case $WARREN_ROUTING_KEY in 3) for i in 0 1 2; do echo go >$i; done;; *) "
		       "read word <$WARREN_ROUTING_KEY;; esac",
	    .shell = true,
	    .timeout_ns = 30 * CHRONO_S,
	    .jobs = 4,
	};
	struct run run = {.messages = queue, .count = 4};
	struct error err = {0};
	struct flow_counts counts = run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], 4);
	release_run(&run);
	leave_folder();
}
END_TEST

/* mkdir fails when another command is between mkdir and rmdir. */
START_TEST(one_job_keeps_the_order_and_never_runs_two)
{
	enter_folder();
	const struct core_exec_options options = {
	    .command = "mkdir lock && cat >/dev/null && rmdir lock", .shell = true, .jobs = 1};
	struct run run = {.messages = queue, .count = ARRAY_LEN(queue)};
	struct error err = {0};
	struct flow_counts counts = run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], ARRAY_LEN(queue));
	ck_assert_str_eq(run.keys.ptr, "0 1 2 3 4 5 6 7");
	release_run(&run);
	leave_folder();
}
END_TEST

/* Of each four, which run together, each ends only after the next one. */
#define BACKWARDS                                                                                \
	"k=$WARREN_ROUTING_KEY; case $k in 3|7) ;; *) until test -e $((k + 1)); do sleep 0.01; " \
	"done;; esac; cat; "

START_TEST(results_go_on_in_the_order_of_the_messages)
{
	enter_folder();
	const struct core_exec_options options = {
	    .command = BACKWARDS ">$k", .shell = true, .jobs = 4, .in_order = true};
	struct run run = {.messages = queue, .count = ARRAY_LEN(queue)};
	struct error err = {0};
	struct flow_counts counts = run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], ARRAY_LEN(queue));
	ck_assert_str_eq(run.keys.ptr, "0 1 2 3 4 5 6 7");
	release_run(&run);
	leave_folder();
}
END_TEST

START_TEST(failures_among_them_leave_the_others_in_order)
{
	static const enum flow_fate fates[] = {FLOW_ACCEPTED, FLOW_RETRY, FLOW_REJECTED,
	    FLOW_ACCEPTED, FLOW_ACCEPTED, FLOW_RETRY, FLOW_REJECTED, FLOW_ACCEPTED};
	enter_folder();
	const struct core_exec_options options = {
	    .command = BACKWARDS ">$k; case $k in 1|5) exit 75;; 2|6) kill -9 $$;; esac",
	    .shell = true,
	    .jobs = 4,
	    .in_order = true};
	struct run run = {.messages = queue, .count = ARRAY_LEN(queue)};
	struct error err = {0};
	(void)run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_str_eq(run.keys.ptr, "0 3 4 7");
	for (size_t i = 0; i < ARRAY_LEN(fates); i++)
		ck_assert_int_eq(run.fates[i], fates[i]);
	release_run(&run);
	leave_folder();
}
END_TEST

/* The first ends after the stop, the others before it. */
START_TEST(stop_in_order_lets_results_go_that_wait_for_their_turn)
{
	enter_folder();
	const struct core_exec_options options = {
	    .command =
		"k=$WARREN_ROUTING_KEY; if test $k = 0; then until test -e stopped; do sleep "
		"0.01; done; else touch done; fi; cat",
	    .shell = true,
	    .jobs = 2,
	    .in_order = true};
	struct run run = {.messages = queue,
	    .count = 2,
	    .endless = true,
	    .stop_at_file = "done",
	    .stop_makes_file = "stopped"};
	struct error err = {0};
	struct flow_counts counts = run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], 2);
	ck_assert_str_eq(run.keys.ptr, "0 1");
	release_run(&run);
	leave_folder();
}
END_TEST

/* All of them together take twice what a drain without progress may. */
START_TEST(drain_goes_on_as_long_as_commands_end)
{
	static const struct {
		const char *command;
		uint64_t drain_ms;
	} paces[] = {{"sleep 0.05", 200}, {"sleep 0.5", 2000}, {"sleep 3", 12000}};
	bool good = false;
	for (size_t i = 0; i < ARRAY_LEN(paces) && !good; i++) {
		const struct core_exec_options options = {.command = paces[i].command, .jobs = 1};
		struct run run = {.messages = queue, .count = ARRAY_LEN(queue)};
		struct error err = {0};
		struct flow_counts counts =
		    run_core(&options, &run, paces[i].drain_ms * CHRONO_MS, &err);
		good = counts.fates[FLOW_ACCEPTED] == ARRAY_LEN(queue);
		release_run(&run);
	}
	ck_assert(good);
}
END_TEST

START_TEST(words_need_no_quotes)
{
	const struct message message = {.body = SLICE("body")};
	const struct flow_message m = {.message = &message};
	const char *const words[] = {"printf", "<%s>", "a  b", "", "$HOME 'x'", NULL};
	const struct core_exec_options options = {.words = words, .jobs = 1};
	struct run run = {.messages = &m, .count = 1};
	struct error err = {0};
	(void)run_core(&options, &run, PATIENCE_NS, &err);
	check_slice(run.results[0]->body, "<a  b><><$HOME 'x'>");
	release_run(&run);
}
END_TEST

START_TEST(command_runs_in_its_folder)
{
	const struct message message = {.body = SLICE("body")};
	const struct flow_message m = {.message = &message};
	const struct core_exec_options options = {
	    .command = "./tool", .folder = folder + strlen("/tmp/"), .jobs = 1};
	struct run run = {.messages = &m, .count = 1};
	struct error err = {0};
	enter_folder();
	write_script("tool", "#!/bin/sh\npwd\n");
	ck_assert_int_eq(chdir("/tmp"), 0);
	(void)run_core(&options, &run, PATIENCE_NS, &err);
	char *expected = mem_printf("%s\n", folder);
	check_slice(run.results[0]->body, expected);
	free(expected);
	release_run(&run);
	leave_folder();
}
END_TEST

/* A service manager asks all that belong to the service. */
START_TEST(command_that_is_asked_to_end_with_us_gives_its_message_back)
{
	enter_folder();
	const struct core_exec_options options = {
	    .command = "touch begun; until test -e stopped; do sleep 0.01; done; kill -TERM $$",
	    .shell = true,
	    .jobs = 1};
	struct run run = {.messages = queue,
	    .count = 2,
	    .endless = true,
	    .stop_at_file = "begun",
	    .stop_makes_file = "stopped"};
	struct error err = {0};
	struct flow_counts counts = run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_uint_eq(counts.fates[FLOW_RELEASED], 2);
	release_run(&run);
	leave_folder();
}
END_TEST

/* No command ends before the stop. */
START_TEST(stop_releases_those_that_wait_and_lets_the_others_end)
{
	enter_folder();
	const struct core_exec_options options = {
	    .command = "until test -e stopped; do sleep 0.01; done", .shell = true, .jobs = 2};
	struct run run = {.messages = queue,
	    .count = ARRAY_LEN(queue),
	    .stop_at_once = true,
	    .stop_makes_file = "stopped"};
	struct error err = {0};
	struct flow_counts counts = run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], 2);
	ck_assert_uint_eq(counts.fates[FLOW_RELEASED], ARRAY_LEN(queue) - 2);
	for (size_t i = 0; i < ARRAY_LEN(queue); i++)
		ck_assert_int_eq(run.fates[i], i < 2 ? FLOW_ACCEPTED : FLOW_RELEASED);
	release_run(&run);
	leave_folder();
}
END_TEST

/* The command has a child in its group and writes both numbers before the file is in place. */
START_TEST(what_still_runs_at_the_end_is_killed_with_its_group)
{
	enter_folder();
	size_t before = count_descriptors();
	const struct core_exec_options options = {
	    .command = "trap '' TERM; sleep 1000 & echo $$ $! >new; mv new pids; wait",
	    .shell = true,
	    .jobs = 1,
	};
	struct run run = {.messages = queue, .count = 2, .endless = true, .stop_at_file = "pids"};
	struct error err = {0};
	struct flow_counts counts = run_core(&options, &run, 0, &err);
	ck_assert_uint_eq(counts.fates[FLOW_RELEASED], 2);
	FILE *file = fopen("pids", "re");
	int pids[2] = {0, 0};
	ck_assert_int_eq(fscanf(file, "%d %d", &pids[0], &pids[1]), 2);
	fclose(file);
	ck_assert_int_eq(kill(pids[0], 0), -1); /* reaped by us */
	ck_assert_int_eq(errno, ESRCH);
	ck_assert_int_eq(kill(-pids[0], SIGCONT) == 0 || errno == ESRCH, 1);
	ck_assert_uint_eq(count_descriptors(), before);
	release_run(&run);
	leave_folder();
}
END_TEST

/* ---- commands that do not start ---- */

START_TEST(command_that_vanishes_fails_the_run_and_loses_nothing)
{
	enter_folder();
	write_script("tool", "#!/bin/sh\nrm tool\n");
	const struct core_exec_options options = {.command = "./tool", .jobs = 1};
	struct run run = {.messages = queue, .count = 3, .endless = true};
	struct error err = {0};
	struct flow_counts counts = run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_str_eq(err.text, "cannot start './tool': No such file or directory");
	ck_assert_int_eq(err.kind, ERROR_NO_INPUT);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], 1);
	ck_assert_uint_eq(counts.fates[FLOW_RELEASED], 2);
	release_run(&run);
	leave_folder();
}
END_TEST

START_TEST(file_that_is_no_program_fails_the_run)
{
	enter_folder();
	write_script("tool", "no interpreter is named here\n");
	const struct core_exec_options options = {.command = "./tool", .jobs = 1};
	struct run run = {.messages = queue, .count = 1};
	struct error err = {0};
	size_t before = count_descriptors();
	struct flow_counts counts = run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_str_eq(err.text, "cannot start './tool': Exec format error");
	ck_assert_uint_eq(counts.fates[FLOW_RELEASED], 1);
	ck_assert_uint_eq(count_descriptors(), before);
	release_run(&run);
	leave_folder();
}
END_TEST

/* 6 MiB is the most that Linux takes, whatever the limit of the stack. */
START_TEST(message_too_big_for_an_environment_is_rejected)
{
	char *value = mem_alloc(100 * 1024, 1);
	memset(value, 'x', 100 * 1024 - 1);
	for (int i = 0; i < 70; i++) {
		char *name = mem_printf("FILLER_%d", i);
		setenv(name, value, 1);
		free(name);
	}
	const struct message message = {.body = SLICE("body")};
	struct buf body = {0};
	int saved, memory = begin_capture(&saved);
	enum flow_fate fate = run_one("cat", false, &message, &body);
	char *text = end_capture(memory, saved);
	ck_assert_str_eq(text, "warren: warning: cannot start 'cat': Argument list too long: the "
			       "message is rejected\n");
	ck_assert_int_eq(fate, FLOW_REJECTED);
	free(text);
	free(value);
}
END_TEST

static void add_message_tests(TCase *tc)
{
	tcase_add_loop_test(tc, end_of_the_command_decides, 0, ARRAY_LEN(verdicts));
	tcase_add_loop_test(
	    tc, command_that_takes_too_long_is_ended_and_the_message_rejected, 0, ARRAY_LEN(slow));
	tcase_add_test(tc, endless_output_is_cut_off_and_the_message_rejected);
	tcase_add_test(tc, big_body_goes_in_and_comes_back_whole);
	tcase_add_test(tc, command_need_not_read_its_input);
	tcase_add_test(tc, output_replaces_the_body_and_nothing_else);
	tcase_add_test(tc, grandchild_that_lives_on_does_not_hang_the_run);
	tcase_add_test(tc, environment_holds_the_message_and_no_password);
	tcase_add_loop_test(
	    tc, header_of_each_plain_type_is_a_variable, 0, ARRAY_LEN(header_values));
	tcase_add_test(tc, long_values_are_left_out_with_a_warning);
	tcase_add_test(tc, what_is_left_out_is_told_once_and_counted);
	tcase_add_test(tc, damaged_headers_are_left_out_with_a_warning);
}

static void add_command_tests(TCase *tc)
{
	tcase_add_test(tc, command_gets_three_descriptors_and_its_own_group);
	tcase_add_loop_test(tc, command_gets_default_signals, 0, ARRAY_LEN(signals));
	tcase_add_test(tc, no_descriptor_stays_open);
	tcase_add_loop_test(tc, command_is_split_as_a_shell_does, 0, ARRAY_LEN(splits));
	tcase_add_loop_test(tc, command_that_cannot_run_is_refused_before_the_first_message, 0,
	    ARRAY_LEN(mistakes));
	tcase_add_test(tc, nothing_is_expanded_without_a_shell);
	tcase_add_test(tc, empty_part_of_path_is_the_current_folder);
	tcase_add_test(tc, as_many_commands_run_at_once_as_there_are_jobs);
	tcase_add_test(tc, one_job_keeps_the_order_and_never_runs_two);
	tcase_add_test(tc, results_go_on_in_the_order_of_the_messages);
	tcase_add_test(tc, failures_among_them_leave_the_others_in_order);
	tcase_add_test(tc, stop_in_order_lets_results_go_that_wait_for_their_turn);
	tcase_add_test(tc, drain_goes_on_as_long_as_commands_end);
	tcase_add_test(tc, words_need_no_quotes);
	tcase_add_test(tc, command_runs_in_its_folder);
	tcase_add_test(tc, command_that_is_asked_to_end_with_us_gives_its_message_back);
	tcase_add_test(tc, stop_releases_those_that_wait_and_lets_the_others_end);
	tcase_add_test(tc, what_still_runs_at_the_end_is_killed_with_its_group);
}

/* Under valgrind a program that cannot be run ends with status 127 instead. */
static void add_start_tests(TCase *tc)
{
	tcase_set_tags(tc, "no-valgrind");
	tcase_add_test(tc, command_that_vanishes_fails_the_run_and_loses_nothing);
	tcase_add_test(tc, file_that_is_no_program_fails_the_run);
	tcase_add_test(tc, message_too_big_for_an_environment_is_rejected);
}

int main(void)
{
	Suite *suite = suite_create("core_exec");
	TCase *tc = tcase_create("core_exec");
	tcase_set_timeout(tc, 120);
	add_message_tests(tc);
	add_command_tests(tc);
	suite_add_tcase(suite, tc);
	tc = tcase_create("start");
	add_start_tests(tc);
	suite_add_tcase(suite, tc);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
