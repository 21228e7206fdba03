/* jq programs of the user's, and the values that stay inside between two runs. */
#include "jq/program.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char endless[] = "error: no end\n";

static struct program *must_create(
    const char *expression, const char *const *variables, size_t count)
{
	struct error err = {0};
	const struct program_options options = {
	    expression, variables, count, endless, "error: no memory\n", ERROR_DATA};
	struct program *p = program_create(&options, &err);
	ck_assert_msg(p != NULL, "%s", err.text);
	return p;
}

static struct datum must_parse(const char *json)
{
	struct datum d;
	ck_assert_msg(datum_parse(slice_str(json), &d), "%s", json);
	return d;
}

/* As a string to free(); frees the value. */
static char *text_of(struct datum d)
{
	struct buf out = {0};
	datum_write(&d, &out);
	datum_free(&d);
	return buf_take(&out);
}

#define CHECK_TEXT(datum, expected)                  \
	do {                                         \
		char *written = text_of(datum);      \
		ck_assert_str_eq(written, expected); \
		free(written);                       \
	} while (0)

/* ---- values ---- */

static const char *const texts[] = {"null", "true", "0", "-1.5", "1e+300", "0.1", "\"\"",
    "\"caf\xc3\xa9 \\u0000\\n\\\"\"", "[]", "{}", "[1,[2,{\"a\":null}]]",
    "{\"z\":1,\"a\":{\"y\":2,\"b\":3}}", "9007199254740991"};

START_TEST(value_is_written_as_it_was_read)
{
	struct datum d = must_parse(texts[_i]);
	struct buf out = {0};
	ck_assert(datum_is_json(&d));
	ck_assert(datum_write(&d, &out));
	buf_release(&out);
	CHECK_TEXT(d, texts[_i]);
}
END_TEST

static const char *const no_json[] = {"", " ", "{", "1 2", "[1] x", "nul", "'a'"};

START_TEST(what_is_no_json_text_is_no_value)
{
	struct datum d = {{1, 2}};
	ck_assert(!datum_parse(slice_str(no_json[_i]), &d));
	ck_assert_uint_eq(d.bits[0], 1);
}
END_TEST

/* As libjq writes it itself. */
static char *text_of_libjq(struct program *tojson, const struct datum *d)
{
	struct datum input = datum_copy(d), text;
	struct slice s;
	program_start(tojson, &input, NULL);
	ck_assert_int_eq(program_next(tojson, &text), PROGRAM_OUTPUT);
	ck_assert(datum_is_text(&text, &s));
	char *copy = strndup(s.ptr, s.len);
	datum_free(&text);
	return copy;
}

/* Every power of ten and of two, what is just beside it, and any doubles. */
static double nth_number(unsigned i, struct rng *rng)
{
	double near = i < 700 ? pow(10, (double)(i / 2) - 170) : ldexp(1, (int)(i % 2000) - 1000);
	uint64_t bits = rng_next(rng);
	double any;
	memcpy(&any, &bits, sizeof any);
	switch (i % 6) {
	case 0:
		return near;
	case 1:
		return -near;
	case 2:
		return nextafter(near, 0);
	case 3:
		return nextafter(near, INFINITY);
	case 4:
		return any;
	default:
		return (double)(int64_t)(bits >> bits % 64) / (i % 4 == 0 ? 100 : 1);
	}
}

START_TEST(numbers_are_written_as_libjq_writes_them)
{
	struct program *tojson = must_create("tojson", NULL, 0);
	struct rng rng;
	rng_seed(&rng, 1);
	for (unsigned i = 0; i < 30000; i++) {
		double number = nth_number(i, &rng);
		struct datum d = datum_number(number);
		char *expected = text_of_libjq(tojson, &d), *written = text_of(d);
		ck_assert_msg(
		    strcmp(written, expected) == 0, "%a: %s, not %s", number, written, expected);
		free(expected);
		free(written);
	}
	program_free(tojson);
}
END_TEST

START_TEST(what_a_terminal_would_obey_is_escaped)
{
	CHECK_TEXT(datum_text(SLICE(
		       "a\x1b[31m\x7f \xc2\x9b \xe2\x80\xa8\xe2\x80\xa9 \xe2\x80\xaa \xc3\xa9")),
	    "\"a\\u001b[31m\\u007f \\u009b \\u2028\\u2029 \\u202a \xc3\xa9\"");
}
END_TEST

static char *nested(size_t levels)
{
	struct buf text = {0};
	for (size_t i = 0; i < levels; i++)
		buf_append_char(&text, '[');
	for (size_t i = 0; i < levels; i++)
		buf_append_char(&text, ']');
	return buf_take(&text);
}

START_TEST(values_that_json_cannot_hold_are_told)
{
	static const char *const expressions[] = {
	    "infinite", "-infinite", "nan", "[1, {a: nan}]", "reduce range(257) as $i (0; [.])"};
	static const char *const written[] = {
	    "1.7976931348623157e+308", "-1.7976931348623157e+308", "null", "[1,{\"a\":null}]"};
	for (size_t i = 0; i < ARRAY_LEN(expressions); i++) {
		struct datum input = datum_null(), out;
		struct program *p = must_create(expressions[i], NULL, 0);
		program_start(p, &input, NULL);
		ck_assert_int_eq(program_next(p, &out), PROGRAM_OUTPUT);
		ck_assert_msg(!datum_is_json(&out), "%s", expressions[i]);
		struct buf text = {0};
		ck_assert_msg(!datum_write(&out, &text), "%s", expressions[i]);
		datum_free(&out);
		if (i < ARRAY_LEN(written))
			ck_assert_str_eq(text.ptr, written[i]);
		ck_assert(datum_parse(buf_slice(&text), &out));
		datum_free(&out);
		buf_release(&text);
		program_free(p);
	}
	char *deep = nested(DATUM_MAX_DEPTH), *deeper = nested(DATUM_MAX_DEPTH + 1);
	struct datum d = must_parse(deep), none;
	ck_assert(datum_is_json(&d));
	ck_assert(!datum_parse(slice_str(deeper), &none));
	datum_free(&d);
	free(deep);
	free(deeper);
}
END_TEST

START_TEST(members_move_in_and_out_of_an_object)
{
	struct datum object = datum_object();
	datum_set_take(&object, "a", datum_number(1));
	datum_set_take(&object, "b", datum_bool(true));
	datum_set_take(&object, "none", (struct datum){0});
	struct datum a = datum_move(&object, "a"), absent = datum_move(&object, "a");
	ck_assert(!datum_exists(&absent));
	datum_free(&absent);
	CHECK_TEXT(a, "1");
	CHECK_TEXT(object, "{\"b\":true}");
	struct datum array = must_parse("[1]"), none = datum_move(&array, "a");
	ck_assert(!datum_exists(&none));
	CHECK_TEXT(array, "[1]");
}
END_TEST

/* ---- programs ---- */

START_TEST(all_outputs_are_given_then_the_end)
{
	struct program *p = must_create(".[]", NULL, 0);
	struct datum input = must_parse("[1,\"b\",null]"), out;
	static const char *const expected[] = {"1", "\"b\"", "null"};
	program_start(p, &input, NULL);
	ck_assert(!datum_exists(&input));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		ck_assert_int_eq(program_next(p, &out), PROGRAM_OUTPUT);
		CHECK_TEXT(out, expected[i]);
	}
	ck_assert_int_eq(program_next(p, &out), PROGRAM_END);
	ck_assert(!datum_exists(&out));
	program_free(p);
}
END_TEST

START_TEST(value_stays_inside_from_run_to_run)
{
	struct program *p = must_create("{n: (.n + 1), all: (.all + [.n])}", NULL, 0);
	struct datum state = must_parse("{\"n\":0,\"all\":[]}");
	for (int i = 0; i < 1000; i++) {
		program_start(p, &state, NULL);
		ck_assert_int_eq(program_next(p, &state), PROGRAM_OUTPUT);
	}
	struct datum n = datum_move(&state, "n");
	CHECK_TEXT(n, "1000");
	datum_free(&state);
	program_free(p);
}
END_TEST

START_TEST(failure_has_words_and_the_next_run_goes_well)
{
	struct program *p =
	    must_create("if . == 1 then error({a: \"\\u001b\"}) else . end", NULL, 0);
	struct datum one = datum_number(1), two = datum_number(2), out;
	program_start(p, &one, NULL);
	ck_assert_int_eq(program_next(p, &out), PROGRAM_FAILED);
	char *said = program_complaint(&out);
	ck_assert_str_eq(said, "{\"a\":\"\\\\u001b\"}");
	free(said);
	datum_free(&out);
	program_start(p, &two, NULL);
	ck_assert_int_eq(program_next(p, &out), PROGRAM_OUTPUT);
	CHECK_TEXT(out, "2");
	program_free(p);
}
END_TEST

START_TEST(halt_error_is_a_failure_and_halt_an_end)
{
	static const struct {
		const char *expression;
		enum program_answer answer;
		const char *said;
	} rows[] = {{"\"x\" | halt_error", PROGRAM_FAILED, "x"},
	    {"\"y\" | halt_error(3)", PROGRAM_FAILED, "y"}, {"halt", PROGRAM_END, NULL},
	    {"empty", PROGRAM_END, NULL}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err = {0};
		const struct program_options options = {
		    .expression = rows[i].expression, .endless = "", .greedy = ""};
		struct program *p = program_create(&options, &err);
		ck_assert_ptr_nonnull(p);
		for (int again = 0; again < 2; again++) {
			struct datum input = datum_null(), out;
			struct slice said;
			program_start(p, &input, NULL);
			ck_assert_int_eq(program_next(p, &out), rows[i].answer);
			if (rows[i].said != NULL) {
				ck_assert(datum_is_text(&out, &said));
				ck_assert(slice_is(said, rows[i].said));
			}
			datum_free(&out);
		}
		program_free(p);
	}
}
END_TEST

START_TEST(only_variables_that_may_be_read_are_wanted)
{
	static const char *const names[] = {"first", "second"};
	struct program *p = must_create("[., $second]", names, ARRAY_LEN(names));
	ck_assert(!program_reads(p, 0));
	ck_assert(program_reads(p, 1));
	struct datum input = datum_number(5), out, values[] = {{{0}}, datum_text(SLICE("b"))};
	program_start(p, &input, values);
	ck_assert(!datum_exists(&values[1]));
	ck_assert_int_eq(program_next(p, &out), PROGRAM_OUTPUT);
	CHECK_TEXT(out, "[5,\"b\"]");
	program_free(p);
}
END_TEST

START_TEST(environment_and_standard_error_are_out_of_reach)
{
	setenv("WARREN_TEST_SECRET", "hunter2", 1);
	struct program *p = must_create("stderr | [env, $ENV]", NULL, 0);
	struct datum input = datum_null(), out;
	program_start(p, &input, NULL);
	ck_assert_int_eq(program_next(p, &out), PROGRAM_OUTPUT);
	CHECK_TEXT(out, "[{},{}]");
	program_free(p);
}
END_TEST

/* What a child says that runs a program which does not come to an end, of those two. */
START_TEST(watchdog_says_the_line_of_the_program_that_runs)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		struct program *p = must_create("if . then def f: f; f else 1 end", NULL, 0);
		const struct program_options options = {
		    "1", NULL, 0, "the other\n", "", ERROR_INTERNAL};
		struct error err = {0};
		struct program *other = program_create(&options, &err);
		program_set_limit(p, 20 * CHRONO_MS);
		struct datum a = datum_null(), b = datum_bool(true), out;
		program_start(other, &a, NULL);
		IGNORE_RESULT(program_next(other, &out));
		program_start(p, &b, NULL);
		IGNORE_RESULT(program_next(p, &out));
		_exit(0);
	}
	close(ends[1]);
	char said[64] = "";
	ssize_t length = read(ends[0], said, sizeof said - 1);
	close(ends[0]);
	int status = 0;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(length, sizeof endless - 1);
	ck_assert_str_eq(said, endless);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), ERROR_DATA);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("jq");
	TCase *tc = tcase_create("jq");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, value_is_written_as_it_was_read, 0, ARRAY_LEN(texts));
	tcase_add_loop_test(tc, what_is_no_json_text_is_no_value, 0, ARRAY_LEN(no_json));
	tcase_add_test(tc, numbers_are_written_as_libjq_writes_them);
	tcase_add_test(tc, what_a_terminal_would_obey_is_escaped);
	tcase_add_test(tc, values_that_json_cannot_hold_are_told);
	tcase_add_test(tc, members_move_in_and_out_of_an_object);
	tcase_add_test(tc, all_outputs_are_given_then_the_end);
	tcase_add_test(tc, value_stays_inside_from_run_to_run);
	tcase_add_test(tc, failure_has_words_and_the_next_run_goes_well);
	tcase_add_test(tc, halt_error_is_a_failure_and_halt_an_end);
	tcase_add_test(tc, only_variables_that_may_be_read_are_wanted);
	tcase_add_test(tc, environment_and_standard_error_are_out_of_reach);
	suite_add_tcase(suite, tc);
	tc = tcase_create("watchdog"); /* valgrind changes the status */
	tcase_set_tags(tc, "no-valgrind");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, watchdog_says_the_line_of_the_program_that_runs);
	suite_add_tcase(suite, tc);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
