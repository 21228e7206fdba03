/* arrange.h - the verbs of the topology tool. */
#ifndef APP_ARRANGE_H
#define APP_ARRANGE_H

#include "app/tool.h"

struct arrange_options {
	struct tool_options tool; /* first */
	bool if_empty, if_unused;
	int format; /* 0 text, 1 JSON lines */
};

tool_run_fn arrange_run;

#endif
