#include "config/options.h"

#include "base/mem.h"

struct status {
	const char *status, *meaning;
};

/* The exit statuses are enum error_kind of base/error.h. */
static const struct status statuses[] = {
    {"0", "Done."},
    {"1", "Done, but some messages were not delivered, or could not be shown or kept."},
    {"64", "Wrong usage: an unknown option, or a value that is not accepted."},
    {"65", "Message data that cannot be read or sent."},
    {"66", "A named file is missing or cannot be read."},
    {"69", "The broker cannot be reached, or was lost."},
    {"70", "A mistake in warren itself."},
    {"73", "A file cannot be created."},
    {"74", "Reading or writing failed."},
    {"76", "The broker refused: a 4xx or 5xx reply."},
    {"77", "Login or access refused."},
    {"78", "The settings are wrong."},
    {"128+n", "Ended by a second signal number n."},
};

static const char *const tools[] = {"consumer", "lab", "producer", "topology"};

/* Characters that roff would obey, or turn into typographic ones. */
static void escape_char(char c, struct buf *out)
{
	static const char specials[] = "\\-'`^~\"";
	static const char *const names[] = {
	    "\\e", "\\-", "\\(aq", "\\(ga", "\\(ha", "\\(ti", "\\(dq"};
	const char *at = c != '\0' ? strchr(specials, c) : NULL;
	if (at != NULL)
		buf_append_str(out, names[at - specials]);
	else
		buf_append_char(out, c);
}

/* A dot at the beginning of a line would be a request. */
static void escape(struct slice text, struct buf *out)
{
	if (text.len > 0 && text.ptr[0] == '.')
		buf_append_str(out, "\\&");
	for (size_t i = 0; i < text.len; i++)
		escape_char(text.ptr[i], out);
}

static void escape_str(const char *text, struct buf *out)
{
	escape(slice_str(text), out);
}

static void in_font(char font, const char *text, struct buf *out)
{
	buf_printf(out, "\\f%c", font);
	escape_str(text, out);
	buf_append_str(out, "\\fR");
}

static void write_line(const char *text, struct buf *out)
{
	escape_str(text, out);
	buf_append_char(out, '\n');
}

/* "producer" -> WARREN-PRODUCER, for the title line. */
static void write_title(const char *tool, struct buf *out)
{
	buf_append_str(out, ".TH WARREN\\-");
	for (; *tool != '\0'; tool++)
		escape_char((char)(*tool >= 'a' && *tool <= 'z' ? *tool - 'a' + 'A' : *tool), out);
	buf_append_str(out, " 1 \"\" warren \"User Commands\"\n");
}

static void write_name(const struct command *command, struct buf *out)
{
	buf_append_str(out, ".SH NAME\nwarren\\-");
	escape_str(command->tool, out);
	buf_append_str(out, " \\- ");
	write_line(command->summary, out);
}

/* Words in capitals are for the user to replace. */
static void write_operands(const char *operands, struct buf *out)
{
	while (*operands != '\0') {
		size_t len = strspn(operands, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		if (len > 0) {
			buf_printf(out, "\\fI%.*s\\fR", (int)len, operands);
			operands += len;
		} else {
			escape_char(*operands++, out);
		}
	}
}

static void write_synopsis(const struct command *command, struct buf *out)
{
	buf_append_str(out, ".SH SYNOPSIS\n\\fBwarren\\-");
	escape_str(command->tool, out);
	buf_append_str(out, "\\fR ");
	if (command->verbs != NULL)
		buf_append_str(out, "\\fICOMMAND\\fR ");
	buf_append_str(out, "[\\fIOPTION\\fR...]");
	if (command->operands != NULL) {
		buf_append_char(out, ' ');
		write_operands(command->operands, out);
	}
	buf_append_char(out, '\n');
}

/* A command line of an example: the tools in it under the names they are installed as. */
static void write_example(struct slice line, struct buf *out)
{
	bool begins = true; /* here a command's name stands */
	while (line.len > 0) {
		size_t word = 0;
		while (word < line.len && line.ptr[word] >= 'a' && line.ptr[word] <= 'z')
			word++;
		for (size_t i = 0; begins && i < ARRAY_LEN(tools); i++)
			if (slice_is((struct slice){line.ptr, word}, tools[i]))
				buf_append_str(out, "warren\\-");
		size_t taken = word > 0 ? word : 1;
		begins = word == 0 && (begins || strchr("|(", line.ptr[0]) != NULL);
		for (size_t i = 0; i < taken; i++)
			escape_char(line.ptr[i], out);
		line = (struct slice){line.ptr + taken, line.len - taken};
	}
}

/* Lines that begin with a space are examples and keep their breaks. */
static void write_notes(const char *notes, struct buf *out)
{
	bool in_example = false, new_paragraph = true;
	while (*notes != '\0') {
		struct slice line = {notes, strcspn(notes, "\n")};
		notes += line.len + (notes[line.len] == '\n');
		bool is_example = line.len > 0 && line.ptr[0] == ' ';
		if (in_example && !is_example)
			buf_append_str(out, ".fi\n");
		if (new_paragraph && line.len > 0)
			buf_append_str(out, ".PP\n");
		if (is_example && !in_example)
			buf_append_str(out, ".nf\n");
		if (is_example)
			write_example(line, out);
		else
			escape(line, out);
		buf_append_str(out, line.len > 0 ? "\n" : "");
		new_paragraph = line.len == 0;
		in_example = is_example;
	}
	if (in_example)
		buf_append_str(out, ".fi\n");
}

static void write_description(const struct command *command, struct buf *out)
{
	buf_append_str(out, ".SH DESCRIPTION\n");
	if (command->notes != NULL)
		write_notes(command->notes, out);
	if (command->verbs == NULL)
		return;
	buf_append_str(out, ".SH COMMANDS\n");
	for (const struct command_verb *v = command->verbs; v->name != NULL; v++) {
		buf_append_str(out, ".TP\n");
		in_font('B', v->name, out);
		buf_append_char(out, '\n');
		write_line(v->help, out);
	}
}

static void write_option(const struct option *o, struct buf *out)
{
	buf_append_str(out, ".TP\n");
	if (o->letter != '\0')
		buf_printf(out, "\\fB\\-%c\\fR, ", o->letter);
	buf_append_str(out, "\\fB\\-\\-");
	escape_str(o->name, out);
	buf_append_str(out, "\\fR");
	if (o->argument != NULL) {
		buf_append_char(out, ' ');
		in_font('I', o->argument, out);
	}
	buf_append_char(out, '\n');
	escape_str(o->help, out);
	for (size_t i = 0; o->choices != NULL && o->choices[i] != NULL; i++) {
		buf_append_str(out, i > 0 ? ", " : ": ");
		in_font('B', o->choices[i], out);
	}
	buf_append_str(out, o->type == OPTION_LIST ? " (may be repeated).\n" : ".\n");
}

static void write_options(const struct command *command, struct buf *out)
{
	buf_append_str(out, ".SH OPTIONS\n");
	buf_append_str(out, "A flag \\fB\\-\\-\\fINAME\\fR is cleared by "
			    "\\fB\\-\\-no\\-\\fINAME\\fR.\n"
			    "Long names may be cut as long as they stay unique.\n");
	for (size_t g = 0; command->groups[g] != NULL; g++)
		for (const struct option *o = command->groups[g]; o->name != NULL; o++)
			write_option(o, out);
}

static void write_twin(const struct option *o, struct buf *out)
{
	buf_append_str(out, ".TP\n\\fBWARREN_");
	for (const char *c = o->name; *c != '\0'; c++)
		buf_append_char(
		    out, *c == '-' ? '_' : (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c));
	buf_append_str(out, "\\fR");
	if (o->environment != NULL) {
		buf_append_str(out, ", ");
		in_font('B', o->environment, out);
	}
	buf_append_str(out, "\nas \\fB\\-\\-");
	escape_str(o->name, out);
	buf_append_str(out, "\\fR\n");
}

static void write_environment(const struct command *command, struct buf *out)
{
	buf_append_str(out, ".SH ENVIRONMENT\n");
	write_line("A variable counts when its option is not given; where an option has two, the "
		   "first that is not empty. Flags take 1, true, yes, 0, false or no.",
	    out);
	for (size_t g = 0; command->groups[g] != NULL; g++)
		for (const struct option *o = command->groups[g]; o->name != NULL; o++)
			if (!o->command_line_only)
				write_twin(o, out);
}

static void write_statuses(struct buf *out)
{
	buf_append_str(out, ".SH \"EXIT STATUS\"\n");
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		buf_append_str(out, ".TP\n");
		in_font('B', statuses[i].status, out);
		buf_append_char(out, '\n');
		write_line(statuses[i].meaning, out);
	}
}

static void write_see_also(const char *tool, struct buf *out)
{
	const char *before = "";
	buf_append_str(out, ".SH \"SEE ALSO\"\n");
	for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
		if (strcmp(tools[i], tool) == 0)
			continue;
		buf_printf(out, "%s\\fBwarren\\-%s\\fR(1)", before, tools[i]);
		before = ",\n";
	}
	buf_append_char(out, '\n');
}

void options_man(const struct command *command, struct buf *out)
{
	buf_append_str(out, ".\\\" Made from the table of options; change that instead.\n");
	write_title(command->tool, out);
	write_name(command, out);
	write_synopsis(command, out);
	write_description(command, out);
	write_options(command, out);
	write_environment(command, out);
	write_statuses(out);
	write_see_also(command->tool, out);
}
