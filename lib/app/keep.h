/* keep.h - the verbs of the lab tool: keeping a private broker. */
#ifndef APP_KEEP_H
#define APP_KEEP_H

#include "app/tool.h"
#include "lab/lab.h"

struct keep_options {
	struct tool_options tool; /* first */
	uint64_t nodes, wait_ns;
	const char *dir;      /* NULL: $WARREN_LAB_DIR or the standard place */
	const char *vhost;    /* leader: where the queue is; run: where it plays; NULL: default */
	const char *programs; /* the folder of rabbitmq-server and rabbitmqctl */
	bool foreground, follow, tls, here, list, yes;
	int format; /* 0 text, 1 JSON */
};

tool_run_fn keep_run;

#endif
