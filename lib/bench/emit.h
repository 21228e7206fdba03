/*
 * emit.h - the measuring end of a publisher: a core that marks each message with a probe, and notes
 * when it was due, when it was sent, and what became of it.
 */
#ifndef BENCH_EMIT_H
#define BENCH_EMIT_H

#include "bench/notes.h"
#include "flow/flow.h"
#include "model/probe.h"
#include "model/steps.h"

enum emit_stamp {
	EMIT_AUTO,     /* in the body when it is made up and long enough, else in a header */
	EMIT_BODY,     /* over the first bytes of the body */
	EMIT_HEADER,   /* in headers */
	EMIT_PERFTEST, /* what PerfTest knows: over the first twelve bytes, or in a header */
	EMIT_NONE,
};

struct emit_options {
	struct notes *notes; /* of the thread */
	uint32_t run, publisher;
	enum emit_stamp stamp; /* not EMIT_AUTO; EMIT_BODY is for bodies that are long enough */
	enum probe_clock clock;
	size_t window; /* of the sink */
	/* The body: one of these in turn; or made up, of a size; or what the source made. */
	const struct slice *bodies;
	size_t body_count;
	const struct steps *sizes; /* NULL: not made up */
	unsigned stripped;	   /* properties that nobody asked for: enum message_property */
};

struct emit;

/* Borrows what the options point to. */
struct emit *emit_create(const struct emit_options *options);
void emit_free(struct emit *emit);
/* When the sizes begin. */
void emit_start(struct emit *emit, uint64_t start_ns);
struct flow_core emit_core(struct emit *emit);
/* The flow's on_fate; ctx is the emit. */
flow_fate_fn emit_on_fate;
/* A message came back; for sinks without confirms. ctx is the emit. */
void emit_on_return(void *ctx);
/* The broker takes messages again (connection.unblocked): what was due before counts from now. */
void emit_unblocked(struct emit *emit, uint64_t now_ns);

#endif
