/* The sink into a store, in a flow with a source of the test's own. */
#include "flow/sink_store.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "folder_bench.h"
#include "model/table.h"
#include "store/offsets.h"
#include "store/select.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST 64

/* A source that offers what it has been given, and then is done or waits. */
struct given {
	struct message messages[MOST];
	size_t count, next;
	const char *queue;
	bool stays; /* until all are settled */
	size_t settled;
	enum flow_fate fates[MOST];
};

static bool tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct given *g = self;
	(void)now_ns, (void)wake_ns, (void)err;
	for (; g->next < g->count && flow_room(flow) > 0; g->next++) {
		struct flow_message m = {
		    .message = &g->messages[g->next], .queue = slice_str(g->queue)};
		flow_offer(flow, &m, g->next);
	}
	return true;
}

static void settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	struct given *g = self;
	g->fates[token] = outcome->fate;
	g->settled++;
}

static void stop(void *self)
{
	(void)self;
}

static bool is_done(const void *self)
{
	const struct given *g = self;
	return g->stays ? g->settled == g->count : g->next == g->count;
}

static const struct flow_source_kind given_kind = {tick, settle, stop, is_done};

/* ---- a store in a folder ---- */

static struct error err;
static struct store *store;
static struct loop *loop;
static struct given given;
static struct sink_store_feed feed;
static struct sink_store_counts counts;

static void begin(void)
{
	error_clear(&err);
	make_folder();
	name_file("events.db");
	store = store_open(path, STORE_CREATE, &err);
	ck_assert_msg(store != NULL, "%s", err.text);
	loop = loop_create_worker(&err);
	ck_assert_ptr_nonnull(loop);
	given = (struct given){.queue = "q"};
	feed = (struct sink_store_feed){
	    .queue = given.queue, .recorded = SLICE("q"), .last_offset = -1};
}

static void end(void)
{
	loop_free(loop);
	store_close(store);
	remove_folder();
}

static void give(const char *id, const char *body)
{
	given.messages[given.count++] = (struct message){.exchange = SLICE("x"),
	    .routing_key = SLICE("k"),
	    .body = slice_str(body),
	    .message_id = slice_str(id),
	    .present = id != NULL ? MESSAGE_MESSAGE_ID : 0};
}

/* Runs until the source is done; false: it failed, err tells why. */
static bool run(size_t batch_count, uint64_t batch_ns)
{
	const struct sink_store_options options = {.store = store,
	    .loop = loop,
	    .feeds = &feed,
	    .feed_count = 1,
	    .batch_count = batch_count,
	    .batch_ns = batch_ns};
	struct sink_store *sink = sink_store_create(&options);
	const struct flow_options flowing = {.source = {&given_kind, &given},
	    .sink = sink_store_sink(sink),
	    .window = MOST,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = CHRONO_S};
	struct flow *flow = flow_create(loop, &flowing);
	bool good = flow_run(flow, &err);
	counts = *sink_store_counts(sink);
	flow_free(flow);
	sink_store_free(sink);
	return good;
}

static size_t count_fate(enum flow_fate fate)
{
	size_t found = 0;
	for (size_t i = 0; i < given.count; i++)
		found += i < given.settled && given.fates[i] == fate;
	return found;
}

/* What is stored at a position, as "QUEUE OFFSET PROPERTIES BODY". */
static const char *stored(uint64_t position)
{
	static char text[1000];
	const struct select_filter filter = {.from = position, .to = position};
	struct select *select = select_open(store, &filter, &err);
	struct select_event e;
	ck_assert_msg(select != NULL && select_next(select, &e, &err), "%s", err.text);
	snprintf(text, sizeof text, "%.*s %lld %.*s %.*s", SLICE_ARGS(e.queue),
	    (long long)e.stream_offset, SLICE_ARGS(e.properties), SLICE_ARGS(e.body));
	select_close(select);
	return text;
}

/* ---- what it is asked for ---- */

START_TEST(a_message_is_accepted_once_it_is_committed)
{
	give("a", "1");
	give(NULL, "2");
	given.stays = true;
	ck_assert_msg(run(100, CHRONO_MS), "%s", err.text);
	ck_assert_uint_eq(count_fate(FLOW_ACCEPTED), 2);
	ck_assert_uint_eq(counts.stored, 2);
	ck_assert_str_eq(stored(1), "q -1 {\"message_id\":\"a\"} 1");
	ck_assert_str_eq(stored(2), "q -1 {} 2");
}
END_TEST

START_TEST(a_full_batch_waits_for_nobody)
{
	for (int i = 0; i < 10; i++)
		give(NULL, "x");
	given.stays = true;
	uint64_t start = chrono_now_ns();
	ck_assert_msg(run(5, 3600 * CHRONO_S), "%s", err.text);
	ck_assert_uint_lt(chrono_now_ns() - start, 1800 * CHRONO_S);
	ck_assert_uint_eq(counts.stored, 10);
}
END_TEST

START_TEST(what_fills_the_window_is_committed_for_no_more_can_come)
{
	for (int i = 0; i < MOST; i++)
		give(NULL, "x");
	given.stays = true;
	ck_assert_msg(run(MOST * 2, 3600 * CHRONO_S), "%s", err.text);
	ck_assert_uint_eq(counts.stored, MOST);
}
END_TEST

START_TEST(many_bytes_are_a_batch_too)
{
	char *large = mem_alloc(3u << 20, 1);
	memset(large, 'x', (3u << 20) - 1);
	for (int i = 0; i < 6; i++)
		give(NULL, large);
	given.stays = true;
	ck_assert_msg(run(100, 3600 * CHRONO_S), "%s", err.text);
	ck_assert_uint_eq(counts.stored, 6);
	free(large);
}
END_TEST

START_TEST(a_second_delivery_is_accepted_and_counted)
{
	give("a", "1");
	give("a", "1");
	give("a", "other");
	given.stays = true;
	ck_assert_msg(run(100, CHRONO_MS), "%s", err.text);
	ck_assert_uint_eq(count_fate(FLOW_ACCEPTED), 3);
	ck_assert_uint_eq(counts.stored, 2);
	ck_assert_uint_eq(counts.duplicates, 1);
	ck_assert_uint_eq(counts.reused_ids, 1);
}
END_TEST

START_TEST(what_a_broker_adds_is_taken_off)
{
	struct buf headers = {0};
	table_add_int(&headers, "x-stream-offset", 41);
	table_add_string(&headers, "mine", SLICE("v"));
	table_add_int(&headers, "x-delivery-count", 2);
	feed.is_stream = true;
	feed.last_offset = 40;
	give(NULL, "1");
	give(NULL, "2");
	given.messages[0].headers = buf_slice(&headers);
	given.messages[0].present |= MESSAGE_HEADERS;
	struct buf alone = {0};
	table_add_int(&alone, "x-stream-offset", 42);
	given.messages[1].headers = buf_slice(&alone);
	given.messages[1].present |= MESSAGE_HEADERS;
	given.stays = true;
	ck_assert_msg(run(100, CHRONO_MS), "%s", err.text);
	ck_assert_str_eq(stored(1), "q 41 {\"headers\":{\"mine\":\"v\"}} 1");
	ck_assert_str_eq(stored(2), "q 42 {} 2");
	int64_t last;
	ck_assert(offsets_last(store, "q", &last, &err) && last == 42);
	ck_assert(offsets_last(store, "other", &last, &err) && last == -1);
	buf_release(&headers);
	buf_release(&alone);
}
END_TEST

/* Somebody has copied the headers of a stream's message. */
START_TEST(an_offset_in_a_queue_is_a_header_like_any)
{
	struct buf headers = {0};
	table_add_int(&headers, "x-stream-offset", 7);
	give("a", "1");
	give("b", "1");
	for (int i = 0; i < 2; i++) {
		given.messages[i].headers = buf_slice(&headers);
		given.messages[i].present |= MESSAGE_HEADERS;
	}
	given.stays = true;
	ck_assert_msg(run(100, CHRONO_MS), "%s", err.text);
	ck_assert_uint_eq(counts.stored, 2);
	ck_assert_str_eq(
	    stored(2), "q -1 {\"headers\":{\"x-stream-offset\":7},\"message_id\":\"b\"} 1");
	buf_release(&headers);
}
END_TEST

START_TEST(a_replayed_event_is_the_event_that_it_was)
{
	struct buf headers = {0};
	table_add_int(&headers, "x-warren-replayed", 1);
	table_add_bool(&headers, "x-warren-replayed-again", true);
	give("a", "1");
	give("a", "1");
	given.messages[1].headers = buf_slice(&headers);
	given.messages[1].present |= MESSAGE_HEADERS;
	given.stays = true;
	ck_assert_msg(run(100, CHRONO_MS), "%s", err.text);
	ck_assert_uint_eq(counts.stored, 1);
	ck_assert_uint_eq(counts.duplicates, 1);
	buf_release(&headers);
}
END_TEST

START_TEST(a_stream_begins_where_the_store_ends_or_is_another)
{
	struct buf headers = {0};
	table_add_int(&headers, "x-stream-offset", 4);
	feed.is_stream = true;
	feed.last_offset = 9;
	give(NULL, "1");
	given.messages[0].headers = buf_slice(&headers);
	given.messages[0].present |= MESSAGE_HEADERS;
	given.stays = true;
	ck_assert(!run(100, CHRONO_MS));
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_ptr_nonnull(strstr(err.text, "it is at offset 4, the store at 9"));
	buf_release(&headers);
}
END_TEST

static void give_up_lock(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	sqlite3_close(ctx);
}

START_TEST(messages_wait_while_another_process_writes)
{
	sqlite3 *holder;
	ck_assert_int_eq(sqlite3_open(path, &holder), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	loop_at(loop, chrono_after(chrono_now_ns(), 500 * CHRONO_MS), give_up_lock, holder);
	give("a", "1");
	given.stays = true;
	ck_assert_msg(run(100, CHRONO_MS), "%s", err.text);
	ck_assert_uint_eq(counts.stored, 1);
	ck_assert_int_eq(given.fates[0], FLOW_ACCEPTED);
}
END_TEST

START_TEST(what_cannot_be_read_stays_in_its_queue)
{
	give("a", "1");
	give("b", "2");
	given.messages[0].headers = SLICE("\x05"
					  "dam");
	given.messages[0].present |= MESSAGE_HEADERS;
	given.stays = true;
	ck_assert_msg(run(100, CHRONO_MS), "%s", err.text);
	ck_assert_int_eq(given.fates[0], FLOW_HELD);
	ck_assert_int_eq(given.fates[1], FLOW_ACCEPTED);
	ck_assert_uint_eq(counts.unstored, 1);
	ck_assert_str_eq(stored(1), "q -1 {\"message_id\":\"b\"} 2");
}
END_TEST

START_TEST(no_trace_of_the_firehose_is_no_event)
{
	give("a", "1");
	feed.is_firehose = true;
	given.stays = true;
	ck_assert_msg(run(100, CHRONO_MS), "%s", err.text);
	ck_assert_int_eq(given.fates[0], FLOW_HELD);
	ck_assert_uint_eq(feed.count, 1);
}
END_TEST

START_TEST(nothing_of_a_batch_that_fails_is_accepted)
{
	struct buf headers = {0};
	table_add_int(&headers, "x-stream-offset", 1);
	feed.is_stream = true;
	give(NULL, "1");
	give(NULL, "2"); /* another message at the same place: the stream was made anew */
	for (int i = 0; i < 2; i++) {
		given.messages[i].headers = buf_slice(&headers);
		given.messages[i].present |= MESSAGE_HEADERS;
	}
	given.stays = true;
	ck_assert(!run(100, CHRONO_MS));
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_uint_eq(count_fate(FLOW_RELEASED), 2);
	ck_assert_uint_eq(counts.stored, 0);
	uint64_t position;
	unsigned char hash[STORE_HASH_BYTES];
	error_clear(&err);
	ck_assert(store_head(store, &position, hash, &err));
	ck_assert_uint_eq(position, 0);
	buf_release(&headers);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sink_store");
	TCase *tests = tcase_create("sink_store");
	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, a_message_is_accepted_once_it_is_committed);
	tcase_add_test(tests, a_full_batch_waits_for_nobody);
	tcase_add_test(tests, what_fills_the_window_is_committed_for_no_more_can_come);
	tcase_add_test(tests, many_bytes_are_a_batch_too);
	tcase_add_test(tests, a_second_delivery_is_accepted_and_counted);
	tcase_add_test(tests, what_a_broker_adds_is_taken_off);
	tcase_add_test(tests, an_offset_in_a_queue_is_a_header_like_any);
	tcase_add_test(tests, a_replayed_event_is_the_event_that_it_was);
	tcase_add_test(tests, a_stream_begins_where_the_store_ends_or_is_another);
	tcase_add_test(tests, messages_wait_while_another_process_writes);
	tcase_add_test(tests, what_cannot_be_read_stays_in_its_queue);
	tcase_add_test(tests, no_trace_of_the_firehose_is_no_event);
	tcase_add_test(tests, nothing_of_a_batch_that_fails_is_accepted);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
