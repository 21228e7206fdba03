#include "store/verify.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/envelope.h"
#include "model/record.h"
#include "store/chain.h"
#include "store/verify_private.h"

#include <stdlib.h>

#define SELECT                                                                                     \
	"SELECT position, received, redelivered, queue, stream_offset, exchange, routing_key, id," \
	" type, source, subject, time, data, properties, body, hash, version FROM event WHERE"

/* ---- faults ---- */

void verify_report(
    struct verify *v, uint64_t position, uint64_t last, struct slice id, const char *what)
{
	const struct verify_fault fault = {position, last, id, what};
	v->result->faults++;
	v->report(v->ctx, &fault);
}

static void end_run(struct verify *v)
{
	if (v->run_what == NULL)
		return;
	uint64_t last = v->at > v->run_from ? v->at - 1 : v->run_from;
	verify_report(v, v->run_from, last, (struct slice){0}, v->run_what);
	free(v->run_what);
	v->run_what = NULL;
}

/* Takes the text. The run goes on as long as the same is said. */
static void go_on_run(struct verify *v, char *what)
{
	if (v->run_what != NULL && strcmp(v->run_what, what) == 0) {
		free(what);
		return;
	}
	end_run(v);
	v->run_from = v->at;
	v->run_what = what;
}

static char *unreadable(struct verify *v)
{
	char *said = text_quote(slice_str(sqlite3_errmsg(v->store->db)));
	char *what = mem_printf("cannot be read: %s", said);
	free(said);
	return what;
}

/* ---- the file ---- */

static bool is_damage(int code)
{
	code &= 0xff;
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_FORMAT ||
	       code == SQLITE_TOOBIG || code == SQLITE_NOMEM || code == SQLITE_ERROR;
}

/* A step in which damage is no failure: the code tells. */
bool verify_step(struct verify *v, sqlite3_stmt *statement, int *code, struct error *err)
{
	*code = sqlite3_step(statement);
	if (*code == SQLITE_ROW || *code == SQLITE_DONE || is_damage(*code))
		return true;
	return store_fail(v->store, err);
}

void verify_note_file(struct verify *v, struct slice line)
{
	struct buf what = {0};
	buf_append_str(&what, "the file: ");
	text_escape(slice_trim(line), 200, &what);
	verify_report(v, 0, 0, (struct slice){0}, what.ptr);
	buf_release(&what);
}

/* ---- an event ---- */

static struct chain_event read_chain(sqlite3_stmt *s)
{
	bool in_stream = sqlite3_column_type(s, VERIFY_STREAM_OFFSET) != SQLITE_NULL;
	return (struct chain_event){.position = store_column_u64(s, VERIFY_POSITION),
	    .received_us = sqlite3_column_int64(s, VERIFY_RECEIVED),
	    .redelivered = sqlite3_column_int64(s, VERIFY_REDELIVERED) != 0,
	    .stream_offset = in_stream ? sqlite3_column_int64(s, VERIFY_STREAM_OFFSET) : -1,
	    .queue = store_column(s, VERIFY_QUEUE),
	    .exchange = store_column(s, VERIFY_EXCHANGE),
	    .routing_key = store_column(s, VERIFY_ROUTING_KEY),
	    .properties = store_column(s, VERIFY_PROPERTIES),
	    .body = store_column(s, VERIFY_BODY)};
}

static void add_name(struct buf *out, const char *name)
{
	buf_printf(out, "%s%s", out->len > 0 ? ", " : "", name);
}

/* Columns whose values are of another kind than append.c writes: the hash is the same for a text
 * and for the same bytes as a blob. Before the values are read, which may convert them. */
static void check_kinds(sqlite3_stmt *s, struct buf *out)
{
	static const struct {
		enum verify_column column;
		const char *name;
		int kind;
		bool may_lack;
	} rows[] = {
	    {VERIFY_RECEIVED, "received", SQLITE_INTEGER, false},
	    {VERIFY_REDELIVERED, "redelivered", SQLITE_INTEGER, false},
	    {VERIFY_QUEUE, "queue", SQLITE_TEXT, true},
	    {VERIFY_STREAM_OFFSET, "stream_offset", SQLITE_INTEGER, true},
	    {VERIFY_EXCHANGE, "exchange", SQLITE_TEXT, false},
	    {VERIFY_ROUTING_KEY, "routing_key", SQLITE_TEXT, false},
	    {VERIFY_ID, "id", SQLITE_TEXT, true},
	    {VERIFY_TYPE, "type", SQLITE_TEXT, true},
	    {VERIFY_SOURCE, "source", SQLITE_TEXT, true},
	    {VERIFY_SUBJECT, "subject", SQLITE_TEXT, true},
	    {VERIFY_TIME, "time", SQLITE_TEXT, true},
	    {VERIFY_DATA, "data", SQLITE_TEXT, true},
	    {VERIFY_PROPERTIES, "properties", SQLITE_TEXT, false},
	    {VERIFY_HASH, "hash", SQLITE_BLOB, false},
	    {VERIFY_VERSION, "version", SQLITE_INTEGER, true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int kind = sqlite3_column_type(s, (int)rows[i].column);
		if (kind != rows[i].kind && !(kind == SQLITE_NULL && rows[i].may_lack))
			add_name(out, rows[i].name);
	}
	int kind = sqlite3_column_type(s, VERIFY_BODY);
	struct slice body = store_column(s, VERIFY_BODY);
	bool is_text = text_is_utf8(body) && memchr(body.ptr, '\0', body.len) == NULL;
	if (kind != (is_text ? SQLITE_TEXT : SQLITE_BLOB))
		add_name(out, "body");
	if ((sqlite3_column_int64(s, VERIFY_REDELIVERED) & ~INT64_C(1)) != 0)
		add_name(out, "redelivered");
}

/* As append.c stores it. */
static struct slice readable(struct slice text)
{
	return text.len > 0 && text_is_utf8(text) ? text : (struct slice){0};
}

static bool is_same(struct slice a, struct slice b)
{
	return (a.ptr == NULL) == (b.ptr == NULL) && slice_equal(a, b);
}

/* What the columns say beside the message, and the message does not. Appends their names. */
static void compare_columns(
    struct verify *v, sqlite3_stmt *s, const struct message *m, struct buf *out)
{
	struct envelope e;
	envelope_read(m, &v->scratch, &e);
	const struct {
		enum verify_column column;
		const char *name;
		struct slice expected;
	} rows[] = {{VERIFY_ID, "id", e.id}, {VERIFY_TYPE, "type", e.type},
	    {VERIFY_SOURCE, "source", e.source}, {VERIFY_SUBJECT, "subject", e.subject},
	    {VERIFY_TIME, "time", e.time}, {VERIFY_DATA, "data", e.data}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!is_same(store_column(s, (int)rows[i].column), readable(rows[i].expected)))
			add_name(out, rows[i].name);
}

/* Appends what is wrong with the columns; nothing when they fit the message. */
static void check_columns(
    struct verify *v, sqlite3_stmt *s, const struct chain_event *c, struct buf *out)
{
	struct error unreadable = {0};
	struct message m = {
	    .exchange = c->exchange, .routing_key = c->routing_key, .body = c->body};
	if (!record_read_properties(c->properties, &m, &v->kept, &unreadable)) {
		buf_printf(out, "its properties cannot be read: %s", unreadable.text);
		return;
	}
	struct buf names = {0};
	compare_columns(v, s, &m, &names);
	if (names.len > 0)
		buf_printf(out, "its message says otherwise: %s", names.ptr);
	buf_release(&names);
}

static void check_hash(
    struct verify *v, const struct chain_event *c, struct slice stored, struct buf *out)
{
	unsigned char hash[STORE_HASH_BYTES];
	bool is_hash = stored.len == STORE_HASH_BYTES;
	memcpy(hash, v->previous, sizeof hash);
	chain_next(v->digest, c, hash);
	if (!is_hash)
		buf_append_str(out, "its hash is damaged");
	else if (v->has_previous && memcmp(hash, stored.ptr, sizeof hash) != 0)
		buf_append_str(out, "it is not what its hash says: it, or the hash of the event "
				    "before it, was changed");
	v->has_previous = is_hash;
	if (is_hash)
		memcpy(v->previous, stored.ptr, sizeof hash);
	if (is_hash && v->wanted != NULL && memcmp(v->wanted, stored.ptr, sizeof hash) == 0)
		v->result->wanted_at = c->position;
}

/* The reason, behind what it is about: nothing when there is none. Ends the reason. */
static void add_reason(struct buf *out, const char *about, struct buf *reason)
{
	if (reason->len > 0)
		buf_printf(out, "%s%s%s", out->len > 0 ? "; " : "", about, reason->ptr);
	buf_release(reason);
}

static void check_event(struct verify *v, sqlite3_stmt *s)
{
	struct buf what = {0}, kinds = {0}, hash = {0}, columns = {0};
	check_kinds(s, &kinds);
	const struct chain_event c = read_chain(s);
	check_hash(v, &c, store_column(s, VERIFY_HASH), &hash);
	check_columns(v, s, &c, &columns);
	add_reason(&what, "", &hash);
	add_reason(&what, "", &columns);
	add_reason(&what, "of another kind than it was: ", &kinds);
	if (c.received_us < v->received_us)
		buf_printf(
		    &what, "%sreceived before the event before it", what.len > 0 ? "; " : "");
	v->received_us = c.received_us;
	if (what.len > 0)
		verify_report(v, c.position, c.position, store_column(s, VERIFY_ID), what.ptr);
	verify_count(v, s);
	v->result->events++;
	v->result->position = c.position;
	buf_release(&what);
}

static void pass(struct verify *v, sqlite3_stmt *s)
{
	end_run(v);
	check_event(v, s);
	v->at++;
}

static bool is_next(const struct verify *v, sqlite3_stmt *s)
{
	return store_column_u64(s, VERIFY_POSITION) == v->at;
}

/* A row that stands behind later ones: no search by position would find it. */
static void note_stray(struct verify *v, sqlite3_stmt *s)
{
	uint64_t position = store_column_u64(s, VERIFY_POSITION);
	char *what = mem_printf("stands where event %llu belongs", (unsigned long long)v->at);
	if (position < v->at)
		verify_report(v, position, position, store_column(s, VERIFY_ID), what);
	free(what);
}

/* Rows in one go: a statement that is under way for long keeps the log of the file from being taken
 * up into it. */
#define CHUNK 1000

/* Row after row, until one is not what comes next, or they are many. */
static bool scan(struct verify *v, struct error *err)
{
	int code;
	store_bind_u64(v->scan, 1, v->at);
	bool good = true;
	uint64_t end = v->at + CHUNK;
	while ((good = verify_step(v, v->scan, &code, err)) && code == SQLITE_ROW && v->at < end &&
	       is_next(v, v->scan))
		pass(v, v->scan);
	if (good && code == SQLITE_ROW && !is_next(v, v->scan))
		note_stray(v, v->scan);
	sqlite3_reset(v->scan);
	return good;
}

/* Where the next event is that can be found; 0: there is none. */
static bool look_ahead(struct verify *v, uint64_t *next, struct error *err)
{
	int code;
	store_bind_u64(v->next, 1, v->at);
	bool good = verify_step(v, v->next, &code, err);
	if (code == SQLITE_ROW)
		*next = store_column_u64(v->next, 0);
	else
		*next = code == SQLITE_DONE ? 0 : v->at + 1;
	sqlite3_reset(v->next);
	return good;
}

/* One by one over what is missing or damaged, to the next event that is whole. *found is false at
 * the end. */
static bool search(struct verify *v, uint64_t end, bool *found, struct error *err)
{
	for (*found = false; !*found && v->at <= end;) {
		int code;
		uint64_t next;
		store_bind_u64(v->one, 1, v->at);
		if (!verify_step(v, v->one, &code, err))
			return false;
		*found = code == SQLITE_ROW && is_next(v, v->one);
		if (*found) {
			pass(v, v->one);
		} else if (code == SQLITE_DONE) {
			if (!look_ahead(v, &next, err))
				return false;
			if (next == 0)
				return true; /* this is the end */
			go_on_run(v, mem_strdup("missing"));
			v->at = next;
		} else {
			go_on_run(v, unreadable(v));
			v->at++;
		}
		v->has_previous = v->has_previous && *found;
		sqlite3_reset(v->one);
	}
	return true;
}

/* One number; *found is false when damage hides it. */
static bool ask_number(
    struct verify *v, const char *sql, uint64_t *out, bool *found, struct error *err)
{
	int code = SQLITE_DONE;
	sqlite3_stmt *s = store_prepare(v->store, sql, err);
	bool good = s != NULL && verify_step(v, s, &code, err);
	*found = code == SQLITE_ROW;
	*out = *found ? store_column_u64(s, 0) : 0;
	sqlite3_finalize(s);
	return good;
}

/* No event takes less than so many bytes of the file: a bound for positions that cannot be. */
#define LEAST_EVENT_BYTES 48

/* The last position; of a file whose end is damaged, or whose events say what cannot be, one that
 * is surely behind it. */
static bool find_end(struct verify *v, uint64_t *end, struct error *err)
{
	uint64_t bytes;
	bool found, is_known;
	if (!ask_number(v, "SELECT max(position) FROM event", end, &found, err) ||
	    !ask_number(v, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
		&bytes, &is_known, err))
		return false;
	uint64_t most = bytes / LEAST_EVENT_BYTES + 1;
	if (!found || *end > most)
		*end = most;
	return true;
}

static bool check_events(struct verify *v, struct error *err)
{
	uint64_t end;
	bool found = true;
	v->scan = store_prepare(v->store, SELECT " position >= ? ORDER BY position", err);
	v->one = store_prepare(v->store, SELECT " position = ?", err);
	v->next = store_prepare(v->store,
	    "SELECT position FROM event WHERE position > ? ORDER BY position LIMIT 1", err);
	if (v->scan == NULL || v->one == NULL || v->next == NULL || !find_end(v, &end, err))
		return false;
	for (v->at = 1; found && v->at <= end;)
		if (!scan(v, err) || !search(v, end, &found, err))
			return false;
	end_run(v);
	return true;
}

bool verify_run(struct store *store, const unsigned char *wanted, verify_report_fn *report_fault,
    void *ctx, struct verify_result *out, struct error *err)
{
	*out = (struct verify_result){.events = 0};
	struct verify v = {.store = store,
	    .wanted = wanted,
	    .report = report_fault,
	    .ctx = ctx,
	    .result = out,
	    .digest = digest_create(),
	    .has_previous = true,
	    .received_us = INT64_MIN};
	bool good = verify_begin_index(&v, err) && check_events(&v, err) && verify_index(&v, err) &&
		    verify_schema(&v, err) && verify_snapshots(&v, err) && verify_file(&v, err);
	memcpy(out->head, v.previous, sizeof out->head);
	sqlite3_finalize(v.scan);
	sqlite3_finalize(v.one);
	sqlite3_finalize(v.next);
	digest_free(v.digest);
	free(v.run_what);
	buf_release(&v.kept);
	buf_release(&v.scratch);
	return good;
}
