#include "config/explain.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <stdlib.h>

#define VALUE_BYTES 60
#define LISTED_COUNT 12
#define ALL_OF_DEPTH 8

struct keyword_row {
	const char *keyword;
	enum explain_subject subject;
};

static const struct keyword_row key_keywords[] = {
    {"additionalProperties", EXPLAIN_UNKNOWN_KEY},
    {"unevaluatedProperties", EXPLAIN_UNKNOWN_KEY},
    {"required", EXPLAIN_MISSING_KEY},
    {"dependentRequired", EXPLAIN_MISSING_KEY},
    {"dependencies", EXPLAIN_MISSING_KEY},
};

enum explain_subject explain_subject(const struct schema_finding *finding)
{
	if (finding->property == NULL)
		return EXPLAIN_VALUE;
	for (size_t i = 0; i < ARRAY_LEN(key_keywords); i++)
		if (strcmp(key_keywords[i].keyword, finding->keyword) == 0)
			return key_keywords[i].subject;
	return EXPLAIN_KEY;
}

/* --- names of keys --- */

/* NULL-terminated, borrowed from the schema; only the array is owned. */
struct names {
	const char **items;
	size_t count, capacity;
};

static void add_name(struct names *names, const char *name)
{
	names->items =
	    mem_grow(names->items, &names->capacity, names->count + 2, sizeof names->items[0]);
	names->items[names->count++] = name;
	names->items[names->count] = NULL;
}

/* The properties of a schema object, and of what its allOf adds. */
static void collect_names(const json_t *schema, struct names *names, unsigned depth)
{
	json_t *properties = json_object_get(schema, "properties");
	for (void *i = json_object_iter(properties); i != NULL;
	     i = json_object_iter_next(properties, i))
		add_name(names, json_object_iter_key(i));
	const json_t *parts = json_object_get(schema, "allOf");
	for (size_t i = 0; i < json_array_size(parts) && depth < ALL_OF_DEPTH; i++)
		collect_names(json_array_get(parts, i), names, depth + 1);
}

static void list_names(const struct names *names, struct buf *out)
{
	for (size_t i = 0; i < names->count && i < LISTED_COUNT; i++) {
		buf_append_str(out, i > 0 ? ", " : "");
		text_escape(slice_str(names->items[i]), VALUE_BYTES, out);
	}
	if (names->count > LISTED_COUNT)
		buf_printf(out, " and %zu more", names->count - LISTED_COUNT);
}

static void quote(const char *text, struct buf *out)
{
	buf_append_char(out, '\'');
	text_escape(slice_str(text), VALUE_BYTES, out);
	buf_append_char(out, '\'');
}

static void suggest(const char *word, const struct names *names, struct buf *out)
{
	const char *nearest = text_suggest(slice_str(word), names->items);
	if (nearest == NULL)
		return;
	buf_append_str(out, "; did you mean ");
	quote(nearest, out);
	buf_append_char(out, '?');
}

static void explain_unknown(const struct schema_finding *finding, struct buf *out)
{
	struct names names = {0};
	collect_names(finding->subschema, &names, 0);
	buf_append_str(out, "unknown key ");
	quote(finding->property, out);
	size_t before = out->len;
	if (names.count > 0)
		suggest(finding->property, &names, out);
	if (names.count > 0 && out->len == before) {
		buf_append_str(out, "; accepted: ");
		list_names(&names, out);
	}
	free(names.items);
}

/* --- values --- */

static void show_value(const json_t *value, struct buf *out)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		buf_append_char(out, '\'');
		text_escape((struct slice){json_string_value(value), json_string_length(value)},
		    VALUE_BYTES, out);
		buf_append_char(out, '\'');
		break;
	case JSON_INTEGER:
		buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		num_format_double(json_real_value(value), out);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_append_str(out, json_is_true(value) ? "true" : "false");
		break;
	case JSON_NULL:
		buf_append_str(out, "nothing (null)");
		break;
	case JSON_ARRAY:
		buf_append_str(out, json_array_size(value) > 0 ? "a list" : "an empty list");
		break;
	case JSON_OBJECT:
		buf_append_str(out, json_object_size(value) > 0 ? "a mapping" : "an empty mapping");
		break;
	}
}

struct type_row {
	const char *type, *words;
};

static const struct type_row types[] = {
    {"null", "nothing (null)"},
    {"boolean", "true or false"},
    {"integer", "a whole number"},
    {"number", "a number"},
    {"string", "a text"},
    {"array", "a list"},
    {"object", "a mapping"},
};

static const char *type_words(const json_t *type)
{
	const char *name = json_string_value(type);
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].type, name) == 0)
			return types[i].words;
	return "?";
}

static void accept_type(const json_t *expected, struct buf *out)
{
	if (!json_is_array(expected)) {
		buf_append_str(out, type_words(expected));
		return;
	}
	for (size_t i = 0; i < json_array_size(expected); i++) {
		buf_append_str(out, i > 0 ? ", or " : "");
		buf_append_str(out, type_words(json_array_get(expected, i)));
	}
}

/* A bare word where it cannot be misread, as enums are mostly words. */
static void show_choice(const json_t *choice, struct buf *out)
{
	if (json_is_string(choice) && json_string_length(choice) > 0)
		text_escape(slice_str(json_string_value(choice)), VALUE_BYTES, out);
	else
		show_value(choice, out);
}

static void accept_enum(const json_t *expected, struct buf *out)
{
	size_t count = json_array_size(expected);
	for (size_t i = 0; i < count && i < LISTED_COUNT; i++) {
		buf_append_str(out, i > 0 ? ", " : "");
		show_choice(json_array_get(expected, i), out);
	}
	if (count > LISTED_COUNT)
		buf_printf(out, " and %zu more", count - LISTED_COUNT);
}

static void suggest_choice(const struct schema_finding *finding, struct buf *out)
{
	struct names names = {0};
	for (size_t i = 0; i < json_array_size(finding->expected); i++) {
		const json_t *choice = json_array_get(finding->expected, i);
		if (json_is_string(choice))
			add_name(&names, json_string_value(choice));
	}
	if (names.count > 0 && json_is_string(finding->value))
		suggest(json_string_value(finding->value), &names, out);
	free(names.items);
}

typedef void accept_fn(const json_t *expected, struct buf *out);

/* How a keyword says what it accepts. */
struct accept_row {
	const char *keyword;
	accept_fn *accept;
	const char *before;
	const char *unit; /* of what is counted, in the singular; NULL for none */
};

static const struct accept_row accepts[] = {
    {"type", accept_type, "", NULL},
    {"enum", accept_enum, "", NULL},
    {"const", show_choice, "", NULL},
    {"pattern", show_choice, "a text that matches ", NULL},
    {"minimum", show_value, "at least ", NULL},
    {"maximum", show_value, "at most ", NULL},
    {"exclusiveMinimum", show_value, "more than ", NULL},
    {"exclusiveMaximum", show_value, "less than ", NULL},
    {"multipleOf", show_value, "a multiple of ", NULL},
    {"minLength", show_value, "at least ", "character"},
    {"maxLength", show_value, "at most ", "character"},
    {"minItems", show_value, "at least ", "item"},
    {"maxItems", show_value, "at most ", "item"},
    {"minProperties", show_value, "at least ", "key"},
    {"maxProperties", show_value, "at most ", "key"},
};

static const struct accept_row *find_accept(const struct schema_finding *finding)
{
	for (size_t i = 0; i < ARRAY_LEN(accepts) && finding->expected != NULL; i++)
		if (strcmp(accepts[i].keyword, finding->keyword) == 0)
			return &accepts[i];
	return NULL;
}

static void explain_accepted(
    const struct schema_finding *finding, const struct accept_row *row, struct buf *out)
{
	buf_append_str(out, row->before);
	row->accept(finding->expected, out);
	if (row->unit != NULL)
		buf_printf(
		    out, " %s%s", row->unit, json_number_value(finding->expected) == 1 ? "" : "s");
	if (row->accept == accept_enum)
		suggest_choice(finding, out);
}

static void explain_value(const struct schema_finding *finding, struct buf *out)
{
	const json_t *words = json_object_get(finding->subschema, "x-accepts");
	const struct accept_row *row = find_accept(finding);
	if (finding->value == NULL || (!json_is_string(words) && row == NULL)) {
		buf_append_str(out, finding->text);
		return;
	}
	buf_append_str(out, "found ");
	if (finding->property != NULL)
		quote(finding->property, out);
	else
		show_value(finding->value, out);
	buf_append_str(out, "; accepted: ");
	if (!json_is_string(words)) {
		explain_accepted(finding, row, out);
		return;
	}
	text_escape(slice_str(json_string_value(words)), SIZE_MAX, out);
	if (row != NULL && row->accept == accept_enum)
		suggest_choice(finding, out);
}

void explain_finding(const struct schema_finding *finding, struct buf *out)
{
	switch (explain_subject(finding)) {
	case EXPLAIN_UNKNOWN_KEY:
		explain_unknown(finding, out);
		break;
	case EXPLAIN_MISSING_KEY:
		buf_append_str(out, "missing key ");
		quote(finding->property, out);
		break;
	case EXPLAIN_KEY:
	case EXPLAIN_VALUE:
		explain_value(finding, out);
		break;
	}
}
