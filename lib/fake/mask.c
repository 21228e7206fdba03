#include "fake/mask.h"

#include "base/mem.h"
#include "base/skim.h"
#include "base/text.h"
#include "fake/mask_value.h"
#include "model/envelope.h"
#include "model/table.h"

#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

#define HEADERS "headers"

struct path {
	struct slice *names; /* owned; they borrow */
	size_t count;
	uint64_t masked;
};

struct mask {
	unsigned char key[SIPHASH_KEY_BYTES];
	struct path *paths;
	size_t count;
	uint64_t of_body, of_headers; /* sets of paths: a bit each */
	uint64_t found;		      /* of those that led somewhere in the last message */
	struct buf plain, made;	      /* of the string at hand */
};

/* ---- paths ---- */

static bool add_path(struct mask *mask, const char *field, struct error *err)
{
	struct path *path = &mask->paths[mask->count];
	uint64_t bit = UINT64_C(1) << mask->count++;
	size_t capacity = 0;
	for (struct slice rest = slice_str(field);; rest = slice_from(rest, 1)) {
		const char *dot = rest.len > 0 ? memchr(rest.ptr, '.', rest.len) : NULL;
		size_t length = dot != NULL ? (size_t)(dot - rest.ptr) : rest.len;
		if (length == 0)
			return error_set(err, ERROR_USAGE,
			    "--mask takes a path such as customer.email, with a name between every "
			    "two dots");
		path->names =
		    mem_grow(path->names, &capacity, path->count + 1, sizeof *path->names);
		path->names[path->count++] = (struct slice){rest.ptr, length};
		rest = slice_from(rest, length);
		if (rest.len == 0)
			break;
	}
	if (path->count > 1 && slice_is(path->names[0], HEADERS))
		mask->of_headers |= bit;
	else
		mask->of_body |= bit;
	return true;
}

struct mask *mask_create(const char *const *fields, size_t count,
    const unsigned char key[SIPHASH_KEY_BYTES], struct error *err)
{
	if (count > MASK_MOST_FIELDS) {
		error_set(err, ERROR_USAGE, "--mask can be given %d times", MASK_MOST_FIELDS);
		return NULL;
	}
	struct mask *mask = mem_alloc(1, sizeof *mask);
	mask->paths = mem_alloc(count + 1, sizeof *mask->paths);
	memcpy(mask->key, key, sizeof mask->key);
	for (size_t i = 0; i < count; i++)
		if (!add_path(mask, fields[i], err)) {
			mask_free(mask);
			return NULL;
		}
	return mask;
}

void mask_free(struct mask *mask)
{
	if (mask == NULL)
		return;
	for (size_t i = 0; i < mask->count; i++)
		free(mask->paths[i].names);
	free(mask->paths);
	buf_release(&mask->plain);
	buf_release(&mask->made);
	free(mask);
}

uint64_t mask_count(const struct mask *mask, size_t field)
{
	return mask->paths[field].masked;
}

bool mask_found(const struct mask *mask, size_t field)
{
	return (mask->found & UINT64_C(1) << field) != 0;
}

/* ---- a walk through a JSON text, which is known to be one ---- */

struct walk {
	struct mask *mask;
	struct slice in;
	size_t at;
	struct buf *out;
	struct error *err;
	bool of_table; /* as table_write_json made it */
};

/* Where it stands: the paths that lead here, by how many of their names. */
struct place {
	uint64_t paths;
	size_t depth;
	bool is_envelope;	/* of a structured CloudEvent: the paths begin in its `data` */
	struct path *masked_by; /* NULL: it is not masked */
};

static void copy_to(struct walk *w, size_t end)
{
	buf_append(w->out, (struct slice){w->in.ptr + w->at, end - w->at});
	w->at = end;
}

static void copy_space(struct walk *w)
{
	size_t end = w->at;
	while (end < w->in.len && strchr(" \t\r\n", w->in.ptr[end]) != NULL)
		end++;
	copy_to(w, end);
}

/* The next string with its quotes. */
static struct slice string_here(const struct walk *w)
{
	size_t end = w->at + 1;
	while (w->in.ptr[end] != '"')
		end += w->in.ptr[end] == '\\' ? 2 : 1;
	return (struct slice){w->in.ptr + w->at, end + 1 - w->at};
}

/* What a string with its quotes stands for; half a surrogate pair, which stands for nothing, stays
 * written as it is. */
static struct slice decode(struct walk *w, struct slice quoted)
{
	struct slice inside = {quoted.ptr + 1, quoted.len - 2};
	struct buf *plain = &w->mask->plain;
	buf_clear(plain);
	if (inside.len == 0 || memchr(inside.ptr, '\\', inside.len) == NULL)
		return inside;
	return skim_unescape(inside, plain) ? buf_slice(plain) : inside;
}

/* NULL name: an item of an array. */
static struct place enter(const struct walk *w, const struct place *from, const struct slice *name)
{
	struct place to = {.depth = from->depth + 1, .masked_by = from->masked_by};
	for (size_t i = 0; i < w->mask->count; i++) {
		struct path *path = &w->mask->paths[i];
		uint64_t bit = UINT64_C(1) << i;
		if ((from->paths & bit) == 0 || from->depth >= path->count)
			continue;
		struct slice wanted = path->names[from->depth];
		if (!slice_is(wanted, "*") && (name == NULL || !slice_equal(wanted, *name)))
			continue;
		to.paths |= bit;
		if (to.depth < path->count)
			continue;
		w->mask->found |= bit;
		if (to.masked_by == NULL)
			to.masked_by = path;
	}
	return to;
}

/* Of a structured CloudEvent nothing but its data. */
static struct place enter_envelope(
    const struct walk *w, const struct place *from, struct slice name)
{
	if (slice_is(name, "data_base64"))
		error_set(w->err, ERROR_DATA, "the data of its CloudEvent is not JSON");
	return (struct place){.paths = slice_is(name, "data") ? from->paths : 0};
}

static bool walk_value(struct walk *w, const struct place *place);

static bool walk_member(struct walk *w, const struct place *place)
{
	struct slice key = string_here(w);
	struct slice name = decode(w, key);
	if (w->of_table && place->masked_by != NULL && slice_is(name, "$type"))
		error_set(w->err, ERROR_DATA,
		    "a header that is to be masked is neither a text nor a common number");
	struct place inside =
	    place->is_envelope ? enter_envelope(w, place, name) : enter(w, place, &name);
	copy_to(w, w->at + key.len);
	copy_space(w);
	copy_to(w, w->at + 1); /* the colon */
	return walk_value(w, &inside);
}

static bool walk_item(struct walk *w, const struct place *place)
{
	struct place inside = enter(w, place, NULL);
	return walk_value(w, &inside);
}

static bool walk_all(struct walk *w, const struct place *place, char end,
    bool (*each)(struct walk *w, const struct place *place))
{
	copy_to(w, w->at + 1);
	copy_space(w);
	while (w->in.ptr[w->at] != end) {
		if (!each(w, place))
			return false;
		copy_space(w);
		if (w->in.ptr[w->at] == ',')
			copy_to(w, w->at + 1);
		copy_space(w);
	}
	copy_to(w, w->at + 1);
	return true;
}

static void walk_string(struct walk *w, const struct place *place)
{
	struct slice quoted = string_here(w);
	if (place->masked_by == NULL) {
		copy_to(w, w->at + quoted.len);
		return;
	}
	buf_clear(&w->mask->made);
	mask_value_text(w->mask->key, decode(w, quoted), &w->mask->made);
	text_json(buf_slice(&w->mask->made), w->out);
	w->at += quoted.len;
	place->masked_by->masked++;
}

/* A number, true, false or null. */
static void walk_word(struct walk *w, const struct place *place)
{
	size_t end = w->at;
	while (end < w->in.len && strchr(",]} \t\r\n", w->in.ptr[end]) == NULL)
		end++;
	bool is_number = strchr("-0123456789", w->in.ptr[w->at]) != NULL;
	if (!is_number || place->masked_by == NULL) {
		copy_to(w, end);
		return;
	}
	struct slice number = {w->in.ptr + w->at, end - w->at};
	mask_value_number(w->mask->key, number, w->out);
	w->at = end;
	place->masked_by->masked++;
}

static bool walk_value(struct walk *w, const struct place *place)
{
	copy_space(w);
	char first = w->in.ptr[w->at];
	if (first == '{')
		return walk_all(w, place, '}', walk_member) && w->err->kind == ERROR_NONE;
	if (first == '[')
		return walk_all(w, place, ']', walk_item);
	if (first == '"')
		walk_string(w, place);
	else
		walk_word(w, place);
	return true;
}

/* ---- messages ---- */

static bool is_structured(const struct message *m)
{
	struct slice type =
	    (m->present & MESSAGE_CONTENT_TYPE) != 0 ? m->content_type : (struct slice){0};
	size_t length = strlen(ENVELOPE_CONTENT_TYPE);
	return type.len >= length && strncasecmp(type.ptr, ENVELOPE_CONTENT_TYPE, length) == 0 &&
	       (type.len == length || strchr("; \t", type.ptr[length]) != NULL);
}

static bool mask_body(
    struct mask *mask, const struct message *m, struct buf *out, struct error *err)
{
	struct slice text = slice_trim(m->body);
	if (!text_is_utf8(m->body) || !skim_is_json(m->body))
		return error_set(err, ERROR_DATA, "its body is not JSON");
	struct walk w = {.mask = mask, .in = m->body, .out = out, .err = err};
	const struct place start = {
	    .paths = mask->of_body, .is_envelope = is_structured(m) && text.ptr[0] == '{'};
	bool good = walk_value(&w, &start);
	copy_to(&w, w.in.len);
	return good;
}

/* By way of their form in JSON (table.h). */
static bool mask_headers(
    struct mask *mask, struct slice headers, struct buf *out, struct error *err)
{
	struct buf json = {0}, masked = {0};
	json_t *object = NULL;
	bool good = table_write_json(headers, &json, err);
	if (good) {
		/* the paths' first name is that of the table itself */
		const struct place start = {.paths = mask->of_headers, .depth = 1};
		struct walk w = {.mask = mask,
		    .in = buf_slice(&json),
		    .out = &masked,
		    .err = err,
		    .of_table = true};
		good = walk_value(&w, &start);
	}
	if (good) {
		object = json_loadb(masked.ptr, masked.len, JSON_ALLOW_NUL, NULL);
		good = table_encode(object, out, err);
	}
	json_decref(object);
	buf_release(&json);
	buf_release(&masked);
	return good;
}

bool mask_message(struct mask *mask, const struct message *m, struct message *out,
    struct buf *store, struct error *err)
{
	bool has_headers = mask->of_headers != 0 && (m->present & MESSAGE_HEADERS) != 0;
	buf_clear(store);
	mask->found = 0;
	*out = *m;
	if (mask->of_body != 0 && !mask_body(mask, m, store, err))
		return false;
	size_t body = store->len;
	if (has_headers && !mask_headers(mask, m->headers, store, err))
		return false;
	if (mask->of_body != 0)
		out->body = (struct slice){store->ptr, body};
	if (has_headers)
		out->headers = slice_from(buf_slice(store), body);
	return true;
}
