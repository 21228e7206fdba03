/* The drawing as a Graphviz file. */
#include "model/graph.h"

#include "base/text.h"

static const char *const shapes[] = {[GRAPH_MESSAGE] = "note",
    [GRAPH_EXCHANGE] = "hexagon",
    [GRAPH_QUEUE] = "box",
    [GRAPH_RELAY] = "component",
    [GRAPH_RESPONDER] = "component",
    [GRAPH_WORKFLOW] = "component",
    [GRAPH_STEP] = "box",
    [GRAPH_UNDO] = "ellipse"};

/* Inside double quotes a backslash begins an escape, and & an entity of HTML. */
static void write_quoted(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '&')
			buf_append_str(out, "&amp;");
		else if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else
			buf_append_char(out, c);
	}
}

static void write_label(const char *label, struct buf *out)
{
	struct buf shown = {0};
	text_escape(slice_str(label), SIZE_MAX, &shown);
	write_quoted(buf_slice(&shown), out);
	buf_release(&shown);
}

static void write_node(const struct graph_node *node, size_t index, struct buf *out)
{
	struct buf name = {0};
	graph_write_name(node, &name);
	buf_printf(out, "\tn%zu [shape=%s, label=\"", index, shapes[node->kind]);
	write_quoted(buf_slice(&name), out);
	buf_append_str(out, "\\n");
	write_label(node->type, out);
	buf_append_str(out, "\"];\n");
	buf_release(&name);
}

void graph_write_dot(const struct graph *g, struct buf *out)
{
	buf_append_str(out, "digraph topology {\n\trankdir=LR;\n");
	for (size_t i = 0; i < g->node_count; i++)
		write_node(&g->nodes[i], i, out);
	for (size_t i = 0; i < g->edge_count; i++) {
		const struct graph_edge *e = &g->edges[i];
		buf_printf(out, "\tn%zu -> n%zu [label=\"", e->from, e->to);
		write_label(e->label, out);
		buf_printf(out, "\"%s];\n", e->is_aside ? ", style=dashed" : "");
	}
	buf_append_str(out, "}\n");
}
