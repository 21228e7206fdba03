#include "model/retry.h"

#include "base/mem.h"
#include "model/marks.h"
#include "model/table.h"

#define MAX_SHORT_STRING 255

/* ---- decisions ---- */

enum retry_step retry_decide(const struct topology_retry *retry, bool rejected, uint64_t attempts)
{
	if (rejected)
		return RETRY_PARK_REJECTED;
	return attempts < retry->attempts ? RETRY_WAIT : RETRY_PARK_ATTEMPTS;
}

static bool is_of_queue(const struct message *m, struct slice queue)
{
	if ((m->present & MESSAGE_HEADERS) == 0)
		return false;
	struct slice marked = table_find_string(m->headers, MARKS_QUEUE);
	return marked.ptr != NULL && slice_equal(marked, queue);
}

uint64_t retry_attempts(const struct message *m, struct slice queue)
{
	return is_of_queue(m, queue) ? marks_count(m->headers, MARKS_ATTEMPTS) : 0;
}

bool retry_is_back(const struct message *m, struct slice queue)
{
	return m->exchange.len == 0 && slice_equal(m->routing_key, queue) && is_of_queue(m, queue);
}

/* ---- headers that are set aside ---- */

enum use {
	ROUTES, /* it would be obeyed */
	DEATH,	/* dead-lettering writes it; between two attempts that is our own waiting */
	COUNT,	/* of one queue, for one delivery */
};

static const struct aside {
	const char *key;
	enum use use;
} asides[] = {
    {"CC", ROUTES},
    {"BCC", ROUTES},
    {"x-death", DEATH},
    {"x-first-death-exchange", DEATH},
    {"x-first-death-queue", DEATH},
    {"x-first-death-reason", DEATH},
    {"x-last-death-exchange", DEATH},
    {"x-last-death-queue", DEATH},
    {"x-last-death-reason", DEATH},
    {"x-delivery-count", COUNT},
};

static const struct aside *find_aside(struct slice key)
{
	for (size_t i = 0; i < ARRAY_LEN(asides); i++)
		if (slice_is(key, asides[i].key))
			return &asides[i];
	return NULL;
}

/* Whether the key begins with MARKS_KEPT; *name is then what follows. */
static bool is_kept(struct slice key, struct slice *name)
{
	const size_t length = strlen(MARKS_KEPT);
	if (key.len < length || memcmp(key.ptr, MARKS_KEPT, length) != 0)
		return false;
	*name = slice_from(key, length);
	return true;
}

static struct slice raw_entry(const char *at, const struct table_entry *entry)
{
	return (struct slice){at, (size_t)(entry->rest.ptr - at)};
}

/* An entry with `prefix` and `name` for its key; type and value stay. */
static void append_renamed(const char *at, const struct table_entry *entry, const char *prefix,
    const char *name, struct buf *out)
{
	struct slice raw = raw_entry(at, entry);
	size_t skip = 1 + entry->key.len;
	buf_append_char(out, (char)(strlen(prefix) + strlen(name)));
	buf_append_str(out, prefix);
	buf_append_str(out, name);
	buf_append(out, slice_from(raw, skip));
}

/* False when the table is damaged. */
static bool set_aside(struct slice headers, struct buf *out)
{
	struct table_entry entry = {.rest = headers};
	struct slice name;
	for (const char *at = headers.ptr; table_next(&entry); at = entry.rest.ptr) {
		const struct aside *aside = find_aside(entry.key);
		if (aside == NULL && !is_kept(entry.key, &name)) /* an older one means nothing */
			buf_append(out, raw_entry(at, &entry));
		else if (aside != NULL && aside->use != COUNT)
			append_renamed(at, &entry, MARKS_KEPT, aside->key, out);
	}
	return entry.rest.len == 0;
}

static void put_back(struct slice headers, struct buf *out)
{
	struct table_entry entry = {.rest = headers};
	for (const char *at = headers.ptr; table_next(&entry); at = entry.rest.ptr) {
		struct slice name = {0};
		const struct aside *aside = find_aside(entry.key);
		const struct aside *kept = is_kept(entry.key, &name) ? find_aside(name) : NULL;
		if (kept != NULL)
			append_renamed(at, &entry, "", kept->key, out);
		else if (aside == NULL || aside->use != DEATH)
			buf_append(out, raw_entry(at, &entry));
	}
	buf_append(out, entry.rest);
}

/* ---- there ---- */

#define MOST_MARKS 12

struct marking {
	struct mark marks[MOST_MARKS];
	size_t count;
};

static void add(struct marking *m, struct mark mark)
{
	m->marks[m->count++] = mark;
}

static void add_text(struct marking *m, const char *key, struct slice text)
{
	add(m, (struct mark){.key = key, .kind = MARK_TEXT, .text = text});
}

static void add_absent(struct marking *m, const char *key)
{
	add(m, (struct mark){.key = key, .kind = MARK_ABSENT});
}

static void add_verdict(struct marking *marking, const struct retry_failure *f)
{
	static const char *const reasons[] = {
	    [RETRY_PARK_ATTEMPTS] = "attempts", [RETRY_PARK_REJECTED] = "rejected"};
	struct slice reason = f->reason;
	/* what an earlier parking said holds no longer */
	add_absent(marking, MARKS_CONTRACT);
	add_absent(marking, MARKS_INSTANCE_PATH);
	add_absent(marking, MARKS_SCHEMA_PATH);
	if (f->step == RETRY_WAIT) {
		add_absent(marking, MARKS_REASON);
		add_absent(marking, MARKS_ERROR);
		add_absent(marking, MARKS_TIME);
		return;
	}
	if (reason.len > RETRY_MAX_ERROR_BYTES)
		reason.len = RETRY_MAX_ERROR_BYTES;
	add_text(marking, MARKS_REASON, slice_str(reasons[f->step]));
	add(marking, (struct mark){.key = MARKS_ERROR,
			 .kind = reason.len > 0 ? MARK_TEXT : MARK_ABSENT,
			 .text = reason});
	add(marking, (struct mark){.key = MARKS_TIME, .kind = MARK_TIME, .number = f->time_s});
}

/* The property becomes a mark. */
static void move_to_mark(struct marking *marking, struct message *m, enum message_property bit,
    const char *key, struct slice text)
{
	if ((m->present & (unsigned)bit) == 0)
		return;
	m->present &= ~(unsigned)bit;
	add_text(marking, key, text);
}

bool retry_mark(const struct message *m, const struct retry_failure *f, struct message *out,
    struct buf *store, struct error *err)
{
	struct marking marking = {0};
	struct buf kept = {0}, known = {0};
	struct message copy = *m;
	struct slice headers = (m->present & MESSAGE_HEADERS) != 0 ? m->headers : SLICE("");
	buf_clear(store);
	if (!set_aside(headers, &kept)) {
		buf_release(&kept);
		return error_set(err, ERROR_DATA, "its headers are damaged");
	}
	add(&marking,
	    (struct mark){.key = MARKS_ATTEMPTS, .kind = MARK_INT, .number = (int64_t)f->attempts});
	add_text(&marking, MARKS_QUEUE, f->queue);
	add_text(&marking, MARKS_EXCHANGE, m->exchange);
	add_text(&marking, MARKS_ROUTING_KEY, m->routing_key);
	add_verdict(&marking, f);
	move_to_mark(&marking, &copy, MESSAGE_USER_ID, MARKS_USER_ID, m->user_id);
	move_to_mark(&marking, &copy, MESSAGE_EXPIRATION, MARKS_EXPIRATION, m->expiration);
	marks_set(buf_slice(&kept), marking.marks, marking.count, &known);
	marks_join(buf_slice(&known), f->step != RETRY_WAIT ? f->headers : SLICE(""), store);
	buf_release(&kept);
	buf_release(&known);
	copy.present |= MESSAGE_HEADERS;
	copy.headers = buf_slice(store);
	*out = copy;
	return true;
}

/* ---- and back ---- */

/* A mark that fits where a short string has to; ptr NULL when it is not there. */
static struct slice short_mark(const struct message *m, const char *key)
{
	struct slice text = table_find_string(m->headers, key);
	return text.len <= MAX_SHORT_STRING ? text : (struct slice){0};
}

void retry_restore(const struct message *m, struct message *out, struct buf *store)
{
	static const struct mark gone = {.key = MARKS_EXPIRATION, .kind = MARK_ABSENT};
	struct slice exchange = short_mark(m, MARKS_EXCHANGE);
	struct slice routing_key = short_mark(m, MARKS_ROUTING_KEY);
	struct slice expiration = short_mark(m, MARKS_EXPIRATION);
	struct buf headers = {0};
	*out = *m;
	buf_clear(store);
	put_back(m->headers, &headers);
	marks_set(buf_slice(&headers), &gone, 1, store);
	buf_release(&headers);
	out->headers = buf_slice(store);
	if (exchange.ptr != NULL && routing_key.ptr != NULL) {
		out->exchange = exchange;
		out->routing_key = routing_key;
	}
	if (expiration.ptr != NULL) {
		out->expiration = expiration;
		out->present |= MESSAGE_EXPIRATION;
	}
}
