#include "app/asyncapi_topology.h"

#include "app/asyncapi_payload.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/uri.h"

#include <stdlib.h>
#include <string.h>

void asyncapi_topology_init(struct asyncapi_topology *t, struct asyncapi_reader *reader,
    struct asyncapi_messages *messages, const char *vhost)
{
	*t = (struct asyncapi_topology){.reader = reader,
	    .messages = messages,
	    .vhost = vhost != NULL ? mem_strdup(vhost) : NULL,
	    .exchanges = json_object(),
	    .queues = json_object(),
	    .bindings = json_array(),
	    .bodies = json_object(),
	    .made = json_object()};
}

void asyncapi_topology_release(struct asyncapi_topology *t)
{
	json_decref(t->exchanges);
	json_decref(t->queues);
	json_decref(t->bindings);
	json_decref(t->bodies);
	json_decref(t->made);
	free(t->vhost);
}

static const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* ---- servers ---- */

static void add_server(struct asyncapi_topology *t, struct asyncapi_node server, json_t *urls)
{
	struct asyncapi_reader *r = t->reader;
	const char *protocol = asyncapi_reader_text(r, server, "protocol");
	const char *host = asyncapi_reader_text(r, server, "host");
	const char *path = asyncapi_reader_text(r, server, "pathname");
	struct error err = {0};
	struct uri uri;
	if (protocol == NULL || host == NULL || strncmp(protocol, "amqp", 4) != 0 ||
	    (strcmp(protocol + 4, "") != 0 && strcmp(protocol + 4, "s") != 0)) {
		asyncapi_reader_note(r, server, "is no server of amqp or amqps: left out");
		return;
	}
	char *url = mem_printf("%s://%s%s", protocol, host, path != NULL ? path : "");
	if (strpbrk(host, "{}@") != NULL || !uri_parse(slice_str(url), &uri, &err)) {
		asyncapi_reader_note(r, server, "its address is not taken%s%s",
		    err.text[0] != '\0' ? ": " : "", err.text);
	} else {
		if (t->vhost == NULL)
			t->vhost = mem_strdup(uri.vhost);
		json_array_append_new(urls, json_string(url));
		uri_release(&uri);
	}
	free(url);
}

/* The addresses, without user and password: those are the reader's own. */
json_t *asyncapi_topology_broker(struct asyncapi_topology *t)
{
	struct asyncapi_node servers =
	    asyncapi_reader_member(t->reader, asyncapi_reader_root(t->reader), "servers");
	json_t *urls = json_array(), *unused, *broker = NULL;
	const char *id;
	json_object_foreach((json_t *)(uintptr_t)servers.value, id, unused)
	{
		(void)unused;
		add_server(t, asyncapi_reader_member(t->reader, servers, id), urls);
	}
	if (json_array_size(urls) == 1)
		broker = json_pack("{s:O}", "url", json_array_get(urls, 0));
	else if (json_array_size(urls) > 1)
		broker = json_pack("{s:O}", "url", urls);
	json_decref(urls);
	return broker;
}

/* ---- exchanges and queues ---- */

/* Of one virtual host: the first that is named, or the one that was asked for. */
static bool is_here(struct asyncapi_topology *t, struct asyncapi_node object)
{
	const char *vhost = asyncapi_reader_text(t->reader, object, "vhost");
	if (vhost == NULL)
		return true;
	if (t->vhost == NULL)
		t->vhost = mem_strdup(vhost);
	if (strcmp(vhost, t->vhost) == 0)
		return true;
	char *here = text_quote(slice_str(t->vhost));
	asyncapi_reader_note(t->reader, object,
	    "is in another virtual host than '%s': left out; --vhost chooses one", here);
	free(here);
	return false;
}

static json_t *arguments_of(const json_t *object)
{
	json_t *arguments = json_object_get(object, "x-warren-arguments");
	return json_is_object(arguments) ? json_deep_copy(arguments) : json_object();
}

static bool flag_of(const json_t *object, const char *key, bool otherwise)
{
	const json_t *value = json_object_get(object, key);
	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

/* The exchange of a channel; the broker's own are there without us. */
static bool add_exchange(
    struct asyncapi_topology *t, struct asyncapi_node exchange, struct error *err)
{
	struct asyncapi_reader *r = t->reader;
	const char *name = asyncapi_reader_text(r, exchange, "name");
	const char *type = asyncapi_reader_text(r, exchange, "type");
	if (name == NULL || name[0] == '\0' || strncmp(name, "amq.", 4) == 0 ||
	    !is_here(t, exchange) || json_object_get(t->exchanges, name) != NULL)
		return true;
	if (!asyncapi_messages_check_name(r, exchange, "exchange", name, err))
		return false;
	if (type == NULL)
		type = asyncapi_reader_text(r, exchange, "x-warren-type");
	if (type == NULL)
		asyncapi_reader_note(r, exchange, "has no type: it becomes a topic exchange");
	json_object_set_new(t->exchanges, name,
	    json_pack("{s:s, s:s, s:b, s:b, s:b, s:o}", "name", name, "type",
		type != NULL ? type : "topic", "durable", flag_of(exchange.value, "durable", true),
		"auto_delete", flag_of(exchange.value, "autoDelete", false), "internal", 0,
		"arguments", arguments_of(exchange.value)));
	return true;
}

static bool add_queue(struct asyncapi_topology *t, struct asyncapi_node at, const json_t *queue,
    const char *name, struct error *err)
{
	if (json_object_get(t->queues, name) != NULL)
		return true;
	if (!asyncapi_messages_check_name(t->reader, at, "queue", name, err))
		return false;
	if (strncmp(name, "amq.", 4) == 0)
		return asyncapi_reader_fail(t->reader, at, err,
		    "the name of the queue begins with 'amq.', which is the broker's");
	json_t *arguments = arguments_of(queue);
	if (json_object_get(arguments, "x-queue-type") == NULL)
		json_object_set_new(arguments, "x-queue-type", json_string("classic"));
	json_object_set_new(t->queues, name,
	    json_pack("{s:s, s:b, s:b, s:o}", "name", name, "durable",
		flag_of(queue, "durable", true), "auto_delete", flag_of(queue, "autoDelete", false),
		"arguments", arguments));
	if (flag_of(queue, "exclusive", false))
		json_object_set_new(t->bodies, name, json_pack("{s:b}", "exclusive", 1));
	return true;
}

/* What our own export says beside the binding. */
static void keep_body(struct asyncapi_topology *t, struct asyncapi_node channel, const char *name)
{
	const char *made_for = asyncapi_reader_text(t->reader, channel, "x-warren-made-for");
	struct asyncapi_node own = asyncapi_reader_member(t->reader, channel, "x-warren-queue");
	struct asyncapi_node contract =
	    asyncapi_reader_member(t->reader, channel, "x-warren-contract");
	if (made_for != NULL)
		json_object_set_new(t->made, name, json_string(made_for));
	if (!json_is_object(own.value))
		return;
	json_t *body = json_deep_copy(own.value);
	json_t *schema = asyncapi_payload_read(t->reader, contract);
	bool has_contract = json_object_del(body, "contract") == 0;
	if (has_contract && (schema == NULL || t->messages->folder == NULL)) {
		asyncapi_reader_note(t->reader, channel,
		    "its contract is left out: --contracts DIR writes it to a file");
	} else if (has_contract) {
		char *path = asyncapi_messages_contract(t->messages, name, schema);
		json_object_set_new(body, "contract", json_string(path));
		free(path);
	}
	json_object_set_new(t->bodies, name, body);
	json_decref(schema);
}

static void bind(
    struct asyncapi_topology *t, const char *exchange, const char *queue, const json_t *address)
{
	struct buf key = {0};
	buf_append_str(&key, "");
	for (const char *c = json_is_string(address) ? json_string_value(address) : ""; *c; c++) {
		const char *end = *c == '{' ? strchr(c, '}') : NULL;
		buf_append_char(&key, end != NULL ? '*' : *c);
		c = end != NULL ? end : c;
	}
	json_t *binding =
	    json_pack("{s:s, s:s, s:s, s:s%, s:{}}", "source", exchange, "destination", queue,
		"destination_type", "queue", "routing_key", key.ptr, key.len, "arguments");
	bool is_known = false;
	for (size_t i = 0; i < json_array_size(t->bindings) && !is_known; i++)
		is_known = json_equal(json_array_get(t->bindings, i), binding);
	if (!is_known)
		json_array_append(t->bindings, binding);
	json_decref(binding);
	buf_release(&key);
}

/* The queue that a binding names; when nobody does, the address of a queue's channel. */
static const char *queue_name(
    struct asyncapi_topology *t, struct asyncapi_node channel, struct asyncapi_node queue)
{
	const char *name = asyncapi_reader_text(t->reader, queue, "name");
	return name != NULL ? name : asyncapi_reader_text(t->reader, channel, "address");
}

struct asyncapi_node asyncapi_topology_amqp(
    struct asyncapi_topology *t, struct asyncapi_node channel)
{
	return asyncapi_reader_member(
	    t->reader, asyncapi_reader_member(t->reader, channel, "bindings"), "amqp");
}

static bool is_queue(struct asyncapi_topology *t, struct asyncapi_node amqp)
{
	const char *is = asyncapi_reader_text(t->reader, amqp, "is");
	return is != NULL && strcmp(is, "queue") == 0;
}

static bool add_queue_channel(struct asyncapi_topology *t, struct asyncapi_node channel,
    struct asyncapi_node queue, struct error *err)
{
	const char *name = queue_name(t, channel, queue);
	if (name == NULL) {
		asyncapi_reader_note(
		    t->reader, channel, "the queue has no name, nor an address: left out");
		return true;
	}
	if (queue.value != NULL && !is_here(t, queue))
		return true;
	if (!add_queue(t, queue.value != NULL ? queue : channel, queue.value, name, err))
		return false;
	keep_body(t, channel, name);
	return true;
}

bool asyncapi_topology_channel(
    struct asyncapi_topology *t, struct asyncapi_node channel, struct error *err)
{
	struct asyncapi_node amqp = asyncapi_topology_amqp(t, channel);
	if (amqp.value == NULL) {
		asyncapi_reader_note(t->reader, channel, "has no binding of amqp: left out");
		return true;
	}
	struct asyncapi_node exchange = asyncapi_reader_member(t->reader, amqp, "exchange");
	struct asyncapi_node queue = asyncapi_reader_member(t->reader, amqp, "queue");
	if (is_queue(t, amqp))
		return add_queue_channel(t, channel, queue, err);
	if (!add_exchange(t, exchange, err))
		return false;
	const char *source = member_text(exchange.value, "name");
	const char *name = asyncapi_reader_text(t->reader, queue, "name");
	if (name == NULL || !is_here(t, queue))
		return true;
	if (!add_queue(t, queue, queue.value, name, err))
		return false;
	if (source != NULL && source[0] != '\0')
		bind(t, source, name, json_object_get(channel.value, "address"));
	return true;
}

/* What receives from an exchange has a queue for it, with the name of the operation. */
bool asyncapi_topology_receive(struct asyncapi_topology *t, const char *id,
    struct asyncapi_node channel, struct asyncapi_node amqp, struct error *err)
{
	struct asyncapi_node exchange = asyncapi_reader_member(t->reader, amqp, "exchange");
	const char *source = member_text(exchange.value, "name");
	const char *key = member_text(channel.value, "address");
	bool has_queue = json_object_get(amqp.value, "queue") != NULL;
	if (is_queue(t, amqp) || has_queue)
		return true;
	if (source == NULL || source[0] == '\0') /* of the default exchange: that of the key */
		return key == NULL || strpbrk(key, "{}") != NULL
			   ? true
			   : add_queue(t, channel, NULL, key, err);
	if (!add_queue(t, channel, NULL, id, err))
		return false;
	bind(t, source, id, json_object_get(channel.value, "address"));
	return true;
}
