#include "model/graph.h"
#include "model/graph_private.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <stdlib.h>

/* ---- nodes ---- */

size_t graph_add_node(struct graph_builder *b, enum graph_kind kind, const char *name,
    const char *type, const char *what)
{
	struct graph *g = b->g;
	char *key = mem_printf("%d%s", (int)kind, name);
	g->nodes = mem_grow(g->nodes, &b->node_capacity, g->node_count + 1, sizeof *g->nodes);
	g->nodes[g->node_count] =
	    (struct graph_node){.kind = kind, .name = name, .type = mem_printf("%s%s", type, what)};
	json_object_set_new_nocheck(b->index, key, json_integer((json_int_t)g->node_count));
	free(key);
	return g->node_count++;
}

static bool find_node(
    const struct graph_builder *b, enum graph_kind kind, const char *name, size_t *out)
{
	char *key = mem_printf("%d%s", (int)kind, name);
	const json_t *index = json_object_get(b->index, key);
	free(key);
	if (index != NULL)
		*out = (size_t)json_integer_value(index);
	return index != NULL;
}

size_t graph_need_exchange(struct graph_builder *b, const char *name)
{
	size_t node;
	if (find_node(b, GRAPH_EXCHANGE, name, &node))
		return node;
	const struct topology_exchange *e = topology_find_exchange(b->topology, slice_str(name));
	return graph_add_node(b, GRAPH_EXCHANGE, name, e != NULL ? e->type : "",
	    e != NULL ? " exchange" : "exchange, not declared");
}

size_t graph_need_queue(struct graph_builder *b, const char *name)
{
	size_t node;
	if (find_node(b, GRAPH_QUEUE, name, &node))
		return node;
	return graph_add_node(b, GRAPH_QUEUE, name, "queue", ", not declared");
}

static void add_nodes(struct graph_builder *b, const json_t *messages)
{
	const struct topology *t = b->topology;
	const char *name;
	json_t *spec;
	json_object_foreach((json_t *)(uintptr_t)messages, name, spec)
	    graph_add_node(b, GRAPH_MESSAGE, name, "message", "");
	for (size_t i = 0; i < t->exchange_count; i++)
		graph_add_node(
		    b, GRAPH_EXCHANGE, t->exchanges[i].name, t->exchanges[i].type, " exchange");
	for (size_t i = 0; i < t->queue_count; i++) {
		bool is_stream = strcmp(t->queues[i].type, "stream") == 0;
		graph_add_node(b, GRAPH_QUEUE, t->queues[i].name, t->queues[i].type,
		    is_stream ? "" : " queue");
	}
}

/* ---- edges ---- */

void graph_add_edge(
    struct graph_builder *b, size_t from, size_t to, bool is_aside, struct buf *label)
{
	struct graph *g = b->g;
	g->edges = mem_grow(g->edges, &b->edge_capacity, g->edge_count + 1, sizeof *g->edges);
	g->edges[g->edge_count++] = (struct graph_edge){
	    from, to, is_aside, label->len > 0 ? buf_take(label) : mem_strdup("")};
	buf_release(label);
}

static const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Without an exchange the routing key is the name of a queue, when it is a fixed one. */
static void add_message(struct graph_builder *b, const char *name, const json_t *spec)
{
	const char *exchange = member_text(spec, "exchange");
	const json_t *key = json_object_get(spec, "routing_key");
	const char *text = json_string_value(key);
	struct buf label = {0};
	size_t from = 0;
	if (!find_node(b, GRAPH_MESSAGE, name, &from))
		return;
	bool is_default = exchange == NULL || exchange[0] == '\0';
	if (is_default && text != NULL && strstr(text, "{{") == NULL) {
		buf_append_str(&label, "default exchange");
		graph_add_edge(b, from, graph_need_queue(b, text), false, &label);
		return;
	}
	buf_append_str(&label, text != NULL ? text : key != NULL ? "(made up)" : "");
	graph_add_edge(b, from, graph_need_exchange(b, is_default ? "" : exchange), false, &label);
}

/* "all: format=pdf, paid=true" */
static void write_arguments(const json_t *arguments, struct buf *out)
{
	const char *match = member_text(arguments, "x-match");
	const char *name, *separator = "";
	json_t *value;
	if (json_object_size(arguments) == 0)
		return;
	buf_append_str(out, out->len > 0 ? ", " : "");
	if (match != NULL)
		buf_printf(out, "%s: ", match);
	json_object_foreach((json_t *)(uintptr_t)arguments, name, value)
	{
		if (strcmp(name, "x-match") == 0)
			continue;
		char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		buf_printf(out, "%s%s=%s", separator, name,
		    json_is_string(value) ? json_string_value(value) : text);
		free(text);
		separator = ", ";
	}
}

static void add_binding(struct graph_builder *b, const struct topology_binding *binding)
{
	const struct topology_exchange *e =
	    topology_find_exchange(b->topology, slice_str(binding->exchange));
	size_t from = graph_need_exchange(b, binding->exchange);
	size_t to = binding->to_exchange ? graph_need_exchange(b, binding->destination)
					 : graph_need_queue(b, binding->destination);
	struct buf label = {0};
	if (e == NULL || strcmp(e->type, "fanout") != 0) /* which takes all */
		buf_append_str(&label, binding->routing_key);
	write_arguments(binding->arguments, &label);
	graph_add_edge(b, from, to, false, &label);
}

static bool read_ttl(const struct topology_queue *q, uint64_t *out_ms)
{
	const json_t *ttl = json_object_get(q->arguments, "x-message-ttl");
	*out_ms = (uint64_t)json_integer_value(ttl);
	return json_is_integer(ttl) && json_integer_value(ttl) >= 0;
}

/* A queue that the sugar has made to wait in: what is dead there has only waited. */
static bool is_wait_queue(const struct topology_queue *q)
{
	const char *back = member_text(q->arguments, "x-dead-letter-routing-key");
	uint64_t ttl_ms;
	return q->made_for != NULL && back != NULL && strcmp(back, q->made_for) == 0 &&
	       read_ttl(q, &ttl_ms);
}

static void add_dead_letters(struct graph_builder *b, size_t from, const struct topology_queue *q)
{
	const char *exchange = member_text(q->arguments, "x-dead-letter-exchange");
	const char *key = member_text(q->arguments, "x-dead-letter-routing-key");
	struct buf label = {0};
	uint64_t ttl_ms;
	if (exchange == NULL)
		return;
	bool to_queue = exchange[0] == '\0' && key != NULL;
	buf_append_str(&label, is_wait_queue(q) ? "" : "dead letters");
	if (!to_queue && key != NULL)
		buf_printf(&label, " as %s", key);
	if (read_ttl(q, &ttl_ms)) {
		buf_append_str(&label, label.len > 0 ? ", also after " : "after ");
		num_format_duration(ttl_ms * CHRONO_MS, &label);
	}
	graph_add_edge(b, from,
	    to_queue ? graph_need_queue(b, key) : graph_need_exchange(b, exchange), true, &label);
}

/* From a queue with `retry` to the queues made for it, by the consumer's hand. */
static void add_retry(struct graph_builder *b, size_t to, const struct topology_queue *q)
{
	const struct topology_queue *owner =
	    q->made_for != NULL ? topology_find_queue(b->topology, slice_str(q->made_for)) : NULL;
	struct buf label = {0};
	size_t from;
	if (owner == NULL || !find_node(b, GRAPH_QUEUE, owner->name, &from))
		return;
	const char *target = member_text(owner->arguments, "x-dead-letter-routing-key");
	if (target != NULL && strcmp(target, q->name) == 0)
		return; /* dead_letter: shown as such */
	buf_append_str(&label, is_wait_queue(q) ? "try again" : "given up");
	graph_add_edge(b, from, to, true, &label);
}

static void add_alternate(struct graph_builder *b, const struct topology_exchange *e)
{
	const char *alternate = member_text(e->arguments, "alternate-exchange");
	struct buf label = {0};
	if (alternate == NULL)
		return;
	buf_append_str(&label, "not routed");
	graph_add_edge(
	    b, graph_need_exchange(b, e->name), graph_need_exchange(b, alternate), true, &label);
}

static void add_edges(struct graph_builder *b, const json_t *messages)
{
	const struct topology *t = b->topology;
	const char *name;
	json_t *spec;
	json_object_foreach((json_t *)(uintptr_t)messages, name, spec) add_message(b, name, spec);
	for (size_t i = 0; i < t->binding_count; i++)
		add_binding(b, &t->bindings[i]);
	for (size_t i = 0; i < t->exchange_count; i++)
		add_alternate(b, &t->exchanges[i]);
	for (size_t i = 0; i < t->queue_count; i++) {
		size_t node = graph_need_queue(b, t->queues[i].name);
		add_retry(b, node, &t->queues[i]);
		add_dead_letters(b, node, &t->queues[i]);
	}
}

/* ---- the whole ---- */

/* Sorts by the first node; what one node has stays in its order. */
static void sort_edges(struct graph *g)
{
	struct graph_edge *sorted = mem_alloc(g->edge_count, sizeof *sorted);
	for (size_t i = 0; i < g->edge_count; i++) {
		g->nodes[g->edges[i].from].outs++;
		g->nodes[g->edges[i].to].ins++;
	}
	for (size_t i = 1; i < g->node_count; i++)
		g->nodes[i].first_out = g->nodes[i - 1].first_out + g->nodes[i - 1].outs;
	for (size_t i = 0; i < g->node_count; i++)
		g->nodes[i].outs = 0;
	for (size_t i = 0; i < g->edge_count; i++) {
		struct graph_node *from = &g->nodes[g->edges[i].from];
		sorted[from->first_out + from->outs++] = g->edges[i];
	}
	free(g->edges);
	g->edges = sorted;
}

void graph_begin(struct graph_builder *b, struct graph *g, const struct topology *t)
{
	*g = (struct graph){0};
	*b = (struct graph_builder){.g = g, .topology = t, .index = json_object()};
}

void graph_end(struct graph_builder *b)
{
	sort_edges(b->g);
	json_decref(b->index);
}

void graph_init(struct graph *g, const struct topology *t, const json_t *settings)
{
	struct graph_builder b;
	const json_t *messages = json_object_get(settings, "messages");
	graph_begin(&b, g, t);
	add_nodes(&b, messages);
	graph_add_logic(&b, settings);
	add_edges(&b, messages);
	graph_end(&b);
}

void graph_release(struct graph *g)
{
	for (size_t i = 0; i < g->node_count; i++)
		free(g->nodes[i].type);
	for (size_t i = 0; i < g->edge_count; i++)
		free(g->edges[i].label);
	free(g->nodes);
	free(g->edges);
	*g = (struct graph){0};
}

void graph_write_name(const struct graph_node *node, struct buf *out)
{
	if (node->kind == GRAPH_EXCHANGE && node->name[0] == '\0')
		buf_append_str(out, "(default)");
	else
		text_escape(slice_str(node->name), SIZE_MAX, out);
}
