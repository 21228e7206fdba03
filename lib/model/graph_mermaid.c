/* The drawing as a Mermaid flowchart. */
#include "model/graph.h"

#include "base/text.h"

static const char *const brackets[][2] = {[GRAPH_MESSAGE] = {"([", "])"},
    [GRAPH_EXCHANGE] = {"{{", "}}"},
    [GRAPH_QUEUE] = {"[", "]"},
    [GRAPH_RELAY] = {"[[", "]]"},
    [GRAPH_RESPONDER] = {"[[", "]]"},
    [GRAPH_WORKFLOW] = {"[[", "]]"},
    [GRAPH_STEP] = {"[", "]"},
    [GRAPH_UNDO] = {"(", ")"}};

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80;
}

/* Mermaid reads HTML, Markdown, its own comments and directives in a label, in quotes or not. So
 * punctuation stays only where it means nothing to any of them: inside of a word. */
static void write_quoted(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_inside = i > 0 && i + 1 < text.len && is_plain(text.ptr[i - 1]) &&
				 is_plain(text.ptr[i + 1]);
		if (is_plain(c) || c == ' ' || (is_inside && strchr("._-", c) != NULL))
			buf_append_char(out, c);
		else
			buf_printf(out, "#%d;", c);
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
	buf_printf(out, "\tn%zu%s\"", index, brackets[node->kind][0]);
	write_quoted(buf_slice(&name), out);
	buf_append_str(out, "<br>");
	write_label(node->type, out);
	buf_printf(out, "\"%s\n", brackets[node->kind][1]);
	buf_release(&name);
}

void graph_write_mermaid(const struct graph *g, struct buf *out)
{
	buf_append_str(out, "flowchart LR\n");
	for (size_t i = 0; i < g->node_count; i++)
		write_node(&g->nodes[i], i, out);
	for (size_t i = 0; i < g->edge_count; i++) {
		const struct graph_edge *e = &g->edges[i];
		buf_printf(out, "\tn%zu %s", e->from, e->is_aside ? "-.->" : "-->");
		if (e->label[0] != '\0') {
			buf_append_str(out, "|\"");
			write_label(e->label, out);
			buf_append_str(out, "\"|");
		}
		buf_printf(out, " n%zu\n", e->to);
	}
}
