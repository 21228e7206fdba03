#include "model/death.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "model/field.h"
#include "model/marks.h"
#include "model/table.h"

#define SHOWN_ERROR_BYTES 2000

/* One entry of x-death. */
struct event {
	struct slice reason, queue, exchange, routing_key; /* ptr NULL: not told */
	uint64_t time_s, count;
};

/* ---- reading ---- */

/* The value of a key if it has this type; NULL ptr otherwise. */
static struct slice find_value(struct slice table, const char *key, char type)
{
	struct table_entry entry = {.rest = table};
	while (table_next(&entry))
		if (slice_is(entry.key, key))
			return entry.type == type ? entry.value : (struct slice){0};
	return (struct slice){0};
}

/* 0 when it is absent or beyond what a clock can show. */
static uint64_t find_time(struct slice table, const char *key)
{
	uint64_t seconds = field_number(find_value(table, key, 'T'));
	return seconds <= INT64_MAX / 1000 ? seconds : 0;
}

/* The first of x-death's routing-keys; those of CC follow it. */
static struct slice first_key(struct slice table)
{
	struct slice value = find_value(table, "routing-keys", 'A');
	struct slice rest = value.ptr != NULL ? field_content(value) : value;
	char type;
	if (!field_take_value(&rest, &type, &value) || type != 'S')
		return (struct slice){0};
	return field_content(value);
}

/* Where to begin, for next_event, which takes the entries one by one, the newest first. */
static struct slice events_of(const struct message *m)
{
	struct slice value = {0};
	if ((m->present & MESSAGE_HEADERS) != 0)
		value = find_value(m->headers, "x-death", 'A');
	return value.ptr != NULL ? field_content(value) : value;
}

static bool next_event(struct slice *rest, struct event *out)
{
	char type;
	struct slice value;
	while (field_take_value(rest, &type, &value)) {
		if (type != 'F')
			continue;
		struct slice table = field_content(value);
		*out = (struct event){.reason = table_find_string(table, "reason"),
		    .queue = table_find_string(table, "queue"),
		    .exchange = table_find_string(table, "exchange"),
		    .routing_key = first_key(table),
		    .time_s = find_time(table, "time"),
		    .count = marks_count(table, "count")};
		return true;
	}
	return false;
}

static void take_origin(const struct event *e, struct death *out)
{
	if (e->exchange.ptr == NULL || e->routing_key.ptr == NULL)
		return;
	out->has_origin = true;
	out->exchange = e->exchange;
	out->routing_key = e->routing_key;
}

static void take_event(const struct event *e, struct death *out)
{
	if (e->reason.ptr != NULL)
		out->reason = e->reason;
	out->queue = e->queue;
	out->time_s = e->time_s;
	out->count = e->count;
}

/* The entry of the first death may stand anywhere: a later death of the same kind moves it up. */
static void read_events(const struct message *m, struct death *out)
{
	struct slice first_queue = table_find_string(m->headers, "x-first-death-queue");
	struct slice first_reason = table_find_string(m->headers, "x-first-death-reason");
	struct slice rest = events_of(m);
	struct event e;
	bool found = false;
	for (bool newest = true; next_event(&rest, &e); newest = false) {
		if (newest)
			take_event(&e, out);
		if (found)
			continue;
		found = first_queue.ptr != NULL && slice_equal(e.queue, first_queue) &&
			slice_equal(e.reason, first_reason);
		take_origin(&e, out); /* without the first one found, the oldest counts */
	}
}

static void read_marks(struct slice headers, struct death *out)
{
	struct slice exchange = table_find_string(headers, MARKS_EXCHANGE);
	struct slice routing_key = table_find_string(headers, MARKS_ROUTING_KEY);
	struct slice reason = table_find_string(headers, MARKS_REASON);
	if (reason.ptr != NULL) {
		out->reason = reason;
		out->error = table_find_string(headers, MARKS_ERROR);
		out->queue = table_find_string(headers, MARKS_QUEUE);
		out->time_s = find_time(headers, MARKS_TIME);
		out->count = marks_count(headers, MARKS_ATTEMPTS);
		out->contract = table_find_string(headers, MARKS_CONTRACT);
		out->instance_path = table_find_string(headers, MARKS_INSTANCE_PATH);
		out->schema_path = table_find_string(headers, MARKS_SCHEMA_PATH);
	}
	if (exchange.ptr != NULL && routing_key.ptr != NULL) {
		out->has_origin = true;
		out->exchange = exchange;
		out->routing_key = routing_key;
	}
	out->returned = marks_count(headers, MARKS_RETURNED);
}

void death_read(const struct message *m, struct death *out)
{
	*out = (struct death){.reason = SLICE("unknown")};
	if ((m->present & MESSAGE_HEADERS) == 0)
		return;
	read_events(m, out);
	read_marks(m->headers, out);
}

/* ---- showing ---- */

static void add_text(struct buf *table, const char *key, struct slice text)
{
	if (text.len > 0)
		table_add_string(table, key, text);
}

static void add_count(struct buf *table, const char *key, uint64_t count)
{
	if (count > 0)
		table_add_int(table, key, count <= INT64_MAX ? (int64_t)count : INT64_MAX);
}

/* As a table of our own first: its JSON has an answer for every byte. */
void death_write_json(const struct death *d, struct buf *out)
{
	struct buf table = {0};
	struct error none = {0};
	add_text(&table, "reason", d->reason);
	add_text(&table, "error", d->error);
	add_text(&table, "queue", d->queue);
	if (d->has_origin) {
		table_add_string(&table, "exchange", d->exchange);
		table_add_string(&table, "routing_key", d->routing_key);
	}
	add_count(&table, "time", d->time_s);
	add_count(&table, "count", d->count);
	add_count(&table, "returned", d->returned);
	add_text(&table, "contract", d->contract);
	if (d->contract.len > 0) { /* empty pointers mean the whole */
		table_add_string(&table, "instance_path", d->instance_path);
		table_add_string(&table, "schema_path", d->schema_path);
	}
	IGNORE_RESULT(
	    table_write_json(buf_slice(&table), out, &none)); /* it is ours: flat, whole */
	buf_release(&table);
}

static void write_event(const struct event *e, const char *verb, struct buf *out)
{
	buf_printf(out, "     %s", verb);
	if (e->reason.len > 0) {
		buf_append_str(out, ": ");
		text_escape(e->reason, 255, out);
	}
	if (e->queue.len > 0) {
		buf_append_str(out, " in queue '");
		text_escape(e->queue, 255, out);
		buf_append_char(out, '\'');
	}
	if (e->count > 0) {
		buf_append_str(out, ", ");
		num_format_count(e->count, out);
		buf_append_str(out, num_noun(e->count, " time", " times"));
	}
	if (e->time_s > 0) {
		buf_append_str(out, ", ");
		chrono_format((int64_t)e->time_s * 1000, out);
	}
	if (e->exchange.ptr != NULL && e->routing_key.ptr != NULL) {
		buf_append_str(out, "; sent to exchange '");
		text_escape(e->exchange, 255, out);
		buf_append_str(out, "' with key '");
		text_escape(e->routing_key, 255, out);
		buf_append_char(out, '\'');
	}
	buf_append_char(out, '\n');
}

static void write_text(const char *what, struct slice text, struct buf *out)
{
	if (text.len == 0)
		return;
	buf_printf(out, "     %s: ", what);
	text_escape(text, SHOWN_ERROR_BYTES, out);
	buf_append_char(out, '\n');
}

static void write_parked(const struct death *d, struct buf *out)
{
	const struct event parked = {.reason = d->reason,
	    .queue = d->queue,
	    .exchange = d->has_origin ? d->exchange : (struct slice){0},
	    .routing_key = d->has_origin ? d->routing_key : (struct slice){0},
	    .time_s = d->time_s,
	    .count = d->count};
	write_event(&parked, "parked", out);
	write_text("error", d->error, out);
	write_text("contract", d->contract, out);
	write_text("schema path", d->schema_path, out);
}

void death_write_lines(const struct message *m, struct buf *out)
{
	struct death d;
	death_read(m, &d);
	if ((m->present & MESSAGE_HEADERS) != 0 && marks_has(m->headers, MARKS_REASON))
		write_parked(&d, out);
	struct slice rest = events_of(m);
	struct event e;
	while (next_event(&rest, &e))
		write_event(&e, "died", out);
	if (d.returned > 0) {
		buf_append_str(out, "     brought back ");
		num_format_count(d.returned, out);
		buf_append_str(out, num_noun(d.returned, " time\n", " times\n"));
	}
}

/* ---- forgetting ---- */

void death_forget(struct slice headers, uint64_t returned, struct buf *out)
{
	/* RabbitMQ 3.13 and 4.x write x-last-death-* and x-acquired-count, too */
	static const char *const written[] = {"x-death", "x-first-death-queue",
	    "x-first-death-reason", "x-first-death-exchange", "x-last-death-queue",
	    "x-last-death-reason", "x-last-death-exchange", "x-delivery-count", "x-acquired-count",
	    MARKS_ATTEMPTS, MARKS_QUEUE, MARKS_EXCHANGE, MARKS_ROUTING_KEY, MARKS_REASON,
	    MARKS_ERROR, MARKS_TIME, MARKS_CONTRACT, MARKS_INSTANCE_PATH, MARKS_SCHEMA_PATH};
	struct mark marks[ARRAY_LEN(written) + 1];
	for (size_t i = 0; i < ARRAY_LEN(written); i++)
		marks[i] = (struct mark){.key = written[i], .kind = MARK_ABSENT};
	marks[ARRAY_LEN(written)] = (struct mark){.key = MARKS_RETURNED,
	    .kind = MARK_INT,
	    .number = returned <= INT64_MAX ? (int64_t)returned : INT64_MAX};
	marks_set(headers, marks, ARRAY_LEN(marks), out);
}
