#include "bench/perftest_private.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "config/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct reader {
	struct perftest_command *command;
	size_t word;  /* the one being read, from 0 */
	bool is_open; /* the last option takes more values */
	bool ended;   /* "--" was read */
};

/* ---- errors ---- */

/* A word of the command line for an error: without passwords, escaped, short. */
static char *show(const char *word)
{
	char *masked = problems_mask(slice_str(word));
	char *shown = text_quote(slice_str(masked));
	free(masked);
	return shown;
}

bool perftest_refuse(
    const struct perftest_given *given, const char *value, struct error *err, const char *fmt, ...)
{
	char why[ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, fmt);
	vsnprintf(why, sizeof why, fmt, args);
	va_end(args);
	char *shown = value != NULL ? show(given->row->is_secret ? "***" : value) : mem_strdup("");
	error_set(err, ERROR_USAGE, "word %zu, '--%s%s%s': %s", given->word, given->row->name,
	    value != NULL ? " " : "", shown, why);
	free(shown);
	return false;
}

static const char *suggest(struct slice word)
{
	const char **names = mem_alloc(perftest_row_count + 1, sizeof *names);
	for (size_t i = 0; i < perftest_row_count; i++)
		names[i] = perftest_rows[i].name;
	const char *name = text_suggest(word, names);
	free(names);
	return name;
}

/* The name in an option word: without dashes in front and without "=value". */
static struct slice bare_name(const char *word)
{
	for (int i = 0; i < 2 && *word == '-'; i++)
		word++;
	return (struct slice){word, strcspn(word, "=")};
}

static bool refuse_unknown(const struct reader *r, const char *word, struct error *err)
{
	const char *name = suggest(bare_name(word));
	char *shown = show(word);
	error_set(err, ERROR_USAGE, "word %zu, '%s': PerfTest has no such option%s%s%s",
	    r->word + 1, shown, name != NULL ? "; did you mean '--" : "", name != NULL ? name : "",
	    name != NULL ? "'?" : "");
	free(shown);
	return false;
}

/* ---- names ---- */

static const struct perftest_row *find_letters(struct slice letters)
{
	for (size_t i = 0; letters.len > 0 && i < perftest_row_count; i++)
		if (slice_is(letters, perftest_rows[i].letter))
			return &perftest_rows[i];
	return NULL;
}

/* How many long names begin so; *row is the first, or the one that is this word. */
static size_t match_names(struct slice name, const struct perftest_row **row)
{
	size_t count = 0;
	for (size_t i = 0; name.len > 0 && i < perftest_row_count; i++) {
		const char *candidate = perftest_rows[i].name;
		if (strncmp(candidate, name.ptr, name.len) != 0)
			continue;
		if (count++ == 0 || candidate[name.len] == '\0')
			*row = &perftest_rows[i];
		if (candidate[name.len] == '\0')
			return 1;
	}
	return count;
}

/* -producers10: a long name that the value stands behind. Its parser wants two bytes of value. */
static const struct perftest_row *find_glued(struct slice word, size_t *name_len)
{
	const struct perftest_row *row = NULL;
	for (size_t len = word.len > 2 ? word.len - 2 : 0; len > 1; len--)
		for (size_t i = 0; i < perftest_row_count; i++)
			if (slice_is((struct slice){word.ptr, len}, perftest_rows[i].name)) {
				row = &perftest_rows[i];
				*name_len = len;
				return row->takes != PERFTEST_TAKES_NOTHING ? row : NULL;
			}
	return row;
}

/* ---- options ---- */

static struct perftest_given *last(const struct reader *r)
{
	return &r->command->given[r->command->given_count - 1];
}

static bool close_option(struct reader *r, struct error *err)
{
	if (!r->is_open)
		return true;
	r->is_open = false;
	const struct perftest_given *given = last(r);
	if (given->row->takes == PERFTEST_TAKES_PERHAPS || given->count > 0)
		return true;
	return perftest_refuse(given, NULL, err, "its value is missing");
}

static bool open_option(struct reader *r, const struct perftest_row *row, struct error *err)
{
	struct perftest_command *c = r->command;
	if (!close_option(r, err))
		return false;
	c->given = mem_grow(c->given, &c->given_capacity, c->given_count + 1, sizeof *c->given);
	c->given[c->given_count++] = (struct perftest_given){.row = row, .word = r->word + 1};
	r->is_open = row->takes != PERFTEST_TAKES_NOTHING;
	return true;
}

static void add_value(struct reader *r, const char *value)
{
	struct perftest_given *given = last(r);
	given->values =
	    mem_grow(given->values, &given->capacity, given->count + 1, sizeof *given->values);
	given->values[given->count++] = value;
	r->is_open = given->row->takes == PERFTEST_TAKES_MANY;
}

/* An option and its value in one word: nothing else belongs to it. */
static bool add_whole(
    struct reader *r, const struct perftest_row *row, const char *value, struct error *err)
{
	if (!open_option(r, row, err))
		return false;
	if (!r->is_open)
		return perftest_refuse(last(r), NULL, err, "takes no value");
	add_value(r, value);
	r->is_open = false;
	return true;
}

static bool read_long(struct reader *r, const char *word, struct error *err)
{
	struct slice name = bare_name(word);
	const struct perftest_row *row = NULL;
	size_t matches = match_names(name, &row);
	if (matches == 0)
		return refuse_unknown(r, word, err);
	if (matches > 1) {
		char *shown = show(word);
		error_set(err, ERROR_USAGE,
		    "word %zu, '%s': %zu options of PerfTest begin so, '--%s' is one", r->word + 1,
		    shown, matches, row->name);
		free(shown);
		return false;
	}
	if (name.ptr[name.len] == '=')
		return add_whole(r, row, name.ptr + name.len + 1, err);
	return open_option(r, row, err);
}

/* -ap is -a -p; -ax2 is -a -x 2. */
static bool read_letters(struct reader *r, const char *word, struct error *err)
{
	for (const char *at = word + 1; *at != '\0'; at++) {
		const struct perftest_row *row = find_letters((struct slice){at, 1});
		if (row == NULL)
			return refuse_unknown(r, word, err);
		if (!open_option(r, row, err))
			return false;
		if (r->is_open && at[1] != '\0') {
			add_value(r, at + 1);
			return true;
		}
	}
	return true;
}

/* In the order in which PerfTest's parser (commons-cli) tries them. */
static bool read_short(struct reader *r, const char *word, struct error *err)
{
	struct slice name = bare_name(word), all = slice_str(word + 1);
	const struct perftest_row *row = find_letters(name), *first = NULL;
	size_t len = 0;
	if (all.len > name.len)
		return row != NULL ? add_whole(r, row, name.ptr + name.len + 1, err)
				   : read_long(r, word, err);
	if (row != NULL)
		return open_option(r, row, err);
	if (match_names(name, &row) > 0)
		return read_long(r, word, err);
	row = find_glued(all, &len);
	if (row != NULL)
		return add_whole(r, row, all.ptr + len, err);
	first = find_letters((struct slice){all.ptr, 1});
	if (first != NULL && first->takes == PERFTEST_TAKES_MANY)
		return add_whole(r, first, all.ptr + 1, err);
	return read_letters(r, word, err);
}

/* Whether the word would begin an option where a value is expected. A negative number does not. */
static bool begins_option(const char *word)
{
	const struct perftest_row *row;
	struct error ignored = {0};
	double number;
	size_t len;
	if (word[0] != '-' || word[1] == '\0' ||
	    num_parse_double(slice_str(word), &number, &ignored))
		return false;
	struct slice name = bare_name(word), letters = {word + 1, strcspn(word + 1, "=")};
	return match_names(name, &row) > 0 || find_letters(letters) != NULL ||
	       (letters.len > 0 && find_letters((struct slice){letters.ptr, 1}) != NULL) ||
	       (word[1] != '-' && find_glued(slice_str(word + 1), &len) != NULL);
}

static bool read_word(struct reader *r, const char *word, struct error *err)
{
	struct perftest_command *c = r->command;
	if (!r->ended && strcmp(word, "--") == 0) {
		r->ended = true;
		return true;
	}
	if (!r->ended && r->is_open && !begins_option(word)) {
		add_value(r, word);
		return true;
	}
	if (!r->ended && strncmp(word, "--", 2) == 0)
		return read_long(r, word, err);
	if (!r->ended && word[0] == '-' && word[1] != '\0')
		return read_short(r, word, err);
	c->strays = mem_grow(c->strays, &c->stray_capacity, c->stray_count + 1, sizeof *c->strays);
	c->strays[c->stray_count++] = r->word;
	return true;
}

/* ---- the words before the options ---- */

static struct slice base_name(const char *word)
{
	const char *slash = strrchr(word, '/');
	return slice_str(slash != NULL ? slash + 1 : word);
}

static bool is_launcher(const char *word)
{
	static const char *const names[] = {"docker", "podman", "nerdctl", "kubectl"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_is(base_name(word), names[i]))
			return true;
	return false;
}

/* pivotalrabbitmq/perf-test:latest, --image=pivotalrabbitmq/perf-test */
static bool is_image(const char *word)
{
	struct slice name = base_name(word);
	return name.ptr != word && strncmp(name.ptr, "perf-test", 9) == 0 &&
	       strchr(":@", name.ptr[9]) != NULL;
}

static bool is_program(const char *word)
{
	struct slice name = base_name(word);
	bool is_jar = name.len > 4 && strcmp(name.ptr + name.len - 4, ".jar") == 0;
	return slice_is(name, "perf-test") || slice_is(name, "runjava") ||
	       slice_is(name, "PerfTest") || slice_is(name, "com.rabbitmq.perf.PerfTest") ||
	       (is_jar && strncmp(name.ptr, "perf-test", 9) == 0);
}

/* The first word behind the first one that is as asked; 0 when there is none. */
static size_t find_behind(const struct words *w, bool (*is)(const char *word))
{
	for (size_t i = 0; i < w->count; i++)
		if (is(w->items[i].text))
			return i + 1;
	return 0;
}

static bool is_separator(const char *word)
{
	return strcmp(word, "--") == 0;
}

static bool find_options(struct perftest_command *c, struct error *err)
{
	const struct words *w = &c->words;
	if (w->count == 0)
		return error_set(err, ERROR_USAGE,
		    "the command line is empty; it is one of PerfTest, such as 'perf-test -x 1 -y "
		    "2'");
	if (w->items[0].text[0] == '-')
		return true;
	size_t launched = find_behind(w, is_launcher), program = find_behind(w, is_program);
	size_t image = launched > 0 ? find_behind(w, is_image) : 0;
	c->first = image > 0 && (program == 0 || launched < program) ? image : program;
	size_t separator = find_behind(w, is_separator); /* kubectl run ... -- -x 1 */
	if (image > 0 && c->first == image && separator > image)
		c->first = separator;
	if (c->first == 0)
		return error_set(err, ERROR_USAGE,
		    "no word of the command line is PerfTest; it begins with 'perf-test' or with "
		    "an option");
	while (c->first < w->count && is_program(w->items[c->first].text))
		c->first++; /* runjava and the name of the class */
	return true;
}

bool perftest_read(const char *line, struct perftest_command *out, struct error *err)
{
	struct reader r = {.command = out};
	if (!text_is_utf8(slice_str(line)))
		return error_set(err, ERROR_USAGE, "the command line is not UTF-8");
	if (!words_split(slice_str(line), &out->words, err) || !find_options(out, err))
		return false;
	for (r.word = out->first; r.word < out->words.count; r.word++)
		if (!read_word(&r, out->words.items[r.word].text, err))
			return false;
	return close_option(&r, err);
}

void perftest_command_release(struct perftest_command *c)
{
	for (size_t i = 0; i < c->given_count; i++)
		free(c->given[i].values);
	free(c->given);
	free(c->strays);
	words_release(&c->words);
	*c = (struct perftest_command){0};
}

const struct perftest_given *perftest_find(const struct perftest_command *c, const char *name)
{
	for (size_t i = 0; i < c->given_count; i++)
		if (strcmp(c->given[i].row->name, name) == 0)
			return &c->given[i];
	return NULL;
}
