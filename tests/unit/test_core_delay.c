#include "flow/core_delay.h"

#include "core_bench.h"

#define COUNT 200

static unsigned char numbers[COUNT];
static struct message messages[COUNT];
static struct flow_message offered[COUNT];

/* Messages whose body is a byte, their number. */
static struct run make_run(size_t count, size_t window)
{
	for (size_t i = 0; i < count; i++) {
		numbers[i] = (unsigned char)i;
		messages[i].body = (struct slice){(const char *)&numbers[i], 1};
		offered[i] = (struct flow_message){
		    .message = &messages[i], .queue = SLICE("work"), .redelivered = i == 1};
	}
	return (struct run){.messages = offered, .count = count, .window = window};
}

/* The number of the message that passed as the nth. */
static size_t number_at(const struct run *run, size_t n)
{
	return (unsigned char)run->results[n]->body.ptr[0];
}

static struct flow_counts run_core(const struct core_delay_options *options, struct run *run)
{
	struct error err = {0};
	struct loop *loop = make_loop();
	struct core_delay *core = core_delay_create(loop, options);
	struct flow_counts counts =
	    run_through(run, loop, core_delay_core(core), PATIENCE_NS, &err);
	ck_assert_str_eq(err.text, "");
	core_delay_free(core);
	loop_free(loop);
	return counts;
}

START_TEST(fixed_time_keeps_the_order)
{
	const struct core_delay_options options = {20 * CHRONO_MS, 20 * CHRONO_MS, 1};
	struct run run = make_run(COUNT, 30);
	struct flow_counts counts = run_core(&options, &run);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		ck_assert_uint_eq(number_at(&run, i), i);
		ck_assert_int_eq(run.redelivered[i], i == 1);
		ck_assert_uint_ge(run.passed_ns[i] - run.offered_ns[i], 20 * CHRONO_MS);
	}
	release_run(&run);
}
END_TEST

/* The window is as wide as all, so they are drawn at once. */
START_TEST(times_of_a_range_are_drawn)
{
	const struct core_delay_options options = {10 * CHRONO_MS, 300 * CHRONO_MS, 7};
	struct run run = make_run(COUNT, COUNT);
	size_t moved = 0;
	struct flow_counts counts = run_core(&options, &run);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		size_t number = number_at(&run, i);
		ck_assert_uint_ge(run.passed_ns[i] - run.offered_ns[number], 10 * CHRONO_MS);
		moved += number != i;
	}
	ck_assert_uint_gt(moved, COUNT / 2);
	release_run(&run);
}
END_TEST

START_TEST(no_time_is_fine)
{
	const struct core_delay_options options = {0, 0, 1};
	struct run run = make_run(COUNT, 10);
	struct flow_counts counts = run_core(&options, &run);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], COUNT);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_uint_eq(number_at(&run, i), i);
	release_run(&run);
}
END_TEST

START_TEST(stop_gives_back_what_is_held)
{
	const struct core_delay_options options = {1000 * CHRONO_S, 2000 * CHRONO_S, 1};
	struct run run = make_run(50, COUNT);
	run.endless = run.stop_at_once = true;
	struct flow_counts counts = run_core(&options, &run);
	ck_assert_uint_eq(counts.fates[FLOW_RELEASED], 50);
	ck_assert_uint_eq(run.passed, 0);
	for (size_t i = 0; i < 50; i++)
		ck_assert_int_eq(run.fates[i], FLOW_RELEASED);
	release_run(&run);
}
END_TEST

START_TEST(endless_time_does_not_wrap)
{
	const struct core_delay_options options = {UINT64_MAX, UINT64_MAX, 1};
	struct run run = make_run(3, COUNT);
	run.endless = run.stop_at_once = true;
	struct flow_counts counts = run_core(&options, &run);
	ck_assert_uint_eq(counts.fates[FLOW_RELEASED], 3);
	release_run(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core_delay");
	TCase *tc = tcase_create("core_delay");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, fixed_time_keeps_the_order);
	tcase_add_test(tc, times_of_a_range_are_drawn);
	tcase_add_test(tc, no_time_is_fine);
	tcase_add_test(tc, stop_gives_back_what_is_held);
	tcase_add_test(tc, endless_time_does_not_wrap);
	suite_add_tcase(suite, tc);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
