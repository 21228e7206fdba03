#include "fake/value.h"

#include "base/num.h"
#include "base/text.h"

#include <stdlib.h>

bool value_is_shallow(const json_t *json, unsigned depth)
{
	const json_t *child;
	if (!json_is_object(json) && !json_is_array(json))
		return true;
	if (depth == 0)
		return false;
	for (size_t i = 0; i < json_array_size(json); i++)
		if (!value_is_shallow(json_array_get(json, i), depth - 1))
			return false;
	const char *key;
	json_object_foreach((json_t *)(uintptr_t)json, key,
	    child) if (!value_is_shallow(child, depth - 1)) return false;
	return true;
}

/* Recursion is bounded by value_is_shallow, which callers ask first. */
static void write_tree(const json_t *json, struct buf *out)
{
	struct buf plain = {0};
	const char *key, *comma = "";
	json_t *child;
	if (json_is_array(json)) {
		for (size_t i = 0; i < json_array_size(json); i++) {
			buf_append_char(out, i == 0 ? '[' : ',');
			write_tree(json_array_get(json, i), out);
		}
		buf_append_str(out, json_array_size(json) == 0 ? "[]" : "]");
	} else if (json_is_object(json)) {
		buf_append_char(out, '{');
		json_object_foreach((json_t *)(uintptr_t)json, key, child)
		{
			buf_append_str(out, comma);
			comma = ",";
			text_json(slice_str(key), out);
			buf_append_char(out, ':');
			write_tree(child, out);
		}
		buf_append_char(out, '}');
	} else {
		enum value_kind kind = value_from_json(json, &plain);
		value_write_json(kind, buf_slice(&plain), out);
	}
	buf_release(&plain);
}

enum value_kind value_from_json(const json_t *json, struct buf *out)
{
	switch (json_typeof(json)) {
	case JSON_STRING:
		buf_append(out, (struct slice){json_string_value(json), json_string_length(json)});
		return VALUE_TEXT;
	case JSON_INTEGER:
		value_write_decimal(json_integer_value(json), 0, out);
		return VALUE_NUMBER;
	case JSON_REAL:
		num_format_double(json_real_value(json), out);
		return VALUE_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_append_str(out, json_is_true(json) ? "true" : "false");
		return VALUE_BOOL;
	case JSON_NULL:
		return VALUE_NULL;
	default:
		write_tree(json, out);
		return VALUE_JSON;
	}
}

void value_write_json(enum value_kind kind, struct slice text, struct buf *out)
{
	if (kind == VALUE_TEXT)
		text_json(text, out);
	else if (kind == VALUE_NULL)
		buf_append(out, SLICE("null"));
	else
		buf_append(out, text);
}

static bool needs_no_escape(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((signed char)p[i] < 0x20 || p[i] == '"' || p[i] == '\\' || p[i] == 0x7f)
			return false;
	return true;
}

void value_make_json(enum value_kind kind, struct buf *b, size_t from, struct buf *spare)
{
	if (kind == VALUE_NULL) {
		buf_append(b, SLICE("null"));
		return;
	}
	if (kind != VALUE_TEXT)
		return;
	size_t len = b->len - from;
	(void)buf_reserve(b, 2); /* may move the text, so before it is pointed at */
	char *text = b->ptr + from;
	if (needs_no_escape(text, len)) {
		memmove(text + 1, text, len);
		text[0] = '"';
		memcpy(text + len + 1, "\"", 2);
		b->len += 2;
		return;
	}
	buf_clear(spare);
	text_json((struct slice){text, len}, spare);
	b->len = from;
	buf_append(b, buf_slice(spare));
}

static void put_big_endian(char *at, uint64_t value, size_t bytes)
{
	for (size_t i = bytes; i-- > 0; value >>= 8)
		at[i] = (char)(value & 0xff);
}

static void append_big_endian(struct buf *out, uint64_t value, size_t bytes)
{
	char wire[8];
	put_big_endian(wire, value, bytes);
	buf_append(out, (struct slice){wire, bytes});
}

static void write_number_field(struct slice text, struct buf *out)
{
	struct error ignored = {0}; /* not a whole number: then it is a real */
	int64_t whole;
	if (num_parse_i64(text, INT64_MIN, INT64_MAX, &whole, &ignored)) {
		buf_append_char(out, 'l');
		append_big_endian(out, (uint64_t)whole, 8);
		return;
	}
	char copy[64];
	size_t len = text.len < sizeof copy ? text.len : sizeof copy - 1;
	memcpy(copy, text.ptr, len);
	copy[len] = '\0';
	double real = strtod(copy, NULL);
	uint64_t bits;
	memcpy(&bits, &real, sizeof bits);
	buf_append_char(out, 'd');
	append_big_endian(out, bits, 8);
}

/* Reads the JSON that this program has written: compact and valid, so there is nothing to check. */
struct cursor {
	const char *at, *end;
};

static unsigned take_hex4(struct cursor *c)
{
	unsigned unit = 0;
	for (int i = 0; i < 4; i++, c->at++) {
		unsigned digit = (unsigned char)*c->at;
		unit = unit << 4 | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
	}
	return unit;
}

/* After a backslash. */
static void take_escape(struct cursor *c, struct buf *out)
{
	static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	char letter = *c->at++;
	const char *found = strchr(letters, letter);
	if (letter != 'u') {
		buf_append_char(out, found != NULL ? meanings[found - letters] : letter);
		return;
	}
	uint32_t unit = take_hex4(c);
	if (unit >= 0xd800 && unit < 0xdc00) {
		c->at += 2; /* the \u of the low surrogate, which text_json always writes */
		unit = 0x10000 + ((unit - 0xd800) << 10) + (take_hex4(c) - 0xdc00);
	}
	text_utf8(unit, out);
}

static void take_string(struct cursor *c, struct buf *out)
{
	c->at++;
	while (*c->at != '"') {
		const char *plain = c->at;
		while (*c->at != '"' && *c->at != '\\')
			c->at++;
		buf_append(out, (struct slice){plain, (size_t)(c->at - plain)});
		if (*c->at == '\\') {
			c->at++;
			take_escape(c, out);
		}
	}
	c->at++;
}

/* Fills in the length that stands before what was appended since. */
static void close_length(struct buf *out, size_t length_at, size_t length_bytes)
{
	size_t len = out->len - length_at - length_bytes;
	put_big_endian(out->ptr + length_at, len, length_bytes);
}

static bool take_value(struct cursor *c, struct buf *out);

static bool take_container(struct cursor *c, struct buf *out)
{
	bool is_object = *c->at == '{';
	buf_append_char(out, is_object ? 'F' : 'A');
	size_t length_at = out->len;
	append_big_endian(out, 0, 4);
	c->at++;
	while (*c->at != '}' && *c->at != ']') {
		if (is_object) {
			size_t key_at = out->len;
			append_big_endian(out, 0, 1);
			take_string(c, out);
			if (out->len - key_at - 1 > 255)
				return false;
			close_length(out, key_at, 1);
			c->at++; /* the colon */
		}
		if (!take_value(c, out))
			return false;
		c->at += *c->at == ',';
	}
	c->at++;
	close_length(out, length_at, 4);
	return true;
}

static bool take_value(struct cursor *c, struct buf *out)
{
	if (*c->at == '{' || *c->at == '[')
		return take_container(c, out);
	if (*c->at == '"') {
		buf_append_char(out, 'S');
		size_t length_at = out->len;
		append_big_endian(out, 0, 4);
		take_string(c, out);
		close_length(out, length_at, 4);
		return true;
	}
	const char *word = c->at;
	while (c->at < c->end && strchr(",]}", *c->at) == NULL)
		c->at++;
	struct slice text = {word, (size_t)(c->at - word)};
	enum value_kind kind = *word == 'n'		      ? VALUE_NULL
			       : *word == 't' || *word == 'f' ? VALUE_BOOL
							      : VALUE_NUMBER;
	return value_write_field(kind, text, out);
}

bool value_write_field(enum value_kind kind, struct slice text, struct buf *out)
{
	struct cursor c = {text.ptr, text.ptr + text.len};
	switch (kind) {
	case VALUE_TEXT:
		buf_append_char(out, 'S');
		append_big_endian(out, text.len, 4);
		buf_append(out, text);
		return true;
	case VALUE_NUMBER:
		write_number_field(text, out);
		return true;
	case VALUE_BOOL:
		buf_append(out, text.ptr[0] == 't' ? SLICE("t\1") : (struct slice){"t\0", 2});
		return true;
	case VALUE_JSON:
		return take_value(&c, out);
	default:
		buf_append_char(out, 'V');
		return true;
	}
}

void value_write_decimal(int64_t value, unsigned decimals, struct buf *out)
{
	char digits[24];
	size_t at = sizeof digits, point = sizeof digits - decimals;
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
		if (decimals > 0 && at == point)
			digits[--at] = '.';
	} while (rest != 0 || at >= point);
	if (digits[at] == '.')
		digits[--at] = '0';
	if (value < 0)
		digits[--at] = '-';
	buf_append(out, (struct slice){digits + at, sizeof digits - at});
}

void value_write_padded(uint64_t value, unsigned width, struct buf *out)
{
	char *end = buf_reserve(out, width);
	for (unsigned i = width; i-- > 0; value /= 10)
		end[i] = (char)('0' + value % 10);
	end[width] = '\0';
	out->len += width;
}
