#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_grow(struct buf *b, size_t extra)
{
	b->ptr = mem_grow(b->ptr, &b->capacity, b->len + extra + 1, 1);
}

void buf_append_str(struct buf *b, const char *text)
{
	buf_append(b, slice_str(text));
}

void buf_append_u64(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	buf_append(b, (struct slice){digits + at, sizeof digits - at});
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args, again;
	va_start(args, fmt);
	va_copy(again, args);
	int needed = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (needed > 0) {
		char *end = buf_reserve(b, (size_t)needed);
		(void)vsnprintf(end, (size_t)needed + 1, fmt, again); /* measured above */
		b->len += (size_t)needed;
	}
	va_end(again);
}

void buf_consume(struct buf *b, size_t count)
{
	if (count > b->len)
		count = b->len;
	b->len -= count;
	if (b->len > 0)
		memmove(b->ptr, b->ptr + count, b->len);
	if (b->ptr != NULL)
		b->ptr[b->len] = '\0';
}

char *buf_take(struct buf *b)
{
	char *text = b->ptr ? b->ptr : mem_strdup("");
	*b = (struct buf){0};
	return text;
}

void buf_release(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){0};
}
