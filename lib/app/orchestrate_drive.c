/* workflow run: the orchestrator. */
#include "app/orchestrate_private.h"

#include "app/opening.h"
#include "app/orchestrate_watch.h"
#include "app/retrying.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/output.h"
#include "base/text.h"
#include "broker/provision.h"
#include "flow/sink_exchange.h"
#include "flow/sink_workflow.h"
#include "flow/source_queue.h"
#include "model/record.h"
#include "model/table.h"

#include <stdlib.h>
#include <unistd.h>

#define DRAIN_NS (10 * CHRONO_S)
#define GRACE_NS (2 * CHRONO_S) /* for the reader of what is printed, after a stop */
#define RETRY_NS CHRONO_S
#define NACK_RETRIES 5

struct run {
	struct tool *tool;
	const struct orchestrate_options *options;
	struct orchestrate_cast cast;
	const char **queues; /* NULL-terminated: of each workflow where it starts and the replies */
	size_t queue_count;
	bool *is_stream;
	struct source_queue_own *own;
	struct store *store;
	struct retrying retrying;
	struct source_queue *source;
	struct connection *beside; /* what is sent goes over it */
	struct recovery *recovery; /* of that one */
	struct sink_exchange *exchange;
	struct workflow_outbox *outbox;
	struct sink_workflow *sink;
	struct flow *in, *out;
	struct orchestrate_watch watch;
	struct output printed;
	struct error print_failure;
	bool color;
};

/* ---- what is printed ---- */

static void flush_print(struct run *run)
{
	if (run->print_failure.kind != ERROR_NONE ||
	    !output_flush(&run->printed, &run->print_failure))
		loop_request_stop(run->tool->loop);
}

static void print_pretty(struct run *run, const struct message *event)
{
	struct buf *out = output_buf(&run->printed);
	struct slice subject = table_find_string(event->headers, "cloudEvents_subject");
	const char *slash = memchr(subject.ptr, '/', subject.len);
	chrono_format_clock(chrono_wall_ms(), out);
	buf_append_str(out, "  ");
	text_escape(slice_from(subject, (size_t)(slash - subject.ptr) + 1), 60, out);
	buf_append_str(out, "  ");
	orchestrate_describe(event->type, event->body, run->color, out);
	buf_append_char(out, '\n');
}

static void on_event(void *ctx, const struct message *event)
{
	struct run *run = ctx;
	const struct record_extra extra = {0};
	if (run->print_failure.kind != ERROR_NONE)
		return;
	if (run->options->format == ORCHESTRATE_PRETTY)
		print_pretty(run, event);
	else if (!record_write(event, &extra, output_buf(&run->printed), &run->print_failure))
		loop_request_stop(run->tool->loop);
	flush_print(run);
}

/* False while a slow reader is far behind. */
static bool is_ready(void *ctx)
{
	struct run *run = ctx;
	if (output_waiting(&run->printed) > 0)
		flush_print(run);
	return !output_is_full(&run->printed);
}

/* ---- the queues ---- */

static void add_queue(struct run *run, const char *name)
{
	bool alone = true;
	const struct topology_queue *q =
	    topology_find_queue(&run->tool->settings.topology, slice_str(name));
	if (q != NULL)
		alone = !json_is_true(json_object_get(q->arguments, "x-single-active-consumer"));
	run->own[run->queue_count].exclusive = alone;
	run->queues[run->queue_count++] = name;
}

static void list_queues(struct run *run)
{
	size_t most = run->cast.count * 2;
	run->queues = mem_alloc(most + 1, sizeof *run->queues);
	run->own = mem_alloc(most, sizeof *run->own);
	run->is_stream = mem_alloc(most, sizeof *run->is_stream);
	for (size_t i = 0; i < run->cast.count; i++) {
		const struct workflow *w = workflow_logic_workflow(run->cast.logics[i]);
		add_queue(run, w->start);
		add_queue(run, w->replies);
	}
}

/* Also after the connection was lost, or a queue deleted. */
static bool restore(void *ctx, struct connection *c, struct error *err)
{
	const struct run *run = ctx;
	return !run->options->declare ||
	       provision_apply(c, &run->tool->settings.topology, run->queues, NULL, NULL, err);
}

/* ---- the source ---- */

static bool open_source(struct run *run, struct error *err)
{
	const struct source_queue_options options = {.queues = run->queues,
	    .queue_count = run->queue_count,
	    .prefetch = (uint16_t)run->options->prefetch,
	    .ack = SOURCE_QUEUE_ACK,
	    .idle_ns = run->options->has_idle ? run->options->idle_ns : CHRONO_NEVER,
	    .retry_ns = RETRY_NS,
	    .is_stream = run->is_stream,
	    .own = run->own,
	    .recovery = run->tool->recovery,
	    .retrier = run->retrying.retrier};
	run->source = opening_sole(run->tool, &options,
	    "an orchestrator has its queues for itself, so that no reply goes to another: stop the "
	    "other one",
	    err);
	return run->source != NULL;
}

/* ---- the two flows: what comes, and what goes ---- */

static bool open_out(struct run *run, struct error *err)
{
	run->beside = tool_connect_beside(run->tool, err);
	if (run->beside == NULL)
		return false;
	run->recovery = tool_recovery(run->tool, run->beside, NULL, NULL);
	const struct sink_exchange_options publishing = {.window = run->options->limit,
	    .mandatory = SINK_EXCHANGE_AS_SETTINGS,
	    .topology = &run->tool->settings.topology,
	    .recovery = run->recovery,
	    .nack_retries = NACK_RETRIES,
	    .skips_refused = true,
	    .nacks_unfit = true};
	run->exchange = sink_exchange_open(run->beside, &publishing, err);
	return run->exchange != NULL;
}

static void open_flows(struct run *run)
{
	struct flow_options out = {.source = workflow_outbox_source(run->outbox),
	    .sink = sink_exchange_sink(run->exchange),
	    .window = run->options->limit,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = DRAIN_NS};
	struct flow_options in = {.source = source_queue_source(run->source),
	    .sink = sink_workflow_sink(run->sink),
	    .window = run->options->prefetch * run->queue_count,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = DRAIN_NS,
	    .keep_messages = run->retrying.connection != NULL,
	    .is_ready = is_ready,
	    .ctx = run};
	const struct orchestrate_watch_options watched = {.queues = run->queues,
	    .queue_count = run->queue_count,
	    .retrier = run->retrying.retrier,
	    .recovery = run->recovery,
	    .requests = run->exchange,
	    .workflows = run->sink};
	orchestrate_watch_open(&run->watch, run->tool, &watched, &in, &out);
	run->out = flow_create(run->tool->loop, &out);
	run->in = flow_create(run->tool->loop, &in);
	orchestrate_watch_begin(&run->watch, run->in, run->out);
}

static bool has_ended_enough(const struct run *run)
{
	const struct sink_workflow_counts *c = sink_workflow_counts(run->sink);
	return run->options->has_count && c->completed + c->aborted >= run->options->count;
}

/* What has come and is to go ends first; then what goes. */
static bool turn(struct run *run, struct error *err)
{
	enum flow_state in = FLOW_RUNS, out = FLOW_RUNS;
	bool good = true;
	while (good) {
		uint64_t wake_ns = CHRONO_NEVER;
		if (has_ended_enough(run))
			flow_stop(run->in);
		if (in == FLOW_RUNS)
			in = flow_step(run->in, &wake_ns, err);
		if (in == FLOW_ENDS)
			flow_stop(run->out);
		if (out == FLOW_RUNS && in != FLOW_FAILS)
			out = flow_step(run->out, &wake_ns, err);
		if (in == FLOW_FAILS || out == FLOW_FAILS)
			return false;
		if (out == FLOW_ENDS)
			return true;
		if (sink_workflow_has_news(run->sink))
			wake_ns = 0;
		good = loop_turn(run->tool->loop, wake_ns, err);
	}
	return false;
}

static bool run_flows(struct run *run, struct error *err)
{
	struct error of_in = {0};
	(void)turn(run, err); /* flow_finish tells it */
	bool good = flow_finish(run->out, err);
	of_in = *err;
	bool in_good = flow_finish(run->in, &of_in);
	if (good && !in_good)
		*err = of_in;
	return good && in_good;
}

/* ---- the run ---- */

static void report(const struct run *run, uint64_t elapsed_ns)
{
	const struct sink_workflow_counts *c = sink_workflow_counts(run->sink);
	struct retrier_counts sent_on = {0};
	if (run->retrying.retrier != NULL)
		sent_on = *retrier_counts(run->retrying.retrier);
	const struct summary_row rows[] = {
	    {"started", c->started, false},
	    {"resumed", c->resumed, true},
	    {"completed", c->completed, false},
	    {"aborted", c->aborted, true},
	    {"under_way", sink_workflow_under_way(run->sink), true},
	    {"steps", c->steps, true},
	    {"compensated", c->compensated, true},
	    {"timeouts", c->timeouts, true},
	    {"repeated", c->repeated, true},
	    {"ignored", c->ignored, true},
	    {"rejected", c->rejected - sent_on.rejected, true},
	    {"parked", sent_on.parked, true},
	    {"unroutable", c->unroutable, true},
	    {"nacked", c->nacked, true},
	    {"requested_again", c->resent, true},
	    {"redelivered", flow_counts(run->in)->redelivered, true},
	};
	tool_summarize(run->tool, rows, ARRAY_LEN(rows), elapsed_ns);
}

static void show_banner(const struct run *run)
{
	struct buf line = {0};
	for (size_t i = 0; i < run->cast.count; i++)
		buf_printf(&line, "%s%s", i > 0 ? ", " : "",
		    workflow_logic_workflow(run->cast.logics[i])->name);
	log_write(LOG_INFO, "broker %s (%s)", connection_shown(run->tool->connection),
	    connection_server(run->tool->connection));
	if (sink_workflow_under_way(run->sink) > 0)
		log_write(LOG_INFO, "%zu under way in %s", sink_workflow_under_way(run->sink),
		    store_path(run->store));
	log_write(LOG_INFO, "waiting for what starts %s; Ctrl+C ends", line.ptr);
	buf_release(&line);
}

static bool drive(struct run *run, struct error *err)
{
	const struct orchestrate_options *o = run->options;
	run->outbox = workflow_outbox_create();
	const struct sink_workflow_options options = {.loop = run->tool->loop,
	    .store = run->store,
	    .outbox = run->outbox,
	    .logics = run->cast.logics,
	    .logic_count = run->cast.count,
	    .limit = o->limit,
	    .on_event = o->format != ORCHESTRATE_NONE ? on_event : NULL,
	    .ctx = run};
	run->sink = sink_workflow_create(&options);
	if (!open_source(run, err) || !open_out(run, err))
		return false;
	open_flows(run);
	if (!sink_workflow_resume(run->sink, err))
		return false;
	show_banner(run);
	uint64_t start_ns = chrono_now_ns();
	bool good = run_flows(run, err);
	if (run->print_failure.kind != ERROR_NONE ||
	    !output_drain(&run->printed, GRACE_NS, &run->print_failure))
		good = error_set(err, run->print_failure.kind, "%s", run->print_failure.text);
	report(run, chrono_now_ns() - start_ns);
	return good;
}

static bool prepare(struct run *run, char **operands, struct error *err)
{
	struct tool *tool = run->tool;
	if (!orchestrate_choose(tool, operands, &run->cast, err))
		return false;
	list_queues(run);
	run->store = store_open(run->options->store, STORE_CREATE, err);
	if (run->store == NULL || !tool_connect(tool, err) || !restore(run, tool->connection, err))
		return false;
	tool_make_recoverable(tool, restore, run);
	run->color = tool_wants_color(tool, STDOUT_FILENO);
	output_init(&run->printed, STDOUT_FILENO, "standard output", tool->loop);
	return retrying_open(tool, run->queues, run->queue_count, true, &run->retrying, err);
}

bool orchestrate_drive(struct tool *tool, const struct orchestrate_options *options,
    char **operands, struct error *err)
{
	struct run run = {.tool = tool, .options = options};
	bool good = prepare(&run, operands, err) && drive(&run, err);
	orchestrate_watch_end(&run.watch);
	flow_free(run.in);
	flow_free(run.out);
	sink_workflow_free(run.sink);
	workflow_outbox_free(run.outbox);
	sink_exchange_close(run.exchange);
	retrying_close(&run.retrying);
	source_queue_close(run.source);
	recovery_free(run.recovery);
	connection_close(run.beside);
	output_release(&run.printed);
	store_close(run.store);
	free(run.queues);
	free(run.own);
	free(run.is_stream);
	orchestrate_free(&run.cast);
	return good;
}
