#include "fake/report.h"

#include "base/num.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* RFC 6901: "/fields/a~1b/0". */
static void write_pointer(const struct report_path *at, struct buf *out)
{
	if (at == NULL)
		return;
	write_pointer(at->up, out);
	buf_append_char(out, '/');
	if (at->key == NULL)
		buf_append_u64(out, at->index);
	for (const char *c = at->key; c != NULL && *c != '\0'; c++) {
		if (*c == '~')
			buf_append_str(out, "~0");
		else if (*c == '/')
			buf_append_str(out, "~1");
		else
			buf_append_char(out, *c);
	}
}

static ERROR_FORMAT(4, 0) void add(struct report *r, const struct report_path *at,
    const char *behind_pointer, const char *fmt, va_list args)
{
	struct buf pointer = {0};
	char text[ERROR_TEXT_BYTES];
	write_pointer(at, &pointer);
	buf_append_str(&pointer, behind_pointer);
	(void)vsnprintf(text, sizeof text, fmt, args); /* a cut text still says what failed */
	r->add(r->ctx, pointer.ptr ? pointer.ptr : "", text);
	r->count++;
	buf_release(&pointer);
}

bool report_add(struct report *r, const struct report_path *at, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	add(r, at, "", fmt, args);
	va_end(args);
	return false;
}

bool report_add_name(struct report *r, const struct report_path *at, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	add(r, at, READER_KEY, fmt, args);
	va_end(args);
	return false;
}

bool report_unknown(struct report *r, const struct report_path *at, const char *what,
    struct slice word, const char *near)
{
	char *quoted = text_quote(word);
	char *nearest = near ? text_quote(slice_str(near)) : NULL;
	if (nearest != NULL)
		report_add(r, at, "%s '%s'; did you mean '%s'?", what, quoted, nearest);
	else
		report_add(r, at, "%s '%s'", what, quoted);
	free(nearest);
	free(quoted);
	return false;
}

static const char *kind_of(const json_t *json)
{
	static const char *const kinds[] = {
	    [JSON_OBJECT] = "a map",
	    [JSON_ARRAY] = "a list",
	    [JSON_STRING] = "a string",
	    [JSON_INTEGER] = "a number",
	    [JSON_REAL] = "a number",
	    [JSON_TRUE] = "true",
	    [JSON_FALSE] = "false",
	    [JSON_NULL] = "null",
	};
	return json == NULL ? "missing" : kinds[json_typeof(json)];
}

bool report_kind(
    struct report *r, const struct report_path *at, const char *accepted, const json_t *found)
{
	if (found == NULL)
		return report_add(r, at, "is missing; must be %s", accepted);
	return report_add(r, at, "must be %s, not %s", accepted, kind_of(found));
}

bool report_keys(
    struct report *r, const struct report_path *at, const json_t *object, const char *const keys[])
{
	size_t before = r->count;
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		struct report_path here = {at, key, 0};
		size_t i = 0;
		while (keys[i] != NULL && strcmp(keys[i], key) != 0)
			i++;
		if (keys[i] == NULL)
			report_unknown(r, &here, "unknown key", slice_str(key),
			    text_suggest(slice_str(key), keys));
	}
	return r->count == before;
}

bool report_read_share(
    struct report *r, const struct report_path *at, const json_t *json, double *out)
{
	struct error ignored = {0}; /* the text below says what is accepted */
	struct slice text = {json_string_value(json), json_string_length(json)};
	double share = json_is_number(json) ? json_number_value(json) : -1;
	if (text.len > 1 && text.ptr[text.len - 1] == '%') {
		text.len--;
		if (num_parse_double(text, &share, &ignored))
			share /= 100;
	}
	if (!(share >= 0 && share <= 1))
		return report_add(r, at, "must be a share such as 0.01 or 1%%, from 0 to 1");
	*out = share;
	return true;
}
