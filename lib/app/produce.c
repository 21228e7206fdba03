#include "app/produce.h"

#include "app/enforce.h"
#include "app/from.h"
#include "app/paced.h"
#include "app/printer.h"
#include "app/progress.h"
#include "app/resume.h"
#include "app/watch.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "broker/provision.h"
#include "flow/sink_exchange.h"
#include "flow/source_pattern.h"
#include "flow/source_spool.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAIN_NS (30 * CHRONO_S)
#define QUANTUM_NS (750 * CHRONO_US) /* messages nearer to each other go together */
#define SLOW_GAP_NS (50 * CHRONO_MS) /* messages further apart than this are printed one by one */

/* One pattern as it is run: the settings' or the command line's pace. */
struct job {
	const struct settings_message *message;
	struct pace_plan plan; /* owned */
};

struct run {
	struct tool *tool;
	const struct produce_options *options;
	uint64_t seed;
	struct job *jobs;
	size_t job_count;
	struct pace_plan from_plan;	/* owned */
	struct core_contract *contract; /* NULL: no message has one */
	struct from *from;		/* NULL: patterns are sent */
	struct printer printer;
	struct resume resume;
	struct flow_counts counts; /* of all flows of the run */
	uint64_t resent, left_put, elapsed_ns;
	bool has_run;
};

/* ---- which messages, at which pace ---- */

static bool read_plan(
    const json_t *spec, const struct produce_options *o, struct pace_plan *plan, struct error *err)
{
	struct paced paced = {.has_amount = o->has_amount,
	    .has_delay = o->has_delay,
	    .has_rate = o->has_rate,
	    .amount = o->amount,
	    .delay_ns = o->delay_ns,
	    .rate = o->rate};
	return paced_read(spec, &paced, plan, err);
}

static bool add_job(struct run *run, const struct settings_message *m, struct error *err)
{
	struct job *job = &run->jobs[run->job_count];
	job->message = m;
	if (!read_plan(m != NULL ? m->spec : NULL, run->options, &job->plan, err))
		return false;
	run->job_count++;
	return true;
}

/* The messages named on the command line, or all. */
static bool choose_jobs(struct run *run, struct error *err)
{
	const struct settings *s = &run->tool->settings;
	char **names = run->tool->operands;
	size_t named = 0;
	while (names[named] != NULL)
		named++;
	run->jobs = mem_alloc(named + s->message_count + 1, sizeof *run->jobs);
	for (size_t i = 0; i < named; i++) {
		const struct settings_message *m = settings_need_message(s, names[i], err);
		if (m == NULL)
			return false;
		if (!add_job(run, m, err))
			return false;
	}
	for (size_t i = 0; named == 0 && i < s->message_count; i++)
		if (!add_job(run, &s->messages[i], err))
			return false;
	return true;
}

/* The message that says where lines go: the one named, or the only one; NULL for none. */
static bool choose_model(
    const struct run *run, const struct settings_message **model, struct error *err)
{
	char **named = run->tool->operands;
	if (named[0] != NULL && named[1] != NULL)
		return error_set(err, ERROR_USAGE, "--from takes one MESSAGE at most");
	bool chosen = named[0] != NULL || run->tool->settings.message_count == 1;
	*model = chosen && run->job_count > 0 ? run->jobs[0].message : NULL;
	return true;
}

/* The message that made it is the member of the source; what is read has one at most. */
static bool add_contract(
    struct run *run, const struct settings_message *m, size_t member, struct error *err)
{
	const struct core_contract_scope scope = {
	    .of_member = true, .member = member, .spares_broken = true};
	return m == NULL || !run->options->contract ||
	       enforce_add(&run->tool->settings, "messages", m->name, &scope, &run->contract, err);
}

static bool add_contracts(struct run *run, struct error *err)
{
	for (size_t i = 0; i < run->job_count; i++)
		if (!add_contract(run, run->jobs[i].message, i, err))
			return false;
	return true;
}

static bool open_from(struct run *run, struct error *err)
{
	const struct produce_options *o = run->options;
	const struct settings_message *model = NULL;
	/* the amount and pace of a pattern are not those of what is read */
	if (!choose_model(run, &model, err) || !read_plan(NULL, o, &run->from_plan, err) ||
	    !add_contract(run, model, 0, err) || !tool_open_loop(run->tool, err))
		return false;
	struct from_options options = {.path = o->from,
	    .format = (enum source_lines_format)o->from_format,
	    .model = model,
	    .exchange = o->exchange,
	    .routing_key = o->routing_key,
	    .pools = run->tool->settings.pools,
	    .plan = &run->from_plan,
	    .seed = run->seed,
	    .skip = run->resume.skip,
	    .loop = run->tool->loop};
	run->from = from_open(&options, err);
	return run->from != NULL;
}

/* ---- what is shown ---- */

/* Whether a person can follow the messages one by one. */
static bool is_slow(const struct run *run)
{
	if (run->from != NULL)
		return from_is_terminal(run->from);
	for (size_t i = 0; i < run->job_count; i++) {
		const struct pace_plan *p = &run->jobs[i].plan;
		bool slow = p->delay_from_ns >= SLOW_GAP_NS ||
			    (p->step_count == 1 && p->steps[0].from_per_second <= 20 &&
				p->steps[0].to_per_second <= 20) ||
			    (!p->unlimited && p->amount <= 20);
		if (!slow)
			return false;
	}
	return true;
}

static enum printer_format format_of(const struct run *run)
{
	switch (run->options->format) {
	case PRODUCE_PRETTY:
		return PRINTER_PRETTY;
	case PRODUCE_JSON:
		return PRINTER_JSON;
	case PRODUCE_NONE:
		return PRINTER_NONE;
	default:
		return is_slow(run) && !run->options->tool.quiet ? PRINTER_PRETTY : PRINTER_NONE;
	}
}

static bool ends_by_itself(const struct pace_plan *p)
{
	return p->step_count > 0 && !p->repeat &&
	       p->steps[p->step_count - 1].length_ns != CHRONO_NEVER;
}

static void write_pace(const struct pace_plan *p, struct buf *out)
{
	if (!p->unlimited)
		num_format_count(p->amount, out);
	else
		buf_append_str(out, ends_by_itself(p) ? "as many as fall due" : "until stopped");
	if (p->step_count == 1 && p->steps[0].length_ns == CHRONO_NEVER) {
		buf_printf(out, ", %g a second", p->steps[0].from_per_second);
	} else if (p->step_count > 0) {
		buf_append_str(out, ", by schedule");
	} else if (p->delay_to_ns > 0) {
		buf_append_str(out, ", one every ");
		if (p->delay_from_ns < p->delay_to_ns) {
			num_format_duration(p->delay_from_ns, out);
			buf_append_str(out, " to ");
		}
		num_format_duration(p->delay_to_ns, out);
	}
}

static void show_banner(const struct run *run)
{
	log_write(LOG_INFO, "broker %s (%s)", connection_shown(run->tool->connection),
	    connection_server(run->tool->connection));
	for (size_t i = 0; run->from == NULL && i < run->job_count; i++) {
		const struct job *job = &run->jobs[i];
		const json_t *spec = job->message->spec;
		const char *exchange = json_string_value(json_object_get(spec, "exchange"));
		const char *key = json_string_value(json_object_get(spec, "routing_key"));
		struct buf line = {0};
		buf_append_str(&line, "message ");
		text_escape(slice_str(job->message->name), 255, &line);
		buf_append_str(&line, ": exchange '");
		text_escape(slice_str(exchange), 255, &line);
		buf_append_str(&line, "', key '");
		text_escape(slice_str(key), 255, &line);
		buf_append_str(&line, "', ");
		write_pace(&job->plan, &line);
		log_write(LOG_INFO, "%s", line.ptr);
		buf_release(&line);
	}
}

static void enter_pressed(void *ctx, short revents)
{
	(void)revents;
	char line[256];
	*(bool *)ctx = true;
	/* what was typed before Enter has no meaning */
	ssize_t ignored = read(STDIN_FILENO, line, sizeof line);
	(void)ignored;
}

static bool stay_connected(const struct run *run, struct error *err)
{
	struct tool *tool = run->tool;
	return tool->recovery != NULL ? recovery_renew(tool->recovery, err)
				      : connection_check(tool->connection, err);
}

/* On a terminal only: the walkthrough's "press Enter to start". False when stopped instead. */
static bool wait_for_enter(const struct run *run, struct error *err)
{
	struct loop *loop = run->tool->loop;
	bool good = true;
	bool pressed = run->options->yes || run->from != NULL || !isatty(STDIN_FILENO) ||
		       !isatty(STDERR_FILENO);
	if (!pressed)
		log_write(LOG_INFO, "press Enter to start");
	loop_watch(loop, STDIN_FILENO, POLLIN, enter_pressed, &pressed);
	while (good && !pressed && !loop_stop_requested(loop))
		good = loop_turn(loop, CHRONO_NEVER, err) && stay_connected(run, err);
	loop_unwatch(loop, STDIN_FILENO);
	return good;
}

/* ---- the run ---- */

static uint64_t goal_of(const struct run *run)
{
	uint64_t goal = 0;
	if (run->options->from != NULL)
		return run->options->has_amount ? run->options->amount : FLOW_NO_LIMIT;
	for (size_t i = 0; i < run->job_count; i++) {
		if (run->jobs[i].plan.unlimited)
			return FLOW_NO_LIMIT;
		goal += run->jobs[i].plan.amount;
	}
	return goal;
}

static void report_run(const struct run *run)
{
	const struct flow_counts *c = &run->counts;
	uint64_t goal = run->from == NULL ? goal_of(run) : FLOW_NO_LIMIT;
	uint64_t done = c->put - run->left_put + run->resume.skip;
	uint64_t violations = c->fates[FLOW_REJECTED];
	bool short_of_goal = goal != FLOW_NO_LIMIT && done + violations < goal;
	const struct summary_row rows[] = {
	    {"sent", c->put, false},
	    {"confirmed", c->fates[FLOW_ACCEPTED], false},
	    {"returned", c->fates[FLOW_RETURNED], false},
	    {"nacked", c->fates[FLOW_NACKED], false},
	    {"resent", run->resent, true},
	    {"unconfirmed", c->fates[FLOW_UNCONFIRMED], false},
	    {"unsent", short_of_goal ? goal - done - violations : c->fates[FLOW_RELEASED], true},
	    {"violations", violations, true},
	};
	tool_summarize(run->tool, rows, ARRAY_LEN(rows), run->elapsed_ns);
}

static void add_counts(struct run *run, const struct flow_counts *counts)
{
	run->counts.offered += counts->offered;
	run->counts.put += counts->put;
	for (size_t i = 0; i < FLOW_FATE_COUNT; i++)
		run->counts.fates[i] += counts->fates[i];
}

/* spool: where the messages of this flow are to be kept; NULL when they are there, or nowhere. */
static bool run_flow(
    struct run *run, struct flow_source source, struct spool *spool, struct error *err)
{
	const struct produce_options *o = run->options;
	const struct settings *settings = &run->tool->settings;
	struct loop *loop = run->tool->loop;
	struct printer *printer = &run->printer;
	bool is_left = spool == NULL && run->resume.spool != NULL;
	struct sink_exchange_options sending = {.window = o->window,
	    .mandatory = !o->has_mandatory ? SINK_EXCHANGE_AS_SETTINGS
			 : o->mandatory	   ? SINK_EXCHANGE_ALWAYS
					   : SINK_EXCHANGE_NEVER,
	    .topology = o->tool.settings != NULL ? &settings->topology : NULL,
	    .is_unhurried = true,
	    .recovery = run->tool->recovery,
	    .nack_retries = (unsigned)o->nack_retries,
	    .skips_refused = o->on_refusal == PRODUCE_REFUSAL_SKIP,
	    .nacks_unfit = is_left,
	    .spool = spool,
	    .spool_number = spool != NULL ? resume_first_number(&run->resume) : 0};
	struct sink_exchange *sink = sink_exchange_open(run->tool->connection, &sending, err);
	if (sink == NULL)
		return false;
	struct flow_options options = {.source = source,
	    .sink = sink_exchange_sink(sink),
	    .window = o->window,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = DRAIN_NS,
	    .keep_messages = printer->format != PRINTER_NONE,
	    .is_ready = printer_is_ready,
	    .on_put = printer_on_put,
	    .on_fate = printer_on_fate,
	    .ctx = printer};
	if (run->contract != NULL && !sending.nacks_unfit)
		options.cores[options.core_count++] = core_contract_core(run->contract);
	const struct watch_options watched = {
	    .parts = {.recovery = run->tool->recovery, .sink = sink},
	    /* a line that is read may have the traceparent of another message */
	    .spans = run->from != NULL && !is_left ? WATCH_PUBLISH : WATCH_PUBLISH | WATCH_ORIGIN};
	struct watch *watch = watch_open(run->tool, &watched, &options);
	struct flow *flow = flow_create(loop, &options);
	watch_begin(watch, flow);
	struct progress *progress = NULL;
	if (printer->format == PRINTER_NONE && !o->tool.quiet)
		progress = progress_start(loop, flow, goal_of(run), "sent", "confirmed");
	uint64_t start = chrono_now_ns();
	bool good = flow_run(flow, err);
	progress_stop(progress);
	run->elapsed_ns += chrono_now_ns() - start;
	run->resent += sink_exchange_resent(sink);
	run->has_run = true;
	add_counts(run, flow_counts(flow));
	watch_end(watch);
	sink_exchange_close(sink);
	flow_free(flow);
	return good;
}

/* What an earlier run has left goes first. */
static bool send_left(struct run *run, struct error *err)
{
	if (run->resume.spool == NULL || spool_unsettled_count(run->resume.spool) == 0)
		return true;
	struct source_spool *source = source_spool_create(run->resume.spool, run->tool->connection);
	bool good = run_flow(run, source_spool_source(source), NULL, err);
	source_spool_free(source);
	run->left_put = run->counts.put;
	run->resent += run->left_put;
	return good;
}

static bool send_patterns(struct run *run, struct error *err)
{
	struct source_pattern_member *members = mem_alloc(run->job_count, sizeof *members);
	for (size_t i = 0; i < run->job_count; i++)
		members[i] = (struct source_pattern_member){
		    run->jobs[i].message->name, run->jobs[i].message->pattern, &run->jobs[i].plan};
	struct source_pattern_options options = {.members = members,
	    .count = run->job_count,
	    .seed = run->seed,
	    .quantum_ns = QUANTUM_NS,
	    .skip = run->resume.skip};
	struct source_pattern *source = source_pattern_create(&options);
	bool good = run_flow(run, source_pattern_source(source), run->resume.spool, err);
	source_pattern_free(source);
	free(members);
	return good;
}

static bool send_all(struct run *run, struct error *err)
{
	if (!send_left(run, err) || loop_stop_requested(run->tool->loop))
		return err->kind == ERROR_NONE;
	return run->from != NULL ? run_flow(run, from_source(run->from), run->resume.spool, err)
				 : send_patterns(run, err);
}

/* ---- the spool ---- */

static json_t *list_of_names(const struct run *run)
{
	json_t *list = json_array();
	for (char **name = run->tool->operands; *name != NULL; name++)
		json_array_append_new(list, json_string(*name));
	return list;
}

/* Where a run's broker is, with which password, is no part of what it sends. */
static json_t *list_of_set(const struct produce_options *o)
{
	json_t *list = json_array();
	for (size_t i = 0; i < o->tool.set.count; i++) {
		const char *key = o->tool.set.items[i] + (o->tool.set.items[i][0] == '"');
		if (strncmp(key, "broker", 6) != 0 || strchr(".=\"", key[6]) == NULL)
			json_array_append_new(list, json_string(o->tool.set.items[i]));
	}
	return list;
}

/* What tells this run from others: all that decides what is sent, in which order. */
static json_t *identity_of(const struct run *run)
{
	const struct produce_options *o = run->options;
	return json_pack("{s:s?, s:o, s:o, s:s?, s:s?, s:s?, s:o?, s:o?}", "settings",
	    o->tool.settings, "set", list_of_set(o), "messages", list_of_names(run), "from",
	    o->from, "exchange", o->exchange, "routing_key", o->routing_key, "amount",
	    o->has_amount ? json_integer((json_int_t)o->amount) : NULL, "seed",
	    o->has_seed ? json_integer((json_int_t)o->seed) : NULL);
}

static bool open_spool(struct run *run, struct error *err)
{
	const struct produce_options *o = run->options;
	if (o->spool == NULL)
		return !o->spool_sync ||
		       error_set(err, ERROR_USAGE, "--spool-sync goes with --spool");
	json_t *identity = identity_of(run);
	run->resume.seed = run->seed;
	bool good = resume_open(o->spool, o->spool_sync, identity, &run->resume, err);
	run->seed = run->resume.seed;
	json_decref(identity);
	return good;
}

/* A run is over when every message has its fate; else the spool has the rest. */
static bool close_spool(struct run *run, bool good, struct error *err)
{
	bool is_over = good && run->has_run && !loop_stop_requested(run->tool->loop) &&
		       run->counts.fates[FLOW_UNCONFIRMED] == 0;
	struct error why = {0};
	if (resume_close(&run->resume, is_over, &why))
		return good;
	return error_set(err, why.kind, "%s", why.text);
}

/* ---- the whole ---- */

/* Also after the connection was lost. */
static bool restore(void *ctx, struct connection *c, struct error *err)
{
	const struct run *run = ctx;
	return !run->options->declare ||
	       provision_apply(c, &run->tool->settings.topology, NULL, NULL, NULL, err);
}

static bool prepare(struct run *run, struct error *err)
{
	const struct produce_options *o = run->options;
	struct tool *tool = run->tool;
	if (o->has_delay && o->has_rate)
		return error_set(err, ERROR_USAGE, "--delay and --rate exclude each other");
	if (o->from == NULL && (o->exchange != NULL || o->routing_key != NULL))
		return error_set(err, ERROR_USAGE,
		    "--exchange and --routing-key go with --from; for patterns use --set");
	if (!open_spool(run, err))
		return false;
	if (!tool_load_settings(tool, o->from == NULL, run->seed, err) || !choose_jobs(run, err))
		return false;
	if (o->from == NULL && run->job_count == 0)
		return error_set(err, ERROR_SETTINGS, "the settings have no messages to send");
	if ((o->from != NULL ? !open_from(run, err) : !add_contracts(run, err)) ||
	    !tool_connect(tool, err))
		return false;
	printer_init(
	    &run->printer, format_of(run), tool_wants_color(tool, STDOUT_FILENO), tool->loop);
	show_banner(run);
	if (!restore(run, tool->connection, err))
		return false;
	tool_make_recoverable(tool, restore, run);
	return true;
}

bool produce_run(struct tool *tool, const void *options, struct error *err)
{
	const struct produce_options *o = options;
	struct run run = {
	    .tool = tool, .options = o, .seed = o->has_seed ? o->seed : rng_entropy()};
	bool good = prepare(&run, err) && wait_for_enter(&run, err) && send_all(&run, err);
	if (run.has_run)
		good = printer_finish(&run.printer, err) && good;
	good = close_spool(&run, good, err);
	if (run.has_run)
		report_run(&run);
	if (good && run.counts.fates[FLOW_ACCEPTED] != run.counts.offered)
		tool->status = ERROR_UNDELIVERED;
	for (size_t i = 0; i < run.job_count; i++)
		pace_plan_release(&run.jobs[i].plan);
	free(run.jobs);
	core_contract_free(run.contract);
	from_close(run.from);
	pace_plan_release(&run.from_plan);
	printer_release(&run.printer);
	return good;
}
