#include "fake/pattern_event.h"

#include "base/mem.h"
#include "base/skim.h"
#include "base/text.h"
#include "fake/stamp.h"
#include "model/table.h"
#include "model/trace.h"

#include <stdlib.h>

#define MAX_SHORT 255	 /* bytes of a short string of AMQP */
#define MAX_EXTENSION 20 /* characters of a name (spec.md, Naming Conventions) */
#define MAX_DIGITS 9	 /* of an Integer of CloudEvents, which has 32 bits */
#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

/* ---- attributes, in headers or in JSON ---- */

static void write_name(const struct pattern_event *e, const char *name, struct buf *out)
{
	if (e->mode == ENVELOPE_BINARY) {
		buf_append_char(out, (char)(e->prefix.len + strlen(name)));
		buf_append(out, e->prefix);
		buf_append_str(out, name);
	} else {
		buf_append(out, SLICE(",\""));
		buf_append_str(out, name);
		buf_append(out, SLICE("\":"));
	}
}

static void write_text(
    const struct pattern_event *e, const char *name, struct slice text, struct buf *out)
{
	write_name(e, name, out);
	if (e->mode == ENVELOPE_BINARY)
		(void)value_write_field(VALUE_TEXT, text, out); /* a text has no keys to refuse */
	else
		text_json(text, out);
}

static bool is_integer(struct slice number)
{
	size_t sign = number.len > 0 && number.ptr[0] == '-';
	for (size_t i = sign; i < number.len; i++)
		if (number.ptr[i] < '0' || number.ptr[i] > '9')
			return false;
	return number.len > sign && number.len <= sign + MAX_DIGITS;
}

/* Extensions may be Integer and Boolean; whatever else is a String, in its plain text. */
static void write_value(const struct pattern_event *e, const struct pattern_event_attribute *a,
    enum value_kind kind, struct slice text, struct buf *out)
{
	bool is_native =
	    a->is_extension && (kind == VALUE_BOOL || (kind == VALUE_NUMBER && is_integer(text)));
	if (!is_native) {
		write_text(e, a->name, text, out);
		return;
	}
	write_name(e, a->name, out);
	if (e->mode == ENVELOPE_BINARY)
		(void)value_write_field(kind, text, out); /* nor has a number */
	else
		value_write_json(kind, text, out);
}

/* ---- from the settings ---- */

static struct generator *read_generator(const json_t *json, bool is_extension,
    const struct report_path *at, struct generator_scope *scope)
{
	struct slice text = {json_string_value(json), json_string_length(json)};
	if (json_is_string(json))
		return generator_from_template(text, at, scope);
	if (json_is_object(json))
		return generator_create(json, at, scope);
	if (!is_extension || (!json_is_integer(json) && !json_is_boolean(json))) {
		report_kind(scope->report, at, "a text or a generator", json);
		return NULL;
	}
	json_t *constant = json_pack("{s:O}", "constant", json);
	struct generator *g = generator_create(constant, at, scope);
	json_decref(constant);
	return g;
}

static bool is_type(const char *name)
{
	return strcmp(name, "type") == 0;
}

/* Takes the generator: a constant is encoded at once. */
static bool add_attribute_take(struct pattern_event *e, struct pattern_event_attribute a,
    const struct report_path *at, struct report *report)
{
	enum value_kind kind;
	struct slice text;
	if (!generator_is_constant(a.generator, &kind, &text)) {
		a.name = mem_strdup(a.name);
		e->attributes[e->attribute_count++] = a;
		return true;
	}
	if (text.len > 0) {
		write_value(e, &a, kind, text, &e->constants);
		if (is_type(a.name))
			buf_append(&e->type, text);
	} else {
		report_add(report, at, "must not be empty");
	}
	bool good = text.len > 0;
	generator_free(a.generator);
	return good;
}

static bool read_attribute(struct pattern_event *e, const json_t *json,
    struct pattern_event_attribute a, const struct report_path *up, struct generator_scope *scope)
{
	struct report_path at = {up, a.name, 0};
	a.generator = read_generator(json, a.is_extension, &at, scope);
	return a.generator != NULL && add_attribute_take(e, a, &at, scope->report);
}

static bool is_extension_name(const char *name)
{
	static const char *const taken[] = {"specversion", "id", "source", "type", "subject",
	    "time", "datacontenttype", "dataschema", "data"};
	size_t len = strlen(name);
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (strcmp(name, taken[i]) == 0)
			return false;
	return len > 0 && len <= MAX_EXTENSION &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

static bool read_extension(struct pattern_event *e, const char *name, const json_t *json,
    const struct report_path *up, struct generator_scope *scope)
{
	struct report_path at = {up, name, 0};
	struct pattern_event_attribute a = {.name = name, .is_extension = true};
	if (!is_extension_name(name))
		return report_add_name(scope->report, &at,
		    "must have 1 to %d lower-case letters and digits, and be no attribute of "
		    "CloudEvents",
		    MAX_EXTENSION);
	if (e->is_traced && strcmp(name, TRACE_PARENT) == 0)
		return report_add_name(scope->report, &at, "is written by trace: keep one of them");
	return read_attribute(e, json, a, up, scope);
}

static bool read_extensions(struct pattern_event *e, const json_t *cloudevents,
    const struct report_path *up, struct generator_scope *scope)
{
	struct report_path at = {up, "extensions", 0};
	json_t *extensions = json_object_get(cloudevents, "extensions"), *value;
	const char *name;
	bool good = true;
	if (extensions != NULL && !json_is_object(extensions))
		return report_kind(scope->report, &at, "a map of names to texts", extensions);
	json_object_foreach(extensions, name, value) good &=
	    read_extension(e, name, value, &at, scope);
	return good;
}

/* /warren/<name>, as the path of a URI. */
static json_t *default_source(const char *name)
{
	struct buf source = {0};
	buf_append_str(&source, "/warren");
	buf_append_str(&source, name != NULL ? "/" : "");
	for (const char *c = name != NULL ? name : ""; *c != '\0'; c++)
		if (strchr(UNRESERVED, *c) != NULL)
			buf_append_char(&source, *c);
		else
			buf_printf(&source, "%%%02X", (unsigned char)*c);
	json_t *json = json_stringn_nocheck(source.ptr, source.len);
	buf_release(&source);
	return json;
}

static bool read_attributes(struct pattern_event *e, const char *name, const json_t *cloudevents,
    const struct report_path *at, struct generator_scope *scope)
{
	static const struct {
		const char *name;
		bool is_required;
	} rows[] = {{"type", true}, {"source", true}, {"subject", false}, {"dataschema", false}};
	json_t *source = default_source(name);
	bool good = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pattern_event_attribute a = {
		    .name = rows[i].name, .is_required = rows[i].is_required};
		struct report_path here = {at, rows[i].name, 0};
		const json_t *json = json_object_get(cloudevents, rows[i].name);
		if (json == NULL && strcmp(rows[i].name, "source") == 0)
			json = source;
		if (json != NULL)
			good &= read_attribute(e, json, a, at, scope);
		else if (a.is_required)
			good &= report_add(scope->report, &here, "is missing; an event has a type");
	}
	json_decref(source);
	return good;
}

static bool read_word(const json_t *cloudevents, const char *key, const char *const words[2],
    size_t *chosen, const struct report_path *up, struct report *report)
{
	struct report_path at = {up, key, 0};
	const json_t *json = json_object_get(cloudevents, key);
	*chosen = 0;
	if (json == NULL)
		return true;
	for (size_t i = 0; i < 2; i++)
		if (json_is_string(json) && strcmp(json_string_value(json), words[i]) == 0) {
			*chosen = i;
			return true;
		}
	return report_add(report, &at, "must be %s or %s", words[0], words[1]);
}

static bool read_form(struct pattern_event *e, const json_t *cloudevents,
    const struct report_path *at, struct report *report)
{
	static const char *const modes[] = {"binary", "structured"};
	static const char *const prefixes[] = {"cloudEvents_", "ce-"};
	size_t mode, prefix;
	bool good = read_word(cloudevents, "mode", modes, &mode, at, report);
	good &= read_word(cloudevents, "prefix", prefixes, &prefix, at, report);
	e->mode = mode == 0 ? ENVELOPE_BINARY : ENVELOPE_STRUCTURED;
	e->prefix = slice_str(prefixes[prefix]);
	if (mode == 0 || json_object_get(cloudevents, "prefix") == NULL)
		return good;
	struct report_path prefix_at = {at, "prefix", 0};
	return report_add(report, &prefix_at, "is for headers, and mode: structured has none");
}

static bool read_cloudevents(
    struct pattern_event *e, const char *name, const json_t *json, struct generator_scope *scope)
{
	static const char *const keys[] = {
	    "type", "source", "subject", "dataschema", "mode", "prefix", "extensions", NULL};
	struct report_path at = {NULL, "cloudevents", 0};
	if (!json_is_object(json))
		return report_kind(scope->report, &at, "a map such as {type: order.placed}", json);
	bool good = report_keys(scope->report, &at, json, keys);
	good &= read_form(e, json, &at, scope->report);
	if (e->mode == ENVELOPE_BINARY)
		write_text(e, "specversion", SLICE("1.0"), &e->constants);
	else
		buf_append_str(&e->constants, "{\"specversion\":\"1.0\"");
	size_t most =
	    json_object_size(json) + json_object_size(json_object_get(json, "extensions"));
	e->attributes = mem_alloc(most, sizeof *e->attributes);
	good &= read_attributes(e, name, json, &at, scope);
	return read_extensions(e, json, &at, scope) && good;
}

/* A message is one event, in one trace. */
static bool check_headers(const struct pattern_event *e, const json_t *spec, struct report *report)
{
	struct report_path up = {NULL, "headers", 0};
	json_t *headers = json_object_get(spec, "headers"), *value;
	const char *name;
	bool good = true;
	json_object_foreach(headers, name, value)
	{
		struct report_path at = {&up, name, 0};
		(void)value;
		bool is_attribute = envelope_find_prefix(slice_str(name)) < ENVELOPE_PREFIX_COUNT;
		if (e->mode != ENVELOPE_NONE && is_attribute)
			good =
			    report_add_name(report, &at, "is written by cloudevents: say it there");
		if (e->is_traced && strcmp(name, TRACE_PARENT) == 0)
			good =
			    report_add_name(report, &at, "is written by trace: keep one of them");
	}
	return good;
}

bool pattern_event_create(
    struct pattern_event *e, const char *name, const json_t *spec, struct generator_scope *scope)
{
	struct report_path trace_at = {NULL, "trace", 0};
	const json_t *trace = json_object_get(spec, "trace");
	const json_t *cloudevents = json_object_get(spec, "cloudevents");
	bool good = true;
	e->is_traced = json_is_true(trace);
	if (trace != NULL && !json_is_boolean(trace))
		good = report_kind(scope->report, &trace_at, "true or false", trace);
	if (cloudevents != NULL)
		good &= read_cloudevents(e, name, cloudevents, scope);
	return check_headers(e, spec, scope->report) && good;
}

/* ---- rendering ---- */

/* An attribute without a text is left out: there is no empty one. */
static bool render_attribute(struct pattern_event *e, const struct pattern_event_attribute *a,
    struct generator_context *x, struct buf *out, struct error *err)
{
	struct buf *text = is_type(a->name) ? &e->type : &e->text;
	buf_clear(text);
	enum value_kind kind = generator_render(a->generator, x, text);
	if (text->len > 0)
		write_value(e, a, kind, buf_slice(text), out);
	return text->len > 0 || !a->is_required ||
	       error_set(err, ERROR_DATA, "the %s of the event is empty", a->name);
}

static bool render_attributes(struct pattern_event *e, struct generator_context *x,
    struct slice traceparent, struct buf *out, const struct message *m, struct error *err)
{
	buf_append(out, buf_slice(&e->constants));
	for (size_t i = 0; i < e->attribute_count; i++)
		if (!render_attribute(e, &e->attributes[i], x, out, err))
			return false;
	if (m->message_id.len == 0)
		return error_set(err, ERROR_DATA, "the id of the event, message_id, is empty");
	write_text(e, "id", m->message_id, out);
	buf_clear(&e->text);
	stamp_write_rfc3339(x->wall_ms, &e->text);
	write_text(e, "time", buf_slice(&e->text), out);
	if (traceparent.len > 0) /* where the event comes from; the header changes with each hop */
		write_text(e, TRACE_PARENT, traceparent, out);
	return true;
}

/* What the settings leave open says the same as the attributes. */
static void fill_properties(
    const struct pattern_event *e, const struct generator_context *x, struct message *m)
{
	if ((m->present & MESSAGE_TYPE) == 0 && e->type.len <= MAX_SHORT) {
		m->type = buf_slice(&e->type);
		m->present |= MESSAGE_TYPE;
	}
	if ((m->present & MESSAGE_TIMESTAMP) == 0) {
		m->timestamp = x->wall_ms > 0 ? (uint64_t)x->wall_ms / 1000 : 0;
		m->present |= MESSAGE_TIMESTAMP;
	}
}

/* JSON stands there as it is, other text as a string, and what is neither as base64: also a body
 * that claims to be JSON (json-format.md, 3.1). */
void pattern_event_set_data(struct pattern_event *e, struct slice data, struct message *m)
{
	if (e->mode != ENVELOPE_STRUCTURED) {
		m->body = data;
		return;
	}
	bool is_text = text_is_utf8(data), is_json = is_text && e->is_json && skim_is_json(data);
	buf_truncate(&e->body, e->head_len);
	if (is_json) {
		buf_append(&e->body, SLICE(",\"data\":"));
		buf_append(&e->body, data);
	} else if (is_text && !e->is_json && data.len > 0) {
		buf_append(&e->body, SLICE(",\"data\":"));
		text_json(data, &e->body);
	} else if (data.len > 0) {
		buf_append(&e->body, SLICE(",\"data_base64\":\""));
		text_base64(data, &e->body);
		buf_append_char(&e->body, '"');
	}
	buf_append_char(&e->body, '}');
	m->body = buf_slice(&e->body);
}

static void wrap(struct pattern_event *e, struct message *m)
{
	e->is_json = envelope_is_json(m->content_type);
	write_text(e, "datacontenttype", m->content_type, &e->body);
	e->head_len = e->body.len;
	m->content_type = SLICE(ENVELOPE_CONTENT_TYPE);
	pattern_event_set_data(e, m->body, m);
}

bool pattern_event_render(struct pattern_event *e, struct generator_context *x, struct buf *table,
    struct message *m, struct error *err)
{
	char traceparent[TRACE_PARENT_CHARS];
	struct slice parent = {traceparent, e->is_traced ? sizeof traceparent : 0};
	if (e->is_traced) {
		struct trace trace;
		trace_start(x->rng, &trace);
		trace_format(&trace, traceparent);
		table_add_string(table, TRACE_PARENT, parent);
	}
	if (e->mode != ENVELOPE_NONE) {
		buf_clear(&e->body);
		struct buf *out = e->mode == ENVELOPE_BINARY ? table : &e->body;
		if (!render_attributes(e, x, parent, out, m, err))
			return false;
		fill_properties(e, x, m);
	}
	if (e->mode == ENVELOPE_STRUCTURED)
		wrap(e, m);
	m->headers = buf_slice(table);
	if (m->headers.len > 0)
		m->present |= MESSAGE_HEADERS;
	return true;
}

void pattern_event_release(struct pattern_event *e)
{
	for (size_t i = 0; i < e->attribute_count; i++) {
		generator_free(e->attributes[i].generator);
		free((char *)(uintptr_t)e->attributes[i].name);
	}
	free(e->attributes);
	buf_release(&e->constants);
	buf_release(&e->type);
	buf_release(&e->text);
	buf_release(&e->body);
	*e = (struct pattern_event){0};
}
