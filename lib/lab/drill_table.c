#include "lab/drill_private.h"

#include "base/chrono.h"
#include "base/mem.h"

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

const struct drill drill_all[] = {
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

const size_t drill_count = ARRAY_LEN(drill_all);
