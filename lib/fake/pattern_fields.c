#include "fake/pattern_fields.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

#define MAX_FIELDS 1000
#define MAX_INSERTS 100000 /* of fields into one field, counted through all templates */

static size_t find_name(const struct pattern_fields *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->names[i], name) == 0)
			return i;
	return SIZE_MAX;
}

static bool add_name(
    struct pattern_fields *f, const char *name, const struct report_path *at, struct report *report)
{
	if (find_name(f, name) != SIZE_MAX) {
		char *quoted = text_quote(slice_str(name));
		report_add(report, at, "the field '%s' stands in the list twice", quoted);
		free(quoted);
		return false;
	}
	f->names[f->count++] = mem_strdup(name);
	return true;
}

static bool collect_names(struct pattern_fields *f, const json_t *spec,
    const struct report_path *at, struct report *report)
{
	bool good = true;
	const char *key;
	json_t *value;
	for (size_t i = 0; i < json_array_size(spec); i++) {
		struct report_path here = {at, NULL, i};
		const json_t *item = json_array_get(spec, i);
		if (json_is_string(item))
			good &= add_name(f, json_string_value(item), &here, report);
		else
			good = report_kind(report, &here, "the name of a volume", item);
	}
	json_object_foreach((json_t *)(uintptr_t)spec, key, value) good &=
	    add_name(f, key, at, report);
	return good;
}

static bool compile(struct pattern_fields *f, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	bool good = true;
	for (size_t i = 0; i < f->count; i++) {
		bool is_list = json_is_array(spec);
		struct report_path here = {at, is_list ? NULL : f->names[i], i};
		const json_t *item =
		    is_list ? json_array_get(spec, i) : json_object_get(spec, f->names[i]);
		f->uses[i] = mem_alloc(f->count, sizeof *f->uses[i]);
		scope->uses = f->uses[i];
		f->generators[i] = generator_create(item, &here, scope);
		good &= f->generators[i] != NULL;
	}
	return good;
}

/* A walk that puts each field behind those it inserts. */
struct walk {
	struct pattern_fields *f;
	const struct report_path *at;
	struct report *report;
	enum { NEW, OPEN, DONE } * states;
	uint64_t *inserts;
	size_t *trail; /* the open fields */
	size_t depth, placed;
};

static bool report_circle(const struct walk *w, size_t field)
{
	struct buf text = {0};
	struct report_path here = {w->at, w->f->names[field], 0};
	size_t first = 0;
	while (w->trail[first] != field)
		first++;
	for (size_t i = first; i < w->depth; i++) {
		text_escape(slice_str(w->f->names[w->trail[i]]), 60, &text);
		buf_append_str(&text, " -> ");
	}
	text_escape(slice_str(w->f->names[field]), 60, &text);
	report_add(w->report, &here, "templates insert each other in a circle: %s", text.ptr);
	buf_release(&text);
	return false;
}

/* Recursion is as deep as templates that insert templates: at most MAX_FIELDS. */
static bool visit(struct walk *w, size_t field)
{
	struct report_path here = {w->at, w->f->names[field], 0};
	if (w->states[field] == DONE)
		return true;
	if (w->states[field] == OPEN)
		return report_circle(w, field);
	w->states[field] = OPEN;
	w->trail[w->depth++] = field;
	w->inserts[field] = 1;
	for (size_t i = 0; i < w->f->count; i++) {
		if (w->f->uses[field][i] == 0)
			continue;
		if (!visit(w, i))
			return false;
		w->inserts[field] += w->f->uses[field][i] * w->inserts[i];
		if (w->inserts[field] > MAX_INSERTS)
			return report_add(w->report, &here,
			    "inserts more than %d values, through templates in templates",
			    MAX_INSERTS);
	}
	w->depth--;
	w->states[field] = DONE;
	w->f->order[w->placed++] = field;
	return true;
}

static bool find_order(
    struct pattern_fields *f, const struct report_path *at, struct report *report)
{
	struct walk w = {.f = f, .at = at, .report = report};
	w.states = mem_alloc(f->count, sizeof *w.states);
	w.inserts = mem_alloc(f->count, sizeof *w.inserts);
	w.trail = mem_alloc(f->count, sizeof *w.trail);
	bool good = true;
	for (size_t i = 0; good && i < f->count; i++)
		good = visit(&w, i);
	free(w.trail);
	free(w.inserts);
	free(w.states);
	return good;
}

bool pattern_fields_create(struct pattern_fields *f, const json_t *spec,
    const struct report_path *at, struct report *report, const struct pattern_pools *pools,
    bool timeless)
{
	size_t most = json_is_array(spec) ? json_array_size(spec) : json_object_size(spec);
	*f = (struct pattern_fields){0};
	f->names = mem_alloc(1, sizeof *f->names);
	f->pool_uses = mem_alloc(pools ? pools->count : 0, sizeof *f->pool_uses);
	if (spec != NULL && !json_is_array(spec) && !json_is_object(spec))
		return report_kind(
		    report, at, "a list of volumes or a map of names to generators", spec);
	if (most > MAX_FIELDS)
		return report_add(report, at, "has more than %d fields", MAX_FIELDS);
	free(f->names);
	f->names = mem_alloc(most + 1, sizeof *f->names);
	f->generators = mem_alloc(most, sizeof *f->generators);
	f->uses = mem_alloc(most, sizeof *f->uses);
	f->order = mem_alloc(most, sizeof *f->order);
	if (!collect_names(f, spec, at, report))
		return false;
	struct generator_scope scope = pattern_fields_scope(f, NULL, report, pools);
	scope.timeless = timeless;
	return compile(f, spec, at, &scope) && find_order(f, at, report);
}

struct generator_scope pattern_fields_scope(struct pattern_fields *f, uint64_t *uses,
    struct report *report, const struct pattern_pools *pools)
{
	return (struct generator_scope){.report = report,
	    .fields = f->names,
	    .uses = uses,
	    .pools = pools,
	    .pool_uses = f->pool_uses,
	    .copies = 1};
}

void pattern_fields_render(const struct pattern_fields *f, struct generator_context *x,
    struct generator_span *spans, size_t *rows)
{
	for (size_t i = 0; x->pools != NULL && i < x->pools->count; i++)
		if (f->pool_uses[i])
			rows[i] = pool_take_row(&x->pools->items[i], x->rng, x->sequence);
	x->rows = rows;
	x->fields = spans;
	buf_clear(&x->arena);
	for (size_t i = 0; i < f->count; i++) {
		size_t field = f->order[i], at = x->arena.len;
		enum value_kind kind = generator_render(f->generators[field], x, &x->arena);
		spans[field] = (struct generator_span){kind, at, x->arena.len - at};
	}
}

void pattern_fields_release(struct pattern_fields *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free((char *)(uintptr_t)f->names[i]);
		generator_free(f->generators[i]);
		free(f->uses[i]);
	}
	free(f->names);
	free(f->generators);
	free(f->uses);
	free(f->order);
	free(f->pool_uses);
	*f = (struct pattern_fields){0};
}
