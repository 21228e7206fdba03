/* producer - makes messages up, or reads them, and publishes them with confirms. */
#include "app/produce.h"

#include "app/watch.h"

#include <stddef.h>

#define MEMBER(name) offsetof(struct produce_options, name)

static const char *const refusal_choices[] = {"end", "skip", NULL};
static const char *const format_choices[] = {"auto", "pretty", "json", "none", NULL};
static const char *const from_choices[] = {"auto", "bodies", "records", NULL};

static const struct option options[] = {
    {.name = "amount",
	.letter = 'n',
	.type = OPTION_COUNT,
	.offset = MEMBER(amount),
	.given = MEMBER(has_amount),
	.max = INT64_MAX,
	.argument = "N",
	.help = "messages to send of each pattern, instead of the settings' amount"},
    {.name = "delay",
	.letter = 'd',
	.type = OPTION_DURATION,
	.offset = MEMBER(delay_ns),
	.given = MEMBER(has_delay),
	.argument = "D",
	.help = "pause between two messages, such as 250ms; 0 is as fast as possible"},
    {.name = "rate",
	.letter = 'r',
	.type = OPTION_RATE,
	.offset = MEMBER(rate),
	.given = MEMBER(has_rate),
	.argument = "R",
	.help = "messages per second of each pattern, such as 500/s"},
    {.name = "from",
	.type = OPTION_TEXT,
	.offset = MEMBER(from),
	.argument = "FILE|DIR|-",
	.help = "read messages instead: a line each, or a file each of a directory"},
    {.name = "from-format",
	.type = OPTION_CHOICE,
	.offset = MEMBER(from_format),
	.argument = "FORM",
	.choices = from_choices,
	.help = "what a line is: a body, or a record of consumer --format json; auto looks at the "
		"first line"},
    {.name = "exchange",
	.letter = 'x',
	.type = OPTION_TEXT,
	.offset = MEMBER(exchange),
	.argument = "X",
	.help = "with --from: publish to this exchange",
	.command_line_only = true}, /* WARREN_EXCHANGE tells a command of the consumer whence */
    {.name = "routing-key",
	.letter = 'k',
	.type = OPTION_TEXT,
	.offset = MEMBER(routing_key),
	.argument = "KEY",
	.help = "with --from: publish with this key",
	.command_line_only = true},
    {.name = "seed",
	.type = OPTION_COUNT,
	.offset = MEMBER(seed),
	.given = MEMBER(has_seed),
	.argument = "N",
	.help =
	    "make the same messages again: same seed, same bytes, but for what reads the clock"},
    {.name = "window",
	.letter = 'c',
	.type = OPTION_COUNT,
	.offset = MEMBER(window),
	.min = 1,
	.max = 1000000,
	.argument = "N",
	.help = "most messages without a confirm at any time (default 1000)"},
    {.name = "mandatory",
	.type = OPTION_FLAG,
	.offset = MEMBER(mandatory),
	.given = MEMBER(has_mandatory),
	.help = "report messages that no queue gets; the default where the settings lead to one"},
    {.name = "nack-retries",
	.type = OPTION_COUNT,
	.offset = MEMBER(nack_retries),
	.max = 1000000,
	.argument = "N",
	.help = "send a message that the broker could not take again so often, after pauses from "
		"100ms to 2s (default 6)"},
    {.name = "spool",
	.type = OPTION_TEXT,
	.offset = MEMBER(spool),
	.argument = "FILE",
	.help =
	    "keep in this file what has no fate yet: the same command goes on where it was, even "
	    "after kill -9"},
    {.name = "spool-sync",
	.type = OPTION_FLAG,
	.offset = MEMBER(spool_sync),
	.help = "with --spool: wait for the disk, against a loss of power (slow)"},
    {.name = "on-refusal",
	.type = OPTION_CHOICE,
	.offset = MEMBER(on_refusal),
	.argument = "WHAT",
	.choices = refusal_choices,
	.help = "when the broker refuses a message and closes the channel (no such exchange, no "
		"permission): end, or skip the message and count it as nacked"},
    {.name = "declare",
	.type = OPTION_FLAG,
	.offset = MEMBER(declare),
	.help = "declare the settings' exchanges, queues and bindings first (default)"},
    {.name = "contract",
	.type = OPTION_FLAG,
	.offset = MEMBER(contract),
	.help = "send nothing that breaks the contract of its message, as the settings say, unless "
		"it is broken on purpose (default)"},
    {.name = "format",
	.letter = 'f',
	.type = OPTION_CHOICE,
	.offset = MEMBER(format),
	.argument = "FORM",
	.choices = format_choices,
	.help =
	    "what is printed of each message: pretty when it goes, json when its fate is known; "
	    "auto is pretty when they go slowly"},
    {.name = "yes",
	.letter = 'y',
	.type = OPTION_FLAG,
	.offset = MEMBER(yes),
	.help = "do not wait for Enter before the start"},
    {0},
};

static const struct option *const groups[] = {options, tool_broker_options, tool_recovery_options,
    tool_watch_options, tool_summary_options, tool_talk_options, tool_common_options, NULL};

static const struct command command = {
    .tool = "producer",
    .summary = "send the messages that a settings file describes",
    .operands = "[MESSAGE...]",
    .groups = groups,
    .notes =
	"Without MESSAGE every message of the settings is sent, each at its own pace.\n\n"
	"Examples:\n"
	"  producer -s walkthrough\n"
	"  producer -s walkthrough --amount 1000 --delay 0 --yes\n"
	"  printf 'one\\ntwo\\n' | producer --from - --routing-key some_queue\n"
	"  consumer -s walkthrough -f json --until-empty >orders.jsonl\n"
	"  producer --from orders.jsonl\n\n"
	"Every message is confirmed by the broker. Exit status 1 tells that some were returned, "
	"refused or stayed unconfirmed.",
};

int main(int argc, char *argv[])
{
	struct produce_options o = {.tool = {.watcher = &watch_watcher},
	    .window = 1000,
	    .declare = true,
	    .contract = true,
	    .nack_retries = 6};
	return tool_main(&command, argc, argv, &o, produce_run);
}
