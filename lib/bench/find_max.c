#include "bench/find_max.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "bench/table.h"

#include <stdlib.h>

#define TRIAL_NS (5 * CHRONO_S)
#define FIRST_RATE 1000.0
#define MOST_RATE 1e8
#define CLOSE_ENOUGH 1.03
#define SHARE 0.99 /* of what is due, to be sent and received in time */

struct trial {
	double rate; /* asked for */
	double sent, received;
	uint64_t p99_ns;
	bool held;
};

static void judge(const struct crew_options *crew, const struct result *r, struct trial *t)
{
	const struct bench_options *o = crew->plan->options;
	bool consumes = o->consumers > 0;
	const struct histogram *h =
	    &r->notes.tally.latencies[consumes ? TALLY_LATENCY_DUE : TALLY_CONFIRM_DUE];
	t->sent = result_rate(r, TALLY_SENT);
	t->received = result_rate(r, TALLY_RECEIVED);
	t->p99_ns = histogram_percentile(h, 0.99);
	t->held = t->sent >= SHARE * t->rate && (!consumes || t->received >= SHARE * t->rate) &&
		  h->count > 0 && t->p99_ns <= o->latency_bound_ns && r->lost == 0;
}

static void tell(const struct trial *t, json_t *trials)
{
	struct buf line = {0};
	num_format_count((uint64_t)t->rate, &line);
	buf_printf(&line, "/s: sent %.0f/s, p99 ", t->sent);
	table_write_time(t->p99_ns, &line);
	log_write(LOG_INFO, "%s, %s", line.ptr, t->held ? "held" : "not held");
	buf_release(&line);
	json_array_append_new(trials, json_pack("{s:f, s:f, s:f, s:f, s:b}", "rate", t->rate,
					  "sent_rate", t->sent, "received_rate", t->received, "p99",
					  (double)t->p99_ns / 1e9, "held", (int)t->held));
}

/* One run at a rate, on a topology of its own where it is not given. */
static bool run_trial(const struct crew_options *given, struct trial *trial, struct result *out,
    json_t *trials, struct error *err)
{
	struct bench_options options = *given->plan->options;
	struct plan plan = {0};
	struct crew_options crew = *given;
	options.has_rate = options.has_interval = false;
	options.has_total_rate = true;
	options.total_rate = trial->rate;
	options.schedule.count = 0;
	crew.plan = &plan;
	crew.on_row = NULL;
	crew.time_ns = given->time_ns == CHRONO_NEVER ? TRIAL_NS : given->time_ns;
	options.has_time = true;
	options.time_ns = crew.time_ns;
	bool good = plan_make(given->tool, &options, &plan, err) && crew_run(&crew, out, err);
	if (good && !loop_stop_requested(given->tool->loop)) {
		judge(&crew, out, trial);
		tell(trial, trials);
	}
	plan_release(&plan);
	return good;
}

/* Keeps the better of two results; frees the other. */
static void replace(struct result *best, struct result *with)
{
	result_release(best);
	*best = *with;
	with->rows = NULL;
	with->notes.ledger = NULL;
}

bool find_max_run(
    const struct crew_options *options, struct result *best, json_t *trials, struct error *err)
{
	double low = 0, high = 0; /* held, not held; 0: not known */
	struct result *result = mem_alloc(1, sizeof *result);
	bool good = true;
	while (good && !loop_stop_requested(options->tool->loop)) {
		double rate = high > 0 ? (low + high) / 2 : low > 0 ? low * 2 : FIRST_RATE;
		bool is_found =
		    (high > 0 && high <= low * CLOSE_ENOUGH) || rate > MOST_RATE || rate < 1;
		if (is_found)
			break;
		struct trial trial = {.rate = rate};
		memset(result, 0, sizeof *result);
		good = run_trial(options, &trial, result, trials, err);
		bool is_cut = loop_stop_requested(options->tool->loop);
		if (is_cut) { /* it says nothing, not even with what it failed */
			error_clear(err);
			good = true;
		}
		if (good && !is_cut && trial.held) {
			low = rate;
			replace(best, result);
		} else {
			high = rate;
		}
		result_release(result);
	}
	free(result);
	if (!good)
		return false;
	if (low <= 0)
		return error_set(err, ERROR_UNDELIVERED,
		    "no rate was found that keeps to the bound (--latency-bound)");
	log_write(LOG_INFO, "the highest rate within the bound: %.0f/s; its run:", low);
	return true;
}

double find_max_rate(const json_t *trials)
{
	double most = 0;
	size_t i;
	json_t *trial;
	json_array_foreach(trials, i, trial)
	{
		double rate = json_real_value(json_object_get(trial, "rate"));
		if (json_is_true(json_object_get(trial, "held")) && rate > most)
			most = rate;
	}
	return most;
}
