#include "schema/compat.h"

#include "base/mem.h"
#include "base/text.h"
#include "schema/compat_private.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- notes ---- */

static void drop_notes(struct compat_run *run, size_t from)
{
	while (run->found_count > from) {
		struct compat_found *f = &run->found[--run->found_count];
		free(f->instance);
		free(f->reader);
		free(f->text);
	}
}

/* Several cases tend to have the same to say. */
static bool is_noted(const struct compat_run *run, enum compat_verdict verdict, const char *text)
{
	const char *instance = run->instance.ptr != NULL ? run->instance.ptr : "";
	for (size_t i = 0; i < run->found_count; i++) {
		const struct compat_found *f = &run->found[i];
		if (f->verdict == verdict && strcmp(f->text, text) == 0 &&
		    strcmp(f->instance, instance) == 0)
			return true;
	}
	return false;
}

enum compat_verdict compat_note(struct compat_run *run, const struct compat_parts *writer,
    enum compat_verdict verdict, const char *keyword, const char *fmt, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args); /* too long a text may be cut */
	va_end(args);
	if (writer->vague && verdict == COMPAT_NO)
		verdict = COMPAT_UNKNOWN;
	if (run->found_count == COMPAT_MAX_FINDINGS || is_noted(run, verdict, text))
		return verdict;
	run->found =
	    mem_grow(run->found, &run->found_capacity, run->found_count + 1, sizeof *run->found);
	const char *pointer = run->pointer.ptr != NULL ? run->pointer.ptr : "";
	run->found[run->found_count++] = (struct compat_found){.verdict = verdict,
	    .instance = mem_strdup(run->instance.ptr != NULL ? run->instance.ptr : ""),
	    .reader =
		keyword[0] != '\0' ? mem_printf("%s/%s", pointer, keyword) : mem_strdup(pointer),
	    .text = mem_strdup(text)};
	return verdict;
}

/* ---- where we are ---- */

/* RFC 6901. */
static void push(struct buf *pointer, const char *key)
{
	buf_append_char(pointer, '/');
	for (; *key != '\0'; key++)
		if (*key == '~' || *key == '/')
			buf_append_str(pointer, *key == '~' ? "~0" : "~1");
		else
			buf_append_char(pointer, *key);
}

enum compat_verdict compat_include_below(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const char *key, const char *name, const char *step)
{
	size_t instance = run->instance.len, pointer = run->pointer.len;
	push(&run->pointer, key);
	if (name != NULL)
		push(&run->pointer, name);
	if (step != NULL)
		push(&run->instance, step);
	run->level += step != NULL;
	enum compat_verdict verdict = compat_include(run, writer, reader);
	run->level -= step != NULL;
	buf_truncate(&run->instance, instance);
	buf_truncate(&run->pointer, pointer);
	return verdict;
}

enum compat_verdict compat_try(
    struct compat_run *run, const struct compat_parts *writer, const json_t *reader)
{
	size_t mark = run->found_count;
	enum compat_verdict verdict = compat_include(run, writer, reader);
	drop_notes(run, mark);
	return verdict;
}

/* ---- keywords in place ---- */

/* Whether a property of the data, which is there, is always refused. */
static bool excludes_tag(struct compat_run *run, const struct compat_parts *writer,
    const struct compat_parts *reader, const char *name)
{
	struct compat_parts here = COMPAT_ANYTHING, there = COMPAT_ANYTHING;
	compat_children_property(run, writer, name, &here);
	for (size_t i = 0; i < reader->count; i++) {
		const json_t *properties =
		    compat_side_get(&run->reader, reader->items[i], "properties");
		compat_side_add(&run->reader, json_object_get(properties, name), &there);
	}
	if ((here.types & there.types) == 0)
		return true;
	json_t *values = compat_side_values(&run->writer, &here);
	bool excludes = values != NULL && reader->count == 1 && there.count > 0;
	size_t count = json_array_size(values);
	int *accepted = mem_alloc(count + 1, sizeof *accepted);
	if (excludes) {
		const json_t *properties =
		    compat_side_get(&run->reader, reader->items[0], "properties");
		compat_side_judge(
		    &run->reader, json_object_get(properties, name), values, accepted);
	}
	for (size_t i = 0; i < count; i++)
		excludes = excludes && accepted[i] == 0;
	free(accepted);
	json_decref(values);
	return excludes;
}

/* Whether no data of the parts is accepted by the schema: by its type, or by a property. */
static bool is_excluded(
    struct compat_run *run, const struct compat_parts *writer, const json_t *schema)
{
	struct compat_parts reader = COMPAT_ANYTHING;
	compat_side_add(&run->reader, schema, &reader);
	if (reader.never || (reader.types & writer->types) == 0)
		return true;
	if (writer->types != COMPAT_OBJECT)
		return false;
	for (size_t i = 0; i < reader.count; i++) {
		const json_t *properties =
		    compat_side_get(&run->reader, reader.items[i], "properties");
		const char *name;
		const json_t *value;
		json_object_foreach((json_t *)(uintptr_t)properties, name, value)
		{
			if (compat_children_is_required(run, writer, name) &&
			    excludes_tag(run, writer, &reader, name))
				return true;
		}
	}
	return false;
}

static enum compat_verdict check_reference(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	const json_t *target = compat_side_follow(&run->reader, value);
	struct buf before = run->pointer;
	(void)reader;
	if (target == NULL)
		return compat_note(run, writer, COMPAT_UNKNOWN, "$ref",
		    "the reference leads out of the document, or under another $id");
	run->pointer = (struct buf){0};
	buf_append_str(&run->pointer, json_string_value(value) + 1);
	enum compat_verdict verdict = compat_include(run, writer, target);
	buf_release(&run->pointer);
	run->pointer = before;
	return verdict;
}

static enum compat_verdict check_all_of(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	enum compat_verdict verdict = COMPAT_YES;
	size_t i;
	const json_t *branch;
	(void)reader;
	json_array_foreach((json_t *)(uintptr_t)value, i, branch)
	{
		char number[24];
		(void)snprintf(number, sizeof number, "%zu", i); /* it fits */
		verdict = compat_worst(
		    verdict, compat_include_below(run, writer, branch, "allOf", number, NULL));
	}
	return verdict;
}

/* The types of which no branch takes any. */
static unsigned types_left_out(
    struct compat_run *run, const struct compat_parts *writer, const json_t *branches)
{
	unsigned accepted = 0;
	size_t i;
	const json_t *branch;
	json_array_foreach((json_t *)(uintptr_t)branches, i, branch)
	{
		struct compat_parts parts = COMPAT_ANYTHING;
		compat_side_add(&run->reader, branch, &parts);
		accepted |= parts.never ? 0 : parts.types;
	}
	return writer->types & ~accepted;
}

static enum compat_verdict note_branches(struct compat_run *run, const struct compat_parts *writer,
    const json_t *branches, const char *keyword)
{
	unsigned left_out = types_left_out(run, writer, branches);
	if (left_out == 0)
		return compat_note(run, writer, COMPAT_UNKNOWN, keyword,
		    "it cannot be told whether %s of these always accepts it",
		    strcmp(keyword, "anyOf") == 0 ? "one" : "exactly one");
	struct buf types = {0};
	compat_side_write_types(left_out, &types);
	enum compat_verdict verdict = compat_note(
	    run, writer, COMPAT_NO, keyword, "may be %s, which none of these accepts", types.ptr);
	buf_release(&types);
	return verdict;
}

static enum compat_verdict check_any_of(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	size_t i;
	const json_t *branch;
	(void)reader;
	json_array_foreach((json_t *)(uintptr_t)value, i,
	    branch) if (compat_try(run, writer, branch) == COMPAT_YES) return COMPAT_YES;
	return note_branches(run, writer, value, "anyOf");
}

static enum compat_verdict check_one_of(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	size_t i, accepting = 0, open = 0;
	const json_t *branch;
	(void)reader;
	json_array_foreach((json_t *)(uintptr_t)value, i, branch)
	{
		if (is_excluded(run, writer, branch))
			continue;
		open++;
		accepting += compat_try(run, writer, branch) == COMPAT_YES;
	}
	if (open == 1 && accepting == 1)
		return COMPAT_YES;
	return note_branches(run, writer, value, "oneOf");
}

static enum compat_verdict check_not(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	(void)reader;
	if (is_excluded(run, writer, value))
		return COMPAT_YES;
	return compat_note(
	    run, writer, COMPAT_UNKNOWN, "not", "it cannot be told whether this never applies");
}

static enum compat_verdict check_if(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	const json_t *then = compat_side_get(&run->reader, reader, "then");
	const json_t *otherwise = compat_side_get(&run->reader, reader, "else");
	bool may_apply = !is_excluded(run, writer, value);
	bool always = compat_try(run, writer, value) == COMPAT_YES;
	if ((then == NULL || !may_apply || compat_try(run, writer, then) == COMPAT_YES) &&
	    (otherwise == NULL || always || compat_try(run, writer, otherwise) == COMPAT_YES))
		return COMPAT_YES;
	return compat_note(run, writer, COMPAT_UNKNOWN, "if",
	    "it cannot be told which of 'then' and 'else' applies");
}

static enum compat_verdict unsure(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	(void)reader;
	if (json_is_true(value) || (json_is_object(value) && json_object_size(value) == 0))
		return COMPAT_YES;
	return compat_note(
	    run, writer, COMPAT_UNKNOWN, "", "it has keywords that are not compared");
}

/* ---- the keywords ---- */

/* A keyword of the reader; types: those it is about. */
static const struct rule {
	const char *keyword;
	unsigned types;
	bool stands_alone; /* it means the same whatever stands beside it */
	compat_rule_fn *check;
} rules[] = {
    {"$ref", COMPAT_ALL, false, check_reference},
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
    {"allOf", COMPAT_ALL, true, check_all_of},
    {"anyOf", COMPAT_ALL, true, check_any_of},
    {"oneOf", COMPAT_ALL, true, check_one_of},
    {"not", COMPAT_ALL, true, check_not},
    {"if", COMPAT_ALL, false, check_if},
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
	drop_notes(run, mark);
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
	drop_notes(run, 0);
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
