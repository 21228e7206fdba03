/*
 * sink_terminal.h - a sink that prints to standard output; accepted means written.
 *
 * What a message prints to has left the process before the message counts as accepted: a closed
 * pipe or a full disk loses nothing.
 */
#ifndef FLOW_SINK_TERMINAL_H
#define FLOW_SINK_TERMINAL_H

#include "flow/flow.h"

enum sink_terminal_format {
	SINK_TERMINAL_PRETTY, /* a line for people */
	SINK_TERMINAL_JSON,   /* record.h, lossless */
	SINK_TERMINAL_BODY, /* the body's bytes and a line feed; escaped when it goes to a terminal
			     */
	SINK_TERMINAL_NONE,
};

struct sink_terminal_options {
	int fd;
	enum sink_terminal_format format;
	bool color;
	bool show_queue;  /* pretty: several queues are read */
	bool show_death;  /* pretty and JSON: how it died (model/death.h) */
	bool durable;	  /* accepted means on the disk, as far as a file is written */
	const char *name; /* of what is written, for errors; NULL: standard output */
	struct loop *loop;
};

struct sink_terminal;
struct sink_terminal *sink_terminal_create(const struct sink_terminal_options *options);
void sink_terminal_free(struct sink_terminal *sink);
struct flow_sink sink_terminal_sink(struct sink_terminal *sink);
/* Messages with headers that cannot be read, which were therefore held instead of printed. */
uint64_t sink_terminal_unshown(const struct sink_terminal *sink);

#endif
