/* provision.h - makes the broker match a topology, takes it away again, and looks at what is there.
 */
#ifndef BROKER_PROVISION_H
#define BROKER_PROVISION_H

#include "broker/connection.h"
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

struct provision_limits {
	bool if_empty,
	    if_unused; /* refuse to delete what holds messages, or has consumers or bindings */
};
/* Deletes bindings' ends: queues, then exchanges. What is not there counts as deleted; what is
 * declared: false is left alone. */
bool provision_delete(struct connection *c, const struct topology *t,
    const struct provision_limits *limits, provision_report_fn *report, void *ctx,
    struct error *err) MUST_CHECK;

/* Throws away the ready messages of every declared queue; reports how many. Streams cannot be
 * purged and are left, and so are exclusive queues. */
bool provision_purge(struct connection *c, const struct topology *t, provision_report_fn *report,
    void *ctx, struct error *err) MUST_CHECK;

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
