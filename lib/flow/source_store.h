/*
 * source_store.h - a source of stored events: in their order, at their own pace or another.
 *
 * Open loop: with a speed the nth event is due at start + (received_n - received_first) / speed,
 * whatever became of those before; what is due while nothing can be sent goes as soon as it can,
 * and nothing earlier than it is due.
 *
 * The first event that is not confirmed ends it. With a cursor it says on the disk what it is going
 * to send before it sends it, and what has arrived a little later: after a kill at any moment the
 * events between the two are those that may arrive twice. They go with `again` the next time.
 */
#ifndef FLOW_SOURCE_STORE_H
#define FLOW_SOURCE_STORE_H

#include "flow/flow.h"
#include "model/pace.h"
#include "store/cursors.h"
#include "store/select.h"

#define SOURCE_STORE_AHEAD 1000 /* positions that a cursor says are sent, at a time */
#define SOURCE_STORE_SAVE_NS (200 * CHRONO_MS)

/* Where the events come from. */
struct source_store_reader {
	/* Begins with the first event at or behind this position, now and then anew: a store that
	 * is read without end could not take up its log. */
	bool (*open)(void *ctx, uint64_t from, struct error *err);
	/* As select_next. */
	bool (*next)(void *ctx, struct select_event *out, struct error *err);
	/* The message to send for the event that next gave last; lives until the next call. */
	bool (*message)(void *ctx, const struct select_event *event, bool again,
	    const struct message **out, struct error *err);
	void *ctx;
};

struct source_store_options {
	struct source_store_reader reader;
	double speed;		      /* 2: twice as fast as it was; 0: without pauses, or */
	const struct pace_plan *plan; /* by this one; NULL: without pauses */
	uint64_t limit;		      /* of events; 0: none */
	uint64_t last;		      /* the last position that is sent */
	struct cursors *cursor;	      /* NULL: none */
	struct cursors_place place;   /* where it stands: begins behind what is done */
};

/* The first event, by its position, that was sent and not confirmed. */
struct source_store_failure {
	uint64_t position; /* 0: there is none */
	enum flow_fate fate;
	const char *reason; /* printable */
};

struct source_store;

/* Options' pointers are borrowed. */
struct source_store *source_store_create(const struct source_store_options *options);
void source_store_free(struct source_store *source); /* accepts NULL */
struct flow_source source_store_source(struct source_store *source);

/* After the run: saves the cursor as it stands. Nothing to do without one. */
bool source_store_finish(struct source_store *source, struct error *err) MUST_CHECK;

/* Where a cursor stands, or would: after finish, exactly. */
struct cursors_place source_store_place(const struct source_store *source);
struct source_store_failure source_store_failure(const struct source_store *source);

/* When an event is due (monotonic, as start_ns is) that was received `later_us` after the first. */
uint64_t source_store_due(uint64_t start_ns, int64_t later_us, double speed);

#endif
