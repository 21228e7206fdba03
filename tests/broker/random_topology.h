/* random_topology.h - topologies and messages nobody would write: all kinds of routing, small and
 * alike enough that much of it matches. */
#ifndef BROKER_RANDOM_TOPOLOGY_H
#define BROKER_RANDOM_TOPOLOGY_H

#include "base/rng.h"
#include "model/routes.h"

#define RANDOM_QUEUES 8
extern const char *const random_queues[RANDOM_QUEUES];

/* The bindings of amq.* stay on the broker when their topology has gone, so all count for each
 * later one; no more are made than these. */
struct random_kept {
	struct topology_binding items[16];
	size_t count;
	json_t *names;
};

/* A topology in which others may stand already: `= {0}` to begin. */
struct random_world {
	struct topology t;
	size_t exchange_capacity, queue_capacity, binding_capacity;
	struct random_kept *kept;
};

/* The queues and what is kept. */
void random_world_begin(struct random_world *w, struct random_kept *kept);
/* Exchanges named by the number, and bindings; names go to t.names. Returns how many exchanges. */
size_t random_world_add(struct random_world *w, struct rng *r, uint64_t number);

/* One row of a table, to queue number 0: an exchange of the type, its one binding. Returns its
 * name, which goes to t.names. Takes the arguments over. */
const char *random_world_add_row(
    struct random_world *w, const char *type, const char *key, json_t *arguments);

/* A message to one of the last `exchange_count` exchanges, or to one that every broker has. The
 * caller owns the headers, which may be NULL; the texts go to t.names. */
struct routes_message random_message(struct random_world *w, struct rng *r, size_t exchange_count);

#endif
