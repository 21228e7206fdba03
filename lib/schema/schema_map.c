#include "schema/schema_private.h"

#include "base/mem.h"

#include <stdlib.h>

struct schema_map_entry {
	struct slice key; /* ptr NULL: free */
	void *value;
};

/* FNV-1a, 64 bits. */
static uint64_t hash_bytes(struct slice key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < key.len; i++)
		h = (h ^ (unsigned char)key.ptr[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

/* The entry of the key, or the free one where it belongs. Capacity is a power of two. */
static struct schema_map_entry *find(const struct schema_map *m, struct slice key)
{
	size_t at = (size_t)hash_bytes(key) & (m->capacity - 1);
	while (m->entries[at].key.ptr != NULL && !slice_equal(m->entries[at].key, key))
		at = (at + 1) & (m->capacity - 1);
	return &m->entries[at];
}

void *schema_map_get(const struct schema_map *m, struct slice key)
{
	return m->capacity > 0 ? find(m, key)->value : NULL;
}

static void grow(struct schema_map *m)
{
	struct schema_map bigger = {0};
	bigger.capacity = m->capacity > 0 ? m->capacity * 2 : 16;
	bigger.entries = mem_alloc(bigger.capacity, sizeof *bigger.entries);
	bigger.count = m->count;
	for (size_t i = 0; i < m->capacity; i++)
		if (m->entries[i].key.ptr != NULL)
			*find(&bigger, m->entries[i].key) = m->entries[i];
	free(m->entries);
	*m = bigger;
}

void schema_map_put(struct schema_map *m, struct slice key, void *value)
{
	if (m->count * 2 >= m->capacity)
		grow(m);
	struct schema_map_entry *entry = find(m, key);
	if (entry->key.ptr != NULL)
		return;
	*entry = (struct schema_map_entry){key, value};
	m->count++;
}

void schema_map_release(struct schema_map *m)
{
	free(m->entries);
	*m = (struct schema_map){0};
}
