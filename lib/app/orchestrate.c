#include "app/orchestrate.h"

#include "app/orchestrate_private.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "base/text.h"
#include "flow/workflow_instance.h"

#include <stdlib.h>
#include <unistd.h>

#define STEP_WIDTH 16 /* what stands behind it begins there */

/* ---- which workflows, and their programs ---- */

/* Where reports go; their pointers stand below the section. */
struct report {
	const struct document *document;
	struct problems problems;
};

static void note(void *ctx, const char *pointer, const char *text)
{
	struct report *r = ctx;
	char *whole = mem_printf("/workflows%s", pointer);
	char *path = document_path(whole);
	problems_add(&r->problems, document_place(r->document, whole), path, "%s", text);
	free(path);
	free(whole);
}

static bool refuse(const struct tool *tool, const struct report *report, struct error *err)
{
	const struct document *document = tool->settings.document;
	bool terminal = isatty(STDERR_FILENO);
	size_t count = report->problems.count;
	struct buf out = {0};
	problems_write(&report->problems, 20, document_name(document),
	    terminal ? document_text(document) : (struct slice){0}, &out);
	IGNORE_RESULT(write(STDERR_FILENO, out.ptr, out.len)); /* nowhere left to complain */
	buf_release(&out);
	char *name = text_quote(slice_str(document_name(document)));
	error_set(err, ERROR_SETTINGS, "%s: %zu %s in the settings; nothing was done", name, count,
	    num_noun(count, "mistake", "mistakes"));
	free(name);
	return false;
}

bool orchestrate_lack(const struct tool *tool, const char *name, struct error *err)
{
	const struct workflow_list *all = &tool->settings.workflows;
	const char **known = mem_alloc(all->count + 1, sizeof *known);
	for (size_t i = 0; i < all->count; i++)
		known[i] = all->items[i].name;
	settings_lack("workflow", name, known, "they stand under 'workflows'", err);
	free(known);
	return false;
}

static bool is_named(const struct workflow *w, char **operands)
{
	bool any = operands[0] == NULL;
	for (size_t i = 0; operands[i] != NULL; i++)
		any = any || strcmp(operands[i], w->name) == 0;
	return any;
}

bool orchestrate_choose(
    const struct tool *tool, char **operands, struct orchestrate_cast *out, struct error *err)
{
	const struct workflow_list *all = &tool->settings.workflows;
	struct report report = {.document = tool->settings.document};
	*out = (struct orchestrate_cast){0};
	for (size_t i = 0; operands[i] != NULL; i++)
		if (workflow_find(all, slice_str(operands[i])) == NULL)
			return orchestrate_lack(tool, operands[i], err);
	if (all->count == 0)
		return error_set(err, ERROR_USAGE, "the settings have no workflows");
	out->logics = mem_alloc(all->count, sizeof(*out->logics));
	for (size_t i = 0; i < all->count; i++) {
		struct workflow_logic *logic =
		    is_named(&all->items[i], operands)
			? workflow_logic_create(&all->items[i], note, &report)
			: NULL;
		if (logic != NULL)
			out->logics[out->count++] = logic;
	}
	bool good = report.problems.count == 0 || refuse(tool, &report, err);
	problems_release(&report.problems);
	return good;
}

void orchestrate_free(struct orchestrate_cast *cast)
{
	for (size_t i = 0; i < cast->count; i++)
		workflow_logic_free(cast->logics[i]);
	free(cast->logics);
	*cast = (struct orchestrate_cast){0};
}

/* ---- in words ---- */

static const char *color_of(enum workflow_happening what)
{
	static const char *const colors[WORKFLOW_HAPPENINGS] = {[WORKFLOW_REPLIED] = "\033[32m",
	    [WORKFLOW_COMPLETED] = "\033[1;32m",
	    [WORKFLOW_FAILED] = "\033[31m",
	    [WORKFLOW_ABORTED] = "\033[1;31m",
	    [WORKFLOW_COMPENSATING] = "\033[33m",
	    [WORKFLOW_COMPENSATED] = "\033[33m"};
	return colors[what];
}

static void write_value(const json_t *value, struct buf *out)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	buf_append_str(out, "  ");
	text_escape(slice_str(text), 300, out);
	free(text);
}

void orchestrate_describe(struct slice type, struct slice data, bool color, struct buf *out)
{
	struct slice prefix = SLICE(WORKFLOW_INSTANCE_TYPES);
	enum workflow_happening what;
	if (type.len < prefix.len ||
	    !workflow_happening_find(slice_from(type, prefix.len), &what)) {
		text_escape(type, 100, out);
		return;
	}
	json_t *json = json_loadb(data.len > 0 ? data.ptr : "", data.len, 0, NULL);
	const char *step = json_string_value(json_object_get(json, "step"));
	const char *reason = json_string_value(json_object_get(json, "reason"));
	json_int_t attempt = (json_int_t)json_number_value(json_object_get(json, "attempt"));
	const char *tint = color ? color_of(what) : NULL;
	buf_printf(out, "%s%-14s%s", tint != NULL ? tint : "", workflow_happening_name(what),
	    tint != NULL ? "\033[0m" : "");
	size_t before = out->len;
	if (step != NULL)
		text_escape(slice_str(step), 60, out);
	if (attempt > 1)
		buf_printf(out, ", attempt %lld", (long long)attempt);
	if (reason != NULL) {
		buf_append_str(out, ", ");
		text_escape(slice_str(reason), 60, out);
	}
	while (out->len < before + STEP_WIDTH)
		buf_append_char(out, ' ');
	static const char *const values[] = {"input", "body", "reply", "error"};
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (json_object_get(json, values[i]) != NULL)
			write_value(json_object_get(json, values[i]), out);
	json_decref(json);
}

/* ---- verbs ---- */

static const struct verb {
	const char *name;
	orchestrate_verb_fn *run;
	unsigned forms; /* of --format: a bit each */
} verbs[] = {
    {"run", orchestrate_drive,
	1 << ORCHESTRATE_PRETTY | 1 << ORCHESTRATE_JSON | 1 << ORCHESTRATE_NONE},
    {"list", orchestrate_list, 1 << ORCHESTRATE_PRETTY | 1 << ORCHESTRATE_JSON},
    {"show", orchestrate_show, 1 << ORCHESTRATE_PRETTY | 1 << ORCHESTRATE_JSON},
    {"graph", orchestrate_graph,
	1 << ORCHESTRATE_PRETTY | 1 << ORCHESTRATE_MERMAID | 1 << ORCHESTRATE_DOT},
};

bool orchestrate_run(struct tool *tool, const void *options, struct error *err)
{
	const struct orchestrate_options *o = options;
	char **operands = tool->operands;
	const struct verb *verb = verbs;
	if (operands[0] == NULL)
		return error_set(err, ERROR_USAGE, "what is to be done? --help lists the verbs");
	while (strcmp(verb->name, operands[0]) != 0)
		verb++; /* options_parse lets only verbs through */
	if ((verb->forms >> o->format & 1) == 0)
		return error_set(
		    err, ERROR_USAGE, "%s does not print in this --format", verb->name);
	return tool_load_settings(tool,
		   verb->run == orchestrate_drive || verb->run == orchestrate_graph, rng_entropy(),
		   err) &&
	       verb->run(tool, o, operands + 1, err);
}
