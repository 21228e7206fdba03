/*
 * sheet.h - rows to standard output, as they come: a table for people, JSON lines, or CSV.
 *
 * A table's columns are as wide as its first rows need; on a terminal no line is wider than it is.
 * CSV is RFC 4180's, with a row of names; NULL is an empty field, an empty text is "". JSON is an
 * object a line. Bytes that are not UTF-8 are {"base64":".."}, in CSV base64:... A terminal gets
 * nothing that it would obey, in no form.
 */
#ifndef BASE_SHEET_H
#define BASE_SHEET_H

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

/* In the order of enum events_format. */
enum sheet_format { SHEET_TABLE, SHEET_JSON, SHEET_CSV };

enum sheet_kind { SHEET_NULL, SHEET_INTEGER, SHEET_REAL, SHEET_TEXT };

struct sheet_cell {
	enum sheet_kind kind;
	int64_t integer;
	double real;
	struct slice text; /* any bytes */
};

struct sheet;

/* The names are copied. */
struct sheet *sheet_create(enum sheet_format format, const char *const names[], size_t count);
void sheet_free(struct sheet *sheet);

/* As many cells as there are names; borrowed for the call. ERROR_IO. */
bool sheet_add(struct sheet *sheet, const struct sheet_cell *cells, struct error *err) MUST_CHECK;
/* What is still held back. Blocks as long as the reader does. */
bool sheet_end(struct sheet *sheet, struct error *err) MUST_CHECK;

/* NULL for a slice without ptr. */
struct sheet_cell sheet_text(struct slice text);
struct sheet_cell sheet_integer(uint64_t value);

#endif
