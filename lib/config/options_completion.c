#include "config/options.h"

/* True when the word stands in the text by itself: "FILE" in "FILE|DIR|-", not in "PROFILE". */
static bool names(const char *text, const char *word)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	while (text != NULL && *text != '\0') {
		size_t len = strspn(text, letters);
		if (len == strlen(word) && memcmp(text, word, len) == 0)
			return true;
		text += len > 0 ? len : 1;
	}
	return false;
}

/* A "$(compgen ...)" into COMPREPLY, one candidate a line, so that spaces in names survive. */
static void write_compgen(const char *how, struct buf *out)
{
	buf_printf(out, "mapfile -t COMPREPLY < <(compgen %s -- \"$cur\")", how);
}

static void write_choices(const char *const *choices, struct buf *out)
{
	struct buf how = {0};
	buf_append_str(&how, "-W '");
	for (size_t i = 0; choices[i] != NULL; i++)
		buf_printf(&how, "%s%s", i > 0 ? " " : "", choices[i]);
	buf_append_str(&how, "'");
	write_compgen(how.ptr, out);
	buf_release(&how);
}

/* What completes the argument of an option: choices, files, folders or nothing. */
static void write_argument(const struct option *o, struct buf *out)
{
	buf_append_str(out, "\t");
	if (o->letter != '\0')
		buf_printf(out, "-%c | ", o->letter);
	buf_printf(out, "--%s)\n\t\t", o->name);
	if (o->choices != NULL) {
		write_choices(o->choices, out);
		buf_append_str(out, "\n\t\t");
	} else if (names(o->argument, "FILE") || names(o->argument, "DIR")) {
		buf_append_str(out, "compopt -o filenames\n\t\t");
		write_compgen(names(o->argument, "FILE") ? "-f" : "-d", out);
		buf_append_str(out, "\n\t\t");
	}
	buf_append_str(out, "return ;;\n");
}

static void write_arguments(const struct command *command, struct buf *out)
{
	buf_append_str(out, "\tcase $prev in\n");
	for (size_t g = 0; command->groups[g] != NULL; g++)
		for (const struct option *o = command->groups[g]; o->name != NULL; o++)
			if (o->type != OPTION_FLAG)
				write_argument(o, out);
	buf_append_str(out, "\tesac\n");
}

static void write_names(const struct command *command, bool negated, struct buf *out)
{
	const char *space = "";
	struct buf how = {0};
	buf_append_str(&how, "-W '");
	for (size_t g = 0; command->groups[g] != NULL; g++)
		for (const struct option *o = command->groups[g]; o->name != NULL; o++) {
			bool has_negation = o->type == OPTION_FLAG && !o->command_line_only;
			if (negated && !has_negation)
				continue;
			buf_printf(&how, "%s--%s%s", space, negated ? "no-" : "", o->name);
			space = " ";
		}
	buf_append_str(&how, "'");
	buf_append_str(out, "\t\t");
	write_compgen(how.ptr, out);
	buf_append_str(out, "\n");
	buf_release(&how);
}

static void write_verbs(const struct command_verb *verbs, struct buf *out)
{
	struct buf list = {0};
	for (const struct command_verb *v = verbs; v->name != NULL; v++)
		buf_printf(&list, "%s%s", v == verbs ? "" : " ", v->name);
	buf_printf(out,
	    "\tlocal verb='' word\n"
	    "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	    "\t\t[[ $word =~ ^[a-z] && \" %s \" == *\" $word \"* ]] && verb=$word\n"
	    "\tdone\n"
	    "\tif [[ -z $verb ]]; then\n"
	    "\t\tmapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\")\n"
	    "\t\treturn\n"
	    "\tfi\n",
	    list.ptr, list.ptr);
	buf_release(&list);
}

void options_completion(const struct command *command, struct buf *out)
{
	/* bash breaks words at '=' as well: --format=pr arrives as three. */
	buf_printf(out,
	    "# bash completion for warren-%s\n"
	    "_warren_%s()\n{\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	    "\tif [[ $cur == '=' ]]; then\n"
	    "\t\tcur=''\n"
	    "\telif [[ $prev == '=' ]]; then\n"
	    "\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
	    "\tfi\n"
	    "\tCOMPREPLY=()\n",
	    command->tool, command->tool);
	write_arguments(command, out);
	buf_append_str(out, "\tif [[ $cur == --no-* ]]; then\n");
	write_names(command, true, out);
	buf_append_str(out, "\t\treturn\n\telif [[ $cur == -* ]]; then\n");
	write_names(command, false, out);
	buf_append_str(out, "\t\treturn\n\tfi\n");
	if (command->verbs != NULL)
		write_verbs(command->verbs, out);
	if (names(command->operands, "FILE") || names(command->operands, "DIR")) {
		buf_append_str(out, "\tcompopt -o filenames\n\t");
		write_compgen(names(command->operands, "FILE") ? "-f" : "-d", out);
		buf_append_str(out, "\n");
	}
	buf_printf(out, "}\ncomplete -F _warren_%s warren-%s %s\n", command->tool, command->tool,
	    command->tool);
}
