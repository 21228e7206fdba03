/* Writes what was gathered, all in one transaction. */
#include "store/append_private.h"

#include "base/mem.h"
#include "base/text.h"
#include "store/chain.h"

#include <string.h>

/* What the next event follows. */
struct head {
	uint64_t position;
	int64_t received_us;
	unsigned char hash[STORE_HASH_BYTES];
};

/* Whether an event is the one of ?1 to ?4. Once a broker has added a header and it is taken off, it
 * is not known whether there was an empty table of them. */
#define IS_SAME                                                                 \
	"exchange = ?1 AND routing_key = ?2 AND body = ?3 AND (properties = ?4" \
	" OR (json_extract(properties, '$.headers') = '{}'"                     \
	" AND json_remove(properties, '$.headers') = ?4))"

static bool prepare(struct append *append, struct error *err)
{
	const struct {
		sqlite3_stmt **statement;
		const char *sql;
	} rows[] = {
	    {&append->last,
		"SELECT position, received, hash FROM event ORDER BY position DESC LIMIT 1"},
	    {&append->by_offset,
		"SELECT position, " IS_SAME " FROM event WHERE queue = ?5 AND stream_offset = ?6"},
	    {&append->same,
		"SELECT position, " IS_SAME " FROM event WHERE position = ?5 AND id = ?6"},
	    {&append->insert,
		"INSERT INTO event (position, received, redelivered, queue, stream_offset,"
		" exchange, routing_key, id, type, source, subject, version, time, properties,"
		" body, data, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
		" ?14, ?15, ?16, ?17)"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (*rows[i].statement == NULL) {
			*rows[i].statement = store_prepare(append->store, rows[i].sql, err);
			if (*rows[i].statement == NULL)
				return false;
		}
	return true;
}

static bool read_head(struct append *append, struct head *head, struct error *err)
{
	bool row;
	*head = (struct head){.received_us = INT64_MIN};
	if (!store_step(append->store, append->last, &row, err))
		return false;
	if (!row)
		return true;
	struct slice hash = store_column(append->last, 2);
	head->position = store_column_u64(append->last, 0);
	head->received_us = sqlite3_column_int64(append->last, 1);
	bool good = hash.len == STORE_HASH_BYTES && head->position > 0 &&
		    head->position < STORE_MAX_POSITION;
	if (good)
		memcpy(head->hash, hash.ptr, STORE_HASH_BYTES);
	sqlite3_reset(append->last);
	return good || error_set(err, ERROR_DATA, "store '%s': the last event, %llu, is damaged",
			   store_path(append->store), (unsigned long long)head->position);
}

static void bind_body(sqlite3_stmt *statement, int index, struct slice body)
{
	if (body.len == 0 || (text_is_utf8(body) && memchr(body.ptr, '\0', body.len) == NULL))
		store_bind_text(statement, index, body);
	else
		store_bind_blob(statement, index, body);
}

static void bind_content(
    const struct append *append, const struct append_pending *p, sqlite3_stmt *s)
{
	store_bind_text(s, 1, append_text(append, p, APPEND_TEXT_EXCHANGE));
	store_bind_text(s, 2, append_text(append, p, APPEND_TEXT_ROUTING_KEY));
	bind_body(s, 3, append_text(append, p, APPEND_TEXT_BODY));
	store_bind_text(s, 4, append_text(append, p, APPEND_TEXT_PROPERTIES));
}

/* Position 0: there is none. An offset has one message for ever, unless the stream was made anew.
 */
static bool find_by_offset(
    struct append *append, const struct append_pending *p, uint64_t *position, struct error *err)
{
	bool row, is_same = true;
	sqlite3_stmt *s = append->by_offset;
	*position = 0;
	if (p->stream_offset < 0)
		return true;
	bind_content(append, p, s);
	store_bind_text(s, 5, append_text(append, p, APPEND_TEXT_QUEUE));
	sqlite3_bind_int64(s, 6, p->stream_offset);
	if (!store_step(append->store, s, &row, err))
		return false;
	if (row) {
		*position = store_column_u64(s, 0);
		is_same = sqlite3_column_int(s, 1) != 0;
	}
	sqlite3_reset(s);
	return is_same ||
	       error_set(err, ERROR_DATA,
		   "store '%s' has another message at offset %lld of this stream, which was "
		   "deleted and made anew: record it into another store",
		   store_path(append->store), (long long)p->stream_offset);
}

/* Whether the event at a position has this id; and if so, whether it is this event. */
static bool compare(struct append *append, const struct append_pending *p, uint64_t position,
    bool *has_id, bool *is_same, struct error *err)
{
	sqlite3_stmt *s = append->same;
	bind_content(append, p, s);
	store_bind_u64(s, 5, position);
	store_bind_text(s, 6, append_text(append, p, APPEND_TEXT_ID));
	if (!store_step(append->store, s, has_id, err))
		return false;
	*is_same = *has_id && sqlite3_column_int(s, 1) != 0;
	sqlite3_reset(s);
	return true;
}

static bool find_by_id(struct append *append, const struct append_pending *p,
    struct append_result *result, uint64_t *position, struct error *err)
{
	struct slice id = append_text(append, p, APPEND_TEXT_ID);
	*position = 0;
	if (id.ptr == NULL)
		return true;
	tail_find(append->tail, id);
	for (bool has_id, is_same = false; !is_same;) {
		if (!tail_next(append->tail, position, err))
			return false;
		if (*position == 0)
			return true;
		if (!compare(append, p, *position, &has_id, &is_same, err))
			return false;
		result->id_was_used = result->id_was_used || (has_id && !is_same);
	}
	return true;
}

static bool find_version(
    struct append *append, const struct append_pending *p, uint64_t *version, struct error *err)
{
	struct slice subject = append_text(append, p, APPEND_TEXT_SUBJECT);
	*version = 0;
	return subject.ptr == NULL || tail_version(append->tail, subject, version, err);
}

static void advance(struct append *append, const struct append_pending *p, struct head *head)
{
	head->position++;
	if (p->received_us > head->received_us)
		head->received_us = p->received_us;
	const struct chain_event event = {.position = head->position,
	    .received_us = head->received_us,
	    .redelivered = p->redelivered,
	    .stream_offset = p->stream_offset,
	    .queue = append_text(append, p, APPEND_TEXT_QUEUE),
	    .exchange = append_text(append, p, APPEND_TEXT_EXCHANGE),
	    .routing_key = append_text(append, p, APPEND_TEXT_ROUTING_KEY),
	    .properties = append_text(append, p, APPEND_TEXT_PROPERTIES),
	    .body = append_text(append, p, APPEND_TEXT_BODY)};
	chain_next(append->digest, &event, head->hash);
}

static bool insert(struct append *append, const struct append_pending *p, const struct head *head,
    uint64_t version, struct error *err)
{
	static const enum append_text columns[] = {APPEND_TEXT_EXCHANGE, APPEND_TEXT_ROUTING_KEY,
	    APPEND_TEXT_ID, APPEND_TEXT_TYPE, APPEND_TEXT_SOURCE, APPEND_TEXT_SUBJECT};
	sqlite3_stmt *s = append->insert;
	store_bind_u64(s, 1, head->position);
	sqlite3_bind_int64(s, 2, head->received_us);
	sqlite3_bind_int(s, 3, p->redelivered);
	store_bind_text(s, 4, append_text(append, p, APPEND_TEXT_QUEUE));
	if (p->stream_offset >= 0)
		sqlite3_bind_int64(s, 5, p->stream_offset);
	else
		sqlite3_bind_null(s, 5);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		store_bind_text(s, 6 + (int)i, append_text(append, p, columns[i]));
	if (version > 0)
		store_bind_u64(s, 12, version);
	else
		sqlite3_bind_null(s, 12);
	store_bind_text(s, 13, append_text(append, p, APPEND_TEXT_TIME));
	store_bind_text(s, 14, append_text(append, p, APPEND_TEXT_PROPERTIES));
	bind_body(s, 15, append_text(append, p, APPEND_TEXT_BODY));
	store_bind_text(s, 16, append_text(append, p, APPEND_TEXT_DATA));
	store_bind_blob(s, 17, (struct slice){(const char *)head->hash, STORE_HASH_BYTES});
	return store_run(append->store, s, err);
}

static bool write_one(struct append *append, const struct append_pending *p, struct head *head,
    const uint64_t *expected, struct append_result *result, struct error *err)
{
	uint64_t position, version;
	*result = (struct append_result){0};
	bool is_known = p->stream_offset >= 0 ? find_by_offset(append, p, &position, err)
					      : find_by_id(append, p, result, &position, err);
	if (!is_known || !find_version(append, p, &version, err))
		return false;
	if (position != 0) {
		*result = (struct append_result){APPEND_DUPLICATE, position, version, false};
		return true;
	}
	if (p->version == 1 && version > 0) {
		*result = (struct append_result){.outcome = APPEND_PASSED_OVER};
		return true;
	}
	uint64_t before = p->version > 0 ? p->version - 1 : 0;
	if (expected == NULL && p->version > 0)
		expected = &before;
	if (expected != NULL && version != *expected)
		return error_set(err, ERROR_UNDELIVERED, "the stream is at version %llu, not %llu",
		    (unsigned long long)version, (unsigned long long)*expected);
	advance(append, p, head);
	*result = (struct append_result){.outcome = APPEND_STORED,
	    .position = head->position,
	    .version = p->texts[APPEND_TEXT_SUBJECT].at != SIZE_MAX ? version + 1 : 0,
	    .id_was_used = result->id_was_used};
	if (!insert(append, p, head, result->version, err))
		return false;
	tail_add(append->tail, head->position, append_text(append, p, APPEND_TEXT_ID),
	    append_text(append, p, APPEND_TEXT_SUBJECT), result->version);
	return true;
}

/* With the first event of its subject, which stands somewhere before it. */
static bool is_passed_over(const struct append *append, const struct append_pending *p)
{
	if (p->version <= 1)
		return false;
	struct slice subject = append_text(append, p, APPEND_TEXT_SUBJECT);
	for (size_t i = append->passed_count; i-- > 0;)
		if (slice_equal(append_text(append, &append->pending[append->passed[i]],
				    APPEND_TEXT_SUBJECT),
			subject))
			return true;
	return false;
}

static void note_passed_over(struct append *append, size_t i)
{
	if (append->results[i].outcome != APPEND_PASSED_OVER)
		return;
	append->passed = mem_grow(append->passed, &append->passed_capacity,
	    append->passed_count + 1, sizeof *append->passed);
	append->passed[append->passed_count++] = i;
}

static bool was_handled(const struct append *append, const struct append_pending *p)
{
	for (size_t i = 0; i < p->guard_count; i++)
		if (handled_batch_is_there(append->marks, append->guards[p->guard + i]))
			return true;
	return false;
}

static bool write_all(struct append *append, const uint64_t *expected, struct error *err)
{
	struct head head;
	if (!read_head(append, &head, err) || !tail_catch_up(append->tail, head.position, err))
		return false;
	if (!handled_batch_begin(append->marks, err))
		return false;
	append->passed_count = 0;
	for (size_t i = 0; i < append->count; i++) {
		const struct append_pending *p = &append->pending[i];
		append->results[i] = (struct append_result){.outcome = APPEND_HANDLED};
		if (is_passed_over(append, p)) {
			append->results[i].outcome = APPEND_PASSED_OVER;
			continue;
		}
		if (!was_handled(append, p) &&
		    !write_one(append, p, &head, expected, &append->results[i], err))
			return false;
		note_passed_over(append, i);
	}
	return handled_batch_write(append->marks, err) && tail_settle(append->tail, false, err);
}

static bool commit(struct append *append, const uint64_t *expected,
    const struct append_result **results, struct error *err)
{
	append->results = mem_grow(
	    append->results, &append->result_capacity, append->count + 1, sizeof *append->results);
	*results = append->results;
	if (append->count == 0)
		return true;
	if (!store_is_there(append->store, err) || !prepare(append, err) ||
	    !store_begin(append->store, err) ||
	    !store_end(append->store, write_all(append, expected, err), err)) {
		tail_forget(append->tail);
		handled_batch_end(append->marks, false);
		return false;
	}
	handled_batch_end(append->marks, true);
	append_clear(append);
	return true;
}

bool append_settle(struct append *append, struct error *err)
{
	struct head head;
	if (!prepare(append, err) || !store_begin(append->store, err))
		return false;
	bool good = read_head(append, &head, err) &&
		    tail_catch_up(append->tail, head.position, err) &&
		    tail_settle(append->tail, true, err);
	if (store_end(append->store, good, err))
		return true;
	tail_forget(append->tail);
	return false;
}

bool append_commit(struct append *append, const struct append_result **results, struct error *err)
{
	return commit(append, NULL, results, err);
}

bool append_commit_expecting(struct append *append, uint64_t version,
    const struct append_result **results, struct error *err)
{
	return commit(append, &version, results, err);
}
