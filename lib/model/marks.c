#include "model/marks.h"

#include "base/mem.h"
#include "model/field.h"
#include "model/table.h"

static bool is_replaced(struct slice key, const struct mark *marks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(key, marks[i].key))
			return true;
	return false;
}

static void add(const struct mark *m, struct buf *out)
{
	switch (m->kind) {
	case MARK_TEXT:
		table_add_string(out, m->key, m->text);
		break;
	case MARK_INT:
		table_add_int(out, m->key, m->number);
		break;
	case MARK_TRUE:
		table_add_bool(out, m->key, true);
		break;
	case MARK_TIME:
		table_add_time(out, m->key, (uint64_t)m->number);
		break;
	case MARK_ABSENT:
		break;
	}
}

void marks_set(struct slice headers, const struct mark *marks, size_t count, struct buf *out)
{
	struct table_entry entry = {.rest = headers};
	const char *at = headers.ptr;
	for (; table_next(&entry); at = entry.rest.ptr)
		if (!is_replaced(entry.key, marks, count))
			buf_append(out, (struct slice){at, (size_t)(entry.rest.ptr - at)});
	buf_append(out, entry.rest); /* damaged: it stays */
	for (size_t i = 0; i < count; i++)
		add(&marks[i], out);
}

static bool find_key(struct slice headers, struct slice key, struct table_entry *entry)
{
	*entry = (struct table_entry){.rest = headers};
	while (table_next(entry))
		if (slice_equal(entry->key, key))
			return true;
	return false;
}

void marks_join(struct slice headers, struct slice others, struct buf *out)
{
	struct table_entry entry = {.rest = headers}, same;
	const char *at = headers.ptr;
	for (; table_next(&entry); at = entry.rest.ptr)
		if (!find_key(others, entry.key, &same))
			buf_append(out, (struct slice){at, (size_t)(entry.rest.ptr - at)});
	buf_append(out, entry.rest);
	buf_append(out, others);
}

void marks_resent(const struct message *m, struct buf *store, struct message *out)
{
	const struct mark mark = {.key = MARKS_RESENT, .kind = MARK_TRUE};
	bool has_headers = (m->present & MESSAGE_HEADERS) != 0;
	*out = *m;
	buf_clear(store);
	marks_set(has_headers ? m->headers : SLICE(""), &mark, 1, store);
	out->headers = buf_slice(store);
	out->present |= MESSAGE_HEADERS;
}

static bool find(struct slice headers, const char *key, struct table_entry *entry)
{
	return find_key(headers, slice_str(key), entry);
}

bool marks_has(struct slice headers, const char *key)
{
	struct table_entry entry;
	return find(headers, key, &entry);
}

uint64_t marks_count(struct slice headers, const char *key)
{
	struct table_entry entry;
	if (!find(headers, key, &entry) || strchr("bBsuIilL", entry.type) == NULL)
		return 0;
	bool is_signed = strchr("bsIl", entry.type) != NULL;
	return is_signed && field_signed(entry.value) < 0 ? 0 : field_number(entry.value);
}

/* ---- what was written on the way ---- */

/* Whole names, and beginnings of names. */
static const struct owned {
	const char *name;
	bool is_prefix;
} owned[] = {
    {"x-death", false},
    {"x-first-death-", true},
    {"x-last-death-", true},
    {"x-delivery-count", false},
    {"x-acquired-count", false},
    {"x-stream-offset", false},
    {"x-received-from", false},
    {"x-shovelled", true},
    {"x-routed-by", false},
    {"x-opt-rabbitmq-", true},
    {"x-opt-mqtt-", true},
    {MARKS_PREFIX, true},
};

static bool is_owned(struct slice key)
{
	for (size_t i = 0; i < ARRAY_LEN(owned); i++) {
		size_t length = strlen(owned[i].name);
		if (key.len >= length && memcmp(key.ptr, owned[i].name, length) == 0 &&
		    (owned[i].is_prefix || key.len == length))
			return true;
	}
	return false;
}

void marks_strip(struct slice headers, bool elsewhere, struct buf *out)
{
	struct table_entry entry = {.rest = headers};
	const char *at = headers.ptr;
	for (; table_next(&entry); at = entry.rest.ptr) {
		bool routes = slice_is(entry.key, "CC") || slice_is(entry.key, "BCC");
		if (!is_owned(entry.key) && !(elsewhere && routes))
			buf_append(out, (struct slice){at, (size_t)(entry.rest.ptr - at)});
	}
	buf_append(out, entry.rest);
}
