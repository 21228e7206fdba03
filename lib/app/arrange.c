#include "app/arrange.h"

#include "app/api.h"
#include "app/arrange_private.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "broker/provision.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- which objects ---- */

static bool is_named(const struct tool *tool, const char *name)
{
	char *const *names = tool->operands + 1;
	if (*names == NULL)
		return true;
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

bool arrange_check_names(const struct tool *tool, struct error *err)
{
	const struct topology *t = &tool->settings.topology;
	for (char *const *name = tool->operands + 1; *name != NULL; name++) {
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

struct topology arrange_select(const struct tool *tool)
{
	const struct topology *all = &tool->settings.topology;
	struct topology part = *all;
	part.exchanges = mem_alloc(all->exchange_count, sizeof *part.exchanges);
	part.queues = mem_alloc(all->queue_count, sizeof *part.queues);
	part.exchange_count = part.queue_count = 0;
	for (size_t i = 0; i < all->exchange_count; i++)
		if (is_named(tool, all->exchanges[i].name))
			part.exchanges[part.exchange_count++] = all->exchanges[i];
	for (size_t i = 0; i < all->queue_count; i++)
		if (is_named(tool, all->queues[i].name))
			part.queues[part.queue_count++] = all->queues[i];
	return part;
}

/* ---- what is printed ---- */

bool arrange_finish(struct arrange_print *p, bool wanted, bool good, struct error *err)
{
	struct error unprinted = {0};
	if (wanted && !tool_print(buf_slice(&p->out), &unprinted) && good)
		good = error_set(err, unprinted.kind, "%s", unprinted.text);
	buf_release(&p->out);
	return good;
}

void arrange_write_json(json_t *line, struct buf *out)
{
	char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);
	buf_append_str(out, text);
	buf_append_char(out, '\n');
	free(text);
	json_decref(line);
}

void arrange_report(
    void *ctx, const char *verb, const char *object, const char *name, uint64_t count)
{
	struct arrange_print *p = ctx;
	if (p->form == ARRANGE_JSON) {
		arrange_write_json(json_pack("{s:s, s:s, s:s, s:I}", "action", verb, "object",
				       object, "name", name, "messages", (json_int_t)count),
		    &p->out);
		return;
	}
	buf_printf(&p->out, "%s %s '", verb, object);
	text_escape(slice_str(name), SIZE_MAX, &p->out);
	buf_append_char(&p->out, '\'');
	if (count > 0) {
		buf_append_str(&p->out, " with ");
		num_format_count(count, &p->out);
		buf_append_str(&p->out, num_noun(count, " message", " messages"));
	}
	buf_append_char(&p->out, '\n');
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

void arrange_write_exchange(const struct topology_exchange *e, struct buf *out)
{
	buf_append_char(out, ' ');
	text_escape(slice_str(e->type), 255, out);
	write_flag(out, e->durable, "durable");
	write_flag(out, e->auto_delete, "auto-delete");
	write_flag(out, e->internal, "internal");
	write_arguments(e->arguments, out);
}

void arrange_write_queue(const struct topology_queue *q, struct buf *out)
{
	buf_append_char(out, ' ');
	text_escape(slice_str(q->type), 255, out);
	write_flag(out, q->durable, "durable");
	write_flag(out, q->exclusive, "exclusive");
	write_flag(out, q->auto_delete, "auto-delete");
	write_arguments(q->arguments, out);
}

void arrange_write_binding(const struct topology_binding *b, struct buf *out)
{
	text_escape(slice_str(b->exchange), 255, out);
	buf_append_str(out, " -> ");
	text_escape(slice_str(b->destination), 255, out);
	if (b->routing_key[0] != '\0') {
		buf_append_str(out, " [");
		text_escape(slice_str(b->routing_key), 255, out);
		buf_append_char(out, ']');
	}
	write_arguments(b->arguments, out);
}

void arrange_describe_binding(const struct topology_binding *b, json_t *line)
{
	json_object_set_new(line, "exchange", json_string(b->exchange));
	json_object_set_new(
	    line, b->to_exchange ? "to_exchange" : "queue", json_string(b->destination));
	json_object_set_new(line, "routing_key", json_string(b->routing_key));
	json_object_set(line, "arguments", b->arguments);
}

/* ---- show ---- */

static void write_exchange(struct arrange_print *p, const struct topology_exchange *e, bool exists)
{
	if (p->form == ARRANGE_JSON) {
		arrange_write_json(
		    json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:O, s:b}", "object", "exchange",
			"name", e->name, "type", e->type, "durable", e->durable, "exclusive", 0,
			"auto_delete", e->auto_delete, "arguments", e->arguments, "exists", exists),
		    &p->out);
		return;
	}
	buf_append_str(&p->out, "exchange ");
	text_escape(slice_str(e->name), 255, &p->out);
	buf_append_char(&p->out, ' ');
	arrange_write_exchange(e, &p->out);
	buf_append_str(&p->out, exists ? "\n" : "  (not on the broker)\n");
}

static void write_queue_json(
    struct arrange_print *p, const struct topology_queue *q, const struct provision_state *state)
{
	json_t *line = json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:O, s:b}", "object", "queue",
	    "name", q->name, "type", q->type, "durable", q->durable, "exclusive", q->exclusive,
	    "auto_delete", q->auto_delete, "arguments", q->arguments, "exists", state->exists);
	if (state->exists && !state->locked) {
		json_object_set_new(line, "ready", json_integer((json_int_t)state->ready));
		json_object_set_new(line, "consumers", json_integer((json_int_t)state->consumers));
	}
	arrange_write_json(line, &p->out);
}

static void write_queue(
    struct arrange_print *p, const struct topology_queue *q, const struct provision_state *state)
{
	if (p->form == ARRANGE_JSON) {
		write_queue_json(p, q, state);
		return;
	}
	buf_append_str(&p->out, "queue    ");
	text_escape(slice_str(q->name), 255, &p->out);
	buf_append_char(&p->out, ' ');
	arrange_write_queue(q, &p->out);
	if (!state->exists)
		buf_append_str(&p->out, "  (not on the broker)\n");
	else if (state->locked)
		buf_append_str(&p->out, "  (in use by another connection)\n");
	else
		buf_printf(&p->out, "  %" PRIu64 " ready, %" PRIu64 " %s\n", state->ready,
		    state->consumers, num_noun(state->consumers, "consumer", "consumers"));
}

static void write_binding(struct arrange_print *p, const struct topology_binding *b)
{
	if (p->form == ARRANGE_JSON) {
		json_t *line = json_pack("{s:s}", "object", "binding");
		arrange_describe_binding(b, line);
		arrange_write_json(line, &p->out);
		return;
	}
	buf_append_str(&p->out, "binding  ");
	arrange_write_binding(b, &p->out);
	buf_append_char(&p->out, '\n');
}

static bool show_part(
    struct tool *tool, const struct topology *t, struct arrange_print *p, struct error *err)
{
	struct provision_state state;
	for (size_t i = 0; i < t->exchange_count; i++) {
		if (!provision_look_exchange(tool->connection, t->exchanges[i].name, &state, err))
			return false;
		write_exchange(p, &t->exchanges[i], state.exists);
	}
	for (size_t i = 0; i < t->queue_count; i++) {
		if (!provision_look_queue(tool->connection, t->queues[i].name, &state, err))
			return false;
		write_queue(p, &t->queues[i], &state);
	}
	for (size_t i = 0; i < t->binding_count; i++)
		if (is_named(tool, t->bindings[i].exchange) ||
		    is_named(tool, t->bindings[i].destination))
			write_binding(p, &t->bindings[i]);
	return true;
}

static bool show(
    struct tool *tool, const struct arrange_options *o, enum arrange_format form, struct error *err)
{
	struct arrange_print p = {.form = form};
	(void)o;
	if (!tool_load_settings(tool, true, 0, err) || !arrange_check_names(tool, err) ||
	    !tool_connect(tool, err))
		return false;
	struct topology part = arrange_select(tool);
	bool good = show_part(tool, &part, &p, err);
	free(part.exchanges);
	free(part.queues);
	return arrange_finish(&p, true, good, err);
}

/* ---- the verbs ---- */

static bool explain(
    struct tool *tool, const struct arrange_options *o, enum arrange_format form, struct error *err)
{
	struct arrange_explain_options asked = o->explain;
	asked.live = o->live;
	return arrange_explain(tool, &asked, form == ARRANGE_JSON, err);
}

#define FORM(name) (1u << ARRANGE_##name)

static const struct verb {
	const char *name;
	arrange_verb_fn *run;
	bool takes_names;
	unsigned forms; /* the first is the default */
} verbs[] = {
    {"plan", arrange_plan, false, FORM(TEXT) | FORM(JSON)},
    {"apply", arrange_apply, false, FORM(TEXT) | FORM(JSON)},
    {"delete", arrange_delete, true, FORM(TEXT) | FORM(JSON)},
    {"purge", arrange_purge, true, FORM(TEXT) | FORM(JSON)},
    {"show", show, true, FORM(TEXT) | FORM(JSON)},
    {"explain", explain, true, FORM(TEXT) | FORM(JSON)},
    {"graph", arrange_graph, false, FORM(TEXT) | FORM(DOT) | FORM(MERMAID)},
    {"export", arrange_export, false, FORM(JSON) | FORM(ASYNCAPI)},
    {"import", arrange_import, true, FORM(YAML)},
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

/* Options that not every verb has. */
static bool check_options(const struct arrange_options *o, const char *verb, struct error *err)
{
	const struct {
		const char *name;
		bool given;
		const char *verbs, *with;
	} rows[] = {
	    {"--prefix", o->prefix != NULL, "plan", "plan"},
	    {"--migrate", o->migrate.count > 0, "apply", "apply"},
	    {"--if-empty", o->if_empty, "delete", "delete; purge is for what is not empty"},
	    {"--if-unused", o->if_unused, "delete purge", "delete and purge"},
	    {"--yes", o->yes, "delete purge", "delete and purge"},
	    {"--key", o->explain.key != NULL, "explain", "explain"},
	    {"--header", o->explain.headers.count > 0, "explain", "explain"},
	    {"--live", o->live, "explain graph export import", "explain, graph, export and import"},
	    {"--vhost", o->vhost != NULL, "import", "import"},
	    {"--contracts", o->contracts != NULL && !o->live, "import", "import of a file"},
	    {"--contracts", o->contracts != NULL && o->live, "", "import of a file"},
	    {"--credentials", o->credentials && o->live, "import export",
		"import and export --live"},
	    {"--credentials", o->credentials && !o->live, "import", "import and export --live"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given && strstr(rows[i].verbs, verb) == NULL)
			return error_set(
			    err, ERROR_USAGE, "%s goes with %s", rows[i].name, rows[i].with);
	return true;
}

bool arrange_run(struct tool *tool, const void *options, struct error *err)
{
	const struct arrange_options *o = options;
	const struct verb *verb = find_verb(tool->operands[0]);
	int form = ARRANGE_TEXT;
	bool good = false;
	if (verb == NULL)
		error_set(err, ERROR_USAGE,
		    "what is to be done? one of plan, apply, delete, purge, show, explain, graph, "
		    "export, import");
	else if (!verb->takes_names && tool->operands[1] != NULL)
		error_set(err, ERROR_USAGE, "'%s' takes no names", verb->name);
	else
		good = check_options(o, verb->name, err) && choose_form(verb, o, &form, err) &&
		       verb->run(tool, o, (enum arrange_format)form, err);
	api_close(tool);
	free(o->migrate.items);
	free(o->explain.headers.items);
	return good;
}
