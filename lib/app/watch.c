#include "app/watch.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct watch {
	struct metrics_parts parts;
	struct metrics_flow *figures; /* NULL: no --metrics */
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

struct watch *watch_open(
    struct tool *tool, const struct watch_options *options, struct flow_options *flow)
{
	if (tool->metrics == NULL)
		return NULL;
	struct watch *watch = mem_alloc(1, sizeof *watch);
	watch->parts = options->parts;
	watch->figures = metrics_add(tool->metrics, &options->parts);
	put_in_front(flow, metrics_core(watch->figures));
	return watch;
}

void watch_begin(struct watch *watch, const struct flow *flow)
{
	if (watch == NULL)
		return;
	metrics_begin(watch->figures, flow, &watch->parts);
}

void watch_end(struct watch *watch)
{
	if (watch == NULL)
		return;
	metrics_end(watch->figures);
	free(watch);
}
