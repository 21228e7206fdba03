#include "app/orchestrate_watch.h"

static uint64_t count_started(const void *ctx)
{
	return sink_workflow_counts(ctx)->started;
}

static uint64_t count_completed(const void *ctx)
{
	return sink_workflow_counts(ctx)->completed;
}

static uint64_t count_aborted(const void *ctx)
{
	return sink_workflow_counts(ctx)->aborted;
}

static void count(struct metrics *metrics, const struct sink_workflow *workflows)
{
	metrics_count(metrics, "warren_workflows_started_total", "Instances that were begun.",
	    count_started, workflows);
	metrics_count(metrics, "warren_workflows_completed_total",
	    "Instances that came to their end.", count_completed, workflows);
	metrics_count(metrics, "warren_workflows_aborted_total",
	    "Instances of which a step failed, and what was done was undone.", count_aborted,
	    workflows);
}

void orchestrate_watch_open(struct orchestrate_watch *w, struct tool *tool,
    const struct orchestrate_watch_options *options, struct flow_options *in,
    struct flow_options *out)
{
	const struct watch_options coming = {.parts = {.name = "events",
						 .queues = options->queues,
						 .queue_count = options->queue_count,
						 .recovery = tool->recovery,
						 .retrier = options->retrier},
	    .spans = WATCH_PROCESS};
	const struct watch_options going = {
	    .parts = {.name = "requests", .recovery = options->recovery, .sink = options->requests},
	    .spans = WATCH_PUBLISH};
	*w = (struct orchestrate_watch){tool->metrics, options->workflows,
	    watch_open(tool, &coming, in), watch_open(tool, &going, out)};
	if (tool->metrics != NULL)
		count(tool->metrics, options->workflows);
}

void orchestrate_watch_begin(
    struct orchestrate_watch *w, const struct flow *in, const struct flow *out)
{
	watch_begin(w->in, in);
	watch_begin(w->out, out);
}

void orchestrate_watch_end(struct orchestrate_watch *w)
{
	if (w->metrics != NULL)
		metrics_freeze(w->metrics, w->workflows);
	watch_end(w->in);
	watch_end(w->out);
	*w = (struct orchestrate_watch){0};
}
