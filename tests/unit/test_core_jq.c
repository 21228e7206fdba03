#include "flow/core_jq.h"

#include "core_bench.h"
#include "model/table.h"
#include "process_bench.h"

#include <sys/time.h>
#include <sys/wait.h>

static struct core_jq *must_create(const char *expression, enum flow_fate hidden)
{
	struct error err = {0};
	struct core_jq *core = core_jq_create(expression, hidden, &err);
	ck_assert_msg(core != NULL, "%s", err.text);
	return core;
}

/* True when the message passes. */
static bool passes(const char *expression, const struct flow_message *m)
{
	struct core_jq *core = must_create(expression, FLOW_HELD);
	struct run run = {.messages = m, .count = 1};
	(void)run_simply(&run, core_jq_core(core));
	ck_assert_uint_eq(core_jq_hidden(core), 1 - run.passed);
	core_jq_free(core);
	release_run(&run);
	return run.passed == 1;
}

/* ---- what passes ---- */

#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	} /* SLICE is no constant for a table */

/* Each body is copied to where no byte follows it: nothing may be read beyond. */
static const struct {
	const char *expression;
	struct slice body;
	bool passes;
} bodies[] = {
    {".qty > 100", BYTES("{\"qty\": 101}"), true},
    {".qty > 100", BYTES("{\"qty\": 100}"), false},
    {".", BYTES("0"), true},
    {".", BYTES("false"), false},
    {".", BYTES("null"), false},
    {".", BYTES("\"\""), true},
    {".a, true", BYTES("{}"), false}, /* the first output counts */
    {"empty", BYTES("1"), false},
    {".[] | select(. > 2)", BYTES("[1, 2, 3]"), true},
    {".[] | select(. > 3)", BYTES("[1, 2, 3]"), false},
    {". == \"plain text\"", BYTES("plain text"), true},
    {". == \"\"", BYTES(""), true},
    {". == \"{\\\"a\\\":\"", BYTES("{\"a\":"), true},
    {". == \"1 2\"", BYTES("1 2"), true}, /* two values are no JSON text */
    {". == \"[1] x\"", BYTES("[1] x"), true},
    {"test(\"^caf\\u00e9\")", BYTES("caf\xc3\xa9 au lait"), true},
    {". == null", BYTES("\xff\xfe"), true},
    {"length == 3", BYTES("a\0b"), true},
    {". == true # a comment", BYTES("true"), true},
    {"def big: . > 3; big", BYTES("4"), true},
    {". as $x | $x == 4", BYTES("4"), true},
    {"halt", BYTES("4"), false},
    {"\"x\" | halt_error", BYTES("4"), false},
    {"debug", BYTES("4"), true},
    {"get_search_list == []", BYTES("4"), true},
};

START_TEST(body_is_judged_as_json_or_text)
{
	struct slice body = bodies[_i].body;
	char *exact = mem_alloc(body.len + 1, 1); /* so that a sanitizer sees one byte too many */
	char *copy = realloc(exact, body.len > 0 ? body.len : 1);
	memcpy(copy, body.ptr, body.len);
	const struct message message = {.body = {copy, body.len}};
	const struct flow_message m = {.message = &message};
	ck_assert_int_eq(passes(bodies[_i].expression, &m), bodies[_i].passes);
	free(copy);
}
END_TEST

static const char *const variable_cases[] = {
    "$exchange == \"orders\"",
    "$routing_key == \"order.created\"",
    "$routing_key | startswith(\"order.\")",
    "$queue == \"work\"",
    "$ queue == \"work\"",
    "{$queue} == {queue: \"work\"}",
    "$redelivered == true",
    "$properties.content_type == \"application/json\"",
    "$properties.priority == 5",
    "$properties.timestamp == 1700000000",
    "$properties | has(\"message_id\") | not",
    "$properties | has(\"headers\") | not",
    "$headers.tries == 3",
    "$headers.region == \"eu\"",
    "$headers | keys == [\"region\", \"tries\", \"vip\"]",
    "$headers.vip and .n == 1 and $queue == \"work\"",
    ". == {n: 1}",
    "keys == [\"n\"]",
};

START_TEST(variables_hold_the_rest_of_the_message)
{
	struct buf headers = {0};
	table_add_int(&headers, "tries", 3);
	table_add_string(&headers, "region", SLICE("eu"));
	table_add_bool(&headers, "vip", true);
	const struct message message = {
	    .exchange = SLICE("orders"),
	    .routing_key = SLICE("order.created"),
	    .body = SLICE("{\"n\": 1}"),
	    .present =
		MESSAGE_CONTENT_TYPE | MESSAGE_PRIORITY | MESSAGE_TIMESTAMP | MESSAGE_HEADERS,
	    .content_type = SLICE("application/json"),
	    .priority = 5,
	    .timestamp = 1700000000,
	    .headers = buf_slice(&headers),
	};
	const struct flow_message m = {
	    .message = &message, .queue = SLICE("work"), .redelivered = true};
	ck_assert_msg(passes(variable_cases[_i], &m), "%s", variable_cases[_i]);
	buf_release(&headers);
}
END_TEST

START_TEST(message_without_properties_has_empty_ones)
{
	const struct message message = {0};
	const struct flow_message m = {.message = &message};
	ck_assert(passes("$headers == {} and $properties == {} and $redelivered == false and "
			 "$exchange == \"\" and $queue == \"\"",
	    &m));
}
END_TEST

START_TEST(damaged_headers_are_null)
{
	const struct message message = {.present = MESSAGE_HEADERS,
	    .headers = SLICE("\x05"
			     "ab")};
	const struct flow_message m = {.message = &message};
	ck_assert(passes("$headers == null", &m));
}
END_TEST

START_TEST(environment_is_out_of_reach)
{
	setenv("WARREN_TEST_SECRET", "hunter2", 1);
	const struct message message = {.body = SLICE("1")};
	const struct flow_message m = {.message = &message};
	ck_assert(passes("env == {}", &m));
	ck_assert(passes("$ENV == {}", &m));
	ck_assert(passes("[env.WARREN_TEST_SECRET, $ENV.WARREN_TEST_SECRET] == [null, null]", &m));
	ck_assert(passes("def f: $ENV; [f, env] == [{}, {}]", &m));
}
END_TEST

START_TEST(nothing_is_written_to_standard_error_by_an_expression)
{
	const struct message message = {.body = SLICE("\"\\u001b[31m\"")};
	const struct flow_message m = {.message = &message};
	int saved, memory = begin_capture(&saved);
	bool good = passes("stderr | debug | true", &m);
	char *text = end_capture(memory, saved);
	ck_assert(good);
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

START_TEST(file_in_the_home_directory_means_nothing)
{
	enter_folder();
	write_file(".jq", "def ((");
	setenv("HOME", folder, 1);
	const struct message message = {.body = SLICE("1")};
	const struct flow_message m = {.message = &message};
	ck_assert(passes(". == 1", &m));
	ck_assert_str_eq(getenv("HOME"), folder);
	leave_folder();
}
END_TEST

/* ---- fates and counts ---- */

static const enum flow_fate hidden_fates[] = {FLOW_HELD, FLOW_REJECTED, FLOW_RELEASED};

START_TEST(hidden_message_gets_the_fate_that_was_chosen)
{
	const struct message message = {.body = SLICE("1")};
	const struct flow_message m = {.message = &message};
	struct core_jq *core = must_create(". > 1", hidden_fates[_i]);
	struct run run = {.messages = &m, .count = 1};
	struct flow_counts counts = run_simply(&run, core_jq_core(core));
	ck_assert_uint_eq(counts.fates[hidden_fates[_i]], 1);
	ck_assert_uint_eq(counts.put, 0);
	ck_assert_int_eq(run.fates[0], hidden_fates[_i]);
	ck_assert_uint_eq(core_jq_errors(core), 0);
	core_jq_free(core);
	release_run(&run);
}
END_TEST

START_TEST(failures_are_counted_and_told_once)
{
	const struct message texts[] = {{.body = SLICE("\"a\\u001b[31m\"")},
	    {.body = SLICE("{\"n\": 2}")}, {.body = SLICE("[]")}};
	const struct flow_message messages[] = {{.message = &texts[0]}, {.message = &texts[1]},
	    {.message = &texts[2]}, {.message = &texts[1]}};
	struct core_jq *core = must_create(".n > 1", FLOW_HELD);
	struct run run = {.messages = messages, .count = ARRAY_LEN(messages)};
	int saved, memory = begin_capture(&saved);
	struct flow_counts counts = run_simply(&run, core_jq_core(core));
	char *text = end_capture(memory, saved);
	ck_assert_str_eq(text, "warren: warning: the filter fails on a message and hides it: "
			       "Cannot index string with string \"n\" (further failures are only "
			       "counted)\n");
	ck_assert_uint_eq(counts.fates[FLOW_HELD], 2);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], 2);
	ck_assert_uint_eq(core_jq_hidden(core), 2);
	ck_assert_uint_eq(core_jq_errors(core), 2);
	free(text);
	core_jq_free(core);
	release_run(&run);
}
END_TEST

static const struct {
	const char *expression, *said;
} failures[] = {
    {"error(\"no \\u001b[31m good\")", "no \\x1b[31m good"},
    {"error({a: 1})", "{\"a\":1}"},
    {"input", "break"},
    {"\"a\" | modulemeta", "module not found: a"},
};

START_TEST(words_of_a_failure_are_escaped)
{
	const struct message message = {.body = SLICE("1")};
	const struct flow_message m = {.message = &message};
	int saved, memory = begin_capture(&saved);
	bool passed = passes(failures[_i].expression, &m);
	char *text = end_capture(memory, saved);
	char *expected = mem_printf("warren: warning: the filter fails on a message and hides it: "
				    "%s (further failures are only counted)\n",
	    failures[_i].said);
	ck_assert(!passed);
	ck_assert_str_eq(text, expected);
	free(expected);
	free(text);
}
END_TEST

/* ---- expressions that do not compile ---- */

static const struct {
	const char *expression, *text;
} mistakes[] = {
    {".a |", "cannot compile the jq expression '.a |': syntax error, unexpected $end"},
    {"", "cannot compile the jq expression '': syntax error, unexpected $end"},
    {".a) | (.b", "cannot compile the jq expression '.a) | (.b': syntax error, unexpected "
		  "INVALID_CHARACTER, expecting $end"},
    {"foo", "cannot compile the jq expression 'foo': foo/0 is not defined"},
    {"$nope", "cannot compile the jq expression '$nope': $nope is not defined"},
    {".a |\n bar(1) |\n baz", "cannot compile the jq expression '.a |\\n bar(1) |\\n baz': bar/1 "
			      "is not defined (line 2)"},
    {".a \x1b[31m", "cannot compile the jq expression '.a \\x1b[31m': syntax error, unexpected "
		    "INVALID_CHARACTER, expecting $end"},
    {"import \"x\" as x; .", "cannot compile the jq expression 'import \"x\" as x; .': syntax "
			     "error, unexpected import"},
    {"include \"/etc/passwd\"; .", "cannot compile the jq expression 'include \"/etc/passwd\"; "
				   ".': syntax error, unexpected include"},
};

START_TEST(mistake_is_told_in_one_line)
{
	struct error err = {0};
	int saved, memory = begin_capture(&saved);
	struct core_jq *core = core_jq_create(mistakes[_i].expression, FLOW_HELD, &err);
	char *printed = end_capture(memory, saved);
	ck_assert_ptr_null(core);
	ck_assert_str_eq(err.text, mistakes[_i].text);
	ck_assert_int_eq(err.kind, ERROR_USAGE);
	ck_assert_str_eq(printed, "");
	free(printed);
}
END_TEST

/* ---- the watchdog ---- */

static const char watchdog_text[] = "error: the filter did not come to an end on a message; "
				    "giving up, so that the broker delivers again what is not "
				    "settled\n";

START_TEST(endless_expression_ends_the_process)
{
	int pipe_ends[2];
	ck_assert_int_eq(pipe(pipe_ends), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		dup2(pipe_ends[1], STDERR_FILENO);
		const struct message message = {.body = SLICE("1")};
		const struct flow_message m = {.message = &message};
		struct core_jq *core = must_create("def f: f; f", FLOW_HELD);
		core_jq_set_limit(core, 20 * CHRONO_MS);
		struct run run = {.messages = &m, .count = 1};
		(void)run_simply(&run, core_jq_core(core));
		_exit(0);
	}
	close(pipe_ends[1]);
	char said[256] = "";
	ssize_t length = read(pipe_ends[0], said, sizeof said - 1);
	close(pipe_ends[0]);
	int status = 0;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(length, sizeof watchdog_text - 1);
	ck_assert_str_eq(said, watchdog_text);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), ERROR_INTERNAL);
}
END_TEST

/* The timer may go off between two of them, which ends nothing, and then it is quiet. */
START_TEST(watchdog_sleeps_between_messages)
{
	const struct message message = {.body = SLICE("1")};
	const struct flow_message m = {.message = &message};
	struct core_jq *core = must_create(".", FLOW_HELD);
	core_jq_set_limit(core, 20 * CHRONO_MS);
	for (int i = 0; i < 3; i++) {
		ck_assert(core_jq_passes(core, &m));
		struct itimerval left = {.it_value.tv_usec = 1};
		while (left.it_value.tv_sec + left.it_value.tv_usec > 0)
			ck_assert_int_eq(getitimer(ITIMER_REAL, &left), 0);
	}
	core_jq_free(core);
}
END_TEST

START_TEST(core_serves_many_messages)
{
	enum { COUNT = 2000 };
	static struct flow_message messages[COUNT];
	const struct message even = {.body = SLICE("{\"n\":[1,2,3]}")}, odd = {.body = SLICE("x")};
	for (size_t i = 0; i < COUNT; i++)
		messages[i].message = i % 2 == 0 ? &even : &odd;
	struct core_jq *core = must_create("(.n[] > 0)?", FLOW_HELD);
	struct run run = {.messages = messages, .count = COUNT};
	(void)run_simply(&run, core_jq_core(core));
	ck_assert_uint_eq(run.passed, COUNT / 2);
	ck_assert_uint_eq(core_jq_hidden(core), COUNT / 2);
	core_jq_free(core);
	release_run(&run);
}
END_TEST

static Suite *core_jq_suite(void)
{
	Suite *suite = suite_create("core_jq");
	TCase *tc = tcase_create("core_jq");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, body_is_judged_as_json_or_text, 0, ARRAY_LEN(bodies));
	tcase_add_loop_test(
	    tc, variables_hold_the_rest_of_the_message, 0, ARRAY_LEN(variable_cases));
	tcase_add_test(tc, message_without_properties_has_empty_ones);
	tcase_add_test(tc, damaged_headers_are_null);
	tcase_add_test(tc, environment_is_out_of_reach);
	tcase_add_test(tc, nothing_is_written_to_standard_error_by_an_expression);
	tcase_add_test(tc, file_in_the_home_directory_means_nothing);
	tcase_add_loop_test(
	    tc, hidden_message_gets_the_fate_that_was_chosen, 0, ARRAY_LEN(hidden_fates));
	tcase_add_test(tc, failures_are_counted_and_told_once);
	tcase_add_loop_test(tc, words_of_a_failure_are_escaped, 0, ARRAY_LEN(failures));
	tcase_add_loop_test(tc, mistake_is_told_in_one_line, 0, ARRAY_LEN(mistakes));
	tcase_add_test(tc, watchdog_sleeps_between_messages);
	tcase_add_test(tc, core_serves_many_messages);
	suite_add_tcase(suite, tc);
	tc = tcase_create(
	    "watchdog"); /* valgrind finds lost memory at the _exit, and changes the status */
	tcase_set_tags(tc, "no-valgrind");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, endless_expression_ends_the_process);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	SRunner *sr = srunner_create(core_jq_suite());
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
