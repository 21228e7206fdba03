/*
 * otlp.h - sends spans to a collector, OTLP/HTTP in JSON, beside what the loop does.
 *
 * Nothing waits for it: what has no room in the queue, and what the collector does not take, is
 * dropped and counted, which is said once. A batch is sent again, with growing pauses, when no
 * answer came or it was 429, 502, 503 or 504; Retry-After counts. No other answer is a reason to.
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
#ifndef WEB_OTLP_H
#define WEB_OTLP_H

#include "base/loop.h"
#include "model/span.h"
#include "web/otlp_options.h"

struct otlp;

/* The options are borrowed until otlp_close. NULL: ERROR_SETTINGS, no such URL. */
struct otlp *otlp_open(struct loop *loop, const struct otlp_options *options, struct error *err);
/* Turns the loop until what is queued is sent, at most so long. Before loop_free; accepts NULL. */
void otlp_close(struct otlp *o, uint64_t limit_ns);

struct span_outlet otlp_outlet(struct otlp *o);
/* Where to, without a password. */
const char *otlp_shown(const struct otlp *o);

uint64_t otlp_exported(const struct otlp *o); /* spans that the collector has taken */
uint64_t otlp_dropped(const struct otlp *o);

#endif
