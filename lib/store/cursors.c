#include "store/cursors.h"

#include "base/mem.h"
#include "base/text.h"
#include "store/store_private.h"

#include <stdlib.h>

struct cursors {
	struct store *store;
	char *name;
	uint64_t holder; /* tells this hold from others */
	sqlite3_stmt *save;
};

static void read_place(sqlite3_stmt *row, struct cursors_place *place)
{
	*place = (struct cursors_place){store_column_u64(row, 0), store_column_u64(row, 1)};
}

bool cursors_look(struct store *store, const char *name, struct buf *what,
    struct cursors_place *place, struct error *err)
{
	static const char sql[] =
	    "SELECT done, sent_to, what FROM cursor WHERE name = ?1 AND sent_to > 0";
	bool row = false;
	sqlite3_stmt *look = store_prepare(store, sql, err);
	buf_clear(what);
	if (look == NULL)
		return false;
	store_bind_text(look, 1, slice_str(name));
	bool good = store_step(store, look, &row, err);
	*place = (struct cursors_place){0};
	if (row) {
		read_place(look, place);
		buf_append(what, store_column(look, 2));
	}
	sqlite3_finalize(look);
	return good;
}

static bool take(
    struct cursors *c, struct slice what, struct cursors_place *place, struct error *err)
{
	static const char sql[] = "INSERT INTO cursor (name, what, done, sent_to, holder)"
				  " VALUES (?1, ?2, 0, 0, random() & 0x7fffffffffffffff)"
				  " ON CONFLICT (name) DO UPDATE"
				  " SET what = excluded.what, holder = excluded.holder"
				  " RETURNING done, sent_to, holder";
	bool row = false;
	sqlite3_stmt *statement = store_prepare(c->store, sql, err);
	if (statement == NULL)
		return false;
	store_bind_text(statement, 1, slice_str(c->name));
	store_bind_text(statement, 2, what);
	bool good = store_step(c->store, statement, &row, err);
	if (row) {
		read_place(statement, place);
		c->holder = store_column_u64(statement, 2);
		good = store_run(c->store, statement, err);
	}
	sqlite3_finalize(statement);
	return good;
}

struct cursors *cursors_take(struct store *store, const char *name, struct slice what,
    struct cursors_place *place, struct error *err)
{
	static const char sql[] =
	    "UPDATE cursor SET done = ?1, sent_to = ?2 WHERE name = ?3 AND holder = ?4";
	struct cursors *c = mem_alloc(1, sizeof *c);
	c->store = store;
	c->name = mem_strdup(name);
	c->save = store_prepare(store, sql, err);
	if (c->save != NULL && take(c, what, place, err))
		return c;
	cursors_free(c);
	return NULL;
}

void cursors_free(struct cursors *c)
{
	if (c == NULL)
		return;
	sqlite3_finalize(c->save);
	free(c->name);
	free(c);
}

bool cursors_save(struct cursors *c, const struct cursors_place *place, struct error *err)
{
	store_bind_u64(c->save, 1, place->done);
	store_bind_u64(c->save, 2, place->sent_to);
	store_bind_text(c->save, 3, slice_str(c->name));
	store_bind_u64(c->save, 4, c->holder);
	if (!store_run(c->store, c->save, err))
		return false;
	if (sqlite3_changes(c->store->db) == 1)
		return true;
	char *shown = text_quote(slice_str(c->name));
	error_set(err, ERROR_UNAVAILABLE, "another replay has taken cursor '%s'", shown);
	free(shown);
	return false;
}

void cursors_mask_key(const struct store *store, unsigned char key[SIPHASH_KEY_BYTES])
{
	memcpy(key, store->key, sizeof store->key);
}
