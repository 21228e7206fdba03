/*
 * sequences.h - an exact set of sequence numbers, small while it has few gaps.
 *
 * Chunks of 8192 numbers are bitmaps from their first number on. A chunk that is full gives its
 * bitmap back, and full ones from 0 on are merely counted: numbers that come about in order cost
 * memory for what is open, not for what has been. At 1 KiB a bitmap, ten thousand sets that are
 * used at once cost 10 MB, and what happens once a chunk does not show in what a number costs.
 */
#ifndef MODEL_SEQUENCES_H
#define MODEL_SEQUENCES_H

#include <stddef.h>
#include <stdint.h>

#define SEQUENCES_PER_CHUNK 8192
#define SEQUENCES_WORDS (SEQUENCES_PER_CHUNK / 64)
#define SEQUENCES_NONE UINT64_MAX

struct sequences_chunk {
	uint64_t index; /* holds the numbers from index * SEQUENCES_PER_CHUNK on */
	uint64_t set;	/* how many of them are there */
	uint64_t *bits; /* owned; NULL when all are */
};

/* `= {0}` is the empty set. */
struct sequences {
	uint64_t full;			/* chunks before this one are full */
	struct sequences_chunk *chunks; /* owned; the others that hold something, by index */
	size_t count, capacity;
	size_t last; /* the chunk that was used last, mostly the next one too */
};

/* Was it new? The last one: it is not in, for want of room. */
enum sequences_added { SEQUENCES_NEW, SEQUENCES_KNOWN, SEQUENCES_NO_ROOM };

/* A few ns when it is in the chunk of the number before. *room is how many bitmaps may still be
 * made, in all sets that share it. */
enum sequences_added sequences_add(struct sequences *s, uint64_t sequence, size_t *room);

struct sequences_joined {
	uint64_t known;	  /* were in both */
	uint64_t refused; /* there was no room for */
};
/* Moves all numbers over; `from` is empty then and shares no room with anybody. */
struct sequences_joined sequences_join(struct sequences *to, struct sequences *from, size_t *room);

/* The first chunk at or after this index that is not empty, or SEQUENCES_NONE. */
uint64_t sequences_next(const struct sequences *s, uint64_t index);
/* The bits of a chunk, the lowest number in the lowest bit of the first word. */
void sequences_read(const struct sequences *s, uint64_t index, uint64_t out[SEQUENCES_WORDS]);
/* Memory held, without what malloc adds. */
size_t sequences_bytes(const struct sequences *s);
void sequences_release(struct sequences *s);

#endif
