/* workflow - runs what the settings orchestrate: steps, each a request and its reply, undone in
 * reverse order when one fails. */
#include "app/orchestrate.h"

#include "app/watch.h"

#include <stddef.h>

#define MEMBER(name) offsetof(struct orchestrate_options, name)

static const char *const format_choices[] = {"pretty", "json", "none", "mermaid", "dot", NULL};
static const char *const which_choices[] = {"all", "open", "ended", NULL};

static const struct option options[] = {
    {.name = "store",
	.type = OPTION_TEXT,
	.offset = MEMBER(store),
	.argument = "FILE",
	.help = "the event store, a SQLite file (default events.db)"},
    {.name = "format",
	.letter = 'f',
	.type = OPTION_CHOICE,
	.offset = MEMBER(format),
	.argument = "FORM",
	.choices = format_choices,
	.help = "run, list, show: pretty or json lines; run: or none; graph: mermaid or dot"},
    {.name = "count",
	.letter = 'n',
	.type = OPTION_COUNT,
	.offset = MEMBER(count),
	.given = MEMBER(has_count),
	.min = 1,
	.argument = "N",
	.help = "run: stop after N instances have ended"},
    {.name = "idle",
	.letter = 'i',
	.type = OPTION_DURATION,
	.offset = MEMBER(idle_ns),
	.given = MEMBER(has_idle),
	.argument = "D",
	.help = "run: stop when nothing has come for so long"},
    {.name = "limit",
	.type = OPTION_COUNT,
	.offset = MEMBER(limit),
	.min = 1,
	.max = 65536,
	.argument = "N",
	.help = "run: most instances under way; further ones wait in their queue (default 1000)"},
    {.name = "prefetch",
	.letter = 'p',
	.type = OPTION_COUNT,
	.offset = MEMBER(prefetch),
	.min = 1,
	.max = UINT16_MAX,
	.argument = "N",
	.help = "run: most unacknowledged messages of each queue (default 500)"},
    {.name = "declare",
	.type = OPTION_FLAG,
	.offset = MEMBER(declare),
	.help = "run: declare the settings' exchanges, queues and bindings first (default)"},
    {.name = "which",
	.type = OPTION_CHOICE,
	.offset = MEMBER(which),
	.argument = "WHICH",
	.choices = which_choices,
	.help = "list: all instances (default), the open or the ended ones"},
    {.name = "choreography",
	.type = OPTION_FLAG,
	.offset = MEMBER(choreography),
	.help = "graph: where messages go and who handles them, instead of the steps"},
    {0},
};

static const struct option *const groups[] = {options, tool_broker_options, tool_recovery_options,
    tool_watch_options, tool_summary_options, tool_talk_options, tool_common_options, NULL};

static const struct command_verb verbs[] = {
    {"run", "start an instance for each event that comes, and see it through"},
    {"list", "print the instances, a line each"},
    {"show", "print what happened to one"},
    {"graph", "draw a workflow, or the choreography of all"},
    {0},
};

static const struct command command = {
    .tool = "workflow",
    .summary = "orchestrate steps, each a request and its reply, with compensations",
    .operands = "[WORKFLOW...|ID]",
    .groups = groups,
    .verbs = verbs,
    .notes =
	"The settings tell the steps (workflows:). Without WORKFLOW all of them are run. A step "
	"sends a request and waits for its reply, which names the request's message_id as its "
	"correlation_id. When a step fails, what was done before is undone, the last step first, "
	"each once and until it is confirmed.\n\n"
	"What happens is kept in the event store, and a message is acknowledged when its "
	"consequences are there and what follows is sent: an orchestrator that was killed goes on "
	"where it was, and may send a request again, with the same message_id. Who takes part "
	"must know such a request again, and answer it as before (a dedupe step).\n\n"
	"Examples:\n"
	"  workflow run -s orders\n"
	"  workflow list --which open\n"
	"  workflow show order/17\n"
	"  workflow graph -s orders order > order.mmd",
};

int main(int argc, char *argv[])
{
	struct orchestrate_options o = {.tool = {.watcher = &watch_watcher},
	    .store = "events.db",
	    .prefetch = 500,
	    .limit = 1000,
	    .declare = true};
	return tool_main(&command, argc, argv, &o, orchestrate_run);
}
