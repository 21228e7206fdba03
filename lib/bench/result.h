/* result.h - what a load run has shown: a row an interval, the totals, and both as JSON. */
#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include "base/buf.h"
#include "bench/notes.h"

#include <jansson.h>

/* What is told of a latency in an interval; all in nanoseconds. */
struct result_latency {
	uint64_t count;
	uint64_t p50, p95, p99, p999, max;
};

struct result_row {
	uint64_t upto_ns; /* since the start of the run */
	uint64_t length_ns;
	uint64_t counts[TALLY_COUNT_COUNT];
	struct result_latency latencies[TALLY_LATENCY_COUNT];
};

#define RESULT_LOST_RANGES 8

/* Release with result_release. */
struct result {
	struct result_row *rows; /* after the warm-up */
	size_t row_count, row_capacity;
	uint64_t interval_ns;
	struct notes notes;  /* the whole run, but for what was timed in the warm-up */
	uint64_t elapsed_ns; /* what the rates refer to */
	uint64_t counted[TALLY_COUNT_COUNT]; /* in that time */
	double cpu_seconds;		     /* user and system, of this process */
	uint64_t left; /* messages of ours in the queues at the end, or given up by us */
	bool is_left_known, is_judged; /* whether `left` and `lost` mean anything */
	struct ledger_verdict verdict;
	uint64_t lost; /* confirmed, not received, and not in the queues either */
	struct ledger_range lost_ranges[RESULT_LOST_RANGES]; /* examples */
	size_t lost_range_count;
	const char *stopped_by; /* "time" */
	int64_t started_wall_ms;
	char server[64]; /* "RabbitMQ 3.10.8" */
};

void result_begin(struct result *r, size_t publishers, size_t queues, uint64_t interval_ns);
void result_release(struct result *r);

/* Adds an interval whose tally is given. */
const struct result_row *result_add(
    struct result *r, const struct tally *tally, uint64_t upto_ns, uint64_t length_ns);

/* Per second. */
double result_rate(const struct result *r, enum tally_count count);

/* The figure of a name as expectations have it ("lost", "latency_p99" in seconds, "sent_rate");
 * false when nothing was measured. ctx is the result. */
bool result_look_up(void *ctx, const char *name, double *value);

/* The whole document; docs/results.md describes it. options: name -> text. Owned. */
json_t *result_json(const struct result *r, const json_t *options);

#endif
