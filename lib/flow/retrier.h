/*
 * retrier.h - sends failed messages on: to the wait queue of their next attempt, or, given up, to
 * where dead letters are parked. model/retry.h says what they look like there.
 *
 * The original is acknowledged only when the broker has confirmed the copy. A copy that comes back
 * (no such queue), is refused, or about which nobody knows is held and sent again after a pause,
 * one that may have arrived with MARKS_RESENT; until the run ends, or the original is not ours any
 * more and comes again by itself. Giving it back in between would count as a delivery, of which a
 * quorum queue has a limit. So nothing is lost, and a message is doubled only when a confirm or an
 * acknowledgement got lost; a copy is then told by MARKS_ATTEMPTS and MARKS_RESENT, the original by
 * its redelivered flag.
 *
 * Copies go over a connection of their own: one that is blocked (an alarm of memory or disk) would
 * keep acknowledgements from the broker as well. What cannot be sent now waits here, within the
 * prefetch of the queues.
 */
#ifndef FLOW_RETRIER_H
#define FLOW_RETRIER_H

#include "broker/recovery.h"
#include "flow/flow.h"
#include "model/topology.h"

/* What is done with the failed messages of one queue. */
struct retrier_policy {
	bool is_set;	   /* false: the retrier leaves the queue alone */
	bool rejects_only; /* no attempts: only what is rejected is sent on, to be parked */
	struct topology_retry retry;
	char *parking_exchange; /* where dead letters go: an exchange, */
	char *parking_key;	/* and a key; NULL: the message's own */
};

/* Borrowed for the life of the retrier. */
struct retrier_options {
	const char *const *queues;
	const struct retrier_policy *policies; /* one a queue */
	size_t queue_count;
	size_t window; /* most copies that wait for their confirm */
	/* For the copies. NULL: nothing fails here, and what comes back is only restored. */
	struct connection *connection;
	/* When it is lost: comes back with it. What had no confirm then is sent again. NULL: that
	 * is the end. */
	struct recovery *recovery;
};

struct retrier;

/* Opens a channel; waits for the broker's answer. */
struct retrier *retrier_open(const struct retrier_options *options, struct error *err);
/* What is under way is given back. Before the source that gave it is closed. Accepts NULL. */
void retrier_close(struct retrier *r);

struct retrier_counts {
	uint64_t retried, parked; /* confirmed by the broker */
	uint64_t rejected;	  /* of those taken on: rejected ones */
	uint64_t unsent;	  /* given back in the end */
};
const struct retrier_counts *retrier_counts(const struct retrier *r);

/* ---- for the source; `queue` is the number of the queue in the options ---- */

/* The message as it was published first, when it comes from a wait queue, valid until the next
 * call; else the message itself. Returns *out or m. */
const struct message *retrier_restore(
    struct retrier *r, size_t queue, const struct message *m, struct message *out);

struct retrier_listener {
	/* What became of a message that was taken on: `safe` to acknowledge; or not to be settled
	 * before the end, for the copy cannot be sent. Must not wait. */
	void (*done)(void *ctx, uint64_t token, bool safe);
	/* Whether the delivery is still ours. If not, its copy is dropped, and done is not told. */
	bool (*is_ours)(const void *ctx, uint64_t token);
	void *ctx;
};
void retrier_listen(struct retrier *r, const struct retrier_listener *listener);

/* Takes a failed delivery on, of which done will be told; false when its queue has no policy for
 * it, or it has not failed. The outcome has its message. */
bool retrier_take(
    struct retrier *r, size_t queue, uint64_t token, const struct flow_outcome *outcome);
/* Messages that were taken on and are not done with. */
size_t retrier_under_way(const struct retrier *r);
/* Whether waiting is of use: copies are on their way, or are held since a few seconds only. */
bool retrier_is_hopeful(const struct retrier *r);
/* The run ends: nothing is sent a second time, what is held is given back. */
void retrier_stop(struct retrier *r);

/* Each turn, outside of every callback: sends what is to go. After the broker has closed the
 * channel it opens another one, which waits for the answer. Fails when the connection is lost for
 * good. */
bool retrier_tick(
    struct retrier *r, uint64_t now_ns, uint64_t *wake_ns, struct error *err) MUST_CHECK;

#endif
