/*
 * core_reply.h - the last core of who answers requests: what comes out of the others becomes the
 * reply; a request that they reject is answered with the reason, or with what was answered to it
 * before.
 *
 * A request without reply_to ends here: it was worked on, and nobody waits. The flow keeps
 * messages, and has core_reply_rescue.
 */
#ifndef FLOW_CORE_REPLY_H
#define FLOW_CORE_REPLY_H

#include "broker/connection.h"
#include "flow/flow.h"

/* Who remembers what was answered; a slot holds the request. `= {0}`: nobody does. */
struct core_reply_memory {
	/* An answer (reply_answer) was made: to be kept if the request is one to be known again. */
	void (*keep)(void *ctx, uint64_t slot, const struct message *answer);
	/* What was answered to it before, when it was rejected for that; or NULL. Borrowed until
	 * the request is settled. */
	const struct message *(*recall)(void *ctx, uint64_t slot);
	void *ctx;
};

struct core_reply_options {
	/* Who answers, by the queue that the request came from: "rpc/prices". */
	const char *const *queues, *const *names;
	size_t count;
	struct connection *connection; /* replies go over it: one that does not fit is an error */
	struct core_reply_memory memory;
};

/* How requests ended. */
struct core_reply_counts {
	uint64_t answered, errors; /* the reply is safe with the broker */
	uint64_t repeated;	   /* it is the one that was given before */
	uint64_t undeliverable;	   /* the reply came back: the caller is gone */
	uint64_t unanswered;	   /* nobody wants a reply, or a core lets none through */
	uint64_t rejected;	   /* nobody wants to know why */
};

struct core_reply;

/* Options' pointers are borrowed. */
struct core_reply *core_reply_create(const struct core_reply_options *options);
void core_reply_free(struct core_reply *core);
struct flow_core core_reply_core(struct core_reply *core);
const struct core_reply_counts *core_reply_counts(const struct core_reply *core);

/* As flow_rescue_fn. */
bool core_reply_rescue(struct core_reply *core, uint64_t slot, const struct flow_message *m,
    const struct flow_verdict *verdict, struct message *out);

#endif
