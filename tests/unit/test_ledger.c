#include "model/ledger.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/sequences.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK SEQUENCES_PER_CHUNK

static struct ledger_verdict judge(const struct ledger *l)
{
	struct ledger_verdict v;
	ledger_judge(l, &v);
	return v;
}

static void confirm(struct ledger *l, size_t publisher, uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end; i++)
		ledger_settle(l, publisher, i, LEDGER_CONFIRMED);
}

static void receive(struct ledger *l, size_t publisher, size_t queue, uint64_t first, uint64_t end)
{
	uint64_t refused = 0;
	for (uint64_t i = first; i < end; i++)
		refused += !ledger_receive(l, publisher, queue, i);
	ck_assert_uint_eq(refused, 0);
}

static void assert_lost(const struct ledger *l, const struct ledger_range *want, size_t count)
{
	struct ledger_range found[8];
	ck_assert_uint_eq(ledger_lost(l, found, ARRAY_LEN(found)), count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(found[i].publisher, want[i].publisher);
		ck_assert_uint_eq(found[i].first, want[i].first);
		ck_assert_uint_eq(found[i].last, want[i].last);
	}
}

/* ---- duplicates ---- */

START_TEST(a_second_receipt_is_a_duplicate_wherever_it_is_noted)
{
	struct ledger *master = ledger_create(1, 1), *a = ledger_create(1, 1);
	struct ledger *b = ledger_create(1, 1);
	confirm(a, 0, 0, 3);
	receive(a, 0, 0, 0, 2);
	receive(a, 0, 0, 0, 1); /* within one worker */
	ck_assert_uint_eq(judge(a).duplicated, 1);
	receive(b, 0, 0, 1, 3); /* 1 is with both workers */
	ledger_merge(master, a);
	ck_assert_uint_eq(judge(master).duplicated, 1);
	ledger_merge(master, b);
	ck_assert_uint_eq(judge(master).duplicated, 2);
	receive(b, 0, 0, 2, 3); /* after a merge, by the same worker */
	ck_assert_uint_eq(judge(b).duplicated, 0);
	ledger_merge(master, b);
	struct ledger_verdict v = judge(master);
	ck_assert_uint_eq(v.duplicated, 3);
	ck_assert_uint_eq(v.received, 3);
	ck_assert_uint_eq(v.lost, 0);
	ledger_free(master);
	ledger_free(a);
	ledger_free(b);
}
END_TEST

START_TEST(a_duplicate_is_one_even_when_its_chunk_is_complete)
{
	struct ledger *master = ledger_create(1, 1), *worker = ledger_create(1, 1);
	confirm(worker, 0, 0, 3 * CHUNK);
	receive(worker, 0, 0, 0, 3 * CHUNK);
	ledger_merge(master, worker);
	receive(worker, 0, 0, CHUNK - 1, CHUNK + 1);
	receive(master, 0, 0, 5, 6);
	ledger_merge(master, worker);
	struct ledger_verdict v = judge(master);
	ck_assert_uint_eq(v.received, 3 * CHUNK);
	ck_assert_uint_eq(v.duplicated, 3);
	receive(worker, 0, 0, 0, 3 * CHUNK); /* all of it again */
	ledger_merge(master, worker);
	ck_assert_uint_eq(judge(master).duplicated, 3 * CHUNK + 3);
	ck_assert_uint_eq(judge(master).received, 3 * CHUNK);
	ledger_free(master);
	ledger_free(worker);
}
END_TEST

START_TEST(the_same_message_on_another_queue_is_no_duplicate)
{
	struct ledger *l = ledger_create(1, 2);
	confirm(l, 0, 0, 2 * CHUNK);
	receive(l, 0, 0, 0, 2 * CHUNK);
	receive(l, 0, 1, 0, 2 * CHUNK); /* long after the first queue had everything */
	ck_assert_uint_eq(judge(l).received, 4 * CHUNK);
	ck_assert_uint_eq(judge(l).duplicated, 0);
	ledger_free(l);
}
END_TEST

/* ---- losses ---- */

START_TEST(each_missing_copy_of_a_fan_out_is_counted_and_its_message_named_once)
{
	struct ledger *l = ledger_create(2, 4);
	for (size_t queue = 0; queue < 3; queue++)
		ledger_expect(l, 1, queue);
	ledger_expect(l, 1, 2); /* said twice */
	confirm(l, 1, 0, CHUNK + 100);
	receive(l, 1, 0, 0, CHUNK + 100);
	receive(l, 1, 1, 0, CHUNK - 5);
	receive(l, 1, 1, CHUNK + 3, CHUNK + 100);
	receive(l, 1, 2, 0, 50);
	receive(l, 1, 2, 51, CHUNK);
	receive(l, 1, 2, CHUNK + 1, CHUNK + 100);
	receive(l, 1, 3, 50, 51); /* a queue that replaces no other */
	ck_assert_uint_eq(judge(l).lost, 8 + 1 + 1);
	static const struct ledger_range lost[] = {{1, 50, 50}, {1, CHUNK - 5, CHUNK + 2}};
	assert_lost(l, lost, ARRAY_LEN(lost));
	ledger_free(l);
}
END_TEST

START_TEST(a_queue_on_which_nothing_arrived_loses_everything)
{
	struct ledger *l = ledger_create(1, 2);
	ledger_expect(l, 0, 0);
	ledger_expect(l, 0, 1);
	confirm(l, 0, 0, 3 * CHUNK);
	receive(l, 0, 0, 0, 3 * CHUNK);
	ck_assert_uint_eq(judge(l).lost, 3 * CHUNK);
	assert_lost(l, &(struct ledger_range){0, 0, 3 * CHUNK - 1}, 1);
	ledger_free(l);
}
END_TEST

START_TEST(without_expectation_any_queue_will_do)
{
	struct ledger *l = ledger_create(1, 3);
	confirm(l, 0, 0, 2 * CHUNK);
	for (uint64_t i = 0; i < 2 * CHUNK; i++)
		if (i != 77)
			receive(l, 0, i % 3, i, i + 1);
	ck_assert_uint_eq(judge(l).lost, 1);
	assert_lost(l, &(struct ledger_range){0, 77, 77}, 1);
	receive(l, 0, 1, 77, 78);
	ck_assert_uint_eq(judge(l).lost, 0);
	assert_lost(l, NULL, 0);
	ledger_free(l);
}
END_TEST

START_TEST(what_two_queues_both_have_makes_up_for_nothing_else)
{
	struct ledger *l = ledger_create(1, 2);
	confirm(l, 0, 0, 3 * CHUNK);
	receive(l, 0, 0, 0, 2 * CHUNK);
	receive(l, 0, 1, 0, 2 * CHUNK);
	ck_assert_uint_eq(judge(l).lost, CHUNK);
	assert_lost(l, &(struct ledger_range){0, 2 * CHUNK, 3 * CHUNK - 1}, 1);
	ledger_free(l);
}
END_TEST

START_TEST(without_queues_nothing_can_be_lost)
{
	struct ledger *l = ledger_create(1, 0);
	confirm(l, 0, 0, CHUNK + 1);
	ck_assert_uint_eq(judge(l).settled[LEDGER_CONFIRMED], CHUNK + 1);
	ck_assert_uint_eq(judge(l).lost, 0);
	ck_assert(!ledger_receive(l, 0, 0, 0));
	assert_lost(l, NULL, 0);
	ledger_free(l);
}
END_TEST

START_TEST(what_was_not_confirmed_is_not_lost)
{
	struct ledger *l = ledger_create(1, 1);
	for (uint64_t i = 0; i < 40; i++)
		ledger_settle(l, 0, i, (enum ledger_fate)(i % LEDGER_FATES));
	receive(l, 0, 0, 0, 13); /* of the four fates 4, 3, 3, 3 */
	receive(l, 0, 0, 100, 107);
	struct ledger_verdict v = judge(l);
	for (size_t fate = 0; fate < LEDGER_FATES; fate++)
		ck_assert_uint_eq(v.settled[fate], 10);
	ck_assert_uint_eq(v.lost, 6);
	ck_assert_uint_eq(v.returned_received, 3);
	ck_assert_uint_eq(v.nacked_received, 3);
	ck_assert_uint_eq(v.unconfirmed_received, 3);
	ck_assert_uint_eq(v.never_confirmed_nor_received, 7);
	ck_assert_uint_eq(v.unsettled_received, 7);
	ck_assert_uint_eq(v.received, 20);
	ledger_free(l);
}
END_TEST

START_TEST(a_fate_that_is_noted_twice_is_counted_once)
{
	struct ledger *master = ledger_create(1, 1), *worker = ledger_create(1, 1);
	confirm(master, 0, 0, 10);
	confirm(master, 0, 5, 6);
	confirm(worker, 0, 9, 20);
	ledger_merge(master, worker);
	ck_assert_uint_eq(judge(master).settled[LEDGER_CONFIRMED], 20);
	ledger_free(master);
	ledger_free(worker);
}
END_TEST

START_TEST(no_more_ranges_are_named_than_asked_for)
{
	struct ledger *l = ledger_create(3, 1);
	struct ledger_range found[3] = {0};
	for (size_t publisher = 0; publisher < 3; publisher++)
		confirm(l, publisher, 0, 10);
	receive(l, 0, 0, 3, 5);
	receive(l, 0, 0, 7, 10);
	receive(l, 1, 0, 0, 7); /* goes on where the other publisher ended */
	ck_assert_uint_eq(ledger_lost(l, found, 3), 3);
	static const struct ledger_range first_three[] = {{0, 0, 2}, {0, 5, 6}, {1, 7, 9}};
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(found[i].publisher, first_three[i].publisher);
		ck_assert_uint_eq(found[i].first, first_three[i].first);
		ck_assert_uint_eq(found[i].last, first_three[i].last);
	}
	ck_assert_uint_eq(ledger_lost(l, found, 1), 1);
	ck_assert_uint_eq(ledger_lost(l, NULL, 0), 0);
	ledger_free(l);
}
END_TEST

/* ---- bytes from elsewhere ---- */

START_TEST(numbers_that_cannot_be_ours_are_refused_and_counted)
{
	static const struct {
		size_t publisher, queue;
		uint64_t sequence;
	} foreign[] = {
	    {2, 0, 0},
	    {SIZE_MAX, 0, 0},
	    {0, 3, 0},
	    {0, SIZE_MAX, 0},
	    {0, 0, LEDGER_SEQUENCES},
	    {0, 0, UINT64_C(1) << 60},
	    {0, 0, UINT64_MAX},
	};
	struct ledger *l = ledger_create(2, 3), *master = ledger_create(2, 3);
	size_t bytes = ledger_bytes(l);
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		ck_assert(!ledger_receive(
		    l, foreign[i].publisher, foreign[i].queue, foreign[i].sequence));
	ck_assert_uint_eq(ledger_bytes(l), bytes);
	ck_assert_uint_eq(judge(l).received, 0);
	ck_assert(ledger_receive(l, 1, 2, LEDGER_SEQUENCES - 1));
	ledger_merge(master, l);
	ck_assert_uint_eq(judge(master).refused, ARRAY_LEN(foreign));
	ck_assert_uint_eq(judge(master).unsettled_received, 1);
	ck_assert_uint_eq(judge(l).refused, 0);
	ledger_free(l);
	ledger_free(master);
}
END_TEST

/* Far apart, each would like a bitmap of its own. Returns how many were taken. */
static uint64_t receive_wild(struct ledger *l, uint64_t base, uint64_t count)
{
	uint64_t taken = 0;
	for (uint64_t i = 0; i < count; i++)
		taken += ledger_receive(l, 0, 0, (base + i) * CHUNK);
	return taken;
}

START_TEST(wild_numbers_cost_bounded_memory_and_stop_nothing)
{
	static const uint64_t most = LEDGER_SPARE_BITMAPS + 2;
	static const uint64_t bytes = (LEDGER_SPARE_BITMAPS + 2) * (uint64_t)(CHUNK / 8 + 64);
	struct ledger *master = ledger_create(1, 1), *worker = ledger_create(1, 1);
	ck_assert(ledger_receive(worker, 0, 0, 0));
	ck_assert_uint_eq(receive_wild(worker, 1000, 2 * most), most - 1);
	ck_assert_uint_lt(ledger_bytes(worker), bytes);
	ck_assert(ledger_receive(worker, 0, 0, 1)); /* goes on where there is a bitmap */
	confirm(worker, 0, 0, 2);
	ledger_merge(master, worker);
	ck_assert_uint_eq(judge(master).refused, most + 1);

	/* the worker has room again, the master has none */
	ck_assert_uint_eq(receive_wild(worker, 10 * most, 50), 50);
	ledger_merge(master, worker);
	struct ledger_verdict v = judge(master);
	ck_assert_uint_eq(v.refused, most + 51);
	ck_assert_uint_eq(v.received, most + 1);
	ck_assert_uint_eq(v.unsettled_received, most - 1);
	ck_assert_uint_eq(v.lost, 0);
	ck_assert_uint_lt(ledger_bytes(master), bytes);
	ledger_free(master);
	ledger_free(worker);
}
END_TEST

/* ---- memory ---- */

START_TEST(fifty_million_messages_in_order_need_memory_for_what_is_in_flight)
{
	enum { STEP = 100000, STEPS = 500, BEHIND = 30000 };
	struct ledger *master = ledger_create(1, 1), *sender = ledger_create(1, 1);
	struct ledger *receiver = ledger_create(1, 1);
	uint64_t received = 0;
	ledger_expect(master, 0, 0);
	for (uint64_t sent = STEP; sent <= (uint64_t)STEP * STEPS; sent += STEP) {
		confirm(sender, 0, sent - STEP, sent);
		receive(receiver, 0, 0, received, sent - BEHIND);
		received = sent - BEHIND;
		ledger_merge(master, receiver);
		ledger_merge(master, sender);
		ck_assert_uint_lt(ledger_bytes(master), 8192);
		ck_assert_uint_lt(ledger_bytes(sender) + ledger_bytes(receiver), 8192);
		ck_assert_uint_eq(judge(master).lost, BEHIND);
	}
	ck_assert_uint_eq(judge(master).received, received);
	ck_assert_uint_eq(judge(master).settled[LEDGER_CONFIRMED], received + BEHIND);
	assert_lost(master, &(struct ledger_range){0, received, received + BEHIND - 1}, 1);
	ledger_free(master);
	ledger_free(sender);
	ledger_free(receiver);
}
END_TEST

START_TEST(receipts_in_reverse_across_chunks_are_found_all)
{
	struct ledger *master = ledger_create(1, 1), *worker = ledger_create(1, 1);
	for (uint64_t i = 4 * CHUNK + 100; i-- > 0;) {
		ck_assert(ledger_receive(worker, 0, 0, i));
		if (i % 5000 == 0)
			ledger_merge(master, worker);
	}
	ck_assert_uint_eq(judge(master).unsettled_received, 4 * CHUNK + 100);
	confirm(worker, 0, 0, 4 * CHUNK + 100);
	ledger_merge(master, worker);
	struct ledger_verdict v = judge(master);
	ck_assert_uint_eq(v.received, 4 * CHUNK + 100);
	ck_assert_uint_eq(v.unsettled_received + v.lost + v.duplicated, 0);
	ck_assert_uint_lt(ledger_bytes(master), 8192);
	ledger_free(master);
	ledger_free(worker);
}
END_TEST

/* ---- anything at all, against a naive model ---- */

enum { PUBLISHERS = 3, QUEUES = 3, WORKERS = 3, MESSAGES = 3 * CHUNK + 777, UNSETTLED = 9 };

static struct model {
	uint8_t fate[PUBLISHERS][MESSAGES];
	uint8_t receipts[PUBLISHERS][QUEUES][MESSAGES];
} model;

/* The first publisher reaches every queue, the second any, the third the middle one. */
static bool is_expected(size_t publisher, size_t queue)
{
	return publisher == 0 || (publisher == 2 && queue == 1);
}

static size_t lost_copies(size_t publisher, size_t message)
{
	size_t missing = 0, copies = 0;
	for (size_t queue = 0; queue < QUEUES; queue++) {
		bool arrived = model.receipts[publisher][queue][message] > 0;
		missing += is_expected(publisher, queue) && !arrived;
		copies += arrived;
	}
	if (model.fate[publisher][message] != LEDGER_CONFIRMED)
		return 0;
	return publisher == 1 ? copies == 0 : missing;
}

static void add_message(struct ledger_verdict *v, size_t publisher, size_t message)
{
	uint8_t fate = model.fate[publisher][message];
	bool arrived = false;
	for (size_t queue = 0; queue < QUEUES; queue++) {
		uint8_t receipts = model.receipts[publisher][queue][message];
		arrived |= receipts > 0;
		v->received += receipts > 0;
		v->duplicated += receipts > 1 ? receipts - 1U : 0;
	}
	if (fate != UNSETTLED)
		v->settled[fate]++;
	v->lost += lost_copies(publisher, message);
	v->returned_received += fate == LEDGER_RETURNED && arrived;
	v->nacked_received += fate == LEDGER_NACKED && arrived;
	v->unconfirmed_received += fate == LEDGER_UNCONFIRMED && arrived;
	v->unsettled_received += fate == UNSETTLED && arrived;
	v->never_confirmed_nor_received += fate == LEDGER_UNCONFIRMED && !arrived;
}

static void assert_like_model(const struct ledger *l)
{
	struct ledger_verdict want = {0}, found = judge(l);
	static struct ledger_range lost[PUBLISHERS * MESSAGES];
	size_t ranges = ledger_lost(l, lost, ARRAY_LEN(lost)), range = 0;
	bool in_range = false;
	for (size_t i = 0; i < (size_t)PUBLISHERS * MESSAGES; i++) {
		size_t publisher = i / MESSAGES, message = i % MESSAGES;
		add_message(&want, publisher, message);
		in_range = in_range && message > 0;
		if (lost_copies(publisher, message) == 0) {
			in_range = false;
			continue;
		}
		range += !in_range;
		in_range = true;
		const struct ledger_range *named = &lost[range - 1];
		if (range > ranges || named->publisher != publisher || named->first > message ||
		    named->last < message)
			ck_abort_msg("publisher %zu, message %zu", publisher, message);
	}
	ck_assert_uint_eq(range, ranges);
	ck_assert_mem_eq(&found, &want, sizeof want);
}

/* One in `rare` goes wrong, none if it is 0. */
static bool fails(struct rng *rng, uint64_t rare)
{
	return rare > 0 && rng_below(rng, rare) == 0;
}

static void note_receipt(struct ledger *l, size_t publisher, size_t queue, size_t message)
{
	model.receipts[publisher][queue][message]++;
	if (!ledger_receive(l, publisher, queue, message))
		ck_abort_msg("%zu on %zu: %zu is refused", publisher, queue, message);
}

/* What happens to a message, each part with some worker. */
static void send(
    struct ledger **workers, struct rng *rng, size_t publisher, size_t message, uint64_t rare)
{
	uint8_t fate = fails(rng, rare) ? (uint8_t)rng_below(rng, LEDGER_FATES) : LEDGER_CONFIRMED;
	fate = fails(rng, rare) ? UNSETTLED : fate;
	model.fate[publisher][message] = fate;
	if (fate != UNSETTLED)
		ledger_settle(
		    workers[rng_below(rng, WORKERS)], publisher, message, (enum ledger_fate)fate);
	for (size_t queue = 0; queue < QUEUES; queue++) {
		bool goes =
		    publisher == 1 ? message % QUEUES == queue : is_expected(publisher, queue);
		if (goes == fails(rng, rare))
			continue;
		note_receipt(workers[rng_below(rng, WORKERS)], publisher, queue, message);
		if (!fails(rng, rare))
			continue;
		size_t before = rng_below(rng, message + 1);
		if (model.receipts[publisher][queue][before] > 0)
			note_receipt(workers[rng_below(rng, WORKERS)], publisher, queue, before);
	}
}

START_TEST(any_interleaving_is_judged_as_a_naive_model_does)
{
	static const uint64_t rare[] = {0, 3, 50, 2000, 20000};
	struct ledger *master = ledger_create(PUBLISHERS, QUEUES), *workers[WORKERS];
	uint64_t next[PUBLISHERS] = {0};
	size_t order[4] = {0, 1, 2, 3};
	struct rng rng;
	rng_seed(&rng, (uint64_t)_i);
	memset(&model, 0, sizeof model);
	memset(model.fate, UNSETTLED, sizeof model.fate);
	for (size_t queue = 0; queue < QUEUES; queue++)
		ledger_expect(master, 0, queue);
	ledger_expect(master, 2, 1);
	for (size_t i = 0; i < WORKERS; i++)
		workers[i] = ledger_create(PUBLISHERS, QUEUES);
	while (next[0] + 4 < MESSAGES || next[1] + 4 < MESSAGES || next[2] + 4 < MESSAGES) {
		size_t publisher = rng_below(&rng, PUBLISHERS);
		if (next[publisher] + 4 >= MESSAGES)
			continue;
		size_t swap = order[0], with = rng_below(&rng, 4); /* a little out of order */
		order[0] = order[with];
		order[with] = swap;
		for (size_t i = 0; i < 4; i++)
			send(workers, &rng, publisher, next[publisher] + order[i],
			    rare[(size_t)_i % ARRAY_LEN(rare)]);
		next[publisher] += 4;
		if (rng_below(&rng, 2000) == 0)
			ledger_merge(master, workers[rng_below(&rng, WORKERS)]);
	}
	for (size_t i = 0; i < WORKERS; i++)
		ledger_merge(master, workers[i]);
	assert_like_model(master);
	ledger_merge(workers[0], master); /* as good as new: what it says, another can */
	ck_assert_uint_eq(judge(master).received, 0);
	ledger_merge(master, workers[0]);
	assert_like_model(master);
	for (size_t i = 0; i < WORKERS; i++)
		ledger_free(workers[i]);
	ledger_free(master);
}
END_TEST

START_TEST(an_empty_ledger_has_nothing_to_say)
{
	static const struct ledger_verdict nothing;
	struct ledger *l = ledger_create(0, 0), *other = ledger_create(0, 0);
	ledger_merge(l, other);
	struct ledger_verdict v = judge(l);
	ck_assert_mem_eq(&v, &nothing, sizeof v);
	ck_assert(!ledger_receive(l, 0, 0, 0));
	ledger_free(l);
	ledger_free(other);
	ledger_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tests = tcase_create("ledger");
	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_second_receipt_is_a_duplicate_wherever_it_is_noted);
	tcase_add_test(tests, a_duplicate_is_one_even_when_its_chunk_is_complete);
	tcase_add_test(tests, the_same_message_on_another_queue_is_no_duplicate);
	tcase_add_test(tests, each_missing_copy_of_a_fan_out_is_counted_and_its_message_named_once);
	tcase_add_test(tests, a_queue_on_which_nothing_arrived_loses_everything);
	tcase_add_test(tests, without_expectation_any_queue_will_do);
	tcase_add_test(tests, what_two_queues_both_have_makes_up_for_nothing_else);
	tcase_add_test(tests, without_queues_nothing_can_be_lost);
	tcase_add_test(tests, what_was_not_confirmed_is_not_lost);
	tcase_add_test(tests, a_fate_that_is_noted_twice_is_counted_once);
	tcase_add_test(tests, no_more_ranges_are_named_than_asked_for);
	tcase_add_test(tests, numbers_that_cannot_be_ours_are_refused_and_counted);
	tcase_add_test(tests, wild_numbers_cost_bounded_memory_and_stop_nothing);
	tcase_add_test(tests, fifty_million_messages_in_order_need_memory_for_what_is_in_flight);
	tcase_add_test(tests, receipts_in_reverse_across_chunks_are_found_all);
	tcase_add_loop_test(tests, any_interleaving_is_judged_as_a_naive_model_does, 0, 20);
	tcase_add_test(tests, an_empty_ledger_has_nothing_to_say);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
