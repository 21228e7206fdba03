#include "broker/spool_index.h"

/* Fewer settled ones than this between unsettled ones are not worth the work of clearing. */
#define CLEAR_AT_LEAST 1024

void spool_index_init(struct spool_index *x)
{
	*x = (struct spool_index){.places = {.size = sizeof(struct spool_place)}};
}

void spool_index_release(struct spool_index *x)
{
	fifo_release(&x->places);
	spool_index_init(x);
}

static struct spool_place *at(const struct spool_index *x, size_t i)
{
	return (struct spool_place *)(void *)x->places.items + x->places.first + i;
}

void spool_index_add(struct spool_index *x, const struct spool_place *place)
{
	fifo_push(&x->places, place);
	x->bytes += place->length;
}

/* The place in the order of the first number that is at least this. */
static size_t lower_bound(const struct spool_index *x, uint64_t number)
{
	size_t low = 0, high = fifo_count(&x->places);
	if (high == 0 || at(x, 0)->number >= number)
		return 0;
	uint64_t guess = number - at(x, 0)->number; /* right while no number is missing */
	if (guess < high && at(x, (size_t)guess)->number == number)
		return (size_t)guess;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (at(x, middle)->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Takes the settled ones off the front, and the others out when they are the greater part. */
static void clear(struct spool_index *x)
{
	struct fifo *f = &x->places;
	for (; !fifo_is_empty(f) && at(x, 0)->offset == 0; x->settled--)
		fifo_pop(f);
	if (x->settled < CLEAR_AT_LEAST || x->settled < fifo_count(f) / 2)
		return;
	size_t kept = 0, count = fifo_count(f);
	for (size_t i = 0; i < count; i++)
		if (at(x, i)->offset != 0)
			*at(x, kept++) = *at(x, i);
	f->end = f->first + kept;
	x->settled = 0;
}

static bool settle_at(struct spool_index *x, size_t i)
{
	struct spool_place *p = at(x, i);
	if (p->offset == 0)
		return false;
	p->offset = 0;
	x->bytes -= p->length;
	x->settled++;
	return true;
}

bool spool_index_settle(struct spool_index *x, uint64_t number)
{
	size_t i = lower_bound(x, number);
	bool is_there = i < fifo_count(&x->places) && at(x, i)->number == number && settle_at(x, i);
	clear(x);
	return is_there;
}

void spool_index_settle_range(struct spool_index *x, uint64_t first, uint64_t count)
{
	for (size_t i = lower_bound(x, first); i < fifo_count(&x->places); i++) {
		if (at(x, i)->number - first >= count)
			break;
		(void)settle_at(x, i); /* settled is what it is to be */
	}
	clear(x);
}

void spool_index_cut(struct spool_index *x, uint64_t from)
{
	size_t kept = lower_bound(x, from);
	for (size_t i = kept; i < fifo_count(&x->places); i++)
		(void)settle_at(x, i); /* takes its bytes off */
	x->settled -= fifo_count(&x->places) - kept;
	x->places.end = x->places.first + kept;
}

struct spool_place *spool_index_find(const struct spool_index *x, uint64_t from)
{
	size_t i = lower_bound(x, from);
	while (i < fifo_count(&x->places) && at(x, i)->offset == 0)
		i++;
	return i < fifo_count(&x->places) ? at(x, i) : NULL;
}

size_t spool_index_count(const struct spool_index *x)
{
	return fifo_count(&x->places) - x->settled;
}
