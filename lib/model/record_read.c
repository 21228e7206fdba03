#include "model/record.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "model/table.h"

#include <jansson.h>
#include <stdlib.h>

#define MAX_SHORT_STRING 255

struct reader {
	struct message message;
	struct buf *store; /* has room for all texts of the line, so that it does not move */
	struct slice headers;
	bool has_body;
	struct record_told told;
	bool tells; /* `told` is wanted: what is told must be readable */
};

/* Reads a member of the line; a failure names it. */
typedef bool read_fn(struct reader *r, const json_t *value, struct error *err);

static struct slice json_slice(const json_t *string)
{
	return (struct slice){json_string_value(string), json_string_length(string)};
}

/* The base64 of {"$type": "string", "value": base64}; NULL when the value is something else. */
static const json_t *wrapped_text(const json_t *value)
{
	const json_t *type = json_object_get(value, "$type");
	bool is_wrapped = json_object_size(value) == 2 && json_is_string(type) &&
			  strcmp(json_string_value(type), "string") == 0;
	return is_wrapped ? json_object_get(value, "value") : NULL;
}

/* Keeps the bytes of a base64 text in the store. */
static bool read_base64(struct reader *r, const json_t *value, struct slice *out, struct error *err)
{
	size_t at = r->store->len;
	if (!json_is_string(value) || !text_base64_decode(json_slice(value), r->store))
		return error_set(err, ERROR_DATA, "not base64");
	*out = (struct slice){r->store->ptr + at, r->store->len - at};
	return true;
}

static bool read_bytes(struct reader *r, const json_t *value, struct slice *out, struct error *err)
{
	const json_t *wrapped = wrapped_text(value);
	size_t at = r->store->len;
	if (wrapped != NULL)
		return read_base64(r, wrapped, out, err);
	if (!json_is_string(value))
		return error_set(err, ERROR_DATA, "not a string");
	buf_append(r->store, json_slice(value));
	*out = (struct slice){r->store->ptr + at, r->store->len - at};
	return true;
}

static bool read_short(struct reader *r, const json_t *value, struct slice *out, struct error *err)
{
	if (!read_bytes(r, value, out, err))
		return false;
	return out->len <= MAX_SHORT_STRING ||
	       error_set(err, ERROR_DATA, "has %zu bytes; at most %d are accepted", out->len,
		   MAX_SHORT_STRING);
}

/* RabbitMQ closes the channel over another expiration, and every message under way with it. */
static bool read_expiration(struct reader *r, const json_t *value, struct error *err)
{
	struct error ignored = {0}; /* the text below says more */
	uint64_t ms;
	return read_short(r, value, &r->message.expiration, err) &&
	       (num_parse_u64(r->message.expiration, 0, UINT32_MAX, &ms, &ignored) ||
		   error_set(err, ERROR_DATA, "not a whole number of milliseconds, in quotes"));
}

static bool read_octet(const json_t *value, uint8_t *out, struct error *err)
{
	json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
	if (number < 0 || number > UINT8_MAX)
		return error_set(err, ERROR_DATA, "not a whole number from 0 to 255");
	*out = (uint8_t)number;
	return true;
}

static bool read_delivery_mode(struct reader *r, const json_t *value, struct error *err)
{
	json_int_t mode = json_is_integer(value) ? json_integer_value(value) : 0;
	if (mode != MESSAGE_TRANSIENT && mode != MESSAGE_PERSISTENT)
		return error_set(err, ERROR_DATA, "must be 1 (transient) or 2 (persistent)");
	r->message.delivery_mode = (uint8_t)mode;
	return true;
}

static bool read_timestamp(const json_t *value, uint64_t *out, struct error *err)
{
	struct error ignored = {0}; /* the text below says more */
	if (json_is_string(value) && num_parse_u64(json_slice(value), 0, UINT64_MAX, out, &ignored))
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return error_set(err, ERROR_DATA, "not a whole number of seconds since 1970");
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static bool read_property(struct reader *r, const struct message_property_row *row,
    const json_t *value, struct error *err)
{
	void *target = (char *)&r->message + row->offset;
	r->message.present |= row->bit;
	switch (row->value) {
	case MESSAGE_VALUE_TEXT:
		return row->bit == MESSAGE_EXPIRATION ? read_expiration(r, value, err)
						      : read_short(r, value, target, err);
	case MESSAGE_VALUE_OCTET:
		return row->bit == MESSAGE_DELIVERY_MODE ? read_delivery_mode(r, value, err)
							 : read_octet(value, target, err);
	case MESSAGE_VALUE_TIMESTAMP:
		return read_timestamp(value, target, err);
	case MESSAGE_VALUE_TABLE:
		r->message.headers = r->headers;
		break;
	}
	return true;
}

static bool unknown_name(const char *name, const char *const known[], struct error *err)
{
	char *shown = text_quote(slice_str(name));
	const char *near = text_suggest(slice_str(name), known);
	if (near != NULL)
		error_set(err, ERROR_DATA, "unknown member '%s'; did you mean '%s'?", shown, near);
	else
		error_set(err, ERROR_DATA, "unknown member '%s'", shown);
	free(shown);
	return false;
}

static bool unknown_property(const char *name, struct error *err)
{
	const char *known[MESSAGE_PROPERTY_COUNT + 1] = {NULL};
	for (size_t i = 0; i < MESSAGE_PROPERTY_COUNT; i++)
		known[i] = message_properties[i].name;
	return unknown_name(name, known, err);
}

static bool read_properties(struct reader *r, const json_t *value, struct error *err)
{
	if (!json_is_object(value))
		return error_set(err, ERROR_DATA, "properties: not an object");
	json_t *object = (json_t *)value; /* jansson's iterators want it so, and leave it alone */
	for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i)) {
		const char *name = json_object_iter_key(i);
		const struct message_property_row *row = message_property_find(slice_str(name));
		if (row == NULL) {
			unknown_property(name, err);
			return error_context(err, "properties");
		}
		if (!read_property(r, row, json_object_iter_value(i), err))
			return error_context(err, "properties.%s", name);
	}
	return true;
}

static bool read_exchange(struct reader *r, const json_t *value, struct error *err)
{
	return read_short(r, value, &r->message.exchange, err) || error_context(err, "exchange");
}

static bool read_routing_key(struct reader *r, const json_t *value, struct error *err)
{
	return read_short(r, value, &r->message.routing_key, err) ||
	       error_context(err, "routing_key");
}

static bool take_body(struct reader *r, struct error *err)
{
	if (r->has_body)
		return error_set(err, ERROR_DATA, "there are both body and body_base64");
	r->has_body = true;
	return true;
}

static bool read_body(struct reader *r, const json_t *value, struct error *err)
{
	if (!json_is_string(value))
		return error_set(err, ERROR_DATA, "body: not a string");
	return take_body(r, err) && read_bytes(r, value, &r->message.body, err);
}

static bool read_body_base64(struct reader *r, const json_t *value, struct error *err)
{
	return take_body(r, err) &&
	       (read_base64(r, value, &r->message.body, err) || error_context(err, "body_base64"));
}

/* ---- what is told beside the message ---- */

static bool read_redelivered(struct reader *r, const json_t *value, struct error *err)
{
	if (!json_is_boolean(value))
		return error_set(err, ERROR_DATA, "redelivered: neither true nor false");
	r->told.redelivered = json_is_true(value);
	return true;
}

static bool read_queue(struct reader *r, const json_t *value, struct error *err)
{
	return read_short(r, value, &r->told.queue, err) || error_context(err, "queue");
}

static bool read_received(struct reader *r, const json_t *value, struct error *err)
{
	return read_short(r, value, &r->told.received, err) || error_context(err, "received");
}

static bool read_offset(struct reader *r, const json_t *value, struct error *err)
{
	r->told.offset = json_is_integer(value) ? json_integer_value(value) : -1;
	return r->told.offset >= 0 ||
	       error_set(err, ERROR_DATA, "stream_offset: not a whole number from 0 on");
}

struct record_member {
	const char *name;
	read_fn *read; /* NULL: told beside the message, ignored */
	bool is_told;  /* read only when it is asked for */
};

static const struct record_member members[] = {
    {"exchange", read_exchange, false},
    {"routing_key", read_routing_key, false},
    {"redelivered", read_redelivered, true},
    {"queue", read_queue, true},
    {"properties", read_properties, false},
    {"body", read_body, false},
    {"body_base64", read_body_base64, false},
    {"fate", NULL, true},
    {"reason", NULL, true},
    {"latency_us", NULL, true},
    {"death", NULL, true},
    {"position", NULL, true},
    {"received", read_received, true},
    {"stream_offset", read_offset, true},
};

static const struct record_member *find_member(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (strcmp(name, members[i].name) == 0)
			return &members[i];
	return NULL;
}

static bool unknown_member(const char *name, struct error *err)
{
	const char *known[ARRAY_LEN(members) + 1] = {NULL};
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		known[i] = members[i].name;
	return unknown_name(name, known, err);
}

/* Encoded headers may be longer than their JSON, so they go into the store before it is still. */
static bool read_headers(
    struct reader *r, const json_t *properties, struct slice line, struct error *err)
{
	const json_t *headers = json_object_get(properties, "headers");
	if (headers != NULL && !table_encode(headers, r->store, err))
		return error_context(err, "properties.headers");
	buf_reserve(r->store, line.len);
	r->headers = buf_slice(r->store);
	return true;
}

static bool read_members(struct reader *r, json_t *root, struct error *err)
{
	for (void *i = json_object_iter(root); i != NULL; i = json_object_iter_next(root, i)) {
		const char *name = json_object_iter_key(i);
		const struct record_member *found = find_member(name);
		if (found == NULL)
			return unknown_member(name, err);
		bool reads = found->read != NULL && (r->tells || !found->is_told);
		if (reads && !found->read(r, json_object_iter_value(i), err))
			return false;
	}
	return r->has_body || error_set(err, ERROR_DATA, "body or body_base64 is missing");
}

static json_t *parse(struct slice line, struct error *err)
{
	json_error_t where;
	json_t *root = json_loadb(line.len > 0 ? line.ptr : "", line.len,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
	if (root == NULL) {
		char *shown = text_quote(slice_str(where.text));
		error_set(err, ERROR_DATA, "not a JSON object: %s", shown);
		free(shown);
	} else if (!json_is_object(root)) {
		error_set(err, ERROR_DATA, "not a JSON object");
		json_decref(root);
		root = NULL;
	}
	return root;
}

static bool read_line(struct reader *r, struct slice line, struct error *err)
{
	buf_clear(r->store);
	json_t *root = parse(line, err);
	if (root == NULL)
		return false;
	bool ok = read_headers(r, json_object_get(root, "properties"), line, err) &&
		  read_members(r, root, err);
	json_decref(root);
	return ok;
}

bool record_read_properties(
    struct slice json, struct message *out, struct buf *store, struct error *err)
{
	struct reader r = {.message = *out, .store = store};
	buf_clear(store);
	json_t *root = parse(json, err);
	if (root == NULL)
		return false;
	r.message.present = 0;
	bool ok = read_headers(&r, root, json, err) && read_properties(&r, root, err);
	if (ok)
		*out = r.message;
	json_decref(root);
	return ok;
}

bool record_read(struct slice line, struct message *out, struct buf *store, struct error *err)
{
	struct reader r = {.store = store};
	if (!read_line(&r, line, err))
		return false;
	*out = r.message;
	return true;
}

bool record_read_told(struct slice line, struct message *out, struct record_told *told,
    struct buf *store, struct error *err)
{
	struct reader r = {.store = store, .told.offset = -1, .tells = true};
	if (!read_line(&r, line, err))
		return false;
	*out = r.message;
	*told = r.told;
	return true;
}

/* A record that is damaged is still one: sent as a body it would hide the damage. */
static bool looks_damaged(struct slice line)
{
	static const struct slice marks[] = {{"\"routing_key\"", 13}, {"\"properties\"", 12}};
	struct slice text = slice_trim(line);
	if (text.len == 0 || text.ptr[0] != '{')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (memmem(text.ptr, text.len, marks[i].ptr, marks[i].len) != NULL)
			return true;
	return false;
}

bool record_looks_like(struct slice line)
{
	struct error ignored = {0}; /* reading it says more */
	json_t *root = parse(line, &ignored);
	if (root == NULL)
		return looks_damaged(line);
	bool has_body =
	    json_object_get(root, "body") != NULL || json_object_get(root, "body_base64") != NULL;
	for (void *i = json_object_iter(root); has_body && i != NULL;
	     i = json_object_iter_next(root, i))
		has_body = find_member(json_object_iter_key(i)) != NULL;
	json_decref(root);
	return has_body;
}
