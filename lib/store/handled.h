/*
 * handled.h - which messages were handled: marks, kept in a store and in memory.
 *
 * A mark is a hash of what tells messages apart; a scope is whose marks they are ("/relays/orders
 * .order.id"). Each scope has a window, the last so many marks, and perhaps an age. In the file
 * they are rows in the order of coming (a hash by itself would make a page dirty by itself, see
 * tail.h); what is asked is answered from memory. Several processes may share a scope: each takes
 * up what the others have written.
 *
 * Without a store they are in memory alone. A mark may have an answer with it, which goes where the
 * mark is and is forgotten with it, or earlier.
 */
#ifndef STORE_HANDLED_H
#define STORE_HANDLED_H

#include "base/siphash.h"
#include "store/answers.h"
#include "store/store.h"

#define HANDLED_MAX_WINDOW 100000000

struct handled_options {
	struct store *store;	/* borrowed; NULL: memory alone */
	const char *scope;	/* with a store */
	size_t window;		/* from 1 to HANDLED_MAX_WINDOW */
	uint64_t age_ms;	/* 0: as long as the window has room */
	uint64_t answers_bytes; /* of the answers that are kept beside them (answers.h); 0: none */
};

struct handled;

/* Reads what is there. Errors are those of the store. */
struct handled *handled_open(const struct handled_options *options, struct error *err);
void handled_close(struct handled *h); /* accepts NULL */

struct siphash handled_hash(const struct handled *h, struct slice key);

/* Whether it is there, as far as is known; now_ms since 1970, by the wall clock. */
bool handled_has(struct handled *h, struct siphash mark, int64_t now_ms);
/* For one that is in memory alone; takes the answer over, which may be NULL. */
void handled_add(
    struct handled *h, struct siphash mark, struct message *answer_take, int64_t now_ms);

/* Whether an answer of this size would be kept. */
bool handled_keeps(const struct handled *h, const struct message *answer);
/* A copy of what was answered to one that is there, to free(); *out is NULL when that is not known.
 */
bool handled_answer(
    struct handled *h, struct siphash mark, struct message **out, struct error *err) MUST_CHECK;

/* Takes up what others have written since; cheap when nobody has. */
bool handled_catch_up(struct handled *h, struct error *err) MUST_CHECK;

#endif
