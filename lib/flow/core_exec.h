/*
 * core_exec.h - a command per message: the body on standard input, the rest in WARREN_* variables
 * (exec_environment.h lists them).
 *
 * Exit status 0 accepts, 75 (EX_TEMPFAIL) asks for another try, everything else rejects: death by a
 * signal and running out of time too. What it writes to standard output becomes the body of what is
 * printed or sent on; when it writes nothing the body stays. Its standard error is ours. Never
 * through a shell unless asked. A command that can no longer be started fails the run.
 *
 * core_worker.h is the same with processes that live on.
 */
#ifndef FLOW_CORE_EXEC_H
#define FLOW_CORE_EXEC_H

#include "flow/flow.h"

struct core_exec_options {
	const char *command; /* split as exec_command.h says: quotes as in a shell, no expansion */
	const char *const *words; /* or its words, which end with NULL */
	bool shell;		  /* hand it to /bin/sh -c instead */
	const char *folder;	  /* where it runs; NULL: where we do */
	uint64_t timeout_ns; /* then SIGTERM to its process group, and SIGKILL 2 s later; 0: none */
	size_t jobs;	     /* most at the same time; the others wait */
	bool in_order; /* results go on, and failures are told, in the order the messages came */
	bool is_told;  /* who runs the flow tells of messages that are rejected or tried again */
};

struct core_exec;

/* ERROR_USAGE when the command cannot be split, ERROR_NO_INPUT when it is not there or not
 * executable. */
struct core_exec *core_exec_create(
    struct loop *loop, const struct core_exec_options *options, struct error *err);
/* Kills what still runs. Before loop_free, and before the loop turns again without the flow. */
void core_exec_free(struct core_exec *core);
/* How many variables were too long for the environment of a command so far. */
uint64_t core_exec_left_out(const struct core_exec *core);
struct flow_core core_exec_core(struct core_exec *core);

#endif
