/* Marks of what was handled: over a window, for an age, across restarts, processes and faults. */
#include "store/handled_batch.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "model/recent.h"
#include "store/append.h"
#include "store/verify.h"
#include "store_bench.h"

#include <check.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static struct error err;
static struct store *store;

static void begin(void)
{
	error_clear(&err);
	make_folder();
	name_file("marks.db");
	store = open_store(STORE_CREATE);
}

static void end(void)
{
	store_close(store);
	remove_folder();
}

static struct handled *open_of(
    struct store *kept, const char *scope, size_t window, uint64_t age_ms)
{
	const struct handled_options options = {
	    .store = kept, .scope = scope, .window = window, .age_ms = age_ms};
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

static bool has(struct handled *h, unsigned number)
{
	return handled_has(h, mark(h, number), chrono_wall_ms());
}

/* Marks first <= number < end in a transaction. */
static bool commit(struct store *kept, struct handled *h, unsigned first, unsigned last)
{
	struct handled_batch *batch = handled_batch_create();
	for (unsigned i = first; i < last; i++)
		handled_batch_add(batch, h, mark(h, i));
	bool good = handled_batch_commit(batch, kept, &err);
	ck_assert_uint_eq(handled_batch_count(batch), good ? 0 : last - first);
	handled_batch_free(batch);
	return good;
}

/* ---- in memory ---- */

START_TEST(the_last_ones_are_remembered_and_one_that_came_again_is_as_new)
{
	struct recent *r = recent_create(3, 0);
	for (uint64_t i = 1; i <= 3; i++)
		recent_add(r, (struct siphash){i, i}, 0);
	recent_add(r, (struct siphash){1, 1}, 0); /* its first place falls out */
	ck_assert(recent_has(r, (struct siphash){1, 1}));
	recent_add(r, (struct siphash){4, 4}, 0);
	ck_assert(!recent_has(r, (struct siphash){2, 2}));
	ck_assert(recent_has(r, (struct siphash){3, 3}));
	recent_add(r, (struct siphash){5, 5}, 0);
	ck_assert(recent_has(r, (struct siphash){1, 1}));
	recent_add(r, (struct siphash){6, 6}, 0);
	ck_assert(!recent_has(r, (struct siphash){1, 1}));
	ck_assert_uint_eq(recent_count(r), 3);
	recent_free(r);
}
END_TEST

START_TEST(an_age_lets_go_and_a_clock_that_goes_back_does_not_matter)
{
	struct recent *r = recent_create(10, 100);
	recent_add(r, (struct siphash){1, 1}, 1000);
	recent_add(r, (struct siphash){2, 2}, 400); /* as old as the one before */
	recent_add(r, (struct siphash){3, 3}, 1050);
	recent_expire(r, 1099);
	ck_assert_uint_eq(recent_count(r), 3);
	recent_expire(r, 1100);
	ck_assert_uint_eq(recent_count(r), 1);
	ck_assert(recent_has(r, (struct siphash){3, 3}));
	recent_expire(r, 0);
	ck_assert_uint_eq(recent_count(r), 1);
	recent_expire(r, INT64_MAX);
	ck_assert_uint_eq(recent_count(r), 0);
	recent_free(r);
}
END_TEST

/* ---- in a store ---- */

START_TEST(marks_are_there_after_a_restart_each_in_its_scope)
{
	struct handled *a = open_of(store, "a", 100, 0), *b = open_of(store, "b", 100, 0);
	ck_assert_msg(commit(store, a, 0, 50), "%s", err.text);
	ck_assert_msg(commit(store, b, 50, 60), "%s", err.text);
	ck_assert(has(a, 0) && has(a, 49) && !has(a, 50));
	handled_close(a);
	handled_close(b);
	store_close(store);
	store = open_store(STORE_CREATE);
	a = open_of(store, "a", 100, 0);
	b = open_of(store, "b", 100, 0);
	ck_assert(has(a, 0) && has(a, 49) && !has(a, 50));
	ck_assert(has(b, 50) && has(b, 59) && !has(b, 0));
	handled_close(a);
	handled_close(b);
}
END_TEST

START_TEST(the_window_bounds_the_file_too)
{
	struct handled *h = open_of(store, "a", 100, 0);
	for (unsigned i = 0; i < 5000; i += 10)
		ck_assert_msg(commit(store, h, i, i + 10), "%s", err.text);
	ck_assert(has(h, 4999) && has(h, 4900) && !has(h, 4899));
	ck_assert_int_le(ask("SELECT count(*) FROM handled"), 110);
	handled_close(h);
	h = open_of(store, "a", 50, 0); /* a smaller one */
	ck_assert(has(h, 4999) && has(h, 4950) && !has(h, 4949));
	ck_assert_msg(commit(store, h, 5000, 5001), "%s", err.text);
	ck_assert_int_le(ask("SELECT count(*) FROM handled"), 51);
	handled_close(h);
}
END_TEST

START_TEST(what_is_too_old_leaves_the_file_too)
{
	struct handled *h = open_of(store, "a", 100, 1000);
	ck_assert_msg(commit(store, h, 0, 10), "%s", err.text);
	int64_t later = chrono_wall_ms() + 2000;
	ck_assert(has(h, 0));
	ck_assert(!handled_has(h, mark(h, 0), later));
	ck_assert_msg(commit(store, h, 10, 11), "%s", err.text);
	ck_assert_int_eq(ask("SELECT count(*) FROM handled"), 1);
	handled_close(h);
}
END_TEST

START_TEST(two_processes_take_up_what_the_other_has_written)
{
	struct store *other = open_store(STORE_CREATE);
	struct handled *a = open_of(store, "a", 100, 0), *b = open_of(other, "a", 100, 0);
	ck_assert_msg(commit(store, a, 0, 5), "%s", err.text);
	ck_assert(!has(b, 4));
	ck_assert_msg(handled_catch_up(b, &err), "%s", err.text);
	ck_assert(has(b, 4));
	ck_assert_msg(commit(store, a, 5, 9), "%s", err.text);
	ck_assert_msg(commit(other, b, 7, 12), "%s", err.text); /* 7 and 8 are there already */
	ck_assert_int_eq(ask("SELECT count(*) FROM handled"), 12);
	ck_assert_msg(handled_catch_up(a, &err), "%s", err.text);
	ck_assert(has(a, 11));
	handled_close(a);
	handled_close(b);
	store_close(other);
}
END_TEST

START_TEST(a_busy_file_is_told_and_the_batch_is_still_there)
{
	sqlite3 *holder;
	struct handled *h = open_of(store, "a", 100, 0);
	struct handled_batch *batch = handled_batch_create();
	store_set_patience(store, 10 * CHRONO_MS);
	ck_assert_int_eq(sqlite3_open(path, &holder), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	handled_batch_add(batch, h, mark(h, 1));
	ck_assert(!handled_batch_commit(batch, store, &err));
	ck_assert_int_eq(err.kind, ERROR_UNAVAILABLE);
	ck_assert(!has(h, 1));
	sqlite3_close(holder);
	error_clear(&err);
	ck_assert_msg(handled_batch_commit(batch, store, &err), "%s", err.text);
	ck_assert(has(h, 1));
	handled_batch_free(batch);
	handled_close(h);
}
END_TEST

START_TEST(a_full_disk_is_told_and_nothing_of_the_batch_is_marked)
{
	struct handled *h = open_of(store, "a", 1000000, 0);
	ck_assert_msg(commit(store, h, 0, 10), "%s", err.text);
	signal(SIGXFSZ, SIG_IGN);
	const struct rlimit small = {300000, RLIM_INFINITY}, any = {RLIM_INFINITY, RLIM_INFINITY};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	ck_assert(!commit(store, h, 10, 50000));
	ck_assert_int_eq(err.kind, ERROR_IO);
	ck_assert(has(h, 9) && !has(h, 10) && !has(h, 49999));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &any), 0);
	error_clear(&err);
	ck_assert_msg(commit(store, h, 10, 20), "%s", err.text);
	ck_assert_int_eq(ask("SELECT count(*) FROM handled"), 20);
	handled_close(h);
}
END_TEST

START_TEST(a_damaged_store_is_told_and_foreign_rows_match_nothing)
{
	struct handled *h = open_of(store, "a", 100, 0);
	sqlite3 *db;
	ck_assert_msg(commit(store, h, 0, 3), "%s", err.text);
	handled_close(h);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db, "INSERT INTO handled VALUES ('a', 9, x'00', 0)", NULL, NULL, NULL),
	    SQLITE_OK);
	h = open_of(store, "a", 100, 0);
	ck_assert(has(h, 2));
	handled_close(h);
	ck_assert_int_eq(sqlite3_exec(db, "DROP TABLE handled", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	const struct handled_options options = {.store = store, .scope = "a", .window = 100};
	ck_assert_ptr_null(handled_open(&options, &err));
	ck_assert_int_eq(err.kind, ERROR_DATA);
}
END_TEST

/* ---- a store of a layout before ---- */

static const char *const older[] = {
    "DROP TABLE answer; DROP TABLE handled; PRAGMA user_version = 1",
    "DROP TABLE answer; PRAGMA user_version = 2"};

static void no_fault(void *ctx, const struct verify_fault *fault)
{
	(void)ctx;
	ck_abort_msg("%s", fault->what);
}

static void verify(void)
{
	struct verify_result result;
	ck_assert_msg(verify_run(store, NULL, no_fault, NULL, &result, &err), "%s", err.text);
}

START_TEST(a_store_of_an_older_layout_is_read_as_it_is_and_brought_up_when_it_is_written_to)
{
	store_close(store);
	change(older[_i - 1]);
	store = store_open(path, STORE_READ, &err);
	ck_assert_msg(store != NULL, "%s", err.text);
	verify();
	store_close(store);
	ck_assert_int_eq(ask("PRAGMA user_version"), _i);
	store = store_open(path, STORE_WRITE, &err);
	ck_assert_msg(store != NULL, "%s", err.text);
	ck_assert_int_eq(ask("PRAGMA user_version"), 3);
	verify();
	struct handled *h = open_of(store, "a", 100, 0);
	ck_assert_msg(commit(store, h, 0, 3), "%s", err.text);
	handled_close(h);
}
END_TEST

/* ---- with events ---- */

static enum append_outcome append_marked(
    struct append *append, struct handled *h, unsigned number, const char *body)
{
	const struct append_result *results;
	const struct message m = {.exchange = SLICE("x"), .body = slice_str(body)};
	const struct append_mark marks[] = {{h, mark(h, number)}};
	const struct append_event event = {
	    .message = &m, .stream_offset = -1, .marks = marks, .mark_count = 1};
	ck_assert_msg(append_add(append, &event, &err), "%s", err.text);
	ck_assert_msg(append_commit(append, &results, &err), "%s", err.text);
	return results[0].outcome;
}

START_TEST(an_event_is_stored_by_who_marks_its_message_first)
{
	struct store *other = open_store(STORE_CREATE);
	struct handled *a = open_of(store, "a", 100, 0), *b = open_of(other, "a", 100, 0);
	struct append *one = append_create(store), *two = append_create(other);
	ck_assert_int_eq(append_marked(one, a, 1, "by one"), APPEND_STORED);
	ck_assert(!has(b, 1)); /* not yet seen, and all the same: */
	ck_assert_int_eq(append_marked(two, b, 1, "by two"), APPEND_HANDLED);
	ck_assert(has(b, 1));
	ck_assert_int_eq(append_marked(two, b, 2, "by two"), APPEND_STORED);
	ck_assert_int_eq(append_marked(one, a, 2, "by one"), APPEND_HANDLED);
	ck_assert_int_eq(ask("SELECT count(*) FROM event"), 2);
	ck_assert_int_eq(ask("SELECT count(*) FROM handled"), 2);
	append_free(one);
	append_free(two);
	handled_close(a);
	handled_close(b);
	store_close(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handled");
	TCase *tests = tcase_create("handled");
	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, the_last_ones_are_remembered_and_one_that_came_again_is_as_new);
	tcase_add_test(tests, an_age_lets_go_and_a_clock_that_goes_back_does_not_matter);
	tcase_add_test(tests, marks_are_there_after_a_restart_each_in_its_scope);
	tcase_add_test(tests, the_window_bounds_the_file_too);
	tcase_add_test(tests, what_is_too_old_leaves_the_file_too);
	tcase_add_test(tests, two_processes_take_up_what_the_other_has_written);
	tcase_add_test(tests, a_busy_file_is_told_and_the_batch_is_still_there);
	tcase_add_test(tests, a_full_disk_is_told_and_nothing_of_the_batch_is_marked);
	tcase_add_test(tests, a_damaged_store_is_told_and_foreign_rows_match_nothing);
	tcase_add_loop_test(tests,
	    a_store_of_an_older_layout_is_read_as_it_is_and_brought_up_when_it_is_written_to, 1, 3);
	tcase_add_test(tests, an_event_is_stored_by_who_marks_its_message_first);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
