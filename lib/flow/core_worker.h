/*
 * core_worker.h - commands that live on: each gets one message after the other as a line of JSON
 * (model/record.h) and answers each with one line (exec_answer.h).
 *
 * What becomes of a message:
 *
 *   an answer                     as it says
 *   something else                rejected; the worker is ended
 *   no answer within the time     rejected, when the worker is gone
 *   the worker ends, or closes    rejected, since it may well be the message that kills it; another
 *   one of its pipes              try, if it ends by itself with status 75 (EX_TEMPFAIL); and if it
 *                                 has not read a byte of it, another worker gets it
 *
 * A worker that has ended is started again after a pause, which grows as long as it ends without
 * having answered anything. One that can no longer be started fails the run.
 */
#ifndef FLOW_CORE_WORKER_H
#define FLOW_CORE_WORKER_H

#include "flow/exec_command.h"
#include "flow/flow.h"

#define CORE_WORKER_RESTART_FROM_NS (UINT64_C(100) * 1000 * 1000)
#define CORE_WORKER_RESTART_TO_NS (UINT64_C(10) * 1000 * 1000 * 1000)

struct core_worker_options {
	struct exec_command command;
	uint64_t timeout_ns;  /* for each message; 0: none */
	size_t workers;	      /* at least 1 */
	bool in_order;	      /* results go on in the order the messages came */
	bool one_answer;      /* each message has one result: a request and its reply */
	bool clears_exchange; /* of a result that names none; false: it stays */
	bool is_told; /* who runs the flow tells of messages that are rejected or tried again */
	uint64_t restart_from_ns, restart_to_ns;
};

struct core_worker;

/* The workers are started when the flow begins to run. ERROR_USAGE when the command cannot be
 * split, ERROR_NO_INPUT when it is not there or not executable. */
struct core_worker *core_worker_create(
    struct loop *loop, const struct core_worker_options *options, struct error *err);
/* Ends them (exec_worker_free_all), which may take 4 s. Before loop_free, and before the loop turns
 * again without the flow. */
void core_worker_free(struct core_worker *core);
struct flow_core core_worker_core(struct core_worker *core);

#endif
