#include "model/reply.h"

#include "base/mem.h"
#include "model/derive.h"
#include "model/envelope.h"
#include "model/marks.h"
#include "model/table.h"
#include "model/trace.h"

#define MOST_REASON_BYTES 1000

bool reply_is_wanted(const struct message *request)
{
	return (request->present & MESSAGE_REPLY_TO) != 0 && request->reply_to.len > 0;
}

static struct slice headers_of(const struct message *m)
{
	return (m->present & MESSAGE_HEADERS) != 0 ? m->headers : (struct slice){"", 0};
}

/* ---- headers ---- */

static bool find(struct slice headers, struct slice key, struct table_entry *out)
{
	*out = (struct table_entry){.rest = headers};
	while (table_next(out))
		if (slice_equal(out->key, key))
			return true;
	return false;
}

static bool is_same(struct slice headers, const struct table_entry *entry)
{
	struct table_entry there;
	return find(headers, entry->key, &there) && there.type == entry->type &&
	       slice_equal(there.value, entry->value);
}

/* Whether the result is an event of its own, not the one that asked. */
static bool is_new_event(struct slice asked, struct slice result)
{
	struct table_entry entry = {.rest = result};
	while (table_next(&entry)) {
		size_t prefix = envelope_find_prefix(entry.key);
		if (prefix < ENVELOPE_PREFIX_COUNT &&
		    slice_is(slice_from(entry.key, envelope_prefixes[prefix].len), "id"))
			return !is_same(asked, &entry);
	}
	return false;
}

static bool begins_with(struct slice text, const char *prefix)
{
	size_t length = strlen(prefix);
	return text.len >= length && memcmp(text.ptr, prefix, length) == 0;
}

static bool is_kept(struct slice asked, const struct table_entry *entry, bool is_event)
{
	if (slice_is(entry->key, TRACE_PARENT) || slice_is(entry->key, TRACE_STATE))
		return true;
	if (envelope_find_prefix(entry->key) < ENVELOPE_PREFIX_COUNT)
		return is_event;
	return !begins_with(entry->key, MARKS_PREFIX) && !is_same(asked, entry);
}

static void keep_headers(struct slice asked, struct slice result, struct buf *out)
{
	struct buf own = {0};
	marks_strip(result, true, &own);
	bool is_event = is_new_event(asked, buf_slice(&own));
	struct table_entry entry = {.rest = buf_slice(&own)};
	for (const char *at = own.ptr; table_next(&entry); at = entry.rest.ptr)
		if (is_kept(asked, &entry, is_event))
			buf_append(out, (struct slice){at, (size_t)(entry.rest.ptr - at)});
	buf_release(&own);
}

/* ---- the message ---- */

/* The answer's own, and the trace of who asks. */
static void join_headers(struct slice asked, struct slice answer, struct buf *out)
{
	static const char *const followed[] = {TRACE_PARENT, TRACE_STATE};
	const struct mark others[] = {{.key = TRACE_PARENT, .kind = MARK_ABSENT},
	    {.key = TRACE_STATE, .kind = MARK_ABSENT}, {.key = MARKS_CAUSE, .kind = MARK_ABSENT},
	    {.key = MARKS_REPEATED, .kind = MARK_TRUE}};
	marks_set(answer, others, ARRAY_LEN(others), out);
	for (size_t i = 0; i < ARRAY_LEN(followed); i++) {
		struct slice value = table_find_string(asked, followed[i]);
		if (value.ptr != NULL)
			table_add_string(out, followed[i], value);
	}
}

typedef void headers_fn(struct slice asked, struct slice result, struct buf *out);

/* Address, ids and cause; *store gets what out borrows, and the headers at its end. */
static void begin(const struct message *request, const struct message *result, struct slice by,
    headers_fn *add_headers, struct buf *store, struct message *out)
{
	struct buf derived = {0};
	struct derive_work work = {0};
	struct message made = *request;
	derive_message(&work, &made, &(struct derivation){.by = by}, &derived);
	derive_release(&work);
	buf_clear(store);
	buf_reserve(store, headers_of(request).len + headers_of(result).len + derived.len +
			       MOST_REASON_BYTES + 512);
	*out = (struct message){
	    .exchange = {"", 0}, .routing_key = request->reply_to, .body = result->body};
	const enum message_property ids[] = {MESSAGE_MESSAGE_ID, MESSAGE_CORRELATION_ID};
	const struct slice values[] = {made.message_id, made.correlation_id};
	struct slice *members[] = {&out->message_id, &out->correlation_id};
	for (size_t i = 0; i < 2; i++) {
		if ((made.present & ids[i]) == 0)
			continue;
		size_t at = store->len;
		buf_append(store, values[i]);
		*members[i] = (struct slice){store->ptr + at, values[i].len};
		out->present |= ids[i];
	}
	struct slice cause = table_find_string(headers_of(&made), MARKS_CAUSE);
	size_t at = store->len;
	add_headers(headers_of(request), headers_of(result), store);
	if (cause.ptr != NULL)
		table_add_string(store, MARKS_CAUSE, cause);
	out->headers = (struct slice){store->ptr + at, store->len - at};
	if ((request->present & MESSAGE_DELIVERY_MODE) != 0) {
		out->delivery_mode = request->delivery_mode;
		out->present |= MESSAGE_DELIVERY_MODE;
	}
	buf_release(&derived);
}

/* Tried again, it may get an answer, which is another message. */
static struct slice name_error(struct slice by, struct buf *store)
{
	buf_printf(store, "%.*s/error", (int)by.len, by.ptr);
	return buf_slice(store);
}

static void end(struct message *out)
{
	if (out->headers.len > 0)
		out->present |= MESSAGE_HEADERS;
}

void reply_make(const struct message *request, const struct message *result, struct slice by,
    struct buf *store, struct message *out)
{
	begin(request, result, by, keep_headers, store, out);
	const unsigned both = MESSAGE_CONTENT_TYPE | MESSAGE_CONTENT_ENCODING;
	out->present |= result->present & both;
	out->content_type = result->content_type;
	out->content_encoding = result->content_encoding;
	bool has_type = (result->present & MESSAGE_TYPE) != 0;
	bool is_asked =
	    (request->present & MESSAGE_TYPE) != 0 && slice_equal(request->type, result->type);
	if (has_type && !is_asked) { /* what was asked is not what is answered */
		out->present |= MESSAGE_TYPE;
		out->type = result->type;
	}
	end(out);
}

void reply_refuse(const struct message *request, struct slice by, struct slice reason,
    struct buf *store, struct message *out)
{
	struct message nothing = *request;
	struct buf who = {0};
	nothing.body = (struct slice){"", 0};
	begin(request, &nothing, name_error(by, &who), keep_headers, store, out);
	buf_release(&who);
	size_t headers_at = (size_t)(out->headers.ptr - store->ptr);
	size_t length = reason.len < MOST_REASON_BYTES ? reason.len : MOST_REASON_BYTES;
	reason = length > 0 ? (struct slice){reason.ptr, length} : SLICE("rejected");
	table_add_string(store, MARKS_ERROR, reason);
	out->headers = (struct slice){store->ptr + headers_at, store->len - headers_at};
	out->body = (struct slice){store->ptr + store->len - reason.len, reason.len};
	out->content_type = SLICE("text/plain");
	out->present |= MESSAGE_CONTENT_TYPE;
	end(out);
}

void reply_answer(const struct message *reply, struct message *out)
{
	*out = (struct message){.body = reply->body,
	    .present = reply->present & (MESSAGE_CONTENT_TYPE | MESSAGE_CONTENT_ENCODING |
					    MESSAGE_TYPE | MESSAGE_HEADERS),
	    .content_type = reply->content_type,
	    .content_encoding = reply->content_encoding,
	    .type = reply->type,
	    .headers = reply->headers};
}

void reply_repeat(const struct message *request, const struct message *answer, struct slice by,
    struct buf *store, struct message *out)
{
	struct buf who = {0};
	if (marks_has(headers_of(answer), MARKS_ERROR))
		by = name_error(by, &who);
	begin(request, answer, by, join_headers, store, out);
	buf_release(&who);
	const unsigned own = MESSAGE_CONTENT_TYPE | MESSAGE_CONTENT_ENCODING | MESSAGE_TYPE;
	out->present |= answer->present & own;
	out->content_type = answer->content_type;
	out->content_encoding = answer->content_encoding;
	out->type = answer->type;
	end(out);
}
