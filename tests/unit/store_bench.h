/* store_bench.h - an event store, at `path`: opened, and asked and changed past the library. */
#ifndef TESTS_UNIT_STORE_BENCH_H
#define TESTS_UNIT_STORE_BENCH_H

#include "folder_bench.h"

#include "store/store.h"

#include <sqlite3.h>
#include <stdint.h>

static inline struct store *open_store(enum store_mode mode)
{
	struct error err = {0};
	struct store *opened = store_open(path, mode, &err);
	ck_assert_msg(opened != NULL, "%s", err.text);
	return opened;
}

/* The number that a question has for its answer. */
static inline int64_t ask(const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *statement;
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	int64_t answer = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return answer;
}

static inline void change(const char *sql)
{
	sqlite3 *db;
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(
	    sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

#endif
