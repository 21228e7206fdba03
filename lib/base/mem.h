/* mem.h - allocation that cannot fail: zeroed, overflow-checked, ends the program on exhaustion. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Returns count * size zeroed bytes, to be released with free(). Never NULL. */
void *mem_alloc(size_t count, size_t size) __attribute__((returns_nonnull, malloc));

/* Makes room for `needed` items in an array that holds `*capacity`; at least doubles, zeroes the
 * new part. Returns the array, perhaps moved. */
void *mem_grow(void *items, size_t *capacity, size_t needed, size_t size);

char *mem_strdup(const char *text) __attribute__((returns_nonnull, malloc));
char *mem_strndup(const char *text, size_t len) __attribute__((returns_nonnull, malloc));

/* Returns a formatted string, to be released with free(). */
char *mem_printf(const char *fmt, ...)
    __attribute__((returns_nonnull, malloc, format(printf, 1, 2)));

#endif
