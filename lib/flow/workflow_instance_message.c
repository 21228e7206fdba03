/* An instance's events, and the messages that it sends. */
#include "base/chrono.h"
#include "base/mem.h"
#include "flow/workflow_instance_private.h"
#include "model/marks.h"
#include "model/table.h"
#include "model/trace.h"

#include <stdlib.h>

#define MOST_SHORT 255 /* bytes of a property */

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
	char *what = workflow_instance_due(i);
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
