/* rpc.h - the verbs of the rpc tool: ask and wait for the answer, answer. */
#ifndef APP_RPC_H
#define APP_RPC_H

#include "app/tool.h"

enum rpc_format { RPC_PRETTY, RPC_JSON, RPC_BODY, RPC_NONE };

#define RPC_OWN_QUEUE "auto" /* --reply-queue: one that ends with the caller */

struct rpc_options {
	struct tool_options tool; /* first */
	int format;		  /* enum rpc_format */
	bool declare;

	/* call */
	struct option_list messages; /* patterns of the settings */
	const char *from;
	int from_format; /* enum source_lines_format */
	bool has_from_format;
	const char *exchange, *routing_key, *reply_queue;
	uint64_t amount, in_flight, deadline_ns,
	    seed; /* deadline: of each call, from its sending */
	bool has_amount, has_in_flight, has_deadline, has_seed;
	double rate; /* per second */
	bool has_rate;

	/* serve */
	const char *jq, *exec;
	bool echo, exec_shell;
	uint64_t exec_timeout_ns, exec_jobs, prefetch, count, idle_ns;
	bool has_exec_timeout, has_exec_jobs, has_prefetch, has_count, has_idle;
};

/* Runs the verb that stands first among the operands. options are a struct rpc_options. */
tool_run_fn rpc_run;

#endif
