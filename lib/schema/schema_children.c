#include "schema/schema_private.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

/* Keywords about the members of an object and the items of an array. */

/* ---- members ---- */

/* Judges one member. Its key is the schema's or the instance's; `seen` is only the latter's. */
static bool run_member(struct schema_run *r, const struct schema_node *n,
    const struct schema_place *at, const char *key, const json_t *member)
{
	const struct schema_place place = {
	    .up = at, .value = member, .key = key, .depth = at->depth + 1};
	if (r->collecting) {
		void *iter = json_object_iter_at((json_t *)at->value, key);
		schema_run_mark_seen(r, (uintptr_t)json_object_iter_key(iter));
	}
	return schema_run_child(r, n, &place);
}

static char *missing_text(const char *name, const char *because)
{
	char *missing = text_quote(slice_str(name));
	char *cause = text_quote(slice_str(because));
	char *text =
	    because == NULL
		? mem_printf("required property '%s' is missing", missing)
		: mem_printf("required property '%s' is missing, as '%s' is there", missing, cause);
	free(missing);
	free(cause);
	return text;
}

bool schema_children_need(struct schema_run *r, const struct schema_rule *rule,
    const struct schema_place *at, const json_t *names, const char *because)
{
	bool ok = true;
	size_t i;
	json_t *name;
	json_array_foreach(names, i, name)
	{
		const char *key = json_string_value(name);
		if (json_object_get(at->value, key) != NULL)
			continue;
		ok = false;
		if (r->quiet > 0)
			break;
		schema_fault_add(r, rule, at, key, missing_text(key, because));
	}
	return ok;
}

bool schema_children_required(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	return !json_is_object(at->value) || schema_children_need(r, rule, at, rule->value, NULL);
}

bool schema_children_dependent_required(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	bool ok = true;
	const char *key;
	json_t *names;
	json_object_foreach((json_t *)rule->value, key, names)
	{
		if (json_object_get(at->value, key) != NULL)
			ok = schema_children_need(r, rule, at, names, key) && ok;
		if (schema_run_done(r, ok))
			break;
	}
	return ok;
}

bool schema_children_property_names(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	bool ok = true;
	const char *key;
	json_t *member;
	json_object_foreach((json_t *)at->value, key, member)
	{
		json_t *name = json_string_nocheck(key);
		const struct schema_place place = {
		    .up = at, .value = name, .key = key, .depth = at->depth + 1, .is_name = true};
		ok = schema_run_child(r, rule->branches[0].node, &place) && ok;
		json_decref(name);
		if (schema_run_done(r, ok))
			break;
	}
	return ok;
}

bool schema_children_properties(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	bool ok = true;
	for (size_t i = 0; i < rule->branch_count && !schema_run_done(r, ok); i++) {
		const struct schema_branch *b = &rule->branches[i];
		const json_t *member = json_object_get(at->value, b->name);
		if (member != NULL)
			ok = run_member(r, b->node, at, b->name, member) && ok;
	}
	return ok;
}

bool schema_children_pattern_properties(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	bool ok = true;
	const char *key;
	json_t *member;
	json_object_foreach((json_t *)at->value, key, member)
	{
		for (size_t i = 0; i < rule->branch_count && !schema_run_done(r, ok); i++) {
			const struct schema_branch *b = &rule->branches[i];
			if (schema_run_matches(r, b->regex, slice_str(key)))
				ok = run_member(r, b->node, at, key, member) && ok;
		}
	}
	return ok && !r->broken;
}

static bool matches_any(struct schema_run *r, const struct schema_rule *patterns, const char *key)
{
	for (size_t i = 0; patterns != NULL && i < patterns->branch_count; i++)
		if (schema_run_matches(r, patterns->branches[i].regex, slice_str(key)))
			return true;
	return false;
}

bool schema_children_additional_properties(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	const struct schema_rule *named = schema_run_peer(rule, KEYWORD_PROPERTIES);
	const struct schema_rule *patterns = schema_run_peer(rule, KEYWORD_PATTERN_PROPERTIES);
	bool ok = true;
	const char *key;
	json_t *member;
	json_object_foreach((json_t *)at->value, key, member)
	{
		bool known = named != NULL && json_object_get(named->value, key) != NULL;
		if (!known && !matches_any(r, patterns, key) && !r->broken)
			ok = run_member(r, rule->branches[0].node, at, key, member) && ok;
		if (schema_run_done(r, ok))
			break;
	}
	return ok && !r->broken;
}

bool schema_children_unevaluated_properties(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	bool ok = true;
	const char *key;
	json_t *member;
	schema_run_sort_seen(r);
	size_t before = r->seen_count;
	json_object_foreach((json_t *)at->value, key, member)
	{
		if (!schema_run_has_seen(r, before, (uintptr_t)key))
			ok = run_member(r, rule->branches[0].node, at, key, member) && ok;
		if (schema_run_done(r, ok))
			break;
	}
	return ok;
}

/* ---- items ---- */

static bool run_item(
    struct schema_run *r, const struct schema_node *n, const struct schema_place *at, size_t index)
{
	const struct schema_place place = {.up = at,
	    .value = json_array_get(at->value, index),
	    .index = index,
	    .depth = at->depth + 1};
	schema_run_mark_seen(r, index);
	return schema_run_child(r, n, &place);
}

/* All items from `first` on, by one schema. */
static bool run_items(
    struct schema_run *r, const struct schema_node *n, const struct schema_place *at, size_t first)
{
	bool ok = true;
	for (size_t i = first; i < json_array_size(at->value) && !schema_run_done(r, ok); i++)
		ok = run_item(r, n, at, i) && ok;
	return ok;
}

bool schema_children_prefix_items(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	size_t count = json_array_size(at->value);
	bool ok = true;
	if (count > rule->branch_count)
		count = rule->branch_count;
	for (size_t i = 0; i < count && !schema_run_done(r, ok); i++)
		ok = run_item(r, rule->branches[i].node, at, i) && ok;
	return ok;
}

bool schema_children_items(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	const struct schema_rule *prefix = schema_run_peer(rule, KEYWORD_PREFIX_ITEMS);
	return run_items(r, rule->branches[0].node, at, prefix != NULL ? prefix->branch_count : 0);
}

bool schema_children_items_or_list(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	return json_is_array(rule->value) ? schema_children_prefix_items(r, rule, at)
					  : run_items(r, rule->branches[0].node, at, 0);
}

/* Means something only beside a list of items. */
bool schema_children_additional_items(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	const struct schema_rule *items = schema_run_peer(rule, KEYWORD_ITEMS_OR_LIST);
	if (items == NULL || !json_is_array(items->value))
		return true;
	return run_items(r, rule->branches[0].node, at, items->branch_count);
}

/* Which items match; from 2020-12 on those count as evaluated. */
static size_t count_matches(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	bool marks = rule->node->resource->dialect.draft == SCHEMA_DRAFT_2020;
	size_t count = 0;
	r->quiet++;
	for (size_t i = 0; i < json_array_size(at->value) && !r->broken; i++) {
		size_t seen = r->seen_count;
		bool matches = run_item(r, rule->branches[0].node, at, i);
		count += matches;
		if (!matches || !marks)
			r->seen_count = seen;
	}
	r->quiet--;
	return count;
}

static double limit_of(const struct schema_rule *rule, double otherwise)
{
	return rule != NULL ? json_number_value(rule->value) : otherwise;
}

bool schema_children_contains(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	const struct schema_rule *min = schema_run_peer(rule, KEYWORD_MIN_CONTAINS);
	const struct schema_rule *max = schema_run_peer(rule, KEYWORD_MAX_CONTAINS);
	if (!json_is_array(at->value))
		return true;
	size_t count = count_matches(r, rule, at);
	bool too_few = (double)count < limit_of(min, 1);
	bool too_many = (double)count > limit_of(max, (double)SIZE_MAX);
	if (r->broken || !(too_few || too_many))
		return !r->broken;
	if (r->quiet == 0)
		schema_fault_add(r,
		    too_many	  ? max
		    : min != NULL ? min
				  : rule,
		    at, NULL,
		    mem_printf("%zu matching %s than the %s %.0f", count,
			too_many ? (count == 1 ? "item is more" : "items are more")
				 : (count == 1 ? "item is fewer" : "items are fewer"),
			too_many ? "maximum" : "minimum",
			too_many ? limit_of(max, 0) : limit_of(min, 1)));
	return false;
}

bool schema_children_unevaluated_items(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	bool ok = true;
	schema_run_sort_seen(r);
	size_t before = r->seen_count;
	for (size_t i = 0; i < json_array_size(at->value) && !schema_run_done(r, ok); i++)
		if (!schema_run_has_seen(r, before, i))
			ok = run_item(r, rule->branches[0].node, at, i) && ok;
	return ok;
}
