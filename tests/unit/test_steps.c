#include "model/steps.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"

#include <check.h>
#include <stdlib.h>

static void add(struct steps *steps, const char *text)
{
	struct error err = {0};
	ck_assert_msg(steps_add(steps, text, num_parse_size, &err), "%s: %s", text, err.text);
}

static bool parse_texts_with_colons(struct slice text, uint64_t *out, struct error *err)
{
	(void)err;
	*out = text.len;
	return true;
}

START_TEST(a_step_is_a_value_and_a_duration)
{
	struct steps steps = {0};
	add(&steps, "4KiB:30s");
	add(&steps, "0:250ms");
	ck_assert_uint_eq(steps.count, 2);
	ck_assert_uint_eq(steps.steps[0].value, 4096);
	ck_assert_uint_eq(steps.steps[0].length_ns, 30 * CHRONO_S);
	ck_assert_uint_eq(steps.steps[1].value, 0);
	ck_assert_uint_eq(steps.steps[1].length_ns, 250 * CHRONO_MS);
	ck_assert_uint_eq(steps.total_ns, 30250 * CHRONO_MS);
	steps_release(&steps);
	ck_assert_ptr_null(steps.steps);
	ck_assert_uint_eq(steps.count, 0);
}
END_TEST

START_TEST(the_last_colon_parts_them)
{
	struct steps steps = {0};
	struct error err = {0};
	ck_assert(steps_add(&steps, "a:b:1s", parse_texts_with_colons, &err));
	ck_assert_uint_eq(steps.steps[0].value, 3);
	steps_release(&steps);
}
END_TEST

static const struct {
	const char *text, *error;
} refusals[] = {
    {"", "not VALUE:DURATION, such as 4KiB:30s"},
    {"4KiB", "not VALUE:DURATION, such as 4KiB:30s"},
    {":30s", "not a size such as 512, 64KiB or 1MB"},
    {"many:30s", "not a size such as 512, 64KiB or 1MB"},
    {"4KiB:", "not a duration such as 250ms, 1s, 2m or 1h"},
    {"4KiB:soon", "not a duration such as 250ms, 1s, 2m or 1h"},
    {"4KiB:-1s", "not a duration such as 250ms, 1s, 2m or 1h"},
    {"4KiB:0s", "the duration is too short or too long"},
};

START_TEST(what_is_no_step_is_refused_and_changes_nothing)
{
	struct steps steps = {0};
	struct error err = {0};
	add(&steps, "1:1s");
	ck_assert(!steps_add(&steps, refusals[_i].text, num_parse_size, &err));
	ck_assert_str_eq(err.text, refusals[_i].error);
	ck_assert_int_eq(err.kind, ERROR_USAGE);
	ck_assert_uint_eq(steps.count, 1);
	ck_assert_uint_eq(steps.total_ns, CHRONO_S);
	steps_release(&steps);
}
END_TEST

START_TEST(durations_that_do_not_add_up_are_refused)
{
	struct steps steps = {0};
	struct error err = {0};
	add(&steps, "1:9223372036854775807ns");
	add(&steps, "1:9223372036854775807ns");
	ck_assert(!steps_add(&steps, "1:2ns", num_parse_size, &err));
	ck_assert_str_eq(err.text, "the duration is too short or too long");
	ck_assert_uint_eq(steps.count, 2);
	ck_assert_uint_eq(steps.total_ns, UINT64_MAX - 1);
	add(&steps, "2:1ns"); /* that still fits */
	ck_assert_uint_eq(steps_at(&steps, UINT64_MAX - 1), 2);
	ck_assert_uint_eq(steps_at(&steps, UINT64_MAX), 1);
	steps_release(&steps);
}
END_TEST

static const struct {
	uint64_t elapsed_ns, value;
} moments[] = {
    {0, 10},
    {1, 10},
    {CHRONO_S - 1, 10},
    {CHRONO_S, 20},
    {3 * CHRONO_S - 1, 20},
    {3 * CHRONO_S, 5},
    {3 * CHRONO_S + 1, 10}, /* and again from the beginning */
    {4 * CHRONO_S, 10},
    {4 * CHRONO_S + 1, 20},
    {1000 * (3 * CHRONO_S + 1) - 1, 5},
    {1000 * (3 * CHRONO_S + 1), 10},
};

START_TEST(the_value_follows_the_time_again_and_again)
{
	struct steps steps = {0};
	add(&steps, "10:1s");
	add(&steps, "20:2s");
	add(&steps, "5:1ns");
	ck_assert_uint_eq(steps_at(&steps, moments[_i].elapsed_ns), moments[_i].value);
	steps_release(&steps);
}
END_TEST

START_TEST(a_single_step_lasts_for_ever)
{
	struct steps steps = {0};
	add(&steps, "7:1ns");
	ck_assert_uint_eq(steps_at(&steps, 0), 7);
	ck_assert_uint_eq(steps_at(&steps, UINT64_MAX), 7);
	steps_release(&steps);
}
END_TEST

START_TEST(the_greatest_is_found_wherever_it_stands)
{
	struct steps steps = {0};
	ck_assert_uint_eq(steps_greatest(&steps), 0);
	add(&steps, "3:1s");
	add(&steps, "9:1s");
	add(&steps, "4:1s");
	ck_assert_uint_eq(steps_greatest(&steps), 9);
	steps_release(&steps);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("steps");
	TCase *tc = tcase_create("steps");
	tcase_add_test(tc, a_step_is_a_value_and_a_duration);
	tcase_add_test(tc, the_last_colon_parts_them);
	tcase_add_loop_test(
	    tc, what_is_no_step_is_refused_and_changes_nothing, 0, (int)ARRAY_LEN(refusals));
	tcase_add_test(tc, durations_that_do_not_add_up_are_refused);
	tcase_add_loop_test(
	    tc, the_value_follows_the_time_again_and_again, 0, (int)ARRAY_LEN(moments));
	tcase_add_test(tc, a_single_step_lasts_for_ever);
	tcase_add_test(tc, the_greatest_is_found_wherever_it_stands);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
