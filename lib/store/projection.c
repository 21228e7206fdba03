#include "store/projection.h"

#include "base/buf.h"
#include "base/mem.h"
#include "store/store_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct projection {
	struct store *store; /* where the table is */
	struct store own;    /* a temporary database, when there is no name */
	char *name;	     /* NULL: none */
	unsigned char reducer[DIGEST_BYTES];
	uint64_t position;
	sqlite3_stmt *find, *put;
	bool in_transaction;
};

/* ---- the tables ---- */

/* For a table of ours: the name has no characters that mean anything to SQL. */
static sqlite3_stmt *prepare(struct projection *p, const char *fmt, struct error *err)
{
	char *table = mem_printf("\"projection_%s\"", p->name != NULL ? p->name : "");
	struct buf sql = {0};
	const char *hole = strchr(fmt, '%');
	buf_append(&sql, (struct slice){fmt, (size_t)(hole - fmt)});
	buf_append_str(&sql, table);
	buf_append_str(&sql, hole + 1);
	sqlite3_stmt *statement = store_prepare(p->store, sql.ptr, err);
	buf_release(&sql);
	free(table);
	return statement;
}

static bool run(struct projection *p, const char *fmt, struct error *err)
{
	sqlite3_stmt *statement = prepare(p, fmt, err);
	bool good = statement != NULL && store_run(p->store, statement, err);
	sqlite3_finalize(statement);
	return good;
}

static bool make_table(struct projection *p, struct error *err)
{
	return run(p,
	    "CREATE TABLE IF NOT EXISTS % (stream TEXT PRIMARY KEY, version INTEGER NOT NULL,"
	    " position INTEGER NOT NULL, state TEXT NOT NULL) STRICT, WITHOUT ROWID",
	    err);
}

/* A question about the row of this projection and reducer; *found is false when there is none. */
static bool read_checkpoint(
    struct projection *p, const char *sql, uint64_t *position, bool *found, struct error *err)
{
	sqlite3_stmt *s = store_prepare(p->store, sql, err);
	if (s == NULL)
		return false;
	store_bind_text(s, 1, slice_str(p->name));
	store_bind_blob(s, 2, (struct slice){(const char *)p->reducer, DIGEST_BYTES});
	bool good = store_step(p->store, s, found, err);
	*position = good && *found ? store_column_u64(s, 0) : 0;
	sqlite3_finalize(s);
	return good;
}

static bool write_checkpoint(
    struct projection *p, uint64_t position, const unsigned char *hash, struct error *err)
{
	sqlite3_stmt *s = store_prepare(p->store,
	    "INSERT OR REPLACE INTO projection (name, reducer, position, hash)"
	    " VALUES (?1, ?2, ?3, ?4)",
	    err);
	if (s == NULL)
		return false;
	store_bind_text(s, 1, slice_str(p->name));
	store_bind_blob(s, 2, (struct slice){(const char *)p->reducer, DIGEST_BYTES});
	store_bind_u64(s, 3, position);
	store_bind_blob(s, 4, (struct slice){(const char *)hash, STORE_HASH_BYTES});
	bool good = store_run(p->store, s, err);
	sqlite3_finalize(s);
	return good;
}

static bool bring_to_life(struct projection *p, struct error *err)
{
	static const char sql[] =
	    "SELECT p.position FROM projection AS p JOIN event AS e ON e.position = p.position"
	    " AND e.hash = p.hash WHERE p.name = ?1 AND p.reducer = ?2";
	static const unsigned char nothing[STORE_HASH_BYTES];
	bool found;
	if (!make_table(p, err) || !read_checkpoint(p, sql, &p->position, &found, err))
		return false;
	return found || (run(p, "DELETE FROM %", err) && write_checkpoint(p, 0, nothing, err));
}

/* A file that SQLite makes and removes by itself. */
static bool open_own(struct projection *p, struct error *err)
{
	p->store = &p->own;
	p->own.shown = (char *)(uintptr_t) "(temporary)";
	if (sqlite3_open_v2("", &p->own.db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK)
		return store_fail(&p->own, err);
	return store_exec(&p->own, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", err) &&
	       make_table(p, err);
}

static bool is_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return len > 0 && len <= PROJECTION_MAX_NAME && name[len] == '\0';
}

static bool open_named(struct projection *p, const char *name, struct error *err)
{
	assert(is_name(name)); /* the schema of the settings says so */
	p->name = mem_strdup(name);
	return store_begin(p->store, err) && store_end(p->store, bring_to_life(p, err), err);
}

struct projection *projection_open(struct store *store, const char *name,
    const unsigned char reducer[DIGEST_BYTES], struct error *err)
{
	struct projection *p = mem_alloc(1, sizeof *p);
	p->store = store;
	memcpy(p->reducer, reducer, DIGEST_BYTES);
	bool good = name != NULL ? open_named(p, name, err) : open_own(p, err);
	if (good)
		p->find =
		    prepare(p, "SELECT version, position, state FROM % WHERE stream = ?1", err);
	if (p->find != NULL)
		p->put = prepare(p,
		    "INSERT OR REPLACE INTO % (stream, version, position, state)"
		    " VALUES (?1, ?2, ?3, ?4)",
		    err);
	if (p->put != NULL)
		return p;
	projection_close(p);
	return NULL;
}

void projection_close(struct projection *p)
{
	if (p == NULL)
		return;
	struct error ignored = {0}; /* it is undone in any case */
	sqlite3_finalize(p->find);
	sqlite3_finalize(p->put);
	if (p->in_transaction)
		IGNORE_RESULT(store_end(p->store, false, &ignored));
	sqlite3_close(p->own.db);
	free(p->name);
	free(p);
}

uint64_t projection_position(const struct projection *p)
{
	return p->position;
}

/* ---- rows ---- */

bool projection_find(
    struct projection *p, struct slice stream, struct projection_row *out, struct error *err)
{
	bool row;
	*out = (struct projection_row){.stream = stream};
	sqlite3_reset(p->find);
	store_bind_text(p->find, 1, stream);
	if (!store_step(p->store, p->find, &row, err))
		return false;
	if (row) {
		out->version = store_column_u64(p->find, 0);
		out->position = store_column_u64(p->find, 1);
		out->state = store_column(p->find, 2);
	}
	return true;
}

/* Two that keep the same projection would each take the other's work for its own. */
static bool check_alone(struct projection *p, struct error *err)
{
	uint64_t position;
	bool found;
	if (!read_checkpoint(p, "SELECT position FROM projection WHERE name = ?1 AND reducer = ?2",
		&position, &found, err))
		return false;
	return (found && position == p->position) ||
	       error_set(err, ERROR_UNAVAILABLE,
		   "store '%s': another process keeps the projection '%s'", store_path(p->store),
		   p->name);
}

bool projection_begin(struct projection *p, struct error *err)
{
	sqlite3_reset(p->find);
	if (!store_begin(p->store, err))
		return false;
	p->in_transaction = true;
	return p->name == NULL || check_alone(p, err);
}

bool projection_put(struct projection *p, const struct projection_row *row, struct error *err)
{
	store_bind_text(p->put, 1, row->stream);
	store_bind_u64(p->put, 2, row->version);
	store_bind_u64(p->put, 3, row->position);
	store_bind_text(p->put, 4, row->state);
	return store_run(p->store, p->put, err);
}

bool projection_commit(
    struct projection *p, uint64_t position, const unsigned char *hash, struct error *err)
{
	p->in_transaction = false;
	bool good = p->name == NULL || write_checkpoint(p, position, hash, err);
	if (!store_end(p->store, good, err))
		return false;
	p->position = position;
	return true;
}

bool projection_each(struct projection *p, projection_fn *fn, void *ctx, struct error *err)
{
	bool row = true, good = true;
	sqlite3_stmt *s =
	    prepare(p, "SELECT stream, version, position, state FROM % ORDER BY stream", err);
	while (s != NULL && good && row) {
		good = store_step(p->store, s, &row, err);
		if (!good || !row)
			continue;
		const struct projection_row r = {store_column(s, 0), store_column_u64(s, 1),
		    store_column_u64(s, 2), store_column(s, 3)};
		good = fn(ctx, &r, err);
	}
	bool done = s != NULL && good;
	sqlite3_finalize(s);
	return done;
}
