/*
 * tracing.h - the spans of a tool: on when --otlp or OTEL_EXPORTER_OTLP_ENDPOINT says where to.
 *
 * docs/observability.md says which spans there are. Without it nothing is stamped on a message, and
 * a traceparent passes through as it came.
 */
#ifndef APP_TRACING_H
#define APP_TRACING_H

#include "app/metrics.h"
#include "flow/core_trace.h"

struct tracing;

/* endpoint: as of OTEL_EXPORTER_OTLP_ENDPOINT; NULL: what the environment says. *out is NULL when
 * spans are exported nowhere. Fails with ERROR_USAGE for an option that is no URL; what is wrong in
 * the environment is told, and ignored. */
bool tracing_open(struct loop *loop, const char *endpoint, const char *tool, struct tracing **out,
    struct error *err) MUST_CHECK;
/* Waits for the collector, two seconds at most. Accepts NULL; before loop_free. */
void tracing_close(struct tracing *t);

/* Says where spans go to, the first time. What cores of a flow need of it; flow and server stay for
 * the caller to set. */
struct core_trace_options tracing_core_options(struct tracing *t);
/* Spans exported and dropped, among the figures. */
void tracing_count(const struct tracing *t, struct metrics *metrics);
void tracing_freeze(const struct tracing *t, struct metrics *metrics); /* before tracing_close */

#endif
