/*
 * retry.h - what a message looks like that failed and is sent on: to wait for its next attempt, or
 * to be parked; and what it looks like when it comes back.
 *
 * Body, properties and typed headers go on byte for byte, and model/marks.h says what happened. Set
 * aside, so that they do no harm on the way, are:
 *
 *   CC, BCC          RabbitMQ would send the copy to those queues again
 *   x-death and its  RabbitMQ would drop a message that has, by those, expired in the same queue
 *   x-first-.. kin   before (a cycle without a rejection); nothing here is decided by them
 *   expiration       would end the wait too early, and empty the parking queue
 *   user_id          RabbitMQ refuses (406) a message of another user than the one logged in
 *
 * The headers get MARKS_KEPT before their name, the properties become marks. All come back but the
 * user_id: anybody may write a header, and only the broker vouches for that property. Left out is
 * x-delivery-count, a quorum queue's own count of what it delivered.
 *
 * A message that has waited has no lifetime any more, since the expiration cannot work again.
 */
#ifndef MODEL_RETRY_H
#define MODEL_RETRY_H

#include "base/error.h"
#include "model/message.h"
#include "model/topology.h"

#define RETRY_MAX_ERROR_BYTES 1000 /* of what MARKS_ERROR tells */

enum retry_step {
	RETRY_WAIT,	     /* there will be another attempt */
	RETRY_PARK_ATTEMPTS, /* that was the last one */
	RETRY_PARK_REJECTED, /* no attempt would help */
};

/* What follows on the failed delivery number `attempts`, from 1. */
enum retry_step retry_decide(const struct topology_retry *retry, bool rejected, uint64_t attempts);

/* How many deliveries have failed in this queue before: by our mark alone, and not those that
 * failed elsewhere, whose marks a copy may bring along. */
uint64_t retry_attempts(const struct message *m, struct slice queue);

struct retry_failure {
	enum retry_step step;
	struct slice queue;   /* where it failed */
	uint64_t attempts;    /* deliveries that failed so far, this one included */
	struct slice reason;  /* printable; cut at RETRY_MAX_ERROR_BYTES; of what is parked, */
	int64_t time_s;	      /* this: when, in seconds since 1970; */
	struct slice headers; /* and this: an encoded table that says more; each entry instead of
				 the message's own of its name. Empty: none */
};

/* The message to send on, but for its exchange and routing key, which stay; *store, which is
 * cleared first, holds its headers. ERROR_DATA when the headers cannot be read to their end. */
bool retry_mark(const struct message *m, const struct retry_failure *failure, struct message *out,
    struct buf *store, struct error *err) MUST_CHECK;

/* Whether it comes from a wait queue of this queue, to which it was sent by retry_mark. */
bool retry_is_back(const struct message *m, struct slice queue);

/* The message as it was before retry_mark, with the marks: exchange and routing key as it was
 * published, what was set aside in its place again, without what dead-lettering added since.
 * *store, which is cleared first, holds its headers; the rest is borrowed from m. */
void retry_restore(const struct message *m, struct message *out, struct buf *store);

#endif
