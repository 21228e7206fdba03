#include "app/chain.h"
#include "app/progress.h"
#include "app/retrying.h"
#include "app/rpc_print.h"
#include "app/rpc_private.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/provision.h"
#include "flow/core_reply.h"
#include "flow/sink_exchange.h"
#include "flow/source_queue.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAIN_NS (30 * CHRONO_S) /* for requests at work when we are to end */
#define RETRY_NS CHRONO_S
#define REPLY_WINDOW 1000 /* replies without a confirm */
#define NACK_RETRIES 5
#define DEFAULT_PREFETCH 100

/* A queue and what answers the requests in it. */
struct responder {
	char *name;	     /* "rpc/prices": of the chain and of the replies; owned */
	const char *queue;   /* borrowed */
	const json_t *steps; /* NULL: the request is the answer */
	char *pointer;	     /* of the steps in the settings; owned, NULL: no place */
	uint64_t prefetch;   /* 0: by the steps */
	struct chain *chain;
};

struct run {
	struct tool *tool;
	const struct rpc_options *options;
	struct responder *responders;
	size_t count;
	json_t *steps; /* of the command line */
	/* by responder */
	const char **queues, **names;
	bool *is_stream;
	struct source_queue_own *own;
	struct retrying retrying;
	struct connection *beside; /* replies go over it */
	struct recovery *recovery; /* of that connection */
	struct source_queue *source;
	struct sink_exchange *sink;
	struct core_reply *reply;
	struct rpc_print print;
	bool has_told; /* that a caller is gone */
};

/* ---- who answers what ---- */

static bool add_responder(
    struct run *run, const char *name, const char *queue, const json_t *steps, struct error *err)
{
	for (size_t i = 0; i < run->count; i++) {
		if (strcmp(run->responders[i].queue, queue) != 0)
			continue;
		char *shown = text_quote(slice_str(queue));
		error_set(err, ERROR_USAGE, "two are to answer the requests in '%s'", shown);
		free(shown);
		return false;
	}
	run->responders[run->count++] =
	    (struct responder){.name = mem_printf("rpc/%s", name), .queue = queue, .steps = steps};
	return true;
}

static bool add_named(struct run *run, const char *name, const json_t *spec, struct error *err)
{
	const char *queue = json_string_value(json_object_get(spec, "queue"));
	if (!add_responder(run, name, queue, json_object_get(spec, "core"), err))
		return false;
	struct responder *r = &run->responders[run->count - 1];
	r->pointer = mem_printf("/responders/%s/core", name); /* names have nothing to escape */
	r->prefetch = (uint64_t)json_integer_value(json_object_get(spec, "prefetch"));
	return true;
}

static bool unknown_responder(const json_t *all, const char *name, struct error *err)
{
	const char **names = mem_alloc(json_object_size(all) + 1, sizeof *names), *known;
	size_t count = 0;
	const json_t *value;
	json_object_foreach((json_t *)(uintptr_t)all, known, value) names[count++] = known;
	settings_lack(
	    "responder", name, names, "for a queue say what answers: --jq, --exec or --echo", err);
	free(names);
	return false;
}

/* Responders of the settings: the named ones, or all. */
static bool choose_responders(struct run *run, char **operands, struct error *err)
{
	const json_t *root = document_root(run->tool->settings.document);
	const json_t *all = json_object_get(root, "responders");
	const char *name;
	json_t *spec;
	if (json_object_size(all) == 0)
		return error_set(err, ERROR_USAGE,
		    "what answers? give --jq, --exec or --echo, or settings with responders");
	run->responders = mem_alloc(json_object_size(all) + 1, sizeof *run->responders);
	for (size_t i = 0; operands[i] != NULL; i++) {
		spec = json_object_get(all, operands[i]);
		if (spec == NULL)
			return unknown_responder(all, operands[i], err);
		if (!add_named(run, operands[i], spec, err))
			return false;
	}
	if (operands[0] != NULL)
		return true;
	json_object_foreach((json_t *)(uintptr_t)all, name,
	    spec) if (!add_named(run, name, spec, err)) return false;
	return true;
}

static json_t *build_steps(const struct rpc_options *o)
{
	json_t *steps = json_array(), *exec;
	if (o->jq != NULL)
		json_array_append_new(steps, json_pack("{s:s}", "jq", o->jq));
	if (o->exec == NULL)
		return steps;
	exec = json_pack("{s:s, s:b, s:I}", "exec", o->exec, "shell", o->exec_shell, "jobs",
	    (json_int_t)o->exec_jobs);
	if (o->has_exec_timeout)
		json_object_set_new(
		    exec, "timeout", json_real((double)o->exec_timeout_ns / (double)CHRONO_S));
	json_array_append_new(steps, exec);
	return steps;
}

/* The queues of the command line, with one answer for all. */
static bool choose_queues(struct run *run, char **operands, struct error *err)
{
	const struct rpc_options *o = run->options;
	size_t count = 0;
	while (operands[count] != NULL)
		count++;
	if (count == 0)
		return error_set(
		    err, ERROR_USAGE, "whose requests? name the QUEUE that they come to");
	if (o->echo && (o->jq != NULL || o->exec != NULL))
		return error_set(err, ERROR_USAGE, "--echo excludes --jq and --exec");
	run->steps = build_steps(o);
	run->responders = mem_alloc(count, sizeof *run->responders);
	for (size_t i = 0; i < count; i++)
		if (!add_responder(run, operands[i], operands[i], run->steps, err))
			return false;
	return true;
}

/* Who waits for a process has no use for many more requests than processes. */
static uint64_t prefetch_for(const json_t *steps)
{
	uint64_t jobs = 0;
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i), *own = json_object_get(step, "jobs");
		if (json_object_get(step, "exec") != NULL)
			jobs += own != NULL ? (uint64_t)json_integer_value(own) : 1;
	}
	return jobs > 0 ? jobs : DEFAULT_PREFETCH;
}

static void list_queues(struct run *run)
{
	run->queues = mem_alloc(run->count + 1, sizeof *run->queues);
	run->names = mem_alloc(run->count + 1, sizeof *run->names);
	run->is_stream = mem_alloc(run->count, sizeof *run->is_stream);
	run->own = mem_alloc(run->count, sizeof *run->own);
	for (size_t i = 0; i < run->count; i++) {
		struct responder *r = &run->responders[i];
		run->queues[i] = r->queue;
		run->names[i] = r->name;
		if (run->options->has_prefetch)
			r->prefetch = run->options->prefetch;
		else if (r->prefetch == 0)
			r->prefetch = prefetch_for(r->steps);
		run->own[i] = (struct source_queue_own){.prefetch = (uint16_t)r->prefetch};
	}
}

static bool choose(struct run *run, char **operands, struct error *err)
{
	const struct rpc_options *o = run->options;
	bool is_said = o->jq != NULL || o->exec != NULL || o->echo;
	if (o->exec == NULL && (o->exec_shell || o->has_exec_timeout || o->has_exec_jobs))
		return error_set(err, ERROR_USAGE,
		    "--exec-shell, --exec-timeout and --exec-jobs go with --exec");
	if (!(is_said ? choose_queues : choose_responders)(run, operands, err))
		return false;
	list_queues(run);
	return true;
}

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
	if (!provision_apply(c, t, run->queues, NULL, NULL, err))
		return false;
	for (size_t i = 0; i < run->count; i++)
		if (topology_find_queue(t, slice_str(run->queues[i])) == NULL &&
		    !make_queue(c, run->queues[i], err))
			return false;
	return true;
}

/* ---- logic ---- */

static bool open_chains(struct run *run, struct error *err)
{
	for (size_t i = 0; i < run->count; i++) {
		struct responder *r = &run->responders[i];
		struct chain_options options = {
		    .tool = run->tool, .name = r->name, .one_answer = true};
		r->chain = chain_create(&options);
		if (!chain_add(r->chain, r->steps, r->pointer, (unsigned)i + 1, err))
			return false;
	}
	return true;
}

/* The first core: requests go to what answers those of their queue. */
static enum flow_answer set_route(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	const struct run *run = self;
	(void)out, (void)verdict;
	for (size_t i = 0; i < run->count; i++)
		if (slice_is(in->queue, run->queues[i]))
			flow_set_route(flow, slot, (unsigned)i + 1);
	return FLOW_PASS;
}

static bool wire_cores(struct run *run, struct flow_options *flow, struct error *err)
{
	static const struct flow_core_kind route = {.apply = set_route};
	size_t count = 2;
	for (size_t i = 0; i < run->count; i++)
		count += chain_length(run->responders[i].chain);
	if (count > FLOW_MAX_CORES)
		return error_set(err, ERROR_USAGE,
		    "more than %d steps in all: start several servers", FLOW_MAX_CORES - 2);
	flow->cores[flow->core_count++] = (struct flow_core){&route, run};
	for (size_t i = 0; i < run->count; i++)
		chain_wire(run->responders[i].chain, flow);
	struct core_reply_options options = {.queues = run->queues,
	    .names = run->names,
	    .count = run->count,
	    .connection = run->beside};
	run->reply = core_reply_create(&options);
	flow->cores[flow->core_count++] = core_reply_core(run->reply);
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
	return core_reply_rescue(((struct run *)ctx)->reply, slot, m, verdict, out);
}

static bool is_ready(void *ctx)
{
	return rpc_print_is_ready(&((struct run *)ctx)->print);
}

static void on_put(void *ctx, const struct flow_message *m)
{
	struct run *run = ctx;
	struct record_extra extra = {.queue = m->queue};
	rpc_print_message(&run->print, m->message, &extra);
}

static void on_fate(
    void *ctx, const struct flow_message *m, enum flow_fate fate, const char *reason)
{
	struct run *run = ctx;
	if ((fate != FLOW_RETURNED && fate != FLOW_NACKED) || run->has_told)
		return;
	char *shown = text_quote(m->message->reply_to);
	run->has_told = true;
	log_write(LOG_WARNING,
	    "a reply to '%s' came back (%s): its caller is gone; further ones are counted", shown,
	    reason);
	free(shown);
}

static void report(const struct run *run, const struct flow *flow, uint64_t elapsed_ns)
{
	const struct core_reply_counts *c = core_reply_counts(run->reply);
	const struct flow_counts *f = flow_counts(flow);
	struct retrier_counts sent_on = {0};
	if (run->retrying.retrier != NULL)
		sent_on = *retrier_counts(run->retrying.retrier);
	const struct summary_row rows[] = {
	    {"requests", f->offered, false},
	    {"answered", c->answered, false},
	    {"errors", c->errors, true},
	    {"unanswered", c->unanswered, true},
	    {"undeliverable", c->undeliverable, true},
	    {"rejected", c->rejected - sent_on.rejected, true},
	    {"retried", sent_on.retried, true},
	    {"parked", sent_on.parked, true},
	    {"requeued", source_queue_requeued(run->source), true},
	    {"unacknowledged", source_queue_unacknowledged(run->source), true},
	    {"redelivered", f->redelivered, true},
	};
	tool_summarize(run->tool, rows, ARRAY_LEN(rows), elapsed_ns);
}

static void show_banner(const struct run *run)
{
	struct buf line = {0};
	for (size_t i = 0; i < run->count; i++) {
		buf_append_str(&line, i > 0 ? ", " : "");
		text_escape(slice_str(run->queues[i]), 255, &line);
	}
	log_write(LOG_INFO, "broker %s (%s)", connection_shown(run->tool->connection),
	    connection_server(run->tool->connection));
	log_write(LOG_INFO, "waiting for requests in %s; Ctrl+C ends", line.ptr);
	buf_release(&line);
}

static bool run_flow(struct run *run, struct flow_options *options, struct error *err)
{
	const struct rpc_options *o = run->options;
	struct flow *flow = flow_create(run->tool->loop, options);
	struct progress *progress = NULL;
	if (!o->tool.quiet && (o->format == RPC_NONE || !isatty(STDOUT_FILENO)))
		progress =
		    progress_start(run->tool->loop, flow, options->limit, "requests", "answered");
	uint64_t start = chrono_now_ns();
	bool good = flow_run(flow, err);
	progress_stop(progress);
	good = rpc_print_finish(&run->print, err) && good;
	report(run, flow, chrono_now_ns() - start);
	flow_free(flow);
	return good;
}

/* Who starts beside others may find a queue that is declared, but not yet at work. */
static bool open_source(struct run *run, struct error *err)
{
	struct recovery *recovery = run->tool->recovery;
	struct source_queue_options options = {.queues = run->queues,
	    .queue_count = run->count,
	    .prefetch = DEFAULT_PREFETCH,
	    .ack = SOURCE_QUEUE_ACK,
	    .idle_ns = run->options->has_idle ? run->options->idle_ns : CHRONO_NEVER,
	    .retry_ns = RETRY_NS,
	    .is_stream = run->is_stream,
	    .own = run->own,
	    .recovery = recovery,
	    .retrier = run->retrying.retrier};
	run->source = source_queue_open(run->tool->connection, &options, err);
	while (run->source == NULL && recovery != NULL && recovery_was_too_early(recovery)) {
		error_clear(err);
		if (!recovery_renew(recovery, err))
			break;
		run->source = source_queue_open(run->tool->connection, &options, err);
	}
	return run->source != NULL;
}

static bool open_sink(struct run *run, struct error *err)
{
	struct sink_exchange_options options = {.window = REPLY_WINDOW,
	    .mandatory = SINK_EXCHANGE_ALWAYS,
	    .recovery = run->recovery,
	    .nack_retries = NACK_RETRIES,
	    .skips_refused = true};
	run->sink = sink_exchange_open(run->beside, &options, err);
	return run->sink != NULL;
}

static bool serve(struct run *run, struct error *err)
{
	const struct rpc_options *o = run->options;
	size_t window = 0;
	for (size_t i = 0; i < run->count; i++)
		window += run->responders[i].prefetch;
	struct flow_options options = {.window = window,
	    .limit = o->has_count ? o->count : FLOW_NO_LIMIT,
	    .drain_ns = DRAIN_NS,
	    .keep_messages = true,
	    .is_ready = is_ready,
	    .rescue = rescue,
	    .on_put = on_put,
	    .on_fate = on_fate,
	    .ctx = run};
	if (!wire_cores(run, &options, err) || !open_sink(run, err) || !open_source(run, err))
		return false;
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
	if (!choose(run, operands, err) || !tool_open_loop(tool, err) || !open_chains(run, err) ||
	    !tool_connect(tool, err) || !restore(run, tool->connection, err))
		return false;
	tool_make_recoverable(tool, restore, run);
	run->beside = tool_connect_beside(tool, err);
	if (run->beside == NULL)
		return false;
	run->recovery = tool_recovery(tool, run->beside, NULL, NULL);
	return retrying_open(tool, run->queues, run->count, true, &run->retrying, err);
}

static void release(struct run *run)
{
	retrying_close(&run->retrying);
	source_queue_close(run->source);
	sink_exchange_close(run->sink);
	core_reply_free(run->reply);
	recovery_free(run->recovery);
	connection_close(run->beside);
	for (size_t i = 0; i < run->count; i++) {
		chain_free(run->responders[i].chain);
		free(run->responders[i].name);
		free(run->responders[i].pointer);
	}
	free(run->responders);
	free(run->queues);
	free(run->names);
	free(run->is_stream);
	free(run->own);
	json_decref(run->steps);
}

bool rpc_serve(struct tool *tool, const struct rpc_options *o, char **operands, struct error *err)
{
	struct run run = {.tool = tool, .options = o};
	bool good = prepare(&run, operands, err) && serve(&run, err);
	release(&run);
	return good;
}
