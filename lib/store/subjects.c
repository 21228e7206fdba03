#include "store/subjects.h"

#include "store/store_private.h"

/* The number that a statement over ?1, the subject, and ?2 gives; 0 without a row. */
static bool ask(struct store *store, sqlite3_stmt *s, struct slice subject, uint64_t number,
    uint64_t *out, struct error *err)
{
	bool row;
	store_bind_text(s, 1, subject);
	store_bind_u64(s, 2, number);
	if (!store_step(store, s, &row, err))
		return false;
	*out = row ? store_column_u64(s, 0) : 0;
	sqlite3_reset(s);
	return true;
}

static bool ask_once(struct store *store, const char *sql, struct slice subject, uint64_t number,
    uint64_t *out, struct error *err)
{
	sqlite3_stmt *s = store_prepare(store, sql, err);
	bool good = s != NULL && ask(store, s, subject, number, out, err);
	sqlite3_finalize(s);
	return good;
}

/* By halves: within a subject the versions go up with the positions. */
static bool search(struct store *store, struct slice subject, uint64_t position, uint64_t high,
    uint64_t *out, struct error *err)
{
	uint64_t low = 0;
	sqlite3_stmt *s = store_prepare(
	    store, "SELECT position FROM streams WHERE subject = ?1 AND version = ?2", err);
	bool good = s != NULL;
	while (good && low < high) {
		uint64_t middle = high - (high - low) / 2, found;
		good = ask(store, s, subject, middle, &found, err);
		if (good && found <= position)
			low = middle;
		else
			high = middle - 1;
	}
	sqlite3_finalize(s);
	*out = low;
	return good;
}

bool subjects_version(
    struct store *store, struct slice subject, uint64_t position, uint64_t *out, struct error *err)
{
	/* what is not in the index first: it may get there in between (tail.h) */
	static const char behind[] =
	    "SELECT version FROM event WHERE subject = ?1 AND position <= ?2 AND position >"
	    " (SELECT value FROM meta WHERE name = 'indexed') ORDER BY position DESC LIMIT 1";
	static const char last[] =
	    "SELECT max(version) FROM streams WHERE subject = ?1 AND version > ?2";
	uint64_t high;
	if (!ask_once(store, behind, subject, position, out, err))
		return false;
	return *out > 0 || (ask_once(store, last, subject, 0, &high, err) &&
			       search(store, subject, position, high, out, err));
}
