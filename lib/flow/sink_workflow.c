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
#define NOBODY SINK_WORKFLOW_NOBODY

struct sink_workflow_waiting {
	uint64_t slot;
	size_t logic;
	struct message *message;
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

void sink_workflow_free(struct sink_workflow *sink)
{
	if (sink == NULL)
		return;
	loop_cancel(sink->options.loop, sink->alarm);
	sink_workflow_forget(sink);
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
	sink_workflow_accept_later(sink, slot);
}

/* It is no answer: that was the one before it, which came first, or got lost, and is not known any
 * more. What was done then is not refused. */
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
		sink_workflow_warn(i,
		    "has a reply that 'failed' cannot judge, so that it counts as failed",
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
		if (!sink_workflow_commit(sink, err))
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
	sink_workflow_listen(sink);
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
