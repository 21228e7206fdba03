/*
 * requester.h - sends requests and takes their replies, on one channel.
 *
 * Replies come to amq.rabbitmq.reply-to, which is no queue: the broker hands them to the channel
 * that has consumed from that name and published the request, in one piece with the sending of it.
 * Its addresses die with the channel. https://www.rabbitmq.com/docs/direct-reply-to
 * Or to a queue: one of this connection's own, or one that is there, which nobody else may consume
 * from meanwhile. Replies are not acknowledged: who waits for them is here or nowhere.
 *
 * Requests are mandatory, and confirmed: of each one is told what the broker made of it, besides
 * the reply, in any order.
 */
#ifndef BROKER_REQUESTER_H
#define BROKER_REQUESTER_H

#include "broker/connection.h"
#include "model/message.h"

/* The reply queue that belongs to the connection. */
#define REQUESTER_OWN_QUEUE ""

struct requester_options {
	const char *reply_queue; /* a name, REQUESTER_OWN_QUEUE, or NULL: direct reply-to */
	/* None of them may wait. */
	void (*reply)(void *ctx, const struct message *m);
	/* The request came back: no queue has it. reason is printable: "312 NO_ROUTE". */
	void (*returned)(void *ctx, const struct message *request, const char *reason);
	void (*nacked)(void *ctx, uint64_t token);
	/* The channel or the connection is gone, or the reply queue: no reply comes any more. */
	void (*ended)(void *ctx, const struct error *why);
	void *ctx;
};

struct requester;

/* Opens a channel and consumes; waits for the answers. The connection must outlive it. A refusal is
 * told by refusal_explain. */
struct requester *requester_open(
    struct connection *c, const struct requester_options *options, struct error *err);
void requester_close(struct requester *r); /* accepts NULL */

/* Where replies are to be sent: the reply_to of each request. Borrowed until requester_renew. */
struct slice requester_reply_to(const struct requester *r);

/* How many requests can be sent now; 0 while the broker blocks us, the socket does not keep up, or
 * far too many are not confirmed. */
size_t requester_room(const struct requester *r);

/* Encodes the request, which has the reply_to, into the connection's output. Fails, with nothing
 * sent, with ERROR_DATA for one that the wire cannot hold. */
bool requester_send(
    struct requester *r, const struct message *m, uint64_t token, struct error *err) MUST_CHECK;

/* False, with the cause, once it has ended. */
bool requester_check(const struct requester *r, struct error *err) MUST_CHECK;
/* Begins anew, after its end, on the connection, which lives. Waits. */
bool requester_renew(struct requester *r, struct error *err) MUST_CHECK;

#endif
