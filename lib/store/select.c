#include "store/select.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/skim.h"
#include "base/text.h"
#include "model/record.h"
#include "store/store_private.h"

#include <stdio.h>
#include <stdlib.h>

/* Rows are read ahead, so many or so much at once: a statement that is under way while whoever asks
 * waits for a reader or a broker would keep the log of the file from being taken up into it. */
#define CHUNK 256
#define CHUNK_BYTES ((size_t)256 << 10)
#define CHUNK_NS (20 * CHRONO_MS)

/* Its texts stand in `bytes`, one behind the other, in the order of texts[]. */
struct row {
	struct select_event event;
	unsigned char hash[STORE_HASH_BYTES];
};

struct select {
	struct store *store;
	struct select_filter filter; /* texts borrowed; from and to move on */
	sqlite3_stmt *statement;
	uint64_t left; /* of the limit */
	struct row rows[CHUNK];
	size_t count, next; /* rows; the one that is given next */
	size_t chunk;	    /* rows to read next: few at first, who wants one gets it at once */
	struct buf bytes;
	size_t at; /* in bytes: the texts of the next row */
	bool is_done;
};

enum column {
	COLUMN_POSITION,
	COLUMN_RECEIVED,
	COLUMN_REDELIVERED,
	COLUMN_QUEUE,
	COLUMN_STREAM_OFFSET,
	COLUMN_ID,
	COLUMN_TYPE,
	COLUMN_SOURCE,
	COLUMN_SUBJECT,
	COLUMN_TIME,
	COLUMN_VERSION,
	COLUMN_EXCHANGE,
	COLUMN_ROUTING_KEY,
	COLUMN_PROPERTIES,
	COLUMN_BODY,
	COLUMN_DATA,
	COLUMN_HASH,
};
#define COLUMNS                                                                                   \
	"position, received, redelivered, queue, stream_offset, id, type, source, subject, time," \
	" %s AS version, exchange, routing_key, properties, body, data, hash"

/* ---- the question ---- */

static void write_list(struct buf *sql, const char *name, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(sql, "%s:%s%zu", i > 0 ? ", " : "", name, i);
}

static void write_in(struct buf *sql, const char *column, size_t count)
{
	if (count == 0)
		return;
	buf_printf(sql, " AND %s IN (", column);
	write_list(sql, column, count);
	buf_append_char(sql, ')');
}

static void write_keys(struct buf *sql, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(
		    sql, "%stopic_matches(:key%zu, routing_key)", i == 0 ? " AND (" : " OR ", i);
	if (count > 0)
		buf_append_char(sql, ')');
}

/* Of the index, or of what is behind it (tail.h). */
struct part {
	const char *table, *condition;
	const char *version; /* the column, and */
	const char *from;    /* the first position; NULL: as they are called */
};

static void write_part(struct buf *sql, const struct select_filter *f, const struct part *part)
{
	buf_printf(sql, "SELECT " COLUMNS " FROM %s WHERE %s",
	    part->version != NULL ? part->version : "version", part->table, part->condition);
	buf_printf(
	    sql, " AND position BETWEEN %s AND :to", part->from != NULL ? part->from : ":from");
	buf_append_str(sql, f->since_us != 0 ? " AND received >= :since" : "");
	buf_append_str(sql, f->until_us != 0 ? " AND received < :until" : "");
	buf_append_str(sql, f->exchange != NULL ? " AND exchange = :exchange" : "");
	write_in(sql, "type", f->type_count);
	write_in(sql, "id", f->id_count);
	write_keys(sql, f->key_count);
	buf_append_str(sql, f->grep != NULL ? " AND instr(CAST(body AS BLOB), :grep) > 0" : "");
	/* not in every body: most bytes are there, and only a structured event has a trace in it */
	buf_append_str(sql, f->trace != NULL
				? " AND (instr(properties, :trace) > 0 OR (data IS NOT NULL AND "
				  "instr(CAST(body AS BLOB), CAST(:trace AS BLOB)) > 0))"
				: "");
	if (f->where != NULL)
		buf_printf(sql,
		    " AND EXISTS (SELECT 1 FROM events WHERE events.position = recorded.position"
		    " AND (\n%s\n))",
		    f->where);
}

#define INDEXED "(SELECT value FROM meta WHERE name = 'indexed')"

/* Versions go up with the positions, and the index is by them: its own column, so that SQLite sees
 * that nothing is to be sorted. */
static void write_subject(struct buf *sql, const struct select_filter *f)
{
	const struct part index = {
	    .table = "(SELECT position AS place, version AS number FROM streams"
		     " WHERE subject = :subject AND version > :after) CROSS JOIN event AS recorded",
	    .condition = "position = place",
	    .version = "number"};
	/* one lower bound: of two, SQLite would begin at the wrong one */
	const struct part behind = {.table = "event AS recorded",
	    .condition = "subject = :subject AND version > :after",
	    .from = "max(:from, 1 + " INDEXED ")"};
	write_part(sql, f, &index);
	buf_append_str(sql, " UNION ALL ");
	write_part(sql, f, &behind);
}

static void write_ids(struct buf *sql, const struct select_filter *f)
{
	struct buf places = {0};
	buf_append_str(&places, "position IN (SELECT position FROM ids WHERE hash IN (");
	for (size_t i = 0; i < f->id_count; i++)
		buf_printf(&places, "%sid_hash(:id%zu)", i > 0 ? ", " : "", i);
	buf_append_str(
	    &places, ") UNION ALL SELECT position FROM event WHERE position > " INDEXED ")");
	write_part(sql, f, &(struct part){.table = "event AS recorded", .condition = places.ptr});
	buf_release(&places);
}

static char *write_sql(const struct select_filter *f)
{
	struct buf sql = {0};
	if (f->subject != NULL)
		write_subject(&sql, f);
	else if (f->id_count > 0)
		write_ids(&sql, f);
	else
		write_part(
		    &sql, f, &(struct part){.table = "event AS recorded", .condition = "TRUE"});
	buf_printf(&sql, " ORDER BY %s%s LIMIT :chunk", f->subject != NULL ? "version" : "position",
	    f->reverse ? " DESC" : "");
	return buf_take(&sql);
}

static void bind_text(sqlite3_stmt *statement, const char *name, const char *text)
{
	int index = sqlite3_bind_parameter_index(statement, name);
	if (index > 0)
		store_bind_text(statement, index, slice_str(text));
}

static void bind_texts(
    sqlite3_stmt *statement, const char *name, const char *const *texts, size_t count)
{
	char numbered[32];
	for (size_t i = 0; i < count; i++) {
		snprintf(numbered, sizeof numbered, ":%s%zu", name, i);
		bind_text(statement, numbered, texts[i]);
	}
}

static void bind_number(sqlite3_stmt *statement, const char *name, int64_t number)
{
	int index = sqlite3_bind_parameter_index(statement, name);
	if (index > 0)
		sqlite3_bind_int64(statement, index, number);
}

static void bind_all(struct select *select)
{
	const struct select_filter *f = &select->filter;
	sqlite3_stmt *s = select->statement;
	bind_number(s, ":from", (int64_t)f->from);
	bind_number(s, ":to", (int64_t)f->to);
	bind_number(s, ":since", f->since_us);
	bind_number(s, ":until", f->until_us);
	bind_number(s, ":after", (int64_t)f->after_version);
	bind_number(s, ":chunk", (int64_t)select->chunk);
	bind_text(s, ":subject", f->subject);
	bind_text(s, ":exchange", f->exchange);
	bind_text(s, ":trace", f->trace);
	bind_texts(s, "type", f->types, f->type_count);
	bind_texts(s, "id", f->ids, f->id_count);
	bind_texts(s, "key", f->keys, f->key_count);
	int grep = sqlite3_bind_parameter_index(s, ":grep");
	if (grep > 0)
		store_bind_blob(s, grep, slice_str(f->grep));
}

/* Whether the user's SQL is one expression there; if not, in SQLite's words. */
static bool check_within(struct store *store, const char *before, const char *where,
    const char *behind, struct error *err)
{
	struct buf sql = {0};
	sqlite3_stmt *statement = NULL;
	const char *rest = "";
	buf_printf(&sql, "%s%s\n%s", before, where, behind);
	int code = sqlite3_prepare_v2(store->db, sql.ptr, -1, &statement, &rest);
	bool good = code == SQLITE_OK && rest[0] == '\0' && sqlite3_column_count(statement) == 1;
	if (!good) {
		char *said = text_quote(slice_str(
		    code != SQLITE_OK ? sqlite3_errmsg(store->db) : "not one expression"));
		error_set(err, ERROR_USAGE, "--where: %s", said);
		free(said);
	}
	sqlite3_finalize(statement);
	buf_release(&sql);
	return good;
}

/* Alone, so that it cannot leave its parentheses; and within them, where a comment without end or
 * an aggregate does not belong. */
static bool check_where(struct store *store, const char *where, struct error *err)
{
	return check_within(store, "SELECT ", where, "FROM events", err) &&
	       check_within(store, "SELECT 1 FROM events WHERE (\n", where, ")", err);
}

static bool open_statement(struct select *select, struct error *err)
{
	unsigned char hash[STORE_HASH_BYTES];
	uint64_t last;
	if (select->filter.where != NULL && !check_where(select->store, select->filter.where, err))
		return false;
	if (!store_head(select->store, &last, hash, err))
		return false;
	if (select->filter.to == 0 || select->filter.to > last)
		select->filter.to = last; /* what comes meanwhile is for the next one */
	char *sql = write_sql(&select->filter);
	select->statement = store_prepare(select->store, sql, err);
	free(sql);
	return select->statement != NULL;
}

struct select *select_open(
    struct store *store, const struct select_filter *filter, struct error *err)
{
	struct select *select = mem_alloc(1, sizeof *select);
	select->store = store;
	select->filter = *filter;
	select->left = filter->limit > 0 ? filter->limit : UINT64_MAX;
	select->chunk = 1;
	if (open_statement(select, err))
		return select;
	select_close(select);
	return NULL;
}

void select_close(struct select *select)
{
	if (select == NULL)
		return;
	sqlite3_finalize(select->statement);
	buf_release(&select->bytes);
	free(select);
}

/* ---- the answers ---- */

static void read_event(sqlite3_stmt *s, struct select_event *out)
{
	bool in_stream = sqlite3_column_type(s, COLUMN_STREAM_OFFSET) != SQLITE_NULL;
	struct slice hash = store_column(s, COLUMN_HASH);
	static const unsigned char none[STORE_HASH_BYTES];
	*out = (struct select_event){
	    .position = store_column_u64(s, COLUMN_POSITION),
	    .received_us = sqlite3_column_int64(s, COLUMN_RECEIVED),
	    .redelivered = sqlite3_column_int(s, COLUMN_REDELIVERED) != 0,
	    .queue = store_column(s, COLUMN_QUEUE),
	    .stream_offset = in_stream ? sqlite3_column_int64(s, COLUMN_STREAM_OFFSET) : -1,
	    .id = store_column(s, COLUMN_ID),
	    .type = store_column(s, COLUMN_TYPE),
	    .source = store_column(s, COLUMN_SOURCE),
	    .subject = store_column(s, COLUMN_SUBJECT),
	    .time = store_column(s, COLUMN_TIME),
	    .version = store_column_u64(s, COLUMN_VERSION),
	    .exchange = store_column(s, COLUMN_EXCHANGE),
	    .routing_key = store_column(s, COLUMN_ROUTING_KEY),
	    .properties = store_column(s, COLUMN_PROPERTIES),
	    .body = store_column(s, COLUMN_BODY),
	    .data = store_column(s, COLUMN_DATA),
	    .hash = hash.len == STORE_HASH_BYTES ? (const unsigned char *)hash.ptr : none,
	};
}

/* The store writes nothing else: whoever reads on relies on it. */
static bool check_event(const struct select_event *event, struct error *err)
{
	struct slice properties = slice_trim(event->properties);
	if (properties.len > 0 && properties.ptr[0] == '{' && text_is_utf8(properties) &&
	    skim_is_json(properties))
		return true;
	return error_set(err, ERROR_DATA,
	    "event %llu is damaged: its properties are no JSON object",
	    (unsigned long long)event->position);
}

/* The next chunk begins behind this event. */
static void move_on(struct select *select, const struct select_event *event)
{
	if (select->filter.reverse)
		select->filter.to = event->position - 1;
	else
		select->filter.from = event->position + 1;
	if (select->filter.subject != NULL && !select->filter.reverse)
		select->filter.after_version = event->version;
}

/* Our own SQL is right: what fails as a statement is the user's, such as JSON functions on a body
 * that is none. */
static bool blame_where(const struct select *select, struct error *err)
{
	int code = sqlite3_errcode(select->store->db);
	if (select->filter.where == NULL || (code != SQLITE_ERROR && code != SQLITE_AUTH))
		return false;
	char *said = text_quote(slice_str(sqlite3_errmsg(select->store->db)));
	error_clear(err);
	error_set(err, ERROR_USAGE, "--where: %s", said);
	free(said);
	return false;
}

static const size_t texts[] = {offsetof(struct select_event, queue),
    offsetof(struct select_event, id), offsetof(struct select_event, type),
    offsetof(struct select_event, source), offsetof(struct select_event, subject),
    offsetof(struct select_event, time), offsetof(struct select_event, exchange),
    offsetof(struct select_event, routing_key), offsetof(struct select_event, properties),
    offsetof(struct select_event, body), offsetof(struct select_event, data)};

static struct slice *text_of(struct select_event *event, size_t i)
{
	return (struct slice *)((char *)event + texts[i]);
}

static void keep_row(struct select *select)
{
	struct row *row = &select->rows[select->count++];
	read_event(select->statement, &row->event);
	memcpy(row->hash, row->event.hash, sizeof row->hash);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		buf_append(&select->bytes, *text_of(&row->event, i));
	move_on(select, &row->event);
}

/* The rows that come next. What fails behind the first of them fails when they are given. */
static bool read_chunk(struct select *select, struct error *err)
{
	bool row = true, good = true;
	struct error later = {0};
	uint64_t began = chrono_now_ns();
	if (select->chunk > select->left)
		select->chunk = (size_t)select->left;
	select->count = select->next = select->at = 0;
	buf_clear(&select->bytes);
	bind_all(select);
	while (good && row && select->count < select->chunk && select->bytes.len < CHUNK_BYTES &&
	       (select->count == 0 || chrono_now_ns() - began < CHUNK_NS)) {
		good = store_step(
		    select->store, select->statement, &row, select->count == 0 ? err : &later);
		if (good && row)
			keep_row(select);
	}
	if (!good && select->count == 0)
		return blame_where(select, err);
	error_clear(&later);
	select->is_done = good && !row;
	sqlite3_reset(select->statement);
	select->chunk = select->chunk < CHUNK / 2 ? 2 * select->chunk : CHUNK;
	return true;
}

static void give_row(struct select *select, struct select_event *out)
{
	struct row *row = &select->rows[select->next++];
	*out = row->event;
	out->hash = row->hash;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct slice *text = text_of(out, i);
		if (text->len > 0)
			text->ptr = select->bytes.ptr + select->at;
		else if (text->ptr != NULL)
			text->ptr = "";
		select->at += text->len;
	}
	if (out->data.ptr == NULL)
		out->data = out->body;
}

bool select_next(struct select *select, struct select_event *out, struct error *err)
{
	if (select->left == 0)
		return false;
	if (select->next == select->count &&
	    (select->is_done || !read_chunk(select, err) || select->count == 0))
		return false;
	select->left--;
	give_row(select, out);
	return check_event(out, err);
}

bool select_message(
    const struct select_event *event, struct buf *kept, struct message *out, struct error *err)
{
	*out = (struct message){
	    .exchange = event->exchange, .routing_key = event->routing_key, .body = event->body};
	return record_read_properties(event->properties, out, kept, err) ||
	       error_context(err, "event %llu", (unsigned long long)event->position);
}

bool select_position_at(struct store *store, int64_t received_us, uint64_t *out, struct error *err)
{
	unsigned char hash[STORE_HASH_BYTES];
	uint64_t low = 0, high; /* received at low is at or before, behind high it is later */
	if (!store_head(store, &high, hash, err))
		return false;
	sqlite3_stmt *s =
	    store_prepare(store, "SELECT received FROM event WHERE position = ?", err);
	bool good = s != NULL, row = false;
	while (good && low < high) {
		uint64_t middle = high - (high - low) / 2;
		store_bind_u64(s, 1, middle);
		good = store_step(store, s, &row, err);
		if (row && sqlite3_column_int64(s, 0) <= received_us)
			low = middle;
		else
			high = middle - 1;
		if (s != NULL)
			sqlite3_reset(s);
	}
	sqlite3_finalize(s);
	*out = low;
	return good;
}
