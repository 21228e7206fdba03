#include "config/options.h"

#define MAX_VERBS 63 /* room in options.c */

static bool is_ascii(const char *text, bool lines)
{
	for (; text != NULL && *text != '\0'; text++)
		if ((*text < ' ' || *text > '~') && !(lines && *text == '\n'))
			return false;
	return true;
}

static bool is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	size_t len = strlen(name);
	return len >= 2 && strspn(name, letters) > 0 && name[len - 1] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_variable(const char *name)
{
	return name[0] != '\0' &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name);
}

static bool is_help(const char *help)
{
	return help != NULL && help[0] != '\0' && is_ascii(help, false) &&
	       help[strlen(help) - 1] != '.';
}

static bool has_choices(const struct option *o)
{
	return o->choices != NULL && o->choices[0] != NULL;
}

static bool are_ascii(const char *const *texts)
{
	for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
		if (!is_ascii(texts[i], false))
			return false;
	return true;
}

static const char *row_fault(const struct option *o)
{
	bool is_flag = o->type == OPTION_FLAG;
	if (!is_name(o->name))
		return "an option's name is not made of lower-case letters, digits and dashes";
	if (o->letter != '\0' && !is_letter(o->letter))
		return "an option's letter is not a letter";
	if ((unsigned)o->type > OPTION_SIZE)
		return "an option has no such type";
	if (!is_help(o->help))
		return "an option's help is missing, not one line of ASCII, or ends in a full stop";
	if (is_flag != (o->argument == NULL))
		return is_flag ? "a flag names an argument" : "an option names no argument";
	if (!is_ascii(o->argument, false) || (!is_flag && o->argument[0] == '\0'))
		return "an option's argument is empty or not ASCII";
	if ((o->type == OPTION_CHOICE) != has_choices(o))
		return o->type == OPTION_CHOICE ? "a choice has no choices"
						: "an option that is no choice has choices";
	if (!are_ascii(o->choices))
		return "a choice is not ASCII";
	if (o->type != OPTION_COUNT && (o->min != 0 || o->max != 0))
		return "an option that is no count has bounds";
	if (o->max != 0 && o->min > o->max)
		return "the bounds of a count run backwards";
	if (o->instead != NULL && strcmp(o->instead, o->name) == 0)
		return "an option stands in for itself";
	if (o->environment != NULL && !is_variable(o->environment))
		return "an option's environment variable is misspelt";
	return NULL;
}

/* True when the name of one option reads as --no-NAME of the other, which is a flag. */
static bool negates(const struct option *a, const struct option *flag)
{
	return flag->type == OPTION_FLAG && strncmp(a->name, "no-", 3) == 0 &&
	       strcmp(a->name + 3, flag->name) == 0;
}

static const char *pair_fault(const struct option *a, const struct option *b)
{
	if (strcmp(a->name, b->name) == 0)
		return "two options have the same name";
	if (negates(a, b) || negates(b, a))
		return "an option has the name of a flag's --no- form";
	if (a->letter != '\0' && a->letter == b->letter)
		return "two options have the same letter";
	return NULL;
}

/* The row that follows in the tables of a command; NULL at their end. group and index: where. */
static const struct option *next_row(const struct command *command, size_t *group, size_t *index)
{
	for (; command->groups[*group] != NULL; (*group)++, *index = 0)
		if (command->groups[*group][*index].name != NULL)
			return &command->groups[*group][(*index)++];
	return NULL;
}

static const char *rows_fault(const struct command *command)
{
	const struct option *a, *b;
	for (size_t g = 0, i = 0; (a = next_row(command, &g, &i)) != NULL;) {
		const char *fault = row_fault(a);
		for (size_t h = g, k = i; fault == NULL && (b = next_row(command, &h, &k)) != NULL;)
			fault = pair_fault(a, b);
		if (fault != NULL)
			return fault;
	}
	return NULL;
}

static const char *verbs_fault(const struct command_verb *verbs)
{
	if (verbs == NULL)
		return NULL;
	size_t count = 0;
	for (; verbs[count].name != NULL; count++) {
		if (!is_name(verbs[count].name) || !is_help(verbs[count].help))
			return "a verb's name or help is missing or misspelt";
		for (size_t i = 0; i < count; i++)
			if (strcmp(verbs[i].name, verbs[count].name) == 0)
				return "two verbs have the same name";
	}
	return count == 0 || count > MAX_VERBS ? "there are no verbs, or more than 63" : NULL;
}

const char *options_fault(const struct command *command)
{
	if (command->tool == NULL || !is_name(command->tool) || !is_help(command->summary))
		return "the tool's name or summary is missing or misspelt";
	if (!is_ascii(command->operands, false) || !is_ascii(command->notes, true))
		return "the operands or notes are not ASCII";
	if (command->groups == NULL || command->groups[0] == NULL)
		return "the command has no options";
	const char *fault = verbs_fault(command->verbs);
	return fault != NULL ? fault : rows_fault(command);
}
