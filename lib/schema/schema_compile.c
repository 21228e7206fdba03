#include "schema/schema_private.h"

#include "base/mem.h"

#include <stdlib.h>

static void keep(struct schema_list *list, void *item)
{
	list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof(void *));
	list->items[list->count++] = item;
}

struct schema_document *schema_compile_add_document(
    struct schema *s, const char *uri, const json_t *json, json_t *owned)
{
	struct schema_document *d = mem_alloc(1, sizeof *d);
	d->uri = schema_uri_resolve("", uri);
	d->json = json;
	d->owned = owned;
	keep(&s->documents, d);
	return d;
}

char *schema_compile_pointer(const char *pointer, const char *key)
{
	struct buf out = {0};
	buf_append_str(&out, pointer);
	buf_append_char(&out, '/');
	for (; *key != '\0'; key++) {
		if (*key == '~' || *key == '/')
			buf_append_str(&out, *key == '~' ? "~0" : "~1");
		else
			buf_append_char(&out, *key);
	}
	return buf_take(&out);
}

static bool refuse(const struct schema_rule *rule, struct error *err, const char *accepted)
{
	char *where = schema_text_place(rule->node);
	error_set(err, ERROR_SETTINGS, "%s: '%s' must be %s", where, rule->keyword->name, accepted);
	free(where);
	return false;
}

/* ---- shapes ---- */

static bool is_schema(const json_t *v)
{
	return json_is_object(v) || json_is_boolean(v);
}

static bool is_any(const json_t *v)
{
	return v != NULL;
}

static bool is_array(const json_t *v)
{
	return json_is_array(v);
}

static bool is_string(const json_t *v)
{
	return json_is_string(v);
}

static bool is_number(const json_t *v)
{
	return json_is_number(v);
}

static bool is_positive(const json_t *v)
{
	return json_is_number(v) && json_number_value(v) > 0;
}

static bool is_count(const json_t *v)
{
	return (schema_value_types(v) & SCHEMA_INTEGER) != 0 && json_number_value(v) >= 0;
}

static bool is_boolean(const json_t *v)
{
	return json_is_boolean(v);
}

static bool is_names(const json_t *v)
{
	size_t i;
	json_t *name;
	json_array_foreach(v, i, name) if (!json_is_string(name)) return false;
	return json_is_array(v);
}

static bool all_members(const json_t *v, bool (*fits)(const json_t *))
{
	const char *key;
	json_t *member;
	json_object_foreach((json_t *)v, key, member) if (!fits(member)) return false;
	return json_is_object(v);
}

static bool is_names_map(const json_t *v)
{
	return all_members(v, is_names);
}

static bool is_schema_map(const json_t *v)
{
	return all_members(v, is_schema);
}

static bool is_schema_or_names(const json_t *v)
{
	return is_schema(v) || is_names(v);
}

static bool is_dependencies(const json_t *v)
{
	return all_members(v, is_schema_or_names);
}

static bool is_schemas(const json_t *v)
{
	size_t i;
	json_t *item;
	json_array_foreach(v, i, item) if (!is_schema(item)) return false;
	return json_array_size(v) > 0;
}

static bool is_schema_or_list(const json_t *v)
{
	return is_schema(v) || is_schemas(v) || (json_is_array(v) && json_array_size(v) == 0);
}

static unsigned type_of_name(const json_t *name)
{
	return json_is_string(name) ? schema_text_type(json_string_value(name)) : 0;
}

static bool is_type(const json_t *v)
{
	size_t i;
	json_t *name;
	if (json_is_string(v))
		return type_of_name(v) != 0;
	json_array_foreach(v, i, name) if (type_of_name(name) == 0) return false;
	return json_array_size(v) > 0;
}

static const struct shape_row {
	bool (*fits)(const json_t *v);
	const char *accepted;
} shapes[] = {
    [SHAPE_ANY] = {is_any, ""},
    [SHAPE_TYPE] = {is_type, "one or a list of: string integer number boolean array object null"},
    [SHAPE_LIST] = {is_array, "an array"},
    [SHAPE_URI] = {is_string, "a string"},
    [SHAPE_NUMBER] = {is_number, "a number"},
    [SHAPE_POSITIVE] = {is_positive, "a number above 0"},
    [SHAPE_COUNT] = {is_count, "an integer of at least 0"},
    [SHAPE_STRING] = {is_string, "a string"},
    [SHAPE_PATTERN] = {is_string, "a string"},
    [SHAPE_BOOLEAN] = {is_boolean, "true or false"},
    [SHAPE_NAMES] = {is_names, "an array of strings"},
    [SHAPE_NAMES_MAP] = {is_names_map, "an object of arrays of strings"},
    [SHAPE_SCHEMA] = {is_schema, "a schema: an object, true or false"},
    [SHAPE_SCHEMAS] = {is_schemas, "an array of one or more schemas"},
    [SHAPE_SCHEMA_OR_LIST] = {is_schema_or_list, "a schema or an array of schemas"},
    [SHAPE_SCHEMA_MAP] = {is_schema_map, "an object of schemas"},
    [SHAPE_PATTERN_MAP] = {is_schema_map, "an object of schemas"},
    [SHAPE_DEPENDENCIES] = {is_dependencies, "an object of schemas or arrays of strings"},
};

/* ---- rules ---- */

static const struct schema_regex *compile_regex(
    struct schema *s, const struct schema_rule *rule, struct slice pattern, struct error *err)
{
	struct schema_regex *regex = schema_map_get(&s->by_pattern, pattern);
	if (regex != NULL)
		return regex;
	regex = schema_regex_create(pattern, err);
	if (regex == NULL) {
		char *where = schema_text_place(rule->node);
		error_context(err, "%s", where);
		free(where);
		return NULL;
	}
	keep(&s->regexes, regex);
	schema_map_put(&s->by_pattern, pattern, regex);
	return regex;
}

/* One subschema: under `name` in a map, at the index in a list, or (key NULL) the value itself. */
static bool add_branch(struct schema *s, struct schema_rule *rule, const char *key,
    const char *name, const json_t *value, struct error *err)
{
	struct schema_branch *b = &rule->branches[rule->branch_count++];
	b->name = name;
	b->value = value;
	if (rule->keyword->shape == SHAPE_PATTERN_MAP) {
		b->regex = compile_regex(s, rule, slice_str(name), err);
		if (b->regex == NULL)
			return false;
	}
	if (!is_schema(value))
		return true;
	char *pointer = schema_compile_pointer(rule->node->pointer, rule->keyword->name);
	if (key != NULL) {
		char *parent = pointer;
		pointer = schema_compile_pointer(parent, key);
		free(parent);
	}
	b->node = schema_compile_node(s, value, rule->node->resource, rule, pointer, err);
	return b->node != NULL;
}

static bool add_list(struct schema *s, struct schema_rule *rule, struct error *err)
{
	size_t i;
	json_t *item;
	rule->branches = mem_alloc(json_array_size(rule->value), sizeof *rule->branches);
	json_array_foreach(rule->value, i, item)
	{
		char *key = mem_printf("%zu", i);
		bool ok = add_branch(s, rule, key, NULL, item, err);
		free(key);
		if (!ok)
			return false;
	}
	return true;
}

static bool add_map(struct schema *s, struct schema_rule *rule, struct error *err)
{
	const char *key;
	json_t *member;
	rule->branches = mem_alloc(json_object_size(rule->value), sizeof *rule->branches);
	json_object_foreach((json_t *)rule->value, key,
	    member) if (!add_branch(s, rule, key, key, member, err)) return false;
	return true;
}

static bool add_subschemas(struct schema *s, struct schema_rule *rule, struct error *err)
{
	enum schema_shape shape = rule->keyword->shape;
	if (shape == SHAPE_SCHEMAS || (shape == SHAPE_SCHEMA_OR_LIST && json_is_array(rule->value)))
		return add_list(s, rule, err);
	if (shape == SHAPE_SCHEMA_MAP || shape == SHAPE_PATTERN_MAP || shape == SHAPE_DEPENDENCIES)
		return add_map(s, rule, err);
	if (shape != SHAPE_SCHEMA && shape != SHAPE_SCHEMA_OR_LIST)
		return true;
	rule->branches = mem_alloc(1, sizeof *rule->branches);
	return add_branch(s, rule, NULL, NULL, rule->value, err);
}

static unsigned types_of(const json_t *value)
{
	unsigned set = type_of_name(value);
	for (size_t i = 0; i < json_array_size(value); i++)
		set |= type_of_name(json_array_get(value, i));
	return set;
}

static bool prepare_rule(struct schema *s, struct schema_rule *rule, struct error *err)
{
	const struct shape_row *shape = &shapes[rule->keyword->shape];
	const struct schema_dialect *dialect = &rule->node->resource->dialect;
	if (!shape->fits(rule->value))
		return refuse(rule, err, shape->accepted);
	switch (rule->keyword->shape) {
	case SHAPE_TYPE:
		rule->types = types_of(rule->value);
		return true;
	case SHAPE_PATTERN:
		rule->regex = compile_regex(s, rule, schema_value_text(rule->value), err);
		return rule->regex != NULL;
	case SHAPE_STRING:
		if ((s->flags & SCHEMA_ASSERT_FORMAT) != 0 ||
		    (dialect->vocabularies & SCHEMA_FORMAT_ASSERTION) != 0)
			rule->format = schema_format_find(json_string_value(rule->value));
		return true;
	case SHAPE_URI:
		keep(&s->references, rule);
		return true;
	default:
		return add_subschemas(s, rule, err);
	}
}

/* ---- nodes ---- */

/* In draft 7 what stands beside $ref means nothing; only definitions are still looked into. */
static bool is_hidden(const struct schema_node *n, const struct schema_keyword *k)
{
	return n->resource->dialect.draft == SCHEMA_DRAFT_7 &&
	       json_object_get(n->value, "$ref") != NULL && k != &schema_keywords[KEYWORD_REF] &&
	       k != &schema_keywords[KEYWORD_DEFINITIONS];
}

/* Keeps the rules in the order of the table. */
static void insert_rule(struct schema_node *n, struct schema_rule rule)
{
	size_t at = n->rule_count++;
	for (; at > 0 && n->rules[at - 1].keyword > rule.keyword; at--)
		n->rules[at] = n->rules[at - 1];
	n->rules[at] = rule;
}

static bool add_rules(struct schema *s, struct schema_node *n, struct error *err)
{
	const char *key;
	json_t *value;
	n->rules = mem_alloc(json_object_size(n->value), sizeof *n->rules);
	json_object_foreach((json_t *)n->value, key, value)
	{
		const struct schema_keyword *k = schema_keyword_find(key, &n->resource->dialect);
		if (k == NULL || is_hidden(n, k))
			continue;
		insert_rule(n, (struct schema_rule){.keyword = k, .value = value, .node = n});
		n->tracks = n->tracks || k->vocabulary == SCHEMA_UNEVALUATED;
	}
	for (size_t i = 0; i < n->rule_count; i++) /* their addresses stay from here on */
		if (!prepare_rule(s, &n->rules[i], err))
			return false;
	return true;
}

static void add_anchor(struct schema_node *n, const json_t *name, size_t skip, bool dynamic)
{
	struct schema_resource *r = n->resource;
	if (!json_is_string(name))
		return;
	r->anchors =
	    mem_grow(r->anchors, &r->anchor_capacity, r->anchor_count + 1, sizeof *r->anchors);
	r->anchors[r->anchor_count++] =
	    (struct schema_anchor){json_string_value(name) + skip, n, dynamic};
}

static struct schema_resource *add_resource(struct schema *s, char *uri, const json_t *json)
{
	struct schema_resource *r = mem_alloc(1, sizeof *r);
	r->uri = uri;
	r->json = json;
	r->recursive = json_is_true(json_object_get(json, "$recursiveAnchor"));
	keep(&s->resources, r);
	schema_map_put(&s->by_uri, slice_str(uri), r);
	return r;
}

/* Finds the dialect of a resource, and notes when it has to be asked for again. A document that
 * names none speaks the dialect of the main one. */
static bool set_dialect(struct schema *s, struct schema_resource *r, struct error *err)
{
	const struct schema_resource *main_resource = s->resources.items[0];
	if (json_object_get(r->json, "$schema") == NULL && r != main_resource) {
		r->dialect = main_resource->dialect;
		return true;
	}
	if (!schema_dialect_find(s, r->json, &r->dialect, err))
		return false;
	s->waits_for_dialect = s->waits_for_dialect || r->dialect.unknown != NULL;
	return true;
}

/* "$id", which makes a resource of its own (or, in draft 7, an anchor), and the anchors. */
static bool identify(struct schema *s, struct schema_node *n, struct error *err)
{
	bool is_draft7 = n->resource->dialect.draft == SCHEMA_DRAFT_7;
	const char *id = json_string_value(json_object_get(n->value, "$id"));
	if (is_draft7 && json_object_get(n->value, "$ref") != NULL)
		return true;
	if (id != NULL && is_draft7 && id[0] == '#') {
		add_anchor(n, json_object_get(n->value, "$id"), 1, false);
	} else if (id != NULL) {
		char *uri = schema_uri_resolve(n->resource->uri, id);
		struct schema_resource *r = add_resource(s, uri, n->value);
		r->node = n;
		r->dialect = n->resource->dialect;
		n->resource = r;
		if (json_object_get(n->value, "$schema") != NULL && !set_dialect(s, r, err))
			return false;
	}
	if (!is_draft7)
		add_anchor(n, json_object_get(n->value, "$anchor"), 0, false);
	if (n->resource->dialect.draft == SCHEMA_DRAFT_2020)
		add_anchor(n, json_object_get(n->value, "$dynamicAnchor"), 0, true);
	return true;
}

/* The same object may stand at several places of a tree (an alias in YAML): once is enough, and
 * keeps aliases of aliases from multiplying. */
static struct schema_node *find_shared(
    const struct schema *s, const json_t **value, const struct schema_resource *outer)
{
	struct schema_node *n =
	    schema_map_get(&s->by_json, (struct slice){(const char *)value, sizeof *value});
	return n != NULL && n->outer == outer ? n : NULL;
}

struct schema_node *schema_compile_node(struct schema *s, const json_t *value,
    struct schema_resource *resource, const struct schema_rule *within, char *pointer,
    struct error *err)
{
	struct schema_node *n = find_shared(s, &value, resource);
	if (n != NULL) {
		free(pointer);
		return n;
	}
	n = mem_alloc(1, sizeof *n);
	*n = (struct schema_node){value, resource, resource, within, pointer, NULL, 0, false};
	keep(&s->nodes, n);
	if (!json_is_object(value))
		return n; /* true and false are one object each: they have no place */
	schema_map_put(&s->by_json, (struct slice){(const char *)&n->value, sizeof n->value}, n);
	bool ok = ++s->nesting <= SCHEMA_MAX_NESTING ||
		  error_set(err, ERROR_SETTINGS,
		      "schema holds more than %d schemas within each other", SCHEMA_MAX_NESTING);
	ok = ok && identify(s, n, err) && add_rules(s, n, err);
	s->nesting--;
	return ok ? n : NULL;
}

bool schema_compile_document(struct schema *s, const struct schema_document *d, struct error *err)
{
	if (!is_schema(d->json))
		return error_set(err, ERROR_SETTINGS, "schema must be an object, true or false");
	bool is_main = d == s->documents.items[0];
	char *pointer = is_main ? mem_strdup("") : mem_printf("%s#", d->uri);
	struct schema_resource *r = add_resource(s, mem_strdup(d->uri), d->json);
	if (!set_dialect(s, r, err)) {
		free(pointer);
		return false;
	}
	r->node = schema_compile_node(s, d->json, r, NULL, pointer, err);
	return r->node != NULL;
}
