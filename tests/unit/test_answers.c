/* What was answered to requests that come again: over a bound, a window, restarts and processes. */
#include "base/chrono.h"
#include "base/mem.h"
#include "flow/core_dedupe.h"
#include "model/marks.h"
#include "store/handled_batch.h"
#include "store_bench.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct error err;
static struct store *store; /* NULL: in memory */

static void begin(void)
{
	error_clear(&err);
	make_folder();
	name_file("marks.db");
	store = NULL;
}

static void end(void)
{
	store_close(store);
	remove_folder();
}

/* ---- with the marks ---- */

#define BODY_BYTES 744
#define ANSWER_BYTES 1000 /* what such an answer counts */

static struct handled *open_of(struct store *kept, size_t window, uint64_t bytes)
{
	const struct handled_options options = {
	    .store = kept, .scope = "a", .window = window, .answers_bytes = bytes};
	struct handled *h = handled_open(&options, &err);
	ck_assert_msg(h != NULL, "%s", err.text);
	return h;
}

static struct siphash mark(const struct handled *h, unsigned number)
{
	char key[16];
	snprintf(key, sizeof key, "m%u", number);
	return handled_hash(h, slice_str(key));
}

/* The body begins with the number. */
static struct message answer_of(unsigned number, size_t bytes, char *body)
{
	memset(body, '.', bytes);
	body[snprintf(body, bytes, "%u", number)] = '.';
	return (struct message){.body = {body, bytes}};
}

/* Marks it with an answer of so many bytes; 0: without one. */
static void handle(struct handled *h, struct store *kept, unsigned number, size_t bytes)
{
	static char body[10000];
	const struct message answer = answer_of(number, bytes > 0 ? bytes : 8, body);
	bool is_kept = bytes > 0 && handled_keeps(h, &answer);
	if (kept == NULL) {
		handled_add(
		    h, mark(h, number), is_kept ? message_copy(&answer) : NULL, chrono_wall_ms());
		return;
	}
	struct handled_batch *batch = handled_batch_create();
	size_t index = handled_batch_add(batch, h, mark(h, number));
	handled_batch_answer(batch, index, is_kept ? &answer : NULL);
	ck_assert_msg(handled_batch_commit(batch, kept, &err), "%s", err.text);
	handled_batch_free(batch);
}

/* Whether its own answer is known. */
static bool knows(struct handled *h, unsigned number)
{
	struct message *found;
	char wanted[16];
	int len = snprintf(wanted, sizeof wanted, "%u.", number);
	ck_assert_msg(handled_answer(h, mark(h, number), &found, &err), "%s", err.text);
	bool is_there = found != NULL;
	ck_assert(!is_there || memcmp(found->body.ptr, wanted, (size_t)len) == 0);
	free(found);
	return is_there;
}

static void expect(struct handled *h, unsigned first, unsigned end_number, bool known)
{
	for (unsigned i = first; i < end_number; i++)
		ck_assert_msg(knows(h, i) == known, "%u", i);
}

/* In memory and in a store. */
static struct store *store_of(int i)
{
	return i == 0 ? NULL : (store = open_store(STORE_CREATE));
}

START_TEST(the_latest_answers_are_known_as_many_as_fit_the_bound)
{
	struct store *kept = store_of(_i);
	struct handled *h = open_of(kept, 100, 10 * ANSWER_BYTES);
	for (unsigned i = 0; i < 25; i++)
		handle(h, kept, i, BODY_BYTES);
	expect(h, 0, 15, false);
	expect(h, 15, 25, true);
	handle(h, kept, 25, 6 * ANSWER_BYTES); /* one that takes the room of several */
	expect(h, 0, 22, false);
	expect(h, 22, 26, true);
	handle(h, kept, 26, 10 * ANSWER_BYTES); /* too large: the others stay */
	expect(h, 22, 26, true);
	expect(h, 26, 27, false);
	ck_assert(handled_has(h, mark(h, 26), chrono_wall_ms()));
	if (kept != NULL)
		ck_assert_int_le(ask("SELECT sum(size) FROM answer"), 10 * ANSWER_BYTES);
	handled_close(h);
}
END_TEST

START_TEST(an_answer_goes_with_its_mark)
{
	struct store *kept = store_of(_i);
	struct handled *h = open_of(kept, 3, 100 * ANSWER_BYTES);
	for (unsigned i = 0; i < 10; i++)
		handle(h, kept, i, i % 2 == 0 ? BODY_BYTES : 0);
	expect(h, 7, 8, false);
	expect(h, 8, 9, true);
	expect(h, 9, 10, false);
	expect(h, 0, 7, false);
	if (kept != NULL)
		ck_assert_int_le(ask("SELECT count(*) FROM answer"), 2);
	handled_close(h);
}
END_TEST

START_TEST(answers_are_known_after_a_restart_and_to_who_shares_the_store)
{
	struct store *other = open_store(STORE_CREATE);
	store = open_store(STORE_CREATE);
	struct handled *a = open_of(store, 100, 10 * ANSWER_BYTES),
		       *b = open_of(other, 100, 10 * ANSWER_BYTES);
	for (unsigned i = 0; i < 6; i++)
		handle(i % 2 == 0 ? a : b, i % 2 == 0 ? store : other, i, BODY_BYTES);
	ck_assert_msg(handled_catch_up(a, &err), "%s", err.text);
	expect(a, 0, 6, true);
	expect(b, 0, 6, true);
	handle(a, store, 5, 2 * BODY_BYTES); /* the first answer stays */
	ck_assert_int_eq(ask("SELECT max(size) FROM answer"), ANSWER_BYTES);
	for (unsigned i = 6; i < 16; i++) /* the bound is that of both together */
		handle(i % 2 == 0 ? a : b, i % 2 == 0 ? store : other, i, BODY_BYTES);
	ck_assert_int_eq(ask("SELECT sum(size) FROM answer"), 10 * ANSWER_BYTES);
	handled_close(a);
	handled_close(b);
	a = open_of(store, 100, 10 * ANSWER_BYTES);
	expect(a, 0, 6, false);
	expect(a, 6, 16, true);
	handled_close(a);
	store_close(other);
}
END_TEST

START_TEST(what_an_answer_says_of_itself_is_kept_byte_for_byte)
{
	store = open_store(STORE_CREATE);
	struct handled *h = open_of(store, 100, 10 * ANSWER_BYTES);
	const struct message m = {.body = {"\0\xff", 2},
	    .present = MESSAGE_CONTENT_TYPE | MESSAGE_TYPE | MESSAGE_HEADERS,
	    .content_type = {"a\0b", 3},
	    .type = SLICE("\xfe"),
	    .headers = {"\1xS\0\0\0\1y", 8}};
	struct message *found;
	struct handled_batch *batch = handled_batch_create();
	handled_batch_answer(batch, handled_batch_add(batch, h, mark(h, 1)), &m);
	ck_assert_msg(handled_batch_commit(batch, store, &err), "%s", err.text);
	handled_batch_free(batch);
	ck_assert_msg(handled_answer(h, mark(h, 1), &found, &err), "%s", err.text);
	ck_assert_uint_eq(found->present, m.present);
	ck_assert(slice_equal(found->body, m.body));
	ck_assert(slice_equal(found->content_type, m.content_type));
	ck_assert(slice_equal(found->type, m.type));
	ck_assert(slice_equal(found->headers, m.headers));
	free(found);
	handled_close(h);
}
END_TEST

START_TEST(nobody_gets_the_answer_of_another)
{
	store = open_store(STORE_CREATE);
	struct handled *h = open_of(store, 100, 10 * ANSWER_BYTES);
	for (unsigned i = 1; i <= 3; i++)
		handle(h, store, i, BODY_BYTES);
	change("UPDATE answer SET number = number + 1 WHERE number = 3");
	change("UPDATE answer SET number = number + 1 WHERE number = 2");
	change("UPDATE handled SET mark = x'00' WHERE number = 3");
	expect(h, 1, 2, true);
	expect(h, 2, 4, false);
	handled_close(h);
}
END_TEST

START_TEST(a_bound_of_nothing_forgets_them_all)
{
	store = open_store(STORE_CREATE);
	struct handled *h = open_of(store, 100, 10 * ANSWER_BYTES);
	for (unsigned i = 0; i < 4; i++)
		handle(h, store, i, BODY_BYTES);
	handled_close(h);
	h = open_of(store, 100, 0);
	expect(h, 0, 4, false);
	handle(h, store, 4, BODY_BYTES);
	ck_assert_int_eq(ask("SELECT count(*) FROM answer"), 0);
	ck_assert_int_eq(ask("SELECT count(*) FROM handled"), 5);
	handled_close(h);
}
END_TEST

/* ---- with dedupe ---- */

#define MOST 10

struct bench {
	struct loop *loop;
	struct flow *flow;
	struct core_dedupe *core;
	size_t put, stopped;
	uint64_t in_sink[MOST];
	char rescued[MOST][32]; /* what those that were rejected got, by the order of it */
	size_t rescue_count;
};

static bool nothing_comes(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *e)
{
	(void)self, (void)flow, (void)now_ns, (void)wake_ns, (void)e;
	return true;
}

static void forget(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	(void)self, (void)token, (void)outcome;
}

static void note_stop(void *self)
{
	((struct bench *)self)->stopped++;
}

static bool has_stopped(const void *self)
{
	return ((const struct bench *)self)->stopped > 0;
}

static size_t any_room(const void *self)
{
	(void)self;
	return MOST;
}

static bool put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *e)
{
	struct bench *b = self;
	(void)flow, (void)m, (void)e;
	b->in_sink[b->put++] = slot;
	return true;
}

static bool push_on(void *self, struct flow *flow, struct error *e)
{
	(void)self, (void)flow, (void)e;
	return true;
}

static void abandon(void *self, struct flow *flow)
{
	(void)self, (void)flow;
}

static bool rescue(void *ctx, uint64_t slot, const struct flow_message *m,
    const struct flow_verdict *verdict, struct message *out)
{
	struct bench *b = ctx;
	const struct message *answer = core_dedupe_find_answer(b->core, slot);
	struct slice said = answer != NULL ? answer->body : slice_str(verdict->reason);
	snprintf(
	    b->rescued[b->rescue_count++], sizeof b->rescued[0], "%.*s", (int)said.len, said.ptr);
	*out = *m->message;
	return true;
}

static void open_bench(struct bench *b, bool in_store, uint64_t bytes)
{
	static const struct flow_source_kind source = {
	    nothing_comes, forget, note_stop, has_stopped};
	static const struct flow_sink_kind sink = {any_room, put, push_on, NULL, NULL, abandon};
	const struct core_dedupe_options options = {.window = 10,
	    .scope = "test",
	    .path = in_store ? path : NULL,
	    .answers = true,
	    .answers_bytes = bytes};
	*b = (struct bench){.core = core_dedupe_create(&options, &err), .loop = loop_create(&err)};
	ck_assert_msg(b->core != NULL, "%s", err.text);
	const struct flow_options flow = {.source = {&source, b},
	    .cores = {core_dedupe_core(b->core)},
	    .core_count = 1,
	    .sink = {&sink, b},
	    .window = MOST,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = CHRONO_S,
	    .keep_messages = true,
	    .rescue = rescue,
	    .ctx = b};
	b->flow = flow_create(b->loop, &flow);
}

static void close_bench(struct bench *b)
{
	ck_assert_msg(flow_finish(b->flow, &err), "%s", err.text);
	flow_free(b->flow);
	core_dedupe_free(b->core);
	loop_free(b->loop);
}

static void offer(struct bench *b, const char *id)
{
	const struct message m = {.present = MESSAGE_MESSAGE_ID | MESSAGE_REPLY_TO,
	    .message_id = slice_str(id),
	    .reply_to = SLICE("asker")};
	flow_offer(b->flow, &(struct flow_message){.message = &m, .queue = SLICE("q")}, 0);
}

/* What came into the sink as number n is answered with a body, when there is one, and settled. */
static void answer(struct bench *b, size_t n, const char *body, enum flow_fate fate)
{
	uint64_t wake_ns = 0;
	const struct message m = {.body = slice_str(body)};
	ck_assert_uint_gt(b->put, n);
	if (body[0] != '\0')
		core_dedupe_keep_answer(b->core, b->in_sink[n], &m);
	flow_settle(b->flow, b->in_sink[n], fate, "");
	for (int turn = 0; turn < 2; turn++) /* one marks it, one more for those that wait */
		flow_step(b->flow, &wake_ns, &err);
}

START_TEST(a_request_that_comes_again_gets_the_first_answer)
{
	struct bench b;
	open_bench(&b, _i == 1, 10000);
	offer(&b, "a");
	answer(&b, 0, "first", FLOW_ACCEPTED);
	offer(&b, "a");
	ck_assert_str_eq(b.rescued[0], "first");
	answer(&b, 1, "", FLOW_ACCEPTED);
	offer(&b, "b");
	answer(&b, 2, "other", FLOW_ACCEPTED);
	offer(&b, "a");
	ck_assert_str_eq(b.rescued[1], "first");
	close_bench(&b);
}
END_TEST

START_TEST(one_that_waits_for_the_first_gets_its_answer)
{
	struct bench b;
	open_bench(&b, _i == 1, 10000);
	for (int i = 0; i < 3; i++)
		offer(&b, "a");
	ck_assert_uint_eq(b.put, 1);
	answer(&b, 0, "first", FLOW_ACCEPTED);
	ck_assert_uint_eq(b.rescue_count, 2);
	ck_assert_str_eq(b.rescued[0], "first");
	ck_assert_str_eq(b.rescued[1], "first");
	close_bench(&b);
}
END_TEST

START_TEST(one_that_waits_for_a_failure_has_its_turn_and_gives_its_own_answer)
{
	struct bench b;
	open_bench(&b, _i == 1, 10000);
	for (int i = 0; i < 3; i++)
		offer(&b, "a");
	answer(&b, 0, "lost", FLOW_RELEASED);
	ck_assert_uint_eq(b.put, 2);
	answer(&b, 1, "second", FLOW_ACCEPTED);
	ck_assert_uint_eq(b.rescue_count, 1);
	ck_assert_str_eq(b.rescued[0], "second");
	close_bench(&b);
}
END_TEST

static const enum flow_fate callers_gone[] = {FLOW_RETURNED, FLOW_NACKED};

START_TEST(an_answer_that_found_nobody_is_given_to_who_asks_again)
{
	struct bench b;
	open_bench(&b, _i % 2 == 1, 10000);
	offer(&b, "a");
	answer(&b, 0, "first", callers_gone[_i / 2]);
	offer(&b, "a");
	ck_assert_uint_eq(b.rescue_count, 1);
	ck_assert_str_eq(b.rescued[0], "first");
	close_bench(&b);
}
END_TEST

START_TEST(without_an_answer_that_is_known_it_is_told_as_handled_before)
{
	struct bench b;
	const char *const again[] = {"a", "b", "c", "d"};
	open_bench(&b, _i == 1, 300);
	offer(&b, "a"); /* none */
	answer(&b, 0, "", FLOW_ACCEPTED);
	offer(&b, "b"); /* too large */
	answer(&b, 1, "0123456789012345678901234567890123456789012345", FLOW_ACCEPTED);
	offer(&b, "c"); /* the last one pushes it out */
	answer(&b, 2, "small", FLOW_ACCEPTED);
	offer(&b, "d");
	answer(&b, 3, "small, too", FLOW_ACCEPTED);
	for (int i = 0; i < 4; i++)
		offer(&b, again[i]);
	for (int i = 0; i < 3; i++)
		ck_assert_msg(strcmp(b.rescued[i], MARKS_ERROR_HANDLED) == 0, "%d of %zu: %s", i,
		    b.rescue_count, b.rescued[i]);
	ck_assert_str_eq(b.rescued[3], "small, too");
	ck_assert_uint_eq(core_dedupe_duplicates(b.core), 4);
	close_bench(&b);
}
END_TEST

START_TEST(an_answer_outlives_the_process_with_its_mark)
{
	struct bench b;
	open_bench(&b, true, 10000);
	offer(&b, "a");
	answer(&b, 0, "first", FLOW_ACCEPTED);
	close_bench(&b);
	open_bench(&b, true, 10000);
	offer(&b, "a");
	ck_assert_str_eq(b.rescued[0], "first");
	close_bench(&b);
}
END_TEST

START_TEST(an_answer_that_cannot_be_read_ends_the_run_and_the_request_comes_again)
{
	struct bench b;
	uint64_t wake_ns = 0;
	open_bench(&b, true, 10000);
	offer(&b, "a");
	answer(&b, 0, "first", FLOW_ACCEPTED);
	change("DROP TABLE answer");
	offer(&b, "a");
	ck_assert_uint_eq(b.rescue_count, 0);
	ck_assert_uint_eq(flow_counts(b.flow)->fates[FLOW_RELEASED], 1);
	flow_step(b.flow, &wake_ns, &err);
	ck_assert(!flow_finish(b.flow, &err));
	ck_assert_int_eq(err.kind, ERROR_DATA);
	flow_free(b.flow);
	core_dedupe_free(b.core);
	loop_free(b.loop);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("answers");
	TCase *marks = tcase_create("marks"), *dedupe = tcase_create("dedupe");
	tcase_add_checked_fixture(marks, begin, end);
	tcase_add_loop_test(marks, the_latest_answers_are_known_as_many_as_fit_the_bound, 0, 2);
	tcase_add_loop_test(marks, an_answer_goes_with_its_mark, 0, 2);
	tcase_add_test(marks, answers_are_known_after_a_restart_and_to_who_shares_the_store);
	tcase_add_test(marks, what_an_answer_says_of_itself_is_kept_byte_for_byte);
	tcase_add_test(marks, nobody_gets_the_answer_of_another);
	tcase_add_test(marks, a_bound_of_nothing_forgets_them_all);
	suite_add_tcase(suite, marks);
	tcase_add_checked_fixture(dedupe, begin, end);
	tcase_add_loop_test(dedupe, a_request_that_comes_again_gets_the_first_answer, 0, 2);
	tcase_add_loop_test(dedupe, one_that_waits_for_the_first_gets_its_answer, 0, 2);
	tcase_add_loop_test(
	    dedupe, one_that_waits_for_a_failure_has_its_turn_and_gives_its_own_answer, 0, 2);
	tcase_add_loop_test(dedupe, an_answer_that_found_nobody_is_given_to_who_asks_again, 0, 4);
	tcase_add_loop_test(
	    dedupe, without_an_answer_that_is_known_it_is_told_as_handled_before, 0, 2);
	tcase_add_test(dedupe, an_answer_outlives_the_process_with_its_mark);
	tcase_add_test(
	    dedupe, an_answer_that_cannot_be_read_ends_the_run_and_the_request_comes_again);
	suite_add_tcase(suite, dedupe);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
