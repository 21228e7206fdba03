/* The section `workflows` of the settings. What the schema has refused does not come here. */
#include "model/workflow.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <stdlib.h>

#define TIMEOUT_NS (30 * CHRONO_S)
#define MOST_RETRIES 1000

struct reading {
	struct reader r;
	const struct topology *topology;
};

/* ---- references ---- */

static void need(struct reading *reading, const char *key, bool is_queue, const char *name)
{
	const struct topology *t = reading->topology;
	if (is_queue ? topology_find_queue(t, slice_str(name)) != NULL
		     : topology_find_exchange(t, slice_str(name)) != NULL)
		return;
	char *text = topology_explain_unknown(t, is_queue, name);
	reader_fail_at(&reading->r, key, "%s", text);
	free(text);
}

static void read_queue(
    struct reading *reading, const json_t *object, const char *key, const char **out)
{
	if (!reader_text(&reading->r, object, key, out))
		return;
	need(reading, key, true, *out);
	const struct topology_queue *q = topology_find_queue(reading->topology, slice_str(*out));
	if (q != NULL && strcmp(q->type, "stream") == 0)
		reader_fail_at(&reading->r, key,
		    "a stream keeps its messages, so that a workflow would begin them all again; "
		    "it takes a classic or a quorum queue");
}

/* ---- what is sent ---- */

static void read_target(
    struct reading *reading, const json_t *object, struct workflow_letter *letter)
{
	struct reader *r = &reading->r;
	letter->exchange = "";
	letter->routing_key = "";
	(void)reader_text(r, object, "exchange", &letter->exchange); /* both have reported */
	(void)reader_text(r, object, "routing_key", &letter->routing_key);
	if (letter->exchange[0] != '\0') {
		const struct topology_exchange *e =
		    topology_find_exchange(reading->topology, slice_str(letter->exchange));
		need(reading, "exchange", false, letter->exchange);
		if (e != NULL && e->internal)
			reader_fail_at(r, "exchange",
			    "this exchange is internal: only other exchanges may publish to it");
	} else if (letter->routing_key[0] != '\0') {
		need(reading, "routing_key", true, letter->routing_key);
	} else {
		reader_fail_name(r, "without 'exchange' it goes to the queue that 'routing_key' "
				    "names; it has neither");
	}
}

static void read_letter(
    struct reading *reading, const json_t *object, struct workflow_letter *letter)
{
	struct reader *r = &reading->r;
	letter->timeout_ns = TIMEOUT_NS;
	letter->has_reply = true;
	read_target(reading, object, letter);
	(void)reader_text(r, object, "type", &letter->type); /* these, too, report themselves */
	(void)reader_text(r, object, "body", &letter->body);
	(void)reader_text(r, object, "failed", &letter->failed);
	(void)reader_bool(r, object, "reply", &letter->has_reply);
	if (reader_duration(r, object, "timeout", &letter->timeout_ns) && letter->timeout_ns == 0)
		reader_fail_at(r, "timeout", "found 0; accepted: a duration above 0");
	if (!letter->has_reply && letter->failed != NULL)
		reader_fail_at(
		    r, "failed", "there is no reply that could say so: 'reply' is false");
}

static bool read_letter_at(
    struct reading *reading, const json_t *object, const char *key, struct workflow_letter *letter)
{
	const json_t *spec = reader_member(object, key);
	size_t mark = reader_enter(&reading->r, key);
	if (spec != NULL)
		read_letter(reading, spec, letter);
	reader_leave(&reading->r, mark);
	return spec != NULL;
}

/* ---- steps ---- */

static void check_name(struct reading *reading, const struct workflow *w, const char *name)
{
	for (size_t i = 0; i < w->step_count; i++)
		if (w->steps[i].name != NULL && strcmp(w->steps[i].name, name) == 0)
			reader_fail_at(&reading->r, "name",
			    "step %zu has this name already; what happens is told by the name of "
			    "the step",
			    i + 1);
}

/* failed, timeout and retries stand beside the request: they are about the step. */
static void read_step(struct reading *reading, const struct workflow *w, const json_t *spec,
    struct workflow_step *step)
{
	struct reader *r = &reading->r;
	if (reader_text(r, spec, "name", &step->name) && step->name != NULL)
		check_name(reading, w, step->name);
	(void)read_letter_at(reading, spec, "request", &step->request); /* the schema wants it */
	(void)reader_text(r, spec, "failed", &step->request.failed);
	if (reader_duration(r, spec, "timeout", &step->request.timeout_ns) &&
	    step->request.timeout_ns == 0)
		reader_fail_at(r, "timeout", "found 0; accepted: a duration above 0");
	(void)reader_count(r, spec, "retries", 0, MOST_RETRIES, &step->retries);
	step->has_compensation = read_letter_at(reading, spec, "compensate", &step->compensation);
}

static void read_steps(struct reading *reading, const json_t *steps, struct workflow *w)
{
	size_t mark = reader_enter(&reading->r, "steps"), i;
	json_t *spec;
	w->steps = mem_alloc(json_array_size(steps), sizeof *w->steps);
	json_array_foreach((json_t *)(uintptr_t)steps, i, spec)
	{
		size_t inner = reader_enter_item(&reading->r, i);
		read_step(reading, w, spec, &w->steps[i]);
		w->step_count++;
		reader_leave(&reading->r, inner);
	}
	reader_leave(&reading->r, mark);
}

static void read_workflow(
    struct reading *reading, const char *name, const json_t *spec, struct workflow *w)
{
	size_t mark = reader_enter(&reading->r, name);
	const json_t *start = reader_member(spec, "start");
	w->name = name;
	size_t inner = reader_enter(&reading->r, "start");
	read_queue(reading, start, "queue", &w->start);
	(void)reader_text(&reading->r, start, "id", &w->id); /* reports itself */
	reader_leave(&reading->r, inner);
	read_queue(reading, spec, "replies", &w->replies);
	read_steps(reading, reader_member(spec, "steps"), w);
	w->has_completed = read_letter_at(reading, spec, "completed", &w->completed);
	w->has_failed = read_letter_at(reading, spec, "failed", &w->failed);
	w->completed.has_reply = w->failed.has_reply = false;
	reader_leave(&reading->r, mark);
}

/* ---- the section ---- */

/* What comes is told apart by the queue. */
static void check_queues(struct reading *reading, const struct workflow_list *all)
{
	for (size_t i = 0; i < all->count; i++)
		for (size_t k = 0; k < all->count; k++) {
			const struct workflow *w = &all->items[i], *other = &all->items[k];
			if (w->replies == NULL || other->start == NULL)
				continue;
			size_t mark = reader_enter(&reading->r, w->name);
			if (strcmp(w->replies, other->start) == 0)
				reader_fail_at(&reading->r, "replies",
				    "workflow '%s' starts by what comes in this queue",
				    other->name);
			if (k < i && other->replies != NULL &&
			    strcmp(w->replies, other->replies) == 0)
				reader_fail_at(&reading->r, "replies",
				    "these are the replies of workflow '%s'; each has a queue of "
				    "its own",
				    other->name);
			if (k < i && w->start != NULL && strcmp(w->start, other->start) == 0)
				reader_fail_at(&reading->r, "start/queue",
				    "workflow '%s' takes what comes in this queue; bind a queue "
				    "of its own for each",
				    other->name);
			reader_leave(&reading->r, mark);
		}
}

bool workflow_read(const json_t *section, const struct topology *topology,
    struct workflow_list *out, reader_report_fn *report, void *ctx)
{
	struct reading reading = {.r = {.report = report, .ctx = ctx}, .topology = topology};
	const char *name;
	json_t *spec;
	*out = (struct workflow_list){
	    .items = mem_alloc(json_object_size(section), sizeof *out->items)};
	json_object_foreach((json_t *)(uintptr_t)section, name, spec)
	    read_workflow(&reading, name, spec, &out->items[out->count++]);
	check_queues(&reading, out);
	reader_release(&reading.r);
	return !reading.r.failed;
}

void workflow_release(struct workflow_list *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->items[i].steps);
	free(w->items);
	*w = (struct workflow_list){0};
}

const struct workflow *workflow_find(const struct workflow_list *w, struct slice name)
{
	for (size_t i = 0; i < w->count; i++)
		if (slice_is(name, w->items[i].name))
			return &w->items[i];
	return NULL;
}
