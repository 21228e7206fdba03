#include "store/tail.h"

#include "base/buf.h"
#include "base/mem.h"
#include "store/store_private.h"

#include <stdlib.h>

/* A tail so long is entered: pages take dozens at once then. One so short may as well be, and there
 * is none in a store that is written to now and then. */
#define LONG 131072
#define SHORT 64

#define NONE UINT32_MAX

/* An event, by its id. */
struct entry {
	int64_t hash; /* of the id */
	uint64_t position;
	uint64_t version;
	uint32_t stream; /* of its subject, or NONE */
	uint32_t next;	 /* with the same cell, or NONE */
	bool has_id;
};

/* A subject that was asked for since the tail began. */
struct stream {
	size_t at, len; /* its text in `texts` */
	uint64_t hash;
	uint64_t version;
	uint32_t next;
};

/* Chains of entries or streams; cells are heads, as many as a power of two. */
struct chains {
	uint32_t *cells;
	size_t capacity;
};

struct tail {
	struct store *store;
	struct entry *entries;
	size_t count, capacity;
	struct stream *streams;
	size_t stream_count, stream_capacity;
	struct chains by_id, by_subject;
	struct buf texts;
	uint64_t indexed, last; /* the index goes up to, the tail goes up to; last 0: not known */
	/* The search under way. */
	int64_t sought;
	uint32_t found; /* the next entry to look at */
	bool in_table;
	sqlite3_stmt *indexed_up_to, *events, *ids, *version, *add_id, *add_stream, *move;
};

struct tail *tail_create(struct store *store)
{
	struct tail *tail = mem_alloc(1, sizeof *tail);
	tail->store = store;
	return tail;
}

void tail_free(struct tail *tail)
{
	if (tail == NULL)
		return;
	sqlite3_finalize(tail->indexed_up_to);
	sqlite3_finalize(tail->events);
	sqlite3_finalize(tail->ids);
	sqlite3_finalize(tail->version);
	sqlite3_finalize(tail->add_id);
	sqlite3_finalize(tail->add_stream);
	sqlite3_finalize(tail->move);
	free(tail->by_id.cells);
	free(tail->by_subject.cells);
	free(tail->entries);
	free(tail->streams);
	buf_release(&tail->texts);
	free(tail);
}

void tail_forget(struct tail *tail)
{
	tail->last = 0;
	tail->count = tail->stream_count = 0;
	buf_clear(&tail->texts);
	for (size_t i = 0; i < tail->by_id.capacity; i++)
		tail->by_id.cells[i] = NONE;
	for (size_t i = 0; i < tail->by_subject.capacity; i++)
		tail->by_subject.cells[i] = NONE;
}

static bool prepare(struct tail *tail, struct error *err)
{
	const struct {
		sqlite3_stmt **statement;
		const char *sql;
	} rows[] = {
	    {&tail->indexed_up_to, "SELECT value FROM meta WHERE name = 'indexed'"},
	    {&tail->events, "SELECT position, id, subject, version FROM event WHERE position > ?1"
			    " ORDER BY position"},
	    {&tail->ids, "SELECT position FROM ids WHERE hash = ?1"},
	    {&tail->version, "SELECT max(version) FROM streams WHERE subject = ?1"},
	    {&tail->add_id, "INSERT INTO ids (hash, position) VALUES (?1, ?2)"},
	    {&tail->add_stream,
		"INSERT INTO streams (subject, version, position) VALUES (?1, ?2, ?3)"},
	    {&tail->move, "UPDATE meta SET value = ?1 WHERE name = 'indexed'"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (*rows[i].statement == NULL) {
			*rows[i].statement = store_prepare(tail->store, rows[i].sql, err);
			if (*rows[i].statement == NULL)
				return false;
		}
	return true;
}

/* ---- in memory ---- */

static uint64_t hash_of(const struct tail *tail, struct slice text)
{
	return (uint64_t)store_hash(tail->store, text);
}

static uint32_t *cell(const struct chains *chains, uint64_t hash)
{
	return &chains->cells[hash & (chains->capacity - 1)];
}

/* Room for one more; true when the cells are new, and empty. */
static bool grow(struct chains *chains, size_t count)
{
	if (count < chains->capacity)
		return false;
	free(chains->cells);
	chains->capacity = chains->capacity > 0 ? chains->capacity * 2 : 1024;
	chains->cells = mem_alloc(chains->capacity, sizeof *chains->cells);
	for (size_t i = 0; i < chains->capacity; i++)
		chains->cells[i] = NONE;
	return true;
}

static void link_entry(struct tail *tail, uint32_t i)
{
	uint32_t *head = cell(&tail->by_id, (uint64_t)tail->entries[i].hash);
	tail->entries[i].next = *head;
	*head = i;
}

static void link_stream(struct tail *tail, uint32_t i)
{
	uint32_t *head = cell(&tail->by_subject, tail->streams[i].hash);
	tail->streams[i].next = *head;
	*head = i;
}

static struct slice subject_of(const struct tail *tail, const struct stream *stream)
{
	return (struct slice){tail->texts.ptr + stream->at, stream->len};
}

static uint32_t find_stream(const struct tail *tail, uint64_t hash, struct slice subject)
{
	if (tail->by_subject.capacity == 0)
		return NONE;
	uint32_t i = *cell(&tail->by_subject, hash);
	while (i != NONE && (tail->streams[i].hash != hash ||
				!slice_equal(subject_of(tail, &tail->streams[i]), subject)))
		i = tail->streams[i].next;
	return i;
}

/* The subject's stream, made when it is not there, at version 0. */
static uint32_t take_stream(struct tail *tail, struct slice subject, bool *is_new)
{
	uint64_t hash = hash_of(tail, subject);
	uint32_t found = find_stream(tail, hash, subject);
	*is_new = found == NONE;
	if (found != NONE)
		return found;
	tail->streams = mem_grow(
	    tail->streams, &tail->stream_capacity, tail->stream_count + 1, sizeof *tail->streams);
	uint32_t i = (uint32_t)tail->stream_count++;
	tail->streams[i] = (struct stream){.at = tail->texts.len, .len = subject.len, .hash = hash};
	buf_append(&tail->texts, subject);
	if (!grow(&tail->by_subject, i)) {
		link_stream(tail, i);
		return i;
	}
	for (uint32_t each = 0; each <= i; each++)
		link_stream(tail, each);
	return i;
}

void tail_add(
    struct tail *tail, uint64_t position, struct slice id, struct slice subject, uint64_t version)
{
	bool is_new;
	tail->last = position;
	if (id.ptr == NULL && subject.ptr == NULL)
		return;
	struct entry entry = {.position = position,
	    .version = version,
	    .stream = subject.ptr != NULL ? take_stream(tail, subject, &is_new) : NONE,
	    .has_id = id.ptr != NULL,
	    .hash = id.ptr != NULL ? (int64_t)hash_of(tail, id) : 0};
	if (entry.stream != NONE)
		tail->streams[entry.stream].version = version;
	tail->entries =
	    mem_grow(tail->entries, &tail->capacity, tail->count + 1, sizeof *tail->entries);
	uint32_t i = (uint32_t)tail->count++;
	tail->entries[i] = entry;
	if (!grow(&tail->by_id, i)) {
		link_entry(tail, i);
		return;
	}
	for (uint32_t each = 0; each <= i; each++)
		link_entry(tail, each);
}

/* ---- what others have written ---- */

static bool read_indexed(struct tail *tail, struct error *err)
{
	bool row;
	if (!store_step(tail->store, tail->indexed_up_to, &row, err))
		return false;
	tail->indexed = row ? store_column_u64(tail->indexed_up_to, 0) : 0;
	sqlite3_reset(tail->indexed_up_to);
	return true;
}

bool tail_catch_up(struct tail *tail, uint64_t last, struct error *err)
{
	bool row = true;
	if (!prepare(tail, err) || !read_indexed(tail, err))
		return false;
	if (tail->last == last)
		return true;
	if (tail->last < tail->indexed) /* others' events have passed by: versions are old, too */
		tail_forget(tail);
	store_bind_u64(tail->events, 1, tail->last > tail->indexed ? tail->last : tail->indexed);
	while (row) {
		if (!store_step(tail->store, tail->events, &row, err))
			return false;
		if (row)
			tail_add(tail, store_column_u64(tail->events, 0),
			    store_column(tail->events, 1), store_column(tail->events, 2),
			    store_column_u64(tail->events, 3));
	}
	tail->last = last;
	return true;
}

/* ---- looking ---- */

void tail_find(struct tail *tail, struct slice id)
{
	sqlite3_reset(tail->ids);
	tail->sought = (int64_t)hash_of(tail, id);
	tail->found = tail->by_id.capacity > 0 ? *cell(&tail->by_id, (uint64_t)tail->sought) : NONE;
	tail->in_table = false;
}

static bool next_in_table(struct tail *tail, uint64_t *position, struct error *err)
{
	bool row;
	*position = 0;
	if (tail->indexed == 0) /* nothing is in the table */
		return true;
	if (!tail->in_table) {
		sqlite3_bind_int64(tail->ids, 1, tail->sought);
		tail->in_table = true;
	}
	if (!store_step(tail->store, tail->ids, &row, err))
		return false;
	*position = row ? store_column_u64(tail->ids, 0) : 0;
	return true;
}

bool tail_next(struct tail *tail, uint64_t *position, struct error *err)
{
	while (tail->found != NONE) {
		const struct entry *entry = &tail->entries[tail->found];
		tail->found = entry->next;
		*position = entry->position;
		if (entry->has_id && entry->hash == tail->sought)
			return true;
	}
	return next_in_table(tail, position, err);
}

bool tail_version(struct tail *tail, struct slice subject, uint64_t *version, struct error *err)
{
	bool is_new, row;
	uint32_t i = take_stream(tail, subject, &is_new);
	*version = tail->streams[i].version;
	if (!is_new || tail->indexed == 0)
		return true;
	store_bind_text(tail->version, 1, subject);
	if (!store_step(tail->store, tail->version, &row, err))
		return false;
	*version = row ? store_column_u64(tail->version, 0) : 0;
	sqlite3_reset(tail->version);
	tail->streams[i].version = *version;
	return true;
}

/* ---- into the index ---- */

static int by_hash(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->position < y->position ? -1 : x->position > y->position;
}

static int by_stream(const void *a, const void *b, void *ctx)
{
	const struct entry *x = a, *y = b;
	const struct tail *tail = ctx;
	if (x->stream == y->stream || x->stream == NONE || y->stream == NONE) {
		if (x->stream != y->stream)
			return x->stream == NONE ? 1 : -1;
		return x->version < y->version ? -1 : x->version > y->version;
	}
	struct slice left = subject_of(tail, &tail->streams[x->stream]);
	struct slice right = subject_of(tail, &tail->streams[y->stream]);
	int order = memcmp(left.ptr, right.ptr, left.len < right.len ? left.len : right.len);
	if (order == 0)
		order = left.len < right.len ? -1 : 1;
	return order;
}

static bool enter_ids(struct tail *tail, struct error *err)
{
	qsort(tail->entries, tail->count, sizeof *tail->entries, by_hash);
	for (size_t i = 0; i < tail->count; i++) {
		const struct entry *entry = &tail->entries[i];
		if (!entry->has_id || entry->position <= tail->indexed)
			continue;
		sqlite3_bind_int64(tail->add_id, 1, entry->hash);
		store_bind_u64(tail->add_id, 2, entry->position);
		if (!store_run(tail->store, tail->add_id, err))
			return false;
	}
	return true;
}

static bool enter_streams(struct tail *tail, struct error *err)
{
	qsort_r(tail->entries, tail->count, sizeof *tail->entries, by_stream, tail);
	for (size_t i = 0; i < tail->count; i++) {
		const struct entry *entry = &tail->entries[i];
		if (entry->stream == NONE)
			break;
		if (entry->position <= tail->indexed)
			continue;
		store_bind_text(
		    tail->add_stream, 1, subject_of(tail, &tail->streams[entry->stream]));
		store_bind_u64(tail->add_stream, 2, entry->version);
		store_bind_u64(tail->add_stream, 3, entry->position);
		if (!store_run(tail->store, tail->add_stream, err))
			return false;
	}
	return true;
}

bool tail_settle(struct tail *tail, bool now, struct error *err)
{
	uint64_t length = tail->last - tail->indexed;
	if (length == 0 || (!now && length > SHORT && length < LONG))
		return true;
	store_bind_u64(tail->move, 1, tail->last);
	if ((tail->count > 0 && (!enter_ids(tail, err) || !enter_streams(tail, err))) ||
	    !store_run(tail->store, tail->move, err))
		return false;
	uint64_t last = tail->last;
	tail_forget(tail);
	tail->last = last;
	return true;
}
