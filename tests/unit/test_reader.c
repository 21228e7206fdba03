#include "model/reader.h"

#include "base/mem.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static void collect(void *ctx, const char *pointer, const char *text)
{
	buf_printf(ctx, "%s: %s\n", pointer, text);
}

static json_t *parse(const char *text)
{
	json_error_t at;
	json_t *json = json_loads(text, 0, &at);
	ck_assert_msg(json != NULL, "%s: %s", text, at.text);
	return json;
}

enum kind { COUNT, DURATION, MS, RATE, RATE_OR_ZERO, SIZE, POSITIVE, BOOL, TEXT };

/* The value as a double; NAN when there was none. */
static double read_as(enum kind kind, struct reader *r, const json_t *object)
{
	uint64_t number = 0;
	double real = 0;
	bool flag = false, good = false;
	const char *text = "";
	switch (kind) {
	case COUNT:
		good = reader_count(r, object, "k", 1, 1000, &number);
		break;
	case DURATION:
		good = reader_duration(r, object, "k", &number);
		break;
	case MS:
		good = reader_duration_ms(r, object, "k", 1, 5000, &number);
		break;
	case RATE:
	case RATE_OR_ZERO:
		good = reader_rate(r, object, "k", kind == RATE_OR_ZERO, &real);
		break;
	case SIZE:
		good = reader_size(r, object, "k", &number);
		break;
	case POSITIVE:
		good = reader_positive(r, object, "k", &real);
		break;
	case BOOL:
		good = reader_bool(r, object, "k", &flag);
		break;
	case TEXT:
		good = reader_text(r, object, "k", &text);
		break;
	}
	return good ? (double)number + real + flag + (double)strlen(text) : NAN;
}

static const struct {
	enum kind kind;
	const char *value;
	double expected;
	const char *problem;
} values[] = {
    {COUNT, "1", 1, ""},
    {COUNT, "1e3", 1000, ""},
    {COUNT, "null", NAN, ""},
    {COUNT, "1001", NAN, "/k: 1001 is not a whole number from 1 to 1000\n"},
    {COUNT, "0.5", NAN, "/k: 0.5 is not a whole number from 1 to 1000\n"},
    {COUNT, "-9223372036854775808", NAN,
	"/k: -9223372036854775808 is not a whole number from 1 to 1000\n"},
    {DURATION, "\"250ms\"", 250e6, ""},
    {DURATION, "2", 2e9, ""},
    {DURATION, "0.00001", 1e4, ""},
    {DURATION, "1e300", NAN, "/k: 1e+300 is not a duration such as 250ms, 1s, 2m or 1h\n"},
    {DURATION, "-0.5", NAN, "/k: -0.5 is not a duration such as 250ms, 1s, 2m or 1h\n"},
    {DURATION, "\"\"", NAN, "/k: '' is not a duration such as 250ms, 1s, 2m or 1h\n"},
    {MS, "\"5s\"", 5000, ""},
    {MS, "\"5001ms\"", NAN, "/k: '5001ms' is not a whole number of milliseconds from 1 to 5000\n"},
    {MS, "\"1.5ms\"", NAN, "/k: '1.5ms' is not a whole number of milliseconds from 1 to 5000\n"},
    {RATE, "\"30/m\"", 0.5, ""},
    {RATE, "2.5", 2.5, ""},
    {RATE, "0", NAN, "/k: 0 is not a rate such as 500/s or 30/m, above 0 and up to 1000000000/s\n"},
    {RATE, "{}", NAN, "/k: a mapping is not a rate such as 500/s or 30/m\n"},
    {RATE_OR_ZERO, "0", 0, ""},
    {RATE_OR_ZERO, "0.0", 0, ""},
    {RATE_OR_ZERO, "\"0/m\"", 0, ""},
    {RATE_OR_ZERO, "\"5/s\"", 5, ""},
    {SIZE, "\"64KiB\"", 65536, ""},
    {SIZE, "512", 512, ""},
    {SIZE, "1.5", NAN, "/k: 1.5 is not a size such as 512, 64KiB or 1MB\n"},
    {SIZE, "-1", NAN, "/k: -1 is not a size such as 512, 64KiB or 1MB\n"},
    {POSITIVE, "0.25", 0.25, ""},
    {POSITIVE, "0", NAN, "/k: 0 is not a number above 0\n"},
    {BOOL, "true", 1, ""},
    {BOOL, "\"true\"", NAN, "/k: 'true' is not true or false\n"},
    {TEXT, "\"four\"", 4, ""},
    {TEXT, "true", NAN, "/k: true is not a text\n"},
};

START_TEST(value_is_read_or_reported)
{
	struct buf problems = {0};
	struct reader r = {.report = collect, .ctx = &problems};
	char *text = mem_printf("{\"k\": %s}", values[_i].value);
	json_t *object = parse(text);
	double found = read_as(values[_i].kind, &r, object);
	buf_append_str(&problems, "");
	ck_assert_str_eq(problems.ptr != NULL ? problems.ptr : "", values[_i].problem);
	ck_assert_int_eq(r.failed, values[_i].problem[0] != '\0');
	ck_assert_msg(isnan(values[_i].expected) ? isnan(found) : found == values[_i].expected,
	    "%s: %g", text, found);
	json_decref(object);
	free(text);
	reader_release(&r);
	buf_release(&problems);
}
END_TEST

START_TEST(text_with_a_nul_byte_is_refused)
{
	struct buf problems = {0};
	struct reader r = {.report = collect, .ctx = &problems};
	const char *text = "untouched";
	json_t *object = json_pack("{s:s#}", "k", "a\0b", 3);
	ck_assert(!reader_text(&r, object, "k", &text));
	ck_assert_str_eq(problems.ptr, "/k: 'a\\x00b' is not a text without NUL bytes\n");
	ck_assert_str_eq(text, "untouched");
	json_decref(object);
	reader_release(&r);
	buf_release(&problems);
}
END_TEST

START_TEST(pointer_follows_the_way_and_is_escaped)
{
	struct buf problems = {0};
	struct reader r = {.report = collect, .ctx = &problems};
	reader_fail(&r, "%s", "root");
	size_t outer = reader_enter(&r, "a/b~c");
	size_t inner = reader_enter_item(&r, 12);
	reader_fail_at(&r, "", "%s", "deep");
	reader_fail_name_at(&r, "n", "%s", "name");
	reader_leave(&r, inner);
	reader_fail(&r, "%s", "middle");
	reader_fail_name(&r, "%s", "its name");
	reader_leave(&r, outer);
	reader_fail_at(&r, "k", "%s", "top");
	ck_assert_str_eq(problems.ptr, ": root\n/a~1b~0c/12/: deep\n/a~1b~0c/12/n~#: name\n"
				       "/a~1b~0c: middle\n/a~1b~0c~#: its name\n/k: top\n");
	reader_release(&r);
	buf_release(&problems);
}
END_TEST

START_TEST(reader_without_a_report_is_silent)
{
	struct reader r = {0};
	uint64_t count = 5;
	json_t *object = parse("{\"k\": -1}");
	ck_assert(!reader_count(&r, object, "k", 0, 9, &count));
	ck_assert(r.failed);
	ck_assert_uint_eq(count, 5);
	ck_assert(!reader_count(&r, NULL, "k", 0, 9, &count));
	json_decref(object);
	reader_release(&r);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reader");
	TCase *tc = tcase_create("reader");
	tcase_add_loop_test(tc, value_is_read_or_reported, 0, (int)ARRAY_LEN(values));
	tcase_add_test(tc, text_with_a_nul_byte_is_refused);
	tcase_add_test(tc, pointer_follows_the_way_and_is_escaped);
	tcase_add_test(tc, reader_without_a_report_is_silent);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
