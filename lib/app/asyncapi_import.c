#include "app/asyncapi_import.h"

#include "app/asyncapi_messages.h"
#include "app/asyncapi_payload.h"
#include "app/settings.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/pointer.h"
#include "model/definitions.h"

#include <stdlib.h>
#include <string.h>

struct import {
	const struct asyncapi_import *how;
	struct asyncapi_reader reader;
	struct asyncapi_messages messages;
	char *vhost; /* NULL: none was named yet */
	/* As definitions have them; by name, so that each comes once. */
	json_t *exchanges, *queues, *bindings;
	json_t *bodies; /* queue -> what the settings said of it, in our own export */
	json_t *made;	/* queue -> the one that it was made for */
};

static const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* ---- servers ---- */

static void add_server(struct import *im, struct asyncapi_node server, json_t *urls)
{
	struct asyncapi_reader *r = &im->reader;
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
		if (im->vhost == NULL)
			im->vhost = mem_strdup(uri.vhost);
		json_array_append_new(urls, json_string(url));
		uri_release(&uri);
	}
	free(url);
}

/* The addresses, without user and password: those are the reader's own. */
static json_t *make_broker(struct import *im)
{
	struct asyncapi_node servers =
	    asyncapi_reader_member(&im->reader, asyncapi_reader_root(&im->reader), "servers");
	json_t *urls = json_array(), *unused, *broker = NULL;
	const char *id;
	json_object_foreach((json_t *)(uintptr_t)servers.value, id, unused)
	{
		(void)unused;
		add_server(im, asyncapi_reader_member(&im->reader, servers, id), urls);
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
static bool is_here(struct import *im, struct asyncapi_node object)
{
	const char *vhost = asyncapi_reader_text(&im->reader, object, "vhost");
	if (vhost == NULL)
		return true;
	if (im->vhost == NULL)
		im->vhost = mem_strdup(vhost);
	if (strcmp(vhost, im->vhost) == 0)
		return true;
	char *here = text_quote(slice_str(im->vhost));
	asyncapi_reader_note(&im->reader, object,
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
static bool add_exchange(struct import *im, struct asyncapi_node exchange, struct error *err)
{
	struct asyncapi_reader *r = &im->reader;
	const char *name = asyncapi_reader_text(r, exchange, "name");
	const char *type = asyncapi_reader_text(r, exchange, "type");
	if (name == NULL || name[0] == '\0' || strncmp(name, "amq.", 4) == 0 ||
	    !is_here(im, exchange) || json_object_get(im->exchanges, name) != NULL)
		return true;
	if (!asyncapi_messages_check_name(r, exchange, "exchange", name, err))
		return false;
	if (type == NULL)
		type = asyncapi_reader_text(r, exchange, "x-warren-type");
	if (type == NULL)
		asyncapi_reader_note(r, exchange, "has no type: it becomes a topic exchange");
	json_object_set_new(im->exchanges, name,
	    json_pack("{s:s, s:s, s:b, s:b, s:b, s:o}", "name", name, "type",
		type != NULL ? type : "topic", "durable", flag_of(exchange.value, "durable", true),
		"auto_delete", flag_of(exchange.value, "autoDelete", false), "internal", 0,
		"arguments", arguments_of(exchange.value)));
	return true;
}

static bool add_queue(struct import *im, struct asyncapi_node at, const json_t *queue,
    const char *name, struct error *err)
{
	if (json_object_get(im->queues, name) != NULL)
		return true;
	if (!asyncapi_messages_check_name(&im->reader, at, "queue", name, err))
		return false;
	if (strncmp(name, "amq.", 4) == 0)
		return asyncapi_reader_fail(&im->reader, at, err,
		    "the name of the queue begins with 'amq.', which is the broker's");
	json_t *arguments = arguments_of(queue);
	if (json_object_get(arguments, "x-queue-type") == NULL)
		json_object_set_new(arguments, "x-queue-type", json_string("classic"));
	json_object_set_new(im->queues, name,
	    json_pack("{s:s, s:b, s:b, s:o}", "name", name, "durable",
		flag_of(queue, "durable", true), "auto_delete", flag_of(queue, "autoDelete", false),
		"arguments", arguments));
	if (flag_of(queue, "exclusive", false))
		json_object_set_new(im->bodies, name, json_pack("{s:b}", "exclusive", 1));
	return true;
}

/* What our own export says beside the binding. */
static void keep_body(struct import *im, struct asyncapi_node channel, const char *name)
{
	const char *made_for = asyncapi_reader_text(&im->reader, channel, "x-warren-made-for");
	struct asyncapi_node own = asyncapi_reader_member(&im->reader, channel, "x-warren-queue");
	struct asyncapi_node contract =
	    asyncapi_reader_member(&im->reader, channel, "x-warren-contract");
	if (made_for != NULL)
		json_object_set_new(im->made, name, json_string(made_for));
	if (!json_is_object(own.value))
		return;
	json_t *body = json_deep_copy(own.value);
	json_t *schema = asyncapi_payload_read(&im->reader, contract);
	bool has_contract = json_object_del(body, "contract") == 0;
	if (has_contract && (schema == NULL || im->how->folder == NULL)) {
		asyncapi_reader_note(&im->reader, channel,
		    "its contract is left out: --contracts DIR writes it to a file");
	} else if (has_contract) {
		char *path = asyncapi_messages_contract(&im->messages, name, schema);
		json_object_set_new(body, "contract", json_string(path));
		free(path);
	}
	json_object_set_new(im->bodies, name, body);
	json_decref(schema);
}

static void bind(struct import *im, const char *exchange, const char *queue, const json_t *address)
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
	for (size_t i = 0; i < json_array_size(im->bindings) && !is_known; i++)
		is_known = json_equal(json_array_get(im->bindings, i), binding);
	if (!is_known)
		json_array_append(im->bindings, binding);
	json_decref(binding);
	buf_release(&key);
}

/* The queue that a binding names; when nobody does, the address of a queue's channel. */
static const char *queue_name(
    struct import *im, struct asyncapi_node channel, struct asyncapi_node queue)
{
	const char *name = asyncapi_reader_text(&im->reader, queue, "name");
	return name != NULL ? name : asyncapi_reader_text(&im->reader, channel, "address");
}

static struct asyncapi_node find_amqp(struct import *im, struct asyncapi_node channel)
{
	return asyncapi_reader_member(
	    &im->reader, asyncapi_reader_member(&im->reader, channel, "bindings"), "amqp");
}

static bool is_queue(struct import *im, struct asyncapi_node amqp)
{
	const char *is = asyncapi_reader_text(&im->reader, amqp, "is");
	return is != NULL && strcmp(is, "queue") == 0;
}

static bool add_queue_channel(
    struct import *im, struct asyncapi_node channel, struct asyncapi_node queue, struct error *err)
{
	const char *name = queue_name(im, channel, queue);
	if (name == NULL) {
		asyncapi_reader_note(
		    &im->reader, channel, "the queue has no name, nor an address: left out");
		return true;
	}
	if (queue.value != NULL && !is_here(im, queue))
		return true;
	if (!add_queue(im, queue.value != NULL ? queue : channel, queue.value, name, err))
		return false;
	keep_body(im, channel, name);
	return true;
}

static bool add_channel(struct import *im, struct asyncapi_node channel, struct error *err)
{
	struct asyncapi_node amqp = find_amqp(im, channel);
	if (amqp.value == NULL) {
		asyncapi_reader_note(&im->reader, channel, "has no binding of amqp: left out");
		return true;
	}
	struct asyncapi_node exchange = asyncapi_reader_member(&im->reader, amqp, "exchange");
	struct asyncapi_node queue = asyncapi_reader_member(&im->reader, amqp, "queue");
	if (is_queue(im, amqp))
		return add_queue_channel(im, channel, queue, err);
	if (!add_exchange(im, exchange, err))
		return false;
	const char *source = member_text(exchange.value, "name");
	const char *name = asyncapi_reader_text(&im->reader, queue, "name");
	if (name == NULL || !is_here(im, queue))
		return true;
	if (!add_queue(im, queue, queue.value, name, err))
		return false;
	if (source != NULL && source[0] != '\0')
		bind(im, source, name, json_object_get(channel.value, "address"));
	return true;
}

/* ---- operations ---- */

/* What receives from an exchange has a queue for it, with the name of the operation. */
static bool add_receive(struct import *im, const char *id, struct asyncapi_node channel,
    struct asyncapi_node amqp, struct error *err)
{
	struct asyncapi_node exchange = asyncapi_reader_member(&im->reader, amqp, "exchange");
	const char *source = member_text(exchange.value, "name");
	const char *key = member_text(channel.value, "address");
	bool has_queue = json_object_get(amqp.value, "queue") != NULL;
	if (is_queue(im, amqp) || has_queue)
		return true;
	if (source == NULL || source[0] == '\0') /* of the default exchange: that of the key */
		return key == NULL || strpbrk(key, "{}") != NULL
			   ? true
			   : add_queue(im, channel, NULL, key, err);
	if (!add_queue(im, channel, NULL, id, err))
		return false;
	bind(im, source, id, json_object_get(channel.value, "address"));
	return true;
}

static bool add_operation(
    struct import *im, const char *id, struct asyncapi_node operation, struct error *err)
{
	static const char *const left[] = {"reply", "traits"};
	struct asyncapi_reader *r = &im->reader;
	const char *action = asyncapi_reader_text(r, operation, "action");
	struct asyncapi_node channel = asyncapi_reader_member(r, operation, "channel");
	struct asyncapi_node amqp = find_amqp(im, channel);
	for (size_t i = 0; i < ARRAY_LEN(left); i++)
		if (json_object_get(operation.value, left[i]) != NULL)
			asyncapi_reader_note(r, operation, "'%s' is not taken", left[i]);
	if (action == NULL || channel.value == NULL) {
		asyncapi_reader_note(r, operation, "has no action, or no channel: left out");
		return true;
	}
	if (amqp.value == NULL) /* that was noted at the channel */
		return true;
	if (strcmp(action, "send") == 0)
		return asyncapi_messages_add(&im->messages, id, operation, channel, err);
	return add_receive(im, id, channel, amqp, err);
}

static bool walk(struct import *im, struct error *err)
{
	struct asyncapi_node root = asyncapi_reader_root(&im->reader);
	struct asyncapi_node channels = asyncapi_reader_member(&im->reader, root, "channels");
	struct asyncapi_node operations = asyncapi_reader_member(&im->reader, root, "operations");
	json_t *unused;
	const char *id;
	bool good = true;
	json_object_foreach((json_t *)(uintptr_t)channels.value, id, unused)
	{
		struct asyncapi_node at = asyncapi_reader_member(&im->reader, channels, id);
		good = good && (at.value == NULL || add_channel(im, at, err));
	}
	json_object_foreach((json_t *)(uintptr_t)operations.value, id, unused)
	{
		struct asyncapi_node at = asyncapi_reader_member(&im->reader, operations, id);
		good = good && (at.value == NULL || add_operation(im, id, at, err));
	}
	(void)unused;
	return good;
}

/* ---- the settings ---- */

static json_t *list_values(const json_t *object)
{
	json_t *list = json_array(), *value;
	const char *key;
	json_object_foreach((json_t *)(uintptr_t)object, key, value) json_array_append(list, value);
	return list;
}

/* Ours come first: a channel knows less of an exchange. */
static void take_topology(struct import *im)
{
	const json_t *root = document_root(im->reader.document);
	json_t *exchange;
	size_t i;
	json_array_foreach(json_object_get(root, "x-warren-exchanges"), i, exchange)
	{
		const char *name = member_text(exchange, "name");
		json_t *mine = json_deep_copy(exchange);
		json_object_del(mine, "vhost");
		if (name != NULL)
			json_object_set(im->exchanges, name, mine);
		json_decref(mine);
	}
	json_array_foreach(json_object_get(root, "x-warren-bindings"), i, exchange)
	{
		json_t *mine = json_deep_copy(exchange);
		json_object_del(mine, "vhost");
		json_array_append_new(im->bindings, mine);
	}
}

/* Where our own export says how it was written down, it is written so again; what that makes is
 * not written beside it. */
static void restore_bodies(struct import *im, json_t *settings)
{
	json_t *queues = json_object_get(settings, "queues"), *value;
	const char *name;
	json_object_foreach(im->bodies, name, value)
	{
		json_t *queue = json_object_get(queues, name);
		if (json_object_size(value) == 1 && json_object_get(value, "exclusive") != NULL &&
		    queue != NULL)
			json_object_update(queue, value);
		else if (queue != NULL)
			json_object_set(queues, name, value);
	}
	json_object_foreach(im->made, name, value)
	{
		if (json_object_get(im->bodies, json_string_value(value)) != NULL)
			json_object_del(queues, name);
	}
}

static json_t *make_topology(struct import *im, struct error *err)
{
	const struct definitions_import how = {.note = im->how->note, .ctx = im->how->ctx};
	json_t *document = json_pack("{s:o, s:o, s:O}", "exchanges", list_values(im->exchanges),
	    "queues", list_values(im->queues), "bindings", im->bindings);
	json_t *settings = definitions_import(document, &how, err);
	const json_t *rest = json_object_get(settings, "definitions");
	if (settings != NULL && json_object_get(rest, "others") == NULL)
		json_object_del(settings, "definitions");
	if (settings != NULL)
		restore_bodies(im, settings);
	json_decref(document);
	return settings;
}

static void keep_first(void *ctx, const char *pointer, const char *text)
{
	struct error *err = ctx;
	char *path = pointer_path(slice_str(pointer));
	error_set(err, ERROR_DATA, "what is made of it is refused: %s: %s", path, text);
	free(path);
}

static void keep_finding(void *ctx, const struct schema_finding *finding)
{
	keep_first(ctx, finding->instance, finding->text);
}

/* Whether the settings are taken, as far as they do not stand in files. */
static bool check(const json_t *settings, struct error *err)
{
	struct topology t = {0};
	json_t *published = json_loads(settings_schema(), 0, NULL), *spec;
	struct schema *schema = schema_create(published, 0, err);
	const char *name;
	bool good = schema != NULL && schema_validate(schema, settings, keep_finding, err, err);
	if (good && topology_read(settings, &t, keep_first, err))
		topology_release(&t);
	struct pattern_pools *pools =
	    err->kind == ERROR_NONE
		? pattern_pools_create(json_object_get(settings, "pools"), 0, keep_first, err)
		: NULL;
	json_object_foreach(json_object_get(settings, "messages"), name, spec)
	{
		struct pattern *pattern = err->kind == ERROR_NONE ? pattern_create(name, spec, ".",
									pools, keep_first, err)
								  : NULL;
		if (pattern == NULL) {
			char *shown = text_quote(slice_str(name));
			error_context(err, "message '%s'", shown);
			free(shown);
			break;
		}
		pattern_free(pattern);
	}
	pattern_pools_free(pools);
	schema_free(schema);
	json_decref(published);
	return err->kind == ERROR_NONE;
}

/* What our own export has beside the operations. */
static void take_sections(const struct import *im, json_t *settings)
{
	static const char *const names[] = {"pools", "projections", "expect"};
	const json_t *sections =
	    json_object_get(document_root(im->reader.document), "x-warren-sections");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		json_t *section = json_object_get(sections, names[i]);
		if (section != NULL)
			json_object_set(settings, names[i], section);
	}
}

static json_t *make_settings(struct import *im, struct error *err)
{
	json_t *broker = make_broker(im);
	take_topology(im);
	json_t *settings = walk(im, err) ? make_topology(im, err) : NULL;
	if (settings != NULL) {
		if (broker != NULL)
			json_object_set(settings, "broker", broker);
		if (json_object_size(im->messages.messages) > 0)
			json_object_set(settings, "messages", im->messages.messages);
		take_sections(im, settings);
	}
	json_decref(broker);
	if (settings != NULL && !check(settings, err)) {
		json_decref(settings);
		return NULL;
	}
	return settings;
}

static bool check_version(struct import *im, struct error *err)
{
	struct asyncapi_node root = asyncapi_reader_root(&im->reader);
	struct asyncapi_node at = asyncapi_reader_member(&im->reader, root, "asyncapi");
	const char *version = json_string_value(at.value);
	if (version != NULL && strncmp(version, "3.", 2) == 0)
		return true;
	char *shown = text_quote(slice_str(version != NULL ? version : "no text"));
	asyncapi_reader_fail(&im->reader, at, err,
	    "version '%s' is not taken, only 3.x is; AsyncAPI's own 'asyncapi convert' makes one "
	    "of an older document",
	    shown);
	free(shown);
	return false;
}

json_t *asyncapi_import(const struct document *document, const struct asyncapi_import *how,
    json_t **contracts, struct error *err)
{
	struct import im = {.how = how,
	    .vhost = how->vhost != NULL ? mem_strdup(how->vhost) : NULL,
	    .exchanges = json_object(),
	    .queues = json_object(),
	    .bindings = json_array(),
	    .bodies = json_object(),
	    .made = json_object()};
	json_t *settings = NULL;
	asyncapi_reader_init(&im.reader, document, how->note, how->ctx);
	im.messages =
	    (struct asyncapi_messages){&im.reader, how->folder, json_object(), json_object()};
	if (check_version(&im, err))
		settings = make_settings(&im, err);
	*contracts = settings != NULL ? json_incref(im.messages.contracts) : NULL;
	json_decref(im.messages.contracts);
	json_decref(im.messages.messages);
	asyncapi_reader_release(&im.reader);
	json_decref(im.exchanges);
	json_decref(im.queues);
	json_decref(im.bindings);
	json_decref(im.bodies);
	json_decref(im.made);
	free(im.vhost);
	return settings;
}
