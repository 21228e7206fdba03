/*
 * projection.h - a table of states, a row a stream, kept in step with the events.
 *
 * A named one is the table `projection_NAME` (stream, version, position, state) of the store, for
 * others to read; the table `projection` tells up to which event each is complete, and both change
 * in one transaction. One without a name is of this process alone, in a temporary file.
 */
#ifndef STORE_PROJECTION_H
#define STORE_PROJECTION_H

#include "base/digest.h"
#include "store/store.h"

#define PROJECTION_MAX_NAME 40 /* bytes, of a-z, 0-9 and _ */

struct projection_row {
	struct slice stream;
	uint64_t version;   /* events of the stream in it */
	uint64_t position;  /* of the last of them */
	struct slice state; /* JSON */
};

struct projection;

/*
 * Makes the table when it is not there, and empties one of another reducer or of a past that was
 * changed (see snapshots.h). The store must outlive it, and is written to when there is a name.
 */
struct projection *projection_open(struct store *store, const char *name,
    const unsigned char reducer[DIGEST_BYTES], struct error *err);
void projection_close(struct projection *p); /* undoes what is not committed */

/* The last event that is in it, whatever its stream; 0: none. */
uint64_t projection_position(const struct projection *p);

/* The row of a stream; version 0: there is none. The state lives until the next call. */
bool projection_find(struct projection *p, struct slice stream, struct projection_row *out,
    struct error *err) MUST_CHECK;

/* A transaction: rows, then the event up to which all of them are complete. A failure undoes it.
 * No select of the same store may be under way. ERROR_UNAVAILABLE: another process has gone on
 * with the same projection meanwhile. */
bool projection_begin(struct projection *p, struct error *err) MUST_CHECK;
bool projection_put(
    struct projection *p, const struct projection_row *row, struct error *err) MUST_CHECK;
bool projection_commit(struct projection *p, uint64_t position, const unsigned char *hash,
    struct error *err) MUST_CHECK;

/* All rows in the order of their streams. False as soon as fn is, which has set err. */
typedef bool projection_fn(void *ctx, const struct projection_row *row, struct error *err);
bool projection_each(
    struct projection *p, projection_fn *fn, void *ctx, struct error *err) MUST_CHECK;

#endif
