#include "base/mem.h"
#include "base/text.h"
#include "fake/generator_private.h"

#include <stdlib.h>

#define MAX_ITEMS 10000
#define MAX_COPIES 1000000

/* choice */

static bool add_choice(struct generator *g, size_t *capacity, const json_t *value, double weight,
    const struct report_path *at, struct report *report)
{
	struct buf text = {0};
	struct generator_choice choice = {0};
	if (!generator_read_constant(value, at, report, &choice.kind, &text))
		return false;
	choice.len = text.len;
	choice.text = buf_take(&text);
	size_t i = g->u.choice.count++;
	choice.up_to = (i > 0 ? g->u.choice.items[i - 1].up_to : 0) + weight;
	g->u.choice.items = mem_grow(g->u.choice.items, capacity, i + 1, sizeof *g->u.choice.items);
	g->u.choice.items[i] = choice;
	return true;
}

static bool compile_weights(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	size_t capacity = 0;
	bool good = true;
	const char *key;
	json_t *weight;
	json_object_foreach((json_t *)(uintptr_t)spec, key, weight)
	{
		struct report_path here = {at, key, 0};
		double w = json_is_number(weight) ? json_number_value(weight) : -1;
		if (!(w >= 0 && w <= 1e12)) {
			good = report_add(scope->report, &here,
			    "must be a weight: a number of at least 0, at most 1e12");
			continue;
		}
		if (w == 0)
			continue;
		json_t *value = json_string_nocheck(key);
		good &= add_choice(g, &capacity, value, w, &here, scope->report);
		json_decref(value);
	}
	if (good && g->u.choice.count == 0)
		return report_add(scope->report, at, "needs at least one weight above 0");
	return good;
}

static bool compile_choice(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	size_t capacity = 0;
	bool good = true;
	if (json_is_object(spec))
		return compile_weights(g, spec, at, scope);
	if (!json_is_array(spec))
		return report_kind(
		    scope->report, at, "a list of values or a map of values to weights", spec);
	if (json_array_size(spec) == 0)
		return report_add(scope->report, at, "needs at least one value to choose from");
	for (size_t i = 0; i < json_array_size(spec); i++) {
		struct report_path here = {at, NULL, i};
		good &= add_choice(g, &capacity, json_array_get(spec, i), 1, &here, scope->report);
	}
	return good;
}

static enum value_kind render_choice(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	const struct generator_choice *items = g->u.choice.items;
	size_t low = 0, high = g->u.choice.count - 1;
	double wanted = rng_unit(x->rng) * items[high].up_to;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (wanted < items[middle].up_to)
			high = middle;
		else
			low = middle + 1;
	}
	buf_append(out, (struct slice){items[low].text, items[low].len});
	return items[low].kind;
}

static void release_choice(struct generator *g)
{
	for (size_t i = 0; i < g->u.choice.count; i++)
		free(g->u.choice.items[i].text);
	free(g->u.choice.items);
}

const struct generator_kind generator_choice = {
    "choice", compile_choice, render_choice, release_choice};

/* list */

/* The generator behind a key that must be there. */
static struct generator *create_child(const json_t *spec, const char *key,
    const struct report_path *at, struct generator_scope *scope)
{
	struct report_path here = {at, key, 0};
	const json_t *child = json_object_get(spec, key);
	if (child == NULL) {
		report_kind(scope->report, &here, "a generator", NULL);
		return NULL;
	}
	return generator_create(child, &here, scope);
}

static bool compile_list(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	static const char *const keys[] = {"of", "count", NULL};
	struct report_path here = {at, "count", 0};
	if (!json_is_object(spec))
		return report_kind(scope->report, at, "a map with of and count", spec);
	bool good = report_keys(scope->report, at, spec, keys);
	good &= generator_read_bounds(
	    json_object_get(spec, "count"), MAX_ITEMS, &here, scope->report, &g->u.list.count);
	uint64_t outside = scope->copies;
	scope->copies *= g->u.list.count.max > 0 ? g->u.list.count.max : 1;
	if (scope->copies > MAX_COPIES)
		good = report_add(
		    scope->report, &here, "makes more than %d values of one message", MAX_COPIES);
	else
		g->u.list.of = create_child(spec, "of", at, scope);
	scope->copies = outside;
	return good && g->u.list.of != NULL;
}

static enum value_kind render_list(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	struct generator_bounds bounds = g->u.list.count;
	uint64_t count = bounds.min + rng_below(x->rng, bounds.max - bounds.min + 1);
	buf_append_char(out, '[');
	size_t first = out->len;
	for (uint64_t i = 0; i < count; i++) {
		size_t before = out->len;
		if (before > first)
			buf_append_char(out, ',');
		size_t from = out->len;
		enum value_kind kind = generator_render(g->u.list.of, x, out);
		if (kind == VALUE_ABSENT)
			buf_truncate(out, before);
		else
			value_make_json(kind, out, from, &x->spare);
	}
	buf_append_char(out, ']');
	return VALUE_JSON;
}

static void release_list(struct generator *g)
{
	generator_free(g->u.list.of);
}

const struct generator_kind generator_list = {"list", compile_list, render_list, release_list};

/* object */

static char *member_prefix(const char *key)
{
	struct buf prefix = {0};
	buf_append_char(&prefix, ',');
	text_json(slice_str(key), &prefix);
	buf_append_char(&prefix, ':');
	return buf_take(&prefix);
}

static bool compile_object(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	bool good = true;
	const char *key;
	json_t *child;
	if (!json_is_object(spec))
		return report_kind(scope->report, at, "a map of names to generators", spec);
	g->u.object.members = mem_alloc(json_object_size(spec), sizeof *g->u.object.members);
	json_object_foreach((json_t *)(uintptr_t)spec, key, child)
	{
		struct generator_member *m = &g->u.object.members[g->u.object.count++];
		m->prefix = member_prefix(key);
		m->value = create_child(spec, key, at, scope);
		good &= m->value != NULL;
	}
	return good;
}

static enum value_kind render_object(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	buf_append_char(out, '{');
	size_t first = out->len;
	for (size_t i = 0; i < g->u.object.count; i++) {
		const struct generator_member *m = &g->u.object.members[i];
		size_t before = out->len;
		buf_append_str(out, m->prefix + (before == first));
		size_t from = out->len;
		enum value_kind kind = generator_render(m->value, x, out);
		if (kind == VALUE_ABSENT)
			buf_truncate(out, before);
		else
			value_make_json(kind, out, from, &x->spare);
	}
	buf_append_char(out, '}');
	return VALUE_JSON;
}

static void release_object(struct generator *g)
{
	for (size_t i = 0; i < g->u.object.count; i++) {
		free(g->u.object.members[i].prefix);
		generator_free(g->u.object.members[i].value);
	}
	free(g->u.object.members);
}

const struct generator_kind generator_object = {
    "object", compile_object, render_object, release_object};

/* optional */

static bool read_otherwise(
    const json_t *spec, const struct report_path *at, struct report *report, enum value_kind *out)
{
	struct report_path here = {at, "otherwise", 0};
	const json_t *json = json_object_get(spec, "otherwise");
	const char *word = json_string_value(json);
	*out = VALUE_ABSENT;
	if (json == NULL || (word != NULL && strcmp(word, "omit") == 0))
		return true;
	if (!json_is_null(json) && (word == NULL || strcmp(word, "null") != 0))
		return report_add(report, &here, "must be omit or null");
	*out = VALUE_NULL;
	return true;
}

static bool compile_optional(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	static const char *const keys[] = {"probability", "of", "otherwise", NULL};
	struct report_path here = {at, "probability", 0};
	if (!json_is_object(spec))
		return report_kind(scope->report, at, "a map with probability and of", spec);
	bool good = report_keys(scope->report, at, spec, keys);
	good &= read_otherwise(spec, at, scope->report, &g->u.optional.otherwise);
	good &= report_read_share(
	    scope->report, &here, json_object_get(spec, "probability"), &g->u.optional.probability);
	g->u.optional.of = create_child(spec, "of", at, scope);
	return good && g->u.optional.of != NULL;
}

static enum value_kind render_optional(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	if (rng_unit(x->rng) < g->u.optional.probability)
		return generator_render(g->u.optional.of, x, out);
	return g->u.optional.otherwise;
}

static void release_optional(struct generator *g)
{
	generator_free(g->u.optional.of);
}

const struct generator_kind generator_optional = {
    "optional", compile_optional, render_optional, release_optional};
