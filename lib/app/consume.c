#include "app/consume.h"

#include "app/enforce.h"
#include "app/offset.h"
#include "app/opening.h"
#include "app/progress.h"
#include "app/queues.h"
#include "app/retrying.h"
#include "app/watch.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/provision.h"
#include "flow/core_dedupe.h"
#include "flow/core_exec.h"
#include "flow/core_jq.h"
#include "flow/core_worker.h"
#include "flow/sink_terminal.h"
#include "flow/source_queue.h"

#include <stdlib.h>
#include <unistd.h>

#define DRAIN_NS (2 * CHRONO_S)		 /* after a stop, for a reader that may be gone */
#define COMMAND_DRAIN_NS (30 * CHRONO_S) /* and for commands that run */
#define RETRY_NS CHRONO_S
#define MAX_UNDER_WAY 65536 /* without a prefetch */

struct run {
	struct tool *tool;
	const struct consume_options *options;
	const char **queues; /* NULL-terminated */
	bool *is_stream;
	size_t queue_count;
	json_t *arguments; /* of basic.consume on streams */
	struct core_contract *contract;
	struct core_dedupe *dedupe;
	struct core_jq *filter;
	struct core_exec *exec; /* or, */
	struct core_worker *worker;
	struct retrying retrying;
	struct source_queue *source;
	struct sink_terminal *sink;
};

static bool wants_dedupe(const struct consume_options *o)
{
	return o->dedupe || o->dedupe_by != NULL || o->dedupe_store != NULL || o->dedupe_age_ns > 0;
}

/* ---- which queues ---- */

/* The queues named on the command line, or all that the settings write down. */
static bool choose_queues(struct run *run, struct error *err)
{
	const struct topology *t = &run->tool->settings.topology;
	const struct consume_options *o = run->options;
	run->queues = queues_choose(
	    run->tool, run->tool->operands, o->tool.settings != NULL && o->declare, err);
	if (run->queues == NULL)
		return false;
	while (run->queues[run->queue_count] != NULL)
		run->queue_count++;
	run->is_stream = mem_alloc(run->queue_count, sizeof *run->is_stream);
	for (size_t i = 0; i < run->queue_count; i++) {
		const struct topology_queue *q = topology_find_queue(t, slice_str(run->queues[i]));
		run->is_stream[i] = q != NULL ? strcmp(q->type, "stream") == 0 : o->offset != NULL;
	}
	return true;
}

/* ---- streams ---- */

static bool choose_offset(struct run *run, struct error *err)
{
	bool any_stream = false;
	for (size_t i = 0; i < run->queue_count; i++)
		any_stream = any_stream || run->is_stream[i];
	if (run->options->offset != NULL && !any_stream)
		return error_set(err, ERROR_USAGE, "--offset is for streams; none is read here");
	if (!any_stream)
		return true;
	const char *no = run->options->ack == SOURCE_QUEUE_AUTO	    ? "--ack auto"
			 : run->options->ack == SOURCE_QUEUE_REJECT ? "--ack reject"
			 : run->options->unmatched == CONSUME_UNMATCHED_REJECT
			     ? "--unmatched reject"
			 : wants_dedupe(run->options) ? "--dedupe"
						      : NULL;
	if (no != NULL)
		return error_set(err, ERROR_USAGE,
		    "%s does not go with a stream, which keeps its messages whatever is read", no);
	/* from its beginning, so that it does not matter who starts first */
	const char *offset = run->options->offset != NULL ? run->options->offset : "first";
	json_t *value = offset_read(offset, err);
	if (value == NULL)
		return false;
	run->arguments = json_object();
	json_object_set_new(run->arguments, "x-stream-offset", value);
	return true;
}

/* ---- cores ---- */

static bool open_command(struct run *run, struct error *err)
{
	const struct consume_options *o = run->options;
	if (o->exec_worker) {
		const struct core_worker_options worker = {
		    .command = {.text = o->exec, .shell = o->exec_shell},
		    .timeout_ns = o->exec_timeout_ns,
		    .workers = (size_t)o->exec_jobs,
		    .restart_from_ns = CORE_WORKER_RESTART_FROM_NS,
		    .restart_to_ns = CORE_WORKER_RESTART_TO_NS};
		run->worker = core_worker_create(run->tool->loop, &worker, err);
		return run->worker != NULL;
	}
	const struct core_exec_options exec = {.command = o->exec,
	    .shell = o->exec_shell,
	    .timeout_ns = o->exec_timeout_ns,
	    .jobs = (size_t)o->exec_jobs};
	run->exec = core_exec_create(run->tool->loop, &exec, err);
	return run->exec != NULL;
}

/* Who only looks, or gives everything up anyway, judges nothing; but none that is to be judged is
 * lost unnoticed. */
static bool open_contracts(struct run *run, struct error *err)
{
	const struct consume_options *o = run->options;
	if (!o->contract || o->ack == SOURCE_QUEUE_REQUEUE || o->ack == SOURCE_QUEUE_REJECT)
		return true;
	if (!enforce_queues(
		&run->tool->settings, run->queues, run->queue_count, &run->contract, err))
		return false;
	return run->contract == NULL || o->ack != SOURCE_QUEUE_AUTO ||
	       error_set(err, ERROR_USAGE,
		   "--ack auto gives messages up before the contract of their queue has judged "
		   "them; --no-contract leaves it out");
}

/* Marks of another key are other marks; those of ids tell queues apart by themselves. */
static bool open_dedupe(struct run *run, struct error *err)
{
	const struct consume_options *o = run->options;
	const char *by = o->dedupe_by != NULL ? o->dedupe_by : "id";
	char *scope = mem_printf("consumer %s", by);
	const struct core_dedupe_options options = {.by = by,
	    .window = (size_t)o->dedupe_window,
	    .age_ns = o->dedupe_age_ns,
	    .scope = scope,
	    .path = o->dedupe_store};
	run->dedupe = core_dedupe_create(&options, err);
	free(scope);
	return run->dedupe != NULL;
}

static bool open_cores(struct run *run, struct error *err)
{
	static const enum flow_fate fates[] = {[CONSUME_HOLD] = FLOW_HELD,
	    [CONSUME_UNMATCHED_ACK] = FLOW_ACCEPTED,
	    [CONSUME_UNMATCHED_REJECT] = FLOW_REJECTED};
	const struct consume_options *o = run->options;
	if (!open_contracts(run, err))
		return false;
	if (wants_dedupe(o) && !open_dedupe(run, err))
		return false;
	if (o->filter != NULL) {
		run->filter = core_jq_create(o->filter, fates[o->unmatched], err);
		if (run->filter == NULL)
			return false;
	}
	return o->exec == NULL || open_command(run, err);
}

static void add_cores(const struct run *run, struct flow_options *flow)
{
	if (run->contract != NULL)
		flow->cores[flow->core_count++] = core_contract_core(run->contract);
	if (run->dedupe != NULL)
		flow->cores[flow->core_count++] = core_dedupe_core(run->dedupe);
	if (run->filter != NULL)
		flow->cores[flow->core_count++] = core_jq_core(run->filter);
	if (run->exec != NULL)
		flow->cores[flow->core_count++] = core_exec_core(run->exec);
	if (run->worker != NULL)
		flow->cores[flow->core_count++] = core_worker_core(run->worker);
}

/* ---- the run ---- */

/* Failed messages whose copies the broker has not got. */
static uint64_t count_unsent(const struct run *run)
{
	const struct retrier *retrier = run->retrying.retrier;
	return retrier != NULL ? retrier_counts(retrier)->unsent + retrier_under_way(retrier) : 0;
}

static void report_run(const struct run *run, const struct flow *flow, uint64_t elapsed_ns)
{
	const struct flow_counts *c = flow_counts(flow);
	bool acks = run->options->ack == SOURCE_QUEUE_ACK || run->options->ack == SOURCE_QUEUE_AUTO;
	uint64_t rejected = c->fates[FLOW_REJECTED];
	uint64_t late = source_queue_unacknowledged(run->source);
	if (run->options->ack == SOURCE_QUEUE_REJECT)
		rejected += c->fates[FLOW_ACCEPTED];
	struct retrier_counts sent_on = {0};
	if (run->retrying.retrier != NULL)
		sent_on = *retrier_counts(run->retrying.retrier);
	const struct summary_row rows[] = {
	    {"received", c->offered, false},
	    {"acknowledged", acks ? c->fates[FLOW_ACCEPTED] - late : 0, false},
	    {"unacknowledged", late, true},
	    {"requeued", source_queue_requeued(run->source), true},
	    {"lost", source_queue_lost(run->source), true},
	    {"unshown", sink_terminal_unshown(run->sink), true},
	    {"rejected", rejected - sent_on.rejected, true},
	    {"retried", sent_on.retried, true},
	    {"parked", sent_on.parked, true},
	    {"unsent", count_unsent(run), true},
	    {"violations", run->contract != NULL ? core_contract_violations(run->contract) : 0,
		true},
	    {"redelivered", c->redelivered, true},
	    {"duplicates", run->dedupe != NULL ? core_dedupe_duplicates(run->dedupe) : 0, true},
	    {"unkeyed", run->dedupe != NULL ? core_dedupe_unkeyed(run->dedupe) : 0, true},
	    {"unmatched", run->filter != NULL ? core_jq_hidden(run->filter) : 0, true},
	    {"unset_variables", run->exec != NULL ? core_exec_left_out(run->exec) : 0, true},
	    {"filter_errors", run->filter != NULL ? core_jq_errors(run->filter) : 0, true},
	};
	tool_summarize(run->tool, rows, ARRAY_LEN(rows), elapsed_ns);
}

static bool run_flow(struct run *run, struct flow_options *options, struct error *err)
{
	const struct consume_options *o = run->options;
	const struct watch_options watched = {.parts = {.queues = run->queues,
						  .queue_count = run->queue_count,
						  .recovery = run->tool->recovery,
						  .retrier = run->retrying.retrier},
	    .spans = WATCH_PROCESS};
	uint64_t start = chrono_now_ns();
	struct watch *watch = watch_open(run->tool, &watched, options);
	struct flow *flow = flow_create(run->tool->loop, options);
	watch_begin(watch, flow);
	struct progress *progress = NULL;
	if (!o->tool.quiet && (o->format == SINK_TERMINAL_NONE || !isatty(STDOUT_FILENO)))
		progress =
		    progress_start(run->tool->loop, flow, options->limit, "received", "settled");
	bool good = flow_run(flow, err);
	progress_stop(progress);
	report_run(run, flow, chrono_now_ns() - start);
	if (sink_terminal_unshown(run->sink) > 0 || source_queue_lost(run->source) > 0 ||
	    count_unsent(run) > 0)
		run->tool->status = ERROR_UNDELIVERED;
	watch_end(watch);
	flow_free(flow);
	return good;
}

static uint16_t prefetch_of(const struct consume_options *o)
{
	uint64_t prefetch = o->prefetch;
	bool all_wanted = o->filter == NULL;
	if (!o->has_prefetch && all_wanted && o->has_count && o->count > 0 && o->count < prefetch)
		prefetch = o->count; /* take no more out of the queue than are wanted */
	return (uint16_t)prefetch;
}

static void show_banner(const struct run *run)
{
	struct buf line = {0};
	for (size_t i = 0; i < run->queue_count; i++) {
		buf_append_str(&line, i > 0 ? ", " : "");
		text_escape(slice_str(run->queues[i]), 255, &line);
	}
	log_write(LOG_INFO, "broker %s (%s)", connection_shown(run->tool->connection),
	    connection_server(run->tool->connection));
	log_write(LOG_INFO, "waiting for messages in %s; Ctrl+C ends", line.ptr);
	buf_release(&line);
}

static bool consume(struct run *run, struct error *err)
{
	const struct consume_options *o = run->options;
	struct sink_terminal_options printing = {.fd = STDOUT_FILENO,
	    .format = (enum sink_terminal_format)o->format,
	    .color = tool_wants_color(run->tool, STDOUT_FILENO),
	    .show_queue = run->queue_count > 1,
	    .loop = run->tool->loop};
	struct source_queue_options reading = {.queues = run->queues,
	    .queue_count = run->queue_count,
	    .prefetch = prefetch_of(o),
	    .ack = (enum source_queue_ack)o->ack,
	    .until_empty = o->until_empty,
	    .idle_ns = o->has_idle ? o->idle_ns : CHRONO_NEVER,
	    .retry_ns = RETRY_NS,
	    .arguments = run->arguments,
	    .is_stream = run->is_stream,
	    .recovery = run->tool->recovery,
	    .outlives_cancel = o->on_cancel == CONSUME_CANCEL_RENEW,
	    .retrier = run->retrying.retrier};
	/* what a broker sends beyond the prefetch waits, and it is not read on */
	struct flow_options options = {
	    .window = reading.prefetch > 0 ? reading.prefetch * run->queue_count : MAX_UNDER_WAY,
	    .limit = o->has_count ? o->count : FLOW_NO_LIMIT,
	    .drain_ns = o->exec != NULL ? COMMAND_DRAIN_NS : DRAIN_NS,
	    .keep_messages = run->retrying.connection != NULL};
	add_cores(run, &options);
	run->source = opening_shared(run->tool->connection, &reading, err);
	if (run->source == NULL)
		return false;
	show_banner(run);
	run->sink = sink_terminal_create(&printing);
	options.source = source_queue_source(run->source);
	options.sink = sink_terminal_sink(run->sink);
	return run_flow(run, &options, err);
}

static bool check_options(const struct consume_options *o, struct error *err)
{
	if (o->ack == SOURCE_QUEUE_AUTO && (o->filter != NULL || o->exec != NULL))
		return error_set(err, ERROR_USAGE,
		    "--ack auto gives messages up before --filter or --exec has judged them");
	if (wants_dedupe(o) && o->ack != SOURCE_QUEUE_ACK)
		return error_set(err, ERROR_USAGE,
		    "--dedupe goes with --ack manual: another one says nothing of what was "
		    "handled");
	if (o->filter == NULL && o->unmatched != CONSUME_HOLD)
		return error_set(err, ERROR_USAGE, "--unmatched goes with --filter");
	if (o->exec == NULL && o->exec_worker)
		return error_set(err, ERROR_USAGE, "--exec-worker goes with --exec");
	return true;
}

/* Also after the connection was lost, or a queue deleted. */
static bool restore(void *ctx, struct connection *c, struct error *err)
{
	const struct run *run = ctx;
	return !run->options->declare ||
	       provision_apply(c, &run->tool->settings.topology, run->queues, NULL, NULL, err);
}

/* Only a judge makes messages fail, and who only looks leaves them where they are. */
static bool open_retrying(struct run *run, struct error *err)
{
	const struct consume_options *o = run->options;
	bool judges =
	    run->contract != NULL || o->exec != NULL || o->unmatched == CONSUME_UNMATCHED_REJECT;
	bool sends = judges && o->ack != SOURCE_QUEUE_REQUEUE;
	return retrying_open(run->tool, run->queues, run->queue_count,
	    sends ? RETRYING_BY_POLICY : RETRYING_NOTHING, &run->retrying, err);
}

static bool prepare(struct run *run, struct error *err)
{
	if (!check_options(run->options, err) ||
	    !tool_load_settings(run->tool, false, rng_entropy(), err) || !choose_queues(run, err) ||
	    !choose_offset(run, err) || !tool_open_loop(run->tool, err) || !open_cores(run, err) ||
	    !tool_connect(run->tool, err))
		return false;
	if (!restore(run, run->tool->connection, err))
		return false;
	tool_make_recoverable(run->tool, restore, run);
	return open_retrying(run, err);
}

bool consume_run(struct tool *tool, const void *options, struct error *err)
{
	struct run run = {.tool = tool, .options = options};
	bool good = prepare(&run, err) && consume(&run, err);
	core_exec_free(run.exec);
	core_worker_free(run.worker);
	core_jq_free(run.filter);
	core_dedupe_free(run.dedupe);
	core_contract_free(run.contract);
	retrying_close(&run.retrying);
	source_queue_close(run.source);
	sink_terminal_free(run.sink);
	json_decref(run.arguments);
	free(run.queues);
	free(run.is_stream);
	return good;
}
