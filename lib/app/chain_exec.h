/* chain_exec.h - the step `exec` of a list of steps: a command for each message, or workers. */
#ifndef APP_CHAIN_EXEC_H
#define APP_CHAIN_EXEC_H

#include "flow/flow.h"

#include <jansson.h>

struct chain_exec_options {
	const char *folder;	  /* where the command runs; NULL: where we do */
	bool one_answer, is_told; /* as in chain.h */
};

struct chain_exec;

/* `step` is a map that the schema has accepted. ERROR_USAGE for what does not go together, else
 * what the cores fail with. */
struct chain_exec *chain_exec_open(struct loop *loop, const struct chain_exec_options *options,
    const json_t *step, struct error *err);
void chain_exec_free(struct chain_exec *exec);
struct flow_core chain_exec_core(const struct chain_exec *exec);
/* Whether it may say where a result goes: a worker may. */
bool chain_exec_routes(const struct chain_exec *exec);
/* core_exec_left_out; a worker gets all. */
uint64_t chain_exec_left_out(const struct chain_exec *exec);
/* How long a command may take, until it is gone. */
uint64_t chain_exec_patience_ns(const struct chain_exec *exec);

#endif
