/* A store that somebody or something has changed: each event that is not what it was is named. */
#include "store/verify.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/table.h"
#include "store/append.h"
#include "store/chain.h"
#include "store/snapshots.h"
#include "store_bench.h"

#include <check.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

enum { EVENTS = 24, BIG = 7, BINARY = 9 };

static char changed[64];
static struct error err;

static void begin(void)
{
	make_folder();
	name_file("changed.db");
	strcpy(changed, path);
	name_file("events.db");
	error_clear(&err);
}

static void remove_file(const char *name)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char whole[160];
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(whole, sizeof whole, "%s%s", name, ends[i]);
		unlink(whole);
	}
}

/* ---- stores ---- */

static void add(struct append *append, int n)
{
	char id[32], subject[32], body[20000];
	struct buf headers = {0};
	snprintf(id, sizeof id, "id-%d", n);
	snprintf(subject, sizeof subject, "account/acc%d", n % 3);
	size_t len = (size_t)snprintf(body, sizeof body, "{\"amount\":%d}", n);
	if (n == BIG) { /* it needs pages of its own */
		memset(body, 'x', sizeof body);
		len = sizeof body;
	}
	if (n == BINARY)
		body[0] = '\0';
	table_add_string(&headers, "cloudEvents_specversion", SLICE("1.0"));
	table_add_string(&headers, "cloudEvents_id", slice_str(id));
	table_add_string(&headers, "cloudEvents_source", SLICE("/test"));
	table_add_string(&headers, "cloudEvents_type", SLICE("Deposited"));
	table_add_string(&headers, "cloudEvents_subject", slice_str(subject));
	struct message m = {.exchange = SLICE("bank"),
	    .routing_key = SLICE("account.deposited"),
	    .body = {body, len},
	    .present = MESSAGE_HEADERS,
	    .headers = buf_slice(&headers)};
	struct append_event event = {.message = &m,
	    .queue = SLICE("ledger"),
	    .stream_offset = n == 5 ? 77 : -1,
	    .redelivered = n == 6,
	    .received_us = INT64_C(1700000000000000) + n};
	ck_assert_msg(append_add(append, &event, &err), "%s", err.text);
	buf_release(&headers);
}

/* Half of it in the index, the other half in its tail (store/tail.h). */
static void make_store(unsigned char *head)
{
	const struct append_result *results;
	uint64_t last;
	struct store *store = store_open(path, STORE_CREATE, &err);
	ck_assert_msg(store != NULL, "%s", err.text);
	struct append *append = append_create(store);
	for (int n = 1; n <= EVENTS; n++) {
		add(append, n);
		ck_assert_msg(append_commit(append, &results, &err), "%s", err.text);
	}
	append_free(append);
	ck_assert(store_head(store, &last, head, &err));
	store_close(store);
	change("UPDATE meta SET value = 12 WHERE name = 'indexed';"
	       " DELETE FROM ids WHERE position > 12; DELETE FROM streams WHERE position > 12");
}

/* ---- what verify says ---- */

struct said {
	bool named[EVENTS + 1];
	char text[8192];
};

static void note(void *ctx, const struct verify_fault *f)
{
	struct said *said = ctx;
	size_t len = strlen(said->text);
	for (uint64_t p = f->position; p > 0 && p <= f->last && p <= EVENTS; p++)
		said->named[p] = true;
	snprintf(said->text + len, sizeof said->text - len, "%lld: %s\n", (long long)f->position,
	    f->what);
}

/* False when the file is not even a store. */
static bool verify(
    const char *name, const unsigned char *wanted, struct said *said, struct verify_result *result)
{
	*said = (struct said){.named = {false}};
	error_clear(&err);
	struct store *store = store_open(name, STORE_READ, &err);
	bool good = store != NULL && verify_run(store, wanted, note, said, result, &err);
	store_close(store);
	return good;
}

START_TEST(a_store_that_is_whole_has_no_fault)
{
	unsigned char head[STORE_HASH_BYTES];
	struct verify_result result;
	struct said said;
	make_store(head);
	ck_assert_msg(verify(path, head, &said, &result), "%s", err.text);
	ck_assert_str_eq(said.text, "");
	ck_assert_uint_eq(result.events, EVENTS);
	ck_assert_uint_eq(result.position, EVENTS);
	ck_assert_uint_eq(result.wanted_at, EVENTS);
	ck_assert_mem_eq(result.head, head, sizeof head);
}
END_TEST

START_TEST(a_store_without_events_has_no_fault)
{
	struct verify_result result;
	struct said said;
	store_close(store_open(path, STORE_CREATE, &err));
	ck_assert_msg(verify(path, NULL, &said, &result), "%s", err.text);
	ck_assert_str_eq(said.text, "");
	ck_assert_uint_eq(result.events, 0);
}
END_TEST

/* ---- by SQL ---- */

static void drop_triggers(void)
{
	change("DROP TRIGGER event_update; DROP TRIGGER event_delete");
}

static void restore_triggers(void)
{
	change("CREATE TRIGGER event_update BEFORE UPDATE ON event"
	       " BEGIN SELECT raise(ABORT, 'an event is never changed'); END;"
	       "CREATE TRIGGER event_delete BEFORE DELETE ON event"
	       " BEGIN SELECT raise(ABORT, 'an event is never deleted'); END;");
}

static void play(const char *sql)
{
	drop_triggers();
	change(sql);
	restore_triggers();
}

#define HASH "it is not what its hash says"

static const struct {
	const char *sql;
	long long position; /* 0: of the file */
	const char *what;
} changes[] = {
    {"UPDATE event SET body = '{\"amount\":5000}' WHERE position = 5", 5, HASH},
    {"UPDATE event SET body = CAST(body AS BLOB) WHERE position = 5", 5,
	"of another kind than it was: body"},
    {"UPDATE event SET redelivered = 3 WHERE position = 5", 5, "kind than it was: redelivered"},
    {"UPDATE event SET properties = replace(properties, 'Deposited', 'Withdrawn')"
     " WHERE position = 5",
	5, HASH},
    {"UPDATE event SET properties = '{' WHERE position = 5", 5, "its properties cannot be read"},
    {"UPDATE event SET exchange = 'shop' WHERE position = 5", 5, HASH},
    {"UPDATE event SET routing_key = 'x' WHERE position = 5", 5, HASH},
    {"UPDATE event SET queue = NULL WHERE position = 5", 5, HASH},
    {"UPDATE event SET received = received + 1 WHERE position = 5", 5, HASH},
    {"UPDATE event SET received = received - 9 WHERE position = 5", 5, "before the event before"},
    {"UPDATE event SET redelivered = 1 WHERE position = 5", 5, HASH},
    {"UPDATE event SET redelivered = 3 WHERE position = 6", 6, "kind than it was: redelivered"},
    {"UPDATE event SET stream_offset = 78 WHERE position = 5", 5, HASH},
    {"UPDATE event SET hash = zeroblob(32) WHERE position = 5", 5, HASH},
    {"UPDATE event SET hash = zeroblob(32) WHERE position = 5", 6, HASH},
    {"UPDATE event SET hash = zeroblob(31) WHERE position = 5", 5, "its hash is damaged"},
    {"UPDATE event SET id = 'other' WHERE position = 5", 5, "says otherwise: id"},
    {"UPDATE event SET type = 'other' WHERE position = 5", 5, "says otherwise: type"},
    {"UPDATE event SET source = NULL WHERE position = 5", 5, "says otherwise: source"},
    {"UPDATE event SET subject = 'other' WHERE position = 5", 5, "says otherwise: subject"},
    {"UPDATE event SET time = 'now' WHERE position = 5", 5, "says otherwise: time"},
    {"UPDATE event SET data = '1' WHERE position = 5", 5, "says otherwise: data"},
    {"UPDATE event SET version = 9 WHERE position = 5", 5, "the index of subjects does not"},
    {"UPDATE event SET version = 99 WHERE position = 23", 23, "its version is not the next"},
    {"DELETE FROM event WHERE position = 5", 5, "missing"},
    {"DELETE FROM event WHERE position = 1", 1, "missing"},
    {"DELETE FROM event WHERE position BETWEEN 3 AND 20", 3, "missing"},
    {"UPDATE event SET position = 100 WHERE position = 24", 24, "missing"},
    {"UPDATE event SET position = -1 WHERE position = 5", 5, "missing"},
    {"UPDATE event SET position = -1 WHERE position = 5", -1, "stands where no event can"},
    {"UPDATE event SET position = 9223372036854775807 WHERE position = 24", 24, "missing"},
    {"UPDATE event SET position = 1 << 53 WHERE position = 24", 1LL << 53,
	"stands where no event can"},
    {"DELETE FROM ids WHERE position = 5", 5, "the index of ids does not have it"},
    {"INSERT INTO ids VALUES (1, 5)", 5, "the index of ids has it with an id"},
    {"DELETE FROM streams WHERE position = 5", 5, "the index of subjects does not have it"},
    {"UPDATE streams SET position = 4 WHERE position = 5", 4, "the index of subjects has it"},
    {"DELETE FROM meta WHERE name = 'indexed'", 0, "the file: where its index ends"},
};

START_TEST(what_was_changed_by_sql_is_named)
{
	unsigned char head[STORE_HASH_BYTES];
	struct verify_result result;
	struct said said;
	char line[32];
	make_store(head);
	play(changes[_i].sql);
	ck_assert_msg(verify(path, NULL, &said, &result), "%s", err.text);
	snprintf(line, sizeof line, "%lld: ", changes[_i].position);
	const char *at = said.text;
	while (at != NULL && strncmp(at, line, strlen(line)) != 0)
		at = strchr(at, '\n') != NULL ? strchr(at, '\n') + 1 : NULL;
	ck_assert_msg(at != NULL && strstr(at, changes[_i].what) != NULL, "%s: said is\n%s",
	    changes[_i].sql, said.text);
}
END_TEST

START_TEST(a_schema_that_is_not_the_store_s_is_told)
{
	static const struct {
		const char *sql, *said;
	} rows[] = {
	    {"DROP TRIGGER event_delete", "0: the file: the trigger event_delete is missing\n"},
	    {"DROP VIEW events; CREATE VIEW events AS SELECT * FROM event",
		"0: the file: the view events is not what it was\n"},
	    {"CREATE TRIGGER mine AFTER INSERT ON event BEGIN SELECT 1; END",
		"0: the file: the trigger mine is not the store's\n"},
	    {"DROP INDEX event_offset", "0: the file: the index event_offset is missing\n"},
	    {"ALTER TABLE cursor ADD COLUMN x TEXT",
		"0: the file: the table cursor is not what it was\n"},
	    {"CREATE TABLE mine (x); CREATE VIEW hers AS SELECT x FROM mine; VACUUM", ""},
	};
	unsigned char head[STORE_HASH_BYTES];
	struct verify_result result;
	struct said said;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		make_store(head);
		change(rows[i].sql);
		ck_assert_msg(verify(path, NULL, &said, &result), "%s", err.text);
		ck_assert_str_eq(said.text, rows[i].said);
		remove_file(path);
	}
}
END_TEST

static void keep_snapshot(uint64_t position, const char *state)
{
	static const unsigned char reducer[DIGEST_BYTES] = {1}, hash[STORE_HASH_BYTES] = {2};
	const struct snapshot snapshot = {2, position, hash, slice_str(state)};
	struct store *store = store_open(path, STORE_WRITE, &err);
	struct snapshots *s = snapshots_create(store, reducer, "balance");
	snapshots_add(s, SLICE("account/acc1"), &snapshot);
	ck_assert_msg(snapshots_write(s, &err), "%s", err.text);
	snapshots_free(s);
	store_close(store);
}

START_TEST(a_snapshot_that_was_changed_is_named)
{
	static const char *const lies[] = {"reducer = x'00'", "stream = 'account/acc2'",
	    "version = 9", "hash = zeroblob(32)", "hash = x''", "state = '777'", "seal = x'00'"};
	unsigned char head[STORE_HASH_BYTES];
	struct verify_result result;
	struct said said;
	char sql[128];
	make_store(head);
	keep_snapshot(4, "4");
	keep_snapshot(7, "77");
	ck_assert_msg(verify(path, NULL, &said, &result), "%s", err.text);
	ck_assert_str_eq(said.text, "");
	snprintf(sql, sizeof sql, "UPDATE snapshot SET %s WHERE position = 7", lies[_i]);
	change(sql);
	ck_assert_msg(verify(path, NULL, &said, &result), "%s", err.text);
	ck_assert_str_eq(said.text, "7: a snapshot that a fold has kept behind it was changed\n");
}
END_TEST

START_TEST(of_a_changed_event_alone_nothing_else_is_said)
{
	unsigned char head[STORE_HASH_BYTES];
	struct verify_result result;
	struct said said;
	make_store(head);
	play("UPDATE event SET body = '{}' WHERE position IN (3, 15)");
	ck_assert(verify(path, NULL, &said, &result));
	ck_assert_uint_eq(result.faults, 2);
	ck_assert(said.named[3] && said.named[15]);
}
END_TEST

/* Who writes all later hashes anew leaves no trace in the file: only the head tells. */
START_TEST(a_past_that_was_written_anew_has_another_head)
{
	unsigned char head[STORE_HASH_BYTES], hash[STORE_HASH_BYTES] = {0};
	struct verify_result result;
	struct said said;
	sqlite3 *db;
	sqlite3_stmt *row, *write;
	make_store(head);
	drop_triggers();
	change("UPDATE event SET body = '{}' WHERE position = 3");
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_prepare_v2(db,
	    "SELECT position, received, redelivered, stream_offset, queue, exchange, routing_key,"
	    " properties, body FROM event ORDER BY position",
	    -1, &row, NULL);
	sqlite3_prepare_v2(db, "UPDATE event SET hash = ?2 WHERE position = ?1", -1, &write, NULL);
	struct digest *digest = digest_create();
	struct slice texts[5];
	while (sqlite3_step(row) == SQLITE_ROW) {
		for (int i = 0; i < 5; i++) {
			texts[i].ptr = sqlite3_column_blob(row, 4 + i);
			texts[i].len = (size_t)sqlite3_column_bytes(row, 4 + i);
		}
		bool in_stream = sqlite3_column_type(row, 3) != SQLITE_NULL;
		struct chain_event e = {(uint64_t)sqlite3_column_int64(row, 0),
		    sqlite3_column_int64(row, 1), sqlite3_column_int(row, 2) != 0,
		    in_stream ? sqlite3_column_int64(row, 3) : -1, texts[0], texts[1], texts[2],
		    texts[3], texts[4]};
		chain_next(digest, &e, hash);
		sqlite3_bind_int64(write, 1, sqlite3_column_int64(row, 0));
		sqlite3_bind_blob(write, 2, hash, sizeof hash, SQLITE_TRANSIENT);
		ck_assert_int_eq(sqlite3_step(write), SQLITE_DONE);
		sqlite3_reset(write);
	}
	digest_free(digest);
	sqlite3_finalize(row);
	sqlite3_finalize(write);
	sqlite3_close(db);
	restore_triggers();
	ck_assert(verify(path, head, &said, &result));
	ck_assert_str_eq(said.text, "");
	ck_assert_uint_eq(result.wanted_at, 0);
}
END_TEST

START_TEST(events_cut_off_the_end_take_the_head_with_them)
{
	unsigned char head[STORE_HASH_BYTES];
	struct verify_result result;
	struct said said;
	make_store(head);
	play("DELETE FROM event WHERE position > 20; DELETE FROM ids WHERE position > 20;"
	     " DELETE FROM streams WHERE position > 20;"
	     " UPDATE meta SET value = min(value, 20) WHERE name = 'indexed'");
	ck_assert(verify(path, head, &said, &result));
	ck_assert_str_eq(said.text, "");
	ck_assert_uint_eq(result.wanted_at, 0);
	ck_assert_uint_eq(result.position, 20);
}
END_TEST

/* ---- by the byte ---- */

static struct slice read_all(char *out, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, out, room);
	close(fd);
	ck_assert_int_gt(len, 0);
	ck_assert_uint_lt((size_t)len, room);
	return (struct slice){out, (size_t)len};
}

static void write_changed(struct slice bytes)
{
	remove_file(changed);
	int fd = open(changed, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_eq(write(fd, bytes.ptr, bytes.len), (ssize_t)bytes.len);
	close(fd);
}

/* All columns of an event as one text, or that it cannot be read. */
static void describe(sqlite3_stmt *s, int position, struct buf *out)
{
	buf_clear(out);
	sqlite3_bind_int(s, 1, position);
	int code = sqlite3_step(s);
	buf_printf(out, "%d ", code);
	for (int i = 0; code == SQLITE_ROW && i < sqlite3_column_count(s); i++) {
		buf_printf(out, "|%d ", sqlite3_column_type(s, i));
		const char *bytes = sqlite3_column_blob(s, i);
		buf_append(out, (struct slice){bytes, (size_t)sqlite3_column_bytes(s, i)});
	}
	sqlite3_reset(s);
}

static sqlite3 *open_plain(const char *name, sqlite3_stmt **each)
{
	sqlite3 *db;
	*each = NULL;
	sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE, NULL);
	sqlite3_prepare_v2(db, "SELECT * FROM event WHERE position = ?", -1, each, NULL);
	return db;
}

/* Each event that SQLite, asked without us, reads otherwise than before has to be named; or at
 * least something has to be said, of a file whose end is gone. */
static void check_flip(
    char *bytes, size_t len, size_t at, unsigned char mask, bool all, size_t *named)
{
	struct verify_result result;
	struct said said;
	sqlite3_stmt *now, *before;
	struct buf is = {0}, was = {0};
	bytes[at] = (char)(bytes[at] ^ mask);
	write_changed((struct slice){bytes, len});
	bytes[at] = (char)(bytes[at] ^ mask);
	bool read = verify(changed, NULL, &said, &result);
	ck_assert_msg(read || err.kind == ERROR_DATA, "byte %zu: %s", at, err.text);
	sqlite3 *a = open_plain(changed, &now), *b = open_plain(path, &before);
	for (int p = 1; read && now != NULL && p <= EVENTS; p++) {
		describe(now, p, &is);
		describe(before, p, &was);
		bool differs = !slice_equal(buf_slice(&is), buf_slice(&was));
		ck_assert_msg(!differs || said.named[p] || (!all && said.text[0] != '\0'),
		    "byte %zu with %#x changes event %d, and what is said is\n%s", at, mask, p,
		    said.text);
		*named += differs;
	}
	sqlite3_finalize(now);
	sqlite3_finalize(before);
	sqlite3_close(a);
	sqlite3_close(b);
	buf_release(&is);
	buf_release(&was);
}

static char file[256 << 10];

START_TEST(each_byte_of_an_event_counts)
{
	unsigned char head[STORE_HASH_BYTES];
	size_t named = 0;
	make_store(head);
	struct slice whole = read_all(file, sizeof file);
	const char *body = memmem(whole.ptr, whole.len, "{\"amount\":13}", 13);
	ck_assert_ptr_nonnull(body);
	size_t at =
	    (size_t)(body - whole.ptr); /* the row's texts stand before it, the hash behind */
	for (size_t i = at - 380; i < at + 13 + STORE_HASH_BYTES; i++)
		check_flip(file, whole.len, i, (unsigned char)(1U << i % 8), true, &named);
	ck_assert_uint_ge(named, 380 + 13 + STORE_HASH_BYTES - 60);
}
END_TEST

START_TEST(a_bit_flipped_anywhere_is_found_and_nothing_breaks)
{
	enum { FLIPS = 150 };
	unsigned char head[STORE_HASH_BYTES];
	struct rng rng;
	size_t named = 0;
	make_store(head);
	struct slice whole = read_all(file, sizeof file);
	rng_seed(&rng, (uint64_t)_i);
	for (int n = 0; n < FLIPS; n++)
		check_flip(file, whole.len, (size_t)rng_below(&rng, whole.len),
		    (unsigned char)(1U << rng_below(&rng, 8)), true, &named);
	ck_assert_uint_gt(named, 0);
}
END_TEST

/* A page full of nothing: what is on it cannot be read, what is on others can. */
START_TEST(a_lost_page_hides_its_own_events_and_no_others)
{
	enum { PAGE = 4096 };
	unsigned char head[STORE_HASH_BYTES];
	size_t named = 0;
	make_store(head);
	struct slice whole = read_all(file, sizeof file);
	for (size_t page = 1; page < whole.len / PAGE; page++) {
		char kept[PAGE];
		memcpy(kept, file + page * PAGE, PAGE);
		memset(file + page * PAGE, 0xa5, PAGE);
		check_flip(file, whole.len, page * PAGE, 0, true, &named);
		memcpy(file + page * PAGE, kept, PAGE);
	}
	ck_assert_uint_ge(named, EVENTS);
}
END_TEST

START_TEST(a_file_that_is_cut_short_is_told)
{
	unsigned char head[STORE_HASH_BYTES];
	size_t named = 0;
	make_store(head);
	struct slice whole = read_all(file, sizeof file);
	for (size_t len = whole.len - 1; len > 4096; len -= 1500)
		check_flip(file, len, 0, 0, false, &named);
}
END_TEST

static Suite *verify_suite(void)
{
	Suite *suite = suite_create("verify");
	TCase *tcase = tcase_create("verify");
	tcase_add_checked_fixture(tcase, begin, remove_folder);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, a_store_that_is_whole_has_no_fault);
	tcase_add_test(tcase, a_store_without_events_has_no_fault);
	tcase_add_loop_test(tcase, what_was_changed_by_sql_is_named, 0, (int)ARRAY_LEN(changes));
	tcase_add_test(tcase, a_schema_that_is_not_the_store_s_is_told);
	tcase_add_loop_test(tcase, a_snapshot_that_was_changed_is_named, 0, 7);
	tcase_add_test(tcase, of_a_changed_event_alone_nothing_else_is_said);
	tcase_add_test(tcase, a_past_that_was_written_anew_has_another_head);
	tcase_add_test(tcase, events_cut_off_the_end_take_the_head_with_them);
	tcase_add_test(tcase, each_byte_of_an_event_counts);
	tcase_add_loop_test(tcase, a_bit_flipped_anywhere_is_found_and_nothing_breaks, 1, 4);
	tcase_add_test(tcase, a_lost_page_hides_its_own_events_and_no_others);
	tcase_add_test(tcase, a_file_that_is_cut_short_is_told);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(verify_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
