#include "bench/crew.h"

#include "base/log.h"
#include "base/mem.h"
#include "bench/left.h"
#include "bench/worker.h"
#include "broker/provision.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define LEAD_NS (20 * CHRONO_MS)      /* from the word to the start, so that all hear it */
#define LOOK_NS (20 * CHRONO_MS)      /* between looks at the ledger, at the end */
#define QUIET_NS (200 * CHRONO_MS)    /* without a message: nothing is on its way any more */
#define OVERTIME_NS (100 * CHRONO_MS) /* to send what was due before the end */
#define SIGNALLED_NS (2 * CHRONO_S)   /* to drain, once somebody has asked for the end */
#define PUT_BACK_NS (2 * CHRONO_S)    /* for messages in hand to be back in their queue */
#define GOODBYE_NS (5 * CHRONO_S)     /* for the workers to end, once told */
#define TALK_NS CHRONO_S	      /* what takes longer at the end is told */

struct crew {
	struct crew_options options;
	struct loop *loop;
	struct worker **workers;
	struct worker_view *views;
	size_t count;
	struct result *result;
	struct notes *interval; /* collected since the last row */
	uint64_t start_ns, end_ns;
	uint64_t row_ns;		/* up to where there are rows, from the start */
	uint64_t received, received_ns; /* at the last look, and when that changed */
	struct left left;
};

static const struct bench_options *options_of(const struct crew *crew)
{
	return crew->options.plan->options;
}

/* ---- looking ---- */

/* Sleeps until a worker or a signal has something to say, or the deadline; then looks. False with
 * the cause when a worker has failed. */
static bool turn(struct crew *crew, uint64_t deadline_ns, struct error *err)
{
	bool good = loop_turn(crew->loop, deadline_ns, err);
	for (size_t i = 0; i < crew->count; i++)
		worker_look(crew->workers[i], &crew->views[i]);
	for (size_t i = 0; good && i < crew->count; i++)
		if (crew->views[i].failure.kind != ERROR_NONE)
			good = error_set(
			    err, crew->views[i].failure.kind, "%s", crew->views[i].failure.text);
	return good;
}

static bool all_open(const struct crew *crew)
{
	for (size_t i = 0; i < crew->count; i++)
		if (!crew->views[i].is_open)
			return false;
	return true;
}

static bool all_ended(const struct crew *crew)
{
	for (size_t i = 0; i < crew->count; i++)
		if (!crew->views[i].has_ended)
			return false;
	return true;
}

static bool all_posted(const struct crew *crew, uint64_t upto_ns)
{
	for (size_t i = 0; i < crew->count; i++)
		if (crew->views[i].posted_ns < upto_ns && !crew->views[i].has_ended)
			return false;
	return true;
}

/* Channels that are not done; before a worker has said so, all are not. */
static size_t still(const struct crew *crew, bool publishing)
{
	size_t sum = 0;
	for (size_t i = 0; i < crew->count; i++) {
		if (!crew->views[i].has_posted)
			return SIZE_MAX;
		sum += publishing ? crew->views[i].publishing : crew->views[i].consuming;
	}
	return sum;
}

/* Since the start, which may still be to come. */
static uint64_t gone_ns(const struct crew *crew)
{
	uint64_t now_ns = chrono_now_ns();
	return now_ns > crew->start_ns ? now_ns - crew->start_ns : 0;
}

/* ---- collecting ---- */

static double cpu_seconds(void)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return 0;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void collect(struct crew *crew)
{
	for (size_t i = 0; i < crew->count; i++)
		worker_collect(crew->workers[i], crew->interval);
	ledger_merge(crew->result->notes.ledger, crew->interval->ledger);
}

/* What was collected belongs to the run; it counts for the rates unless it was in the warm-up or
 * came after the end. */
static void keep(struct crew *crew, bool is_counted)
{
	struct result *r = crew->result;
	for (size_t i = 0; is_counted && i < TALLY_COUNT_COUNT; i++)
		r->counted[i] += crew->interval->tally.counts[i];
	tally_add(&r->notes.tally, &crew->interval->tally);
	tally_clear(&crew->interval->tally);
}

static void add_row(struct crew *crew, uint64_t upto_ns)
{
	collect(crew);
	uint64_t length_ns = upto_ns - crew->row_ns;
	crew->row_ns = upto_ns;
	if (upto_ns <= options_of(crew)->warm_up_ns) {
		/* sent and received is sent and received, but it is not timed */
		for (size_t i = 0; i < TALLY_LATENCY_COUNT; i++)
			histogram_clear(&crew->interval->tally.latencies[i]);
		keep(crew, false);
		return;
	}
	const struct result_row *row =
	    result_add(crew->result, &crew->interval->tally, upto_ns, length_ns);
	keep(crew, true);
	crew->result->elapsed_ns += length_ns;
	if (crew->options.on_row != NULL)
		crew->options.on_row(crew->options.ctx, crew->result, row);
}

/* The end of the interval that has begun; the first one is the warm-up. */
static uint64_t next_row_ns(const struct crew *crew)
{
	uint64_t warm_up_ns = options_of(crew)->warm_up_ns;
	return crew->row_ns < warm_up_ns ? warm_up_ns : crew->row_ns + crew->result->interval_ns;
}

/* A row for each interval that is over; a worker that is late is waited for half an interval. */
static uint64_t add_due_rows(struct crew *crew)
{
	for (;;) {
		uint64_t next = next_row_ns(crew);
		uint64_t now = gone_ns(crew);
		uint64_t grace = crew->result->interval_ns / 2;
		if (next >= crew->options.time_ns) /* the last one is add_last_row's */
			return CHRONO_NEVER;
		if (now < next)
			return crew->start_ns + next;
		if (!all_posted(crew, next) && now < next + grace)
			return crew->start_ns + next + grace;
		add_row(crew, next);
	}
}

/* ---- the load ---- */

static bool wait_until_open(struct crew *crew, struct error *err)
{
	while (!all_open(crew)) {
		if (!turn(crew, CHRONO_NEVER, err))
			return false;
		if (loop_stop_requested(crew->loop))
			return error_set(err, ERROR_UNAVAILABLE, "stopped before the start");
	}
	for (size_t i = 0; i < crew->count && crew->result->server[0] == '\0'; i++)
		memcpy(crew->result->server, crew->views[i].server, sizeof crew->result->server);
	return true;
}

static void begin(struct crew *crew)
{
	crew->start_ns = chrono_now_ns() + LEAD_NS;
	crew->end_ns = chrono_after(crew->start_ns, crew->options.time_ns);
	for (size_t i = 0; i < crew->count; i++)
		worker_begin(crew->workers[i], crew->start_ns, crew->end_ns);
}

static void tell(struct crew *crew, enum worker_phase phase)
{
	for (size_t i = 0; i < crew->count; i++)
		worker_tell(crew->workers[i], phase);
}

static const char *consumers_reason(const struct bench_options *o)
{
	static const char *const reasons[] = {
	    "all consumed", "the queues are empty", "the queues are idle"};
	return reasons[o->exit_when];
}

/* Why the run is over; NULL while it is not. */
static const char *reason_to_stop(const struct crew *crew)
{
	const struct bench_options *o = options_of(crew);
	uint64_t now_ns = chrono_now_ns();
	if (loop_stop_requested(crew->loop))
		return "a signal";
	bool is_all_sent = o->producers > 0 && still(crew, true) == 0;
	/* what was due in time is sent, unless that takes too long */
	if (now_ns >= crew->end_ns &&
	    (is_all_sent || o->producers == 0 || now_ns >= crew->end_ns + OVERTIME_NS))
		return "time";
	if (o->consumers > 0 && still(crew, false) == 0)
		return consumers_reason(o);
	return is_all_sent ? "all published" : NULL;
}

static bool run_load(struct crew *crew, struct error *err)
{
	for (;;) {
		uint64_t wake_ns = add_due_rows(crew);
		const char *reason = reason_to_stop(crew);
		if (reason != NULL) {
			crew->result->stopped_by = reason;
			return true;
		}
		uint64_t now_ns = chrono_now_ns();
		uint64_t end_ns = now_ns < crew->end_ns ? crew->end_ns : now_ns + LOOK_NS;
		if (!turn(crew, wake_ns < end_ns ? wake_ns : end_ns, err))
			return false;
	}
}

/* ---- drawing to the end ---- */

static bool is_limited_by_count(const struct bench_options *o)
{
	return o->has_pmessages || o->has_cmessages || o->exit_when != BENCH_EXIT_NEVER;
}

/* When the rates end: with the time; or, where a count is what ends the run, with the last thing
 * that happened. */
static uint64_t last_row_ns(const struct crew *crew)
{
	uint64_t time_ns = crew->options.time_ns, gone = gone_ns(crew);
	uint64_t last_ns = crew->interval->last_ns;
	if (is_limited_by_count(options_of(crew)) && last_ns > crew->start_ns)
		gone = last_ns - crew->start_ns;
	/* the moment until everybody has said so is not overtime */
	return gone > time_ns && gone - time_ns < time_ns / 200 ? time_ns : gone;
}

/* What came since the last whole interval, unless the time is next to nothing; where a count is
 * what ends the run, nothing of it is left out. */
static bool add_last_row(struct crew *crew, struct error *err)
{
	uint64_t until_ns = chrono_now_ns() + QUIET_NS, said_ns = gone_ns(crew);
	while (!all_posted(crew, said_ns) && chrono_now_ns() < until_ns)
		if (!turn(crew, chrono_now_ns() + LOOK_NS, err))
			return false;
	collect(crew);
	uint64_t end_ns = last_row_ns(crew);
	if (end_ns < crew->row_ns)
		end_ns = crew->row_ns;
	uint64_t length_ns = end_ns - crew->row_ns;
	bool counts = is_limited_by_count(options_of(crew)) && length_ns > 0;
	if (counts || length_ns >= crew->result->interval_ns / 10 || crew->result->row_count == 0)
		add_row(crew, end_ns);
	return true;
}

/* Whether a consumer may still get something. Where the ledger cannot tell, as long as something
 * comes. */
static bool is_missing_something(struct crew *crew)
{
	const struct bench_options *o = options_of(crew);
	struct ledger_verdict *v = &crew->result->verdict;
	uint64_t received = crew->result->notes.tally.counts[TALLY_RECEIVED] +
			    crew->interval->tally.counts[TALLY_RECEIVED];
	uint64_t now_ns = chrono_now_ns();
	if (o->consumers == 0 || o->producers == 0 || still(crew, false) == 0)
		return false;
	if (received != crew->received || crew->received_ns == 0)
		crew->received_ns = now_ns;
	crew->received = received;
	if (!plan_is_followed(crew->options.plan))
		return now_ns < crew->received_ns + QUIET_NS;
	ledger_judge(crew->result->notes.ledger, v);
	return o->confirm > 0 ? v->lost > 0 : v->never_confirmed_nor_received > 0;
}

static void talk(bool confirms)
{
	if (confirms)
		log_write(LOG_INFO, "waiting for the last confirms (--confirm-timeout)");
	else
		log_write(LOG_INFO, "waiting for messages on their way (--drain)");
}

/* Publishers wait for their confirms, consumers for what was sent. */
static bool drain(struct crew *crew, struct error *err)
{
	const struct bench_options *o = options_of(crew);
	uint64_t began_ns = chrono_now_ns(), signalled_ns = 0;
	bool has_talked = false;
	for (;;) {
		uint64_t now_ns = chrono_now_ns();
		if (!turn(crew, now_ns + LOOK_NS, err))
			return false;
		collect(crew);
		bool confirms =
		    still(crew, true) > 0 && now_ns < began_ns + o->confirm_timeout_ns + LOOK_NS;
		bool receives = now_ns < began_ns + o->drain_ns && is_missing_something(crew);
		if (loop_stop_requested(crew->loop) && signalled_ns == 0)
			signalled_ns = now_ns;
		bool is_late = signalled_ns != 0 && now_ns > signalled_ns + SIGNALLED_NS;
		if ((!confirms && !receives) || is_late)
			return true;
		if (now_ns > began_ns + TALK_NS && !has_talked)
			talk(confirms);
		has_talked = has_talked || now_ns > began_ns + TALK_NS;
	}
}

/* Whoever has failed, or does not end, is ended. */
static void stop(struct crew *crew, bool at_once)
{
	struct error ignored = {0}; /* told before */
	uint64_t until_ns = chrono_now_ns() + (at_once ? 0 : GOODBYE_NS);
	tell(crew, WORKER_STOPS);
	while (!all_ended(crew)) {
		if (chrono_now_ns() >= until_ns)
			for (size_t i = 0; i < crew->count; i++)
				worker_abort(crew->workers[i]);
		if (!turn(crew, chrono_now_ns() + LOOK_NS, &ignored))
			error_clear(&ignored);
	}
	collect(crew);
	keep(crew, false);
}

static bool run_phases(struct crew *crew, struct error *err)
{
	if (!wait_until_open(crew, err))
		return false;
	begin(crew);
	if (!run_load(crew, err))
		return false;
	tell(crew, WORKER_DRAINS);
	/* what is limited by a count takes as long as it takes to arrive */
	if (is_limited_by_count(options_of(crew)))
		return drain(crew, err) && add_last_row(crew, err);
	return add_last_row(crew, err) && drain(crew, err);
}

/* ---- the verdict ---- */

/* The broker takes its time to put back what consumers had in hand. */
static void count_left(struct crew *crew, uint64_t given_back, uint64_t dropped, uint64_t missing)
{
	struct result *r = crew->result;
	struct error ignored = {0}; /* then it is looked at once more, and told as it is */
	uint64_t until_ns = chrono_now_ns() + PUT_BACK_NS;
	do {
		r->is_left_known =
		    left_count(&crew->left, crew->options.plan, crew->options.tool->connection,
			given_back, r->notes.tally.counts[TALLY_FOREIGN], &r->left);
		r->left += r->is_left_known ? dropped : 0;
	} while (r->is_left_known && r->left < missing && chrono_now_ns() < until_ns &&
		 loop_turn(crew->loop, chrono_now_ns() + LOOK_NS, &ignored));
}

static void judge(struct crew *crew)
{
	struct result *r = crew->result;
	const struct plan *plan = crew->options.plan;
	uint64_t given_back = 0, dropped = 0;
	for (size_t i = 0; i < crew->count; i++) {
		given_back += crew->views[i].given_back;
		dropped += crew->views[i].dropped;
	}
	ledger_judge(r->notes.ledger, &r->verdict);
	uint64_t missing = r->verdict.lost;
	count_left(crew, given_back, dropped, missing);
	r->is_judged = plan_is_followed(plan) && plan->options->confirm > 0 &&
		       (r->is_left_known || missing == 0);
	r->lost = r->is_judged && missing > r->left ? missing - r->left : 0;
	if (r->lost > 0)
		r->lost_range_count =
		    ledger_lost(r->notes.ledger, r->lost_ranges, RESULT_LOST_RANGES);
}

static bool start_workers(struct crew *crew, struct error *err)
{
	const struct plan *plan = crew->options.plan;
	uint64_t asked = plan->options->threads;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	/* the other half is for the broker, which is often on the same machine */
	size_t count = asked > 0 ? asked : cpus > 0 ? ((size_t)cpus + 1) / 2 : 1;
	/* who opens and closes waits for the broker, and so has a thread to itself */
	if (count > plan->link_count || plan->options->churn != BENCH_NO_CHURN)
		count = plan->link_count;
	crew->workers = mem_alloc(count, sizeof(struct worker *));
	crew->views = mem_alloc(count, sizeof *crew->views);
	for (size_t i = 0; i < count; i++) {
		struct worker_options options = {.plan = plan,
		    .main_loop = crew->loop,
		    .name = "warren-bench",
		    .seed = crew->options.seed,
		    .number = i,
		    .count = count};
		crew->workers[i] = worker_start(&options, err);
		if (crew->workers[i] == NULL)
			return false;
		crew->count++;
	}
	return true;
}

static bool declare(const struct crew *crew, struct error *err)
{
	const struct plan *plan = crew->options.plan;
	return plan->topology == NULL || provision_apply(crew->options.tool->connection,
					     plan->topology, NULL, NULL, NULL, err);
}

/* Takes away the queue that was made for the run alone; an exchange has a name that somebody
 * gave it, and stays. */
static void remove_own(const struct crew *crew)
{
	const struct plan *plan = crew->options.plan;
	struct provision_limits none = {false, false};
	struct topology queues = plan->own;
	struct error err = {0};
	queues.exchange_count = queues.binding_count = 0;
	bool is_there = plan->is_removed && plan->topology == &plan->own;
	if (is_there &&
	    !provision_delete(crew->options.tool->connection, &queues, &none, NULL, NULL, &err))
		log_write(LOG_WARNING, "a queue of this run may be left: %s", err.text);
}

static bool run_all(struct crew *crew, struct error *err)
{
	struct connection *c = crew->options.tool->connection;
	if (!declare(crew, err))
		return false;
	left_look_before(&crew->left, crew->options.plan, c);
	if (!start_workers(crew, err))
		return false;
	bool good = run_phases(crew, err);
	if (good)
		left_look_at_stop(&crew->left, crew->options.plan, c);
	return good;
}

bool crew_run(const struct crew_options *options, struct result *out, struct error *err)
{
	const struct plan *plan = options->plan;
	double cpu_before = cpu_seconds();
	struct crew crew = {.options = *options,
	    .loop = options->tool->loop,
	    .result = out,
	    .interval = mem_alloc(1, sizeof *crew.interval)};
	result_begin(out, plan->publishers, plan->ledger_queues, plan->options->report_ns);
	crew.interval->ledger = ledger_create(plan->publishers, plan->ledger_queues);
	plan_expect(plan, out->notes.ledger);
	bool good = run_all(&crew, err);
	if (!good)
		out->stopped_by = "a failure";
	out->cpu_seconds = cpu_seconds() - cpu_before;
	stop(&crew, !good);
	judge(&crew);
	for (size_t i = 0; i < crew.count; i++)
		worker_join(crew.workers[i]);
	remove_own(&crew);
	left_release(&crew.left);
	free(crew.workers);
	free(crew.views);
	ledger_free(crew.interval->ledger);
	free(crew.interval);
	return good;
}
