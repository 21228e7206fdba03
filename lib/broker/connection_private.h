/* connection_private.h - channels and calls: what the modules of broker/ share. */
#ifndef BROKER_CONNECTION_PRIVATE_H
#define BROKER_CONNECTION_PRIVATE_H

#include "base/error.h"
#include "base/loop.h"
#include "broker/frames.h"
#include "broker/gather.h"

struct connection;
struct channel;

/* Called while the loop runs; must not wait. Borrowed bytes live until the handler returns. */
struct channel_handlers {
	/* basic.ack, nack, cancel and the like */
	void (*method)(void *ctx, uint32_t method_id, struct slice payload);
	/* basic.deliver and basic.return, with the whole message; its exchange and key are not read
	 * yet */
	void (*content)(void *ctx, uint32_t method_id, struct slice payload, struct message *m);
	/* the broker closed the channel, or the connection is lost */
	void (*closed)(void *ctx, const struct error *why);
	/* After a read: came (since the last call), ahead and is_unhurried, as gather.h has them */
	void (*load)(void *ctx, struct gather_load *load);
	uint64_t gather_ns; /* under load, reads are put off by so much at most */
};

/* Opens a channel; waits for the answer. Returns its number, 0 on failure. handlers is borrowed. */
uint16_t connection_open_channel(
    struct connection *c, const struct channel_handlers *handlers, void *ctx, struct error *err);
/* Lets go of a channel: no handler is called any more. Tells the broker when it still can. */
void connection_close_channel(struct connection *c, uint16_t channel);

/*
 * Sends a method and runs the loop until its answer is there, at most ten seconds. Returns
 * rabbitmq-c's struct of the answer, valid until the next call; NULL on failure. When the broker
 * answers by closing the channel, err has its code and text, connection_refusal has them apart, and
 * the channel is gone. Not to be called from a handler.
 */
void *connection_call(struct connection *c, uint16_t channel, uint32_t method_id, void *request,
    uint32_t reply_id, struct error *err);

/* Sends a method that has no answer. */
bool connection_send(struct connection *c, uint16_t channel, uint32_t method_id, void *request,
    struct error *err) MUST_CHECK;

struct connection_refusal {
	uint16_t code; /* 404 */
	enum error_kind kind;
	char *text; /* the broker's words, escaped */
};
/* The last close that the broker sent; code 0 when there was none. */
const struct connection_refusal *connection_refusal(const struct connection *c);

/* Where frames are put; connection_flush sends them. */
struct buf *connection_output(struct connection *c);
uint32_t connection_frame_max(const struct connection *c);
/* wire_taken_bytes, and what it is when all that was put until now has been taken. */
uint64_t connection_taken_bytes(const struct connection *c);
uint64_t connection_put_bytes(const struct connection *c);
struct loop *connection_loop(const struct connection *c);

/* Forgets a channel; calls nobody. */
void connection_drop_channel(struct channel *ch);

/* Ends the connection from our side: what the broker sent cannot be. */
void connection_lose(struct connection *c, enum error_kind kind, const char *fmt, ...)
    ERROR_FORMAT(3, 4);

#endif
