/*
 * scaffold.h - what stands in for a queue "orders" while it is deleted and declared anew.
 *
 * A fanout exchange, orders.migration, between the queue and all that it is bound to. What it finds
 * no queue for, because it is not connected to orders, takes its alternate exchange,
 * orders.migration.away, to a queue orders.migration. arrange_migrate.c has the whole story.
 */
#ifndef APP_SCAFFOLD_H
#define APP_SCAFFOLD_H

#include "broker/connection.h"
#include "model/topology.h"

struct scaffold {
	struct connection *connection;
	const struct topology_queue *queue; /* as it is to be */
	char *temp;			    /* the exchange in between, and the queue */
	char *away;			    /* the exchange that leads to that queue */
	char *lock;
	struct topology_binding *bindings; /* of the queue; borrow from where they came */
	size_t binding_count, binding_capacity;
};

/* Borrows all. */
void scaffold_init(struct scaffold *s, struct connection *c, const struct topology_queue *queue);
void scaffold_release(struct scaffold *s);

/* An exclusive queue, so one at a time: ERROR_UNAVAILABLE when somebody else has it. Goes with the
 * connection. */
bool scaffold_lock(struct scaffold *s, struct error *err) MUST_CHECK;
bool scaffold_unlock(struct scaffold *s, struct error *err) MUST_CHECK;

/* Whether the broker takes such a queue at all: declares one of another name, and deletes it. */
bool scaffold_probe(struct scaffold *s, struct error *err) MUST_CHECK;

/* Adds to `bindings` those of t that lead to the queue, directly or by way of the exchange in
 * between, each once. */
void scaffold_add_bindings(struct scaffold *s, const struct topology *t);
bool scaffold_leads_to(const struct topology_binding *b, bool to_exchange, const char *name);

/* Makes the exchanges and the queue, but for what is there. Not connected to anything yet. */
bool scaffold_build(struct scaffold *s, struct error *err) MUST_CHECK;
/* Makes the bindings of the queue, or takes them away: the direct ones, or those by way of the
 * exchange in between. */
bool scaffold_bind(struct scaffold *s, bool direct, bool make, struct error *err) MUST_CHECK;
/* Connects the exchange in between to the queue, or ends that. */
bool scaffold_connect(struct scaffold *s, bool make, struct error *err) MUST_CHECK;
/* Deletes the exchanges; the queue has to be gone. The one in between goes last: it says that there
 * is something left to do. */
bool scaffold_take_down(struct scaffold *s, struct error *err) MUST_CHECK;

#endif
