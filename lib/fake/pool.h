/* pool.h - rows of values that several message types share, and which row a message takes. */
#ifndef FAKE_POOL_H
#define FAKE_POOL_H

#include "fake/distribution.h"
#include "fake/value.h"

enum pool_pick {
	POOL_RANDOM,
	POOL_SEQUENTIAL, /* row = message number % size */
	POOL_ZIPF,	 /* the first rows are the favourites */
};

struct pool_value {
	enum value_kind kind;
	struct slice text;
};

struct pool {
	char *name;
	enum pool_pick pick;
	struct distribution favourites; /* for POOL_ZIPF: over the rows */
	size_t size;			/* rows, at least 1 */
	size_t column_count;
	char **columns;		   /* their names */
	struct pool_value *values; /* size * column_count, row by row */
	char *bytes;		   /* what the values point at */
};

/* In the order of the settings, which is the order in which rows are made. */
struct pattern_pools {
	struct pool *items;
	size_t count;
};

size_t pool_take_row(const struct pool *p, struct rng *r, uint64_t sequence);

/* Finds "pool.field"; false when there is none. Names may hold dots. */
bool pool_find(
    const struct pattern_pools *pools, struct slice reference, size_t *pool, size_t *column);
/* "did you mean": all references there are, NULL at the end; free the strings and the array. */
char **pool_list_references(const struct pattern_pools *pools);

void pool_release(struct pool *p);

#endif
