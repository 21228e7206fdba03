#include "app/stream_store.h"

#include "app/inquire.h"
#include "app/progress.h"
#include "base/chrono.h"
#include "base/text.h"
#include "flow/sink_store.h"
#include "flow/source_queue.h"

#include <stdlib.h>

#define PREFETCH 20000
#define BATCH 5000
#define BATCH_NS (50 * CHRONO_MS)
#define DRAIN_NS (10 * CHRONO_S)

static bool check_stream(struct tool *tool, const char *queue, struct error *err)
{
	struct inquire_queue is = {0};
	const struct topology_queue *q =
	    topology_find_queue(&tool->settings.topology, slice_str(queue));
	if (!inquire_queue(tool->connection, queue, &is, err))
		return false;
	if (is.is_stream || (q != NULL && strcmp(q->type, "stream") == 0))
		return true;
	char *shown = text_quote(slice_str(queue));
	error_set(err, ERROR_USAGE,
	    "'%s' is not a stream on this broker: a queue gives each "
	    "message away once",
	    shown);
	free(shown);
	return false;
}

static bool run_flow(
    struct tool *tool, struct source_queue *source, struct sink_store *sink, struct error *err)
{
	struct flow_options options = {.source = source_queue_source(source),
	    .sink = sink_store_sink(sink),
	    .window = PREFETCH,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = DRAIN_NS};
	struct flow *flow = flow_create(tool->loop, &options);
	struct progress *progress =
	    tool->options->quiet ? NULL
				 : progress_start(tool->loop, flow, FLOW_NO_LIMIT, "read", "kept");
	bool good = flow_run(flow, err);
	progress_stop(progress);
	flow_free(flow);
	if (good && loop_stop_requested(tool->loop))
		return error_set(err, ERROR_UNAVAILABLE, "stopped before the stream was read");
	return good;
}

static bool read_stream(
    struct tool *tool, const char *queue, struct store *store, struct error *err)
{
	const bool is_stream = true;
	json_t *arguments = json_pack("{s:s}", "x-stream-offset", "first");
	struct source_queue_options reading = {.queues = &queue,
	    .queue_count = 1,
	    .prefetch = PREFETCH,
	    .until_empty = true,
	    .idle_ns = CHRONO_NEVER,
	    .arguments = arguments,
	    .is_stream = &is_stream};
	struct sink_store_feed feed = {
	    .queue = queue, .recorded = slice_str(queue), .is_stream = true, .last_offset = -1};
	struct sink_store_options keeping = {.store = store,
	    .loop = tool->loop,
	    .feeds = &feed,
	    .feed_count = 1,
	    .batch_count = BATCH,
	    .batch_ns = BATCH_NS};
	struct source_queue *source = source_queue_open(tool->connection, &reading, err);
	struct sink_store *sink = sink_store_create(&keeping);
	bool good = source != NULL && run_flow(tool, source, sink, err);
	source_queue_close(source);
	sink_store_free(sink);
	json_decref(arguments);
	return good;
}

struct store *stream_store_open(struct tool *tool, const char *queue, struct error *err)
{
	if (!tool_connect(tool, err) || !check_stream(tool, queue, err))
		return NULL;
	char *shown = text_quote(slice_str(queue));
	struct store *store = store_open_temporary(queue, err);
	if (store != NULL && !read_stream(tool, queue, store, err)) {
		store_close(store);
		store = NULL;
		error_context(err, "stream '%s'", shown);
	}
	free(shown);
	return store;
}
