/* The drawing for a terminal: trees of what each source leads to, every node opened once. */
#include "model/graph.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

#define MAX_DEPTH 24 /* deeper ones become trees of their own */

struct strokes {
	const char *fork, *last, *bar, *gap;
	const char *line[2], *arrow[2]; /* by is_aside */
};

static const struct strokes unicode = {"├", "└", "│   ", "    ", {"──", "╌╌"}, {"──▶", "╌╌▶"}};
static const struct strokes ascii = {"|", "`", "|   ", "    ", {"--", ".."}, {"-->", "..>"}};

struct drawing {
	const struct graph *g;
	const struct strokes *strokes;
	bool *is_drawn;
	struct buf indent;
	struct buf *out;
};

static void draw_tree(struct drawing *d, size_t node, unsigned depth);

static void draw_edge(struct drawing *d, const struct graph_edge *e, bool is_last, unsigned depth)
{
	const struct strokes *s = d->strokes;
	size_t mark = d->indent.len;
	buf_append_str(d->out, d->indent.ptr);
	buf_append_str(d->out, is_last ? s->last : s->fork);
	if (e->label[0] != '\0') {
		buf_printf(d->out, "%s ", s->line[e->is_aside]);
		text_escape(slice_str(e->label), SIZE_MAX, d->out);
		buf_append_char(d->out, ' ');
	}
	buf_printf(d->out, "%s ", s->arrow[e->is_aside]);
	buf_append_str(&d->indent, is_last ? s->gap : s->bar);
	draw_tree(d, e->to, depth);
	buf_truncate(&d->indent, mark);
}

static void draw_tree(struct drawing *d, size_t index, unsigned depth)
{
	const struct graph_node *node = &d->g->nodes[index];
	bool is_open = node->outs > 0 && !d->is_drawn[index] && depth < MAX_DEPTH;
	graph_write_name(node, d->out);
	buf_append_str(d->out, " (");
	text_escape(slice_str(node->type), SIZE_MAX, d->out);
	if (node->outs > 0 && !is_open)
		buf_append_str(d->out, d->is_drawn[index] ? ", see above" : ", see below");
	buf_append_str(d->out, ")\n");
	if (node->outs == 0 || is_open)
		d->is_drawn[index] = true;
	for (size_t i = 0; is_open && i < node->outs; i++)
		draw_edge(d, &d->g->edges[node->first_out + i], i + 1 == node->outs, depth + 1);
}

/* What nothing leads to comes first: that is where messages come from. */
void graph_write_text(const struct graph *g, bool utf8, struct buf *out)
{
	struct drawing d = {.g = g, .strokes = utf8 ? &unicode : &ascii, .out = out};
	d.is_drawn = mem_alloc(g->node_count, sizeof *d.is_drawn);
	buf_append_str(&d.indent, "");
	bool was_tree = false;
	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0; i < g->node_count; i++) {
			if (d.is_drawn[i] || (round == 0 && g->nodes[i].ins > 0))
				continue;
			bool is_tree = g->nodes[i].outs > 0;
			if ((is_tree || was_tree) && out->len > 0)
				buf_append_char(out, '\n');
			draw_tree(&d, i, 0);
			was_tree = is_tree;
		}
	}
	buf_release(&d.indent);
	free(d.is_drawn);
}
