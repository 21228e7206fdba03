/*
 * resume.h - a run of the producer that its spool remembers: the same command goes on where it was.
 *
 * What a run sends follows from its options and a seed. Both stand in the spool when the run
 * begins, so that the next one with the same options makes the same messages again, and passes over
 * those that are in the spool already.
 */
#ifndef APP_RESUME_H
#define APP_RESUME_H

#include "broker/spool.h"

#include <jansson.h>

struct resume {
	struct spool *spool; /* NULL: the run has none */
	uint64_t seed;
	uint64_t skip; /* messages of the source that an earlier run has dealt with */
};

/*
 * Opens the spool and looks whether `options` (an object that tells this run from others; borrowed)
 * is the run that it remembers; else a new one begins, with the seed in *out. A seed that is given
 * is part of the options. Errors as of spool_open and spool_begin.
 */
bool resume_open(const char *path, bool is_synced, const json_t *options, struct resume *out,
    struct error *err) MUST_CHECK;

/* The number in the spool of the first message that the source is to offer. */
uint64_t resume_first_number(const struct resume *r);

/* Ends the run in the spool when is_over, else leaves it to be resumed. */
bool resume_close(struct resume *r, bool is_over, struct error *err) MUST_CHECK;

#endif
