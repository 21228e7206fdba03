#include "app/arrange.h"

#include "app/arrange_private.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "broker/provision.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct run {
	struct tool *tool;
	const struct arrange_options *options;
	int form; /* enum arrange_format */
	struct buf out;
};

/* ---- which objects ---- */

static bool is_named(const struct run *run, const char *name)
{
	char *const *names = run->tool->operands + 1;
	if (*names == NULL)
		return true;
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool check_names(const struct run *run, struct error *err)
{
	const struct topology *t = &run->tool->settings.topology;
	for (char *const *name = run->tool->operands + 1; *name != NULL; name++) {
		if (topology_find_queue(t, slice_str(*name)) != NULL ||
		    topology_find_exchange(t, slice_str(*name)) != NULL)
			continue;
		char *shown = text_quote(slice_str(*name));
		error_set(err, ERROR_USAGE,
		    "the settings declare neither a queue nor an exchange '%s'", shown);
		free(shown);
		return false;
	}
	return true;
}

/* The part of the topology that the operands name; shares everything but the arrays. */
static struct topology selected(const struct run *run)
{
	const struct topology *all = &run->tool->settings.topology;
	struct topology part = *all;
	part.exchanges = mem_alloc(all->exchange_count, sizeof *part.exchanges);
	part.queues = mem_alloc(all->queue_count, sizeof *part.queues);
	part.exchange_count = part.queue_count = 0;
	for (size_t i = 0; i < all->exchange_count; i++)
		if (is_named(run, all->exchanges[i].name))
			part.exchanges[part.exchange_count++] = all->exchanges[i];
	for (size_t i = 0; i < all->queue_count; i++)
		if (is_named(run, all->queues[i].name))
			part.queues[part.queue_count++] = all->queues[i];
	return part;
}

/* ---- reports ---- */

/* Writes one JSON object a line, and gives it up. */
static void write_json(json_t *line, struct buf *out)
{
	char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);
	buf_append_str(out, text);
	buf_append_char(out, '\n');
	free(text);
	json_decref(line);
}

static void report(
    void *ctx, const char *verb, const char *object, const char *name, uint64_t count)
{
	struct run *run = ctx;
	if (run->form == ARRANGE_JSON) {
		write_json(json_pack("{s:s, s:s, s:s, s:I}", "action", verb, "object", object,
			       "name", name, "messages", (json_int_t)count),
		    &run->out);
		return;
	}
	buf_printf(&run->out, "%s %s '", verb, object);
	text_escape(slice_str(name), SIZE_MAX, &run->out);
	buf_append_char(&run->out, '\'');
	if (count > 0) {
		buf_append_str(&run->out, " with ");
		num_format_count(count, &run->out);
		buf_append_str(&run->out, count == 1 ? " message" : " messages");
	}
	buf_append_char(&run->out, '\n');
}

static void write_arguments(const json_t *arguments, struct buf *out)
{
	if (json_object_size(arguments) == 0)
		return;
	char *text = json_dumps(arguments, JSON_COMPACT);
	buf_append_char(out, ' ');
	text_escape(slice_str(text), SIZE_MAX, out);
	free(text);
}

static void write_flag(struct buf *out, bool is_set, const char *word)
{
	if (is_set)
		buf_printf(out, " %s", word);
}

/* One line about a queue or exchange: what is asked, what is there. */
struct row {
	const char *object, *name, *type;
	bool durable, exclusive, auto_delete, internal;
	const json_t *arguments;
	struct provision_state state;
};

static void write_row_text(const struct row *r, struct buf *out)
{
	buf_printf(out, "%-8s ", r->object);
	text_escape(slice_str(r->name), 255, out);
	buf_append_str(out, "  ");
	text_escape(slice_str(r->type), 255, out);
	write_flag(out, r->durable, "durable");
	write_flag(out, r->exclusive, "exclusive");
	write_flag(out, r->auto_delete, "auto-delete");
	write_flag(out, r->internal, "internal");
	write_arguments(r->arguments, out);
	if (!r->state.exists)
		buf_append_str(out, "  (not on the broker)\n");
	else if (r->state.locked)
		buf_append_str(out, "  (in use by another connection)\n");
	else if (strcmp(r->object, "queue") == 0)
		buf_printf(out, "  %" PRIu64 " ready, %" PRIu64 " consumers\n", r->state.ready,
		    r->state.consumers);
	else
		buf_append_char(out, '\n');
}

static void write_row_json(const struct row *r, struct buf *out)
{
	json_t *line = json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:O, s:b}", "object", r->object,
	    "name", r->name, "type", r->type, "durable", r->durable, "exclusive", r->exclusive,
	    "auto_delete", r->auto_delete, "arguments", (json_t *)(uintptr_t)r->arguments, "exists",
	    r->state.exists);
	if (r->state.exists && !r->state.locked && strcmp(r->object, "queue") == 0) {
		json_object_set_new(line, "ready", json_integer((json_int_t)r->state.ready));
		json_object_set_new(
		    line, "consumers", json_integer((json_int_t)r->state.consumers));
	}
	write_json(line, out);
}

static void write_row(struct run *run, const struct row *row)
{
	(run->form == ARRANGE_JSON ? write_row_json : write_row_text)(row, &run->out);
}

static void write_binding(struct run *run, const struct topology_binding *b)
{
	if (run->form == ARRANGE_JSON) {
		write_json(
		    json_pack("{s:s, s:s, s:s, s:s, s:O}", "object", "binding", "exchange",
			b->exchange, b->to_exchange ? "to_exchange" : "queue", b->destination,
			"routing_key", b->routing_key, "arguments", b->arguments),
		    &run->out);
		return;
	}
	buf_append_str(&run->out, "binding  ");
	text_escape(slice_str(b->exchange), 255, &run->out);
	buf_append_str(&run->out, " -> ");
	text_escape(slice_str(b->destination), 255, &run->out);
	if (b->routing_key[0] != '\0') {
		buf_append_str(&run->out, " [");
		text_escape(slice_str(b->routing_key), 255, &run->out);
		buf_append_char(&run->out, ']');
	}
	write_arguments(b->arguments, &run->out);
	buf_append_char(&run->out, '\n');
}

/* ---- verbs ---- */

static bool show(struct run *run, const struct topology *t, struct error *err)
{
	struct connection *c = run->tool->connection;
	for (size_t i = 0; i < t->exchange_count; i++) {
		const struct topology_exchange *e = &t->exchanges[i];
		struct row row = {.object = "exchange",
		    .name = e->name,
		    .type = e->type,
		    .durable = e->durable,
		    .auto_delete = e->auto_delete,
		    .internal = e->internal,
		    .arguments = e->arguments};
		if (!provision_look_exchange(c, e->name, &row.state, err))
			return false;
		write_row(run, &row);
	}
	for (size_t i = 0; i < t->queue_count; i++) {
		const struct topology_queue *q = &t->queues[i];
		struct row row = {.object = "queue",
		    .name = q->name,
		    .type = q->type,
		    .durable = q->durable,
		    .exclusive = q->exclusive,
		    .auto_delete = q->auto_delete,
		    .arguments = q->arguments};
		if (!provision_look_queue(c, q->name, &row.state, err))
			return false;
		write_row(run, &row);
	}
	for (size_t i = 0; i < t->binding_count; i++)
		if (is_named(run, t->bindings[i].exchange) ||
		    is_named(run, t->bindings[i].destination))
			write_binding(run, &t->bindings[i]);
	return true;
}

static bool apply(struct run *run, const struct topology *t, struct error *err)
{
	(void)t; /* a part would lack what its bindings lead to */
	return provision_apply(
	    run->tool->connection, &run->tool->settings.topology, NULL, report, run, err);
}

static bool delete (struct run *run, const struct topology *t, struct error *err)
{
	const struct provision_limits limits = {run->options->if_empty, run->options->if_unused};
	return provision_delete(run->tool->connection, t, &limits, report, run, err);
}

static bool purge(struct run *run, const struct topology *t, struct error *err)
{
	return provision_purge(run->tool->connection, t, report, run, err);
}

static bool explain(
    struct tool *tool, const struct arrange_options *o, enum arrange_format form, struct error *err)
{
	struct arrange_explain_options asked = o->explain;
	asked.live = o->live;
	bool good = arrange_explain(tool, &asked, form == ARRANGE_JSON, err);
	free(asked.headers.items);
	return good;
}

#define FORM(name) (1u << ARRANGE_##name)

static const struct verb {
	const char *name;
	bool (*run)(struct run *run, const struct topology *part, struct error *err);
	arrange_verb_fn *run_alone; /* instead: needs no broker, or not this way */
	bool takes_names;
	unsigned forms; /* the first is the default */
} verbs[] = {
    {"apply", apply, NULL, false, FORM(TEXT) | FORM(JSON)},
    {"delete", delete, NULL, true, FORM(TEXT) | FORM(JSON)},
    {"purge", purge, NULL, true, FORM(TEXT) | FORM(JSON)},
    {"show", show, NULL, true, FORM(TEXT) | FORM(JSON)},
    {"explain", NULL, explain, true, FORM(TEXT) | FORM(JSON)},
    {"graph", NULL, arrange_graph, false, FORM(TEXT) | FORM(DOT) | FORM(MERMAID)},
    {"export", NULL, arrange_export, false, FORM(JSON) | FORM(ASYNCAPI)},
    {"import", NULL, arrange_import, true, FORM(YAML)},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(verbs); i++)
		if (strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

static const char *const form_names[] = {
    [ARRANGE_TEXT] = "text",
    [ARRANGE_JSON] = "json",
    [ARRANGE_DOT] = "dot",
    [ARRANGE_MERMAID] = "mermaid",
    [ARRANGE_ASYNCAPI] = "asyncapi",
    [ARRANGE_YAML] = "yaml",
};

static bool refuse_form(const struct verb *verb, const char *form, struct error *err)
{
	struct buf known = {0};
	for (size_t i = 0; i < ARRAY_LEN(form_names); i++)
		if ((verb->forms & 1u << i) != 0)
			buf_printf(&known, "%s%s", known.len > 0 ? ", " : "", form_names[i]);
	error_set(err, ERROR_USAGE, "--format: '%s' has no form %s; it has %s", verb->name, form,
	    known.ptr);
	buf_release(&known);
	return false;
}

static bool choose_form(
    const struct verb *verb, const struct arrange_options *o, int *out, struct error *err)
{
	int form = o->format;
	if (!o->has_format)
		for (form = 0; (verb->forms & 1u << form) == 0;)
			form++;
	if ((verb->forms & 1u << form) == 0)
		return refuse_form(verb, form_names[form], err);
	*out = form;
	return true;
}

/* A verb that declares, deletes or looks at queues and exchanges, all or those named. */
static bool run_on_broker(struct run *run, const struct verb *verb, struct error *err)
{
	struct tool *tool = run->tool;
	if (!tool_load_settings(tool, true, 0, err) || !check_names(run, err) ||
	    !tool_connect(tool, err))
		return false;
	struct topology part = selected(run);
	bool good = verb->run(run, &part, err);
	/* what was done before a refusal is told as well */
	struct error unprinted = {0};
	bool wanted = !tool->options->quiet || verb->run == show;
	if (wanted && !tool_print(buf_slice(&run->out), &unprinted) && good)
		good = error_set(err, unprinted.kind, "%s", unprinted.text);
	free(part.exchanges);
	free(part.queues);
	buf_release(&run->out);
	return good;
}

bool arrange_run(struct tool *tool, const void *options, struct error *err)
{
	struct run run = {.tool = tool, .options = options};
	const struct verb *verb = find_verb(tool->operands[0]);
	if (verb == NULL)
		return error_set(err, ERROR_USAGE,
		    "what is to be done? one of apply, delete, purge, show, explain, graph, "
		    "export, "
		    "import");
	if (!verb->takes_names && tool->operands[1] != NULL)
		return error_set(err, ERROR_USAGE, "'%s' takes no names", verb->name);
	if (!choose_form(verb, options, &run.form, err))
		return false;
	if (verb->run_alone != NULL)
		return verb->run_alone(tool, options, (enum arrange_format)run.form, err);
	return run_on_broker(&run, verb, err);
}
