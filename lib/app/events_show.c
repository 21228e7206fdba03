/* Everything of one event. */
#include "app/events_private.h"

#include "app/events_line.h"
#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/skim.h"
#include "base/text.h"
#include "store/select.h"

#include <jansson.h>
#include <stdlib.h>

#define NAME_COLUMNS 18
#define HEADER_COLUMNS 32 /* their names are longer */

static void pad_name(const char *name, size_t indent, struct buf *out)
{
	size_t before = out->len;
	buf_printf(out, "%*s", (int)indent, "");
	text_escape(slice_str(name), SIZE_MAX, out);
	do
		buf_append_char(out, ' ');
	while (out->len - before < (indent > 2 ? HEADER_COLUMNS : NAME_COLUMNS));
}

/* Nothing for what the event has not. */
static void write_text(const char *name, struct slice text, struct buf *out)
{
	if (text.ptr == NULL)
		return;
	pad_name(name, 0, out);
	text_escape(text, SIZE_MAX, out);
	buf_append_char(out, '\n');
}

static void write_number(const char *name, uint64_t number, struct buf *out)
{
	pad_name(name, 0, out);
	buf_append_u64(out, number);
	buf_append_char(out, '\n');
}

static void write_time(int64_t received_us, struct buf *out)
{
	pad_name("received", 0, out);
	chrono_format_us(received_us, out);
	buf_append_char(out, '\n');
}

static void write_hash(const unsigned char *hash, struct buf *out)
{
	pad_name("hash", 0, out);
	for (size_t i = 0; i < STORE_HASH_BYTES; i++)
		buf_printf(out, "%02x", hash[i]);
	buf_append_char(out, '\n');
}

static void write_envelope(const struct select_event *e, struct buf *out)
{
	write_number("position", e->position, out);
	write_time(e->received_us, out);
	write_text("type", e->type, out);
	write_text("subject", e->subject, out);
	if (e->version > 0)
		write_number("version", e->version, out);
	write_text("id", e->id, out);
	write_text("source", e->source, out);
	write_text("time", e->time, out);
	write_text("exchange", e->exchange, out);
	write_text("routing_key", e->routing_key, out);
	write_text("queue", e->queue, out);
	if (e->stream_offset >= 0)
		write_number("stream_offset", (uint64_t)e->stream_offset, out);
	write_text("redelivered", slice_str(e->redelivered ? "yes" : "no"), out);
	write_hash(e->hash, out);
}

/* ---- properties ---- */

static void write_value(const char *name, const json_t *value, size_t indent, struct buf *out)
{
	char *made =
	    json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	struct slice text =
	    made != NULL ? slice_str(made)
			 : (struct slice){json_string_value(value), json_string_length(value)};
	pad_name(name, indent, out);
	text_escape(text, SIZE_MAX, out);
	buf_append_char(out, '\n');
	free(made);
}

static void write_members(json_t *object, size_t indent, struct buf *out)
{
	for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i)) {
		const char *name = json_object_iter_key(i);
		json_t *value = json_object_iter_value(i);
		if (indent == 2 && strcmp(name, "headers") == 0 && json_is_object(value)) {
			buf_append_str(out, "  headers\n");
			write_members(value, indent + 2, out);
		} else {
			write_value(name, value, indent, out);
		}
	}
}

static void write_properties(struct slice text, struct buf *out)
{
	json_t *properties = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, NULL);
	if (json_object_size(properties) > 0)
		buf_append_str(out, "properties\n");
	write_members(properties, 2, out);
	json_decref(properties);
}

/* ---- the body ---- */

static void break_line(size_t depth, struct buf *out)
{
	buf_append_char(out, '\n');
	for (size_t i = 0; i < depth; i++)
		buf_append_str(out, "  ");
}

/* JSON laid out over lines, each token as it was sent: 1.10 stays 1.10. */
static void lay_out(struct slice json, struct buf *out)
{
	size_t depth = 0;
	bool in_string = false, is_new = false; /* new: behind an opening bracket */
	for (size_t i = 0; i < json.len; i++) {
		char c = json.ptr[i];
		if (in_string) {
			buf_append_char(out, c);
			if (c == '\\' && i + 1 < json.len)
				buf_append_char(out, json.ptr[++i]);
			in_string = c != '"';
			continue;
		}
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
			continue;
		bool closes = c == '}' || c == ']';
		if (closes)
			depth--;
		if (is_new != closes && (is_new || closes))
			break_line(depth, out);
		buf_append_char(out, c);
		in_string = c == '"';
		is_new = c == '{' || c == '[';
		depth += is_new;
		if (c == ',')
			break_line(depth, out);
		else if (c == ':')
			buf_append_char(out, ' ');
	}
}

static void write_body(struct slice body, struct buf *out)
{
	pad_name("body", 0, out);
	num_format_size(body.len, out);
	buf_append_str(out, body.len > 0 ? "\n" : "");
	bool is_json = text_is_utf8(body) && skim_is_json(body);
	struct buf laid_out = {0};
	if (is_json)
		lay_out(body, &laid_out);
	text_escape_lines(is_json ? buf_slice(&laid_out) : body, SIZE_MAX, out);
	buf_append_char(out, '\n');
	buf_release(&laid_out);
}

/* ---- the event ---- */

static bool write_event(
    const struct select_event *e, int format, struct buf *out, struct error *err)
{
	if (format == EVENTS_JSON)
		return events_line_write(e, out, err);
	if (out->len > 0)
		buf_append_char(out, '\n');
	write_envelope(e, out);
	write_properties(e->properties, out);
	write_body(e->body, out);
	return true;
}

/* How many there are; of an id that was used again all. */
static bool show(struct store *store, const struct select_filter *filter, int format,
    uint64_t *count, struct error *err)
{
	struct select_event e;
	struct buf text = {0};
	*count = 0;
	struct select *rows = select_open(store, filter, err);
	bool good = rows != NULL;
	for (; good && select_next(rows, &e, err); ++*count)
		good = write_event(&e, format, &text, err);
	good =
	    good && err->kind == ERROR_NONE && (*count == 0 || tool_print(buf_slice(&text), err));
	select_close(rows);
	buf_release(&text);
	return good;
}

/* A number is a position; when there is none such, it may be an id as well. */
static bool find(struct store *store, const char *name, int format, struct error *err)
{
	struct error ignored = {0}; /* it is an id then */
	struct select_filter by_position = {0}, by_id = {.ids = &name, .id_count = 1};
	uint64_t count = 0;
	bool is_number = num_parse_u64(slice_str(name), 1, INT64_MAX, &by_position.from, &ignored);
	by_position.to = by_position.from;
	if (is_number && !show(store, &by_position, format, &count, err))
		return false;
	if (count == 0 && !show(store, &by_id, format, &count, err))
		return false;
	if (count > 0)
		return true;
	char *shown = text_quote(slice_str(name));
	error_set(err, ERROR_NO_INPUT, "store '%s' has no event %s'%s'", store_path(store),
	    is_number ? "" : "with the id ", shown);
	free(shown);
	return false;
}

bool events_show(
    struct tool *tool, const struct events_options *o, char **operands, struct error *err)
{
	if (!events_operands(operands, "show", "the position of an event, or its id", err))
		return false;
	if (o->format == EVENTS_CSV)
		return error_set(err, ERROR_USAGE, "show prints a table or json");
	struct store *store = events_open_store(tool, o, STORE_READ, err);
	bool good = store != NULL && find(store, operands[0], o->format, err);
	store_close(store);
	return good;
}
