/* Keywords about values: types, numbers, texts, counts. */
#include "schema/compat_private.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>

#define WHOLE 4e18L /* below, a number without its fraction fits into 64 bits */

/* ---- types and values ---- */

enum compat_verdict compat_values_type(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	unsigned accepted = compat_side_types(value), more = writer->types & ~accepted;
	struct buf found = {0}, expected = {0};
	(void)reader;
	if (more == 0)
		return COMPAT_YES;
	compat_side_write_types(more, &found);
	compat_side_write_types(accepted, &expected);
	enum compat_verdict verdict = compat_note(run, writer, COMPAT_NO, "type",
	    "may be %s; accepted is %s", found.ptr != NULL ? found.ptr : "",
	    expected.ptr != NULL ? expected.ptr : "nothing");
	buf_release(&found);
	buf_release(&expected);
	return verdict;
}

/* What has few values was tried value by value: here are more than a list can have. */
enum compat_verdict compat_values_enum(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	(void)reader;
	return compat_note(run, writer, COMPAT_NO, "enum",
	    "may have other values than the %zu that are accepted", json_array_size(value));
}

enum compat_verdict compat_values_const(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	(void)reader, (void)value;
	return compat_note(
	    run, writer, COMPAT_NO, "const", "may have other values than the one that is accepted");
}

/* ---- numbers ---- */

struct bound {
	bool is_set, exclusive;
	long double value; /* 64 bits of a number are exact in it where it is longer than double */
};

static long double number_of(const json_t *value)
{
	return json_is_integer(value) ? (long double)json_integer_value(value)
				      : (long double)json_real_value(value);
}

/* The least whole number that is not below; for one of a common size. */
static long double round_up(long double v)
{
	long double whole = (long double)(int64_t)v;
	return whole < v ? whole + 1 : whole;
}

/* The writer's lower bound; with a sign of -1 the upper one, both with the sign turned. */
static struct bound bound_of(struct compat_run *run, const struct compat_parts *writer, int sign)
{
	const char *const keys[] = {
	    sign > 0 ? "minimum" : "maximum", sign > 0 ? "exclusiveMinimum" : "exclusiveMaximum"};
	struct bound b = {0};
	for (size_t i = 0; i < writer->count; i++)
		for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
			const json_t *value =
			    compat_side_get(&run->writer, writer->items[i], keys[k]);
			long double v = (long double)sign * number_of(value);
			if (!json_is_number(value))
				continue;
			if (!b.is_set || v > b.value || (v == b.value && k == 1))
				b = (struct bound){true, k == 1, v};
		}
	bool is_whole = (writer->types & COMPAT_FRACTION) == 0;
	if (b.is_set && is_whole && b.value < WHOLE && b.value > -WHOLE) {
		long double up = round_up(b.value);
		b.value = b.exclusive && up == b.value ? up + 1 : up;
		b.exclusive = false;
	}
	return b;
}

static enum compat_verdict check_bound(struct compat_run *run, const struct compat_parts *writer,
    const json_t *value, int sign, bool exclusive, const char *keyword)
{
	struct bound has = bound_of(run, writer, sign);
	long double wanted = (long double)sign * number_of(value);
	if (has.is_set &&
	    (has.value > wanted || (has.value == wanted && (has.exclusive || !exclusive))))
		return COMPAT_YES;
	return compat_note(run, writer, COMPAT_NO, keyword, "may be %s than the %s %.17Lg",
	    sign > 0 ? "less" : "more", keyword, (long double)sign * wanted);
}

enum compat_verdict compat_values_minimum(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	(void)reader;
	return check_bound(run, writer, value, 1, false, "minimum");
}

enum compat_verdict compat_values_exclusive_minimum(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	(void)reader;
	return check_bound(run, writer, value, 1, true, "exclusiveMinimum");
}

enum compat_verdict compat_values_maximum(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	(void)reader;
	return check_bound(run, writer, value, -1, false, "maximum");
}

enum compat_verdict compat_values_exclusive_maximum(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	(void)reader;
	return check_bound(run, writer, value, -1, true, "exclusiveMaximum");
}

/* A multiple of a multiple; only whole numbers are exact. */
enum compat_verdict compat_values_multiple_of(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	json_int_t wanted = json_integer_value(value);
	bool has_any = false;
	(void)reader;
	if (wanted == 1 && (writer->types & COMPAT_FRACTION) == 0)
		return COMPAT_YES;
	for (size_t i = 0; i < writer->count; i++) {
		const json_t *has = compat_side_get(&run->writer, writer->items[i], "multipleOf");
		has_any = has_any || has != NULL;
		if (json_is_integer(has) && wanted > 0 && json_integer_value(has) % wanted == 0)
			return COMPAT_YES;
	}
	bool sure = !has_any && wanted != 0;
	return compat_note(run, writer, sure ? COMPAT_NO : COMPAT_UNKNOWN, "multipleOf",
	    "%s be no multiple of %g", sure ? "may" : "perhaps it may", json_number_value(value));
}

/* ---- counts ---- */

/* The largest of the writer's minimums, or the smallest of its maximums; -1: none. */
static json_int_t count_of(const struct compat_run *run, const struct compat_parts *writer,
    const char *keyword, bool least)
{
	json_int_t count = -1;
	for (size_t i = 0; i < writer->count; i++) {
		const json_t *value = compat_side_get(&run->writer, writer->items[i], keyword);
		if (!json_is_integer(value))
			continue;
		json_int_t n = json_integer_value(value);
		if (count < 0 || (least ? n > count : n < count))
			count = n;
	}
	return count;
}

static enum compat_verdict check_least(struct compat_run *run, const struct compat_parts *writer,
    const json_t *value, const char *keyword, json_int_t also, bool sure)
{
	json_int_t has = count_of(run, writer, keyword, true);
	long double wanted = number_of(value);
	if ((long double)(has > also ? has : also) >= wanted || wanted <= 0)
		return COMPAT_YES;
	return compat_note(run, writer, sure ? COMPAT_NO : COMPAT_UNKNOWN, keyword,
	    "%s have less than the %s %.0Lf", sure ? "may" : "perhaps it may", keyword, wanted);
}

static enum compat_verdict check_most(struct compat_run *run, const struct compat_parts *writer,
    const json_t *value, const char *keyword, json_int_t also, bool sure)
{
	json_int_t has = count_of(run, writer, keyword, false);
	long double wanted = number_of(value);
	if (also >= 0 && (has < 0 || also < has))
		has = also;
	if (has >= 0 && (long double)has <= wanted)
		return COMPAT_YES;
	return compat_note(run, writer, sure ? COMPAT_NO : COMPAT_UNKNOWN, keyword,
	    "%s have more than the %s %.0Lf", sure ? "may" : "perhaps it may", keyword, wanted);
}

static bool says(
    const struct compat_run *run, const struct compat_parts *writer, const char *keyword)
{
	for (size_t i = 0; i < writer->count; i++)
		if (compat_side_get(&run->writer, writer->items[i], keyword) != NULL)
			return true;
	return false;
}

/* A pattern or a format may bound the length by itself. */
static bool is_free_text(const struct compat_run *run, const struct compat_parts *writer)
{
	return !says(run, writer, "pattern") && !says(run, writer, "format");
}

enum compat_verdict compat_values_min_length(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	(void)reader;
	return check_least(run, writer, value, "minLength", 0, is_free_text(run, writer));
}

enum compat_verdict compat_values_max_length(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	(void)reader;
	return check_most(run, writer, value, "maxLength", -1, is_free_text(run, writer));
}

enum compat_verdict compat_values_min_items(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	(void)reader;
	return check_least(run, writer, value, "minItems", 0, true);
}

enum compat_verdict compat_values_max_items(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	size_t most = compat_children_most_items(run, writer);
	(void)reader;
	return check_most(
	    run, writer, value, "maxItems", most == SIZE_MAX ? -1 : (json_int_t)most, true);
}

enum compat_verdict compat_values_min_properties(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	json_t *names = json_object(); /* a set: one may be written twice */
	(void)reader;
	for (size_t i = 0; i < writer->count; i++) {
		size_t k;
		const json_t *name,
		    *required = compat_side_get(&run->writer, writer->items[i], "required");
		json_array_foreach((json_t *)(uintptr_t)required, k, name) if (json_is_string(name))
		    json_object_set_new(names, json_string_value(name), json_true());
	}
	json_int_t required = (json_int_t)json_object_size(names);
	json_decref(names);
	return check_least(run, writer, value, "minProperties", required, true);
}

/* What is closed has no more than it names. */
enum compat_verdict compat_values_max_properties(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	json_int_t most = -1;
	(void)reader;
	for (size_t i = 0; i < writer->count; i++) {
		const json_t *part = writer->items[i];
		json_int_t named =
		    (json_int_t)json_object_size(compat_side_get(&run->writer, part, "properties"));
		bool is_closed =
		    json_is_false(compat_side_get(&run->writer, part, "additionalProperties")) &&
		    compat_side_get(&run->writer, part, "patternProperties") == NULL;
		if (is_closed && (most < 0 || named < most))
			most = named;
	}
	return check_most(run, writer, value, "maxProperties", most,
	    !says(run, writer, "additionalProperties") && (run->flags & COMPAT_CLOSED) == 0);
}

enum compat_verdict compat_values_unique_items(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value)
{
	(void)reader;
	if (!json_is_true(value) || compat_children_most_items(run, writer) <= 1)
		return COMPAT_YES;
	return compat_note(
	    run, writer, COMPAT_NO, "uniqueItems", "may have the same item more than once");
}

/* ---- texts ---- */

enum compat_verdict compat_values_pattern(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	char *shown = text_quote(slice_str(json_string_value(value)));
	bool sure = is_free_text(run, writer);
	(void)reader;
	enum compat_verdict verdict =
	    compat_note(run, writer, sure ? COMPAT_NO : COMPAT_UNKNOWN, "pattern",
		sure ? "may be a text that does not match '%s'"
		     : "it cannot be told whether it always matches '%s'",
		shown);
	free(shown);
	return verdict;
}

enum compat_verdict compat_values_format(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const json_t *value)
{
	char *shown = text_quote(slice_str(json_string_value(value)));
	bool sure = is_free_text(run, writer);
	(void)reader;
	enum compat_verdict verdict = compat_note(run, writer, sure ? COMPAT_NO : COMPAT_UNKNOWN,
	    "format",
	    sure ? "may be a text that is no %s" : "it cannot be told whether it always is a %s",
	    shown);
	free(shown);
	return verdict;
}
