/* fuzz_options.c - each line an argument: a command line that is read, or a refusal in words. */
#include "config/options.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>

#define MOST_ARGUMENTS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct target {
	bool flag, given;
	const char *text;
	struct option_list list;
	int choice;
	uint64_t count, duration, size;
	double rate;
};

static const char *const colours[] = {"red", "green", "grey", NULL};
static const struct option rows[] = {{.name = "flag",
					 .letter = 'f',
					 .type = OPTION_FLAG,
					 .offset = offsetof(struct target, flag),
					 .help = "a flag"},
    {.name = "text",
	.letter = 't',
	.type = OPTION_TEXT,
	.offset = offsetof(struct target, text),
	.argument = "TEXT",
	.help = "a text"},
    {.name = "url",
	.type = OPTION_TEXT,
	.offset = offsetof(struct target, text),
	.argument = "URL",
	.help = "an address"},
    {.name = "list",
	.letter = 'l',
	.type = OPTION_LIST,
	.offset = offsetof(struct target, list),
	.argument = "TEXT",
	.help = "a list"},
    {.name = "choice",
	.letter = 'c',
	.type = OPTION_CHOICE,
	.offset = offsetof(struct target, choice),
	.argument = "COLOUR",
	.help = "a choice",
	.choices = colours},
    {.name = "count",
	.letter = 'n',
	.type = OPTION_COUNT,
	.offset = offsetof(struct target, count),
	.argument = "N",
	.help = "a count",
	.min = 1,
	.max = 100,
	.given = offsetof(struct target, given)},
    {.name = "duration",
	.letter = 'd',
	.type = OPTION_DURATION,
	.offset = offsetof(struct target, duration),
	.argument = "D",
	.help = "a duration"},
    {.name = "rate",
	.letter = 'r',
	.type = OPTION_RATE,
	.offset = offsetof(struct target, rate),
	.argument = "R",
	.help = "a rate"},
    {.name = "size",
	.letter = 's',
	.type = OPTION_SIZE,
	.offset = offsetof(struct target, size),
	.argument = "SIZE",
	.help = "a size"},
    {.name = NULL}};
static const struct option *const groups[] = {rows, NULL};
static const struct command command = {
    .tool = "fuzz", .summary = "reads", .operands = "[WORD...]", .groups = groups};

static int split(char *text, size_t size, char *argv[])
{
	int argc = 0;
	argv[argc++] = (char *)"fuzz"; /* read, not written */
	for (char *p = text; p < text + size && argc < MOST_ARGUMENTS; p += strlen(p) + 1) {
		p[strcspn(p, "\n")] = '\0';
		argv[argc++] = p;
	}
	argv[argc] = NULL;
	return argc;
}

static void check_refusal(const struct error *err)
{
	if (err->kind != ERROR_USAGE || err->text[0] == '\0' || !text_is_utf8(slice_str(err->text)))
		abort();
	for (const char *c = err->text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == '\x7f')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);
	char *argv[MOST_ARGUMENTS + 1], **operands = NULL;
	struct target target = {.count = 1};
	struct error err = {0};
	int argc = split(text, size, argv);
	if (!options_parse(&command, argc, argv, &target, &operands, &err))
		check_refusal(&err);
	else if (target.count < 1 || target.count > 100 || target.choice < 0 || target.choice > 2 ||
		 operands == NULL)
		abort();
	free(target.list.items);
	free(text);
	return 0;
}
