#include "app/asyncapi_workflows.h"

#include "app/asyncapi_logic.h"
#include "app/asyncapi_names.h"
#include "base/mem.h"
#include "base/num.h"
#include "model/envelope.h"
#include "model/marks.h"
#include "model/trace.h"

#include <stdlib.h>

/* A message that a workflow sends. */
struct sending {
	const struct workflow *workflow;
	const struct workflow_letter *letter;
	char *what; /* owned: "reserve.compensate", as types of events name it */
	char *id;   /* owned: of the operation */
	char *type; /* owned */
};

static void begin(struct sending *s, const struct workflow *w, const struct workflow_letter *letter,
    const char *verb, const char *step)
{
	bool is_undo = strcmp(verb, "compensate") == 0;
	*s = (struct sending){.workflow = w, .letter = letter};
	s->what = mem_printf("%s%s", step != NULL ? step : verb, is_undo ? ".compensate" : "");
	s->id = mem_printf(
	    "workflow-%s-%s%s%s", w->name, verb, step != NULL ? "-" : "", step != NULL ? step : "");
	s->type =
	    letter->type != NULL ? mem_strdup(letter->type) : mem_printf("%s.%s", w->name, s->what);
}

static void end(struct sending *s)
{
	free(s->what);
	free(s->id);
	free(s->type);
}

/* ---- the message ---- */

/* Those whose value is the same each time; by them exchanges of headers route. */
static json_t *fixed_headers(const struct sending *s)
{
	return json_pack("{s:s, s:o, s:s}", "cloudEvents_specversion", "1.0", "cloudEvents_source",
	    json_sprintf("/warren/workflow/%s", s->workflow->name), "cloudEvents_type", s->type);
}

static json_t *make_headers(const struct sending *s)
{
	static const char *const texts[] = {"cloudEvents_id", "cloudEvents_subject",
	    "cloudEvents_correlationid", "cloudEvents_causationid", MARKS_CAUSE, TRACE_PARENT,
	    TRACE_STATE};
	json_t *fixed = fixed_headers(s), *properties = json_object(), *value;
	const char *name;
	json_object_foreach(fixed, name, value)
	    json_object_set_new(properties, name, json_pack("{s:O}", "const", value));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		json_object_set_new(properties, texts[i], json_pack("{s:s}", "type", "string"));
	json_decref(fixed);
	return properties;
}

/* Without a body of its own it has that of what started the instance. */
static json_t *make_payload(const struct asyncapi_draft *d, const struct sending *s)
{
	return s->letter->body == NULL ? asyncapi_draft_contract(d, s->workflow->start) : NULL;
}

static const char *add_message(struct asyncapi_draft *d, const struct sending *s)
{
	json_t *headers = fixed_headers(s);
	const char *id = asyncapi_draft_message_take(d, s->type,
	    asyncapi_logic_message(s->type, "What the orchestrator sends.", s->type,
		make_payload(d, s), make_headers(s)));
	asyncapi_draft_route(d, id, s->letter->exchange, s->letter->routing_key, headers);
	asyncapi_logic_oblige(d, id);
	json_decref(headers);
	return id;
}

/* ---- its reply ---- */

/* What those answer whose queue gets the message, as far as the settings have them. */
static json_t *list_answers(struct asyncapi_draft *d, const struct sending *s, const char *message)
{
	const char *channel = json_string_value(json_object_get(d->queues, s->workflow->replies));
	const char *queue;
	json_t *answers, *answer, *list = json_array();
	size_t i;
	json_object_foreach(d->answers, queue, answers)
	{
		if (json_object_get(json_object_get(d->received, queue), message) == NULL)
			continue;
		json_array_foreach(answers, i, answer)
		{
			const char *id = json_string_value(answer);
			asyncapi_draft_receive(d, id, s->workflow->replies);
			json_array_append_new(list, asyncapi_draft_choose(channel, id));
		}
	}
	return list;
}

static json_t *make_reply(struct asyncapi_draft *d, const struct sending *s, const char *message)
{
	json_t *reply = json_pack("{s:o}", "channel",
	    asyncapi_names_refer("channels", asyncapi_draft_take_from(d, s->workflow->replies)));
	json_t *answers = list_answers(d, s, message);
	if (json_array_size(answers) > 0)
		json_object_set(reply, "messages", answers);
	json_decref(answers);
	return reply;
}

/* ---- operations ---- */

static void add_start(struct asyncapi_draft *d, const struct workflow *w)
{
	char *id = mem_printf("workflow-%s-start", w->name);
	char *text =
	    w->id != NULL
		? mem_printf("Each message starts an instance, whose id is `%s`.", w->id)
		: mem_strdup("Each message starts an instance, whose id is the message's.");
	asyncapi_logic_add_take(d, id, "workflow", w->name, text,
	    asyncapi_draft_operation(
		"receive", asyncapi_draft_take_from(d, w->start), json_pack("{s:b}", "ack", 1)));
	free(text);
	free(id);
}

static const char *choose_channel(struct asyncapi_draft *d, const struct sending *s)
{
	const char *key = s->letter->routing_key;
	json_t *json = key[0] != '\0' ? json_string(key) : NULL;
	const struct asyncapi_draft_way way = {
	    .exchange = s->letter->exchange, .key = json, .payload = ""};
	const char *channel =
	    asyncapi_draft_channel(d, &way, key[0] != '\0' ? key : s->letter->exchange);
	json_decref(json);
	return channel;
}

/* Takes the sending. */
static void add_sending(struct asyncapi_draft *d, struct sending *s, const char *text)
{
	const char *channel = choose_channel(d, s), *message = add_message(d, s);
	json_t *operation = asyncapi_draft_operation(
	    "send", channel, json_pack("{s:i}", "deliveryMode", MESSAGE_PERSISTENT));
	asyncapi_draft_carry(d, channel, message);
	json_object_set_new(
	    operation, "messages", json_pack("[o]", asyncapi_draft_choose(channel, message)));
	if (s->letter->has_reply)
		json_object_set_new(operation, "reply", make_reply(d, s, message));
	asyncapi_logic_add_take(d, s->id, "workflow", s->workflow->name, text, operation);
	end(s);
}

static void describe_request(const struct workflow_step *step, struct buf *out)
{
	buf_printf(out, "The request of step %s. It fails without a reply in ", step->name);
	num_format_duration(step->request.timeout_ns, out);
	if (step->retries > 0)
		buf_printf(out, ", %llu times", (unsigned long long)step->retries + 1);
	buf_append_char(out, '.');
}

static void add_step(
    struct asyncapi_draft *d, const struct workflow *w, const struct workflow_step *step)
{
	struct sending s;
	struct buf text = {0};
	describe_request(step, &text);
	begin(&s, w, &step->request, "request", step->name);
	add_sending(d, &s, text.ptr);
	if (step->has_compensation) {
		buf_clear(&text);
		buf_printf(&text, "Undoes step %s when it or a later one has failed.", step->name);
		begin(&s, w, &step->compensation, "compensate", step->name);
		add_sending(d, &s, text.ptr);
	}
	buf_release(&text);
}

static void add_workflow(struct asyncapi_draft *d, const struct workflow *w)
{
	struct sending s;
	add_start(d, w);
	for (size_t i = 0; i < w->step_count; i++)
		add_step(d, w, &w->steps[i]);
	if (w->has_completed) {
		begin(&s, w, &w->completed, "completed", NULL);
		add_sending(d, &s, "Says that all steps are done.");
	}
	if (w->has_failed) {
		begin(&s, w, &w->failed, "failed", NULL);
		add_sending(d, &s, "Says that a step has failed and what was done is undone.");
	}
}

void asyncapi_workflows_add(struct asyncapi_draft *d)
{
	for (size_t i = 0; i < d->settings->workflows.count; i++)
		add_workflow(d, &d->settings->workflows.items[i]);
}
