/*
 * watch.h - what is seen of a flow from outside while it runs: its figures (--metrics) and its
 * spans (--otlp). A flow that nobody watches stays as it is, without a core more.
 */
#ifndef APP_WATCH_H
#define APP_WATCH_H

#include "app/metrics.h"
#include "app/tool.h"

struct watch_options {
	struct metrics_parts parts;
};

struct watch;

/* Adds what looks on to the flow's cores: after all others. NULL: nobody watches. */
struct watch *watch_open(
    struct tool *tool, const struct watch_options *options, struct flow_options *flow);
/* Once the flow is made. Accepts NULL. */
void watch_begin(struct watch *watch, const struct flow *flow);
/* Before flow_free. Accepts NULL. */
void watch_end(struct watch *watch);

#endif
