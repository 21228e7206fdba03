/*
 * jq_view.h - a jq program of the user's on messages: what it sees of one.
 *
 * The input is the body as JSON; a body that is not JSON is a string, or null when it is not UTF-8
 * either. $exchange, $routing_key, $queue, $redelivered, $properties and $headers hold the rest,
 * headers as model/table.h writes them, and $death what model/death.h makes of them.
 */
#ifndef FLOW_JQ_VIEW_H
#define FLOW_JQ_VIEW_H

#include "flow/flow.h"
#include "jq/program.h"

/* `= {0}` is none. */
struct jq_view {
	struct program *program; /* program_next gives the outputs after jq_view_start */
	struct buf scratch;
};

/* The two lines are as in program.h; the process that does not come to an end leaves with status
 * 70. ERROR_USAGE with jq's words when the expression does not compile. */
bool jq_view_open(struct jq_view *view, const char *expression, const char *endless,
    const char *greedy, struct error *err) MUST_CHECK;
void jq_view_close(struct jq_view *view); /* accepts one that is not open */

/* Begins the run on a message, of which only what the program reads is made. */
void jq_view_start(struct jq_view *view, const struct flow_message *m);

#endif
