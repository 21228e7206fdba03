#include "config/options.h"

#include "base/mem.h"
#include "base/text.h"
#include "config/options_private.h"
#include "config/problems.h"

#include <stdlib.h>
#include <strings.h>

/* One option of the command, and whether it is settled, or one that says the same. */
struct row {
	const struct option *option;
	bool given, silenced;
};

struct parser {
	const struct command *command;
	const struct options_fallback *fallback; /* or NULL */
	void *target;
	struct row *rows;
	size_t count, capacity;
	char **argv;
	size_t argc, next;   /* next: the word to read */
	char **options;	     /* words that belong to options, in order; */
	size_t option_count; /* the program's name is the first */
	char **operands;
	size_t operand_count;
	bool ended; /* "--" was read */
};

/* Where a value came from, for errors: "option '--amount'", "variable 'WARREN_AMOUNT'". */
struct source {
	const char *kind, *prefix, *name;
};

static void collect_rows(struct parser *p)
{
	for (size_t g = 0; p->command->groups[g] != NULL; g++)
		for (const struct option *o = p->command->groups[g]; o->name != NULL; o++) {
			p->rows = mem_grow(p->rows, &p->capacity, p->count + 1, sizeof *p->rows);
			p->rows[p->count++] = (struct row){.option = o};
		}
}

/* --- values --- */

/* A value of which only the name is known to hold no password. */
static bool is_assignment(const struct option *o)
{
	return o->argument != NULL && strcmp(o->argument, "PATH=VALUE") == 0;
}

static void tell_taken(const struct parser *p, const struct option *o, const char *text)
{
	const struct options_fallback *f = p->fallback;
	if (f == NULL)
		return;
	char *masked = is_assignment(o) ? mem_printf("%.*s=***", (int)strcspn(text, "="), text)
					: mem_strdup(options_value_is_hidden(o) ? "***" : text);
	f->taken(f->ctx, o->name, masked);
	free(masked);
}

static void mark_given(struct parser *p, struct row *row, const char *text)
{
	row->given = true;
	tell_taken(p, row->option, text);
	if (row->option->given != 0)
		*(bool *)((char *)p->target + row->option->given) = true;
}

static bool is_broker(const char *text)
{
	return strncasecmp(text, "amqp://", 7) == 0 || strncasecmp(text, "amqps://", 8) == 0;
}

/* A URL in a place for something else, which would show its password, or pass it on as a name. */
static bool refuse_url(const struct parser *p, const char *what, struct error *err)
{
	for (size_t i = 0; i < p->count; i++)
		if (options_value_is_hidden(p->rows[i].option))
			return error_set(err, ERROR_USAGE, "%s; did you mean '--%s'?", what,
			    p->rows[i].option->name);
	return error_set(err, ERROR_USAGE, "%s", what);
}

static bool assign(
    struct parser *p, struct row *row, struct source source, const char *text, struct error *err)
{
	const struct option *o = row->option;
	struct error cause = {0};
	if (!options_value_is_hidden(o) && !is_assignment(o) && is_broker(text)) {
		char *what =
		    mem_printf("%s '%s%s' got a URL", source.kind, source.prefix, source.name);
		refuse_url(p, what, err);
		free(what);
		return false;
	}
	if (options_value_assign(o, text, (char *)p->target + o->offset, &cause)) {
		mark_given(p, row, text);
		return true;
	}
	char *shown = options_value_show(o, text);
	error_set(err, ERROR_USAGE, "%s '%s%s' got %s%s%s", source.kind, source.prefix, source.name,
	    shown, options_value_separator(o), cause.text);
	free(shown);
	return false;
}

/* --- the command line --- */

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

static bool is_negative_number(const char *word)
{
	size_t i = word[0] == '-' ? 1 : 0;
	i += word[i] == '.' ? 1 : 0;
	return word[0] == '-' && word[i] >= '0' && word[i] <= '9';
}

/* The next word as the value of an option; NULL when there is none. */
static const char *take_value(struct parser *p)
{
	char *word = p->next < p->argc ? p->argv[p->next] : NULL;
	if (word == NULL || (is_option(word) && !is_negative_number(word)))
		return NULL;
	p->next++;
	p->options[p->option_count++] = word;
	return word;
}

static bool take_option(
    struct parser *p, struct row *row, struct source source, const char *value, struct error *err)
{
	if (value == NULL)
		value = take_value(p);
	if (value == NULL)
		return error_set(err, ERROR_USAGE, "option '%s%s' needs a value: %s", source.prefix,
		    source.name, row->option->argument);
	return assign(p, row, source, value, err);
}

static void set_flag(struct parser *p, struct row *row, bool value)
{
	*(bool *)((char *)p->target + row->option->offset) = value;
	mark_given(p, row, value ? "true" : "false");
}

/* An option and the form of its name: --NAME, or --no-NAME of a flag. */
struct match {
	struct row *row;
	bool negated;
};

static const char *match_prefix(struct match m)
{
	return m.negated ? "--no-" : "--";
}

static bool has_no(struct slice name)
{
	return name.len >= 3 && memcmp(name.ptr, "no-", 3) == 0;
}

static struct slice without_no(struct slice name)
{
	return (struct slice){name.ptr + 3, name.len - 3};
}

static bool matches(struct match m, struct slice name, bool whole)
{
	if (m.negated && (m.row->option->type != OPTION_FLAG || !has_no(name)))
		return false;
	if (m.negated)
		name = without_no(name);
	size_t len = strlen(m.row->option->name);
	return name.len <= len && (!whole || name.len == len) &&
	       memcmp(name.ptr, m.row->option->name, name.len) == 0;
}

/* All options that a name, or the beginning of one, stands for. Room for two per row. */
static size_t find_matches(struct parser *p, struct slice name, bool whole, struct match *found)
{
	size_t count = 0;
	for (size_t i = 0; name.len > 0 && i < p->count; i++)
		for (int negated = 0; negated < 2; negated++) {
			struct match m = {&p->rows[i], negated != 0};
			if (matches(m, name, whole))
				found[count++] = m;
		}
	return count;
}

static bool ambiguous(struct slice name, const struct match *found, size_t count, struct error *err)
{
	struct buf list = {0};
	for (size_t i = 0; i < count; i++)
		buf_printf(&list, "%s%s%s", i > 0 ? ", " : "", match_prefix(found[i]),
		    found[i].row->option->name);
	char *shown = text_quote(name);
	error_set(err, ERROR_USAGE, "option '--%s' is ambiguous: %s", shown, list.ptr);
	free(shown);
	buf_release(&list);
	return false;
}

/* The name of the option that was probably meant, "--" in front; NULL or to free(). */
static char *suggest(const struct parser *p, struct slice name)
{
	bool negated = has_no(name);
	const char **names = mem_alloc(p->count + 1, sizeof *names);
	size_t count = 0;
	for (size_t i = 0; i < p->count; i++)
		if (!negated || p->rows[i].option->type == OPTION_FLAG)
			names[count++] = p->rows[i].option->name;
	const char *near = text_suggest(negated ? without_no(name) : name, names);
	free(names);
	return near != NULL ? mem_printf("--%s%s", negated ? "no-" : "", near) : NULL;
}

/* word: with its dashes, without any value, which might hold a secret. */
static bool unknown_option(
    const struct parser *p, struct slice word, struct slice name, struct error *err)
{
	char *shown = text_quote(word), *meant = suggest(p, name);
	if (meant != NULL)
		error_set(
		    err, ERROR_USAGE, "unknown option '%s'; did you mean '%s'?", shown, meant);
	else
		error_set(err, ERROR_USAGE, "unknown option '%s'", shown);
	free(meant);
	free(shown);
	return false;
}

static bool find_long(struct parser *p, struct slice name, struct match *out, struct error *err)
{
	struct match *found = mem_alloc(2 * p->count, sizeof *found);
	size_t count = find_matches(p, name, true, found);
	if (count == 0)
		count = find_matches(p, name, false, found);
	if (count == 1)
		*out = found[0];
	else if (count > 1)
		ambiguous(name, found, count, err);
	else
		unknown_option(p, (struct slice){name.ptr - 2, name.len + 2}, name, err);
	free(found);
	return count == 1;
}

/* word: "--amount=5" */
static bool read_long(struct parser *p, const char *word, struct error *err)
{
	struct slice name = {word + 2, strcspn(word + 2, "=")};
	const char *value = name.ptr[name.len] == '=' ? name.ptr + name.len + 1 : NULL;
	struct match m = {0};
	if (!find_long(p, name, &m, err))
		return false;
	struct source source = {"option", match_prefix(m), m.row->option->name};
	if (m.row->option->type != OPTION_FLAG)
		return take_option(p, m.row, source, value, err);
	if (value != NULL)
		return error_set(
		    err, ERROR_USAGE, "option '%s%s' takes no value", source.prefix, source.name);
	set_flag(p, m.row, !m.negated);
	return true;
}

static struct row *find_letter(struct parser *p, char letter)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->rows[i].option->letter == letter)
			return &p->rows[i];
	return NULL;
}

/* `at` is the letter in the word that no option has; the word may be a long name short of a dash.
 */
static bool unknown_letter(
    const struct parser *p, const char *word, const char *at, struct error *err)
{
	struct slice name = {word + 1, strcspn(word + 1, "=")};
	for (size_t i = 0; i < p->count; i++)
		if (slice_is(name, p->rows[i].option->name))
			return unknown_option(p, (struct slice){word, name.len + 1}, name, err);
	struct slice letter = {at, 1};
	while (letter.len < 4 && at[letter.len] != '\0' && !text_is_utf8(letter))
		letter.len++;
	char *shown = text_quote(letter);
	error_set(err, ERROR_USAGE, "unknown option '-%s'", shown);
	free(shown);
	return false;
}

/* word: "-qn5", "-qn 5" */
static bool read_letters(struct parser *p, const char *word, struct error *err)
{
	for (const char *at = word + 1; *at != '\0'; at++) {
		struct row *row = find_letter(p, *at);
		if (row == NULL)
			return unknown_letter(p, word, at, err);
		const char name[2] = {*at, '\0'};
		struct source source = {"option", "-", name};
		if (row->option->type != OPTION_FLAG)
			return take_option(p, row, source, at[1] != '\0' ? at + 1 : NULL, err);
		set_flag(p, row, true);
	}
	return true;
}

static bool check_verb(const struct command *command, const char *word, struct error *err)
{
	const char *names[64] = {NULL}; /* options_fault allows 63 */
	for (size_t i = 0; i < ARRAY_LEN(names) - 1 && command->verbs[i].name != NULL; i++) {
		names[i] = command->verbs[i].name;
		if (strcmp(word, names[i]) == 0)
			return true;
	}
	struct buf known = {0};
	for (size_t i = 0; names[i] != NULL; i++)
		buf_printf(&known, "%s%s", i > 0 ? ", " : "", names[i]);
	char *shown = options_value_quote(word);
	const char *near = text_suggest(slice_str(word), names);
	if (near != NULL)
		error_set(
		    err, ERROR_USAGE, "unknown command '%s'; did you mean '%s'?", shown, near);
	else
		error_set(err, ERROR_USAGE, "unknown command '%s'; accepted: %s", shown, known.ptr);
	free(shown);
	buf_release(&known);
	return false;
}

static bool is_url(const char *word)
{
	return strncmp(word + strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
		   "://", 3) == 0;
}

/* is_literal: whatever it looks like. */
static bool take_operand(struct parser *p, char *word, bool is_literal, struct error *err)
{
	bool is_verb = p->command->verbs != NULL && p->operand_count == 0;
	p->operands[p->operand_count++] = word;
	if (!is_literal && is_url(word))
		return refuse_url(p, "unexpected argument (a URL)", err);
	if (is_verb)
		return check_verb(p->command, word, err);
	if (p->command->operands != NULL)
		return true;
	char *shown = options_value_quote(word);
	error_set(err, ERROR_USAGE, "unexpected argument '%s'", shown);
	free(shown);
	return false;
}

static bool read_word(struct parser *p, struct error *err)
{
	char *word = p->argv[p->next++];
	const char *quoting = p->command->quoting;
	bool is_quoted =
	    quoting != NULL && p->operand_count > 0 && strcmp(p->operands[0], quoting) == 0;
	if (p->ended || is_quoted || !is_option(word))
		return take_operand(p, word, p->ended || is_quoted, err);
	p->options[p->option_count++] = word;
	p->ended = strcmp(word, "--") == 0;
	if (p->ended)
		return true;
	return word[1] == '-' ? read_long(p, word, err) : read_letters(p, word, err);
}

static bool read_command_line(struct parser *p, struct error *err)
{
	if (p->next < p->argc)
		p->options[p->option_count++] = p->argv[p->next++];
	while (p->next < p->argc)
		if (!read_word(p, err))
			return false;
	return true;
}

/* Options first, operands last; returns where the operands begin. */
static char **reorder(struct parser *p)
{
	memcpy(p->argv, p->options, p->option_count * sizeof *p->argv);
	char **operands = p->argv + p->option_count;
	memcpy(operands, p->operands, p->operand_count * sizeof *p->argv);
	return operands;
}

/* --- the environment --- */

static bool read_variable(struct parser *p, struct row *row, const char *name, struct error *err)
{
	const char *value = name != NULL ? getenv(name) : NULL;
	if (row->given || row->silenced || value == NULL || value[0] == '\0')
		return true;
	return assign(p, row, (struct source){"variable", "", name}, value, err);
}

/* Two options that say the same in two ways contradict each other in one place; on the command line
 * either silences the other's variables. */
static bool settle_rivals(struct parser *p, const char *place, struct error *err)
{
	for (size_t i = 0; i < p->count; i++)
		for (size_t k = 0; p->rows[i].option->instead != NULL && k < p->count; k++) {
			struct row *row = &p->rows[i], *other = &p->rows[k];
			if (strcmp(row->option->instead, other->option->name) != 0)
				continue;
			if (row->given && other->given)
				return error_set(err, ERROR_USAGE,
				    "'--%s' and '--%s' both come from %s; give one of them",
				    other->option->name, row->option->name, place);
			row->silenced = other->given;
			other->silenced = row->given;
		}
	return true;
}

static bool read_environment(struct parser *p, struct error *err)
{
	bool ok = true;
	for (size_t i = 0; ok && i < p->count; i++) {
		struct row *row = &p->rows[i];
		char *twin =
		    row->option->command_line_only ? NULL : options_value_twin(row->option);
		ok = read_variable(p, row, twin, err) &&
		     read_variable(p, row, row->option->environment, err);
		free(twin);
	}
	return ok;
}

static bool read_fallback(struct parser *p, struct error *err)
{
	const struct options_fallback *fallback = p->fallback;
	bool ok = true;
	for (size_t i = 0; ok && i < p->count; i++) {
		struct row *row = &p->rows[i];
		const char *name = row->option->name;
		const char *const *texts =
		    row->given || row->silenced ? NULL : fallback->find(fallback->ctx, name);
		struct source source = {fallback->kind, fallback->prefix, name};
		for (; ok && texts != NULL && *texts != NULL; texts++)
			ok = assign(p, row, source, *texts, err);
	}
	return ok;
}

bool options_parse_with(const struct command *command, int argc, char *argv[], void *target,
    const struct options_fallback *fallback, char ***operands, struct error *err)
{
	size_t words = argc > 0 ? (size_t)argc : 0;
	struct parser p = {.command = command,
	    .fallback = fallback,
	    .target = target,
	    .argv = argv,
	    .argc = words};
	p.options = mem_alloc(words, sizeof *p.options);
	p.operands = mem_alloc(words, sizeof *p.operands);
	collect_rows(&p);
	bool ok = read_command_line(&p, err) && settle_rivals(&p, "the command line", err) &&
		  read_environment(&p, err) && settle_rivals(&p, "the environment", err) &&
		  (fallback == NULL || read_fallback(&p, err));
	if (ok)
		*operands = reorder(&p);
	free(p.operands);
	free(p.options);
	free(p.rows);
	return ok;
}

bool options_parse(const struct command *command, int argc, char *argv[], void *target,
    char ***operands, struct error *err)
{
	return options_parse_with(command, argc, argv, target, NULL, operands, err);
}
