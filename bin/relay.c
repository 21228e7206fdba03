/* relay - takes messages, passes them through business logic, and sends on what becomes of them. */
#include "app/relay.h"

#include "app/watch.h"

#include <stddef.h>

#define MEMBER(name) offsetof(struct relay_options, name)

static const char *const format_choices[] = {"auto", "pretty", "json", "none", NULL};

/* A relay that the command line makes up: nothing of it comes from variables, which a command that
 * is run for a message has of that message, and lessons of their store. */
static const struct option input_options[] = {
    {.name = "queue",
	.type = OPTION_LIST,
	.offset = MEMBER(queues),
	.command_line_only = true,
	.argument = "QUEUE",
	.help = "take the messages of this queue (several are fine)"},
    {.name = "files",
	.type = OPTION_TEXT,
	.offset = MEMBER(files),
	.command_line_only = true,
	.argument = "GLOB",
	.help = "or files, each a message, in the order of their names"},
    {.name = "from",
	.type = OPTION_TEXT,
	.offset = MEMBER(lines),
	.command_line_only = true,
	.argument = "FILE",
	.help = "or the lines of a file, or of standard input (-): bodies, or messages as consumer "
		"--format json prints them"},
    {.name = "from-url",
	.type = OPTION_TEXT,
	.offset = MEMBER(from),
	.command_line_only = true,
	.argument = "URL",
	.help = "the broker of the queues, when it is another one"},
    {0},
};

static const struct option logic_options[] = {
    {.name = "contract",
	.type = OPTION_TEXT,
	.offset = MEMBER(contract),
	.command_line_only = true,
	.argument = "FILE",
	.help = "reject a body that breaks this JSON Schema"},
    {.name = "dedupe",
	.type = OPTION_TEXT,
	.offset = MEMBER(dedupe),
	.command_line_only = true,
	.argument = "KEY",
	.help = "drop what was there before: id, cloudevents, or a jq expression"},
    {.name = "filter",
	.type = OPTION_TEXT,
	.offset = MEMBER(filter),
	.command_line_only = true,
	.argument = "JQ",
	.help = "drop messages for which this jq expression on the body is false"},
    {.name = "delay",
	.type = OPTION_TEXT,
	.offset = MEMBER(delay),
	.command_line_only = true,
	.argument = "D",
	.help = "hold each message for so long"},
    {.name = "exec",
	.letter = 'x',
	.type = OPTION_TEXT,
	.offset = MEMBER(exec),
	.command_line_only = true,
	.argument = "CMD",
	.help = "run this for each message; its output is the new body"},
    {.name = "jq",
	.type = OPTION_TEXT,
	.offset = MEMBER(jq),
	.command_line_only = true,
	.argument = "JQ",
	.help = "each output of this jq program on the body is a message; none drops it"},
    {.name = "as-message",
	.type = OPTION_FLAG,
	.offset = MEMBER(as_message),
	.command_line_only = true,
	.help = "outputs are whole messages, as consumer --format json prints them"},
    {0},
};

static const struct option output_options[] = {
    {.name = "exchange",
	.letter = 'E',
	.type = OPTION_TEXT,
	.offset = MEMBER(exchange),
	.command_line_only = true,
	.argument = "X",
	.help = "publish the results there; without it: to the queue that --routing-key names"},
    {.name = "routing-key",
	.letter = 'K',
	.type = OPTION_TEXT,
	.offset = MEMBER(routing_key),
	.command_line_only = true,
	.argument = "KEY",
	.help =
	    "with this key, which may hold {{member}} of the body (default: the message's own)"},
    {.name = "type",
	.type = OPTION_TEXT,
	.offset = MEMBER(type),
	.command_line_only = true,
	.argument = "TYPE",
	.help = "the event type of the results"},
    {.name = "to",
	.type = OPTION_TEXT,
	.offset = MEMBER(to),
	.command_line_only = true,
	.argument = "URL",
	.help = "to another broker"},
    {.name = "store",
	.type = OPTION_TEXT,
	.offset = MEMBER(store),
	.command_line_only = true,
	.argument = "FILE",
	.help = "append the results to this event store instead"},
    {.name = "output",
	.letter = 'o',
	.type = OPTION_TEXT,
	.offset = MEMBER(output),
	.command_line_only = true,
	.argument = "FILE",
	.help = "or to this file, a line of JSON each"},
    {0},
};

static const struct option run_options[] = {
    {.name = "count",
	.letter = 'n',
	.type = OPTION_COUNT,
	.offset = MEMBER(count),
	.given = MEMBER(has_count),
	.min = 1,
	.argument = "N",
	.help = "each relay stops after N messages (those that a filter hides do count)"},
    {.name = "idle",
	.letter = 'i',
	.type = OPTION_DURATION,
	.offset = MEMBER(idle_ns),
	.given = MEMBER(has_idle),
	.argument = "D",
	.help = "stop when nothing has come for so long"},
    {.name = "until-empty",
	.letter = 'e',
	.type = OPTION_FLAG,
	.offset = MEMBER(until_empty),
	.help = "stop when the queues are empty"},
    {.name = "prefetch",
	.letter = 'p',
	.type = OPTION_COUNT,
	.offset = MEMBER(prefetch),
	.given = MEMBER(has_prefetch),
	.min = 1,
	.max = UINT16_MAX,
	.argument = "N",
	.help = "most messages of each queue under way (default 200)"},
    {.name = "mandatory",
	.type = OPTION_FLAG,
	.offset = MEMBER(mandatory),
	.given = MEMBER(has_mandatory),
	.help =
	    "a result that no queue gets is a failure (default: unless the settings bind none)"},
    {.name = "format",
	.letter = 'f',
	.type = OPTION_CHOICE,
	.offset = MEMBER(format),
	.argument = "FORM",
	.choices = format_choices,
	.help = "what is printed of the results: pretty: a line for people; json: the message and "
		"its fate; none (default: pretty on a terminal, else none)"},
    {.name = "declare",
	.type = OPTION_FLAG,
	.offset = MEMBER(declare),
	.help = "declare the settings' exchanges, queues and bindings first (default)"},
    {0},
};

static const struct option *const groups[] = {input_options, logic_options, output_options,
    run_options, tool_broker_options, tool_recovery_options, tool_summary_options,
    tool_watch_options, tool_talk_options, tool_common_options, NULL};

static const struct command command = {
    .tool = "relay",
    .summary = "business logic between messages and messages",
    .operands = "[RELAY...]",
    .groups = groups,
    .notes =
	"RELAY names one of the settings' `relays`; without it all of them run, or the one that "
	"the options make up. A message is acknowledged only after all that became of it is safe: "
	"confirmed by the broker, committed by the store, or written to the file.\n\n"
	"Examples:\n"
	"  relay -s chat\n"
	"  relay --queue said --jq '. + {at: (now | todate)}' --exchange room\n"
	"  relay --queue orders --jq '.items[]' --exchange items --routing-key 'item.{{kind}}'\n"
	"  relay --from bodies.jsonl --filter '.total > 100' --output large.jsonl\n"
	"  relay --queue orders --to amqp://other.example --routing-key orders\n\n"
	"A message that a step rejects goes where the queue's `retry` or `dead_letter` says, with "
	"the reason in x-warren-error. One whose result has no queue to go to is tried again by "
	"`retry`, else dead-lettered, else held until the relay ends. A full queue makes the relay "
	"wait. docs/relay.md has the whole.",
};

int main(int argc, char *argv[])
{
	struct relay_options o = {.tool = {.watcher = &watch_watcher}, .declare = true};
	return tool_main(&command, argc, argv, &o, relay_run);
}
