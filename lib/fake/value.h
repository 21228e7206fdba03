/* value.h - one rendered value: its plain text, and how that is written in JSON and in a header. */
#ifndef FAKE_VALUE_H
#define FAKE_VALUE_H

#include "base/buf.h"

#include <jansson.h>

enum value_kind {
	VALUE_ABSENT, /* an optional value that is not there: no key, no header, no text */
	VALUE_NULL,   /* null in JSON, no text */
	VALUE_TEXT,
	VALUE_NUMBER, /* the text is a JSON number */
	VALUE_BOOL,   /* true or false */
	VALUE_JSON,   /* an object or array: compact, valid JSON of our own making */
};

#define VALUE_MAX_DEPTH 32 /* of nested JSON, in settings and so in everything rendered */

/* Appends the plain text of a JSON value; returns its kind. Reals are written as the shortest text
 * that reads back. The JSON is at most VALUE_MAX_DEPTH deep: see value_is_shallow. */
enum value_kind value_from_json(const json_t *json, struct buf *out);
bool value_is_shallow(const json_t *json, unsigned depth);

/* Appends the value as JSON. Nothing for VALUE_ABSENT. */
void value_write_json(enum value_kind kind, struct slice text, struct buf *out);

/* Turns the plain text that begins at `from` of a buf into JSON, in place. `spare` is scratch. */
void value_make_json(enum value_kind kind, struct buf *b, size_t from, struct buf *spare);

/*
 * Appends the value as a field of an AMQP table: type letter and value. Texts are S, whole numbers
 * l, reals (and whole numbers beyond 64 bits) d, null V, objects F, arrays A. False when a key of
 * an object has more than 255 bytes; what was appended is then of no use.
 */
bool value_write_field(enum value_kind kind, struct slice text, struct buf *out);

/* Appends value / 10^decimals: (-1250, 2) is -12.50. At most 18 decimals. */
void value_write_decimal(int64_t value, unsigned decimals, struct buf *out);
/* Appends exactly `width` (at most 20) decimal digits, with leading zeros. */
void value_write_padded(uint64_t value, unsigned width, struct buf *out);

#endif
