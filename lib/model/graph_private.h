/* graph_private.h - how a drawing is built up; shared by what draws. */
#ifndef MODEL_GRAPH_PRIVATE_H
#define MODEL_GRAPH_PRIVATE_H

#include "model/graph.h"

struct graph_builder {
	struct graph *g;
	const struct topology *topology;
	json_t *index; /* "1" and the name of an exchange -> its node */
	size_t node_capacity, edge_capacity;
};

void graph_begin(struct graph_builder *b, struct graph *g, const struct topology *t);
/* Puts the edges in order. */
void graph_end(struct graph_builder *b);

/* What it is stands in two parts: "topic" and " exchange". Returns its number. */
size_t graph_add_node(struct graph_builder *b, enum graph_kind kind, const char *name,
    const char *type, const char *what);
/* What is referred to and is not there is drawn as well, and says so. */
size_t graph_need_exchange(struct graph_builder *b, const char *name);
size_t graph_need_queue(struct graph_builder *b, const char *name);
/* Takes what is in the label, which may be empty. */
void graph_add_edge(
    struct graph_builder *b, size_t from, size_t to, bool is_aside, struct buf *label);

/* graph_logic.c: relays, responders and workflows, with their arrows. */
void graph_add_logic(struct graph_builder *b, const json_t *settings);

#endif
