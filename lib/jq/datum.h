/* datum.h - a JSON value as jq has it: made from text, kept between two runs of a program, written
 * out. */
#ifndef JQ_DATUM_H
#define JQ_DATUM_H

#include "base/buf.h"

#include <stdint.h>

#define DATUM_MAX_DEPTH 256 /* of libjq's parser: arrays and objects in one another */

/* Owned, to release with datum_free; `= {0}` is no value at all. Large ones are shared, not copied.
 * Numbers are doubles. */
struct datum {
	uint64_t bits[2];
};

/* One JSON text, whole; false, *out untouched, when it is something else. */
bool datum_parse(struct slice text, struct datum *out);
/* What a body holds: JSON, else a string, or null when it is not UTF-8. */
struct datum datum_body(struct slice body);

struct datum datum_null(void);
struct datum datum_bool(bool value);
struct datum datum_number(double value);
struct datum datum_text(struct slice text); /* what is not UTF-8 in it becomes U+FFFD */
struct datum datum_object(void);
struct datum datum_copy(const struct datum *d);
void datum_free(struct datum *d); /* and empties it */

/* Sets a member of an object; `value` is taken, and no value sets nothing. */
void datum_set_take(struct datum *object, const char *name, struct datum value);
/* The same for a name of whatever bytes. */
void datum_put_take(struct datum *object, struct slice name, struct datum value);
/* A member, the caller's; no value when there is none, or it is no object. */
struct datum datum_get(const struct datum *object, struct slice name);
/* Moves a member out of an object; no value when there is none, or it is no object. */
struct datum datum_move(struct datum *object, const char *name);

bool datum_exists(const struct datum *d);
bool datum_is_null(const struct datum *d);
bool datum_is_object(const struct datum *d);
bool datum_is_true(const struct datum *d); /* neither false nor null */
/* Whether it is a string; then its bytes, borrowed. */
bool datum_is_text(const struct datum *d, struct slice *out);

/* Whether it is the same again when it is written and parsed: all numbers are finite and nothing
 * lies deeper than DATUM_MAX_DEPTH. */
bool datum_is_json(const struct datum *d);

/* Appends it as JSON in one line that is safe on a terminal, members in their order. False for what
 * datum_is_json denies, and then it is JSON all the same: not a number is null, infinity the
 * largest number, what lies too deep null. */
bool datum_write(const struct datum *d, struct buf *out);

#endif
