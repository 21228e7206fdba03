/*
 * calls.h - requests that wait for their reply: which call a correlation id means, whose time is
 * up. No clock, no descriptors.
 *
 * A correlation id is a UUID of version 8 (RFC 9562, 5.8) that holds the run, the place in the
 * table and a serial number. So a reply is found by arithmetic, and one that is not awaited is
 * known for what it is: too late, a second one, or somebody else's.
 */
#ifndef MODEL_CALLS_H
#define MODEL_CALLS_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALLS_MOST 65536 /* at the same time */
#define CALLS_ID_CHARS 36
/* Of so many calls that are over it is known whether they were answered; replies to older ones are
 * late. */
#define CALLS_REMEMBERED 16384

/* One that is under way. */
struct call {
	uint64_t token; /* the caller's */
	uint64_t begun_ns;
	uint64_t deadline_ns;
};

/* What a reply is to us, by its correlation id. */
enum calls_match {
	CALLS_AWAITED,
	CALLS_LATE,	 /* its call is over, without an answer */
	CALLS_DUPLICATE, /* its call was answered before */
	CALLS_FOREIGN,	 /* no id of this run */
};

struct calls;

/* capacity: from 1 to CALLS_MOST. `run` is random: it tells this run's ids from others'. */
struct calls *calls_create(size_t capacity, uint64_t run);
void calls_free(struct calls *calls); /* accepts NULL */

size_t calls_room(const struct calls *calls);
size_t calls_count(const struct calls *calls);

/* One more; with no room it is a mistake. Returns its number, never 0, which is never used again.
 */
uint64_t calls_begin(struct calls *calls, const struct call *call);
/* The correlation id; no NUL at the end. */
void calls_name(const struct calls *calls, uint64_t number, char out[CALLS_ID_CHARS]);
/* *number is set but for CALLS_FOREIGN. */
enum calls_match calls_find(const struct calls *calls, struct slice id, uint64_t *number);
/* NULL when it is not under way. Valid until the table changes. */
const struct call *calls_get(const struct calls *calls, uint64_t number);
void calls_end(struct calls *calls, uint64_t number, bool answered);

/* The one whose time is up first; 0: none is under way. */
uint64_t calls_first(const struct calls *calls);

#endif
