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
	WATCH_CALL = 8,	   /* with WATCH_PUBLISH: it is a request, and its fate the reply */
};

/* For struct tool_options. */
extern const struct tool_watcher watch_watcher;

struct watch_options {
	struct metrics_parts parts;
	unsigned spans; /* enum watch_spans */
	/* Where all goes that goes out, whatever the messages say; ptr NULL: where they say. */
	struct slice exchange, routing_key;
	const struct uri *from, *to; /* the brokers; NULL: that of the settings */
};

struct watch;

/* Adds what looks on to the flow's cores: after all others. NULL: nobody watches. The name of the
 * flow must outlive it. */
struct watch *watch_open(
    struct tool *tool, const struct watch_options *options, struct flow_options *flow);
/* Once the flow is made. Accepts NULL. */
void watch_begin(struct watch *watch, const struct flow *flow);
/* To be called by a flow_rescue_fn that has made an answer: *out, whose headers may change; reason
 * NULL: it says nothing bad. Accepts NULL. */
void watch_rescue(struct watch *watch, uint64_t slot, const char *reason, struct message *out);
/* After the run, before flow_free. Accepts NULL. */
void watch_end(struct watch *watch);

#endif
