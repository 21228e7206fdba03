/* spool_index.h - where in a spool file the messages stand that have no fate yet. */
#ifndef BROKER_SPOOL_INDEX_H
#define BROKER_SPOOL_INDEX_H

#include "base/fifo.h"

#include <stdint.h>

struct spool_place {
	uint64_t number;
	uint64_t offset; /* of the record in the file; 0: the message is settled */
	uint32_t length; /* of the record, with its head */
};

/* Its memory stays in proportion to the most that was unsettled at a time, in whatever order the
 * fates come. */
struct spool_index {
	struct fifo places; /* of struct spool_place, by number; the first is never a settled one */
	size_t settled;	    /* how many of them are only left to be cleared away */
	uint64_t bytes;	    /* of the records of the others */
};

void spool_index_init(struct spool_index *x);
void spool_index_release(struct spool_index *x);

/* The number is above all before. */
void spool_index_add(struct spool_index *x, const struct spool_place *place);
/* False when it is not there, or settled already. */
bool spool_index_settle(struct spool_index *x, uint64_t number);
/* Those of them that are there. */
void spool_index_settle_range(struct spool_index *x, uint64_t first, uint64_t count);
/* Forgets every number from this one on. */
void spool_index_cut(struct spool_index *x, uint64_t from);

/* The first unsettled one whose number is at least `from`, valid until the index changes; NULL when
 * there is none. */
struct spool_place *spool_index_find(const struct spool_index *x, uint64_t from);
size_t spool_index_count(const struct spool_index *x); /* of the unsettled */

#endif
