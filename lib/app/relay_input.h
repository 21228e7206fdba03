/* relay_input.h - where the messages of a relay come from: queues, files, or lines. */
#ifndef APP_RELAY_INPUT_H
#define APP_RELAY_INPUT_H

#include "app/relay_link.h"
#include "app/relay_plan.h"
#include "app/retrying.h"

struct source_queue;

/* `= {0}` is none. Stays where it is while it is open. */
struct relay_input {
	struct tool *tool;
	const struct relay_options *options;
	const struct relay_plan *plan;
	/* queues */
	const char **queues; /* NULL-terminated */
	size_t queue_count;
	bool *is_stream; /* none is */
	struct relay_link link;
	struct retrying retrying;
	struct source_queue *queue_source;
	/* files and lines */
	struct pattern *pattern;
	struct pace_plan pace;
	struct source_pattern_member *member;
	struct source_pattern *files;
	struct from *lines;
};

/* What can be done before anything is connected to: the address, the files. */
bool relay_input_init(struct relay_input *in, struct tool *tool,
    const struct relay_options *options, const struct relay_plan *plan,
    struct error *err) MUST_CHECK;
/* Connects and declares, but takes nothing yet; */
bool relay_input_connect(struct relay_input *in, struct error *err) MUST_CHECK;
/* now it does. */
bool relay_input_open(struct relay_input *in, struct error *err) MUST_CHECK;
struct flow_source relay_input_source(const struct relay_input *in);

/* Messages that are under way at most, of all queues. */
size_t relay_input_window(const struct relay_input *in);

void relay_input_close(struct relay_input *in);	  /* ends it; its counts stay */
void relay_input_release(struct relay_input *in); /* after close */

#endif
