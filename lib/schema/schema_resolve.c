#include "schema/schema_private.h"

#include "base/mem.h"
#include "base/num.h"

#include <stdlib.h>

/* A built-in meta-schema joins the documents when something refers to it. */
static struct schema_resource *add_meta(struct schema *s, const char *uri, struct error *err)
{
	const char *text = schema_meta_text(uri);
	if (text == NULL)
		return NULL;
	json_t *json = json_loads(text, 0, NULL);
	if (json == NULL) {
		error_set(err, ERROR_INTERNAL, "built-in meta-schema '%s' is not JSON", uri);
		return NULL;
	}
	const struct schema_document *d = schema_compile_add_document(s, uri, json, json);
	if (!schema_compile_document(s, d, err))
		return NULL;
	return schema_map_get(&s->by_uri, slice_str(uri));
}

static const struct schema_node *find_anchor(const struct schema_resource *r, const char *name)
{
	for (size_t i = 0; i < r->anchor_count; i++)
		if (strcmp(r->anchors[i].name, name) == 0)
			return r->anchors[i].node;
	return NULL;
}

/* Undoes ~0 and ~1 in place. */
static void unescape_step(char *step)
{
	char *to = step;
	for (const char *from = step; *from != '\0'; from++) {
		bool escaped = from[0] == '~' && (from[1] == '0' || from[1] == '1');
		*to++ = !escaped ? *from : from[1] == '0' ? '~' : '/';
		from += escaped;
	}
	*to = '\0';
}

static const json_t *step_down(const json_t *value, const char *step)
{
	uint64_t index;
	struct error ignored = {0}; /* not a number: no such item */
	if (json_is_object(value))
		return json_object_get(value, step);
	if (json_is_array(value) && num_parse_u64(slice_str(step), 0, SIZE_MAX, &index, &ignored))
		return json_array_get(value, (size_t)index);
	return NULL;
}

static const struct schema_node *node_of(const struct schema *s, const json_t *value)
{
	return schema_map_get(&s->by_json, (struct slice){(const char *)&value, sizeof value});
}

/* Walks a JSON pointer down from a resource. What it reaches may stand where nobody expected a
 * schema, under an unknown keyword; then it is compiled now, as a part of the last known node. */
static const struct schema_node *find_pointer(
    struct schema *s, const struct schema_node *from, char *pointer, struct error *err)
{
	const struct schema_node *known = from;
	const json_t *value = from->value;
	char *place = mem_strdup(from->pointer);
	char *rest = pointer;
	while (value != NULL && *rest == '/') {
		char *step = rest + 1;
		rest = step + strcspn(step, "/");
		char end = *rest;
		*rest = '\0';
		unescape_step(step);
		value = step_down(value, step);
		char *longer = schema_compile_pointer(place, step);
		free(place);
		place = longer;
		*rest = end;
		if (json_is_object(value) && node_of(s, value) != NULL)
			known = node_of(s, value);
	}
	if (value == known->value || !(json_is_object(value) || json_is_boolean(value))) {
		free(place);
		return value == known->value ? known : NULL;
	}
	return schema_compile_node(s, value, known->resource, NULL, place, err);
}

/* NULL when the reference leads nowhere (err stays clear) or into a broken schema. */
static const struct schema_node *find_target(
    struct schema *s, const struct schema_rule *rule, struct error *err)
{
	const char *reference = json_string_value(rule->value);
	const struct schema_node *target = NULL;
	char *uri = schema_uri_resolve(rule->node->resource->uri, reference);
	char *fragment = schema_uri_fragment(reference);
	struct schema_resource *r = schema_map_get(&s->by_uri, slice_str(uri));
	if (r == NULL)
		r = add_meta(s, uri, err);
	if (r != NULL) {
		r = r->node->resource; /* a document whose $id gives it another URI */
		target = fragment[0] == '\0'  ? r->node
			 : fragment[0] == '/' ? find_pointer(s, r->node, fragment, err)
					      : find_anchor(r, fragment);
	}
	free(uri);
	free(fragment);
	return target;
}

/* A $dynamicRef is one only when it first leads to a $dynamicAnchor of that name. */
static const char *find_dynamic_name(const struct schema_rule *rule)
{
	const struct schema_resource *r = rule->target->resource;
	const char *hash = strchr(json_string_value(rule->value), '#');
	for (size_t i = 0; hash != NULL && i < r->anchor_count; i++) {
		const struct schema_anchor *a = &r->anchors[i];
		if (a->dynamic && a->node == rule->target && strcmp(a->name, hash + 1) == 0)
			return a->name;
	}
	return NULL;
}

bool schema_resolve_references(struct schema *s, struct error *err)
{
	for (size_t i = 0; i < s->references.count; i++) { /* it grows on the way */
		struct schema_rule *rule = s->references.items[i];
		if (rule->target != NULL)
			continue;
		rule->target = find_target(s, rule, err);
		if (err->kind != ERROR_NONE)
			return false;
		if (rule->target != NULL && rule->keyword == &schema_keywords[KEYWORD_DYNAMIC_REF])
			rule->dynamic = find_dynamic_name(rule);
	}
	return true;
}
