/* deadletters - tells why messages died, and brings them back. */
#include "app/deadletters.h"

#include <stddef.h>

#define MEMBER(name) offsetof(struct deadletters_options, name)

static const char *const format_choices[] = {"pretty", "json", NULL};

static const struct option options[] = {
    {.name = "jq",
	.type = OPTION_TEXT,
	.offset = MEMBER(jq),
	.argument = "JQ",
	.help = "only messages for which this jq expression on the body is true; $death, $headers "
		"and others tell the rest"},
    {.name = "id",
	.type = OPTION_LIST,
	.offset = MEMBER(ids),
	.argument = "ID",
	.help = "only the message with this message_id"},
    {.name = "reason",
	.type = OPTION_TEXT,
	.offset = MEMBER(reason),
	.argument = "R",
	.help = "only what died for this: rejected, expired, maxlen, delivery_limit, attempts, "
		"unknown"},
    {.name = "queue",
	.type = OPTION_TEXT,
	.offset = MEMBER(queue),
	.argument = "Q",
	.help = "only what died in this queue"},
    {.name = "older-than",
	.type = OPTION_DURATION,
	.offset = MEMBER(older_than_ns),
	.given = MEMBER(has_older_than),
	.argument = "D",
	.help = "only what died at least so long ago"},
    {.name = "limit",
	.letter = 'n',
	.type = OPTION_COUNT,
	.offset = MEMBER(limit),
	.given = MEMBER(has_limit),
	.min = 1,
	.argument = "N",
	.help = "at most N of these (default: all that are there at the beginning)"},
    {.name = "format",
	.letter = 'f',
	.type = OPTION_CHOICE,
	.offset = MEMBER(format),
	.given = MEMBER(has_format),
	.argument = "FORM",
	.choices = format_choices,
	.help = "list, show, --dry-run: pretty for people, or json lines; those of show are for "
		"producer --from, too"},
    {.name = "dry-run",
	.type = OPTION_FLAG,
	.offset = MEMBER(dry_run),
	.help = "return, purge: only tell what would be done"},
    {.name = "yes",
	.letter = 'y',
	.type = OPTION_FLAG,
	.offset = MEMBER(yes),
	.help = "return, purge: do it without asking"},
    {.name = "to-queue",
	.type = OPTION_FLAG,
	.offset = MEMBER(to_queue),
	.help = "return: into the queue where each died, past its exchange"},
    {.name = "exchange",
	.type = OPTION_TEXT,
	.offset = MEMBER(exchange),
	.argument = "X",
	.help = "return: to this exchange, not to where they came from"},
    {.name = "routing-key",
	.type = OPTION_TEXT,
	.offset = MEMBER(routing_key),
	.argument = "K",
	.help = "return: with this key, not the one that they had"},
    {.name = "max-returns",
	.type = OPTION_COUNT,
	.offset = MEMBER(max_returns),
	.given = MEMBER(has_max_returns),
	.min = 1,
	.argument = "N",
	.help = "return: what has come back so often stays (default 3)"},
    {.name = "force",
	.type = OPTION_FLAG,
	.offset = MEMBER(force),
	.help = "return: however often they came back"},
    {.name = "save",
	.type = OPTION_TEXT,
	.offset = MEMBER(save),
	.argument = "FILE",
	.help = "purge: append them to a file first, as json lines"},
    {0},
};

static const struct option *const groups[] = {options, tool_broker_options, tool_summary_options,
    tool_talk_options, tool_common_options, NULL};

static const struct command_verb verbs[] = {
    {"list", "count them by why, where and with what error they died"},
    {"show", "print each with its history"},
    {"return", "publish them again where they came from, and take them out once confirmed"},
    {"purge", "delete them"},
    {0},
};

static const struct command command = {
    .tool = "deadletters",
    .summary = "tell why messages died, and bring them back",
    .operands = "QUEUE",
    .groups = groups,
    .verbs = verbs,
    .notes =
	"QUEUE is any queue that dead letters end in. What RabbitMQ wrote on them (x-death) and "
	"what warren's retry policy did (x-warren-...) is read; messages with neither have died "
	"for "
	"'unknown'. Only what is in the queue at the beginning is looked at, and what is not taken "
	"out keeps its place.\n\n"
	"A message is returned before it is acknowledged: whatever happens, it is in one place or "
	"the other, at worst in both, with the same message_id. What was written on it when it "
	"died "
	"is taken off, and x-warren-returned counts how often it came back. Its exit status is 1 "
	"when a message that was meant stays.\n\n"
	"In a quorum queue each look counts as a delivery: if QUEUE has an x-delivery-limit of its "
	"own, looking that often loses messages. All have to be looked at within the broker's "
	"consumer timeout (30 minutes).\n\n"
	"Examples:\n"
	"  deadletters list orders_dead\n"
	"  deadletters show orders_dead --reason rejected --limit 3\n"
	"  deadletters return orders_dead --jq '.total < 100' --dry-run\n"
	"  deadletters return orders_dead --older-than 1h --yes\n"
	"  deadletters purge orders_dead --reason expired --save expired.jsonl",
};

int main(int argc, char *argv[])
{
	struct deadletters_options o = {.max_returns = 3};
	return tool_main(&command, argc, argv, &o, deadletters_run);
}
