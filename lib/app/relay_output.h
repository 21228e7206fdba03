/* relay_output.h - where the results of a relay go: an exchange, an event store, or a file. */
#ifndef APP_RELAY_OUTPUT_H
#define APP_RELAY_OUTPUT_H

#include "app/relay_link.h"
#include "app/relay_plan.h"
#include "flow/flow.h"

struct chain;
struct sink_exchange;

struct relay_output_options {
	size_t window;
	struct chain *chain; /* knows what a store is to mark as handled */
	bool routes;   /* messages name exchanges: one that is not there must not end the run */
	bool gives_up; /* what is nacked has another place: the queue's retry policy */
};

/* `= {0}` is none. Stays where it is while it is open. */
struct relay_output {
	struct tool *tool;
	const struct relay_options *options;
	const struct relay_plan *plan;
	struct relay_link link;
	struct sink_exchange *exchange;
	struct store *store;
	struct sink_store *recorder;
	int fd; /* -1: none */
	char *file_name;
	struct sink_terminal *file;
};

/* Opens the store or the file, reads the address; connects to nothing. */
bool relay_output_init(struct relay_output *out, struct tool *tool,
    const struct relay_options *options, const struct relay_plan *plan,
    struct error *err) MUST_CHECK;
/* Makes the sink; where that is an exchange it connects and declares. */
bool relay_output_open(
    struct relay_output *out, const struct relay_output_options *how, struct error *err) MUST_CHECK;
struct flow_sink relay_output_sink(const struct relay_output *out);
/* Results so far that were sent again; and that the store had already. */
uint64_t relay_output_resent(const struct relay_output *out);
uint64_t relay_output_known(const struct relay_output *out);

void relay_output_release(struct relay_output *out);

#endif
