#include "app/arrange_explain.h"

#include "app/arrange_live.h"
#include "base/text.h"
#include "config/document.h"
#include "model/routes.h"

#include <stdlib.h>

#define MAX_KEY 255 /* an AMQP short string */

/* ---- the message ---- */

/* One NAME=VALUE; the name is a name and no path, unlike that of --set. */
static bool add_header(struct document *headers, const char *given, struct error *err)
{
	size_t len = strcspn(given, "=");
	bool is_name = len > 0 && given[len] == '=' && memchr(given, '"', len) == NULL;
	struct buf assignment = {0};
	if (!is_name) {
		char *shown = text_quote(slice_str(given));
		error_set(err, ERROR_USAGE, "--header: '%s' is not NAME=VALUE", shown);
		free(shown);
		return false;
	}
	buf_printf(&assignment, "\"%.*s\"%s", (int)len, given, given + len);
	bool good = document_set(headers, "--header", assignment.ptr, err);
	buf_release(&assignment);
	return good;
}

static bool read_headers(
    const struct option_list *given, struct document *headers, struct error *err)
{
	for (size_t i = 0; i < given->count; i++)
		if (!add_header(headers, given->items[i], err))
			return false;
	return true;
}

/* "" is the default exchange; amq.default is what the HTTP API calls it. */
static bool read_message(const struct tool *tool, const struct arrange_explain_options *o,
    struct routes_message *m, struct error *err)
{
	const char *exchange = tool->operands[1];
	if (exchange == NULL || tool->operands[2] != NULL)
		return error_set(
		    err, ERROR_USAGE, "explain takes one exchange; '' is the default one");
	m->exchange = strcmp(exchange, "amq.default") == 0 ? "" : exchange;
	m->routing_key = o->key != NULL ? o->key : "";
	if (strlen(m->routing_key) > MAX_KEY)
		return error_set(err, ERROR_USAGE,
		    "--key: a routing key of %zu bytes; it may have %d", strlen(m->routing_key),
		    MAX_KEY);
	if (!text_is_utf8(slice_str(m->routing_key)) || !text_is_utf8(slice_str(exchange)))
		return error_set(
		    err, ERROR_USAGE, "the names of exchanges and routing keys are UTF-8");
	return true;
}

/* ---- for people ---- */

struct view {
	const struct routes *routes;
	bool is_whole; /* all bindings there are, not only those of the settings */
	struct buf *out;
};

static void write_name(struct buf *out, const char *name)
{
	text_escape(slice_str(name), MAX_KEY, out);
}

static void write_exchange(const struct view *v, const struct routes_step *s)
{
	const struct routes *r = v->routes;
	struct buf *out = v->out;
	if (s->exchange[0] == '\0') {
		buf_append_str(out, "the default exchange");
	} else {
		buf_append_str(out, "exchange ");
		write_name(out, s->exchange);
	}
	if (s->found == NULL) {
		buf_append_str(out, " is not there: it ends here");
	} else if (s->exchange[0] != '\0') {
		buf_append_str(out, " (");
		write_name(out, s->found->type);
		buf_append_str(out, s->found->declared || v->is_whole
					? ")"
					: "; what else is bound to it, the settings do not say)");
	}
	if (s != r->steps)
		return;
	for (size_t i = 0; i < r->key_count; i++) {
		buf_append_str(out, i == 0 ? ", routing key '" : ", also '");
		write_name(out, r->keys[i]);
		buf_append_char(out, '\'');
	}
}

static void write_binding(const struct view *v, const struct routes_step *s)
{
	struct buf *out = v->out;
	static const char *const verdicts[] = {
	    [ROUTES_NO] = "no match", [ROUTES_YES] = "match", [ROUTES_UNKNOWN] = "unknown"};
	buf_printf(out, "  %-8s  %s ", verdicts[s->match], s->to_exchange ? "exchange" : "queue");
	write_name(out, s->destination);
	buf_printf(out, ": %s", s->why);
}

static void write_end(const struct view *v, const struct routes_step *s)
{
	struct buf *out = v->out;
	buf_printf(out, "  %s", s->why);
	buf_append_str(out, s->destination == NULL ? ", nor is there an alternate exchange"
						   : ", the alternate exchange gets it: ");
	if (s->destination != NULL)
		write_name(out, s->destination);
}

static void write_step(const struct view *v, const struct routes_step *s)
{
	static void (*const writers[])(const struct view *v, const struct routes_step *s) = {
	    [ROUTES_EXCHANGE] = write_exchange,
	    [ROUTES_BINDING] = write_binding,
	    [ROUTES_END] = write_end};
	for (size_t i = 0; i < s->depth; i++)
		buf_append_str(v->out, "    ");
	writers[s->kind](v, s);
	buf_append_str(v->out, s->again ? "; again: already visited\n" : "\n");
}

static void write_text(const struct routes *r, bool is_whole, struct buf *out)
{
	const struct view view = {r, is_whole, out};
	for (size_t i = 0; i < r->step_count; i++)
		write_step(&view, &r->steps[i]);
	if (!r->is_complete && r->queue_count == 0)
		buf_append_str(out, "no queue is known to get it\n");
	else if (r->queue_count == 0)
		buf_append_str(
		    out, "nobody gets it: with mandatory it is returned, without it is dropped\n");
	else
		buf_printf(out, "%zu queue%s it%s:\n", r->queue_count,
		    r->queue_count == 1 ? " gets" : "s get",
		    r->is_complete ? "" : ", and others may");
	for (size_t i = 0; i < r->queue_count; i++) {
		buf_append_str(out, "  ");
		write_name(out, r->queues[i]);
		buf_append_char(out, '\n');
	}
}

/* ---- for programs ---- */

static json_t *names_json(const char **names, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(names[i]));
	return list;
}

static json_t *match_json(enum routes_match match)
{
	return match == ROUTES_UNKNOWN ? json_null() : json_boolean(match == ROUTES_YES);
}

static json_t *step_json(const struct routes_step *s)
{
	static const char *const kinds[] = {
	    [ROUTES_EXCHANGE] = "exchange", [ROUTES_BINDING] = "binding", [ROUTES_END] = "end"};
	json_t *step = json_pack("{s:s, s:I, s:s, s:s?}", "step", kinds[s->kind], "depth",
	    (json_int_t)s->depth, "exchange", s->exchange, "type",
	    s->found != NULL ? s->found->type : NULL);
	if (s->kind == ROUTES_EXCHANGE)
		return step;
	const char *key = s->kind == ROUTES_END ? "alternate"
			  : s->to_exchange	? "to_exchange"
						: "queue";
	json_object_set_new(
	    step, key, s->destination != NULL ? json_string(s->destination) : json_null());
	if (s->binding != NULL) {
		json_object_set_new(step, "routing_key", json_string(s->binding->routing_key));
		json_object_set(step, "arguments", s->binding->arguments);
	}
	json_object_set_new(step, "match", match_json(s->match));
	json_object_set_new(step, "again", json_boolean(s->again));
	json_object_set_new(step, "why", json_string(s->why));
	return step;
}

static void write_json(const struct routes *r, struct buf *out)
{
	json_t *steps = json_array();
	for (size_t i = 0; i < r->step_count; i++)
		json_array_append_new(steps, step_json(&r->steps[i]));
	json_t *whole = json_pack("{s:s, s:o, s:o, s:b, s:o}", "exchange", r->steps[0].exchange,
	    "routing_keys", names_json(r->keys, r->key_count), "queues",
	    names_json(r->queues, r->queue_count), "complete", r->is_complete, "steps", steps);
	char *text = json_dumps(whole, JSON_COMPACT | JSON_ENSURE_ASCII);
	buf_append_str(out, text);
	buf_append_char(out, '\n');
	free(text);
	json_decref(whole);
}

/* ---- the verb ---- */

static bool print(struct tool *tool, const struct topology *t, const struct routes_message *m,
    const struct arrange_explain_options *o, bool as_json, struct error *err)
{
	struct routes routes = {0};
	struct buf out = {0};
	if (!routes_find(t, m, &routes, err))
		return false;
	if (as_json)
		write_json(&routes, &out);
	else
		write_text(&routes, o->live, &out);
	bool good = tool_print(buf_slice(&out), err);
	if (good && routes.queue_count == 0)
		tool->status = ERROR_UNDELIVERED;
	buf_release(&out);
	routes_release(&routes);
	return good;
}

bool arrange_explain(
    struct tool *tool, const struct arrange_explain_options *o, bool as_json, struct error *err)
{
	struct document *headers = document_empty();
	struct routes_message m = {.headers = document_root(headers)};
	bool good = read_message(tool, o, &m, err) && read_headers(&o->headers, headers, err) &&
		    tool_load_settings(tool, !o->live, 0, err);
	struct topology live = {0};
	good = good && (!o->live || arrange_live_topology(tool, &live, err)) &&
	       print(tool, o->live ? &live : &tool->settings.topology, &m, o, as_json, err);
	topology_release(&live);
	document_free(headers);
	return good;
}
