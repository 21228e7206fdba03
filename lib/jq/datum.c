#include "jq/datum.h"

#include "base/text.h"
#include "jq/datum_private.h"

#include <limits.h>
#include <math.h>

/* Not jv_parse_sized: on failure that one reads its input up to a NUL that is not there. */
bool datum_parse(struct slice text, struct datum *out)
{
	if (text.len > INT_MAX)
		return false;
	struct jv_parser *parser = jv_parser_new(0);
	jv_parser_set_buf(parser, text.ptr, (int)text.len, 0);
	jv value = jv_parser_next(parser);
	bool good = jv_is_valid(value);
	if (good) { /* what follows has to be nothing, not another value nor rubbish */
		jv rest = jv_parser_next(parser);
		good = !jv_is_valid(rest) && !jv_invalid_has_msg(jv_copy(rest));
		jv_free(rest);
	}
	jv_parser_free(parser);
	if (good)
		*out = datum_of_jv(value);
	else
		jv_free(value);
	return good;
}

struct datum datum_body(struct slice body)
{
	struct datum d;
	if (datum_parse(body, &d))
		return d;
	return text_is_utf8(body) ? datum_text(body) : datum_null();
}

/* ---- making ---- */

struct datum datum_null(void)
{
	return datum_of_jv(jv_null());
}

struct datum datum_bool(bool value)
{
	return datum_of_jv(jv_bool(value));
}

struct datum datum_number(double value)
{
	return datum_of_jv(jv_number(value));
}

struct datum datum_text(struct slice text)
{
	if (text.len == 0)
		return datum_of_jv(jv_string(""));
	return text.len <= INT_MAX ? datum_of_jv(jv_string_sized(text.ptr, (int)text.len))
				   : datum_null();
}

struct datum datum_object(void)
{
	return datum_of_jv(jv_object());
}

struct datum datum_copy(const struct datum *d)
{
	return datum_of_jv(jv_copy(datum_jv(d)));
}

void datum_free(struct datum *d)
{
	jv_free(datum_take_jv(d));
}

void datum_put_take(struct datum *object, struct slice name, struct datum value)
{
	if (!datum_exists(&value)) {
		datum_free(&value);
		return;
	}
	struct datum key = datum_text(name);
	jv whole = datum_take_jv(object);
	*object = datum_of_jv(jv_object_set(whole, datum_take_jv(&key), datum_take_jv(&value)));
}

void datum_set_take(struct datum *object, const char *name, struct datum value)
{
	datum_put_take(object, slice_str(name), value);
}

struct datum datum_get(const struct datum *object, struct slice name)
{
	if (!datum_is_object(object))
		return (struct datum){0}; /* libjq would abort */
	struct datum key = datum_text(name);
	jv member = jv_object_get(jv_copy(datum_jv(object)), datum_take_jv(&key));
	if (jv_is_valid(member))
		return datum_of_jv(member);
	jv_free(member);
	return (struct datum){0};
}

struct datum datum_move(struct datum *object, const char *name)
{
	if (jv_get_kind(datum_jv(object)) != JV_KIND_OBJECT)
		return (struct datum){0}; /* libjq would abort */
	jv whole = datum_take_jv(object);
	jv member = jv_object_get(jv_copy(whole), jv_string(name));
	*object = datum_of_jv(jv_object_delete(whole, jv_string(name)));
	return datum_of_jv(member);
}

/* ---- asking ---- */

bool datum_exists(const struct datum *d)
{
	return jv_is_valid(datum_jv(d)) != 0;
}

bool datum_is_null(const struct datum *d)
{
	return jv_get_kind(datum_jv(d)) == JV_KIND_NULL;
}

bool datum_is_object(const struct datum *d)
{
	return jv_get_kind(datum_jv(d)) == JV_KIND_OBJECT;
}

bool datum_is_true(const struct datum *d)
{
	jv_kind kind = jv_get_kind(datum_jv(d));
	return kind != JV_KIND_INVALID && kind != JV_KIND_NULL && kind != JV_KIND_FALSE;
}

bool datum_is_text(const struct datum *d, struct slice *out)
{
	jv value = datum_jv(d);
	if (jv_get_kind(value) != JV_KIND_STRING)
		return false;
	*out =
	    (struct slice){jv_string_value(value), (size_t)jv_string_length_bytes(jv_copy(value))};
	return true;
}

/* Takes the value. */
static bool is_json(jv value, int depth)
{
	jv_kind kind = jv_get_kind(value);
	bool good = kind == JV_KIND_ARRAY || kind == JV_KIND_OBJECT
			? depth < DATUM_MAX_DEPTH
			: kind != JV_KIND_INVALID &&
			      (kind != JV_KIND_NUMBER || isfinite(jv_number_value(value)));
	if (good && kind == JV_KIND_ARRAY)
		for (int i = 0; good && i < jv_array_length(jv_copy(value)); i++)
			good = is_json(jv_array_get(jv_copy(value), i), depth + 1);
	if (good && kind == JV_KIND_OBJECT)
		for (int i = jv_object_iter(value); good && jv_object_iter_valid(value, i);
		     i = jv_object_iter_next(value, i))
			good = is_json(jv_object_iter_value(value, i), depth + 1);
	jv_free(value);
	return good;
}

bool datum_is_json(const struct datum *d)
{
	return is_json(jv_copy(datum_jv(d)), 0);
}
