/* provision.h - makes the broker match a topology, takes it away again, and looks at what is there.
 */
#ifndef BROKER_PROVISION_H
#define BROKER_PROVISION_H

#include "broker/connection.h"
#include "model/difference.h"
#include "model/topology.h"

/* What was done to one object; its name is as in the settings, not made printable. */
typedef void provision_report_fn(
    void *ctx, const char *verb, const char *object, const char *name, uint64_t count);

/*
 * Declares exchanges, then queues, then bindings; what is declared: false is only looked for. An
 * exclusive queue would belong to this connection and end with it, so those, and their bindings,
 * are left out but for the ones named in `own` (ends with NULL; NULL for none). Stops at the first
 * refusal, told as one sentence by refusal_explain. Idempotent. report may be NULL.
 */
bool provision_apply(struct connection *c, const struct topology *t, const char *const *own,
    provision_report_fn *report, void *ctx, struct error *err) MUST_CHECK;

/* Takes the bindings of t away. One that is not there counts as taken away. */
bool provision_unbind(struct connection *c, const struct topology *t, struct error *err) MUST_CHECK;

struct provision_limits {
	bool if_empty, if_unused; /* refuse what holds messages, or has consumers or bindings */
};

/* Deletes bindings' ends: queues, then exchanges. What is not there counts as deleted; what is
 * declared: false is left alone. The type of a queue is that of the live one: a classic queue holds
 * the limits by itself; with others a look right before has to do. */
bool provision_delete(struct connection *c, const struct topology *t,
    const struct provision_limits *limits, provision_report_fn *report, void *ctx,
    struct error *err) MUST_CHECK;

/* Deletes a queue as provision_delete does, and declares the other one at once: who publishes to
 * the name meanwhile finds none. */
bool provision_replace(struct connection *c, const struct topology_queue *old,
    const struct topology_queue *q, const struct provision_limits *limits,
    provision_report_fn *report, void *ctx, struct error *err) MUST_CHECK;

/* Throws away the ready messages of every declared queue; reports how many. What is not there
 * counts as purged. Streams cannot be purged and are left, and so are exclusive queues. */
bool provision_purge(struct connection *c, const struct topology *t,
    const struct provision_limits *limits, provision_report_fn *report, void *ctx,
    struct error *err) MUST_CHECK;

/*
 * The difference to what is there, as far as AMQP tells: whether an exchange or queue is there (a
 * passive declare), and which attributes it refuses (a declare of what was found just before, which
 * changes nothing). The broker compares only arguments that it knows, cannot be asked about
 * bindings (DIFFERENCE_UNSEEN), nor about what is not declared. It names one attribute at a time,
 * so it is asked again with what it has said; *partly becomes true when its words were not
 * understood, and there may be more. t must outlive the result.
 */
bool provision_compare(struct connection *c, const struct topology *t, struct difference *out,
    bool *partly, struct error *err) MUST_CHECK;

/* What a passive declare tells of a queue. */
struct provision_state {
	bool exists;
	bool locked; /* another connection has it for itself */
	uint64_t ready, consumers;
};
bool provision_look_queue(struct connection *c, const char *name, struct provision_state *out,
    struct error *err) MUST_CHECK;
bool provision_look_exchange(struct connection *c, const char *name, struct provision_state *out,
    struct error *err) MUST_CHECK;

#endif
