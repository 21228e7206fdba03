/* What a store keeps beside its events, and its file. */
#include "store/verify_private.h"

#include "base/mem.h"
#include "base/siphash.h"
#include "store/snapshots.h"

#include <stdlib.h>

static void count_entry(struct verify *v, struct verify_entries *entries, struct slice name,
    uint64_t number, uint64_t position, bool is_index)
{
	buf_clear(&v->scratch);
	buf_append(&v->scratch, name);
	buf_append(&v->scratch, (struct slice){(const char *)&number, sizeof number});
	buf_append(&v->scratch, (struct slice){(const char *)&position, sizeof position});
	struct siphash hash = siphash_128(v->store->key, buf_slice(&v->scratch));
	entries->low += is_index ? 0 - hash.low : hash.low;
	entries->high += is_index ? 0 - hash.high : hash.high;
}

void verify_count(struct verify *v, sqlite3_stmt *s)
{
	uint64_t position = store_column_u64(s, VERIFY_POSITION);
	struct slice id = store_column(s, VERIFY_ID), subject = store_column(s, VERIFY_SUBJECT);
	if (position > v->indexed)
		return;
	if (id.ptr != NULL)
		count_entry(
		    v, &v->ids, SLICE(""), (uint64_t)store_hash(v->store, id), position, false);
	if (subject.ptr != NULL)
		count_entry(
		    v, &v->streams, subject, store_column_u64(s, VERIFY_VERSION), position, false);
}

#define INDEXED "(SELECT value FROM meta WHERE name = 'indexed')"

/* The index of tail.h and the events have to say the same. A row is a fault: position and id. */
static const struct {
	const char *sql, *what;
} index_checks[] = {
    {"SELECT 0, NULL WHERE NOT EXISTS (SELECT 1 FROM meta WHERE name = 'indexed' AND"
     " value BETWEEN 0 AND (SELECT coalesce(max(position), 0) FROM event))",
	"the file: where its index ends is not known"},
    {"SELECT position, id FROM event WHERE position <= " INDEXED " AND id IS NOT NULL AND NOT"
     " EXISTS (SELECT 1 FROM ids WHERE hash = id_hash(event.id) AND position = event.position)",
	"the index of ids does not have it"},
    {"SELECT position, NULL FROM ids AS kept WHERE NOT EXISTS (SELECT 1 FROM event"
     " WHERE position = kept.position AND id_hash(id) = kept.hash)",
	"the index of ids has it with an id that it has not"},
    {"SELECT position, id FROM event WHERE position <= " INDEXED " AND subject IS NOT NULL AND"
     " NOT EXISTS (SELECT 1 FROM streams WHERE subject = event.subject AND"
     " version = event.version AND position = event.position)",
	"the index of subjects does not have it"},
    {"SELECT position, NULL FROM streams AS kept WHERE NOT EXISTS (SELECT 1 FROM event"
     " WHERE position = kept.position AND subject = kept.subject AND version = kept.version)",
	"the index of subjects has it with a subject or version that it has not"},
};

/* All rows of a question, to the function; damage is noted. */
static bool ask(struct verify *v, const char *sql,
    void (*note)(struct verify *v, sqlite3_stmt *row, void *ctx), void *ctx, struct error *err)
{
	int code = SQLITE_DONE;
	sqlite3_stmt *s = store_prepare(v->store, sql, err);
	bool good = s != NULL;
	while (good && (good = verify_step(v, s, &code, err)) && code == SQLITE_ROW)
		note(v, s, ctx);
	if (good && code != SQLITE_DONE)
		verify_note_file(v, slice_str(sqlite3_errmsg(v->store->db)));
	sqlite3_finalize(s);
	return good;
}

/* Behind the walk over the others, which never comes there. */
#define IMPOSSIBLE "SELECT position, id FROM event WHERE position < 1 OR position >= 1 << 53"

static void note_unindexed(struct verify *v, sqlite3_stmt *row, void *ctx)
{
	uint64_t position = store_column_u64(row, 0);
	verify_report(v, position, position, store_column(row, 1), ctx);
}

static void note_indexed(struct verify *v, sqlite3_stmt *row, void *ctx)
{
	(void)ctx;
	v->indexed = store_column_u64(row, 0);
}

static void take_id(struct verify *v, sqlite3_stmt *row, void *ctx)
{
	(void)ctx;
	count_entry(
	    v, &v->ids, SLICE(""), store_column_u64(row, 0), store_column_u64(row, 1), true);
}

/* Each row against each event takes long: only when the sums say that something differs. */
static bool compare_entries(struct verify *v, struct error *err)
{
	if (!ask(v, "SELECT hash, position FROM ids", take_id, NULL, err))
		return false;
	bool differs = (v->ids.low | v->ids.high | v->streams.low | v->streams.high) != 0;
	size_t count = differs ? ARRAY_LEN(index_checks) : 1;
	for (size_t i = 0; i < count; i++)
		if (!ask(v, index_checks[i].sql, note_unindexed,
			(void *)(uintptr_t)index_checks[i].what, err))
			return false;
	return true;
}

struct stream_end {
	struct buf subject;
	uint64_t position, version;
};

static void check_version(struct verify *v, sqlite3_stmt *row, void *ctx)
{
	struct stream_end *end = ctx;
	struct slice subject = store_column(row, 0);
	uint64_t version = store_column_u64(row, 1), position = store_column_u64(row, 2);
	if (!slice_equal(subject, buf_slice(&end->subject)))
		end->position = end->version = 0;
	if (position <= end->position || version != end->version + 1)
		verify_report(v, position, position, (struct slice){0},
		    "its version is not the next one of its subject");
	if (position <= v->indexed)
		count_entry(v, &v->streams, subject, version, position, true);
	end->position = position;
	end->version = version;
	buf_clear(&end->subject);
	buf_append(&end->subject, subject);
}

/* Those of a subject are 1, 2, 3 in the order of the positions. */
static bool check_versions(struct verify *v, struct error *err)
{
	struct stream_end end = {.position = 0};
	bool good = ask(v,
	    "SELECT subject, version, position FROM streams UNION ALL"
	    " SELECT subject, version, position FROM event WHERE position > " INDEXED
	    " AND subject IS NOT NULL ORDER BY subject, version",
	    check_version, &end, err);
	buf_release(&end.subject);
	return good;
}

bool verify_begin_index(struct verify *v, struct error *err)
{
	return ask(v, "SELECT " INDEXED, note_indexed, NULL, err);
}

bool verify_index(struct verify *v, struct error *err)
{
	static const char what[] = "stands where no event can";
	return ask(v, IMPOSSIBLE, note_unindexed, (void *)(uintptr_t)what, err) &&
	       check_versions(v, err) && compare_entries(v, err);
}

/* ---- the schema ---- */

static void note_object(struct verify *v, sqlite3_stmt *object, const char *what)
{
	struct slice type = store_column(object, 0), name = store_column(object, 1);
	char *line =
	    mem_printf("the %.*s %.*s %s", (int)type.len, type.ptr, (int)name.len, name.ptr, what);
	verify_note_file(v, slice_str(line));
	free(line);
}

/* The first one that has the object. */
static int64_t first_layout(struct slice name)
{
	return slice_is(name, "answer") ? 3 : slice_is(name, "handled") ? 2 : 1;
}

/* One of a new store, against what is there under its name. */
static bool compare_object(
    struct verify *v, sqlite3_stmt *wanted, sqlite3_stmt *found, struct error *err)
{
	int code;
	store_bind_text(found, 1, store_column(wanted, 0));
	store_bind_text(found, 2, store_column(wanted, 1));
	if (!verify_step(v, found, &code, err))
		return false;
	if (code != SQLITE_ROW && v->store->layout < first_layout(store_column(wanted, 1)))
		return true;
	if (code != SQLITE_ROW)
		note_object(v, wanted, "is missing");
	else if (!slice_equal(store_column(found, 0), store_column(wanted, 2)))
		note_object(v, wanted, "is not what it was");
	sqlite3_reset(found);
	return true;
}

static bool compare_objects(struct verify *v, struct store *fresh, struct error *err)
{
	bool row = true;
	sqlite3_stmt *wanted = store_prepare(
	    fresh, "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL", err);
	sqlite3_stmt *found = store_prepare(
	    v->store, "SELECT sql FROM sqlite_schema WHERE type = ?1 AND name = ?2", err);
	bool good = wanted != NULL && found != NULL;
	while (good && (good = store_step(fresh, wanted, &row, err)) && row)
		good = compare_object(v, wanted, found, err);
	sqlite3_finalize(wanted);
	sqlite3_finalize(found);
	return good;
}

static void note_foreign(struct verify *v, sqlite3_stmt *row, void *ctx)
{
	(void)ctx;
	note_object(v, row, "is not the store's");
}

/* Tables, indexes and views of others do nothing to the events; a trigger may. */
bool verify_schema(struct verify *v, struct error *err)
{
	struct store *fresh = store_open_temporary("a new one", err);
	bool good = fresh != NULL && compare_objects(v, fresh, err) &&
		    ask(v,
			"SELECT type, name FROM sqlite_schema WHERE type = 'trigger'"
			" AND name NOT IN ('event_update', 'event_delete')",
			note_foreign, NULL, err);
	store_close(fresh);
	return good;
}

/* ---- snapshots ---- */

static void check_snapshot(struct verify *v, sqlite3_stmt *row, void *ctx)
{
	(void)ctx;
	unsigned char seal[DIGEST_BYTES];
	struct slice stream = store_column(row, 1), hash = store_column(row, 4);
	const struct snapshot snapshot = {.version = store_column_u64(row, 3),
	    .position = store_column_u64(row, 2),
	    .hash = (const unsigned char *)hash.ptr,
	    .state = store_column(row, 5)};
	bool good = hash.len == STORE_HASH_BYTES;
	if (good) {
		snapshots_seal(v->digest, store_column(row, 0), stream, &snapshot, seal);
		good = slice_equal(store_column(row, 6), (struct slice){(char *)seal, sizeof seal});
	}
	if (!good)
		verify_report(v, snapshot.position, snapshot.position, (struct slice){0},
		    "a snapshot that a fold has kept behind it was changed");
}

bool verify_snapshots(struct verify *v, struct error *err)
{
	return ask(v, "SELECT reducer, stream, position, version, hash, state, seal FROM snapshot",
	    check_snapshot, NULL, err);
}

/* ---- the file ---- */

/* SQLite's own check; one row may hold several lines. */
static void note_lines(struct verify *v, sqlite3_stmt *row, void *ctx)
{
	(void)ctx;
	struct slice text = store_column(row, 0);
	while (text.len > 0 && !slice_is(text, "ok")) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t len = end != NULL ? (size_t)(end - text.ptr) : text.len;
		if (!slice_is((struct slice){text.ptr, len}, "*** in database main ***"))
			verify_note_file(v, (struct slice){text.ptr, len});
		text = slice_from(text, end != NULL ? len + 1 : len);
	}
}

bool verify_file(struct verify *v, struct error *err)
{
	return ask(v, "PRAGMA integrity_check(20)", note_lines, NULL, err);
}
