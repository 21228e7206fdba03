/* A value as text: in one walk, for libjq's own writer adds character after character to a string
 * and says nothing of what JSON cannot hold. */
#include "jq/datum.h"

#include "base/text.h"
#include "jq/datum_private.h"

#include <math.h>

/* Whole numbers below are written by libjq in all their digits, too; from here on perhaps 1e+16. */
#define WHOLE_DIGITS_END 1e16

static bool write_value(jv value, int depth, struct buf *out);

static void write_text(jv text, struct buf *out)
{
	size_t len = (size_t)jv_string_length_bytes(jv_copy(text));
	text_json((struct slice){jv_string_value(text), len}, out);
}

/* The shortest digits that read back as the same number are libjq's business. */
static void write_real(double number, struct buf *out)
{
	jv text = jv_dump_string(jv_number(number), 0);
	buf_append_str(out, jv_string_value(text));
	jv_free(text);
}

static bool write_number(double number, struct buf *out)
{
	double whole = fabs(number);
	if (isnan(number)) {
		buf_append_str(out, "null");
	} else if (!(whole < WHOLE_DIGITS_END) || whole != trunc(whole) ||
		   (whole == 0 && signbit(number))) {
		write_real(number, out);
	} else {
		if (number < 0)
			buf_append_char(out, '-');
		buf_append_u64(out, (uint64_t)whole);
	}
	return isfinite(number);
}

static bool write_array(jv array, int depth, struct buf *out)
{
	bool good = true;
	int count = jv_array_length(jv_copy(array));
	for (int i = 0; i < count; i++) {
		buf_append_char(out, i == 0 ? '[' : ',');
		jv item = jv_array_get(jv_copy(array), i);
		good &= write_value(item, depth, out);
		jv_free(item);
	}
	buf_append_str(out, count == 0 ? "[]" : "]");
	return good;
}

static bool write_object(jv object, int depth, struct buf *out)
{
	bool good = true, is_empty = true;
	for (int i = jv_object_iter(object); jv_object_iter_valid(object, i);
	     i = jv_object_iter_next(object, i)) {
		buf_append_char(out, is_empty ? '{' : ',');
		is_empty = false;
		jv name = jv_object_iter_key(object, i), member = jv_object_iter_value(object, i);
		write_text(name, out);
		buf_append_char(out, ':');
		good &= write_value(member, depth, out);
		jv_free(name);
		jv_free(member);
	}
	buf_append_str(out, is_empty ? "{}" : "}");
	return good;
}

/* `depth` is how many arrays and objects it lies in. The value stays the caller's. */
static bool write_value(jv value, int depth, struct buf *out)
{
	switch (jv_get_kind(value)) {
	case JV_KIND_STRING:
		write_text(value, out);
		return true;
	case JV_KIND_NUMBER:
		return write_number(jv_number_value(value), out);
	case JV_KIND_TRUE:
		buf_append_str(out, "true");
		return true;
	case JV_KIND_FALSE:
		buf_append_str(out, "false");
		return true;
	case JV_KIND_ARRAY:
		if (depth < DATUM_MAX_DEPTH)
			return write_array(value, depth + 1, out);
		break;
	case JV_KIND_OBJECT:
		if (depth < DATUM_MAX_DEPTH)
			return write_object(value, depth + 1, out);
		break;
	case JV_KIND_NULL:
		buf_append_str(out, "null");
		return true;
	case JV_KIND_INVALID:
		break;
	}
	buf_append_str(out, "null");
	return false;
}

bool datum_write(const struct datum *d, struct buf *out)
{
	return write_value(datum_jv(d), 0, out);
}
