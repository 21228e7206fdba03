/*
 * graph.h - where messages go, or what a workflow does, as nodes and arrows, and the three
 * languages it is drawn in.
 *
 * In the one drawing an arrow is a way that messages go: from a pattern of the settings to an
 * exchange, over a binding, to an alternate exchange, as dead letters, to the wait queues of
 * `retry` and back; from a queue to the relay, responder or workflow that takes them, and from
 * there to an exchange. That is the choreography. In the other one an arrow is what follows on a
 * step.
 */
#ifndef MODEL_GRAPH_H
#define MODEL_GRAPH_H

#include "base/buf.h"
#include "model/topology.h"
#include "model/workflow.h"

#include <jansson.h>

enum graph_kind {
	GRAPH_MESSAGE,
	GRAPH_EXCHANGE,
	GRAPH_QUEUE,
	GRAPH_RELAY,
	GRAPH_RESPONDER,
	GRAPH_WORKFLOW,
	GRAPH_STEP, /* of a workflow, */
	GRAPH_UNDO, /* and what undoes it */
	GRAPH_KINDS,
};

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
	struct graph_node *nodes; /* by kind, then what is only referred to */
	size_t node_count;
	struct graph_edge *edges; /* by their first node, in the order of the settings */
	size_t edge_count;
};

/* The topology and the settings (may be NULL), of which `messages`, `relays`, `responders` and
 * `workflows` are drawn, must outlive the graph. */
void graph_init(struct graph *g, const struct topology *t, const json_t *settings);
/* The steps of a workflow, which must outlive the graph. */
void graph_init_workflow(struct graph *g, const struct workflow *w);
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
