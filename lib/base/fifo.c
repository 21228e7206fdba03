#include "base/fifo.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Moves the items to the front of the memory, when they are the smaller part of it. */
static void compact(struct fifo *f)
{
	size_t count = f->end - f->first;
	if (f->first < count)
		return;
	if (count > 0)
		memcpy(f->items, f->items + f->first * f->size, count * f->size);
	f->first = 0;
	f->end = count;
}

void fifo_push(struct fifo *f, const void *item)
{
	if (f->end == f->capacity)
		compact(f);
	f->items = mem_grow(f->items, &f->capacity, f->end + 1, f->size);
	memcpy(f->items + f->end++ * f->size, item, f->size);
}

void *fifo_front(const struct fifo *f)
{
	return fifo_is_empty(f) ? NULL : f->items + f->first * f->size;
}

void fifo_pop(struct fifo *f)
{
	if (++f->first == f->end)
		f->first = f->end = 0;
}

bool fifo_is_empty(const struct fifo *f)
{
	return f->first == f->end;
}

size_t fifo_count(const struct fifo *f)
{
	return f->end - f->first;
}

void fifo_release(struct fifo *f)
{
	free(f->items);
	*f = (struct fifo){.size = f->size};
}
