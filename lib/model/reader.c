#include "model/reader.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "config/document.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#define ACCEPTED_DURATION "a duration such as 250ms, 1s, 2m or 1h"

void reader_release(struct reader *r)
{
	buf_release(&r->pointer);
}

size_t reader_enter(struct reader *r, const char *key)
{
	size_t mark = r->pointer.len;
	buf_append_char(&r->pointer, '/');
	for (const char *c = key; *c != '\0'; c++) {
		if (*c == '~')
			buf_append_str(&r->pointer, "~0");
		else if (*c == '/')
			buf_append_str(&r->pointer, "~1");
		else
			buf_append_char(&r->pointer, *c);
	}
	return mark;
}

size_t reader_enter_item(struct reader *r, size_t index)
{
	size_t mark = r->pointer.len;
	buf_printf(&r->pointer, "/%zu", index);
	return mark;
}

void reader_leave(struct reader *r, size_t mark)
{
	r->pointer.len = mark;
	if (r->pointer.ptr != NULL)
		r->pointer.ptr[mark] = '\0';
}

static ERROR_FORMAT(2, 0) void report(struct reader *r, const char *fmt, va_list args)
{
	char *text = NULL;
	r->failed = true;
	if (r->report == NULL)
		return;
	if (vasprintf(&text, fmt, args) >= 0)
		r->report(r->ctx, r->pointer.len > 0 ? r->pointer.ptr : "", text);
	free(text);
}

bool reader_fail(struct reader *r, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	report(r, fmt, args);
	va_end(args);
	return false;
}

bool reader_fail_at(struct reader *r, const char *key, const char *fmt, ...)
{
	va_list args;
	size_t mark = reader_enter(r, key);
	va_start(args, fmt);
	report(r, fmt, args);
	va_end(args);
	reader_leave(r, mark);
	return false;
}

json_t *reader_member(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_null(value) ? NULL : value;
}

bool reader_fail_name(struct reader *r, const char *fmt, ...)
{
	va_list args;
	size_t mark = r->pointer.len;
	buf_append_str(&r->pointer, READER_KEY);
	va_start(args, fmt);
	report(r, fmt, args);
	va_end(args);
	reader_leave(r, mark);
	return false;
}

bool reader_fail_name_at(struct reader *r, const char *key, const char *fmt, ...)
{
	va_list args;
	size_t mark = reader_enter(r, key);
	buf_append_str(&r->pointer, READER_KEY);
	va_start(args, fmt);
	report(r, fmt, args);
	va_end(args);
	reader_leave(r, mark);
	return false;
}

static struct slice text_of(const json_t *value)
{
	return (struct slice){json_string_value(value), json_string_length(value)};
}

char *reader_describe(const json_t *value)
{
	struct buf out = {0};
	char *quoted;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return mem_strdup("a mapping");
	case JSON_ARRAY:
		return mem_strdup("a list");
	case JSON_STRING:
		quoted = text_quote(text_of(value));
		buf_printf(&out, "'%s'", quoted);
		free(quoted);
		break;
	case JSON_INTEGER:
		buf_printf(&out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		num_format_double(json_real_value(value), &out);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		return mem_strdup(json_is_true(value) ? "true" : "false");
	case JSON_NULL:
		return mem_strdup("null");
	}
	return buf_take(&out);
}

/* "<found> is not <accepted>" at a member. */
static bool refuse(struct reader *r, const char *key, const json_t *value, const char *accepted)
{
	char *found = reader_describe(value);
	reader_fail_at(r, key, "%s is not %s", found, accepted);
	free(found);
	return false;
}

/* As refuse, with the text of a parser of base/num, which begins with "not ". */
static bool refuse_because(
    struct reader *r, const char *key, const json_t *value, const struct error *reason)
{
	return refuse(r, key, value, reason->text + strlen("not "));
}

bool reader_bool(struct reader *r, const json_t *object, const char *key, bool *out)
{
	const json_t *value = reader_member(object, key);
	if (value == NULL)
		return false;
	if (!json_is_boolean(value))
		return refuse(r, key, value, "true or false");
	*out = json_is_true(value);
	return true;
}

/* A real without a fraction counts as whole, as it does in JSON Schema. */
static bool whole_of(const json_t *value, uint64_t *out)
{
	double real = json_is_real(value) ? json_real_value(value) : -1;
	if (json_is_integer(value) && json_integer_value(value) >= 0)
		*out = (uint64_t)json_integer_value(value);
	else if (real >= 0 && real < 9e15 && floor(real) == real)
		*out = (uint64_t)real;
	else
		return false;
	return true;
}

bool reader_count(struct reader *r, const json_t *object, const char *key, uint64_t min,
    uint64_t max, uint64_t *out)
{
	const json_t *value = reader_member(object, key);
	uint64_t count;
	if (value == NULL)
		return false;
	if (whole_of(value, &count) && count >= min && count <= max) {
		*out = count;
		return true;
	}
	char *accepted = max == UINT64_MAX
			     ? mem_printf("a whole number of at least %" PRIu64, min)
			     : mem_printf("a whole number from %" PRIu64 " to %" PRIu64, min, max);
	refuse(r, key, value, accepted);
	free(accepted);
	return false;
}

bool reader_text(struct reader *r, const json_t *object, const char *key, const char **out)
{
	const json_t *value = reader_member(object, key);
	if (value == NULL)
		return false;
	if (!json_is_string(value))
		return refuse(r, key, value, "a text");
	if (strlen(json_string_value(value)) != json_string_length(value))
		return refuse(r, key, value, "a text without NUL bytes");
	*out = json_string_value(value);
	return true;
}

static char *list_choices(const char *const choices[])
{
	struct buf out = {0};
	for (size_t i = 0; choices[i] != NULL; i++) {
		if (i > 0)
			buf_append_str(&out, choices[i + 1] != NULL ? ", " : " or ");
		buf_append_str(&out, choices[i]);
	}
	return buf_take(&out);
}

bool reader_choice(struct reader *r, const json_t *object, const char *key,
    const char *const choices[], size_t *out)
{
	const json_t *value = reader_member(object, key);
	if (value == NULL)
		return false;
	for (size_t i = 0; json_is_string(value) && choices[i] != NULL; i++) {
		if (!slice_is(text_of(value), choices[i]))
			continue;
		*out = i;
		return true;
	}
	const char *nearest = json_is_string(value) ? text_suggest(text_of(value), choices) : NULL;
	char *found = reader_describe(value);
	char *accepted = list_choices(choices);
	if (nearest != NULL)
		reader_fail_at(
		    r, key, "%s is not %s; did you mean '%s'?", found, accepted, nearest);
	else
		reader_fail_at(r, key, "%s is not %s", found, accepted);
	free(found);
	free(accepted);
	return false;
}

/* The text of a scalar that has a unit or is a bare number; false for other kinds. In *storage. */
static bool scalar_text(const json_t *value, struct buf *storage, struct slice *out)
{
	if (json_is_string(value)) {
		*out = text_of(value);
		return true;
	}
	if (json_is_integer(value))
		buf_printf(storage, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value)) /* no exponent: 1e-05 is no duration */
		buf_printf(storage, "%.9f", json_real_value(value));
	*out = buf_slice(storage);
	return out->len > 0;
}

static bool duration_of(const json_t *value, uint64_t *out_ns)
{
	struct error ignored = {0}; /* the callers say it with what was found */
	struct buf storage = {0};
	struct slice text;
	bool good =
	    scalar_text(value, &storage, &text) && num_parse_duration(text, out_ns, &ignored);
	buf_release(&storage);
	return good;
}

bool reader_duration(struct reader *r, const json_t *object, const char *key, uint64_t *out_ns)
{
	const json_t *value = reader_member(object, key);
	if (value == NULL)
		return false;
	return duration_of(value, out_ns) || refuse(r, key, value, ACCEPTED_DURATION);
}

bool reader_duration_ms(struct reader *r, const json_t *object, const char *key, uint64_t min_ms,
    uint64_t max_ms, uint64_t *out_ms)
{
	uint64_t ns;
	if (!reader_duration(r, object, key, &ns))
		return false;
	uint64_t ms = ns / CHRONO_MS;
	if (ns % CHRONO_MS == 0 && ms >= min_ms && ms <= max_ms) {
		*out_ms = ms;
		return true;
	}
	char *accepted = mem_printf(
	    "a whole number of milliseconds from %" PRIu64 " to %" PRIu64, min_ms, max_ms);
	refuse(r, key, json_object_get(object, key), accepted);
	free(accepted);
	return false;
}

bool reader_duration_range(struct reader *r, const json_t *object, const char *key,
    uint64_t *out_from_ns, uint64_t *out_to_ns)
{
	const json_t *value = reader_member(object, key);
	uint64_t from = 0, to = 0;
	if (value == NULL)
		return false;
	if (!json_is_object(value)) {
		if (!duration_of(value, &from))
			return refuse(
			    r, key, value, ACCEPTED_DURATION ", or a range {from: 100ms, to: 2s}");
		*out_from_ns = *out_to_ns = from;
		return true;
	}
	size_t mark = reader_enter(r, key);
	bool has_from = reader_duration(r, value, "from", &from);
	bool has_to = reader_duration(r, value, "to", &to);
	bool good = has_from && has_to && from <= to;
	if (!reader_member(value, "from") || !reader_member(value, "to"))
		reader_fail(r, "a range needs 'from' and 'to', as in {from: 100ms, to: 2s}");
	else if (has_from && has_to && !good)
		reader_fail(r, "a range that runs backwards; 'from' is at most 'to'");
	reader_leave(r, mark);
	if (!good)
		return false;
	*out_from_ns = from;
	*out_to_ns = to;
	return true;
}

bool reader_size(struct reader *r, const json_t *object, const char *key, uint64_t *out_bytes)
{
	const json_t *value = reader_member(object, key);
	struct error reason = {0};
	struct buf storage = {0};
	struct slice text;
	uint64_t whole;
	if (value == NULL)
		return false;
	bool good = json_is_string(value) || whole_of(value, &whole);
	good =
	    good && scalar_text(value, &storage, &text) && num_parse_size(text, out_bytes, &reason);
	buf_release(&storage);
	return good || refuse(r, key, value, "a size such as 512, 64KiB or 1MB");
}

bool reader_rate(
    struct reader *r, const json_t *object, const char *key, bool zero_too, double *out_per_second)
{
	const json_t *value = reader_member(object, key);
	struct error reason = {0};
	struct buf storage = {0};
	struct slice text;
	bool good = false;
	if (value == NULL)
		return false;
	if (!scalar_text(value, &storage, &text))
		return refuse(r, key, value, "a rate such as 500/s or 30/m");
	if (zero_too &&
	    ((json_is_number(value) && json_number_value(value) == 0) || slice_is(text, "0") ||
		slice_is(text, "0/s") || slice_is(text, "0/m") || slice_is(text, "0/h"))) {
		*out_per_second = 0;
		good = true;
	} else {
		good = num_parse_rate(text, out_per_second, &reason) ||
		       refuse_because(r, key, value, &reason);
	}
	buf_release(&storage);
	return good;
}

bool reader_positive(struct reader *r, const json_t *object, const char *key, double *out)
{
	const json_t *value = reader_member(object, key);
	if (value == NULL)
		return false;
	double number = json_is_number(value) ? json_number_value(value) : 0;
	if (!(number > 0) || !isfinite(number))
		return refuse(r, key, value, "a number above 0");
	*out = number;
	return true;
}

void reader_keep_first(void *ctx, const char *pointer, const char *text)
{
	struct error *err = ctx;
	size_t len = strlen(pointer), mark = strlen(READER_KEY);
	bool is_key = len >= mark && strcmp(pointer + len - mark, READER_KEY) == 0;
	char *place = mem_strndup(pointer, is_key ? len - mark : len);
	char *path = document_path(place);
	if (err->kind == ERROR_NONE)
		error_set(err, ERROR_USAGE, "%s: %s", path, text);
	free(path);
	free(place);
}
