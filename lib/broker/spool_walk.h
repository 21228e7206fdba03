/*
 * spool_walk.h - reads a spool file from its beginning and tells whole records from a torn end.
 *
 * A process that dies while it writes, and a disk that fills, leave a record that is not all there
 * at the end of the file. Nothing after it is a record: that is a torn end. A bad record with a
 * good one anywhere behind it is damage.
 */
#ifndef BROKER_SPOOL_WALK_H
#define BROKER_SPOOL_WALK_H

#include "broker/spool_file.h"
#include "broker/spool_record.h"

/* payload: of a RUN or SETTLED, valid during the call; empty for a MESSAGE, which was checked all
 * the same. False when the record makes no sense where it is. */
typedef bool spool_walk_fn(
    void *ctx, const struct spool_record *r, uint64_t offset, struct slice payload);

/* Calls for each whole record in turn; *end is where the first torn byte stands, or the end of the
 * file (0: not even its beginning is there). ERROR_DATA, with the place: damaged, or no spool. */
bool spool_walk(const struct spool_file *f, const struct crc *c, spool_walk_fn *each, void *ctx,
    uint64_t *end, struct error *err) MUST_CHECK;

#endif
