#include "flow/core_jq.h"

#include "base/log.h"
#include "base/mem.h"
#include "jq/program.h"
#include "model/death.h"
#include "model/table.h"

#include <stdlib.h>

struct core_jq {
	struct program *program;
	enum flow_fate hidden_fate;
	struct buf scratch;
	uint64_t hidden, errors;
};

/* ---- what jq sees ---- */

static struct datum exchange_value(struct core_jq *core, const struct flow_message *m)
{
	(void)core;
	return datum_text(m->message->exchange);
}

static struct datum routing_key_value(struct core_jq *core, const struct flow_message *m)
{
	(void)core;
	return datum_text(m->message->routing_key);
}

static struct datum queue_value(struct core_jq *core, const struct flow_message *m)
{
	(void)core;
	return datum_text(m->queue);
}

static struct datum redelivered_value(struct core_jq *core, const struct flow_message *m)
{
	(void)core;
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

static struct datum properties_value(struct core_jq *core, const struct flow_message *m)
{
	(void)core;
	struct datum all = datum_object();
	for (size_t i = 0; i < ARRAY_LEN(message_properties); i++) {
		const struct message_property_row *row = &message_properties[i];
		if ((m->message->present & row->bit) != 0 && row->bit != MESSAGE_HEADERS)
			datum_set_take(&all, row->name, property_value(m->message, row));
	}
	return all;
}

/* Without headers an empty object, so that `$headers | has("x")` works; damaged ones are null. */
static struct datum headers_value(struct core_jq *core, const struct flow_message *m)
{
	if ((m->message->present & MESSAGE_HEADERS) == 0)
		return datum_object();
	struct error ignored = {0}; /* null says it */
	struct datum value;
	buf_clear(&core->scratch);
	if (!table_write_json(m->message->headers, &core->scratch, &ignored) ||
	    !datum_parse(buf_slice(&core->scratch), &value))
		return datum_null();
	return value;
}

static struct datum death_value(struct core_jq *core, const struct flow_message *m)
{
	struct death d;
	struct datum value;
	death_read(m->message, &d);
	buf_clear(&core->scratch);
	death_write_json(&d, &core->scratch);
	return datum_parse(buf_slice(&core->scratch), &value) ? value : datum_null();
}

static const struct variable {
	const char *name;
	struct datum (*value)(struct core_jq *core, const struct flow_message *m);
} variables[] = {
    {"exchange", exchange_value},
    {"routing_key", routing_key_value},
    {"queue", queue_value},
    {"redelivered", redelivered_value},
    {"properties", properties_value},
    {"headers", headers_value},
    {"death", death_value},
};

/* ---- the core ---- */

struct core_jq *core_jq_create(const char *expression, enum flow_fate hidden, struct error *err)
{
	const char *names[ARRAY_LEN(variables)];
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		names[i] = variables[i].name;
	const struct program_options options = {
	    .expression = expression,
	    .variables = names,
	    .variable_count = ARRAY_LEN(names),
	    .endless = "error: the filter did not come to an end on a message; giving up, so that "
		       "the broker delivers again what is not settled\n",
	    .greedy = "error: the filter needs more memory than there is\n",
	    .status = ERROR_INTERNAL,
	};
	struct program *program = program_create(&options, err);
	if (program == NULL)
		return NULL;
	struct core_jq *core = mem_alloc(1, sizeof *core);
	core->program = program;
	core->hidden_fate = hidden;
	return core;
}

void core_jq_set_limit(struct core_jq *core, uint64_t limit_ns)
{
	program_set_limit(core->program, limit_ns);
}

void core_jq_free(struct core_jq *core)
{
	if (core == NULL)
		return;
	program_free(core->program);
	buf_release(&core->scratch);
	free(core);
}

/* ---- messages ---- */

/* A filter that fails on one message tends to fail on all of them: one line is enough. */
static void note_failure(struct core_jq *core, const struct datum *failure)
{
	if (core->errors++ > 0)
		return;
	char *said = program_complaint(failure);
	log_write(LOG_WARNING,
	    "the filter fails on a message and hides it: %s (further failures are only counted)",
	    said);
	free(said);
}

bool core_jq_passes(struct core_jq *core, const struct flow_message *m)
{
	struct datum input = datum_body(m->message->body), values[ARRAY_LEN(variables)] = {0},
		     first;
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (program_reads(core->program, i))
			values[i] = variables[i].value(core, m);
	program_start(core->program, &input, values);
	enum program_answer answer = program_next(core->program, &first);
	bool passes = answer == PROGRAM_OUTPUT && datum_is_true(&first);
	if (answer == PROGRAM_FAILED)
		note_failure(core, &first);
	datum_free(&first);
	return passes;
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)flow, (void)slot, (void)out;
	struct core_jq *core = self;
	if (core_jq_passes(core, in))
		return FLOW_PASS;
	core->hidden++;
	verdict->fate = core->hidden_fate;
	return FLOW_SETTLE;
}

struct flow_core core_jq_core(struct core_jq *core)
{
	static const struct flow_core_kind kind = {.apply = apply};
	return (struct flow_core){&kind, core};
}

uint64_t core_jq_hidden(const struct core_jq *core)
{
	return core->hidden;
}

uint64_t core_jq_errors(const struct core_jq *core)
{
	return core->errors;
}
