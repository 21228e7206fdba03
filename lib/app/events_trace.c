/* The tree of a trace, out of the messages that were recorded: what was made of what. */
#include "app/events_private.h"

#include "app/trace_tree.h"
#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "model/envelope.h"
#include "model/marks.h"
#include "model/table.h"
#include "store/select.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_INDENT 60 /* levels; what is deeper stands below each other */
#define KEY_BYTES 64

/* What one message tells of where it comes from. Borrowed, but for what is parsed of the body. */
struct origin {
	bool has_trace;
	struct trace trace; /* whose span has sent it */
	struct trace begun; /* whose span the event began in */
	struct slice cause;
	json_t *event; /* of a structured one; NULL: none */
};

/* ---- what a message tells ---- */

static struct slice member(const json_t *event, const char *name)
{
	const json_t *value = json_object_get(event, name);
	return json_is_string(value)
		   ? (struct slice){json_string_value(value), json_string_length(value)}
		   : (struct slice){0};
}

/* An attribute of the event: in the headers with any of the prefixes, or in the body. */
static struct slice attribute(const struct message *m, const json_t *event, const char *name)
{
	for (size_t i = 0; i < ENVELOPE_PREFIX_COUNT; i++) {
		char key[KEY_BYTES];
		snprintf(key, sizeof key, "%.*s%s", (int)envelope_prefixes[i].len,
		    envelope_prefixes[i].ptr, name);
		struct slice value = table_find_string(m->headers, key);
		if (value.len > 0)
			return value;
	}
	return member(event, name);
}

static bool is_structured(const struct message *m)
{
	const size_t len = strlen(ENVELOPE_CONTENT_TYPE);
	return (m->present & MESSAGE_CONTENT_TYPE) != 0 && m->content_type.len >= len &&
	       memcmp(m->content_type.ptr, ENVELOPE_CONTENT_TYPE, len) == 0;
}

/* To be released with json_decref(out->event). */
static void read_origin(const struct message *m, struct origin *out)
{
	struct slice state;
	*out = (struct origin){0};
	if (is_structured(m) && m->body.len > 0)
		out->event = json_loadb(m->body.ptr, m->body.len, JSON_ALLOW_NUL, NULL);
	bool has_begun = trace_parse(attribute(m, out->event, TRACE_PARENT), &out->begun);
	out->has_trace = trace_read(m->headers, &out->trace, &state);
	if (!out->has_trace && has_begun) {
		out->trace = out->begun;
		out->has_trace = true;
	}
	if (!has_begun)
		out->begun = out->trace;
	out->cause = table_find_string(m->headers, MARKS_CAUSE);
	if (out->cause.len == 0)
		out->cause = attribute(m, out->event, "causationid");
}

static bool origin_of(
    const struct select_event *e, struct buf *kept, struct origin *out, struct error *err)
{
	struct message m;
	if (!select_message(e, kept, &m, err))
		return false;
	if ((m.present & MESSAGE_HEADERS) == 0)
		m.headers = (struct slice){"", 0};
	read_origin(&m, out);
	return true;
}

/* ---- which trace ---- */

/* The trace of the first event that the filter finds; *found: there is an event. */
static bool trace_of(struct store *store, const struct select_filter *filter, bool *found,
    struct origin *out, struct error *err)
{
	struct select_event e;
	struct buf kept = {0};
	struct select *rows = select_open(store, filter, err);
	*found = rows != NULL && select_next(rows, &e, err);
	if (*found && origin_of(&e, &kept, out, err))
		json_decref(out->event);
	select_close(rows);
	buf_release(&kept);
	return err->kind == ERROR_NONE;
}

/* Or a whole traceparent. */
static bool is_trace_id(const char *text, struct trace *out)
{
	char *parent = mem_printf("00-%s-0000000000000001-01", text);
	bool good = strlen(text) == TRACE_ID_CHARS && trace_parse(slice_str(parent), out);
	free(parent);
	return good || trace_parse(slice_str(text), out);
}

/* A trace id or a whole traceparent; else the position or the id of an event. */
static bool choose_trace(
    struct store *store, const char *name, char out[TRACE_ID_CHARS + 1], struct error *err)
{
	struct select_filter by_position = {0}, by_id = {.ids = &name, .id_count = 1};
	struct origin origin = {0};
	struct error ignored = {0}; /* it is no number then */
	bool found = false;
	if (is_trace_id(name, &origin.trace)) {
		memcpy(out, origin.trace.trace_id, TRACE_ID_CHARS);
		return true;
	}
	bool is_number = num_parse_u64(slice_str(name), 1, INT64_MAX, &by_position.from, &ignored);
	by_position.to = by_position.from;
	if ((is_number && !trace_of(store, &by_position, &found, &origin, err)) ||
	    (!found && !trace_of(store, &by_id, &found, &origin, err)))
		return false;
	char *shown = text_quote(slice_str(name));
	if (!found)
		error_set(err, ERROR_NO_INPUT,
		    "store '%s' has no event '%s', and a trace id has 32 hexadecimal digits",
		    store_path(store), shown);
	else if (!origin.has_trace)
		error_set(err, ERROR_NO_INPUT,
		    "event '%s' belongs to no trace: a message gets a traceparent by 'trace: true' "
		    "in the settings, or where spans are exported",
		    shown);
	free(shown);
	memcpy(out, origin.trace.trace_id, TRACE_ID_CHARS);
	return err->kind == ERROR_NONE;
}

/* ---- its messages ---- */

static char *copy(struct slice text)
{
	return mem_strndup(text.len > 0 ? text.ptr : "", text.len);
}

static void add_event(
    struct trace_tree *tree, const struct select_event *e, const struct origin *origin)
{
	struct trace_tree_node *n = trace_tree_add(tree);
	n->position = e->position;
	n->time_us = e->received_us;
	n->id = copy(e->id);
	n->cause = copy(origin->cause);
	n->type = copy(e->type);
	n->exchange = copy(e->exchange);
	n->routing_key = copy(e->routing_key);
	n->queue = copy(e->queue);
	memcpy(n->span, origin->trace.span_id, TRACE_SPAN_CHARS);
	memcpy(n->origin, origin->begun.span_id, TRACE_SPAN_CHARS);
}

static bool collect(
    struct store *store, const char *trace_id, struct trace_tree *tree, struct error *err)
{
	const struct select_filter filter = {.trace = trace_id};
	struct select_event e;
	struct buf kept = {0};
	struct select *rows = select_open(store, &filter, err);
	bool good = rows != NULL;
	while (good && select_next(rows, &e, err)) {
		struct origin origin = {0};
		good = origin_of(&e, &kept, &origin, err);
		/* the digits may stand anywhere in what was looked through */
		bool belongs = good && origin.has_trace &&
			       memcmp(origin.trace.trace_id, trace_id, TRACE_ID_CHARS) == 0;
		if (belongs && tree->count == TRACE_TREE_MOST)
			good = error_set(err, ERROR_DATA, "the trace has more than %d messages",
			    TRACE_TREE_MOST);
		if (belongs && good)
			add_event(tree, &e, &origin);
		json_decref(origin.event);
	}
	select_close(rows);
	buf_release(&kept);
	return good && err->kind == ERROR_NONE;
}

/* ---- what is printed ---- */

/* The strokes before a node: for each level above it, whether something follows there. */
static void write_strokes(const struct trace_tree *t, size_t node, struct buf *out)
{
	bool follows[MOST_INDENT];
	size_t depth = t->nodes[node].depth;
	size_t levels = depth < MOST_INDENT ? depth : MOST_INDENT;
	size_t i = node;
	for (size_t skipped = levels; skipped < depth; skipped++)
		i = t->nodes[i].parent;
	for (size_t level = levels; level > 0; level--) {
		follows[level - 1] = !t->nodes[i].is_last;
		i = t->nodes[i].parent;
	}
	for (size_t level = 0; level + 1 < levels; level++)
		buf_append_str(out, follows[level] ? "│  " : "   ");
	if (levels > 0)
		buf_append_str(out, follows[levels - 1] ? "├─ " : "└─ ");
}

static void write_since(int64_t us, struct buf *out)
{
	char text[32];
	if (us < 1000000)
		snprintf(text, sizeof text, "%.1fms", (double)us / 1e3);
	else
		snprintf(text, sizeof text, "%.3fs", (double)us / 1e6);
	buf_printf(out, "%10s  ", text);
}

static void write_field(const char *before, const char *text, struct buf *out)
{
	if (text[0] == '\0')
		return;
	buf_append_str(out, before);
	text_escape(slice_str(text), SIZE_MAX, out);
}

static void write_row(const struct trace_tree *t, size_t i, struct buf *out)
{
	const struct trace_tree_node *n = &t->nodes[i];
	write_since(n->time_us - t->nodes[0].time_us, out);
	write_strokes(t, i, out);
	write_field("", n->type[0] != '\0' ? n->type : "(no type)", out);
	buf_append_str(out, "  ");
	write_field("", n->exchange, out);
	write_field(n->exchange[0] != '\0' ? "/" : "", n->routing_key, out);
	buf_printf(out, "  #%" PRIu64, n->position);
	write_field(" ", n->id, out);
	if (n->lacks_cause)
		write_field("  (its cause is not recorded: ", n->cause, out);
	buf_append_str(out, n->lacks_cause ? ")\n" : "\n");
}

static void write_table(const struct trace_tree *t, const char *trace_id, struct buf *out)
{
	const struct trace_tree_node *last = &t->nodes[t->count - 1];
	buf_printf(out, "trace %s: ", trace_id);
	num_format_count(t->count, out);
	buf_append_str(out, num_noun(t->count, " message in ", " messages in "));
	num_format_duration((uint64_t)(last->time_us - t->nodes[0].time_us) * CHRONO_US, out);
	buf_append_str(out, " from ");
	chrono_format(t->nodes[0].time_us / 1000, out);
	buf_append_str(out, " on\n");
	for (size_t i = t->first; i != TRACE_TREE_NONE; i = trace_tree_next(t, i))
		write_row(t, i, out);
}

/* NULL for what is not there. */
static json_t *text_or_null(const char *text)
{
	return text[0] != '\0' && text_is_utf8(slice_str(text)) ? json_string(text) : json_null();
}

static void write_json(const struct trace_tree *t, const char *trace_id, struct buf *out)
{
	for (size_t i = t->first; i != TRACE_TREE_NONE; i = trace_tree_next(t, i)) {
		const struct trace_tree_node *n = &t->nodes[i];
		struct buf received = {0};
		chrono_format_us(n->time_us, &received);
		json_t *line = json_pack("{s:s, s:I, s:o, s:i, s:s, s:f, s:o, s:o, s:s%, s:o, s:o, "
					 "s:o, s:o, s:b}",
		    "trace", trace_id, "position", (json_int_t)n->position, "parent",
		    n->parent != TRACE_TREE_NONE
			? json_integer((json_int_t)t->nodes[n->parent].position)
			: json_null(),
		    "depth", (int)n->depth, "received", received.ptr, "since",
		    (double)(n->time_us - t->nodes[0].time_us) / 1e6, "id", text_or_null(n->id),
		    "type", text_or_null(n->type), "span", n->span, (size_t)TRACE_SPAN_CHARS,
		    "exchange",
		    json_string(text_is_utf8(slice_str(n->exchange)) ? n->exchange : ""),
		    "routing_key", text_or_null(n->routing_key), "queue", text_or_null(n->queue),
		    "cause", text_or_null(n->cause), "lacks_cause", n->lacks_cause);
		char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(12));
		buf_append_str(out, text);
		buf_append_char(out, '\n');
		free(text);
		json_decref(line);
		buf_release(&received);
	}
}

static bool print_tree(const struct trace_tree *t, const char *trace_id, int format,
    struct store *store, struct error *err)
{
	struct buf text = {0};
	if (t->count == 0)
		return error_set(err, ERROR_NO_INPUT, "store '%s' has no message of trace %s",
		    store_path(store), trace_id);
	if (format == EVENTS_JSON)
		write_json(t, trace_id, &text);
	else
		write_table(t, trace_id, &text);
	bool good = tool_print(buf_slice(&text), err);
	buf_release(&text);
	return good;
}

bool events_trace(
    struct tool *tool, const struct events_options *o, char **operands, struct error *err)
{
	char trace_id[TRACE_ID_CHARS + 1] = "";
	struct trace_tree tree = {0};
	if (!events_operands(
		operands, "trace", "a trace id, or the position or id of one of its events", err))
		return false;
	if (o->format == EVENTS_CSV)
		return error_set(err, ERROR_USAGE, "trace prints a table or json");
	struct store *store = events_open_store(tool, o, STORE_READ, err);
	bool good = store != NULL && choose_trace(store, operands[0], trace_id, err) &&
		    collect(store, trace_id, &tree, err);
	trace_tree_link(&tree);
	good = good && print_tree(&tree, trace_id, o->format, store, err);
	trace_tree_release(&tree);
	store_close(store);
	return good;
}
