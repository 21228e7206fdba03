/*
 * workflow_outbox.h - what workflows send, as a source of a flow of its own: so that it goes over a
 * connection of its own, with the confirms, the recovery and the room of any other sink.
 */
#ifndef FLOW_WORKFLOW_OUTBOX_H
#define FLOW_WORKFLOW_OUTBOX_H

#include "flow/flow.h"

/* What became of a message that was put; FLOW_ACCEPTED: the broker has it. Must not wait. */
typedef void workflow_outbox_fate_fn(
    void *ctx, uint64_t token, enum flow_fate fate, const char *reason);

struct workflow_outbox;

struct workflow_outbox *workflow_outbox_create(void);
void workflow_outbox_free(struct workflow_outbox *outbox); /* accepts NULL */
void workflow_outbox_listen(
    struct workflow_outbox *outbox, workflow_outbox_fate_fn *fate, void *ctx);
struct flow_source workflow_outbox_source(struct workflow_outbox *outbox);

/* Copies the message, which goes in its turn; `fate` is told once. After a stop that is at once:
 * FLOW_RELEASED. */
void workflow_outbox_put(struct workflow_outbox *outbox, const struct message *m, uint64_t token);

#endif
