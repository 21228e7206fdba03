/* topology graph: where messages go, drawn. */
#include "app/arrange_private.h"

#include "app/arrange_live.h"
#include "base/mem.h"
#include "model/graph.h"

#include <stdlib.h>
#include <strings.h>

/* As the C library decides which characters a program may write. */
static bool is_utf8_terminal(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *terminal = getenv("TERM"), *locale = NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (locale == NULL || locale[0] == '\0')
			locale = getenv(names[i]);
	if (locale == NULL || (terminal != NULL && strcmp(terminal, "dumb") == 0))
		return false;
	return strcasestr(locale, "utf-8") != NULL || strcasestr(locale, "utf8") != NULL;
}

static void write_graph(const struct graph *g, enum arrange_format form, struct buf *out)
{
	if (form == ARRANGE_DOT)
		graph_write_dot(g, out);
	else if (form == ARRANGE_MERMAID)
		graph_write_mermaid(g, out);
	else
		graph_write_text(g, is_utf8_terminal(), out);
}

bool arrange_graph(
    struct tool *tool, const struct arrange_options *o, enum arrange_format form, struct error *err)
{
	struct topology live = {0};
	struct graph graph;
	struct buf out = {0};
	if (!tool_load_settings(tool, !o->live, 0, err) ||
	    (o->live && !arrange_live_topology(tool, &live, err)))
		return false;
	graph_init(&graph, o->live ? &live : &tool->settings.topology,
	    document_root(tool->settings.document));
	write_graph(&graph, form, &out);
	bool good = tool_print(buf_slice(&out), err);
	graph_release(&graph);
	topology_release(&live);
	buf_release(&out);
	return good;
}
