#include "fake/pattern_envelope.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "model/marks.h"
#include "model/table.h"

#include <stdlib.h>

#define MAX_SHORT 255		     /* bytes of a short string of AMQP */
#define MAX_EXPIRATION_MS UINT32_MAX /* RabbitMQ closes the channel above */

struct generator *pattern_envelope_read_text(
    const json_t *json, const struct report_path *at, struct generator_scope *scope)
{
	enum value_kind kind;
	struct slice text = {json_string_value(json), json_string_length(json)};
	struct generator *g = NULL;
	if (json_is_string(json))
		g = generator_from_template(text, at, scope);
	else if (json_is_object(json))
		g = generator_create(json, at, scope);
	else
		report_kind(scope->report, at, "a text or a generator", json);
	if (g == NULL || !generator_is_constant(g, &kind, &text) || text.len <= MAX_SHORT)
		return g;
	report_add(scope->report, at, "has %zu bytes; AMQP allows %d here", text.len, MAX_SHORT);
	generator_free(g);
	return NULL;
}

/* Properties */

static bool read_delivery_mode(struct pattern_envelope *e, const json_t *json,
    const struct report_path *at, struct report *report)
{
	json_int_t mode = json_is_integer(json) ? json_integer_value(json) : 0;
	if (mode != MESSAGE_TRANSIENT && mode != MESSAGE_PERSISTENT)
		return report_add(report, at, "must be 1 (transient) or 2 (persistent)");
	e->constants.delivery_mode = (uint8_t)mode;
	return true;
}

static bool read_persistent(struct pattern_envelope *e, const json_t *properties,
    const struct report_path *at, struct report *report)
{
	const json_t *json = json_object_get(properties, "persistent");
	if (!json_is_boolean(json))
		return report_kind(report, at, "true or false", json);
	if (json_object_get(properties, "delivery_mode") != NULL)
		return report_add(report, at, "give either persistent or delivery_mode, not both");
	e->constants.delivery_mode = json_is_true(json) ? MESSAGE_PERSISTENT : MESSAGE_TRANSIENT;
	return true;
}

static bool read_expiration(struct pattern_envelope *e, const json_t *json,
    const struct report_path *at, struct report *report)
{
	struct error err = {0};
	struct slice text = {json_string_value(json), json_string_length(json)};
	uint64_t ns;
	if (!json_is_string(json))
		return report_kind(report, at, "a duration such as \"1m\"", json);
	if (!num_parse_duration(text, &ns, &err))
		return report_add(report, at, "%s", err.text);
	if (ns % 1000000 != 0)
		return report_add(report, at, "must be a whole number of milliseconds");
	if (ns / 1000000 > MAX_EXPIRATION_MS)
		return report_add(report, at, "must not be longer than 4294967295ms (49 days)");
	struct buf ms = {0};
	buf_append_u64(&ms, ns / 1000000);
	memcpy(e->expiration, ms.ptr, ms.len + 1);
	buf_release(&ms);
	e->constants.expiration = slice_str(e->expiration);
	e->constants.present |= MESSAGE_EXPIRATION;
	return true;
}

/* Sets a whole number of a message; false when it is none, or too large. */
static bool set_number(struct message *m, const struct message_property_row *row, struct slice text)
{
	struct error ignored = {0}; /* the caller says what is accepted */
	uint64_t most = row->value == MESSAGE_VALUE_OCTET ? UINT8_MAX : UINT64_MAX, number;
	if (!num_parse_u64(text, 0, most, &number, &ignored))
		return false;
	if (row->bit == MESSAGE_PRIORITY)
		m->priority = (uint8_t)number;
	else
		m->timestamp = number;
	m->present |= row->bit;
	return true;
}

static const char *accepted_number(const struct message_property_row *row)
{
	return row->bit == MESSAGE_PRIORITY ? "a whole number from 0 to 255"
					    : "now or whole seconds since 1970";
}

static bool add_property(struct pattern_envelope *e, const struct message_property_row *row,
    struct generator *g, const struct report_path *at, struct report *report)
{
	struct pattern_property *p = &e->properties[e->property_count++];
	enum value_kind kind;
	struct slice text;
	*p = (struct pattern_property){.row = row, .generator = g};
	p->is_constant = generator_is_constant(g, &kind, &text) && kind != VALUE_NULL;
	if (!p->is_constant)
		return true;
	if (row->value != MESSAGE_VALUE_TEXT)
		return set_number(&e->constants, row, text) ||
		       report_add(report, at, "must be %s", accepted_number(row));
	*message_slice(&e->constants, row) = text;
	e->constants.present |= row->bit;
	return true;
}

static bool read_number(struct pattern_envelope *e, const struct message_property_row *row,
    const json_t *json, const struct report_path *at, struct generator_scope *scope)
{
	if (json_is_object(json)) {
		struct generator *g = generator_create(json, at, scope);
		return g != NULL && add_property(e, row, g, at, scope->report);
	}
	struct slice word = {json_string_value(json), json_string_length(json)};
	if (row->bit == MESSAGE_TIMESTAMP && json_is_string(json) && slice_is(word, "now")) {
		e->is_stamped = true;
		return true;
	}
	struct buf text = {0};
	bool good = json_is_integer(json);
	if (good) {
		(void)value_from_json(json, &text);
		good = set_number(&e->constants, row, buf_slice(&text));
	}
	buf_release(&text);
	return good || report_add(scope->report, at, "must be %s", accepted_number(row));
}

static bool report_unknown_property(
    const char *name, const struct report_path *at, struct report *report)
{
	const char *names[MESSAGE_PROPERTY_COUNT + 1] = {"persistent"};
	size_t count = 1;
	for (size_t i = 0; i < MESSAGE_PROPERTY_COUNT; i++)
		if (message_properties[i].bit != MESSAGE_HEADERS)
			names[count++] = message_properties[i].name;
	names[count] = NULL;
	if (strcmp(name, "headers") == 0)
		return report_add(report, at, "headers stand beside properties, not in them");
	struct slice word = slice_str(name);
	return report_unknown(report, at, "unknown property", word, text_suggest(word, names));
}

static bool read_property(struct pattern_envelope *e, const json_t *properties, const char *name,
    const struct report_path *up, struct generator_scope *scope)
{
	struct report_path at = {up, name, 0};
	const json_t *json = json_object_get(properties, name);
	const struct message_property_row *row = message_property_find(slice_str(name));
	if (strcmp(name, "persistent") == 0)
		return read_persistent(e, properties, &at, scope->report);
	if (row == NULL || row->bit == MESSAGE_HEADERS)
		return report_unknown_property(name, &at, scope->report);
	if (row->bit == MESSAGE_DELIVERY_MODE)
		return read_delivery_mode(e, json, &at, scope->report);
	if (row->bit == MESSAGE_EXPIRATION)
		return read_expiration(e, json, &at, scope->report);
	if (row->value != MESSAGE_VALUE_TEXT)
		return read_number(e, row, json, &at, scope);
	struct generator *g = pattern_envelope_read_text(json, &at, scope);
	return g != NULL && add_property(e, row, g, &at, scope->report);
}

/* Headers */

static struct pattern_header *next_header(struct pattern_envelope *e, bool is_constant)
{
	struct pattern_header *last = e->header_count > 0 ? &e->headers[e->header_count - 1] : NULL;
	if (is_constant && last != NULL && last->generator == NULL)
		return last;
	struct pattern_header *next = &e->headers[e->header_count++];
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is room for all of them */
	next->at = e->header_constants.len;
	return next;
}

static void append_name(const char *name, struct buf *out)
{
	buf_append_char(out, (char)strlen(name));
	buf_append_str(out, name);
}

/* Encoded under no name, so that the error has none and any name is good, even $type. */
static bool add_constant(struct pattern_envelope *e, const char *name, const json_t *value,
    const struct report_path *at, struct report *report)
{
	struct error err = {0};
	if (!value_is_shallow(value, VALUE_MAX_DEPTH))
		return report_add(report, at, "is nested deeper than %d levels", VALUE_MAX_DEPTH);
	struct pattern_header *run = next_header(e, true);
	struct buf encoded = {0};
	json_t *table = json_object();
	json_object_set_new(table, "", json_deep_copy(value));
	bool good = table_encode(table, &encoded, &err);
	if (good) {
		append_name(name, &e->header_constants);
		buf_append(&e->header_constants, (struct slice){encoded.ptr + 1, encoded.len - 1});
	}
	run->len = e->header_constants.len - run->at;
	json_decref(table);
	buf_release(&encoded);
	return good || report_add(report, at, "%s", err.text);
}

static void add_generator(struct pattern_envelope *e, const char *name, struct generator *g)
{
	struct pattern_header *header = next_header(e, false);
	header->generator = g;
	append_name(name, &e->header_constants);
	header->len = e->header_constants.len - header->at;
}

static bool is_typed(const json_t *json)
{
	return json_object_get(json, "$type") != NULL;
}

static bool read_header(struct pattern_envelope *e, const char *name, const json_t *json,
    const struct report_path *up, struct generator_scope *scope)
{
	struct report_path at = {up, name, 0};
	enum value_kind kind;
	struct slice text = {json_string_value(json), json_string_length(json)};
	if (strlen(name) > MAX_SHORT)
		return report_add_name(scope->report, &at,
		    "has a name of %zu bytes; AMQP allows %d", strlen(name), MAX_SHORT);
	const json_t *constant = json_object_get(json, "constant");
	if (constant != NULL && json_object_size(json) == 1)
		return add_constant(e, name, constant, &at, scope->report);
	if (!json_is_string(json) && (!json_is_object(json) || is_typed(json)))
		return add_constant(e, name, json, &at, scope->report);
	struct generator *g = json_is_string(json) ? generator_from_template(text, &at, scope)
						   : generator_create(json, &at, scope);
	if (g == NULL)
		return false;
	if (!generator_is_constant(g, &kind, &text)) {
		add_generator(e, name, g);
		return true;
	}
	json_t *plain = json_stringn_nocheck(text.ptr, text.len);
	bool good = add_constant(e, name, plain, &at, scope->report);
	json_decref(plain);
	generator_free(g);
	return good;
}

bool pattern_envelope_create(
    struct pattern_envelope *e, const json_t *spec, struct generator_scope *scope)
{
	struct report_path properties_at = {NULL, "properties", 0},
			   headers_at = {NULL, "headers", 0};
	json_t *properties = json_object_get(spec, "properties");
	json_t *headers = json_object_get(spec, "headers");
	bool good = true;
	const char *name;
	json_t *value;
	e->constants.delivery_mode = MESSAGE_PERSISTENT;
	e->constants.present = MESSAGE_DELIVERY_MODE;
	if (properties != NULL && !json_is_object(properties))
		good = report_kind(scope->report, &properties_at, "a map", properties);
	if (headers != NULL && !json_is_object(headers))
		good = report_kind(scope->report, &headers_at, "a map", headers);
	json_object_foreach(properties, name, value) good &=
	    read_property(e, properties, name, &properties_at, scope);
	e->headers = mem_alloc(json_object_size(headers), sizeof *e->headers);
	json_object_foreach(headers, name, value) good &=
	    read_header(e, name, value, &headers_at, scope);
	return good;
}

/* Rendering */

static bool render_property(struct pattern_envelope *e, struct pattern_property *p,
    struct generator_context *x, struct message *out, struct error *err)
{
	p->at = e->texts.len;
	enum value_kind kind = generator_render(p->generator, x, &e->texts);
	p->len = e->texts.len - p->at;
	struct slice text = {e->texts.ptr + p->at, p->len};
	if (kind == VALUE_ABSENT || kind == VALUE_NULL)
		return true;
	if (p->row->value == MESSAGE_VALUE_TEXT) {
		out->present |= p->row->bit;
		return p->len <= MAX_SHORT ||
		       error_set(err, ERROR_DATA, "the property %s has %zu bytes; AMQP allows %d",
			   p->row->name, p->len, MAX_SHORT);
	}
	if (set_number(out, p->row, text))
		return true;
	char *quoted = text_quote(text);
	error_set(err, ERROR_DATA, "the property %s is '%s'; must be %s", p->row->name, quoted,
	    accepted_number(p->row));
	free(quoted);
	return false;
}

/* Points the message at the texts, once they no longer move. */
static void place_texts(const struct pattern_envelope *e, struct message *out)
{
	for (size_t i = 0; i < e->property_count; i++) {
		const struct pattern_property *p = &e->properties[i];
		bool is_text = p->row->value == MESSAGE_VALUE_TEXT && !p->is_constant;
		if (is_text && (out->present & p->row->bit) != 0)
			*message_slice(out, p->row) = (struct slice){e->texts.ptr + p->at, p->len};
	}
}

static bool fail_header(struct slice encoded_name, struct error *err)
{
	char *name = text_quote((struct slice){encoded_name.ptr + 1, encoded_name.len - 1});
	error_set(err, ERROR_DATA, "the header '%s' has a name of more than %d bytes in its map",
	    name, MAX_SHORT);
	free(name);
	return false;
}

static bool render_headers(
    struct pattern_envelope *e, struct generator_context *x, struct slice broken, struct error *err)
{
	buf_clear(&e->table);
	for (size_t i = 0; i < e->header_count; i++) {
		const struct pattern_header *h = &e->headers[i];
		struct slice constants = {e->header_constants.ptr + h->at, h->len};
		size_t before = e->table.len;
		buf_append(&e->table, constants);
		if (h->generator == NULL)
			continue;
		size_t from = x->arena.len;
		enum value_kind kind = generator_render(h->generator, x, &x->arena);
		struct slice text = {x->arena.ptr + from, x->arena.len - from};
		if (kind == VALUE_ABSENT)
			e->table.len = before;
		else if (!value_write_field(kind, text, &e->table))
			return fail_header(constants, err);
	}
	if (broken.len > 0)
		table_add_string(&e->table, MARKS_BROKEN, broken);
	return true;
}

bool pattern_envelope_render(struct pattern_envelope *e, struct generator_context *x,
    struct slice content_type, struct slice broken, struct message *out, struct error *err)
{
	struct message m = e->constants;
	buf_clear(&e->texts);
	for (size_t i = 0; i < e->property_count; i++)
		if (!e->properties[i].is_constant &&
		    !render_property(e, &e->properties[i], x, &m, err))
			return false;
	if (!render_headers(e, x, broken, err))
		return false;
	char *message_id = buf_reserve(&e->texts, RNG_UUID_CHARS);
	place_texts(e, &m);
	if ((m.present & MESSAGE_MESSAGE_ID) == 0) {
		rng_uuid4(x->rng, message_id);
		m.message_id = (struct slice){message_id, RNG_UUID_CHARS};
	}
	if ((m.present & MESSAGE_CONTENT_TYPE) == 0)
		m.content_type = content_type;
	m.present |= MESSAGE_MESSAGE_ID | MESSAGE_CONTENT_TYPE;
	if (e->is_stamped) {
		m.timestamp = x->wall_ms > 0 ? (uint64_t)x->wall_ms / 1000 : 0;
		m.present |= MESSAGE_TIMESTAMP;
	}
	m.headers = buf_slice(&e->table);
	if (m.headers.len > 0)
		m.present |= MESSAGE_HEADERS;
	*out = m;
	return true;
}

void pattern_envelope_release(struct pattern_envelope *e)
{
	for (size_t i = 0; i < e->property_count; i++)
		generator_free(e->properties[i].generator);
	for (size_t i = 0; i < e->header_count; i++)
		generator_free(e->headers[i].generator);
	free(e->headers);
	buf_release(&e->header_constants);
	buf_release(&e->texts);
	buf_release(&e->table);
	*e = (struct pattern_envelope){0};
}
