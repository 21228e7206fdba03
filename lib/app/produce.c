#include "app/produce.h"

#include "app/produce_private.h"
#include "app/progress.h"
#include "app/watch.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
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

/* ---- the beginning ---- */

static void enter_pressed(void *ctx, short revents)
{
	(void)revents;
	char line[256];
	*(bool *)ctx = true;
	/* what was typed before Enter has no meaning */
	ssize_t ignored = read(STDIN_FILENO, line, sizeof line);
	(void)ignored;
}

static bool stay_connected(const struct produce *run, struct error *err)
{
	struct tool *tool = run->tool;
	return tool->recovery != NULL ? recovery_renew(tool->recovery, err)
				      : connection_check(tool->connection, err);
}

/* On a terminal only: the walkthrough's "press Enter to start". Also over when a stop is
 * asked for; false: the connection is lost for good. */
static bool wait_for_enter(const struct produce *run, struct error *err)
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

static void add_counts(struct produce *run, const struct flow_counts *counts)
{
	run->counts.offered += counts->offered;
	run->counts.put += counts->put;
	for (size_t i = 0; i < FLOW_FATE_COUNT; i++)
		run->counts.fates[i] += counts->fates[i];
}

/* spool: where the messages of this flow are to be kept; NULL when they are there, or nowhere. */
static bool run_flow(
    struct produce *run, struct flow_source source, struct spool *spool, struct error *err)
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
		progress = progress_start(loop, flow, produce_goal(run), "sent", "confirmed");
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
static bool send_left(struct produce *run, struct error *err)
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

static bool send_patterns(struct produce *run, struct error *err)
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

static bool send_all(struct produce *run, struct error *err)
{
	if (!send_left(run, err) || loop_stop_requested(run->tool->loop))
		return err->kind == ERROR_NONE;
	return run->from != NULL ? run_flow(run, from_source(run->from), run->resume.spool, err)
				 : send_patterns(run, err);
}

/* ---- the spool ---- */

static json_t *list_of_names(const struct produce *run)
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
static json_t *identity_of(const struct produce *run)
{
	const struct produce_options *o = run->options;
	return json_pack("{s:s?, s:o, s:o, s:s?, s:s?, s:s?, s:o?, s:o?}", "settings",
	    o->tool.settings, "set", list_of_set(o), "messages", list_of_names(run), "from",
	    o->from, "exchange", o->exchange, "routing_key", o->routing_key, "amount",
	    o->has_amount ? json_integer((json_int_t)o->amount) : NULL, "seed",
	    o->has_seed ? json_integer((json_int_t)o->seed) : NULL);
}

static bool open_spool(struct produce *run, struct error *err)
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
static bool close_spool(struct produce *run, bool good, struct error *err)
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
	const struct produce *run = ctx;
	return !run->options->declare ||
	       provision_apply(c, &run->tool->settings.topology, NULL, NULL, NULL, err);
}

static bool prepare(struct produce *run, struct error *err)
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
	if (!tool_load_settings(tool, o->from == NULL, run->seed, err) ||
	    !produce_choose_jobs(run, err))
		return false;
	if (o->from == NULL && run->job_count == 0)
		return error_set(err, ERROR_SETTINGS, "the settings have no messages to send");
	if ((o->from != NULL ? !produce_open_from(run, err) : !produce_add_contracts(run, err)) ||
	    !tool_connect(tool, err))
		return false;
	printer_init(
	    &run->printer, produce_format(run), tool_wants_color(tool, STDOUT_FILENO), tool->loop);
	produce_show_banner(run);
	if (!restore(run, tool->connection, err))
		return false;
	tool_make_recoverable(tool, restore, run);
	return true;
}

bool produce_run(struct tool *tool, const void *options, struct error *err)
{
	const struct produce_options *o = options;
	struct produce run = {
	    .tool = tool, .options = o, .seed = o->has_seed ? o->seed : rng_entropy()};
	bool good = prepare(&run, err) && wait_for_enter(&run, err) && send_all(&run, err);
	if (run.has_run)
		good = printer_finish(&run.printer, err) && good;
	good = close_spool(&run, good, err);
	if (run.has_run)
		produce_report(&run);
	if (good && run.counts.fates[FLOW_ACCEPTED] != run.counts.offered)
		tool->status = ERROR_UNDELIVERED;
	produce_release_jobs(&run);
	printer_release(&run.printer);
	return good;
}
