/*
 * exec_worker.h - a process that lives on: it gets a line on its standard input, answers with a
 * line on its standard output, and gets the next.
 *
 * Fed and read by the loop, so neither waits for the other. Who does not keep in step (a line that
 * nobody asked for, one without end, an answer to what it has not read) is ended, for the next
 * answer could be another message's. So is who takes too long: SIGTERM to its process group,
 * SIGKILL 2 s later. When it has died, all of its group is killed.
 */
#ifndef FLOW_EXEC_WORKER_H
#define FLOW_EXEC_WORKER_H

#include "base/buf.h"
#include "flow/exec_child.h"

#define EXEC_WORKER_MAX_LINE (128 * 1024 * 1024)

enum exec_worker_ending {
	EXEC_WORKER_ENDED, /* by itself */
	EXEC_WORKER_CLOSED_INPUT,
	EXEC_WORKER_CLOSED_OUTPUT,
	EXEC_WORKER_TIMED_OUT,
	EXEC_WORKER_WROTE_TOO_MUCH,
	EXEC_WORKER_OUT_OF_STEP,
	EXEC_WORKER_DISMISSED, /* by exec_worker_dismiss */
};

struct exec_worker_result {
	enum exec_worker_ending ending;
	int wait_status; /* as from waitpid */
	bool was_killed; /* by us: the status says nothing of it */
	bool has_read;	 /* something of the line that it has not answered */
};

/* Both are called by the loop, never by a function of this module. */
struct exec_worker_listener {
	/* The answer, without its line feed, until this returns. The worker may be asked again. */
	void (*on_answer)(void *ctx, struct slice line);
	/* Once: it is over, and may be freed. */
	void (*on_end)(void *ctx, const struct exec_worker_result *result);
	void *ctx;
};

struct exec_worker;

/* NULL with the error of exec_child_start. */
struct exec_worker *exec_worker_start(struct loop *loop, const struct exec_child_program *program,
    const struct exec_worker_listener *listener, struct error *err);

/* True when it may be asked. */
bool exec_worker_is_free(struct exec_worker *worker);
/* Gives it a line, which is copied and ends with its line feed. timeout_ns 0: it has all time. */
void exec_worker_ask(struct exec_worker *worker, struct slice line, uint64_t timeout_ns);
/* Its answer was none: it is ended. */
void exec_worker_dismiss(struct exec_worker *worker);

/* The end of the run, for several: each sees the end of its standard input, gets SIGTERM when it
 * still lives 2 s later (at once when it has not answered), and SIGKILL after another 2 s. Waits;
 * nobody is told. Frees them; any may be NULL. */
void exec_worker_free_all(struct exec_worker *workers[], size_t count);
/* Kills it, unless it is over. Before loop_free; accepts NULL. */
void exec_worker_free(struct exec_worker *worker);

#endif
