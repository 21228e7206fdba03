#include "flow/workflow_instance_private.h"

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/table.h"
#include "model/trace.h"

#include <stdio.h>
#include <stdlib.h>

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

char *workflow_instance_due(const struct workflow_instance *i)
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
	char *what = workflow_instance_due(i);
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
