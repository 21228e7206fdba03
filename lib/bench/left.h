/*
 * left.h - what a load run leaves in the queues: of messages that were confirmed and not received,
 * these are not lost.
 */
#ifndef BENCH_LEFT_H
#define BENCH_LEFT_H

#include "bench/plan.h"
#include "broker/connection.h"

/* By queue of the plan; owned. `= {0}` before left_look_before. */
struct left {
	uint64_t *before;  /* ready before the run: others' messages */
	uint64_t *at_stop; /* ready when the consumers were told to stop */
};

/* Each asks the broker about every queue, and waits. Streams are not counted. */
void left_look_before(struct left *left, const struct plan *plan, struct connection *c);
void left_look_at_stop(struct left *left, const struct plan *plan, struct connection *c);

/*
 * Once the consumers have gone: how many messages of this run are in the queues. in_hand: those
 * that consumers gave back at the end, which went with a queue that is gone by now; foreign:
 * messages of others that were received. False when it cannot be told.
 */
bool left_count(const struct left *left, const struct plan *plan, struct connection *c,
    uint64_t in_hand, uint64_t foreign, uint64_t *out);
void left_release(struct left *left);

#endif
