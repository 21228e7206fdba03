#include "base/chrono.h"

#include "base/mem.h"

#include <check.h>

static const struct {
	const char *text;
	int64_t us;
	const char *formatted; /* NULL: as the text */
} times[] = {
    {"1970-01-01T00:00:00.000000Z", 0, NULL},
    {"2000-02-29T23:59:59.000000Z", INT64_C(951868799000000), NULL},
    {"0000-01-01T00:00:00.000000Z", INT64_C(-62167219200000000), NULL},
    {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999), NULL},
    {"2026-11-21T08:15:30.250001Z", INT64_C(1795248930250001), NULL},
    {"1969-12-31T23:59:59.999999Z", -1, NULL},
    {"2026-11-21T09:15:30.2500019+01:00", INT64_C(1795248930250001), "2026-11-21T08:15:30.250001Z"},
    {"2026-11-21 08:15:30z", INT64_C(1795248930000000), "2026-11-21T08:15:30.000000Z"},
    {"2026-11-21t08:15:30.5-00:30", INT64_C(1795250730500000), "2026-11-21T08:45:30.500000Z"},
};

START_TEST(times_are_read_and_written_to_the_microsecond)
{
	struct error err = {0};
	struct buf text = {0};
	int64_t us, ms;
	ck_assert(chrono_parse_us(slice_str(times[_i].text), &us, &err));
	ck_assert_int_eq(us, times[_i].us);
	chrono_format_us(us, &text);
	ck_assert_str_eq(
	    text.ptr, times[_i].formatted != NULL ? times[_i].formatted : times[_i].text);
	ck_assert(chrono_parse(slice_str(times[_i].text), &ms, &err));
	buf_clear(&text);
	chrono_format(ms, &text);
	ck_assert(chrono_parse_us(buf_slice(&text), &us, &err));
	ck_assert_int_eq(us, ms * 1000);
	ck_assert(us <= times[_i].us && times[_i].us - us < 1000);
	buf_release(&text);
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
	static const char *const texts[] = {"", "2026-11-21", "2026-11-21T08:15Z",
	    "2026-11-21T08:15:30", "2026-11-21T08:15:30.Z", "2026-02-29T08:15:30Z",
	    "2026-11-21T24:00:00Z", "2026-11-21T08:15:30Zx", "2026-11-21T08:15:30+24:00",
	    "1795248930"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct error err = {0};
		int64_t us;
		ck_assert_msg(!chrono_parse_us(slice_str(texts[i]), &us, &err), "%s", texts[i]);
		ck_assert_int_eq(err.kind, ERROR_USAGE);
	}
}
END_TEST

START_TEST(times_beyond_four_digits_of_a_year_stay_at_the_end)
{
	struct buf text = {0};
	chrono_format(INT64_C(-62167219200000) - 1000, &text);
	buf_append_char(&text, ' ');
	chrono_format(INT64_C(253402300799999) + 1000, &text);
	ck_assert_str_eq(text.ptr, "0000-01-01T00:00:00.000Z 9999-12-31T23:59:59.999Z");
	buf_clear(&text);
	chrono_format(INT64_MIN, &text);
	chrono_format_us(INT64_MAX, &text);
	ck_assert_uint_eq(text.len, strlen("0000-01-01T00:00:00.000Z9999-12-31T23:59:59.000000Z"));
	buf_release(&text);
}
END_TEST

static Suite *chrono_suite(void)
{
	Suite *suite = suite_create("chrono");
	TCase *tcase = tcase_create("chrono");
	tcase_add_loop_test(
	    tcase, times_are_read_and_written_to_the_microsecond, 0, (int)ARRAY_LEN(times));
	tcase_add_test(tcase, what_is_no_time_is_refused);
	tcase_add_test(tcase, times_beyond_four_digits_of_a_year_stay_at_the_end);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(chrono_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
