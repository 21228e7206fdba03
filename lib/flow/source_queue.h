/*
 * source_queue.h - a source that consumes from one queue or several.
 *
 * Accepted messages are acknowledged, rejected ones dead-lettered, released ones requeued; one that
 * asks for another try is requeued after a pause, or is the retrier's, as are rejected ones; a held
 * one stays unacknowledged until the end, and further ones are fetched past it.
 */
#ifndef FLOW_SOURCE_QUEUE_H
#define FLOW_SOURCE_QUEUE_H

#include "broker/recovery.h"
#include "flow/flow.h"
#include "flow/retrier.h"

#include <jansson.h>

/* What becomes of a message that was accepted. */
enum source_queue_ack {
	SOURCE_QUEUE_ACK,     /* acknowledged */
	SOURCE_QUEUE_AUTO,    /* the broker does not wait for an acknowledgement */
	SOURCE_QUEUE_REJECT,  /* rejected, so it is dead-lettered or dropped */
	SOURCE_QUEUE_REQUEUE, /* given back at the end: only looked at */
};

/* What one queue is consumed with. */
struct source_queue_own {
	const json_t *arguments; /* of basic.consume; NULL for none */
	bool exclusive;		 /* as in subscriber.h */
	uint16_t prefetch;	 /* 0: that of all */
};

struct source_queue_options {
	const char *const *queues;
	size_t queue_count;
	uint16_t prefetch;  /* at least 1, but for SOURCE_QUEUE_AUTO */
	uint16_t ack_every; /* gathers so many acknowledgements; 0: as subscriber.h says */
	enum source_queue_ack ack;
	bool until_empty;	 /* done when every queue is empty and everything is settled */
	uint64_t idle_ns;	 /* done after so long without a message; CHRONO_NEVER */
	uint64_t retry_ns;	 /* pause before a message that asks for another try is requeued */
	const json_t *arguments; /* of basic.consume (x-stream-offset); NULL for none */
	const bool *is_stream;	 /* by queue: streams have no count of ready messages */
	bool all_arguments;	 /* `arguments` are for every queue, not for streams alone */
	bool exclusive;		 /* as in subscriber.h, */
	bool polling;		 /* and these */
	uint64_t poll_ns;
	/* By queue, instead of `arguments` and `exclusive`, which are for all; or NULL. */
	const struct source_queue_own *own;
	/* When the connection is lost: comes back with it, and consumes anew. NULL: that is the
	 * end. What was not acknowledged by then is given to somebody by the broker; with
	 * SOURCE_QUEUE_AUTO what has come is ours, and what was on its way is gone, uncounted. */
	struct recovery *recovery;
	bool outlives_cancel; /* with recovery: does so too when the broker ends a consumer */
	/* What the sink could not place (returned, nacked) does not come again at once, for ever:
	 * it is tried again or given up as the retrier says, else it stays unacknowledged to the
	 * end.
	 */
	bool holds_undelivered;
	/* Takes failed messages on, for which the flow keeps messages; outlives the run, closed
	 * before the source. NULL for none. */
	struct retrier *retrier;
};

struct source_queue;

/* Begins to consume; waits for the broker's answers. Nothing is offered before the first tick of
 * the flow, which the deliveries are handed to. Refusals are told in a sentence. */
struct source_queue *source_queue_open(
    struct connection *c, const struct source_queue_options *options, struct error *err);
void source_queue_close(struct source_queue *source);
struct flow_source source_queue_source(struct source_queue *source);

/* Requeued by us so far: released, retried and held ones. */
uint64_t source_queue_requeued(const struct source_queue *source);
/* Judged when their delivery was not ours any more: they come again. */
uint64_t source_queue_unacknowledged(const struct source_queue *source);
/* Of those that came: SOURCE_QUEUE_AUTO: not accepted, and nobody gets them again. */
uint64_t source_queue_lost(const struct source_queue *source);

#endif
