/*
 * question.h - one SQL question of somebody else over the view `events`: read, and nothing but.
 *
 * Only SELECT (WITH and VALUES too) is let through, by SQLite's authorizer: nothing that writes,
 * attaches, loads or sets. SQLite's functions, those of JSON among them, are there.
 */
#ifndef STORE_QUESTION_H
#define STORE_QUESTION_H

#include "base/sheet.h"
#include "store/store.h"

struct question;

/* ERROR_USAGE: SQLite does not understand it, in its words and with the place; or it is not one
 * statement that only reads. The store must outlive it, and has one question at a time. */
struct question *question_open(struct store *store, const char *sql, struct error *err);
void question_close(struct question *q);

/* What the columns are called, as many as question_width. */
const char *const *question_names(const struct question *q);
size_t question_width(const struct question *q);

/* The next row, as many cells as columns; borrowed until the next call. NULL at the end and when it
 * fails; then err tells which. */
const struct sheet_cell *question_next(struct question *q, struct error *err);

#endif
