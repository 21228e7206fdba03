/* One of two schemas that are compared: its keywords, references, and what it consists of. */
#include "schema/compat_private.h"

#include "base/mem.h"
#include "base/num.h"
#include "schema/schema.h"
#include "schema/schema_uri.h"

#include <stdint.h>
#include <stdlib.h>

#define MAX_NESTING 500 /* schemas within each other; schema_create refuses more */

/* ---- the draft ---- */

static bool has_inner_id(const json_t *value, unsigned depth)
{
	const json_t *item;
	const char *key;
	size_t i;
	if (depth > MAX_NESTING)
		return true;
	if (depth > 0 && (json_is_string(json_object_get(value, "$id")) ||
			     json_object_get(value, "$recursiveAnchor") != NULL))
		return true;
	json_array_foreach(
	    (json_t *)(uintptr_t)value, i, item) if (has_inner_id(item, depth + 1)) return true;
	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		if (has_inner_id(item, depth + 1))
			return true;
	}
	return false;
}

void compat_side_init(struct compat_side *side, const json_t *root)
{
	const char *dialect = json_string_value(json_object_get(root, "$schema"));
	*side = (struct compat_side){.root = root, .draft = 2020};
	if (dialect != NULL && strstr(dialect, "draft-07") != NULL)
		side->draft = 7;
	else if (dialect != NULL && strstr(dialect, "2019-09") != NULL)
		side->draft = 2019;
	side->has_inner_id = has_inner_id(root, 0);
}

/* Keywords that some drafts do not have: there they say nothing. */
static const struct since {
	const char *keyword;
	unsigned first, last;
} sinces[] = {
    {"prefixItems", 2020, 2020},
    {"additionalItems", 7, 2019},
    {"dependentRequired", 2019, 2020},
    {"dependentSchemas", 2019, 2020},
    {"unevaluatedItems", 2019, 2020},
    {"unevaluatedProperties", 2019, 2020},
    {"minContains", 2019, 2020},
    {"maxContains", 2019, 2020},
    {"$dynamicRef", 2020, 2020},
    {"$recursiveRef", 2019, 2019},
};

const json_t *compat_side_get(
    const struct compat_side *side, const json_t *schema, const char *keyword)
{
	if (side->draft == 7 && strcmp(keyword, "$ref") != 0 &&
	    json_object_get(schema, "$ref") != NULL)
		return NULL; /* what stands beside $ref says nothing there */
	for (size_t i = 0; i < ARRAY_LEN(sinces); i++)
		if (strcmp(sinces[i].keyword, keyword) == 0 &&
		    (side->draft < sinces[i].first || side->draft > sinces[i].last))
			return NULL;
	return json_object_get(schema, keyword);
}

/* ---- references ---- */

static const json_t *step_down(const json_t *value, const char *step, size_t len)
{
	struct buf key = {0};
	uint64_t index;
	struct error ignored = {0}; /* not a number: no such item */
	buf_append_str(&key, "");
	for (size_t i = 0; i < len; i++) {
		bool escaped = step[i] == '~' && i + 1 < len;
		char c = escaped ? (step[++i] == '0' ? '~' : '/') : step[i];
		buf_append_char(&key, c);
	}
	if (json_is_object(value))
		value = json_object_get(value, key.ptr);
	else if (json_is_array(value) &&
		 num_parse_u64(buf_slice(&key), 0, SIZE_MAX, &index, &ignored))
		value = json_array_get(value, (size_t)index);
	else
		value = NULL;
	buf_release(&key);
	return value;
}

const json_t *compat_side_follow(const struct compat_side *side, const json_t *reference)
{
	const char *text = json_string_value(reference);
	if (text == NULL || text[0] != '#' || side->has_inner_id)
		return NULL;
	char *fragment = schema_uri_fragment(text);
	const json_t *value = fragment[0] == '\0' || fragment[0] == '/' ? side->root : NULL;
	for (const char *at = fragment; value != NULL && *at == '/';) {
		size_t len = strcspn(at + 1, "/");
		value = step_down(value, at + 1, len);
		at += 1 + len;
	}
	free(fragment);
	return json_is_object(value) || json_is_boolean(value) ? value : NULL;
}

bool compat_side_is_plain(const json_t *schema)
{
	static const char *const keys[] = {"$ref", "$dynamicRef", "$recursiveRef", "$id"};
	char *text = json_dumps(schema, JSON_ENCODE_ANY | JSON_COMPACT);
	bool plain = text != NULL; /* a word in a text or key is taken for one: safe */
	for (size_t i = 0; plain && i < ARRAY_LEN(keys); i++)
		plain = strstr(text, keys[i]) == NULL;
	free(text);
	return plain;
}

/* ---- types ---- */

static const struct type_row {
	const char *name;
	unsigned types;
} type_rows[] = {
    {"object", COMPAT_OBJECT},
    {"array", COMPAT_ARRAY},
    {"string", COMPAT_STRING},
    {"number", COMPAT_NUMBERS},
    {"integer", COMPAT_INTEGER},
    {"boolean", COMPAT_BOOLEAN},
    {"null", COMPAT_NULL},
};

unsigned compat_side_types(const json_t *type)
{
	unsigned types = 0;
	size_t i;
	const json_t *item;
	for (size_t n = 0; json_is_string(type) && n < ARRAY_LEN(type_rows); n++)
		if (strcmp(type_rows[n].name, json_string_value(type)) == 0)
			types |= type_rows[n].types;
	json_array_foreach((json_t *)(uintptr_t)type, i, item) types |=
	    json_is_string(item) ? compat_side_types(item) : 0;
	return types;
}

static unsigned type_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return COMPAT_OBJECT;
	case JSON_ARRAY:
		return COMPAT_ARRAY;
	case JSON_STRING:
		return COMPAT_STRING;
	case JSON_INTEGER:
		return COMPAT_INTEGER;
	case JSON_REAL: /* 1.0 is an integer, too */
		return COMPAT_NUMBERS;
	case JSON_TRUE:
	case JSON_FALSE:
		return COMPAT_BOOLEAN;
	case JSON_NULL:
		break;
	}
	return COMPAT_NULL;
}

void compat_side_write_types(unsigned types, struct buf *out)
{
	const char *between = "";
	for (size_t i = 0; i < ARRAY_LEN(type_rows); i++) {
		unsigned of = type_rows[i].types;
		bool whole = (types & of) == of;
		if (of == COMPAT_INTEGER && (types & COMPAT_FRACTION) != 0)
			whole = false; /* said as number, or below */
		if (!whole && !(of == COMPAT_NUMBERS && (types & of) == COMPAT_FRACTION))
			continue;
		buf_append_str(out, between);
		buf_append_str(out, whole ? type_rows[i].name : "a number that is no integer");
		between = " or ";
	}
}

/* ---- parts ---- */

/* What narrows a part and is not looked at. */
static const char *const vague_keywords[] = {"not", "if", "contains", "dependentRequired",
    "dependentSchemas", "dependencies", "unevaluatedItems", "unevaluatedProperties",
    "propertyNames", "$dynamicRef", "$recursiveRef"};

static unsigned types_of_values(const json_t *values)
{
	unsigned types = 0;
	size_t i;
	const json_t *value;
	json_array_foreach((json_t *)(uintptr_t)values, i, value) types |= type_of(value);
	return types;
}

static void narrow(const struct compat_side *side, const json_t *schema, struct compat_parts *parts)
{
	const json_t *type = compat_side_get(side, schema, "type");
	const json_t *values = compat_side_get(side, schema, "enum");
	const json_t *constant = compat_side_get(side, schema, "const");
	if (type != NULL)
		parts->types &= compat_side_types(type);
	if (values != NULL)
		parts->types &= types_of_values(values);
	if (constant != NULL)
		parts->types &= type_of(constant);
	for (size_t i = 0; i < ARRAY_LEN(vague_keywords); i++)
		if (compat_side_get(side, schema, vague_keywords[i]) != NULL)
			parts->vague = true;
	parts->never = parts->never || parts->types == 0;
}

static void enter(struct compat_parts *parts, const json_t *schema)
{
	if (json_is_true(schema) || (json_is_object(schema) && json_object_size(schema) == 0))
		return;
	if (json_is_false(schema)) {
		parts->never = true;
		return;
	}
	for (size_t i = 0; i < parts->count; i++)
		if (parts->items[i] == schema)
			return;
	if (parts->count == COMPAT_MAX_PARTS)
		parts->vague = true;
	else
		parts->items[parts->count++] = schema;
}

void compat_side_add(
    const struct compat_side *side, const json_t *schema, struct compat_parts *parts)
{
	size_t from = parts->count, i;
	const json_t *item;
	if (schema != NULL)
		enter(parts, schema);
	for (size_t next = from; next < parts->count; next++) {
		const json_t *part = parts->items[next];
		const json_t *reference = compat_side_get(side, part, "$ref");
		const json_t *target =
		    reference != NULL ? compat_side_follow(side, reference) : NULL;
		if (target != NULL)
			enter(parts, target);
		parts->vague = parts->vague || (reference != NULL && target == NULL);
		json_array_foreach((json_t *)(uintptr_t)compat_side_get(side, part, "allOf"), i,
		    item) enter(parts, item);
		narrow(side, part, parts);
	}
}

/* ---- values ---- */

json_t *compat_side_values(const struct compat_side *side, const struct compat_parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		const json_t *part = parts->items[i];
		const json_t *values = compat_side_get(side, part, "enum");
		const json_t *constant = compat_side_get(side, part, "const");
		if (constant != NULL)
			return json_pack("[O]", constant);
		if (values != NULL)
			return json_copy((json_t *)(uintptr_t)values);
	}
	if ((parts->types & ~(unsigned)(COMPAT_BOOLEAN | COMPAT_NULL)) != 0)
		return NULL;
	json_t *values = json_array();
	if ((parts->types & COMPAT_NULL) != 0)
		json_array_append_new(values, json_null());
	if ((parts->types & COMPAT_BOOLEAN) != 0) {
		json_array_append_new(values, json_true());
		json_array_append_new(values, json_false());
	}
	return values;
}

/* Appends the pointer from the value to what is looked for; bounded, as all schemas are. */
static bool find_way(const json_t *value, const json_t *wanted, unsigned depth, struct buf *way)
{
	const json_t *item;
	const char *key;
	size_t i, len = way->len;
	if (value == wanted)
		return true;
	if (depth > 2 * MAX_NESTING)
		return false;
	json_array_foreach((json_t *)(uintptr_t)value, i, item)
	{
		buf_printf(way, "/%zu", i);
		if (find_way(item, wanted, depth + 1, way))
			return true;
		buf_truncate(way, len);
	}
	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		buf_append_char(way, '/');
		for (const char *c = key; *c != '\0'; c++)
			if (*c == '~' || *c == '/' || *c == '%')
				buf_append_str(way, *c == '~' ? "~0" : *c == '/' ? "~1" : "%25");
			else
				buf_append_char(way, *c);
		if (find_way(item, wanted, depth + 1, way))
			return true;
		buf_truncate(way, len);
	}
	return false;
}

/* The schema at a place of the document; *wrapper keeps it. */
static struct schema *compile(
    const struct compat_side *side, const json_t *at, json_t **wrapper, struct error *err)
{
	struct buf way = {0};
	buf_append_str(&way, "urn:warren:compat#");
	if (json_is_boolean(at) || !find_way(side->root, at, 0, &way)) {
		buf_release(&way);
		*wrapper = json_incref((json_t *)(uintptr_t)at);
		return schema_create(at, SCHEMA_ASSERT_FORMAT, err);
	}
	const json_t *dialect = json_object_get(side->root, "$schema");
	*wrapper = json_pack("{s:s, s:O?}", "$ref", way.ptr, "$schema", dialect);
	if (dialect == NULL)
		json_object_del(*wrapper, "$schema");
	buf_release(&way);
	struct schema *s = schema_create(*wrapper, SCHEMA_ASSERT_FORMAT, err);
	if (s != NULL && !schema_add(s, "urn:warren:compat", side->root, err)) {
		schema_free(s);
		s = NULL;
	}
	return s;
}

void compat_side_judge(
    const struct compat_side *side, const json_t *schema, const json_t *values, int *accepted)
{
	struct error err = {0};
	json_t *wrapper = NULL;
	struct schema *s = compile(side, schema, &wrapper, &err);
	size_t i;
	const json_t *value;
	json_array_foreach((json_t *)(uintptr_t)values, i, value)
	{
		bool good = s != NULL && schema_validate(s, value, NULL, NULL, &err);
		accepted[i] = err.kind != ERROR_NONE ? -1 : good;
	}
	schema_free(s);
	json_decref(wrapper);
}

static int accepts(const struct compat_side *side, const json_t *schema, const json_t *value)
{
	int accepted = -1;
	json_t *values = json_pack("[O]", value);
	compat_side_judge(side, schema, values, &accepted);
	json_decref(values);
	return accepted;
}

int compat_side_matches(const char *pattern, const char *text)
{
	struct compat_side side = {0};
	json_t *root = json_pack("{s:s}", "pattern", pattern);
	json_t *value = json_string(text);
	compat_side_init(&side, root);
	int matches = accepts(&side, root, value);
	json_decref(value);
	json_decref(root);
	return matches;
}
