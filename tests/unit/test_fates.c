#include "base/mem.h"
#include "lab/fates.h"

#include <check.h>
#include <stdlib.h>

static void note(struct fates *fates, const char *id, const char *fate, uint64_t now_ns)
{
	char *line =
	    fate ? mem_printf("{\"properties\":{\"message_id\":\"%s\"},\"fate\":\"%s\"}", id, fate)
		 : mem_printf("{\"redelivered\":false,\"properties\":{\"message_id\":\"%s\"}}", id);
	ck_assert(fates_note_line(fates, slice_str(line), now_ns));
	free(line);
}

START_TEST(nothing_is_judged_as_nothing)
{
	struct fates fates = {0};
	struct fates_verdict v;
	fates_judge(&fates, 100, &v);
	ck_assert_uint_eq(v.lost + v.duplicated + v.distinct + v.gap_ns, 0);
	fates_release(&fates);
}
END_TEST

START_TEST(what_was_confirmed_and_never_received_is_lost)
{
	struct fates fates = {0};
	struct fates_verdict v;
	static const char *const confirmed[] = {"m", "a", "z", "q"};
	for (size_t i = 0; i < ARRAY_LEN(confirmed); i++)
		note(&fates, confirmed[i], "confirmed", i);
	note(&fates, "q", NULL, 5);
	note(&fates, "a", NULL, 6);
	note(&fates, "only-received", NULL, 7);
	fates_judge(&fates, 10, &v);
	ck_assert_uint_eq(v.lost, 2);
	ck_assert_uint_eq(v.distinct, 3);
	ck_assert_uint_eq(v.duplicated, 0);
	note(&fates, "z", NULL, 8);
	note(&fates, "m", NULL, 8);
	fates_judge(&fates, 10, &v);
	ck_assert_uint_eq(v.lost, 0);
	fates_release(&fates);
}
END_TEST

START_TEST(only_a_confirm_is_a_promise)
{
	struct fates fates = {0};
	struct fates_verdict v;
	note(&fates, "a", "returned", 1);
	note(&fates, "b", "nacked", 1);
	note(&fates, "c", "unconfirmed", 1);
	fates_judge(&fates, 10, &v);
	ck_assert_uint_eq(v.lost, 0);
	ck_assert_uint_eq(v.counts[FATES_RETURNED], 1);
	ck_assert_uint_eq(v.counts[FATES_NACKED], 1);
	ck_assert_uint_eq(v.counts[FATES_UNCONFIRMED], 1);
	fates_release(&fates);
}
END_TEST

START_TEST(a_message_that_comes_again_is_a_duplicate_each_time)
{
	struct fates fates = {0};
	struct fates_verdict v;
	static const char *const received[] = {"a", "b", "a", "a", "c"};
	for (size_t i = 0; i < ARRAY_LEN(received); i++)
		note(&fates, received[i], NULL, i);
	fates_judge(&fates, 10, &v);
	ck_assert_uint_eq(v.distinct, 3);
	ck_assert_uint_eq(v.duplicated, 2);
	fates_release(&fates);
}
END_TEST

START_TEST(the_longest_gap_may_be_the_one_at_the_end)
{
	struct fates fates = {0};
	struct fates_verdict v;
	note(&fates, "a", "confirmed", 10);
	note(&fates, "b", "confirmed", 30);
	note(&fates, "c", "confirmed", 35);
	fates_judge(&fates, 40, &v);
	ck_assert_uint_eq(v.gap_ns, 20);
	ck_assert_uint_eq(v.gap_began_ns, 10);
	fates_judge(&fates, 100, &v);
	ck_assert_uint_eq(v.gap_ns, 65);
	ck_assert_uint_eq(v.gap_began_ns, 35);
	fates_release(&fates);
}
END_TEST

static const char *const strange_lines[] = {
    "",
    "{",
    "[]",
    "{\"properties\":{\"message_id\":\"a\"",
    "{\"properties\":{}}",
    "{\"properties\":{\"message_id\":7}}",
    "{\"properties\":{\"message_id\":\"a\"},\"fate\":\"eaten\"}",
};

START_TEST(a_line_that_is_no_message_is_not_noted)
{
	struct fates fates = {0};
	ck_assert(!fates_note_line(&fates, slice_str(strange_lines[_i]), 1));
	for (size_t i = 0; i < FATES_KIND_COUNT; i++)
		ck_assert_uint_eq(fates.lists[i].count, 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("fates");
	TCase *fates = tcase_create("fates");
	tcase_add_test(fates, nothing_is_judged_as_nothing);
	tcase_add_test(fates, what_was_confirmed_and_never_received_is_lost);
	tcase_add_test(fates, only_a_confirm_is_a_promise);
	tcase_add_test(fates, a_message_that_comes_again_is_a_duplicate_each_time);
	tcase_add_test(fates, the_longest_gap_may_be_the_one_at_the_end);
	tcase_add_loop_test(
	    fates, a_line_that_is_no_message_is_not_noted, 0, (int)ARRAY_LEN(strange_lines));
	suite_add_tcase(suite, fates);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
