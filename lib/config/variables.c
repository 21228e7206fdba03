#include "config/variables.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

static bool starts_with(struct slice s, const char *prefix)
{
	size_t len = strlen(prefix);
	return s.len >= len && memcmp(s.ptr, prefix, len) == 0;
}

/* The length of the variable name at the start of s; 0 when there is none. */
static size_t name_length(struct slice s)
{
	size_t i = 0;
	for (; i < s.len; i++) {
		char c = s.ptr[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
		if (!letter && (i == 0 || c < '0' || c > '9'))
			break;
	}
	return i;
}

/* --- .env --- */

/* Takes a value in quotes apart; what follows them may only be a comment. */
static bool read_quoted(struct slice text, struct slice *value, const char **fault)
{
	const char *end = memchr(text.ptr + 1, text.ptr[0], text.len - 1);
	if (end == NULL) {
		*fault = "the closing quote is missing";
		return false;
	}
	*value = (struct slice){text.ptr + 1, (size_t)(end - text.ptr - 1)};
	struct slice rest = slice_from(text, value->len + 2);
	struct slice trimmed = slice_trim(rest);
	*fault = "only a comment may follow the closing quote";
	return trimmed.len == 0 || (trimmed.ptr[0] == '#' && rest.ptr != trimmed.ptr);
}

/* Cuts a comment off a bare value: as in a shell, '#' counts only after a blank. */
static struct slice cut_comment(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '#' && i > 0 &&
		    (text.ptr[i - 1] == ' ' || text.ptr[i - 1] == '\t'))
			return slice_trim((struct slice){text.ptr, i});
	return slice_trim(text);
}

/* Takes one line apart; name.len 0 for lines that say nothing. False sets *fault. */
static bool read_assignment(
    struct slice line, struct slice *name, struct slice *value, const char **fault)
{
	line = slice_trim(line);
	*name = *value = (struct slice){0};
	if (line.len == 0 || line.ptr[0] == '#')
		return true;
	*fault = "it is not UTF-8, or holds a NUL";
	if (!text_is_utf8(line) || memchr(line.ptr, '\0', line.len) != NULL)
		return false;
	if (starts_with(line, "export ") || starts_with(line, "export\t"))
		line = slice_trim(slice_from(line, sizeof "export"));
	size_t len = name_length(line);
	*fault = "it is not KEY=VALUE, export KEY=VALUE or a # comment";
	if (len == 0 || len == line.len || line.ptr[len] != '=')
		return false;
	*name = (struct slice){line.ptr, len};
	*value = slice_from(line, len + 1);
	struct slice trimmed = slice_trim(*value);
	if (trimmed.len > 0 && (trimmed.ptr[0] == '\'' || trimmed.ptr[0] == '"'))
		return read_quoted(trimmed, value, fault);
	*value = cut_comment(*value);
	return true;
}

static bool keep(struct variables *v, struct slice name, struct slice value)
{
	if (v->file == NULL)
		v->file = json_object();
	json_t *text = json_stringn_nocheck(value.ptr ? value.ptr : "", value.len);
	return json_object_setn_new_nocheck(v->file, name.ptr, name.len, text) == 0;
}

/* Lines of a .env file end as in a shell: at LF; a CR before it is a blank. */
bool variables_read(
    struct variables *v, const char *source, struct slice text, struct problems *problems)
{
	bool good = true;
	if (starts_with(text, "\xef\xbb\xbf"))
		text = slice_from(text, 3);
	for (unsigned number = 1; text.len > 0; number++) {
		const char *end = memchr(text.ptr, '\n', text.len);
		struct slice line = {text.ptr, end ? (size_t)(end - text.ptr) : text.len};
		text = slice_from(text, line.len + (end != NULL));
		struct slice name, value;
		const char *fault = NULL;
		bool done = read_assignment(line, &name, &value, &fault);
		if (done && name.len > 0 && !keep(v, name, value)) {
			done = false;
			fault = "not enough memory";
		}
		if (!done)
			problems_add(problems, (struct place){source, number, 1}, "",
			    "the line cannot be used: %s", fault);
		good = good && done;
	}
	return good;
}

void variables_release(struct variables *v)
{
	json_decref(v->file);
	*v = (struct variables){0};
}

/* --- ${VAR} --- */

struct expansion {
	const struct variables *variables;
	struct place place;
	struct buf *out;
	size_t limit; /* of out->len */
	struct problems *problems;
	bool failed;
	bool stopped; /* no use in reading on */
};

enum rule {
	RULE_NONE,
	RULE_DEFAULT_EMPTY, /* :- */
	RULE_DEFAULT_UNSET, /* - */
	RULE_REQUIRE,	    /* :? */
};

struct rule_row {
	const char *text;
	enum rule rule;
};

static const struct rule_row rules[] = {
    {":-", RULE_DEFAULT_EMPTY},
    {"-", RULE_DEFAULT_UNSET},
    {":?", RULE_REQUIRE},
};

/* The inside of ${...}. */
struct reference {
	struct slice name;
	enum rule rule;
	struct slice argument; /* the default or the message */
};

static bool stop(struct expansion *x)
{
	x->failed = x->stopped = true;
	return false;
}

static void append(struct expansion *x, struct slice text)
{
	if (x->stopped)
		return;
	if (text.len > x->limit || x->out->len > x->limit - text.len) {
		problems_add(x->problems, x->place, "",
		    "with its variables the text is larger than %u bytes", VARIABLES_MAX_BYTES);
		stop(x);
		return;
	}
	buf_append(x->out, text);
}

static bool is_pair(struct slice s, size_t at, char second)
{
	return at + 1 < s.len && s.ptr[at] == '$' && s.ptr[at + 1] == second;
}

/* The length of the inside of the ${ that ends in front of s; SIZE_MAX without its '}'. */
static size_t inside_length(struct slice s)
{
	size_t open = 1;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '}' && --open == 0)
			return i;
		bool opens = is_pair(s, i, '{');
		open += opens;
		i += opens || is_pair(s, i, '$');
	}
	return SIZE_MAX;
}

static bool read_reference(struct slice inside, struct reference *out)
{
	size_t len = name_length(inside);
	*out = (struct reference){.name = {inside.ptr, len}};
	struct slice rest = slice_from(inside, len);
	if (len == 0 || rest.len == 0)
		return len > 0;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (!starts_with(rest, rules[i].text))
			continue;
		out->rule = rules[i].rule;
		out->argument = slice_from(rest, strlen(rules[i].text));
		return true;
	}
	return false;
}

static const char *find_value(const struct variables *v, struct slice name)
{
	char *key = mem_strndup(name.ptr, name.len);
	const char *value = getenv(key);
	if (value == NULL)
		value = json_string_value(json_object_get(v->file, key));
	free(key);
	return value;
}

static void report_missing(struct expansion *x, const struct reference *r, const char *value)
{
	x->failed = true;
	const char *state = value == NULL ? "not set" : "empty";
	if (r->rule != RULE_REQUIRE) {
		problems_add(x->problems, x->place, "",
		    "${%.*s} is not set; set it or write ${%.*s:-default}", SLICE_ARGS(r->name),
		    SLICE_ARGS(r->name));
		return;
	}
	char *message = text_quote(r->argument);
	problems_add(x->problems, x->place, "", "${%.*s} is %s%s%s", SLICE_ARGS(r->name), state,
	    message[0] != '\0' ? ": " : "", message);
	free(message);
}

static void expand(struct expansion *x, struct slice text, unsigned depth);

static void put_reference(struct expansion *x, const struct reference *r, unsigned depth)
{
	const char *value = find_value(x->variables, r->name);
	bool missing =
	    value == NULL ||
	    (value[0] == '\0' && (r->rule == RULE_DEFAULT_EMPTY || r->rule == RULE_REQUIRE));
	if (!missing && !text_is_utf8(slice_str(value))) {
		problems_add(x->problems, x->place, "", "the value of ${%.*s} is not UTF-8",
		    SLICE_ARGS(r->name));
		x->failed = true;
	} else if (!missing) {
		append(x, slice_str(value));
	} else if (r->rule == RULE_NONE || r->rule == RULE_REQUIRE) {
		report_missing(x, r, value);
	} else {
		expand(x, r->argument, depth + 1);
	}
}

/* Replaces one ${...} whose inside is the start of rest; returns the bytes taken, '}' included. */
static size_t expand_reference(struct expansion *x, struct slice rest, unsigned depth)
{
	size_t len = inside_length(rest);
	struct slice inside = {rest.ptr, len == SIZE_MAX ? rest.len : len};
	struct reference r;
	char *shown = text_quote(inside);
	if (len == SIZE_MAX) {
		problems_add(x->problems, x->place, "",
		    "'${%s' has no closing '}'; write $$ for a dollar sign", shown);
		stop(x);
	} else if (depth >= VARIABLES_MAX_DEPTH) {
		problems_add(x->problems, x->place, "",
		    "variables in defaults are nested deeper than %d levels", VARIABLES_MAX_DEPTH);
		stop(x);
	} else if (!read_reference(inside, &r)) {
		problems_add(x->problems, x->place, "",
		    "'${%s}' is malformed; accepted: ${VAR}, ${VAR:-default}, ${VAR-default}, "
		    "${VAR:?message}, and $$ for a dollar sign",
		    shown);
		x->failed = true;
	} else {
		put_reference(x, &r, depth);
	}
	free(shown);
	return inside.len + (len != SIZE_MAX);
}

static void expand(struct expansion *x, struct slice text, unsigned depth)
{
	size_t from = 0; /* what is copied as it is */
	for (size_t i = 0; i < text.len && !x->stopped;) {
		bool opens = is_pair(text, i, '{');
		if (!opens && !is_pair(text, i, '$')) {
			i++;
			continue;
		}
		append(x, (struct slice){text.ptr + from, i - from + !opens});
		i += 2;
		if (opens)
			i += expand_reference(x, slice_from(text, i), depth);
		from = i;
	}
	append(x, slice_from(text, from));
}

bool variables_expand(const struct variables *v, struct slice text, struct place place,
    struct buf *out, struct problems *problems)
{
	struct expansion x = {
	    .variables = v,
	    .place = place,
	    .out = out,
	    .limit = out->len + VARIABLES_MAX_BYTES,
	    .problems = problems,
	};
	expand(&x, text, 0);
	return !x.failed;
}
