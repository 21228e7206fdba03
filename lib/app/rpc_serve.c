#include "app/opening.h"
#include "app/progress.h"
#include "app/retrying.h"
#include "app/rpc_print.h"
#include "app/rpc_private.h"
#include "app/rpc_responders.h"
#include "app/watch.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/provision.h"
#include "flow/core_reply.h"
#include "flow/sink_exchange.h"
#include "flow/source_queue.h"
#include "model/marks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAIN_NS (30 * CHRONO_S) /* for requests at work when we are to end */
#define RETRY_NS CHRONO_S
#define REPLY_WINDOW 1000 /* replies without a confirm */

struct run {
	struct tool *tool;
	const struct rpc_options *options;
	struct rpc_responders who;
	struct retrying retrying;
	struct connection *beside; /* replies go over it */
	struct recovery *recovery; /* of that connection */
	struct source_queue *source;
	struct sink_exchange *sink;
	struct core_reply *reply;
	struct rpc_print print;
	struct watch *watch;
	bool has_told; /* that a caller is gone */
};

/* ---- the queues ---- */

/* Makes a queue that is neither in the settings nor there: durable, classic. */
static bool make_queue(struct connection *c, const char *name, struct error *err)
{
	struct provision_state state = {0};
	struct topology topology = {0};
	if (!provision_look_queue(c, name, &state, err))
		return false;
	if (state.exists)
		return true;
	json_t *spec = json_pack("{s:{s:{}}}", "queues", name);
	bool good = topology_read(spec, &topology, reader_keep_first, err) &&
		    provision_apply(c, &topology, NULL, NULL, NULL, err);
	topology_release(&topology);
	json_decref(spec);
	return good;
}

/* Also after the connection was lost, or a queue deleted. */
static bool restore(void *ctx, struct connection *c, struct error *err)
{
	const struct run *run = ctx;
	const struct topology *t = &run->tool->settings.topology;
	if (!run->options->declare)
		return true;
	if (!provision_apply(c, t, run->who.queues, NULL, NULL, err))
		return false;
	for (size_t i = 0; i < run->who.count; i++)
		if (topology_find_queue(t, slice_str(run->who.queues[i])) == NULL &&
		    !make_queue(c, run->who.queues[i], err))
			return false;
	return true;
}

/* ---- the source: requests, acknowledged also when their caller is gone ---- */

static bool tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct flow_source inner = source_queue_source(((struct run *)self)->source);
	return inner.kind->tick(inner.self, flow, now_ns, wake_ns, err);
}

/* To answer again would bring the same. */
static void settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	struct flow_source inner = source_queue_source(((struct run *)self)->source);
	struct flow_outcome told = *outcome;
	if (told.fate == FLOW_RETURNED || told.fate == FLOW_NACKED)
		told.fate = FLOW_ACCEPTED;
	inner.kind->settle(inner.self, token, &told);
}

static void stop(void *self)
{
	struct flow_source inner = source_queue_source(((struct run *)self)->source);
	inner.kind->stop(inner.self);
}

static bool is_done(const void *self)
{
	struct flow_source inner = source_queue_source(((const struct run *)self)->source);
	return inner.kind->is_done(inner.self);
}

static const struct flow_source_kind requests = {tick, settle, stop, is_done};

/* ---- the run ---- */

static bool rescue(void *ctx, uint64_t slot, const struct flow_message *m,
    const struct flow_verdict *verdict, struct message *out)
{
	struct run *run = ctx;
	if (!core_reply_rescue(run->reply, slot, m, verdict, out))
		return false;
	/* what was answered well before is no failure now */
	bool is_error = marks_has(out->headers, MARKS_ERROR);
	watch_rescue(run->watch, slot, is_error ? verdict->reason : NULL, out);
	return true;
}

static bool is_ready(void *ctx)
{
	return rpc_print_is_ready(&((struct run *)ctx)->print);
}

static void on_put(void *ctx, const struct flow_message *m)
{
	struct run *run = ctx;
	rpc_print_message(&run->print, m->message, m->queue, &(struct record_extra){0});
}

static void on_fate(
    void *ctx, const struct flow_message *m, enum flow_fate fate, const char *reason)
{
	struct run *run = ctx;
	if ((fate != FLOW_RETURNED && fate != FLOW_NACKED) || run->has_told)
		return;
	char *shown = text_quote(m->message->reply_to);
	run->has_told = true;
	log_write(LOG_WARNING, "a reply to '%s' %s (%s): its caller %s; further ones are counted",
	    shown, fate == FLOW_RETURNED ? "came back" : "was refused", reason,
	    fate == FLOW_RETURNED ? "is gone" : "gets none");
	free(shown);
}

static void report(const struct run *run, const struct flow *flow, uint64_t elapsed_ns)
{
	const struct core_reply_counts *c = core_reply_counts(run->reply);
	const struct flow_counts *f = flow_counts(flow);
	struct chain_counts steps = {0};
	rpc_responders_count(&run->who, &steps);
	struct retrier_counts sent_on = {0};
	if (run->retrying.retrier != NULL)
		sent_on = *retrier_counts(run->retrying.retrier);
	const struct summary_row rows[] = {
	    {"requests", f->offered, false},
	    {"answered", c->answered, false},
	    {"errors", c->errors, true},
	    {"repeated", c->repeated, true},
	    {"unanswered", c->unanswered, true},
	    {"undeliverable", c->undeliverable, true},
	    {"rejected", c->rejected - sent_on.rejected, true},
	    {"retried", sent_on.retried, true},
	    {"parked", sent_on.parked, true},
	    {"requeued", source_queue_requeued(run->source), true},
	    {"unacknowledged", source_queue_unacknowledged(run->source), true},
	    {"redelivered", f->redelivered, true},
	    {"unenriched", steps.unenriched, true},
	    {"unset_variables", steps.unset_variables, true},
	};
	tool_summarize(run->tool, rows, ARRAY_LEN(rows), elapsed_ns);
}

static void show_banner(const struct run *run)
{
	struct buf line = {0};
	for (size_t i = 0; i < run->who.count; i++) {
		buf_append_str(&line, i > 0 ? ", " : "");
		text_escape(slice_str(run->who.queues[i]), 255, &line);
	}
	log_write(LOG_INFO, "broker %s (%s)", connection_shown(run->tool->connection),
	    connection_server(run->tool->connection));
	log_write(LOG_INFO, "waiting for requests in %s; Ctrl+C ends", line.ptr);
	buf_release(&line);
}

static bool run_flow(struct run *run, struct flow_options *options, struct error *err)
{
	const struct rpc_options *o = run->options;
	const struct watch_options watched = {.parts = {.name = "serve",
						  .queues = run->who.queues,
						  .queue_count = run->who.count,
						  .recovery = run->tool->recovery,
						  .retrier = run->retrying.retrier,
						  .sink = run->sink},
	    .spans = WATCH_PROCESS | WATCH_PUBLISH};
	run->watch = watch_open(run->tool, &watched, options);
	struct flow *flow = flow_create(run->tool->loop, options);
	watch_begin(run->watch, flow);
	struct progress *progress = NULL;
	if (!o->tool.quiet && (o->format == RPC_NONE || !isatty(STDOUT_FILENO)))
		progress =
		    progress_start(run->tool->loop, flow, options->limit, "received", "answered");
	uint64_t start = chrono_now_ns();
	bool good = flow_run(flow, err);
	progress_stop(progress);
	good = rpc_print_finish(&run->print, err) && good;
	report(run, flow, chrono_now_ns() - start);
	watch_end(run->watch);
	flow_free(flow);
	return good;
}

static bool open_source(struct run *run, struct error *err)
{
	const struct source_queue_options options = {.queues = run->who.queues,
	    .queue_count = run->who.count,
	    .prefetch = 1, /* each has its own */
	    .ack = SOURCE_QUEUE_ACK,
	    .idle_ns = run->options->has_idle ? run->options->idle_ns : CHRONO_NEVER,
	    .retry_ns = RETRY_NS,
	    .is_stream = run->who.is_stream,
	    .own = run->who.own,
	    .recovery = run->tool->recovery,
	    .retrier = run->retrying.retrier};
	run->source = opening_shared(run->tool->connection, &options, err);
	return run->source != NULL;
}

static bool open_sink(struct run *run, struct error *err)
{
	struct sink_exchange_options options = {.window = REPLY_WINDOW,
	    .mandatory = SINK_EXCHANGE_ALWAYS,
	    .recovery = run->recovery,
	    /* nothing that one caller asks for ends the others' */
	    .skips_refused = true,
	    .nacks_unfit = true};
	run->sink = sink_exchange_open(run->beside, &options, err);
	return run->sink != NULL;
}

static bool serve(struct run *run, struct error *err)
{
	const struct rpc_options *o = run->options;
	struct flow_options options = {.window = run->who.prefetch,
	    .limit = o->has_count ? o->count : FLOW_NO_LIMIT,
	    .drain_ns = DRAIN_NS,
	    .keep_messages = true,
	    .is_ready = is_ready,
	    .rescue = rescue,
	    .on_put = on_put,
	    .on_fate = on_fate,
	    .ctx = run};
	if (!rpc_responders_wire(&run->who, &options, err) || !open_sink(run, err) ||
	    !open_source(run, err))
		return false;
	struct core_reply_options replying = {.queues = run->who.queues,
	    .names = run->who.names,
	    .count = run->who.count,
	    .connection = run->beside,
	    .memory = rpc_responders_memory(&run->who)};
	run->reply = core_reply_create(&replying);
	options.cores[options.core_count++] = core_reply_core(run->reply);
	show_banner(run);
	rpc_print_init(&run->print, run->tool, (enum rpc_format)o->format, "[>>]");
	options.source = (struct flow_source){&requests, run};
	options.sink = sink_exchange_sink(run->sink);
	bool good = run_flow(run, &options, err);
	rpc_print_release(&run->print);
	return good;
}

static bool prepare(struct run *run, char **operands, struct error *err)
{
	struct tool *tool = run->tool;
	if (!rpc_responders_choose(&run->who, tool, run->options, operands, err) ||
	    !tool_open_loop(tool, err) || !rpc_responders_open(&run->who, err) ||
	    !tool_connect(tool, err) || !restore(run, tool->connection, err))
		return false;
	tool_make_recoverable(tool, restore, run);
	run->beside = tool_connect_beside(tool, err);
	if (run->beside == NULL)
		return false;
	run->recovery = tool_recovery(tool, run->beside, NULL, NULL);
	return retrying_open(tool, run->who.queues, run->who.count, true, &run->retrying, err);
}

static void release(struct run *run)
{
	retrying_close(&run->retrying);
	source_queue_close(run->source);
	sink_exchange_close(run->sink);
	core_reply_free(run->reply);
	recovery_free(run->recovery);
	connection_close(run->beside);
	rpc_responders_release(&run->who);
}

bool rpc_serve(struct tool *tool, const struct rpc_options *o, char **operands, struct error *err)
{
	struct run run = {.tool = tool, .options = o};
	bool good = prepare(&run, operands, err) && serve(&run, err);
	release(&run);
	return good;
}
