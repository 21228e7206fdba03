/* Folds: with snapshots as without, at every version; the table of a projection; what makes a
 * snapshot or a table void. */
#include "app/fold_run.h"
#include "app/fold_table.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/table.h"
#include "store/append.h"
#include "store/subjects.h"
#include "store_bench.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct error err;
static struct store *store;
static struct append *append;

static void set_up(void)
{
	make_folder();
	name_file("events.db");
	error_clear(&err);
	store = store_open(path, STORE_CREATE, &err);
	ck_assert_msg(store != NULL, "%s", err.text);
	append = append_create(store);
}

static void tear_down(void)
{
	append_free(append);
	store_close(store);
	remove_folder();
}

/* ---- events ---- */

static void add(const char *subject, const char *body)
{
	static unsigned number;
	char id[32];
	struct buf headers = {0};
	snprintf(id, sizeof id, "event-%u", number++);
	table_add_string(&headers, "cloudEvents_specversion", SLICE("1.0"));
	table_add_string(&headers, "cloudEvents_id", slice_str(id));
	table_add_string(&headers, "cloudEvents_source", SLICE("/test"));
	table_add_string(&headers, "cloudEvents_type", SLICE("test"));
	if (subject != NULL)
		table_add_string(&headers, "cloudEvents_subject", slice_str(subject));
	const struct message m = {.exchange = SLICE("bank"),
	    .routing_key = slice_str(body[0] == '{' ? "json" : "text"),
	    .body = slice_str(body),
	    .headers = buf_slice(&headers),
	    .message_id = slice_str(id),
	    .correlation_id = slice_str(subject != NULL ? "c1" : NULL),
	    .present = MESSAGE_HEADERS | MESSAGE_MESSAGE_ID |
		       (subject != NULL ? MESSAGE_CORRELATION_ID : 0U)};
	const struct append_event event = {
	    .message = &m, .stream_offset = -1, .received_us = 1700000000000000};
	ck_assert_msg(append_add(append, &event, &err), "%s", err.text);
	buf_release(&headers);
}

static void commit(void)
{
	const struct append_result *results;
	ck_assert_msg(append_commit(append, &results, &err), "%s", err.text);
}

static void add_amounts(const char *subject, int count)
{
	char body[32];
	for (int i = 1; i <= count; i++) {
		snprintf(body, sizeof body, "{\"amount\":%d}", i);
		add(subject, body);
	}
	commit();
}

static uint64_t head(void)
{
	unsigned char hash[STORE_HASH_BYTES];
	uint64_t position;
	ck_assert_msg(store_head(store, &position, hash, &err), "%s", err.text);
	return position;
}

/* A statement on the file beside the store, as somebody would who changes it by hand. */
/* ---- folds ---- */

static struct fold *must_create(const char *reduce, const char *stream_by, bool is_whole)
{
	const struct fold_options options = {reduce, NULL, stream_by, is_whole};
	struct fold *f = fold_create(&options, &err);
	ck_assert_msg(f != NULL, "%s", err.text);
	return f;
}

static char *text_of(struct datum *d)
{
	struct buf out = {0};
	datum_write(d, &out);
	datum_free(d);
	return buf_take(&out);
}

/* The state of a stream as of a position, with snapshots when `every` is not 0, to free(). */
static char *state_at(
    struct fold *f, const char *stream, uint64_t to, uint64_t every, const char *owner)
{
	struct fold_state state;
	struct fold_run run = {.store = store, .fold = f, .every = every, .to = to};
	if (every > 0)
		run.snapshots = snapshots_create(store, fold_digest(f), owner);
	ck_assert_msg(fold_run(&run, stream, &state, &err), "%s", err.text);
	fold_run_keep(&run);
	snapshots_free(run.snapshots);
	return text_of(&state.value);
}

static void check_state(struct fold *f, const char *stream, uint64_t every, const char *expected)
{
	char *got = state_at(f, stream, head(), every, NULL);
	ck_assert_str_eq(got, expected);
	free(got);
}

/* ---- with snapshots as without ---- */

#define STREAMS 200
#define MOST 24 /* events of a stream */

static const char reducer[] =
    ".event as $e | .state | .n += 1 | .sum += ($e.data | numbers, .amount? // 0) |"
    " .last = ((.last // []) + [$e.position])[-3:] | .kinds[$e.data | type] += 1 |"
    " .product = ((.product // 1) * 1.1 + 0.1) | .text = ((.text // \"\") + ($e.id[-1:]))[-20:]";

/* What the reference says behind an event. */
struct version {
	uint64_t position;
	char *state;
};

struct history {
	struct version versions[MOST];
	size_t count;
};

static bool note(void *ctx, const struct fold_state *state, struct error *ignored)
{
	(void)ignored;
	struct history *h = ctx;
	struct datum copy = datum_copy(&state->value);
	ck_assert_uint_eq(state->version, h->count + 1);
	h->versions[h->count++] = (struct version){state->position, text_of(&copy)};
	return true;
}

static void add_random_events(struct rng *r)
{
	static const struct {
		const char *before, *behind;
	} bodies[] = {{"{\"amount\":", "}"}, {"", ""}, {"[", "]"}, {"no JSON ", ""},
	    {"{\"amount\":-", ",\"a\":{}}"}, {"\"", "\""}};
	unsigned left[STREAMS], total = 0;
	for (size_t i = 0; i < STREAMS; i++)
		total += left[i] = (unsigned)rng_between(r, 1, MOST);
	while (total > 0) {
		size_t i = (size_t)rng_below(r, STREAMS);
		if (left[i] == 0)
			continue;
		char subject[24], body[48];
		snprintf(subject, sizeof subject, "stream/%zu", i);
		size_t kind = (size_t)rng_below(r, ARRAY_LEN(bodies));
		snprintf(body, sizeof body, "%s%u%s", bodies[kind].before,
		    (unsigned)rng_below(r, 1000), bodies[kind].behind);
		add(subject, body);
		left[i]--;
		total--;
	}
	commit();
}

START_TEST(fold_with_snapshots_is_the_fold_without_at_every_version)
{
	struct rng r;
	size_t compared = 0;
	rng_seed(&r, 6);
	add_random_events(&r);
	struct fold *f = must_create(reducer, NULL, false);
	for (size_t i = 0; i < STREAMS; i++) {
		char subject[24];
		struct history h = {0};
		struct fold_state state;
		struct fold_run run = {
		    .store = store, .fold = f, .to = head(), .fn = note, .ctx = &h};
		snprintf(subject, sizeof subject, "stream/%zu", i);
		ck_assert_msg(fold_run(&run, subject, &state, &err), "%s", err.text);
		datum_free(&state.value);
		uint64_t every = 1 + rng_below(&r, 9);
		while (h.count > 0) { /* every one, in any order */
			struct version *v = &h.versions[rng_below(&r, h.count)];
			char *got = state_at(f, subject, v->position, every, NULL);
			ck_assert_str_eq(got, v->state);
			free(got);
			free(v->state);
			*v = h.versions[--h.count];
			compared++;
		}
	}
	ck_assert_uint_eq(compared, head());
	ck_assert_int_gt(ask("SELECT count(*) FROM snapshot"), STREAMS);
	fold_free(f);
}
END_TEST

/* ---- what makes a snapshot void ---- */

static void lie(struct fold *f, const char *owner)
{
	struct snapshots *s = snapshots_create(store, fold_digest(f), owner);
	for (uint64_t version = 3; version <= 9; version += 3) {
		struct snapshot found;
		ck_assert_msg(
		    snapshots_find(s, SLICE("acc"), version, &found, &err), "%s", err.text);
		ck_assert_uint_eq(found.version, version);
		found.state = SLICE("1000");
		snapshots_add(s, SLICE("acc"), &found);
	}
	ck_assert_msg(snapshots_write(s, &err), "%s", err.text);
	snapshots_free(s);
}

/* The store has snapshots of a lie from here on: whoever uses them is found out. */
static struct fold *make_liars(const char *owner)
{
	add_amounts("acc", 10);
	struct fold *f = must_create(".state + .event.data.amount", NULL, false);
	char *right = state_at(f, "acc", head(), 3, owner);
	ck_assert_str_eq(right, "55");
	free(right);
	ck_assert_int_eq(ask("SELECT count(*) FROM snapshot"), 3);
	lie(f, owner);
	check_state(f, "acc", 3, "1010"); /* the last one is of version 9 */
	return f;
}

START_TEST(changed_reducer_uses_no_snapshot_of_the_old_one)
{
	struct fold *f = make_liars(NULL);
	struct fold *other = must_create(".state + .event.data.amount # new", NULL, false);
	const struct fold_options options = {".state + .event.data.amount", "1", NULL, false};
	struct fold *initial = fold_create(&options, &err);
	check_state(other, "acc", 3, "55");
	check_state(initial, "acc", 3, "56");
	check_state(f, "acc", 3, "1010");
	fold_free(initial);
	fold_free(other);
	fold_free(f);
}
END_TEST

START_TEST(snapshot_of_another_past_is_not_used)
{
	struct fold *f = make_liars(NULL);
	change("UPDATE snapshot SET hash = zeroblob(32) WHERE version = 9");
	check_state(f, "acc", 0, "55");
	check_state(f, "acc", 7, "1034"); /* from version 6 on: 7, 8, 9, 10 */
	change("UPDATE snapshot SET hash = zeroblob(32)");
	check_state(f, "acc", 3, "55"); /* and keeps new ones in their place */
	check_state(f, "acc", 3, "55");
	ck_assert_int_eq(ask("SELECT count(*) FROM snapshot WHERE state = '45'"), 1);
	fold_free(f);
}
END_TEST

START_TEST(snapshot_that_somebody_changed_is_not_used)
{
	static const char *const changes[] = {"state = '2000'", "version = 8",
	    "position = 8, hash = (SELECT hash FROM event WHERE position = 8)",
	    "seal = zeroblob(32)", "seal = x''"};
	char sql[128];
	snprintf(sql, sizeof sql, "UPDATE snapshot SET %s WHERE version = 9", changes[_i]);
	struct fold *f = make_liars(NULL);
	change(sql);
	check_state(f, "acc", 20, "1034"); /* from version 6 on */
	fold_free(f);
}
END_TEST

START_TEST(old_snapshots_of_a_projection_are_deleted)
{
	struct fold *f = make_liars("balance");
	struct fold *other = must_create("(.state // 0) - .event.data.amount", NULL, false);
	free(state_at(other, "acc", head(), 5, "balance"));
	ck_assert_int_eq(ask("SELECT count(*) FROM snapshot"), 2);
	free(state_at(f, "acc", head(), 5, NULL));
	ck_assert_int_eq(ask("SELECT count(*) FROM snapshot"), 4);
	fold_free(other);
	fold_free(f);
}
END_TEST

START_TEST(store_that_cannot_be_written_to_is_folded_without_keeping)
{
	add_amounts("acc", 10);
	struct store *writable = store;
	store = store_open(path, STORE_READ, &err);
	ck_assert_msg(store != NULL, "%s", err.text);
	struct fold *f = must_create(".state + .event.data.amount", NULL, false);
	check_state(f, "acc", 3, "55");
	fold_free(f);
	store_close(store);
	store = writable;
	ck_assert_int_eq(ask("SELECT count(*) FROM snapshot"), 0);
}
END_TEST

START_TEST(state_that_would_not_come_back_is_not_kept)
{
	add_amounts("acc", 4);
	struct fold *f = must_create(
	    "if .event.version == 2 then infinite else .state | isinfinite end", NULL, false);
	char *three = state_at(f, "acc", 2, 1, NULL);
	free(three);
	three = state_at(f, "acc", 3, 1, NULL);
	ck_assert_str_eq(three, "true");
	ck_assert_int_eq(ask("SELECT count(*) FROM snapshot WHERE version = 2"), 0);
	free(three);
	fold_free(f);
}
END_TEST

START_TEST(whole_store_is_one_stream)
{
	add_amounts("a", 3);
	add_amounts(NULL, 3);
	struct fold *f = must_create(".state + .event.data.amount", NULL, true);
	check_state(f, NULL, 2, "12");
	check_state(f, NULL, 2, "12");
	ck_assert_int_eq(ask("SELECT count(*) FROM snapshot WHERE stream = ''"), 3);
	fold_free(f);
}
END_TEST

START_TEST(failing_reducer_names_the_event)
{
	static const struct {
		const char *reduce, *said;
	} cases[] = {
	    {"if .event.version == 2 then error(\"no\\u001b\") else 1 end",
		"'): the reducer fails: no\\x1b"},
	    {"select(.event.version < 2)", "'): the reducer gives no state"},
	};
	add_amounts("acc", 3);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fold *f = must_create(cases[i].reduce, NULL, false);
		struct fold_state state;
		struct fold_run run = {.store = store, .fold = f, .to = head()};
		error_clear(&err);
		ck_assert(!fold_run(&run, "acc", &state, &err));
		ck_assert_int_eq(err.kind, ERROR_DATA);
		ck_assert_ptr_nonnull(strstr(err.text, "event 2 ('event-"));
		ck_assert_msg(strstr(err.text, cases[i].said) != NULL, "%s", err.text);
		datum_free(&state.value);
		fold_free(f);
	}
}
END_TEST

/* ---- streams ---- */

static const struct {
	const char *by, *names; /* of the five events */
} partings[] = {
    {NULL, "a|b|a|-|b"},
    {"subject", "a|b|a|-|b"},
    {"routing_key", "json|json|text|json|text"},
    {"exchange", "bank|bank|bank|bank|bank"},
    {"queue", "-|-|-|-|-"},
    {"type", "test|test|test|test|test"},
    {"source", "/test|/test|/test|/test|/test"},
    {"correlation_id", "c1|c1|c1|-|c1"},
    {".k?", "x|7|-|-|-"},
    {".k", "x|7|-|-|-"}, /* fails on the third */
    {".", "{\"k\":\"x\"}|{\"k\":7}|text|{}|-"},
    {"$subject", "a|b|a|-|b"},
    {"$routing_key + \"!\"", "json!|json!|text!|json!|text!"},
    {"$headers.cloudEvents_subject", "a|b|a|-|b"},
    {"$properties | has(\"headers\")", "-|-|-|-|-"},
    {"$version", "1|1|2|-|2"},
    {"$position", "1|2|3|4|5"},
    {"$death | .reason == \"unknown\" | select(.) | 1", "1|1|1|1|1"},
    {"empty", "-|-|-|-|-"},
};

START_TEST(events_are_parted_into_streams)
{
	struct select_filter all = {0};
	struct select_event event;
	struct slice name;
	struct buf names = {0};
	add("a", "{\"k\":\"x\"}");
	add("b", "{\"k\":7}");
	add("a", "text");
	add(NULL, "{}");
	add("b", "\xff");
	commit();
	struct fold *f = must_create(".", partings[_i].by, false);
	struct select *select = select_open(store, &all, &err);
	while (select_next(select, &event, &err)) {
		bool belongs = fold_stream(f, &event, &name);
		buf_append_str(&names, names.len > 0 ? "|" : "");
		buf_append(&names, belongs ? name : SLICE("-"));
	}
	select_close(select);
	ck_assert_str_eq(names.ptr, partings[_i].names);
	buf_release(&names);
	fold_free(f);
}
END_TEST

START_TEST(versions_are_known_at_every_position)
{
	for (int i = 0; i < 100; i++) {
		add("a", "1");
		add(i % 2 == 0 ? "b" : "c", "1");
	}
	commit();
	for (int settled = 0; settled < 2; settled++) {
		for (uint64_t position = 0; position <= 200; position++) {
			uint64_t a, b, none;
			ck_assert(subjects_version(store, SLICE("a"), position, &a, &err));
			ck_assert(subjects_version(store, SLICE("b"), position, &b, &err));
			ck_assert(subjects_version(store, SLICE("x"), position, &none, &err));
			ck_assert_uint_eq(a, (position + 1) / 2);
			ck_assert_uint_eq(b, (position + 2) / 4);
			ck_assert_uint_eq(none, 0);
		}
		ck_assert_msg(append_settle(append, &err), "%s", err.text);
	}
}
END_TEST

/* ---- the table of a projection ---- */

static struct projection *open_projection(const struct fold *f, const char *name)
{
	struct projection *p = projection_open(store, name, fold_digest(f), &err);
	ck_assert_msg(p != NULL, "%s", err.text);
	return p;
}

static void bring_forward(struct fold *f, struct projection *p, uint64_t to)
{
	const struct fold_table_options options = {.store = store, .fold = f, .projection = p};
	struct fold_table *t = fold_table_create(&options);
	for (bool more = true; more;)
		ck_assert_msg(fold_table_advance(t, to, &more, &err), "%s", err.text);
	fold_table_free(t);
}

static bool write_row(void *ctx, const struct projection_row *row, struct error *ignored)
{
	(void)ignored;
	buf_printf(ctx, "%.*s %llu %llu %.*s\n", SLICE_ARGS(row->stream),
	    (unsigned long long)row->version, (unsigned long long)row->position,
	    SLICE_ARGS(row->state));
	return true;
}

/* All rows, to free(). */
static char *rows_of(struct projection *p)
{
	struct buf rows = {0};
	ck_assert_msg(projection_each(p, write_row, &rows, &err), "%s", err.text);
	return buf_take(&rows);
}

START_TEST(table_holds_what_the_streams_fold_to)
{
	struct rng r;
	rng_seed(&r, 7);
	add_random_events(&r);
	struct fold *f = must_create(reducer, NULL, false);
	struct projection *all = open_projection(f, NULL);
	bring_forward(f, all, head());
	char *expected = rows_of(all);
	projection_close(all);
	/* in pieces, by a process after another */
	for (uint64_t to = 0; to < head();) {
		to += 1 + rng_below(&r, 700);
		struct projection *p = open_projection(f, "pieces");
		bring_forward(f, p, to < head() ? to : head());
		projection_close(p);
	}
	struct projection *p = open_projection(f, "pieces");
	char *got = rows_of(p);
	ck_assert_str_eq(got, expected);
	ck_assert_uint_eq(projection_position(p), head());
	projection_close(p);
	for (size_t i = 0; i < STREAMS; i++) {
		char subject[24];
		snprintf(subject, sizeof subject, "stream/%zu", i);
		char *state = state_at(f, subject, head(), 0, NULL);
		ck_assert_msg(strstr(got, state) != NULL, "%s", state);
		free(state);
	}
	free(got);
	free(expected);
	fold_free(f);
}
END_TEST

START_TEST(step_that_was_not_committed_leaves_no_trace)
{
	struct fold *f = must_create(".state + .event.data.amount", NULL, false);
	add_amounts("acc", 3);
	struct projection *p = open_projection(f, "balance");
	bring_forward(f, p, 3);
	ck_assert(projection_begin(p, &err));
	const struct projection_row row = {SLICE("acc"), 4, 4, SLICE("1000")};
	ck_assert(projection_put(p, &row, &err));
	projection_close(p);
	p = open_projection(f, "balance");
	char *rows = rows_of(p);
	ck_assert_str_eq(rows, "acc 3 3 6\n");
	ck_assert_uint_eq(projection_position(p), 3);
	free(rows);
	projection_close(p);
	fold_free(f);
}
END_TEST

START_TEST(table_of_another_reducer_or_past_is_made_anew)
{
	struct fold *f = must_create(".state + .event.data.amount", NULL, false);
	struct fold *other = must_create(".state + 1", NULL, false);
	add_amounts("acc", 3);
	struct projection *p = open_projection(f, "balance");
	bring_forward(f, p, 3);
	projection_close(p);
	p = open_projection(f, "balance");
	ck_assert_uint_eq(projection_position(p), 3);
	projection_close(p);
	change("UPDATE projection SET hash = zeroblob(32)");
	p = open_projection(f, "balance");
	ck_assert_uint_eq(projection_position(p), 0);
	bring_forward(f, p, 3);
	projection_close(p);
	p = open_projection(other, "balance");
	ck_assert_uint_eq(projection_position(p), 0);
	bring_forward(other, p, 3);
	char *rows = rows_of(p);
	ck_assert_str_eq(rows, "acc 3 3 3\n");
	free(rows);
	projection_close(p);
	fold_free(other);
	fold_free(f);
}
END_TEST

START_TEST(two_that_keep_one_projection_do_not_mix)
{
	struct fold *f = must_create(".state + .event.data.amount", NULL, false);
	add_amounts("acc", 3);
	struct projection *one = open_projection(f, "balance"),
			  *two = open_projection(f, "balance");
	bring_forward(f, two, 3);
	const struct fold_table_options options = {.store = store, .fold = f, .projection = one};
	struct fold_table *t = fold_table_create(&options);
	bool more;
	ck_assert(!fold_table_advance(t, 3, &more, &err));
	ck_assert_int_eq(err.kind, ERROR_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "another process keeps the projection 'balance'"));
	fold_table_free(t);
	projection_close(one);
	char *rows = rows_of(two);
	ck_assert_str_eq(rows, "acc 3 3 6\n");
	free(rows);
	projection_close(two);
	fold_free(f);
}
END_TEST

START_TEST(state_that_is_no_json_cannot_be_kept_in_a_table)
{
	struct fold *f = must_create("nan", NULL, false);
	add_amounts("acc", 1);
	struct projection *p = open_projection(f, "balance");
	const struct fold_table_options options = {.store = store, .fold = f, .projection = p};
	struct fold_table *t = fold_table_create(&options);
	bool more;
	ck_assert(!fold_table_advance(t, 1, &more, &err));
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_ptr_nonnull(strstr(err.text, "event 1: the state of stream 'acc' holds what"));
	fold_table_free(t);
	projection_close(p);
	ck_assert_int_eq(ask("SELECT count(*) FROM projection_balance"), 0);
	fold_free(f);
}
END_TEST

START_TEST(reducer_without_end_ends_the_process_with_the_position)
{
	int ends[2];
	add_amounts("other", 1);
	add_amounts("acc", 1);
	ck_assert_int_eq(pipe(ends), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		struct fold_state state;
		struct fold *f = must_create("def f: f; f", NULL, false);
		struct store *own = store_open(path, STORE_READ, &err);
		struct fold_run run = {.store = own, .fold = f, .to = 2};
		fold_set_limit(f, 20 * CHRONO_MS);
		IGNORE_RESULT(fold_run(&run, "acc", &state, &err));
		_exit(0);
	}
	close(ends[1]);
	char said[128] = "";
	IGNORE_RESULT(read(ends[0], said, sizeof said - 1)); /* then it says nothing */
	close(ends[0]);
	int status = 0;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_str_eq(said, "error: event 2: the reducer did not come to an end\n");
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), ERROR_DATA);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fold");
	TCase *tc = tcase_create("fold");
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, fold_with_snapshots_is_the_fold_without_at_every_version);
	tcase_add_test(tc, changed_reducer_uses_no_snapshot_of_the_old_one);
	tcase_add_test(tc, snapshot_of_another_past_is_not_used);
	tcase_add_loop_test(tc, snapshot_that_somebody_changed_is_not_used, 0, 5);
	tcase_add_test(tc, old_snapshots_of_a_projection_are_deleted);
	tcase_add_test(tc, store_that_cannot_be_written_to_is_folded_without_keeping);
	tcase_add_test(tc, state_that_would_not_come_back_is_not_kept);
	tcase_add_test(tc, whole_store_is_one_stream);
	tcase_add_test(tc, failing_reducer_names_the_event);
	tcase_add_loop_test(tc, events_are_parted_into_streams, 0, ARRAY_LEN(partings));
	tcase_add_test(tc, versions_are_known_at_every_position);
	tcase_add_test(tc, table_holds_what_the_streams_fold_to);
	tcase_add_test(tc, step_that_was_not_committed_leaves_no_trace);
	tcase_add_test(tc, table_of_another_reducer_or_past_is_made_anew);
	tcase_add_test(tc, two_that_keep_one_projection_do_not_mix);
	tcase_add_test(tc, state_that_is_no_json_cannot_be_kept_in_a_table);
	suite_add_tcase(suite, tc);
	tc = tcase_create("watchdog"); /* valgrind changes the status */
	tcase_set_tags(tc, "no-valgrind");
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, reducer_without_end_ends_the_process_with_the_position);
	suite_add_tcase(suite, tc);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
