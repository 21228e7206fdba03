/*
 * absorb.h - the measuring end of a consumer: a sink that reads the probe of each message, notes
 * how long it took and which one it was, and takes as long over it as a consumer would.
 */
#ifndef BENCH_ABSORB_H
#define BENCH_ABSORB_H

#include "bench/notes.h"
#include "flow/flow.h"
#include "model/probe.h"
#include "model/steps.h"

/* What a consumer does with a message. */
enum absorb_verdict { ABSORB_ACCEPT, ABSORB_REJECT, ABSORB_REQUEUE };

struct absorb_options {
	struct loop *loop;
	struct notes *notes; /* of the thread */
	uint32_t run;
	size_t publishers;	/* of this run; 0: all messages are others', and are timed */
	bool is_stamped;	/* messages carry a probe */
	bool perftest;		/* which is PerfTest's */
	enum probe_clock clock; /* of PerfTest's */
	/* The queues read, and the number of each in the ledger. */
	const char *const *queues;
	const size_t *queue_numbers;
	size_t queue_count;
	enum absorb_verdict verdict;
	uint64_t service_ns;	      /* spent on each message */
	const struct steps *services; /* or this; NULL */
	double rate;		      /* most messages a second; 0: no bound */
};

struct absorb;

/* Borrows what the options point to. */
struct absorb *absorb_create(const struct absorb_options *options);
void absorb_free(struct absorb *absorb);
/* When the services begin. */
void absorb_start(struct absorb *absorb, uint64_t start_ns);
struct flow_sink absorb_sink(struct absorb *absorb);
/* When the message at work is done with, and there is room for the next; CHRONO_NEVER when none is.
 * The loop sees to the first, the flow must be stepped for the second. */
uint64_t absorb_done_ns(const struct absorb *absorb);

#endif
