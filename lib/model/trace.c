#include "model/trace.h"

#include "model/table.h"

#define MAX_MEMBERS 32
#define MAX_TEXT 256 /* of a key or a value */
#define MAX_TENANT 241
#define MAX_SYSTEM 14

static const char digits[] = "0123456789abcdef";

/* ---- traceparent ---- */

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hex(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (hex_value(at[i]) < 0)
			return false;
	return true;
}

static bool is_id(const char *at, size_t len)
{
	bool is_zero = true;
	for (size_t i = 0; i < len; i++)
		is_zero &= at[i] == '0';
	return !is_zero && is_hex(at, len);
}

/* Version 00 ends behind the flags; a later one may go on behind a dash. ff is forbidden. */
static bool is_version(struct slice text)
{
	if (!is_hex(text.ptr, 2) || memcmp(text.ptr, "ff", 2) == 0)
		return false;
	if (text.len == TRACE_PARENT_CHARS)
		return true;
	return memcmp(text.ptr, "00", 2) != 0 && text.ptr[TRACE_PARENT_CHARS] == '-';
}

bool trace_parse(struct slice text, struct trace *out)
{
	if (text.len < TRACE_PARENT_CHARS || !is_version(text))
		return false;
	const char *trace_id = text.ptr + 3, *span_id = text.ptr + 36, *flags = text.ptr + 53;
	if (text.ptr[2] != '-' || text.ptr[35] != '-' || text.ptr[52] != '-' ||
	    !is_id(trace_id, TRACE_ID_CHARS) || !is_id(span_id, TRACE_SPAN_CHARS) ||
	    !is_hex(flags, 2))
		return false;
	memcpy(out->trace_id, trace_id, TRACE_ID_CHARS);
	memcpy(out->span_id, span_id, TRACE_SPAN_CHARS);
	out->flags = (uint8_t)(hex_value(flags[1]) & TRACE_SAMPLED);
	return true;
}

void trace_format(const struct trace *t, char out[TRACE_PARENT_CHARS])
{
	out[0] = out[1] = '0';
	out[2] = out[35] = out[52] = '-';
	memcpy(out + 3, t->trace_id, TRACE_ID_CHARS);
	memcpy(out + 36, t->span_id, TRACE_SPAN_CHARS);
	out[53] = digits[t->flags >> 4];
	out[54] = digits[t->flags & 15];
}

static void make_id(struct rng *r, char *out, size_t len)
{
	do {
		for (size_t i = 0; i < len; i += 16) {
			uint64_t bits = rng_next(r);
			for (size_t k = 0; k < 16; k++, bits >>= 4)
				out[i + k] = digits[bits & 15];
		}
	} while (!is_id(out, len));
}

void trace_start(struct rng *r, struct trace *out)
{
	make_id(r, out->trace_id, TRACE_ID_CHARS);
	make_id(r, out->span_id, TRACE_SPAN_CHARS);
	out->flags = TRACE_SAMPLED;
}

void trace_child(const struct trace *parent, struct rng *r, struct trace *out)
{
	*out = *parent;
	make_id(r, out->span_id, TRACE_SPAN_CHARS);
}

/* ---- tracestate ---- */

static bool is_key_part(struct slice text, size_t most, bool may_begin_with_digit)
{
	if (text.len == 0 || text.len > most)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_letter = c >= 'a' && c <= 'z', is_digit = c >= '0' && c <= '9';
		bool is_mark = c == '_' || c == '-' || c == '*' || c == '/';
		if (!is_letter && !(is_digit && (i > 0 || may_begin_with_digit)) &&
		    !(is_mark && i > 0))
			return false;
	}
	return true;
}

/* vendor, or tenant@vendor */
static bool is_key(struct slice key)
{
	const char *at = memchr(key.ptr, '@', key.len);
	if (at == NULL)
		return is_key_part(key, MAX_TEXT, false);
	size_t before = (size_t)(at - key.ptr);
	return is_key_part((struct slice){key.ptr, before}, MAX_TENANT, true) &&
	       is_key_part(slice_from(key, before + 1), MAX_SYSTEM, false);
}

/* Printable ASCII but for what ends it; not a space at the end. */
static bool is_value(struct slice value)
{
	if (value.len == 0 || value.len > MAX_TEXT || value.ptr[value.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] < ' ' || value.ptr[i] > '~' || value.ptr[i] == '=')
			return false;
	return true;
}

static bool add_member(struct slice member, struct slice keys[MAX_MEMBERS], size_t *count)
{
	const char *equals = memchr(member.ptr, '=', member.len);
	if (equals == NULL || *count == MAX_MEMBERS)
		return false;
	struct slice key = {member.ptr, (size_t)(equals - member.ptr)};
	if (!is_key(key) || !is_value(slice_from(member, key.len + 1)))
		return false;
	for (size_t i = 0; i < *count; i++)
		if (slice_equal(keys[i], key))
			return false;
	keys[(*count)++] = key;
	return true;
}

static struct slice trim_blanks(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = slice_from(s, 1);
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

bool trace_is_state(struct slice rest)
{
	struct slice keys[MAX_MEMBERS];
	size_t count = 0;
	while (rest.len > 0) {
		const char *comma = memchr(rest.ptr, ',', rest.len);
		size_t len = comma != NULL ? (size_t)(comma - rest.ptr) : rest.len;
		struct slice member = trim_blanks((struct slice){rest.ptr, len});
		if (member.len > 0 && !add_member(member, keys, &count))
			return false;
		rest = slice_from(rest, len + (comma != NULL));
	}
	return count > 0;
}

/* ---- both, in a message ---- */

bool trace_read(struct slice headers, struct trace *out, struct slice *state)
{
	if (!trace_parse(table_find_string(headers, TRACE_PARENT), out))
		return false;
	*state = table_find_string(headers, TRACE_STATE);
	if (!trace_is_state(*state))
		*state = (struct slice){0};
	return true;
}
