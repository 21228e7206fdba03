/*
 * exec_jobs.h - messages on their way through commands: they wait until a command has time, are at
 * work, and have a result, which goes on at once or, in order, when all that came before are gone.
 *
 * Who runs the commands takes the jobs (exec_jobs_take) and says what came of each (exec_jobs_end).
 */
#ifndef FLOW_EXEC_JOBS_H
#define FLOW_EXEC_JOBS_H

#include "flow/flow.h"

struct exec_job {
	/* a copy of the message */
	struct flow *flow;
	struct message *message;
	char *queue;
	bool redelivered;
	/* The runner's: what is at work on it, or holds its results. It is freed with the job, by
	 * `release`; NULL: nothing. */
	void *work;
	/* private to exec_jobs */
	uint64_t slot, number;
	enum { EXEC_JOB_WAITS, EXEC_JOB_AT_WORK, EXEC_JOB_DONE } state;
	struct exec_job *previous, *next;  /* in the order they came */
	struct exec_jobs_outcome *outcome; /* while it waits for its turn */
};

/* What came of a message. */
struct exec_jobs_outcome {
	enum flow_answer answer; /* FLOW_PASS with one result, FLOW_SPLIT, or FLOW_SETTLE: */
	enum flow_fate fate;
	const char *reason;	       /* printable */
	const struct message *results; /* their bytes live as long as the job's work */
	size_t result_count;
	size_t bytes; /* that it keeps in memory until its turn */
};

/* `= {.most = 1, .release = f}` is a valid start. */
struct exec_jobs {
	size_t most;   /* at work at the same time */
	bool in_order; /* of the results */
	void (*release)(void *work);
	const char *name; /* the command, for warnings; borrowed */
	bool is_told;	  /* somebody else tells what becomes of messages */
	/* private */
	struct exec_job *first, *last;
	struct exec_job *waiting; /* the first that waits */
	size_t at_work;
	uint64_t count;
	size_t held_bytes; /* of results that wait for their turn */
	uint64_t warned_ns;
	unsigned warnings;
};

/* A message has come: it waits. */
void exec_jobs_add(
    struct exec_jobs *jobs, struct flow *flow, uint64_t slot, const struct flow_message *m);
/* The next that waits is at work from now on; NULL when there is none, enough are at work, or too
 * much waits for the turn of another one. */
struct exec_job *exec_jobs_take(struct exec_jobs *jobs);
/* Nothing was done about it: it waits again, before all that came later. */
void exec_jobs_put_back(struct exec_jobs *jobs, struct exec_job *job);
/* The end of its work. Frees the job and its work, now or when its turn comes; the flow is told,
 * and may do anything but free the jobs. */
void exec_jobs_end(
    struct exec_jobs *jobs, struct exec_job *job, const struct exec_jobs_outcome *outcome);
/* Gives back what waits. */
void exec_jobs_give_back(struct exec_jobs *jobs);
/* Frees all; the flow is not told. */
void exec_jobs_free(struct exec_jobs *jobs);

bool exec_jobs_has_waiting(const struct exec_jobs *jobs);
/* The message as it came, borrowed. */
struct flow_message exec_jobs_message(const struct exec_job *job);

/* Says what a command did to a message, unless somebody else tells that, or, without one (job
 * NULL), just what it did. Only a few times a minute: who fails once tends to fail always. */
void exec_jobs_warn(
    struct exec_jobs *jobs, const struct exec_job *job, const char *what, enum flow_fate fate);

#endif
