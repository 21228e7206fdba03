#include "base/census.h"

#include "base/mem.h"

#include <stdlib.h>

/* A table of slots, at most half full; the texts are owned. */
struct census {
	struct census_row *slots; /* count 0: free */
	size_t capacity;	  /* a power of two */
	size_t size, most;
	uint64_t others;
	struct census_row *rows; /* sorted, for the caller */
};

struct census *census_create(size_t most)
{
	struct census *census = mem_alloc(1, sizeof *census);
	census->most = most;
	census->capacity = 64;
	census->slots = mem_alloc(census->capacity, sizeof *census->slots);
	return census;
}

void census_free(struct census *census)
{
	if (census == NULL)
		return;
	for (size_t i = 0; i < census->capacity; i++)
		free((char *)(uintptr_t)census->slots[i].text.ptr);
	free(census->slots);
	free(census->rows);
	free(census);
}

/* FNV-1a: who fills a census only slows himself down by texts that collide. */
static uint64_t hash(struct slice text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.ptr[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static struct census_row *find(struct census_row *slots, size_t capacity, struct slice text)
{
	size_t at = hash(text) & (capacity - 1);
	while (slots[at].count > 0 && !slice_equal(slots[at].text, text))
		at = (at + 1) & (capacity - 1);
	return &slots[at];
}

static void grow(struct census *census)
{
	size_t capacity = census->capacity * 2;
	struct census_row *slots = mem_alloc(capacity, sizeof *slots);
	for (size_t i = 0; i < census->capacity; i++)
		if (census->slots[i].count > 0)
			*find(slots, capacity, census->slots[i].text) = census->slots[i];
	free(census->slots);
	census->slots = slots;
	census->capacity = capacity;
}

void census_add(struct census *census, struct slice text)
{
	struct census_row *slot = find(census->slots, census->capacity, text);
	if (slot->count == 0 && census->size == census->most) {
		census->others++;
		return;
	}
	if (slot->count++ > 0)
		return;
	slot->text = (struct slice){mem_strndup(text.len > 0 ? text.ptr : "", text.len), text.len};
	if (++census->size > census->capacity / 2)
		grow(census);
}

size_t census_size(const struct census *census)
{
	return census->size;
}

uint64_t census_others(const struct census *census)
{
	return census->others;
}

static int compare_texts(const void *left, const void *right)
{
	const struct census_row *a = left, *b = right;
	size_t shorter = a->text.len < b->text.len ? a->text.len : b->text.len;
	int order = memcmp(a->text.ptr, b->text.ptr, shorter);
	return order != 0 ? order : (a->text.len > b->text.len) - (a->text.len < b->text.len);
}

static int compare_counts(const void *left, const void *right)
{
	const struct census_row *a = left, *b = right;
	int order = (a->count < b->count) - (a->count > b->count);
	return order != 0 ? order : compare_texts(left, right);
}

static const struct census_row *sort(
    struct census *census, int (*compare)(const void *left, const void *right))
{
	size_t count = 0;
	free(census->rows);
	census->rows = mem_alloc(census->size + 1, sizeof *census->rows);
	for (size_t i = 0; i < census->capacity; i++)
		if (census->slots[i].count > 0)
			census->rows[count++] = census->slots[i];
	qsort(census->rows, count, sizeof *census->rows, compare);
	return census->rows;
}

const struct census_row *census_by_count(struct census *census)
{
	return sort(census, compare_counts);
}

const struct census_row *census_by_text(struct census *census)
{
	return sort(census, compare_texts);
}
