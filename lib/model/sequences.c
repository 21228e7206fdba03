#include "model/sequences.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define BITMAP_BYTES (SEQUENCES_WORDS * sizeof(uint64_t))

/* Where the first chunk at or after this index stands. */
static size_t position_of(const struct sequences *s, uint64_t index)
{
	size_t low = 0, high = s->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->chunks[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct sequences_chunk *find(struct sequences *s, uint64_t index)
{
	if (s->last < s->count && s->chunks[s->last].index == index)
		return &s->chunks[s->last];
	size_t at = position_of(s, index);
	if (at == s->count || s->chunks[at].index != index)
		return NULL;
	s->last = at;
	return &s->chunks[at];
}

static void insert(struct sequences *s, struct sequences_chunk chunk)
{
	size_t at = position_of(s, chunk.index);
	s->chunks = mem_grow(s->chunks, &s->capacity, s->count + 1, sizeof *s->chunks);
	memmove(&s->chunks[at + 1], &s->chunks[at], (s->count - at) * sizeof *s->chunks);
	s->chunks[at] = chunk;
	s->count++;
	s->last = at;
}

/* Counts the full chunks at the front instead of keeping them. */
static void fold(struct sequences *s)
{
	size_t run = 0;
	while (run < s->count && s->chunks[run].index == s->full && s->chunks[run].bits == NULL) {
		run++;
		s->full++;
	}
	if (run == 0)
		return;
	s->count -= run;
	memmove(s->chunks, &s->chunks[run], s->count * sizeof *s->chunks);
	s->last = 0;
}

/* Gives back the bitmap of a chunk that has become full. */
static void close_chunk(struct sequences *s, struct sequences_chunk *chunk, size_t *room)
{
	free(chunk->bits);
	chunk->bits = NULL;
	chunk->set = SEQUENCES_PER_CHUNK;
	++*room;
	fold(s);
}

static struct sequences_chunk *open_chunk(struct sequences *s, uint64_t index, size_t *room)
{
	if (*room == 0)
		return NULL;
	--*room;
	uint64_t *bits = mem_alloc(SEQUENCES_WORDS, sizeof *bits);
	insert(s, (struct sequences_chunk){index, 0, bits});
	return &s->chunks[s->last];
}

enum sequences_added sequences_add(struct sequences *s, uint64_t sequence, size_t *room)
{
	uint64_t index = sequence / SEQUENCES_PER_CHUNK;
	if (index < s->full)
		return SEQUENCES_KNOWN;
	struct sequences_chunk *chunk = find(s, index);
	if (chunk == NULL)
		chunk = open_chunk(s, index, room);
	if (chunk == NULL)
		return SEQUENCES_NO_ROOM;
	if (chunk->bits == NULL)
		return SEQUENCES_KNOWN;
	uint64_t *word = &chunk->bits[sequence % SEQUENCES_PER_CHUNK / 64];
	uint64_t bit = UINT64_C(1) << sequence % 64;
	if ((*word & bit) != 0)
		return SEQUENCES_KNOWN;
	*word |= bit;
	if (++chunk->set == SEQUENCES_PER_CHUNK)
		close_chunk(s, chunk, room);
	return SEQUENCES_NEW;
}

/* ---- joining: each answers how many numbers were there already ---- */

static uint64_t join_full(struct sequences *to, uint64_t index, size_t *room)
{
	if (index < to->full)
		return SEQUENCES_PER_CHUNK;
	struct sequences_chunk *known = find(to, index);
	uint64_t overlap = known == NULL ? 0 : known->set;
	if (known == NULL) {
		insert(to, (struct sequences_chunk){index, SEQUENCES_PER_CHUNK, NULL});
		fold(to);
	} else if (known->bits != NULL) {
		close_chunk(to, known, room);
	}
	return overlap;
}

static uint64_t join_bits(struct sequences *to, struct sequences_chunk *known,
    const struct sequences_chunk *more, size_t *room)
{
	uint64_t overlap = 0;
	for (size_t i = 0; i < SEQUENCES_WORDS; i++) {
		overlap += (uint64_t)__builtin_popcountll(known->bits[i] & more->bits[i]);
		known->bits[i] |= more->bits[i];
	}
	known->set += more->set - overlap;
	if (known->set == SEQUENCES_PER_CHUNK)
		close_chunk(to, known, room);
	return overlap;
}

/* Takes over a chunk that is not full, or frees its bitmap. */
static void join_part(struct sequences *to, const struct sequences_chunk *more, size_t *room,
    struct sequences_joined *joined)
{
	struct sequences_chunk *known = more->index < to->full ? NULL : find(to, more->index);
	if (more->index < to->full || (known != NULL && known->bits == NULL)) {
		joined->known += more->set;
	} else if (known != NULL) {
		joined->known += join_bits(to, known, more, room);
	} else if (*room > 0) {
		--*room;
		insert(to, *more);
		return;
	} else {
		joined->refused += more->set;
	}
	free(more->bits);
}

struct sequences_joined sequences_join(struct sequences *to, struct sequences *from, size_t *room)
{
	struct sequences_joined joined = {0};
	for (uint64_t index = 0; index < from->full; index++)
		joined.known += join_full(to, index, room);
	for (size_t i = 0; i < from->count; i++) {
		const struct sequences_chunk *more = &from->chunks[i];
		if (more->bits == NULL)
			joined.known += join_full(to, more->index, room);
		else
			join_part(to, more, room, &joined);
	}
	from->full = 0;
	from->count = 0;
	return joined;
}

/* ---- looking ---- */

uint64_t sequences_next(const struct sequences *s, uint64_t index)
{
	if (index < s->full)
		return index;
	size_t at = position_of(s, index);
	return at < s->count ? s->chunks[at].index : SEQUENCES_NONE;
}

void sequences_read(const struct sequences *s, uint64_t index, uint64_t out[SEQUENCES_WORDS])
{
	size_t at = position_of(s, index);
	if (index >= s->full && (at == s->count || s->chunks[at].index != index))
		memset(out, 0, BITMAP_BYTES);
	else if (index < s->full || s->chunks[at].bits == NULL)
		memset(out, 0xff, BITMAP_BYTES);
	else
		memcpy(out, s->chunks[at].bits, BITMAP_BYTES);
}

size_t sequences_bytes(const struct sequences *s)
{
	size_t bytes = s->capacity * sizeof *s->chunks;
	for (size_t i = 0; i < s->count; i++)
		bytes += s->chunks[i].bits != NULL ? BITMAP_BYTES : 0;
	return bytes;
}

void sequences_release(struct sequences *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->chunks[i].bits);
	free(s->chunks);
	*s = (struct sequences){0};
}
