/* source_pattern.h - a source that makes messages up: patterns of the settings, each at its pace.
 */
#ifndef FLOW_SOURCE_PATTERN_H
#define FLOW_SOURCE_PATTERN_H

#include "flow/flow.h"
#include "model/pace.h"
#include "fake/pattern.h"

struct source_pattern_member {
	const char *name; /* of the pattern: its random numbers follow from it and the seed */
	struct pattern *pattern;
	const struct pace_plan *plan;
};

struct source_pattern;

/* Members, their patterns and plans are borrowed. The clocks of the plans start at start_ns, or at
 * the first tick when that is 0; before its start nothing is offered. */
struct source_pattern *source_pattern_create(
    const struct source_pattern_member *members, size_t count, uint64_t seed, uint64_t start_ns);
void source_pattern_free(struct source_pattern *source);
struct flow_source source_pattern_source(struct source_pattern *source);

#endif
