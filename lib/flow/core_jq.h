/*
 * core_jq.h - a jq expression that decides which messages pass (`--filter`).
 *
 * The expression sees what flow/jq_view.h tells. A message passes when the first output is neither
 * false nor null; one on which the expression fails is hidden. The environment, modules and ~/.jq
 * are out of its reach.
 */
#ifndef FLOW_CORE_JQ_H
#define FLOW_CORE_JQ_H

#include "flow/flow.h"

struct core_jq;

/* `hidden` is the fate of what does not pass. ERROR_USAGE with jq's words when the expression does
 * not compile. */
struct core_jq *core_jq_create(const char *expression, enum flow_fate hidden, struct error *err);
void core_jq_free(struct core_jq *core);

/* How long one message may take, 5 s unless set: jq cannot be interrupted, so beyond it the process
 * ends with status 70 and the broker redelivers. Uses SIGALRM and the real-time interval timer;
 * 0: no limit. */
void core_jq_set_limit(struct core_jq *core, uint64_t limit_ns);

struct flow_core core_jq_core(struct core_jq *core);

/* Whether one message passes, for who has no flow. */
bool core_jq_passes(struct core_jq *core, const struct flow_message *m);

/* How many messages the expression hid, and on how many of those it failed. */
uint64_t core_jq_hidden(const struct core_jq *core);
uint64_t core_jq_errors(const struct core_jq *core);

#endif
