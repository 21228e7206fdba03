/* arrange.h - the verbs of the topology tool. */
#ifndef APP_ARRANGE_H
#define APP_ARRANGE_H

#include "app/arrange_explain.h"
#include "app/tool.h"

/* As --format has them. */
enum arrange_format {
	ARRANGE_TEXT,
	ARRANGE_JSON,
	ARRANGE_DOT,
	ARRANGE_MERMAID,
	ARRANGE_ASYNCAPI,
	ARRANGE_YAML,
};

struct arrange_options {
	struct tool_options tool; /* first */
	bool if_empty, if_unused, yes;
	const char *prefix;	    /* plan; NULL: none */
	struct option_list migrate; /* apply: names of queues */
	bool live, credentials;
	const char *vhost;     /* NULL: not given */
	const char *contracts; /* import: a folder for them; NULL: none */
	bool has_format;
	int format; /* enum arrange_format */
	struct arrange_explain_options explain;
};

tool_run_fn arrange_run;

#endif
