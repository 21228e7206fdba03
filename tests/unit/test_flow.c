/* The engine: whatever source, core and sink do, every message is settled exactly once. */
#include "flow/flow.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>

#define MOST 100

/* A source of `total` messages whose token is their number. */
struct numbers {
	uint64_t total, next;
	bool stopped;
	unsigned settled[MOST];
	enum flow_fate fates[MOST];
};

static bool numbers_tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct numbers *n = self;
	(void)now_ns;
	(void)wake_ns;
	(void)err;
	while (!n->stopped && n->next < n->total && flow_room(flow) > 0) {
		struct message m = {.body = SLICE("body")};
		struct flow_message offered = {
		    .message = &m, .queue = SLICE("numbers"), .redelivered = n->next % 2 == 1};
		flow_offer(flow, &offered, n->next++);
	}
	return true;
}

static void numbers_settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	struct numbers *n = self;
	n->settled[token]++;
	n->fates[token] = outcome->fate;
}

static void numbers_stop(void *self)
{
	((struct numbers *)self)->stopped = true;
}

static bool numbers_done(const void *self)
{
	const struct numbers *n = self;
	return n->stopped || n->next == n->total;
}

static const struct flow_source_kind numbers_kind = {
    numbers_tick, numbers_settle, numbers_stop, numbers_done};

/* A sink that holds `hold` messages before it accepts them all; fails at message `fail_at`. */
struct shelf {
	size_t hold, room, count, put;
	size_t fail_at; /* 0: never */
	bool never;	/* accepts nothing by itself */
	bool tight;	/* the room is for what is on it */
	uint64_t busy_until_ns;
	uint64_t slots[MOST];
};

static size_t shelf_room(const void *self)
{
	const struct shelf *s = self;
	return s->tight ? s->room - s->count : s->room;
}

static bool shelf_put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	struct shelf *s = self;
	(void)flow;
	ck_assert(slice_is(m->message->body, "body"));
	ck_assert(slice_is(m->queue, "numbers"));
	ck_assert_uint_gt(shelf_room(s), 0);
	if (++s->put == s->fail_at)
		return error_set(err, ERROR_IO, "the shelf broke");
	s->slots[s->count++] = slot;
	return true;
}

static bool shelf_flush(void *self, struct flow *flow, struct error *err)
{
	struct shelf *s = self;
	(void)err;
	if (s->never || s->count < s->hold)
		return true;
	size_t count = s->count;
	s->count = 0;
	for (size_t i = 0; i < count; i++)
		flow_settle(flow, s->slots[i], i % 10 == 9 ? FLOW_RETURNED : FLOW_ACCEPTED, "");
	return true;
}

static void shelf_abandon(void *self, struct flow *flow)
{
	struct shelf *s = self;
	for (size_t i = 0; i < s->count; i++)
		flow_settle(flow, s->slots[i], FLOW_UNCONFIRMED, "");
	s->count = 0;
}

static uint64_t shelf_progress(const void *self)
{
	const struct shelf *s = self;
	return chrono_now_ns() < s->busy_until_ns ? chrono_now_ns() : 0;
}

static const struct flow_sink_kind shelf_kind = {
    shelf_room, shelf_put, shelf_flush, NULL, shelf_progress, shelf_abandon};

/* A core that hides every third message. */
struct thirds {
	uint64_t seen;
};

static enum flow_answer hide_thirds(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	struct thirds *t = self;
	(void)flow;
	(void)slot;
	(void)in;
	(void)out;
	verdict->fate = FLOW_HELD;
	return t->seen++ % 3 == 2 ? FLOW_SETTLE : FLOW_PASS;
}

static const struct flow_core_kind thirds_kind = {.apply = hide_thirds};

/* A core that makes three of every second message, and none of every fourth. */
struct splitter {
	uint64_t seen;
	uint64_t parts[MOST];
	size_t part_count;
};

static enum flow_answer split(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	struct splitter *s = self;
	uint64_t number = s->seen++;
	(void)out;
	(void)verdict;
	if (number % 2 == 0)
		return FLOW_PASS;
	for (int i = 0; i < 3 && number % 4 == 1; i++)
		flow_branch(flow, slot, in);
	return FLOW_SPLIT;
}

static const struct flow_core_kind split_kind = {.apply = split};

/* Behind the splitter: rejects the second part of each that was split. */
static enum flow_answer reject_second(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	struct splitter *s = self;
	(void)flow;
	(void)slot;
	(void)out;
	if (in->part != 0)
		s->parts[s->part_count++] = in->part;
	verdict->reason = "the second";
	return in->part == 2 ? FLOW_SETTLE : FLOW_PASS;
}

static const struct flow_core_kind second_kind = {.apply = reject_second};

/* Runs and checks the one promise that always holds. */
static bool run(
    struct numbers *n, struct flow_options *options, struct flow_counts *counts, struct error *err)
{
	struct error ignored = {0};
	struct loop *loop = loop_create(&ignored);
	options->source = (struct flow_source){&numbers_kind, n};
	struct flow *flow = flow_create(loop, options);
	bool good = flow_run(flow, err);
	*counts = *flow_counts(flow);
	uint64_t sum = 0;
	for (size_t i = 0; i < FLOW_FATE_COUNT; i++)
		sum += counts->fates[i];
	ck_assert_uint_eq(sum, counts->offered);
	ck_assert_uint_eq(counts->offered, n->next);
	ck_assert_uint_eq(flow_under_way(flow), 0);
	for (uint64_t i = 0; i < n->next; i++)
		ck_assert_uint_eq(n->settled[i], 1);
	flow_free(flow);
	loop_free(loop);
	return good;
}

static struct flow_options options_for(struct shelf *shelf)
{
	return (struct flow_options){.sink = {&shelf_kind, shelf},
	    .window = 20,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = CHRONO_S};
}

START_TEST(all_that_is_offered_is_settled_once)
{
	struct numbers n = {.total = 60};
	struct shelf shelf = {.hold = 20, .room = SIZE_MAX};
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	ck_assert_msg(run(&n, &options, &counts, &err), "%s", err.text);
	ck_assert_uint_eq(counts.offered, 60);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], 54);
	ck_assert_uint_eq(counts.fates[FLOW_RETURNED], 6);
	ck_assert_uint_eq(counts.redelivered, 30);
}
END_TEST

START_TEST(the_limit_counts_what_is_accepted)
{
	struct numbers n = {.total = 60};
	struct shelf shelf = {.hold = 1, .room = SIZE_MAX};
	struct thirds thirds = {0};
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	options.limit = 7;
	options.cores[0] = (struct flow_core){&thirds_kind, &thirds};
	options.core_count = 1;
	ck_assert(run(&n, &options, &counts, &err));
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], 7);
	ck_assert_uint_eq(counts.put, 7);
	ck_assert_uint_eq(counts.fates[FLOW_HELD], 3);
}
END_TEST

START_TEST(a_sink_that_fails_ends_the_run_and_nothing_is_forgotten)
{
	struct numbers n = {.total = 60};
	struct shelf shelf = {.hold = 100, .room = SIZE_MAX, .fail_at = 11};
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	ck_assert(!run(&n, &options, &counts, &err));
	ck_assert_str_eq(err.text, "the shelf broke");
	ck_assert_int_eq(err.kind, ERROR_IO);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], 0);
	ck_assert_uint_ge(counts.fates[FLOW_UNCONFIRMED], 10);
	ck_assert_int_eq(n.fates[10], FLOW_RELEASED);
}
END_TEST

START_TEST(a_sink_without_an_answer_is_waited_for_so_long_and_no_longer)
{
	struct numbers n = {.total = 5};
	struct shelf shelf = {.never = true, .room = SIZE_MAX};
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	options.drain_ns = 50 * CHRONO_MS;
	uint64_t start = chrono_now_ns();
	ck_assert(run(&n, &options, &counts, &err));
	ck_assert_uint_ge(chrono_now_ns() - start, 50 * CHRONO_MS);
	ck_assert_uint_eq(counts.fates[FLOW_UNCONFIRMED], 5);
}
END_TEST

static void wake(void *ctx, uint64_t now_ns)
{
	struct loop *loop = ctx;
	loop_at(loop, now_ns + 10 * CHRONO_MS, wake, loop);
}

START_TEST(a_sink_that_gets_on_is_waited_for)
{
	struct numbers n = {.total = 10};
	uint64_t start = chrono_now_ns();
	struct shelf shelf = {
	    .never = true, .room = SIZE_MAX, .busy_until_ns = start + 400 * CHRONO_MS};
	struct flow_options options = options_for(&shelf);
	struct error err = {0};
	struct loop *loop = loop_create(&err);
	options.source = (struct flow_source){&numbers_kind, &n};
	options.drain_ns = 100 * CHRONO_MS;
	struct flow *flow = flow_create(loop, &options);
	wake(loop, start);
	ck_assert(flow_run(flow, &err));
	ck_assert_uint_ge(chrono_now_ns() - start, 400 * CHRONO_MS);
	ck_assert_uint_eq(flow_counts(flow)->fates[FLOW_UNCONFIRMED], 10);
	flow_free(flow);
	loop_free(loop);
}
END_TEST

START_TEST(the_window_bounds_what_is_under_way)
{
	struct numbers n = {.total = 60};
	struct shelf shelf = {.hold = 8, .room = SIZE_MAX};
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	options.window = 8;
	shelf.fail_at = 0;
	n.total = 56; /* a multiple of what the shelf holds */
	ck_assert(run(&n, &options, &counts, &err));
	ck_assert_uint_eq(counts.put, 56);
}
END_TEST

/* A source that does not listen: it offers in each turn, and is never done. */
static bool flood_tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct message m = {.body = SLICE("body")};
	struct flow_message offered = {.message = &m, .queue = SLICE("numbers")};
	(void)self;
	(void)now_ns;
	(void)err;
	flow_offer(flow, &offered, 0);
	*wake_ns = 0;
	return true;
}

static void flood_settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	(void)self;
	(void)token;
	(void)outcome;
}

static void flood_stop(void *self)
{
	(void)self;
}

static bool flood_done(const void *self)
{
	(void)self;
	return false;
}

static const struct flow_source_kind flood_kind = {
    flood_tick, flood_settle, flood_stop, flood_done};

START_TEST(who_goes_on_sending_does_not_put_the_end_off)
{
	struct shelf shelf = {.hold = 1, .room = MOST};
	struct flow_options options = options_for(&shelf);
	struct error err = {0};
	struct loop *loop = loop_create(&err);
	options.source = (struct flow_source){&flood_kind, NULL};
	options.limit = 5;
	options.drain_ns = 50 * CHRONO_MS;
	struct flow *flow = flow_create(loop, &options);
	ck_assert(flow_run(flow, &err)); /* or Check ends it */
	ck_assert_uint_ge(flow_counts(flow)->fates[FLOW_ACCEPTED], 5);
	flow_free(flow);
	loop_free(loop);
}
END_TEST

static void stop_after_ten(
    void *ctx, const struct flow_message *m, enum flow_fate fate, const char *reason)
{
	struct numbers *n = ctx;
	(void)fate;
	(void)reason;
	ck_assert_ptr_nonnull(m);
	ck_assert(slice_is(m->message->body, "body"));
	if (n->next >= 10)
		n->stopped = true;
}

START_TEST(messages_are_kept_for_who_wants_to_hear_of_them)
{
	struct numbers n = {.total = 60};
	struct shelf shelf = {.hold = 1, .room = 1};
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	options.keep_messages = true;
	options.on_fate = stop_after_ten;
	options.ctx = &n;
	options.window = 1;
	ck_assert(run(&n, &options, &counts, &err));
	ck_assert_uint_eq(counts.offered, 10);
}
END_TEST

START_TEST(a_message_that_became_several_is_accepted_when_all_of_them_are)
{
	struct numbers n = {.total = 40};
	struct shelf shelf = {
	    .hold = 1, .room = 2, .tight = true}; /* fewer than the parts of one */
	struct splitter splitter = {0};
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	options.cores[options.core_count++] = (struct flow_core){&split_kind, &splitter};
	ck_assert(run(&n, &options, &counts, &err));
	/* of four messages: one, three, one, none */
	ck_assert_uint_eq(counts.put, 10 * 5);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], 40);
}
END_TEST

START_TEST(the_gravest_fate_of_the_parts_is_that_of_the_whole)
{
	struct numbers n = {.total = 8};
	struct shelf shelf = {.hold = 1, .room = MOST};
	struct splitter splitter = {0};
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	options.cores[options.core_count++] = (struct flow_core){&split_kind, &splitter};
	options.cores[options.core_count++] = (struct flow_core){&second_kind, &splitter};
	ck_assert(run(&n, &options, &counts, &err));
	ck_assert_uint_eq(counts.fates[FLOW_REJECTED], 2);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], 6);
	ck_assert_int_eq(n.fates[1], FLOW_REJECTED);
	/* numbered the same for each */
	ck_assert_uint_eq(splitter.part_count, 6);
	for (size_t i = 0; i < 6; i++)
		ck_assert_uint_eq(splitter.parts[i], i % 3 + 1);
}
END_TEST

START_TEST(what_was_split_and_is_not_done_at_the_end_is_released_once)
{
	struct numbers n = {.total = 8};
	struct shelf shelf = {.never = true, .room = 4};
	struct splitter splitter = {0};
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	options.drain_ns = 1;
	options.cores[options.core_count++] = (struct flow_core){&split_kind, &splitter};
	ck_assert(run(&n, &options, &counts, &err));
	ck_assert_uint_gt(counts.fates[FLOW_UNCONFIRMED] + counts.fates[FLOW_RELEASED], 0);
}
END_TEST

/* A core that makes a thousand messages of each. */
static enum flow_answer multiply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)self;
	(void)out;
	(void)verdict;
	for (int i = 0; i < 1000; i++)
		flow_branch(flow, slot, in);
	return FLOW_SPLIT;
}

static const struct flow_core_kind multiply_kind = {.apply = multiply};

static enum flow_answer drop_all(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)flow;
	(void)slot;
	(void)in;
	(void)out;
	++*(uint64_t *)self;
	verdict->fate = FLOW_ACCEPTED;
	return FLOW_SETTLE;
}

static const struct flow_core_kind drop_kind = {.apply = drop_all};

START_TEST(a_message_that_becomes_too_many_is_rejected)
{
	struct numbers n = {.total = 1};
	struct shelf shelf = {.hold = 1, .room = MOST};
	uint64_t seen = 0;
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	options.cores[options.core_count++] = (struct flow_core){&multiply_kind, NULL};
	options.cores[options.core_count++] = (struct flow_core){&multiply_kind, NULL};
	options.cores[options.core_count++] = (struct flow_core){&drop_kind, &seen};
	ck_assert(run(&n, &options, &counts, &err));
	ck_assert_uint_eq(counts.fates[FLOW_REJECTED], 1);
	ck_assert_uint_lt(seen, FLOW_MAX_PARTS);
}
END_TEST

static void stop_at_once(void *ctx, const struct flow_message *m)
{
	size_t *put = ctx;
	(void)m;
	if ((*put)++ == 0)
		raise(SIGINT);
}

START_TEST(who_is_stopped_sends_no_more_parts)
{
	struct numbers n = {.total = 1};
	struct shelf shelf = {.hold = 1, .room = 2, .tight = true};
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	size_t put = 0;
	struct error err = {0};
	options.cores[options.core_count++] = (struct flow_core){&multiply_kind, NULL};
	options.on_put = stop_at_once;
	options.ctx = &put;
	ck_assert(run(&n, &options, &counts, &err));
	ck_assert_uint_le(counts.put, 2);
	ck_assert_uint_eq(counts.fates[FLOW_RELEASED], 1);
}
END_TEST

/* Even messages go one way, odd ones the other. */
static enum flow_answer choose_route(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)self;
	(void)out;
	(void)verdict;
	flow_set_route(flow, slot, 1 + (unsigned)(in->number % 2));
	return FLOW_PASS;
}

static const struct flow_core_kind route_kind = {.apply = choose_route};

static enum flow_answer reject_all(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)self;
	(void)flow;
	(void)slot;
	(void)in;
	(void)out;
	verdict->reason = "refused";
	return FLOW_SETTLE;
}

static const struct flow_core_kind reject_kind = {.apply = reject_all};

START_TEST(a_core_sees_only_the_messages_of_its_route)
{
	struct numbers n = {.total = 10};
	struct shelf shelf = {.hold = 1, .room = MOST};
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	options.cores[options.core_count++] = (struct flow_core){&route_kind, NULL};
	options.routes[options.core_count] = 2;
	options.cores[options.core_count++] = (struct flow_core){&reject_kind, NULL};
	ck_assert(run(&n, &options, &counts, &err));
	for (uint64_t i = 0; i < 10; i++)
		ck_assert_int_eq(n.fates[i], i % 2 == 0 ? FLOW_ACCEPTED : FLOW_REJECTED);
}
END_TEST

static bool answer_anyway(void *ctx, uint64_t slot, const struct flow_message *m,
    const struct flow_verdict *verdict, struct message *out)
{
	(void)slot;
	size_t *count = ctx;
	ck_assert_str_eq(verdict->reason, "refused");
	*out = *m->message;
	(*count)++;
	return true;
}

START_TEST(what_a_core_rejects_can_be_answered_instead)
{
	struct numbers n = {.total = 5};
	struct shelf shelf = {.hold = 1, .room = MOST};
	size_t rescued = 0;
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	options.cores[options.core_count++] = (struct flow_core){&reject_kind, NULL};
	options.keep_messages = true;
	options.rescue = answer_anyway;
	options.ctx = &rescued;
	ck_assert(run(&n, &options, &counts, &err));
	ck_assert_uint_eq(rescued, 5);
	ck_assert_uint_eq(counts.put, 5);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], 5);
}
END_TEST

/* A core that answers later, when the sink has lost its broker, which is there again a turn after.
 */
struct late {
	struct shelf *shelf;
	size_t slots[MOST], count;
	bool has_answered;
	void (*then)(struct flow *flow); /* or NULL: what happens at the same moment */
};

static enum flow_answer keep(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)flow, (void)in, (void)out, (void)verdict;
	struct late *late = self;
	late->slots[late->count++] = slot;
	return FLOW_PENDING;
}

static void answer_late(void *self, struct flow *flow)
{
	struct late *late = self;
	const struct message m = {.body = SLICE("body")};
	bool answers = late->count > 0 && !late->has_answered;
	char own[] = "numbers";
	const struct flow_message answer = {.message = &m, .queue = slice_str(own)};
	late->shelf->room = answers ? 0 : MOST;
	for (size_t i = 0; answers && i < late->count; i++)
		flow_resume(flow, late->slots[i], FLOW_PASS, NULL, &answer);
	memset(own, 'x', sizeof own - 1); /* it is the core's */
	late->has_answered |= late->count > 0;
	if (answers && late->then != NULL)
		late->then(flow);
}

static const struct flow_core_kind late_kind = {.apply = keep, .advance = answer_late};

START_TEST(what_is_answered_while_the_sink_has_no_room_waits_for_it)
{
	struct numbers n = {.total = 5};
	struct shelf shelf = {.hold = 1, .room = MOST};
	struct late late = {.shelf = &shelf};
	struct flow_options options = options_for(&shelf);
	struct error err = {0};
	struct loop *loop = loop_create(&err);
	options.source = (struct flow_source){&numbers_kind, &n};
	options.cores[options.core_count++] = (struct flow_core){&late_kind, &late};
	options.drain_ns = 60 * CHRONO_S;
	struct flow *flow = flow_create(loop, &options);
	wake(loop, chrono_now_ns());
	ck_assert_msg(flow_run(flow, &err), "%s", err.text);
	ck_assert_uint_eq(flow_counts(flow)->fates[FLOW_ACCEPTED], n.next);
	flow_free(flow);
	loop_free(loop);
}
END_TEST

static void break_down(struct flow *flow)
{
	flow_fail(flow, &(struct error){.kind = ERROR_IO, .text = "it broke"});
}

START_TEST(what_waits_for_the_sink_is_released_when_the_run_fails)
{
	struct numbers n = {.total = 5};
	struct shelf shelf = {.hold = 1, .room = MOST};
	struct late late = {.shelf = &shelf, .then = break_down};
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	options.cores[options.core_count++] = (struct flow_core){&late_kind, &late};
	options.drain_ns = 60 * CHRONO_S; /* not waited for */
	uint64_t start = chrono_now_ns();
	ck_assert(!run(&n, &options, &counts, &err));
	ck_assert_str_eq(err.text, "it broke");
	ck_assert_uint_eq(counts.fates[FLOW_RELEASED], 5);
	ck_assert_uint_lt(chrono_now_ns() - start, 30 * CHRONO_S);
}
END_TEST

static void interrupt(struct flow *flow)
{
	(void)flow;
	raise(SIGINT);
}

static enum flow_answer split_first(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)out, (void)verdict;
	uint64_t *seen = self;
	if ((*seen)++ > 0)
		return FLOW_PASS;
	flow_branch(flow, slot, in);
	flow_branch(flow, slot, in);
	return FLOW_SPLIT;
}

static const struct flow_core_kind split_first_kind = {.apply = split_first};

START_TEST(at_the_end_parts_that_wait_are_released_and_whole_messages_go_out)
{
	struct numbers n = {.total = 5};
	struct shelf shelf = {.hold = 1, .room = MOST};
	struct late late = {.shelf = &shelf, .then = interrupt};
	uint64_t seen = 0;
	struct flow_options options = options_for(&shelf);
	struct flow_counts counts;
	struct error err = {0};
	options.cores[options.core_count++] = (struct flow_core){&late_kind, &late};
	options.cores[options.core_count++] = (struct flow_core){&split_first_kind, &seen};
	options.drain_ns = 60 * CHRONO_S;
	ck_assert_msg(run(&n, &options, &counts, &err), "%s", err.text);
	ck_assert_int_eq(n.fates[0], FLOW_RELEASED);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("flow");
	TCase *cases = tcase_create("flow");
	tcase_add_test(cases, all_that_is_offered_is_settled_once);
	tcase_add_test(cases, the_limit_counts_what_is_accepted);
	tcase_add_test(cases, a_sink_that_fails_ends_the_run_and_nothing_is_forgotten);
	tcase_add_test(cases, a_sink_without_an_answer_is_waited_for_so_long_and_no_longer);
	tcase_add_test(cases, a_sink_that_gets_on_is_waited_for);
	tcase_add_test(cases, the_window_bounds_what_is_under_way);
	tcase_add_test(cases, who_goes_on_sending_does_not_put_the_end_off);
	tcase_add_test(cases, messages_are_kept_for_who_wants_to_hear_of_them);
	tcase_add_test(cases, a_message_that_became_several_is_accepted_when_all_of_them_are);
	tcase_add_test(cases, the_gravest_fate_of_the_parts_is_that_of_the_whole);
	tcase_add_test(cases, what_was_split_and_is_not_done_at_the_end_is_released_once);
	tcase_add_test(cases, a_message_that_becomes_too_many_is_rejected);
	tcase_add_test(cases, who_is_stopped_sends_no_more_parts);
	tcase_add_test(cases, a_core_sees_only_the_messages_of_its_route);
	tcase_add_test(cases, what_a_core_rejects_can_be_answered_instead);
	tcase_add_test(cases, what_is_answered_while_the_sink_has_no_room_waits_for_it);
	tcase_add_test(cases, what_waits_for_the_sink_is_released_when_the_run_fails);
	tcase_add_test(cases, at_the_end_parts_that_wait_are_released_and_whole_messages_go_out);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
