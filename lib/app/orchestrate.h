/* orchestrate.h - the verbs of the workflow tool: run what the settings orchestrate, look at it,
 * draw it. */
#ifndef APP_ORCHESTRATE_H
#define APP_ORCHESTRATE_H

#include "app/tool.h"

enum orchestrate_form {
	ORCHESTRATE_PRETTY,
	ORCHESTRATE_JSON,
	ORCHESTRATE_NONE,
	ORCHESTRATE_MERMAID,
	ORCHESTRATE_DOT,
};

enum orchestrate_which { ORCHESTRATE_ALL, ORCHESTRATE_OPEN, ORCHESTRATE_ENDED };

struct orchestrate_options {
	struct tool_options tool; /* first */
	const char *store;
	int format; /* enum orchestrate_form */

	/* run */
	uint64_t count, idle_ns, prefetch, limit;
	bool has_count, has_idle;
	bool declare;

	int which; /* list: enum orchestrate_which */
	bool choreography;
};

/* A verb, with the operands behind it. */
typedef bool orchestrate_verb_fn(struct tool *tool, const struct orchestrate_options *options,
    char **operands, struct error *err);

/* options are a struct orchestrate_options. */
tool_run_fn orchestrate_run;

#endif
