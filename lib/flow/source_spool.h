/*
 * source_spool.h - a source of what an earlier run has left in its spool: sent perhaps, settled
 * not.
 *
 * Each goes with the header x-warren-resent, in the order of sending. A fate takes it out of the
 * spool; what gets none stays there.
 */
#ifndef FLOW_SOURCE_SPOOL_H
#define FLOW_SOURCE_SPOOL_H

#include "broker/connection.h"
#include "broker/spool.h"
#include "flow/flow.h"

struct source_spool;

/* Both must outlive it. Of the connection it asks whether a message fits with that header; one that
 * does not goes without. */
struct source_spool *source_spool_create(struct spool *spool, const struct connection *c);
void source_spool_free(struct source_spool *source);
struct flow_source source_spool_source(struct source_spool *source);

#endif
