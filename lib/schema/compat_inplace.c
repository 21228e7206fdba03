/* Keywords of the reader that apply other schemas to the same data: $ref, allOf, anyOf, oneOf, not,
 * if. */
#include "schema/compat.h"

#include "base/mem.h"
#include "schema/compat_private.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

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

enum compat_verdict compat_inplace_reference(struct compat_run *run,
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

enum compat_verdict compat_inplace_all_of(struct compat_run *run, const struct compat_parts *writer,
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

enum compat_verdict compat_inplace_any_of(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	size_t i;
	const json_t *branch;
	(void)reader;
	json_array_foreach((json_t *)(uintptr_t)value, i,
	    branch) if (compat_try(run, writer, branch) == COMPAT_YES) return COMPAT_YES;
	return note_branches(run, writer, value, "anyOf");
}

enum compat_verdict compat_inplace_one_of(struct compat_run *run, const struct compat_parts *writer,
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

enum compat_verdict compat_inplace_not(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	(void)reader;
	if (is_excluded(run, writer, value))
		return COMPAT_YES;
	return compat_note(
	    run, writer, COMPAT_UNKNOWN, "not", "it cannot be told whether this never applies");
}

enum compat_verdict compat_inplace_if(struct compat_run *run, const struct compat_parts *writer,
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
