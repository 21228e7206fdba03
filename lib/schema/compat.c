#include "schema/compat.h"

#include "base/mem.h"
#include "base/text.h"
#include "schema/compat_private.h"

#include <stdint.h>
#include <stdlib.h>

/* ---- the keywords ---- */

static enum compat_verdict unsure(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	(void)reader;
	if (json_is_true(value) || (json_is_object(value) && json_object_size(value) == 0))
		return COMPAT_YES;
	return compat_note(
	    run, writer, COMPAT_UNKNOWN, "", "it has keywords that are not compared");
}

/* A keyword of the reader; types: those it is about. */
static const struct rule {
	const char *keyword;
	unsigned types;
	bool stands_alone; /* it means the same whatever stands beside it */
	compat_rule_fn *check;
} rules[] = {
    {"$ref", COMPAT_ALL, false, compat_inplace_reference},
    {"type", COMPAT_ALL, true, compat_values_type},
    {"enum", COMPAT_ALL, true, compat_values_enum},
    {"const", COMPAT_ALL, true, compat_values_const},
    {"minimum", COMPAT_NUMBERS, true, compat_values_minimum},
    {"exclusiveMinimum", COMPAT_NUMBERS, true, compat_values_exclusive_minimum},
    {"maximum", COMPAT_NUMBERS, true, compat_values_maximum},
    {"exclusiveMaximum", COMPAT_NUMBERS, true, compat_values_exclusive_maximum},
    {"multipleOf", COMPAT_NUMBERS, true, compat_values_multiple_of},
    {"minLength", COMPAT_STRING, true, compat_values_min_length},
    {"maxLength", COMPAT_STRING, true, compat_values_max_length},
    {"pattern", COMPAT_STRING, true, compat_values_pattern},
    {"format", COMPAT_STRING, true, compat_values_format},
    {"minItems", COMPAT_ARRAY, true, compat_values_min_items},
    {"maxItems", COMPAT_ARRAY, true, compat_values_max_items},
    {"uniqueItems", COMPAT_ARRAY, true, compat_values_unique_items},
    {"minProperties", COMPAT_OBJECT, true, compat_values_min_properties},
    {"maxProperties", COMPAT_OBJECT, true, compat_values_max_properties},
    {"required", COMPAT_OBJECT, true, compat_children_required},
    {"dependentRequired", COMPAT_OBJECT, true, compat_children_dependent_required},
    {"properties", COMPAT_OBJECT, true, compat_children_properties},
    {"patternProperties", COMPAT_OBJECT, true, compat_children_pattern_properties},
    {"additionalProperties", COMPAT_OBJECT, false, compat_children_additional_properties},
    {"propertyNames", COMPAT_OBJECT, true, compat_children_property_names},
    {"prefixItems", COMPAT_ARRAY, false, compat_children_items},
    {"items", COMPAT_ARRAY, false, compat_children_items},
    {"additionalItems", COMPAT_ARRAY, false, compat_children_items},
    {"contains", COMPAT_ARRAY, false, compat_children_contains},
    {"allOf", COMPAT_ALL, true, compat_inplace_all_of},
    {"anyOf", COMPAT_ALL, true, compat_inplace_any_of},
    {"oneOf", COMPAT_ALL, true, compat_inplace_one_of},
    {"not", COMPAT_ALL, true, compat_inplace_not},
    {"if", COMPAT_ALL, false, compat_inplace_if},
    {"dependentSchemas", COMPAT_OBJECT, true, unsure},
    {"dependencies", COMPAT_OBJECT, true, unsure},
    {"unevaluatedItems", COMPAT_ARRAY, false, unsure},
    {"unevaluatedProperties", COMPAT_OBJECT, false, unsure},
    {"$dynamicRef", COMPAT_ALL, false, unsure},
    {"$recursiveRef", COMPAT_ALL, false, unsure},
};

/* A part says the same already. */
static bool is_said(struct compat_run *run, const struct compat_parts *writer,
    const struct rule *rule, const json_t *value)
{
	if (!rule->stands_alone || run->writer.draft != run->reader.draft)
		return false;
	for (size_t i = 0; i < writer->count; i++) {
		const json_t *same = compat_side_get(&run->writer, writer->items[i], rule->keyword);
		bool counts =
		    run->writer.draft != 7 || json_object_get(writer->items[i], "$ref") == NULL;
		if (same != NULL && counts && json_equal(same, value) &&
		    compat_side_is_plain(value))
			return true;
	}
	return false;
}

static enum compat_verdict check_rules(
    struct compat_run *run, const struct compat_parts *writer, const json_t *reader)
{
	enum compat_verdict verdict = COMPAT_YES;
	bool alone = run->reader.draft == 7 && json_object_get(reader, "$ref") != NULL;
	for (size_t i = 0; i < (alone ? 1 : ARRAY_LEN(rules)); i++) {
		const struct rule *rule = &rules[i];
		const json_t *value = compat_side_get(&run->reader, reader, rule->keyword);
		if (value == NULL || (rule->types & writer->types) == 0 ||
		    is_said(run, writer, rule, value))
			continue;
		verdict = compat_worst(verdict, rule->check(run, writer, reader, value));
	}
	return verdict;
}

/* ---- cases ---- */

static enum compat_verdict note_value(
    struct compat_run *run, const struct compat_parts *writer, const json_t *value, bool sure)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	char *shown = text_quote(slice_str(text));
	struct compat_parts known = *writer;
	known.vague = false; /* the value was tried */
	enum compat_verdict verdict =
	    compat_note(run, &known, sure ? COMPAT_NO : COMPAT_UNKNOWN, "",
		sure ? "may be %s, which is not accepted"
		     : "may be %s, of which it cannot be told whether it is accepted",
		shown);
	free(shown);
	free(text);
	return verdict;
}

/* Few values: each of them is tried. */
static enum compat_verdict check_values(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *values)
{
	enum compat_verdict verdict = COMPAT_YES;
	size_t count = json_array_size(values);
	int *accepted = mem_alloc(count + 1, sizeof *accepted);
	int *possible = mem_alloc(count + 1, sizeof *possible);
	bool *ruled_out = mem_alloc(count + 1, sizeof *ruled_out);
	bool *sure = mem_alloc(count + 1, sizeof *sure);
	compat_side_judge(&run->reader, reader, values, accepted);
	for (size_t i = 0; i < count; i++)
		sure[i] = accepted[i] == 0;
	for (size_t p = 0; p < writer->count; p++) {
		compat_side_judge(&run->writer, writer->items[p], values, possible);
		for (size_t i = 0; i < count; i++) {
			ruled_out[i] = ruled_out[i] || possible[i] == 0;
			sure[i] = sure[i] && possible[i] == 1;
		}
	}
	for (size_t i = 0; i < count; i++)
		if (accepted[i] != 1 && !ruled_out[i])
			verdict = compat_worst(
			    verdict, note_value(run, writer, json_array_get(values, i), sure[i]));
	free(accepted);
	free(possible);
	free(ruled_out);
	free(sure);
	return verdict;
}

/* A schema of the parts whose branches were not tried one by one yet. */
static const json_t *find_choice(const struct compat_run *run, const struct compat_parts *writer)
{
	for (size_t i = 0; i < writer->count; i++) {
		const json_t *part = writer->items[i];
		bool counts = compat_side_get(&run->writer, part, "anyOf") != NULL ||
			      compat_side_get(&run->writer, part, "oneOf") != NULL;
		for (size_t s = 0; s < run->split_count; s++)
			counts = counts && (run->split[s].schema != part ||
					       run->split[s].level != run->level);
		if (counts)
			return part;
	}
	return NULL;
}

static enum compat_verdict check_branches(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *choice)
{
	const json_t *branches = compat_side_get(&run->writer, choice, "anyOf"), *branch;
	bool one = compat_side_get(&run->writer, choice, "oneOf") != NULL;
	enum compat_verdict verdict = COMPAT_YES;
	size_t i;
	if (branches == NULL)
		branches = compat_side_get(&run->writer, choice, "oneOf");
	run->split[run->split_count++] = (struct compat_split){choice, run->level};
	json_array_foreach((json_t *)(uintptr_t)branches, i, branch)
	{
		struct compat_parts parts = *writer;
		compat_side_add(&run->writer, branch, &parts);
		parts.vague = parts.vague || one; /* and none of the others */
		verdict = compat_worst(verdict, compat_include(run, &parts, reader));
	}
	run->split_count--;
	return verdict;
}

static bool has_branches(const struct compat_run *run, const json_t *reader)
{
	static const char *const keys[] = {"anyOf", "oneOf", "if", "$ref", "allOf"};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (compat_side_get(&run->reader, reader, keys[i]) != NULL)
			return true;
	return false;
}

static enum compat_verdict check_types(
    struct compat_run *run, const struct compat_parts *writer, const json_t *reader)
{
	enum compat_verdict verdict = COMPAT_YES;
	for (size_t i = 0; i < ARRAY_LEN(run->types); i++) {
		struct compat_parts parts = *writer;
		compat_side_add(&run->writer, run->types[i], &parts);
		if (parts.types != writer->types && !parts.never)
			verdict = compat_worst(verdict, compat_include(run, &parts, reader));
	}
	return verdict;
}

static bool is_one_type(unsigned types)
{
	return types == COMPAT_NUMBERS || (types & (types - 1)) == 0;
}

/* Taken as a whole first; then, if that does not do, one case after the other. */
static enum compat_verdict check_cases(
    struct compat_run *run, const struct compat_parts *writer, const json_t *reader)
{
	size_t mark = run->found_count;
	json_t *values = compat_side_values(&run->writer, writer);
	if (values != NULL) {
		enum compat_verdict verdict = check_values(run, writer, reader, values);
		json_decref(values);
		return verdict;
	}
	const json_t *choice = find_choice(run, writer);
	enum compat_verdict verdict = check_rules(run, writer, reader);
	bool by_type = !is_one_type(writer->types) && has_branches(run, reader);
	if (verdict == COMPAT_YES || (choice == NULL && !by_type) ||
	    run->split_count == COMPAT_MAX_DEPTH)
		return verdict;
	compat_drop_notes(run, mark);
	return choice != NULL ? check_branches(run, writer, reader, choice)
			      : check_types(run, writer, reader);
}

static bool is_same(const struct compat_parts *a, const struct compat_parts *b)
{
	return a->count == b->count && a->types == b->types && a->never == b->never &&
	       memcmp(a->items, b->items, a->count * sizeof a->items[0]) == 0;
}

static const struct compat_frame *find_frame(
    const struct compat_run *run, const struct compat_parts *writer, const json_t *reader)
{
	for (size_t i = run->depth; i > 0; i--)
		if (run->frames[i - 1].reader == reader &&
		    is_same(run->frames[i - 1].writer, writer))
			return &run->frames[i - 1];
	return NULL;
}

/* The same schema, word by word. */
static bool is_identical(
    const struct compat_run *run, const struct compat_parts *writer, const json_t *reader)
{
	if (run->writer.draft != run->reader.draft || !compat_side_is_plain(reader))
		return false;
	for (size_t i = 0; i < writer->count; i++)
		if (json_equal(writer->items[i], reader))
			return true;
	return false;
}

enum compat_verdict compat_include(
    struct compat_run *run, const struct compat_parts *writer, const json_t *reader)
{
	if (writer->never || json_is_true(reader) || json_object_size(reader) == 0) {
		if (writer->never || !json_is_false(reader))
			return COMPAT_YES;
		return compat_note(run, writer, COMPAT_NO, "", "nothing is accepted here");
	}
	if (++run->steps > COMPAT_MAX_STEPS || run->depth == COMPAT_MAX_DEPTH)
		return compat_note(run, writer, COMPAT_UNKNOWN, "", "there is too much to compare");
	const struct compat_frame *before = find_frame(run, writer, reader);
	if (before != NULL && before->level < run->level)
		return COMPAT_YES; /* if all else is: data is not deep without end */
	if (before != NULL)
		return compat_note(
		    run, writer, COMPAT_UNKNOWN, "", "the schemas refer to themselves");
	if (is_identical(run, writer, reader))
		return COMPAT_YES;
	run->frames[run->depth++] = (struct compat_frame){writer, reader, run->level};
	enum compat_verdict verdict = check_cases(run, writer, reader);
	run->depth--;
	return verdict;
}

enum compat_verdict compat_try(
    struct compat_run *run, const struct compat_parts *writer, const json_t *reader)
{
	size_t mark = run->found_count;
	enum compat_verdict verdict = compat_include(run, writer, reader);
	compat_drop_notes(run, mark);
	return verdict;
}

/* ---- the whole ---- */

static void begin(struct compat_run *run)
{
	static const char *const names[] = {
	    "object", "array", "string", "number", "integer", "boolean", "null"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		run->types[i] = json_pack("{s:s}", "type", names[i]);
}

static void end(struct compat_run *run)
{
	compat_drop_notes(run, 0);
	free(run->found);
	for (size_t i = 0; i < ARRAY_LEN(run->types); i++)
		json_decref(run->types[i]);
	buf_release(&run->instance);
	buf_release(&run->pointer);
	free(run);
}

enum compat_verdict compat_check(
    const json_t *writer, const json_t *reader, unsigned flags, compat_report_fn *report, void *ctx)
{
	struct compat_run *run = mem_alloc(1, sizeof *run);
	struct compat_parts parts = COMPAT_ANYTHING;
	run->flags = flags;
	begin(run);
	compat_side_init(&run->writer, writer);
	compat_side_init(&run->reader, reader);
	compat_side_add(&run->writer, writer, &parts);
	enum compat_verdict verdict = compat_include(run, &parts, reader);
	for (size_t i = 0; report != NULL && i < run->found_count; i++) {
		const struct compat_found *f = &run->found[i];
		report(ctx, &(struct compat_finding){f->verdict, f->instance, f->reader, f->text});
	}
	end(run);
	return verdict;
}
