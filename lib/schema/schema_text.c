#include "schema/schema_private.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <stdlib.h>

/* The sentences of findings. All foreign bytes pass through text_quote. */

#define MAX_LISTED 20 /* values of an enum that are named */

static const struct type_name {
	unsigned type;
	const char *name;
} type_names[] = {
    {SCHEMA_STRING, "string"},
    {SCHEMA_INTEGER, "integer"},
    {SCHEMA_NUMBER, "number"},
    {SCHEMA_BOOLEAN, "boolean"},
    {SCHEMA_ARRAY, "array"},
    {SCHEMA_OBJECT, "object"},
    {SCHEMA_NULL, "null"},
};

char *schema_text_place(const struct schema_node *n)
{
	if (n->pointer[0] == '\0')
		return mem_strdup("schema");
	char *pointer = text_quote(slice_str(n->pointer));
	char *place = mem_printf("schema at '%s'", pointer);
	free(pointer);
	return place;
}

char *schema_text_nowhere(const struct schema_rule *rule)
{
	char *where = schema_text_place(rule->node);
	char *reference = text_quote(schema_value_text(rule->value));
	char *text = mem_printf("%s: %s '%s' leads nowhere", where, rule->keyword->name, reference);
	free(where);
	free(reference);
	return text;
}

char *schema_text_unknown(const char *dialect)
{
	char *shown = text_quote(slice_str(dialect));
	char *text = mem_printf("schema has the unknown $schema '%s'; accepted are "
				"https://json-schema.org/draft/2020-12/schema, "
				"https://json-schema.org/draft/2019-09/schema and "
				"http://json-schema.org/draft-07/schema#",
	    shown);
	free(shown);
	return text;
}

unsigned schema_text_type(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(type_names); i++)
		if (strcmp(name, type_names[i].name) == 0)
			return type_names[i].type;
	return 0;
}

void schema_text_types(unsigned types, struct buf *out)
{
	size_t left = 0;
	if (types & SCHEMA_NUMBER)
		types &= ~(unsigned)SCHEMA_INTEGER;
	for (size_t i = 0; i < ARRAY_LEN(type_names); i++)
		left += (types & type_names[i].type) != 0;
	for (size_t i = 0; i < ARRAY_LEN(type_names); i++) {
		if ((types & type_names[i].type) == 0)
			continue;
		left--;
		buf_append_str(out, type_names[i].name);
		buf_append_str(out, left > 1 ? ", " : left == 1 ? " or " : "");
	}
}

static void append_quoted(struct slice text, const char *mark, struct buf *out)
{
	char *shown = text_quote(text);
	buf_printf(out, "%s%s%s", mark, shown, mark);
	free(shown);
}

/* Arrays and objects as JSON, cut where text_quote cuts. */
static void append_json(const json_t *value, struct buf *out)
{
	char *json = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	append_quoted(slice_str(json != NULL ? json : "value"), "", out);
	free(json);
}

/* A value as its author would write it; strings with the given mark around them. */
static void append_value(const json_t *value, const char *mark, struct buf *out)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		append_quoted(schema_value_text(value), mark, out);
		break;
	case JSON_INTEGER:
		buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		num_format_double(json_real_value(value), out);
		break;
	default:
		append_json(value, out);
	}
}

/* "string \"ten\"", "integer 7", "true", "null", "array". */
void schema_text_found(const json_t *value, struct buf *out)
{
	switch (json_typeof(value)) {
	case JSON_ARRAY:
		buf_append_str(out, "array");
		return;
	case JSON_OBJECT:
		buf_append_str(out, "object");
		return;
	case JSON_NULL:
		buf_append_str(out, "null");
		return;
	case JSON_STRING:
		buf_append_str(out, "string ");
		break;
	case JSON_INTEGER:
		buf_append_str(out, "integer ");
		break;
	case JSON_REAL:
		buf_append_str(out, "number ");
		break;
	default:
		buf_append_str(out, "boolean ");
	}
	append_value(value, "\"", out);
}

/* Strings without quotes where no mistake is possible. */
static void append_bare(const json_t *value, struct buf *out)
{
	struct slice text = schema_value_text(value);
	bool quote = text.len == 0 || memchr(text.ptr, ' ', text.len) != NULL ||
		     memchr(text.ptr, ',', text.len) != NULL;
	append_value(value, quote ? "\"" : "", out);
}

/* "direct, topic, fanout" */
static void list(const json_t *values, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(values); i++) {
		buf_append_str(out, i > 0 ? ", " : "");
		if (i == MAX_LISTED) {
			buf_printf(out, "and %zu more", json_array_size(values) - i);
			return;
		}
		append_bare(json_array_get(values, i), out);
	}
}

static void append_count(const json_t *value, struct buf *out)
{
	size_t count = schema_value_count(value);
	const char *noun = json_is_string(value)  ? "character"
			   : json_is_array(value) ? "item"
						  : "property";
	const char *nouns = json_is_string(value)  ? "characters"
			    : json_is_array(value) ? "items"
						   : "properties";
	buf_printf(out, "%zu %s", count, num_noun(count, noun, nouns));
	buf_append_str(out, count == 1 ? " is" : " are");
}

static void append_twins(const json_t *value, struct buf *out)
{
	size_t first = 0, second = 0;
	(void)schema_value_find_twins(value, &first, &second); /* known to be there */
	buf_printf(out, "items %zu and %zu", first, second);
}

void schema_text_fill(
    const char *template, const struct schema_rule *rule, const json_t *value, struct buf *out)
{
	bool is_plain = rule->keyword == &schema_keywords[KEYWORD_PATTERN] ||
			rule->keyword == &schema_keywords[KEYWORD_FORMAT];
	for (const char *p = template; *p != '\0'; p++) {
		if (*p != '%') {
			buf_append_char(out, *p);
			continue;
		}
		switch (*++p) {
		case 'v':
			append_value(value, "\"", out);
			break;
		case 'e':
			append_value(rule->value, is_plain ? "" : "\"", out);
			break;
		case 'b':
			append_bare(rule->value, out);
			break;
		case 'f':
			schema_text_found(value, out);
			break;
		case 't':
			schema_text_types(rule->types, out);
			break;
		case 'l':
			list(rule->value, out);
			break;
		case 'c':
			append_count(value, out);
			break;
		case 'u':
			append_twins(value, out);
			break;
		}
	}
}
