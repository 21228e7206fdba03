/*
 * routes.h - where RabbitMQ would put a message, and why: its routing, over a topology, without it.
 *
 * What is done here is what rabbit_exchange:route of RabbitMQ 3.10 does. An exchange passes the
 * message to every destination whose binding matches the routing key or one of the keys in the
 * headers CC and BCC (https://www.rabbitmq.com/docs/sender-selected), or the headers (without BCC,
 * which is taken off before). Where no binding matches, the alternate exchange gets it; a binding
 * that matches and leads nowhere is a match. An exchange sees a message once, whichever way it
 * comes first, and so does a queue. Policies, which may name an alternate exchange as well, are not
 * part of a topology.
 */
#ifndef MODEL_ROUTES_H
#define MODEL_ROUTES_H

#include "base/error.h"
#include "model/topology.h"

struct routes_message {
	const char *exchange; /* "": the default exchange */
	const char *routing_key;
	const json_t *headers; /* as model/table.h reads them; NULL for none */
};

enum routes_kind {
	ROUTES_EXCHANGE, /* the message comes to an exchange */
	ROUTES_BINDING,	 /* one of its bindings is looked at */
	ROUTES_END,	 /* no binding has matched: it goes to the alternate exchange, if any */
};

enum routes_match { ROUTES_NO, ROUTES_YES, ROUTES_UNKNOWN /* nobody here knows the type */ };

/* One step, in the order in which they are taken. Texts are borrowed from the topology and the
 * message, but for why. */
struct routes_step {
	enum routes_kind kind;
	size_t depth;			       /* exchanges on the way before this one */
	const char *exchange;		       /* where the message is */
	const struct topology_exchange *found; /* it; NULL when it does not exist */
	const char *destination; /* of the binding, or the alternate exchange; or NULL */
	bool to_exchange;
	const struct topology_binding *binding; /* NULL for those of the default exchange */
	enum routes_match match;		/* of a binding; of an end: whether it is one */
	bool again; /* the destination is an exchange that the message has been to */
	char *why;  /* owned, printable; NULL for an exchange */
};

struct routes {
	struct routes_step *steps;
	size_t step_count, step_capacity;
	const char **queues; /* that get it, each once, in the order of the steps */
	size_t queue_count, queue_capacity;
	const char **keys; /* the routing key, then those of CC and BCC; each once */
	size_t key_count, key_capacity;
	bool is_complete; /* false: a type of exchange that only a plugin knows is on the way */
};

/*
 * Follows the message. The topology and the message must live as long as *out, which must be empty.
 * Fails with ERROR_USAGE for an exchange that the topology does not have, with ERROR_REFUSED for
 * what the broker would answer by closing the channel (an internal exchange, a CC that is no list),
 * with ERROR_DATA for headers or arguments that AMQP cannot carry. Then *out is empty.
 */
bool routes_find(const struct topology *t, const struct routes_message *m, struct routes *out,
    struct error *err) MUST_CHECK;
void routes_release(struct routes *r);

#endif
