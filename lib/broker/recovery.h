/*
 * recovery.h - what is done when a connection is lost: find a broker again, declare everything
 * again.
 *
 * The connection stays the same object; who has a channel on it opens the channel anew after
 * recovery_renew. As long as messages get through in between, or the connection lives for half a
 * minute (for give_up_after_ns, if that is less), the pauses begin from the least one and the time
 * to give up from the loss; without either, both go on from the loss before.
 */
#ifndef BROKER_RECOVERY_H
#define BROKER_RECOVERY_H

#include "broker/reach.h"

struct recovery_options {
	struct connection *connection; /* must outlive it */
	struct reach_options reach;    /* wait_ns and refusals do not matter */
	uint64_t give_up_after_ns;     /* 0: a loss is the end */
	/* Makes the broker what the tool needs; may wait. NULL: nothing is needed. */
	bool (*restore)(void *ctx, struct connection *c, struct error *err);
	void *ctx;
};

struct recovery;

struct recovery *recovery_create(const struct recovery_options *options);
void recovery_free(struct recovery *r); /* accepts NULL */

/*
 * Returns true at once while the connection lives. Else waits until it lives again and everything
 * is restored. Fails with the cause of the loss when that cannot be mended (ERROR_REFUSED: the
 * broker broke the protocol), when the time is over, or on a stop request. Not to be called from a
 * handler.
 */
bool recovery_renew(struct recovery *r, struct error *err) MUST_CHECK;

/* Restores although the connection lives, because of this failure: a queue was deleted. Fails as
 * recovery_renew does. */
bool recovery_restore(struct recovery *r, const struct error *cause, struct error *err) MUST_CHECK;

/* Whether a failure may go by itself: no broker, a queue whose node is down (404), one that
 * somebody has for himself just now. */
bool recovery_may_help(const struct recovery *r, const struct error *why);

/* Whether the last refusal was that a queue has another consumer, where one wants it for itself:
 * that of a process that has just died is there until the broker notices. */
bool recovery_met_consumer(const struct connection *c);

/* Whether the broker closed the connection over something that is not at work yet: a quorum queue
 * or a stream that another client declared a moment ago (INTERNAL_ERROR at basic.consume). */
bool recovery_was_too_early(const struct recovery *r);

/* A message got through. */
void recovery_note_progress(struct recovery *r); /* accepts NULL */

/* How often the connection was lost and came back. */
uint64_t recovery_count(const struct recovery *r);

#endif
