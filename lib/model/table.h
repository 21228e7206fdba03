/*
 * table.h - AMQP field tables (headers, arguments) as encoded bytes, to and from JSON, without
 * loss.
 *
 * A field table is a run of (short string, type letter, value); the letters are RabbitMQ's
 * (https://www.rabbitmq.com/amqp-0-9-1-errata, section 3): t b B s u I i l L f d D S A T F V x.
 * JSON's own kinds stand for the commonest types, an object with "$type" for the others:
 *
 *   true, false  t        "text"  S (UTF-8)    [..]  A        null  V
 *   12           l        1.5     d            {..}  F
 *   {"$type": "timestamp", "value": 1700000000}           T, seconds since 1970
 *   {"$type": "int8|uint8|int16|uint16|int32|uint32|uint64", "value": 5}      b B s u I i L
 *   {"$type": "float", "value": 1.5}                      f; "double" likewise, d
 *   {"$type": "bool", "value": 2}                         t that is neither 0 nor 1
 *   {"$type": "decimal", "scale": 2, "value": 1234}       D, stands for 12.34
 *   {"$type": "bytes", "value": "base64"}                 x
 *   {"$type": "string", "value": "base64"}                S that is not UTF-8
 *   {"$type": "table", "entries": [["key", value], ..]}   F with keys an object cannot hold
 *
 * Such keys are doubled, hold NUL, are "$type" itself, or are not UTF-8; those are written as
 * {"$type": "string", "value": "base64"}. Values beyond int64 are strings of digits. Floats that
 * are not finite are shown as "nan", "inf", "-inf" and not taken back: RabbitMQ ends the connection
 * that brings them.
 */
#ifndef MODEL_TABLE_H
#define MODEL_TABLE_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>

#define TABLE_MAX_DEPTH 64 /* deeper values are refused */

/* Appends the encoding of a JSON object (or of {"$type": "table"}); fails with ERROR_DATA and the
 * path of the value: keys over 255 bytes, unknown $type, values out of range, not finite. */
bool table_encode(const json_t *object, struct buf *out, struct error *err) MUST_CHECK;

/* Appends the table as JSON text. On damage or depth fails with ERROR_DATA, out as before. */
bool table_write_json(struct slice table, struct buf *out, struct error *err) MUST_CHECK;

/* Walks the entries of one level: `= {.rest = table}` to begin. value is what follows the type
 * letter, size checked: of S, x, A and F with its four bytes of length. False at the end or at
 * damage (rest.len then tells: not 0). */
struct table_entry {
	struct slice rest;
	struct slice key;
	char type;
	struct slice value;
};
bool table_next(struct table_entry *entry);

/* The value of a key that is a string ('S') or NULL ptr when absent or of another type. */
struct slice table_find_string(struct slice table, const char *key);

/* Appends one entry of type S, l, t or T. The key has at most 255 bytes. */
void table_add_string(struct buf *out, const char *key, struct slice value);
void table_add_int(struct buf *out, const char *key, int64_t value);
void table_add_bool(struct buf *out, const char *key, bool value);
void table_add_time(struct buf *out, const char *key, uint64_t seconds); /* since 1970 */

#endif
