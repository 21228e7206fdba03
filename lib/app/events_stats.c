/* Events counted: by type, by where they were published, by queue and by time. */
#include "app/events_private.h"

#include "app/events_select.h"
#include "base/census.h"
#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#define MOST_TEXTS 100000 /* of each kind, so that memory stays flat */
#define SHOWN 20	  /* of each kind, for people */
#define NAME_BYTES 60
#define BAR_COLUMNS 40
#define HOUR_BYTES 13 /* of "2026-11-21T08:15:30.250000Z" */
#define DAY_BYTES 10
#define MOST_HOURS 48 /* more are told by the day */

enum kind { BY_TYPE, BY_ROUTE, BY_QUEUE, BY_SUBJECT, BY_HOUR, BY_DAY, KIND_COUNT };

static const struct {
	const char *title; /* for people; NULL: only the number */
	const char *plural;
} kinds[KIND_COUNT] = {
    [BY_TYPE] = {"type", "types"},
    [BY_ROUTE] = {"exchange/key", "routes"},
    [BY_QUEUE] = {"queue", "queues"},
    [BY_SUBJECT] = {NULL, "subjects"},
    [BY_HOUR] = {"hour (UTC)", "hours"},
    [BY_DAY] = {"day (UTC)", "days"},
};

struct stats {
	struct census *by[KIND_COUNT];
	uint64_t count, redelivered, body_bytes;
	uint64_t first, last; /* positions */
	int64_t first_us, last_us;
};

static void count_route(struct stats *stats, const struct select_event *e, struct buf *text)
{
	buf_clear(text);
	buf_append(text, e->exchange);
	buf_append_char(text, '/');
	buf_append(text, e->routing_key);
	census_add(stats->by[BY_ROUTE], buf_slice(text));
}

static void count_time(struct stats *stats, int64_t received_us, struct buf *text)
{
	buf_clear(text);
	chrono_format_us(received_us, text);
	census_add(stats->by[BY_HOUR], (struct slice){text->ptr, HOUR_BYTES});
	census_add(stats->by[BY_DAY], (struct slice){text->ptr, DAY_BYTES});
}

static void count_event(struct stats *stats, const struct select_event *e, struct buf *text)
{
	const struct {
		enum kind kind;
		struct slice text;
	} rows[] = {{BY_TYPE, e->type}, {BY_QUEUE, e->queue}, {BY_SUBJECT, e->subject}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].text.ptr != NULL)
			census_add(stats->by[rows[i].kind], rows[i].text);
	count_route(stats, e, text);
	count_time(stats, e->received_us, text);
	if (stats->count++ == 0) {
		stats->first = e->position;
		stats->first_us = e->received_us;
	}
	stats->last = e->position;
	stats->last_us = e->received_us;
	stats->redelivered += e->redelivered;
	stats->body_bytes += e->body.len;
}

static bool count_all(struct stats *stats, struct events_select *s, struct error *err)
{
	struct select_event e;
	struct buf text = {0};
	while (events_select_next(s, &e, err))
		count_event(stats, &e, &text);
	buf_release(&text);
	return err->kind == ERROR_NONE;
}

/* ---- for people ---- */

static void write_row(const char *name, uint64_t count, struct buf *out)
{
	buf_printf(out, "%-14s ", name);
	num_format_count(count, out);
	buf_append_char(out, '\n');
}

static void write_totals(const struct stats *stats, struct buf *out)
{
	write_row("events", stats->count, out);
	if (stats->count == 0)
		return;
	buf_printf(out, "%-14s %llu to %llu\n%-14s ", "positions", (unsigned long long)stats->first,
	    (unsigned long long)stats->last, "received");
	chrono_format_us(stats->first_us, out);
	buf_append_str(out, " to ");
	chrono_format_us(stats->last_us, out);
	buf_printf(out, "\n%-14s ", "bodies");
	num_format_size(stats->body_bytes, out);
	buf_append_char(out, '\n');
	write_row("redelivered", stats->redelivered, out);
	write_row("subjects", census_size(stats->by[BY_SUBJECT]), out);
}

static void write_bar(uint64_t count, uint64_t most, struct buf *out)
{
	buf_append_str(out, "  ");
	for (uint64_t i = 0; i < (count * BAR_COLUMNS + most - 1) / most; i++)
		buf_append_char(out, '#');
}

/* The most frequent first; times in their order, with a bar. */
static void write_kind(const struct stats *stats, enum kind kind, struct buf *out)
{
	struct census *census = stats->by[kind];
	size_t size = census_size(census), shown = size < SHOWN ? size : SHOWN;
	bool is_time = kind == BY_HOUR || kind == BY_DAY;
	uint64_t most = size > 0 ? census_by_count(census)[0].count : 0;
	const struct census_row *rows =
	    is_time ? census_by_text(census) + (size - shown) : census_by_count(census);
	if (size == 0)
		return;
	buf_printf(out, "\n%14s  %s\n", "events", kinds[kind].title);
	for (size_t i = 0; i < shown; i++) {
		struct buf count = {0};
		num_format_count(rows[i].count, &count);
		buf_printf(out, "%14s  ", count.ptr);
		text_escape(rows[i].text, NAME_BYTES, out);
		if (is_time)
			write_bar(rows[i].count, most, out);
		buf_append_char(out, '\n');
		buf_release(&count);
	}
	if (size > shown)
		buf_printf(
		    out, "%14s  and %zu more%s\n", "", size - shown, is_time ? " before" : "");
	if (census_others(census) > 0)
		buf_printf(out, "%14s  and others, in %llu %s\n", "",
		    (unsigned long long)census_others(census),
		    num_noun(census_others(census), "event", "events"));
}

static void write_table(const struct stats *stats, struct buf *out)
{
	bool few_hours = census_size(stats->by[BY_HOUR]) <= MOST_HOURS;
	const enum kind order[] = {BY_TYPE, BY_ROUTE, BY_QUEUE, few_hours ? BY_HOUR : BY_DAY};
	write_totals(stats, out);
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		write_kind(stats, order[i], out);
}

/* ---- JSON ---- */

static void write_json_text(struct slice text, struct buf *out)
{
	struct buf printable = {0};
	if (!text_is_utf8(text))
		text_escape(text, SIZE_MAX, &printable);
	text_json(printable.len > 0 ? buf_slice(&printable) : text, out);
	buf_release(&printable);
}

static void write_json_rows(struct census *census, struct buf *out)
{
	const struct census_row *rows = census_by_count(census);
	buf_append_char(out, '{');
	for (size_t i = 0; i < census_size(census); i++) {
		buf_append_str(out, i > 0 ? "," : "");
		write_json_text(rows[i].text, out);
		buf_append_char(out, ':');
		buf_append_u64(out, rows[i].count);
	}
	buf_append_char(out, '}');
}

static void write_json_end(const char *name, uint64_t position, int64_t us, struct buf *out)
{
	buf_printf(
	    out, ",\"%s\":{\"position\":%llu,\"received\":\"", name, (unsigned long long)position);
	chrono_format_us(us, out);
	buf_append_str(out, "\"}");
}

static void write_json(const struct stats *stats, struct buf *out)
{
	buf_printf(out,
	    "{\"events\":%llu,\"redelivered\":%llu,\"body_bytes\":%llu,\"subjects\":%zu",
	    (unsigned long long)stats->count, (unsigned long long)stats->redelivered,
	    (unsigned long long)stats->body_bytes, census_size(stats->by[BY_SUBJECT]));
	if (stats->count > 0) {
		write_json_end("first", stats->first, stats->first_us, out);
		write_json_end("last", stats->last, stats->last_us, out);
	}
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (i == BY_SUBJECT)
			continue; /* as many as there are accounts */
		buf_printf(out, ",\"%s\":", kinds[i].plural);
		write_json_rows(stats->by[i], out);
		if (census_others(stats->by[i]) > 0)
			buf_printf(out, ",\"other_%s\":%llu", kinds[i].plural,
			    (unsigned long long)census_others(stats->by[i]));
	}
	buf_append_str(out, "}\n");
}

static bool print(const struct stats *stats, int format, struct error *err)
{
	struct buf text = {0};
	if (format == EVENTS_JSON)
		write_json(stats, &text);
	else
		write_table(stats, &text);
	bool good = tool_print(buf_slice(&text), err);
	buf_release(&text);
	return good;
}

bool events_stats(
    struct tool *tool, const struct events_options *o, char **operands, struct error *err)
{
	if (!events_operands(operands, "stats", NULL, err))
		return false;
	if (o->format == EVENTS_CSV)
		return error_set(err, ERROR_USAGE, "stats prints a table or json");
	struct stats stats = {.count = 0};
	struct store *store = NULL;
	for (size_t i = 0; i < KIND_COUNT; i++)
		stats.by[i] = census_create(MOST_TEXTS);
	struct events_select *s =
	    events_select_create(o, (int64_t)(chrono_wall_ns() / CHRONO_US), err);
	bool good = s != NULL && (store = events_open_store(tool, o, STORE_READ, err)) != NULL &&
		    events_select_open(s, store, err) && count_all(&stats, s, err) &&
		    print(&stats, o->format, err);
	for (size_t i = 0; i < KIND_COUNT; i++)
		census_free(stats.by[i]);
	events_select_free(s);
	store_close(store);
	return good;
}
