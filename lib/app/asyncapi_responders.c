#include "app/asyncapi_responders.h"

#include "app/asyncapi_bindings.h"
#include "app/asyncapi_logic.h"
#include "app/asyncapi_names.h"
#include "base/mem.h"
#include "model/marks.h"
#include "model/trace.h"

#include <stdlib.h>

/* The properties of AMQP are headers of the protocol's own, in the words of AsyncAPI. */
#define REPLY_TO "$message.header#/replyTo"
#define CORRELATION_ID "$message.header#/correlationId"

/* ---- what is answered ---- */

static json_t *make_headers(void)
{
	static const char *const names[] = {MARKS_CAUSE, TRACE_PARENT, TRACE_STATE};
	json_t *properties = json_object();
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		json_object_set_new(properties, names[i], json_pack("{s:s}", "type", "string"));
	return properties;
}

static void set_correlation(json_t *message)
{
	json_object_set_new(message, "correlationId",
	    json_pack("{s:s, s:s}", "description",
		"The property correlation_id: that of the request, else its message_id.",
		"location", CORRELATION_ID));
}

static const char *add_answer(struct asyncapi_draft *d, const struct responder *r)
{
	char *name = mem_printf("%s-reply", r->name);
	json_t *payload =
	    asyncapi_logic_outcome_take(d, r->core, asyncapi_draft_contract(d, r->queue));
	json_t *message = asyncapi_logic_message(
	    name, "What the request is answered with.", NULL, payload, make_headers());
	json_object_set_new(json_object_get(message, "headers"), "not",
	    json_pack("{s:[s]}", "required", MARKS_ERROR));
	set_correlation(message);
	const char *id = asyncapi_draft_message_take(d, name, message);
	free(name);
	return id;
}

static const char *add_error(struct asyncapi_draft *d, const struct responder *r)
{
	char *name = mem_printf("%s-error", r->name);
	json_t *headers = make_headers();
	json_object_set_new(headers, MARKS_ERROR, json_pack("{s:s}", "type", "string"));
	json_t *message = asyncapi_logic_message(
	    name, "The reason why a request is refused, as its reply.", NULL, NULL, headers);
	json_object_set_new(message, "contentType", json_string("text/plain"));
	json_object_set_new(message, "payload", json_pack("{s:s}", "type", "string"));
	json_object_set_new(
	    json_object_get(message, "headers"), "required", json_pack("[s]", MARKS_ERROR));
	set_correlation(message);
	const char *id = asyncapi_draft_message_take(d, name, message);
	free(name);
	return id;
}

/* Nobody can refuse a request that passes nothing. */
static bool may_refuse(const struct asyncapi_draft *d, const struct responder *r)
{
	const json_t *queue = json_object_get(json_object_get(d->root, "queues"), r->queue);
	return json_array_size(r->core) > 0 || json_object_get(queue, "contract") != NULL;
}

/* ---- where to ---- */

/* Of the default exchange, with a key that only the request knows. */
static char *add_channel(struct asyncapi_draft *d, const struct responder *r)
{
	char *id = asyncapi_names_id(d->channels, "replies-of-", r->name);
	json_object_set_new(d->channels, id,
	    json_pack("{s:n, s:s, s:{}, s:o}", "address", "description",
		"The queue that the request names in its property reply_to.", "messages",
		"bindings", asyncapi_bindings_exchange(d->settings, "")));
	return id;
}

static json_t *make_reply(struct asyncapi_draft *d, const char *channel, const json_t *answers)
{
	json_t *messages = json_array(), *answer;
	size_t i;
	json_array_foreach((json_t *)(uintptr_t)answers, i, answer)
	{
		asyncapi_draft_carry(d, channel, json_string_value(answer));
		json_array_append_new(
		    messages, asyncapi_draft_choose(channel, json_string_value(answer)));
	}
	return json_pack("{s:{s:s, s:s}, s:o, s:o}", "address", "description",
	    "The property reply_to of the request.", "location", REPLY_TO, "channel",
	    asyncapi_names_refer("channels", channel), "messages", messages);
}

static void describe(const struct responder *r, bool refuses, struct buf *out)
{
	bool has_steps = json_array_size(r->core) > 0;
	buf_append_str(out, has_steps ? "Each request passes " : "The request is the answer.");
	asyncapi_logic_name_steps(r->core, out);
	buf_append_str(out, has_steps ? "; what comes out is the reply." : "");
	buf_append_str(out, !refuses ? ""
			    : has_steps
				? " One that a step rejects is answered with the reason."
				: " One that breaks the contract is answered with the reason.");
}

static void add_responder(struct asyncapi_draft *d, const struct responder *r)
{
	bool refuses = may_refuse(d, r);
	struct buf text = {0};
	char *replies = add_channel(d, r), *id = mem_printf("responder-%s", r->name);
	json_t *answers = json_pack("[s]", add_answer(d, r));
	if (refuses)
		json_array_append_new(answers, json_string(add_error(d, r)));
	json_t *operation = asyncapi_draft_operation(
	    "receive", asyncapi_draft_take_from(d, r->queue), json_pack("{s:b}", "ack", 1));
	json_object_set_new(operation, "reply", make_reply(d, replies, answers));
	describe(r, refuses, &text);
	asyncapi_logic_add_take(d, id, "responder", r->name, text.ptr, operation);
	json_object_set_new(d->answers, r->queue, answers);
	buf_release(&text);
	free(replies);
	free(id);
}

void asyncapi_responders_add(struct asyncapi_draft *d)
{
	for (size_t i = 0; i < d->settings->responders.count; i++)
		add_responder(d, &d->settings->responders.items[i]);
}
