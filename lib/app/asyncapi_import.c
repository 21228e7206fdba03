#include "app/asyncapi_import.h"

#include "app/asyncapi_topology.h"
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
	struct asyncapi_topology topology;
};

static const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* ---- operations ---- */

/* Of logic that the sections of our own export have, and so bring back. */
static bool is_restored(const struct import *im, struct asyncapi_node operation)
{
	static const char *const kinds[][2] = {{"x-warren-relay", "relays"},
	    {"x-warren-responder", "responders"}, {"x-warren-workflow", "workflows"}};
	const json_t *sections =
	    json_object_get(document_root(im->reader.document), "x-warren-sections");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const char *name = member_text(operation.value, kinds[i][0]);
		if (name != NULL &&
		    json_object_get(json_object_get(sections, kinds[i][1]), name) != NULL)
			return true;
	}
	return false;
}

/* What is left out of an operation. */
static void note_left(struct import *im, struct asyncapi_node operation, bool sends)
{
	struct asyncapi_reader *r = &im->reader;
	if (json_object_get(operation.value, "traits") != NULL)
		asyncapi_reader_note(r, operation, "'traits' is not taken");
	if (json_object_get(operation.value, "reply") == NULL)
		return;
	if (sends)
		asyncapi_reader_note(r, operation,
		    "'reply' is not taken: what is sent becomes a message, and rpc call says "
		    "itself where its reply goes");
	else
		asyncapi_reader_note(r, operation,
		    "'reply' is not taken: the requests have a queue, but nothing says how a "
		    "responder answers them");
}

static bool add_operation(
    struct import *im, const char *id, struct asyncapi_node operation, struct error *err)
{
	struct asyncapi_reader *r = &im->reader;
	const char *action = asyncapi_reader_text(r, operation, "action");
	struct asyncapi_node channel = asyncapi_reader_member(r, operation, "channel");
	struct asyncapi_node amqp = asyncapi_topology_amqp(&im->topology, channel);
	if (is_restored(im, operation))
		return true;
	if (action == NULL || channel.value == NULL) {
		asyncapi_reader_note(r, operation, "has no action, or no channel: left out");
		return true;
	}
	bool sends = strcmp(action, "send") == 0;
	note_left(im, operation, sends);
	if (amqp.value == NULL) /* that was noted at the channel */
		return true;
	if (sends)
		return asyncapi_messages_add(&im->messages, id, operation, channel, err);
	return asyncapi_topology_receive(&im->topology, id, channel, amqp, err);
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
		good =
		    good && (at.value == NULL || asyncapi_topology_channel(&im->topology, at, err));
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
			json_object_set(im->topology.exchanges, name, mine);
		json_decref(mine);
	}
	json_array_foreach(json_object_get(root, "x-warren-bindings"), i, exchange)
	{
		json_t *mine = json_deep_copy(exchange);
		json_object_del(mine, "vhost");
		json_array_append_new(im->topology.bindings, mine);
	}
}

/* Where our own export says how it was written down, it is written so again; what that makes is
 * not written beside it. */
static void restore_bodies(struct import *im, json_t *settings)
{
	json_t *queues = json_object_get(settings, "queues"), *value;
	const char *name;
	json_object_foreach(im->topology.bodies, name, value)
	{
		json_t *queue = json_object_get(queues, name);
		if (json_object_size(value) == 1 && json_object_get(value, "exclusive") != NULL &&
		    queue != NULL)
			json_object_update(queue, value);
		else if (queue != NULL)
			json_object_set(queues, name, value);
	}
	json_object_foreach(im->topology.made, name, value)
	{
		if (json_object_get(im->topology.bodies, json_string_value(value)) != NULL)
			json_object_del(queues, name);
	}
}

static json_t *make_topology(struct import *im, struct error *err)
{
	const struct definitions_import how = {.note = im->how->note, .ctx = im->how->ctx};
	json_t *document =
	    json_pack("{s:o, s:o, s:O}", "exchanges", list_values(im->topology.exchanges), "queues",
		list_values(im->topology.queues), "bindings", im->topology.bindings);
	json_t *settings = definitions_import(document, &how, err);
	const json_t *rest = json_object_get(settings, "definitions");
	if (settings != NULL && json_object_get(rest, "others") == NULL)
		json_object_del(settings, "definitions");
	if (settings != NULL)
		restore_bodies(im, settings);
	json_decref(document);
	return settings;
}

/* Whether settings would take it: its queue may be somebody else's, its exchange may not have been
 * taken. */
static bool has_way(json_t *settings, const json_t *message)
{
	json_t *queues = json_object_get(settings, "queues");
	const char *exchange = member_text(message, "exchange");
	const json_t *key = json_object_get(message, "routing_key");
	const char *queue = json_string_value(key);
	if (exchange != NULL)
		return strncmp(exchange, "amq.", 4) == 0 ||
		       json_object_get(json_object_get(settings, "exchanges"), exchange) != NULL;
	if (key == NULL)
		return false;
	if (queue == NULL || strstr(queue, "{{") != NULL || json_object_get(queues, queue) != NULL)
		return true;
	if (queues == NULL)
		json_object_set_new(settings, "queues", queues = json_object());
	json_object_set_new(queues, queue, json_pack("{s:b}", "declared", 0));
	return true;
}

static void take_messages(struct import *im, json_t *settings)
{
	json_t *messages = json_object(), *message;
	const char *name;
	json_object_foreach(im->messages.messages, name, message)
	{
		if (has_way(settings, message)) {
			json_object_set(messages, name, message);
			continue;
		}
		char *shown = text_quote(slice_str(name));
		asyncapi_reader_note(&im->reader, asyncapi_reader_root(&im->reader),
		    "message '%s' is left out: its exchange was not taken, or it has neither "
		    "exchange nor routing key",
		    shown);
		free(shown);
	}
	if (json_object_size(messages) > 0)
		json_object_set(settings, "messages", messages);
	json_decref(messages);
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

/* Relays, which name queues and exchanges as well, are for who reads the settings. */
static void check_logic(const json_t *settings, const struct topology *t, struct error *err)
{
	struct responder_list responders = {0};
	struct workflow_list workflows = {0};
	if (!responder_read(
		json_object_get(settings, "responders"), t, &responders, keep_first, err))
		error_context(err, "responders");
	else if (!workflow_read(
		     json_object_get(settings, "workflows"), t, &workflows, keep_first, err))
		error_context(err, "workflows");
	responder_release(&responders);
	workflow_release(&workflows);
}

/* Whether the settings are taken, as far as they do not stand in files. */
static bool check(const json_t *settings, struct error *err)
{
	struct topology t = {0};
	json_t *published = json_loads(settings_schema(), 0, NULL), *spec;
	struct schema *schema = schema_create(published, 0, err);
	const char *name;
	bool good = schema != NULL && schema_validate(schema, settings, keep_finding, err, err);
	if (good && topology_read(settings, &t, keep_first, err)) {
		check_logic(settings, &t, err);
		topology_release(&t);
	}
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

static bool steps_have(const json_t *steps, const char *key)
{
	for (size_t i = 0; i < json_array_size(steps); i++)
		if (json_object_get(json_array_get(steps, i), key) != NULL)
			return true;
	return false;
}

/* Whether a relay or responder, or a handler of it, has a step with that key. */
static bool has_step(const json_t *logic, const char *key)
{
	const char *type;
	json_t *handler;
	if (steps_have(json_object_get(logic, "core"), key))
		return true;
	json_object_foreach(json_object_get(logic, "on"), type,
	    handler) if (steps_have(json_is_array(handler) ? handler
							   : json_object_get(handler, "core"),
			     key)) return true;
	return false;
}

/* What logic needs that no document has, and what it does to the machine that it runs on. */
static void note_logic(struct import *im, const char *section)
{
	struct asyncapi_reader *r = &im->reader;
	struct asyncapi_node sections =
	    asyncapi_reader_member(r, asyncapi_reader_root(r), "x-warren-sections");
	struct asyncapi_node items = asyncapi_reader_member(r, sections, section);
	const char *name;
	json_t *item;
	json_object_foreach((json_t *)(uintptr_t)items.value, name, item)
	{
		struct asyncapi_node at = asyncapi_reader_member(r, items, name);
		if (has_step(item, "contract") || has_step(item, "file") ||
		    json_object_get(item, "files") != NULL)
			asyncapi_reader_note(r, at, "it reads files that are not in the document");
		if (has_step(item, "exec"))
			asyncapi_reader_note(
			    r, at, "it runs commands ('exec'): read them before you let it");
	}
}

/* What our own export has beside the operations. */
static void take_sections(struct import *im, json_t *settings)
{
	static const char *const names[] = {
	    "pools", "projections", "expect", "relays", "responders", "workflows"};
	const json_t *sections =
	    json_object_get(document_root(im->reader.document), "x-warren-sections");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		json_t *section = json_object_get(sections, names[i]);
		if (section != NULL)
			json_object_set(settings, names[i], section);
	}
	note_logic(im, "relays");
	note_logic(im, "responders");
}

static json_t *make_settings(struct import *im, struct error *err)
{
	json_t *broker = asyncapi_topology_broker(&im->topology);
	take_topology(im);
	json_t *settings = walk(im, err) ? make_topology(im, err) : NULL;
	if (settings != NULL) {
		if (broker != NULL)
			json_object_set(settings, "broker", broker);
		take_messages(im, settings);
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
	struct import im = {.how = how};
	json_t *settings = NULL;
	asyncapi_reader_init(&im.reader, document, how->note, how->ctx);
	im.messages =
	    (struct asyncapi_messages){&im.reader, how->folder, json_object(), json_object()};
	asyncapi_topology_init(&im.topology, &im.reader, &im.messages, how->vhost);
	if (check_version(&im, err))
		settings = make_settings(&im, err);
	*contracts = settings != NULL ? json_incref(im.messages.contracts) : NULL;
	json_decref(im.messages.contracts);
	json_decref(im.messages.messages);
	asyncapi_reader_release(&im.reader);
	asyncapi_topology_release(&im.topology);
	return settings;
}
