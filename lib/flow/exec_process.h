/*
 * exec_process.h - one process, fed and read by the loop, and ended when it takes too long.
 *
 * It need not read what it is given, and what others hold open after its death is not waited for.
 */
#ifndef FLOW_EXEC_PROCESS_H
#define FLOW_EXEC_PROCESS_H

#include "base/buf.h"
#include "flow/exec_child.h"

#define EXEC_PROCESS_MAX_OUTPUT (128 * 1024 * 1024)

enum exec_process_ending {
	EXEC_PROCESS_ENDED,
	EXEC_PROCESS_TIMED_OUT,
	EXEC_PROCESS_WROTE_TOO_MUCH
};

struct exec_process_result {
	enum exec_process_ending ending;
	int wait_status;     /* as from waitpid */
	struct slice output; /* what it wrote; valid until the process is freed */
};

/* Called once, by the loop. The process may be freed in it. */
typedef void exec_process_fn(void *ctx, const struct exec_process_result *result);

/* Borrowed until the start returns; the input until the process is freed. */
struct exec_process_spec {
	struct exec_child_program program;
	struct slice input;
	uint64_t timeout_ns; /* then SIGTERM to its group, and SIGKILL 2 s later; 0: none */
	exec_process_fn *on_end;
	void *ctx;
};

struct exec_process;

/* NULL when it cannot be run: ERROR_NO_INPUT when the program is not there or no program,
 * ERROR_DATA when environment and arguments are too big, else ERROR_IO. The text is the reason
 * alone. */
struct exec_process *exec_process_start(
    struct loop *loop, const struct exec_process_spec *spec, struct error *err);

/* Kills its group when it still runs, and waits for it. Before loop_free. */
void exec_process_free(struct exec_process *process);

#endif
