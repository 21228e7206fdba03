#include "flow/sink_workflow.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/sink_workflow_private.h"
#include "model/marks.h"
#include "model/table.h"

#include <stdlib.h>

#define BUSY_STEP_NS (200 * CHRONO_MS) /* the longest that the loop stands still for a lock */
#define BUSY_PATIENCE_NS (120 * CHRONO_S)
#define LONGEST_WAIT_NS (3600 * CHRONO_S)
#define NOBODY SINK_WORKFLOW_NOBODY

/* An event in the batch. */
struct sink_workflow_step {
	struct workflow_instance *instance;
	struct workflow_event event;
	struct message *message; /* for on_event */
	uint64_t slot;		 /* NOBODY: but for the last event of what came in */
	bool is_last;
};

struct sink_workflow_waiting {
	uint64_t slot;
	size_t logic;
	struct message *message;
};

/* Free ones are chained through slot. */
struct sink_workflow_sent {
	bool used;
	uint64_t slot;
	char message_id[WORKFLOW_INSTANCE_UUID_CHARS + 1];
};

struct sink_workflow *sink_workflow_create(const struct sink_workflow_options *options)
{
	struct sink_workflow *sink = mem_alloc(1, sizeof *sink);
	sink->options = *options;
	sink->append = append_create(options->store);
	sink->crowd = workflow_crowd_create();
	sink->waiting.size = sizeof(struct sink_workflow_waiting);
	store_set_patience(options->store, BUSY_STEP_NS);
	return sink;
}

static void forget_steps(struct sink_workflow *sink)
{
	for (size_t i = 0; i < sink->step_count; i++)
		free(sink->steps[i].message);
	sink->step_count = 0;
}

void sink_workflow_free(struct sink_workflow *sink)
{
	if (sink == NULL)
		return;
	loop_cancel(sink->options.loop, sink->alarm);
	forget_steps(sink);
	for (; !fifo_is_empty(&sink->waiting); fifo_pop(&sink->waiting))
		free(((struct sink_workflow_waiting *)fifo_front(&sink->waiting))->message);
	fifo_release(&sink->waiting);
	append_free(sink->append);
	workflow_crowd_free(sink->crowd);
	workflow_timers_release(&sink->timers);
	buf_release(&sink->data);
	buf_release(&sink->store);
	free(sink->steps);
	free(sink->idle);
	free(sink->sent);
	free(sink);
}

/* ---- the batch ---- */

static void accept_later(struct sink_workflow *sink, uint64_t slot)
{
	if (slot == NOBODY)
		return;
	sink->idle =
	    mem_grow(sink->idle, &sink->idle_capacity, sink->idle_count + 1, sizeof *sink->idle);
	sink->idle[sink->idle_count++] = slot;
}

/* The body of what this event sends. False: a request that cannot be made. */
static bool add_body(const struct sink_workflow *sink, struct workflow_instance *i,
    const struct workflow_event *event, struct datum *data, struct error *why)
{
	struct datum body;
	bool sends = event->what == WORKFLOW_REQUESTED || event->what == WORKFLOW_COMPENSATING;
	(void)sink;
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
		if (!add_body(sink, instance, &events[k], &data, &why)) {
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
		accept_later(sink, news->slot);
		return false;
	}
	struct sink_workflow_step *last = &sink->steps[sink->step_count - 1];
	last->slot = news->slot;
	last->is_last = true;
	return true;
}

/* ---- what is sent ---- */

uint64_t sink_workflow_wait_ns(const struct workflow_instance *instance)
{
	const struct workflow_letter *letter =
	    workflow_letter_due(instance->workflow, &instance->state);
	uint64_t wait_ns = letter != NULL ? letter->timeout_ns : 0;
	if (workflow_due(instance->workflow, &instance->state) == WORKFLOW_COMPENSATE)
		for (uint64_t n = 1; n < instance->state.attempt && wait_ns < LONGEST_WAIT_NS / 2;
		     n++)
			wait_ns *= 2;
	return wait_ns;
}

static uint64_t note_sent(
    struct sink_workflow *sink, const struct workflow_instance *i, uint64_t slot)
{
	size_t token = sink->first_free;
	if (token == sink->sent_capacity) {
		sink->sent =
		    mem_grow(sink->sent, &sink->sent_capacity, token + 1, sizeof *sink->sent);
		for (size_t k = token; k < sink->sent_capacity; k++)
			sink->sent[k].slot = k + 1;
	}
	sink->first_free = (size_t)sink->sent[token].slot;
	sink->sent[token] = (struct sink_workflow_sent){.used = true, .slot = slot};
	memcpy(sink->sent[token].message_id, i->message_id, sizeof i->message_id);
	return token;
}

static void warn(const struct workflow_instance *i, const char *what, const char *why)
{
	char *subject = text_quote(slice_str(i->subject));
	const struct workflow_letter *letter = workflow_letter_due(i->workflow, &i->state);
	char *key = text_quote(slice_str(letter != NULL ? letter->routing_key : ""));
	log_write(LOG_WARNING, "%s: the message with key '%s' %s%s%s", subject, key, what,
	    why[0] != '\0' ? ": " : "", why);
	free(key);
	free(subject);
}

void sink_workflow_send(
    struct sink_workflow *sink, struct workflow_instance *instance, uint64_t slot, uint64_t due_ns)
{
	struct message message;
	struct error why = {0};
	workflow_timers_set(&sink->timers, &instance->timer, due_ns);
	if (workflow_instance_message(instance, &sink->store, &message, &why)) {
		workflow_outbox_put(
		    sink->options.outbox, &message, note_sent(sink, instance, slot));
		return;
	}
	warn(instance, "cannot be made and is tried again later", why.text);
	if (slot != NOBODY)
		flow_settle(sink->flow, slot, FLOW_ACCEPTED, "");
}

static void report_unsent(struct sink_workflow *sink, const struct workflow_instance *i,
    enum flow_fate fate, const char *reason)
{
	if (fate == FLOW_RETURNED && sink->counts.unroutable++ < 10)
		warn(i, "found no queue", reason);
	if (fate == FLOW_NACKED && sink->counts.nacked++ < 10)
		warn(i, "was refused by the broker", reason);
}

/* A message that the broker does not take goes again when its time is over. */
static void on_fate(void *ctx, uint64_t token, enum flow_fate fate, const char *reason)
{
	struct sink_workflow *sink = ctx;
	struct sink_workflow_sent sent = sink->sent[token];
	struct workflow_instance *i = workflow_crowd_find(sink->crowd, slice_str(sent.message_id));
	bool is_known = fate == FLOW_ACCEPTED || fate == FLOW_RETURNED || fate == FLOW_NACKED;
	sink->sent[token] = (struct sink_workflow_sent){.slot = sink->first_free};
	sink->first_free = (size_t)token;
	if (sent.slot != NOBODY)
		flow_settle(sink->flow, sent.slot, is_known ? FLOW_ACCEPTED : FLOW_RELEASED, "");
	if (i == NULL) /* its answer was faster */
		return;
	struct sink_workflow_news news = {
	    .input = {WORKFLOW_IN_SENT, workflow_due(i->workflow, &i->state), i->state.at},
	    .slot = NOBODY};
	if (fate == FLOW_ACCEPTED)
		(void)sink_workflow_take(sink, i, &news); /* most wait for a reply */
	else
		report_unsent(sink, i, fate, reason);
}

/* ---- what comes ---- */

static bool find_logic(
    const struct sink_workflow *sink, struct slice queue, size_t *logic, bool *is_start)
{
	for (size_t i = 0; i < sink->options.logic_count; i++) {
		const struct workflow *w = workflow_logic_workflow(sink->options.logics[i]);
		*is_start = slice_is(queue, w->start);
		*logic = i;
		if (*is_start || slice_is(queue, w->replies))
			return true;
	}
	return false;
}

static void reject(struct sink_workflow *sink, uint64_t slot, const char *why)
{
	if (sink->counts.rejected++ < 10)
		log_write(
		    LOG_WARNING, "a message that should start a workflow is rejected: %s", why);
	flow_settle(sink->flow, slot, FLOW_REJECTED, why);
}

static struct slice id_of(const struct message *m)
{
	return (m->present & MESSAGE_MESSAGE_ID) != 0 ? m->message_id : (struct slice){0};
}

static void start(struct sink_workflow *sink, size_t logic, const struct message *m, uint64_t slot)
{
	struct workflow_logic *l = sink->options.logics[logic];
	struct buf id = {0};
	struct error why = {0};
	struct sink_workflow_news news = {
	    .input = {.kind = WORKFLOW_IN_START}, .message = m, .slot = slot};
	bool good = text_is_utf8(m->body) || error_set(&why, ERROR_DATA, "its body is not UTF-8");
	if (good)
		news.body = datum_body(m->body);
	if (!good || !workflow_logic_id(l, &news.body, id_of(m), &id, &why)) {
		reject(sink, slot, why.text);
		datum_free(&news.body);
		buf_release(&id);
		return;
	}
	struct workflow_instance *made = workflow_instance_create(l, buf_slice(&id));
	struct workflow_instance *known =
	    workflow_crowd_find(sink->crowd, slice_str(made->subject));
	if (known == NULL)
		workflow_crowd_add(sink->crowd, made);
	else
		workflow_instance_free(made);
	if (!sink_workflow_take(sink, known != NULL ? known : made, &news))
		sink->counts.repeated++;
	buf_release(&id);
}

static void start_or_wait(
    struct sink_workflow *sink, size_t logic, const struct message *m, uint64_t slot)
{
	if (workflow_crowd_count(sink->crowd) < sink->options.limit) {
		start(sink, logic, m, slot);
		return;
	}
	struct sink_workflow_waiting w = {slot, logic, message_copy(m)};
	fifo_push(&sink->waiting, &w);
}

/* The one that waits for this reply: it says so by correlation_id, or by what it was made of. */
static struct workflow_instance *find_waiting(
    const struct sink_workflow *sink, const struct workflow *w, const struct message *m)
{
	struct workflow_instance *i = NULL;
	if ((m->present & MESSAGE_CORRELATION_ID) != 0)
		i = workflow_crowd_find(sink->crowd, m->correlation_id);
	if (i == NULL && (m->present & MESSAGE_HEADERS) != 0)
		i = workflow_crowd_find(sink->crowd, table_find_string(m->headers, MARKS_CAUSE));
	return i != NULL && i->workflow == w && workflow_due(w, &i->state) != WORKFLOW_ANNOUNCE
		   ? i
		   : NULL;
}

static void ignore(struct sink_workflow *sink, const struct message *m, uint64_t slot)
{
	bool has = (m->present & MESSAGE_CORRELATION_ID) != 0;
	char *id = text_quote(has ? m->correlation_id : (struct slice){0});
	sink->counts.ignored++;
	log_write(LOG_DEBUG, "a reply to '%s' comes twice, late, or to nobody", id);
	free(id);
	accept_later(sink, slot);
}

/* It is no answer: that was the one before it, which came first, or got lost. What was done then is
 * not refused. */
static bool is_of_known_request(const struct message *m)
{
	return (m->present & MESSAGE_HEADERS) != 0 &&
	       slice_is(table_find_string(m->headers, MARKS_ERROR), MARKS_ERROR_HANDLED);
}

static void reply(struct sink_workflow *sink, size_t logic, const struct message *m, uint64_t slot)
{
	struct workflow_logic *l = sink->options.logics[logic];
	const struct workflow *w = workflow_logic_workflow(l);
	struct workflow_instance *i = find_waiting(sink, w, m);
	struct error why = {0};
	if (i == NULL || is_of_known_request(m)) {
		ignore(sink, m, slot);
		return;
	}
	struct sink_workflow_news news = {.message = m, .body = datum_body(m->body), .slot = slot};
	bool is_error = (m->present & MESSAGE_HEADERS) != 0 && marks_has(m->headers, MARKS_ERROR);
	bool failed = is_error || workflow_logic_has_failed(
				      l, workflow_letter_due(w, &i->state), &news.body, &why);
	if (why.kind != ERROR_NONE)
		warn(i, "has a reply that 'failed' cannot judge, so that it counts as failed",
		    why.text);
	news.input = (struct workflow_input){
	    failed ? WORKFLOW_IN_BAD : WORKFLOW_IN_GOOD, workflow_due(w, &i->state), i->state.at};
	if (!sink_workflow_take(sink, i, &news))
		sink->counts.ignored++;
}

static size_t room(const void *self)
{
	const struct sink_workflow *sink = self;
	return sink->busy_ns == 0 ? SIZE_MAX : 0;
}

static bool put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	struct sink_workflow *sink = self;
	size_t logic;
	bool is_start;
	sink->flow = flow;
	if (!find_logic(sink, m->queue, &logic, &is_start))
		return error_set(err, ERROR_INTERNAL, "a message of a queue that no workflow has");
	if (is_start)
		start_or_wait(sink, logic, m->message, slot);
	else
		reply(sink, logic, m->message, slot);
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
	memmove(sink->steps, sink->steps + count, sink->step_count * sizeof *sink->steps);
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

static bool commit(struct sink_workflow *sink, struct error *err)
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

/* ---- time ---- */

static void on_alarm(void *ctx, uint64_t now_ns)
{
	struct sink_workflow *sink = ctx;
	(void)now_ns;
	sink->alarm = 0; /* the flush after it sees who is due */
}

static void set_alarm(struct sink_workflow *sink)
{
	uint64_t next_ns = workflow_timers_next(&sink->timers);
	if (sink->busy_ns > 0) /* try again soon, for the lock has been waited for */
		next_ns = chrono_now_ns();
	if (next_ns == CHRONO_NEVER || (sink->alarm != 0 && sink->alarm_ns <= next_ns))
		return;
	loop_cancel(sink->options.loop, sink->alarm);
	sink->alarm_ns = next_ns;
	sink->alarm = loop_at(sink->options.loop, next_ns, on_alarm, sink);
}

static void take_timeouts(struct sink_workflow *sink)
{
	struct workflow_timer *timer;
	uint64_t now_ns = chrono_now_ns();
	while ((timer = workflow_timers_take(&sink->timers, now_ns)) != NULL) {
		struct workflow_instance *i = (struct workflow_instance *)(void *)timer;
		struct sink_workflow_news news = {
		    .input = {WORKFLOW_IN_TIMEOUT, workflow_due(i->workflow, &i->state),
			i->state.at},
		    .slot = NOBODY};
		sink->counts.timeouts += news.input.act != WORKFLOW_ANNOUNCE;
		if (!sink_workflow_take(sink, i, &news)) /* the event at the end, once more */
			sink_workflow_send(
			    sink, i, NOBODY, chrono_after(now_ns, sink_workflow_wait_ns(i)));
	}
}

/* ---- the sink ---- */

static void begin_waiting(struct sink_workflow *sink)
{
	bool stops = loop_stop_requested(sink->options.loop);
	while (!fifo_is_empty(&sink->waiting) &&
	       (stops || workflow_crowd_count(sink->crowd) < sink->options.limit)) {
		struct sink_workflow_waiting w =
		    *(struct sink_workflow_waiting *)fifo_front(&sink->waiting);
		fifo_pop(&sink->waiting);
		if (stops)
			flow_settle(sink->flow, w.slot, FLOW_RELEASED, "");
		else
			start(sink, w.logic, w.message, w.slot);
		free(w.message);
	}
}

/* What ends makes room for what waits, which makes another batch. */
static bool flush(void *self, struct flow *flow, struct error *err)
{
	struct sink_workflow *sink = self;
	sink->flow = flow;
	if (sink->busy_ns == 0 && !loop_stop_requested(sink->options.loop))
		take_timeouts(sink);
	do {
		if (!commit(sink, err))
			return false;
		if (sink->busy_ns == 0)
			begin_waiting(sink);
	} while (sink_workflow_has_news(sink) && sink->busy_ns == 0);
	set_alarm(sink);
	return true;
}

static bool is_held_up(const void *self)
{
	const struct sink_workflow *sink = self;
	return sink->busy_ns > 0;
}

/* What is in no batch that was committed comes again. */
static void abandon(void *self, struct flow *flow)
{
	struct sink_workflow *sink = self;
	struct error ignored = {0}; /* all is stored; it is found a little later */
	(void)flow;
	append_clear(sink->append);
	if (sink->counts.started > 0)
		IGNORE_RESULT(append_settle(sink->append, &ignored));
}

struct flow_sink sink_workflow_sink(struct sink_workflow *sink)
{
	static const struct flow_sink_kind kind = {room, put, flush, is_held_up, NULL, abandon};
	workflow_outbox_listen(sink->options.outbox, on_fate, sink);
	return (struct flow_sink){&kind, sink};
}

bool sink_workflow_has_news(const struct sink_workflow *sink)
{
	return sink->step_count > 0 || sink->idle_count > 0;
}

size_t sink_workflow_under_way(const struct sink_workflow *sink)
{
	return workflow_crowd_count(sink->crowd);
}

const struct sink_workflow_counts *sink_workflow_counts(const struct sink_workflow *sink)
{
	return &sink->counts;
}
