/* lane.h - one channel of a load run, of a publisher or a consumer: its source, its sink, and the
 * flow between them. */
#ifndef BENCH_LANE_H
#define BENCH_LANE_H

#include "bench/notes.h"
#include "bench/plan.h"
#include "broker/connection.h"

struct lane;

struct lane_options {
	const struct plan *plan;
	const struct plan_lane *lane;
	bool publishes;
	struct loop *loop;
	struct notes *notes;
	uint64_t seed;
};

/* All that needs no broker. Borrows what the options point to. NULL when a pattern is wrong. */
struct lane *lane_create(const struct lane_options *options, struct error *err);
/* Opens the channel; waits. A consumer's messages wait for lane_begin. */
bool lane_open(struct lane *lane, struct connection *c, struct error *err) MUST_CHECK;
/* The clocks begin; what is due at end_ns or later is not sent. */
void lane_begin(struct lane *lane, uint64_t start_ns, uint64_t end_ns);
/* As flow_step; once it is done nothing happens any more. False with the cause of a failure. */
bool lane_step(struct lane *lane, uint64_t *wake_ns, struct error *err) MUST_CHECK;
void lane_stop(struct lane *lane);
bool lane_is_done(const struct lane *lane);
/* The connection was blocked, and is not any more. */
void lane_unblocked(struct lane *lane, uint64_t now_ns);
/* Messages given back to the broker. */
uint64_t lane_requeued(const struct lane *lane);
/* Messages that came without acknowledgement and were not taken any more. */
uint64_t lane_dropped(const struct lane *lane);
/* Closes the channel; before the connection closes. */
void lane_close(struct lane *lane);
void lane_free(struct lane *lane); /* accepts NULL */

#endif
