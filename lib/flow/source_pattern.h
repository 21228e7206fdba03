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

struct source_pattern_options {
	const struct source_pattern_member *members; /* borrowed, and so are patterns and plans */
	size_t count;
	uint64_t seed;
	uint64_t start_ns; /* when the clocks of the plans start; 0: at the first tick */
	uint64_t end_ns;   /* what is due then or later is not offered; 0: no end */
	/* Messages so close together go together: waking up for each costs more than it. 0: each
	 * when it is due. */
	uint64_t quantum_ns;
	uint64_t skip; /* the first messages are made, and not offered: somebody had them before */
};

struct source_pattern *source_pattern_create(const struct source_pattern_options *options);
void source_pattern_free(struct source_pattern *source);
struct flow_source source_pattern_source(struct source_pattern *source);

#endif
