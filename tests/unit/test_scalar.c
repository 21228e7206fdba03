#include "config/scalar.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

struct scalar_case {
	enum scalar_type type;
	const char *text;
	const char *want; /* JSON, or the error in front of which a '!' stands */
};

#define BEYOND                                                                               \
	" is an integer beyond the 64 bits of -9223372036854775808 to 9223372036854775807; " \
	"put it in quotes to have it as text"
#define NOT_FINITE " is not a finite number; put it in quotes to have it as text"

static const struct scalar_case cases[] = {
    /* null */
    {SCALAR_ANY, "", "null"},
    {SCALAR_ANY, "~", "null"},
    {SCALAR_ANY, "null", "null"},
    {SCALAR_ANY, "Null", "null"},
    {SCALAR_ANY, "NULL", "null"},
    {SCALAR_ANY, "nULL", "\"nULL\""},
    {SCALAR_ANY, "~~", "\"~~\""},
    /* booleans */
    {SCALAR_ANY, "true", "true"},
    {SCALAR_ANY, "True", "true"},
    {SCALAR_ANY, "TRUE", "true"},
    {SCALAR_ANY, "false", "false"},
    {SCALAR_ANY, "False", "false"},
    {SCALAR_ANY, "FALSE", "false"},
    {SCALAR_ANY, "tRUE", "\"tRUE\""},
    {SCALAR_ANY, "yes", "\"yes\""},
    {SCALAR_ANY, "no", "\"no\""},
    {SCALAR_ANY, "on", "\"on\""},
    {SCALAR_ANY, "off", "\"off\""},
    {SCALAR_ANY, "y", "\"y\""},
    /* integers */
    {SCALAR_ANY, "0", "0"},
    {SCALAR_ANY, "-0", "0"},
    {SCALAR_ANY, "+12", "12"},
    {SCALAR_ANY, "-12", "-12"},
    {SCALAR_ANY, "0123", "123"},
    {SCALAR_ANY, "0o17", "15"},
    {SCALAR_ANY, "0x1F", "31"},
    {SCALAR_ANY, "0xff", "255"},
    {SCALAR_ANY, "0o18", "\"0o18\""},
    {SCALAR_ANY, "0xfg", "\"0xfg\""},
    {SCALAR_ANY, "0x", "\"0x\""},
    {SCALAR_ANY, "0o", "\"0o\""},
    {SCALAR_ANY, "-0x1", "\"-0x1\""},
    {SCALAR_ANY, "0b1", "\"0b1\""},
    {SCALAR_ANY, "1_000", "\"1_000\""},
    {SCALAR_ANY, "9223372036854775807", "9223372036854775807"},
    {SCALAR_ANY, "-9223372036854775808", "-9223372036854775808"},
    {SCALAR_ANY, "0x7fffffffffffffff", "9223372036854775807"},
    {SCALAR_ANY, "0000000000000000000000000001", "1"},
    {SCALAR_ANY, "9223372036854775808", "!'9223372036854775808'" BEYOND},
    {SCALAR_ANY, "-9223372036854775809", "!'-9223372036854775809'" BEYOND},
    {SCALAR_ANY, "18446744073709551616", "!'18446744073709551616'" BEYOND},
    {SCALAR_ANY, "0x8000000000000000", "!'0x8000000000000000'" BEYOND},
    {SCALAR_ANY, "0o1000000000000000000000", "!'0o1000000000000000000000'" BEYOND},
    {SCALAR_ANY, "12345678901234567890123456789012345678901234",
	"!'1234567890123456789012345678901234567890...'" BEYOND},
    /* reals */
    {SCALAR_ANY, "1.5", "1.5"},
    {SCALAR_ANY, "-1.5", "-1.5"},
    {SCALAR_ANY, "+.5", "0.5"},
    {SCALAR_ANY, "5.", "5.0"},
    {SCALAR_ANY, "1e3", "1000.0"},
    {SCALAR_ANY, "1E-3", "0.001"},
    {SCALAR_ANY, "1.5e+3", "1500.0"},
    {SCALAR_ANY, "1e-999", "0.0"},
    {SCALAR_ANY, ".", "\".\""},
    {SCALAR_ANY, "-", "\"-\""},
    {SCALAR_ANY, "+", "\"+\""},
    {SCALAR_ANY, ".e3", "\".e3\""},
    {SCALAR_ANY, "1e", "\"1e\""},
    {SCALAR_ANY, "1e+", "\"1e+\""},
    {SCALAR_ANY, "1.2.3", "\"1.2.3\""},
    {SCALAR_ANY, "--1", "\"--1\""},
    {SCALAR_ANY, "+-1", "\"+-1\""},
    {SCALAR_ANY, "0x1.8p3", "\"0x1.8p3\""},
    {SCALAR_ANY, "inf", "\"inf\""},
    {SCALAR_ANY, "nan", "\"nan\""},
    {SCALAR_ANY, ".iNF", "\".iNF\""},
    {SCALAR_ANY, "1e999", "!'1e999' is too large for a number"},
    {SCALAR_ANY, ".inf", "!'.inf'" NOT_FINITE},
    {SCALAR_ANY, "-.INF", "!'-.INF'" NOT_FINITE},
    {SCALAR_ANY, "+.Inf", "!'+.Inf'" NOT_FINITE},
    {SCALAR_ANY, ".NaN", "!'.NaN'" NOT_FINITE},
    /* what only looks like something */
    {SCALAR_ANY, "12:30", "\"12:30\""},
    {SCALAR_ANY, "2026-11-21", "\"2026-11-21\""},
    {SCALAR_ANY, "10s", "\"10s\""},
    {SCALAR_ANY, "500/s", "\"500/s\""},
    {SCALAR_ANY, "1%", "\"1%\""},
    {SCALAR_ANY, "1 ", "\"1 \""},
    {SCALAR_ANY, "\xd9\xa1", "\"\xd9\xa1\""},
    /* with a tag, or in quotes */
    {SCALAR_TEXT, "", "\"\""},
    {SCALAR_TEXT, "5", "\"5\""},
    {SCALAR_TEXT, "true", "\"true\""},
    {SCALAR_INTEGER, "0x10", "16"},
    {SCALAR_INTEGER, "1.5", "!'1.5' is not an integer, as its tag !!int says"},
    {SCALAR_REAL, "5", "5.0"},
    {SCALAR_REAL, "1.5", "1.5"},
    {SCALAR_REAL, "five", "!'five' is not a number, as its tag !!float says"},
    {SCALAR_REAL, ".inf", "!'.inf'" NOT_FINITE},
    {SCALAR_BOOLEAN, "True", "true"},
    {SCALAR_BOOLEAN, "yes", "!'yes' is not true or false, as its tag !!bool says"},
    {SCALAR_NULL, "", "null"},
    {SCALAR_NULL, "0", "!'0' is not null, as its tag !!null says"},
};

START_TEST(scalar_becomes_what_the_core_schema_says)
{
	const struct scalar_case *c = &cases[_i];
	struct error err = {0};
	json_t *value = scalar_read(slice_str(c->text), c->type, &err);
	if (c->want[0] == '!') {
		ck_assert_ptr_null(value);
		ck_assert_int_eq(err.kind, ERROR_SETTINGS);
		ck_assert_str_eq(err.text, c->want + 1);
		return;
	}
	ck_assert_ptr_nonnull(value);
	ck_assert_int_eq(err.kind, ERROR_NONE);
	char *json = json_dumps(value, JSON_ENCODE_ANY);
	ck_assert_str_eq(json, c->want);
	free(json);
	json_decref(value);
}
END_TEST

START_TEST(bytes_beyond_the_slice_do_not_count)
{
	struct error err = {0};
	json_t *value = scalar_read((struct slice){"1234", 2}, SCALAR_ANY, &err);
	ck_assert_int_eq(json_integer_value(value), 12);
	json_decref(value);
	value = scalar_read((struct slice){"1.54", 3}, SCALAR_ANY, &err);
	ck_assert_double_eq(json_real_value(value), 1.5);
	json_decref(value);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scalar");
	TCase *tc = tcase_create("scalar");
	tcase_add_loop_test(tc, scalar_becomes_what_the_core_schema_says, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, bytes_beyond_the_slice_do_not_count);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
