/*
 * pace.h - when the next message is due: amount, delay, jitter, rate, schedule, Poisson arrivals.
 *
 * Pure arithmetic on times passed in. Open loop: message n is due at a time that follows from the
 * plan alone, whatever happened to the messages before it, so nothing drifts.
 */
#ifndef MODEL_PACE_H
#define MODEL_PACE_H

#include "base/chrono.h"
#include "base/error.h"
#include "base/rng.h"
#include "model/reader.h"

#include <jansson.h>

enum pace_arrivals {
	PACE_REGULAR, /* evenly spaced */
	PACE_POISSON, /* exponential gaps with the same mean */
};

/* A stretch of a schedule; the rate goes linearly from one to the other, in messages per second.
 * Both 0: a pause. */
struct pace_step {
	double from_per_second, to_per_second;
	uint64_t length_ns; /* CHRONO_NEVER: without end */
};

struct pace_plan {
	bool unlimited;		/* no amount: until stopped */
	uint64_t amount;	/* messages in all, when limited */
	uint64_t delay_from_ns; /* gap between two messages, drawn anew each time when from < to; */
	uint64_t delay_to_ns;	/* both 0 and no steps: as fast as it goes */
	uint64_t jitter_ns;	/* each due time moves by up to this much, either way; no drift */
	double jitter_share;	/* the same as a share of the gap, 0..1; used when jitter_ns is 0; a
				 * gap after a pause counts as one of the rate around it */
	enum pace_arrivals arrivals;
	struct pace_step *steps; /* owned; rate: 500/s is one step without end */
	size_t step_count;
	bool repeat;   /* begin the schedule again at its end; else the end of it is the end */
	double weight; /* share of the messages among patterns without a pace of their own */
};

/*
 * Reads the keys amount, delay, jitter, rate, schedule, repeat, arrivals, weight of one value of
 * `messages:`; ignores the others. False when something was reported (two of delay, rate and
 * schedule, a range that runs backwards, a rate of 0, ...); *out is untouched then.
 */
bool pace_plan_read(const json_t *spec, struct pace_plan *out, reader_report_fn *report, void *ctx);
void pace_plan_release(struct pace_plan *plan);
/* False: as fast as it goes, every message is due at once. */
static inline bool pace_plan_is_paced(const struct pace_plan *plan)
{
	return plan->step_count > 0 || plan->delay_to_ns > 0;
}

/*
 * The place in a plan. A due time of a regular plan is computed from the number of the message,
 * never from the due time before it: nothing is rounded twice. Message n of a schedule is due
 * where the integral of the rate reaches n. Only drawn gaps are added up, in whole nanoseconds;
 * drawn Poisson arrivals are a sum of exponential draws, laid over the integral of the rate.
 */
struct pace {
	const struct pace_plan *plan;
	struct rng *rng; /* drawn from for jitter, ranges and Poisson; not owned */
	uint64_t start_ns;
	uint64_t sent;	  /* messages taken so far */
	uint64_t base_ns; /* due time of the next message before jitter */
	uint64_t due_ns;  /* with jitter; CHRONO_NEVER at the end */
	/* place in the schedule; without one, step_offset is the sum of Poisson draws */
	size_t step;
	uint64_t step_start_ns;
	uint64_t step_count; /* messages of this step so far */
	double step_offset;  /* place of its first one, in messages from the start of the step */
};

/*
 * The first message is due at once; after the pause when a schedule begins with one; after the
 * first draw with Poisson arrivals. plan and rng are borrowed until the last call.
 */
void pace_start(struct pace *p, const struct pace_plan *plan, struct rng *rng, uint64_t now_ns);
/* When the next message is due; CHRONO_NEVER when there is none. May lie in the past. */
static inline uint64_t pace_due(const struct pace *p)
{
	return p->due_ns;
}
/* Takes the next message: its due time is the value of pace_due before; moves on to the one after.
 * Due times never go backwards. */
void pace_take(struct pace *p);
static inline bool pace_done(const struct pace *p)
{
	return p->due_ns == CHRONO_NEVER;
}

#endif
