#include "app/fold_spec.h"

#include "base/mem.h"

#include <stdlib.h>

/* ---- what goes together ---- */

static bool check_together(const struct events_options *o, struct error *err)
{
	const struct {
		bool is_wrong;
		const char *text;
	} rows[] = {
	    {o->projection == NULL && o->reduce == NULL,
		"what is to be folded? --reduce JQ, or --projection NAME of the settings"},
	    {o->projection != NULL &&
		    (o->reduce != NULL || o->initial != NULL || o->stream_by != NULL),
		"a projection has its --reduce, --initial and --stream-by from the settings"},
	    {o->follow && o->projection == NULL,
		"--follow keeps the table of a projection: --projection NAME"},
	    {o->follow && (o->stream != NULL || o->as_of != NULL || o->history),
		"--follow keeps all streams up to date: not with --stream, --as-of or --history"},
	    {o->until_empty && !o->follow, "--until-empty wants --follow"},
	    {o->stream != NULL && o->each, "either --stream S or --each"},
	    {o->stream_by != NULL && o->stream == NULL && !o->each,
		"--stream-by wants --stream S or --each"},
	    {o->has_format && o->format == EVENTS_CSV, "fold prints --format json or table"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].is_wrong)
			return error_set(err, ERROR_USAGE, "%s", rows[i].text);
	return true;
}

/* ---- the settings ---- */

static const json_t *all_projections(const struct tool *tool)
{
	return json_object_get(document_root(tool->settings.document), "projections");
}

static bool lack(const struct tool *tool, const char *name, struct error *err)
{
	json_t *all = (json_t *)(uintptr_t)all_projections(tool), *spec;
	const char **known = mem_alloc(json_object_size(all) + 1, sizeof *known);
	const char *key;
	size_t count = 0;
	json_object_foreach(all, key, spec) known[count++] = key;
	settings_lack("projection", name, known, "they stand under 'projections'", err);
	free(known);
	return false;
}

/* The same failure, with its place in the file. */
static void place_failure(const struct tool *tool, const char *name, struct error *err)
{
	const struct document *document = tool->settings.document;
	const struct error cause = *err;
	char *pointer = mem_printf("/projections/%s", name);
	struct place at = document_key_place(document, pointer);
	*err = (struct error){0};
	error_set(err, ERROR_SETTINGS, "%s:%u:%u: projections.%s: %s", document_name(document),
	    at.line, at.column, name, cause.text);
	free(pointer);
}

static bool read_projection(const struct tool *tool, const struct events_options *o,
    struct fold_spec *out, struct error *err)
{
	if (tool->options->settings == NULL)
		return error_set(err, ERROR_USAGE,
		    "a projection stands in settings: give --settings FILE or NAME");
	const json_t *spec = json_object_get(all_projections(tool), o->projection);
	if (spec == NULL)
		return lack(tool, o->projection, err);
	const json_t *every = json_object_get(spec, "snapshot_every");
	const json_t *initial = json_object_get(spec, "initial");
	char *json = initial != NULL ? json_dumps(initial, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	struct fold_options options = {
	    .reduce = json_string_value(json_object_get(spec, "reduce")),
	    .initial = json,
	    .stream_by = json_string_value(json_object_get(spec, "stream_by")),
	};
	out->is_each = o->each || o->follow || (options.stream_by != NULL && o->stream == NULL);
	options.is_whole = !out->is_each && o->stream == NULL;
	out->projection = o->projection;
	out->owner = mem_printf("%s%s", o->projection, options.is_whole ? " of all" : "");
	if (every != NULL && !o->has_snapshot_every)
		out->every = (uint64_t)json_integer_value(every);
	out->fold = fold_create(&options, err);
	free(json);
	if (out->fold == NULL)
		place_failure(tool, o->projection, err);
	return out->fold != NULL;
}

bool fold_spec_read(const struct tool *tool, const struct events_options *o, struct fold_spec *out,
    struct error *err)
{
	*out = (struct fold_spec){.every = o->snapshot_every, .is_each = o->each};
	if (!check_together(o, err))
		return false;
	if (o->projection != NULL)
		return read_projection(tool, o, out, err);
	const struct fold_options options = {.reduce = o->reduce,
	    .initial = o->initial,
	    .stream_by = o->stream_by,
	    .is_whole = o->stream == NULL && !o->each};
	out->fold = fold_create(&options, err);
	return out->fold != NULL;
}

void fold_spec_release(struct fold_spec *spec)
{
	fold_free(spec->fold);
	free(spec->owner);
}
