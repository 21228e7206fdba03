#include "app/asyncapi_reader.h"

#include "base/mem.h"
#include "base/text.h"
#include "config/pointer.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HOPS 32
#define SHOWN_NOTES 50 /* the rest are counted */

void asyncapi_reader_init(
    struct asyncapi_reader *r, const struct document *document, asyncapi_note_fn *note, void *ctx)
{
	*r = (struct asyncapi_reader){document, note, ctx, json_object(), json_object()};
}

void asyncapi_reader_release(struct asyncapi_reader *r)
{
	size_t count = json_object_size(r->noted);
	if (count > SHOWN_NOTES) {
		char *text = mem_printf("... and %zu more that are not taken", count - SHOWN_NOTES);
		r->note(r->ctx, text);
		free(text);
	}
	json_decref(r->pointers);
	json_decref(r->noted);
}

/* ---- places ---- */

static char *place_take(const struct asyncapi_reader *r, struct asyncapi_node at, char *text)
{
	const char *pointer = at.pointer != NULL ? at.pointer : "";
	struct place place = document_place(r->document, pointer);
	char *name = text_quote(slice_str(document_name(r->document)));
	char *path = pointer_path(slice_str(pointer));
	char *whole = mem_printf("%s:%u:%u: %s%s%s", name, place.line, place.column, path,
	    path[0] != '\0' ? ": " : "", text);
	free(path);
	free(name);
	free(text);
	return whole;
}

static char *format(const char *fmt, va_list args) ERROR_FORMAT(1, 0);

static char *format(const char *fmt, va_list args)
{
	char text[ERROR_TEXT_BYTES];
	vsnprintf(text, sizeof text, fmt, args);
	return mem_strdup(text);
}

void asyncapi_reader_note(struct asyncapi_reader *r, struct asyncapi_node at, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	char *text = place_take(r, at, format(fmt, args));
	va_end(args);
	if (json_object_get(r->noted, text) == NULL) {
		json_object_set_new(r->noted, text, json_true());
		if (json_object_size(r->noted) <= SHOWN_NOTES)
			r->note(r->ctx, text);
	}
	free(text);
}

bool asyncapi_reader_fail(
    struct asyncapi_reader *r, struct asyncapi_node at, struct error *err, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	char *text = place_take(r, at, format(fmt, args));
	va_end(args);
	error_set(err, ERROR_DATA, "%s", text);
	free(text);
	return false;
}

/* ---- walking ---- */

static const char *keep_take(struct asyncapi_reader *r, char *pointer)
{
	json_t *text = json_object_get(r->pointers, pointer);
	if (text == NULL) {
		text = json_string(pointer);
		json_object_set_new(r->pointers, pointer, text);
	}
	free(pointer);
	return json_string_value(text);
}

static const json_t *step(const json_t *of, const char *key)
{
	char *end;
	if (!json_is_array(of))
		return json_object_get(of, key);
	unsigned long index = strtoul(key, &end, 10);
	return key[0] >= '0' && key[0] <= '9' && *end == '\0' ? json_array_get(of, index) : NULL;
}

const json_t *asyncapi_reader_find(const json_t *root, const char *pointer)
{
	struct slice rest = slice_str(pointer);
	struct buf key = {0};
	while (root != NULL && pointer_next(&rest, &key)) {
		buf_append_char(&key, '\0');
		root = step(root, key.ptr);
	}
	buf_release(&key);
	return root;
}

/* Where a reference leads. */
static struct asyncapi_node follow(struct asyncapi_reader *r, struct asyncapi_node node)
{
	const struct asyncapi_node first = node;
	const json_t *root = document_root(r->document), *reference;
	for (unsigned hops = 0; (reference = json_object_get(node.value, "$ref")) != NULL; hops++) {
		const char *to = json_string_value(reference);
		char *shown = text_quote(slice_str(to != NULL ? to : "what is no text"));
		node.value = NULL;
		if (hops == MAX_HOPS)
			asyncapi_reader_note(
			    r, first, "its $ref leads over more than %d others", MAX_HOPS);
		else if (to == NULL || strncmp(to, "#/", 2) != 0)
			asyncapi_reader_note(r, first,
			    "its $ref leads out of the document, to '%s': nothing else is read",
			    shown);
		else if ((node.value = asyncapi_reader_find(root, to + 1)) == NULL)
			asyncapi_reader_note(r, first, "its $ref '%s' leads nowhere", shown);
		free(shown);
		if (node.value == NULL)
			return (struct asyncapi_node){0};
		node.pointer = keep_take(r, mem_strdup(to + 1));
	}
	return node;
}

struct asyncapi_node asyncapi_reader_root(struct asyncapi_reader *r)
{
	return (struct asyncapi_node){document_root(r->document), keep_take(r, mem_strdup(""))};
}

static struct asyncapi_node enter(
    struct asyncapi_reader *r, struct asyncapi_node of, const json_t *value, const char *key)
{
	struct buf pointer = {0};
	if (value == NULL)
		return (struct asyncapi_node){0};
	buf_append_str(&pointer, of.pointer);
	pointer_push(&pointer, slice_str(key));
	return follow(r, (struct asyncapi_node){value, keep_take(r, buf_take(&pointer))});
}

struct asyncapi_node asyncapi_reader_member(
    struct asyncapi_reader *r, struct asyncapi_node of, const char *key)
{
	return enter(r, of, json_object_get(of.value, key), key);
}

struct asyncapi_node asyncapi_reader_item(
    struct asyncapi_reader *r, struct asyncapi_node of, size_t index)
{
	char key[24];
	snprintf(key, sizeof key, "%zu", index);
	return enter(r, of, json_array_get(of.value, index), key);
}

const char *asyncapi_reader_text(
    struct asyncapi_reader *r, struct asyncapi_node of, const char *key)
{
	struct asyncapi_node member = asyncapi_reader_member(r, of, key);
	if (member.value != NULL && !json_is_string(member.value) && !json_is_null(member.value))
		asyncapi_reader_note(r, member, "is not a text");
	return json_string_value(member.value);
}
