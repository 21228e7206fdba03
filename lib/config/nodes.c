/*
 * Events rather than libyaml's documents (yaml_parser_load): those put the tag !!str on every plain
 * scalar, so that an explicit one is lost, forget where an alias stands, look anchors up one by
 * one, and are complete before depth or size can be judged (20000 times `{a: ` takes seconds).
 */
#include "config/nodes.h"

#include "base/mem.h"
#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <yaml.h>

#define NONE SIZE_MAX
/* libyaml compares each %TAG with all before it: a mebibyte of them takes half a minute. */
#define MAX_TAG_DIRECTIVES 100

struct reader {
	const char *source;
	struct slice text; /* without its byte order mark */
	struct nodes *nodes;
	size_t open[NODES_MAX_DEPTH]; /* the collections around the next node, outermost first */
	size_t depth;
	json_t *anchors; /* name to index */
	unsigned documents;
	bool stopped;
	bool failed; /* what follows is lost */
	struct problems *problems;
};

static struct place place_of(const struct reader *r, yaml_mark_t mark)
{
	return (struct place){r->source, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

#define REPORT(r, mark, ...)        \
	((r)->nodes->faulty = true, \
	    problems_add((r)->problems, place_of((r), (mark)), "", __VA_ARGS__))

/* --- faults of the syntax --- */

/* libyaml's words for faults that people meet often, and better ones. The first row that fits. */
struct wording {
	const char *problem;
	const char *line_has; /* NULL: whatever the line holds */
	char found;	      /* the character at the fault; 0: any */
	bool at_start;	      /* better placed at the start of what is broken */
	const char *text;
};

#define NO_TOKEN "found character that cannot start any token"
#define NO_KEY "did not find expected key"

static const struct wording wordings[] = {
    {.problem = NO_TOKEN, .found = '\t', .text = "found a tab; indent with spaces"},
    {.problem = NO_TOKEN, .found = '@', .text = "a text that starts with '@' needs quotes"},
    {.problem = NO_TOKEN, .found = '`', .text = "a text that starts with '`' needs quotes"},
    {.problem = NO_TOKEN, .found = '%', .text = "a text that starts with '%' needs quotes"},
    {.problem = "found a tab character that violates indentation",
	.text = "found a tab; indent with spaces"},
    {.problem = "mapping values are not allowed in this context",
	.text = "found ':' inside a text; put the text in quotes, or check the indentation"},
    {.problem = "could not find expected ':'", .text = "found no ':' behind the key"},
    {.problem = "did not find expected alphabetic or numeric character",
	.at_start = true,
	.text = "a text that starts with '*' or '&' needs quotes"},
    {.problem = "found unexpected end of stream",
	.at_start = true,
	.text = "the closing quote is missing"},
    {.problem = "found undefined tag handle",
	.text = "unknown tag; a text that starts with '!' needs quotes"},
    {.problem = "found incompatible YAML document", .text = "only YAML 1.1 and 1.2 are known"},
    {.problem = NO_KEY, .line_has = "{{", .text = "a text that starts with '{{' needs quotes"},
    {.problem = NO_KEY,
	.text = "expected a key here; check the indentation, and the quotes of the value before"},
    {.problem = "did not find expected '-' indicator",
	.text = "expected the '-' of a list item here; check the indentation"},
    {.problem = "did not find expected ',' or ']'",
	.line_has = "${",
	.text = "inside [ ] a text with ${ } needs quotes"},
    {.problem = "did not find expected ',' or '}'",
	.line_has = "${",
	.text = "inside { } a text with ${ } needs quotes"},
};

static bool has_text(struct slice line, const char *text)
{
	return line.len > 0 && memmem(line.ptr, line.len, text, strlen(text)) != NULL;
}

/* Our words for a fault, NULL when there are none. */
static const struct wording *find_wording(
    const struct reader *r, const char *problem, yaml_mark_t mark)
{
	struct slice line = problems_line(r->text, (unsigned)mark.line + 1);
	size_t at = problems_column_bytes(line, mark.column);
	char found = at < line.len ? line.ptr[at] : '\0';
	for (size_t i = 0; i < ARRAY_LEN(wordings); i++) {
		const struct wording *w = &wordings[i];
		if (strcmp(w->problem, problem) == 0 && (w->found == 0 || w->found == found) &&
		    (w->line_has == NULL || has_text(line, w->line_has)))
			return w;
	}
	return NULL;
}

/* Faults of the bytes have no mark, only an offset. */
static void report_bytes(struct reader *r, const yaml_parser_t *parser)
{
	size_t offset = parser->problem_offset;
	if (strstr(parser->problem, "control") != NULL) {
		problems_add(r->problems, problems_place(r->source, r->text, offset), "",
		    "found the control character U+%04X", (unsigned)parser->problem_value);
		return;
	}
	/* For a sequence that breaks off, libyaml names the byte after it. */
	bool breaks_off = strstr(parser->problem, "trailing") != NULL;
	while (breaks_off && offset > 0 && ((unsigned char)r->text.ptr[--offset] & 0xc0) == 0x80)
		;
	problems_add(r->problems, problems_place(r->source, r->text, offset), "",
	    "found the byte \\x%02x, which is not UTF-8", (unsigned char)r->text.ptr[offset]);
}

/* Where a fault is; at the end of the text libyaml is a line too far. */
static struct place fault_place(const struct reader *r, yaml_mark_t mark)
{
	if (problems_line(r->text, (unsigned)mark.line + 1).ptr != NULL)
		return place_of(r, mark);
	struct slice inked = slice_trim(r->text);
	return problems_place(r->source, r->text, (size_t)(inked.ptr + inked.len - r->text.ptr));
}

static void report_syntax(struct reader *r, const yaml_parser_t *parser)
{
	r->failed = true;
	if (parser->error == YAML_READER_ERROR) {
		report_bytes(r, parser);
		return;
	}
	if (parser->problem == NULL) { /* YAML_MEMORY_ERROR has no words */
		problems_add(r->problems, (struct place){r->source, 0, 0}, "", "not enough memory");
		return;
	}
	yaml_mark_t mark = parser->problem_mark, start = parser->context_mark;
	struct place place = fault_place(r, mark);
	const struct wording *better = find_wording(r, parser->problem, mark);
	if (better != NULL)
		problems_add(r->problems, better->at_start ? place_of(r, start) : place, "", "%s",
		    better->text);
	else if (parser->context != NULL && start.line + 1 != place.line)
		problems_add(r->problems, place, "", "%s %s, which starts in line %zu",
		    parser->problem, parser->context, start.line + 1);
	else
		problems_add(r->problems, place, "", "%s%s%s", parser->problem,
		    parser->context ? " " : "", parser->context ? parser->context : "");
}

/* --- tags --- */

struct tag {
	const char *name;
	enum node_kind kind;
	enum scalar_type type;
};

static const struct tag tags[] = {
    {"str", NODE_SCALAR, SCALAR_TEXT},
    {"int", NODE_SCALAR, SCALAR_INTEGER},
    {"float", NODE_SCALAR, SCALAR_REAL},
    {"bool", NODE_SCALAR, SCALAR_BOOLEAN},
    {"null", NODE_SCALAR, SCALAR_NULL},
    {"map", NODE_MAPPING, SCALAR_ANY},
    {"seq", NODE_LIST, SCALAR_ANY},
};

static const char *kind_name(enum node_kind kind)
{
	return kind == NODE_MAPPING ? "a mapping" : kind == NODE_LIST ? "a list" : "a scalar";
}

/* The part of a tag behind "!!"; NULL for others. */
static const char *core_name(const char *tag)
{
	static const char prefix[] = "tag:yaml.org,2002:";
	bool is_core = strncmp(tag, prefix, sizeof prefix - 1) == 0;
	return is_core ? tag + sizeof prefix - 1 : NULL;
}

static const struct tag *find_tag(const char *text)
{
	const char *name = core_name(text);
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(tags); i++)
		if (strcmp(name, tags[i].name) == 0)
			return &tags[i];
	return NULL;
}

static void report_unknown_tag(struct reader *r, yaml_mark_t mark, const char *tag)
{
	const char *name = core_name(tag);
	char *shown = text_quote(slice_str(name != NULL ? name : tag));
	REPORT(r, mark,
	    "unknown tag '%s%s'; accepted: !!str, !!int, !!float, !!bool, !!null, !!map, !!seq; "
	    "a text that starts with '!' needs quotes",
	    name != NULL ? "!!" : "", shown);
	free(shown);
}

/* What a tag makes of a node; `without` is what it is without one. */
static enum scalar_type read_tag(struct reader *r, const yaml_event_t *event,
    const yaml_char_t *tag, enum node_kind kind, enum scalar_type without)
{
	if (tag == NULL)
		return without;
	const char *text = (const char *)tag;
	if (strcmp(text, "!") == 0)
		return SCALAR_TEXT;
	const struct tag *known = find_tag(text);
	if (known == NULL) {
		report_unknown_tag(r, event->start_mark, text);
		return without;
	}
	if (known->kind != kind)
		REPORT(r, event->start_mark, "the tag !!%s does not fit %s", known->name,
		    kind_name(kind));
	return known->type;
}

/* --- nodes --- */

static void stop(struct reader *r)
{
	r->stopped = r->failed = true;
}

static struct node *add_node(struct reader *r, const yaml_event_t *event, enum node_kind kind)
{
	struct nodes *nodes = r->nodes;
	if (nodes->count >= NODES_MAX_COUNT) {
		REPORT(r, event->start_mark, "more than %d keys and values", NODES_MAX_COUNT);
		stop(r);
		return NULL;
	}
	nodes->items =
	    mem_grow(nodes->items, &nodes->capacity, nodes->count + 1, sizeof nodes->items[0]);
	struct node *node = &nodes->items[nodes->count++];
	node->kind = kind;
	node->place = place_of(r, event->start_mark);
	node->after = nodes->count;
	node->target = NONE;
	return node;
}

/* An anchor given again means the later node from then on, as in YAML. */
static void keep_anchor(struct reader *r, const yaml_event_t *event, const yaml_char_t *anchor)
{
	if (anchor == NULL)
		return;
	json_t *index = json_integer((json_int_t)(r->nodes->count - 1));
	if (json_object_set_new_nocheck(r->anchors, (const char *)anchor, index) != 0) {
		REPORT(r, event->start_mark, "not enough memory");
		stop(r);
	}
}

static void add_scalar(struct reader *r, const yaml_event_t *event)
{
	struct node *node = add_node(r, event, NODE_SCALAR);
	if (node == NULL)
		return;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	struct slice value = {(const char *)event->data.scalar.value, event->data.scalar.length};
	node->type = read_tag(
	    r, event, event->data.scalar.tag, NODE_SCALAR, plain ? SCALAR_ANY : SCALAR_TEXT);
	if (memchr(value.ptr, '\0', value.len) != NULL)
		REPORT(r, event->start_mark, "the text holds a NUL character");
	node->text_at = r->nodes->text.len;
	node->length = value.len;
	buf_append(&r->nodes->text, value);
	keep_anchor(r, event, event->data.scalar.anchor);
}

static bool is_open(const struct reader *r, size_t collection)
{
	for (size_t i = 0; i < r->depth; i++)
		if (r->open[i] == collection)
			return true;
	return false;
}

static void add_alias(struct reader *r, const yaml_event_t *event)
{
	struct node *node = add_node(r, event, NODE_ALIAS);
	if (node == NULL)
		return;
	const char *name = (const char *)event->data.alias.anchor;
	const json_t *index = json_object_get(r->anchors, name);
	node->target = index != NULL ? (size_t)json_integer_value(index) : NONE;
	if (index != NULL && !is_open(r, node->target))
		return;
	node->kind = NODE_SCALAR;
	node->type = SCALAR_TEXT;
	if (index == NULL)
		REPORT(r, event->start_mark,
		    "there is no anchor '&%s' before the alias; "
		    "a text that starts with '*' needs quotes",
		    name);
	else
		REPORT(r, event->start_mark,
		    "the alias '*%s' stands inside its own anchor, in line %u", name,
		    r->nodes->items[node->target].place.line);
}

static void open_collection(struct reader *r, const yaml_event_t *event, enum node_kind kind,
    const yaml_char_t *tag, const yaml_char_t *anchor)
{
	if (r->depth == NODES_MAX_DEPTH) {
		REPORT(r, event->start_mark, "nested deeper than %d levels", NODES_MAX_DEPTH);
		stop(r);
		return;
	}
	if (add_node(r, event, kind) == NULL)
		return;
	(void)read_tag(r, event, tag, kind, SCALAR_ANY); /* only its fit matters */
	r->open[r->depth++] = r->nodes->count - 1;
	keep_anchor(r, event, anchor);
}

static void close_collection(struct reader *r)
{
	size_t index = r->open[--r->depth];
	r->nodes->items[index].after = r->nodes->count;
}

static void open_document(struct reader *r, const yaml_event_t *event)
{
	if (++r->documents < 2)
		return;
	REPORT(r, event->start_mark, "a second document starts here; only one is accepted");
	stop(r);
}

static void take_event(struct reader *r, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		open_document(r, event);
		break;
	case YAML_SCALAR_EVENT:
		add_scalar(r, event);
		break;
	case YAML_ALIAS_EVENT:
		add_alias(r, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		open_collection(r, event, NODE_LIST, event->data.sequence_start.tag,
		    event->data.sequence_start.anchor);
		break;
	case YAML_MAPPING_START_EVENT:
		open_collection(r, event, NODE_MAPPING, event->data.mapping_start.tag,
		    event->data.mapping_start.anchor);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		close_collection(r);
		break;
	case YAML_STREAM_END_EVENT:
		r->stopped = true;
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
}

static void read_events(struct reader *r, yaml_parser_t *parser)
{
	while (!r->stopped) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event)) {
			report_syntax(r, parser);
			return;
		}
		take_event(r, &event);
		yaml_event_delete(&event);
	}
}

/* A document of nothing at all, such as "---" or only comments. */
static bool is_blank(const struct nodes *nodes)
{
	const struct node *root = nodes->items;
	return nodes->count == 1 && root->kind == NODE_SCALAR && root->type == SCALAR_ANY &&
	       root->length == 0;
}

static bool starts_with(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

/* By its byte order mark, or by a first character that is ASCII (YAML 1.2.2, section 5.2). */
static bool is_utf16(struct slice text)
{
	if (starts_with(text, SLICE("\xff\xfe")) || starts_with(text, SLICE("\xfe\xff")))
		return true;
	return text.len >= 2 && (text.ptr[0] == '\0') != (text.ptr[1] == '\0');
}

/* Counts what may be a %TAG anywhere, as no text that is meant has so many of them. */
static bool check_directives(const char *source, struct slice text, struct problems *problems)
{
	const char *at = text.ptr, *end = text.ptr + text.len;
	for (size_t count = 0; at != NULL && at < end; count++) {
		at = memmem(at, (size_t)(end - at), "%TAG", 4);
		if (at != NULL && count == MAX_TAG_DIRECTIVES) {
			struct place place = problems_place(source, text, (size_t)(at - text.ptr));
			problems_add(problems, place, "", "more than %d %%TAG directives",
			    MAX_TAG_DIRECTIVES);
			return false;
		}
		at = at != NULL ? at + 4 : NULL;
	}
	return true;
}

bool nodes_read(const char *source, struct slice text, struct nodes *out, struct problems *problems)
{
	struct reader r = {.source = source, .text = text, .nodes = out, .problems = problems};
	yaml_parser_t parser;
	if (is_utf16(text)) {
		problems_add(problems, (struct place){source, 1, 1}, "",
		    "the text is UTF-16; save it as UTF-8");
		return false;
	}
	if (starts_with(text, SLICE("\xef\xbb\xbf")))
		r.text = (struct slice){text.ptr + 3, text.len - 3};
	if (!check_directives(source, r.text, problems))
		return false;
	if (!yaml_parser_initialize(&parser)) {
		problems_add(problems, (struct place){source, 0, 0}, "", "not enough memory");
		return false;
	}
	r.anchors = json_object();
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser,
	    r.text.len > 0 ? (const unsigned char *)r.text.ptr : (const unsigned char *)"",
	    r.text.len);
	read_events(&r, &parser);
	yaml_parser_delete(&parser);
	json_decref(r.anchors);
	if (is_blank(out))
		out->count = 0;
	return !r.failed;
}

struct slice nodes_text(const struct nodes *nodes, const struct node *scalar)
{
	return (struct slice){nodes->text.ptr + scalar->text_at, scalar->length};
}

void nodes_release(struct nodes *nodes)
{
	free(nodes->items);
	buf_release(&nodes->text);
	*nodes = (struct nodes){0};
}
