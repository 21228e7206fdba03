/*
 * subscriber.h - takes the deliveries of one queue on a channel of its own and settles each once.
 *
 * Acknowledgements are gathered and go out as `multiple` over the contiguous prefix: when
 * `ack_every` (half of the prefetch, at most 100) have come together, or the first of them is ten
 * milliseconds old.
 */
#ifndef BROKER_SUBSCRIBER_H
#define BROKER_SUBSCRIBER_H

#include "broker/connection.h"
#include "model/message.h"

#include <jansson.h>

struct subscriber_delivery {
	const struct message *message; /* bytes live until the handler returns */
	uint64_t tag;
	bool redelivered;
};

typedef void subscriber_deliver_fn(void *ctx, const struct subscriber_delivery *d);
/* The broker ended the subscription (the queue was deleted, the channel closed, the connection
 * lost). */
typedef void subscriber_ended_fn(void *ctx, const struct error *why);

struct subscriber_options {
	const char *queue;
	uint16_t prefetch;	 /* most unsettled deliveries; 0: no bound */
	uint16_t ack_every;	 /* 0: as said above */
	bool no_ack;		 /* the broker counts a delivery as settled when it is sent */
	const json_t *arguments; /* of basic.consume: x-stream-offset, x-priority; NULL for none */
	bool exclusive;		 /* no other consumer beside this one */
	/* Asks for each message (basic.get) when the one before is settled, and again after so long
	 * when there was none; subscriber_flush_due asks. */
	bool polling;
	uint64_t poll_ns;
	subscriber_deliver_fn *deliver;
	subscriber_ended_fn *ended;
	void *ctx;
};

struct subscriber;

/* Opens a channel, sets the prefetch and consumes; waits for the answers. Deliveries may come
 * before it returns. A refusal is told by refusal_explain. */
struct subscriber *subscriber_open(
    struct connection *c, const struct subscriber_options *options, struct error *err);
/* Frees. The broker gives what is unsettled to others. Accepts NULL. */
void subscriber_close(struct subscriber *s);

enum subscriber_verdict {
	SUBSCRIBER_ACK,
	SUBSCRIBER_REQUEUE,
	SUBSCRIBER_REJECT, /* dead-lettered where the queue says so, else dropped */
};
/* Each tag once. With no_ack it does nothing. */
void subscriber_settle(struct subscriber *s, uint64_t tag, enum subscriber_verdict verdict);
/* Sends the acknowledgements that are due, and asks for the next message when polling; lowers
 * *wake_ns to when more will be due. */
void subscriber_flush_due(struct subscriber *s, uint64_t now_ns, uint64_t *wake_ns);
/* Sends all of them. */
void subscriber_flush(struct subscriber *s);

/* Asks the broker to send no more. What is already on its way still arrives. */
void subscriber_cancel(struct subscriber *s);
/* True once the broker has answered a cancel: no delivery comes any more. */
bool subscriber_is_cancelled(const struct subscriber *s);
/* Consumes anew beside the deliveries that stay unsettled, with a prefetch of its own. Waits. */
bool subscriber_renew(struct subscriber *s, struct error *err) MUST_CHECK;

/* Ready messages in the queue, asked of the broker; waits. Deliveries sent before the answer have
 * arrived when it returns. */
bool subscriber_count_ready(struct subscriber *s, uint64_t *out, struct error *err) MUST_CHECK;

/* The delivery tag of the oldest that is unsettled; of the next one when none is. */
uint64_t subscriber_first_unsettled(const struct subscriber *s);
bool subscriber_is_settled(const struct subscriber *s, uint64_t tag);

#endif
