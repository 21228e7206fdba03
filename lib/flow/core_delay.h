/*
 * core_delay.h - holds each message for a while before it goes on.
 *
 * A fixed time keeps the order. What is held is under way: the window of the flow bounds it, and on
 * stop it is given back untouched.
 */
#ifndef FLOW_CORE_DELAY_H
#define FLOW_CORE_DELAY_H

#include "flow/flow.h"

struct core_delay_options {
	uint64_t from_ns, to_ns; /* drawn evenly from between, both ends included; from <= to */
	uint64_t seed;		 /* of the draws */
};

struct core_delay;

struct core_delay *core_delay_create(struct loop *loop, const struct core_delay_options *options);
/* Before loop_free, and before the loop turns again without the flow. Accepts NULL. */
void core_delay_free(struct core_delay *core);
struct flow_core core_delay_core(struct core_delay *core);

#endif
