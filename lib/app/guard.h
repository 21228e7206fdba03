/*
 * guard.h - ends of a flow that keep the queue as it was but for what is accepted.
 *
 * What is not accepted stays unacknowledged until the end, whatever became of it, and goes back in
 * its place then: requeued at once it would come again, and lose its place in a quorum queue. A
 * message that cannot be sent stays, too, and does not end the run.
 */
#ifndef APP_GUARD_H
#define APP_GUARD_H

#include "flow/flow.h"

struct guard {
	struct flow_source source;
	struct flow_sink sink;
	uint64_t unsendable; /* so far */
};

/* The guarded ends of the two that are in the struct. */
struct flow_source guard_source(struct guard *guard);
struct flow_sink guard_sink(struct guard *guard);

#endif
