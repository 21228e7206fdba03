#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "lab/drill.h"
#include "lab/drill_private.h"

#include <stdlib.h>
#include <string.h>

#define FLOW                       \
	{                          \
		.kind = DRILL_FLOW \
	}
#define HOLD(span)                                    \
	{                                             \
		.kind = DRILL_HOLD, .span_ns = (span) \
	}
#define LAB(...)                                            \
	{                                                   \
		.kind = DRILL_LAB, .words = { __VA_ARGS__ } \
	}

static const struct drill drills[] = {
    {"node-killed", "the only node is killed with -9 and started again", 1, "classic",
	{FLOW, LAB("kill", "a"), HOLD(CHRONO_S), LAB("start", "a"), FLOW}},
    {"leader-killed", "the node with the leader of a quorum queue is killed with -9", 3, "quorum",
	{FLOW, {.kind = DRILL_LEADER}, LAB("kill", DRILL_LEADER_WORD), FLOW,
	    LAB("start", DRILL_LEADER_WORD), FLOW}},
    {"memory-alarm", "the node runs out of memory for five seconds and takes nothing", 1, "classic",
	{FLOW, LAB("alarm", "memory", "on"), HOLD(5 * CHRONO_S), LAB("alarm", "memory", "off"),
	    FLOW}},
    {"consumer-killed", "the consumer is killed with -9 and started again", 1, "classic",
	{FLOW, {.kind = DRILL_KILL_CONSUMER}, HOLD(CHRONO_S), {.kind = DRILL_START_CONSUMER},
	    FLOW}},
    {"connection-cut", "the broker closes every connection", 1, "classic",
	{FLOW, LAB("ctl", "--", "close_all_connections", "a drill"), FLOW}},
    {"partition", "the first node is cut from the other two, and healed", 3, "quorum",
	{FLOW, LAB("cut", "a"), FLOW, LAB("heal"), FLOW}},
};

const struct drill *drill_find(const char *name, struct error *err)
{
	struct buf names = {0};
	for (size_t i = 0; i < ARRAY_LEN(drills); i++) {
		if (strcmp(drills[i].name, name) == 0) {
			buf_release(&names);
			return &drills[i];
		}
		buf_printf(&names, "%s%s", i > 0 ? ", " : "", drills[i].name);
	}
	char *shown = text_quote(slice_str(name));
	error_set(err, ERROR_USAGE, "there is no drill '%s'; there are: %s", shown, names.ptr);
	free(shown);
	buf_release(&names);
	return NULL;
}

size_t drill_node_count(const struct drill *drill)
{
	return drill->node_count;
}

void drill_render_list(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(drills); i++)
		buf_printf(out, "%-16s %zu node%s  %s\n", drills[i].name, drills[i].node_count,
		    drills[i].node_count > 1 ? "s" : " ", drills[i].what);
}
