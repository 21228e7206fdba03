/* rpc_responders.h - who answers what: of the settings, or by the command line. For rpc serve. */
#ifndef APP_RPC_RESPONDERS_H
#define APP_RPC_RESPONDERS_H

#include "app/chain.h"
#include "app/rpc.h"
#include "flow/core_reply.h"
#include "flow/source_queue.h"

struct rpc_responders {
	struct tool *tool;
	size_t count;
	/* by responder; the first two end with NULL */
	const char **queues, **names; /* "rpc/prices": of the logic and of the replies */
	bool *is_stream;	      /* none is */
	struct source_queue_own *own;
	size_t prefetch; /* of all together */
	struct rpc_responder *items;
	json_t *steps; /* of the command line */
};

/* Reads operands and options. The settings are loaded; `out` is `= {0}`. */
bool rpc_responders_choose(struct rpc_responders *out, struct tool *tool,
    const struct rpc_options *o, char **operands, struct error *err) MUST_CHECK;
/* Opens their logic, once there is a loop. */
bool rpc_responders_open(struct rpc_responders *r, struct error *err) MUST_CHECK;
/* Behind the cores that are there: each request passes the logic for its queue. */
bool rpc_responders_wire(
    struct rpc_responders *r, struct flow_options *flow, struct error *err) MUST_CHECK;
/* What they have answered, for those of their requests that come again. */
struct core_reply_memory rpc_responders_memory(struct rpc_responders *r);
/* What the steps of all of them did; adds to what is there. */
void rpc_responders_count(const struct rpc_responders *r, struct chain_counts *counts);
/* After the flow. */
void rpc_responders_release(struct rpc_responders *r);

#endif
