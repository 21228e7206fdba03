#include "config/emit.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "config/scalar.h"

#include <stdlib.h>
#include <strings.h>
#include <yaml.h>

#define LINE_BYTES 90 /* what a mapping on one line may take, about */

struct emitter {
	yaml_emitter_t yaml;
	struct buf text; /* scratch */
	bool in_flow;	 /* inside of a collection on one line */
	bool good;
};

static void emit(struct emitter *e, int initialized, yaml_event_t *event)
{
	if (initialized && !e->good)
		yaml_event_delete(event);
	e->good = initialized && e->good && yaml_emitter_emit(&e->yaml, event); /* frees it */
}

/* ---- scalars ---- */

/* What YAML 1.1, which many still read, takes for a boolean, a null or a merge. */
static bool is_word_of_old(const char *text)
{
	static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "=", "<<"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

/* 12:30, 1_000, 0b11, 0xA_B and 2024-01-01 were no texts in YAML 1.1. */
static bool is_number_of_old(const char *text)
{
	const char *digits = text + (text[0] == '+' || text[0] == '-');
	if (digits[0] == '0' && digits[1] == 'x')
		return digits[strspn(digits, "0123456789abcdefABCDEFx_")] == '\0';
	return text[0] != '\0' && strchr("0123456789+-.", text[0]) != NULL &&
	       text[strspn(text, "0123456789+-.:_ beEtTzZ")] == '\0';
}

static bool needs_quotes(const char *text)
{
	struct error ignored = {0}; /* what cannot be read is no text either */
	json_t *read = scalar_read(slice_str(text), SCALAR_ANY, &ignored);
	bool is_text = json_is_string(read);
	json_decref(read);
	return !is_text || is_word_of_old(text) || is_number_of_old(text) ||
	       strchr(text, '\n') != NULL;
}

static void emit_scalar(struct emitter *e, struct slice text, bool quoted)
{
	yaml_event_t event;
	yaml_scalar_style_t style =
	    quoted ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE;
	emit(e,
	    yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text.ptr,
		(int)text.len, !quoted, true, style),
	    &event);
}

static void emit_key(struct emitter *e, const char *key)
{
	emit_scalar(e, slice_str(key), needs_quotes(key));
}

/* A dollar that would begin a variable, or stand for another, is doubled. */
static void emit_text(struct emitter *e, const char *text)
{
	buf_clear(&e->text);
	buf_append_str(&e->text, "");
	for (const char *c = text; *c != '\0'; c++) {
		if (c[0] == '$' && (c[1] == '$' || c[1] == '{'))
			buf_append_char(&e->text, '$');
		buf_append_char(&e->text, *c);
	}
	emit_scalar(e, buf_slice(&e->text), needs_quotes(text));
}

/* In YAML 1.1 a number is a float only with a dot: 1.0e+22. */
static void append_real(double value, struct buf *out)
{
	struct buf digits = {0};
	num_format_double(value, &digits);
	size_t len = strcspn(digits.ptr, ".e");
	buf_printf(out, "%.*s%s%s", (int)len, digits.ptr, digits.ptr[len] == 'e' ? ".0" : "",
	    digits.ptr + len);
	buf_release(&digits);
}

static void emit_number(struct emitter *e, const json_t *number)
{
	buf_clear(&e->text);
	if (json_is_integer(number))
		buf_printf(&e->text, "%" JSON_INTEGER_FORMAT, json_integer_value(number));
	else
		append_real(json_real_value(number), &e->text);
	emit_scalar(e, buf_slice(&e->text), false);
}

/* ---- collections ---- */

/* How long the value is on one line; more than LINE_BYTES when it should not be. */
static size_t flat_length(const json_t *value, unsigned depth)
{
	size_t sum = 2, i;
	const char *key;
	json_t *item;
	if (json_is_string(value))
		return strchr(json_string_value(value), '\n') ? LINE_BYTES + 1
							      : json_string_length(value);
	if (!json_is_object(value) && !json_is_array(value))
		return 6;
	if (depth == 0)
		return LINE_BYTES + 1;
	json_array_foreach(value, i, item)
	{
		sum += flat_length(item, depth - 1) + 2;
		if (sum > LINE_BYTES)
			return sum;
	}
	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		sum += strlen(key) + flat_length(item, depth - 1) + 4;
		if (sum > LINE_BYTES)
			return sum;
	}
	return sum;
}

static bool is_empty(const json_t *value)
{
	return json_object_size(value) == 0 && json_array_size(value) == 0;
}

static void emit_value(struct emitter *e, const json_t *value, unsigned depth);

static void emit_mapping(struct emitter *e, const json_t *object, bool is_flat, unsigned depth)
{
	yaml_event_t event;
	const char *key;
	json_t *value;
	emit(e,
	    yaml_mapping_start_event_initialize(&event, NULL, NULL, true,
		is_flat ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE),
	    &event);
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		emit_key(e, key);
		emit_value(e, value, depth + 1);
	}
	emit(e, yaml_mapping_end_event_initialize(&event), &event);
}

static void emit_list(struct emitter *e, const json_t *list, bool is_flat, unsigned depth)
{
	yaml_event_t event;
	json_t *value;
	size_t i;
	emit(e,
	    yaml_sequence_start_event_initialize(&event, NULL, NULL, true,
		is_flat ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE),
	    &event);
	json_array_foreach(list, i, value) emit_value(e, value, depth + 1);
	emit(e, yaml_sequence_end_event_initialize(&event), &event);
}

/* A section and what it names stand below each other; their members may share a line. */
static void emit_value(struct emitter *e, const json_t *value, unsigned depth)
{
	bool in_flow = e->in_flow;
	bool is_flat =
	    in_flow || is_empty(value) || (depth > 1 && flat_length(value, 2) <= LINE_BYTES);
	e->in_flow = is_flat;
	if (json_is_object(value))
		emit_mapping(e, value, is_flat, depth);
	else if (json_is_array(value))
		emit_list(e, value, is_flat, depth);
	else if (json_is_string(value))
		emit_text(e, json_string_value(value));
	else if (json_is_number(value))
		emit_number(e, value);
	else if (json_is_boolean(value))
		emit_scalar(e, json_is_true(value) ? SLICE("true") : SLICE("false"), false);
	else
		emit_scalar(e, in_flow ? SLICE("null") : SLICE(""), false);
	e->in_flow = in_flow;
}

/* ---- the whole ---- */

static bool is_safe_text(const char *text)
{
	struct buf escaped = {0};
	text_escape_lines(slice_str(text), SIZE_MAX, &escaped);
	bool same = slice_is(buf_slice(&escaped), text) || text[0] == '\0';
	buf_release(&escaped);
	return same;
}

/* Whether all of it may stand on a terminal as it is. */
static bool is_safe(const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;
	if (json_is_string(value))
		return is_safe_text(json_string_value(value));
	json_array_foreach(value, i, item) if (!is_safe(item)) return false;
	json_object_foreach((json_t *)(uintptr_t)value, key,
	    item) if (!is_safe_text(key) || !is_safe(item)) return false;
	return true;
}

static int append(void *ctx, unsigned char *bytes, size_t size)
{
	buf_append(ctx, (struct slice){(const char *)bytes, size});
	return 1;
}

bool emit_yaml(const json_t *object, struct buf *out, struct error *err)
{
	struct emitter e = {.good = true};
	yaml_event_t event;
	if (yaml_emitter_initialize(&e.yaml) == 0)
		return error_set(err, ERROR_INTERNAL, "no memory for YAML");
	yaml_emitter_set_output(&e.yaml, append, out);
	yaml_emitter_set_width(&e.yaml, -1);
	yaml_emitter_set_unicode(&e.yaml, is_safe(object));
	emit(&e, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event);
	emit(&e, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, true), &event);
	emit_value(&e, object, 0);
	emit(&e, yaml_document_end_event_initialize(&event, true), &event);
	emit(&e, yaml_stream_end_event_initialize(&event), &event);
	if (!e.good)
		error_set(err, ERROR_INTERNAL, "it cannot be written as YAML: %s",
		    e.yaml.problem != NULL ? e.yaml.problem : "no memory");
	yaml_emitter_delete(&e.yaml);
	buf_release(&e.text);
	return e.good;
}
