/*
 * cursors.h - how far a replay has come, kept in the store under a name.
 *
 * One process holds a cursor: it ends another's hold when it takes it, and who has lost it can save
 * nothing any more, so cannot go on beyond what it said it would send.
 */
#ifndef STORE_CURSORS_H
#define STORE_CURSORS_H

#include "base/buf.h"
#include "base/siphash.h"
#include "store/store.h"

/* 0 before the first event. */
struct cursors_place {
	uint64_t done;	  /* all events up to this position have arrived, or were not asked for */
	uint64_t sent_to; /* those behind, up to this one, may have been sent; none behind it was */
};

struct cursors;

/* Where it stands, and into *what, cleared first, what for: empty when there is no such cursor, or
 * nothing was ever sent under it. */
bool cursors_look(struct store *store, const char *name, struct buf *what,
    struct cursors_place *place, struct error *err) MUST_CHECK;

/* Takes the cursor, which is made when there is none, and says where it stands. The store, opened
 * for writing, must outlive it. */
struct cursors *cursors_take(struct store *store, const char *name, struct slice what,
    struct cursors_place *place, struct error *err);
void cursors_free(struct cursors *cursor); /* accepts NULL */

/* On the disk when it returns. ERROR_UNAVAILABLE: another process has taken it. */
bool cursors_save(
    struct cursors *cursor, const struct cursors_place *place, struct error *err) MUST_CHECK;

/* The key of the masks of this store: random, and the same at every time. */
void cursors_mask_key(const struct store *store, unsigned char key[SIPHASH_KEY_BYTES]);

#endif
