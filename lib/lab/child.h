/* child.h - programs started as direct children that cannot outlive us. */
#ifndef LAB_CHILD_H
#define LAB_CHILD_H

#include "base/buf.h"
#include "base/error.h"

#include <sys/types.h>

/* Words for argv or envp, always followed by NULL; owned. `= {0}` is valid once something is added.
 */
struct child_words {
	char **items;
	size_t count, capacity;
};

/* The word becomes part of them. */
void child_words_take(struct child_words *words, char *word);
void child_words_release(struct child_words *words);

struct child_spec {
	char *const *argv;  /* argv[0] is looked up in our PATH when it has no slash */
	char *const *envp;  /* the whole environment; NULL: ours */
	const char *folder; /* working directory; NULL: ours */
	const char *log;    /* where output and errors are appended; NULL: ours are kept */
	int out, errors;    /* descriptors they go to instead; 0: as log says */
	int in;		    /* standard input; 0: as own_group says */
	int death_signal;   /* what the child gets when the thread that started it ends */
	bool own_group;	    /* a process group of its own; standard input from /dev/null */
};

/* Returns once the program runs. Fails with ERROR_UNAVAILABLE when it cannot be run, and then
 * errno says why. */
bool child_start(const struct child_spec *spec, pid_t *out, struct error *err) MUST_CHECK;

/* Whether this process has children, those of its program before an exec included. */
bool child_are_there(void);

/* Makes every orphan below us our child, so that child_end_all finds it. */
void child_adopt_orphans(void);

/*
 * Kills every child and whatever they leave behind, at once, and waits for them: at most until
 * deadline_ns. False when something is still there. Only for a process whose children are all its
 * own.
 */
bool child_end_all(uint64_t deadline_ns) MUST_CHECK;

/* "ended with status 1", "was killed by signal 9 (Killed)" for a status from waitpid. */
void child_describe_end(int wait_status, struct buf *out);

/* What a shell makes of it: the exit status, or 128 + the signal. */
int child_exit_status(int wait_status);

/* Appends the last lines of a log, escaped, at most max_bytes of it; nothing when it cannot be
 * read. */
void child_log_tail(const char *path, size_t max_bytes, struct buf *out);

#endif
