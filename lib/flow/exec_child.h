/*
 * exec_child.h - a process of ours: started between two pipes, watched until it dies, ended with
 * all that it has started.
 *
 * It gets descriptors 0 to 2, default signals and a process group of its own; its standard error is
 * ours.
 */
#ifndef FLOW_EXEC_CHILD_H
#define FLOW_EXEC_CHILD_H

#include "base/loop.h"

#include <sys/types.h>

/* Borrowed until the start returns. */
struct exec_child_program {
	const char *path;
	char *const *argv;
	char *const *envp;
	const char *folder; /* where it runs, and where a relative path begins; NULL: our own */
};

struct exec_child {
	struct loop *loop;
	pid_t pid;	   /* leads the process group; 0: there is none, or it is reaped */
	int input, output; /* our ends of its standard input and output, not blocking; -1: closed */
	bool is_dead;	   /* but not reaped: until then nobody else gets the number of the group */
	int exit_fd;	   /* -1: the kernel has none for us */
	uint64_t look_timer; /* without exit_fd */
	void (*on_death)(void *ctx);
	void *ctx;
};

/* Calls on_death once, by the loop, when the process has ended. False when it cannot be run:
 * ERROR_NO_INPUT when the program is not there or no program, ERROR_DATA when environment and
 * arguments are too big, else ERROR_IO; the text is the reason alone. */
bool exec_child_start(struct exec_child *child, struct loop *loop,
    const struct exec_child_program *program, void (*on_death)(void *ctx), void *ctx,
    struct error *err) MUST_CHECK;

/* Closes one of its pipes, which may be closed already. */
void exec_child_close(struct exec_child *child, int *fd);
/* To all of its group. */
void exec_child_signal(const struct exec_child *child, int number);
/* Waits for its death; the status is as from waitpid. Whoever is left of its group lives on. */
int exec_child_reap(struct exec_child *child);
/* Whether it died of a signal that asks to end while we are asked, too: Ctrl+C can meet a child
 * that has no group of its own yet, and a service manager asks all processes of a service. */
bool exec_child_was_asked(const struct loop *loop, int wait_status);
/* Kills its group when it is not reaped, and waits for it. Before loop_free; accepts a zeroed one.
 */
void exec_child_release(struct exec_child *child);

#endif
