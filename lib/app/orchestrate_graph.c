/* workflow graph: the steps of a workflow, or the choreography of all, drawn. */
#include "app/orchestrate_private.h"

#include "base/mem.h"
#include "model/graph.h"

static void write(const struct graph *g, int form, struct buf *out)
{
	if (form == ORCHESTRATE_DOT)
		graph_write_dot(g, out);
	else if (form == ORCHESTRATE_MERMAID)
		graph_write_mermaid(g, out);
	else
		graph_write_text(g, false, out);
}

/* Each is a drawing of its own: mermaid and dot know one a file. */
static bool choose(
    const struct tool *tool, char **operands, const struct workflow **out, struct error *err)
{
	const struct workflow_list *all = &tool->settings.workflows;
	*out = operands[0] != NULL ? workflow_find(all, slice_str(operands[0])) : NULL;
	if (operands[0] != NULL && operands[1] != NULL)
		return error_set(err, ERROR_USAGE, "graph draws one workflow at a time");
	return operands[0] == NULL || *out != NULL || orchestrate_lack(tool, operands[0], err);
}

bool orchestrate_graph(struct tool *tool, const struct orchestrate_options *options,
    char **operands, struct error *err)
{
	const struct workflow *w;
	struct graph graph;
	struct buf out = {0};
	if (options->choreography && operands[0] != NULL)
		return error_set(err, ERROR_USAGE, "either a workflow or --choreography");
	if (!choose(tool, operands, &w, err))
		return false;
	if (w != NULL)
		graph_init_workflow(&graph, w);
	else
		graph_init(
		    &graph, &tool->settings.topology, document_root(tool->settings.document));
	write(&graph, options->format, &out);
	bool good = tool_print(buf_slice(&out), err);
	graph_release(&graph);
	buf_release(&out);
	return good;
}
