/* Events a line each, for people, for programs and for spreadsheets. */
#include "app/events_private.h"

#include "app/events_select.h"
#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/sheet.h"

#define SHORT_ID_BYTES 13
#define PREVIEW_BYTES 1000

struct line {
	const struct select_event *event;
	struct buf received, what, id, size; /* made for the line */
};

/* ---- for people ---- */

static const char *const table_names[] = {
    "position", "received", "what", "subject", "id", "size", "body"};

/* The type, or where it was published. */
static struct slice name_event(struct line *l)
{
	const struct select_event *e = l->event;
	if (e->type.len > 0)
		return e->type;
	buf_clear(&l->what);
	buf_append(&l->what, e->exchange);
	buf_append_str(&l->what, e->exchange.len > 0 ? "/" : "");
	buf_append(&l->what, e->routing_key);
	return buf_slice(&l->what);
}

static struct slice shorten_id(struct line *l)
{
	struct slice id = l->event->id;
	if (id.len <= SHORT_ID_BYTES)
		return id;
	buf_clear(&l->id);
	buf_append(&l->id, (struct slice){id.ptr, SHORT_ID_BYTES - 2});
	buf_append_str(&l->id, "..");
	return buf_slice(&l->id);
}

static struct slice preview(struct slice body)
{
	return (struct slice){body.ptr, body.len < PREVIEW_BYTES ? body.len : PREVIEW_BYTES};
}

static bool add_table_row(struct line *l, struct sheet *sheet, struct error *err)
{
	const struct select_event *e = l->event;
	buf_clear(&l->received);
	chrono_format(e->received_us / 1000, &l->received);
	buf_clear(&l->size);
	num_format_size(e->body.len, &l->size);
	const struct sheet_cell cells[ARRAY_LEN(table_names)] = {sheet_integer(e->position),
	    sheet_text(buf_slice(&l->received)), sheet_text(name_event(l)), sheet_text(e->subject),
	    sheet_text(shorten_id(l)), sheet_text(buf_slice(&l->size)),
	    sheet_text(preview(e->body))};
	return sheet_add(sheet, cells, err);
}

/* ---- CSV ---- */

static const char *const csv_names[] = {"position", "received", "redelivered", "queue",
    "stream_offset", "exchange", "routing_key", "id", "type", "source", "subject", "version",
    "time", "properties", "body"};

static bool add_csv_row(struct line *l, struct sheet *sheet, struct error *err)
{
	const struct select_event *e = l->event;
	buf_clear(&l->received);
	chrono_format_us(e->received_us, &l->received);
	struct sheet_cell none = {.kind = SHEET_NULL};
	const struct sheet_cell cells[ARRAY_LEN(csv_names)] = {sheet_integer(e->position),
	    sheet_text(buf_slice(&l->received)), sheet_integer(e->redelivered),
	    sheet_text(e->queue),
	    e->stream_offset < 0 ? none : sheet_integer((uint64_t)e->stream_offset),
	    sheet_text(e->exchange), sheet_text(e->routing_key), sheet_text(e->id),
	    sheet_text(e->type), sheet_text(e->source), sheet_text(e->subject),
	    e->version == 0 ? none : sheet_integer(e->version), sheet_text(e->time),
	    sheet_text(e->properties), sheet_text(e->body)};
	return sheet_add(sheet, cells, err);
}

static bool write_rows(struct events_select *s, bool is_csv, struct sheet *sheet, struct error *err)
{
	struct select_event e;
	struct line l = {.event = &e};
	bool good = true;
	while (good && events_select_next(s, &e, err))
		good = is_csv ? add_csv_row(&l, sheet, err) : add_table_row(&l, sheet, err);
	buf_release(&l.received);
	buf_release(&l.what);
	buf_release(&l.id);
	buf_release(&l.size);
	return good && err->kind == ERROR_NONE && sheet_end(sheet, err);
}

bool events_list(
    struct tool *tool, const struct events_options *o, char **operands, struct error *err)
{
	if (!events_operands(operands, "list", NULL, err))
		return false;
	if (o->format == EVENTS_JSON)
		return events_export(tool, o, operands, err);
	bool is_csv = o->format == EVENTS_CSV;
	struct store *store = NULL;
	struct events_select *s =
	    events_select_create(o, (int64_t)(chrono_wall_ns() / CHRONO_US), err);
	struct sheet *sheet = is_csv
				  ? sheet_create(SHEET_CSV, csv_names, ARRAY_LEN(csv_names))
				  : sheet_create(SHEET_TABLE, table_names, ARRAY_LEN(table_names));
	bool good = s != NULL && (store = events_open_store(tool, o, STORE_READ, err)) != NULL &&
		    events_select_open(s, store, err) && write_rows(s, is_csv, sheet, err);
	sheet_free(sheet);
	events_select_free(s);
	store_close(store);
	return good;
}
