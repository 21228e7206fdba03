/* topology - makes the broker match the settings, takes it away again, shows what is there. */
#include "app/arrange.h"

#include <stddef.h>

#define MEMBER(name) offsetof(struct arrange_options, name)

static const char *const format_choices[] = {
    "text", "json", "dot", "mermaid", "asyncapi", "yaml", NULL};

static const struct option options[] = {
    {.name = "if-empty",
	.type = OPTION_FLAG,
	.offset = MEMBER(if_empty),
	.help = "delete: nothing is deleted when a queue holds messages"},
    {.name = "if-unused",
	.type = OPTION_FLAG,
	.offset = MEMBER(if_unused),
	.help = "delete, purge: nothing is done when a queue has consumers, an exchange bindings"},
    {.name = "yes",
	.letter = 'y',
	.type = OPTION_FLAG,
	.offset = MEMBER(yes),
	.help = "delete, purge: do it without asking; only a terminal is asked"},
    {.name = "prefix",
	.type = OPTION_TEXT,
	.offset = MEMBER(prefix),
	.argument = "P",
	.help = "plan: everything whose name begins so ought to be declared"},
    {.name = "migrate",
	.type = OPTION_LIST,
	.offset = MEMBER(migrate),
	.argument = "QUEUE",
	.help = "apply: give this queue its new type and arguments, and keep its messages; needs "
		"--management"},
    {.name = "key",
	.letter = 'k',
	.type = OPTION_TEXT,
	.offset = MEMBER(explain.key),
	.argument = "KEY",
	.help = "explain: the routing key of the message (default: the empty one)"},
    {.name = "header",
	.letter = 'H',
	.type = OPTION_LIST,
	.offset = MEMBER(explain.headers),
	.argument = "NAME=VALUE",
	.help = "explain: a header of the message; VALUE is typed as in the settings (repeatable)"},
    {.name = "format",
	.letter = 'f',
	.type = OPTION_CHOICE,
	.offset = MEMBER(format),
	.argument = "FORM",
	.choices = format_choices,
	.given = MEMBER(has_format),
	.help = "the form of what is printed; which ones there are depends on the verb"},
    {.name = "live",
	.type = OPTION_FLAG,
	.offset = MEMBER(live),
	.help = "explain, graph, export, import: what the broker has now, by its HTTP API"},
    {.name = "vhost",
	.type = OPTION_TEXT,
	.offset = MEMBER(vhost),
	.argument = "NAME",
	.help = "import: the virtual host that becomes the settings' queues"},
    {.name = "contracts",
	.type = OPTION_TEXT,
	.offset = MEMBER(contracts),
	.argument = "DIR",
	.help = "import of AsyncAPI: write the payloads there, as contracts of the messages"},
    {.name = "credentials",
	.type = OPTION_FLAG,
	.offset = MEMBER(credentials),
	.help = "import, export --live: keep users with the hashes of their passwords, and "
		"addresses with passwords"},
    {0},
};

static const struct option *const groups[] = {options, tool_broker_options, tool_management_options,
    tool_talk_options, tool_common_options, NULL};

static const struct command_verb verbs[] = {
    {"plan", "tell what differs between the settings and the broker"},
    {"apply", "declare the exchanges, queues and bindings of the settings"},
    {"delete", "delete the queues and exchanges of the settings, or only those named"},
    {"purge", "throw away the ready messages of the queues"},
    {"explain", "tell which queues would get a message published to an exchange, and why"},
    {"show", "list what the settings declare, and what of it is on the broker"},
    {"graph", "draw where messages go: as text, dot or mermaid"},
    {"export", "print the settings as RabbitMQ's definitions.json, or as AsyncAPI"},
    {"import", "print the definitions.json or AsyncAPI of FILE, or the live broker, as settings"},
    {0},
};

static const struct command command = {
    .tool = "topology",
    .summary = "exchanges, queues and bindings, as the settings declare them",
    .operands = "[NAME...|FILE]",
    .groups = groups,
    .verbs = verbs,
    .notes =
	"With NAME only the queues and exchanges of that name are deleted, purged or shown.\n\n"
	"plan looks through the HTTP API when its address is known (--management), else over AMQP\n"
	"alone, and says then what it cannot see. Its exit status is 1 when something differs.\n"
	"apply looks first, and changes nothing when something would be refused.\n\n"
	"explain EXCHANGE publishes nothing. It looks at each binding as the broker would, with "
	"the\n"
	"routing key (--key) and the headers (--header) of a message; \"\" or amq.default is the\n"
	"default exchange. paid=true is a boolean, n=3 a number, v='\"3\"' and v=three are texts,\n"
	"v= is null, CC='[a, b]' a list. Exit status 0 when some queue gets it, 1 when none "
	"does.\n\n"
	"Examples:\n"
	"  topology plan -s walkthrough\n"
	"  topology apply -s walkthrough\n"
	"  topology show -s walkthrough --format json\n"
	"  topology explain orders --key order.eu.paid --header paid=true -s walkthrough\n"
	"  topology apply -s walkthrough --migrate order_notify\n"
	"  topology delete -s walkthrough --if-empty\n"
	"  topology graph -s walkthrough --format dot | dot -Tsvg > walkthrough.svg\n"
	"  topology import definitions.json > mine.yaml\n"
	"  topology import asyncapi.yaml --contracts contracts > mine.yaml",
};

int main(int argc, char *argv[])
{
	struct arrange_options o = {0};
	return tool_main(&command, argc, argv, &o, arrange_run);
}
