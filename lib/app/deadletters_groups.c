#include "app/deadletters_groups.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "model/table.h"

#include <stdlib.h>

#define MAX_GROUPS 1000
#define MAX_KEY_BYTES 255     /* of a text that groups are told apart by */
#define SAMPLE_BODY_BYTES 200 /* of a body; more does not fit on a line */
#define LINE_COLUMNS 80

enum { REASON, QUEUE, ERROR_TEXT, EXCHANGE, ROUTING_KEY, TEXT_COUNT };

/* A message to show what a group is like. */
struct sample {
	char *id; /* as it is */
	size_t id_len;
	char *body; /* its beginning, escaped */
};

struct group {
	struct buf texts[TEXT_COUNT]; /* as they are, cut */
	const char *stays;
	bool has_place;
	uint64_t count;
	uint64_t oldest_s, newest_s; /* 0: no message tells */
	struct sample first, last;
};

struct deadletters_groups {
	struct group *items;
	size_t count, capacity;
	size_t latest; /* where the last message went: runs of one kind are the rule */
};

struct deadletters_groups *deadletters_groups_create(void)
{
	return mem_alloc(1, sizeof(struct deadletters_groups));
}

static void release_sample(struct sample *s)
{
	free(s->id);
	free(s->body);
	*s = (struct sample){0};
}

void deadletters_groups_free(struct deadletters_groups *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->count; i++) {
		for (size_t t = 0; t < TEXT_COUNT; t++)
			buf_release(&g->items[i].texts[t]);
		release_sample(&g->items[i].first);
		release_sample(&g->items[i].last);
	}
	free(g->items);
	free(g);
}

/* ---- counting ---- */

static struct slice cut(struct slice text)
{
	return (struct slice){text.ptr, text.len < MAX_KEY_BYTES ? text.len : MAX_KEY_BYTES};
}

static void take_sample(const struct message *m, struct sample *out)
{
	struct buf body = {0};
	release_sample(out);
	text_escape(m->body, SAMPLE_BODY_BYTES, &body);
	buf_append_str(&body, "");
	out->body = buf_take(&body);
	out->id_len = (m->present & MESSAGE_MESSAGE_ID) != 0 ? m->message_id.len : 0;
	out->id = mem_strndup(out->id_len > 0 ? m->message_id.ptr : "", out->id_len);
}

static bool is_same(const struct group *group, const struct slice texts[], const char *stays)
{
	if (group->stays != stays)
		return false;
	for (size_t i = 0; i < TEXT_COUNT; i++)
		if (!slice_equal(buf_slice(&group->texts[i]), texts[i]))
			return false;
	return true;
}

/* What the last group is called when there are too many. */
static const struct slice others[TEXT_COUNT] = {[REASON] = {"(other groups)", 14}};

static struct group *find(
    struct deadletters_groups *g, const struct slice texts[], const char *stays)
{
	if (g->count > 0 && is_same(&g->items[g->latest], texts, stays))
		return &g->items[g->latest];
	for (g->latest = 0; g->latest < g->count; g->latest++)
		if (is_same(&g->items[g->latest], texts, stays))
			return &g->items[g->latest];
	return NULL;
}

static struct group *add(
    struct deadletters_groups *g, const struct slice texts[], const struct deadletters_place *place)
{
	g->items = mem_grow(g->items, &g->capacity, g->count + 1, sizeof *g->items);
	struct group *group = &g->items[g->count++];
	for (size_t i = 0; i < TEXT_COUNT; i++)
		buf_append(&group->texts[i], texts[i]);
	group->has_place = place != NULL && texts != others;
	group->stays = place != NULL ? place->stays : NULL;
	return group;
}

static void note_time(struct group *group, uint64_t time_s)
{
	if (time_s == 0)
		return;
	if (group->oldest_s == 0 || time_s < group->oldest_s)
		group->oldest_s = time_s;
	if (time_s > group->newest_s)
		group->newest_s = time_s;
}

void deadletters_groups_add(struct deadletters_groups *g, const struct message *m,
    const struct death *d, const struct deadletters_place *place)
{
	static const struct deadletters_place nowhere = {0};
	bool goes = place != NULL && place->stays == NULL;
	const struct deadletters_place *to = goes ? place : &nowhere;
	const char *stays = place != NULL ? place->stays : NULL;
	const struct slice texts[TEXT_COUNT] = {[REASON] = cut(d->reason),
	    [QUEUE] = cut(d->queue),
	    [ERROR_TEXT] = cut(d->error),
	    [EXCHANGE] = to->exchange,
	    [ROUTING_KEY] = to->routing_key};
	struct group *group = find(g, texts, stays);
	if (group == NULL && g->count >= MAX_GROUPS - 1)
		group = find(g, others, stays);
	if (group == NULL)
		group = add(g, g->count < MAX_GROUPS - 1 ? texts : others, place);
	if (group->count++ == 0)
		take_sample(m, &group->first);
	else
		take_sample(m, &group->last);
	note_time(group, d->time_s);
}

size_t deadletters_groups_count(const struct deadletters_groups *g)
{
	return g->count;
}

uint64_t deadletters_groups_going(const struct deadletters_groups *g)
{
	uint64_t count = 0;
	for (size_t i = 0; i < g->count; i++)
		count += g->items[i].stays == NULL ? g->items[i].count : 0;
	return count;
}

/* ---- places ---- */

static void write_quoted(const char *what, struct slice name, struct buf *out)
{
	buf_printf(out, "%s '", what);
	text_escape(name, MAX_KEY_BYTES, out);
	buf_append_char(out, '\'');
}

/* "exchange 'order' with key 'order.new'", "queue 'jobs'"; escaped. */
static void write_place(const struct deadletters_place *place, struct buf *out)
{
	if (place->exchange.len == 0) {
		write_quoted("queue", place->routing_key, out);
		return;
	}
	write_quoted("exchange", place->exchange, out);
	write_quoted(" with key", place->routing_key, out);
}

/* Whether two groups go the same way: to one exchange, or to one queue by the default exchange. */
static bool is_same_way(const struct group *a, const struct group *b)
{
	struct slice exchange = buf_slice(&a->texts[EXCHANGE]);
	return slice_equal(exchange, buf_slice(&b->texts[EXCHANGE])) &&
	       (exchange.len > 0 || slice_equal(buf_slice(&a->texts[ROUTING_KEY]),
					buf_slice(&b->texts[ROUTING_KEY])));
}

void deadletters_groups_write_places(const struct deadletters_groups *g, struct buf *out)
{
	const struct group *first = NULL;
	size_t ways = 0;
	for (size_t i = 0; i < g->count; i++) {
		bool is_new = g->items[i].stays == NULL;
		for (size_t j = 0; j < i && is_new; j++)
			is_new =
			    g->items[j].stays != NULL || !is_same_way(&g->items[i], &g->items[j]);
		if (is_new && ways++ == 0)
			first = &g->items[i];
	}
	if (ways != 1) {
		buf_printf(out, "%zu places", ways);
		return;
	}
	bool by_exchange = first->texts[EXCHANGE].len > 0;
	write_quoted(by_exchange ? "exchange" : "queue",
	    buf_slice(&first->texts[by_exchange ? EXCHANGE : ROUTING_KEY]), out);
}

/* ---- the table ---- */

/* A stable order: what came first stands first among equals. */
static void sort(struct deadletters_groups *g)
{
	for (size_t i = 1; i < g->count; i++) {
		struct group moved = g->items[i];
		size_t at = i;
		for (; at > 0 && g->items[at - 1].count < moved.count; at--)
			g->items[at] = g->items[at - 1];
		g->items[at] = moved;
	}
	g->latest = 0;
}

/* Appends printable text cut to so many columns. A byte is at most a column, but for the few that
 * make up a wide character, and then it is less. */
static void write_cut(struct slice text, size_t columns, struct buf *out)
{
	if (text.len <= columns) {
		buf_append(out, text);
		return;
	}
	size_t end = columns - 3;
	while (end > 0 && ((unsigned char)text.ptr[end] & 0xc0) == 0x80)
		end--; /* not in the middle of a character */
	buf_append(out, (struct slice){text.ptr, end});
	buf_append_str(out, "...");
}

static void write_cell(struct slice raw, size_t columns, struct buf *out)
{
	struct buf text = {0};
	size_t before = out->len;
	if (raw.len == 0)
		buf_append_char(&text, '-');
	text_escape(raw, MAX_KEY_BYTES, &text);
	write_cut(buf_slice(&text), columns, out);
	while (out->len - before < columns + 2)
		buf_append_char(out, ' ');
	buf_release(&text);
}

/* "45s", "10m", "3h", "12d"; "-" when no time is told. */
static void write_age(uint64_t time_s, uint64_t now_s, struct buf *out)
{
	static const struct {
		uint64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	char text[32] = "-";
	uint64_t age = now_s > time_s ? now_s - time_s : 0;
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(units) && age < 2 * units[i].seconds)
		i++;
	struct buf number = {0};
	if (time_s != 0)
		buf_printf(
		    &number, "%llu%c", (unsigned long long)(age / units[i].seconds), units[i].unit);
	buf_printf(out, "%7s", number.len > 0 ? number.ptr : text);
	buf_release(&number);
}

/* A line below the row of a group: a word and a text that is printable already. */
static void write_line(const char *word, struct slice text, struct buf *out)
{
	size_t before = out->len;
	buf_printf(out, "         %-5s  ", word);
	write_cut(text, LINE_COLUMNS - (out->len - before), out);
	buf_append_char(out, '\n');
}

static void write_sample(const char *word, const struct sample *s, struct buf *out)
{
	struct buf text = {0};
	if (s->body == NULL)
		return;
	text_escape((struct slice){s->id, s->id_len}, SIZE_MAX, &text);
	buf_append_str(&text, s->id_len > 0 ? "  " : "");
	buf_append_str(&text, s->body[0] != '\0' ? s->body : "(empty body)");
	write_line(word, buf_slice(&text), out);
	buf_release(&text);
}

static struct deadletters_place place_of(const struct group *group)
{
	return (struct deadletters_place){buf_slice(&group->texts[EXCHANGE]),
	    buf_slice(&group->texts[ROUTING_KEY]), group->stays};
}

static void write_destination(const struct group *group, struct buf *out)
{
	struct buf text = {0};
	struct deadletters_place place = place_of(group);
	if (place.stays == NULL)
		write_place(&place, &text);
	else
		buf_append_str(&text, place.stays);
	if (group->has_place)
		write_line(place.stays == NULL ? "to" : "stays", buf_slice(&text), out);
	buf_release(&text);
}

static void write_error(const struct group *group, struct buf *out)
{
	struct buf text = {0};
	text_escape(buf_slice(&group->texts[ERROR_TEXT]), SIZE_MAX, &text);
	if (text.len > 0)
		write_line("error", buf_slice(&text), out);
	buf_release(&text);
}

void deadletters_groups_write_table(struct deadletters_groups *g, uint64_t now_s, struct buf *out)
{
	sort(g);
	if (g->count > 0)
		buf_printf(out, "%7s  %-15s  %-31s  %7s  %7s\n", "count", "reason", "died in",
		    "oldest", "newest");
	for (size_t i = 0; i < g->count; i++) {
		const struct group *group = &g->items[i];
		struct buf count = {0};
		num_format_count(group->count, &count);
		buf_printf(out, "%7s  ", count.ptr);
		buf_release(&count);
		write_cell(buf_slice(&group->texts[REASON]), 15, out);
		write_cell(buf_slice(&group->texts[QUEUE]), 31, out);
		write_age(group->oldest_s, now_s, out);
		buf_append_str(out, "  ");
		write_age(group->newest_s, now_s, out);
		buf_append_char(out, '\n');
		write_error(group, out);
		write_sample("first", &group->first, out);
		write_sample("last", &group->last, out);
		write_destination(group, out);
	}
}

/* ---- JSON ---- */

static void add_text(struct buf *table, const char *key, struct slice text)
{
	if (text.len > 0)
		table_add_string(table, key, text);
}

static void add_age(struct buf *table, const char *key, uint64_t time_s, uint64_t now_s)
{
	if (time_s != 0)
		table_add_int(table, key, now_s > time_s ? (int64_t)(now_s - time_s) : 0);
}

static void add_sample(
    struct buf *table, const char *id, const char *body, const struct sample *sample)
{
	add_text(table, id, (struct slice){sample->id, sample->id_len});
	if (sample->body != NULL)
		table_add_string(table, body, slice_str(sample->body));
}

/* As a field table first: its JSON has an answer for every byte. */
void deadletters_groups_write_json(struct deadletters_groups *g, uint64_t now_s, struct buf *out)
{
	sort(g);
	for (size_t i = 0; i < g->count; i++) {
		const struct group *group = &g->items[i];
		struct buf table = {0};
		struct error none = {0};
		table_add_int(&table, "count", (int64_t)group->count);
		add_text(&table, "reason", buf_slice(&group->texts[REASON]));
		add_text(&table, "queue", buf_slice(&group->texts[QUEUE]));
		add_text(&table, "error", buf_slice(&group->texts[ERROR_TEXT]));
		add_age(&table, "oldest_age", group->oldest_s, now_s);
		add_age(&table, "newest_age", group->newest_s, now_s);
		add_sample(&table, "first_id", "first_body", &group->first);
		add_sample(&table, "last_id", "last_body", &group->last);
		if (group->has_place && group->stays == NULL) {
			table_add_string(&table, "exchange", buf_slice(&group->texts[EXCHANGE]));
			table_add_string(
			    &table, "routing_key", buf_slice(&group->texts[ROUTING_KEY]));
		}
		add_text(&table, "stays", slice_str(group->stays));
		/* it is ours: flat and whole */
		IGNORE_RESULT(table_write_json(buf_slice(&table), out, &none));
		buf_append_char(out, '\n');
		buf_release(&table);
	}
}
