/*
 * worker.h - one thread of a load run: its loop, its connections, its notes.
 *
 * Workers share nothing. Each writes into notes of its own and posts them at the end of every
 * interval; the thread that made the workers collects them. All functions are for that thread.
 */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include "bench/notes.h"
#include "bench/plan.h"

struct worker;

struct worker_options {
	const struct plan *plan;
	struct loop *main_loop; /* woken when there is something new */
	const char *name;	/* of the connections */
	uint64_t seed;
	size_t number, count; /* this worker takes every count-th connection of the plan */
};

/* Makes all that can be made without the broker, then starts the thread, which opens the
 * connections. NULL when a thread or loop cannot be had. Borrows what the options point to. */
struct worker *worker_start(const struct worker_options *options, struct error *err);

enum worker_phase {
	WORKER_OPENS,  /* connects, and waits to be told the start */
	WORKER_SENDS,  /* producers and consumers run */
	WORKER_DRAINS, /* producers send no more; confirms and messages still come */
	WORKER_STOPS,  /* consumers stop, too */
};
/* To WORKER_SENDS: the clocks begin at start_ns, and what is due at end_ns or later is not sent. */
void worker_begin(struct worker *w, uint64_t start_ns, uint64_t end_ns);
/* Goes on to a later phase. */
void worker_tell(struct worker *w, enum worker_phase phase);

/* What a worker says of itself. */
struct worker_view {
	bool is_open;	   /* everything that opens before the start is open */
	bool has_ended;	   /* the thread may be joined */
	bool has_posted;   /* what follows is known */
	size_t publishing; /* channels that are not done */
	size_t consuming;
	uint64_t posted_ns;   /* its notes reach so far, counted from the start */
	uint64_t given_back;  /* messages given back to the broker at the end */
	uint64_t dropped;     /* messages that came unacknowledged, and were not taken */
	struct error failure; /* what ended it early */
	char server[64];      /* "RabbitMQ 3.10.8", printable */
};
void worker_look(struct worker *w, struct worker_view *out);

/* Moves what was posted into the notes, which are added to. */
void worker_collect(struct worker *w, struct notes *into);

/* Makes the thread end at once, without waiting for confirms or messages. */
void worker_abort(struct worker *w);
/* Waits for its end, and frees. Accepts NULL. */
void worker_join(struct worker *w);

#endif
