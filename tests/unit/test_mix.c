#include "model/mix.h"

#include "base/buf.h"
#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

#define START (UINT64_C(5) * CHRONO_S)

static const struct pace_plan unpaced = {.unlimited = true, .weight = 1};

static struct pace_plan unpaced_plan(double weight, uint64_t amount)
{
	return (struct pace_plan){
	    .unlimited = amount == UINT64_MAX, .amount = amount, .weight = weight};
}

static struct pace_plan delay_plan(uint64_t delay_ms, uint64_t amount)
{
	uint64_t ns = delay_ms * CHRONO_MS;
	return (struct pace_plan){.amount = amount, .delay_from_ns = ns, .delay_to_ns = ns};
}

/* Runs to the end, jumping from due time to due time; the members' letters in the order sent. */
static char *order_of(const struct pace_plan *plans, size_t count, size_t most, uint64_t *end_ns)
{
	struct mix m = {0};
	struct rng rng = {{1}};
	struct buf sent = {0};
	uint64_t now_ns = START, due_ns;
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(mix_add(&m, &plans[i], &rng, START), i);
	while (sent.len < most) {
		size_t index = mix_next(&m, now_ns, &due_ns);
		ck_assert_uint_eq(mix_next(&m, now_ns, &due_ns), index);
		if (index == MIX_NONE && due_ns == CHRONO_NEVER)
			break;
		if (index == MIX_NONE) {
			ck_assert_uint_gt(due_ns, now_ns);
			now_ns = due_ns;
			continue;
		}
		ck_assert_uint_le(due_ns, now_ns);
		buf_append_char(&sent, (char)('a' + index));
		mix_take(&m, index);
	}
	ck_assert_int_eq(mix_done(&m), sent.len < most);
	*end_ns = now_ns;
	mix_release(&m);
	buf_append_str(&sent, "");
	return buf_take(&sent);
}

START_TEST(weights_eight_to_two_are_exact_over_a_thousand)
{
	const struct pace_plan plans[] = {unpaced_plan(8, UINT64_MAX), unpaced_plan(2, UINT64_MAX)};
	uint64_t end_ns, of_a = 0;
	char *order = order_of(plans, ARRAY_LEN(plans), 1000, &end_ns);
	for (size_t i = 0; i < 1000; i++) {
		of_a += order[i] == 'a';
		ck_assert_int_eq(order[i], "aabaa"[i % 5]);
	}
	ck_assert_uint_eq(of_a, 800);
	ck_assert_uint_eq(end_ns, START);
	free(order);
}
END_TEST

static const struct {
	double weights[3];
	const char *order;
} shares[] = {
    {{1, 1, 1}, "abcabcabcabc"},
    {{5, 1, 1}, "aabacaaaabac"},
    {{0.5, 0.25, 0.25}, "abcaabcaabca"},
    {{1e9, 1e-9, 1e-9}, "aaaaaaaaaaaa"},
};

START_TEST(shares_are_spread_evenly)
{
	struct pace_plan plans[3];
	uint64_t end_ns;
	for (size_t i = 0; i < 3; i++)
		plans[i] = unpaced_plan(shares[_i].weights[i], UINT64_MAX);
	char *order = order_of(plans, 3, 12, &end_ns);
	ck_assert_str_eq(order, shares[_i].order);
	free(order);
}
END_TEST

START_TEST(finished_member_leaves_its_share_to_the_others)
{
	const struct pace_plan plans[] = {
	    unpaced_plan(8, 4), unpaced_plan(1, 6), unpaced_plan(1, 0)};
	uint64_t end_ns;
	char *order = order_of(plans, ARRAY_LEN(plans), 100, &end_ns);
	ck_assert_str_eq(order, "aaaabbbbbb");
	free(order);
}
END_TEST

START_TEST(paced_members_go_by_their_due_times)
{
	const struct pace_plan plans[] = {delay_plan(20, 3), delay_plan(30, 3), delay_plan(5, 2)};
	uint64_t end_ns;
	char *order = order_of(plans, ARRAY_LEN(plans), 100, &end_ns);
	ck_assert_str_eq(order, "abccabab"); /* 0 0 0 5 20 30 40 60 */
	ck_assert_uint_eq(end_ns, START + 60 * CHRONO_MS);
	free(order);
}
END_TEST

START_TEST(late_paced_members_take_turns_by_due_time)
{
	const struct pace_plan fast = delay_plan(10, 4), slow = delay_plan(25, 2);
	struct mix m = {0};
	struct rng rng = {{1}};
	uint64_t due_ns;
	static const struct {
		size_t index;
		uint64_t due_ms;
	} expected[] = {{0, 0}, {1, 0}, {0, 10}, {0, 20}, {1, 25}, {0, 30}};

	mix_add(&m, &fast, &rng, START);
	mix_add(&m, &slow, &rng, START);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		size_t index = mix_next(&m, START + CHRONO_S, &due_ns);
		ck_assert_uint_eq(index, expected[i].index);
		ck_assert_uint_eq(due_ns, START + expected[i].due_ms * CHRONO_MS);
		mix_take(&m, index);
	}
	ck_assert(mix_done(&m));
	mix_release(&m);
}
END_TEST

START_TEST(due_paced_member_goes_before_unpaced_ones)
{
	const struct pace_plan paced = delay_plan(10, 3);
	struct mix m = {0};
	struct rng rng = {{1}};
	uint64_t due_ns, now_ns = START;
	static const struct {
		uint64_t now_ms;
		size_t index;
		uint64_t due_ms;
	} expected[] = {
	    {0, 1, 0}, {0, 0, 0}, {3, 0, 3}, {11, 1, 10}, {11, 0, 11}, {20, 1, 20}, {21, 0, 21}};

	mix_add(&m, &unpaced, &rng, START);
	mix_add(&m, &paced, &rng, START);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		now_ns = START + expected[i].now_ms * CHRONO_MS;
		ck_assert_uint_eq(mix_next(&m, now_ns, &due_ns), expected[i].index);
		ck_assert_uint_eq(due_ns, START + expected[i].due_ms * CHRONO_MS);
		mix_take(&m, expected[i].index);
	}
	ck_assert(!mix_done(&m));
	mix_release(&m);
}
END_TEST

START_TEST(empty_mix_is_done)
{
	struct mix m = {0};
	uint64_t due_ns = 0;
	ck_assert(mix_done(&m));
	ck_assert_uint_eq(mix_next(&m, START, &due_ns), MIX_NONE);
	ck_assert_uint_eq(due_ns, CHRONO_NEVER);
	mix_release(&m);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mix");
	TCase *tc = tcase_create("mix");
	tcase_add_test(tc, weights_eight_to_two_are_exact_over_a_thousand);
	tcase_add_loop_test(tc, shares_are_spread_evenly, 0, (int)ARRAY_LEN(shares));
	tcase_add_test(tc, finished_member_leaves_its_share_to_the_others);
	tcase_add_test(tc, paced_members_go_by_their_due_times);
	tcase_add_test(tc, late_paced_members_take_turns_by_due_time);
	tcase_add_test(tc, due_paced_member_goes_before_unpaced_ones);
	tcase_add_test(tc, empty_mix_is_done);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
