/* workflow graph: the orchestration, or the choreography, drawn. */
#include "app/orchestrate_private.h"

bool orchestrate_graph(struct tool *tool, const struct orchestrate_options *options,
    char **operands, struct error *err)
{
	(void)tool, (void)options, (void)operands;
	return error_set(err, ERROR_INTERNAL, "not yet");
}
