#include "fake/pool.h"

#include "base/mem.h"

#include <stdlib.h>

size_t pool_take_row(const struct pool *p, struct rng *r, uint64_t sequence)
{
	switch (p->pick) {
	case POOL_SEQUENTIAL:
		return (size_t)(sequence % p->size);
	case POOL_ZIPF:
		return (size_t)distribution_draw(&p->favourites, r);
	default:
		return (size_t)rng_below(r, p->size);
	}
}

static bool find_column(const struct pool *p, struct slice name, size_t *column)
{
	for (size_t i = 0; i < p->column_count; i++)
		if (slice_is(name, p->columns[i])) {
			*column = i;
			return true;
		}
	return false;
}

bool pool_find(
    const struct pattern_pools *pools, struct slice reference, size_t *pool, size_t *column)
{
	for (size_t i = 0; pools != NULL && i < pools->count; i++) {
		struct slice name = slice_str(pools->items[i].name);
		if (reference.len <= name.len || memcmp(reference.ptr, name.ptr, name.len) != 0 ||
		    reference.ptr[name.len] != '.')
			continue;
		struct slice rest = {reference.ptr + name.len + 1, reference.len - name.len - 1};
		if (find_column(&pools->items[i], rest, column)) {
			*pool = i;
			return true;
		}
	}
	return false;
}

char **pool_list_references(const struct pattern_pools *pools)
{
	size_t total = 1, at = 0;
	for (size_t i = 0; pools != NULL && i < pools->count; i++)
		total += pools->items[i].column_count;
	char **list = mem_alloc(total, sizeof *list);
	for (size_t i = 0; pools != NULL && i < pools->count; i++)
		for (size_t k = 0; k < pools->items[i].column_count; k++)
			list[at++] =
			    mem_printf("%s.%s", pools->items[i].name, pools->items[i].columns[k]);
	return list;
}

void pool_release(struct pool *p)
{
	for (size_t i = 0; i < p->column_count; i++)
		free(p->columns[i]);
	free(p->columns);
	free(p->values);
	free(p->bytes);
	free(p->name);
	*p = (struct pool){0};
}
