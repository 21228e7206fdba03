#include "flow/jq_view.h"

#include "base/mem.h"
#include "model/death.h"
#include "model/table.h"

/* ---- the variables ---- */

static struct datum exchange_value(struct jq_view *view, const struct flow_message *m)
{
	(void)view;
	return datum_text(m->message->exchange);
}

static struct datum routing_key_value(struct jq_view *view, const struct flow_message *m)
{
	(void)view;
	return datum_text(m->message->routing_key);
}

static struct datum queue_value(struct jq_view *view, const struct flow_message *m)
{
	(void)view;
	return datum_text(m->queue);
}

static struct datum redelivered_value(struct jq_view *view, const struct flow_message *m)
{
	(void)view;
	return datum_bool(m->redelivered);
}

static struct datum property_value(const struct message *m, const struct message_property_row *row)
{
	const char *member = (const char *)m + row->offset;
	switch (row->value) {
	case MESSAGE_VALUE_OCTET:
		return datum_number(*(const uint8_t *)member);
	case MESSAGE_VALUE_TIMESTAMP:
		return datum_number((double)*(const uint64_t *)(const void *)member);
	case MESSAGE_VALUE_TEXT:
	case MESSAGE_VALUE_TABLE:
		break;
	}
	return datum_text(*message_slice_const(m, row));
}

static struct datum properties_value(struct jq_view *view, const struct flow_message *m)
{
	(void)view;
	struct datum all = datum_object();
	for (size_t i = 0; i < ARRAY_LEN(message_properties); i++) {
		const struct message_property_row *row = &message_properties[i];
		if ((m->message->present & row->bit) != 0 && row->bit != MESSAGE_HEADERS)
			datum_set_take(&all, row->name, property_value(m->message, row));
	}
	return all;
}

/* Without headers an empty object, so that `$headers | has("x")` works; damaged ones are null. */
static struct datum headers_value(struct jq_view *view, const struct flow_message *m)
{
	if ((m->message->present & MESSAGE_HEADERS) == 0)
		return datum_object();
	struct error ignored = {0}; /* null says it */
	struct datum value;
	buf_clear(&view->scratch);
	if (!table_write_json(m->message->headers, &view->scratch, &ignored) ||
	    !datum_parse(buf_slice(&view->scratch), &value))
		return datum_null();
	return value;
}

static struct datum death_value(struct jq_view *view, const struct flow_message *m)
{
	struct death d;
	struct datum value;
	death_read(m->message, &d);
	buf_clear(&view->scratch);
	death_write_json(&d, &view->scratch);
	return datum_parse(buf_slice(&view->scratch), &value) ? value : datum_null();
}

static const struct variable {
	const char *name;
	struct datum (*value)(struct jq_view *view, const struct flow_message *m);
} variables[] = {
    {"exchange", exchange_value},
    {"routing_key", routing_key_value},
    {"queue", queue_value},
    {"redelivered", redelivered_value},
    {"properties", properties_value},
    {"headers", headers_value},
    {"death", death_value},
};

/* ---- the program ---- */

bool jq_view_open(struct jq_view *view, const char *expression, const char *endless,
    const char *greedy, struct error *err)
{
	const char *names[ARRAY_LEN(variables)];
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		names[i] = variables[i].name;
	const struct program_options options = {
	    .expression = expression,
	    .variables = names,
	    .variable_count = ARRAY_LEN(names),
	    .endless = endless,
	    .greedy = greedy,
	    .status = ERROR_INTERNAL,
	};
	view->program = program_create(&options, err);
	return view->program != NULL;
}

void jq_view_close(struct jq_view *view)
{
	program_free(view->program);
	buf_release(&view->scratch);
	*view = (struct jq_view){0};
}

void jq_view_start(struct jq_view *view, const struct flow_message *m)
{
	struct datum input = datum_body(m->message->body), values[ARRAY_LEN(variables)] = {0};
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (program_reads(view->program, i))
			values[i] = variables[i].value(view, m);
	program_start(view->program, &input, values);
}
