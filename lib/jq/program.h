/*
 * program.h - a jq program of the user's: compiled once, run on one value after another.
 *
 * The environment, modules and ~/.jq are out of its reach; `stderr` and `debug` write nothing,
 * `input` fails. jq cannot be interrupted: one output that takes longer than the limit, or more
 * memory than there is, ends the process with the caller's line on standard error and the caller's
 * status (70 for memory). Uses SIGALRM and the real-time interval timer.
 */
#ifndef JQ_PROGRAM_H
#define JQ_PROGRAM_H

#include "base/error.h"
#include "jq/datum.h"

#define PROGRAM_MAX_VARIABLES 32

/* The names and the two lines, which end in a line feed, live as long as the program; the lines may
 * change between two runs. */
struct program_options {
	const char *expression;
	const char *const *variables; /* names without the $; at most PROGRAM_MAX_VARIABLES */
	size_t variable_count;
	const char *endless;	/* what is said when an output takes too long */
	const char *greedy;	/* and when it needs more memory than there is */
	enum error_kind status; /* of the process that an output takes too long */
};

struct program;

/* ERROR_USAGE with jq's words, about the user's own text, when it does not compile. */
struct program *program_create(const struct program_options *options, struct error *err);
void program_free(struct program *p);

/* How long one output may take, 5 s unless set; 0: no limit. */
void program_set_limit(struct program *p, uint64_t limit_ns);

/* Whether the program may read that variable: what it cannot read need not be made. */
bool program_reads(const struct program *p, size_t variable);

/* Begins a run. Takes the input, and of variables (one each, in the order of the names; NULL when
 * there are none) those that program_reads; the others must be no values. */
void program_start(struct program *p, struct datum *input, struct datum *variables);

enum program_answer {
	PROGRAM_OUTPUT, /* *out is the next output, the caller's */
	PROGRAM_END,	/* there are no more; *out is no value */
	PROGRAM_FAILED, /* *out is what `error` or `halt_error` was given, the caller's */
};
enum program_answer program_next(struct program *p, struct datum *out);

/* The words of a failure, escaped, in a string to free(). */
char *program_complaint(const struct datum *failure);

#endif
