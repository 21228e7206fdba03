#include "app/asyncapi_draft.h"

#include "app/asyncapi_bindings.h"
#include "app/asyncapi_names.h"
#include "app/asyncapi_schemas.h"
#include "base/mem.h"
#include "model/routes.h"

#include <stdlib.h>

void asyncapi_draft_init(struct asyncapi_draft *d, const struct settings *s, bool is_live)
{
	*d = (struct asyncapi_draft){.settings = s,
	    .root = document_root(s->document),
	    .is_live = is_live,
	    .channels = json_object(),
	    .operations = json_object(),
	    .messages = json_object(),
	    .ways = json_object(),
	    .queues = json_object(),
	    .received = json_object(),
	    .taken = json_object(),
	    .answers = json_object()};
}

void asyncapi_draft_release(struct asyncapi_draft *d)
{
	json_decref(d->channels);
	json_decref(d->operations);
	json_decref(d->messages);
	json_decref(d->ways);
	json_decref(d->queues);
	json_decref(d->received);
	json_decref(d->taken);
	json_decref(d->answers);
}

/* ---- channels ---- */

static json_t *make_channel(const struct asyncapi_draft *d, const struct asyncapi_draft_way *way)
{
	const char *text = json_string_value(way->key);
	json_t *parameters = json_object();
	json_t *address = way->key == NULL ? json_string("")
			  : text != NULL   ? asyncapi_names_address(text, way->payload, parameters)
					   : NULL;
	json_t *channel =
	    json_pack("{s:o, s:{}, s:o}", "address", address != NULL ? address : json_null(),
		"messages", "bindings", asyncapi_bindings_exchange(d->settings, way->exchange));
	if (json_object_size(parameters) > 0)
		json_object_set(channel, "parameters", parameters);
	if (address == NULL)
		json_object_set(channel, "x-warren-routing-key", (json_t *)(uintptr_t)way->key);
	json_decref(parameters);
	return channel;
}

const char *asyncapi_draft_channel(
    struct asyncapi_draft *d, const struct asyncapi_draft_way *way, const char *name)
{
	char *shown = json_dumps(way->key, JSON_ENCODE_ANY);
	char *taken = mem_printf("%s\n%s", way->exchange, shown != NULL ? shown : "");
	const json_t *known = json_object_get(d->ways, taken);
	if (known == NULL) {
		char *id = asyncapi_names_id(d->channels, "", name);
		json_object_set_new(d->channels, id, make_channel(d, way));
		known = json_string(id);
		json_object_set_new(d->ways, taken, (json_t *)(uintptr_t)known);
		free(id);
	}
	free(taken);
	free(shown);
	return json_string_value(known);
}

/* A live broker may lack it. */
const char *asyncapi_draft_take_from(struct asyncapi_draft *d, const char *queue)
{
	const json_t *known = json_object_get(d->queues, queue);
	json_object_set_new(d->taken, queue, json_true());
	if (known == NULL) {
		char *id = asyncapi_names_id(d->channels, "", queue);
		json_object_set_new(d->channels, id,
		    json_pack("{s:s, s:{}, s:o}", "address", queue, "messages", "bindings",
			asyncapi_bindings_unknown_queue(d->settings, queue)));
		known = json_string(id);
		json_object_set_new(d->queues, queue, (json_t *)(uintptr_t)known);
		free(id);
	}
	return json_string_value(known);
}

void asyncapi_draft_carry(struct asyncapi_draft *d, const char *channel, const char *message)
{
	json_t *messages = json_object_get(json_object_get(d->channels, channel), "messages");
	json_object_set_new(
	    messages, message, asyncapi_names_refer("components/messages", message));
}

void asyncapi_draft_receive(struct asyncapi_draft *d, const char *message, const char *queue)
{
	json_t *of_queue = json_object_get(d->received, queue);
	if (of_queue == NULL)
		json_object_set_new(d->received, queue, of_queue = json_object());
	json_object_set_new(of_queue, message, json_true());
}

void asyncapi_draft_route(struct asyncapi_draft *d, const char *message, const char *exchange,
    const char *key, const json_t *headers)
{
	const struct routes_message m = {exchange, key, headers};
	struct routes routes = {0};
	struct error ignored = {0}; /* one that is refused comes to no queue */
	if (routes_find(&d->settings->topology, &m, &routes, &ignored))
		for (size_t i = 0; i < routes.queue_count; i++)
			asyncapi_draft_receive(d, message, routes.queues[i]);
	routes_release(&routes);
}

json_t *asyncapi_draft_contract(const struct asyncapi_draft *d, const char *queue)
{
	return asyncapi_schemas_contract(
	    d->settings, json_object_get(json_object_get(d->root, "queues"), queue));
}

/* ---- operations ---- */

json_t *asyncapi_draft_operation(const char *action, const char *channel, json_t *binding)
{
	return json_pack("{s:s, s:o, s:o}", "action", action, "channel",
	    asyncapi_names_refer("channels", channel), "bindings",
	    asyncapi_bindings_amqp_take(binding));
}

json_t *asyncapi_draft_choose(const char *channel, const char *message)
{
	char *place = mem_printf("channels/%s/messages", channel);
	json_t *chosen = asyncapi_names_refer(place, message);
	free(place);
	return chosen;
}

/* ---- messages ---- */

const char *asyncapi_draft_message_take(struct asyncapi_draft *d, const char *name, json_t *message)
{
	char *id = asyncapi_names_id(d->messages, "", name);
	json_object_set_new(d->messages, id, message);
	const char *kept = json_object_iter_key(json_object_iter_at(d->messages, id));
	free(id);
	return kept;
}
