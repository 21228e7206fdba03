/* Keywords about properties and items. */
#include "schema/compat_private.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_PREFIX 1000 /* items that are told one by one */
#define ANY "*"

/* ---- what the writer says of a property ---- */

static const json_t *get(const struct compat_run *run, const json_t *part, const char *keyword)
{
	return compat_side_get(&run->writer, part, keyword);
}

/* Adds what the patterns of a part say; true when one of them matches. */
static bool add_matching(
    struct compat_run *run, const json_t *patterns, const char *name, struct compat_parts *out)
{
	const char *pattern;
	const json_t *schema;
	bool any = false;
	json_object_foreach((json_t *)(uintptr_t)patterns, pattern, schema)
	{
		int matches = compat_side_matches(pattern, name);
		out->vague = out->vague || matches < 0;
		any = any || matches != 0;
		if (matches > 0)
			compat_side_add(&run->writer, schema, out);
	}
	return any;
}

static bool is_named(struct compat_run *run, const struct compat_parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		if (get(run, parts->items[i], "properties") != NULL)
			return true;
	return false;
}

void compat_children_property(struct compat_run *run, const struct compat_parts *parts,
    const char *name, struct compat_parts *out)
{
	bool is_told = false;
	*out = COMPAT_ANYTHING;
	out->vague = parts->vague;
	for (size_t i = 0; i < parts->count; i++) {
		const json_t *part = parts->items[i];
		const json_t *schema = json_object_get(get(run, part, "properties"), name);
		const json_t *rest = get(run, part, "additionalProperties");
		bool matches = add_matching(run, get(run, part, "patternProperties"), name, out);
		compat_side_add(&run->writer, schema, out);
		if (schema == NULL && !matches && rest != NULL)
			compat_side_add(&run->writer, rest, out);
		is_told = is_told || schema != NULL || matches || rest != NULL;
	}
	if ((run->flags & COMPAT_CLOSED) != 0 && !is_told && is_named(run, parts))
		out->never = true;
}

bool compat_children_is_required(
    const struct compat_run *run, const struct compat_parts *parts, const char *name)
{
	for (size_t i = 0; i < parts->count; i++) {
		size_t k;
		const json_t *item, *names = get(run, parts->items[i], "required");
		json_array_foreach((json_t *)(uintptr_t)names, k,
		    item) if (json_is_string(item) &&
			      strcmp(json_string_value(item), name) == 0) return true;
	}
	return false;
}

/* ---- properties ---- */

enum compat_verdict compat_children_required(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	enum compat_verdict verdict = COMPAT_YES;
	size_t i;
	const json_t *name;
	(void)reader;
	json_array_foreach((json_t *)(uintptr_t)value, i, name)
	{
		const char *text = json_string_value(name);
		if (text == NULL || compat_children_is_required(run, writer, text))
			continue;
		char *shown = text_quote(slice_str(text));
		verdict = compat_worst(
		    verdict, compat_note(run, writer, COMPAT_NO, "required",
				 "the property '%s' is required, and may be missing", shown));
		free(shown);
	}
	return verdict;
}

static bool is_possible(struct compat_run *run, const struct compat_parts *writer, const char *name)
{
	struct compat_parts parts;
	compat_children_property(run, writer, name, &parts);
	return !parts.never;
}

enum compat_verdict compat_children_dependent_required(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	const char *name;
	const json_t *names, *item;
	size_t i;
	(void)reader;
	json_object_foreach((json_t *)(uintptr_t)value, name, names)
	{
		bool all = true;
		json_array_foreach((json_t *)(uintptr_t)names, i, item) all =
		    all && json_is_string(item) &&
		    compat_children_is_required(run, writer, json_string_value(item));
		if (!all && is_possible(run, writer, name))
			return compat_note(run, writer, COMPAT_UNKNOWN, "dependentRequired",
			    "it cannot be told whether what is required is always there");
	}
	return COMPAT_YES;
}

enum compat_verdict compat_children_properties(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	enum compat_verdict verdict = COMPAT_YES;
	const char *name;
	const json_t *schema;
	(void)reader;
	json_object_foreach((json_t *)(uintptr_t)value, name, schema)
	{
		struct compat_parts parts;
		compat_children_property(run, writer, name, &parts);
		verdict = compat_worst(
		    verdict, compat_include_below(run, &parts, schema, "properties", name, name));
	}
	return verdict;
}

/* What a property is that no part names: one that matches no pattern of the writer's. */
static void add_rest(
    struct compat_run *run, const struct compat_parts *writer, struct compat_parts *out)
{
	bool is_told = false;
	*out = COMPAT_ANYTHING;
	out->vague = writer->vague;
	for (size_t i = 0; i < writer->count; i++) {
		const json_t *rest = get(run, writer->items[i], "additionalProperties");
		is_told = is_told || rest != NULL;
		compat_side_add(&run->writer, rest, out);
	}
	if ((run->flags & COMPAT_CLOSED) != 0 && !is_told && is_named(run, writer))
		out->never = true;
}

/* A property that matches a pattern of the writer's: other parts may say more of it. */
static enum compat_verdict check_writer_patterns(struct compat_run *run,
    const struct compat_parts *writer, const json_t *schema, const json_t *covered, const char *key,
    const char *name)
{
	enum compat_verdict verdict = COMPAT_YES;
	for (size_t i = 0; i < writer->count; i++) {
		const json_t *patterns = get(run, writer->items[i], "patternProperties"), *has;
		const char *pattern;
		json_object_foreach((json_t *)(uintptr_t)patterns, pattern, has)
		{
			struct compat_parts parts = COMPAT_ANYTHING;
			parts.vague = true;
			compat_side_add(&run->writer, has, &parts);
			if (json_object_get(covered, pattern) == NULL)
				verdict = compat_worst(verdict,
				    compat_include_below(run, &parts, schema, key, name, ANY));
		}
	}
	return verdict;
}

/* Every name that some part of the writer has, as an object. */
static json_t *names_of(struct compat_run *run, const struct compat_parts *writer)
{
	json_t *names = json_object();
	for (size_t i = 0; i < writer->count; i++) {
		const char *name;
		size_t k;
		const json_t *schema, *item;
		json_object_foreach((json_t *)(uintptr_t)get(run, writer->items[i], "properties"),
		    name, schema) json_object_set_new(names, name, json_true());
		json_array_foreach((json_t *)(uintptr_t)get(run, writer->items[i], "required"), k,
		    item) if (json_is_string(item))
		    json_object_set_new(names, json_string_value(item), json_true());
	}
	return names;
}

static bool has_pattern(struct compat_run *run, const struct compat_parts *writer,
    const char *pattern, struct compat_parts *out)
{
	bool any = false;
	*out = COMPAT_ANYTHING;
	out->vague = writer->vague;
	for (size_t i = 0; i < writer->count; i++) {
		const json_t *patterns = get(run, writer->items[i], "patternProperties");
		const json_t *schema = json_object_get(patterns, pattern);
		compat_side_add(&run->writer, schema, out);
		any = any || schema != NULL;
	}
	return any;
}

static enum compat_verdict check_pattern(struct compat_run *run, const struct compat_parts *writer,
    const json_t *names, const char *pattern, const json_t *schema)
{
	enum compat_verdict verdict = COMPAT_YES;
	struct compat_parts parts;
	const char *name;
	const json_t *unused;
	json_object_foreach((json_t *)(uintptr_t)names, name, unused)
	{
		if (compat_side_matches(pattern, name) == 0)
			continue;
		compat_children_property(run, writer, name, &parts);
		verdict = compat_worst(verdict,
		    compat_include_below(run, &parts, schema, "patternProperties", pattern, name));
	}
	if (has_pattern(run, writer, pattern, &parts))
		return compat_worst(verdict,
		    compat_include_below(run, &parts, schema, "patternProperties", pattern, ANY));
	add_rest(run, writer, &parts);
	verdict = compat_worst(
	    verdict, compat_include_below(run, &parts, schema, "patternProperties", pattern, ANY));
	return compat_worst(verdict,
	    check_writer_patterns(run, writer, schema, NULL, "patternProperties", pattern));
}

enum compat_verdict compat_children_pattern_properties(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	enum compat_verdict verdict = COMPAT_YES;
	json_t *names = names_of(run, writer);
	const char *pattern;
	const json_t *schema;
	(void)reader;
	json_object_foreach((json_t *)(uintptr_t)value, pattern, schema) verdict =
	    compat_worst(verdict, check_pattern(run, writer, names, pattern, schema));
	json_decref(names);
	return verdict;
}

static bool is_covered(
    struct compat_run *run, const json_t *reader, const json_t *patterns, const char *name)
{
	const char *pattern;
	const json_t *unused;
	if (json_object_get(compat_side_get(&run->reader, reader, "properties"), name) != NULL)
		return true;
	json_object_foreach((json_t *)(uintptr_t)patterns, pattern, unused)
	{
		if (compat_side_matches(pattern, name) == 1)
			return true;
	}
	return false;
}

enum compat_verdict compat_children_additional_properties(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	static const char key[] = "additionalProperties";
	enum compat_verdict verdict = COMPAT_YES;
	const json_t *patterns = compat_side_get(&run->reader, reader, "patternProperties"),
		     *unused;
	json_t *names = names_of(run, writer);
	struct compat_parts parts;
	const char *name;
	json_object_foreach(names, name, unused)
	{
		if (is_covered(run, reader, patterns, name))
			continue;
		compat_children_property(run, writer, name, &parts);
		verdict = compat_worst(
		    verdict, compat_include_below(run, &parts, value, key, NULL, name));
	}
	json_decref(names);
	add_rest(run, writer, &parts);
	/* the reader's own patterns may cover all that is left */
	parts.vague = parts.vague || json_object_size(patterns) > 0;
	verdict = compat_worst(verdict, compat_include_below(run, &parts, value, key, NULL, ANY));
	return compat_worst(
	    verdict, check_writer_patterns(run, writer, value, patterns, key, NULL));
}

/* Names are texts. */
enum compat_verdict compat_children_property_names(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	struct compat_parts names = COMPAT_ANYTHING;
	bool is_free = true;
	(void)reader;
	compat_side_add(&run->writer, run->types[2], &names);
	for (size_t i = 0; i < writer->count; i++) {
		compat_side_add(&run->writer, get(run, writer->items[i], "propertyNames"), &names);
		is_free = is_free && get(run, writer->items[i], "additionalProperties") == NULL;
	}
	names.vague = names.vague || !is_free || writer->vague || (run->flags & COMPAT_CLOSED) != 0;
	return compat_include_below(run, &names, value, "propertyNames", NULL, ANY);
}

/* ---- items ---- */

/* The first items one by one, then the rest, in the words of each draft. */
struct items {
	const json_t *prefix, *rest; /* NULL: nothing is said */
	const char *prefix_key, *rest_key;
};

static struct items items_of(const struct compat_side *side, const json_t *schema)
{
	const json_t *items = compat_side_get(side, schema, "items");
	if (side->draft < 2020 && json_is_array(items))
		return (struct items){items, compat_side_get(side, schema, "additionalItems"),
		    "items", "additionalItems"};
	return (struct items){
	    compat_side_get(side, schema, "prefixItems"), items, "prefixItems", "items"};
}

static void add_item(struct compat_run *run, const struct compat_parts *writer, size_t index,
    struct compat_parts *out)
{
	*out = COMPAT_ANYTHING;
	out->vague = writer->vague;
	out->never = compat_children_most_items(run, writer) <= index;
	for (size_t i = 0; i < writer->count; i++) {
		struct items items = items_of(&run->writer, writer->items[i]);
		const json_t *schema = index < json_array_size(items.prefix)
					   ? json_array_get(items.prefix, index)
					   : items.rest;
		compat_side_add(&run->writer, schema, out);
	}
}

size_t compat_children_most_items(const struct compat_run *run, const struct compat_parts *parts)
{
	size_t most = SIZE_MAX;
	for (size_t i = 0; i < parts->count; i++) {
		struct items items = items_of(&run->writer, parts->items[i]);
		const json_t *bound = get(run, parts->items[i], "maxItems");
		size_t prefix = json_array_size(items.prefix);
		if (json_is_false(items.rest) && prefix < most)
			most = prefix;
		if (json_is_integer(bound) && json_integer_value(bound) >= 0 &&
		    (uint64_t)json_integer_value(bound) < most)
			most = (size_t)json_integer_value(bound);
	}
	return most;
}

static size_t longest_prefix(
    const struct compat_run *run, const struct compat_parts *writer, size_t least)
{
	for (size_t i = 0; i < writer->count; i++) {
		size_t n = json_array_size(items_of(&run->writer, writer->items[i]).prefix);
		least = n > least ? n : least;
	}
	return least;
}

enum compat_verdict compat_children_items(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	struct items items = items_of(&run->reader, reader);
	enum compat_verdict verdict = COMPAT_YES;
	struct compat_parts parts;
	size_t told = json_array_size(items.prefix), n = longest_prefix(run, writer, told);
	if (value == items.rest && items.prefix != NULL)
		return COMPAT_YES; /* both are looked at together */
	if (n > MAX_PREFIX)
		return compat_note(
		    run, writer, COMPAT_UNKNOWN, items.prefix_key, "there is too much to compare");
	for (size_t i = 0; i < n; i++) {
		char number[24];
		(void)snprintf(number, sizeof number, "%zu", i); /* it fits */
		const json_t *schema = i < told ? json_array_get(items.prefix, i) : items.rest;
		add_item(run, writer, i, &parts);
		if (schema != NULL)
			verdict =
			    compat_worst(verdict, compat_include_below(run, &parts, schema,
						      i < told ? items.prefix_key : items.rest_key,
						      i < told ? number : NULL, number));
	}
	if (items.rest == NULL)
		return verdict;
	add_item(run, writer, n, &parts);
	return compat_worst(
	    verdict, compat_include_below(run, &parts, items.rest, items.rest_key, NULL, ANY));
}

/* Only what is word by word the same is known. */
enum compat_verdict compat_children_contains(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	static const char *const keys[] = {"contains", "minContains", "maxContains"};
	for (size_t i = 0; i < writer->count; i++) {
		bool same = compat_side_is_plain(value) && run->writer.draft == run->reader.draft;
		for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
			const json_t *has = get(run, writer->items[i], keys[k]);
			const json_t *wanted = compat_side_get(&run->reader, reader, keys[k]);
			same = same && (has == NULL) == (wanted == NULL) &&
			       (has == NULL || json_equal(has, wanted));
		}
		if (same)
			return COMPAT_YES;
	}
	return compat_note(run, writer, COMPAT_UNKNOWN, "contains",
	    "it cannot be told whether there always is such an item");
}
