#include "app/asyncapi_messages.h"

#include "app/asyncapi_fields.h"
#include "app/asyncapi_payload.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/envelope.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME 255

bool asyncapi_messages_check_name(struct asyncapi_reader *r, struct asyncapi_node at,
    const char *what, const char *name, struct error *err)
{
	size_t len = strlen(name);
	if (len > 0 && len <= MAX_NAME)
		return true;
	return asyncapi_reader_fail(r, at, err,
	    "the name of the %s has %zu bytes; settings take 1 to %d", what, len, MAX_NAME);
}

/* ---- contracts ---- */

char *asyncapi_messages_contract(struct asyncapi_messages *m, const char *name, json_t *schema)
{
	struct buf file = {0};
	size_t folder_len = strlen(m->folder);
	while (folder_len > 1 && m->folder[folder_len - 1] == '/')
		folder_len--;
	for (const char *c = name; *c != '\0' && file.len < 100; c++)
		buf_append_char(&file,
		    isalnum((unsigned char)*c) || *c == '_' || (*c == '.' && file.len > 0) ? *c
											   : '-');
	size_t len = file.len;
	buf_append_str(&file, ".schema.json");
	for (unsigned n = 2; json_object_get(m->contracts, file.ptr) != NULL &&
			     !json_equal(json_object_get(m->contracts, file.ptr), schema);
	     n++) {
		buf_truncate(&file, len);
		buf_printf(&file, "-%u.schema.json", n);
	}
	json_object_set(m->contracts, file.ptr, schema);
	char *path = mem_printf("%.*s/%s", (int)folder_len, m->folder, file.ptr);
	buf_release(&file);
	return path;
}

/* The schema of the data, which is what a contract is about, where the payload is an event around
 * it, as our own export writes it. */
static struct asyncapi_node find_data(
    struct asyncapi_reader *r, struct asyncapi_node payload, const json_t *own)
{
	const json_t *mode = json_object_get(json_object_get(own, "cloudevents"), "mode");
	if (!json_is_string(mode) || strcmp(json_string_value(mode), "structured") != 0)
		return payload;
	struct asyncapi_node properties = asyncapi_reader_member(r, payload, "properties");
	return asyncapi_reader_member(r, properties, "data");
}

static void set_contract(struct asyncapi_messages *m, struct asyncapi_node message,
    const json_t *schema, const char *name, json_t *spec)
{
	bool is_own = json_object_get(message.value, "x-warren-message") != NULL;
	bool has_contract = json_object_get(spec, "contract") != NULL;
	if (is_own && !has_contract)
		return;
	json_object_del(spec, "contract");
	if (schema == NULL)
		return;
	if (m->folder == NULL) {
		if (has_contract)
			asyncapi_reader_note(m->reader, message,
			    "its contract is left out: --contracts DIR writes it to a file");
		return;
	}
	char *path = asyncapi_messages_contract(m, name, (json_t *)(uintptr_t)schema);
	json_object_set_new(spec, "contract", json_string(path));
	free(path);
}

/* ---- where it goes ---- */

/* What to put for a parameter of an address: the field that it says, or a value it may have. */
static void write_parameter(struct asyncapi_messages *m, struct asyncapi_node channel,
    const char *name, json_t *needed, struct buf *key)
{
	static const char payload[] = "$message.payload#/";
	struct asyncapi_node parameters = asyncapi_reader_member(m->reader, channel, "parameters");
	struct asyncapi_node parameter = asyncapi_reader_member(m->reader, parameters, name);
	const char *at = json_string_value(json_object_get(parameter.value, "location"));
	const char *value = json_string_value(json_object_get(parameter.value, "default"));
	const char *field =
	    at != NULL && strncmp(at, payload, strlen(payload)) == 0 ? at + strlen(payload) : "/";
	if (strncmp(field, "data/", 5) == 0) /* of a structured event */
		field += 5;
	if (strchr(field, '/') == NULL) {
		json_object_set_new(needed, field, json_true());
		buf_printf(key, "{{%s}}", field);
		return;
	}
	static const char *const lists[] = {"enum", "examples"};
	for (size_t i = 0; value == NULL && i < ARRAY_LEN(lists); i++)
		value = json_string_value(
		    json_array_get(json_object_get(parameter.value, lists[i]), 0));
	if (value == NULL) {
		char *shown = text_quote(slice_str(name));
		asyncapi_reader_note(m->reader, channel,
		    "nothing says what '{%s}' of its address is: it stands in the routing key as "
		    "it is",
		    shown);
		free(shown);
		value = name;
	}
	buf_append_str(key, value);
}

static json_t *read_address(
    struct asyncapi_messages *m, struct asyncapi_node channel, json_t *needed)
{
	const char *address = asyncapi_reader_text(m->reader, channel, "address");
	const json_t *own = json_object_get(channel.value, "x-warren-routing-key");
	struct buf key = {0};
	if (own != NULL)
		return json_deep_copy(own);
	if (address == NULL || address[0] == '\0')
		return NULL;
	while (*address != '\0') {
		const char *end = *address == '{' ? strchr(address, '}') : NULL;
		if (end != NULL) {
			char *name = mem_strndup(address + 1, (size_t)(end - address - 1));
			write_parameter(m, channel, name, needed, &key);
			free(name);
			address = end + 1;
		} else {
			buf_append_char(&key, *address++);
		}
	}
	json_t *text = json_stringn(key.ptr, key.len);
	buf_release(&key);
	return text;
}

static void set_way(
    struct asyncapi_messages *m, struct asyncapi_node channel, json_t *spec, json_t *needed)
{
	struct asyncapi_node bindings = asyncapi_reader_member(m->reader, channel, "bindings");
	struct asyncapi_node amqp = asyncapi_reader_member(m->reader, bindings, "amqp");
	const char *is = asyncapi_reader_text(m->reader, amqp, "is");
	if (is != NULL && strcmp(is, "queue") == 0) {
		struct asyncapi_node queue = asyncapi_reader_member(m->reader, amqp, "queue");
		const json_t *name = json_object_get(queue.value, "name");
		if (!json_is_string(name))
			name = json_object_get(channel.value, "address");
		json_object_set(spec, "routing_key", (json_t *)(uintptr_t)name);
		return;
	}
	struct asyncapi_node exchange = asyncapi_reader_member(m->reader, amqp, "exchange");
	json_t *name = json_object_get(exchange.value, "name");
	json_t *key = read_address(m, channel, needed);
	if (json_string_length(name) > 0)
		json_object_set(spec, "exchange", name);
	if (key != NULL)
		json_object_set_new(spec, "routing_key", key);
}

/* ---- what is in it ---- */

static json_t *list_examples(struct asyncapi_reader *r, struct asyncapi_node message)
{
	struct asyncapi_node examples = asyncapi_reader_member(r, message, "examples");
	json_t *list = json_array();
	for (size_t i = 0; i < json_array_size(examples.value); i++) {
		struct asyncapi_node example = asyncapi_reader_item(r, examples, i);
		struct asyncapi_node body = asyncapi_reader_member(r, example, "payload");
		if (body.value != NULL)
			json_array_append(list, (json_t *)(uintptr_t)body.value);
	}
	return list;
}

static const char *content_type(struct asyncapi_reader *r, struct asyncapi_node message)
{
	const char *type = asyncapi_reader_text(r, message, "contentType");
	if (type == NULL)
		type = asyncapi_reader_text(r, asyncapi_reader_root(r), "defaultContentType");
	return type;
}

/* A body that is no JSON: a text, if the document has one. */
static json_t *make_text(const json_t *schema, const json_t *examples)
{
	const json_t *text = json_array_get(examples, 0);
	if (!json_is_string(text))
		text = json_object_get(schema, "const");
	if (!json_is_string(text))
		text = json_array_get(json_object_get(schema, "enum"), 0);
	const char *body = json_is_string(text) ? json_string_value(text) : "text";
	struct buf escaped = {0};
	buf_append_str(&escaped, "");
	for (; *body != '\0'; body++) {
		bool is_open = body[0] == '{' && body[1] == '{';
		buf_append_str(&escaped, is_open ? "{{{{" : "");
		if (is_open)
			body++;
		else
			buf_append_char(&escaped, *body);
	}
	json_t *members = json_pack("{s:s%}", "body", escaped.ptr, escaped.len);
	buf_release(&escaped);
	return members;
}

static json_t *make_body(struct asyncapi_messages *m, struct asyncapi_node message,
    const json_t *schema, const json_t *needed)
{
	json_t *examples = list_examples(m->reader, message), *members = NULL;
	const char *type = content_type(m->reader, message);
	struct buf why = {0};
	if (type != NULL && !envelope_is_json(slice_str(type)))
		members = make_text(schema, examples);
	else if (schema != NULL)
		members = asyncapi_fields_make(schema, examples, needed, &why);
	if (members == NULL && schema == NULL) { /* anything fulfils what is not said */
		json_t *any = json_object();
		members = asyncapi_fields_make(any, examples, needed, &why);
		json_decref(any);
	}
	if (members == NULL || why.len > 0)
		asyncapi_reader_note(m->reader, message,
		    "no message is found that fulfils its payload (%s): write its fields by hand",
		    why.len > 0 ? why.ptr : "what it asks for cannot be made up");
	if (members == NULL)
		members = json_pack("{s:s}", "body", "{}");
	buf_release(&why);
	json_decref(examples);
	return members;
}

/* ---- headers and properties, which our own messages have in x-warren-message ---- */

static void set_headers(struct asyncapi_messages *m, struct asyncapi_node message, json_t *spec)
{
	struct asyncapi_node at = asyncapi_reader_member(m->reader, message, "headers");
	json_t *schema = asyncapi_payload_read(m->reader, at), *value;
	const char *name;
	struct buf why = {0};
	json_t *made = schema != NULL ? asyncapi_fields_make(schema, NULL, NULL, &why) : NULL;
	json_t *headers = json_object();
	json_object_foreach(json_object_get(made, "fields"), name, value)
	{
		json_t *always = json_object_get(json_object_get(value, "optional"), "of");
		value = always != NULL ? always : value; /* a header is there or not said */
		if (json_is_string(value))
			json_object_set_new(headers, name, json_pack("{s:O}", "volume", value));
		else
			json_object_set(headers, name, value);
	}
	if (json_object_size(headers) > 0)
		json_object_set(spec, "headers", headers);
	if (why.len > 0)
		asyncapi_reader_note(m->reader, at, "the headers do not fulfil it: %s", why.ptr);
	json_decref(headers);
	json_decref(made);
	json_decref(schema);
	buf_release(&why);
}

static void set_text(json_t *properties, const char *key, const char *value)
{
	if (value != NULL && strstr(value, "{{") == NULL)
		json_object_set_new(properties, key, json_string(value));
}

static void set_properties(struct asyncapi_messages *m, struct asyncapi_node operation,
    struct asyncapi_node message, json_t *spec)
{
	struct asyncapi_reader *r = m->reader;
	struct asyncapi_node of_message =
	    asyncapi_reader_member(r, asyncapi_reader_member(r, message, "bindings"), "amqp");
	struct asyncapi_node of_send =
	    asyncapi_reader_member(r, asyncapi_reader_member(r, operation, "bindings"), "amqp");
	json_t *properties = json_deep_copy(json_object_get(spec, "properties"));
	json_t *priority = json_object_get(of_send.value, "priority");
	const json_t *expiration = json_object_get(of_send.value, "expiration");
	const char *type = content_type(r, message);
	if (properties == NULL)
		properties = json_object();
	if (type != NULL && strcmp(type, "application/json") != 0)
		set_text(properties, "content_type", type);
	set_text(
	    properties, "content_encoding", asyncapi_reader_text(r, of_message, "contentEncoding"));
	set_text(properties, "type", asyncapi_reader_text(r, of_message, "messageType"));
	if (json_integer_value(json_object_get(of_send.value, "deliveryMode")) == 1)
		json_object_set_new(properties, "persistent", json_false());
	if (json_integer_value(expiration) > 0)
		json_object_set_new(properties, "expiration",
		    json_sprintf("%" JSON_INTEGER_FORMAT "ms", json_integer_value(expiration)));
	if (json_is_integer(priority) && json_integer_value(priority) <= UINT8_MAX)
		json_object_set(properties, "priority", priority);
	if (json_is_true(json_object_get(of_send.value, "timestamp")))
		json_object_set_new(properties, "timestamp", json_string("now"));
	static const char *const left[] = {"userId", "cc", "bcc", "mandatory", "replyTo"};
	for (size_t i = 0; i < ARRAY_LEN(left); i++)
		if (json_object_get(of_send.value, left[i]) != NULL)
			asyncapi_reader_note(r, of_send, "'%s' is not taken", left[i]);
	if (json_object_size(properties) > 0)
		json_object_set(spec, "properties", properties);
	json_decref(properties);
}

/* ---- the whole ---- */

static json_t *make_spec(struct asyncapi_messages *m, struct asyncapi_node operation,
    struct asyncapi_node channel, struct asyncapi_node message, const char *name)
{
	struct asyncapi_reader *r = m->reader;
	json_t *spec = json_object(), *needed = json_object();
	json_t *own = json_object_get(message.value, "x-warren-message");
	struct asyncapi_node payload = asyncapi_reader_member(r, message, "payload");
	json_t *schema = asyncapi_payload_read(r, find_data(r, payload, own));
	set_way(m, channel, spec, needed);
	if (json_is_object(own))
		json_object_update_missing(spec, own);
	if (json_object_get(spec, "files") != NULL) {
		asyncapi_reader_note(r, message, "its files are not in the document: left out");
		json_object_del(spec, "files");
	}
	if (json_object_get(spec, "fields") == NULL && json_object_get(spec, "body") == NULL) {
		json_t *members = make_body(m, message, schema, needed);
		json_object_update_missing(spec, members);
		json_decref(members);
	}
	if (own == NULL) {
		set_headers(m, message, spec);
		set_properties(m, operation, message, spec);
	}
	set_contract(m, message, schema, name, spec);
	if (json_object_get(message.value, "traits") != NULL)
		asyncapi_reader_note(r, message, "its traits are not taken");
	json_decref(schema);
	json_decref(needed);
	return spec;
}

/* Its own name, or when another one has it that of the operation, with a number behind it. */
static char *choose_name(
    const struct asyncapi_messages *m, const char *operation, const char *key, const char *own)
{
	const char *first = own != NULL && own[0] != '\0' ? own : key;
	if (json_object_get(m->messages, first) == NULL)
		return mem_strdup(first);
	char *name = mem_strdup(operation);
	for (unsigned n = 2; json_object_get(m->messages, name) != NULL; n++) {
		free(name);
		name = mem_printf("%s-%u", operation, n);
	}
	return name;
}

static bool add_message(struct asyncapi_messages *m, const char *operation_id,
    struct asyncapi_node operation, struct asyncapi_node channel, struct asyncapi_node message,
    struct error *err)
{
	const char *slash = message.value != NULL ? strrchr(message.pointer, '/') : NULL;
	if (slash == NULL)
		return true; /* that its $ref leads nowhere was noted */
	if (!json_is_object(message.value)) {
		asyncapi_reader_note(m->reader, message, "is no message");
		return true;
	}
	char *name = choose_name(
	    m, operation_id, slash + 1, asyncapi_reader_text(m->reader, message, "name"));
	bool good = asyncapi_messages_check_name(m->reader, message, "message", name, err);
	if (good)
		json_object_set_new(
		    m->messages, name, make_spec(m, operation, channel, message, name));
	free(name);
	return good;
}

bool asyncapi_messages_add(struct asyncapi_messages *m, const char *id,
    struct asyncapi_node operation, struct asyncapi_node channel, struct error *err)
{
	struct asyncapi_node listed = asyncapi_reader_member(m->reader, operation, "messages");
	struct asyncapi_node all = asyncapi_reader_member(m->reader, channel, "messages");
	bool good = true;
	json_t *unused;
	const char *key;
	for (size_t i = 0; good && i < json_array_size(listed.value); i++)
		good = add_message(
		    m, id, operation, channel, asyncapi_reader_item(m->reader, listed, i), err);
	if (listed.value != NULL)
		return good;
	json_object_foreach((json_t *)(uintptr_t)all.value, key, unused)
	{
		(void)unused;
		good = good && add_message(m, id, operation, channel,
				   asyncapi_reader_member(m->reader, all, key), err);
	}
	return good;
}
