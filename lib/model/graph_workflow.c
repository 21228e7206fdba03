/* The steps of a workflow: forward, and back. */
#include "model/graph_private.h"

#include "base/num.h"

#include <stdlib.h>

struct drawing {
	struct graph_builder b;
	const struct workflow *w;
	size_t steps[WORKFLOW_MAX_STEPS], undos[WORKFLOW_MAX_STEPS];
	size_t completed, failed;
};

static void say(struct drawing *d, size_t from, size_t to, bool is_aside, const char *text)
{
	struct buf label = {0};
	buf_append_str(&label, text);
	graph_add_edge(&d->b, from, to, is_aside, &label);
}

static const char *place_of(const struct workflow_letter *letter)
{
	return letter->routing_key[0] != '\0' ? letter->routing_key : letter->exchange;
}

/* What is undone first when the steps before `end` are to be. */
static size_t undo_before(const struct drawing *d, size_t end)
{
	for (size_t i = end; i > 0; i--)
		if (d->w->steps[i - 1].has_compensation)
			return d->undos[i - 1];
	return d->failed;
}

static void add_nodes(struct drawing *d)
{
	const struct workflow *w = d->w;
	for (size_t i = 0; i < w->step_count; i++)
		d->steps[i] = graph_add_node(
		    &d->b, GRAPH_STEP, w->steps[i].name, "step, ", place_of(&w->steps[i].request));
	for (size_t i = w->step_count; i > 0; i--)
		if (w->steps[i - 1].has_compensation)
			d->undos[i - 1] = graph_add_node(&d->b, GRAPH_UNDO, w->steps[i - 1].name,
			    "undone, ", place_of(&w->steps[i - 1].compensation));
	d->completed = graph_add_node(&d->b, GRAPH_MESSAGE, "completed",
	    w->has_completed ? "event, " : "end", w->has_completed ? place_of(&w->completed) : "");
	d->failed = graph_add_node(&d->b, GRAPH_MESSAGE, "failed",
	    w->has_failed ? "event, " : "end", w->has_failed ? place_of(&w->failed) : "");
}

/* "no reply in 30s, 3 times" */
static void write_timeout(const struct workflow_step *step, struct buf *out)
{
	buf_append_str(out, "no reply in ");
	num_format_duration(step->request.timeout_ns, out);
	if (step->retries > 0)
		buf_printf(out, ", %llu times", (unsigned long long)step->retries + 1);
}

/* What was refused has not happened; what was not answered may have. */
static void add_failures(struct drawing *d, size_t i)
{
	const struct workflow_step *step = &d->w->steps[i];
	size_t refused = undo_before(d, i), silent = undo_before(d, i + 1);
	struct buf label = {0};
	if (refused == silent)
		buf_append_str(&label, "refused, or ");
	else
		say(d, d->steps[i], refused, true, "refused");
	write_timeout(step, &label);
	graph_add_edge(&d->b, d->steps[i], silent, true, &label);
}

static void add_edges(struct drawing *d, size_t start)
{
	const struct workflow *w = d->w;
	say(d, start, d->steps[0], false, "starts");
	for (size_t i = 0; i < w->step_count; i++) {
		bool is_last = i + 1 == w->step_count;
		say(d, d->steps[i], is_last ? d->completed : d->steps[i + 1], false, "done");
		add_failures(d, i);
		if (w->steps[i].has_compensation)
			say(d, d->undos[i], undo_before(d, i), true, "undone");
	}
}

void graph_init_workflow(struct graph *g, const struct workflow *w)
{
	struct drawing d = {.w = w};
	graph_begin(&d.b, g, NULL);
	size_t start = graph_add_node(&d.b, GRAPH_QUEUE, w->start, "queue", "");
	add_nodes(&d);
	add_edges(&d, start);
	graph_end(&d.b);
}
