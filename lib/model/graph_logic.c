/* Who takes messages and sends others: relays, responders and workflows of the settings. */
#include "model/graph_private.h"

#include <stdlib.h>

static const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void add_in(struct graph_builder *b, const json_t *queue, size_t to, const char *what)
{
	struct buf label = {0};
	buf_append_str(&label, what);
	if (json_is_string(queue))
		graph_add_edge(b, graph_need_queue(b, json_string_value(queue)), to, false, &label);
	buf_release(&label);
}

/* A name, or a list of them. */
static void add_ins(struct graph_builder *b, const json_t *queues, size_t to)
{
	size_t i;
	json_t *queue;
	add_in(b, queues, to, "");
	json_array_foreach((json_t *)(uintptr_t)queues, i, queue) add_in(b, queue, to, "");
}

/* To an exchange; to a queue when only its name is given. */
static void add_out(struct graph_builder *b, size_t from, const char *exchange, const char *key,
    const char *what, bool is_aside)
{
	struct buf label = {0};
	bool is_default = exchange == NULL || exchange[0] == '\0';
	if (is_default && key == NULL)
		return;
	bool is_queue = is_default && strstr(key, "{{") == NULL;
	buf_append_str(&label, what);
	if (!is_queue && key != NULL && key[0] != '\0')
		buf_printf(&label, "%s%s", label.len > 0 ? ": " : "", key);
	graph_add_edge(b, from,
	    is_queue ? graph_need_queue(b, key)
		     : graph_need_exchange(b, is_default ? "" : exchange),
	    is_aside, &label);
}

/* ---- relays ---- */

/* What a type of event has of its own. */
static void add_handlers(struct graph_builder *b, const json_t *relay, size_t node)
{
	const char *type;
	json_t *handler;
	json_object_foreach(json_object_get(relay, "on"), type, handler)
	{
		const char *exchange = member_text(handler, "exchange");
		const char *key = member_text(handler, "routing_key");
		if (exchange == NULL && key == NULL)
			continue;
		add_out(b, node, exchange != NULL ? exchange : member_text(relay, "exchange"),
		    key != NULL ? key : member_text(relay, "routing_key"), type, false);
	}
}

static void add_relay(struct graph_builder *b, const char *name, const json_t *relay)
{
	bool is_here = json_object_get(relay, "to") == NULL &&
		       json_object_get(relay, "store") == NULL &&
		       json_object_get(relay, "output") == NULL;
	size_t node = graph_add_node(b, GRAPH_RELAY, name, "relay", "");
	if (json_object_get(relay, "from") == NULL)
		add_ins(b, json_object_get(relay, "queue"), node);
	if (!is_here)
		return;
	add_out(
	    b, node, member_text(relay, "exchange"), member_text(relay, "routing_key"), "", false);
	add_handlers(b, relay, node);
}

/* ---- workflows ---- */

static void add_letter(
    struct graph_builder *b, size_t from, const json_t *letter, const char *what, bool is_aside)
{
	const char *key = member_text(letter, "routing_key");
	if (letter != NULL)
		add_out(b, from, member_text(letter, "exchange"), key, what, is_aside);
}

static void add_workflow(struct graph_builder *b, const char *name, const json_t *w)
{
	size_t node = graph_add_node(b, GRAPH_WORKFLOW, name, "workflow", ""), i;
	json_t *step;
	add_in(b, json_object_get(json_object_get(w, "start"), "queue"), node, "starts");
	add_in(b, json_object_get(w, "replies"), node, "replies");
	json_array_foreach(json_object_get(w, "steps"), i, step)
	{
		add_letter(b, node, json_object_get(step, "request"), "", false);
		add_letter(b, node, json_object_get(step, "compensate"), "", true);
	}
	add_letter(b, node, json_object_get(w, "completed"), "", false);
	add_letter(b, node, json_object_get(w, "failed"), "", true);
}

void graph_add_logic(struct graph_builder *b, const json_t *settings)
{
	const char *name;
	json_t *spec;
	json_object_foreach(json_object_get(settings, "relays"), name, spec)
	    add_relay(b, name, spec);
	json_object_foreach(json_object_get(settings, "responders"), name, spec)
	{
		size_t node = graph_add_node(b, GRAPH_RESPONDER, name, "responder", "");
		add_ins(b, json_object_get(spec, "queue"), node);
	}
	json_object_foreach(json_object_get(settings, "workflows"), name, spec)
	    add_workflow(b, name, spec);
}
