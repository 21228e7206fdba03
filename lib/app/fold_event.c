#include "app/fold_event.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "model/death.h"

static struct datum text_or_null(struct slice text)
{
	return text.ptr != NULL ? datum_text(text) : datum_null();
}

static struct datum position_value(const struct select_event *e)
{
	return datum_number((double)e->position);
}

static struct datum id_value(const struct select_event *e)
{
	return text_or_null(e->id);
}

static struct datum type_value(const struct select_event *e)
{
	return text_or_null(e->type);
}

static struct datum source_value(const struct select_event *e)
{
	return text_or_null(e->source);
}

static struct datum subject_value(const struct select_event *e)
{
	return text_or_null(e->subject);
}

static struct datum version_value(const struct select_event *e)
{
	return e->version > 0 ? datum_number((double)e->version) : datum_null();
}

static struct datum time_value(const struct select_event *e)
{
	return text_or_null(e->time);
}

static struct datum received_value(const struct select_event *e)
{
	struct buf text = {0};
	chrono_format_us(e->received_us, &text);
	struct datum value = datum_text(buf_slice(&text));
	buf_release(&text);
	return value;
}

static struct datum exchange_value(const struct select_event *e)
{
	return datum_text(e->exchange);
}

static struct datum routing_key_value(const struct select_event *e)
{
	return datum_text(e->routing_key);
}

static struct datum queue_value(const struct select_event *e)
{
	return text_or_null(e->queue);
}

/* The two are one object in the store. */
static struct datum take_properties(const struct select_event *e, struct datum *headers)
{
	struct datum all;
	if (!datum_parse(e->properties, &all))
		all = datum_object(); /* the store writes only objects */
	*headers = datum_move(&all, "headers");
	if (!datum_exists(headers)) {
		datum_free(headers);
		*headers = datum_object();
	}
	return all;
}

static struct datum properties_value(const struct select_event *e)
{
	struct datum headers, properties = take_properties(e, &headers);
	datum_free(&headers);
	return properties;
}

static struct datum headers_value(const struct select_event *e)
{
	struct datum headers, properties = take_properties(e, &headers);
	datum_free(&properties);
	return headers;
}

static struct datum redelivered_value(const struct select_event *e)
{
	return datum_bool(e->redelivered);
}

static struct datum death_value(const struct select_event *e)
{
	struct error ignored = {0}; /* null says it */
	struct message m;
	struct death d;
	struct datum value;
	struct buf kept = {0}, json = {0};
	bool good = select_message(e, &kept, &m, &ignored);
	if (good) {
		death_read(&m, &d);
		death_write_json(&d, &json);
	}
	if (!good || !datum_parse(buf_slice(&json), &value))
		value = datum_null();
	buf_release(&json);
	buf_release(&kept);
	return value;
}

/* The members in their order, then what only variables are. */
static const struct row {
	const char *name;
	struct datum (*value)(const struct select_event *e);
} rows[] = {
    {"position", position_value},
    {"id", id_value},
    {"type", type_value},
    {"source", source_value},
    {"subject", subject_value},
    {"version", version_value},
    {"time", time_value},
    {"received", received_value},
    {"exchange", exchange_value},
    {"routing_key", routing_key_value},
    {"queue", queue_value},
    {"properties", properties_value},
    {"headers", headers_value},
    {"redelivered", redelivered_value},
    {"death", death_value},
};
_Static_assert(ARRAY_LEN(rows) == FOLD_EVENT_VARIABLES, "the header says how many");

struct datum fold_event_object(const struct select_event *event)
{
	struct datum object = datum_object(), headers;
	for (const struct row *row = rows; row->value != properties_value; row++)
		datum_set_take(&object, row->name, row->value(event));
	datum_set_take(&object, "properties", take_properties(event, &headers));
	datum_set_take(&object, "headers", headers);
	datum_set_take(&object, "data", datum_body(event->data));
	return object;
}

const char *fold_event_variable(size_t which)
{
	return rows[which].name;
}

struct datum fold_event_value(size_t which, const struct select_event *event)
{
	return rows[which].value(event);
}
