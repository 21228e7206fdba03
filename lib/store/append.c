#include "store/append_private.h"

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/envelope.h"
#include "model/record.h"

#include <stdlib.h>

struct append *append_create(struct store *store)
{
	struct append *append = mem_alloc(1, sizeof *append);
	append->store = store;
	append->digest = digest_create();
	append->tail = tail_create(store);
	append->marks = handled_batch_create();
	return append;
}

void append_free(struct append *append)
{
	if (append == NULL)
		return;
	sqlite3_finalize(append->last);
	sqlite3_finalize(append->by_offset);
	sqlite3_finalize(append->same);
	sqlite3_finalize(append->insert);
	digest_free(append->digest);
	tail_free(append->tail);
	handled_batch_free(append->marks);
	free(append->guards);
	buf_release(&append->bytes);
	buf_release(&append->scratch);
	free(append->pending);
	free(append->results);
	free(append->passed);
	free(append);
}

size_t append_count(const struct append *append)
{
	return append->count;
}

size_t append_bytes(const struct append *append)
{
	return append->bytes.len;
}

void append_clear(struct append *append)
{
	append->count = append->guard_count = 0;
	buf_clear(&append->bytes);
	handled_batch_clear(append->marks);
}

/* The bytes stay until the batch is written. */
void append_take_back(struct append *append, size_t count, size_t marks)
{
	append->count = count;
	handled_batch_take_back(append->marks, marks);
}

size_t append_marks(const struct append *append)
{
	return handled_batch_count(append->marks);
}

/* ---- gathering ---- */

static struct append_span keep(struct append *append, struct slice text)
{
	struct append_span span = {text.ptr != NULL ? append->bytes.len : SIZE_MAX, text.len};
	if (text.ptr != NULL)
		buf_append(&append->bytes, text);
	return span;
}

struct slice append_text(
    const struct append *append, const struct append_pending *p, enum append_text which)
{
	struct append_span span = p->texts[which];
	if (span.at == SIZE_MAX)
		return (struct slice){0};
	return (struct slice){append->bytes.ptr + span.at, span.len};
}

static struct slice or_empty(struct slice text)
{
	return text.ptr != NULL ? text : SLICE("");
}

/* What SQL will see as a text has to be one. */
static struct slice readable(struct slice text)
{
	return text.len > 0 && text_is_utf8(text) ? text : (struct slice){0};
}

static void keep_envelope(struct append *append, const struct message *m, struct append_pending *p)
{
	struct envelope e;
	envelope_read(m, &append->scratch, &e);
	p->texts[APPEND_TEXT_ID] = keep(append, readable(e.id));
	p->texts[APPEND_TEXT_TYPE] = keep(append, readable(e.type));
	p->texts[APPEND_TEXT_SOURCE] = keep(append, readable(e.source));
	p->texts[APPEND_TEXT_SUBJECT] = keep(append, readable(e.subject));
	p->texts[APPEND_TEXT_TIME] = keep(append, readable(e.time));
	p->texts[APPEND_TEXT_DATA] = keep(append, readable(e.data));
}

static void keep_marks(
    struct append *append, const struct append_event *event, struct append_pending *p)
{
	p->guard = append->guard_count;
	p->guard_count = event->mark_count;
	append->guards = mem_grow(append->guards, &append->guard_capacity,
	    append->guard_count + event->mark_count, sizeof *append->guards);
	for (size_t i = 0; i < event->mark_count; i++)
		append->guards[append->guard_count++] =
		    handled_batch_add(append->marks, event->marks[i].handled, event->marks[i].mark);
}

bool append_add(struct append *append, const struct append_event *event, struct error *err)
{
	const struct message *m = event->message;
	size_t before = append->bytes.len;
	if (!record_write_properties(m, &append->bytes, err))
		return false;
	append->pending = mem_grow(
	    append->pending, &append->capacity, append->count + 1, sizeof *append->pending);
	struct append_pending *p = &append->pending[append->count++];
	p->received_us = event->received_us;
	p->stream_offset = event->stream_offset;
	p->version = event->version;
	p->redelivered = event->redelivered;
	p->guard_count = 0;
	p->texts[APPEND_TEXT_PROPERTIES] = (struct append_span){before, append->bytes.len - before};
	p->texts[APPEND_TEXT_QUEUE] = keep(append, readable(event->queue));
	p->texts[APPEND_TEXT_EXCHANGE] = keep(append, or_empty(m->exchange));
	p->texts[APPEND_TEXT_ROUTING_KEY] = keep(append, or_empty(m->routing_key));
	p->texts[APPEND_TEXT_BODY] = keep(append, or_empty(m->body));
	keep_envelope(append, m, p);
	if (event->mark_count > 0)
		keep_marks(append, event, p);
	return true;
}
