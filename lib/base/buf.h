/* buf.h - bytes that are owned and grow. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Owned bytes; `= {0}` is a valid empty buf. After any append, ptr[len] is NUL. */
struct buf {
	char *ptr;
	size_t len;
	size_t capacity; /* bytes allocated, the closing NUL included */
};

/* Room for `extra` more bytes; returns where they go. The caller adds to len what it wrote. */
static inline char *buf_reserve(struct buf *b, size_t extra);
static inline void buf_append(struct buf *b, struct slice bytes);
void buf_append_str(struct buf *b, const char *text);
static inline void buf_append_char(struct buf *b, char c);
void buf_append_u64(struct buf *b, uint64_t value); /* decimal */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Removes the first `count` bytes (at most len). */
void buf_consume(struct buf *b, size_t count);
static inline void buf_clear(struct buf *b); /* len 0, memory kept */
/* Sets len: to take back what was appended since, or to keep what was written to reserved room. */
static inline void buf_truncate(struct buf *b, size_t len);
static inline struct slice buf_slice(const struct buf *b); /* valid until the next append */
char *buf_take(struct buf *b); /* the text, now the caller's to free(); the buf is empty again */
void buf_release(struct buf *b);

/* ---- inline, for they make up messages byte by byte ---- */

void buf_grow(struct buf *b, size_t extra); /* buf_reserve's rare case */

static inline char *buf_reserve(struct buf *b, size_t extra)
{
	if (b->capacity - b->len <= extra || b->ptr == NULL)
		buf_grow(b, extra);
	return b->ptr + b->len;
}

static inline void buf_append(struct buf *b, struct slice bytes)
{
	char *end = buf_reserve(b, bytes.len);
	if (bytes.len > 0)
		memcpy(end, bytes.ptr, bytes.len);
	b->len += bytes.len;
	b->ptr[b->len] = '\0';
}

static inline void buf_append_char(struct buf *b, char c)
{
	char *end = buf_reserve(b, 1);
	end[0] = c;
	end[1] = '\0';
	b->len++;
}

static inline void buf_truncate(struct buf *b, size_t len)
{
	b->len = len;
	if (b->ptr != NULL)
		b->ptr[len] = '\0';
}

static inline void buf_clear(struct buf *b)
{
	buf_truncate(b, 0);
}

static inline struct slice buf_slice(const struct buf *b)
{
	return (struct slice){b->ptr, b->len};
}

#endif
