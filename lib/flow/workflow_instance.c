#include "flow/workflow_instance.h"

#include "base/chrono.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/marks.h"
#include "model/table.h"
#include "model/trace.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_SHORT 255 /* bytes of a property */

struct workflow_instance *workflow_instance_create(struct workflow_logic *logic, struct slice id)
{
	struct workflow_instance *i = mem_alloc(1, sizeof *i);
	i->logic = logic;
	i->workflow = workflow_logic_workflow(logic);
	i->id = mem_strndup(id.ptr, id.len);
	i->subject = mem_printf(WORKFLOW_INSTANCE_SUBJECTS "%s/%s", i->workflow->name, i->id);
	i->replies = datum_object();
	return i;
}

void workflow_instance_free(struct workflow_instance *i)
{
	if (i == NULL)
		return;
	struct datum *data[] = {&i->input, &i->replies, &i->failure, &i->body};
	for (size_t k = 0; k < ARRAY_LEN(data); k++)
		datum_free(data[k]);
	char *texts[] = {
	    i->id, i->subject, i->root, i->correlation, i->traceparent, i->tracestate, i->cause};
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		free(texts[k]);
	free(i->obstacle);
	free(i);
}

/* ---- ids ---- */

static void add_part(struct digest *digest, const char *text)
{
	digest_add(
	    digest, (struct slice){text != NULL ? text : "", strlen(text != NULL ? text : "") + 1});
}

/* A UUID of version 8 (RFC 9562, 5.8) by all that makes the message this one. */
static void name_message(
    const struct workflow_instance *i, const char *what, char out[WORKFLOW_INSTANCE_UUID_CHARS + 1])
{
	unsigned char hash[DIGEST_BYTES];
	const char *parts[] = {"warren.workflow", i->workflow->name, i->id, i->root, what};
	struct digest *digest = digest_create();
	digest_begin(digest);
	for (size_t k = 0; k < ARRAY_LEN(parts); k++)
		add_part(digest, parts[k]);
	digest_end(digest, hash);
	digest_free(digest);
	hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x80);
	hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
	char *at = out;
	for (size_t k = 0; k < 16; k++) {
		bool dash = k == 4 || k == 6 || k == 8 || k == 10;
		at += snprintf(at, 4, dash ? "-%02x" : "%02x", hash[k]);
	}
}

/* "reserve", "reserve.compensate", "completed": what is due, as ids and types have it. */
static char *name_due(const struct workflow_instance *i)
{
	switch (workflow_due(i->workflow, &i->state)) {
	case WORKFLOW_REQUEST:
		return mem_strdup(i->workflow->steps[i->state.at].name);
	case WORKFLOW_COMPENSATE:
		return mem_printf("%s.compensate", i->workflow->steps[i->state.at].name);
	case WORKFLOW_ANNOUNCE:
		return mem_strdup(i->state.phase == WORKFLOW_FORWARD ? "completed" : "failed");
	case WORKFLOW_IDLE:
		break;
	}
	return NULL;
}

static void name_due_message(struct workflow_instance *i)
{
	char *what = name_due(i);
	i->message_id[0] = '\0';
	if (what != NULL)
		name_message(i, what, i->message_id);
	free(what);
}

/* ---- the data of events ---- */

static void set_text(struct datum *object, const char *name, const char *text)
{
	if (text != NULL)
		datum_set_take(object, name, datum_text(slice_str(text)));
}

struct datum workflow_instance_data(
    const struct workflow_instance *i, const struct workflow_event *event)
{
	struct datum data = datum_object();
	bool has_step = event->what > WORKFLOW_STARTED && event->what < WORKFLOW_COMPLETED;
	if (has_step)
		set_text(&data, "step", i->workflow->steps[event->step].name);
	if (event->attempt > 0)
		datum_set_take(&data, "attempt", datum_number((double)event->attempt));
	if (event->what == WORKFLOW_FAILED)
		set_text(&data, "reason", workflow_reason_name(event->reason));
	return data;
}

static struct slice header(const struct message *m, const char *name)
{
	bool has = (m->present & MESSAGE_HEADERS) != 0;
	return has ? table_find_string(m->headers, name) : (struct slice){0};
}

static void set_slice(struct datum *object, const char *name, struct slice text)
{
	if (text.len > 0)
		datum_set_take(object, name, datum_text(text));
}

void workflow_instance_add_start(struct datum *data, const struct message *m, struct datum input)
{
	struct trace parent;
	struct slice traceparent = header(m, TRACE_PARENT), state = header(m, TRACE_STATE);
	bool has_id = (m->present & MESSAGE_MESSAGE_ID) != 0;
	bool has_correlation = (m->present & MESSAGE_CORRELATION_ID) != 0;
	datum_set_take(data, "input", input);
	set_slice(data, "message_id", has_id ? m->message_id : (struct slice){0});
	set_slice(data, "correlation_id", has_correlation ? m->correlation_id : (struct slice){0});
	if (!trace_parse(traceparent, &parent))
		return;
	set_slice(data, TRACE_PARENT, traceparent);
	set_slice(data, TRACE_STATE, trace_is_state(state) ? state : (struct slice){0});
}

/* Moves a text out of the data; what is there stays when the data has none. */
static void take_text(struct datum *data, const char *name, char **out)
{
	struct slice text;
	struct datum member = datum_move(data, name);
	if (datum_is_text(&member, &text)) {
		free(*out);
		*out = mem_strndup(text.ptr, text.len);
	}
	datum_free(&member);
}

static void take_start(struct workflow_instance *i, struct datum *data)
{
	i->input = datum_move(data, "input");
	take_text(data, "message_id", &i->root);
	take_text(data, "correlation_id", &i->correlation);
	take_text(data, TRACE_PARENT, &i->traceparent);
	take_text(data, TRACE_STATE, &i->tracestate);
	if (i->correlation == NULL && i->root != NULL)
		i->correlation = mem_strdup(i->root);
	if (i->root != NULL)
		i->cause = mem_strdup(i->root);
}

static void take_failure(struct workflow_instance *i, struct datum *data)
{
	datum_free(&i->failure);
	i->failure = datum_copy(data);
}

/* The first attempt brings the body, which stays the same for the others. */
static void take_body(
    struct workflow_instance *i, const struct workflow_event *event, struct datum *data)
{
	struct datum body = datum_move(data, "body");
	if (event->attempt > 1 && !datum_exists(&body))
		return;
	datum_free(&i->body);
	i->body = body;
}

bool workflow_instance_apply(
    struct workflow_instance *i, const struct workflow_event *event, struct datum data)
{
	if (!workflow_apply(i->workflow, &i->state, event)) {
		datum_free(&data);
		return false;
	}
	i->version++;
	take_text(&data, "cause", &i->cause);
	if (event->what == WORKFLOW_STARTED)
		take_start(i, &data);
	else if (event->what == WORKFLOW_REPLIED)
		datum_set_take(
		    &i->replies, i->workflow->steps[event->step].name, datum_move(&data, "reply"));
	else if (event->what == WORKFLOW_FAILED)
		take_failure(i, &data);
	if (event->what == WORKFLOW_REQUESTED || event->what == WORKFLOW_COMPENSATING)
		take_body(i, event, &data);
	else
		datum_free(&i->body);
	datum_free(&data);
	name_due_message(i);
	return true;
}

/* ---- stored events ---- */

static bool find_step(
    const struct workflow_instance *i, const char *name, struct workflow_event *out)
{
	for (size_t k = 0; k < i->workflow->step_count; k++)
		if (strcmp(i->workflow->steps[k].name, name) == 0) {
			out->step = k;
			return true;
		}
	return false;
}

static bool read_attempt(struct datum *data, uint64_t *out)
{
	struct datum attempt = datum_move(data, "attempt");
	struct buf text = {0};
	datum_write(&attempt, &text);
	datum_free(&attempt);
	*out = text.len > 0 ? strtoull(text.ptr, NULL, 10) : 0;
	buf_release(&text);
	return *out > 0;
}

static bool lack_step(const struct workflow_instance *i, const char *step, struct error *err)
{
	char *name = text_quote(slice_str(step)), *id = text_quote(slice_str(i->id));
	error_set(err, ERROR_SETTINGS,
	    "instance '%s' is under way and knows a step '%s', which workflow '%s' has not; let "
	    "the "
	    "settings keep it until that instance has ended, or take another --store",
	    id, name, i->workflow->name);
	free(name);
	free(id);
	return false;
}

static bool refuse(const struct workflow_instance *i, struct slice type, struct error *err)
{
	char *subject = text_quote(slice_str(i->subject)), *what = text_quote(type);
	error_set(err, ERROR_DATA,
	    "event '%s' cannot be the one with version %llu of '%s': somebody else has written "
	    "there, or the steps were changed under it",
	    what, (unsigned long long)i->version + 1, subject);
	free(subject);
	free(what);
	return false;
}

/* What happened, out of the data, which keeps the rest. */
static bool read_event(struct workflow_instance *i, struct slice type, struct datum *data,
    struct workflow_event *out, struct error *err)
{
	struct slice prefix = SLICE(WORKFLOW_INSTANCE_TYPES), text;
	*out = (struct workflow_event){0};
	if (type.len < prefix.len || memcmp(type.ptr, prefix.ptr, prefix.len) != 0 ||
	    !workflow_happening_find(slice_from(type, prefix.len), &out->what))
		return refuse(i, type, err);
	bool good = true;
	if (out->what > WORKFLOW_STARTED && out->what < WORKFLOW_COMPLETED) {
		char *step = NULL;
		struct datum copy = datum_copy(data);
		take_text(&copy, "step", &step);
		datum_free(&copy);
		good = step != NULL ? find_step(i, step, out) || lack_step(i, step, err)
				    : refuse(i, type, err);
		free(step);
	}
	if (out->what == WORKFLOW_REQUESTED || out->what == WORKFLOW_COMPENSATING)
		good = good && (read_attempt(data, &out->attempt) || refuse(i, type, err));
	if (good && out->what == WORKFLOW_FAILED) {
		struct datum copy = datum_copy(data), reason = datum_move(&copy, "reason");
		good =
		    (datum_is_text(&reason, &text) && workflow_reason_find(text, &out->reason)) ||
		    refuse(i, type, err);
		datum_free(&reason);
		datum_free(&copy);
	}
	return good;
}

bool workflow_instance_replay(
    struct workflow_instance *i, struct slice type, struct slice data, struct error *err)
{
	struct datum value = {0};
	struct workflow_event event;
	if (!datum_parse(data, &value))
		return refuse(i, type, err);
	if (!read_event(i, type, &value, &event, err)) {
		datum_free(&value);
		return false;
	}
	return workflow_instance_apply(i, &event, value) || refuse(i, type, err);
}

bool workflow_instance_parse(struct slice subject, struct slice *workflow, struct slice *id)
{
	struct slice prefix = SLICE(WORKFLOW_INSTANCE_SUBJECTS);
	if (subject.len < prefix.len || memcmp(subject.ptr, prefix.ptr, prefix.len) != 0)
		return false;
	struct slice rest = slice_from(subject, prefix.len);
	const char *slash = rest.len > 0 ? memchr(rest.ptr, '/', rest.len) : NULL;
	if (slash == NULL)
		return false;
	*workflow = (struct slice){rest.ptr, (size_t)(slash - rest.ptr)};
	*id = slice_from(rest, workflow->len + 1);
	return workflow->len > 0 && id->len > 0;
}

/* ---- messages ---- */

static void add_envelope(
    const struct workflow_instance *i, struct slice id, struct slice type, struct buf *out)
{
	char *source = mem_printf("/warren/workflow/%s", i->workflow->name);
	table_add_string(out, "cloudEvents_specversion", SLICE("1.0"));
	table_add_string(out, "cloudEvents_id", id);
	table_add_string(out, "cloudEvents_source", slice_str(source));
	table_add_string(out, "cloudEvents_type", type);
	table_add_string(out, "cloudEvents_subject", slice_str(i->subject));
	if (i->correlation != NULL)
		table_add_string(out, "cloudEvents_correlationid", slice_str(i->correlation));
	if (i->cause != NULL)
		table_add_string(out, "cloudEvents_causationid", slice_str(i->cause));
	if (i->traceparent != NULL)
		table_add_string(out, TRACE_PARENT, slice_str(i->traceparent));
	if (i->tracestate != NULL)
		table_add_string(out, TRACE_STATE, slice_str(i->tracestate));
	free(source);
}

void workflow_instance_event(const struct workflow_instance *i, const struct workflow_event *event,
    struct slice data, int64_t wall_ms, struct buf *store, struct message *out)
{
	struct buf time = {0};
	buf_clear(store);
	buf_printf(store, "%s/%llu", i->subject, (unsigned long long)i->version + 1);
	size_t id_len = store->len;
	buf_printf(store, WORKFLOW_INSTANCE_TYPES "%s", workflow_happening_name(event->what));
	size_t type_len = store->len - id_len;
	char *texts = mem_strndup(store->ptr, store->len); /* the store moves as it grows */
	struct slice id = {texts, id_len}, type = {texts + id_len, type_len};
	size_t before = store->len;
	add_envelope(i, id, type, store);
	chrono_format(wall_ms, &time);
	table_add_string(store, "cloudEvents_time", buf_slice(&time));
	*out = (struct message){.exchange = SLICE(""),
	    .routing_key = SLICE(""),
	    .body = data,
	    .present = MESSAGE_CONTENT_TYPE | MESSAGE_HEADERS | MESSAGE_DELIVERY_MODE |
		       MESSAGE_MESSAGE_ID | MESSAGE_TYPE,
	    .content_type = SLICE("application/json"),
	    .headers = slice_from(buf_slice(store), before),
	    .delivery_mode = MESSAGE_PERSISTENT,
	    .message_id = {store->ptr, id_len},
	    .type = {store->ptr + id_len, type_len}};
	if (id_len > MOST_SHORT)
		out->present &= ~(unsigned)MESSAGE_MESSAGE_ID;
	buf_release(&time);
	free(texts);
}

static struct datum view(const struct workflow_instance *i)
{
	struct datum all = datum_object();
	datum_set_take(&all, "id", datum_text(slice_str(i->id)));
	datum_set_take(&all, "input", datum_copy(&i->input));
	datum_set_take(&all, "replies", datum_copy(&i->replies));
	datum_set_take(
	    &all, "failure", datum_exists(&i->failure) ? datum_copy(&i->failure) : datum_null());
	return all;
}

bool workflow_instance_make_body(struct workflow_instance *i, const struct workflow_letter *letter,
    struct datum *out, struct error *err)
{
	return workflow_logic_body(i->logic, letter, view(i), out, err) ||
	       error_context(err, "its body");
}

static char *type_of(const struct workflow_instance *i, const struct workflow_letter *letter)
{
	if (letter->type != NULL)
		return mem_strdup(letter->type);
	char *what = name_due(i);
	char *type = mem_printf("%s.%s", i->workflow->name, what != NULL ? what : "");
	free(what);
	return type;
}

/* Texts as they are, the rest as JSON. True: it is JSON. */
static bool write_body(const struct datum *body, struct buf *out)
{
	struct slice text;
	if (!datum_is_text(body, &text)) {
		datum_write(body, out);
		return true;
	}
	buf_append(out, text);
	return false;
}

static void set_property(
    struct message *m, enum message_property bit, struct slice *member, struct slice value)
{
	if (value.len == 0 || value.len > MOST_SHORT)
		return;
	m->present |= bit;
	*member = value;
}

bool workflow_instance_message(
    struct workflow_instance *i, struct buf *store, struct message *out, struct error *err)
{
	const struct workflow_letter *letter = workflow_letter_due(i->workflow, &i->state);
	if (!datum_exists(&i->body) && !workflow_instance_make_body(i, letter, &i->body, err))
		return false;
	char *type = type_of(i, letter);
	buf_clear(store);
	buf_append_str(store, type);
	size_t type_len = store->len;
	add_envelope(i, slice_str(i->message_id), slice_str(type), store);
	if (i->cause != NULL)
		table_add_string(store, MARKS_CAUSE, slice_str(i->cause));
	size_t headers_end = store->len;
	bool is_json = write_body(&i->body, store);
	*out = (struct message){.exchange = slice_str(letter->exchange),
	    .routing_key = slice_str(letter->routing_key),
	    .body = slice_from(buf_slice(store), headers_end),
	    .present = MESSAGE_CONTENT_TYPE | MESSAGE_HEADERS | MESSAGE_DELIVERY_MODE |
		       MESSAGE_MESSAGE_ID | MESSAGE_CORRELATION_ID,
	    .content_type = is_json ? SLICE("application/json") : SLICE("text/plain"),
	    .headers = {store->ptr + type_len, headers_end - type_len},
	    .delivery_mode = MESSAGE_PERSISTENT,
	    .message_id = slice_str(i->message_id),
	    .correlation_id = slice_str(i->message_id)};
	set_property(out, MESSAGE_TYPE, &out->type, (struct slice){store->ptr, type_len});
	if (letter->has_reply)
		set_property(
		    out, MESSAGE_REPLY_TO, &out->reply_to, slice_str(i->workflow->replies));
	else if (i->correlation != NULL) /* it has no answer to be told by */
		set_property(
		    out, MESSAGE_CORRELATION_ID, &out->correlation_id, slice_str(i->correlation));
	free(type);
	return true;
}
