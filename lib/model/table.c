#include "model/table.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/field.h"

#include <assert.h>
#include <stdlib.h>

#define MAX_KEY 255

/* --- walking and building --- */

bool table_next(struct table_entry *entry)
{
	struct slice rest = entry->rest, length, key;
	if (!field_take(&rest, 1, &length) || !field_take(&rest, (uint8_t)length.ptr[0], &key) ||
	    !field_take_value(&rest, &entry->type, &entry->value))
		return false;
	entry->key = key;
	entry->rest = rest;
	return true;
}

struct slice table_find_string(struct slice table, const char *key)
{
	struct table_entry entry = {.rest = table};
	while (table_next(&entry))
		if (slice_is(entry.key, key))
			return entry.type == 'S' ? field_content(entry.value) : (struct slice){0};
	return (struct slice){0};
}

static void add_key(struct buf *out, struct slice key)
{
	assert(key.len <= MAX_KEY);
	field_append(out, key.len, 1);
	buf_append(out, key);
}

void table_add_string(struct buf *out, const char *key, struct slice value)
{
	assert(value.len <= UINT32_MAX);
	add_key(out, slice_str(key));
	buf_append_char(out, 'S');
	field_append(out, value.len, 4);
	buf_append(out, value);
}

void table_add_int(struct buf *out, const char *key, int64_t value)
{
	add_key(out, slice_str(key));
	buf_append_char(out, 'l');
	field_append(out, (uint64_t)value, 8);
}

void table_add_bool(struct buf *out, const char *key, bool value)
{
	add_key(out, slice_str(key));
	buf_append_char(out, 't');
	field_append(out, value, 1);
}

void table_add_time(struct buf *out, const char *key, uint64_t seconds)
{
	add_key(out, slice_str(key));
	buf_append_char(out, 'T');
	field_append(out, seconds, 8);
}

/* --- to JSON --- */

/* One run of table_write_json. */
struct writer {
	struct slice whole; /* for the place of damage */
	unsigned depth;	    /* tables and arrays around the value */
	struct buf *out;
	struct error *err;
};

static bool write_table(struct writer *w, struct slice table);
static bool write_value(struct writer *w, char type, struct slice value);

static bool damaged(struct writer *w, struct slice rest)
{
	return error_set(w->err, ERROR_DATA, "damaged field table at byte %zu of %zu",
	    (size_t)(rest.ptr - w->whole.ptr), w->whole.len);
}

static bool too_deep(struct error *err)
{
	return error_set(err, ERROR_DATA, "nested deeper than %d levels", TABLE_MAX_DEPTH);
}

static bool write_array(struct writer *w, struct slice rest)
{
	const char *comma = "";
	buf_append_char(w->out, '[');
	while (rest.len > 0) {
		char type;
		struct slice value;
		if (!field_take_value(&rest, &type, &value))
			return damaged(w, rest);
		buf_append_str(w->out, comma);
		comma = ",";
		if (!write_value(w, type, value))
			return false;
	}
	buf_append_char(w->out, ']');
	return true;
}

static bool write_value(struct writer *w, char type, struct slice value)
{
	if (type != 'A' && type != 'F') {
		field_write_json(type, value, w->out);
		return true;
	}
	if (w->depth == TABLE_MAX_DEPTH)
		return too_deep(w->err);
	w->depth++;
	bool ok = type == 'A' ? write_array(w, field_content(value))
			      : write_table(w, field_content(value));
	w->depth--;
	return ok;
}

static int compare_keys(const void *left, const void *right)
{
	const struct slice *a = left, *b = right;
	size_t shorter = a->len < b->len ? a->len : b->len;
	int order = shorter > 0 ? memcmp(a->ptr, b->ptr, shorter) : 0;
	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

/* Sorting keeps a hostile table of many keys from costing the square of them. */
static bool has_doubled_key(struct slice table, size_t count)
{
	struct slice *keys = mem_alloc(count, sizeof *keys);
	struct table_entry entry = {.rest = table};
	for (size_t i = 0; i < count && table_next(&entry); i++)
		keys[i] = entry.key;
	qsort(keys, count, sizeof *keys, compare_keys);
	bool doubled = false;
	for (size_t i = 1; i < count && !doubled; i++)
		doubled = slice_equal(keys[i - 1], keys[i]);
	free(keys);
	return doubled;
}

/* For few keys, where comparing with each costs less than sorting. */
static bool is_among_first(struct slice table, struct slice key, size_t count)
{
	struct table_entry entry = {.rest = table};
	for (size_t i = 0; i < count && table_next(&entry); i++)
		if (slice_equal(entry.key, key))
			return true;
	return false;
}

/* True when a JSON object can hold the keys; jansson allows no NUL in one. */
static bool fits_object(struct slice table)
{
	const size_t few = 12;
	size_t count = 0;
	for (struct table_entry entry = {.rest = table}; table_next(&entry); count++)
		if (slice_is(entry.key, "$type") || !text_is_utf8(entry.key) ||
		    memchr(entry.key.ptr, '\0', entry.key.len) != NULL ||
		    (count < few && is_among_first(table, entry.key, count)))
			return false;
	return count <= few || !has_doubled_key(table, count);
}

static void write_key(struct slice key, struct buf *out)
{
	if (text_is_utf8(key)) {
		text_json(key, out);
		return;
	}
	buf_append_str(out, "{\"$type\":\"string\",\"value\":\"");
	text_base64(key, out);
	buf_append_str(out, "\"}");
}

/* The marks around the entries of a table, as an object and as a list of pairs. */
struct marks {
	const char *open, *before_key, *after_key, *after_value, *close;
};

static const struct marks object_marks = {"{", "", ":", "", "}"};
static const struct marks pair_marks = {"{\"$type\":\"table\",\"entries\":[", "[", ",", "]", "]}"};

static bool write_table(struct writer *w, struct slice table)
{
	const struct marks *marks = fits_object(table) ? &object_marks : &pair_marks;
	const char *comma = "";
	struct table_entry entry = {.rest = table};
	buf_append_str(w->out, marks->open);
	while (table_next(&entry)) {
		buf_append_str(w->out, comma);
		comma = ",";
		buf_append_str(w->out, marks->before_key);
		write_key(entry.key, w->out);
		buf_append_str(w->out, marks->after_key);
		if (!write_value(w, entry.type, entry.value))
			return false;
		buf_append_str(w->out, marks->after_value);
	}
	buf_append_str(w->out, marks->close);
	return entry.rest.len == 0 || damaged(w, entry.rest);
}

bool table_write_json(struct slice table, struct buf *out, struct error *err)
{
	size_t before = out->len;
	struct writer w = {.whole = table, .depth = 1, .out = out, .err = err};
	bool ok = write_table(&w, table);
	if (!ok)
		buf_truncate(out, before);
	return ok;
}

/* --- from JSON --- */

/* A step from the outermost table to a value; kept on the stack, for errors. */
struct step {
	const struct step *up; /* NULL for the outermost table */
	struct slice key;      /* of an entry; */
	size_t index;	       /* of an item of an array, when key.ptr is NULL */
	unsigned level;	       /* of the value if it is a table or array; the outermost is 1 */
};

static void write_path(const struct step *step, struct buf *out)
{
	if (step->up == NULL)
		return;
	write_path(step->up, out);
	if (step->key.ptr == NULL) {
		buf_printf(out, "[%zu]", step->index);
		return;
	}
	if (out->len > 0)
		buf_append_char(out, '.');
	text_escape(step->key, SIZE_MAX, out);
}

/* Puts the path of a value in front of an error. */
static bool at_step(const struct step *step, struct error *err)
{
	struct buf path = {0};
	write_path(step, &path);
	if (path.len > 0)
		error_context(err, "%s", path.ptr);
	buf_release(&path);
	return false;
}

static bool encode_table(
    const struct step *step, const json_t *object, struct buf *out, struct error *err);

static bool encode_value(
    const struct step *step, const json_t *value, struct buf *out, struct error *err);

static bool encode_array(
    const struct step *step, const json_t *array, struct buf *out, struct error *err)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		struct step item = {.up = step, .index = i, .level = step->level + 1};
		if (!encode_value(&item, json_array_get(array, i), out, err))
			return false;
	}
	return true;
}

static bool has_type(const json_t *value, const char *name)
{
	const json_t *type = json_object_get(value, "$type");
	return json_is_string(type) && strcmp(json_string_value(type), name) == 0;
}

static bool is_table(const json_t *value)
{
	return json_is_object(value) &&
	       (json_object_get(value, "$type") == NULL || has_type(value, "table"));
}

static bool encode_value(
    const struct step *step, const json_t *value, struct buf *out, struct error *err)
{
	bool table = is_table(value);
	if (!table && !json_is_array(value))
		return field_encode(value, out, err) || at_step(step, err);
	if (step->level > TABLE_MAX_DEPTH) {
		too_deep(err);
		return at_step(step, err);
	}
	buf_append_char(out, table ? 'F' : 'A');
	size_t at = field_begin_length(out);
	return (table ? encode_table : encode_array)(step, value, out, err) &&
	       (field_end_length(out, at, err) || at_step(step, err));
}

static bool encode_entry(const struct step *step, struct slice key, const json_t *value,
    struct buf *out, struct error *err)
{
	struct step inner = {.up = step, .key = key, .level = step->level + 1};
	if (key.len > MAX_KEY) {
		error_set(err, ERROR_DATA, "a key has more than %d bytes", MAX_KEY);
		return at_step(step, err);
	}
	add_key(out, key);
	return encode_value(&inner, value, out, err);
}

/* The key of a pair: text, or {"$type": "string", "value": base64}, decoded into *decoded. */
static bool read_key(const json_t *key, struct buf *decoded, struct error *err)
{
	struct slice text = {json_string_value(key), json_string_length(key)};
	if (json_is_string(key)) {
		buf_append(decoded, text);
		return true;
	}
	struct buf value = {0};
	bool ok = has_type(key, "string") && field_encode(key, &value, err);
	if (ok) /* behind the letter and the length */
		buf_append(decoded, (struct slice){value.ptr + 5, value.len - 5});
	buf_release(&value);
	return ok || error_set(err, ERROR_DATA, "the key is no string");
}

static bool encode_pairs(
    const struct step *step, const json_t *pairs, struct buf *out, struct error *err)
{
	for (size_t i = 0; i < json_array_size(pairs); i++) {
		const json_t *pair = json_array_get(pairs, i);
		struct step item = {.up = step, .index = i, .level = step->level};
		struct buf key = {0};
		bool ok = json_array_size(pair) == 2
			      ? read_key(json_array_get(pair, 0), &key, err)
			      : error_set(err, ERROR_DATA, "not a pair of key and value");
		if (!ok)
			at_step(&item, err);
		buf_reserve(&key, 0); /* so that an empty key has a place, too */
		ok = ok && encode_entry(step, buf_slice(&key), json_array_get(pair, 1), out, err);
		buf_release(&key);
		if (!ok)
			return false;
	}
	return true;
}

static bool encode_table(
    const struct step *step, const json_t *object, struct buf *out, struct error *err)
{
	if (json_object_get(object, "$type") != NULL) {
		const json_t *pairs = json_object_get(object, "entries");
		if (json_object_size(object) == 2 && json_is_array(pairs))
			return encode_pairs(step, pairs, out, err);
		error_set(err, ERROR_DATA, "table needs $type, entries and nothing else");
		return at_step(step, err);
	}
	/* jansson's iterators want it without const, and leave it alone. */
	json_t *entries = (json_t *)object;
	for (void *i = json_object_iter(entries); i != NULL;
	     i = json_object_iter_next(entries, i)) {
		struct slice key = slice_str(json_object_iter_key(i));
		if (!encode_entry(step, key, json_object_iter_value(i), out, err))
			return false;
	}
	return true;
}

bool table_encode(const json_t *object, struct buf *out, struct error *err)
{
	size_t before = out->len;
	struct step outermost = {.level = 1};
	bool ok = is_table(object) ? encode_table(&outermost, object, out, err)
				   : error_set(err, ERROR_DATA, "not a table");
	if (!ok)
		buf_truncate(out, before);
	return ok;
}
