/* slice.h - borrowed bytes: a pointer and a length. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Borrowed bytes, not NUL-terminated. `= {0}` is the empty slice. */
struct slice {
	const char *ptr;
	size_t len;
};

/* A slice of a string literal or of a char array's text. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
/* For "%.*s" of bytes that are known to be printable. */
#define SLICE_ARGS(s) (int)(s).len, (s).ptr

/* NULL gives the empty slice. */
static inline struct slice slice_str(const char *text)
{
	return (struct slice){text, text ? strlen(text) : 0};
}

/* All but the first `offset` bytes, of which there must be so many. */
static inline struct slice slice_from(struct slice s, size_t offset)
{
	return offset == 0 ? s : (struct slice){s.ptr + offset, s.len - offset};
}

bool slice_equal(struct slice a, struct slice b);
bool slice_is(struct slice a, const char *text);
struct slice slice_trim(struct slice s); /* without spaces, tabs, CR and LF at both ends */

#endif
