#include "store/question.h"

#include "base/mem.h"
#include "base/text.h"
#include "store/store_private.h"

#include <stdlib.h>

#define NEAR_BYTES 40 /* shown of the SQL, from where SQLite stumbled */

struct question {
	struct store *store;
	sqlite3_stmt *statement;
	const char **names; /* SQLite's */
	struct sheet_cell *cells;
	size_t width;
};

/* load_extension is off anyway; that it is no function here says so before a row is read. */
static int authorize(void *ctx, int action, const char *first, const char *second,
    const char *database, const char *trigger)
{
	(void)ctx, (void)first, (void)database, (void)trigger;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return strcmp(second, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
	default:
		return SQLITE_DENY;
	}
}

/* What SQLite does not understand, with the place; what it may not do; a failure of the file. */
static bool refuse(struct store *store, const char *sql, struct error *err)
{
	int code = sqlite3_errcode(store->db), at = sqlite3_error_offset(store->db);
	if (code == SQLITE_AUTH)
		return error_set(err, ERROR_USAGE, "query only reads: a SELECT, nothing else");
	if (code != SQLITE_ERROR && code != SQLITE_RANGE && code != SQLITE_MISMATCH)
		return store_fail(store, err);
	char *said = text_quote(slice_str(sqlite3_errmsg(store->db)));
	struct buf near = {0};
	if (at >= 0 && (size_t)at < strlen(sql)) {
		text_escape(slice_str(sql + at), NEAR_BYTES, &near);
		error_set(
		    err, ERROR_USAGE, "query: %s, at character %d: '%s'", said, at + 1, near.ptr);
	} else {
		error_set(err, ERROR_USAGE, "query: %s", said);
	}
	buf_release(&near);
	free(said);
	return false;
}

/* Blanks and comments may follow the statement, and nothing else. */
static bool check_rest(struct store *store, const char *rest, struct error *err)
{
	bool good = true;
	while (good && rest[0] != '\0') {
		sqlite3_stmt *next = NULL;
		good = sqlite3_prepare_v2(store->db, rest, -1, &next, &rest) == SQLITE_OK &&
		       next == NULL;
		sqlite3_finalize(next);
	}
	return good || error_set(err, ERROR_USAGE, "query: one statement at a time");
}

static bool prepare(struct question *q, const char *sql, struct error *err)
{
	const char *rest;
	sqlite3_set_authorizer(q->store->db, authorize, NULL);
	if (sqlite3_prepare_v2(q->store->db, sql, -1, &q->statement, &rest) != SQLITE_OK)
		return refuse(q->store, sql, err);
	if (q->statement == NULL)
		return error_set(err, ERROR_USAGE, "query: there is no statement in it");
	return check_rest(q->store, rest, err);
}

struct question *question_open(struct store *store, const char *sql, struct error *err)
{
	struct question *q = mem_alloc(1, sizeof *q);
	q->store = store;
	if (!prepare(q, sql, err)) {
		question_close(q);
		return NULL;
	}
	q->width = (size_t)sqlite3_column_count(q->statement);
	q->names = mem_alloc(q->width, sizeof *q->names);
	q->cells = mem_alloc(q->width, sizeof *q->cells);
	for (size_t i = 0; i < q->width; i++)
		q->names[i] = sqlite3_column_name(q->statement, (int)i);
	return q;
}

void question_close(struct question *q)
{
	if (q == NULL)
		return;
	sqlite3_finalize(q->statement);
	sqlite3_set_authorizer(q->store->db, NULL, NULL);
	free(q->names);
	free(q->cells);
	free(q);
}

const char *const *question_names(const struct question *q)
{
	return q->names;
}

size_t question_width(const struct question *q)
{
	return q->width;
}

static struct sheet_cell read_cell(sqlite3_stmt *statement, int i)
{
	switch (sqlite3_column_type(statement, i)) {
	case SQLITE_INTEGER:
		return (struct sheet_cell){
		    .kind = SHEET_INTEGER, .integer = sqlite3_column_int64(statement, i)};
	case SQLITE_FLOAT:
		return (struct sheet_cell){
		    .kind = SHEET_REAL, .real = sqlite3_column_double(statement, i)};
	default:
		return sheet_text(store_column(statement, i));
	}
}

const struct sheet_cell *question_next(struct question *q, struct error *err)
{
	int code = sqlite3_step(q->statement);
	if (code != SQLITE_ROW) {
		IGNORE_RESULT(code == SQLITE_DONE || refuse(q->store, "", err));
		return NULL;
	}
	for (size_t i = 0; i < q->width; i++)
		q->cells[i] = read_cell(q->statement, (int)i);
	return q->cells;
}
