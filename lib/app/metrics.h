/*
 * metrics.h - the running figures of a tool's flows, served to Prometheus at /metrics.
 *
 * docs/observability.md lists them. The labels are the tool, the name of the flow and the queues,
 * all of which the settings or the command line name: nothing that comes in a message becomes one.
 */
#ifndef APP_METRICS_H
#define APP_METRICS_H

#include "broker/recovery.h"
#include "flow/core_meter.h"
#include "flow/retrier.h"
#include "flow/sink_exchange.h"

struct metrics;

/* Listens at once; the address is one of http_listen's. The tool's name is borrowed. */
struct metrics *metrics_open(
    struct loop *loop, const char *address, const char *tool, struct error *err);
void metrics_close(struct metrics *metrics); /* accepts NULL; before loop_free */

/* What belongs to a flow; all but the name may be NULL. Borrowed, the name and the queues until
 * metrics_begin returns, the others until metrics_end. */
struct metrics_parts {
	const char *name; /* of the flow: a relay's; NULL: the tool has one only */
	const char *const *queues;
	size_t queue_count;
	const struct recovery *recovery;
	const struct retrier *retrier;
	const struct sink_exchange *sink;
};

struct metrics_flow;

/* The flow of this name: one that ended goes on, with its figures. The core goes in front. */
struct metrics_flow *metrics_add(struct metrics *metrics, const struct metrics_parts *parts);
struct flow_core metrics_core(const struct metrics_flow *f);
/* Before its first turn, and before flow_free. */
void metrics_begin(
    struct metrics_flow *f, const struct flow *flow, const struct metrics_parts *parts);
void metrics_end(struct metrics_flow *f);

/* A count that somebody else keeps, with the tool's label alone; name and help are borrowed. */
typedef uint64_t metrics_count_fn(const void *ctx);
void metrics_count(struct metrics *metrics, const char *name, const char *help,
    metrics_count_fn *fn, const void *ctx);
/* The counts of this context stay what they are now: it goes. */
void metrics_freeze(struct metrics *metrics, const void *ctx);

#endif
