/* report.h - says what is wrong with a value of the settings, with the JSON pointer of its place.
 */
#ifndef FAKE_REPORT_H
#define FAKE_REPORT_H

#include "base/buf.h"
#include "base/error.h"
#include "model/reader.h"

#include <jansson.h>

struct report {
	void (*add)(void *ctx, const char *pointer, const char *text);
	void *ctx;
	size_t count; /* how many there were so far */
};

/* A step of the way to a value; lives on the stack of whoever goes down. NULL is the whole value.
 */
struct report_path {
	const struct report_path *up;
	const char *key; /* NULL: an item of an array, at index */
	size_t index;
};

/* Foreign bytes in the text must be escaped. Returns false. */
bool report_add(struct report *r, const struct report_path *at, const char *fmt, ...)
    ERROR_FORMAT(3, 4);
/* The same for what is wrong with a key, not with its value: the pointer ends in READER_KEY. */
bool report_add_name(struct report *r, const struct report_path *at, const char *fmt, ...)
    ERROR_FORMAT(3, 4);
/* "<what> 'nmae'; did you mean 'name'?"; near may be NULL. Returns false. */
bool report_unknown(struct report *r, const struct report_path *at, const char *what,
    struct slice word, const char *near);
/* "must be <accepted>, not <the kind of the JSON>". Returns false. */
bool report_kind(
    struct report *r, const struct report_path *at, const char *accepted, const json_t *found);
/* False, and reported, when the object has a key that is not one of `keys` (NULL at the end). */
bool report_keys(
    struct report *r, const struct report_path *at, const json_t *object, const char *const keys[]);
/* A share of the whole, 0.05 or "5%", from 0 to 1; *out is untouched when it is none, which is
 * reported. */
bool report_read_share(
    struct report *r, const struct report_path *at, const json_t *json, double *out);

#endif
