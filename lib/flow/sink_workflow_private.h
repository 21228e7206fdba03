/* sink_workflow_private.h - the inside of the sink, for sink_workflow*.c alone. */
#ifndef FLOW_SINK_WORKFLOW_PRIVATE_H
#define FLOW_SINK_WORKFLOW_PRIVATE_H

#include "flow/sink_workflow.h"

#include "base/fifo.h"
#include "flow/workflow_crowd.h"
#include "store/append.h"

#define SINK_WORKFLOW_NOBODY UINT64_MAX /* instead of a slot: no message waits for it */

struct sink_workflow {
	struct sink_workflow_options options;
	struct flow *flow; /* the run */
	struct append *append;
	struct workflow_crowd *crowd;
	struct workflow_timers timers;
	struct sink_workflow_counts counts;
	/* what was decided since the last commit, by the events in the batch */
	struct sink_workflow_step *steps;
	size_t step_count, step_capacity;
	/* slots to accept after it: what changed nothing, but may double what is in the batch */
	uint64_t *idle;
	size_t idle_count, idle_capacity;
	struct fifo waiting; /* struct sink_workflow_waiting: starts beyond the limit */
	/* messages that were sent and have no fate, by token */
	struct sink_workflow_sent *sent;
	size_t sent_capacity, first_free;
	struct buf data, store; /* of what is being made */
	uint64_t busy_ns;	/* since when another process has the store; 0: it has not */
	uint64_t alarm;		/* a timer of the loop; 0: none is set, */
	uint64_t alarm_ns;	/* and when it goes off */
	struct error failure;	/* then the run ends */
};

/* What comes in, and the message that brings it, or NULL. */
struct sink_workflow_news {
	struct workflow_input input;
	const struct message *message;
	struct datum body; /* of the message */
	uint64_t slot;
};

/* Decides, and adds the events to the batch; frees the body. False: nothing follows, and the slot
 * is accepted with the batch. */
bool sink_workflow_take(struct sink_workflow *sink, struct workflow_instance *instance,
    struct sink_workflow_news *news);
/* The slot's message is accepted when the batch is in the store. */
void sink_workflow_accept_later(struct sink_workflow *sink, uint64_t slot);
/* Writes the batch, when there is one, and goes on with what is in it. While another process has
 * the store it is left as it is, and busy_ns is set. */
bool sink_workflow_commit(struct sink_workflow *sink, struct error *err) MUST_CHECK;
void sink_workflow_forget(struct sink_workflow *sink); /* the batch: it is not written */

/* Sends what is due, and waits for the answer until due_ns. */
void sink_workflow_send(
    struct sink_workflow *sink, struct workflow_instance *instance, uint64_t slot, uint64_t due_ns);
/* How long an answer is waited for; a compensation's doubles with each try, up to an hour. */
uint64_t sink_workflow_wait_ns(const struct workflow_instance *instance);
/* Hears of the fates of what was sent. */
void sink_workflow_listen(struct sink_workflow *sink);
/* About the message that is due: what became of it, and why; why may be "". */
void sink_workflow_warn(const struct workflow_instance *i, const char *what, const char *why);

#endif
