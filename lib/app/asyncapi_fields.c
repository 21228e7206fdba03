#include "app/asyncapi_fields.h"

#include "base/mem.h"
#include "base/text.h"
#include "app/asyncapi_spec.h"
#include "fake/pattern.h"
#include "schema/schema.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 50
#define TRY_MS INT64_C(1700000000000)

static json_t *constant(const json_t *value)
{
	return json_pack("{s:O}", "constant", value);
}

/* ---- trying ---- */

static void keep_finding(void *ctx, const struct schema_finding *finding)
{
	struct buf *why = ctx;
	if (why->len == 0) {
		text_escape(slice_str(finding->instance), 200, why);
		buf_printf(why, "%s%s", why->len > 0 ? ": " : "", finding->text);
	}
}

static void keep_report(void *ctx, const char *pointer, const char *text)
{
	struct buf *why = ctx;
	if (why->len == 0) {
		text_escape(slice_str(pointer), 200, why);
		buf_printf(why, ": %s", text);
	}
}

static bool judge(const struct schema *schema, struct slice body, struct buf *why)
{
	struct error err = {0};
	json_t *value =
	    json_loadb(body.ptr != NULL ? body.ptr : "", body.len, JSON_DECODE_ANY, NULL);
	bool good = value != NULL && schema_validate(schema, value, keep_finding, why, &err);
	if (!good && why->len == 0)
		buf_append_str(why, value == NULL ? "it is no JSON" : err.text);
	json_decref(value);
	return good;
}

/* Whether what is made of the members fulfils the schema, as far as a few of them tell. */
static bool try_members(const json_t *members, const json_t *root, struct buf *why)
{
	struct error err = {0};
	struct rng rng;
	struct message sample;
	buf_clear(why);
	struct schema *schema = schema_create(root, SCHEMA_ASSERT_FORMAT, &err);
	struct pattern *pattern = pattern_create(NULL, members, ".", NULL, keep_report, why);
	bool good = schema != NULL && pattern != NULL;
	rng_seed(&rng, 0);
	for (uint64_t i = 0; good && i < TRIES; i++) {
		good = pattern_render(pattern, &rng, TRY_MS, i, &sample, &err) &&
		       judge(schema, sample.body, why);
		if (!good && why->len == 0)
			buf_append_str(why, err.text);
	}
	if (!good && why->len == 0)
		buf_append_str(why, "the settings cannot say it");
	pattern_free(pattern);
	schema_free(schema);
	return good;
}

/* ---- the whole ---- */

/* A body as it is. Fields where it is an object: they can be changed one by one. */
static json_t *make_fixed(const json_t *body)
{
	json_t *value;
	const char *name;
	if (json_object_size(body) > 0) {
		json_t *fields = json_object();
		json_object_foreach((json_t *)(uintptr_t)body, name, value)
		    json_object_set_new(fields, name, constant(value));
		return json_pack("{s:o}", "fields", fields);
	}
	char *text = json_dumps(body, JSON_ENCODE_ANY | JSON_COMPACT);
	struct buf escaped = {0};
	for (const char *c = text; *c != '\0'; c++)
		if (strncmp(c, "{{", 2) == 0) {
			buf_append_str(&escaped, "{{{{");
			c++;
		} else {
			buf_append_char(&escaped, *c);
		}
	json_t *members = json_pack("{s:s%, s:{s:s}}", "body", escaped.ptr, escaped.len,
	    "properties", "content_type", "application/json");
	buf_release(&escaped);
	free(text);
	return members;
}

static json_t *try_bodies(const json_t *bodies, const json_t *schema)
{
	struct buf unused = {0};
	json_t *body, *members = NULL;
	size_t i;
	json_array_foreach(bodies, i, body)
	{
		members = make_fixed(body);
		if (try_members(members, schema, &unused))
			break;
		json_decref(members);
		members = NULL;
	}
	buf_release(&unused);
	return members;
}

json_t *asyncapi_fields_make(
    const json_t *schema, const json_t *examples, const json_t *needed, struct buf *why)
{
	static const char *const lists[] = {"examples", "enum"};
	json_t *made = asyncapi_spec_fields(schema, needed);
	if (made != NULL && try_members(made, schema, why))
		return made;
	json_t *fixed = try_bodies(examples, schema);
	for (size_t i = 0; fixed == NULL && i < ARRAY_LEN(lists); i++)
		fixed = try_bodies(json_object_get(schema, lists[i]), schema);
	if (fixed == NULL) {
		json_t *last = json_pack("[n, s, i, b, {}, []]", "text", 1, 1);
		const json_t *known = json_object_get(schema, "const");
		if (known != NULL)
			json_array_insert(last, 0, (json_t *)(uintptr_t)known);
		fixed = try_bodies(last, schema);
		json_decref(last);
	}
	if (fixed == NULL)
		return made;
	buf_clear(why);
	json_decref(made);
	return fixed;
}
