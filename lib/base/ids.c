#include "base/ids.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

#define LEAST_CELLS 64

static size_t home_of(const struct ids *ids, struct siphash id)
{
	return (size_t)id.low & (ids->capacity - 1);
}

static size_t after(const struct ids *ids, size_t cell)
{
	return (cell + 1) & (ids->capacity - 1);
}

static bool is_same(struct siphash a, struct siphash b)
{
	return a.low == b.low && a.high == b.high;
}

/* The cell that holds the id, or the free one where it would go. */
static size_t cell_of(const struct ids *ids, const struct siphash *items, struct siphash id)
{
	size_t cell = home_of(ids, id);
	while (ids->cells[cell] != 0 && !is_same(items[ids->cells[cell] - 1], id))
		cell = after(ids, cell);
	return cell;
}

bool ids_find(const struct ids *ids, const struct siphash *items, struct siphash id, size_t *place)
{
	if (ids->count == 0)
		return false;
	size_t cell = cell_of(ids, items, id);
	if (ids->cells[cell] == 0)
		return false;
	*place = ids->cells[cell] - 1;
	return true;
}

static void grow(struct ids *ids, const struct siphash *items)
{
	struct ids larger = {
	    .capacity = ids->capacity > 0 ? 2 * ids->capacity : LEAST_CELLS, .count = ids->count};
	larger.cells = mem_alloc(larger.capacity, sizeof *larger.cells);
	for (size_t i = 0; i < ids->capacity; i++)
		if (ids->cells[i] != 0)
			larger.cells[cell_of(&larger, items, items[ids->cells[i] - 1])] =
			    ids->cells[i];
	free(ids->cells);
	*ids = larger;
}

void ids_add(struct ids *ids, const struct siphash *items, size_t place)
{
	assert(place < IDS_MAX_PLACE);
	if (2 * (ids->count + 1) > ids->capacity)
		grow(ids, items);
	ids->cells[cell_of(ids, items, items[place])] = (uint32_t)place + 1;
	ids->count++;
}

/* Those that stand behind it because it was there move up, so that no gap hides them. */
void ids_remove(struct ids *ids, const struct siphash *items, size_t place)
{
	size_t gap = cell_of(ids, items, items[place]);
	assert(ids->cells[gap] == place + 1);
	for (size_t cell = after(ids, gap); ids->cells[cell] != 0; cell = after(ids, cell)) {
		size_t home = home_of(ids, items[ids->cells[cell] - 1]);
		size_t from_home = (cell - home) & (ids->capacity - 1);
		size_t from_gap = (cell - gap) & (ids->capacity - 1);
		if (from_home < from_gap)
			continue;
		ids->cells[gap] = ids->cells[cell];
		gap = cell;
	}
	ids->cells[gap] = 0;
	ids->count--;
}

void ids_release(struct ids *ids)
{
	free(ids->cells);
	*ids = (struct ids){0};
}
