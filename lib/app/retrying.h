/* retrying.h - what becomes of the messages that fail: the retry policies of the queues that a
 * consumer reads, and dead letters that tell why. */
#ifndef APP_RETRYING_H
#define APP_RETRYING_H

#include "app/tool.h"
#include "flow/retrier.h"

/* Which messages are sent on here, rather than rejected for the broker to dead-letter. */
enum retrying_scope {
	RETRYING_NOTHING,   /* none will fail; what comes back from a wait queue is restored */
	RETRYING_BY_POLICY, /* what fails in a queue with `retry:`, and what is rejected in one with
			       a `contract:` that has a place for its dead letters */
	RETRYING_ALL,	    /* what is rejected in any queue that has a place for its dead letters,
			       too */
};

/* `= {0}` is none. */
struct retrying {
	struct retrier *retrier;	 /* NULL: no queue has a policy */
	struct connection *connection;	 /* for what is sent on; NULL: nothing will be */
	struct recovery *recovery;	 /* of the connection */
	struct retrier_policy *policies; /* owned, with their texts */
	size_t queue_count;
	const struct tool_place *place; /* set before: the broker of the queues; NULL: the settings'
					 */
};

/*
 * Reads the policies of the queues, which must outlive it, and opens a second connection when
 * something is to be sent on. What is rejected goes to the parking queue, or, without `retry:`, to
 * where the settings say that the queue's dead letters go; confirmed there, with its reason
 * (model/marks.h), before it is acknowledged here. A queue without such a place rejects, as
 * basic.reject does.
 */
bool retrying_open(struct tool *tool, const char *const *queues, size_t queue_count,
    enum retrying_scope scope, struct retrying *out, struct error *err) MUST_CHECK;
/* Before the source of the messages is closed. */
void retrying_close(struct retrying *retrying);

#endif
