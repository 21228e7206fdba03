#include "flow/core_address.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/derive.h"
#include "model/marks.h"
#include "model/table.h"

#include <stdlib.h>

#define MOST_KEY 255 /* bytes of a short string */
#define MOST_PARTS 64

/* Of a routing key: text, or the path of a member. */
struct part {
	struct slice text;
	bool is_member;
};

struct core_address {
	char *exchange, *routing_key, *type, *source, *by, *user; /* owned; NULL as in options */
	bool keeps_exchange;
	struct part parts[MOST_PARTS];
	size_t part_count;
	bool is_template;   /* some part is a member */
	struct buf headers; /* encoded; len 0: none */
	struct derive_work work;
	struct buf store, joined, key, reason; /* of the last message */
};

/* ---- the template ---- */

static bool add_part(
    struct core_address *core, struct slice text, bool is_member, struct error *err)
{
	if (text.len == 0 && !is_member)
		return true;
	if (text.len == 0)
		return error_set(err, ERROR_SETTINGS, "{{}} names no member");
	if (core->part_count == MOST_PARTS)
		return error_set(
		    err, ERROR_SETTINGS, "a routing key of more than %d parts", MOST_PARTS);
	core->parts[core->part_count++] = (struct part){text, is_member};
	core->is_template |= is_member;
	return true;
}

static bool read_key(struct core_address *core, const char *key, struct error *err)
{
	const char *at = key, *open, *close;
	while ((open = strstr(at, "{{")) != NULL) {
		if ((close = strstr(open, "}}")) == NULL)
			return error_set(err, ERROR_SETTINGS, "a {{ that no }} ends");
		struct slice name = {open + 2, (size_t)(close - open) - 2};
		if (!add_part(core, (struct slice){at, (size_t)(open - at)}, false, err) ||
		    !add_part(core, slice_trim(name), true, err))
			return false;
		at = close + 2;
	}
	if (!core->is_template && strlen(at) > MOST_KEY)
		return error_set(err, ERROR_SETTINGS, "longer than %d bytes", MOST_KEY);
	return add_part(core, slice_str(at), false, err);
}

bool core_address_check(const char *routing_key, struct error *err)
{
	struct core_address core = {0};
	return read_key(&core, routing_key, err);
}

/* The member at the end of a dotted path; NULL when there is none. */
static const json_t *find_member(const json_t *value, struct slice path)
{
	const json_t *whole = json_object_getn(value, path.ptr, path.len);
	if (whole != NULL) /* a name may have dots of its own */
		return whole;
	while (value != NULL && path.len > 0) {
		const char *dot = memchr(path.ptr, '.', path.len);
		size_t length = dot != NULL ? (size_t)(dot - path.ptr) : path.len;
		value = json_object_getn(value, path.ptr, length);
		path = slice_from(path, dot != NULL ? length + 1 : length);
	}
	return value;
}

static bool add_value(const json_t *value, struct buf *out)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		buf_append(
		    out, (struct slice){json_string_value(value), json_string_length(value)});
		return true;
	case JSON_INTEGER:
		buf_printf(out, "%lld", (long long)json_integer_value(value));
		return true;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_append_str(out, json_is_true(value) ? "true" : "false");
		return true;
	default:
		return false;
	}
}

static bool lack(struct core_address *core, const char *what, struct slice member)
{
	buf_clear(&core->reason);
	buf_append_str(&core->reason, "the routing key wants member '");
	text_escape(member, MOST_KEY, &core->reason);
	buf_printf(&core->reason, "' of the body, %s", what);
	return false;
}

static bool fill_parts(struct core_address *core, const json_t *body)
{
	for (size_t i = 0; i < core->part_count; i++) {
		const struct part *part = &core->parts[i];
		if (!part->is_member) {
			buf_append(&core->key, part->text);
			continue;
		}
		const json_t *value = find_member(body, part->text);
		if (!json_is_object(body))
			return lack(core, "which is no JSON object", part->text);
		if (value == NULL)
			return lack(core, "which has none", part->text);
		if (!add_value(value, &core->key))
			return lack(
			    core, "which is no text, whole number or boolean there", part->text);
	}
	return true;
}

static bool fill(struct core_address *core, struct slice body)
{
	buf_clear(&core->key);
	json_t *value = json_loadb(body.ptr, body.len, JSON_DECODE_ANY, NULL);
	bool good = fill_parts(core, value);
	json_decref(value);
	if (!good || core->key.len <= MOST_KEY)
		return good;
	buf_clear(&core->reason);
	buf_append_str(&core->reason, "the routing key is longer than 255 bytes");
	return false;
}

/* ---- a message ---- */

static void pass_by(struct core_address *core, struct message *m)
{
	if ((m->present & MESSAGE_HEADERS) != 0 && m->headers.len > 0) {
		buf_clear(&core->store);
		marks_strip(m->headers, true, &core->store);
		/* headers that were there and are empty now were the brokers' alone */
		m->headers = buf_slice(&core->store);
		if (core->store.len == 0)
			m->present &= ~(unsigned)MESSAGE_HEADERS;
	}
	if (core->type != NULL) {
		m->present |= MESSAGE_TYPE;
		m->type = slice_str(core->type);
	}
	if ((m->present & MESSAGE_USER_ID) != 0 &&
	    (core->user == NULL || !slice_is(m->user_id, core->user)))
		m->present &= ~(unsigned)MESSAGE_USER_ID;
}

static void join_headers(struct core_address *core, struct message *m)
{
	bool has = (m->present & MESSAGE_HEADERS) != 0;
	buf_clear(&core->joined);
	marks_join(has ? m->headers : SLICE(""), buf_slice(&core->headers), &core->joined);
	m->headers = buf_slice(&core->joined);
	m->present |= MESSAGE_HEADERS;
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)flow, (void)slot;
	struct core_address *core = self;
	if (core->is_template && !fill(core, out->body)) {
		verdict->fate = FLOW_REJECTED;
		verdict->reason = core->reason.ptr;
		return FLOW_SETTLE;
	}
	const struct derivation d = {.by = slice_str(core->by),
	    .part = in->part,
	    .type = slice_str(core->type),
	    .source = slice_str(core->source),
	    .user = core->user};
	if (core->by != NULL)
		derive_message(&core->work, out, &d, &core->store);
	else
		pass_by(core, out);
	if (core->headers.len > 0)
		join_headers(core, out);
	if (!core->keeps_exchange || out->exchange.len == 0)
		out->exchange = core->exchange != NULL ? slice_str(core->exchange) : SLICE("");
	if (core->is_template)
		out->routing_key = buf_slice(&core->key);
	else if (core->routing_key != NULL)
		out->routing_key = slice_str(core->routing_key);
	return FLOW_PASS;
}

/* ---- the core ---- */

static char *copy(const char *text)
{
	return text != NULL ? mem_strdup(text) : NULL;
}

struct core_address *core_address_create(
    const struct core_address_options *options, struct error *err)
{
	struct core_address *core = mem_alloc(1, sizeof *core);
	core->exchange = copy(options->exchange);
	core->keeps_exchange = options->keeps_exchange;
	core->routing_key = copy(options->routing_key);
	core->type = copy(options->type);
	core->source = copy(options->source);
	core->by = copy(options->by);
	core->user = copy(options->user);
	bool good = core->routing_key == NULL || read_key(core, core->routing_key, err) ||
		    error_context(err, "routing_key");
	if (good && options->headers != NULL)
		good = table_encode(options->headers, &core->headers, err) ||
		       error_context(err, "headers");
	if (good)
		return core;
	core_address_free(core);
	return NULL;
}

void core_address_free(struct core_address *core)
{
	if (core == NULL)
		return;
	derive_release(&core->work);
	buf_release(&core->headers);
	buf_release(&core->store);
	buf_release(&core->joined);
	buf_release(&core->key);
	buf_release(&core->reason);
	char *const texts[] = {
	    core->exchange, core->routing_key, core->type, core->source, core->by, core->user};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	free(core);
}

struct flow_core core_address_core(struct core_address *core)
{
	static const struct flow_core_kind kind = {.apply = apply};
	return (struct flow_core){&kind, core};
}
