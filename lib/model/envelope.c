#include "model/envelope.h"

#include "base/chrono.h"
#include "base/skim.h"
#include "base/text.h"
#include "model/field.h"
#include "model/table.h"

#include <inttypes.h>
#include <strings.h>

#define LAST_SECOND UINT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define NATIVE_BYTES 32			   /* a number, a time or a boolean as text, at most */

enum attribute {
	ATTRIBUTE_SPECVERSION,
	ATTRIBUTE_ID,
	ATTRIBUTE_SOURCE,
	ATTRIBUTE_TYPE,
	ATTRIBUTE_SUBJECT,
	ATTRIBUTE_TIME,
	ATTRIBUTE_DATACONTENTTYPE,
	ATTRIBUTE_DATASCHEMA,
	ATTRIBUTE_COUNT,
	ATTRIBUTE_NONE = ATTRIBUTE_COUNT, /* an extension, say */
};

static const struct slice names[ATTRIBUTE_COUNT] = {
    [ATTRIBUTE_SPECVERSION] = {"specversion", 11},
    [ATTRIBUTE_ID] = {"id", 2},
    [ATTRIBUTE_SOURCE] = {"source", 6},
    [ATTRIBUTE_TYPE] = {"type", 4},
    [ATTRIBUTE_SUBJECT] = {"subject", 7},
    [ATTRIBUTE_TIME] = {"time", 4},
    [ATTRIBUTE_DATACONTENTTYPE] = {"datacontenttype", 15},
    [ATTRIBUTE_DATASCHEMA] = {"dataschema", 10},
};

/* The texts of one event's attributes; absent: ptr NULL. */
struct attributes {
	struct slice values[ATTRIBUTE_COUNT];
};

static enum attribute find_attribute(struct slice name)
{
	for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
		if (names[i].len == name.len && memcmp(names[i].ptr, name.ptr, name.len) == 0)
			return (enum attribute)i;
	return ATTRIBUTE_NONE;
}

/* ---- what is an event ---- */

static bool is_control(const char *at, const char *end)
{
	unsigned char c = (unsigned char)*at;
	bool is_c1 = c == 0xc2 && at + 1 < end && (unsigned char)at[1] < 0xa0;
	return c < 0x20 || c == 0x7f || is_c1;
}

bool envelope_is_string(struct slice text)
{
	if (text_plain(text) == text.len) /* nearly all */
		return text.len > 0;
	for (const char *at = text.ptr; at < text.ptr + text.len; at++)
		if (is_control(at, text.ptr + text.len))
			return false;
	return text_is_utf8(text);
}

static bool is_version_1(struct slice version)
{
	if (version.len < 3 || memcmp(version.ptr, "1.", 2) != 0)
		return false;
	for (size_t i = 2; i < version.len; i++)
		if (version.ptr[i] < '0' || version.ptr[i] > '9')
			return false;
	return true;
}

static bool is_time(struct slice text)
{
	struct error ignored; /* then there is no time */
	int64_t wall_ms;
	error_clear(&ignored);
	return chrono_parse(text, &wall_ms, &ignored);
}

/* Forgets what breaks the rules of its type. False when something required is missing. */
static bool check(struct attributes *a)
{
	for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
		if (a->values[i].ptr != NULL && !envelope_is_string(a->values[i]))
			a->values[i] = (struct slice){0};
	struct slice *time = &a->values[ATTRIBUTE_TIME];
	if (time->ptr != NULL && !is_time(*time))
		*time = (struct slice){0};
	return is_version_1(a->values[ATTRIBUTE_SPECVERSION]) &&
	       a->values[ATTRIBUTE_ID].ptr != NULL && a->values[ATTRIBUTE_SOURCE].ptr != NULL &&
	       a->values[ATTRIBUTE_TYPE].ptr != NULL;
}

static void fill(struct envelope *out, enum envelope_mode mode, const struct attributes *a)
{
	*out = (struct envelope){.mode = mode,
	    .id = a->values[ATTRIBUTE_ID],
	    .source = a->values[ATTRIBUTE_SOURCE],
	    .type = a->values[ATTRIBUTE_TYPE],
	    .subject = a->values[ATTRIBUTE_SUBJECT],
	    .time = a->values[ATTRIBUTE_TIME],
	    .datacontenttype = a->values[ATTRIBUTE_DATACONTENTTYPE],
	    .dataschema = a->values[ATTRIBUTE_DATASCHEMA]};
}

/* ---- binary mode ---- */

const struct slice envelope_prefixes[ENVELOPE_PREFIX_COUNT] = {
    {"cloudEvents_", 12}, {"cloudEvents:", 12}, {"ce-", 3}};

size_t envelope_find_prefix(struct slice header)
{
	for (size_t i = 0; header.len > 0 && header.ptr[0] == 'c' && i < ENVELOPE_PREFIX_COUNT; i++)
		if (header.len > envelope_prefixes[i].len &&
		    memcmp(header.ptr, envelope_prefixes[i].ptr, envelope_prefixes[i].len) == 0)
			return i;
	return ENVELOPE_PREFIX_COUNT;
}

static bool write_time(uint64_t seconds, struct buf *out)
{
	if (seconds > LAST_SECOND)
		return false;
	chrono_format((int64_t)seconds * 1000, out);
	return true;
}

/* The canonical text (spec.md, Type System) of a value that is no string; false when CloudEvents
 * know no such type. */
static bool write_native(char type, struct slice value, struct buf *out)
{
	switch (type) {
	case 't':
		buf_append_str(out, field_number(value) != 0 ? "true" : "false");
		return true;
	case 'b':
	case 's':
	case 'I':
	case 'l':
		buf_printf(out, "%" PRId64, field_signed(value));
		return true;
	case 'B':
	case 'u':
	case 'i':
	case 'L':
		buf_append_u64(out, field_number(value));
		return true;
	case 'x':
		text_base64(field_content(value), out);
		return true;
	case 'T':
		return write_time(field_number(value), out);
	default:
		return false;
	}
}

static struct slice text_of(const struct table_entry *entry, struct buf *scratch)
{
	size_t at = scratch->len;
	if (entry->type == 'S')
		return field_content(entry->value);
	if (!write_native(entry->type, entry->value, scratch))
		return (struct slice){0};
	return (struct slice){scratch->ptr + at, scratch->len - at};
}

/* The first header of a name counts. False when there is none with a prefix. */
static bool collect(
    struct slice headers, struct buf *scratch, struct attributes sets[ENVELOPE_PREFIX_COUNT])
{
	struct table_entry entry = {.rest = headers};
	bool is_clear = false;
	while (table_next(&entry)) {
		size_t prefix = envelope_find_prefix(entry.key);
		if (prefix == ENVELOPE_PREFIX_COUNT)
			continue;
		if (!is_clear) { /* base64 is the longest that a value becomes */
			memset(sets, 0, ENVELOPE_PREFIX_COUNT * sizeof *sets);
			(void)buf_reserve(scratch, 2 * headers.len + 64 * NATIVE_BYTES);
			is_clear = true;
		}
		enum attribute a =
		    find_attribute(slice_from(entry.key, envelope_prefixes[prefix].len));
		if (a != ATTRIBUTE_NONE && sets[prefix].values[a].ptr == NULL)
			sets[prefix].values[a] = text_of(&entry, scratch);
	}
	return is_clear;
}

static bool read_binary(const struct message *m, struct buf *scratch, struct envelope *out)
{
	struct attributes sets[ENVELOPE_PREFIX_COUNT];
	if ((m->present & MESSAGE_HEADERS) == 0 || !collect(m->headers, scratch, sets))
		return false;
	for (size_t i = 0; i < ENVELOPE_PREFIX_COUNT; i++) {
		if (!check(&sets[i]))
			continue;
		fill(out, ENVELOPE_BINARY, &sets[i]);
		if ((m->present & MESSAGE_CONTENT_TYPE) != 0 && envelope_is_string(m->content_type))
			out->datacontenttype = m->content_type;
		return true;
	}
	return false;
}

/* ---- structured mode ---- */

/* The media type without its parameters. */
static struct slice without_parameters(struct slice type)
{
	const char *semicolon = type.len > 0 ? memchr(type.ptr, ';', type.len) : NULL;
	if (semicolon != NULL)
		type.len = (size_t)(semicolon - type.ptr);
	return slice_trim(type);
}

static bool ends_with(struct slice text, struct slice end)
{
	return text.len >= end.len &&
	       strncasecmp(text.ptr + text.len - end.len, end.ptr, end.len) == 0;
}

static bool is_structured(const struct message *m)
{
	if ((m->present & MESSAGE_CONTENT_TYPE) == 0)
		return false;
	struct slice type = without_parameters(m->content_type);
	return type.len == sizeof ENVELOPE_CONTENT_TYPE - 1 &&
	       ends_with(type, SLICE(ENVELOPE_CONTENT_TYPE));
}

bool envelope_is_json(struct slice content_type)
{
	struct slice type = without_parameters(content_type);
	return ends_with(type, SLICE("/json")) || ends_with(type, SLICE("+json"));
}

/* A string's bytes; ptr NULL when the value is no string, or none that can be read. */
static struct slice string_of(struct slice value, struct buf *scratch)
{
	size_t at = scratch->len;
	if (value.ptr[0] != '"')
		return (struct slice){0};
	struct slice raw = {value.ptr + 1, value.len - 2};
	if (memchr(raw.ptr, '\\', raw.len) == NULL)
		return raw;
	if (!skim_unescape(raw, scratch))
		return (struct slice){0};
	return (struct slice){scratch->ptr + at, scratch->len - at};
}

/* What a structured body says, beside its attributes. */
struct content {
	struct attributes attributes;
	unsigned seen;		    /* attributes, by their bit, also those that are null */
	struct slice data, encoded; /* the values of data and data_base64, as they stand there */
};

static bool take_once(struct slice *into, struct slice value)
{
	bool is_first = into->ptr == NULL;
	*into = value;
	return is_first;
}

/* False when a name that matters stands there twice: nobody can tell which is meant. */
static bool read_member(struct content *c, const struct skim_member *member, struct buf *scratch)
{
	struct slice key = member->key;
	if (memchr(key.ptr, '\\', key.len) != NULL) {
		size_t at = scratch->len;
		if (!skim_unescape(key, scratch))
			return true; /* no name of ours */
		key = (struct slice){scratch->ptr + at, scratch->len - at};
	}
	if (slice_is(key, "data"))
		return take_once(&c->data, member->value);
	if (slice_is(key, "data_base64"))
		return take_once(&c->encoded, member->value);
	enum attribute a = find_attribute(key);
	if (a == ATTRIBUTE_NONE)
		return true;
	bool is_first = (c->seen & 1u << a) == 0;
	c->seen |= 1u << a;
	c->attributes.values[a] = string_of(member->value, scratch);
	return is_first;
}

/* `data` as it stands there, or what data_base64 says when that is JSON. False: neither is good. */
static bool read_data(const struct content *c, struct buf *scratch, struct slice *out)
{
	*out = c->data;
	if (c->encoded.ptr == NULL)
		return true;
	struct slice text = string_of(c->encoded, scratch);
	size_t at = scratch->len;
	if (c->data.ptr != NULL || text.ptr == NULL || !text_base64_decode(text, scratch))
		return false;
	struct slice type = c->attributes.values[ATTRIBUTE_DATACONTENTTYPE];
	struct slice decoded = {scratch->ptr + at, scratch->len - at};
	bool may_be_json = type.ptr == NULL || envelope_is_json(type);
	if (may_be_json && text_is_utf8(decoded) && skim_is_json(decoded))
		*out = decoded;
	return true;
}

static bool read_structured(const struct message *m, struct buf *scratch, struct envelope *out)
{
	struct content c = {0};
	struct skim_member member = {.rest = m->body};
	struct slice data;
	if (!text_is_utf8(m->body))
		return false;
	(void)buf_reserve(scratch, 2 * m->body.len); /* texts become shorter, at most two times */
	while (skim_next(&member))
		if (!read_member(&c, &member, scratch))
			return false;
	if (member.is_damaged || !check(&c.attributes) || !read_data(&c, scratch, &data))
		return false;
	fill(out, ENVELOPE_STRUCTURED, &c.attributes);
	out->data = data;
	return true;
}

/* ---- either, or none ---- */

static void stand_in(const struct message *m, struct buf *scratch, struct envelope *out)
{
	*out = (struct envelope){0};
	if ((m->present & MESSAGE_MESSAGE_ID) != 0 && m->message_id.len > 0)
		out->id = m->message_id;
	if ((m->present & MESSAGE_TYPE) != 0 && m->type.len > 0)
		out->type = m->type;
	if ((m->present & MESSAGE_CONTENT_TYPE) != 0 && m->content_type.len > 0)
		out->datacontenttype = m->content_type;
	buf_clear(scratch);
	if ((m->present & MESSAGE_TIMESTAMP) != 0 && write_time(m->timestamp, scratch))
		out->time = buf_slice(scratch);
}

void envelope_read(const struct message *m, struct buf *scratch, struct envelope *out)
{
	buf_clear(scratch);
	if (!(is_structured(m) ? read_structured : read_binary)(m, scratch, out))
		stand_in(m, scratch, out);
}
