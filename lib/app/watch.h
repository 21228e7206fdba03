/*
 * watch.h - what is seen of a flow from outside while it runs: its figures (--metrics) and its
 * spans (--otlp). A flow that nobody watches stays as it is, without a core more.
 */
#ifndef APP_WATCH_H
#define APP_WATCH_H

#include "app/metrics.h"
#include "app/tool.h"

enum watch_spans {
	WATCH_NO_SPANS = 0,
	WATCH_PROCESS = 1, /* of what is done with a message that came from a queue */
	WATCH_PUBLISH = 2, /* of what goes to an exchange */
	WATCH_ORIGIN = 4,  /* with WATCH_PUBLISH alone: a traceparent in it was made for it here */
};

struct watch_options {
	struct metrics_parts parts;
	unsigned spans; /* enum watch_spans */
};

struct watch;

/* Adds what looks on to the flow's cores: after all others. NULL: nobody watches. The name of the
 * flow must outlive it. */
struct watch *watch_open(
    struct tool *tool, const struct watch_options *options, struct flow_options *flow);
/* Once the flow is made. Accepts NULL. */
void watch_begin(struct watch *watch, const struct flow *flow);
/* After the run, before flow_free. Accepts NULL. */
void watch_end(struct watch *watch);

#endif
