/* places.h - where the keys and values of a tree stand, found by parent and name in one step. */
#ifndef CONFIG_PLACES_H
#define CONFIG_PLACES_H

#include "base/buf.h"
#include "config/problems.h"

#define PLACES_NONE UINT32_MAX

/* A node of the tree: a value with the key it stands under (list items: their own place). */
struct spot {
	struct place key, value;
	uint32_t parent; /* PLACES_NONE for a root */
	uint32_t name_at, name_len;
};

/* Owned; `= {0}` is empty. A hash over (parent, name) rather than over whole pointers: their text
 * would grow with the square of the nesting. */
struct places {
	struct spot *spots;
	size_t count, capacity;
	struct buf names;
	uint32_t *slots; /* index + 1 into spots, 0 = free; a power of two of them */
	size_t slot_count;
};

/* Adds a node and returns it. One that stood under the same parent and name is forgotten, with all
 * that stood below it. */
uint32_t places_add(
    struct places *p, uint32_t parent, struct slice name, struct place key, struct place value);
/* PLACES_NONE when there is none. */
uint32_t places_find(const struct places *p, uint32_t parent, struct slice name);
/* The node at a JSON pointer below a root, or the nearest one above it that is known. */
const struct spot *places_walk(const struct places *p, uint32_t root, struct slice pointer);
void places_release(struct places *p);

#endif
