#include "config/options.h"

#define WIDTH 80
#define MAX_COLUMN 32 /* a longer left side stands on a line of its own */
#define GAP 2

static void pad(struct buf *out, size_t count)
{
	while (count-- > 0)
		buf_append_char(out, ' ');
}

/* The next word of a text, and the text moved behind it; empty at the end. */
static struct slice take_word(struct slice *text)
{
	while (text->len > 0 && text->ptr[0] == ' ') {
		text->ptr++;
		text->len--;
	}
	struct slice word = {text->ptr, 0};
	while (word.len < text->len && text->ptr[word.len] != ' ')
		word.len++;
	text->ptr += word.len;
	text->len -= word.len;
	return word;
}

/* Appends words from column `at` of the line on, wrapped and indented, and a line feed. */
static void wrap(struct slice text, size_t at, size_t indent, struct buf *out)
{
	bool first = true; /* on its line */
	for (struct slice word = take_word(&text); word.len > 0; word = take_word(&text)) {
		if (!first && at + 1 + word.len > WIDTH) {
			buf_append_char(out, '\n');
			pad(out, indent);
			at = indent;
			first = true;
		}
		if (!first)
			buf_append_char(out, ' ');
		buf_append(out, word);
		at += word.len + !first;
		first = false;
	}
	buf_append_char(out, '\n');
}

/* "  -s, --settings FILE" */
static void write_left(const struct option *o, struct buf *out)
{
	if (o->letter != '\0')
		buf_printf(out, "  -%c, --%s", o->letter, o->name);
	else
		buf_printf(out, "      --%s", o->name);
	if (o->argument != NULL)
		buf_printf(out, " %s", o->argument);
}

/* The help, and what the row itself knows beyond it. */
static void write_right(const struct option *o, struct buf *out)
{
	buf_append_str(out, o->help);
	for (size_t i = 0; o->choices != NULL && o->choices[i] != NULL; i++)
		buf_printf(out, "%s%s", i > 0 ? ", " : ": ", o->choices[i]);
	if (o->type == OPTION_LIST)
		buf_append_str(out, " (may be repeated)");
	if (o->environment != NULL)
		buf_printf(out, " [$%s]", o->environment);
}

static void write_columns(struct slice left, struct slice right, size_t column, struct buf *out)
{
	size_t at = left.len;
	buf_append(out, left);
	if (at + GAP > column) {
		buf_append_char(out, '\n');
		at = 0;
	}
	pad(out, column - at);
	wrap(right, column, column, out);
}

/* Where the right side begins: behind the longest left one that is not too long. */
static size_t find_column(const struct command *command)
{
	size_t column = 0;
	struct buf left = {0};
	for (size_t g = 0; command->groups[g] != NULL; g++)
		for (const struct option *o = command->groups[g]; o->name != NULL; o++) {
			buf_clear(&left);
			write_left(o, &left);
			if (left.len + GAP > column && left.len + GAP <= MAX_COLUMN)
				column = left.len + GAP;
		}
	for (const struct command_verb *v = command->verbs; v != NULL && v->name != NULL; v++)
		if (2 + strlen(v->name) + GAP > column)
			column = 2 + strlen(v->name) + GAP;
	buf_release(&left);
	return column > 0 ? column : MAX_COLUMN;
}

static void write_verbs(const struct command_verb *verbs, size_t column, struct buf *out)
{
	struct buf left = {0};
	buf_append_str(out, "\nCommands:\n");
	for (const struct command_verb *v = verbs; v->name != NULL; v++) {
		buf_clear(&left);
		buf_printf(&left, "  %s", v->name);
		write_columns(buf_slice(&left), slice_str(v->help), column, out);
	}
	buf_release(&left);
}

static void write_group(const struct option *group, size_t column, struct buf *out)
{
	struct buf left = {0}, right = {0};
	for (const struct option *o = group; o->name != NULL; o++) {
		buf_clear(&left);
		buf_clear(&right);
		write_left(o, &left);
		write_right(o, &right);
		write_columns(buf_slice(&left), buf_slice(&right), column, out);
	}
	buf_release(&right);
	buf_release(&left);
}

/* Lines are joined and wrapped, save empty ones and those that begin with a space. */
static void write_notes(const char *notes, struct buf *out)
{
	struct buf paragraph = {0};
	buf_append_char(out, '\n');
	while (*notes != '\0') {
		struct slice line = {notes, strcspn(notes, "\n")};
		notes += line.len + (notes[line.len] == '\n');
		bool flows = line.len > 0 && line.ptr[0] != ' ';
		if (flows) {
			buf_append(&paragraph, line);
			buf_append_char(&paragraph, ' ');
		}
		if (paragraph.len > 0 && (!flows || *notes == '\0')) {
			wrap(buf_slice(&paragraph), 0, 0, out);
			buf_clear(&paragraph);
		}
		if (!flows) {
			buf_append(out, line);
			buf_append_char(out, '\n');
		}
	}
	buf_release(&paragraph);
}

void options_help(const struct command *command, struct buf *out)
{
	size_t column = find_column(command);
	buf_printf(out, "Usage: warren-%s%s [OPTION...]%s%s\n\n", command->tool,
	    command->verbs != NULL ? " COMMAND" : "", command->operands != NULL ? " " : "",
	    command->operands != NULL ? command->operands : "");
	wrap(slice_str(command->summary), 0, 0, out);
	if (command->verbs != NULL)
		write_verbs(command->verbs, column, out);
	buf_append_str(out, "\nOptions:\n");
	for (size_t g = 0; command->groups[g] != NULL; g++) {
		if (g > 0)
			buf_append_char(out, '\n');
		write_group(command->groups[g], column, out);
	}
	buf_append_char(out, '\n');
	wrap(SLICE("A flag --NAME is cleared by --no-NAME. Options can also be set in the "
		   "environment: "
		   "--log-format is WARREN_LOG_FORMAT."),
	    0, 0, out);
	if (command->notes != NULL)
		write_notes(command->notes, out);
}
