/* relay_options.h - what the command line of the relay can say. */
#ifndef APP_RELAY_OPTIONS_H
#define APP_RELAY_OPTIONS_H

#include "app/tool.h"

enum relay_format { RELAY_AUTO, RELAY_PRETTY, RELAY_JSON, RELAY_NONE };

struct relay_options {
	struct tool_options tool; /* first */
	/* a relay of the command line's own, instead of those of the settings */
	struct option_list queues;
	const char *files, *lines; /* --files, --from */
	const char *jq, *filter, *exec, *dedupe, *delay, *contract;
	bool as_message;
	const char *exchange, *routing_key, *store, *output;
	const char *from, *to; /* other brokers */
	const char *type;
	/* all of them */
	bool has_count, has_idle, has_prefetch;
	uint64_t count, idle_ns, prefetch;
	bool until_empty;
	bool has_mandatory, mandatory;
	bool declare;
	int format; /* enum relay_format */
};

#endif
