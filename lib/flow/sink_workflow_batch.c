/* What was decided, from the decision to its commit. */
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/sink_workflow_private.h"

#include <stdlib.h>
#include <string.h>

#define BUSY_PATIENCE_NS (120 * CHRONO_S)
#define NOBODY SINK_WORKFLOW_NOBODY

/* An event in the batch. */
struct sink_workflow_step {
	struct workflow_instance *instance;
	struct workflow_event event;
	struct message *message; /* for on_event */
	uint64_t slot;		 /* NOBODY: but for the last event of what came in */
	bool is_last;
};

void sink_workflow_forget(struct sink_workflow *sink)
{
	for (size_t i = 0; i < sink->step_count; i++)
		free(sink->steps[i].message);
	sink->step_count = 0;
}

/* ---- what goes into it ---- */

void sink_workflow_accept_later(struct sink_workflow *sink, uint64_t slot)
{
	if (slot == NOBODY)
		return;
	sink->idle =
	    mem_grow(sink->idle, &sink->idle_capacity, sink->idle_count + 1, sizeof *sink->idle);
	sink->idle[sink->idle_count++] = slot;
}

/* The body of what this event sends. False: a request that cannot be made. */
static bool add_body(struct workflow_instance *i, const struct workflow_event *event,
    struct datum *data, struct error *why)
{
	struct datum body;
	bool sends = event->what == WORKFLOW_REQUESTED || event->what == WORKFLOW_COMPENSATING;
	if (!sends)
		return true;
	datum_set_take(data, "message_id", datum_text(slice_str(i->message_id)));
	if (event->attempt > 1)
		return true;
	if (workflow_instance_make_body(
		i, workflow_letter_due(i->workflow, &i->state), &body, why)) {
		datum_set_take(data, "body", body);
		return true;
	}
	return event->what == WORKFLOW_COMPENSATING; /* tried again when it is sent */
}

/* What the message that brought it tells. */
static void add_news(const struct sink_workflow_news *news, const struct workflow_event *event,
    const struct error *why, struct datum *data)
{
	bool answers = event->what == WORKFLOW_REPLIED || event->what == WORKFLOW_COMPENSATED ||
		       (event->what == WORKFLOW_FAILED && event->reason == WORKFLOW_REFUSED);
	if (event->what == WORKFLOW_STARTED)
		workflow_instance_add_start(data, news->message, datum_copy(&news->body));
	if (event->what == WORKFLOW_FAILED && why->text[0] != '\0')
		datum_set_take(data, "error", datum_text(slice_str(why->text)));
	if (!answers || news->message == NULL)
		return;
	datum_set_take(data, "reply", datum_copy(&news->body));
	if ((news->message->present & MESSAGE_MESSAGE_ID) != 0)
		datum_set_take(data, "cause", datum_text(news->message->message_id));
}

static void add_step(struct sink_workflow *sink, struct workflow_instance *i,
    const struct workflow_event *event, const struct message *message)
{
	sink->steps =
	    mem_grow(sink->steps, &sink->step_capacity, sink->step_count + 1, sizeof *sink->steps);
	i->mark = sink->step_count;
	sink->steps[sink->step_count++] = (struct sink_workflow_step){.instance = i,
	    .event = *event,
	    .message = sink->options.on_event != NULL ? message_copy(message) : NULL,
	    .slot = NOBODY};
}

/* Takes the data. */
static void record(struct sink_workflow *sink, struct workflow_instance *i,
    const struct workflow_event *event, struct datum data)
{
	struct message message;
	uint64_t wall_ns = chrono_wall_ns();
	char before[sizeof i->message_id];
	buf_clear(&sink->data);
	datum_write(&data, &sink->data);
	workflow_instance_event(i, event, buf_slice(&sink->data), (int64_t)(wall_ns / CHRONO_MS),
	    &sink->store, &message);
	const struct append_event append = {.message = &message,
	    .stream_offset = -1,
	    .received_us = (int64_t)(wall_ns / CHRONO_US),
	    .version = i->version + 1};
	if (!append_add(sink->append, &append, &sink->failure)) {
		datum_free(&data); /* our own headers: a mistake of ours, which ends the run */
		return;
	}
	add_step(sink, i, event, &message);
	memcpy(before, i->message_id, sizeof before);
	i->latest_us = append.received_us;
	if (!workflow_instance_apply(i, event, data))
		error_set(&sink->failure, ERROR_INTERNAL, "workflow '%s' decided on what cannot be",
		    i->workflow->name);
	workflow_crowd_move(sink->crowd, i, before);
}

bool sink_workflow_take(
    struct sink_workflow *sink, struct workflow_instance *instance, struct sink_workflow_news *news)
{
	struct workflow_event events[WORKFLOW_MAX_EVENTS];
	struct error why = {0};
	size_t before = sink->step_count;
	size_t count = workflow_decide(instance->workflow, &instance->state, &news->input, events);
	for (size_t k = 0; k < count; k++) {
		struct datum data = workflow_instance_data(instance, &events[k]);
		if (!add_body(instance, &events[k], &data, &why)) {
			const struct workflow_input unsent = {.kind = WORKFLOW_IN_UNSENT};
			datum_free(&data);
			count =
			    workflow_decide(instance->workflow, &instance->state, &unsent, events);
			k = SIZE_MAX; /* anew; a request does not follow on that */
			continue;
		}
		add_news(news, &events[k], &why, &data);
		record(sink, instance, &events[k], data);
	}
	datum_free(&news->body);
	if (sink->step_count == before) {
		sink_workflow_accept_later(sink, news->slot);
		return false;
	}
	struct sink_workflow_step *last = &sink->steps[sink->step_count - 1];
	last->slot = news->slot;
	last->is_last = true;
	return true;
}

/* ---- the commit ---- */

static bool wait_for_turn(struct sink_workflow *sink, struct error *err)
{
	uint64_t now_ns = chrono_now_ns();
	if (err->kind != ERROR_UNAVAILABLE ||
	    (sink->busy_ns > 0 && now_ns - sink->busy_ns > BUSY_PATIENCE_NS))
		return false;
	error_clear(err);
	if (sink->busy_ns == 0)
		log_write(LOG_WARNING, "another process writes to %s; waiting for it",
		    store_path(sink->options.store));
	sink->busy_ns = sink->busy_ns > 0 ? sink->busy_ns : now_ns;
	return true;
}

static void count_event(struct sink_workflow *sink, const struct workflow_event *event)
{
	struct sink_workflow_counts *c = &sink->counts;
	uint64_t *const counts[WORKFLOW_HAPPENINGS] = {[WORKFLOW_STARTED] = &c->started,
	    [WORKFLOW_REPLIED] = &c->steps,
	    [WORKFLOW_COMPENSATED] = &c->compensated,
	    [WORKFLOW_COMPLETED] = &c->completed,
	    [WORKFLOW_ABORTED] = &c->aborted};
	if (counts[event->what] != NULL)
		++*counts[event->what];
	c->resent += event->attempt > 1;
}

static void remove_instance(struct sink_workflow *sink, struct workflow_instance *i)
{
	workflow_timers_clear(&sink->timers, &i->timer);
	workflow_crowd_remove(sink->crowd, i);
}

/* It is in the store: what follows goes, or the instance has ended. */
static void go_on(struct sink_workflow *sink, const struct sink_workflow_step *step, bool is_new)
{
	struct workflow_instance *i = step->instance;
	bool is_over = !is_new || workflow_has_ended(&i->state);
	if (!is_over && !loop_stop_requested(sink->options.loop)) {
		sink_workflow_send(
		    sink, i, step->slot, chrono_after(chrono_now_ns(), sink_workflow_wait_ns(i)));
		return;
	}
	if (is_over)
		remove_instance(sink, i);
	/* on the way out it is left to who comes next, with the message that comes again */
	if (step->slot != NOBODY)
		flow_settle(sink->flow, step->slot, is_over ? FLOW_ACCEPTED : FLOW_RELEASED, "");
}

static void end_batch(struct sink_workflow *sink, const struct append_result *results)
{
	size_t count = sink->step_count, idle_count = sink->idle_count;
	for (size_t k = 0; k < count; k++) {
		struct sink_workflow_step step = sink->steps[k];
		bool is_new = results[k].outcome != APPEND_PASSED_OVER;
		if (is_new)
			count_event(sink, &step.event);
		sink->counts.repeated += !is_new && step.event.what == WORKFLOW_STARTED;
		if (is_new && step.message != NULL)
			sink->options.on_event(sink->options.ctx, step.message);
		if (step.is_last && step.instance->mark == k)
			go_on(sink, &step, is_new);
		else if (step.slot != NOBODY)
			flow_settle(sink->flow, step.slot, FLOW_ACCEPTED, "");
	}
	for (size_t k = 0; k < idle_count; k++)
		flow_settle(sink->flow, sink->idle[k], FLOW_ACCEPTED, "");
	/* what was decided meanwhile stays */
	for (size_t k = 0; k < count; k++)
		free(sink->steps[k].message);
	sink->step_count -= count;
	sink->idle_count -= idle_count;
	if (sink->step_count > 0)
		memmove(sink->steps, sink->steps + count, sink->step_count * sizeof *sink->steps);
	if (sink->idle_count > 0)
		memmove(sink->idle, sink->idle + idle_count, sink->idle_count * sizeof *sink->idle);
	for (size_t k = 0; k < sink->step_count; k++)
		sink->steps[k].instance->mark = k;
}

static bool explain_rival(struct sink_workflow *sink, struct error *err)
{
	if (err->kind == ERROR_UNDELIVERED) {
		err->kind = ERROR_UNAVAILABLE;
		error_context(err,
		    "another orchestrator has written about the same instances to %s; one at a "
		    "time",
		    store_path(sink->options.store));
	}
	return false;
}

bool sink_workflow_commit(struct sink_workflow *sink, struct error *err)
{
	const struct append_result *results;
	if (sink->failure.kind != ERROR_NONE)
		return error_set(err, sink->failure.kind, "%s", sink->failure.text);
	if (sink->step_count == 0 && sink->idle_count == 0)
		return true;
	if (!append_commit(sink->append, &results, err))
		return wait_for_turn(sink, err) || explain_rival(sink, err);
	sink->busy_ns = 0;
	end_batch(sink, results);
	return true;
}
