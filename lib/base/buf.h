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
char *buf_reserve(struct buf *b, size_t extra);
void buf_append(struct buf *b, struct slice bytes);
void buf_append_str(struct buf *b, const char *text);
void buf_append_char(struct buf *b, char c);
void buf_append_u64(struct buf *b, uint64_t value); /* decimal */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Removes the first `count` bytes (at most len). */
void buf_consume(struct buf *b, size_t count);
void buf_clear(struct buf *b); /* len 0, memory kept */
/* Sets len: to take back what was appended since, or to keep what was written to reserved room. */
void buf_truncate(struct buf *b, size_t len);
struct slice buf_slice(const struct buf *b); /* valid until the next append */
char *buf_take(struct buf *b); /* the text, now the caller's to free(); the buf is empty again */
void buf_release(struct buf *b);

#endif
