/* Which call a reply belongs to, and whose time is up. */
#include "model/calls.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define RUN UINT64_C(0xfedcba9876543210)

static uint64_t begin(struct calls *calls, uint64_t token, uint64_t deadline_ns)
{
	return calls_begin(
	    calls, &(struct call){.token = token, .begun_ns = 1, .deadline_ns = deadline_ns});
}

static enum calls_match find(const struct calls *calls, const char *id, uint64_t *number)
{
	return calls_find(calls, (struct slice){id, strlen(id)}, number);
}

START_TEST(a_call_is_found_by_the_name_it_goes_by)
{
	struct calls *calls = calls_create(3, RUN);
	uint64_t numbers[3];
	for (uint64_t i = 0; i < 3; i++)
		numbers[i] = begin(calls, 100 + i, 5);
	ck_assert_uint_eq(calls_room(calls), 0);
	for (uint64_t i = 0; i < 3; i++) {
		char id[CALLS_ID_CHARS];
		uint64_t found = 0;
		calls_name(calls, numbers[i], id);
		ck_assert_int_eq(id[14], '8');		       /* the version, */
		ck_assert_ptr_nonnull(strchr("89ab", id[19])); /* and the variant of RFC 9562 */
		ck_assert_int_eq(
		    calls_find(calls, (struct slice){id, sizeof id}, &found), CALLS_AWAITED);
		ck_assert_uint_eq(found, numbers[i]);
		ck_assert_uint_eq(calls_get(calls, found)->token, 100 + i);
	}
	calls_free(calls);
}
END_TEST

START_TEST(a_second_reply_is_a_duplicate_and_one_after_the_deadline_is_late)
{
	struct calls *calls = calls_create(2, RUN);
	char id[CALLS_ID_CHARS];
	uint64_t found = 0, answered = begin(calls, 1, 5), timed_out = begin(calls, 2, 5);
	calls_end(calls, answered, true);
	calls_end(calls, timed_out, false);
	/* their places are somebody else's now */
	begin(calls, 3, 5);
	begin(calls, 4, 5);
	calls_name(calls, answered, id);
	ck_assert_int_eq(calls_find(calls, (struct slice){id, sizeof id}, &found), CALLS_DUPLICATE);
	ck_assert_uint_eq(found, answered);
	calls_name(calls, timed_out, id);
	ck_assert_int_eq(calls_find(calls, (struct slice){id, sizeof id}, &found), CALLS_LATE);
	ck_assert_uint_eq(found, timed_out);
	ck_assert_ptr_null(calls_get(calls, answered));
	ck_assert_uint_eq(calls_count(calls), 2);
	calls_end(calls, answered, false); /* it is over: nothing happens */
	ck_assert_uint_eq(calls_count(calls), 2);
	calls_free(calls);
}
END_TEST

START_TEST(what_was_answered_long_ago_is_late_and_never_another_calls_reply)
{
	struct calls *calls = calls_create(1, RUN);
	char id[CALLS_ID_CHARS];
	uint64_t found = 0, first = begin(calls, 1, 5);
	calls_name(calls, first, id);
	calls_end(calls, first, true);
	for (int i = 0; i < CALLS_REMEMBERED; i++)
		calls_end(calls, begin(calls, 2, 5), true);
	ck_assert_int_eq(calls_find(calls, (struct slice){id, sizeof id}, &found), CALLS_LATE);
	calls_free(calls);
}
END_TEST

START_TEST(what_is_no_id_of_this_run_is_foreign)
{
	struct calls *calls = calls_create(4, RUN), *others = calls_create(4, RUN + 1);
	char id[CALLS_ID_CHARS + 1] = "";
	uint64_t found = 0;
	ck_assert_uint_eq(begin(calls, 1, 5), begin(others, 1, 5));
	calls_name(others, calls_first(others), id);
	ck_assert_int_eq(find(calls, id, &found), CALLS_FOREIGN);
	calls_name(calls, calls_first(calls), id);
	ck_assert_int_eq(find(calls, id, &found), CALLS_AWAITED);
	static const struct {
		size_t at;
		char c;
	} changes[] = {{0, 'g'}, {0, 'A'}, {8, '0'}, {14, '4'}, {19, 'c'}, {0, '0'}, {35, '9'}};
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		char changed[sizeof id];
		memcpy(changed, id, sizeof id);
		changed[changes[i].at] = changes[i].c;
		ck_assert_msg(find(calls, changed, &found) == CALLS_FOREIGN, "%s", changed);
	}
	ck_assert_int_eq(find(calls, "", &found), CALLS_FOREIGN);
	ck_assert_int_eq(find(calls, "order-17", &found), CALLS_FOREIGN);
	ck_assert_int_eq(
	    find(calls, "00000000-0000-0000-0000-000000000000", &found), CALLS_FOREIGN);
	calls_free(calls);
	calls_free(others);
}
END_TEST

START_TEST(the_first_is_the_one_whose_time_is_up_first)
{
	static const uint64_t deadlines[] = {50, 10, 40, 10, 60, 20};
	static const uint64_t in_order[] = {1, 3, 5, 2, 0, 4}; /* those alike as they came */
	struct calls *calls = calls_create(6, RUN);
	ck_assert_uint_eq(calls_first(calls), 0);
	for (uint64_t i = 0; i < 6; i++)
		begin(calls, i, deadlines[i]);
	for (size_t i = 0; i < 6; i++) {
		uint64_t first = calls_first(calls);
		ck_assert_uint_eq(calls_get(calls, first)->token, in_order[i]);
		calls_end(calls, first, false);
	}
	ck_assert_uint_eq(calls_first(calls), 0);
	calls_free(calls);
}
END_TEST

START_TEST(the_order_holds_whoever_leaves_in_between)
{
	struct calls *calls = calls_create(64, RUN);
	uint64_t numbers[64], seed = 7;
	for (uint64_t i = 0; i < 64; i++)
		numbers[i] = begin(calls, i, (seed = seed * 6364136223846793005U + 1) >> 40);
	for (size_t round = 0; round < 5000; round++) {
		seed = seed * 6364136223846793005U + 1;
		size_t i = seed >> 58;
		calls_end(calls, numbers[i], (round & 1) != 0);
		numbers[i] = begin(calls, i, seed >> 40 & 0xffff);
	}
	for (uint64_t before = 0; calls_count(calls) > 0;) {
		uint64_t first = calls_first(calls);
		ck_assert_uint_ge(calls_get(calls, first)->deadline_ns, before);
		before = calls_get(calls, first)->deadline_ns;
		calls_end(calls, first, true);
	}
	ck_assert_uint_eq(calls_room(calls), 64);
	calls_free(calls);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("calls");
	TCase *tcase = tcase_create("calls");
	tcase_add_test(tcase, a_call_is_found_by_the_name_it_goes_by);
	tcase_add_test(tcase, a_second_reply_is_a_duplicate_and_one_after_the_deadline_is_late);
	tcase_add_test(tcase, what_was_answered_long_ago_is_late_and_never_another_calls_reply);
	tcase_add_test(tcase, what_is_no_id_of_this_run_is_foreign);
	tcase_add_test(tcase, the_first_is_the_one_whose_time_is_up_first);
	tcase_add_test(tcase, the_order_holds_whoever_leaves_in_between);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
