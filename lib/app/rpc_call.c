#include "app/from.h"
#include "app/paced.h"
#include "app/progress.h"
#include "app/rpc_print.h"
#include "app/rpc_private.h"
#include "app/watch.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "broker/provision.h"
#include "broker/requester.h"
#include "flow/sink_call.h"
#include "flow/source_pattern.h"
#include "flow/source_texts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GRACE_NS CHRONO_S /* after the last deadline */

/* What is asked: of the sources one is not NULL. */
struct run {
	struct tool *tool;
	const struct rpc_options *options;
	char **bodies;			    /* ends with NULL */
	const char *queue;		    /* NULL: where the exchange or the messages say */
	struct slice exchange, routing_key; /* ptr NULL: where the messages say */
	uint64_t seed;
	struct pace_plan *plans; /* owned: of texts and lines the first, else by pattern */
	size_t plan_count;
	struct source_pattern_member *members;
	struct source_pattern *patterns;
	struct from *from;
	json_t *spec;		       /* what texts and lines are like, */
	struct settings_message plain; /* as a message */
	struct pattern *pattern;       /* of the texts */
	struct source_texts *texts;
	struct sink_call *sink;
	struct rpc_print print;
};

/* ---- what is asked ---- */

static bool read_plan(struct run *run, const json_t *spec, struct error *err)
{
	const struct rpc_options *o = run->options;
	const struct paced paced = {.has_amount = o->has_amount,
	    .amount = o->amount,
	    .has_rate = o->has_rate,
	    .rate = o->rate};
	if (!paced_read(spec, &paced, &run->plans[run->plan_count], err))
		return false;
	run->plan_count++;
	return true;
}

static bool open_patterns(struct run *run, struct flow_source *out, struct error *err)
{
	const struct option_list *names = &run->options->messages;
	const struct settings *s = &run->tool->settings;
	run->members = mem_alloc(names->count, sizeof *run->members);
	for (size_t i = 0; i < names->count; i++) {
		const struct settings_message *m = settings_need_message(s, names->items[i], err);
		if (m == NULL)
			return false;
		if (!read_plan(run, m->spec, err))
			return false;
		run->members[i] =
		    (struct source_pattern_member){m->name, m->pattern, &run->plans[i]};
	}
	struct source_pattern_options options = {
	    .members = run->members, .count = names->count, .seed = run->seed};
	run->patterns = source_pattern_create(&options);
	*out = source_pattern_source(run->patterns);
	return true;
}

static bool open_lines(struct run *run, struct flow_source *out, struct error *err)
{
	const struct rpc_options *o = run->options;
	if (!read_plan(run, NULL, err))
		return false;
	struct from_options options = {.path = o->from,
	    .format = (enum source_lines_format)o->from_format,
	    .model = &run->plain,
	    .pools = run->tool->settings.pools,
	    .plan = &run->plans[0],
	    .seed = run->seed,
	    .loop = run->tool->loop};
	run->from = from_open(&options, err);
	if (run->from != NULL)
		*out = from_source(run->from);
	return run->from != NULL;
}

static bool open_texts(struct run *run, struct flow_source *out, struct error *err)
{
	run->pattern = pattern_create(NULL, run->plain.spec, ".", NULL, reader_keep_first, err);
	if (run->pattern == NULL || !read_plan(run, NULL, err))
		return false;
	struct source_texts_options options = {.texts = run->bodies,
	    .pattern = run->pattern,
	    .plan = &run->plans[0],
	    .seed = run->seed};
	run->texts = source_texts_create(&options);
	*out = source_texts_source(run->texts);
	return true;
}

static bool open_source(struct run *run, struct flow_source *out, struct error *err)
{
	/* who waits for an answer asks again after a power failure: no disk has to have it */
	run->spec = json_pack("{s:s, s:{s:b}}", "body", "", "properties", "persistent", false);
	run->plain.spec = run->spec;
	run->plans = mem_alloc(run->options->messages.count + 1, sizeof *run->plans);
	if (run->options->messages.count > 0)
		return open_patterns(run, out, err);
	return (run->options->from != NULL ? open_lines : open_texts)(run, out, err);
}

/* QUEUE [BODY...]; with --exchange all are bodies. */
static bool read_operands(struct run *run, char **operands, struct error *err)
{
	const struct rpc_options *o = run->options;
	bool is_addressed = o->exchange != NULL || o->routing_key != NULL;
	run->queue = is_addressed ? NULL : operands[0];
	run->bodies = operands + (run->queue != NULL);
	int ways = (run->bodies[0] != NULL) + (o->from != NULL) + (o->messages.count > 0);
	if (run->queue == NULL && !is_addressed && o->messages.count == 0)
		return error_set(err, ERROR_USAGE,
		    "whom to ask? name the QUEUE of the requests, or give --exchange and "
		    "--routing-key");
	if (o->exchange != NULL && o->routing_key == NULL)
		return error_set(err, ERROR_USAGE, "--exchange goes with --routing-key");
	if (ways == 0)
		return error_set(err, ERROR_USAGE,
		    "what to ask? give a BODY behind the queue, --from FILE or --message NAME");
	if (ways > 1)
		return error_set(err, ERROR_USAGE, "BODY, --from and --message exclude each other");
	if (o->from == NULL && o->has_from_format)
		return error_set(err, ERROR_USAGE, "--from-format goes with --from");
	return true;
}

/* ---- what becomes of it ---- */

static void on_reply(void *ctx, const struct sink_call_reply *reply)
{
	struct run *run = ctx;
	uint64_t latency_us = reply->latency_ns / CHRONO_US;
	struct record_extra extra = {.queue = reply->queue,
	    .fate = reply->error != NULL ? "error" : "answered",
	    .reason = slice_str(reply->error),
	    .latency_us = &latency_us};
	rpc_print_message(&run->print, reply->message, run->routing_key, &extra);
	if (reply->error != NULL && run->print.format != RPC_JSON)
		log_write(LOG_WARNING, "an error came back: %s", reply->error);
}

static void warn(const struct flow_message *m, const char *fate, const char *reason)
{
	struct buf line = {0};
	buf_append_str(&line, "request ");
	text_escape(m->id, SIZE_MAX, &line);
	log_write(LOG_WARNING, "%s: %s%s%s", line.ptr, fate, reason[0] != '\0' ? ": " : "", reason);
	buf_release(&line);
}

/* Replies were shown as they came. */
static void on_fate(
    void *ctx, const struct flow_message *m, enum flow_fate fate, const char *reason)
{
	static const char *const names[FLOW_FATE_COUNT] = {
	    [FLOW_RETURNED] = "returned",
	    [FLOW_NACKED] = "nacked",
	    [FLOW_RELEASED] = "unsent",
	};
	struct run *run = ctx;
	if (fate == FLOW_ACCEPTED || fate == FLOW_REJECTED)
		return;
	const char *name = fate != FLOW_UNCONFIRMED		 ? names[fate]
			   : strcmp(reason, SINK_CALL_LATE) == 0 ? "timeout"
								 : "lost";
	struct record_extra extra = {.fate = name, .reason = slice_str(reason)};
	if (run->print.format != RPC_JSON) {
		warn(m, name, reason);
		return;
	}
	struct message request = *m->message;
	if (run->routing_key.ptr != NULL) {
		request.exchange = run->exchange;
		request.routing_key = run->routing_key;
	}
	rpc_print_message(&run->print, &request, request.routing_key, &extra);
}

static bool is_ready(void *ctx)
{
	return rpc_print_is_ready(&((struct run *)ctx)->print);
}

/* ---- the run ---- */

static void tell_latency(const struct histogram *h)
{
	static const struct {
		const char *name;
		double share;
	} rows[] = {{"min", 0}, {", median", 0.5}, {", p95", 0.95}, {", p99", 0.99}, {", max", 1}};
	struct buf line = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_printf(&line, "%s ", rows[i].name);
		num_format_duration(
		    histogram_percentile(h, rows[i].share) / CHRONO_US * CHRONO_US, &line);
	}
	if (h->count > 0)
		log_write(LOG_INFO, "latency %s", line.ptr);
	buf_release(&line);
}

static uint64_t percentile_us(const struct histogram *h, double share)
{
	return histogram_percentile(h, share) / CHRONO_US;
}

static void report(const struct run *run, const struct flow *flow, uint64_t elapsed_ns)
{
	const struct sink_call_counts *c = sink_call_counts(run->sink);
	const struct histogram *h = sink_call_latency(run->sink);
	uint64_t unsent = flow_counts(flow)->fates[FLOW_RELEASED];
	const struct summary_row rows[] = {
	    {"calls", flow_counts(flow)->offered, false},
	    {"answered", c->answered, false},
	    {"errors", c->errors, true},
	    {"timeouts", c->timeouts, true},
	    {"returned", c->returned, true},
	    {"nacked", c->nacked, true},
	    {"lost", c->lost, true},
	    {"unsent", unsent, true},
	    {"late", c->late, true},
	    {"duplicates", c->duplicates, true},
	    {"foreign", c->foreign, true},
	    {"latency_min_us", percentile_us(h, 0), SUMMARY_ONLY_JSON},
	    {"latency_p50_us", percentile_us(h, 0.5), SUMMARY_ONLY_JSON},
	    {"latency_p95_us", percentile_us(h, 0.95), SUMMARY_ONLY_JSON},
	    {"latency_p99_us", percentile_us(h, 0.99), SUMMARY_ONLY_JSON},
	    {"latency_max_us", percentile_us(h, 1), SUMMARY_ONLY_JSON},
	};
	tool_summarize(run->tool, rows, ARRAY_LEN(rows), elapsed_ns);
	if (run->options->tool.summary == SUMMARY_TEXT && !run->options->tool.quiet)
		tell_latency(h);
}

static uint64_t goal_of(const struct run *run)
{
	uint64_t goal = 0;
	if (run->from != NULL)
		return run->options->has_amount ? run->options->amount : FLOW_NO_LIMIT;
	for (size_t i = 0; run->patterns != NULL && i < run->plan_count; i++) {
		if (run->plans[i].unlimited)
			return FLOW_NO_LIMIT;
		goal += run->plans[i].amount;
	}
	return run->patterns != NULL ? goal : FLOW_NO_LIMIT;
}

static bool run_flow(struct run *run, struct flow_source source, struct error *err)
{
	const struct rpc_options *o = run->options;
	struct flow_options options = {.source = source,
	    .sink = sink_call_sink(run->sink),
	    .window = o->in_flight,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = chrono_after(o->deadline_ns, GRACE_NS),
	    .keep_messages = run->print.format == RPC_JSON,
	    .is_ready = is_ready,
	    .on_fate = on_fate,
	    .ctx = run};
	const struct watch_options watched = {
	    .parts = {.name = "call", .recovery = run->tool->recovery},
	    .spans = WATCH_PUBLISH | WATCH_CALL | (run->patterns != NULL ? WATCH_ORIGIN : 0U),
	    .exchange = run->exchange,
	    .routing_key = run->routing_key};
	struct watch *watch = watch_open(run->tool, &watched, &options);
	struct flow *flow = flow_create(run->tool->loop, &options);
	watch_begin(watch, flow);
	struct progress *progress = NULL;
	if (!o->tool.quiet && (o->format == RPC_NONE || !isatty(STDOUT_FILENO)))
		progress = progress_start(run->tool->loop, flow, goal_of(run), "asked", "answered");
	uint64_t start = chrono_now_ns();
	bool good = flow_run(flow, err);
	progress_stop(progress);
	good = rpc_print_finish(&run->print, err) && good;
	report(run, flow, chrono_now_ns() - start);
	if (good && sink_call_counts(run->sink)->answered != flow_counts(flow)->offered)
		run->tool->status = ERROR_UNDELIVERED;
	watch_end(watch);
	flow_free(flow);
	return good;
}

/* Also after the connection was lost. */
static bool restore(void *ctx, struct connection *c, struct error *err)
{
	const struct run *run = ctx;
	return !run->options->declare ||
	       provision_apply(c, &run->tool->settings.topology, NULL, NULL, NULL, err);
}

/* Where requests go, whatever they say. */
static void choose_place(struct run *run)
{
	const struct rpc_options *o = run->options;
	run->exchange = slice_str(o->exchange);
	run->routing_key = slice_str(o->routing_key);
	if (run->queue != NULL) {
		run->exchange = SLICE("");
		run->routing_key = slice_str(run->queue);
	} else if (o->routing_key != NULL && o->exchange == NULL) {
		run->exchange = SLICE("");
	}
}

static bool open_sink(struct run *run, struct error *err)
{
	const struct rpc_options *o = run->options;
	choose_place(run);
	bool is_own = o->reply_queue != NULL && strcmp(o->reply_queue, RPC_OWN_QUEUE) == 0;
	struct sink_call_options options = {.loop = run->tool->loop,
	    .reply_queue = is_own ? REQUESTER_OWN_QUEUE : o->reply_queue,
	    .exchange = run->exchange,
	    .routing_key = run->routing_key,
	    .deadline_ns = o->deadline_ns,
	    .window = o->in_flight,
	    .run = rng_entropy(),
	    .recovery = run->tool->recovery,
	    .on_reply = on_reply,
	    .ctx = run};
	run->sink = sink_call_open(run->tool->connection, &options, err);
	return run->sink != NULL;
}

static bool call(struct run *run, struct error *err)
{
	struct flow_source source;
	if (!tool_open_loop(run->tool, err) || !open_source(run, &source, err) ||
	    !tool_connect(run->tool, err))
		return false;
	log_write(LOG_INFO, "broker %s (%s)", connection_shown(run->tool->connection),
	    connection_server(run->tool->connection));
	if (!restore(run, run->tool->connection, err))
		return false;
	tool_make_recoverable(run->tool, restore, run);
	if (!open_sink(run, err))
		return false;
	rpc_print_init(&run->print, run->tool, (enum rpc_format)run->options->format, "[<<]");
	bool good = run_flow(run, source, err);
	rpc_print_release(&run->print);
	return good;
}

bool rpc_call(struct tool *tool, const struct rpc_options *o, char **operands, struct error *err)
{
	struct run run = {
	    .tool = tool, .options = o, .seed = o->has_seed ? o->seed : rng_entropy()};
	bool good = read_operands(&run, operands, err) && call(&run, err);
	sink_call_close(run.sink);
	source_texts_free(run.texts);
	source_pattern_free(run.patterns);
	from_close(run.from);
	pattern_free(run.pattern);
	for (size_t i = 0; i < run.plan_count; i++)
		pace_plan_release(&run.plans[i]);
	json_decref(run.spec);
	free(run.plans);
	free(run.members);
	return good;
}
