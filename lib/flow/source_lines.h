/*
 * source_lines.h - a source that reads messages from a file, a pipe or a person: one a line.
 *
 * A line is either a body, or a JSON record as `consumer --format json` prints it, with all its
 * properties. Which of the two is decided by the first line, for the whole input, unless it is
 * said.
 */
#ifndef FLOW_SOURCE_LINES_H
#define FLOW_SOURCE_LINES_H

#include "flow/flow.h"
#include "model/pace.h"
#include "fake/pattern.h"

#define SOURCE_LINES_MAX_BYTES (UINT64_C(256) << 20)

enum source_lines_format { SOURCE_LINES_AUTO, SOURCE_LINES_BODIES, SOURCE_LINES_RECORDS };

struct source_lines_options {
	struct loop *loop;
	int fd;		  /* stays the caller's */
	const char *name; /* printable, for errors: "standard input" */
	enum source_lines_format format;
	struct pattern *pattern; /* gives plain lines their properties */
	bool is_routed; /* by the pattern: it gives plain lines their exchange and key, and records
			 * that have none */
	struct slice exchange, routing_key; /* ptr not NULL: instead of what the pattern says */
	const struct pace_plan *plan;
	uint64_t seed;
	uint64_t skip;	 /* so many messages were dealt with before: none gets the id of one */
	bool is_read_on; /* what is read begins behind their lines; else those are passed over */
};

struct source_lines;

/* Options' pointers are borrowed. */
struct source_lines *source_lines_create(const struct source_lines_options *options);
void source_lines_free(struct source_lines *source);
struct flow_source source_lines_source(struct source_lines *source);

#endif
