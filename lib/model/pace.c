#include "model/pace.h"

#include "base/mem.h"
#include "base/num.h"
#include "model/reader.h"

#include <math.h>
#include <stdlib.h>

/* What a sum of doubles may be off by, relative to itself: 20/m for 1m is 20 messages, not 21. */
#define SLACK 1e-12
/* Spans above this are CHRONO_NEVER; below, a double fits into a uint64_t. */
#define MAX_SPAN_NS 9e18

/* How many messages a step sends in all: the integral of its rate. */
static double step_messages(const struct pace_step *step)
{
	double sum = step->from_per_second + step->to_per_second;
	return step->length_ns == CHRONO_NEVER ? INFINITY : sum * (double)step->length_ns / 2e9;
}

/* ---- reading the settings ---- */

static bool read_jitter(struct reader *r, const json_t *spec, struct pace_plan *plan)
{
	const json_t *value = reader_member(spec, "jitter");
	struct slice text = {json_string_value(value), json_string_length(value)};
	struct error ignored = {0}; /* the text below says what is accepted */
	double percent;
	if (!json_is_string(value) || text.len == 0 || text.ptr[text.len - 1] != '%')
		return reader_duration(r, spec, "jitter", &plan->jitter_ns);
	text.len--;
	if (num_parse_double(text, &percent, &ignored) && percent >= 0 && percent <= 100) {
		plan->jitter_share = percent / 100;
		return true;
	}
	char *found = reader_describe(value);
	reader_fail_at(r, "jitter",
	    "%s is not a duration such as 50ms, or a share of the gap from 0%% to 100%%", found);
	free(found);
	return false;
}

static void read_ramp(struct reader *r, const json_t *item, struct pace_step *step)
{
	if (reader_member(item, "from") == NULL || reader_member(item, "to") == NULL) {
		reader_fail(r, "a ramp needs 'from' and 'to', as in {from: 0, to: 500/s, for: 1m}");
		return;
	}
	bool has_from = reader_rate(r, item, "from", true, &step->from_per_second);
	bool has_to = reader_rate(r, item, "to", true, &step->to_per_second);
	if (has_from && has_to && step->from_per_second + step->to_per_second == 0)
		reader_fail(r, "a ramp from 0 to 0 sends nothing; a pause is {pause: 10s}");
	if (reader_member(item, "for") == NULL)
		reader_fail(r, "a ramp needs 'for', as in {from: 0, to: 500/s, for: 1m}");
}

static void read_step(struct reader *r, const json_t *item, bool is_last, struct pace_step *step)
{
	bool pause = reader_member(item, "pause") != NULL;
	bool rate = reader_member(item, "rate") != NULL;
	bool ramp = reader_member(item, "from") != NULL || reader_member(item, "to") != NULL;
	bool has_for = reader_member(item, "for") != NULL;
	if (pause + rate + ramp != 1 || (pause && has_for)) {
		reader_fail(r, "a step is one of {rate: 100/s, for: 10s}, "
			       "{from: 0, to: 500/s, for: 1m} and {pause: 10s}");
		return;
	}
	if (pause) {
		(void)reader_duration(r, item, "pause", &step->length_ns); /* has reported */
		return;
	}
	step->length_ns = CHRONO_NEVER;
	(void)reader_duration(r, item, "for", &step->length_ns); /* has reported */
	if (ramp)
		read_ramp(r, item, step);
	else if (reader_rate(r, item, "rate", false, &step->from_per_second))
		step->to_per_second = step->from_per_second;
	if (rate && !has_for && !is_last)
		reader_fail(r, "without 'for' it never ends; only the last step may");
}

static void read_schedule(struct reader *r, const json_t *spec, struct pace_plan *plan)
{
	const json_t *list = reader_member(spec, "schedule");
	if (!json_is_array(list) || json_array_size(list) == 0) {
		reader_fail_at(r, "schedule",
		    "not a list of steps, such as [{rate: 100/s, for: 10s}, {pause: 5s}]");
		return;
	}
	size_t outer = reader_enter(r, "schedule");
	bool failed_before = r->failed;
	double messages = 0;
	r->failed = false;
	plan->step_count = json_array_size(list);
	plan->steps = mem_alloc(plan->step_count, sizeof *plan->steps);
	for (size_t i = 0; i < plan->step_count; i++) {
		size_t mark = reader_enter_item(r, i);
		bool is_last = i + 1 == plan->step_count;
		read_step(r, json_array_get(list, i), is_last, &plan->steps[i]);
		reader_leave(r, mark);
		messages += step_messages(&plan->steps[i]);
	}
	if (!r->failed && messages == 0)
		reader_fail(r, "no step sends a message");
	r->failed |= failed_before;
	reader_leave(r, outer);
}

static void read_rate(struct reader *r, const json_t *spec, struct pace_plan *plan)
{
	double rate;
	if (!reader_rate(r, spec, "rate", false, &rate))
		return;
	plan->step_count = 1;
	plan->steps = mem_alloc(1, sizeof *plan->steps);
	plan->steps[0] = (struct pace_step){rate, rate, CHRONO_NEVER};
}

static void read_delay(struct reader *r, const json_t *spec, struct pace_plan *plan)
{
	(void)reader_duration_range(/* has reported */
	    r, spec, "delay", &plan->delay_from_ns, &plan->delay_to_ns);
}

/* One of the three ways to say when; a second one is reported at its own place. */
static void read_way(struct reader *r, const json_t *spec, struct pace_plan *plan)
{
	static const struct {
		const char *key;
		void (*read)(struct reader *r, const json_t *spec, struct pace_plan *plan);
	} ways[] = {{"delay", read_delay}, {"rate", read_rate}, {"schedule", read_schedule}};

	const char *first = NULL;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (reader_member(spec, ways[i].key) == NULL)
			continue;
		if (first != NULL) {
			reader_fail_at(r, ways[i].key,
			    "%s cannot stand beside %s; keep one of them", ways[i].key, first);
			continue;
		}
		first = ways[i].key;
		ways[i].read(r, spec, plan);
	}
}

/* Keys that mean something only beside others. */
static void check_together(struct reader *r, const json_t *spec, const struct pace_plan *plan)
{
	bool paced = pace_plan_is_paced(plan);
	bool jitter = plan->jitter_ns > 0 || plan->jitter_share > 0;
	if (plan->repeat && reader_member(spec, "schedule") == NULL)
		reader_fail_at(r, "repeat", "repeat needs a schedule");
	else if (plan->repeat && plan->steps[plan->step_count - 1].length_ns == CHRONO_NEVER)
		reader_fail_at(
		    r, "repeat", "the last step never ends, so nothing repeats; give it 'for'");
	if (jitter && !paced)
		reader_fail_at(r, "jitter", "jitter needs a delay, a rate or a schedule");
	if (plan->arrivals != PACE_POISSON)
		return;
	if (!paced)
		reader_fail_at(
		    r, "arrivals", "poisson arrivals need a rate, a schedule or a delay");
	else if (plan->delay_from_ns != plan->delay_to_ns)
		reader_fail_at(r, "arrivals",
		    "poisson arrivals draw the gaps themselves; give one delay, not a range");
}

bool pace_plan_read(const json_t *spec, struct pace_plan *out, reader_report_fn *report, void *ctx)
{
	static const char *const arrivals[] = {"regular", "poisson", NULL};
	struct reader r = {.report = report, .ctx = ctx};
	struct pace_plan plan = {.weight = 1};
	size_t arrival = 0;
	plan.unlimited = !reader_count(&r, spec, "amount", 0, UINT64_MAX, &plan.amount);
	read_way(&r, spec, &plan);
	(void)read_jitter(&r, spec, &plan); /* these have reported what is wrong */
	(void)reader_bool(&r, spec, "repeat", &plan.repeat);
	(void)reader_positive(&r, spec, "weight", &plan.weight);
	(void)reader_choice(&r, spec, "arrivals", arrivals, &arrival);
	plan.arrivals = arrival == 1 ? PACE_POISSON : PACE_REGULAR;
	if (!r.failed)
		check_together(&r, spec, &plan);
	reader_release(&r);
	if (r.failed)
		pace_plan_release(&plan);
	else
		*out = plan;
	return !r.failed;
}

void pace_plan_release(struct pace_plan *plan)
{
	free(plan->steps);
	*plan = (struct pace_plan){0};
}

/* ---- walking a plan ---- */

static uint64_t after_span(uint64_t from_ns, double span_ns)
{
	return span_ns < MAX_SPAN_NS ? chrono_after(from_ns, (uint64_t)llround(span_ns))
				     : CHRONO_NEVER;
}

/* Nanoseconds into the step when `messages` have been sent: the integral of the rate, inverted.
 * The form with the root below the line keeps its digits when the ramp is nearly flat. */
static double step_time_ns(const struct pace_step *step, double messages)
{
	double from = step->from_per_second, to = step->to_per_second;
	if (messages <= 0)
		return 0;
	if (from == to)
		return messages * 1e9 / from;
	double slope = (to - from) / ((double)step->length_ns / 1e9);
	double root = sqrt(fmax(0, from * from + 2 * slope * messages));
	return fmin(2e9 * messages / (from + root), (double)step->length_ns);
}

/* Leaves out whole rounds of a repeated schedule that all pass before the next message. */
static void skip_rounds(struct pace *p)
{
	double messages = 0;
	uint64_t length_ns = 0, skipped_ns;
	for (size_t i = 0; i < p->plan->step_count; i++) {
		messages += step_messages(&p->plan->steps[i]);
		length_ns = chrono_after(length_ns, p->plan->steps[i].length_ns);
	}
	double rounds = floor(p->step_offset / messages);
	if (rounds < 1)
		return;
	if (rounds > MAX_SPAN_NS ||
	    __builtin_mul_overflow((uint64_t)rounds, length_ns, &skipped_ns))
		skipped_ns = CHRONO_NEVER;
	p->step_start_ns = chrono_after(p->step_start_ns, skipped_ns);
	p->step_offset = fmod(p->step_offset, messages);
}

/* Moves to the step after; false at the end of the schedule. `over` messages belong to it. */
static bool next_step(struct pace *p, double over)
{
	p->step_start_ns = chrono_after(p->step_start_ns, p->plan->steps[p->step].length_ns);
	p->step_count = 0;
	p->step_offset = over;
	if (++p->step < p->plan->step_count)
		return true;
	p->step = 0;
	if (p->plan->repeat)
		skip_rounds(p);
	return p->plan->repeat && p->step_start_ns != CHRONO_NEVER;
}

/* Due time of the message at step_offset + step_count of the step, or of a step after it. */
static uint64_t schedule_due(struct pace *p)
{
	for (;;) {
		const struct pace_step *step = &p->plan->steps[p->step];
		double place = p->step_offset + (double)p->step_count;
		double room = step_messages(step);
		if (isinf(room) || place < room * (1 - SLACK))
			return after_span(p->step_start_ns, step_time_ns(step, place));
		double over = place - room;
		if (!next_step(p, over <= room * SLACK ? 0 : over))
			return CHRONO_NEVER;
	}
}

static uint64_t delay_due(struct pace *p)
{
	const struct pace_plan *plan = p->plan;
	uint64_t span_ns;
	if (plan->arrivals == PACE_POISSON)
		return after_span(p->start_ns, p->step_offset * (double)plan->delay_to_ns);
	if (p->sent == 0)
		return p->start_ns;
	if (plan->delay_from_ns < plan->delay_to_ns)
		return chrono_after(
		    p->base_ns, (uint64_t)rng_between(p->rng, (int64_t)plan->delay_from_ns,
				    (int64_t)plan->delay_to_ns));
	if (__builtin_mul_overflow(p->sent, plan->delay_to_ns, &span_ns))
		return CHRONO_NEVER;
	return chrono_after(p->start_ns, span_ns);
}

/* The gap that a share of jitter is taken of. */
static double jitter_gap(const struct pace *p, uint64_t gap_ns)
{
	if (p->plan->step_count == 0)
		return (double)gap_ns;
	const struct pace_step *step = &p->plan->steps[p->step];
	double part = step->length_ns == CHRONO_NEVER
			  ? 0
			  : (double)(p->base_ns - p->step_start_ns) / (double)step->length_ns;
	double rate = step->from_per_second + part * (step->to_per_second - step->from_per_second);
	return fmin((double)gap_ns, rate > 0 ? 1e9 / rate : INFINITY);
}

static uint64_t with_jitter(const struct pace *p, uint64_t gap_ns)
{
	const struct pace_plan *plan = p->plan;
	uint64_t jitter_ns = plan->jitter_ns;
	if (p->sent == 0 || p->base_ns == CHRONO_NEVER)
		return p->base_ns;
	if (jitter_ns == 0 && plan->jitter_share > 0)
		jitter_ns = (uint64_t)(plan->jitter_share * jitter_gap(p, gap_ns));
	if (jitter_ns == 0)
		return p->base_ns;
	int64_t shift = rng_between(p->rng, -(int64_t)jitter_ns, (int64_t)jitter_ns);
	if (shift >= 0)
		return chrono_after(p->base_ns, (uint64_t)shift);
	uint64_t back_ns = (uint64_t)-shift;
	return p->base_ns > back_ns ? p->base_ns - back_ns : 0;
}

/* Works out base_ns and due_ns of message number `sent`. */
static void plan_next(struct pace *p)
{
	const struct pace_plan *plan = p->plan;
	uint64_t previous_base_ns = p->base_ns, previous_due_ns = p->due_ns;
	if (!plan->unlimited && p->sent >= plan->amount) {
		p->due_ns = CHRONO_NEVER;
		return;
	}
	if (plan->arrivals == PACE_POISSON)
		p->step_offset += rng_exponential(p->rng);
	p->base_ns = plan->step_count > 0 ? schedule_due(p) : delay_due(p);
	uint64_t due_ns = with_jitter(p, p->base_ns - previous_base_ns);
	p->due_ns = due_ns > previous_due_ns ? due_ns : previous_due_ns;
}

void pace_start(struct pace *p, const struct pace_plan *plan, struct rng *rng, uint64_t now_ns)
{
	*p = (struct pace){.plan = plan,
	    .rng = rng,
	    .start_ns = now_ns,
	    .base_ns = now_ns,
	    .due_ns = now_ns,
	    .step_start_ns = now_ns};
	plan_next(p);
}

void pace_take(struct pace *p)
{
	if (pace_done(p))
		return;
	p->sent++;
	if (p->plan->arrivals == PACE_REGULAR)
		p->step_count++;
	plan_next(p);
}
