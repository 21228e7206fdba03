#include "model/topic.h"

#include "base/chrono.h"
#include "base/mem.h"

#include "../broker/routing_rows.h"

#include <check.h>
#include <stdlib.h>

START_TEST(a_pattern_matches_as_in_rabbitmq)
{
	const struct topic_row *r = &topic_rows[_i];
	ck_assert_msg(
	    topic_matches(r->pattern, r->key) == r->matches, "'%s' and '%s'", r->pattern, r->key);
}
END_TEST

START_TEST(many_hashes_cost_no_more_than_the_product_of_the_lengths)
{
	struct buf pattern = {0}, key = {0};
	for (int i = 0; i < 60; i++)
		buf_append_str(&pattern, "#.a.");
	buf_append_str(&pattern, "b");
	for (int i = 0; i < 2000; i++)
		buf_append_str(&key, "a.");
	uint64_t begun_ns = chrono_now_ns();
	ck_assert(!topic_matches(pattern.ptr, key.ptr));
	ck_assert_uint_lt(chrono_now_ns() - begun_ns, 10 * CHRONO_S); /* and not for ever */
	buf_append_str(&key, "b");
	ck_assert(topic_matches(pattern.ptr, key.ptr));
	buf_release(&pattern);
	buf_release(&key);
}
END_TEST

static const struct {
	const char *pattern, *key, *said;
} reasons[] = {
    {"a.b", "a", ", 2 words wanted and it has 1"},
    {"*", "", ", 1 word wanted and it has 0"},
    {"a.*.c", "a.b.d", ", word 3 is 'd' and not 'c'"},
    {"a.b.#", "a", ", it has no word 2"},
    {"a.b.#", "a.c", ", word 2 is 'c' and not 'b'"},
    {"a..#", "a.c", ", word 2 is 'c' and not ''"},
    {"#.b", "a", ""},
    {"a", "\033[2J", ", word 1 is '\\x1b[2J' and not 'a'"},
};

START_TEST(a_mismatch_is_told_in_a_few_words)
{
	struct buf out = {0};
	buf_append_str(&out, "");
	topic_write_reason(reasons[_i].pattern, reasons[_i].key, &out);
	ck_assert_str_eq(out.ptr, reasons[_i].said);
	buf_release(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("topic");
	TCase *tc = tcase_create("topic");
	tcase_add_loop_test(tc, a_pattern_matches_as_in_rabbitmq, 0, (int)ARRAY_LEN(topic_rows));
	tcase_add_test(tc, many_hashes_cost_no_more_than_the_product_of_the_lengths);
	tcase_add_loop_test(tc, a_mismatch_is_told_in_a_few_words, 0, (int)ARRAY_LEN(reasons));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
