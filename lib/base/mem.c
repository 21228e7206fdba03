#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(void)
{
	fputs("out of memory\n", stderr);
	exit(70);
}

void *mem_alloc(size_t count, size_t size)
{
	void *items = calloc(count ? count : 1, size ? size : 1);
	if (items == NULL)
		out_of_memory();
	return items;
}

void *mem_grow(void *items, size_t *capacity, size_t needed, size_t size)
{
	if (needed <= *capacity)
		return items;
	size_t grown = *capacity < 8 ? 8 : *capacity;
	while (grown < needed)
		grown = grown > SIZE_MAX / 2 ? needed : grown * 2;
	if (size != 0 && grown > SIZE_MAX / size)
		out_of_memory();
	char *moved = realloc(items, grown * size);
	if (moved == NULL)
		out_of_memory();
	memset(moved + *capacity * size, 0, (grown - *capacity) * size);
	*capacity = grown;
	return moved;
}

char *mem_strndup(const char *text, size_t len)
{
	char *copy = mem_alloc(len + 1, 1);
	memcpy(copy, text, len);
	return copy;
}

char *mem_strdup(const char *text)
{
	return mem_strndup(text, strlen(text));
}

char *mem_printf(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		out_of_memory();
	va_end(args);
	return text;
}
