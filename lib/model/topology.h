/*
 * topology.h - exchanges, queues and bindings as plain data, read from the settings.
 *
 * The sugar is resolved here: `dead_letter` becomes the arguments x-dead-letter-exchange and
 * x-dead-letter-routing-key (and the queue it names, when nothing else declares it); `retry`
 * becomes one wait queue per step of the delay, each with a fixed x-message-ttl and dead-lettering
 * back to the queue, and a parking queue. Made queues stand behind the written ones.
 */
#ifndef MODEL_TOPOLOGY_H
#define MODEL_TOPOLOGY_H

#include "base/buf.h"
#include "base/error.h"
#include "model/reader.h"

#include <jansson.h>

struct topology_exchange {
	const char *name;
	const char *type; /* direct, topic, fanout, headers, x-... */
	bool durable, auto_delete, internal;
	bool declared;	   /* false: something else declares it; only its existence is checked */
	json_t *arguments; /* owned object, wire names: {"alternate-exchange": "unrouted"} */
};

struct topology_queue {
	const char *name;
	const char *type; /* classic, quorum, stream */
	bool durable, exclusive, auto_delete;
	bool declared;
	json_t *arguments;    /* owned object, wire names, x-queue-type always there */
	const char *made_for; /* the queue whose sugar made this one; NULL when written down */
};

struct topology_binding {
	const char *exchange;	 /* the source; "" cannot be bound */
	const char *destination; /* a queue, or an exchange when to_exchange */
	bool to_exchange;
	const char *routing_key; /* "" for fanout and headers */
	json_t *arguments;	 /* owned object: x-match and headers */
};

struct topology {
	struct topology_exchange *exchanges;
	size_t exchange_count;
	struct topology_queue *queues;
	size_t queue_count;
	struct topology_binding *bindings;
	size_t binding_count;
	json_t *names; /* owned: keeps the strings above alive */
};

/* Reads `exchanges`, `queues` and `bindings` of the settings' root. False when something was
 * reported: names not declared, an argument that the queue type does not take (with a suggestion
 * for a misspelt one), ... On failure *out is empty. The settings may be freed afterwards. */
bool topology_read(
    const json_t *settings, struct topology *out, reader_report_fn *report, void *ctx);
void topology_release(struct topology *t);

/* Also finds what each broker has without being asked: the default exchange "", amq.direct,
 * amq.topic, amq.fanout, amq.headers and amq.match (declared: false, arguments NULL). */
const struct topology_exchange *topology_find_exchange(const struct topology *t, struct slice name);
const struct topology_queue *topology_find_queue(const struct topology *t, struct slice name);
/* For a name that neither of them finds: "queue 'x' is not declared; did you mean 'y'?", or "...;
 * 'x' is an exchange". To free(). */
char *topology_explain_unknown(const struct topology *t, bool is_queue, const char *name);

/* Whether the settings say that some queue should get what is published to the exchange: a binding
 * leads from it to a queue, directly or over other exchanges, or an alternate exchange catches it.
 * The default exchange: true when there is any queue; topology_find_queue(key) tells more. */
bool topology_reaches_queue(const struct topology *t, struct slice exchange);

/* Whether queues and exchanges of such names are made by warren for a queue, whose name (of the
 * given one) is put into *queue: a wait queue or parking queue, see below, or what moves it to new
 * arguments: "orders.migration" and "orders.migration.away". */
bool topology_made_for(const char *name, struct slice *queue);

/* The retry policy of a queue: steps of waiting; read again by consumers. */
struct topology_retry {
	uint64_t attempts;		     /* deliveries in all, the first included; from 1 */
	uint64_t delay_from_ms, delay_to_ms; /* doubles from one to the other */
};

/* False, and *out untouched, when the queue has no policy (or one that is wrong). */
bool topology_retry_of(const json_t *settings, const char *queue, struct topology_retry *out);
/* The wait before attempt n + 1 after n failed ones (n from 1), in ms. */
uint64_t topology_retry_delay_ms(const struct topology_retry *retry, uint64_t n);
/* The wait queue for a delay: "order_notify.retry.1s"; to free(). */
char *topology_retry_queue(const char *queue, uint64_t delay_ms);
/*
 * Where a message goes when its attempts are used up, for one basic.publish: an exchange with the
 * message's own routing key (*routing_key NULL), or "" and the name of a queue. Both to free().
 */
void topology_retry_parking(
    const json_t *settings, const char *queue, char **exchange, char **routing_key);
/* The same for what a queue without a retry policy rejects, as `dead_letter` or the arguments for
 * dead letters say; borrowed. False when they say nothing. */
bool topology_dead_letters(
    const struct topology_queue *q, const char **exchange, const char **routing_key);

#endif
