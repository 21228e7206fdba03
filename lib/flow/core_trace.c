#include "flow/core_trace.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "model/envelope.h"
#include "model/marks.h"
#include "model/table.h"

#include <stdlib.h>

#define MOST_TARGET 800 /* three short strings and what is between them */

/* A span of a message under way. */
struct stage {
	bool is_open;	   /* it is recorded, and has not ended */
	bool is_known;	   /* the message has gone by here */
	bool has_failed;   /* whatever its fate: an answer says so */
	bool is_passed_on; /* the trace came with the message, and is not recorded: it is left alone
			    */
	struct trace trace;
	uint64_t start_ns;  /* since 1970 */
	struct buf text;    /* as far as it is written; its memory is kept for the next one */
	struct buf state;   /* tracestate */
	struct buf failure; /* why it has failed */
};

/* By the flow's slot. */
struct stages {
	struct stage *items;
	size_t capacity;
};

struct core_trace {
	struct core_trace_options options;
	struct rng rng;
	struct stages processes, publishes;
	struct buf headers; /* of the message that goes out */
};

struct core_trace *core_trace_create(const struct core_trace_options *options)
{
	struct core_trace *t = mem_alloc(1, sizeof *t);
	t->options = *options;
	rng_seed(&t->rng, options->seed);
	return t;
}

static void release_stages(struct stages *stages)
{
	for (size_t i = 0; i < stages->capacity; i++) {
		buf_release(&stages->items[i].text);
		buf_release(&stages->items[i].state);
		buf_release(&stages->items[i].failure);
	}
	free(stages->items);
}

void core_trace_free(struct core_trace *t)
{
	if (t == NULL)
		return;
	release_stages(&t->processes);
	release_stages(&t->publishes);
	buf_release(&t->headers);
	free(t);
}

static struct stage *begin_stage(struct stages *stages, uint64_t slot)
{
	stages->items =
	    mem_grow(stages->items, &stages->capacity, (size_t)slot + 1, sizeof *stages->items);
	struct stage *s = &stages->items[slot];
	s->is_open = s->is_passed_on = s->has_failed = false;
	s->is_known = true;
	buf_clear(&s->text);
	buf_clear(&s->state);
	return s;
}

/* ---- which trace ---- */

/* What a message says: traceparent, or else the origin that its event carries. */
static bool find_parent(const struct message *m, struct trace *out, struct slice *state)
{
	struct slice headers = m->headers;
	*state = (struct slice){0};
	if ((m->present & MESSAGE_HEADERS) == 0)
		return false;
	if (trace_read(headers, out, state))
		return true;
	for (size_t i = 0; i < ENVELOPE_PREFIX_COUNT; i++) {
		char key[64];
		snprintf(key, sizeof key, "%.*s" TRACE_PARENT, (int)envelope_prefixes[i].len,
		    envelope_prefixes[i].ptr);
		if (trace_parse(table_find_string(headers, key), out))
			return true;
	}
	return false;
}

static bool has_room(const struct core_trace *t)
{
	return t->options.outlet.has_room(t->options.outlet.ctx);
}

/* parent NULL: a new trace. */
static void choose_trace(
    struct core_trace *t, struct stage *s, const struct trace *parent, struct slice state)
{
	if (parent != NULL)
		trace_child(parent, &t->rng, &s->trace);
	else
		trace_start(&t->rng, &s->trace);
	bool sampled = sampler_decide(&t->options.sampler, s->trace.trace_id, parent);
	s->trace.flags = sampled ? TRACE_SAMPLED : 0;
	s->is_passed_on = !sampled && parent != NULL;
	s->is_open = sampled && has_room(t);
	buf_append(&s->state, state);
}

/* ---- what is said of a message ---- */

/* The parts of a name with ':' between them, without those that are empty or said already. */
static struct slice join(const struct slice *parts, size_t count, char *out)
{
	size_t len = 0;
	for (size_t i = 0; i < count; i++) {
		bool is_new = parts[i].len > 0 && len + parts[i].len + 1 < MOST_TARGET;
		for (size_t j = 0; j < i; j++)
			is_new = is_new && !slice_equal(parts[i], parts[j]);
		if (!is_new)
			continue;
		if (len > 0)
			out[len++] = ':';
		memcpy(out + len, parts[i].ptr, parts[i].len);
		len += parts[i].len;
	}
	return len > 0 ? (struct slice){out, len} : slice_str("amq.default");
}

static void add_server(const char *host, uint16_t port, struct buf *out)
{
	if (host == NULL)
		return;
	span_add_text(out, "server.address", slice_str(host));
	span_add_int(out, "server.port", port);
}

static void add_message(const struct core_trace *t, const struct message *m, struct buf *out)
{
	span_add_text(out, "messaging.rabbitmq.destination.routing_key", m->routing_key);
	if ((m->present & MESSAGE_MESSAGE_ID) != 0)
		span_add_text(out, "messaging.message.id", m->message_id);
	if ((m->present & MESSAGE_CORRELATION_ID) != 0)
		span_add_text(out, "messaging.message.conversation_id", m->correlation_id);
	span_add_int(out, "messaging.message.body.size", (int64_t)m->body.len);
	if (t->options.flow != NULL)
		span_add_text(out, "warren.flow", slice_str(t->options.flow));
}

static void begin_span(
    struct stage *s, const struct span *what, const char *type, struct slice destination)
{
	struct span span = *what;
	s->start_ns = span.start_ns = chrono_wall_ns();
	span.trace = s->trace;
	span.state = buf_slice(&s->state);
	span_begin(&span, &s->text);
	span_add_text(&s->text, "messaging.system", slice_str("rabbitmq"));
	span_add_text(&s->text, "messaging.operation.name", span.operation);
	span_add_text(&s->text, "messaging.operation.type", slice_str(type));
	span_add_text(&s->text, "messaging.destination.name", destination);
}

/* ---- in front ---- */

static enum flow_answer process(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	struct core_trace *t = self;
	struct stage *s = begin_stage(&t->processes, slot);
	const struct message *m = in->message;
	struct trace parent;
	struct slice state;
	(void)flow, (void)out, (void)verdict;
	bool has_parent = find_parent(m, &parent, &state);
	choose_trace(t, s, has_parent ? &parent : NULL, state);
	if (!s->is_open)
		return FLOW_PASS;
	char target[MOST_TARGET];
	const struct slice parts[] = {m->exchange, m->routing_key, in->queue};
	const struct span span = {.parent = has_parent ? parent.span_id : NULL,
	    .is_remote = true,
	    .kind = SPAN_CONSUMER,
	    .operation = slice_str("process"),
	    .target = in->queue.len > 0 ? in->queue : slice_str("(none)")};
	begin_span(s, &span, "process", join(parts, ARRAY_LEN(parts), target));
	add_message(t, m, &s->text);
	add_server(t->options.from_host, t->options.from_port, &s->text);
	return FLOW_PASS;
}

/* ---- at the end ---- */

/* Names that exist for a while are no names of spans: there would be no end of them. */
static struct slice target_of(const struct message *m)
{
	if (m->exchange.len > 0)
		return m->exchange;
	if (m->routing_key.len == 0)
		return slice_str("amq.default");
	bool is_temporary = m->routing_key.len > 4 && memcmp(m->routing_key.ptr, "amq.", 4) == 0;
	return is_temporary ? slice_str("(temporary)") : m->routing_key;
}

static void stamp(struct core_trace *t, const struct stage *s, struct message *out)
{
	char text[TRACE_PARENT_CHARS];
	trace_format(&s->trace, text);
	const struct mark marks[] = {
	    {.key = TRACE_PARENT, .kind = MARK_TEXT, .text = {text, sizeof text}},
	    {.key = TRACE_STATE,
		.kind = s->state.len > 0 ? MARK_TEXT : MARK_ABSENT,
		.text = buf_slice(&s->state)},
	};
	struct slice headers =
	    (out->present & MESSAGE_HEADERS) != 0 ? out->headers : (struct slice){"", 0};
	buf_clear(&t->headers);
	marks_set(headers, marks, ARRAY_LEN(marks), &t->headers);
	out->headers = buf_slice(&t->headers);
	out->present |= MESSAGE_HEADERS;
}

/* Its traceparent was made for this span. */
static void take_origin(struct core_trace *t, struct stage *s, const struct trace *own)
{
	bool sampled = sampler_decide(&t->options.sampler, own->trace_id, NULL);
	s->trace = *own;
	s->trace.flags = sampled ? TRACE_SAMPLED : 0;
	s->is_open = sampled && has_room(t);
	s->is_passed_on = sampled; /* the header says so */
}

/* The span of what goes out; *parent is set when it has one. */
static bool choose_publish(struct core_trace *t, struct stage *s, const struct stage *from,
    const struct message *m, struct trace *parent)
{
	struct slice state = {0};
	bool has_parent = true;
	if (from != NULL)
		*parent = from->trace;
	else
		has_parent = find_parent(m, parent, &state);
	if (from != NULL)
		state = buf_slice(&from->state);
	if (has_parent && from == NULL && t->options.is_origin) {
		buf_append(&s->state, state);
		take_origin(t, s, parent);
		return false;
	}
	choose_trace(t, s, has_parent ? parent : NULL, state);
	if (from != NULL && parent->flags == 0) { /* as was decided in front */
		s->is_open = false;
		s->is_passed_on = from->is_passed_on;
		s->trace.flags = 0;
	}
	return has_parent;
}

/* Where the message goes. */
static struct message address(const struct core_trace *t, const struct message *m)
{
	struct message to = *m;
	if (t->options.exchange.ptr != NULL)
		to.exchange = t->options.exchange;
	if (t->options.routing_key.ptr != NULL)
		to.routing_key = t->options.routing_key;
	return to;
}

/* from: the span in front, of the same flow; NULL: there is none. *out is m, and gets the headers
 * that go out. */
static void send(struct core_trace *t, struct stage *s, const struct stage *from,
    const struct message *m, struct message *out)
{
	struct trace parent;
	bool has_parent = choose_publish(t, s, from, m, &parent);
	if (!s->is_passed_on)
		stamp(t, s, out);
	if (!s->is_open)
		return;
	char target[MOST_TARGET];
	const struct message to = address(t, m);
	const struct slice parts[] = {to.exchange, to.routing_key};
	const struct span span = {.parent = has_parent ? parent.span_id : NULL,
	    .is_remote = from == NULL,
	    .kind = t->options.is_call ? SPAN_CLIENT : SPAN_PRODUCER,
	    .operation = slice_str(t->options.is_call ? "call" : "publish"),
	    .target = target_of(&to)};
	begin_span(s, &span, "send", join(parts, ARRAY_LEN(parts), target));
	add_message(t, &to, &s->text);
	add_server(t->options.to_host, t->options.to_port, &s->text);
}

static const struct stage *find_process(const struct core_trace *t, uint64_t slot)
{
	return slot < t->processes.capacity && t->processes.items[slot].is_known
		   ? &t->processes.items[slot]
		   : NULL;
}

static enum flow_answer publish(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	struct core_trace *t = self;
	(void)verdict;
	send(t, begin_stage(&t->publishes, slot), find_process(t, flow_origin(flow, slot)),
	    in->message, out);
	return FLOW_PASS;
}

void core_trace_rescue(struct core_trace *t, uint64_t slot, const char *reason, struct message *out)
{
	const struct message m = *out;
	const struct stage *from = find_process(t, slot);
	if (from != NULL && reason != NULL) {
		struct buf *failure = &t->processes.items[slot].failure;
		buf_clear(failure);
		buf_append_str(failure, reason);
		t->processes.items[slot].has_failed = true;
	}
	send(t, begin_stage(&t->publishes, slot), from, &m, out);
}

/* ---- the end of a span ---- */

static void end_span(struct core_trace *t, struct stages *stages, uint64_t slot,
    enum flow_fate fate, const char *why)
{
	static const struct {
		const char *name;
		bool is_error;
	} fates[FLOW_FATE_COUNT] = {[FLOW_ACCEPTED] = {"accepted", false},
	    [FLOW_RETURNED] = {"returned", true},
	    [FLOW_NACKED] = {"nacked", true},
	    [FLOW_UNCONFIRMED] = {"unconfirmed", true},
	    [FLOW_RETRY] = {"retry", true},
	    [FLOW_REJECTED] = {"rejected", true},
	    [FLOW_HELD] = {"held", false},
	    [FLOW_RELEASED] = {"released", false}};
	if (slot >= stages->capacity || !stages->items[slot].is_known)
		return;
	struct stage *s = &stages->items[slot];
	s->is_known = false;
	if (!s->is_open)
		return;
	uint64_t now_ns = chrono_wall_ns();
	bool is_error = fates[fate].is_error || s->has_failed;
	if (s->has_failed) {
		fate = FLOW_REJECTED;
		why = s->failure.ptr;
	}
	span_add_text(&s->text, "warren.fate", slice_str(fates[fate].name));
	if (is_error)
		span_add_text(&s->text, "error.type", slice_str(fates[fate].name));
	span_end(&s->text, now_ns > s->start_ns ? now_ns : s->start_ns, is_error ? why : NULL);
	t->options.outlet.take(t->options.outlet.ctx, buf_slice(&s->text));
	s->is_open = false;
}

static void end_process(void *self, uint64_t slot, enum flow_fate fate, const char *reason)
{
	struct core_trace *t = self;
	end_span(t, &t->processes, slot, fate, reason);
}

static void end_publish(void *self, uint64_t slot, enum flow_fate fate, const char *reason)
{
	struct core_trace *t = self;
	end_span(t, &t->publishes, slot, fate, reason);
}

struct flow_core core_trace_front(struct core_trace *t)
{
	static const struct flow_core_kind kind = {.apply = process, .settled = end_process};
	return (struct flow_core){&kind, t};
}

struct flow_core core_trace_back(struct core_trace *t)
{
	static const struct flow_core_kind kind = {.apply = publish, .settled = end_publish};
	return (struct flow_core){&kind, t};
}
