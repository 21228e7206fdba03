#include "app/asyncapi_patterns.h"

#include "app/asyncapi_bindings.h"
#include "app/asyncapi_names.h"
#include "app/asyncapi_schemas.h"
#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "fake/shape.h"
#include "model/envelope.h"
#include "model/table.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLES 100			 /* rendered of a message, to see where they go */
#define SAMPLE_MS INT64_C(1700000000000) /* their time: a document is the same each time */

static const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool is_structured(const json_t *spec)
{
	const char *mode = member_text(json_object_get(spec, "cloudevents"), "mode");
	return mode != NULL && strcmp(mode, "structured") == 0;
}

/* ---- payload and headers ---- */

static json_t *make_data(const struct asyncapi_draft *d, const json_t *spec)
{
	const json_t *type = json_object_get(json_object_get(spec, "properties"), "content_type");
	bool has_body = json_object_get(spec, "body") != NULL;
	bool may_be_json = has_body && type != NULL && is_structured(spec);
	if (json_object_get(spec, "files") != NULL || may_be_json)
		return NULL; /* whatever is in them */
	if (has_body)
		return json_pack("{s:s}", "type", "string");
	return shape_fields(json_object_get(spec, "fields"), json_object_get(d->root, "pools"));
}

static json_t *make_payload(const struct asyncapi_draft *d, const json_t *spec)
{
	json_t *contract = asyncapi_schemas_contract(d->settings, spec);
	json_t *data = contract != NULL ? contract : make_data(d, spec);
	if (is_structured(spec))
		return shape_event_take(spec, data);
	return contract != NULL ? asyncapi_schemas_foreign_take(contract) : data;
}

/* A value of headers: a constant, a text with {{field}}, or a generator. */
static json_t *make_header(const struct asyncapi_draft *d, const json_t *value)
{
	if (json_is_object(value) && json_object_get(value, "$type") == NULL)
		return shape_value(value, json_object_get(d->root, "pools"));
	const char *text = json_string_value(value);
	if (json_is_object(value) || (text != NULL && strstr(text, "{{") != NULL))
		return json_object();
	return json_pack("{s:O}", "const", value);
}

/* NULL: there are none. */
static json_t *make_headers(const struct asyncapi_draft *d, const json_t *spec)
{
	json_t *properties = shape_event_headers(spec), *value;
	const char *name;
	json_object_foreach(json_object_get(spec, "headers"), name, value)
	    json_object_set_new(properties, name, make_header(d, value));
	if (json_object_size(properties) > 0)
		return json_pack("{s:s, s:o}", "type", "object", "properties", properties);
	json_decref(properties);
	return NULL;
}

/* A text of the properties that is the same for each message. */
static json_t *fixed_text(const json_t *properties, const char *key)
{
	json_t *value = json_object_get(properties, key);
	const char *text = json_string_value(value);
	return text != NULL && strstr(text, "{{") == NULL ? value : NULL;
}

static void set_if(json_t *object, const char *key, json_t *value)
{
	if (value != NULL)
		json_object_set(object, key, value);
}

/* What producer does with the message beyond where it goes; a schema tells less than fields. */
static void set_extras(json_t *message, const json_t *spec)
{
	static const char *const said[] = {"exchange", "routing_key"};
	json_t *rest = json_deep_copy(spec);
	for (size_t i = 0; i < ARRAY_LEN(said); i++)
		json_object_del(rest, said[i]);
	if (json_object_size(rest) > 0)
		json_object_set(message, "x-warren-message", rest);
	json_decref(rest);
}

static json_t *make_message(const struct asyncapi_draft *d, const struct settings_message *m)
{
	const json_t *properties = json_object_get(m->spec, "properties");
	const json_t *event = json_object_get(m->spec, "cloudevents");
	json_t *type = fixed_text(properties, "content_type"), *binding = json_object();
	json_t *payload = make_payload(d, m->spec), *headers = make_headers(d, m->spec);
	json_t *what = fixed_text(json_object_get(properties, "type") ? properties : event, "type");
	const char *plain =
	    json_object_get(m->spec, "body") != NULL ? "text/plain" : "application/json";
	json_t *message = json_pack("{s:s}", "name", m->name);
	if (is_structured(m->spec))
		json_object_set_new(message, "contentType", json_string(ENVELOPE_CONTENT_TYPE));
	else if (type != NULL)
		json_object_set(message, "contentType", type);
	else if (payload != NULL)
		json_object_set_new(message, "contentType", json_string(plain));
	if (payload != NULL)
		json_object_set_new(message, "payload", payload);
	if (headers != NULL)
		json_object_set_new(message, "headers", headers);
	set_if(binding, "contentEncoding", fixed_text(properties, "content_encoding"));
	set_if(binding, "messageType", what);
	json_object_set_new(message, "bindings", asyncapi_bindings_amqp_take(binding));
	set_extras(message, m->spec);
	return message;
}

/* ---- what messages come to ---- */

static json_t *read_headers(struct slice encoded)
{
	struct buf text = {0};
	struct error ignored = {0}; /* our own: they are in order */
	json_t *headers = NULL;
	if (table_write_json(encoded, &text, &ignored))
		headers = json_loadb(text.ptr, text.len, 0, NULL);
	buf_release(&text);
	return headers;
}

static void add_example(json_t *message, const struct message *sample)
{
	const char *type = member_text(message, "contentType");
	json_t *body = NULL;
	if (type != NULL && envelope_is_json(slice_str(type)))
		body = json_loadb(sample->body.ptr, sample->body.len, JSON_DECODE_ANY, NULL);
	if (body != NULL)
		json_object_set_new(message, "examples", json_pack("[{s:o}]", "payload", body));
}

static char *copy_text(struct slice text)
{
	return mem_strndup(text.len > 0 ? text.ptr : "", text.len);
}

static void note_queues(struct asyncapi_draft *d, const char *id, const struct message *sample)
{
	char *exchange = copy_text(sample->exchange);
	char *key = copy_text(sample->routing_key);
	json_t *headers = read_headers(sample->headers);
	asyncapi_draft_route(d, id, exchange, key, headers);
	json_decref(headers);
	free(key);
	free(exchange);
}

static void try_samples(
    struct asyncapi_draft *d, const struct settings_message *m, const char *id, json_t *message)
{
	struct rng rng;
	rng_seed(&rng, 0);
	for (uint64_t i = 0; i < SAMPLES; i++) {
		struct message sample;
		struct error ignored = {0}; /* a key may come out too long, for producer as well */
		if (!pattern_render(m->pattern, &rng, SAMPLE_MS, i, &sample, &ignored))
			continue;
		if (i == 0 && json_object_get(m->spec, "broken") == NULL)
			add_example(message, &sample);
		note_queues(d, id, &sample);
	}
}

/* ---- the sending ---- */

/* The properties of the message that belong to the sending. */
static json_t *send_binding(const json_t *spec)
{
	const json_t *properties = json_object_get(spec, "properties");
	json_t *binding = json_object();
	const json_t *mode = json_object_get(properties, "delivery_mode");
	bool is_transient = json_is_false(json_object_get(properties, "persistent")) ||
			    json_integer_value(mode) == MESSAGE_TRANSIENT;
	const char *expiration = member_text(properties, "expiration");
	json_t *priority = json_object_get(properties, "priority");
	struct error ignored = {0}; /* it was checked */
	uint64_t ns;
	json_object_set_new(binding, "deliveryMode",
	    json_integer(is_transient ? MESSAGE_TRANSIENT : MESSAGE_PERSISTENT));
	if (expiration != NULL && num_parse_duration(slice_str(expiration), &ns, &ignored))
		json_object_set_new(
		    binding, "expiration", json_integer((json_int_t)(ns / CHRONO_MS)));
	if (json_is_integer(priority))
		json_object_set(binding, "priority", priority);
	if (json_object_get(properties, "timestamp") != NULL ||
	    json_object_get(spec, "cloudevents") != NULL)
		json_object_set_new(binding, "timestamp", json_true());
	set_if(binding, "userId", fixed_text(properties, "user_id"));
	return binding;
}

static const char *choose_channel(struct asyncapi_draft *d, const struct settings_message *m)
{
	const char *exchange = member_text(m->spec, "exchange");
	const struct asyncapi_draft_way way = {.exchange = exchange != NULL ? exchange : "",
	    .key = json_object_get(m->spec, "routing_key"),
	    .payload = is_structured(m->spec) ? "data/" : ""};
	return asyncapi_draft_channel(d, &way, m->name);
}

static void add_message(struct asyncapi_draft *d, const struct settings_message *m)
{
	char *operation = asyncapi_names_id(d->operations, "send-", m->name);
	json_t *message = make_message(d, m);
	const char *id = asyncapi_draft_message_take(d, m->name, message);
	const char *channel = choose_channel(d, m);
	json_t *sends = asyncapi_draft_operation("send", channel, send_binding(m->spec));
	try_samples(d, m, id, message);
	asyncapi_draft_carry(d, channel, id);
	json_object_set_new(
	    sends, "messages", json_pack("[o]", asyncapi_draft_choose(channel, id)));
	json_object_set_new(d->operations, operation, sends);
	free(operation);
}

void asyncapi_patterns_add(struct asyncapi_draft *d)
{
	for (size_t i = 0; i < d->settings->message_count; i++)
		add_message(d, &d->settings->messages[i]);
}
