/*
 * sampler.h - which traces are recorded: the samplers that OpenTelemetry names.
 *
 * https://opentelemetry.io/docs/languages/sdk-configuration/general/#otel_traces_sampler
 */
#ifndef MODEL_SAMPLER_H
#define MODEL_SAMPLER_H

#include "model/trace.h"

/* `= {.ratio = 1, .is_parent_based = true}` is what applies unless something else is said. */
struct sampler {
	double ratio; /* of new traces: 0 is none, 1 is all */
	/* Who comes with a trace has decided for all that follows. */
	bool is_parent_based;
};

/* "parentbased_traceidratio", "0.1". False, with *out untouched, for a name that is none or a
 * ratio that is not between 0 and 1; NULL for a ratio is 1. */
bool sampler_parse(const char *name, const char *argument, struct sampler *out);

/* Whether the spans of a trace are recorded. parent: what came with the message; NULL: a new trace.
 * The same for the same trace id wherever it is asked. */
bool sampler_decide(
    const struct sampler *s, const char trace_id[TRACE_ID_CHARS], const struct trace *parent);

#endif
