#include "app/asyncapi.h"

#include "app/locate.h"
#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "config/contract.h"
#include "fake/shape.h"
#include "model/definitions.h"
#include "model/envelope.h"
#include "model/routes.h"
#include "model/table.h"

#include <ctype.h>
#include <stdlib.h>

#define AMQP_BINDING "0.3.0"
#define SAMPLES 100			 /* rendered of a message, to see where they go */
#define SAMPLE_MS INT64_C(1700000000000) /* their time: a document is the same each time */

/* The parts, as they grow. */
struct document_builder {
	const struct settings *settings;
	const json_t *root; /* of the settings */
	bool is_live;	    /* the topology is the broker's own */
	json_t *channels, *operations, *messages;
	json_t *addresses; /* "exchange\nkey" -> the channel of messages that go there */
	json_t *received;  /* queue -> {message: true} */
};

static const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool is_structured(const json_t *spec)
{
	const char *mode = member_text(json_object_get(spec, "cloudevents"), "mode");
	return mode != NULL && strcmp(mode, "structured") == 0;
}

/* ---- names ---- */

/* A key that a $ref can name as it is, and that `in` does not have yet. */
static char *make_id(const json_t *in, const char *prefix, const char *name)
{
	struct buf id = {0};
	buf_append_str(&id, prefix);
	for (const char *c = name; *c != '\0'; c++)
		buf_append_char(&id, isalnum((unsigned char)*c) || strchr("._-", *c) ? *c : '-');
	if (id.len == 0)
		buf_append_char(&id, '-');
	size_t len = id.len;
	for (unsigned n = 2; json_object_get(in, id.ptr) != NULL; n++) {
		buf_truncate(&id, len);
		buf_printf(&id, "-%u", n);
	}
	return buf_take(&id);
}

static json_t *reference(const char *to, const char *id)
{
	return json_pack("{s:o}", "$ref", json_sprintf("#/%s/%s", to, id));
}

static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_' && text[i] != '-')
			return false;
	return len > 0;
}

/* "order.{{kind}}" as "order.{kind}", and the names in it, which stand in the payload behind `way`;
 * NULL when that says something else. */
static json_t *make_address(const char *key, const char *way, json_t *parameters)
{
	struct buf out = {0};
	buf_append_str(&out, "");
	while (*key != '\0') {
		const char *end = strncmp(key, "{{", 2) == 0 ? strstr(key, "}}") : NULL;
		if (end != NULL && is_name(key + 2, (size_t)(end - key - 2))) {
			char *name = mem_strndup(key + 2, (size_t)(end - key - 2));
			buf_printf(&out, "{%s}", name);
			json_object_set_new(parameters, name,
			    json_pack("{s:o}", "location",
				json_sprintf("$message.payload#/%s%s", way, name)));
			free(name);
			key = end + 2;
		} else if (*key == '{' || *key == '}') {
			json_object_clear(parameters);
			buf_release(&out);
			return NULL;
		} else {
			buf_append_char(&out, *key++);
		}
	}
	json_t *address = json_string(out.ptr);
	buf_release(&out);
	return address;
}

/* ---- servers ---- */

static json_t *make_server(const struct uri *uri)
{
	bool is_v6 = strchr(uri->host, ':') != NULL;
	struct buf path = {0};
	buf_append_char(&path, '/');
	for (const char *c = uri->vhost; *c != '\0'; c++)
		if (isalnum((unsigned char)*c) || strchr("-._~", *c) != NULL)
			buf_append_char(&path, *c);
		else
			buf_printf(&path, "%%%02X", (unsigned char)*c);
	json_t *server = json_pack("{s:o, s:s, s:s, s:s}", "host",
	    json_sprintf("%s%s%s:%d", is_v6 ? "[" : "", uri->host, is_v6 ? "]" : "", uri->port),
	    "pathname", path.ptr, "protocol", uri->tls ? "amqps" : "amqp", "protocolVersion",
	    "0.9.1");
	buf_release(&path);
	return server;
}

static json_t *make_servers(const struct settings *s)
{
	json_t *servers = json_object();
	for (size_t i = 0; i < s->uri_count; i++) {
		char *id = make_id(servers, "", "broker");
		json_object_set_new(servers, id, make_server(&s->uris[i]));
		free(id);
	}
	return servers;
}

/* ---- bindings ---- */

static json_t *amqp(json_t *binding)
{
	json_object_set_new(binding, "bindingVersion", json_string(AMQP_BINDING));
	return json_pack("{s:o}", "amqp", binding);
}

static json_t *exchange_binding(const struct document_builder *b, const char *name)
{
	static const char *const types[] = {"topic", "direct", "fanout", "headers"};
	const struct topology_exchange *e =
	    topology_find_exchange(&b->settings->topology, slice_str(name));
	const char *vhost = b->settings->uris[0].vhost;
	json_t *exchange = json_pack("{s:s, s:s}", "name", name, "vhost", vhost);
	bool is_default = name[0] == '\0', is_known = is_default;
	if (e == NULL) /* the live broker does not have it */
		return amqp(json_pack("{s:s, s:o}", "is", "routingKey", "exchange", exchange));
	json_object_set_new(exchange, "durable", json_boolean(e->durable));
	json_object_set_new(exchange, "autoDelete", json_boolean(e->auto_delete));
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		is_known |= strcmp(types[i], e->type) == 0;
	json_object_set_new(exchange, is_known ? "type" : "x-warren-type",
	    json_string(is_default ? "default" : e->type));
	if (json_object_size(e->arguments) > 0)
		json_object_set(exchange, "x-warren-arguments", e->arguments);
	return amqp(json_pack("{s:s, s:o}", "is", "routingKey", "exchange", exchange));
}

static json_t *queue_binding(const struct document_builder *b, const struct topology_queue *q)
{
	return amqp(json_pack("{s:s, s:{s:s, s:b, s:b, s:b, s:s, s:O}}", "is", "queue", "queue",
	    "name", q->name, "durable", q->durable, "exclusive", q->exclusive, "autoDelete",
	    q->auto_delete, "vhost", b->settings->uris[0].vhost, "x-warren-arguments",
	    q->arguments));
}

/* ---- messages ---- */

static json_t *make_data(const struct document_builder *b, const json_t *spec)
{
	const json_t *type = json_object_get(json_object_get(spec, "properties"), "content_type");
	bool has_body = json_object_get(spec, "body") != NULL;
	bool may_be_json = has_body && type != NULL && is_structured(spec);
	if (json_object_get(spec, "files") != NULL || may_be_json)
		return NULL; /* whatever is in them */
	if (has_body)
		return json_pack("{s:s}", "type", "string");
	return shape_fields(json_object_get(spec, "fields"), json_object_get(b->root, "pools"));
}

/* The contract of the message in one piece, with an $id, within which its references stay; NULL
 * when it has none. */
static json_t *read_contract(const struct document_builder *b, const json_t *spec)
{
	const char *file = member_text(spec, "contract");
	struct error ignored = {0}; /* it was read before, with the settings */
	if (file == NULL)
		return NULL;
	char *path = locate_below(b->settings->directory, file);
	struct contract *contract = contract_load(path, &ignored);
	json_t *schema = contract != NULL ? contract_bundle(contract) : NULL;
	if (json_is_object(schema)) {
		const char *name = contract_name(contract);
		json_object_set_new(schema, "$id",
		    strchr(name, ':') != NULL ? json_string(name)
					      : json_sprintf("urn:warren:contract:%s", name));
	}
	contract_free(contract);
	free(path);
	return schema;
}

/* A schema that is none of AsyncAPI's own: https://www.asyncapi.com/docs/reference/specification/
 * v3.0.0#multiFormatSchemaObject */
static json_t *foreign_schema_take(json_t *schema)
{
	const char *dialect = member_text(schema, "$schema");
	const char *version = dialect != NULL && strstr(dialect, "draft-07") != NULL ? "draft-07"
			      : dialect != NULL && strstr(dialect, "2019-09") != NULL
				  ? "draft-2019-09"
				  : "draft-2020-12";
	return json_pack("{s:o, s:o}", "schemaFormat",
	    json_sprintf("application/schema+json;version=%s", version), "schema", schema);
}

static json_t *make_payload(const struct document_builder *b, const json_t *spec)
{
	json_t *contract = read_contract(b, spec);
	json_t *data = contract != NULL ? contract : make_data(b, spec);
	if (is_structured(spec))
		return shape_event_take(spec, data);
	return contract != NULL ? foreign_schema_take(contract) : data;
}

/* A value of headers: a constant, a text with {{field}}, or a generator. */
static json_t *make_header(const struct document_builder *b, const json_t *value)
{
	if (json_is_object(value) && json_object_get(value, "$type") == NULL)
		return shape_value(value, json_object_get(b->root, "pools"));
	const char *text = json_string_value(value);
	if (json_is_object(value) || (text != NULL && strstr(text, "{{") != NULL))
		return json_object();
	return json_pack("{s:O}", "const", value);
}

/* NULL: there are none. */
static json_t *make_headers(const struct document_builder *b, const json_t *spec)
{
	json_t *properties = shape_event_headers(spec), *value;
	const char *name;
	json_object_foreach(json_object_get(spec, "headers"), name, value)
	    json_object_set_new(properties, name, make_header(b, value));
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

static json_t *make_message(const struct document_builder *b, const struct settings_message *m)
{
	const json_t *properties = json_object_get(m->spec, "properties");
	const json_t *event = json_object_get(m->spec, "cloudevents");
	json_t *type = fixed_text(properties, "content_type"), *binding = json_object();
	json_t *payload = make_payload(b, m->spec), *headers = make_headers(b, m->spec);
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
	json_object_set_new(message, "bindings", amqp(binding));
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

static void note_queues(struct document_builder *b, const char *id, const struct message *sample)
{
	char *exchange = copy_text(sample->exchange);
	char *key = copy_text(sample->routing_key);
	json_t *headers = read_headers(sample->headers);
	const struct routes_message m = {exchange, key, headers};
	struct routes routes = {0};
	struct error ignored = {0}; /* one that is refused comes to no queue */
	if (routes_find(&b->settings->topology, &m, &routes, &ignored))
		for (size_t i = 0; i < routes.queue_count; i++) {
			json_t *of_queue = json_object_get(b->received, routes.queues[i]);
			if (of_queue == NULL)
				json_object_set_new(
				    b->received, routes.queues[i], of_queue = json_object());
			json_object_set_new(of_queue, id, json_true());
		}
	routes_release(&routes);
	json_decref(headers);
	free(key);
	free(exchange);
}

static void try_samples(
    struct document_builder *b, const struct settings_message *m, const char *id, json_t *message)
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
		note_queues(b, id, &sample);
	}
}

/* ---- channels ---- */

/* The channel of an exchange and a key; messages that go the same way share it. */
static const char *need_channel(struct document_builder *b, const struct settings_message *m)
{
	const char *exchange = member_text(m->spec, "exchange");
	const json_t *key = json_object_get(m->spec, "routing_key");
	const char *text = json_string_value(key);
	char *shown = json_dumps(key, JSON_ENCODE_ANY);
	char *way =
	    mem_printf("%s\n%s", exchange != NULL ? exchange : "", shown != NULL ? shown : "");
	const json_t *known = json_object_get(b->addresses, way);
	if (known == NULL) {
		char *id = make_id(b->channels, "", m->name);
		json_t *parameters = json_object();
		json_t *address =
		    key == NULL ? json_string("")
		    : text != NULL
			? make_address(text, is_structured(m->spec) ? "data/" : "", parameters)
			: NULL;
		json_t *channel = json_pack("{s:o, s:{}, s:o}", "address",
		    address != NULL ? address : json_null(), "messages", "bindings",
		    exchange_binding(b, exchange != NULL ? exchange : ""));
		if (json_object_size(parameters) > 0)
			json_object_set(channel, "parameters", parameters);
		if (address == NULL)
			json_object_set(channel, "x-warren-routing-key", (json_t *)(uintptr_t)key);
		json_object_set_new(b->channels, id, channel);
		known = json_string(id);
		json_object_set_new(b->addresses, way, (json_t *)(uintptr_t)known);
		json_decref(parameters);
		free(id);
	}
	free(way);
	free(shown);
	return json_string_value(known);
}

static json_t *make_operation(const char *action, const char *channel, json_t *binding)
{
	return json_pack("{s:s, s:o, s:o}", "action", action, "channel",
	    reference("channels", channel), "bindings", amqp(binding));
}

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

static void add_message(struct document_builder *b, const struct settings_message *m)
{
	char *id = make_id(b->messages, "", m->name);
	char *operation = make_id(b->operations, "send-", m->name);
	json_t *message = make_message(b, m);
	const char *channel = need_channel(b, m);
	json_t *of_channel = json_object_get(json_object_get(b->channels, channel), "messages");
	json_t *sends = make_operation("send", channel, send_binding(m->spec));
	char *place = mem_printf("channels/%s/messages", channel);
	try_samples(b, m, id, message);
	json_object_set_new(b->messages, id, message);
	json_object_set_new(of_channel, id, reference("components/messages", id));
	json_object_set_new(sends, "messages", json_pack("[o]", reference(place, id)));
	json_object_set_new(b->operations, operation, sends);
	free(place);
	free(operation);
	free(id);
}

/* Nobody consumes from a queue that messages only wait in. */
static bool is_consumed(const struct topology_queue *q)
{
	return q->made_for == NULL || json_object_get(q->arguments, "x-message-ttl") == NULL;
}

/* What the settings say of a queue, where that is more than its arguments tell. */
static void set_written(
    const struct document_builder *b, const struct topology_queue *q, json_t *channel)
{
	static const char *const more[] = {"dead_letter", "retry", "contract", "declared"};
	json_t *written = json_object_get(json_object_get(b->root, "queues"), q->name);
	bool is_more = false;
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		is_more |= json_object_get(written, more[i]) != NULL;
	json_t *contract = read_contract(b, written);
	if (is_more && !b->is_live)
		json_object_set(channel, "x-warren-queue", written);
	if (contract != NULL)
		json_object_set_new(channel, "x-warren-contract", foreign_schema_take(contract));
}

static void add_queue(struct document_builder *b, const struct topology_queue *q)
{
	char *id = make_id(b->channels, "", q->name);
	json_t *messages = json_object(), *unused, *parameters = json_object();
	json_t *address = make_address(q->name, "", parameters);
	const char *message;
	json_object_foreach(json_object_get(b->received, q->name), message, unused)
	{
		(void)unused;
		json_object_set_new(messages, message, reference("components/messages", message));
	}
	json_t *channel = json_pack("{s:o, s:o, s:o}", "address",
	    address != NULL && json_object_size(parameters) == 0 ? json_incref(address)
								 : json_null(),
	    "messages", messages, "bindings", queue_binding(b, q));
	if (q->made_for != NULL)
		json_object_set_new(channel, "x-warren-made-for", json_string(q->made_for));
	set_written(b, q, channel);
	json_object_set_new(b->channels, id, channel);
	if (is_consumed(q)) {
		char *operation = make_id(b->operations, "receive-", q->name);
		json_object_set_new(b->operations, operation,
		    make_operation("receive", id, json_pack("{s:b}", "ack", 1)));
		free(operation);
	}
	json_decref(address);
	json_decref(parameters);
	free(id);
}

/* ---- the whole ---- */

static void ignore_note(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

/* The ways between exchanges and queues, of which AsyncAPI knows nothing. */
static void set_topology(json_t *document, const struct settings *s)
{
	static const char *const sections[][2] = {
	    {"exchanges", "x-warren-exchanges"}, {"bindings", "x-warren-bindings"}};
	struct topology all = s->topology; /* as definitions have no exclusive queue */
	all.queues = mem_alloc(all.queue_count, sizeof *all.queues);
	for (size_t i = 0; i < all.queue_count; i++) {
		all.queues[i] = s->topology.queues[i];
		all.queues[i].exclusive = false;
	}
	json_t *definitions = definitions_export(&all, NULL, s->uris[0].vhost, ignore_note, NULL);
	free(all.queues);
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		json_t *list = json_object_get(definitions, sections[i][0]);
		if (json_array_size(list) > 0)
			json_object_set(document, sections[i][1], list);
	}
	json_decref(definitions);
}

/* What the settings have beside their topology and messages, and producer or a test needs. */
static void set_sections(json_t *document, const json_t *root)
{
	static const char *const names[] = {"pools", "projections", "expect"};
	json_t *sections = json_object();
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		set_if(sections, names[i], json_object_get(root, names[i]));
	if (json_object_size(sections) > 0)
		json_object_set(document, "x-warren-sections", sections);
	json_decref(sections);
}

json_t *asyncapi_document(const struct settings *s, const char *title, bool is_live)
{
	struct document_builder b = {.settings = s,
	    .is_live = is_live,
	    .root = document_root(s->document),
	    .channels = json_object(),
	    .operations = json_object(),
	    .messages = json_object(),
	    .addresses = json_object(),
	    .received = json_object()};
	for (size_t i = 0; i < s->message_count; i++)
		add_message(&b, &s->messages[i]);
	for (size_t i = 0; i < s->topology.queue_count; i++)
		add_queue(&b, &s->topology.queues[i]);
	json_t *document = json_pack("{s:s, s:{s:s, s:s}, s:s, s:o, s:o, s:o, s:{s:o}}", "asyncapi",
	    "3.0.0", "info", "title", title, "version", "1.0.0", "defaultContentType",
	    "application/json", "servers", make_servers(s), "channels", b.channels, "operations",
	    b.operations, "components", "messages", b.messages);
	set_topology(document, s);
	set_sections(document, b.root);
	json_decref(b.addresses);
	json_decref(b.received);
	return document;
}
