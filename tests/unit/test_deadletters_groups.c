/* Dead letters put together: what belongs together, how it looks, and how many groups there are. */
#include "app/deadletters_groups.h"

#include "base/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static void add(struct deadletters_groups *g, const char *reason, const char *queue,
    const char *error, uint64_t time_s, const char *id)
{
	struct message m = {.present = id != NULL ? MESSAGE_MESSAGE_ID : 0,
	    .message_id = slice_str(id),
	    .body = SLICE("\033[31m\xff body")};
	const struct death d = {.reason = slice_str(reason),
	    .queue = slice_str(queue),
	    .error = slice_str(error),
	    .time_s = time_s};
	deadletters_groups_add(g, &m, &d, NULL);
}

START_TEST(the_largest_group_stands_first_with_its_ages_and_samples)
{
	struct deadletters_groups *g = deadletters_groups_create();
	struct buf text = {0};
	add(g, "expired", "wait", NULL, 0, NULL);
	add(g, "rejected", "work", "exit 1\n", 1000, "a");
	add(g, "rejected", "work", "exit 1\n", 940, "b");
	add(g, "rejected", "work", "exit 1\n", 1059, "c");
	deadletters_groups_write_table(g, 1060, &text);
	ck_assert_str_eq(text.ptr,
	    "  count  reason           died in                           oldest   newest\n"
	    "      3  rejected         work                                  2m       1s\n"
	    "         error  exit 1\\n\n"
	    "         first  a  \\x1b[31m\\xff body\n"
	    "         last   c  \\x1b[31m\\xff body\n"
	    "      1  expired          wait                                   -        -\n"
	    "         first  \\x1b[31m\\xff body\n");
	buf_clear(&text);
	deadletters_groups_write_json(g, 1060, &text);
	ck_assert_str_eq(text.ptr,
	    "{\"count\":3,\"reason\":\"rejected\",\"queue\":\"work\",\"error\":\"exit 1\\n\","
	    "\"oldest_age\":120,\"newest_age\":1,\"first_id\":\"a\",\"first_body\":\"\\\\x1b["
	    "31m\\\\xff "
	    "body\",\"last_id\":\"c\",\"last_body\":\"\\\\x1b[31m\\\\xff body\"}\n"
	    "{\"count\":1,\"reason\":\"expired\",\"queue\":\"wait\",\"first_body\":\"\\\\x1b["
	    "31m\\\\xff "
	    "body\"}\n");
	buf_release(&text);
	deadletters_groups_free(g);
}
END_TEST

START_TEST(no_line_is_longer_than_80_columns)
{
	struct deadletters_groups *g = deadletters_groups_create();
	struct buf text = {0};
	char *wide = mem_alloc(601, 1);
	for (size_t i = 0; i < 600; i += 3)
		memcpy(wide + i, "\xe2\x82\xac", 3);
	add(g, wide, wide, wide, 1, wide);
	add(g, wide, wide, wide, 1, "\x1b");
	deadletters_groups_write_table(g, 4000000000, &text);
	size_t column = 0;
	for (size_t i = 0; i < text.len; i++) {
		column = text.ptr[i] == '\n' ? 0 : column + 1;
		ck_assert_uint_le(column, 80); /* counted in bytes */
	}
	free(wide);
	buf_release(&text);
	deadletters_groups_free(g);
}
END_TEST

START_TEST(beyond_a_thousand_groups_the_others_are_one)
{
	struct deadletters_groups *g = deadletters_groups_create();
	struct buf text = {0};
	char error[32];
	for (int i = 0; i < 5000; i++) {
		snprintf(error, sizeof error, "error %d", i);
		add(g, "attempts", "work", error, 1, "a");
	}
	ck_assert_uint_eq(deadletters_groups_count(g), 1000);
	ck_assert_uint_eq(deadletters_groups_going(g), 5000);
	deadletters_groups_write_json(g, 1, &text);
	ck_assert_ptr_nonnull(strstr(text.ptr, "{\"count\":4001,\"reason\":\"(other groups)\""));
	buf_release(&text);
	deadletters_groups_free(g);
}
END_TEST

static void go(struct deadletters_groups *g, const char *exchange, const char *key)
{
	const struct message m = {0};
	const struct death d = {.reason = SLICE("rejected")};
	const struct deadletters_place place = {slice_str(exchange), slice_str(key), NULL};
	deadletters_groups_add(g, &m, &d, &place);
}

START_TEST(where_they_go_is_told_in_a_few_words)
{
	static const struct {
		const char *exchange, *key, *told;
	} rows[] = {
	    {"order", "a", "exchange 'order'"},
	    {"order", "b", "exchange 'order'"},
	    {"", "jobs", "2 places"},
	    {"", "other", "3 places"},
	};
	struct deadletters_groups *g = deadletters_groups_create();
	const struct message m = {0};
	const struct death d = {.reason = SLICE("rejected")};
	deadletters_groups_add(g, &m, &d, &(struct deadletters_place){.stays = "it stays"});
	ck_assert_uint_eq(deadletters_groups_going(g), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf text = {0};
		go(g, rows[i].exchange, rows[i].key);
		deadletters_groups_write_places(g, &text);
		ck_assert_str_eq(text.ptr, rows[i].told);
		ck_assert_uint_eq(deadletters_groups_going(g), i + 1);
		buf_release(&text);
	}
	deadletters_groups_free(g);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("deadletters_groups");
	TCase *tests = tcase_create("deadletters_groups");
	tcase_add_test(tests, the_largest_group_stands_first_with_its_ages_and_samples);
	tcase_add_test(tests, no_line_is_longer_than_80_columns);
	tcase_add_test(tests, beyond_a_thousand_groups_the_others_are_one);
	tcase_add_test(tests, where_they_go_is_told_in_a_few_words);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
