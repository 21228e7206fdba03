/*
 * ids.h - finds an id's place in an array that somebody else keeps.
 *
 * An open-addressing table of places, at most half full: four to eight bytes an id. The ids are
 * hashes, so their own bits say where to look.
 */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include "base/siphash.h"

#define IDS_MAX_PLACE 1000000000u

/* `= {0}` knows no ids. */
struct ids {
	uint32_t *cells; /* place + 1; 0: free */
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

/* items is the same array in each call, perhaps moved; what is in the table must stand in it. */
bool ids_find(const struct ids *ids, const struct siphash *items, struct siphash id, size_t *place);
/* items[place] goes in; it is not in yet. */
void ids_add(struct ids *ids, const struct siphash *items, size_t place);
/* items[place] goes out; it is in. */
void ids_remove(struct ids *ids, const struct siphash *items, size_t place);
void ids_release(struct ids *ids);

#endif
