#include "model/field.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct kind;
typedef void write_fn(const struct kind *kind, struct slice value, struct buf *out);
typedef bool encode_fn(
    const struct kind *kind, const json_t *typed, struct buf *out, struct error *err);

struct kind {
	const char *name; /* in "$type"; NULL for values that JSON writes only in its own way */
	size_t width;	  /* bytes on the wire; with has_length those of the length */
	bool has_length;
	write_fn *write;
	encode_fn *encode; /* from {"$type": name, ..} */
	int64_t min;	   /* of whole numbers */
	uint64_t max;
};

static write_fn write_bool, write_int64, write_integer, write_float, write_double, write_decimal,
    write_string, write_bytes, write_null;
static encode_fn encode_integer, encode_float, encode_double, encode_decimal, encode_base64;

/* By the type letter. */
static const struct kind kinds[128] = {
    ['t'] = {"bool", 1, false, write_bool, encode_integer, 0, UINT8_MAX},
    ['b'] = {"int8", 1, false, write_integer, encode_integer, INT8_MIN, INT8_MAX},
    ['B'] = {"uint8", 1, false, write_integer, encode_integer, 0, UINT8_MAX},
    ['s'] = {"int16", 2, false, write_integer, encode_integer, INT16_MIN, INT16_MAX},
    ['u'] = {"uint16", 2, false, write_integer, encode_integer, 0, UINT16_MAX},
    ['I'] = {"int32", 4, false, write_integer, encode_integer, INT32_MIN, INT32_MAX},
    ['i'] = {"uint32", 4, false, write_integer, encode_integer, 0, UINT32_MAX},
    ['l'] = {"int64", 8, false, write_int64, encode_integer, INT64_MIN, INT64_MAX},
    ['L'] = {"uint64", 8, false, write_integer, encode_integer, 0, UINT64_MAX},
    ['T'] = {"timestamp", 8, false, write_integer, encode_integer, 0, UINT64_MAX},
    ['f'] = {"float", 4, false, write_float, encode_float, 0, 0},
    ['d'] = {"double", 8, false, write_double, encode_double, 0, 0},
    ['D'] = {"decimal", 5, false, write_decimal, encode_decimal, 0, 0},
    ['S'] = {"string", 4, true, write_string, encode_base64, 0, 0},
    ['x'] = {"bytes", 4, true, write_bytes, encode_base64, 0, 0},
    ['A'] = {NULL, 4, true, NULL, NULL, 0, 0},
    ['F'] = {NULL, 4, true, NULL, NULL, 0, 0},
    ['V'] = {NULL, 0, false, write_null, NULL, 0, 0},
};

static const struct kind *find_letter(char letter)
{
	const struct kind *kind = &kinds[(unsigned char)letter & 0x7f];
	bool known = kind->width > 0 || letter == 'V';
	return known && (unsigned char)letter < ARRAY_LEN(kinds) ? kind : NULL;
}

static char letter_of(const struct kind *kind)
{
	return (char)(kind - kinds);
}

static const struct kind *find_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].name != NULL && strcmp(name, kinds[i].name) == 0)
			return &kinds[i];
	return NULL;
}

/* --- bytes --- */

uint64_t field_number(struct slice bytes)
{
	uint64_t value = 0;
	for (size_t i = 0; i < bytes.len; i++)
		value = value << 8 | (unsigned char)bytes.ptr[i];
	return value;
}

int64_t field_signed(struct slice bytes)
{
	unsigned unused = (unsigned)(64 - 8 * bytes.len);
	return (int64_t)(field_number(bytes) << unused) >> unused;
}

double field_real(struct slice bytes)
{
	uint64_t bits = field_number(bytes);
	uint32_t low = (uint32_t)bits;
	double wide;
	float narrow;
	memcpy(&wide, &bits, sizeof wide);
	memcpy(&narrow, &low, sizeof narrow);
	return bytes.len == sizeof narrow ? (double)narrow : wide;
}

void field_append(struct buf *out, uint64_t value, size_t width)
{
	char bytes[8];
	for (size_t i = width; i-- > 0; value >>= 8)
		bytes[i] = (char)(value & 0xff);
	buf_append(out, (struct slice){bytes, width});
}

size_t field_begin_length(struct buf *out)
{
	field_append(out, 0, 4);
	return out->len;
}

bool field_end_length(struct buf *out, size_t at, struct error *err)
{
	size_t len = out->len - at;
	if (len > UINT32_MAX)
		return error_set(err, ERROR_DATA, "longer than %" PRIu32 " bytes", UINT32_MAX);
	for (size_t i = 0; i < 4; i++)
		out->ptr[at - 4 + i] = (char)(len >> (24 - 8 * i) & 0xff);
	return true;
}

bool field_take(struct slice *rest, size_t count, struct slice *out)
{
	if (count > rest->len)
		return false;
	*out = (struct slice){rest->ptr, count};
	rest->ptr += count;
	rest->len -= count;
	return true;
}

bool field_take_value(struct slice *rest, char *type, struct slice *value)
{
	struct slice after = *rest, letter, taken, content = {0};
	if (!field_take(&after, 1, &letter))
		return false;
	const struct kind *kind = find_letter(letter.ptr[0]);
	if (kind == NULL || !field_take(&after, kind->width, &taken))
		return false;
	if (kind->has_length && !field_take(&after, field_number(taken), &content))
		return false;
	*type = letter.ptr[0];
	*value = (struct slice){taken.ptr, taken.len + content.len};
	*rest = after;
	return true;
}

struct slice field_content(struct slice value)
{
	return (struct slice){value.ptr + 4, value.len - 4};
}

/* --- to JSON --- */

static void begin_typed(const struct kind *kind, struct buf *out)
{
	buf_append_str(out, "{\"$type\":\"");
	buf_append_str(out, kind->name);
	buf_append(out, SLICE("\",\"value\":"));
}

static void write_signed(int64_t value, struct buf *out)
{
	if (value < 0)
		buf_append_char(out, '-');
	buf_append_u64(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* A bool may be any octet; only 0 and 1 are false and true. */
static void write_bool(const struct kind *kind, struct slice value, struct buf *out)
{
	if ((unsigned char)value.ptr[0] > 1)
		write_integer(kind, value, out);
	else
		buf_append_str(out, value.ptr[0] != 0 ? "true" : "false");
}

static void write_int64(const struct kind *kind, struct slice value, struct buf *out)
{
	(void)kind; /* there is one type written as a bare whole number */
	write_signed(field_signed(value), out);
}

static void write_integer(const struct kind *kind, struct slice value, struct buf *out)
{
	uint64_t bits = field_number(value);
	begin_typed(kind, out);
	if (kind->min < 0)
		write_signed(field_signed(value), out);
	else if (bits <= INT64_MAX)
		buf_append_u64(out, bits);
	else
		buf_printf(out, "\"%" PRIu64 "\"", bits);
	buf_append_char(out, '}');
}

/* A broker of another make may have sent it; RabbitMQ cannot carry it, so there is no way back. */
static void write_special(const struct kind *kind, double number, struct buf *out)
{
	begin_typed(kind, out);
	buf_append_str(out, isnan(number) ? "\"nan\"}" : number > 0 ? "\"inf\"}" : "\"-inf\"}");
}

/* The shortest text that, read as a double, rounds to the same float. */
static void write_short_float(float value, struct buf *out)
{
	char text[40];
	int precision = 6;
	do
		snprintf(text, sizeof text, "%.*g", precision, (double)value);
	while ((float)strtod(text, NULL) != value && ++precision <= 17);
	buf_append_str(out, text);
	if (strpbrk(text, ".e") == NULL)
		buf_append_str(out, ".0");
}

static void write_float(const struct kind *kind, struct slice value, struct buf *out)
{
	double number = field_real(value);
	if (!isfinite(number)) {
		write_special(kind, number, out);
		return;
	}
	begin_typed(kind, out);
	write_short_float((float)number, out);
	buf_append_char(out, '}');
}

static void write_double(const struct kind *kind, struct slice value, struct buf *out)
{
	double number = field_real(value);
	if (!isfinite(number))
		write_special(kind, number, out);
	else
		num_format_double(number, out);
}

static void write_decimal(const struct kind *kind, struct slice value, struct buf *out)
{
	(void)kind; /* the only one with a scale */
	buf_printf(out, "{\"$type\":\"decimal\",\"scale\":%u,\"value\":%" PRIu64 "}",
	    (unsigned)(unsigned char)value.ptr[0],
	    field_number((struct slice){value.ptr + 1, value.len - 1}));
}

static void write_string(const struct kind *kind, struct slice value, struct buf *out)
{
	if (text_is_utf8(field_content(value)))
		text_json(field_content(value), out);
	else
		write_bytes(kind, value, out);
}

static void write_bytes(const struct kind *kind, struct slice value, struct buf *out)
{
	begin_typed(kind, out);
	buf_append_char(out, '"');
	text_base64(field_content(value), out);
	buf_append_str(out, "\"}");
}

static void write_null(const struct kind *kind, struct slice value, struct buf *out)
{
	(void)kind, (void)value; /* there is one void, and it has no bytes */
	buf_append_str(out, "null");
}

void field_write_json(char type, struct slice value, struct buf *out)
{
	const struct kind *kind = find_letter(type);
	kind->write(kind, value, out);
}

/* --- from JSON --- */

static struct slice json_slice(const json_t *string)
{
	return (struct slice){json_string_value(string), json_string_length(string)};
}

/* A whole number, or beyond int64 a string of digits; *bits is its two's complement. */
static bool read_integer(
    const json_t *value, int64_t min, uint64_t max, uint64_t *bits, struct error *err)
{
	struct error ignored = {0}; /* replaced by the text below, which knows the type's range */
	bool good = false;
	if (json_is_string(value) && max > INT64_MAX) {
		good = num_parse_u64(json_slice(value), 0, max, bits, &ignored);
	} else if (json_is_integer(value)) {
		json_int_t number = json_integer_value(value);
		good = number >= min && (number < 0 || (uint64_t)number <= max);
		*bits = (uint64_t)number;
	}
	return good || error_set(err, ERROR_DATA, "not a whole number from %" PRId64 " to %" PRIu64,
			   min, max);
}

static bool encode_integer(
    const struct kind *kind, const json_t *typed, struct buf *out, struct error *err)
{
	uint64_t bits;
	if (!read_integer(json_object_get(typed, "value"), kind->min, kind->max, &bits, err))
		return false;
	field_append(out, bits, kind->width);
	return true;
}

static void append_double(double number, struct buf *out)
{
	uint64_t bits;
	memcpy(&bits, &number, sizeof bits);
	field_append(out, bits, sizeof bits);
}

#define NOT_FINITE "not a finite number (RabbitMQ would close the connection)"

static bool encode_double(
    const struct kind *kind, const json_t *typed, struct buf *out, struct error *err)
{
	(void)kind;
	const json_t *value = json_object_get(typed, "value");
	if (!json_is_number(value))
		return error_set(err, ERROR_DATA, NOT_FINITE);
	append_double(json_number_value(value), out);
	return true;
}

static bool encode_float(
    const struct kind *kind, const json_t *typed, struct buf *out, struct error *err)
{
	(void)kind;
	const json_t *value = json_object_get(typed, "value");
	if (!json_is_number(value))
		return error_set(err, ERROR_DATA, NOT_FINITE);
	double wide = json_number_value(value);
	float number = (float)wide;
	if (!isfinite(number))
		return error_set(err, ERROR_DATA, "too large for a float");
	uint32_t bits;
	memcpy(&bits, &number, sizeof bits);
	field_append(out, bits, sizeof bits);
	return true;
}

static bool encode_decimal(
    const struct kind *kind, const json_t *typed, struct buf *out, struct error *err)
{
	(void)kind; /* the only one with a scale */
	uint64_t scale, value;
	if (!read_integer(json_object_get(typed, "scale"), 0, UINT8_MAX, &scale, err))
		return error_context(err, "scale");
	if (!read_integer(json_object_get(typed, "value"), 0, UINT32_MAX, &value, err))
		return false;
	field_append(out, scale, 1);
	field_append(out, value, 4);
	return true;
}

static bool encode_base64(
    const struct kind *kind, const json_t *typed, struct buf *out, struct error *err)
{
	(void)kind; /* strings and bytes differ by their letter alone */
	const json_t *value = json_object_get(typed, "value");
	size_t at = field_begin_length(out);
	if (!json_is_string(value) || !text_base64_decode(json_slice(value), out))
		return error_set(err, ERROR_DATA, "not base64");
	return field_end_length(out, at, err);
}

static bool unknown_type(struct slice name, struct error *err)
{
	struct buf accepted = {0};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].name != NULL)
			buf_printf(&accepted, "%s, ", kinds[i].name);
	char *quoted = text_quote(name);
	error_set(err, ERROR_DATA, "unknown $type '%s'; accepted: %stable", quoted, accepted.ptr);
	free(quoted);
	buf_release(&accepted);
	return false;
}

static bool encode_typed(const json_t *typed, struct buf *out, struct error *err)
{
	const json_t *type = json_object_get(typed, "$type");
	const struct kind *kind = json_is_string(type) ? find_name(json_string_value(type)) : NULL;
	if (kind == NULL)
		return unknown_type(json_slice(type), err);
	size_t members = kind == &kinds['D'] ? 3 : 2;
	if (json_object_size(typed) != members || json_object_get(typed, "value") == NULL)
		return error_set(err, ERROR_DATA, "%s needs $type, %svalue and nothing else",
		    kind->name, members == 3 ? "scale, " : "");
	buf_append_char(out, letter_of(kind));
	return kind->encode(kind, typed, out, err);
}

static bool encode_text(const json_t *value, struct buf *out, struct error *err)
{
	size_t at = field_begin_length(out);
	buf_append(out, json_slice(value));
	return field_end_length(out, at, err);
}

bool field_encode(const json_t *value, struct buf *out, struct error *err)
{
	switch (json_typeof(value)) {
	case JSON_TRUE:
	case JSON_FALSE:
		buf_append(out, (struct slice){json_is_true(value) ? "t\1" : "t\0", 2});
		return true;
	case JSON_INTEGER:
		buf_append_char(out, 'l');
		field_append(out, (uint64_t)json_integer_value(value), 8);
		return true;
	case JSON_REAL:
		buf_append_char(out, 'd');
		append_double(json_real_value(value), out);
		return true;
	case JSON_STRING:
		buf_append_char(out, 'S');
		return encode_text(value, out, err);
	case JSON_NULL:
		buf_append_char(out, 'V');
		return true;
	case JSON_OBJECT:
		return encode_typed(value, out, err);
	case JSON_ARRAY:
		break; /* table.c's */
	}
	return error_set(err, ERROR_INTERNAL, "not a single value");
}
