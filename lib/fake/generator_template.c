#include "base/mem.h"
#include "base/text.h"
#include "fake/generator_private.h"

#include <stdlib.h>

static bool starts_with(const char *at, const char *end, const char *text)
{
	size_t len = strlen(text);
	return (size_t)(end - at) >= len && memcmp(at, text, len) == 0;
}

/* The next {{ that opens a field; in {{{name}} the first brace stands for itself. */
static const char *find_open(const char *at, const char *end)
{
	for (; at < end; at++) {
		if (starts_with(at, end, "{{{{"))
			at += 3;
		else if (starts_with(at, end, "{{") && !starts_with(at, end, "{{{"))
			return at;
	}
	return end;
}

static const char *find_close(const char *at, const char *end)
{
	while (at < end && !starts_with(at, end, "}}"))
		at++;
	return at;
}

static bool report_unknown_field(
    struct slice name, const struct report_path *at, struct generator_scope *scope)
{
	if (text_suggest(name, scope->fields) == NULL && volumes_find(name) != NULL)
		return report_add(scope->report, at,
		    "a template names the unknown field '%.*s'; there is a volume of that name: "
		    "put it "
		    "under fields",
		    SLICE_ARGS(name)); /* the name of a volume is printable */
	return report_unknown(scope->report, at, "a template names the unknown field", name,
	    text_suggest(name, scope->fields));
}

static bool find_field(
    struct slice name, const struct report_path *at, struct generator_scope *scope, size_t *out)
{
	for (size_t i = 0; scope->fields[i] != NULL; i++)
		if (slice_is(name, scope->fields[i])) {
			scope->uses[i] += scope->copies;
			*out = i;
			return true;
		}
	return report_unknown_field(name, at, scope);
}

/* Copies a literal and turns {{{{ into {{. */
static struct slice unescape(const char *at, const char *end, char **to)
{
	struct slice literal = {*to, 0};
	while (at < end) {
		size_t count = starts_with(at, end, "{{{{") ? 2 : 1;
		memcpy(*to, at, count);
		*to += count;
		at += count * count; /* four become two */
	}
	literal.len = (size_t)(*to - literal.ptr);
	return literal;
}

static bool compile_template(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	if (!json_is_string(spec))
		return report_kind(scope->report, at, "a string", spec);
	const char *p = json_string_value(spec), *end = p + json_string_length(spec);
	char *to = g->u.template.text = mem_alloc((size_t)(end - p) + 1, 1);
	size_t capacity = 0;
	bool good = true;
	for (bool more = true; more;) {
		const char *open = find_open(p, end);
		struct generator_piece piece = {unescape(p, open, &to), SIZE_MAX};
		more = open < end;
		if (more) {
			const char *close = find_close(open + 2, end);
			if (close == end)
				return report_add(scope->report, at,
				    "'{{' without '}}'; write '{{{{' for two braces");
			struct slice name = {open + 2, (size_t)(close - open - 2)};
			good &= find_field(slice_trim(name), at, scope, &piece.field);
			p = close + 2;
			more = p < end;
		}
		size_t i = g->u.template.count++;
		g->u.template.pieces =
		    mem_grow(g->u.template.pieces, &capacity, i + 1, sizeof *g->u.template.pieces);
		g->u.template.pieces[i] = piece;
	}
	return good;
}

static enum value_kind render_template(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	for (size_t i = 0; i < g->u.template.count; i++) {
		const struct generator_piece *piece = &g->u.template.pieces[i];
		buf_append(out, piece->literal);
		if (piece->field == SIZE_MAX)
			continue;
		struct generator_span span = x->fields[piece->field];
		/* out may be the arena itself, which moves when it grows: first room, then the
		 * place. */
		(void)buf_reserve(out, span.len);
		buf_append(out, (struct slice){x->arena.ptr + span.at, span.len});
	}
	return VALUE_TEXT;
}

static void release_template(struct generator *g)
{
	free(g->u.template.pieces);
	free(g->u.template.text);
}

const struct generator_kind generator_template = {
    "template", compile_template, render_template, release_template};
