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
#include "base/loop.h"

#include <stdint.h>

struct output {
	int fd;
	const char *name;  /* "standard output", for errors */
	struct loop *loop; /* borrowed; NULL: none */
	bool watching;	   /* the loop wakes when there is room */
	bool regular;	   /* a file: it never blocks for long */
	struct buf waiting;
	size_t written; /* bytes of waiting already out */
	uint64_t total; /* bytes out since the start */
};

/* With a loop, bytes that have to wait wake it as soon as they can go. */
void output_init(struct output *o, int fd, const char *name, struct loop *loop);
/* Drops what is not out yet. Harmless on an output of zeroes. */
void output_release(struct output *o);

/* Where to append what is to be written. */
struct buf *output_buf(struct output *o);
/* Bytes appended since the start: the position after the last append. What stands before
 * o->total is out. */
uint64_t output_position(const struct output *o);
/* Bytes that are not out yet. */
size_t output_waiting(const struct output *o);
/* More waits than a writer should add to: 4 MiB. */
bool output_is_full(const struct output *o);
/* Writes as much as goes without blocking. ERROR_IO when the other end is gone or the disk is full.
 */
bool output_flush(struct output *o, struct error *err) MUST_CHECK;
/* Writes everything, turning the loop (if there is one) while it waits. That may take as long as
 * the reader likes, but once the loop is asked to stop only grace_ns longer: then what is left is
 * an ERROR_IO. */
bool output_drain(struct output *o, uint64_t grace_ns, struct error *err) MUST_CHECK;

#endif
