#include "flow/core_transform.h"

#include "base/mem.h"
#include "base/text.h"
#include "flow/jq_view.h"
#include "flow/result.h"
#include "model/record.h"

#include <stdlib.h>

/* One output: JSON in the text, or the bytes of a string. */
struct output {
	size_t at, len;
	bool is_text;	/* of the body, when it is a message */
	bool has_body;	/* a message may have none of its own */
	bool is_base64; /* and its bytes may stand in another member */
};

struct core_transform {
	struct jq_view view;
	struct core_transform_options options;
	struct buf text; /* of the outputs of one message, */
	struct output *outputs;
	size_t count, capacity;
	struct buf store;  /* of an output that is a message */
	struct buf reason; /* of the rejection */
	uint64_t dropped;
};

struct core_transform *core_transform_create(
    const struct core_transform_options *options, struct error *err)
{
	struct jq_view view = {0};
	if (!jq_view_open(&view, options->expression,
		"error: the jq program did not come to an end on a message; giving up, so that the "
		"broker delivers again what is not settled\n",
		"error: the jq program needs more memory than there is\n", err))
		return NULL;
	struct core_transform *core = mem_alloc(1, sizeof *core);
	core->view = view;
	core->options = *options;
	return core;
}

void core_transform_free(struct core_transform *core)
{
	if (core == NULL)
		return;
	jq_view_close(&core->view);
	buf_release(&core->text);
	buf_release(&core->store);
	buf_release(&core->reason);
	free(core->outputs);
	free(core);
}

uint64_t core_transform_dropped(const struct core_transform *core)
{
	return core->dropped;
}

/* ---- collecting ---- */

static bool refuse(struct core_transform *core, const char *why)
{
	buf_clear(&core->reason);
	buf_append_str(&core->reason, why);
	return false;
}

/* A body of a message that is a value gets its text: a record has only texts there. False: it is a
 * value that JSON cannot hold. */
static bool write_body_of_record(struct datum *record, struct output *output)
{
	struct slice text;
	struct datum body = datum_move(record, "body"), base64 = datum_move(record, "body_base64");
	output->is_base64 = datum_exists(&base64) && !datum_is_null(&base64);
	output->has_body = output->is_base64 || (datum_exists(&body) && !datum_is_null(&body));
	output->is_text = datum_is_text(&body, &text);
	if (output->is_base64)
		datum_set_take(record, "body_base64", base64);
	else
		datum_free(&base64);
	if (!datum_exists(&body) || datum_is_null(&body)) {
		datum_free(&body);
		if (!output->is_base64) /* a record has to have one */
			datum_set_take(record, "body", datum_text((struct slice){"", 0}));
		return true;
	}
	bool good = true;
	if (!output->is_text) {
		struct buf json = {0};
		good = datum_write(&body, &json);
		datum_free(&body);
		body = datum_text(buf_slice(&json));
		buf_release(&json);
	}
	datum_set_take(record, "body", body);
	return good;
}

/* Takes one output on, and the value. */
static bool add_output(struct core_transform *core, const struct message *in, struct datum *value)
{
	struct slice text;
	if (core->count == CORE_TRANSFORM_MAX_OUTPUTS)
		return refuse(core, "the jq program has more than 1,000,000 outputs");
	core->outputs =
	    mem_grow(core->outputs, &core->capacity, core->count + 1, sizeof *core->outputs);
	struct output *output = &core->outputs[core->count++];
	*output = (struct output){.at = core->text.len, .has_body = true};
	bool good = true;
	if (core->options.as == CORE_TRANSFORM_MESSAGE && datum_is_object(value))
		good = write_body_of_record(value, output);
	else if (core->options.as == CORE_TRANSFORM_BODY)
		output->is_text = datum_is_text(value, &text);
	if (core->options.as == CORE_TRANSFORM_BODY && output->is_text)
		buf_append(&core->text, text);
	else
		good &= datum_write(value, &core->text);
	if (!good)
		return refuse(core, "the jq program has an output that is no JSON: a number is "
				    "not finite, or it is too deep");
	output->len = core->text.len - output->at;
	return core->text.len + core->count * (in->headers.len + 1) <= CORE_TRANSFORM_MAX_BYTES ||
	       refuse(core, "the outputs of the jq program are larger than 128 MiB");
}

/* All outputs of the program on a message; false with the reason. */
static bool collect(struct core_transform *core, const struct flow_message *m)
{
	struct datum value;
	enum program_answer answer;
	bool good = true;
	buf_clear(&core->text);
	core->count = 0;
	jq_view_start(&core->view, m);
	while (good && (answer = program_next(core->view.program, &value)) != PROGRAM_END) {
		if (answer == PROGRAM_FAILED) {
			char *said = program_complaint(&value);
			buf_clear(&core->reason);
			buf_printf(&core->reason, "the jq program fails: %s", said);
			free(said);
			good = false;
		} else {
			good = add_output(core, m->message, &value);
		}
		datum_free(&value);
	}
	if (good && core->options.one_answer && core->count != 1) {
		buf_clear(&core->reason);
		buf_printf(&core->reason,
		    "the jq program has %zu outputs, and one answer is wanted", core->count);
		good = false;
	}
	return good;
}

/* ---- what they become ---- */

/* *out, a copy of the message, becomes what the record says. */
static bool set_record(struct core_transform *core, const struct output *output, struct slice line,
    const struct message *in, struct message *out)
{
	struct message named;
	struct error err = {0};
	if (!record_read(line, &named, &core->store, &err)) {
		buf_clear(&core->reason);
		buf_printf(
		    &core->reason, "the jq program has an output that is no message: %s", err.text);
		return false;
	}
	if (output->has_body)
		result_set_body(out, named.body, output->is_text || output->is_base64);
	out->exchange = named.exchange;
	if (result_set_named(&named, in, out, &err))
		return true;
	buf_clear(&core->reason);
	buf_printf(&core->reason, "the jq program %s", err.text);
	return false;
}

/* *out, a copy of the message, becomes the output. */
static bool set_output(struct core_transform *core, const struct output *output,
    const struct message *in, struct message *out)
{
	const struct slice text = {core->text.ptr + output->at, output->len};
	if (core->options.as == CORE_TRANSFORM_MESSAGE)
		return set_record(core, output, text, in, out);
	result_set_body(out, text, output->is_text);
	return true;
}

/* Records are read twice, so that one that is none spoils all before the first goes on. */
static bool check_records(struct core_transform *core, const struct message *in)
{
	struct message out;
	for (size_t i = 0; core->options.as == CORE_TRANSFORM_MESSAGE && i < core->count; i++) {
		out = *in;
		if (!set_output(core, &core->outputs[i], in, &out))
			return false;
	}
	return true;
}

static void send_all(
    struct core_transform *core, struct flow *flow, uint64_t slot, const struct flow_message *in)
{
	for (size_t i = 0; i < core->count; i++) {
		struct message out = *in->message;
		struct flow_message branch = *in;
		branch.message = &out;
		if (set_output(core, &core->outputs[i], in->message, &out))
			flow_branch(flow, slot, &branch);
	}
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	struct core_transform *core = self;
	/* jq would see null, and what it makes of that would stand for the body */
	bool good = text_is_utf8(in->message->body)
			? collect(core, in)
			: refuse(core, "the body is no text, so jq cannot read it");
	if (good && core->count == 1 && set_output(core, &core->outputs[0], in->message, out))
		return FLOW_PASS;
	if (good && core->count != 1 && check_records(core, in->message)) {
		core->dropped += core->count == 0;
		send_all(core, flow, slot, in);
		return FLOW_SPLIT;
	}
	verdict->fate = FLOW_REJECTED;
	verdict->reason = core->reason.ptr;
	return FLOW_SETTLE;
}

struct flow_core core_transform_core(struct core_transform *core)
{
	static const struct flow_core_kind kind = {.apply = apply};
	return (struct flow_core){&kind, core};
}
