#include "config/document.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "config/explain.h"
#include "config/input.h"
#include "config/pointer.h"
#include "config/tree.h"

#include <stdlib.h>
#include <sys/stat.h>

_Static_assert(DOCUMENT_MAX_DEPTH == NODES_MAX_DEPTH, "one limit, two names");
_Static_assert(DOCUMENT_MAX_NODES == NODES_MAX_COUNT, "one limit, two names");

#define ROOT 0 /* its spot in places */

struct document {
	char *name;
	struct buf text;
	json_t *root;
	struct places places;
	char **options; /* names that places point to */
	size_t option_count, option_capacity;
};

static struct document *create(const char *name)
{
	struct document *doc = mem_alloc(1, sizeof *doc);
	doc->name = mem_strdup(name);
	return doc;
}

void document_free(struct document *doc)
{
	if (doc == NULL)
		return;
	for (size_t i = 0; i < doc->option_count; i++)
		free(doc->options[i]);
	free(doc->options);
	json_decref(doc->root);
	places_release(&doc->places);
	buf_release(&doc->text);
	free(doc->name);
	free(doc);
}

json_t *document_root(const struct document *doc)
{
	return doc->root;
}

struct slice document_text(const struct document *doc)
{
	return buf_slice(&doc->text);
}

const char *document_name(const struct document *doc)
{
	return doc->name;
}

/* --- loading --- */

static void make_empty(struct document *doc, unsigned line)
{
	struct place place = {doc->name, line, line};
	doc->root = json_object();
	places_add(&doc->places, PLACES_NONE, (struct slice){0}, place, place);
}

struct document *document_empty(void)
{
	struct document *doc = create("(no settings file)");
	make_empty(doc, 0);
	return doc;
}

/* Fills the tree from the nodes of its text. False after a report. */
static bool fill(struct document *doc, const struct nodes *nodes, const struct variables *variables,
    struct problems *problems)
{
	if (nodes->count == 0) {
		make_empty(doc, 1);
		return true;
	}
	const struct node *root = &nodes->items[0];
	if (root->kind != NODE_MAPPING) {
		problems_add(problems, root->place, "",
		    "found %s; accepted: a mapping, with lines such as 'key: value'",
		    root->kind == NODE_LIST ? "a list" : "a single value");
		return false;
	}
	struct tree_target target = {
	    .places = &doc->places,
	    .parent = PLACES_NONE,
	    .key = root->place,
	    .pointer = "",
	};
	doc->root = tree_build(nodes, variables, &target, problems);
	return doc->root != NULL;
}

/* Reads the text of a document. False after reports. */
static bool parse(
    struct document *doc, const struct variables *variables, struct problems *problems)
{
	struct nodes nodes = {0};
	bool good = nodes_read(doc->name, document_text(doc), &nodes, problems) &&
		    fill(doc, &nodes, variables, problems) && !nodes.faulty;
	nodes_release(&nodes);
	return good;
}

/* Takes the document; gives it back when all was good, else frees it and tells why. */
static struct document *finish_take(
    struct document *doc, bool good, struct problems *problems, struct error *err)
{
	if (good)
		return doc;
	problems_keep_text(problems, doc->name, document_text(doc));
	size_t count = problems->count + problems->dropped;
	char *name = text_quote(slice_str(doc->name));
	error_set(
	    err, ERROR_SETTINGS, "'%s' has %zu problem%s", name, count, count == 1 ? "" : "s");
	free(name);
	document_free(doc);
	return NULL;
}

static struct document *parse_text(const char *name, struct slice text,
    const struct variables *variables, struct problems *problems, struct error *err)
{
	struct document *doc = create(name);
	bool good = text.len <= DOCUMENT_MAX_BYTES;
	if (!good) {
		problems_add(problems, (struct place){doc->name, 0, 0}, "", "larger than %u bytes",
		    DOCUMENT_MAX_BYTES);
	} else {
		buf_append(&doc->text, text);
		good = parse(doc, variables, problems);
	}
	return finish_take(doc, good, problems, err);
}

struct document *document_parse(
    const char *name, struct slice text, struct problems *problems, struct error *err)
{
	return parse_text(name, text, &(const struct variables){0}, problems, err);
}

struct document *document_parse_plain(
    const char *name, struct slice text, struct problems *problems, struct error *err)
{
	return parse_text(name, text, NULL, problems, err);
}

/* "dir/.env" for "dir/settings.yaml"; to free(). */
static char *env_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	int directory = slash != NULL ? (int)(slash + 1 - path) : 0;
	return mem_printf("%.*s.env", directory, path);
}

/* Python projects have a directory of that name: only a file counts. */
static bool is_file_there(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool read_env(const char *path, struct variables *variables, struct problems *problems)
{
	struct buf text = {0};
	struct error err = {0};
	bool is_file, good = true;
	if (is_file_there(path)) {
		good = input_read(path, DOCUMENT_MAX_BYTES, &text, &is_file, &err);
		if (!good)
			problems_add(problems, (struct place){path, 0, 0}, "", "%s", err.text);
		else
			good = variables_read(variables, path, buf_slice(&text), problems);
	}
	buf_release(&text);
	return good;
}

struct document *document_load(const char *path, struct problems *problems, struct error *err)
{
	struct document *doc = create(strcmp(path, "-") == 0 ? "<stdin>" : path);
	bool is_file = false;
	if (!input_read(path, DOCUMENT_MAX_BYTES, &doc->text, &is_file, err)) {
		document_free(doc);
		return NULL;
	}
	struct variables variables = {0};
	bool good = true;
	struct slice text = document_text(doc);
	if (is_file && text.len > 0 && memmem(text.ptr, text.len, "${", 2) != NULL) {
		char *beside = env_path(path);
		good = read_env(beside, &variables, problems);
		free(beside);
	}
	good &= parse(doc, &variables, problems);
	variables_release(&variables);
	return finish_take(doc, good, problems, err);
}

/* --- setting --- */

struct assignment {
	const char *option; /* for errors */
	char *shown;	    /* the path as it was written, for errors */
	struct buf pointer; /* the path */
	struct slice value;
};

static bool refuse(const struct assignment *a, const char *why, struct error *err)
{
	return error_set(err, ERROR_USAGE, "%s: '%s' %s", a->option, a->shown, why);
}

/* The length of the key at the start of a path, quotes included; SIZE_MAX for an open quote. */
static size_t key_length(const char *path)
{
	if (path[0] != '"')
		return strcspn(path, ".=");
	const char *end = strchr(path + 1, '"');
	return end != NULL ? (size_t)(end + 1 - path) : SIZE_MAX;
}

/* Up to the '=', or all of it: what an error may show. */
static char *show_path(const char *text)
{
	const char *at = text;
	for (size_t n; (n = key_length(at)) != SIZE_MAX;) {
		at += n;
		if (*at == '=' || *at == '\0')
			break;
		at++;
	}
	size_t len = *at == '=' ? (size_t)(at - text) : strlen(text);
	char *masked = problems_mask((struct slice){text, len});
	char *shown = text_quote(slice_str(masked));
	free(masked);
	return shown;
}

static bool read_path(struct assignment *a, const char *text, struct error *err)
{
	for (size_t depth = 1;; depth++) {
		size_t len = key_length(text);
		if (len == SIZE_MAX)
			return refuse(a, "has no closing quote", err);
		bool quoted = text[0] == '"';
		if (len == 0 && text[0] != '\0')
			return refuse(a, "has an empty key; accepted: PATH=VALUE", err);
		if (depth > DOCUMENT_MAX_DEPTH)
			return refuse(a, "has too many keys", err);
		pointer_push(&a->pointer, (struct slice){text + quoted, len - 2 * quoted});
		text += len;
		if (text[0] == '=') {
			a->value = slice_str(text + 1);
			return true;
		}
		if (text[0] == '\0')
			return refuse(a, "has no '='; accepted: PATH=VALUE", err);
		if (text[0] != '.')
			return refuse(a, "goes on behind a closing quote", err);
		text++;
	}
}

/* Reads a value as YAML on its own. */
static json_t *read_value(const struct assignment *a, struct error *err)
{
	if (a->value.len > 0 && a->value.ptr[0] == '#') /* no comment, but a binding key */
		return json_stringn_nocheck(a->value.ptr, a->value.len);
	struct nodes nodes = {0};
	struct problems problems = {0};
	struct places places = {0};
	struct tree_target target = {.places = &places, .parent = PLACES_NONE, .pointer = ""};
	json_t *value = NULL;
	if (nodes_read(a->option, a->value, &nodes, &problems) && !nodes.faulty)
		value =
		    nodes.count == 0 ? json_null() : tree_build(&nodes, NULL, &target, &problems);
	if (value == NULL)
		error_set(err, ERROR_USAGE,
		    "%s: the value of '%s' is not YAML: %s; in double quotes it is a text",
		    a->option, a->shown,
		    problems.count > 0 ? problems.items[0].text : "not enough memory");
	places_release(&places);
	problems_release(&problems);
	nodes_release(&nodes);
	return value;
}

static const char *keep_option(struct document *doc, const char *option)
{
	for (size_t i = 0; i < doc->option_count; i++)
		if (strcmp(doc->options[i], option) == 0)
			return doc->options[i];
	doc->options = mem_grow(
	    doc->options, &doc->option_capacity, doc->option_count + 1, sizeof doc->options[0]);
	doc->options[doc->option_count] = mem_strdup(option);
	return doc->options[doc->option_count++];
}

static const char *type_name(const json_t *value)
{
	return json_is_string(value)   ? "a text"
	       : json_is_number(value) ? "a number"
	       : json_is_null(value)   ? "null"
				       : "true or false";
}

/* Refuses a key in a list or in what holds nothing; `parent` is the pointer to that. */
static bool refuse_key(const struct assignment *a, const json_t *holder, struct slice key,
    struct slice parent, struct error *err)
{
	char *path = pointer_path(parent), *shown = text_quote(key);
	if (json_is_array(holder))
		error_set(err, ERROR_USAGE,
		    "%s: '%s': '%s' is not the number of an item; '%s' is a list of %zu, "
		    "counted from 0",
		    a->option, a->shown, shown, path, json_array_size(holder));
	else
		error_set(err, ERROR_USAGE, "%s: '%s': there is no '%s' in '%s', which is %s",
		    a->option, a->shown, shown, path, type_name(holder));
	free(path);
	free(shown);
	return false;
}

static bool item_index(const json_t *list, struct slice key, size_t *index)
{
	struct error ignored = {0}; /* refuse_key says what is accepted */
	uint64_t number = 0;
	if (json_array_size(list) == 0 ||
	    !num_parse_u64(key, 0, json_array_size(list) - 1, &number, &ignored))
		return false;
	*index = (size_t)number;
	return true;
}

/* Puts a value, which it takes, into a mapping or over an item of a list. */
static bool put_take(json_t *holder, struct slice key, json_t *value)
{
	size_t index = 0;
	if (json_is_array(holder) && item_index(holder, key, &index))
		return json_array_set_new(holder, index, value) == 0;
	return json_object_setn_new_nocheck(holder, key.ptr, key.len, value) == 0;
}

static json_t *member(const json_t *holder, struct slice key)
{
	size_t index = 0;
	if (json_is_array(holder))
		return item_index(holder, key, &index) ? json_array_get(holder, index) : NULL;
	return json_object_getn(holder, key.ptr, key.len);
}

/* The node below another; one of a value that was set before stands where that was set. */
static uint32_t enter(struct places *places, uint32_t spot, struct slice name)
{
	uint32_t below = places_find(places, spot, name);
	struct place place = places->spots[spot].value;
	return below != PLACES_NONE ? below : places_add(places, spot, name, place, place);
}

/* Walks to the place of the value, which it takes, and puts it there. All refusals come before the
 * first change: what is made on the way is empty, and there is nothing to refuse in it. */
static bool apply_take(
    struct document *doc, const struct assignment *a, json_t *value, struct error *err)
{
	struct slice rest = buf_slice(&a->pointer);
	struct buf key = {0};
	json_t *at = doc->root;
	uint32_t spot = ROOT;
	const struct place place = {keep_option(doc, a->option), 0, 0};
	bool done = false;
	while (!done) {
		struct slice parent = {a->pointer.ptr, a->pointer.len - rest.len};
		(void)pointer_next(&rest, &key); /* the last key ends the loop */
		struct slice name = buf_slice(&key);
		json_t *below = member(at, name);
		if (!json_is_object(at) && below == NULL) {
			refuse_key(a, at, name, parent, err);
			break;
		}
		done = rest.len == 0;
		bool is_new = done || below == NULL || json_is_null(below);
		if (is_new) {
			below = done ? json_incref(value) : json_object();
			if (!put_take(at, name, below)) {
				done = error_set(err, ERROR_INTERNAL, "not enough memory");
				break;
			}
		}
		spot = is_new ? places_add(&doc->places, spot, name, place, place)
			      : enter(&doc->places, spot, name);
		at = below;
	}
	buf_release(&key);
	json_decref(value);
	return done;
}

bool document_set(
    struct document *doc, const char *option, const char *assignment, struct error *err)
{
	if (!text_is_utf8(slice_str(assignment)))
		return error_set(err, ERROR_USAGE, "%s: the argument is not UTF-8", option);
	struct assignment a = {.option = option, .shown = show_path(assignment)};
	bool done = false;
	if (read_path(&a, assignment, err)) {
		json_t *value = read_value(&a, err);
		done = value != NULL && apply_take(doc, &a, value, err);
	}
	buf_release(&a.pointer);
	free(a.shown);
	return done;
}

/* --- places and findings --- */

struct place document_place(const struct document *doc, const char *pointer)
{
	return places_walk(&doc->places, ROOT, slice_str(pointer))->value;
}

struct place document_key_place(const struct document *doc, const char *pointer)
{
	return places_walk(&doc->places, ROOT, slice_str(pointer))->key;
}

char *document_path(const char *pointer)
{
	return pointer_path(slice_str(pointer));
}

struct check {
	const struct document *doc;
	struct problems *problems;
	bool clean;
};

static void report(void *ctx, const struct schema_finding *finding)
{
	struct check *check = ctx;
	check->clean = false;
	if (problems_full(check->problems)) {
		check->problems->dropped++;
		return;
	}
	struct buf text = {0};
	struct slice where = slice_str(finding->instance);
	const struct spot *spot = places_walk(&check->doc->places, ROOT, where);
	bool is_value = explain_subject(finding) == EXPLAIN_VALUE;
	struct place place = is_value ? spot->value : spot->key;
	char *path = pointer_path(where);
	explain_finding(finding, &text);
	problems_add(check->problems, place, path, "%s", text.ptr ? text.ptr : "");
	free(path);
	buf_release(&text);
}

bool document_check(const struct document *doc, const struct schema *schema,
    struct problems *problems, struct error *err)
{
	struct check check = {.doc = doc, .problems = problems, .clean = true};
	return schema_validate(schema, doc->root, report, &check, err) && check.clean;
}
