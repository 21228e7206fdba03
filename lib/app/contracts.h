/* contracts.h - the verbs of `contract`: what JSON Schemas say of messages, and of each other. */
#ifndef APP_CONTRACTS_H
#define APP_CONTRACTS_H

#include "app/tool.h"

enum contracts_format { CONTRACTS_PRETTY, CONTRACTS_JSON };
/* What a line of a file is. */
enum contracts_form { CONTRACTS_AUTO, CONTRACTS_BODIES, CONTRACTS_RECORDS };
/* Who reads whose messages. */
enum contracts_mode {
	CONTRACTS_BACKWARD, /* the new schema's readers old ones */
	CONTRACTS_FORWARD,  /* the old schema's readers new ones */
	CONTRACTS_FULL,	    /* both */
};

struct contracts_options {
	struct tool_options tool; /* first */
	const char *schema;
	int format; /* enum contracts_format */
	bool has_format;
	int from_format; /* enum contracts_form */
	bool has_from_format;
	uint64_t samples, max_enum, seed;
	bool has_samples, has_max_enum, has_seed;
	int mode; /* enum contracts_mode */
	bool has_mode;
	bool lenient, closed;
};

/* Runs the verb that stands first among the operands. options are a struct contracts_options. */
tool_run_fn contracts_run;

#endif
