/* provision_private.h - what the files of broker/provision share: one run of calls. */
#ifndef BROKER_PROVISION_PRIVATE_H
#define BROKER_PROVISION_PRIVATE_H

#include "broker/connection_private.h"
#include "broker/provision.h"
#include "broker/rabbitmqc_private.h"
#include "broker/refusal.h"

#define PROVISION_ABSENT "not there:"
#define PROVISION_EXCLUSIVE "left to its consumer (exclusive)"

/* A channel that is opened again when the broker has closed it. */
struct provision_run {
	struct connection *connection;
	uint16_t channel;		  /* 0: none open */
	struct rabbitmqc_table arguments; /* of the method being made */
	provision_report_fn *report;	  /* or NULL */
	void *ctx;
};

struct provision_run provision_begin(struct connection *c, provision_report_fn *report, void *ctx);
void provision_end(struct provision_run *run);

/* A call on the run's channel; a refusal becomes a sentence about the object. */
void *provision_call_for(struct provision_run *run, uint32_t method_id, void *request,
    uint32_t reply_id, const struct refusal_context *context, struct error *err);
/* The sentence, for who has made the call and has its error. */
bool provision_explain(struct provision_run *run, const struct error *raw,
    const struct refusal_context *context, struct error *err);

/* Declares, passively what is declared: false; a refusal is left in connection_refusal and in err
 * as it came. */
bool provision_put_exchange(
    struct provision_run *run, const struct topology_exchange *e, struct error *err) MUST_CHECK;
bool provision_put_queue(
    struct provision_run *run, const struct topology_queue *q, struct error *err) MUST_CHECK;

bool provision_find_queue(struct provision_run *run, const char *name, struct provision_state *out,
    struct error *err) MUST_CHECK;
bool provision_find_exchange(struct provision_run *run, const char *name,
    struct provision_state *out, struct error *err) MUST_CHECK;

void provision_tell(struct provision_run *run, const char *verb, const char *object,
    const char *name, uint64_t count);

#endif
