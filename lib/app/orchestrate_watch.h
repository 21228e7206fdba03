/* orchestrate_watch.h - what is seen of running workflows from outside: figures and spans of what
 * comes and of what goes, and how many began and ended. */
#ifndef APP_ORCHESTRATE_WATCH_H
#define APP_ORCHESTRATE_WATCH_H

#include "app/watch.h"
#include "flow/sink_workflow.h"

/* Borrowed until orchestrate_watch_end. */
struct orchestrate_watch_options {
	const char *const *queues; /* what comes, comes from these */
	size_t queue_count;
	const struct retrier *retrier;	      /* or NULL */
	const struct recovery *recovery;      /* of the connection that requests go over; or NULL */
	const struct sink_exchange *requests; /* where they go */
	const struct sink_workflow *workflows;
};

/* `= {0}` is none. */
struct orchestrate_watch {
	struct metrics *metrics; /* NULL: no --metrics */
	const struct sink_workflow *workflows;
	struct watch *in, *out;
};

/* Adds what looks on to the cores of the flow that brings starts and replies, and of the flow that
 * takes requests away. */
void orchestrate_watch_open(struct orchestrate_watch *w, struct tool *tool,
    const struct orchestrate_watch_options *options, struct flow_options *in,
    struct flow_options *out);
void orchestrate_watch_begin(
    struct orchestrate_watch *w, const struct flow *in, const struct flow *out);
/* Before the flows and the sinks are freed. */
void orchestrate_watch_end(struct orchestrate_watch *w);

#endif
