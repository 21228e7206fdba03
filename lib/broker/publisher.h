/*
 * publisher.h - sends messages on a channel in confirm mode and tells the fate of each.
 *
 * Every message sent gets exactly one call of `fate`: the broker's acknowledgement settles it as
 * confirmed, or as returned when a basic.return came before (an unroutable message is returned and
 * acknowledged, which is not delivered); basic.nack as nacked; what is unsettled when the channel
 * or connection ends is unconfirmed. https://www.rabbitmq.com/docs/confirms
 *
 * A publisher that `keeps` is more stubborn: what is unsettled then stays with it, and is sent
 * again by publisher_renew, with the header x-warren-resent, for it may have arrived the first
 * time; what is nacked is sent again after a pause, as often as `nack_retries` says. New messages
 * wait behind those (room is 0).
 *
 * With a window of 0 there are no confirms: a message is unconfirmed as soon as it is sent.
 */
#ifndef BROKER_PUBLISHER_H
#define BROKER_PUBLISHER_H

#include "broker/connection.h"
#include "model/message.h"

enum publisher_fate {
	PUBLISHER_CONFIRMED,
	PUBLISHER_RETURNED,
	PUBLISHER_NACKED,
	PUBLISHER_UNCONFIRMED,
};

/* reason is printable: "312 NO_ROUTE"; "" when there is none. Must not wait. */
typedef void publisher_fate_fn(
    void *ctx, uint64_t token, enum publisher_fate fate, const char *reason);

struct publisher_options {
	size_t window; /* most messages without a fate at any time; 0: no confirms */
	publisher_fate_fn *fate;
	/* With a window of 0: told of each message that comes back; NULL for none. */
	void (*returned)(void *ctx);
	void *ctx;
	/* Nothing but the window waits for confirms: many of them are read at once, up to two
	 * milliseconds late. */
	bool is_unhurried;
	/* copies each message until its fate is known; at most 64 MiB and one message */
	bool keeps;
	unsigned nack_retries; /* with keeps */
	/* With keeps: a message that makes the broker close the channel (404, 403, 406) is nacked,
	 * and publisher_renew goes on without it. To find it, the unsettled ones go one by one. */
	bool skips_refused;
};

struct publisher;

/* Opens a channel and switches confirms on (window 0: not); waits for both. The connection must
 * outlive it. */
struct publisher *publisher_open(
    struct connection *c, const struct publisher_options *options, struct error *err);
/* What is still unsettled becomes unconfirmed. Accepts NULL. */
void publisher_close(struct publisher *p);

/* Whether a message can be sent over the connection at all; ERROR_DATA as of publisher_send. */
bool publisher_fits(
    const struct connection *c, const struct message *m, struct error *err) MUST_CHECK;

/* How many messages can be sent now; 0 while the window is full, the broker blocks us or the socket
 * does not keep up. */
size_t publisher_room(const struct publisher *p);

/* Encodes the message into the connection's output (connection_flush sends it). The token comes
 * back with the fate, without confirms before this returns. Fails, with nothing sent, with
 * ERROR_DATA for a message the wire cannot hold. With room 0 it is a mistake. */
bool publisher_send(struct publisher *p, const struct message *m, bool mandatory, uint64_t token,
    struct error *err) MUST_CHECK;

/* Waits, ten seconds at most, until the broker has dealt with all that was sent: what comes back
 * has come back. For a window of 0, where nothing else tells. Not to be called from a handler. */
bool publisher_sync(struct publisher *p, struct error *err) MUST_CHECK;

size_t publisher_unconfirmed(const struct publisher *p);

/* Goes up, from call to call, while fates come, the network takes what was sent, or the oldest
 * message is so big that a slow link still has it. What is sent again after a nack does not count.
 */
uint64_t publisher_progress(struct publisher *p);

/* How many were sent again so far. */
uint64_t publisher_resent(const struct publisher *p);

/*
 * With keeps, when publisher_check fails: opens a channel on the connection, which lives again, and
 * goes on from there. Waits. Fails, with everything still kept, when the connection is lost again,
 * or over a refusal that is not to be skipped.
 */
bool publisher_renew(struct publisher *p, struct error *err) MUST_CHECK;

/* Sends again what is due; called after each turn of the loop, which wakes for it. May wait. */
bool publisher_resend_due(struct publisher *p, struct error *err) MUST_CHECK;

/* False, with the cause, once the broker has closed the channel or the connection is lost. */
bool publisher_check(const struct publisher *p, struct error *err) MUST_CHECK;

#endif
