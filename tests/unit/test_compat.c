/* Whether what follows one schema is accepted by another: what is said of pairs, and that no
 * "compatible" has a counterexample among many random ones. */
#include "schema/compat.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "json_bench.h"
#include "schema/schema.h"

#include <check.h>
#include <stdlib.h>

static void collect(void *ctx, const struct compat_finding *f)
{
	buf_printf(ctx, "%s%s|%s|%s\n", f->verdict == COMPAT_NO ? "" : "? ", f->instance, f->reader,
	    f->text);
}

/* The writer's schema, the reader's, and what stands in the way. */
static const struct row {
	const char *writer, *reader, *said;
} rows[] = {
    {"{}", "{}", ""},
    {"{'type': 'integer'}", "{'type': 'number'}", ""},
    {"{'type': 'number'}", "{'type': 'integer'}",
	"|/type|may be a number that is no integer; accepted is integer\n"},
    {"{'type': ['string', 'null']}", "{'type': 'string'}",
	"|/type|may be null; accepted is string\n"},
    {"{}", "{'type': 'string'}",
	"|/type|may be object or array or number or boolean or null; accepted is string\n"},
    {"false", "{'type': 'string'}", ""},
    {"{'type': 'string'}", "false", "||nothing is accepted here\n"},
    {"{'enum': ['a', 'b']}", "{'enum': ['b', 'a', 'c']}", ""},
    {"{'enum': ['a', 'b']}", "{'enum': ['a']}", "||may be \"b\", which is not accepted\n"},
    {"{'enum': ['a', 5], 'type': 'string'}", "{'type': 'string'}", ""},
    {"{'const': 5}", "{'minimum': 5}", ""},
    {"{'type': 'string'}", "{'enum': ['a']}",
	"|/enum|may have other values than the 1 that are accepted\n"},
    {"{'type': 'boolean'}", "{'enum': [true, false, 1]}", ""},
    {"{'minimum': 5}", "{'minimum': 4}", ""},
    {"{'minimum': 5, 'type': 'number'}", "{'minimum': 6}",
	"|/minimum|may be less than the minimum 6\n"},
    {"{'exclusiveMinimum': 5, 'type': 'integer'}", "{'minimum': 6}", ""},
    {"{'exclusiveMinimum': 5}", "{'minimum': 5}", ""},
    {"{'minimum': 5, 'type': 'number'}", "{'exclusiveMinimum': 5}",
	"|/exclusiveMinimum|may be less than the exclusiveMinimum 5\n"},
    {"{'maximum': 3.5, 'type': 'integer'}", "{'exclusiveMaximum': 4}", ""},
    {"{'maximum': 9, 'type': 'integer'}", "{'maximum': 8}",
	"|/maximum|may be more than the maximum 8\n"},
    {"{'multipleOf': 6}", "{'multipleOf': 3}", ""},
    {"{'type': 'integer'}", "{'multipleOf': 1}", ""},
    {"{'type': 'integer'}", "{'multipleOf': 2}", "|/multipleOf|may be no multiple of 2\n"},
    {"{'minLength': 3}", "{'minLength': 2}", ""},
    {"{'type': 'string'}", "{'maxLength': 2}", "|/maxLength|may have more than the maxLength 2\n"},
    {"{'type': 'string', 'format': 'date'}", "{'maxLength': 10}",
	"? |/maxLength|perhaps it may have more than the maxLength 10\n"},
    {"{'pattern': '^a'}", "{'pattern': '^a'}", ""},
    {"{'pattern': '^ab', 'type': 'string'}", "{'pattern': '^a'}",
	"? |/pattern|it cannot be told whether it always matches '^a'\n"},
    {"{'type': 'string'}", "{'pattern': '^a'}",
	"|/pattern|may be a text that does not match '^a'\n"},
    {"{'type': 'string'}", "{'format': 'email'}", "|/format|may be a text that is no email\n"},
    {"{'format': 'email'}",
	"{'format': 'email', 'type': ['string', 'number', 'object', "
	"'array', 'null', 'boolean']}",
	""},
    /* objects */
    {"{'type': 'object', 'required': ['a', 'b']}", "{'required': ['b']}", ""},
    {"{'type': 'object', 'required': ['a']}", "{'required': ['a', 'b']}",
	"|/required|the property 'b' is required, and may be missing\n"},
    {"{'type': 'object', 'properties': {'a': {'type': 'integer'}}}",
	"{'properties': {'a': {'type': 'number'}}}", ""},
    {"{'type': 'object', 'properties': {'a': {'type': 'number'}}}",
	"{'properties': {'a': {'type': 'string'}}}",
	"/a|/properties/a/type|may be number; accepted is string\n"},
    {"{'type': 'object'}", "{'properties': {'b': {'type': 'string'}}}",
	"/b|/properties/b/type|may be object or array or number or boolean or null; accepted is "
	"string\n"},
    {"{'type': 'object', 'additionalProperties': false}",
	"{'properties': {'b': {'type': 'string'}}}", ""},
    {"{'type': 'object', 'properties': {'a': {}, 'b': {}}}",
	"{'properties': {'a': {}}, "
	"'additionalProperties': false}",
	"/b|/additionalProperties|nothing is accepted here\n"
	"/*|/additionalProperties|nothing is accepted here\n"},
    {"{'type': 'object', 'patternProperties': {'^x': {'type': 'integer'}}, "
     "'additionalProperties': false}",
	"{'additionalProperties': {'type': 'number'}}", ""},
    {"{'type': 'object', 'properties': {'xa': {'type': 'string'}}, 'additionalProperties': false}",
	"{'patternProperties': {'^x': {'type': 'integer'}}}",
	"/xa|/patternProperties/^x/type|may be string; accepted is integer\n"},
    {"{'type': 'object', 'required': ['a', 'b'], 'additionalProperties': false, 'properties': "
     "{'a': {}, 'b': {}}}",
	"{'minProperties': 2, 'maxProperties': 2}", ""},
    {"{'type': 'object', 'required': ['a']}", "{'dependentRequired': {'x': ['a']}}", ""},
    {"{'type': 'object', 'propertyNames': {'maxLength': 3}}", "{'propertyNames': {'maxLength': 4}}",
	""},
    /* arrays */
    {"{'type': 'array', 'items': {'type': 'integer'}}", "{'items': {'type': 'string'}}",
	"/*|/items/type|may be integer; accepted is string\n"},
    {"{'type': 'array', 'prefixItems': [{'type': 'integer'}], 'items': false}",
	"{'items': {'type': 'number'}, 'maxItems': 1}", ""},
    {"{'type': 'array', 'items': {'type': 'integer'}}",
	"{'prefixItems': [{'type': 'number'}, {'type': 'string'}]}",
	"/1|/prefixItems/1/type|may be integer; accepted is string\n"},
    {"{'type': 'array', 'prefixItems': [{'type': 'string'}]}",
	"{'prefixItems': [{'type': 'string'}], 'items': {'type': 'null'}}",
	"/*|/items/type|may be object or array or string or number or boolean; accepted is null\n"},
    {"{'type': 'array', 'maxItems': 1}", "{'uniqueItems': true}", ""},
    {"{'type': 'array', 'contains': {'type': 'null'}}", "{'contains': {'type': 'null'}}", ""},
    {"{'type': 'array', 'contains': {'type': 'null'}}", "{'contains': {}}",
	"? |/contains|it cannot be told whether there always is such an item\n"},
    /* cases */
    {"{'anyOf': [{'type': 'string'}, {'type': 'integer'}]}", "{'type': ['number', 'string']}", ""},
    {"{'anyOf': [{'type': 'string'}, {'type': 'integer'}]}", "{'type': 'string'}",
	"|/type|may be integer; accepted is string\n"},
    {"{'type': ['string', 'null']}", "{'anyOf': [{'type': 'string'}, {'type': 'null'}]}", ""},
    {"{'type': ['string', 'null']}", "{'oneOf': [{'type': 'string'}, {'type': 'null'}]}", ""},
    {"{'type': ['string', 'null']}", "{'oneOf': [{'type': 'string'}, {'type': 'integer'}]}",
	"||may be null, which is not accepted\n"},
    {"{'type': 'integer'}", "{'oneOf': [{'type': 'integer'}, {'type': 'number'}]}",
	"? |/oneOf|it cannot be told whether exactly one of these always accepts it\n"},
    {"{'type': 'object', 'required': ['k'], 'properties': {'k': {'const': 'a'}}}",
	"{'oneOf': [{'properties': {'k': {'const': 'a'}}}, {'properties': {'k': {'const': 'b'}}}]}",
	""},
    {"{'allOf': [{'minimum': 3}, {'type': 'integer'}]}", "{'minimum': 2, 'type': 'number'}", ""},
    {"{'type': 'string'}", "{'not': {'type': 'integer'}}", ""},
    {"{'type': 'string'}", "{'not': {'maxLength': 3}}",
	"? |/not|it cannot be told whether this never applies\n"},
    {"{'type': 'string'}", "{'if': {'type': 'string'}, 'then': {}, 'else': false}", ""},
    {"{'not': {'type': 'string'}}", "{'type': 'integer'}",
	"? |/type|may be object or array or string or a number that is no integer or boolean or "
	"null; "
	"accepted is integer\n"},
    /* references */
    {"{'$ref': '#/$defs/a', '$defs': {'a': {'type': 'integer'}}}", "{'type': 'number'}", ""},
    {"{'type': 'string'}", "{'$ref': '#/$defs/a%25b', '$defs': {'a%b': {'type': 'integer'}}}",
	"|/$defs/a%25b/type|may be string; accepted is integer\n"},
    {"{'type': 'object', 'properties': {'n': {'$ref': '#'}, 'v': {'type': 'integer'}}}",
	"{'properties': {'n': {'$ref': '#'}, 'v': {'type': 'number'}}}", ""},
    {"{'type': 'object', 'properties': {'n': {'$ref': '#'}, 'v': {'type': 'number'}}}",
	"{'properties': {'n': {'$ref': '#'}, 'v': {'type': 'integer'}}}",
	"/n/v|/properties/v/type|may be a number that is no integer; accepted is integer\n"
	"/v|/properties/v/type|may be a number that is no integer; accepted is integer\n"},
    {"{'type': 'object'}", "{'$ref': 'other.json'}",
	"? |/$ref|the reference leads out of the document, or under another $id\n"},
    {"{'$schema': 'http://json-schema.org/draft-07/schema#', '$ref': '#/definitions/a', 'type': "
     "'integer', 'definitions': {'a': {}}}",
	"{'type': 'integer'}",
	"|/type|may be object or array or string or a number that is no integer or boolean or "
	"null; "
	"accepted is integer\n"},
    {"{'$schema': 'http://json-schema.org/draft-07/schema#', 'type': 'array', 'items': [{'type': "
     "'integer'}], 'additionalItems': false}",
	"{'items': {'type': 'number'}}", ""},
    {"{'type': 'object'}", "{'unevaluatedProperties': false}",
	"? ||it has keywords that are not compared\n"},
};

static char *compare(const json_t *writer, const json_t *reader, unsigned flags)
{
	struct buf said = {0};
	buf_append_str(&said, "");
	enum compat_verdict verdict = compat_check(writer, reader, flags, collect, &said);
	ck_assert_int_eq(verdict == COMPAT_YES, said.len == 0);
	return buf_take(&said);
}

START_TEST(what_stands_in_the_way_is_told)
{
	json_t *writer = read_json(rows[_i].writer), *reader = read_json(rows[_i].reader);
	char *said = compare(writer, reader, 0);
	ck_assert_msg(strcmp(said, rows[_i].said) == 0, "%s -> %s\nsaid: %s\nexpected: %s",
	    rows[_i].writer, rows[_i].reader, said, rows[_i].said);
	free(said);
	json_decref(writer);
	json_decref(reader);
}
END_TEST

START_TEST(closed_data_has_what_its_schema_names)
{
	json_t *writer = read_json("{\"type\": \"object\", \"properties\": {\"a\": {\"type\": "
				   "\"object\", \"properties\": {\"x\": {}}}}}");
	json_t *reader =
	    read_json("{\"properties\": {\"b\": {\"type\": \"string\"}, \"a\": "
		      "{\"additionalProperties\": false, \"properties\": {\"x\": {}}}}}");
	char *said = compare(writer, reader, COMPAT_CLOSED);
	ck_assert_str_eq(said, "");
	free(said);
	ck_assert_int_eq(compat_check(writer, reader, 0, NULL, NULL), COMPAT_NO);
	json_decref(writer);
	json_decref(reader);
}
END_TEST

/* ---- random ones ---- */

static json_t *random_value(struct rng *r, unsigned depth)
{
	static const char *const texts[] = {"", "a", "xb", "abc", "2026-01-01", "a@b.example"};
	json_t *value;
	uint64_t n;
	switch (rng_below(r, depth > 2 ? 5 : 8)) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(rng_below(r, 2));
	case 2:
		return json_integer((json_int_t)rng_below(r, 9) - 2);
	case 3:
		return json_real(((double)rng_below(r, 18) - 4) / 2);
	case 4:
		return json_string(texts[rng_below(r, ARRAY_LEN(texts))]);
	case 5:
		value = json_array();
		for (n = rng_below(r, 4); n > 0; n--)
			json_array_append_new(value, random_value(r, depth + 1));
		return value;
	default:
		value = json_object();
		for (n = rng_below(r, 4); n > 0; n--) {
			const char name[] = {"abxk"[rng_below(r, 4)], '\0'};
			json_object_set_new(value, name, random_value(r, depth + 1));
		}
		return value;
	}
}

static json_t *random_schema(struct rng *r, unsigned depth);

static json_t *random_list(struct rng *r, unsigned depth, size_t least)
{
	json_t *list = json_array();
	for (uint64_t n = least + rng_below(r, 2); n > 0; n--)
		json_array_append_new(list, random_schema(r, depth + 1));
	return list;
}

static json_t *random_map(struct rng *r, unsigned depth, const char *const *names, size_t count)
{
	json_t *map = json_object();
	for (uint64_t n = 1 + rng_below(r, 2); n > 0; n--)
		json_object_set_new(map, names[rng_below(r, count)], random_schema(r, depth + 1));
	return map;
}

static json_t *random_types(struct rng *r)
{
	static const char *const names[] = {
	    "object", "array", "string", "number", "integer", "boolean", "null"};
	json_t *types = json_array();
	if (rng_below(r, 2) == 0) {
		json_decref(types);
		return json_string(names[rng_below(r, ARRAY_LEN(names))]);
	}
	for (uint64_t n = 1 + rng_below(r, 3); n > 0; n--)
		json_array_append_new(types, json_string(names[rng_below(r, ARRAY_LEN(names))]));
	return types;
}

static json_t *random_values(struct rng *r)
{
	json_t *values = json_array();
	for (uint64_t n = 1 + rng_below(r, 3); n > 0; n--)
		json_array_append_new(values, random_value(r, 2));
	return values;
}

static json_t *random_names(struct rng *r)
{
	json_t *names = json_array();
	for (uint64_t n = 1 + rng_below(r, 2); n > 0; n--) {
		const char name[] = {"abxk"[rng_below(r, 4)], '\0'};
		json_array_append_new(names, json_string(name));
	}
	return names;
}

static void add_keyword(struct rng *r, unsigned depth, json_t *schema)
{
	static const char *const names[] = {"a", "b", "x", "k"};
	static const char *const patterns[] = {"^a", "b", "^x"};
	static const char *const formats[] = {"date", "email"};
	static const char *const bounds[] = {
	    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
	static const char *const counts[] = {
	    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"};
	static const char *const lists[] = {"anyOf", "oneOf", "allOf", "prefixItems"};
	static const char *const singles[] = {"items", "additionalProperties", "not", "contains",
	    "propertyNames", "if", "then", "else"};
	uint64_t what = rng_below(r, depth > 2 ? 10 : 20);
	if (what < 3)
		json_object_set_new(schema, "type", random_types(r));
	else if (what == 3)
		json_object_set_new(schema, "enum", random_values(r));
	else if (what == 4)
		json_object_set_new(schema, bounds[rng_below(r, 4)],
		    rng_below(r, 2) ? json_integer((json_int_t)rng_below(r, 6) - 1)
				    : json_real((double)rng_below(r, 10) / 2));
	else if (what == 5)
		json_object_set_new(schema, counts[rng_below(r, ARRAY_LEN(counts))],
		    json_integer((json_int_t)rng_below(r, 4)));
	else if (what == 6)
		json_object_set_new(schema, "required", random_names(r));
	else if (what == 7)
		json_object_set_new(schema, rng_below(r, 2) ? "pattern" : "format",
		    json_string(rng_below(r, 1) ? formats[0] : patterns[rng_below(r, 3)]));
	else if (what == 8)
		json_object_set_new(
		    schema, "multipleOf", json_integer(1 + (json_int_t)rng_below(r, 3)));
	else if (what == 9)
		json_object_set_new(schema, rng_below(r, 2) ? "uniqueItems" : "const",
		    rng_below(r, 2) ? json_true() : json_integer(1));
	else if (what < 14)
		json_object_set_new(schema, "properties", random_map(r, depth, names, 4));
	else if (what == 14)
		json_object_set_new(schema, "patternProperties", random_map(r, depth, patterns, 3));
	else if (what == 15)
		json_object_set_new(
		    schema, "$ref", json_string(rng_below(r, 2) ? "#" : "#/$defs/d"));
	else if (what == 16)
		json_object_set_new(schema, lists[rng_below(r, 4)], random_list(r, depth, 1));
	else if (what == 17)
		json_object_set_new(schema, "format", json_string(formats[rng_below(r, 2)]));
	else
		json_object_set_new(
		    schema, singles[rng_below(r, ARRAY_LEN(singles))], random_schema(r, depth + 1));
	if (!json_is_boolean(json_object_get(schema, "uniqueItems")))
		json_object_del(schema, "uniqueItems");
}

static json_t *random_schema(struct rng *r, unsigned depth)
{
	json_t *schema = json_object();
	if (depth > 0 && rng_below(r, 12) == 0) {
		json_decref(schema);
		return json_boolean(rng_below(r, 2));
	}
	for (uint64_t n = 1 + rng_below(r, depth == 0 ? 4 : 3); n > 0; n--)
		add_keyword(r, depth, schema);
	if (depth == 0)
		json_object_set_new(schema, "$defs", json_pack("{s:o}", "d", random_schema(r, 2)));
	return schema;
}

/* A schema somewhere in the tree; what it looks like is changed a little. */
static void change(struct rng *r, json_t *schema, unsigned depth)
{
	static const char *const ways[] = {"properties", "$defs", "patternProperties", "anyOf",
	    "oneOf", "allOf", "items", "additionalProperties"};
	uint64_t way = rng_below(r, ARRAY_LEN(ways));
	json_t *below = json_object_get(schema, ways[way]), *item = below;
	if (json_is_array(below) && json_array_size(below) > 0)
		item = json_array_get(below, rng_below(r, json_array_size(below)));
	else if (way < 3) /* a map of schemas */
		item = json_object_iter_value(json_object_iter(below));
	if (depth < 4 && json_is_object(item) && rng_below(r, 3) > 0) {
		change(r, item, depth + 1);
		return;
	}
	void *first = json_object_iter(schema);
	if (rng_below(r, 2) == 0 && first != NULL &&
	    strcmp(json_object_iter_key(first), "$defs") != 0)
		json_object_del(schema, json_object_iter_key(first));
	else
		add_keyword(r, depth, schema);
}

/* A value that is more likely to fulfil a schema: by its properties, types and values. */
static json_t *fitting_value(struct rng *r, const json_t *schema, unsigned depth)
{
	const json_t *values = json_object_get(schema, "enum"), *sub;
	const json_t *properties = json_object_get(schema, "properties");
	const json_t *branches = json_object_get(schema, "anyOf");
	const char *name;
	if (json_array_size(values) > 0)
		return json_deep_copy(
		    json_array_get(values, rng_below(r, json_array_size(values))));
	if (json_array_size(branches) > 0 && depth < 4)
		return fitting_value(r,
		    json_array_get(branches, rng_below(r, json_array_size(branches))), depth + 1);
	if (json_is_object(json_object_get(schema, "items")) && depth < 4 && rng_below(r, 2) > 0)
		return json_pack("[o,o]",
		    fitting_value(r, json_object_get(schema, "items"), depth + 1),
		    fitting_value(r, json_object_get(schema, "items"), depth + 1));
	if (properties == NULL || depth > 3 || rng_below(r, 4) == 0)
		return random_value(r, depth);
	json_t *value = json_object();
	json_object_foreach((json_t *)(uintptr_t)properties, name, sub)
	{
		if (rng_below(r, 4) > 0)
			json_object_set_new(value, name, fitting_value(r, sub, depth + 1));
	}
	if (rng_below(r, 3) == 0)
		json_object_set_new(value, "x", random_value(r, 2));
	return value;
}

struct tally {
	size_t pairs, yes, unknown, no, judged, witnessed;
};

/* 1, 0, or -1: it cannot be judged. */
static int judge(const struct schema *s, const json_t *value)
{
	struct error err = {0};
	bool good = schema_validate(s, value, NULL, NULL, &err);
	return err.kind != ERROR_NONE ? -1 : good;
}

static void try_pair(struct rng *r, const json_t *writer, const json_t *reader, struct tally *t)
{
	struct error err = {0};
	struct schema *w = schema_create(writer, SCHEMA_ASSERT_FORMAT, &err);
	struct schema *d = schema_create(reader, SCHEMA_ASSERT_FORMAT, &err);
	ck_assert_msg(w != NULL && d != NULL, "%s", err.text);
	enum compat_verdict verdict = compat_check(writer, reader, 0, NULL, NULL);
	bool witnessed = false;
	t->pairs++;
	t->yes += verdict == COMPAT_YES;
	t->unknown += verdict == COMPAT_UNKNOWN;
	t->no += verdict == COMPAT_NO;
	for (int i = 0; i < 60 && !witnessed; i++) {
		json_t *value = fitting_value(r, rng_below(r, 2) ? writer : reader, 0);
		witnessed = judge(w, value) == 1 && judge(d, value) == 0;
		t->judged++;
		if (witnessed && verdict == COMPAT_YES) {
			char *a = json_dumps(writer, 0), *b = json_dumps(reader, 0),
			     *c = json_dumps(value, JSON_ENCODE_ANY);
			ck_abort_msg("called compatible:\n%s\n%s\nbut: %s", a, b, c);
		}
		json_decref(value);
	}
	t->witnessed += witnessed && verdict == COMPAT_NO;
	schema_free(w);
	schema_free(d);
}

START_TEST(nothing_called_compatible_has_a_counterexample)
{
	const char *asked = getenv("PAIRS");
	uint64_t pairs = asked != NULL ? strtoull(asked, NULL, 10) : 4000;
	const char *start = getenv("SEED");
	uint64_t first = start != NULL ? strtoull(start, NULL, 10) : 0;
	struct tally t = {0};
	for (uint64_t seed = first; seed < first + pairs; seed++) {
		struct rng r;
		rng_seed(&r, seed);
		json_t *writer = random_schema(&r, 0);
		json_t *reader =
		    rng_below(&r, 8) == 0 ? random_schema(&r, 0) : json_deep_copy(writer);
		for (uint64_t n = rng_below(&r, 3); n > 0; n--)
			change(&r, reader, 0);
		try_pair(&r, writer, reader, &t);
		json_decref(writer);
		json_decref(reader);
	}
	printf("%zu pairs: %zu compatible, %zu unknown, %zu incompatible (%zu with a witness), %zu "
	       "values\n",
	    t.pairs, t.yes, t.unknown, t.no, t.witnessed, t.judged);
	ck_assert_uint_ge(t.yes, pairs / 10);
	ck_assert_uint_ge(t.no, pairs / 10);
	ck_assert_uint_ge(t.witnessed, t.no / 4);
}
END_TEST

START_TEST(every_schema_accepts_its_own_data)
{
	size_t yes = 0;
	for (uint64_t seed = 0; seed < 500; seed++) {
		struct rng r;
		rng_seed(&r, seed);
		json_t *schema = random_schema(&r, 0);
		enum compat_verdict verdict = compat_check(schema, schema, 0, NULL, NULL);
		yes += verdict == COMPAT_YES;
		json_decref(schema);
	}
	ck_assert_uint_ge(yes, 400);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compat");
	TCase *tc = tcase_create("compat");
	tcase_set_timeout(tc, 600);
	tcase_add_loop_test(tc, what_stands_in_the_way_is_told, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, closed_data_has_what_its_schema_names);
	tcase_add_test(tc, nothing_called_compatible_has_a_counterexample);
	tcase_add_test(tc, every_schema_accepts_its_own_data);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
