/*
 * snapshots.h - states of folds that are kept in the store, so that a fold need not begin at the
 * first event.
 *
 * A snapshot belongs to a reducer, by its digest: one that has changed finds none. It holds the
 * hash of the last event in it, and counts only while the store has that hash at that position: one
 * of another past is void. The hashes are compared, not computed: an event that was changed under
 * its old hash is found by verify.h, not here.
 */
#ifndef STORE_SNAPSHOTS_H
#define STORE_SNAPSHOTS_H

#include "base/digest.h"
#include "store/store.h"

/* States that are larger are not kept. */
#define SNAPSHOTS_MAX_BYTES ((size_t)1 << 20)

struct snapshot {
	uint64_t version;	   /* events of the stream in it */
	uint64_t position;	   /* of the last of them */
	const unsigned char *hash; /* of that event: STORE_HASH_BYTES */
	struct slice state;	   /* JSON */
};

/* What tells that nobody else has changed it: a digest of all of it, `digest` to compute with. */
void snapshots_seal(struct digest *digest, struct slice reducer, struct slice stream,
    const struct snapshot *snapshot, unsigned char out[DIGEST_BYTES]);

struct snapshots;

/* Of one reducer. `owner` is the projection whose snapshots they are, NULL for nobody's; copied.
 * The store must outlive it. */
struct snapshots *snapshots_create(
    struct store *store, const unsigned char reducer[DIGEST_BYTES], const char *owner);
void snapshots_free(struct snapshots *s); /* drops what is not written */

/* The last sound one of a stream at or before a position; position 0: there is none. The state
 * lives until the next call. What is not written is not found. */
bool snapshots_find(struct snapshots *s, struct slice stream, uint64_t position,
    struct snapshot *out, struct error *err) MUST_CHECK;

/* Gathers one, copied, unless it is too large. */
void snapshots_add(struct snapshots *s, struct slice stream, const struct snapshot *snapshot);

/* So many wait that they should be written. */
bool snapshots_is_full(const struct snapshots *s);

/* Writes what was gathered in one transaction, and deletes what the owner has of other reducers. No
 * select of the same store may be under way. */
bool snapshots_write(struct snapshots *s, struct error *err) MUST_CHECK;

#endif
