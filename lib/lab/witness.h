/* witness.h - a program that runs while we listen to every line it says. */
#ifndef LAB_WITNESS_H
#define LAB_WITNESS_H

#include "base/error.h"
#include "base/loop.h"
#include "base/slice.h"

#include <stdbool.h>

struct witness;

/* A line without its end; a last one without an end counts. is_error: from its standard error. */
typedef void witness_line_fn(void *ctx, bool is_error, struct slice line);

/* What to run. Borrowed until witness_start returns. */
struct witness_spec {
	char *const *argv;
	const char *folder; /* working directory; NULL: ours */
	int in;		    /* standard input; 0: nothing */
	int out;	    /* where its standard output goes instead of to us; 0: to us */
};

/* Starts a program in a process group of its own. It is killed when we end. Fails with
 * ERROR_UNAVAILABLE. */
struct witness *witness_start(struct loop *loop, const struct witness_spec *spec,
    witness_line_fn *line, void *ctx, struct error *err) MUST_CHECK;

/* True once the process has ended and all it said was passed on; *wait_status as from waitpid. Ask
 * after each turn of the loop: SIGCHLD ends one. */
bool witness_has_ended(struct witness *witness, int *wait_status);

void witness_signal(struct witness *witness, int number);

/* Kills it if need be. Harmless for NULL. */
void witness_free(struct witness *witness);

#endif
