/* The event store: what is appended comes out as it was, once, in order, and is never changed. */
#include "store/append.h"
#include "store/select.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/record.h"
#include "model/table.h"
#include "store_bench.h"

#include <check.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct error err;

static void begin(void)
{
	make_folder();
	name_file("events.db");
	error_clear(&err);
}

/* ---- messages ---- */

/* A message with an id, and as an event with a subject when there is one. */
struct sample {
	const char *id, *subject, *type, *body, *exchange, *key, *queue;
	int64_t received_us, offset;
	uint64_t version;
};

static void add(struct append *append, struct sample s)
{
	struct buf headers = {0};
	if (s.subject != NULL) {
		table_add_string(&headers, "cloudEvents_specversion", SLICE("1.0"));
		table_add_string(&headers, "cloudEvents_id", slice_str(s.id));
		table_add_string(&headers, "cloudEvents_source", SLICE("/test"));
		table_add_string(&headers, "cloudEvents_type", SLICE("test"));
		table_add_string(&headers, "cloudEvents_subject", slice_str(s.subject));
	}
	struct message m = {.exchange = slice_str(s.exchange),
	    .routing_key = slice_str(s.key),
	    .body = slice_str(s.body),
	    .message_id = slice_str(s.id),
	    .type = slice_str(s.type),
	    .headers = buf_slice(&headers)};
	m.present = (s.id != NULL ? MESSAGE_MESSAGE_ID : 0U) |
		    (s.type != NULL ? MESSAGE_TYPE : 0U) |
		    (s.subject != NULL ? MESSAGE_HEADERS : 0U);
	struct append_event event = {.message = &m,
	    .queue = slice_str(s.queue),
	    .stream_offset = s.offset != 0 ? s.offset : -1,
	    .received_us = s.received_us,
	    .version = s.version};
	ck_assert_msg(append_add(append, &event, &err), "%s", err.text);
	buf_release(&headers);
}

static const struct append_result *commit(struct append *append)
{
	const struct append_result *results;
	ck_assert_msg(append_commit(append, &results, &err), "%s", err.text);
	return results;
}

/* Appends one and says what became of it. */
static struct append_result put(struct append *append, struct sample s)
{
	add(append, s);
	return commit(append)[0];
}

/* The positions that a filter finds, as text: "1 3 4". */
static const char *found(struct store *store, struct select_filter filter)
{
	static char text[4096];
	size_t len = 0;
	struct select_event event;
	struct select *select = select_open(store, &filter, &err);
	ck_assert_msg(select != NULL, "%s", err.text);
	text[0] = '\0';
	while (select_next(select, &event, &err))
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%llu", len > 0 ? " " : "",
		    (unsigned long long)event.position);
	ck_assert_msg(err.kind == ERROR_NONE, "%s", err.text);
	select_close(select);
	return text;
}

/* ---- out as they were ---- */

static struct slice random_bytes(struct rng *rng, char *out, size_t max, bool any)
{
	size_t len = (size_t)rng_below(rng, max);
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(any ? rng_below(rng, 256) : 'a' + rng_below(rng, 26));
	return (struct slice){out, len};
}

START_TEST(what_is_appended_comes_out_as_it_was)
{
	enum { COUNT = 2500 }; /* more than are read in one go */
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	struct buf lines = {0}, line = {0}, kept = {0};
	struct rng rng;
	rng_seed(&rng, 11);
	for (int i = 0; i < COUNT; i++) {
		char text[5][300];
		struct buf headers = {0};
		table_add_string(&headers, "text", random_bytes(&rng, text[0], 99, true));
		table_add_int(&headers, "number", i);
		table_add_time(&headers, "time", 5);
		struct message m = {.present = (unsigned)rng_below(&rng, 0x10000) & 0xfffc,
		    .exchange = random_bytes(&rng, text[1], 9, false),
		    .routing_key = random_bytes(&rng, text[2], 9, true),
		    .body = random_bytes(&rng, text[3], 300, i % 3 == 0),
		    .delivery_mode = 2,
		    .priority = 7,
		    .timestamp = 1700000000,
		    .expiration = SLICE("60000"),
		    .headers = buf_slice(&headers)};
		m.message_id = m.type = m.app_id = m.reply_to = m.user_id = m.cluster_id =
		    m.correlation_id = m.content_type = m.content_encoding =
			random_bytes(&rng, text[4], 20, true);
		m.present &= ~(unsigned)MESSAGE_MESSAGE_ID;
		struct append_event event = {
		    .message = &m, .stream_offset = -1, .queue = SLICE("q"), .received_us = i};
		ck_assert_msg(append_add(append, &event, &err), "%s", err.text);
		ck_assert(record_write(&m, NULL, &lines, &err));
		buf_release(&headers);
		if (i % 700 == 0)
			commit(append);
	}
	commit(append);
	struct select *select = select_open(store, &(struct select_filter){0}, &err);
	struct select_event event;
	size_t at = 0, count = 0;
	while (select_next(select, &event, &err)) {
		struct message m;
		buf_clear(&line);
		ck_assert_msg(select_message(&event, &kept, &m, &err), "%s", err.text);
		ck_assert(record_write(&m, NULL, &line, &err));
		ck_assert_uint_eq(event.position, ++count);
		ck_assert_int_eq(event.received_us, (int64_t)count - 1);
		ck_assert(at + line.len <= lines.len);
		ck_assert_int_eq(memcmp(lines.ptr + at, line.ptr, line.len), 0);
		at += line.len;
	}
	ck_assert_uint_eq(count, COUNT);
	select_close(select);
	buf_release(&lines);
	buf_release(&line);
	buf_release(&kept);
	append_free(append);
	store_close(store);
}
END_TEST

/* ---- once ---- */

START_TEST(the_same_event_again_is_recognised)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	const struct sample a = {.id = "a", .body = "1"}, b = {.id = "b", .body = "1"};
	add(append, a);
	add(append, b);
	add(append, a);
	const struct append_result *r = commit(append);
	ck_assert(r[0].outcome == APPEND_STORED && r[0].position == 1);
	ck_assert(r[1].outcome == APPEND_STORED && r[1].position == 2);
	ck_assert(r[2].outcome == APPEND_DUPLICATE && r[2].position == 1);
	/* also behind the end of a process, with or without an orderly one */
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			ck_assert(append_settle(append, &err));
		append_free(append);
		store_close(store);
		store = open_store(STORE_WRITE);
		append = append_create(store);
		struct append_result again = put(append, b);
		ck_assert(again.outcome == APPEND_DUPLICATE && again.position == 2);
	}
	append_free(append);
	store_close(store);
}
END_TEST

START_TEST(another_event_with_the_same_id_is_kept_and_told)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	put(append, (struct sample){.id = "a", .body = "1"});
	struct append_result other = put(append, (struct sample){.id = "a", .body = "2"});
	ck_assert(other.outcome == APPEND_STORED && other.position == 2 && other.id_was_used);
	struct append_result key = put(append, (struct sample){.id = "a", .body = "2", .key = "k"});
	ck_assert(key.outcome == APPEND_STORED && key.id_was_used);
	struct append_result same = put(append, (struct sample){.id = "a", .body = "2"});
	ck_assert(same.outcome == APPEND_DUPLICATE && same.position == 2);
	append_free(append);
	store_close(store);
}
END_TEST

START_TEST(events_without_an_id_are_all_kept)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	for (uint64_t i = 1; i <= 3; i++)
		ck_assert_uint_eq(put(append, (struct sample){.body = "tick"}).position, i);
	append_free(append);
	store_close(store);
}
END_TEST

START_TEST(a_place_in_a_stream_is_recorded_once)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	const struct sample s = {.body = "x", .queue = "log", .offset = 7};
	ck_assert(put(append, s).outcome == APPEND_STORED);
	struct append_result again = put(append, s);
	ck_assert(again.outcome == APPEND_DUPLICATE && again.position == 1);
	ck_assert(put(append, (struct sample){.body = "x", .queue = "log", .offset = 8}).outcome ==
		  APPEND_STORED);
	ck_assert(put(append, (struct sample){.body = "x", .queue = "log2", .offset = 7}).outcome ==
		  APPEND_STORED);
	append_free(append);
	store_close(store);
}
END_TEST

START_TEST(a_stream_that_was_made_anew_is_refused)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	const struct append_result *results;
	put(append, (struct sample){.body = "x", .queue = "log", .offset = 7});
	add(append, (struct sample){.body = "y", .queue = "log", .offset = 7});
	ck_assert(!append_commit(append, &results, &err));
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_ptr_nonnull(strstr(err.text, "has another message at offset 7 of this stream"));
	error_clear(&err);
	ck_assert_str_eq(found(store, (struct select_filter){0}), "1");
	append_free(append);
	store_close(store);
}
END_TEST

/* From a quorum queue: x-delivery-count comes with the second delivery, and is taken off. */
START_TEST(an_empty_table_of_headers_and_none_are_the_same_event)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	struct message m = {.message_id = SLICE("a"),
	    .type = SLICE("t"),
	    .body = SLICE("x"),
	    .present = MESSAGE_MESSAGE_ID | MESSAGE_HEADERS | MESSAGE_TYPE};
	const struct append_event event = {.message = &m, .stream_offset = -1};
	ck_assert(append_add(append, &event, &err));
	ck_assert(commit(append)[0].outcome == APPEND_STORED);
	m.present = MESSAGE_MESSAGE_ID | MESSAGE_TYPE;
	ck_assert(append_add(append, &event, &err));
	ck_assert(commit(append)[0].outcome == APPEND_DUPLICATE);
	m.present = MESSAGE_MESSAGE_ID;
	ck_assert(append_add(append, &event, &err));
	ck_assert(commit(append)[0].outcome == APPEND_STORED);
	append_free(append);
	store_close(store);
}
END_TEST

/* More than the tail holds, so that ids and versions are in the index, too. */
START_TEST(long_runs_are_recognised_and_counted_across_the_index)
{
	enum { COUNT = 140000, SUBJECTS = 97 };
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	for (uint64_t i = 0; i < COUNT; i++) {
		char id[32], subject[32];
		snprintf(id, sizeof id, "id-%llu", (unsigned long long)i);
		snprintf(subject, sizeof subject, "s/%llu", (unsigned long long)i % SUBJECTS);
		add(append, (struct sample){.id = id, .subject = i % 10 == 0 ? subject : NULL});
		if (append_count(append) == 20000)
			ck_assert_int_eq(commit(append)[0].outcome, APPEND_STORED);
	}
	static const uint64_t some[] = {0, 1, 9999, 131071, 131072, 139999};
	for (size_t i = 0; i < ARRAY_LEN(some); i++) {
		char id[32], subject[32];
		snprintf(id, sizeof id, "id-%llu", (unsigned long long)some[i]);
		snprintf(subject, sizeof subject, "s/%llu", (unsigned long long)some[i] % SUBJECTS);
		struct append_result r = put(append,
		    (struct sample){.id = id, .subject = some[i] % 10 == 0 ? subject : NULL});
		ck_assert_int_eq(r.outcome, APPEND_DUPLICATE);
		ck_assert_uint_eq(r.position, some[i] + 1);
	}
	/* every 970th is of subject 0: 0, 970, .., so ceil(140000 / 970) of them */
	struct append_result next = put(append, (struct sample){.id = "new", .subject = "s/0"});
	ck_assert_uint_eq(next.version, (COUNT + 969) / 970 + 1);
	struct select_filter filter = {.subject = "s/0"};
	struct select *select = select_open(store, &filter, &err);
	struct select_event event;
	uint64_t version = 0;
	while (select_next(select, &event, &err)) {
		ck_assert_uint_eq(event.version, ++version);
		ck_assert_uint_eq(
		    event.position, version == next.version ? COUNT + 1 : (version - 1) * 970 + 1);
	}
	ck_assert_uint_eq(version, next.version);
	select_close(select);
	ck_assert_str_eq(
	    found(store, (struct select_filter){.ids = (const char *[]){"id-5"}, .id_count = 1}),
	    "6");
	append_free(append);
	store_close(store);
}
END_TEST

/* ---- versions and two writers ---- */

START_TEST(versions_count_the_events_of_a_subject)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	ck_assert_uint_eq(put(append, (struct sample){.id = "1", .subject = "a"}).version, 1);
	ck_assert_uint_eq(put(append, (struct sample){.id = "2", .subject = "b"}).version, 1);
	ck_assert_uint_eq(put(append, (struct sample){.id = "3", .subject = "a"}).version, 2);
	ck_assert_uint_eq(put(append, (struct sample){.id = "4"}).version, 0);
	ck_assert_str_eq(found(store, (struct select_filter){.subject = "a"}), "1 3");
	ck_assert_str_eq(
	    found(store, (struct select_filter){.subject = "a", .after_version = 1}), "3");
	ck_assert_str_eq(found(store, (struct select_filter){.subject = "none"}), "");
	append_free(append);
	store_close(store);
}
END_TEST

START_TEST(an_expected_version_lets_one_of_two_win)
{
	struct store *store = open_store(STORE_CREATE), *other = open_store(STORE_WRITE);
	struct append *append = append_create(store), *rival = append_create(other);
	const struct append_result *r;
	add(append, (struct sample){.id = "1", .subject = "a"});
	ck_assert(append_commit_expecting(append, 0, &r, &err) && r[0].version == 1);
	add(append, (struct sample){.id = "2", .subject = "a"});
	add(rival, (struct sample){.id = "3", .subject = "a"});
	ck_assert(append_commit_expecting(rival, 1, &r, &err) && r[0].version == 2);
	ck_assert(!append_commit_expecting(append, 1, &r, &err));
	ck_assert_int_eq(err.kind, ERROR_UNDELIVERED);
	ck_assert_str_eq(err.text, "the stream is at version 2, not 1");
	error_clear(&err);
	ck_assert_uint_eq(append_count(append), 1); /* still there */
	ck_assert(append_commit_expecting(append, 2, &r, &err) && r[0].position == 3);
	append_free(append);
	append_free(rival);
	store_close(store);
	store_close(other);
}
END_TEST

START_TEST(what_follows_a_first_event_that_comes_too_late_is_passed_over_with_it)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	for (const char *id = "1\0002\0003\0"; id[0] != '\0'; id += 2)
		put(append, (struct sample){.id = id, .subject = "a"});
	add(append, (struct sample){.id = "4", .subject = "a", .version = 1});
	add(append, (struct sample){.id = "5", .subject = "b", .version = 1});
	add(append, (struct sample){.id = "6", .subject = "a", .version = 2});
	add(append, (struct sample){.id = "7", .subject = "b", .version = 2});
	add(append, (struct sample){.id = "8", .subject = "a", .version = 4}); /* would fit */
	const struct append_result *r = commit(append);
	ck_assert_int_eq(r[0].outcome, APPEND_PASSED_OVER);
	ck_assert(r[1].outcome == APPEND_STORED && r[1].version == 1);
	ck_assert_int_eq(r[2].outcome, APPEND_PASSED_OVER);
	ck_assert(r[3].outcome == APPEND_STORED && r[3].version == 2);
	ck_assert_int_eq(r[4].outcome, APPEND_PASSED_OVER);
	/* that holds for the batch */
	ck_assert_uint_eq(
	    put(append, (struct sample){.id = "9", .subject = "a", .version = 4}).version, 4);
	append_free(append);
	store_close(store);
}
END_TEST

START_TEST(two_writers_take_turns_without_a_gap)
{
	struct store *stores[2] = {open_store(STORE_CREATE), open_store(STORE_CREATE)};
	struct append *appends[2] = {append_create(stores[0]), append_create(stores[1])};
	for (uint64_t i = 1; i <= 40; i++) {
		char id[16];
		snprintf(id, sizeof id, "%llu", (unsigned long long)i);
		struct append_result r =
		    put(appends[i % 2], (struct sample){.id = id, .subject = "s"});
		ck_assert_uint_eq(r.position, i);
		ck_assert_uint_eq(r.version, i);
		r = put(appends[(i + 1) % 2], (struct sample){.id = id, .subject = "s"});
		ck_assert_int_eq(r.outcome, APPEND_DUPLICATE);
	}
	for (int i = 0; i < 2; i++) {
		append_free(appends[i]);
		store_close(stores[i]);
	}
}
END_TEST

/* The index has gone past what a writer knew: what it knew of versions is old. */
START_TEST(a_writer_that_was_overtaken_counts_on)
{
	struct store *store = open_store(STORE_CREATE), *other = open_store(STORE_WRITE);
	struct append *slow = append_create(store), *fast = append_create(other);
	char id[32];
	for (int i = 0; i < 100; i++) { /* so many that they are not entered at once */
		snprintf(id, sizeof id, "a%d", i);
		add(slow, (struct sample){.id = id, .subject = "s"});
	}
	commit(slow);
	ck_assert_uint_eq(put(fast, (struct sample){.id = "b", .subject = "s"}).version, 101);
	ck_assert(append_settle(fast, &err));
	ck_assert_uint_eq(put(slow, (struct sample){.id = "c", .subject = "s"}).version, 102);
	ck_assert_int_eq(
	    put(slow, (struct sample){.id = "b", .subject = "s"}).outcome, APPEND_DUPLICATE);
	ck_assert(append_settle(slow, &err));
	append_free(slow);
	append_free(fast);
	store_close(store);
	store_close(other);
}
END_TEST

START_TEST(a_store_that_is_removed_takes_nothing_more)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	const struct append_result *r;
	put(append, (struct sample){.id = "1"});
	unlink(path);
	add(append, (struct sample){.id = "2"});
	ck_assert(!append_commit(append, &r, &err));
	ck_assert_int_eq(err.kind, ERROR_IO);
	ck_assert_ptr_nonnull(strstr(err.text, "was removed or replaced"));
	append_free(append);
	store_close(store);
}
END_TEST

START_TEST(nothing_is_appended_behind_a_position_that_none_can_have)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	const struct append_result *r;
	put(append, (struct sample){.id = "1"});
	change("DROP TRIGGER event_update; UPDATE event SET position = 9223372036854775807");
	add(append, (struct sample){.id = "2"});
	ck_assert(!append_commit(append, &r, &err));
	ck_assert_int_eq(err.kind, ERROR_DATA);
	append_free(append);
	store_close(store);
}
END_TEST

START_TEST(a_store_without_its_log_gets_it_back)
{
	store_close(open_store(STORE_CREATE));
	change("PRAGMA journal_mode = DELETE");
	struct store *writer = open_store(STORE_WRITE), *reader = open_store(STORE_READ);
	struct append *append = append_create(writer);
	struct select_event event;
	put(append, (struct sample){.id = "1"});
	struct select *select = select_open(reader, &(struct select_filter){0}, &err);
	ck_assert(select_next(select, &event, &err)); /* reads while the other one writes */
	store_set_patience(writer, 0);
	put(append, (struct sample){.id = "2"});
	select_close(select);
	append_free(append);
	store_close(reader);
	store_close(writer);
}
END_TEST

START_TEST(a_commit_that_fails_leaves_the_batch_and_the_store)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	const struct append_result *r;
	put(append, (struct sample){.id = "1"});
	sqlite3 *holder;
	ck_assert_int_eq(sqlite3_open(path, &holder), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	store_set_patience(store, 0);
	add(append, (struct sample){.id = "2"});
	ck_assert(!append_commit(append, &r, &err));
	ck_assert_int_eq(err.kind, ERROR_UNAVAILABLE);
	error_clear(&err);
	sqlite3_close(holder);
	ck_assert_uint_eq(append_count(append), 1);
	ck_assert_uint_eq(commit(append)[0].position, 2);
	append_free(append);
	store_close(store);
}
END_TEST

START_TEST(what_was_received_never_goes_back)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	static const int64_t times[] = {100, 300, 200, 300, 500};
	uint64_t position;
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		put(append, (struct sample){.received_us = times[i]});
	ck_assert_str_eq(found(store, (struct select_filter){.since_us = 300}), "2 3 4 5");
	ck_assert_str_eq(found(store, (struct select_filter){.until_us = 300}), "1");
	static const struct {
		int64_t time;
		uint64_t position;
	} at[] = {{99, 0}, {100, 1}, {299, 1}, {300, 4}, {499, 4}, {500, 5}, {9999, 5}};
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		ck_assert(select_position_at(store, at[i].time, &position, &err));
		ck_assert_uint_eq(position, at[i].position);
	}
	append_free(append);
	store_close(store);
}
END_TEST

/* ---- which ---- */

START_TEST(filters_find_what_they_say)
{
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	static const struct sample samples[] = {
	    {.id = "a", .type = "paid", .body = "{\"n\":1}", .exchange = "x", .key = "a.b"},
	    {.id = "b", .type = "sent", .body = "{\"n\":2}", .exchange = "x", .key = "a.c"},
	    {.id = "c", .type = "paid", .body = "n\xff", .exchange = "y", .key = "a.b.c"},
	    {.id = "d", .body = "", .exchange = "", .key = ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		put(append, samples[i]);
	const char *paid[] = {"paid", "none"}, *ids[] = {"d", "b", "zz"}, *keys[] = {"a.*", ""};
	const struct {
		struct select_filter filter;
		const char *positions;
	} rows[] = {
	    {{0}, "1 2 3 4"},
	    {{.from = 2, .to = 3}, "2 3"},
	    {{.from = 2, .limit = 1}, "2"},
	    {{.reverse = true, .limit = 3}, "4 3 2"},
	    {{.types = paid, .type_count = 2}, "1 3"},
	    {{.ids = ids, .id_count = 3}, "2 4"},
	    {{.keys = keys, .key_count = 1}, "1 2"},
	    {{.keys = keys, .key_count = 2}, "1 2 4"},
	    {{.exchange = "y"}, "3"},
	    {{.exchange = ""}, "4"},
	    {{.grep = "\"n\""}, "1 2"},
	    {{.grep = "\xff"}, "3"},
	    {{.where = "data ->> '$.n' > 1"}, "2"},
	    {{.where = "type = 'paid' -- a remark"}, "1 3"},
	    {{.where = "type = 'paid'", .exchange = "x"}, "1"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_str_eq(found(store, rows[i].filter), rows[i].positions);
	append_free(append);
	store_close(store);
}
END_TEST

START_TEST(a_condition_that_is_none_is_refused)
{
	static const char *const wheres[] = {"type =", "1; DELETE FROM event", "nothing = 1",
	    "1, 2", "1) OR (1", "", "1 -- \n; 2", "1=1 /*", "count(*)>0", "1 x",
	    "row_number() OVER ()", "DISTINCT 1"};
	struct store *store = open_store(STORE_CREATE);
	for (size_t i = 0; i < ARRAY_LEN(wheres); i++) {
		struct select_filter filter = {.where = wheres[i]};
		ck_assert_ptr_null(select_open(store, &filter, &err));
		ck_assert_msg(err.kind == ERROR_USAGE, "%s: %s", wheres[i], err.text);
		error_clear(&err);
	}
	store_close(store);
}
END_TEST

/* Who waits for a reader between two events must not make the log grow. */
START_TEST(a_select_under_way_does_not_hold_the_file)
{
	enum { COUNT = 1200 };
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	char *big = mem_alloc(1, 40001); /* some lots end by what they hold */
	memset(big, 'x', 40000);
	for (int i = 0; i < COUNT; i++)
		add(append,
		    (struct sample){.body = i % 100 < 10 ? big : "", .queue = i % 2 ? "q" : NULL});
	commit(append);
	sqlite3 *db;
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "SELECT * FROM meta", NULL, NULL, NULL), SQLITE_OK);
	for (int reverse = 0; reverse < 2; reverse++) {
		struct select_filter filter = {.reverse = reverse};
		struct select *select = select_open(store, &filter, &err);
		struct select_event event;
		uint64_t count = 0;
		while (select_next(select, &event, &err)) {
			uint64_t position = reverse ? COUNT - count : count + 1;
			ck_assert_uint_eq(event.position, position);
			ck_assert_uint_eq(event.body.len, (position - 1) % 100 < 10 ? 40000 : 0);
			ck_assert(event.body.len == 0 || event.body.ptr[39999] == 'x');
			ck_assert_ptr_eq(event.data.ptr, event.body.ptr);
			ck_assert_int_eq(event.queue.ptr != NULL, position % 2 == 0);
			if (count++ % 100 == 50)
				ck_assert_int_eq(sqlite3_wal_checkpoint_v2(db, NULL,
						     SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
				    SQLITE_OK);
		}
		ck_assert_msg(err.kind == ERROR_NONE, "%s", err.text);
		ck_assert_uint_eq(count, COUNT);
		select_close(select);
	}
	sqlite3_close(db);
	free(big);
	append_free(append);
	store_close(store);
}
END_TEST

/* ---- the file ---- */

START_TEST(a_store_is_private_and_its_events_cannot_be_changed)
{
	struct stat file;
	umask(0);
	struct store *store = open_store(STORE_CREATE);
	struct append *append = append_create(store);
	put(append, (struct sample){.id = "1"});
	ck_assert_int_eq(stat(path, &file), 0);
	ck_assert_uint_eq(file.st_mode & 0777, 0600);
	sqlite3 *db;
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_ne(sqlite3_exec(db, "UPDATE event SET body = 'x'", NULL, NULL, NULL), 0);
	ck_assert_str_eq(sqlite3_errmsg(db), "an event is never changed");
	ck_assert_int_ne(sqlite3_exec(db, "DELETE FROM event", NULL, NULL, NULL), 0);
	sqlite3_close(db);
	append_free(append);
	store_close(store);
}
END_TEST

static void write_bytes(const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static void refused(enum store_mode mode, enum error_kind kind, const char *text)
{
	ck_assert_ptr_null(store_open(path, mode, &err));
	ck_assert_msg(err.kind == kind, "%s", err.text);
	ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
	error_clear(&err);
}

static void make_database(const char *sql)
{
	unlink(path);
	change(sql);
}

START_TEST(what_is_no_store_is_refused_and_left)
{
	refused(STORE_READ, ERROR_NO_INPUT, "No such file");
	refused(STORE_WRITE, ERROR_NO_INPUT, "No such file");
	write_bytes("", 0);
	refused(STORE_READ, ERROR_DATA, "is empty");
	write_bytes("this is a text, and not short of a header, but one nonetheless.............."
		    "...............................",
	    100);
	refused(STORE_READ, ERROR_DATA, "not a database");
	refused(STORE_CREATE, ERROR_DATA, "not a database");
	struct stat file;
	ck_assert_int_eq(stat(path, &file), 0);
	ck_assert_int_eq(file.st_size, 100);
	make_database("CREATE TABLE mine (x)");
	refused(STORE_CREATE, ERROR_DATA, "of something else");
	make_database("PRAGMA application_id = 0x57724576; PRAGMA user_version = 99;");
	refused(STORE_CREATE, ERROR_DATA, "layout 99");
	unlink(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	refused(STORE_CREATE, ERROR_NO_INPUT, "not a regular file");
	rmdir(path);
	ck_assert_int_eq(symlink("/nonexistent/elsewhere", path), 0);
	refused(STORE_CREATE, ERROR_NO_INPUT, "No such file");
}
END_TEST

START_TEST(an_empty_file_becomes_a_store)
{
	write_bytes("", 0); /* who made it ended right there */
	store_close(open_store(STORE_CREATE));
	store_close(open_store(STORE_READ));
}
END_TEST

/* Each waits for the gun, which is the end of a pipe, so that they come as close as may be. */
static pid_t open_at_the_gun(const int gun[2])
{
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child > 0)
		return child;
	char nothing;
	close(gun[1]);
	ssize_t end = read(gun[0], &nothing, 1);
	struct store *store = store_open(path, STORE_CREATE, &err);
	if (store == NULL)
		fprintf(stderr, "%s\n", err.text);
	store_close(store);
	_exit(end == 0 && store != NULL ? 0 : 1);
}

START_TEST(several_may_make_a_store_at_the_same_time)
{
	for (int round = 0; round < 30; round++) {
		pid_t children[6];
		int gun[2], status;
		ck_assert_int_eq(pipe(gun), 0);
		for (size_t i = 0; i < ARRAY_LEN(children); i++)
			children[i] = open_at_the_gun(gun);
		close(gun[0]);
		close(gun[1]);
		for (size_t i = 0; i < ARRAY_LEN(children); i++) {
			ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
			ck_assert_int_eq(status, 0);
		}
		remove_folder();
		begin();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *cases = tcase_create("core");
	tcase_add_checked_fixture(cases, begin, remove_folder);
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, what_is_appended_comes_out_as_it_was);
	tcase_add_test(cases, the_same_event_again_is_recognised);
	tcase_add_test(cases, several_may_make_a_store_at_the_same_time);
	tcase_add_test(cases, another_event_with_the_same_id_is_kept_and_told);
	tcase_add_test(cases, events_without_an_id_are_all_kept);
	tcase_add_test(cases, a_place_in_a_stream_is_recorded_once);
	tcase_add_test(cases, a_stream_that_was_made_anew_is_refused);
	tcase_add_test(cases, an_empty_table_of_headers_and_none_are_the_same_event);
	tcase_add_test(cases, long_runs_are_recognised_and_counted_across_the_index);
	tcase_add_test(cases, versions_count_the_events_of_a_subject);
	tcase_add_test(cases, an_expected_version_lets_one_of_two_win);
	tcase_add_test(
	    cases, what_follows_a_first_event_that_comes_too_late_is_passed_over_with_it);
	tcase_add_test(cases, two_writers_take_turns_without_a_gap);
	tcase_add_test(cases, a_writer_that_was_overtaken_counts_on);
	tcase_add_test(cases, a_store_that_is_removed_takes_nothing_more);
	tcase_add_test(cases, nothing_is_appended_behind_a_position_that_none_can_have);
	tcase_add_test(cases, a_store_without_its_log_gets_it_back);
	tcase_add_test(cases, a_commit_that_fails_leaves_the_batch_and_the_store);
	tcase_add_test(cases, what_was_received_never_goes_back);
	tcase_add_test(cases, filters_find_what_they_say);
	tcase_add_test(cases, a_condition_that_is_none_is_refused);
	tcase_add_test(cases, a_select_under_way_does_not_hold_the_file);
	tcase_add_test(cases, a_store_is_private_and_its_events_cannot_be_changed);
	tcase_add_test(cases, what_is_no_store_is_refused_and_left);
	tcase_add_test(cases, an_empty_file_becomes_a_store);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
