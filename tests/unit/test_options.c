#include "config/options.h"

#include "base/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum format { FORMAT_PRETTY, FORMAT_JSON, FORMAT_BODY, FORMAT_NONE };

struct target {
	bool quiet, declare, version, amount_given;
	const char *url, *url_file, *from, *exec;
	struct option_list set;
	int format;
	uint64_t amount, offset, delay_ns, size;
	double rate;
};

#define AT(member) offsetof(struct target, member)

static const char *const formats[] = {"pretty", "json", "body", "none", NULL};

static const struct option own_options[] = {
    {.name = "amount",
	.letter = 'n',
	.type = OPTION_COUNT,
	.offset = AT(amount),
	.argument = "N",
	.help = "messages to send",
	.min = 1,
	.max = 1000,
	.given = AT(amount_given)},
    {.name = "offset",
	.type = OPTION_COUNT,
	.offset = AT(offset),
	.argument = "N",
	.help = "where to begin"},
    {.name = "delay",
	.letter = 'd',
	.type = OPTION_DURATION,
	.offset = AT(delay_ns),
	.argument = "D",
	.help = "time between two messages"},
    {.name = "rate",
	.type = OPTION_RATE,
	.offset = AT(rate),
	.argument = "R",
	.help = "messages per second"},
    {.name = "format",
	.letter = 'f',
	.type = OPTION_CHOICE,
	.offset = AT(format),
	.argument = "FORMAT",
	.help = "what is printed",
	.choices = formats},
    {.name = "from",
	.type = OPTION_TEXT,
	.offset = AT(from),
	.argument = "FILE|DIR|-",
	.help = "send the messages of these files instead of the patterns of the settings"},
    {.name = "exec-per-message",
	.type = OPTION_TEXT,
	.offset = AT(exec),
	.argument = "COMMAND",
	.help = "run this"},
    {.name = "declare",
	.type = OPTION_FLAG,
	.offset = AT(declare),
	.help = "make what is needed first"},
    {0},
};

static const struct option common_options[] = {
    {.name = "url",
	.type = OPTION_TEXT,
	.offset = AT(url),
	.argument = "URL",
	.help = "the broker",
	.environment = "AMQP_URL"},
    {.name = "url-file",
	.type = OPTION_TEXT,
	.offset = AT(url_file),
	.argument = "FILE",
	.help = "its first line",
	.environment = "AMQP_URL_FILE",
	.instead = "url"},
    {.name = "set",
	.type = OPTION_LIST,
	.offset = AT(set),
	.argument = "PATH=VALUE",
	.help = "override a setting"},
    {.name = "quiet",
	.letter = 'q',
	.type = OPTION_FLAG,
	.offset = AT(quiet),
	.help = "say nothing"},
    {.name = "version",
	.letter = 'V',
	.type = OPTION_FLAG,
	.offset = AT(version),
	.help = "print the version and exit",
	.command_line_only = true},
    {0},
};

static const struct option *const groups[] = {own_options, common_options, NULL};

static const struct command producer = {
    .tool = "producer",
    .summary = "sends the messages of the settings",
    .operands = "[MESSAGE...]",
    .groups = groups,
    .notes = "Examples:\n\n  warren-producer -n 5\n  .dot 'quoted' \\back\n\n"
	     "The first message is sent at once, "
	     "and\nthe others follow at their own pace, however long that may take.",
};

static const struct command_verb verbs[] = {
    {"plan", "show what would change"},
    {"apply", "change it"},
    {NULL, NULL},
};

static const struct command topology = {
    .tool = "topology",
    .summary = "makes the broker match the settings",
    .groups = groups,
    .verbs = verbs,
};

#define MAX_WORDS 12

/* Parses a NULL-terminated list of words after the tool's name. */
static bool parse(const struct command *command, const char *const words[], struct target *t,
    char ***operands, struct error *err)
{
	static char *argv[MAX_WORDS + 2];
	int argc = 1;
	argv[0] = (char *)(uintptr_t) "producer";
	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	argv[argc] = NULL;
	return options_parse(command, argc, argv, t, operands, err);
}

static void clear_environment(void)
{
	static const char *const names[] = {"WARREN_AMOUNT", "WARREN_FORMAT", "WARREN_QUIET",
	    "WARREN_URL", "AMQP_URL", "AMQP_URL_FILE", "WARREN_SET", "WARREN_VERSION",
	    "WARREN_EXEC_PER_MESSAGE"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
}

/* What a target holds, as text: only what differs from zero. */
static void show(const struct target *t, char *const operands[], struct buf *out)
{
	if (t->quiet)
		buf_append_str(out, "quiet ");
	if (t->declare)
		buf_append_str(out, "declare ");
	if (t->version)
		buf_append_str(out, "version ");
	if (t->amount != 0)
		buf_printf(
		    out, "amount=%d%s ", (int)t->amount, t->amount_given ? "" : "(not given)");
	if (t->delay_ns != 0)
		buf_printf(out, "delay=%dms ", (int)(t->delay_ns / 1000000));
	if (t->rate != 0)
		buf_printf(out, "rate=%g ", t->rate);
	if (t->size != 0)
		buf_printf(out, "size=%llu ", (unsigned long long)t->size);
	if (t->format != 0)
		buf_printf(out, "format=%s ", formats[t->format]);
	if (t->from != NULL)
		buf_printf(out, "from=%s ", t->from);
	if (t->exec != NULL)
		buf_printf(out, "exec=%s ", t->exec);
	if (t->url != NULL)
		buf_printf(out, "url=%s ", t->url);
	if (t->url_file != NULL)
		buf_printf(out, "url_file=%s ", t->url_file);
	for (size_t i = 0; i < t->set.count; i++)
		buf_printf(out, "set=%s ", t->set.items[i]);
	buf_append_char(out, '|');
	for (; *operands != NULL; operands++)
		buf_printf(out, " %s", *operands);
}

static const struct {
	const char *words[MAX_WORDS];
	const char *shown;
} readings[] = {
    {{NULL}, "|"},
    {{"--amount", "5"}, "amount=5 |"},
    {{"--amount=5"}, "amount=5 |"},
    {{"-n", "5"}, "amount=5 |"},
    {{"-n5"}, "amount=5 |"},
    {{"-qn5", "a"}, "quiet amount=5 | a"},
    {{"-qVn", "5", "a"}, "quiet version amount=5 | a"},
    {{"--amount=5", "--amount=6"}, "amount=6 |"},
    {{"--am", "5", "--fo", "json"}, "amount=5 format=json |"},
    {{"--del=1s"}, "delay=1000ms |"},
    {{"--rate", "30/m", "--delay=250ms"}, "delay=250ms rate=0.5 |"},
    {{"--quiet", "--no-quiet"}, "|"},
    {{"--no-quiet", "--quiet"}, "quiet |"},
    {{"--declare", "--no-d"}, "|"},
    {{"a", "--quiet", "b", "-n", "2", "c"}, "quiet amount=2 | a b c"},
    {{"a", "--", "--quiet", "-n", "--"}, "| a --quiet -n --"},
    {{"--", "a"}, "| a"},
    {{"-", "--from", "-"}, "from=- | -"},
    {{"--from=-", "-", ""}, "from=- | - "},
    {{"--from", "-5"}, "from=-5 |"},
    {{"--from", "-.5e3"}, "from=-.5e3 |"},
    {{"--from="}, "from= |"},
    {{"--from=--quiet"}, "from=--quiet |"},
    {{"--exec-per-message=-x=y"}, "exec=-x=y |"},
    {{"--set", "a=1", "--set=b=2"}, "set=a=1 set=b=2 |"},
};

START_TEST(words_are_read_into_the_target)
{
	struct target t = {0};
	struct error err = {0};
	struct buf shown = {0};
	char **operands = NULL;
	clear_environment();
	ck_assert_msg(parse(&producer, readings[_i].words, &t, &operands, &err), "%s", err.text);
	show(&t, operands, &shown);
	ck_assert_str_eq(shown.ptr, readings[_i].shown);
	free(t.set.items);
	buf_release(&shown);
}
END_TEST

static const struct {
	const char *words[MAX_WORDS];
	const char *text;
} refusals[] = {
    {{"--amout"}, "unknown option '--amout'; did you mean '--amount'?"},
    {{"--amout=5"}, "unknown option '--amout'; did you mean '--amount'?"},
    {{"--no-quite"}, "unknown option '--no-quite'; did you mean '--no-quiet'?"},
    {{"--no-amount"}, "unknown option '--no-amount'"},
    {{"--xyzzyplugh"}, "unknown option '--xyzzyplugh'"},
    {{"--rul=amqp://guest:secret@h"}, "unknown option '--rul'; did you mean '--url'?"},
    {{"--=5"}, "unknown option '--'"},
    {{"--a\x1b[2Jb=5"}, "unknown option '--a\\x1b[2Jb'"},
    {{"-x"}, "unknown option '-x'"},
    {{"-qx"}, "unknown option '-x'"},
    {{"-xamqp://guest:secret@h"}, "unknown option '-x'"},
    {{"-\xc3\xa9"}, "unknown option '-\xc3\xa9'"},
    {{"-\xff"}, "unknown option '-\\xff'"},
    {{"-amount", "5"}, "unknown option '-amount'; did you mean '--amount'?"},
    {{"-5"}, "unknown option '-5'"},
    {{"--amount"}, "option '--amount' needs a value: N"},
    {{"--am"}, "option '--amount' needs a value: N"},
    {{"-qn"}, "option '-n' needs a value: N"},
    {{"--from", "--quiet"}, "option '--from' needs a value: FILE|DIR|-"},
    {{"--from", "--"}, "option '--from' needs a value: FILE|DIR|-"},
    {{"--amount", "ten"}, "option '--amount' got 'ten': not a whole number from 1 to 1000"},
    {{"-n0"}, "option '-n' got '0': not a whole number from 1 to 1000"},
    {{"--offset", "-1"}, "option '--offset' got '-1': not a whole number of at least 0"},
    {{"--delay=soon"}, "option '--delay' got 'soon': not a duration such as 250ms, 1s, 2m or 1h"},
    {{"--rate=0"}, "option '--rate' got '0': not a rate such as 500/s or 30/m, above 0 and up to "
		   "1000000000/s"},
    {{"--format", "xml"}, "option '--format' got 'xml'; accepted: pretty, json, body, none"},
    {{"--format="}, "option '--format' got ''; accepted: pretty, json, body, none"},
    {{"--format=\x1b"}, "option '--format' got '\\x1b'; accepted: pretty, json, body, none"},
    {{"--quiet=yes"}, "option '--quiet' takes no value"},
    {{"--no-quiet=yes"}, "option '--no-quiet' takes no value"},
    {{"--d=1s"}, "option '--d' is ambiguous: --delay, --declare"},
    {{"--f"}, "option '--f' is ambiguous: --format, --from"},
    {{"--no-"}, "option '--no-' is ambiguous: --no-declare, --no-quiet, --no-version"},
    {{"amqp://u:secret@h"}, "unexpected argument (a URL); did you mean '--url'?"},
    {{"Http://u:secret@h"}, "unexpected argument (a URL); did you mean '--url'?"},
    {{"--from=amqp://u:secret@h"}, "option '--from' got a URL; did you mean '--url'?"},
    {{"-n", "AMQPS://u:secret@h"}, "option '-n' got a URL; did you mean '--url'?"},
    {{"--delay=http://u:secret@h"},
	"option '--delay' got 'http://***@h': not a duration such as 250ms, 1s, 2m or 1h"},
};

START_TEST(wrong_words_are_refused_with_a_remedy)
{
	struct target t = {0};
	struct error err = {0};
	char **operands = NULL;
	clear_environment();
	ck_assert(!parse(&producer, refusals[_i].words, &t, &operands, &err));
	ck_assert_str_eq(err.text, refusals[_i].text);
	ck_assert_int_eq(err.kind, ERROR_USAGE);
	ck_assert_ptr_null(operands);
}
END_TEST

static const struct {
	const char *words[MAX_WORDS];
	const char *text; /* NULL: accepted */
} verb_cases[] = {
    {{NULL}, NULL},
    {{"plan", "-q"}, NULL},
    {{"-q", "apply"}, NULL},
    {{"plam", "--bogus"}, "unknown command 'plam'; did you mean 'plan'?"},
    {{"frobnicate"}, "unknown command 'frobnicate'; accepted: plan, apply"},
    {{"plan", "order"}, "unexpected argument 'order'"},
    {{"plan", "amqp://u:secret@h"}, "unexpected argument (a URL); did you mean '--url'?"},
    {{"amqp://u:secret@h"}, "unexpected argument (a URL); did you mean '--url'?"},
    {{"plan", "u:secret@h"}, "unexpected argument '***@h'"},
    {{"u:secret@h"}, "unknown command '***@h'; accepted: plan, apply"},
};

START_TEST(first_operand_must_be_a_known_verb)
{
	struct target t = {0};
	struct error err = {0};
	char **operands = NULL;
	clear_environment();
	bool ok = parse(&topology, verb_cases[_i].words, &t, &operands, &err);
	ck_assert_int_eq(ok, verb_cases[_i].text == NULL);
	ck_assert_str_eq(err.text, ok ? "" : verb_cases[_i].text);
}
END_TEST

static const struct {
	const char *name, *value, *words[4];
	const char *shown; /* NULL: refused with... */
	const char *text;
} variables[] = {
    {"WARREN_AMOUNT", "7", {NULL}, "amount=7 |", NULL},
    {"WARREN_AMOUNT", "7", {"-n", "8"}, "amount=8 |", NULL},
    {"WARREN_AMOUNT", "", {NULL}, "|", NULL},
    {"WARREN_AMOUNT", "ten", {"-n", "8"}, "amount=8 |", NULL},
    {"WARREN_AMOUNT", "ten", {NULL}, NULL,
	"variable 'WARREN_AMOUNT' got 'ten': not a whole number from 1 to 1000"},
    {"WARREN_FORMAT", "xml", {NULL}, NULL,
	"variable 'WARREN_FORMAT' got 'xml'; accepted: pretty, json, body, none"},
    {"WARREN_QUIET", "1", {NULL}, "quiet |", NULL},
    {"WARREN_QUIET", "true", {NULL}, "quiet |", NULL},
    {"WARREN_QUIET", "yes", {NULL}, "quiet |", NULL},
    {"WARREN_QUIET", "no", {NULL}, "|", NULL},
    {"WARREN_QUIET", "yes", {"--no-quiet"}, "|", NULL},
    {"WARREN_QUIET", "maybe", {NULL}, NULL,
	"variable 'WARREN_QUIET' got 'maybe'; accepted: 1, true, yes, 0, false, no"},
    {"WARREN_EXEC_PER_MESSAGE", "cat", {NULL}, "exec=cat |", NULL},
    {"WARREN_URL", "amqp://a", {NULL}, "url=amqp://a |", NULL},
    {"AMQP_URL", "amqp://b", {NULL}, "url=amqp://b |", NULL},
    {"AMQP_URL", "amqp://b", {"--url=amqp://c"}, "url=amqp://c |", NULL},
    {"AMQP_URL", "amqp://b", {"--url-file=f"}, "url_file=f |", NULL},
    {"AMQP_URL_FILE", "f", {NULL}, "url_file=f |", NULL},
    {"AMQP_URL_FILE", "f", {"--url=amqp://c"}, "url=amqp://c |", NULL},
    {"AMQP_URL_FILE", "amqp://me:secret@b", {NULL}, NULL,
	"variable 'AMQP_URL_FILE' got a URL; did you mean '--url'?"},
    {"WARREN_SET", "a=1", {NULL}, "set=a=1 |", NULL},
    {"WARREN_SET", "a=1", {"--set", "b=2"}, "set=b=2 |", NULL},
    {"WARREN_VERSION", "0.1.0", {NULL}, "|", NULL},
};

START_TEST(environment_counts_when_the_option_is_not_given)
{
	struct target t = {0};
	struct error err = {0};
	struct buf shown = {0};
	char **operands = NULL;
	clear_environment();
	setenv(variables[_i].name, variables[_i].value, 1);
	bool ok = parse(&producer, variables[_i].words, &t, &operands, &err);
	if (ok)
		show(&t, operands, &shown);
	ck_assert_str_eq(ok ? shown.ptr : err.text,
	    variables[_i].shown != NULL ? variables[_i].shown : variables[_i].text);
	free(t.set.items);
	buf_release(&shown);
	clear_environment();
}
END_TEST

START_TEST(own_variable_goes_before_the_further_one)
{
	struct target t = {0};
	struct error err = {0};
	char **operands = NULL;
	clear_environment();
	setenv("AMQP_URL", "amqp://far", 1);
	setenv("WARREN_URL", "amqp://near", 1);
	ck_assert(parse(&producer, (const char *const[]){NULL}, &t, &operands, &err));
	ck_assert_str_eq(t.url, "amqp://near");
	setenv("WARREN_URL", "", 1);
	ck_assert(parse(&producer, (const char *const[]){NULL}, &t, &operands, &err));
	ck_assert_str_eq(t.url, "amqp://far");
	clear_environment();
}
END_TEST

START_TEST(two_ways_to_say_the_same_contradict_each_other_in_one_place)
{
	static const char *const both[] = {"--url=amqp://me:secret@h", "--url-file", "f", NULL};
	struct target t = {0};
	struct error err = {0};
	char **operands = NULL;
	clear_environment();
	ck_assert(!parse(&producer, both, &t, &operands, &err));
	ck_assert_str_eq(
	    err.text, "'--url' and '--url-file' both come from the command line; give one of them");
	error_clear(&err);
	setenv("WARREN_URL", "amqp://me:secret@h", 1);
	setenv("AMQP_URL_FILE", "f", 1);
	ck_assert(!parse(&producer, (const char *const[]){NULL}, &t, &operands, &err));
	ck_assert_str_eq(
	    err.text, "'--url' and '--url-file' both come from the environment; give one of them");
	error_clear(&err);
	setenv("WARREN_URL", "", 1);
	ck_assert(parse(&producer, (const char *const[]){NULL}, &t, &operands, &err));
	clear_environment();
}
END_TEST

START_TEST(values_that_may_be_urls_are_never_shown)
{
	static const struct option options[] = {
	    {.name = "hosts",
		.type = OPTION_COUNT,
		.offset = AT(amount),
		.argument = "URL",
		.help = "x"},
	    {0},
	};
	static const struct option *const only[] = {options, NULL};
	const struct command command = {.tool = "tool", .summary = "x", .groups = only};
	struct target t = {0};
	struct error err = {0};
	char **operands = NULL;
	ck_assert(!parse(&command, (const char *const[]){"--hosts=amqp://u:secret@h", NULL}, &t,
	    &operands, &err));
	ck_assert_str_eq(err.text, "option '--hosts' got a value that is not shown: not a whole "
				   "number of at least 0");
}
END_TEST

START_TEST(empty_argv_is_an_empty_command_line)
{
	struct target t = {0};
	struct error err = {0};
	char *argv[] = {NULL}, **operands = NULL;
	clear_environment();
	ck_assert(options_parse(&producer, 0, argv, &t, &operands, &err));
	ck_assert_ptr_null(operands[0]);
}
END_TEST

/* ---- sizes ---- */

static const struct option size_options[] = {
    {.name = "size",
	.letter = 's',
	.type = OPTION_SIZE,
	.offset = AT(size),
	.argument = "SIZE",
	.help = "size of a body"},
    {0},
};

static const struct option *const size_groups[] = {size_options, common_options, NULL};

static const struct command sized = {
    .tool = "sized", .summary = "takes a size", .groups = size_groups};

static const struct {
	const char *words[MAX_WORDS];
	const char *shown; /* NULL: refused with... */
	const char *text;
} sizes[] = {
    {{"--size", "512"}, "size=512 |", NULL},
    {{"--size=4KiB"}, "size=4096 |", NULL},
    {{"-s1.5MB"}, "size=1500000 |", NULL},
    {{"--size=0"}, "|", NULL},
    {{"--size=many"}, NULL, "option '--size' got 'many': not a size such as 512, 64KiB or 1MB"},
    {{"-s", "-1"}, NULL, "option '-s' got '-1': not a size such as 512, 64KiB or 1MB"},
    {{"--size=9000000TiB"}, NULL,
	"option '--size' got '9000000TiB': not a size such as 512, 64KiB or 1MB"},
    {{"--size"}, NULL, "option '--size' needs a value: SIZE"},
};

START_TEST(sizes_are_bytes_with_or_without_a_unit)
{
	struct target t = {0};
	struct error err = {0};
	struct buf shown = {0};
	char **operands = NULL;
	clear_environment();
	ck_assert_pstr_eq(options_fault(&sized), NULL);
	bool ok = parse(&sized, sizes[_i].words, &t, &operands, &err);
	if (ok)
		show(&t, operands, &shown);
	ck_assert_int_eq(ok, sizes[_i].shown != NULL);
	ck_assert_str_eq(ok ? shown.ptr : err.text, ok ? sizes[_i].shown : sizes[_i].text);
	buf_release(&shown);
}
END_TEST

START_TEST(a_size_comes_from_the_environment_too)
{
	struct target t = {0};
	struct error err = {0};
	char **operands = NULL;
	clear_environment();
	setenv("WARREN_SIZE", "2KiB", 1);
	ck_assert(parse(&sized, (const char *const[]){NULL}, &t, &operands, &err));
	ck_assert_uint_eq(t.size, 2048);
	setenv("WARREN_SIZE", "2 KiB", 1);
	ck_assert(!parse(&sized, (const char *const[]){NULL}, &t, &operands, &err));
	ck_assert_str_eq(
	    err.text, "variable 'WARREN_SIZE' got '2 KiB': not a size such as 512, 64KiB or 1MB");
	unsetenv("WARREN_SIZE");
}
END_TEST

/* ---- one more place to look into ---- */

#define MAX_KEYS 3

/* A section of settings, and what was told of the values that count. */
struct section {
	struct {
		const char *name;
		const char *texts[4]; /* NULL-terminated */
	} keys[MAX_KEYS];
	struct buf told;
};

static const char *const *find_key(void *ctx, const char *name)
{
	const struct section *section = ctx;
	for (size_t i = 0; i < MAX_KEYS; i++)
		if (section->keys[i].name != NULL && strcmp(section->keys[i].name, name) == 0)
			return section->keys[i].texts;
	return NULL;
}

static void tell(void *ctx, const char *name, const char *text)
{
	struct section *section = ctx;
	buf_printf(&section->told, "%s=%s ", name, text);
}

static bool parse_with(int argc, char *argv[], struct section *section, struct target *t,
    char ***operands, struct error *err)
{
	const struct options_fallback fallback = {"key", "bench.", find_key, tell, section};
	buf_append_str(&section->told, "");
	return options_parse_with(&producer, argc, argv, t, &fallback, operands, err);
}

static const struct {
	const char *words[4];
	const char *variable, *value;
	struct section section;
	const char *shown; /* NULL: refused with... */
	const char *text;
	const char *told;
} fallbacks[] = {
    {{NULL}, NULL, NULL, {{{"amount", {"7"}}}, {0}}, "amount=7 |", NULL, "amount=7 "},
    {{"-n", "8"}, NULL, NULL, {{{"amount", {"7"}}}, {0}}, "amount=8 |", NULL, "amount=8 "},
    {{NULL}, "WARREN_AMOUNT", "9", {{{"amount", {"7"}}}, {0}}, "amount=9 |", NULL, "amount=9 "},
    {{NULL}, "WARREN_AMOUNT", "", {{{"amount", {"7"}}}, {0}}, "amount=7 |", NULL, "amount=7 "},
    {{"-n", "8"}, "WARREN_AMOUNT", "9", {{{"amount", {"bad"}}}, {0}}, "amount=8 |", NULL,
	"amount=8 "},
    {{NULL}, NULL, NULL, {{{"set", {"a=1", "b=2", "c=3"}}}, {0}}, "set=a=1 set=b=2 set=c=3 |", NULL,
	"set=a=*** set=b=*** set=c=*** "},
    {{"--set", "z=0"}, NULL, NULL, {{{"set", {"a=1", "b=2"}}}, {0}}, "set=z=0 |", NULL,
	"set=z=*** "},
    {{"--set", "broker.url=amqp://me:secret@h?x=y"}, NULL, NULL, {{{NULL, {NULL}}}, {0}},
	"set=broker.url=amqp://me:secret@h?x=y |", NULL, "set=broker.url=*** "},
    {{"--set", "secret"}, NULL, NULL, {{{NULL, {NULL}}}, {0}}, "set=secret |", NULL,
	"set=secret=*** "},
    {{NULL}, NULL, NULL, {{{"quiet", {"true"}}, {"declare", {"false"}}}, {0}}, "quiet |", NULL,
	"declare=false quiet=true "},
    {{"--no-quiet"}, NULL, NULL, {{{"quiet", {"true"}}}, {0}}, "|", NULL, "quiet=false "},
    {{"--declare", "x", "--format=json"}, NULL, NULL, {{{"delay", {"1s"}}}, {0}},
	"declare delay=1000ms format=json | x", NULL, "declare=true format=json delay=1s "},
    {{"-n1", "-n2"}, NULL, NULL, {{{NULL, {NULL}}}, {0}}, "amount=2 |", NULL, "amount=1 amount=2 "},
    {{NULL}, NULL, NULL, {{{"format", {NULL}}}, {0}}, "|", NULL, ""},
    {{NULL}, NULL, NULL, {{{"no-such-option", {"7"}}}, {0}}, "|", NULL, ""},
    {{NULL}, NULL, NULL, {{{"url", {"amqp://me:secret@h"}}}, {0}}, "url=amqp://me:secret@h |", NULL,
	"url=*** "},
    {{"--url=amqp://me:secret@h"}, NULL, NULL, {{{NULL, {NULL}}}, {0}}, "url=amqp://me:secret@h |",
	NULL, "url=*** "},
    {{NULL}, "AMQP_URL", "amqp://me:secret@h", {{{NULL, {NULL}}}, {0}}, "url=amqp://me:secret@h |",
	NULL, "url=*** "},
    {{NULL}, NULL, NULL, {{{"amount", {"ten"}}}, {0}}, NULL,
	"key 'bench.amount' got 'ten': not a whole number from 1 to 1000", ""},
    {{"-q"}, NULL, NULL, {{{"format", {"xml"}}}, {0}}, NULL,
	"key 'bench.format' got 'xml'; accepted: pretty, json, body, none", "quiet=true "},
    {{"-n", "ten"}, NULL, NULL, {{{"amount", {"7"}}}, {0}}, NULL,
	"option '-n' got 'ten': not a whole number from 1 to 1000", ""},
};

START_TEST(a_fallback_counts_behind_command_line_and_environment)
{
	struct section section = fallbacks[_i].section;
	struct target t = {0};
	struct error err = {0};
	struct buf shown = {0};
	char *argv[6] = {(char *)(uintptr_t) "producer"}, **operands = NULL;
	int argc = 1;
	for (; fallbacks[_i].words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)fallbacks[_i].words[argc - 1];
	clear_environment();
	if (fallbacks[_i].variable != NULL)
		setenv(fallbacks[_i].variable, fallbacks[_i].value, 1);
	bool ok = parse_with(argc, argv, &section, &t, &operands, &err);
	if (ok)
		show(&t, operands, &shown);
	ck_assert_int_eq(ok, fallbacks[_i].shown != NULL);
	ck_assert_str_eq(ok ? shown.ptr : err.text, ok ? fallbacks[_i].shown : fallbacks[_i].text);
	ck_assert_str_eq(section.told.ptr, fallbacks[_i].told);
	ck_assert_int_eq(t.amount_given, t.amount != 0);
	free(t.set.items);
	buf_release(&shown);
	buf_release(&section.told);
	clear_environment();
}
END_TEST

START_TEST(a_command_line_is_read_twice_the_same)
{
	const char *const words[] = {
	    "producer", "a", "--amount", "5", "b", "-qf", "json", "--", "--declare", "c"};
	struct section section = {.keys = {{"delay", {"2s"}}}};
	struct error err = {0};
	struct buf shown = {0};
	char *argv[ARRAY_LEN(words) + 1] = {NULL}, **operands = NULL;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		argv[i] = (char *)(uintptr_t)words[i];
	clear_environment();
	for (int time = 0; time < 3; time++) {
		struct target t = {0};
		buf_clear(&shown);
		buf_clear(&section.told);
		ck_assert(parse_with((int)ARRAY_LEN(words), argv, &section, &t, &operands, &err));
		show(&t, operands, &shown);
		ck_assert_str_eq(
		    shown.ptr, "quiet amount=5 delay=2000ms format=json | a b --declare c");
		ck_assert_str_eq(section.told.ptr, "amount=5 quiet=true format=json delay=2s ");
	}
	buf_release(&shown);
	buf_release(&section.told);
}
END_TEST

/* Names the first line that differs: the whole text is more than a report takes. */
static void assert_lines(const char *got, const char *expected)
{
	for (int line = 1; *got != '\0' || *expected != '\0'; line++) {
		size_t a = strcspn(got, "\n"), b = strcspn(expected, "\n");
		ck_assert_msg(a == b && memcmp(got, expected, a) == 0 && got[a] == expected[b],
		    "line %d: got '%.*s', expected '%.*s'", line, (int)a, got, (int)b, expected);
		got += a + (got[a] == '\n');
		expected += b + (expected[b] == '\n');
	}
}

START_TEST(help_is_aligned_and_wrapped)
{
	struct buf out = {0};
	options_help(&producer, &out);
	assert_lines(out.ptr,
	    "Usage: warren-producer [OPTION...] [MESSAGE...]\n"
	    "\n"
	    "sends the messages of the settings\n"
	    "\n"
	    "Options:\n"
	    "  -n, --amount N         messages to send\n"
	    "      --offset N         where to begin\n"
	    "  -d, --delay D          time between two messages\n"
	    "      --rate R           messages per second\n"
	    "  -f, --format FORMAT    what is printed: pretty, json, body, none\n"
	    "      --from FILE|DIR|-  send the messages of these files instead of the\n"
	    "                         patterns of the settings\n"
	    "      --exec-per-message COMMAND\n"
	    "                         run this\n"
	    "      --declare          make what is needed first\n"
	    "\n"
	    "      --url URL          the broker [$AMQP_URL]\n"
	    "      --url-file FILE    its first line [$AMQP_URL_FILE]\n"
	    "      --set PATH=VALUE   override a setting (may be repeated)\n"
	    "  -q, --quiet            say nothing\n"
	    "  -V, --version          print the version and exit\n"
	    "\n"
	    "A flag --NAME is cleared by --no-NAME. Options can also be set in the\n"
	    "environment: --log-format is WARREN_LOG_FORMAT.\n"
	    "\n"
	    "Examples:\n"
	    "\n"
	    "  warren-producer -n 5\n"
	    "  .dot 'quoted' \\back\n"
	    "\n"
	    "The first message is sent at once, and the others follow at their own pace,\n"
	    "however long that may take.\n");
	buf_release(&out);
}
END_TEST

START_TEST(help_lists_the_verbs)
{
	struct buf out = {0};
	options_help(&topology, &out);
	ck_assert_ptr_nonnull(strstr(out.ptr, "Usage: warren-topology COMMAND [OPTION...]\n"
					      "\n"
					      "makes the broker match the settings\n"
					      "\n"
					      "Commands:\n"
					      "  plan                   show what would change\n"
					      "  apply                  change it\n"
					      "\n"
					      "Options:\n"));
	buf_release(&out);
}
END_TEST

static const char *const man_parts[] = {
    ".TH WARREN\\-PRODUCER 1 \"\" warren \"User Commands\"\n",
    ".SH NAME\nwarren\\-producer \\- sends the messages of the settings\n",
    ".SH SYNOPSIS\n\\fBwarren\\-producer\\fR [\\fIOPTION\\fR...] [\\fIMESSAGE\\fR...]\n",
    ".SH DESCRIPTION\n",
    ".PP\n.nf\n  warren\\-producer \\-n 5\n  .dot \\(aqquoted\\(aq \\eback\n.fi\n.PP\nThe first",
    ".SH OPTIONS\n",
    ".TP\n\\fB\\-n\\fR, \\fB\\-\\-amount\\fR \\fIN\\fR\nmessages to send.\n",
    "what is printed: \\fBpretty\\fR, \\fBjson\\fR, \\fBbody\\fR, \\fBnone\\fR.\n",
    "override a setting (may be repeated).\n",
    ".SH ENVIRONMENT\n",
    "\\fBWARREN_URL\\fR, \\fBAMQP_URL\\fR\nas \\fB\\-\\-url\\fR\n",
    ".SH \"EXIT STATUS\"\n.TP\n\\fB0\\fR\nDone.\n.TP\n\\fB1\\fR\nDone, but some messages",
    ".TP\n\\fB64\\fR\n",
    ".SH \"SEE ALSO\"\n\\fBwarren\\-consumer\\fR(1),\n",
};

START_TEST(man_page_has_its_sections_in_order)
{
	struct buf out = {0};
	options_man(&producer, &out);
	const char *at = out.ptr;
	for (size_t i = 0; i < ARRAY_LEN(man_parts); i++) {
		const char *found = strstr(at, man_parts[i]);
		ck_assert_msg(found != NULL, "missing, or too early: %s", man_parts[i]);
		at = found;
	}
	ck_assert_ptr_null(strstr(out.ptr, "WARREN_VERSION"));
	ck_assert_ptr_null(strstr(out.ptr, "warren\\-producer\\fR(1)"));
	buf_release(&out);
}
END_TEST

/* Runs a script with the text as its standard input; true when it ends with 0. */
static bool pipe_into(const char *script, const char *text)
{
	FILE *pipe = popen(script, "w");
	ck_assert_ptr_nonnull(pipe);
	fputs(text, pipe);
	return pclose(pipe) == 0;
}

START_TEST(groff_has_nothing_to_say_about_the_man_page)
{
	struct buf out = {0};
	options_man(_i == 0 ? &producer : &topology, &out);
	ck_assert(pipe_into("command -v groff >/dev/null || exit 0;"
			    " test -z \"$(groff -man -Tascii -ww 2>&1 >/dev/null)\"",
	    out.ptr));
	buf_release(&out);
}
END_TEST

static const struct {
	const struct command *command;
	const char *words; /* what stands on the line, as bash breaks it */
	const char *completed;
} completions[] = {
    {&producer, "warren-producer --am", "--amount"},
    {&producer, "warren-producer --f", "--format --from"},
    {&producer, "warren-producer --no-", "--no-declare --no-quiet"},
    {&producer, "producer --format ''", "pretty json body none"},
    {&producer, "producer -f j", "json"},
    {&producer, "producer --format =", "pretty json body none"},
    {&producer, "producer --format = n", "none"},
    {&producer, "producer --amount ''", ""},
    {&producer, "producer --from lib/OR", "lib/ORDER"},
    {&topology, "topology ''", "plan apply"},
    {&topology, "topology -q a", "apply"},
    {&topology, "topology plan ''", ""},
};

START_TEST(bash_completes_options_choices_files_and_verbs)
{
	struct buf script = {0};
	buf_append_str(&script, "compopt() { :; }\n"); /* only works while completing */
	options_completion(completions[_i].command, &script);
	const char *tool = completions[_i].command->tool;
	buf_printf(&script,
	    "COMP_WORDS=(%s)\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_warren_%s\n"
	    "expected='%s'\n"
	    "if [ \"${COMPREPLY[*]}\" != \"$expected\" ]; then\n"
	    "\techo \"got '${COMPREPLY[*]}', expected '$expected'\" >&2; exit 1\nfi\n"
	    "[[ $(complete -p %s) == *_warren_%s* && $(complete -p warren-%s) ]]\n",
	    completions[_i].words, tool, completions[_i].completed, tool, tool, tool);
	ck_assert(pipe_into("exec bash --norc -u", script.ptr));
	buf_release(&script);
}
END_TEST

#define TEXT_OPTION(row_name, row_letter)                                                     \
	{                                                                                     \
		.name = row_name, .letter = row_letter, .type = OPTION_TEXT, .argument = "X", \
		.help = "x"                                                                   \
	}

static const char *const no_choices[] = {NULL};

static const struct {
	struct option rows[2];
	const char *fault;
} faults[] = {
    {{TEXT_OPTION("one", 'a'), TEXT_OPTION("two", 'b')}, NULL},
    {{TEXT_OPTION("one", 'a'), TEXT_OPTION("one", 'b')}, "two options have the same name"},
    {{TEXT_OPTION("one", 'a'), TEXT_OPTION("two", 'a')}, "two options have the same letter"},
    {{TEXT_OPTION("no-two", 0), {.name = "two", .help = "x"}},
	"an option has the name of a flag's --no- form"},
    {{TEXT_OPTION("one", '1')}, "an option's letter is not a letter"},
    {{TEXT_OPTION("One", 'a')},
	"an option's name is not made of lower-case letters, digits and dashes"},
    {{TEXT_OPTION("-one", 'a')},
	"an option's name is not made of lower-case letters, digits and dashes"},
    {{{.name = "one"}},
	"an option's help is missing, not one line of ASCII, or ends in a full stop"},
    {{{.name = "one", .help = "text."}},
	"an option's help is missing, not one line of ASCII, or ends in a full stop"},
    {{{.name = "one", .help = "two\nlines"}},
	"an option's help is missing, not one line of ASCII, or ends in a full stop"},
    {{{.name = "one", .help = "x", .argument = "X"}}, "a flag names an argument"},
    {{{.name = "one", .help = "x", .type = OPTION_COUNT}}, "an option names no argument"},
    {{{.name = "one", .help = "x", .argument = "X", .type = OPTION_CHOICE}},
	"a choice has no choices"},
    {{{.name = "one", .help = "x", .argument = "X", .type = OPTION_CHOICE, .choices = no_choices}},
	"a choice has no choices"},
    {{{.name = "one", .help = "x", .argument = "X", .type = OPTION_TEXT, .choices = formats}},
	"an option that is no choice has choices"},
    {{{.name = "one", .help = "x", .argument = "X", .type = OPTION_TEXT, .max = 3}},
	"an option that is no count has bounds"},
    {{{.name = "one", .help = "x", .argument = "X", .type = OPTION_COUNT, .min = 4, .max = 3}},
	"the bounds of a count run backwards"},
    {{{.name = "one", .help = "x", .argument = "X", .type = OPTION_TEXT, .environment = "a-b"}},
	"an option's environment variable is misspelt"},
    {{{.name = "one", .help = "x", .argument = "X", .type = (enum option_type)99}},
	"an option has no such type"},
    {{{.name = "one", .help = "x", .argument = "X", .type = OPTION_TEXT, .instead = "one"}},
	"an option stands in for itself"},
};

START_TEST(faults_of_a_table_are_found)
{
	/* Apart, so that doubles are looked for across groups. */
	const struct option first[] = {faults[_i].rows[0], {0}};
	const struct option second[] = {faults[_i].rows[1], {0}};
	const struct option *const both[] = {first, second, NULL};
	const struct command command = {.tool = "tool", .summary = "x", .groups = both};
	const char *fault = options_fault(&command);
	ck_assert_pstr_eq(fault, faults[_i].fault);
}
END_TEST

START_TEST(faults_of_a_command_are_found)
{
	static const struct command_verb doubled[] = {{"a1", "x"}, {"a1", "y"}, {NULL, NULL}};
	static const struct command_verb none[] = {{NULL, NULL}};
	struct command c = producer;
	ck_assert_pstr_eq(options_fault(&c), NULL);
	c.summary = NULL;
	ck_assert_pstr_eq(options_fault(&c), "the tool's name or summary is missing or misspelt");
	c = producer;
	c.notes = "caf\xc3\xa9";
	ck_assert_pstr_eq(options_fault(&c), "the operands or notes are not ASCII");
	c = topology;
	ck_assert_pstr_eq(options_fault(&c), NULL);
	c.verbs = doubled;
	ck_assert_pstr_eq(options_fault(&c), "two verbs have the same name");
	c.verbs = none;
	ck_assert_pstr_eq(options_fault(&c), "there are no verbs, or more than 63");
}
END_TEST

static Suite *options_suite(void)
{
	Suite *suite = suite_create("options");
	TCase *parse_case = tcase_create("parse");
	tcase_add_loop_test(
	    parse_case, words_are_read_into_the_target, 0, (int)ARRAY_LEN(readings));
	tcase_add_loop_test(
	    parse_case, wrong_words_are_refused_with_a_remedy, 0, (int)ARRAY_LEN(refusals));
	tcase_add_loop_test(
	    parse_case, first_operand_must_be_a_known_verb, 0, (int)ARRAY_LEN(verb_cases));
	tcase_add_loop_test(parse_case, environment_counts_when_the_option_is_not_given, 0,
	    (int)ARRAY_LEN(variables));
	tcase_add_test(parse_case, own_variable_goes_before_the_further_one);
	tcase_add_test(parse_case, two_ways_to_say_the_same_contradict_each_other_in_one_place);
	tcase_add_test(parse_case, values_that_may_be_urls_are_never_shown);
	tcase_add_test(parse_case, empty_argv_is_an_empty_command_line);
	tcase_add_loop_test(
	    parse_case, sizes_are_bytes_with_or_without_a_unit, 0, (int)ARRAY_LEN(sizes));
	tcase_add_test(parse_case, a_size_comes_from_the_environment_too);
	tcase_add_loop_test(parse_case, a_fallback_counts_behind_command_line_and_environment, 0,
	    (int)ARRAY_LEN(fallbacks));
	tcase_add_test(parse_case, a_command_line_is_read_twice_the_same);
	suite_add_tcase(suite, parse_case);
	TCase *pages = tcase_create("pages");
	tcase_add_test(pages, help_is_aligned_and_wrapped);
	tcase_add_test(pages, help_lists_the_verbs);
	tcase_add_test(pages, man_page_has_its_sections_in_order);
	tcase_add_loop_test(pages, groff_has_nothing_to_say_about_the_man_page, 0, 2);
	tcase_add_loop_test(
	    pages, bash_completes_options_choices_files_and_verbs, 0, (int)ARRAY_LEN(completions));
	suite_add_tcase(suite, pages);
	TCase *fault_case = tcase_create("fault");
	tcase_add_loop_test(fault_case, faults_of_a_table_are_found, 0, (int)ARRAY_LEN(faults));
	tcase_add_test(fault_case, faults_of_a_command_are_found);
	suite_add_tcase(suite, fault_case);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(options_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
