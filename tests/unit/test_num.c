#include "base/num.h"

#include "base/mem.h"
#include "base/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

/* --- parsing: text is NULL where the input is accepted --- */

#define WHOLE_1_TO_10 "not a whole number from 1 to 10"
#define WHOLE_U64 "not a whole number of at least 0"

static const struct {
	const char *input;
	uint64_t min, max, value;
	const char *text;
} u64s[] = {
    {"0", 0, UINT64_MAX, 0, NULL},
    {"007", 0, UINT64_MAX, 7, NULL},
    {"18446744073709551615", 0, UINT64_MAX, UINT64_MAX, NULL},
    {"18446744073709551616", 0, UINT64_MAX, 0, WHOLE_U64},
    {"18446744073709551620", 0, UINT64_MAX, 0, WHOLE_U64},
    {"99999999999999999999", 0, UINT64_MAX, 0, WHOLE_U64},
    {"1", 1, 10, 1, NULL},
    {"10", 1, 10, 10, NULL},
    {"0", 1, 10, 0, WHOLE_1_TO_10},
    {"11", 1, 10, 0, WHOLE_1_TO_10},
    {"", 1, 10, 0, WHOLE_1_TO_10},
    {"+1", 1, 10, 0, WHOLE_1_TO_10},
    {"-1", 1, 10, 0, WHOLE_1_TO_10},
    {" 1", 1, 10, 0, WHOLE_1_TO_10},
    {"1 ", 1, 10, 0, WHOLE_1_TO_10},
    {"1.0", 1, 10, 0, WHOLE_1_TO_10},
    {"0x1", 1, 10, 0, WHOLE_1_TO_10},
    {"\xc2\xb2", 1, 10, 0, WHOLE_1_TO_10},
};

START_TEST(unsigned_numbers_are_parsed_whole)
{
	struct error err = {0};
	uint64_t value = 77;
	bool ok =
	    num_parse_u64(slice_str(u64s[_i].input), u64s[_i].min, u64s[_i].max, &value, &err);
	ck_assert_int_eq(ok, u64s[_i].text == NULL);
	ck_assert_uint_eq(value, ok ? u64s[_i].value : 77);
	ck_assert_str_eq(err.text, ok ? "" : u64s[_i].text);
	ck_assert_int_eq(err.kind, ok ? ERROR_NONE : ERROR_USAGE);
}
END_TEST

#define WHOLE_I64 "not a whole number from -9223372036854775808 to 9223372036854775807"

static const struct {
	const char *input;
	int64_t min, max, value;
	const char *text;
} i64s[] = {
    {"0", INT64_MIN, INT64_MAX, 0, NULL},
    {"-0", INT64_MIN, INT64_MAX, 0, NULL},
    {"-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN, NULL},
    {"9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX, NULL},
    {"-9223372036854775809", INT64_MIN, INT64_MAX, 0, WHOLE_I64},
    {"9223372036854775808", INT64_MIN, INT64_MAX, 0, WHOLE_I64},
    {"-5", -5, 5, -5, NULL},
    {"-6", -5, 5, 0, "not a whole number from -5 to 5"},
    {"-", -5, 5, 0, "not a whole number from -5 to 5"},
    {"--5", -5, 5, 0, "not a whole number from -5 to 5"},
    {"", -5, 5, 0, "not a whole number from -5 to 5"},
};

START_TEST(signed_numbers_are_parsed_whole)
{
	struct error err = {0};
	int64_t value = 77;
	bool ok =
	    num_parse_i64(slice_str(i64s[_i].input), i64s[_i].min, i64s[_i].max, &value, &err);
	ck_assert_int_eq(ok, i64s[_i].text == NULL);
	ck_assert_int_eq(value, ok ? i64s[_i].value : 77);
	ck_assert_str_eq(err.text, ok ? "" : i64s[_i].text);
}
END_TEST

static const struct {
	const char *input;
	double value; /* NAN: refused */
} doubles[] = {
    {"0", 0},
    {"1.5", 1.5},
    {"-2.25e3", -2250},
    {"1E+2", 100},
    {"1e-400", 0},
    {"1.7976931348623157e308", 1.7976931348623157e308},
    {"1e309", NAN},
    {"inf", NAN},
    {"nan", NAN},
    {"0x10", NAN},
    {"", NAN},
    {"-", NAN},
    {".5", NAN},
    {"5.", NAN},
    {"1e", NAN},
    {"1e+", NAN},
    {"+1", NAN},
    {" 1", NAN},
    {"1,5", NAN},
};

START_TEST(doubles_are_parsed_whole)
{
	struct error err = {0};
	double value = 77;
	bool ok = num_parse_double(slice_str(doubles[_i].input), &value, &err);
	ck_assert_int_eq(ok, !isnan(doubles[_i].value));
	ck_assert_double_eq(value, ok ? doubles[_i].value : 77);
	ck_assert_str_eq(err.text, ok ? "" : "not a finite decimal number");
}
END_TEST

#define REFUSED UINT64_MAX

static const struct {
	const char *input;
	uint64_t ns;
} durations[] = {
    {"0", 0},
    {"5ns", 5},
    {"10us", 10000},
    {"250ms", 250000000},
    {"1s", 1000000000},
    {"1", 1000000000},
    {"1.5", 1500000000},
    {"1.5s", 1500000000},
    {"0.1s", 100000000},
    {"2m", 120000000000},
    {"1h", 3600000000000},
    {"1d", 86400000000000},
    {"9223372036854775807ns", INT64_MAX},
    {"9223372036854775808ns", REFUSED},
    {"106752d", REFUSED},
    {"99999999999.5d", REFUSED},
    {"", REFUSED},
    {"s", REFUSED},
    {"-1s", REFUSED},
    {"1 s", REFUSED},
    {"1S", REFUSED},
    {"1.s", REFUSED},
    {".5s", REFUSED},
    {"1e3s", REFUSED},
    {"1ss", REFUSED},
    {"soon", REFUSED},
};

START_TEST(durations_are_parsed_to_nanoseconds)
{
	struct error err = {0};
	uint64_t ns = 77;
	bool ok = num_parse_duration(slice_str(durations[_i].input), &ns, &err);
	ck_assert_int_eq(ok, durations[_i].ns != REFUSED);
	ck_assert_uint_eq(ns, ok ? durations[_i].ns : 77);
	ck_assert_str_eq(err.text, ok ? "" : "not a duration such as 250ms, 1s, 2m or 1h");
}
END_TEST

static const struct {
	const char *input;
	uint64_t bytes;
} sizes[] = {
    {"0", 0},
    {"512", 512},
    {"10B", 10},
    {"1kB", 1000},
    {"1KB", 1000},
    {"1MB", 1000000},
    {"2GB", 2000000000},
    {"64KiB", 65536},
    {"1.5MiB", 1572864},
    {"1GiB", 1 << 30},
    {"1TiB", UINT64_C(1) << 40},
    {"8388608TiB", REFUSED},
    {"1k", REFUSED},
    {"-1", REFUSED},
    {"KiB", REFUSED},
    {"", REFUSED},
};

START_TEST(sizes_are_parsed_to_bytes)
{
	struct error err = {0};
	uint64_t bytes = 77;
	bool ok = num_parse_size(slice_str(sizes[_i].input), &bytes, &err);
	ck_assert_int_eq(ok, sizes[_i].bytes != REFUSED);
	ck_assert_uint_eq(bytes, ok ? sizes[_i].bytes : 77);
	ck_assert_str_eq(err.text, ok ? "" : "not a size such as 512, 64KiB or 1MB");
}
END_TEST

static const struct {
	const char *input;
	double per_second; /* 0: refused */
} rates[] = {
    {"500/s", 500},
    {"500", 500},
    {"2.5/s", 2.5},
    {"30/m", 0.5},
    {"1800/h", 0.5},
    {"1000000000", 1e9},
    {"1000000001", 0},
    {"0", 0},
    {"0/s", 0},
    {"-1/s", 0},
    {"1/", 0},
    {"1/ms", 0},
    {"/s", 0},
    {"", 0},
    {"fast", 0},
};

START_TEST(rates_are_parsed_per_second)
{
	struct error err = {0};
	double rate = 77;
	bool ok = num_parse_rate(slice_str(rates[_i].input), &rate, &err);
	ck_assert_int_eq(ok, rates[_i].per_second > 0);
	ck_assert_double_eq(rate, ok ? rates[_i].per_second : 77);
	ck_assert_str_eq(
	    err.text, ok ? "" : "not a rate such as 500/s or 30/m, above 0 and up to 1000000000/s");
}
END_TEST

/* --- formatting --- */

static const struct {
	void (*format)(uint64_t value, struct buf *out);
	uint64_t value;
	const char *text;
} formats[] = {
    {num_format_duration, 0, "0s"},
    {num_format_duration, 1, "1ns"},
    {num_format_duration, 999, "999ns"},
    {num_format_duration, 1500, "1.5us"},
    {num_format_duration, 250000000, "250ms"},
    {num_format_duration, 999999, "999.999us"},
    {num_format_duration, 1500000000, "1.5s"},
    {num_format_duration, 60000000000, "1m"},
    {num_format_duration, 90000000000, "1.5m"},
    {num_format_duration, 3600000000000, "1h"},
    {num_format_duration, 172800000000000, "2d"},
    {num_format_duration, 999999999, "1s"},
    {num_format_duration, 999999600, "1s"},
    {num_format_duration, 59999999999, "1m"},
    {num_format_duration, 86399999999999, "1d"},
    {num_format_duration, INT64_MAX, "106751.991d"},
    {num_format_size, 0, "0 B"},
    {num_format_size, 1023, "1023 B"},
    {num_format_size, 1024, "1 KiB"},
    {num_format_size, 1536, "1.5 KiB"},
    {num_format_size, 1025, "1 KiB"},
    {num_format_size, 1048575, "1 MiB"},
    {num_format_size, 1048000, "1023.4 KiB"},
    {num_format_size, 1048576, "1 MiB"},
    {num_format_size, UINT64_MAX, "16 EiB"},
    {num_format_count, 0, "0"},
    {num_format_count, 999, "999"},
    {num_format_count, 1000, "1,000"},
    {num_format_count, 1234567, "1,234,567"},
    {num_format_count, UINT64_MAX, "18,446,744,073,709,551,615"},
};

START_TEST(numbers_are_formatted_for_people)
{
	struct buf out = {0};
	formats[_i].format(formats[_i].value, &out);
	ck_assert_str_eq(out.ptr, formats[_i].text);
	buf_release(&out);
}
END_TEST

static const struct {
	double value;
	const char *text;
} reals[] = {
    {0, "0.0"},
    {-0.0, "-0.0"},
    {1, "1.0"},
    {0.1, "0.1"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1e300, "1e+300"},
    {123456789012345680.0, "1.2345678901234568e+17"},
    {5e-324, "4.94065645841247e-324"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
};

START_TEST(reals_are_formatted_to_read_back)
{
	struct buf out = {0};
	num_format_double(reals[_i].value, &out);
	ck_assert_str_eq(out.ptr, reals[_i].text);
	buf_release(&out);
}
END_TEST

START_TEST(random_reals_read_back_bit_for_bit)
{
	struct rng r;
	rng_seed(&r, 1);
	struct buf out = {0};
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = rng_next(&r), again;
		double value, parsed;
		struct error err = {0};
		memcpy(&value, &bits, sizeof value);
		if (!isfinite(value))
			continue;
		buf_clear(&out);
		num_format_double(value, &out);
		ck_assert_msg(num_parse_double(buf_slice(&out), &parsed, &err), "%s", out.ptr);
		memcpy(&again, &parsed, sizeof again);
		ck_assert_msg(again == bits, "%s", out.ptr);
	}
	buf_release(&out);
}
END_TEST

static Suite *num_suite(void)
{
	Suite *suite = suite_create("num");
	TCase *parse = tcase_create("parse");
	tcase_add_loop_test(parse, unsigned_numbers_are_parsed_whole, 0, (int)ARRAY_LEN(u64s));
	tcase_add_loop_test(parse, signed_numbers_are_parsed_whole, 0, (int)ARRAY_LEN(i64s));
	tcase_add_loop_test(parse, doubles_are_parsed_whole, 0, (int)ARRAY_LEN(doubles));
	tcase_add_loop_test(
	    parse, durations_are_parsed_to_nanoseconds, 0, (int)ARRAY_LEN(durations));
	tcase_add_loop_test(parse, sizes_are_parsed_to_bytes, 0, (int)ARRAY_LEN(sizes));
	tcase_add_loop_test(parse, rates_are_parsed_per_second, 0, (int)ARRAY_LEN(rates));
	suite_add_tcase(suite, parse);
	TCase *format = tcase_create("format");
	tcase_add_loop_test(format, numbers_are_formatted_for_people, 0, (int)ARRAY_LEN(formats));
	tcase_add_loop_test(format, reals_are_formatted_to_read_back, 0, (int)ARRAY_LEN(reals));
	tcase_add_test(format, random_reals_read_back_bit_for_bit);
	suite_add_tcase(suite, format);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(num_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
