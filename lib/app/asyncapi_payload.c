#include "app/asyncapi_payload.h"

#include "base/mem.h"
#include "base/text.h"
#include "schema/schema.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DRAFT_7 "http://json-schema.org/draft-07/schema#"
#define MAX_PARTS 1000 /* that one schema refers to */

struct lift {
	struct asyncapi_reader *reader;
	struct asyncapi_node at;
	const json_t *own; /* the schema itself, for references that the document does not have */
	json_t *names;	   /* pointer -> its name under $defs */
	json_t *defs;
	bool failed;
};

static const json_t *find_target(const struct lift *l, const char *pointer)
{
	const json_t *found = asyncapi_reader_find(document_root(l->reader->document), pointer);
	return found != NULL ? found : asyncapi_reader_find(l->own, pointer);
}

/* The end of the pointer, of which no other part has the name. */
static char *make_name(const struct lift *l, const char *pointer)
{
	struct buf name = {0};
	for (const char *c = strrchr(pointer, '/') + 1; *c != '\0'; c++)
		buf_append_char(&name, isalnum((unsigned char)*c) || *c == '_' ? *c : '-');
	if (name.len == 0)
		buf_append_char(&name, '-');
	size_t len = name.len;
	for (unsigned n = 2; json_object_get(l->defs, name.ptr) != NULL; n++) {
		buf_truncate(&name, len);
		buf_printf(&name, "-%u", n);
	}
	return buf_take(&name);
}

static json_t *lead(struct lift *l, const json_t *reference)
{
	const char *to = json_string_value(reference);
	if (to != NULL && strcmp(to, "#") == 0)
		return json_string(to);
	if (to == NULL || strncmp(to, "#/", 2) != 0 || find_target(l, to + 1) == NULL ||
	    json_object_size(l->names) == MAX_PARTS) {
		char *shown = text_quote(slice_str(to != NULL ? to : "what is no text"));
		asyncapi_reader_note(l->reader, l->at,
		    "the schema is not taken: a $ref leads to '%s', which is not in the document, "
		    "or beyond %d others",
		    shown, MAX_PARTS);
		free(shown);
		l->failed = true;
		return json_null();
	}
	const json_t *name = json_object_get(l->names, to + 1);
	if (name == NULL) {
		char *made = make_name(l, to + 1);
		json_object_set_new(l->defs, made, json_null());
		json_object_set_new(l->names, to + 1, json_string(made));
		free(made);
		name = json_object_get(l->names, to + 1);
	}
	return json_sprintf("#/$defs/%s", json_string_value(name));
}

/* What stands there is data, whatever it looks like. */
static bool is_data(const char *key)
{
	static const char *const keys[] = {"const", "enum", "default", "examples"};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* As deep as a document is: DOCUMENT_MAX_DEPTH. */
static json_t *copy(struct lift *l, const json_t *value)
{
	json_t *out, *member;
	const char *key;
	size_t i;
	if (json_is_array(value)) {
		out = json_array();
		json_array_foreach(value, i, member) json_array_append_new(out, copy(l, member));
		return out;
	}
	if (!json_is_object(value) || json_is_string(json_object_get(value, "$id")))
		return json_deep_copy(value); /* with an $id references stay within it */
	out = json_object();
	json_object_foreach((json_t *)(uintptr_t)value, key, member) json_object_set_new(out, key,
	    strcmp(key, "$ref") == 0 && json_is_string(member) ? lead(l, member)
	    : is_data(key)				       ? json_deep_copy(member)
							       : copy(l, member));
	return out;
}

static json_t *lift(struct lift *l, const json_t *schema)
{
	json_t *out, *name;
	const char *pointer;
	size_t done;
	json_t *own = json_object_get(schema, "$defs");
	if (json_is_object(own) && !json_is_string(json_object_get(schema, "$id")))
		json_object_update(l->defs, own); /* their names are taken */
	size_t owned = json_object_size(l->defs);
	out = copy(l, schema);
	do { /* a part may refer to further ones */
		json_t *names = json_copy(l->names);
		done = json_object_size(l->names);
		json_object_foreach(names, pointer, name)
		{
			const char *key = json_string_value(name);
			if (json_is_null(json_object_get(l->defs, key)))
				json_object_set_new(l->defs, key, copy(l, find_target(l, pointer)));
		}
		json_decref(names);
	} while (done < json_object_size(l->names) && !l->failed);
	if (json_object_size(l->defs) > owned) {
		json_t *all = json_object_get(out, "$defs");
		if (all == NULL)
			json_object_set_new(out, "$defs", all = json_object());
		json_object_update_missing(all, l->defs);
	}
	return out;
}

/* Languages that we know; NULL: none of them. "" is AsyncAPI's own. */
static const char *find_dialect(const char *format)
{
	static const struct {
		const char *part, *dialect;
	} rows[] = {
	    {"application/vnd.aai.asyncapi", DRAFT_7},
	    {"draft-07", DRAFT_7},
	    {"2019-09", "https://json-schema.org/draft/2019-09/schema"},
	    {"application/schema+", "https://json-schema.org/draft/2020-12/schema"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (format == NULL || strstr(format, rows[i].part) != NULL)
			return rows[i].dialect;
	return NULL;
}

static bool is_good(struct asyncapi_reader *r, struct asyncapi_node at, const json_t *schema)
{
	struct error err = {0};
	struct schema *compiled = schema_create(schema, SCHEMA_ASSERT_FORMAT, &err);
	bool good = compiled != NULL && schema_is_whole(compiled, &err);
	if (!good)
		asyncapi_reader_note(r, at, "the schema is not taken: %s", err.text);
	schema_free(compiled);
	return good;
}

json_t *asyncapi_payload_read(struct asyncapi_reader *r, struct asyncapi_node payload)
{
	const char *format = NULL;
	if (json_object_get(payload.value, "schemaFormat") != NULL) {
		format = asyncapi_reader_text(r, payload, "schemaFormat");
		payload = asyncapi_reader_member(r, payload, "schema");
	}
	const char *dialect = find_dialect(format);
	if (payload.value == NULL)
		return NULL;
	if (dialect == NULL || !json_is_object(payload.value)) {
		char *shown = text_quote(slice_str(format != NULL ? format : "none"));
		asyncapi_reader_note(r, payload,
		    "the schema, of format '%s', is not taken: it is no JSON Schema", shown);
		free(shown);
		return NULL;
	}
	struct lift l = {r, payload, payload.value, json_object(), json_object(), false};
	json_t *schema = lift(&l, payload.value);
	if (json_object_get(schema, "$schema") == NULL)
		json_object_set_new(schema, "$schema", json_string(dialect));
	if (l.failed || !is_good(r, payload, schema)) {
		json_decref(schema);
		schema = NULL;
	}
	json_decref(l.names);
	json_decref(l.defs);
	return schema;
}
