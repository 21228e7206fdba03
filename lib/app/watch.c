#include "app/watch.h"

#include "app/tracing.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct watch {
	struct metrics_parts parts;
	struct metrics_flow *figures; /* NULL: no --metrics */
	struct core_trace *trace;     /* NULL: no spans */
};

/* In front of the cores that are there. */
static void put_in_front(struct flow_options *flow, struct flow_core core)
{
	memmove(&flow->cores[1], &flow->cores[0], flow->core_count * sizeof flow->cores[0]);
	memmove(&flow->routes[1], &flow->routes[0], flow->core_count * sizeof flow->routes[0]);
	flow->cores[0] = core;
	flow->routes[0] = 0;
	flow->core_count++;
}

static void put_behind(struct flow_options *flow, struct flow_core core)
{
	flow->routes[flow->core_count] = 0;
	flow->cores[flow->core_count++] = core;
}

static void open_trace(struct watch *watch, struct tool *tool, const struct watch_options *options,
    struct flow_options *flow)
{
	struct core_trace_options o = tracing_core_options(tool->tracing);
	const struct settings *s = &tool->settings;
	const struct uri *uri = s->uri_count > 0 ? &s->uris[0] : NULL;
	const struct uri *from = options->from != NULL ? options->from : uri;
	const struct uri *to = options->to != NULL ? options->to : uri;
	o.is_origin = (options->spans & WATCH_ORIGIN) != 0;
	o.flow = options->parts.name;
	o.is_call = (options->spans & WATCH_CALL) != 0;
	o.exchange = options->exchange;
	o.routing_key = options->routing_key;
	if (from != NULL) {
		o.from_host = from->host;
		o.from_port = from->port;
	}
	if (to != NULL) {
		o.to_host = to->host;
		o.to_port = to->port;
	}
	watch->trace = core_trace_create(&o);
	if ((options->spans & WATCH_PROCESS) != 0)
		put_in_front(flow, core_trace_front(watch->trace));
	if ((options->spans & WATCH_PUBLISH) != 0)
		put_behind(flow, core_trace_back(watch->trace));
}

struct watch *watch_open(
    struct tool *tool, const struct watch_options *options, struct flow_options *flow)
{
	bool has_spans = tool->tracing != NULL && options->spans != WATCH_NO_SPANS;
	if (tool->metrics == NULL && !has_spans)
		return NULL;
	struct watch *watch = mem_alloc(1, sizeof *watch);
	watch->parts = options->parts;
	if (has_spans)
		open_trace(watch, tool, options, flow);
	if (tool->metrics != NULL) {
		watch->figures = metrics_add(tool->metrics, &options->parts);
		put_in_front(flow, metrics_core(watch->figures));
	}
	return watch;
}

void watch_begin(struct watch *watch, const struct flow *flow)
{
	if (watch != NULL && watch->figures != NULL)
		metrics_begin(watch->figures, flow, &watch->parts);
}

void watch_rescue(struct watch *watch, uint64_t slot, const char *reason, struct message *out)
{
	if (watch != NULL && watch->trace != NULL)
		core_trace_rescue(watch->trace, slot, reason, out);
}

void watch_end(struct watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->figures != NULL)
		metrics_end(watch->figures);
	core_trace_free(watch->trace);
	free(watch);
}

/* ---- for the tool ---- */

static bool open_all(struct tool *tool, struct error *err)
{
	const char *address = tool->options->metrics;
	const char *name = tool->command->tool;
	if (address != NULL &&
	    (tool->metrics = metrics_open(tool->loop, address, name, err)) == NULL)
		return false;
	if (!tracing_open(tool->loop, tool->options->otlp, name, &tool->tracing, err))
		return false;
	if (tool->tracing != NULL && tool->metrics != NULL)
		tracing_count(tool->tracing, tool->metrics);
	return true;
}

/* The figures can be had until the last spans are sent. */
static void close_all(struct tool *tool)
{
	if (tool->tracing != NULL && tool->metrics != NULL)
		tracing_freeze(tool->tracing, tool->metrics);
	tracing_close(tool->tracing);
	metrics_close(tool->metrics);
}

const struct tool_watcher watch_watcher = {open_all, close_all};
