#include "fake/generator.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "fake/generator_private.h"
#include "fake/stamp.h"
#include "fake/volumes_words.h"

#include <stdlib.h>

#define MAX_TEXT_BYTES (UINT64_C(128) << 20)

/* volume */

static bool compile_volume(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	if (!json_is_string(spec))
		return report_kind(scope->report, at, "the name of a volume", spec);
	struct slice name = {json_string_value(spec), json_string_length(spec)};
	g->u.volume = volumes_find(name);
	if (g->u.volume == NULL)
		return report_unknown(
		    scope->report, at, "unknown volume", name, volumes_suggest(name));
	if (scope->timeless && slice_is(name, "now"))
		return report_add(scope->report, at,
		    "the rows of a pool are made once, so they have no 'now'; use 'date_time'");
	return true;
}

static enum value_kind render_volume(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	static const enum value_kind kinds[] = {
	    [VOLUME_TEXT] = VALUE_TEXT,
	    [VOLUME_NUMBER] = VALUE_NUMBER,
	    [VOLUME_BOOL] = VALUE_BOOL,
	};
	g->u.volume->generate(x->rng, x->wall_ms, out);
	return kinds[g->u.volume->kind];
}

static bool compile_uuid(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	json_int_t version = json_is_integer(spec) ? json_integer_value(spec) : 0;
	if (version != 4 && version != 7)
		return report_add(
		    scope->report, at, "must be 4 (random) or 7 (begins with the time)");
	g->u.volume = volumes_find(version == 4 ? SLICE("uuid4") : SLICE("uuid7"));
	return true;
}

/* constant */

bool generator_read_constant(const json_t *json, const struct report_path *at,
    struct report *report, enum value_kind *kind, struct buf *out)
{
	if (!value_is_shallow(json, VALUE_MAX_DEPTH))
		return report_add(report, at, "is nested deeper than %d levels", VALUE_MAX_DEPTH);
	*kind = value_from_json(json, out);
	return true;
}

static bool compile_constant(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	struct buf text = {0};
	if (!generator_read_constant(spec, at, scope->report, &g->u.constant.kind, &text))
		return false;
	g->u.constant.len = text.len;
	g->u.constant.text = buf_take(&text);
	return true;
}

static enum value_kind render_constant(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	(void)x;
	buf_append(out, (struct slice){g->u.constant.text, g->u.constant.len});
	return g->u.constant.kind;
}

static void release_constant(struct generator *g)
{
	free(g->u.constant.text);
}

/* pattern */

static bool compile_pattern(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	if (!json_is_string(spec))
		return report_kind(scope->report, at, "a string such as \"##-??\"", spec);
	size_t len = json_string_length(spec), escapes = 0;
	const char *text = json_string_value(spec);
	while (escapes < len && text[len - 1 - escapes] == '\\')
		escapes++;
	if (escapes % 2 != 0)
		return report_add(scope->report, at,
		    "ends in a backslash that escapes nothing; write two for a backslash");
	g->u.constant.text = mem_strndup(text, len);
	g->u.constant.len = len;
	return true;
}

static enum value_kind render_pattern(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	const char *text = g->u.constant.text;
	size_t len = g->u.constant.len;
	char *end = buf_reserve(out, len);
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '\\')
			c = text[++i];
		else if (c == '#')
			c = (char)('0' + rng_below(x->rng, 10));
		else if (c == '%')
			c = (char)('1' + rng_below(x->rng, 9));
		else if (c == '?')
			c = (char)('a' + rng_below(x->rng, 26));
		else if (c == '!')
			c = (char)('A' + rng_below(x->rng, 26));
		else if (c == '^')
			c = "0123456789abcdef"[rng_below(x->rng, 16)];
		*end++ = c;
	}
	*end = '\0';
	out->len = (size_t)(end - out->ptr);
	return VALUE_TEXT;
}

/* now */

static const char *const format_names[] = {
    [GENERATOR_RFC3339] = "rfc3339",
    [GENERATOR_DATE] = "date",
    [GENERATOR_EPOCH_S] = "epoch_s",
    [GENERATOR_EPOCH_MS] = "epoch_ms",
    NULL,
};

static bool read_format(const json_t *spec, const struct report_path *at, struct report *report,
    enum generator_format *out)
{
	struct report_path here = {at, "format", 0};
	const json_t *json = json_object_get(spec, "format");
	if (json == NULL)
		return true;
	for (size_t i = 0; format_names[i] != NULL; i++)
		if (json_is_string(json) && strcmp(json_string_value(json), format_names[i]) == 0) {
			*out = (enum generator_format)i;
			return true;
		}
	return report_add(report, &here, "must be rfc3339, date, epoch_s or epoch_ms");
}

static bool read_offset(
    const json_t *spec, const struct report_path *at, struct report *report, int64_t *out_ms)
{
	struct report_path here = {at, "offset", 0};
	const json_t *json = json_object_get(spec, "offset");
	struct error err = {0};
	uint64_t ns;
	if (json == NULL)
		return true;
	if (!json_is_string(json))
		return report_kind(report, &here, "a duration such as \"-1h\"", json);
	struct slice text = {json_string_value(json), json_string_length(json)};
	bool negative = text.len > 0 && text.ptr[0] == '-';
	bool has_sign = negative || (text.len > 0 && text.ptr[0] == '+');
	text.ptr += has_sign;
	text.len -= has_sign;
	if (!num_parse_duration(text, &ns, &err))
		return report_add(report, &here, "must be a duration such as -1h, 30m or 2d");
	*out_ms = (int64_t)(ns / 1000000) * (negative ? -1 : 1);
	return true;
}

static bool compile_now(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	static const char *const keys[] = {"format", "offset", NULL};
	if (scope->timeless)
		return report_add(scope->report, at,
		    "the rows of a pool are made once, so they have no 'now'; use 'date_time'");
	if (!json_is_object(spec))
		return report_kind(scope->report, at, "a map with format and offset", spec);
	bool good = report_keys(scope->report, at, spec, keys);
	good &= read_format(spec, at, scope->report, &g->u.now.format);
	good &= read_offset(spec, at, scope->report, &g->u.now.offset_ms);
	return good;
}

static int64_t floor_seconds(int64_t ms)
{
	return ms / 1000 - (ms % 1000 < 0);
}

static enum value_kind render_now(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	int64_t ms = x->wall_ms + g->u.now.offset_ms;
	switch (g->u.now.format) {
	case GENERATOR_DATE:
		stamp_write_date(ms, out);
		return VALUE_TEXT;
	case GENERATOR_EPOCH_S:
		value_write_decimal(floor_seconds(ms), 0, out);
		return VALUE_NUMBER;
	case GENERATOR_EPOCH_MS:
		value_write_decimal(ms, 0, out);
		return VALUE_NUMBER;
	default:
		stamp_write_rfc3339(ms, out);
		return VALUE_TEXT;
	}
}

/* reference */

static bool compile_reference(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	if (!json_is_string(spec))
		return report_kind(scope->report, at, "\"pool.field\"", spec);
	struct slice name = {json_string_value(spec), json_string_length(spec)};
	if (pool_find(scope->pools, name, &g->u.reference.pool, &g->u.reference.column)) {
		scope->pool_uses[g->u.reference.pool] = true;
		return true;
	}
	char **known = pool_list_references(scope->pools);
	const char *near = text_suggest(name, (const char *const *)known);
	char *quoted = text_quote(name);
	if (near == NULL && scope->timeless)
		report_add(scope->report, at,
		    "unknown reference '%s'; a pool may refer to those that stand above it",
		    quoted);
	else if (known[0] == NULL)
		report_add(scope->report, at, "unknown reference '%s'; there are no pools", quoted);
	else
		report_unknown(scope->report, at, "unknown reference", name, near);
	free(quoted);
	for (size_t i = 0; known[i] != NULL; i++)
		free(known[i]);
	free(known);
	return false;
}

static enum value_kind render_reference(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	const struct pool *pool = &x->pools->items[g->u.reference.pool];
	size_t row = x->rows[g->u.reference.pool];
	const struct pool_value *value =
	    &pool->values[row * pool->column_count + g->u.reference.column];
	buf_append(out, value->text);
	return value->kind;
}

/* text */

static bool compile_text(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	static const char *const keys[] = {"length", NULL};
	struct report_path here = {at, "length", 0};
	if (!json_is_object(spec))
		return report_kind(scope->report, at, "a map with length", spec);
	bool good = report_keys(scope->report, at, spec, keys);
	good &= generator_read_bounds(json_object_get(spec, "length"),
	    MAX_TEXT_BYTES / scope->copies, &here, scope->report, &g->u.bytes);
	return good;
}

static enum value_kind render_text(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	struct generator_bounds bytes = g->u.bytes;
	volumes_words_fill(
	    x->rng, (size_t)(bytes.min + rng_below(x->rng, bytes.max - bytes.min + 1)), out);
	return VALUE_TEXT;
}

/* The table of all kinds. */

static const struct generator_kind kind_volume = {"volume", compile_volume, render_volume, NULL};
static const struct generator_kind kind_constant = {
    "constant", compile_constant, render_constant, release_constant};
static const struct generator_kind kind_pattern = {
    "pattern", compile_pattern, render_pattern, release_constant};
static const struct generator_kind kind_now = {"now", compile_now, render_now, NULL};
static const struct generator_kind kind_uuid = {"uuid", compile_uuid, render_volume, NULL};
static const struct generator_kind kind_reference = {
    "reference", compile_reference, render_reference, NULL};
static const struct generator_kind kind_text = {"text", compile_text, render_text, NULL};

static const struct generator_kind *const kinds[] = {&kind_volume, &kind_constant,
    &generator_sequence, &generator_number, &generator_choice, &kind_pattern, &generator_template,
    &kind_now, &kind_uuid, &kind_reference, &generator_list, &generator_object, &generator_optional,
    &kind_text};

static const struct generator_kind *find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

static bool report_unknown_kind(
    const char *name, const struct report_path *at, struct generator_scope *scope)
{
	const char *names[ARRAY_LEN(kinds) + 1] = {0};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		names[i] = kinds[i]->name;
	struct slice word = slice_str(name);
	return report_unknown(
	    scope->report, at, "unknown generator", word, text_suggest(word, names));
}

static bool compile(struct generator *g, const struct generator_kind *kind, const json_t *spec,
    const struct report_path *at, struct generator_scope *scope)
{
	g->kind = kind;
	scope->depth++;
	bool good = kind->compile(g, spec, at, scope);
	scope->depth--;
	return good;
}

static bool compile_map(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	if (json_object_size(spec) != 1)
		return report_add(scope->report, at,
		    "must have exactly one key, the kind of generator, not %zu",
		    json_object_size(spec));
	const char *name = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)spec));
	struct report_path here = {at, name, 0};
	const struct generator_kind *kind = find_kind(name);
	if (kind == NULL)
		return report_unknown_kind(name, &here, scope);
	return compile(g, kind, json_object_get(spec, name), &here, scope);
}

struct generator *generator_create(
    const json_t *spec, const struct report_path *at, struct generator_scope *scope)
{
	struct generator *g = mem_alloc(1, sizeof *g);
	bool good;
	if (scope->depth >= VALUE_MAX_DEPTH)
		good = report_add(
		    scope->report, at, "is nested deeper than %d levels", VALUE_MAX_DEPTH);
	else if (json_is_string(spec))
		good = compile(g, &kind_volume, spec, at, scope);
	else if (json_is_object(spec))
		good = compile_map(g, spec, at, scope);
	else
		good = report_kind(
		    scope->report, at, "the name of a volume or a map such as {constant: 1}", spec);
	if (good)
		return g;
	generator_free(g);
	return NULL;
}

struct generator *generator_from_template(
    struct slice text, const struct report_path *at, struct generator_scope *scope)
{
	json_t *spec = json_stringn_nocheck(text.ptr, text.len);
	struct generator *g = mem_alloc(1, sizeof *g);
	bool good = compile(g, &generator_template, spec, at, scope);
	json_decref(spec);
	if (good)
		return g;
	generator_free(g);
	return NULL;
}

bool generator_is_constant(const struct generator *g, enum value_kind *kind, struct slice *text)
{
	if (g->kind == &kind_constant) {
		*kind = g->u.constant.kind;
		*text = (struct slice){g->u.constant.text, g->u.constant.len};
		return true;
	}
	/* A template's last piece alone, without a field, is all of it. */
	if (g->kind != &generator_template || g->u.template.count != 1 ||
	    g->u.template.pieces[0].field != SIZE_MAX)
		return false;
	*kind = VALUE_TEXT;
	*text = g->u.template.pieces[0].literal;
	return true;
}

enum value_kind generator_render(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	return g->kind->render(g, x, out);
}

void generator_free(struct generator *g)
{
	if (g == NULL)
		return;
	if (g->kind != NULL && g->kind->release != NULL)
		g->kind->release(g);
	free(g);
}
