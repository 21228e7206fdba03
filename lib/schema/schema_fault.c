#include "schema/schema_private.h"

#include "base/mem.h"

#include <stdlib.h>

static char *pointer_to(const struct schema_place *at)
{
	if (at->up == NULL)
		return mem_strdup("");
	char *parent = pointer_to(at->up);
	char *pointer = at->key != NULL ? schema_compile_pointer(parent, at->key)
					: mem_printf("%s/%zu", parent, at->index);
	free(parent);
	return pointer;
}

/* Which member of its object, which item of its array. */
static size_t ordinal_of(const struct schema_place *at)
{
	size_t ordinal = 0;
	json_t *object = (json_t *)at->up->value;
	if (at->key == NULL)
		return at->index;
	for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i)) {
		if (strcmp(json_object_iter_key(i), at->key) == 0)
			break;
		ordinal++;
	}
	return ordinal;
}

static size_t *position_of(const struct schema_place *at)
{
	size_t *position = mem_alloc(at->depth, sizeof *position);
	for (; at->up != NULL; at = at->up)
		position[at->depth - 1] = ordinal_of(at);
	return position;
}

/* The place of the name that is being judged, when one is. */
static const struct schema_place *name_of(const struct schema_place *at)
{
	return at->is_name ? at : NULL;
}

/* NULL when nobody wants to know. */
static struct schema_fault *add(struct schema_run *r, const struct schema_place *at)
{
	struct schema_faults *list = &r->faults;
	if (r->quiet > 0 || list->count >= SCHEMA_MAX_FAULTS)
		return NULL;
	list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
	struct schema_fault *f = &list->items[list->count++];
	*f = (struct schema_fault){.serial = list->serial++, .depth = at->depth};
	f->position = position_of(at);
	f->finding.instance = pointer_to(at);
	f->finding.value = at->is_name ? json_object_get(at->up->value, at->key) : at->value;
	return f;
}

static void set_property(
    struct schema_fault *f, const struct schema_place *at, const char *property)
{
	if (property == NULL && name_of(at) != NULL)
		property = at->key;
	f->finding.property = property != NULL ? mem_strdup(property) : NULL;
}

static void set_rule(struct schema_fault *f, const struct schema_rule *rule)
{
	f->finding.keyword = rule->keyword->name;
	f->finding.expected = rule->value;
	f->finding.subschema = rule->node->value;
	f->finding.schema = schema_compile_pointer(rule->node->pointer, rule->keyword->name);
}

void schema_fault_add(struct schema_run *r, const struct schema_rule *rule,
    const struct schema_place *at, const char *property, char *text)
{
	struct schema_fault *f = add(r, at);
	if (f == NULL) {
		free(text);
		return;
	}
	set_property(f, at, property);
	set_rule(f, rule);
	f->finding.text = text;
}

void schema_fault_assert(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	struct buf text = {0}, values = {0};
	struct schema_fault *f = add(r, at);
	if (f == NULL)
		return;
	set_property(f, at, NULL);
	set_rule(f, rule);
	if (at->is_name)
		buf_append_str(&text, "property name: ");
	schema_text_fill(rule->keyword->text, rule, at->value, &text);
	f->finding.text = buf_take(&text);
	f->types = rule->types;
	if (rule->keyword == &schema_keywords[KEYWORD_CONST])
		schema_text_fill("%b", rule, at->value, &values);
	else if (rule->keyword == &schema_keywords[KEYWORD_ENUM])
		schema_text_fill("%l", rule, at->value, &values);
	if (values.ptr != NULL)
		f->values = buf_take(&values);
}

void schema_fault_false(
    struct schema_run *r, const struct schema_node *n, const struct schema_place *at)
{
	const struct schema_rule *rule = n->within;
	struct schema_fault *f = add(r, at);
	if (f == NULL)
		return;
	const char *text = rule != NULL ? rule->keyword->false_text : NULL;
	set_property(f, at, text != NULL ? at->key : NULL);
	f->finding.keyword = rule != NULL ? rule->keyword->name : "";
	f->finding.expected = n->value;
	f->finding.subschema = rule != NULL ? rule->node->value : n->value;
	f->finding.schema = mem_strdup(n->pointer);
	f->finding.text = mem_strdup(text != NULL ? text : "no value is accepted here");
}

void schema_fault_drop(struct schema_faults *faults, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		struct schema_fault *f = &faults->items[i];
		free((char *)f->finding.instance);
		free((char *)f->finding.schema);
		free((char *)f->finding.property);
		free((char *)f->finding.text);
		free(f->position);
		free(f->values);
	}
	if (to > from && to < faults->count)
		memmove(faults->items + from, faults->items + to,
		    (faults->count - to) * sizeof *faults->items);
	faults->count -= to - from;
}

/* ---- branches ---- */

static bool refuses_value(const struct schema_fault *f)
{
	return f->types != 0 || f->values != NULL;
}

/* An unknown member is a fault of its object. */
static size_t blamed_depth(const struct schema_fault *f)
{
	return f->finding.property != NULL && json_is_false(f->finding.expected) && f->depth > 0
		   ? f->depth - 1
		   : f->depth;
}

struct schema_nearness schema_fault_nearness(
    const struct schema_faults *faults, size_t from, const struct schema_place *at)
{
	struct schema_nearness n = {.depth = SIZE_MAX, .count = faults->count - from};
	for (size_t i = from; i < faults->count; i++) {
		const struct schema_fault *f = &faults->items[i];
		n.refuses_all = n.refuses_all || (f->depth == at->depth && refuses_value(f));
		n.refuses_tag = n.refuses_tag || (f->depth == at->depth + 1 && f->values != NULL);
		n.depth = blamed_depth(f) < n.depth ? blamed_depth(f) : n.depth;
	}
	return n;
}

bool schema_fault_is_nearer(struct schema_nearness a, struct schema_nearness b)
{
	if (a.refuses_all != b.refuses_all)
		return b.refuses_all;
	if (a.refuses_tag != b.refuses_tag)
		return b.refuses_tag;
	if (a.depth != b.depth)
		return a.depth > b.depth;
	return a.count < b.count;
}

/* "expected integer or one of never, always, found string \"x\"", "not one of never, always". */
static char *merged_text(unsigned types, const char *values, const struct schema_place *at)
{
	struct buf text = {0};
	if (at->is_name)
		buf_append_str(&text, "property name: ");
	if (types == 0) {
		buf_printf(&text, "not one of %s", values);
		return buf_take(&text);
	}
	buf_append_str(&text, "expected ");
	schema_text_types(types, &text);
	if (values != NULL)
		buf_printf(&text, " or one of %s", values);
	buf_append_str(&text, ", found ");
	schema_text_found(at->value, &text);
	return buf_take(&text);
}

void schema_fault_merge(struct schema_run *r, size_t from, const struct schema_rule *rule,
    const struct schema_place *at)
{
	struct buf values = {0};
	unsigned types = 0;
	for (size_t i = from; i < r->faults.count; i++) {
		const struct schema_fault *f = &r->faults.items[i];
		if (f->depth != at->depth || !refuses_value(f))
			continue;
		types |= f->types;
		if (f->values != NULL)
			buf_printf(&values, "%s%s", values.len > 0 ? ", " : "", f->values);
	}
	schema_fault_drop(&r->faults, from, r->faults.count);
	struct schema_fault *f = add(r, at);
	if (f != NULL) {
		set_property(f, at, NULL);
		set_rule(f, rule);
		f->finding.text = merged_text(types, values.ptr, at);
		f->types = types;
		f->values = values.ptr != NULL ? buf_take(&values) : NULL;
	}
	buf_release(&values);
}

/* ---- the report ---- */

/* A value before what is inside it, members and items in their order. */
static int compare_faults(const void *left, const void *right)
{
	const struct schema_fault *a = left, *b = right;
	for (size_t i = 0; i < a->depth && i < b->depth; i++)
		if (a->position[i] != b->position[i])
			return a->position[i] < b->position[i] ? -1 : 1;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	return a->serial < b->serial ? -1 : a->serial > b->serial;
}

static bool says_the_same(const struct schema_fault *a, const struct schema_fault *b)
{
	return strcmp(a->finding.instance, b->finding.instance) == 0 &&
	       strcmp(a->finding.text, b->finding.text) == 0;
}

void schema_fault_report(struct schema_faults *faults, schema_report_fn *report, void *ctx)
{
	if (faults->count == 0)
		return;
	qsort(faults->items, faults->count, sizeof *faults->items, compare_faults);
	for (size_t i = 0; i < faults->count; i++) {
		const struct schema_fault *f = &faults->items[i];
		bool is_double = false;
		for (size_t k = i; k-- > 0 && !is_double;) {
			if (strcmp(faults->items[k].finding.instance, f->finding.instance) != 0)
				break;
			is_double = says_the_same(&faults->items[k], f);
		}
		if (!is_double)
			report(ctx, &f->finding);
	}
}
