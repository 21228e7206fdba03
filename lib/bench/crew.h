/*
 * crew.h - one load run from beginning to end: starts the workers together, collects what they
 * post, decides when it is over, and waits for what is on its way.
 */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include "bench/plan.h"
#include "bench/result.h"

/* Told of each interval after the warm-up. */
typedef void crew_row_fn(void *ctx, const struct result *result, const struct result_row *row);

struct crew_options {
	struct tool *tool; /* its loop turns, its connection looks at queues */
	const struct plan *plan;
	uint64_t time_ns; /* of sending; CHRONO_NEVER */
	uint64_t seed;
	crew_row_fn *on_row;
	void *ctx;
};

/* Declares the plan's topology, runs, and takes away what was made for the run alone; the tool is
 * connected. *out begins as zeroes and is to be released in any
 * case. False with the cause when a worker failed; what was measured so far is in *out all the
 * same. */
bool crew_run(const struct crew_options *options, struct result *out, struct error *err) MUST_CHECK;

#endif
