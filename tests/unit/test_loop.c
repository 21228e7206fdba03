#include "base/chrono.h"
#include "base/loop.h"

#include <check.h>
#include <stdlib.h>

struct seen {
	uint64_t told_ns, left_ns; /* the time a timer was told, and the time when it returned */
};

/* Takes as long as the clock needs to move on. */
static void take_time(void *ctx, uint64_t now_ns)
{
	struct seen *seen = ctx;
	seen->told_ns = now_ns;
	while ((seen->left_ns = chrono_now_ns()) <= now_ns)
		;
}

/* A timer that reckons with what an earlier one of its turn has noted must not be told a time
 * before that. */
START_TEST(time_does_not_go_backwards_between_the_timers_of_a_turn)
{
	struct error err = {0};
	struct loop *loop = loop_create(&err);
	struct seen first = {0}, second = {0};
	uint64_t due = chrono_now_ns();
	loop_at(loop, due, take_time, &first);
	loop_at(loop, due + 1, take_time, &second);
	while (second.told_ns == 0)
		ck_assert(loop_turn(loop, due + CHRONO_S, &err));
	ck_assert_uint_ge(second.told_ns, first.left_ns);
	loop_free(loop);
}
END_TEST

START_TEST(the_time_slept_is_what_was_waited)
{
	struct error err = {0};
	struct loop *loop = loop_create(&err);
	uint64_t before = chrono_now_ns();
	ck_assert_uint_eq(loop_slept_ns(loop), 0);
	ck_assert(loop_turn(loop, before + CHRONO_MS, &err));
	ck_assert_uint_gt(loop_slept_ns(loop), 0);
	ck_assert_uint_le(loop_slept_ns(loop), chrono_now_ns() - before);
	loop_free(loop);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loop");
	TCase *tests = tcase_create("loop");
	tcase_add_test(tests, time_does_not_go_backwards_between_the_timers_of_a_turn);
	tcase_add_test(tests, the_time_slept_is_what_was_waited);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
