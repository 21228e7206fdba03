/* store_private.h - statements of SQLite as our code wants them. Only for store/. */
#ifndef STORE_STORE_PRIVATE_H
#define STORE_STORE_PRIVATE_H

#include "base/siphash.h"
#include "store/store.h"

#include <sqlite3.h>
#include <sys/types.h>

struct store {
	sqlite3 *db;
	char *path;  /* as it was given */
	char *shown; /* printable */
	enum store_mode mode;
	int64_t layout; /* of the file: 1 has no marks (handled.h), 2 no answers (answers.h) */
	dev_t device;	/* of the file; 0 of a temporary one */
	ino_t inode;
	unsigned char key[SIPHASH_KEY_BYTES]; /* of the hashes of ids; each store has its own */
};

/* Says what SQLite last failed at: "store 'events.db': disk I/O error". Returns false. */
bool store_fail(struct store *store, struct error *err);

/* NULL: it failed. To sqlite3_finalize. `sql` is ours; that of a user goes through question.h. */
sqlite3_stmt *store_prepare(struct store *store, const char *sql, struct error *err);
/* One statement or several, without results. */
bool store_exec(struct store *store, const char *sql, struct error *err) MUST_CHECK;
/* The next row; at the end *row is false and the statement is reset. */
bool store_step(
    struct store *store, sqlite3_stmt *statement, bool *row, struct error *err) MUST_CHECK;
/* A statement without a result, to its end. */
bool store_run(struct store *store, sqlite3_stmt *statement, struct error *err) MUST_CHECK;

/* The number that a query answers with; 0 without a row. */
bool store_read_number(
    struct store *store, const char *sql, int64_t *out, struct error *err) MUST_CHECK;

/* Sees whether an open file is a store; makes an empty one a store when the mode is STORE_CREATE,
 * and brings an older layout up when it may be written to. Reads layout and key. */
bool store_lay_out(struct store *store, struct error *err) MUST_CHECK;

/* The file is still the one that was opened: what is written to one that was removed is lost. */
bool store_is_there(struct store *store, struct error *err) MUST_CHECK;

/* A transaction that writes, and its end: kept when all went well, else undone. */
bool store_begin(struct store *store, struct error *err) MUST_CHECK;
bool store_end(struct store *store, bool good, struct error *err) MUST_CHECK;

/* ptr NULL is NULL. The bytes must live until the statement is reset or bound anew. */
void store_bind_text(sqlite3_stmt *statement, int index, struct slice text);
void store_bind_blob(sqlite3_stmt *statement, int index, struct slice bytes);
void store_bind_u64(sqlite3_stmt *statement, int index, uint64_t number);

/* A text or a blob; NULL has ptr NULL. Borrowed until the next step. */
struct slice store_column(sqlite3_stmt *statement, int index);
uint64_t store_column_u64(sqlite3_stmt *statement, int index);

/* What an id stands under in the index (tail.h). */
int64_t store_hash(const struct store *store, struct slice id);

#endif
