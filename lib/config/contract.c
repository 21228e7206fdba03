#include "config/contract.h"

#include "base/mem.h"
#include "base/text.h"
#include "config/input.h"
#include "schema/schema_uri.h"

#include <ctype.h>
#include <stdlib.h>

#define MAX_NESTING 500 /* schemas within each other; schema_create refuses more */
#define PARSE_FLAGS (JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES)

/* A file that was read. */
struct part {
	char *uri;    /* how the others call it; "" for the first */
	char *folder; /* where it is, with the slash at its end; "" for here */
	json_t *json;
};

struct contract {
	char *name;
	struct part parts[CONTRACT_MAX_FILES];
	size_t part_count;
	struct schema *schema;
};

/* ---- texts ---- */

static json_t *parse(struct slice text, size_t flags, json_error_t *where)
{
	return json_loadb(text.ptr != NULL ? text.ptr : "", text.len, PARSE_FLAGS | flags, where);
}

json_t *contract_parse(struct slice text, struct error *err)
{
	json_error_t where;
	json_t *json = parse(text, 0, &where);
	if (json != NULL)
		return json;
	if (json_error_code(&where) == json_error_numeric_overflow)
		json = parse(text, JSON_DECODE_INT_AS_REAL, &where);
	if (json != NULL)
		return json;
	if (!text_is_utf8(text)) {
		error_set(err, ERROR_DATA, "not UTF-8");
		return NULL;
	}
	char *why = text_quote(slice_str(where.text));
	error_set(
	    err, ERROR_DATA, "not JSON: line %d, column %d: %s", where.line, where.column, why);
	free(why);
	return NULL;
}

static json_t *read_file(const char *path, struct error *err)
{
	struct buf text = {0};
	struct error why = {0};
	bool is_file;
	if (!input_read(path, CONTRACT_MAX_BYTES, &text, &is_file, err))
		return NULL;
	json_t *json = contract_parse(buf_slice(&text), &why);
	buf_release(&text);
	if (json != NULL)
		return json;
	char *name = text_quote(slice_str(path));
	error_set(err, ERROR_SETTINGS, "'%s' is %s", name, why.text);
	free(name);
	return NULL;
}

/* ---- the files of a contract ---- */

/* Up to the last slash and with it. */
static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

/* Takes the JSON. */
static void add_part(struct contract *c, const char *uri, const char *path, json_t *json)
{
	c->parts[c->part_count++] =
	    (struct part){mem_strdup(uri), mem_strndup(path, folder_length(path)), json};
}

static char *base_of(const char *outer, const json_t *schema)
{
	const char *id = json_string_value(json_object_get(schema, "$id"));
	return id != NULL ? schema_uri_resolve(outer, id) : mem_strdup(outer);
}

/* Where a document is that is called `uri`, as seen from the part; NULL: not there or below. */
static char *find_below(const struct part *from, const char *uri)
{
	char *base = base_of(from->uri, from->json);
	size_t folder = folder_length(base);
	const char *rest = strncmp(base, uri, folder) == 0 ? uri + folder : "";
	bool is_name = rest[0] != '\0' && rest[0] != '/' && strstr(rest, "..") == NULL &&
		       strstr(rest, "//") == NULL && strchr(rest, '?') == NULL;
	free(base);
	return is_name ? mem_printf("%s%s", from->folder, rest) : NULL;
}

/* The part that is called so; part_count: none. */
static size_t find_part(const struct contract *c, const char *uri)
{
	for (size_t i = 0; i < c->part_count; i++) {
		char *base = base_of(c->parts[i].uri, c->parts[i].json);
		bool same = strcmp(c->parts[i].uri, uri) == 0 || strcmp(base, uri) == 0;
		free(base);
		if (same)
			return i;
	}
	return c->part_count;
}

static bool is_known(const struct contract *c, const char *uri)
{
	return find_part(c, uri) < c->part_count;
}

/* Reads the file if there is one: what leads nowhere in the end is told then. Takes the path. */
static bool read_part(struct contract *c, const char *uri, char *path, struct error *err)
{
	struct error why = {0};
	json_t *json = path != NULL ? read_file(path, &why) : NULL;
	bool good = json != NULL || why.kind == ERROR_NONE || why.kind == ERROR_NO_INPUT ||
		    error_set(err, why.kind, "%s", why.text);
	if (json != NULL && c->part_count == CONTRACT_MAX_FILES) {
		json_decref(json);
		good = error_set(
		    err, ERROR_SETTINGS, "it refers to more than %d files", CONTRACT_MAX_FILES);
	} else if (json != NULL) {
		add_part(c, uri, path, json);
	}
	free(path);
	return good;
}

static bool follow(
    struct contract *c, size_t from, const char *base, const char *reference, struct error *err)
{
	char *uri = schema_uri_resolve(base, reference);
	bool good = true;
	if (!is_known(c, uri))
		good = read_part(c, uri, find_below(&c->parts[from], uri), err);
	if (good && from > 0 && !is_known(c, uri)) /* as the first one calls it */
		good = read_part(c, uri, find_below(&c->parts[0], uri), err);
	free(uri);
	return good;
}

/* Reads what the references below the value lead to. */
static bool follow_all(struct contract *c, size_t from, const char *outer, const json_t *value,
    unsigned depth, struct error *err)
{
	const json_t *item;
	const char *key;
	size_t i;
	if (depth > MAX_NESTING)
		return true;
	json_array_foreach((json_t *)(uintptr_t)value, i,
	    item) if (!follow_all(c, from, outer, item, depth + 1, err)) return false;
	if (!json_is_object(value))
		return true;
	char *base = base_of(outer, value);
	bool good = true;
	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		bool leads = strcmp(key, "$ref") == 0 || strcmp(key, "$dynamicRef") == 0;
		if (leads && json_is_string(item))
			good = follow(c, from, base, json_string_value(item), err);
		else
			good = follow_all(c, from, base, item, depth + 1, err);
		if (!good)
			break;
	}
	free(base);
	return good;
}

static bool read_all(struct contract *c, const char *path, struct error *err)
{
	json_t *root = read_file(path, err);
	if (root == NULL)
		return false;
	add_part(c, "", path, root);
	for (size_t i = 0; i < c->part_count; i++) /* it grows on the way */
		if (!follow_all(c, i, c->parts[i].uri, c->parts[i].json, 0, err))
			return false;
	return true;
}

/* ---- the whole ---- */

static bool compile(struct contract *c, struct error *err)
{
	c->schema = schema_create(c->parts[0].json, SCHEMA_ASSERT_FORMAT, err);
	if (c->schema == NULL)
		return false;
	for (size_t i = 1; i < c->part_count; i++)
		if (!schema_add(c->schema, c->parts[i].uri, c->parts[i].json, err))
			return false;
	return schema_is_whole(c->schema, err);
}

static char *name_of(const json_t *root, const char *path)
{
	const char *id = json_string_value(json_object_get(root, "$id"));
	return mem_strdup(id != NULL ? id : path + folder_length(path));
}

struct contract *contract_load(const char *path, struct error *err)
{
	struct contract *c = mem_alloc(1, sizeof *c);
	if (!read_all(c, path, err)) {
		contract_free(c);
		return NULL;
	}
	c->name = name_of(c->parts[0].json, path);
	if (compile(c, err))
		return c;
	char *shown = text_quote(slice_str(path));
	error_context(err, "'%s'", shown);
	free(shown);
	contract_free(c);
	return NULL;
}

void contract_free(struct contract *c)
{
	if (c == NULL)
		return;
	schema_free(c->schema);
	for (size_t i = 0; i < c->part_count; i++) {
		json_decref(c->parts[i].json);
		free(c->parts[i].uri);
		free(c->parts[i].folder);
	}
	free(c->name);
	free(c);
}

const char *contract_name(const struct contract *c)
{
	return c->name;
}

/* ---- in one piece ---- */

/* Leads a reference to where its part is in the bundle; keys: their names there. */
static void lead(const struct contract *c, const json_t *keys, const char *base, json_t *schema)
{
	const char *reference = json_string_value(json_object_get(schema, "$ref"));
	if (reference == NULL)
		return;
	const char *fragment = strchr(reference, '#') != NULL ? strchr(reference, '#') + 1 : "";
	char *uri = schema_uri_resolve(base, reference);
	size_t part = find_part(c, uri);
	free(uri);
	if (part == c->part_count || (fragment[0] != '\0' && fragment[0] != '/'))
		return;
	const char *key = json_string_value(json_array_get(keys, part));
	json_t *led =
	    part == 0 ? json_sprintf("#%s", fragment) : json_sprintf("#/$defs/%s%s", key, fragment);
	json_object_set_new(schema, "$ref", led);
}

static void lead_all(
    const struct contract *c, const json_t *keys, const char *outer, json_t *value, unsigned depth)
{
	json_t *item;
	const char *key;
	size_t i;
	if (depth > MAX_NESTING)
		return;
	json_array_foreach(value, i, item) lead_all(c, keys, outer, item, depth + 1);
	if (!json_is_object(value))
		return;
	char *base = base_of(outer, value);
	lead(c, keys, base, value);
	json_object_foreach(value, key, item) lead_all(c, keys, base, item, depth + 1);
	free(base);
}

/* A key for the part that needs no escapes, and that the definitions do not have. */
static char *key_of(const json_t *definitions, const char *uri)
{
	struct buf key = {0};
	for (const char *c = uri + folder_length(uri); *c != '\0'; c++)
		buf_append_char(&key, isalnum((unsigned char)*c) || strchr("._-", *c) ? *c : '-');
	while (key.len == 0 || json_object_get(definitions, key.ptr) != NULL)
		buf_append_char(&key, '-');
	return buf_take(&key);
}

json_t *contract_bundle(const struct contract *c)
{
	json_t *bundle = json_deep_copy(c->parts[0].json), *keys = json_pack("[s]", "");
	json_t *definitions = json_object_get(bundle, "$defs");
	if (json_is_object(bundle) && !json_is_object(definitions) && c->part_count > 1) {
		definitions = json_object();
		json_object_set_new(bundle, "$defs", definitions);
	}
	for (size_t i = 1; i < c->part_count; i++) {
		char *key = key_of(definitions, c->parts[i].uri);
		json_array_append_new(keys, json_string(key));
		json_object_set_new(definitions, key, json_null()); /* its place */
		free(key);
	}
	lead_all(c, keys, "", bundle, 0);
	json_object_del(bundle, "$id");
	for (size_t i = 1; i < c->part_count; i++) {
		json_t *part = json_deep_copy(c->parts[i].json);
		lead_all(c, keys, c->parts[i].uri, part, 0);
		json_object_del(part, "$id");
		json_object_set_new(definitions, json_string_value(json_array_get(keys, i)), part);
	}
	json_decref(keys);
	return bundle;
}

/* ---- judging ---- */

bool contract_judge(const struct contract *c, struct slice body, schema_report_fn *report,
    void *ctx, struct error *err)
{
	struct error why;
	error_clear(&why);
	json_t *value = contract_parse(body, &why);
	if (value == NULL) {
		const struct schema_finding finding = {
		    .instance = "", .schema = "", .keyword = "", .text = why.text};
		if (report != NULL)
			report(ctx, &finding);
		return false;
	}
	bool good = schema_validate(c->schema, value, report, ctx, err);
	json_decref(value);
	return good;
}
