/*
 * graph.h - a topology as nodes and arrows, and the three languages it is drawn in.
 *
 * An arrow is a way that messages go: from a pattern of the settings to an exchange, over a
 * binding, to an alternate exchange, as dead letters, to the wait queues of `retry` and back.
 */
#ifndef MODEL_GRAPH_H
#define MODEL_GRAPH_H

#include "base/buf.h"
#include "model/topology.h"

#include <jansson.h>

enum graph_kind { GRAPH_MESSAGE, GRAPH_EXCHANGE, GRAPH_QUEUE };

struct graph_node {
	enum graph_kind kind;
	const char *name;	/* as it came: not escaped; "" is the default exchange */
	char *type;		/* owned: "topic exchange", "quorum queue" */
	size_t first_out, outs; /* its arrows among the edges */
	size_t ins;
};

struct graph_edge {
	size_t from, to;
	bool is_aside; /* not by a binding: what is dashed */
	char *label;   /* owned, not escaped; "" for none */
};

struct graph {
	struct graph_node *nodes; /* messages, exchanges, queues, then what is only referred to */
	size_t node_count;
	struct graph_edge *edges; /* by their first node, in the order of the settings */
	size_t edge_count;
};

/* The topology and the `messages` of the settings (may be NULL) must outlive the graph. */
void graph_init(struct graph *g, const struct topology *t, const json_t *messages);
void graph_release(struct graph *g);

/* The name of a node, escaped as text_escape does it; the default exchange is "(default)". */
void graph_write_name(const struct graph_node *node, struct buf *out);

/* A tree for a terminal; with lines and arrows of ASCII unless utf8. */
void graph_write_text(const struct graph *g, bool utf8, struct buf *out);
/* For Graphviz: https://graphviz.org/doc/info/lang.html */
void graph_write_dot(const struct graph *g, struct buf *out);
/* For Mermaid: https://mermaid.js.org/syntax/flowchart.html */
void graph_write_mermaid(const struct graph *g, struct buf *out);

#endif
