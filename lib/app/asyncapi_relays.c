#include "app/asyncapi_relays.h"

#include "app/asyncapi_logic.h"
#include "base/mem.h"
#include "model/marks.h"

#include <stdlib.h>

#define STEP_ROUTES " A step may say itself where a message goes."

/* What a relay, or a handler of it, publishes. */
struct outlet {
	const char *relay;
	const json_t *spec;	   /* of the relay */
	const char *event;	   /* what the handler is for; NULL: no handler's */
	const json_t *core;	   /* the steps of the handler; NULL: none */
	const char *exchange;	   /* "": the default exchange */
	const json_t *routing_key; /* NULL: the message's own */
	const char *type;	   /* NULL: it stays */
};

static const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool has(const json_t *spec, const char *key)
{
	return json_object_get(spec, key) != NULL;
}

/* The name of a queue by its number, of one or of a list; NULL behind the last. */
static const char *queue_at(const json_t *relay, size_t i)
{
	const json_t *queue = json_object_get(relay, "queue");
	if (has(relay, "from"))
		return NULL;
	return json_is_array(queue) ? json_string_value(json_array_get(queue, i))
	       : i == 0		    ? json_string_value(queue)
				    : NULL;
}

/* ---- what goes in ---- */

static bool steps_route(const json_t *steps)
{
	const json_t *step;
	size_t i;
	json_array_foreach((json_t *)(uintptr_t)steps, i, step)
	{
		const char *as = member_text(step, "as");
		if (as != NULL && strcmp(as, "message") == 0)
			return true;
	}
	return false;
}

static void name_handlers(const json_t *relay, struct buf *out)
{
	const char *type, *unknown = member_text(relay, "unknown"), *before = ": ";
	json_t *unused;
	json_object_foreach(json_object_get(relay, "on"), type, unused)
	{
		(void)unused;
		buf_printf(out, "%s%s", before, type);
		before = ", ";
	}
	buf_append_str(out, unknown == NULL || strcmp(unknown, "dead_letter") == 0
				? "; others are dead letters"
			    : strcmp(unknown, "drop") == 0 ? "; others are dropped"
							   : "; others pass as they are");
}

static void describe_intake(const json_t *relay, struct buf *out)
{
	const json_t *core = json_object_get(relay, "core");
	bool has_core = json_array_size(core) > 0, has_handlers = has(relay, "on");
	buf_append_str(out, has_core	   ? "Each message passes "
			    : has_handlers ? "Each message"
					   : "Each message passes as it is");
	asyncapi_logic_name_steps(core, out);
	if (has_handlers) {
		buf_append_str(out, has_core ? ", then is" : " is");
		buf_append_str(out, " handled by its event type");
		name_handlers(relay, out);
	}
	buf_append_char(out, '.');
	buf_append_str(out, has(relay, "store")	   ? " The results go to an event store."
			    : has(relay, "output") ? " The results go to a file."
			    : has(relay, "to")	   ? " The results go to another broker."
			    : steps_route(core)	   ? STEP_ROUTES
						   : "");
}

static void add_intake(
    struct asyncapi_draft *d, const char *name, const json_t *relay, const char *queue)
{
	struct buf text = {0};
	char *id = mem_printf("relay-%s-receive-%s", name, queue);
	describe_intake(relay, &text);
	asyncapi_logic_add_take(d, id, "relay", name, text.ptr,
	    asyncapi_draft_operation(
		"receive", asyncapi_draft_take_from(d, queue), json_pack("{s:b}", "ack", 1)));
	buf_release(&text);
	free(id);
}

/* ---- what comes out ---- */

/* Without a step that changes messages, they are the ones that came. */
static bool passes(const struct outlet *o)
{
	return !asyncapi_logic_changes(json_object_get(o->spec, "core")) && o->type == NULL &&
	       !asyncapi_logic_changes(o->core) && !has(o->spec, "source") &&
	       !has(o->spec, "headers") && (o->event != NULL || !has(o->spec, "on"));
}

/* Of what comes from one queue; of several nobody knows whose it is. */
static json_t *make_payload(const struct asyncapi_draft *d, const struct outlet *o)
{
	const char *queue = queue_at(o->spec, 0);
	bool is_one = queue != NULL && queue_at(o->spec, 1) == NULL;
	json_t *schema = is_one ? asyncapi_draft_contract(d, queue) : NULL;
	if (o->event == NULL && has(o->spec, "on")) { /* several ways, to one exchange */
		json_decref(schema);
		return NULL;
	}
	schema = asyncapi_logic_outcome_take(d, json_object_get(o->spec, "core"), schema);
	return asyncapi_logic_outcome_take(d, o->core, schema);
}

static json_t *make_headers(const struct outlet *o)
{
	json_t *properties = json_object(), *value;
	const char *name;
	if (!passes(o))
		json_object_set_new(properties, MARKS_CAUSE, json_pack("{s:s}", "type", "string"));
	json_object_foreach(json_object_get(o->spec, "headers"), name, value)
	    json_object_set_new(properties, name, json_pack("{s:O}", "const", value));
	return properties;
}

static const char *add_result(struct asyncapi_draft *d, const struct outlet *o)
{
	char *name = o->event != NULL ? mem_printf("%s-%s-result", o->relay, o->event)
				      : mem_printf("%s-result", o->relay);
	json_t *message = asyncapi_logic_message(o->type != NULL ? o->type : name,
	    "What becomes of a message.", o->type, make_payload(d, o), make_headers(o));
	const char *id = asyncapi_draft_message_take(d, name, message);
	free(name);
	return id;
}

/* The messages that are known to come to the queues, where they pass: {message: false}; else one
 * for all results: {message: true}. */
static json_t *list_results(struct asyncapi_draft *d, const struct outlet *o)
{
	json_t *results = json_object(), *unused;
	const char *queue, *message;
	for (size_t i = 0; passes(o) && (queue = queue_at(o->spec, i)) != NULL; i++)
		json_object_foreach(json_object_get(d->received, queue), message, unused)
		{
			(void)unused;
			json_object_set_new(results, message, json_false());
		}
	if (json_object_size(results) == 0)
		json_object_set_new(results, add_result(d, o), json_true());
	return results;
}

/* ---- where to ---- */

/* The same for each message. */
static const char *fixed_key(const struct outlet *o)
{
	const char *key = json_string_value(o->routing_key);
	return key != NULL && strstr(key, "{{") == NULL ? key : NULL;
}

/* By a key that is not known only a fanout is sure to route, by headers nobody knows. */
static void route(struct asyncapi_draft *d, const struct outlet *o, const char *message)
{
	const struct topology_exchange *e =
	    topology_find_exchange(&d->settings->topology, slice_str(o->exchange));
	const char *key = fixed_key(o), *type = e != NULL ? e->type : "";
	if (strcmp(type, "fanout") == 0 || (key != NULL && strcmp(type, "headers") != 0))
		asyncapi_draft_route(d, message, o->exchange, key != NULL ? key : "", NULL);
}

static const char *choose_channel(struct asyncapi_draft *d, const struct outlet *o)
{
	const struct asyncapi_draft_way way = {
	    .exchange = o->exchange, .key = o->routing_key, .payload = ""};
	const char *key = fixed_key(o);
	return asyncapi_draft_channel(d, &way,
	    key != NULL && key[0] != '\0' ? key
	    : o->exchange[0] != '\0'	  ? o->exchange
					  : o->relay);
}

static void describe_outlet(const struct outlet *o, struct buf *out)
{
	const json_t *core = json_object_get(o->spec, "core");
	bool has_core = json_array_size(core) > 0, has_own = json_array_size(o->core) > 0;
	buf_append_str(out, passes(o) ? "The messages" : "What becomes of the messages");
	buf_append_str(out, has(o->spec, "from")    ? " of another broker"
			    : has(o->spec, "files") ? " in files"
						    : "");
	if (o->event != NULL)
		buf_printf(out, " of type %s", o->event);
	buf_append_str(out, has_core || has_own ? " behind " : passes(o) ? ", as they are" : "");
	asyncapi_logic_name_steps(core, out);
	buf_append_str(out, has_core && has_own ? ", then " : "");
	asyncapi_logic_name_steps(o->core, out);
	if (o->event == NULL && has(o->spec, "on"))
		buf_append_str(out, ", by their event type");
	buf_append_char(out, '.');
	if (o->routing_key == NULL)
		buf_append_str(out, " The routing key is that of the message.");
	if (steps_route(core) || steps_route(o->core))
		buf_append_str(out, STEP_ROUTES);
}

/* What the routing key is made of is there, or the message is rejected. */
static void require_members(struct asyncapi_draft *d, const char *channel, const char *message)
{
	json_t *object = json_object_get(d->messages, message), *unused;
	const json_t *parameters =
	    json_object_get(json_object_get(d->channels, channel), "parameters");
	json_t *required = json_array(), *properties = json_object();
	const char *name;
	json_object_foreach((json_t *)(uintptr_t)parameters, name, unused)
	{
		(void)unused;
		json_array_append_new(required, json_string(name));
		json_object_set_new(properties, name,
		    json_pack("{s:[s, s, s]}", "type", "string", "integer", "boolean"));
	}
	if (json_array_size(required) > 0 && json_object_get(object, "payload") == NULL)
		json_object_set_new(object, "payload",
		    json_pack("{s:s, s:O, s:O}", "type", "object", "properties", properties,
			"required", required));
	json_decref(properties);
	json_decref(required);
}

static void add_outlet(struct asyncapi_draft *d, const struct outlet *o)
{
	char *id = o->event != NULL ? mem_printf("relay-%s-send-%s", o->relay, o->event)
				    : mem_printf("relay-%s-send", o->relay);
	const char *channel = choose_channel(d, o), *message;
	json_t *operation = asyncapi_draft_operation("send", channel, json_object());
	json_t *results = list_results(d, o), *messages = json_array(), *is_new;
	struct buf text = {0};
	json_object_foreach(results, message, is_new)
	{
		asyncapi_draft_carry(d, channel, message);
		json_array_append_new(messages, asyncapi_draft_choose(channel, message));
		route(d, o, message);
		if (!json_is_true(is_new)) /* its payload is the sender's */
			continue;
		asyncapi_logic_oblige(d, message);
		require_members(d, channel, message);
	}
	describe_outlet(o, &text);
	json_object_set_new(operation, "messages", messages);
	asyncapi_logic_add_take(d, id, "relay", o->relay, text.ptr, operation);
	buf_release(&text);
	json_decref(results);
	free(id);
}

/* ---- relays and their handlers ---- */

static bool publishes(const json_t *place)
{
	return has(place, "exchange") || has(place, "routing_key");
}

/* Whether something goes where the relay says, and not a handler. */
static bool publishes_itself(const json_t *relay)
{
	const json_t *on = json_object_get(relay, "on"), *handler;
	const char *type, *unknown = member_text(relay, "unknown");
	if (!publishes(relay) || on == NULL || (unknown != NULL && strcmp(unknown, "pass") == 0))
		return publishes(relay);
	json_object_foreach(
	    (json_t *)(uintptr_t)on, type, handler) if (!publishes(handler)) return true;
	return false;
}

/* What the handler does not say it has from the relay. */
static void add_handler(
    struct asyncapi_draft *d, const struct outlet *relay, const char *type, const json_t *handler)
{
	struct outlet o = *relay;
	o.event = type;
	o.core = json_object_get(handler, "core");
	if (has(handler, "exchange"))
		o.exchange = member_text(handler, "exchange");
	if (has(handler, "routing_key"))
		o.routing_key = json_object_get(handler, "routing_key");
	if (has(handler, "type"))
		o.type = member_text(handler, "type");
	if (publishes(handler))
		add_outlet(d, &o);
}

/* Whether what goes where the relay says is of several types. */
static bool has_types(const json_t *relay)
{
	const char *type;
	json_t *handler;
	json_object_foreach(json_object_get(relay, "on"), type,
	    handler) if (has(handler, "type") && !publishes(handler)) return true;
	return false;
}

static void add_relay(struct asyncapi_draft *d, const char *name, const json_t *spec)
{
	const char *exchange = member_text(spec, "exchange"), *queue, *type;
	const struct outlet outlet = {.relay = name,
	    .spec = spec,
	    .exchange = exchange != NULL ? exchange : "",
	    .routing_key = json_object_get(spec, "routing_key"),
	    .type = member_text(spec, "type")};
	struct outlet own = outlet;
	json_t *handler;
	for (size_t i = 0; (queue = queue_at(spec, i)) != NULL; i++)
		add_intake(d, name, spec, queue);
	if (has(spec, "to") || has(spec, "store") || has(spec, "output"))
		return;
	if (has_types(spec))
		own.type = NULL;
	if (publishes_itself(spec))
		add_outlet(d, &own);
	json_object_foreach(json_object_get(spec, "on"), type, handler)
	    add_handler(d, &outlet, type, handler);
}

void asyncapi_relays_add(struct asyncapi_draft *d)
{
	const char *name;
	json_t *spec;
	json_object_foreach(json_object_get(d->root, "relays"), name, spec)
	    add_relay(d, name, spec);
}
