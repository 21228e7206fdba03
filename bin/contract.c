/* contract - judges messages by JSON Schemas, learns schemas from messages, compares schemas. */
#include "app/contracts.h"

#include "schema/infer.h"

#include <stddef.h>

#define MEMBER(name) offsetof(struct contracts_options, name)

static const char *const format_choices[] = {"pretty", "json", NULL};
static const char *const mode_choices[] = {"backward", "forward", "full", NULL};
static const char *const from_choices[] = {"auto", "bodies", "records", NULL};

static const struct option options[] = {
    {.name = "schema",
	.type = OPTION_TEXT,
	.offset = MEMBER(schema),
	.argument = "FILE",
	.help = "check: the JSON Schema that the messages have to follow"},
    {.name = "settings",
	.letter = 's',
	.type = OPTION_TEXT,
	.offset = MEMBER(tool.settings),
	.argument = "FILE|NAME",
	.help =
	    "check: instead of files, judge what each MESSAGE of these settings comes to by its "
	    "own contract"},
    {.name = "set",
	.type = OPTION_LIST,
	.offset = MEMBER(tool.set),
	.argument = "PATH=VALUE",
	.help = "override one value of the settings"},
    {.name = "samples",
	.letter = 'n',
	.type = OPTION_COUNT,
	.offset = MEMBER(samples),
	.given = MEMBER(has_samples),
	.min = 1,
	.max = 100000000,
	.argument = "N",
	.help = "check: make so many of each message (default 100)"},
    {.name = "seed",
	.type = OPTION_COUNT,
	.offset = MEMBER(seed),
	.given = MEMBER(has_seed),
	.argument = "N",
	.help = "check: make other ones"},
    {.name = "from-format",
	.type = OPTION_CHOICE,
	.offset = MEMBER(from_format),
	.given = MEMBER(has_from_format),
	.argument = "FORM",
	.choices = from_choices,
	.help = "check, infer: what a line is: a body, or a record of consumer --format json; auto "
		"looks at the first line"},
    {.name = "enum",
	.type = OPTION_COUNT,
	.offset = MEMBER(max_enum),
	.given = MEMBER(has_max_enum),
	.min = 1,
	.max = INFER_MAX_ENUM,
	.argument = "N",
	.help = "infer: list the values of a text that has at most N of them in 20 messages or "
		"more"},
    {.name = "mode",
	.letter = 'm',
	.type = OPTION_CHOICE,
	.offset = MEMBER(mode),
	.given = MEMBER(has_mode),
	.argument = "MODE",
	.choices = mode_choices,
	.help =
	    "compat: backward, whether readers by NEW accept messages by OLD (default); forward, "
	    "whether readers by OLD accept those by NEW; full, both"},
    {.name = "closed",
	.type = OPTION_FLAG,
	.offset = MEMBER(closed),
	.help = "compat: messages have no other properties than those that their schema names"},
    {.name = "lenient",
	.type = OPTION_FLAG,
	.offset = MEMBER(lenient),
	.help = "compat: what cannot be decided is no failure"},
    {.name = "format",
	.letter = 'f',
	.type = OPTION_CHOICE,
	.offset = MEMBER(format),
	.given = MEMBER(has_format),
	.argument = "FORM",
	.choices = format_choices,
	.help = "check, compat: pretty, or json: an object a line"},
    {0},
};

static const struct option *const groups[] = {
    options, tool_talk_options, tool_common_options, NULL};

static const struct command_verb verbs[] = {
    {"check", "judge the messages in files, or those that settings describe"},
    {"infer", "print a schema that the messages in files follow"},
    {"compat", "tell whether readers by one version of a schema accept messages by another"},
    {0},
};

static const struct command command = {
    .tool = "contract",
    .summary = "what messages have to look like: JSON Schemas",
    .operands = "[FILE...|MESSAGE...|OLD NEW]",
    .groups = groups,
    .verbs = verbs,
    .notes =
	"A FILE has a JSON value a line, or is one JSON document; without FILE, or for -, it is\n"
	"standard input. Nothing is fetched: a $ref leads into the schema or to a file beside it.\n"
	"Exit status 65 when a message breaks the contract.\n\n"
	"compat says \"compatible\" only of what has no counterexample, and \"unknown\" where it\n"
	"cannot decide. A property that OLD does not name may be anything in its messages, unless\n"
	"it has additionalProperties: false, or with --closed. Exit status 1 when the schemas are\n"
	"incompatible, or that is unknown.\n\n"
	"Examples:\n"
	"  consumer orders --ack requeue -f json --until-empty | contract infer > order.json\n"
	"  contract check --schema order.json orders.jsonl\n"
	"  contract check -s contracts\n"
	"  contract compat order.v1.json order.v2.json --mode full",
};

int main(int argc, char *argv[])
{
	struct contracts_options o = {.samples = 100};
	return tool_main(&command, argc, argv, &o, contracts_run);
}
