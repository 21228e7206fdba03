/* fifo.h - items in order of arrival: in at the back, out at the front. */
#ifndef BASE_FIFO_H
#define BASE_FIFO_H

#include <stdbool.h>
#include <stddef.h>

/* Owned items of `size` bytes each; `= {.size = sizeof(struct item)}` is empty. Its memory stays in
 * proportion to the most items that were in it at a time. */
struct fifo {
	size_t size;
	char *items;
	size_t first, end, capacity; /* the items are first <= i < end */
};

/* A copy of *item goes in. */
void fifo_push(struct fifo *f, const void *item);
/* The item that came first, valid until the next push or pop; NULL when there is none. */
void *fifo_front(const struct fifo *f);
/* Takes the front item out; there must be one. */
void fifo_pop(struct fifo *f);
bool fifo_is_empty(const struct fifo *f);
size_t fifo_count(const struct fifo *f);
void fifo_release(struct fifo *f);

#endif
