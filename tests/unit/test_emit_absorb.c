/* The two measuring ends of a load run, without a broker between them. */
#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "bench/absorb.h"
#include "bench/emit.h"
#include "model/table.h"

#include <check.h>
#include <stdlib.h>

#define MOST 16
#define RUN 0xabcdef01
#define PUBLISHERS 3
#define QUEUES 2

/* ---- what stands at the other ends ---- */

/* A source of given messages; their number is their token. */
struct feed {
	const struct message *messages[MOST];
	const char *queues[MOST];
	bool redelivered[MOST];
	uint64_t due_ns;
	size_t total, next;
	bool stopped;
	size_t settled;
	enum flow_fate fates[MOST];
};

static bool feed_tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct feed *f = self;
	(void)now_ns, (void)wake_ns, (void)err;
	while (!f->stopped && f->next < f->total && flow_room(flow) > 0) {
		size_t i = f->next++;
		struct flow_message m = {.message = f->messages[i],
		    .queue = slice_str(f->queues[i]),
		    .redelivered = f->redelivered[i],
		    .due_ns = f->due_ns};
		flow_offer(flow, &m, i);
	}
	return true;
}

static void feed_settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	struct feed *f = self;
	f->settled++;
	f->fates[token] = outcome->fate;
}

static void feed_stop(void *self)
{
	((struct feed *)self)->stopped = true;
}

static bool feed_is_done(const void *self)
{
	const struct feed *f = self;
	return f->stopped || f->next == f->total;
}

static struct flow_source feed_source(struct feed *f)
{
	static const struct flow_source_kind kind = {
	    feed_tick, feed_settle, feed_stop, feed_is_done};
	return (struct flow_source){&kind, f};
}

/* A sink that keeps copies, and has a fate for each. */
struct shelf {
	struct message *kept[MOST];
	enum flow_fate fates[MOST];
	size_t count, fail_at; /* 0: never */
};

static size_t shelf_room(const void *self)
{
	(void)self;
	return SIZE_MAX;
}

static bool shelf_put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	struct shelf *s = self;
	if (s->fail_at > 0 && s->count + 1 == s->fail_at)
		return error_set(err, ERROR_IO, "the shelf broke");
	size_t i = s->count++;
	s->kept[i] = message_copy(m->message);
	flow_settle(flow, slot, s->fates[i], "");
	return true;
}

static bool shelf_flush(void *self, struct flow *flow, struct error *err)
{
	(void)self, (void)flow, (void)err;
	return true;
}

static void shelf_abandon(void *self, struct flow *flow)
{
	(void)self, (void)flow;
}

static const struct flow_sink_kind shelf_kind = {
    shelf_room, shelf_put, shelf_flush, NULL, NULL, shelf_abandon};

/* ---- a run of each ---- */

static struct loop *loop;
static struct notes notes;
static struct feed feed;
static struct shelf shelf;
static struct emit_options emitting;
static struct absorb_options absorbing;
static struct message plain; /* that the source makes */
static struct ledger_verdict verdict;
static struct error err;
static uint64_t blocked_until_ns, started_ns; /* 0: not, now */

static const char *const queues[QUEUES] = {"a", "b"};
static const size_t queue_numbers[QUEUES] = {0, 1};

static void setup(void)
{
	err = (struct error){0};
	loop = loop_create(&err);
	tally_clear(&notes.tally);
	notes.ledger = ledger_create(PUBLISHERS, QUEUES);
	feed = (struct feed){.total = 3, .due_ns = chrono_now_ns()};
	shelf = (struct shelf){0};
	plain = (struct message){.body = SLICE("thirty bytes, of which 12 go..")};
	for (size_t i = 0; i < MOST; i++)
		feed.messages[i] = &plain;
	emitting = (struct emit_options){
	    .notes = &notes, .run = RUN, .publisher = 1, .stamp = EMIT_HEADER, .window = 4};
	absorbing = (struct absorb_options){.loop = loop,
	    .notes = &notes,
	    .run = RUN,
	    .publishers = PUBLISHERS,
	    .is_stamped = true,
	    .queues = queues,
	    .queue_numbers = queue_numbers,
	    .queue_count = QUEUES};
	blocked_until_ns = started_ns = 0;
}

static void teardown(void)
{
	for (size_t i = 0; i < shelf.count; i++)
		free(shelf.kept[i]);
	ledger_free(notes.ledger);
	loop_free(loop);
}

/* From the feed over an emit to the shelf. */
static bool emit(void)
{
	struct emit *e = emit_create(&emitting);
	struct flow_options options = {.source = feed_source(&feed),
	    .cores = {emit_core(e)},
	    .core_count = 1,
	    .sink = {&shelf_kind, &shelf},
	    .window = emitting.window > 0 ? emitting.window : 4,
	    .limit = FLOW_NO_LIMIT,
	    .on_fate = emit_on_fate,
	    .ctx = e};
	emit_start(e, started_ns != 0 ? started_ns : chrono_now_ns());
	if (blocked_until_ns != 0)
		emit_unblocked(e, blocked_until_ns);
	struct flow *flow = flow_create(loop, &options);
	bool good = flow_run(flow, &err);
	flow_free(flow);
	emit_free(e);
	ledger_judge(notes.ledger, &verdict);
	return good;
}

/* From the feed into this absorb; at most until the end given. */
static void absorb_with(struct absorb *a, uint64_t end_ns)
{
	struct flow_options options = {.source = feed_source(&feed),
	    .sink = absorb_sink(a),
	    .window = MOST,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = 20 * CHRONO_S};
	absorb_start(a, started_ns != 0 ? started_ns : chrono_now_ns());
	struct flow *flow = flow_create(loop, &options);
	do {
		uint64_t wake_ns = end_ns;
		if (flow_step(flow, &wake_ns, &err) != FLOW_RUNS)
			break;
		ck_assert(loop_turn(loop, wake_ns, &err));
	} while (chrono_now_ns() < end_ns);
	ck_assert_msg(flow_finish(flow, &err), "%s", err.text);
	flow_free(flow);
	ledger_judge(notes.ledger, &verdict);
}

static void absorb_until(uint64_t end_ns)
{
	struct absorb *a = absorb_create(&absorbing);
	absorb_with(a, end_ns);
	absorb_free(a);
}

static void absorb(void)
{
	absorb_until(CHRONO_NEVER);
	ck_assert_uint_eq(feed.settled, feed.total);
}

static void assert_counted(enum tally_count count, uint64_t expected)
{
	ck_assert_msg(notes.tally.counts[count] == expected, "%s: %llu, not %llu",
	    tally_count_names[count], (unsigned long long)notes.tally.counts[count],
	    (unsigned long long)expected);
}

static void assert_timed(enum tally_latency latency, uint64_t expected)
{
	ck_assert_msg(notes.tally.latencies[latency].count == expected, "%s: %llu, not %llu",
	    tally_latency_names[latency], (unsigned long long)notes.tally.latencies[latency].count,
	    (unsigned long long)expected);
}

/* ---- emit ---- */

static void assert_probes(enum probe_clock clock)
{
	for (size_t i = 0; i < shelf.count; i++) {
		struct probe p;
		ck_assert(probe_read(shelf.kept[i], &p));
		ck_assert_int_eq(p.clock, clock);
		ck_assert_uint_eq(p.run, RUN);
		ck_assert_uint_eq(p.publisher, 1);
		ck_assert_uint_eq(p.sequence, i);
		ck_assert_uint_ge(p.sent_ns, p.due_ns);
	}
}

START_TEST(each_message_is_marked_counted_and_timed)
{
	struct steps sizes = {0};
	ck_assert(steps_add(&sizes, "64:1s", num_parse_size, &err));
	emitting.stamp = EMIT_BODY;
	emitting.sizes = &sizes;
	feed.total = 10;
	feed.due_ns = chrono_now_ns() - CHRONO_S;
	ck_assert(emit());
	ck_assert_uint_eq(shelf.count, 10);
	assert_probes(PROBE_MONOTONIC);
	for (size_t i = 0; i < 10; i++) {
		ck_assert_uint_eq(shelf.kept[i]->body.len, 64);
		ck_assert_mem_eq(shelf.kept[i]->body.ptr + PROBE_BYTES,
		    shelf.kept[0]->body.ptr + PROBE_BYTES, 64 - PROBE_BYTES);
	}
	assert_counted(TALLY_SENT, 10);
	assert_counted(TALLY_SENT_BYTES, 640);
	assert_counted(TALLY_CONFIRMED, 10);
	assert_timed(TALLY_GAP, 10);
	assert_timed(TALLY_CONFIRM_DUE, 10);
	assert_timed(TALLY_CONFIRM_SENT, 10);
	assert_timed(TALLY_LATENCY_DUE, 0);
	const struct histogram *h = notes.tally.latencies;
	ck_assert_uint_ge(h[TALLY_GAP].min_ns, CHRONO_S);
	ck_assert_uint_ge(h[TALLY_CONFIRM_DUE].min_ns, h[TALLY_GAP].min_ns);
	ck_assert_uint_lt(h[TALLY_CONFIRM_SENT].min_ns, CHRONO_S);
	ck_assert_uint_eq(verdict.settled[LEDGER_CONFIRMED], 10);
	steps_release(&sizes);
}
END_TEST

START_TEST(the_times_in_a_probe_are_those_that_are_noted)
{
	struct probe p;
	uint64_t before_ns = chrono_now_ns();
	feed.total = 1;
	feed.due_ns = before_ns - 7 * CHRONO_MS;
	ck_assert(emit());
	ck_assert(probe_read(shelf.kept[0], &p));
	ck_assert_uint_eq(p.due_ns, feed.due_ns);
	ck_assert_uint_ge(p.sent_ns, before_ns);
	ck_assert_uint_le(p.sent_ns, chrono_now_ns());
	ck_assert_uint_eq(notes.tally.latencies[TALLY_GAP].max_ns, p.sent_ns - p.due_ns);
}
END_TEST

START_TEST(every_fate_is_noted_as_what_it_is)
{
	feed.total = 6;
	shelf.fates[1] = FLOW_RETURNED;
	shelf.fates[2] = shelf.fates[3] = FLOW_NACKED;
	shelf.fates[4] = FLOW_UNCONFIRMED;
	ck_assert(emit());
	assert_counted(TALLY_SENT, 6);
	assert_counted(TALLY_CONFIRMED, 2);
	assert_counted(TALLY_RETURNED, 1);
	assert_counted(TALLY_NACKED, 2);
	assert_counted(TALLY_UNCONFIRMED, 1);
	assert_timed(TALLY_CONFIRM_DUE, 2);
	ck_assert_uint_eq(verdict.settled[LEDGER_CONFIRMED], 2);
	ck_assert_uint_eq(verdict.settled[LEDGER_RETURNED], 1);
	ck_assert_uint_eq(verdict.settled[LEDGER_NACKED], 2);
	ck_assert_uint_eq(verdict.settled[LEDGER_UNCONFIRMED], 1);
}
END_TEST

START_TEST(what_the_sink_did_not_take_was_not_sent)
{
	shelf.fail_at = 3;
	ck_assert(!emit());
	ck_assert_str_eq(err.text, "the shelf broke");
	assert_counted(TALLY_SENT, 2);
	assert_counted(TALLY_SENT_BYTES, 2 * plain.body.len);
	assert_counted(TALLY_CONFIRMED, 2);
	assert_counted(TALLY_UNCONFIRMED, 0);
	ck_assert_uint_eq(verdict.settled[LEDGER_CONFIRMED], 2);
	ck_assert_uint_eq(verdict.settled[LEDGER_UNCONFIRMED], 0);
}
END_TEST

START_TEST(a_header_leaves_body_and_other_headers_alone)
{
	struct buf headers = {0};
	table_add_string(&headers, "tenant", SLICE("seven"));
	plain.headers = buf_slice(&headers);
	plain.present = MESSAGE_HEADERS | MESSAGE_MESSAGE_ID | MESSAGE_PRIORITY;
	plain.message_id = SLICE("id");
	emitting.stripped = MESSAGE_MESSAGE_ID | MESSAGE_CONTENT_TYPE;
	ck_assert(emit());
	assert_probes(PROBE_MONOTONIC);
	for (size_t i = 0; i < 3; i++) {
		const struct message *m = shelf.kept[i];
		ck_assert(slice_equal(m->body, plain.body));
		ck_assert(slice_is(table_find_string(m->headers, "tenant"), "seven"));
		ck_assert_uint_eq(m->headers.len, headers.len + PROBE_HEADER_BYTES);
		ck_assert_uint_eq(m->present, MESSAGE_HEADERS | MESSAGE_PRIORITY);
	}
	buf_release(&headers);
}
END_TEST

START_TEST(headers_that_do_not_count_are_not_sent_with_the_probe)
{
	plain.headers = SLICE("what is not present"); /* and no table either */
	ck_assert(emit());
	assert_probes(PROBE_MONOTONIC);
	ck_assert_uint_eq(shelf.kept[0]->headers.len, PROBE_HEADER_BYTES);
}
END_TEST

/* The twelve bytes are followed by what was made up. */
static void assert_perftests(const struct message *m, uint64_t sequence, size_t size)
{
	struct probe p;
	struct buf made_up = {0};
	struct rng rng;
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	rng_seed(&rng, size);
	for (size_t i = 0; i < size; i++)
		buf_append_char(&made_up, letters[rng_next(&rng) % 64]);
	ck_assert(probe_read_perftest(m, PROBE_WALL, &p));
	ck_assert_uint_eq(p.sequence, sequence);
	ck_assert_uint_ge(p.sent_ns / CHRONO_MS + 10000, chrono_wall_ns() / CHRONO_MS);
	ck_assert_uint_eq(m->body.len, size);
	ck_assert_mem_eq(m->body.ptr + 12, made_up.ptr + 12, size - 12);
	ck_assert_uint_eq(m->present, 0);
	ck_assert(!probe_read(m, &p));
	buf_release(&made_up);
}

START_TEST(perftest_gets_its_twelve_bytes_and_no_more)
{
	static const char *const texts[] = {"12:1s", "30:1s", "64:1s"};
	static const size_t lengths[] = {12, 30, 64};
	struct steps sizes = {0};
	ck_assert(steps_add(&sizes, texts[_i], num_parse_size, &err));
	emitting.stamp = EMIT_PERFTEST;
	emitting.clock = PROBE_WALL;
	emitting.sizes = &sizes;
	ck_assert(emit());
	for (size_t i = 0; i < 3; i++)
		assert_perftests(shelf.kept[i], i, lengths[_i]);
	steps_release(&sizes);
}
END_TEST

/* Made by the source, or given: long enough for a stamp, and too short. */
START_TEST(bodies_of_others_keep_their_bytes_and_perftest_gets_a_header)
{
	const struct slice given = SLICE("of a file, and long enough for twelve");
	struct probe p;
	plain.body = _i == 1 ? SLICE("eleven byte") : plain.body;
	emitting.bodies = &given;
	emitting.body_count = _i == 2;
	emitting.stamp = EMIT_PERFTEST;
	emitting.clock = PROBE_WALL;
	ck_assert(emit());
	for (size_t i = 0; i < 3; i++) {
		const struct message *m = shelf.kept[i];
		struct table_entry entry = {.rest = m->headers};
		ck_assert(slice_equal(m->body, _i == 2 ? given : plain.body));
		ck_assert_uint_eq(m->present, MESSAGE_HEADERS);
		ck_assert_uint_eq(m->headers.len, PROBE_PERFTEST_HEADER_BYTES);
		ck_assert(table_next(&entry));
		ck_assert(slice_is(entry.key, "timestamp"));
		ck_assert_int_eq(entry.type, 'l');
		ck_assert(!table_next(&entry));
		ck_assert(probe_read_perftest(m, PROBE_WALL, &p));
		ck_assert_uint_ge(p.sent_ns / CHRONO_MS + 10000, chrono_wall_ns() / CHRONO_MS);
		ck_assert(!probe_read(m, &p));
	}
}
END_TEST

START_TEST(perftests_header_stands_behind_those_there_are)
{
	struct buf headers = {0};
	table_add_string(&headers, "tenant", SLICE("seven"));
	plain.headers = buf_slice(&headers);
	plain.present = MESSAGE_HEADERS;
	emitting.stamp = EMIT_PERFTEST;
	ck_assert(emit());
	ck_assert(slice_is(table_find_string(shelf.kept[2]->headers, "tenant"), "seven"));
	ck_assert_uint_eq(shelf.kept[2]->headers.len, headers.len + PROBE_PERFTEST_HEADER_BYTES);
	buf_release(&headers);
}
END_TEST

START_TEST(without_a_stamp_a_message_stays_as_it_is)
{
	emitting.stamp = EMIT_NONE;
	ck_assert(emit());
	for (size_t i = 0; i < 3; i++) {
		ck_assert(slice_equal(shelf.kept[i]->body, plain.body));
		ck_assert_uint_eq(shelf.kept[i]->present, 0);
	}
	assert_counted(TALLY_SENT, 3);
	assert_timed(TALLY_GAP, 3);
}
END_TEST

START_TEST(bodies_that_are_given_take_turns)
{
	static const char long_body[100] = "long";
	const struct slice bodies[] = {{long_body, sizeof long_body}, SLICE("short")};
	emitting.bodies = bodies;
	emitting.body_count = 2;
	feed.total = 4;
	ck_assert(emit());
	assert_probes(PROBE_MONOTONIC);
	for (size_t i = 0; i < 4; i++)
		ck_assert(slice_equal(shelf.kept[i]->body, bodies[i % 2]));
	assert_counted(TALLY_SENT_BYTES, 210);
}
END_TEST

START_TEST(sizes_follow_the_time_since_the_start)
{
	struct steps sizes = {0};
	ck_assert(steps_add(&sizes, "100:10s", num_parse_size, &err));
	ck_assert(steps_add(&sizes, "200:1h", num_parse_size, &err));
	emitting.sizes = &sizes;
	started_ns = chrono_now_ns() - (_i == 0 ? 0 : 10 * CHRONO_S);
	ck_assert(emit());
	ck_assert_uint_eq(shelf.kept[0]->body.len, _i == 0 ? 100 : 200);
	steps_release(&sizes);
}
END_TEST

START_TEST(what_was_due_while_the_broker_blocked_is_due_when_it_no_longer_does)
{
	struct probe p;
	feed.due_ns = chrono_now_ns() - 100 * CHRONO_S;
	blocked_until_ns = chrono_now_ns();
	ck_assert(emit());
	ck_assert(probe_read(shelf.kept[0], &p));
	ck_assert_uint_eq(p.due_ns, blocked_until_ns);
	ck_assert_uint_lt(notes.tally.latencies[TALLY_GAP].max_ns, 100 * CHRONO_S);
	ck_assert_uint_lt(notes.tally.latencies[TALLY_CONFIRM_DUE].max_ns, 100 * CHRONO_S);
}
END_TEST

START_TEST(what_is_due_later_than_that_keeps_its_time)
{
	struct probe p;
	blocked_until_ns = feed.due_ns - CHRONO_S;
	ck_assert(emit());
	ck_assert(probe_read(shelf.kept[0], &p));
	ck_assert_uint_eq(p.due_ns, feed.due_ns);
}
END_TEST

START_TEST(the_wall_clock_tells_the_same_span)
{
	struct probe p;
	emitting.clock = PROBE_WALL;
	feed.due_ns = chrono_now_ns() - 100 * CHRONO_S;
	ck_assert(emit());
	assert_probes(PROBE_WALL);
	ck_assert(probe_read(shelf.kept[0], &p));
	ck_assert_uint_ge(p.sent_ns - p.due_ns, 99 * CHRONO_S);
	ck_assert_uint_le(p.sent_ns - p.due_ns, 120 * CHRONO_S);
	ck_assert_uint_ge(p.sent_ns + 20 * CHRONO_S, chrono_wall_ns());
	ck_assert_uint_le(p.sent_ns, chrono_wall_ns() + 20 * CHRONO_S);
}
END_TEST

START_TEST(without_confirms_each_is_settled_at_once)
{
	emitting.window = 0;
	feed.total = 10;
	for (size_t i = 0; i < 10; i++)
		shelf.fates[i] = FLOW_UNCONFIRMED;
	ck_assert(emit());
	assert_counted(TALLY_SENT, 10);
	assert_counted(TALLY_UNCONFIRMED, 10);
	ck_assert_uint_eq(verdict.settled[LEDGER_UNCONFIRMED], 10);
}
END_TEST

START_TEST(without_confirms_what_comes_back_is_counted)
{
	emitting.window = 0;
	feed.total = 2;
	shelf.fates[0] = shelf.fates[1] = FLOW_UNCONFIRMED;
	ck_assert(emit());
	struct emit *e = emit_create(&emitting);
	emit_on_return(e);
	emit_on_return(e);
	emit_free(e);
	assert_counted(TALLY_SENT, 2);
	assert_counted(TALLY_RETURNED, 2);
	assert_counted(TALLY_UNCONFIRMED, 2);
	ck_assert_uint_eq(verdict.settled[LEDGER_RETURNED], 0); /* nobody knows which one it was */
}
END_TEST

START_TEST(the_last_moment_of_a_publisher_is_noted)
{
	uint64_t before_ns = chrono_now_ns();
	notes.last_ns = 0;
	shelf.fates[0] = shelf.fates[1] = shelf.fates[2] = _i == 0 ? FLOW_ACCEPTED : FLOW_NACKED;
	ck_assert(emit());
	ck_assert_uint_ge(notes.last_ns, before_ns);
	ck_assert_uint_le(notes.last_ns, chrono_now_ns());
}
END_TEST

/* ---- absorb ---- */

/* Has the feed bring these, as if a publisher had sent them. */
struct arrival {
	uint32_t run, publisher;
	uint64_t sequence;
	const char *queue;
	bool redelivered;
};

static struct message arrived[MOST];
static char bodies[MOST][PROBE_BYTES];

static void bring(const struct arrival *arrivals, size_t count)
{
	uint64_t now_ns = chrono_now_ns();
	feed.total = count;
	for (size_t i = 0; i < count; i++) {
		struct probe p = {.run = arrivals[i].run,
		    .publisher = arrivals[i].publisher,
		    .sequence = arrivals[i].sequence,
		    .due_ns = now_ns - 2 * CHRONO_S,
		    .sent_ns = now_ns - CHRONO_S};
		probe_write(&p, bodies[i]);
		arrived[i] = (struct message){.body = {bodies[i], PROBE_BYTES}};
		feed.messages[i] = &arrived[i];
		feed.queues[i] = arrivals[i].queue;
		feed.redelivered[i] = arrivals[i].redelivered;
	}
}

START_TEST(what_is_emitted_is_absorbed)
{
	feed.total = 10;
	ck_assert(emit());
	size_t bytes = 10 * plain.body.len;
	feed = (struct feed){.total = 10};
	for (size_t i = 0; i < 10; i++) {
		feed.messages[i] = shelf.kept[i];
		feed.queues[i] = "b";
	}
	absorb();
	assert_counted(TALLY_RECEIVED, 10);
	assert_counted(TALLY_RECEIVED_BYTES, bytes);
	assert_counted(TALLY_FOREIGN, 0);
	assert_counted(TALLY_REORDERED, 0);
	assert_counted(TALLY_REDELIVERED, 0);
	assert_timed(TALLY_LATENCY_DUE, 10);
	assert_timed(TALLY_LATENCY_SENT, 10);
	ck_assert_uint_eq(verdict.received, 10);
	ck_assert_uint_eq(verdict.lost, 0);
	ck_assert_uint_eq(verdict.unsettled_received, 0);
}
END_TEST

START_TEST(latencies_count_from_due_and_from_sent)
{
	static const struct arrival one = {RUN, 0, 0, "a", false};
	bring(&one, 1);
	absorb();
	const struct histogram *h = notes.tally.latencies;
	ck_assert_uint_ge(h[TALLY_LATENCY_DUE].min_ns, 2 * CHRONO_S);
	ck_assert_uint_ge(h[TALLY_LATENCY_SENT].min_ns, CHRONO_S);
	ck_assert_uint_lt(h[TALLY_LATENCY_SENT].min_ns, h[TALLY_LATENCY_DUE].min_ns);
}
END_TEST

START_TEST(nothing_arrives_before_it_was_sent)
{
	static const struct arrival one = {RUN, 0, 0, "a", false};
	bring(&one, 1);
	struct probe p = {.run = RUN, .due_ns = UINT64_MAX, .sent_ns = UINT64_MAX};
	probe_write(&p, bodies[0]);
	absorb();
	assert_timed(TALLY_LATENCY_SENT, 1);
	ck_assert_uint_eq(notes.tally.latencies[TALLY_LATENCY_SENT].max_ns, 0);
}
END_TEST

START_TEST(what_others_sent_is_counted_and_not_timed)
{
	static const struct arrival arrivals[] = {
	    {RUN + 1, 0, 5, "a", false}, {RUN, 0, 0, "a", false}, {RUN, 1, 0, "a", true}};
	bring(arrivals, ARRAY_LEN(arrivals));
	feed.messages[2] = &plain; /* no probe */
	absorb();
	assert_counted(TALLY_RECEIVED, 3);
	assert_counted(TALLY_REDELIVERED, 1);
	assert_counted(TALLY_FOREIGN, 2);
	assert_counted(TALLY_REORDERED, 0);
	assert_timed(TALLY_LATENCY_DUE, 1);
	ck_assert_uint_eq(verdict.received, 1);
}
END_TEST

START_TEST(numbers_that_cannot_be_ours_are_foreign)
{
	static const struct arrival arrivals[] = {{RUN, PUBLISHERS, 0, "a", false},
	    {RUN, UINT32_MAX, 0, "a", false}, {RUN, 0, UINT64_MAX, "a", false}};
	bring(arrivals, ARRAY_LEN(arrivals));
	absorb();
	assert_counted(TALLY_FOREIGN, 3);
	ck_assert_uint_eq(verdict.received, 0);
	ck_assert_uint_eq(verdict.refused, 3);
}
END_TEST

START_TEST(without_publishers_of_this_run_all_are_timed)
{
	static const struct arrival arrivals[] = {{1, 7, 0, "a", false}, {2, 7, 1, "a", false},
	    {3, 7, 0, "a", false}, {4, UINT32_MAX, 1, "a", false}};
	absorbing.publishers = 0;
	bring(arrivals, ARRAY_LEN(arrivals));
	absorb();
	assert_counted(TALLY_FOREIGN, 0);
	assert_counted(TALLY_REORDERED, 0);
	assert_timed(TALLY_LATENCY_DUE, 4);
	assert_timed(TALLY_LATENCY_SENT, 4);
	ck_assert_uint_eq(verdict.received, 0); /* there is no ledger of others */
}
END_TEST

START_TEST(each_run_of_others_has_an_order_of_its_own)
{
	static const struct arrival arrivals[] = {{1, 7, 5, "a", false}, {2, 7, 0, "a", false},
	    {1, 7, 6, "a", false}, {2, 7, 1, "a", false}, {2, 7, 0, "a", false},
	    {1, 7, 4, "b", false}, {1, 7, 3, "b", false}};
	absorbing.publishers = 0;
	bring(arrivals, ARRAY_LEN(arrivals));
	absorb();
	assert_counted(TALLY_REORDERED, 2); /* the second run's 0 on a, the first one's 3 on b */
}
END_TEST

START_TEST(as_many_runs_as_are_left_in_a_queue_are_told_apart)
{
	struct arrival arrivals[MOST];
	for (size_t i = 0; i < MOST; i++) /* each run goes back by one */
		arrivals[i] = (struct arrival){(uint32_t)(i / 2 + 1), 0, 1 - i % 2, "a", false};
	absorbing.publishers = 0;
	bring(arrivals, MOST);
	absorb();
	assert_counted(TALLY_REORDERED, MOST / 2);
}
END_TEST

/* Sixteen runs are followed; the order of more is not. */
START_TEST(runs_beyond_that_are_timed_without_an_order)
{
	absorbing.publishers = 0;
	struct arrival arrivals[MOST];
	for (size_t i = 0; i < MOST; i++)
		arrivals[i] = (struct arrival){(uint32_t)i, 0, 1, "a", false};
	struct absorb *a = absorb_create(&absorbing);
	for (int round = 0; round < 2; round++) {
		bring(arrivals, MOST);
		feed.next = feed.settled = 0;
		feed.stopped = false;
		absorb_with(a, CHRONO_NEVER);
		for (size_t i = 0; i < MOST; i++) {
			arrivals[i].run += round == 0 ? MOST / 2 : 0;
			arrivals[i].sequence = 0;
		}
	}
	absorb_free(a);
	assert_timed(TALLY_LATENCY_DUE, 2 * MOST);
	assert_counted(TALLY_REORDERED, MOST / 2); /* of 0 to 23, those below 16 */
}
END_TEST

START_TEST(the_last_moment_of_a_consumer_is_noted)
{
	uint64_t before_ns = chrono_now_ns();
	notes.last_ns = 0;
	absorbing.is_stamped = _i == 1;
	absorb();
	ck_assert_uint_ge(notes.last_ns, before_ns);
	ck_assert_uint_le(notes.last_ns, chrono_now_ns());
}
END_TEST

START_TEST(where_nothing_is_stamped_nothing_is_foreign)
{
	absorbing.is_stamped = false;
	absorb();
	assert_counted(TALLY_RECEIVED, 3);
	assert_counted(TALLY_FOREIGN, 0);
	assert_timed(TALLY_LATENCY_DUE, 0);
}
END_TEST

/* PerfTest says when it sent a message, and not when that was due. */
START_TEST(perftests_stamps_are_timed_from_sending_and_not_numbered)
{
	emitting.stamp = EMIT_PERFTEST;
	emitting.clock = PROBE_WALL;
	struct steps sizes = {0};
	ck_assert(steps_add(&sizes, "30:1s", num_parse_size, &err));
	emitting.sizes = _i == 0 ? &sizes : NULL; /* in the body, or in a header */
	ck_assert(emit());
	feed = (struct feed){.total = 4};
	for (size_t i = 0; i < 3; i++)
		feed.messages[i] = shelf.kept[2 - i]; /* in another order */
	plain.body = SLICE("short");
	feed.messages[3] = &plain;
	absorbing.perftest = true;
	absorbing.clock = PROBE_WALL;
	absorb();
	assert_counted(TALLY_RECEIVED, 4);
	assert_counted(TALLY_FOREIGN, 1);
	assert_counted(TALLY_REORDERED, 0);
	assert_timed(TALLY_LATENCY_DUE, 0);
	assert_timed(TALLY_LATENCY_SENT, 3);
	ck_assert_uint_lt(notes.tally.latencies[TALLY_LATENCY_SENT].max_ns, 60 * CHRONO_S);
	ck_assert_uint_eq(verdict.received, 0);
	steps_release(&sizes);
}
END_TEST

static const struct {
	struct arrival arrivals[6];
	size_t count;
	uint64_t reordered, redelivered, duplicated;
} orders[] = {
    {{{RUN, 0, 0, "a", false}, {RUN, 0, 1, "a", false}, {RUN, 0, 5, "a", false}}, 3, 0, 0, 0},
    {{{RUN, 0, 0, "a", false}, {RUN, 0, 2, "a", false}, {RUN, 0, 1, "a", false},
	 {RUN, 0, 3, "a", false}},
	4, 1, 0, 0},
    /* what is delivered again may come late */
    {{{RUN, 0, 0, "a", false}, {RUN, 0, 2, "a", false}, {RUN, 0, 1, "a", true}}, 3, 0, 1, 0},
    {{{RUN, 0, 1, "a", true}, {RUN, 0, 0, "a", false}}, 2, 1, 1, 0},
    /* each publisher has an order of its own */
    {{{RUN, 0, 5, "a", false}, {RUN, 1, 0, "a", false}, {RUN, 2, 3, "a", false},
	 {RUN, 1, 1, "a", false}},
	4, 0, 0, 0},
    /* and so has each queue */
    {{{RUN, 0, 0, "a", false}, {RUN, 0, 1, "a", false}, {RUN, 0, 0, "b", false},
	 {RUN, 0, 1, "b", false}},
	4, 0, 0, 0},
    {{{RUN, 0, 1, "b", false}, {RUN, 0, 0, "a", false}, {RUN, 0, 0, "b", false}}, 3, 1, 0, 0},
    /* twice the same is a duplicate, and behind no later one */
    {{{RUN, 0, 0, "a", false}, {RUN, 0, 0, "a", false}}, 2, 0, 0, 1},
};

START_TEST(order_is_that_of_a_publisher_on_a_queue)
{
	bring(orders[_i].arrivals, orders[_i].count);
	absorb();
	assert_counted(TALLY_REORDERED, orders[_i].reordered);
	assert_counted(TALLY_REDELIVERED, orders[_i].redelivered);
	assert_counted(TALLY_FOREIGN, 0);
	ck_assert_uint_eq(verdict.duplicated, orders[_i].duplicated);
}
END_TEST

START_TEST(others_have_an_order_on_each_queue_too)
{
	static const struct arrival arrivals[] = {{1, 7, 3, "a", false}, {1, 7, 3, "b", false},
	    {1, 8, 0, "b", false}, {1, 0, 0, "a", false}, {1, 7, 2, "b", false}};
	absorbing.publishers = 0;
	bring(arrivals, ARRAY_LEN(arrivals));
	absorb();
	assert_counted(TALLY_REORDERED, 1);
}
END_TEST

START_TEST(copies_are_noted_on_the_queue_they_came_from)
{
	static const struct arrival arrivals[] = {
	    {RUN, 0, 0, "a", false}, {RUN, 0, 0, "b", false}, {RUN, 0, 1, "a", false}};
	ledger_expect(notes.ledger, 0, 0);
	ledger_expect(notes.ledger, 0, 1);
	ledger_settle(notes.ledger, 0, 0, LEDGER_CONFIRMED);
	ledger_settle(notes.ledger, 0, 1, LEDGER_CONFIRMED);
	bring(arrivals, ARRAY_LEN(arrivals));
	absorb();
	ck_assert_uint_eq(verdict.received, 3);
	ck_assert_uint_eq(verdict.duplicated, 0);
	ck_assert_uint_eq(verdict.lost, 1); /* the second one, on b */
}
END_TEST

START_TEST(a_verdict_becomes_a_fate)
{
	static const struct {
		enum absorb_verdict verdict;
		enum flow_fate fate;
	} verdicts[] = {{ABSORB_ACCEPT, FLOW_ACCEPTED}, {ABSORB_REJECT, FLOW_REJECTED},
	    {ABSORB_REQUEUE, FLOW_RELEASED}};
	absorbing.verdict = verdicts[_i % 3].verdict;
	absorbing.service_ns = _i < 3 ? 0 : 1; /* at once, or from the timer */
	absorb();
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(feed.fates[i], verdicts[_i % 3].fate);
	assert_counted(TALLY_RECEIVED, 3);
}
END_TEST

/* ---- what takes time ---- */

static uint64_t time_to_absorb(void)
{
	uint64_t before_ns = chrono_now_ns();
	absorb();
	return chrono_now_ns() - before_ns;
}

START_TEST(work_on_each_message_takes_its_time)
{
	absorbing.service_ns = 10 * CHRONO_MS;
	ck_assert_uint_ge(time_to_absorb(), 30 * CHRONO_MS);
}
END_TEST

START_TEST(a_rate_bounds_what_is_taken)
{
	absorbing.rate = 100;
	ck_assert_uint_ge(time_to_absorb(), 30 * CHRONO_MS);
}
END_TEST

/* Absorbs two after one; in between nobody wakes up for so long. The time the two take. */
static uint64_t time_after_sleep(uint64_t sleep_ns)
{
	static const struct arrival three[] = {
	    {RUN, 0, 0, "a", false}, {RUN, 0, 1, "a", false}, {RUN, 0, 2, "a", false}};
	struct absorb *a = absorb_create(&absorbing);
	feed = (struct feed){0};
	bring(three, 1);
	absorb_with(a, CHRONO_NEVER);
	uint64_t until_ns = chrono_now_ns() + sleep_ns;
	while (chrono_now_ns() < until_ns)
		;
	bring(&three[1], 2);
	feed.next = feed.settled = 0;
	feed.stopped = false;
	uint64_t before_ns = chrono_now_ns();
	absorb_with(a, CHRONO_NEVER);
	uint64_t took_ns = chrono_now_ns() - before_ns;
	absorb_free(a);
	assert_counted(TALLY_RECEIVED, 3);
	return took_ns;
}

START_TEST(what_a_late_wake_up_has_cost_is_made_up_for)
{
	absorbing.rate = 250; /* 8 ms for two, of which 6 have gone already */
	uint64_t least_ns = CHRONO_NEVER;
	for (int i = 0; i < 5 && least_ns > 6 * CHRONO_MS; i++) {
		tally_clear(&notes.tally);
		uint64_t took_ns = time_after_sleep(6 * CHRONO_MS);
		least_ns = took_ns < least_ns ? took_ns : least_ns;
	}
	ck_assert_uint_lt(least_ns, 6 * CHRONO_MS);
}
END_TEST

START_TEST(an_idle_consumer_saves_nothing_up)
{
	absorbing.rate = 250;
	ck_assert_uint_ge(time_after_sleep(15 * CHRONO_MS), 8 * CHRONO_MS);
}
END_TEST

START_TEST(the_slower_of_work_and_rate_counts)
{
	absorbing.rate = _i == 0 ? 1e6 : 50;
	absorbing.service_ns = _i == 0 ? 20 * CHRONO_MS : 1;
	ck_assert_uint_ge(time_to_absorb(), 60 * CHRONO_MS);
}
END_TEST

START_TEST(times_of_work_follow_the_time_since_the_start)
{
	struct steps services = {0};
	ck_assert(steps_add(&services, "0:1h", num_parse_duration, &err));
	ck_assert(steps_add(&services, "10ms:1h", num_parse_duration, &err));
	absorbing.services = &services;
	started_ns = chrono_now_ns() - 3600 * CHRONO_S;
	ck_assert_uint_ge(time_to_absorb(), 30 * CHRONO_MS);
	steps_release(&services);
}
END_TEST

START_TEST(one_message_is_at_work_at_a_time)
{
	absorbing.service_ns = 3600 * CHRONO_S;
	absorb_until(chrono_now_ns() + 5 * CHRONO_MS);
	ck_assert_uint_eq(feed.next, 1);
	assert_counted(TALLY_RECEIVED, 1);
	ck_assert_uint_eq(feed.settled, 1); /* given back at the end */
	ck_assert_int_eq(feed.fates[0], FLOW_RELEASED);
	ck_assert(loop_turn(loop, 0, &err)); /* no timer is left behind */
}
END_TEST

/* The first put into a consumer that takes an hour over each, or no time. */
START_TEST(it_is_told_when_there_is_room_again)
{
	struct absorb *a = absorb_create(&absorbing);
	ck_assert_uint_eq(absorb_done_ns(a), CHRONO_NEVER);
	absorb_free(a);
	absorbing.service_ns = _i == 0 ? 0 : 3600 * CHRONO_S;
	a = absorb_create(&absorbing);
	struct flow_options options = {.source = feed_source(&feed),
	    .sink = absorb_sink(a),
	    .window = MOST,
	    .limit = FLOW_NO_LIMIT};
	struct flow *flow = flow_create(loop, &options);
	uint64_t before_ns = chrono_now_ns(), wake_ns = CHRONO_NEVER;
	(void)flow_step(flow, &wake_ns, &err);
	uint64_t done_ns = absorb_done_ns(a);
	if (_i == 0) {
		ck_assert_uint_eq(done_ns, CHRONO_NEVER);
	} else {
		ck_assert_uint_ge(done_ns, before_ns + 3600 * CHRONO_S);
		ck_assert_uint_le(done_ns, chrono_now_ns() + 3600 * CHRONO_S);
	}
	ck_assert_msg(flow_finish(flow, &err), "%s", err.text);
	ck_assert_uint_eq(absorb_done_ns(a), CHRONO_NEVER); /* given back: nothing is at work */
	flow_free(flow);
	absorb_free(a);
}
END_TEST

static TCase *cases(const char *name)
{
	TCase *tc = tcase_create(name);
	tcase_add_checked_fixture(tc, setup, teardown);
	return tc;
}

static TCase *emit_cases(void)
{
	TCase *tc = cases("emit");
	tcase_add_test(tc, each_message_is_marked_counted_and_timed);
	tcase_add_test(tc, the_times_in_a_probe_are_those_that_are_noted);
	tcase_add_test(tc, every_fate_is_noted_as_what_it_is);
	tcase_add_test(tc, what_the_sink_did_not_take_was_not_sent);
	tcase_add_test(tc, a_header_leaves_body_and_other_headers_alone);
	tcase_add_test(tc, headers_that_do_not_count_are_not_sent_with_the_probe);
	tcase_add_loop_test(tc, perftest_gets_its_twelve_bytes_and_no_more, 0, 3);
	tcase_add_loop_test(tc, bodies_of_others_keep_their_bytes_and_perftest_gets_a_header, 0, 3);
	tcase_add_test(tc, perftests_header_stands_behind_those_there_are);
	tcase_add_test(tc, without_a_stamp_a_message_stays_as_it_is);
	tcase_add_test(tc, bodies_that_are_given_take_turns);
	tcase_add_loop_test(tc, sizes_follow_the_time_since_the_start, 0, 2);
	tcase_add_test(tc, what_was_due_while_the_broker_blocked_is_due_when_it_no_longer_does);
	tcase_add_test(tc, what_is_due_later_than_that_keeps_its_time);
	tcase_add_test(tc, the_wall_clock_tells_the_same_span);
	tcase_add_test(tc, without_confirms_each_is_settled_at_once);
	tcase_add_test(tc, without_confirms_what_comes_back_is_counted);
	tcase_add_loop_test(tc, the_last_moment_of_a_publisher_is_noted, 0, 2);
	return tc;
}

static TCase *absorb_cases(void)
{
	TCase *tc = cases("absorb");
	tcase_add_test(tc, what_is_emitted_is_absorbed);
	tcase_add_test(tc, latencies_count_from_due_and_from_sent);
	tcase_add_test(tc, nothing_arrives_before_it_was_sent);
	tcase_add_test(tc, what_others_sent_is_counted_and_not_timed);
	tcase_add_test(tc, numbers_that_cannot_be_ours_are_foreign);
	tcase_add_test(tc, without_publishers_of_this_run_all_are_timed);
	tcase_add_test(tc, each_run_of_others_has_an_order_of_its_own);
	tcase_add_test(tc, as_many_runs_as_are_left_in_a_queue_are_told_apart);
	tcase_add_test(tc, runs_beyond_that_are_timed_without_an_order);
	tcase_add_loop_test(tc, the_last_moment_of_a_consumer_is_noted, 0, 2);
	tcase_add_test(tc, where_nothing_is_stamped_nothing_is_foreign);
	tcase_add_loop_test(tc, perftests_stamps_are_timed_from_sending_and_not_numbered, 0, 2);
	tcase_add_loop_test(tc, order_is_that_of_a_publisher_on_a_queue, 0, (int)ARRAY_LEN(orders));
	tcase_add_test(tc, others_have_an_order_on_each_queue_too);
	tcase_add_test(tc, copies_are_noted_on_the_queue_they_came_from);
	tcase_add_loop_test(tc, a_verdict_becomes_a_fate, 0, 6);
	tcase_add_test(tc, work_on_each_message_takes_its_time);
	tcase_add_test(tc, a_rate_bounds_what_is_taken);
	tcase_add_test(tc, what_a_late_wake_up_has_cost_is_made_up_for);
	tcase_add_test(tc, an_idle_consumer_saves_nothing_up);
	tcase_add_loop_test(tc, the_slower_of_work_and_rate_counts, 0, 2);
	tcase_add_test(tc, times_of_work_follow_the_time_since_the_start);
	tcase_add_test(tc, one_message_is_at_work_at_a_time);
	tcase_add_loop_test(tc, it_is_told_when_there_is_room_again, 0, 2);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("emit_absorb");
	suite_add_tcase(suite, emit_cases());
	suite_add_tcase(suite, absorb_cases());
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
