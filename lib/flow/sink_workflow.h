/*
 * sink_workflow.h - a sink that runs workflows: what starts them, and the replies to what they
 * asked. Accepted means that the events that follow are in the store and the message that follows
 * is confirmed by the broker.
 *
 * Everything that comes in one turn of the loop is committed together; then the messages go, then
 * what brought them is settled. So after a death at any moment the store has what has to be sent,
 * and it is sent again, the same. What comes twice or late is counted and accepted, and changes
 * nothing. More than `limit` instances are not begun: what would start them waits, unsettled.
 */
#ifndef FLOW_SINK_WORKFLOW_H
#define FLOW_SINK_WORKFLOW_H

#include "flow/flow.h"
#include "flow/workflow_logic.h"
#include "flow/workflow_outbox.h"
#include "store/store.h"

/* Told of each event once it is in the store. */
typedef void sink_workflow_event_fn(void *ctx, const struct message *event);

struct sink_workflow_options {
	struct loop *loop;
	struct store *store; /* opened for writing */
	struct workflow_outbox *outbox;
	struct workflow_logic *const *logics;
	size_t logic_count;
	size_t limit;
	sink_workflow_event_fn *on_event; /* or NULL */
	void *ctx;
};

struct sink_workflow_counts {
	uint64_t started, completed, aborted;
	uint64_t steps, compensated;	     /* done, undone */
	uint64_t resumed;		     /* were under way in the store */
	uint64_t timeouts;		     /* replies that did not come in time */
	uint64_t repeated;		     /* starts of what had started */
	uint64_t ignored;		     /* replies that came twice or late, or to nobody */
	uint64_t rejected;		     /* starts that cannot be read */
	uint64_t unroutable, nacked, resent; /* of the messages that were sent */
};

struct sink_workflow;

/* Borrows all of the options. */
struct sink_workflow *sink_workflow_create(const struct sink_workflow_options *options);
void sink_workflow_free(struct sink_workflow *sink); /* accepts NULL; before the outbox */
struct flow_sink sink_workflow_sink(struct sink_workflow *sink);

/* Takes up the instances that are under way in the store, before the run. ERROR_DATA, and others of
 * the store; ERROR_SETTINGS: one of them is at a step that the settings do not have any more. */
bool sink_workflow_resume(struct sink_workflow *sink, struct error *err) MUST_CHECK;

/* Something came outside of the flow's own turn: it wants another one at once. */
bool sink_workflow_has_news(const struct sink_workflow *sink);
size_t sink_workflow_under_way(const struct sink_workflow *sink);
const struct sink_workflow_counts *sink_workflow_counts(const struct sink_workflow *sink);

#endif
