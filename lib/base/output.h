/*
 * output.h - bytes to a descriptor that may be slow, without ever blocking the loop.
 *
 * A pipe or terminal is written to only when poll says there is room, in pieces of at most
 * PIPE_BUF, so a reader that sleeps stops neither heartbeats nor signals.
 */
#ifndef BASE_OUTPUT_H
#define BASE_OUTPUT_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

struct output {
	int fd;
	const char *name; /* "standard output", for errors */
	bool regular;	  /* a file: it never blocks for long */
	struct buf waiting;
	size_t written; /* bytes of waiting already out */
	uint64_t total; /* bytes out since the start */
};

void output_init(struct output *o, int fd, const char *name);
void output_release(struct output *o);

/* Where to append what is to be written. */
struct buf *output_buf(struct output *o);
/* Bytes appended since the start: the position after the last append. What stands before
 * o->total is out. */
uint64_t output_position(const struct output *o);
/* Writes as much as goes without blocking. ERROR_IO when the other end is gone or the disk is full.
 */
bool output_flush(struct output *o, struct error *err) MUST_CHECK;
/* Writes everything, waiting as long as it takes. */
bool output_drain(struct output *o, struct error *err) MUST_CHECK;
bool output_is_empty(const struct output *o);

#endif
