/*
 * replay.h - what a recorded message looks like that is published once more.
 *
 * Body, properties and the publisher's headers go on byte for byte: message_id, so that who has had
 * it can tell; CloudEvents and traceparent; expiration, which counts from now. Left out are
 *
 *   x-death and kin   what RabbitMQ 3.10 to 4.x writes on messages for those who get them: of dead
 *                     letters, quorum queues, streams, federation, shovels and its interceptors. It
 *                     would be believed, or, as x-death, end a message as going round in circles
 *   x-warren-..       our own bookkeeping of another way that it went
 *   CC, BCC           when it goes elsewhere: they were meant where it was published first
 *   user_id           unless it is the connection's user: RabbitMQ refuses (406) any other
 *
 * https://www.rabbitmq.com/docs/dlx#effects, quorum-queues#poison-message-handling, streams,
 * federation-reference, shovel-dynamic, message-interceptors
 */
#ifndef MODEL_REPLAY_H
#define MODEL_REPLAY_H

#include "model/message.h"

/* Borrowed. */
struct replay_order {
	uint64_t position;		    /* becomes MARKS_REPLAYED */
	bool again;			    /* with MARKS_REPLAYED_AGAIN */
	const char *exchange, *routing_key; /* NULL: as it was recorded */
	const char *user;		    /* the connection's; NULL: nobody's */
};

/* What was done to it. */
struct replay_outcome {
	bool lost_user_id;
};

/* *store, which is cleared first, holds the new headers; the rest is borrowed from m. Headers that
 * are damaged stay from there on. */
void replay_message(const struct message *m, const struct replay_order *order, struct message *out,
    struct buf *store, struct replay_outcome *outcome);

#endif
