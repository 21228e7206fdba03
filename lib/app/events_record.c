#include "app/events.h"

#include "app/events_private.h"
#include "app/inquire.h"
#include "app/offset.h"
#include "app/opening.h"
#include "app/progress.h"
#include "app/queues.h"
#include "app/tap.h"
#include "app/watch.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/provision.h"
#include "flow/sink_store.h"
#include "flow/source_queue.h"
#include "store/offsets.h"

#include <stdlib.h>
#include <string.h>

#define DRAIN_NS (10 * CHRONO_S)
#define RETRY_NS CHRONO_S
#define TRACER_QUIET_NS (3 * CHRONO_S) /* then it is said what may be the matter */

struct run {
	struct tool *tool;
	const struct events_options *options;
	struct store *store;
	const char **named; /* queues that are not ours, NULL-terminated */
	struct taps taps;
	/* all that is read, the named ones first; these have as many items */
	size_t queue_count;
	const char **queues;
	bool *is_stream;
	struct source_queue_own *own;
	struct sink_store_feed *feeds;
	struct source_queue *source;
	struct sink_store *sink;
};

/* ---- which queues ---- */

static bool choose_named(struct run *run, struct error *err)
{
	const struct events_options *o = run->options;
	bool only_taps = run->tool->operands[1] == NULL &&
			 (o->taps.count > 0 || o->firehose != EVENTS_FIREHOSE_NONE);
	if (only_taps)
		run->named = mem_alloc(1, sizeof *run->named);
	else
		run->named = queues_choose(run->tool, run->tool->operands + 1,
		    o->tool.settings != NULL && o->declare, err);
	return run->named != NULL;
}

static bool describe(
    struct run *run, const char *name, struct inquire_queue *out, struct error *err)
{
	const struct topology_queue *q =
	    topology_find_queue(&run->tool->settings.topology, slice_str(name));
	if (q == NULL || !q->declared)
		return inquire_queue(run->tool->connection, name, out, err);
	out->is_stream = strcmp(q->type, "stream") == 0;
	out->has_single_active =
	    json_is_true(json_object_get(q->arguments, "x-single-active-consumer"));
	return true;
}

/* Where to begin in a stream: at the last that is in the store, to see that it is still the same
 * stream. */
static json_t *choose_offset(struct run *run, size_t number, struct error *err)
{
	int64_t *last = &run->feeds[number].last_offset;
	if (run->options->offset != NULL)
		return offset_read(run->options->offset, err);
	if (!offsets_last(run->store, run->queues[number], last, err))
		return NULL;
	return *last >= 0 ? json_integer(*last) : json_string("first");
}

static bool add_stream(struct run *run, size_t number, struct error *err)
{
	json_t *offset = choose_offset(run, number, err);
	if (offset == NULL)
		return false;
	run->is_stream[number] = run->feeds[number].is_stream = true;
	run->own[number].arguments = json_pack("{s:o}", "x-stream-offset", offset);
	return true;
}

/* One recorder has a queue for itself: two, or one that comes before the broker knows that the
 * other one is dead, would mix up the order. */
static bool add_named(struct run *run, const char *name, struct error *err)
{
	struct inquire_queue is = {0};
	size_t number = run->queue_count++;
	run->queues[number] = name;
	run->feeds[number] =
	    (struct sink_store_feed){.queue = name, .recorded = slice_str(name), .last_offset = -1};
	if (!describe(run, name, &is, err))
		return false;
	if (is.is_stream)
		return add_stream(run, number, err);
	run->own[number].exclusive = !is.has_single_active;
	return true;
}

static void add_tap(struct run *run, const struct tap *tap)
{
	size_t number = run->queue_count++;
	run->queues[number] = tap->queue;
	run->feeds[number] =
	    (struct sink_store_feed){.queue = tap->queue, .is_firehose = tap->is_firehose};
}

static bool choose_queues(struct run *run, struct error *err)
{
	bool any_stream = false;
	size_t most = run->taps.count + 1;
	for (size_t i = 0; run->named[i] != NULL; i++)
		most++;
	run->queues = mem_alloc(most, sizeof *run->queues);
	run->is_stream = mem_alloc(most, sizeof *run->is_stream);
	run->own = mem_alloc(most, sizeof *run->own);
	run->feeds = mem_alloc(most, sizeof *run->feeds);
	for (size_t i = 0; run->named[i] != NULL; i++) {
		if (!add_named(run, run->named[i], err))
			return false;
		any_stream = any_stream || run->is_stream[i];
	}
	for (size_t i = 0; i < run->taps.count; i++)
		add_tap(run, &run->taps.items[i]);
	return any_stream || run->options->offset == NULL ||
	       error_set(err, ERROR_USAGE, "--offset is for streams; none is read here");
}

/* ---- the run ---- */

static void show_banner(const struct run *run)
{
	struct buf line = {0};
	for (size_t i = 0; i < run->queue_count; i++) {
		size_t named = run->queue_count - run->taps.count;
		const struct tap *tap = i < named ? NULL : &run->taps.items[i - named];
		buf_append_str(&line, i > 0 ? ", " : "");
		buf_append_str(&line, tap == NULL	 ? "queue "
				      : tap->is_firehose ? "the firehose"
							 : "a tap of exchange ");
		if (tap == NULL || !tap->is_firehose)
			text_escape(
			    slice_str(tap == NULL ? run->queues[i] : tap->exchange), 255, &line);
	}
	log_write(LOG_INFO, "broker %s (%s)", connection_shown(run->tool->connection),
	    connection_server(run->tool->connection));
	log_write(LOG_INFO, "recording %s into %s; Ctrl+C ends", line.ptr, store_path(run->store));
	buf_release(&line);
}

/* Whether the firehose is read and has said nothing. */
static bool is_tracer_silent(const struct run *run)
{
	for (size_t i = 0; i < run->queue_count; i++)
		if (run->feeds[i].is_firehose && run->feeds[i].count == 0)
			return true;
	return false;
}

static void look_at_tracer(void *ctx, uint64_t now_ns)
{
	const struct run *run = ctx;
	(void)now_ns;
	if (!is_tracer_silent(run))
		return;
	char *vhost = text_quote(slice_str(run->tool->settings.uris[0].vhost));
	log_write(LOG_WARNING,
	    "the firehose says nothing; is it on? rabbitmqctl trace_on -p %s (and trace_off in the "
	    "end: it slows the broker)",
	    vhost);
	free(vhost);
}

static void report_run(const struct run *run, const struct flow *flow, uint64_t elapsed_ns)
{
	const struct flow_counts *c = flow_counts(flow);
	const struct sink_store_counts *s = sink_store_counts(run->sink);
	const struct summary_row rows[] = {
	    {"received", c->offered, false},
	    {"stored", s->stored, false},
	    {"duplicates", s->duplicates, true},
	    {"reused_ids", s->reused_ids, true},
	    {"unstored", s->unstored, true},
	    {"unacknowledged", source_queue_unacknowledged(run->source), true},
	    {"requeued", source_queue_requeued(run->source), true},
	    {"redelivered", c->redelivered, true},
	};
	tool_summarize(run->tool, rows, ARRAY_LEN(rows), elapsed_ns);
}

/* What was read to its end has to have held the last event that is known of it. */
static bool check_streams(const struct run *run, struct error *err)
{
	for (size_t i = 0; run->options->until_empty && i < run->queue_count; i++) {
		const struct sink_store_feed *feed = &run->feeds[i];
		if (!feed->is_stream || feed->last_offset < 0 || feed->count > 0)
			continue;
		char *shown = text_quote(slice_str(feed->queue));
		error_set(err, ERROR_DATA,
		    "stream '%s' has nothing at offset %lld, where the store ends: was it deleted "
		    "and made anew? record it into another store",
		    shown, (long long)feed->last_offset);
		free(shown);
		return false;
	}
	return true;
}

/* Those that are only read to see that a stream is still the same do not count. */
static uint64_t limit_of(const struct run *run)
{
	uint64_t known = 0;
	for (size_t i = 0; i < run->queue_count; i++)
		known += run->feeds[i].is_stream && run->feeds[i].last_offset >= 0;
	return run->options->has_count ? run->options->count + known : FLOW_NO_LIMIT;
}

static bool run_flow(struct run *run, struct flow_options *options, struct error *err)
{
	struct loop *loop = run->tool->loop;
	uint64_t start = chrono_now_ns();
	const struct watch_options watched = {.parts = {.name = "record",
						  .queues = run->queues,
						  .queue_count = run->queue_count - run->taps.count,
						  .recovery = run->tool->recovery},
	    .spans = WATCH_PROCESS};
	struct watch *watch = watch_open(run->tool, &watched, options);
	struct flow *flow = flow_create(loop, options);
	watch_begin(watch, flow);
	struct progress *progress =
	    run->options->tool.quiet
		? NULL
		: progress_start(loop, flow, options->limit, "received", "settled");
	uint64_t timer = loop_at(loop, start + TRACER_QUIET_NS, look_at_tracer, run);
	bool good = flow_run(flow, err);
	loop_cancel(loop, timer);
	progress_stop(progress);
	report_run(run, flow, chrono_now_ns() - start);
	if (sink_store_counts(run->sink)->unstored > 0)
		run->tool->status = ERROR_UNDELIVERED;
	watch_end(watch);
	flow_free(flow);
	return good && (loop_stop_requested(loop) || check_streams(run, err));
}

static uint16_t prefetch_of(const struct events_options *o)
{
	uint64_t prefetch = o->has_prefetch ? o->prefetch : 4 * o->batch;
	if (!o->has_prefetch && o->has_count && o->count < prefetch)
		prefetch = o->count; /* take no more out of the queue than are wanted */
	return (uint16_t)(prefetch < UINT16_MAX ? prefetch : UINT16_MAX);
}

static bool record(struct run *run, struct error *err)
{
	const struct events_options *o = run->options;
	struct source_queue_options reading = {.queues = run->queues,
	    .queue_count = run->queue_count,
	    .prefetch = prefetch_of(o),
	    .until_empty = o->until_empty,
	    .idle_ns = o->has_idle ? o->idle_ns : CHRONO_NEVER,
	    .retry_ns = RETRY_NS,
	    .is_stream = run->is_stream,
	    .own = run->own,
	    .recovery = run->tool->recovery};
	/* a batch that the prefetch does not allow would wait in vain */
	struct sink_store_options storing = {.store = run->store,
	    .loop = run->tool->loop,
	    .feeds = run->feeds,
	    .feed_count = run->queue_count,
	    .batch_count = o->batch < reading.prefetch ? o->batch : reading.prefetch,
	    .batch_ns = o->batch_ns};
	struct flow_options options = {.window = reading.prefetch * run->queue_count,
	    .limit = limit_of(run),
	    .drain_ns = DRAIN_NS};
	run->source = opening_sole(run->tool, &reading,
	    "a store wants every event of it, in order: stop the other one, or leave the queue to "
	    "it and record the exchange (--tap)",
	    err);
	if (run->source == NULL)
		return false;
	show_banner(run);
	run->sink = sink_store_create(&storing);
	options.source = source_queue_source(run->source);
	options.sink = sink_store_sink(run->sink);
	return run_flow(run, &options, err);
}

/* ---- before it ---- */

/* Also after the connection was lost. */
static bool restore(void *ctx, struct connection *c, struct error *err)
{
	struct run *run = ctx;
	if (run->options->declare &&
	    !provision_apply(c, &run->tool->settings.topology, run->named, NULL, NULL, err))
		return false;
	return tap_declare(&run->taps, c, err) &&
	       opening_is_alone(c, run->queues, run->own, run->queue_count, err);
}

static bool plan_taps(struct run *run, struct error *err)
{
	static const char *const firehoses[] = {
	    [EVENTS_FIREHOSE_PUBLISH] = "publish", [EVENTS_FIREHOSE_DELIVER] = "deliver"};
	const struct events_options *o = run->options;
	const struct tap_options options = {
	    .exchanges = &o->taps, .keys = &o->keys, .firehose = firehoses[o->firehose]};
	return tap_plan(run->tool, &options, &run->taps, err);
}

static bool open_store(struct run *run, struct error *err)
{
	run->store = events_open_store(run->tool, run->options, STORE_CREATE, err);
	return run->store != NULL;
}

static bool prepare(struct run *run, struct error *err)
{
	struct tool *tool = run->tool;
	if (!choose_named(run, err) || !open_store(run, err) || !tool_connect(tool, err))
		return false;
	/* what the settings declare is there when the broker is asked */
	if (run->options->declare && !provision_apply(tool->connection, &tool->settings.topology,
					 run->named, NULL, NULL, err))
		return false;
	if (!plan_taps(run, err) || !tap_declare(&run->taps, tool->connection, err) ||
	    !choose_queues(run, err))
		return false;
	tool_make_recoverable(tool, restore, run);
	return true;
}

bool events_record(
    struct tool *tool, const struct events_options *options, char **operands, struct error *err)
{
	struct run run = {.tool = tool, .options = options};
	(void)operands; /* tool->operands behind the verb */
	bool good = prepare(&run, err) && record(&run, err);
	source_queue_close(run.source);
	sink_store_free(run.sink);
	for (size_t i = 0; run.own != NULL && i < run.queue_count; i++)
		json_decref((json_t *)run.own[i].arguments); /* ours, const for the source */
	free(run.own);
	free(run.feeds);
	free(run.is_stream);
	free(run.queues);
	free(run.named);
	tap_release(&run.taps);
	store_close(run.store);
	return good;
}
