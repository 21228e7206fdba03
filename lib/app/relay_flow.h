/* relay_flow.h - one relay at work: input -> logic -> output, as a flow of its own. */
#ifndef APP_RELAY_FLOW_H
#define APP_RELAY_FLOW_H

#include "app/printer.h"
#include "app/relay_plan.h"

struct relay_flow;

/* Reads, compiles and opens all that needs no broker, so that every mistake is found before
 * anything moves. The plan and the printer are borrowed. NULL: failed. */
struct relay_flow *relay_flow_create(struct tool *tool, const struct relay_options *options,
    const struct relay_plan *plan, struct printer *printer, struct error *err);
/* Connects both ends; */
bool relay_flow_connect(struct relay_flow *r, struct error *err) MUST_CHECK;
/* and begins to take messages. */
bool relay_flow_open(struct relay_flow *r, struct error *err) MUST_CHECK;
void relay_flow_free(struct relay_flow *r); /* accepts NULL */

bool relay_flow_runs(const struct relay_flow *r);
/* While it runs: a step of its flow, before each turn of the loop, which may sleep until *wake_ns.
 * With the last one it is finished, and its connections are closed. */
bool relay_flow_step(struct relay_flow *r, uint64_t *wake_ns, struct error *err) MUST_CHECK;

/* What became of its messages. */
#define RELAY_FLOW_ROWS 22
void relay_flow_count(const struct relay_flow *r, struct summary_row rows[RELAY_FLOW_ROWS]);
/* Whether some message is neither passed on nor dealt with, nor will come again. */
bool relay_flow_has_lost(const struct relay_flow *r);

const char *relay_flow_name(const struct relay_flow *r);
/* NULL-terminated; NULL: none. */
const char *const *relay_flow_queues(const struct relay_flow *r);
const struct flow *relay_flow_flow(const struct relay_flow *r);

#endif
