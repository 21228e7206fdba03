/*
 * field.h - one value of a field table that is not a table or array itself: its type letter and
 * bytes, to and from JSON. model/table.h says how each type looks; this is its lower half.
 */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>

/* Takes bytes from the front; false when there are too few, with nothing taken. */
bool field_take(struct slice *rest, size_t count, struct slice *out);

/* Takes a type letter and the value that follows it, whose size is then right for the letter.
 * False, with nothing taken, when the letter is unknown or bytes are missing. */
bool field_take_value(struct slice *rest, char *type, struct slice *value);

/* The bytes of a value of type S, x, A or F behind its four bytes of length. */
struct slice field_content(struct slice value);

/* At most eight bytes as a whole number without sign, the highest first. */
uint64_t field_number(struct slice bytes);
/* One byte at least, eight at most, in two's complement. */
int64_t field_signed(struct slice bytes);
/* Four bytes or eight, as IEEE 754 has them; may be no finite number. */
double field_real(struct slice bytes);

/* Appends the value as JSON. Not for A and F. */
void field_write_json(char type, struct slice value, struct buf *out);

/* Appends type letter and value of a JSON value that is no array, and an object only when it has
 * "$type". Fails with ERROR_DATA and a text without the place, and may leave bytes in out. */
bool field_encode(const json_t *value, struct buf *out, struct error *err) MUST_CHECK;

/* Appends `width` bytes, the highest first. */
void field_append(struct buf *out, uint64_t value, size_t width);

/* Appends four bytes of length, to be filled in; returns where they stand in out. */
size_t field_begin_length(struct buf *out);
/* Fills them in; fails with ERROR_DATA beyond 32 bits. */
bool field_end_length(struct buf *out, size_t at, struct error *err) MUST_CHECK;

#endif
