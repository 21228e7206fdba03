#include "config/places.h"

#include "base/mem.h"
#include "config/pointer.h"

#include <stdlib.h>

/* FNV-1a, the parent first. */
static uint32_t hash(uint32_t parent, struct slice name)
{
	uint32_t h = (2166136261u ^ parent) * 16777619u;
	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (unsigned char)name.ptr[i]) * 16777619u;
	return h ^ h >> 15;
}

static struct slice name_of(const struct places *p, const struct spot *spot)
{
	return (struct slice){p->names.ptr + spot->name_at, spot->name_len};
}

/* The slot that holds a node, or the free one where it would go. */
static size_t find_slot(const struct places *p, uint32_t parent, struct slice name)
{
	size_t at = hash(parent, name) & (p->slot_count - 1);
	for (; p->slots[at] != 0; at = (at + 1) & (p->slot_count - 1)) {
		const struct spot *spot = &p->spots[p->slots[at] - 1];
		if (spot->parent == parent && slice_equal(name_of(p, spot), name))
			break;
	}
	return at;
}

/* Keeps a third of the slots free. */
static void grow_slots(struct places *p)
{
	if ((p->count + 1) * 3 < p->slot_count * 2)
		return;
	uint32_t *old = p->slots;
	size_t old_count = p->slot_count;
	p->slot_count = old_count > 0 ? old_count * 2 : 64;
	p->slots = mem_alloc(p->slot_count, sizeof p->slots[0]);
	for (size_t i = 0; i < old_count; i++) {
		if (old[i] == 0)
			continue;
		const struct spot *spot = &p->spots[old[i] - 1];
		p->slots[find_slot(p, spot->parent, name_of(p, spot))] = old[i];
	}
	free(old);
}

uint32_t places_add(
    struct places *p, uint32_t parent, struct slice name, struct place key, struct place value)
{
	grow_slots(p);
	p->spots = mem_grow(p->spots, &p->capacity, p->count + 1, sizeof p->spots[0]);
	p->spots[p->count] = (struct spot){
	    .key = key,
	    .value = value,
	    .parent = parent,
	    .name_at = (uint32_t)p->names.len,
	    .name_len = (uint32_t)name.len,
	};
	buf_append(&p->names, name);
	p->slots[find_slot(p, parent, name)] = (uint32_t)p->count + 1;
	return (uint32_t)p->count++;
}

uint32_t places_find(const struct places *p, uint32_t parent, struct slice name)
{
	if (p->slot_count == 0)
		return PLACES_NONE;
	uint32_t found = p->slots[find_slot(p, parent, name)];
	return found != 0 ? found - 1 : PLACES_NONE;
}

const struct spot *places_walk(const struct places *p, uint32_t root, struct slice pointer)
{
	struct buf key = {0};
	while (pointer_next(&pointer, &key)) {
		uint32_t next = places_find(p, root, buf_slice(&key));
		if (next == PLACES_NONE)
			break;
		root = next;
	}
	buf_release(&key);
	return &p->spots[root];
}

void places_release(struct places *p)
{
	free(p->spots);
	free(p->slots);
	buf_release(&p->names);
	*p = (struct places){0};
}
