#include "model/derive.h"

#include "base/mem.h"
#include "base/skim.h"
#include "base/text.h"
#include "model/envelope.h"
#include "model/marks.h"
#include "model/table.h"

#include <stdio.h>
#include <string.h>

#define UUID_CHARS 36
#define MOST_MARKS 8
#define MOST_SHORT 255 /* bytes of a property */
#define NAME_BYTES 64  /* of a header of CloudEvents */

/* What is set in the headers. */
struct writing {
	struct mark marks[MOST_MARKS];
	char names[MOST_MARKS][NAME_BYTES];
	size_t count;
};

/* ---- the identity ---- */

static void add_part(struct digest *digest, struct slice text)
{
	uint64_t length = text.len; /* "ab" + "c" is not "a" + "bc" */
	digest_add(digest, (struct slice){(const char *)&length, sizeof length});
	digest_add(digest, text);
}

/* RFC 9562, 5.8: the version in the seventh byte, the variant in the ninth. */
static void name_result(struct digest *digest, const struct derivation *d, struct slice source,
    struct slice id, char out[UUID_CHARS + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[DIGEST_BYTES];
	digest_begin(digest);
	add_part(digest, d->by);
	add_part(digest, source);
	add_part(digest, id);
	add_part(digest, (struct slice){(const char *)&d->part, sizeof d->part});
	digest_end(digest, hash);
	hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x80);
	hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
	char *at = out;
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = digits[hash[i] >> 4];
		*at++ = digits[hash[i] & 15];
	}
	*at = '\0';
}

/* ---- the headers ---- */

static void join(char key[NAME_BYTES], struct slice prefix, const char *name)
{
	if (prefix.len > 0)
		memcpy(key, prefix.ptr, prefix.len);
	memcpy(key + prefix.len, name, strlen(name) + 1); /* both are ours, and short */
}

static void write(
    struct writing *w, struct slice prefix, const char *name, struct slice value, size_t most)
{
	if (value.len == 0 || value.len > most)
		return;
	char *key = w->names[w->count];
	join(key, prefix, name);
	w->marks[w->count++] = (struct mark){.key = key, .kind = MARK_TEXT, .text = value};
}

static struct slice find(struct slice headers, struct slice prefix, const char *name)
{
	char key[NAME_BYTES];
	join(key, prefix, name);
	return table_find_string(headers, key);
}

/* The prefix of the headers that make an event of it: one that has an id. */
static struct slice find_prefix(struct slice headers)
{
	for (size_t i = 0; i < ENVELOPE_PREFIX_COUNT; i++)
		if (find(headers, envelope_prefixes[i], "id").ptr != NULL)
			return envelope_prefixes[i];
	return (struct slice){0};
}

static struct slice first_of(struct slice a, struct slice b)
{
	return a.len > 0 ? a : b;
}

/* ---- a structured event ---- */

/* A member of the event and what it is to be; empty: as it is. */
struct attribute {
	const char *name;
	struct slice value;
	bool is_written;
};

static void write_member(struct buf *out, struct slice key, struct slice value)
{
	buf_append_str(out, out->len > 1 ? ",\"" : "\"");
	buf_append(out, key);
	buf_append_str(out, "\":");
	buf_append(out, value);
}

static void write_attribute(struct buf *out, struct attribute *a)
{
	struct buf text = {0};
	text_json(a->value, &text);
	write_member(out, slice_str(a->name), buf_slice(&text));
	buf_release(&text);
	a->is_written = true;
}

static struct attribute *find_attribute(
    struct attribute *attributes, size_t count, struct slice key)
{
	for (size_t i = 0; i < count; i++)
		if (attributes[i].value.len > 0 && slice_is(key, attributes[i].name))
			return &attributes[i];
	return NULL;
}

/* The other members stay as they are, byte for byte. */
static void rewrite(struct buf *out, struct slice event, struct attribute *attributes, size_t count)
{
	struct skim_member member = {.rest = event};
	buf_clear(out);
	buf_append_char(out, '{');
	while (skim_next(&member)) {
		struct attribute *a = find_attribute(attributes, count, member.key);
		if (a == NULL)
			write_member(out, member.key, member.value);
		else if (!a->is_written)
			write_attribute(out, a);
	}
	for (size_t i = 0; i < count; i++)
		if (attributes[i].value.len > 0 && !attributes[i].is_written)
			write_attribute(out, &attributes[i]);
	buf_append_char(out, '}');
}

/* An id that is not the message's was chosen by the logic. */
static bool has_id_of_cause(const struct message *m, const struct envelope *event)
{
	return (m->present & MESSAGE_MESSAGE_ID) == 0 || slice_equal(m->message_id, event->id);
}

static void name_event(struct derive_work *work, struct message *m, const struct envelope *event,
    const struct derivation *d, struct slice id, struct slice correlation)
{
	struct attribute attributes[] = {
	    {"id", id, false},
	    {"source", d->source, false},
	    {"type", d->type, false},
	    {"subject", d->subject, false},
	    {"correlationid", correlation, false},
	    {"causationid", event->id, false},
	};
	if (!has_id_of_cause(m, event))
		return;
	rewrite(&work->body, m->body, attributes, ARRAY_LEN(attributes));
	m->body = buf_slice(&work->body);
}

/* ---- the message ---- */

static void set_text(
    struct message *m, enum message_property bit, struct slice *member, struct slice value)
{
	if (value.len == 0 || value.len > MOST_SHORT)
		return;
	m->present |= bit;
	*member = value;
}

/* Moves a text into the store, which grew to its size before. */
static struct slice keep(struct buf *store, struct slice text)
{
	size_t at = store->len;
	buf_append(store, text);
	return (struct slice){store->ptr + at, text.len};
}

void derive_release(struct derive_work *work)
{
	digest_free(work->digest);
	buf_release(&work->scratch);
	buf_release(&work->kept);
	buf_release(&work->body);
	*work = (struct derive_work){0};
}

static void name_binary(struct writing *w, struct slice headers, const struct derivation *d,
    struct slice id, struct slice correlation, struct slice cause_id)
{
	struct slice prefix = find_prefix(headers);
	write(w, prefix, "id", id, SIZE_MAX);
	write(w, prefix, "correlationid",
	    first_of(find(headers, prefix, "correlationid"), correlation), SIZE_MAX);
	write(w, prefix, "causationid", cause_id, SIZE_MAX);
	write(w, prefix, "type", d->type, SIZE_MAX);
	write(w, prefix, "source", d->source, SIZE_MAX);
	write(w, prefix, "subject", d->subject, SIZE_MAX);
}

/* `more` is what the caller keeps in the store behind them, which must not move then. */
static void set_headers(struct derive_work *work, struct message *m, struct slice headers,
    const struct writing *w, size_t more, struct buf *store)
{
	size_t written = 0;
	for (size_t i = 0; i < w->count; i++)
		written += NAME_BYTES + 8 + w->marks[i].text.len;
	buf_clear(&work->kept);
	marks_strip(headers, true, &work->kept);
	buf_clear(store);
	buf_reserve(store, work->kept.len + written + more);
	marks_set(buf_slice(&work->kept), w->marks, w->count, store);
	m->headers = buf_slice(store);
	m->present &= ~(unsigned)MESSAGE_HEADERS;
	m->present |= m->headers.len > 0 ? MESSAGE_HEADERS : 0;
}

void derive_message(
    struct derive_work *work, struct message *m, const struct derivation *d, struct buf *store)
{
	struct envelope cause;
	struct writing w = {0};
	char name[UUID_CHARS + 1] = "";
	struct slice headers =
	    (m->present & MESSAGE_HEADERS) != 0 ? m->headers : (struct slice){"", 0};
	if (work->digest == NULL)
		work->digest = digest_create();
	envelope_read(m, &work->scratch, &cause);
	struct slice cause_id = cause.id.ptr != NULL ? cause.id : (struct slice){"", 0};
	if (cause_id.len > 0)
		name_result(work->digest, d, cause.source, cause_id, name);
	struct slice id = slice_str(name), correlation = cause_id;
	if ((m->present & MESSAGE_CORRELATION_ID) != 0)
		correlation = first_of(m->correlation_id, cause_id);
	if (cause.mode == ENVELOPE_BINARY)
		name_binary(&w, headers, d, id, correlation, cause_id);
	if (cause.mode == ENVELOPE_STRUCTURED)
		name_event(work, m, &cause, d, id, correlation);
	else if ((m->present & MESSAGE_CONTENT_TYPE) != 0 &&
		 slice_is(m->content_type, ENVELOPE_CONTENT_TYPE))
		m->content_type = slice_str("application/json");
	write(&w, (struct slice){"", 0}, MARKS_CAUSE, cause_id, SIZE_MAX);
	set_headers(work, m, headers, &w, correlation.len + id.len + d->type.len, store);
	set_text(m, MESSAGE_CORRELATION_ID, &m->correlation_id, keep(store, correlation));
	set_text(m, MESSAGE_MESSAGE_ID, &m->message_id, keep(store, id));
	set_text(m, MESSAGE_TYPE, &m->type, keep(store, d->type));
	if ((m->present & MESSAGE_USER_ID) != 0 &&
	    (d->user == NULL || !slice_is(m->user_id, d->user)))
		m->present &= ~(unsigned)MESSAGE_USER_ID;
}
