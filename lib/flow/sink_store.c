#include "flow/sink_store.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/parts.h"
#include "model/firehose.h"
#include "model/marks.h"

#include <stdlib.h>

#define BATCH_BYTES (8u << 20)
#define OFFSET_HEADER "x-stream-offset"

#define BUSY_STEP_NS (200 * CHRONO_MS) /* the longest that the loop stands still for a lock */
#define BUSY_PATIENCE_NS (120 * CHRONO_S)

/* What is not the publisher's; x-death stays, which is what happened to the message. The last one
 * comes of streams alone: in another queue a publisher has copied it. */
static const struct mark delivery_marks[] = {
    {.key = "x-delivery-count", .kind = MARK_ABSENT},
    {.key = MARKS_REPLAYED, .kind = MARK_ABSENT},
    {.key = MARKS_REPLAYED_AGAIN, .kind = MARK_ABSENT},
    {.key = MARKS_RESENT, .kind = MARK_ABSENT},
    {.key = OFFSET_HEADER, .kind = MARK_ABSENT},
};

struct sink_store {
	struct sink_store_options options;
	struct append *append;
	uint64_t *slots; /* of the batch, in its order */
	size_t slot_count, slot_capacity;
	struct buf headers;	   /* of the message that is put */
	struct append_mark *marks; /* of the same */
	size_t mark_capacity;
	struct parts *parts; /* with marks: of messages that are not all there */
	uint64_t timer;	     /* 0: none runs */
	bool is_due;	     /* the oldest has waited long enough */
	uint64_t busy_ns;    /* since when another process has the store; 0: it has not */
	size_t last_feed;    /* that something came from: most often the next one, too */
	struct sink_store_counts counts;
};

struct sink_store *sink_store_create(const struct sink_store_options *options)
{
	struct sink_store *sink = mem_alloc(1, sizeof *sink);
	sink->options = *options;
	sink->append = append_create(options->store);
	sink->parts = parts_create();
	store_set_patience(options->store, BUSY_STEP_NS);
	return sink;
}

void sink_store_free(struct sink_store *sink)
{
	if (sink == NULL)
		return;
	loop_cancel(sink->options.loop, sink->timer);
	append_free(sink->append);
	parts_free(sink->parts);
	free(sink->marks);
	buf_release(&sink->headers);
	free(sink->slots);
	free(sink);
}

/* ---- what is recorded ---- */

static struct sink_store_feed *find_feed(struct sink_store *sink, struct slice queue)
{
	const struct sink_store_options *o = &sink->options;
	for (size_t i = 0; i < o->feed_count; i++) {
		size_t at = (sink->last_feed + i) % o->feed_count;
		if (o->feeds[at].queue == queue.ptr) {
			sink->last_feed = at;
			return &o->feeds[at];
		}
	}
	return NULL;
}

static bool has_delivery_mark(struct slice headers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (marks_has(headers, delivery_marks[i].key))
			return true;
	return false;
}

/* The message as it was published. Headers that only the broker has put there are none. */
static void strip(
    struct sink_store *sink, const struct message *m, size_t count, struct message *out)
{
	*out = *m;
	buf_clear(&sink->headers);
	marks_set(m->headers, delivery_marks, count, &sink->headers);
	out->headers = buf_slice(&sink->headers);
	if (out->headers.len == 0)
		out->present &= ~(unsigned)MESSAGE_HEADERS;
}

/* The stream has to be the one that the store knows, and to have kept what comes next. */
static bool check_first(
    const struct sink_store_feed *feed, const struct flow_message *m, struct error *err)
{
	int64_t first = (int64_t)marks_count(m->message->headers, OFFSET_HEADER);
	char *shown = text_quote(m->queue);
	bool good = first >= feed->last_offset ||
		    error_set(err, ERROR_DATA,
			"stream '%s' was deleted and made anew: it is at offset %lld, the store at "
			"%lld; record it into another store",
			shown, (long long)first, (long long)feed->last_offset);
	if (first > feed->last_offset + 1)
		log_write(LOG_WARNING,
		    "stream '%s' has not kept the offsets from %lld to %lld: they were never "
		    "recorded",
		    shown, (long long)feed->last_offset + 1, (long long)first - 1);
	free(shown);
	return good;
}

/* Those of the message and of what it is a part of. */
static size_t find_marks(struct sink_store *sink, const struct flow *flow, uint64_t slot)
{
	const struct sink_store_options *o = &sink->options;
	size_t count = 0;
	for (; o->mark != NULL && slot != FLOW_NOBODY; slot = flow_parent(flow, slot))
		for (size_t i = 0;; i++) {
			sink->marks = mem_grow(
			    sink->marks, &sink->mark_capacity, count + 1, sizeof *sink->marks);
			if (!o->mark(o->mark_ctx, slot, i, &sink->marks[count]))
				break;
			count++;
		}
	return count;
}

static bool add(struct sink_store *sink, const struct flow *flow, uint64_t slot,
    struct sink_store_feed *feed, const struct flow_message *m, struct error *err)
{
	struct append_event event = {.message = m->message,
	    .queue = m->queue,
	    .stream_offset = -1,
	    .redelivered = m->redelivered,
	    .received_us = (int64_t)(chrono_wall_ns() / CHRONO_US)};
	struct firehose traced;
	struct message stripped;
	event.mark_count = find_marks(sink, flow, slot);
	event.marks = sink->marks;
	if (feed != NULL) {
		feed->count++;
		event.queue = feed->recorded;
	}
	if (feed != NULL && feed->is_firehose) {
		if (!firehose_read(m->message, &traced, err))
			return false;
		event.message = &traced.message;
		event.queue = traced.queue;
		event.redelivered = traced.redelivered;
	}
	bool is_stream = feed != NULL && feed->is_stream;
	size_t marks = ARRAY_LEN(delivery_marks) - (is_stream ? 0 : 1);
	bool has_headers = (event.message->present & MESSAGE_HEADERS) != 0;
	if (is_stream && has_headers)
		event.stream_offset = (int64_t)marks_count(event.message->headers, OFFSET_HEADER);
	if (has_headers && has_delivery_mark(event.message->headers, marks)) {
		strip(sink, event.message, marks, &stripped);
		event.message = &stripped;
	}
	return append_add(sink->append, &event, err);
}

/* ---- the sink ---- */

static size_t room(const void *self)
{
	const struct sink_store *sink = self;
	/* what a message that is not all there still lacks has to come in */
	bool has_room = append_bytes(sink->append) < BATCH_BYTES || parts_are_open(sink->parts);
	return has_room ? SIZE_MAX : 0;
}

static void on_time(void *ctx, uint64_t now_ns)
{
	struct sink_store *sink = ctx;
	(void)now_ns;
	sink->timer = 0;
	sink->is_due = true;
}

static void note_slot(struct sink_store *sink, uint64_t slot)
{
	if (sink->slot_count == 0)
		sink->timer = loop_at(sink->options.loop,
		    chrono_after(chrono_now_ns(), sink->options.batch_ns), on_time, sink);
	sink->slots =
	    mem_grow(sink->slots, &sink->slot_capacity, sink->slot_count + 1, sizeof *sink->slots);
	sink->slots[sink->slot_count++] = slot;
}

static void settle_all(struct flow *flow, const struct parts_part *list, size_t count,
    enum flow_fate fate, const char *reason)
{
	for (size_t i = 0; i < count; i++)
		flow_settle(flow, list[i].slot, fate, reason);
}

/* All of a message, or nothing of it. */
static bool put_whole(void *ctx, struct flow *flow, const struct parts_part *list, size_t count,
    enum flow_fate worst, struct error *err)
{
	struct sink_store *sink = ctx;
	size_t before = append_count(sink->append), marks = append_marks(sink->append);
	struct error unreadable = {0};
	if (worst != FLOW_ACCEPTED) {
		settle_all(flow, list, count, worst, "another part of the message has failed");
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		const struct flow_message *m = list[i].m;
		struct sink_store_feed *feed = find_feed(sink, m->queue);
		if (feed != NULL && feed->is_stream && feed->count == 0 && feed->last_offset >= 0 &&
		    !check_first(feed, m, err))
			return false;
		if (add(sink, flow, list[i].slot, feed, m, &unreadable))
			continue;
		log_write(LOG_WARNING, "a message cannot be stored and stays in its queue: %s",
		    unreadable.text);
		sink->counts.unstored++;
		append_take_back(sink->append, before, marks);
		settle_all(flow, list, count, FLOW_HELD, unreadable.text);
		return true;
	}
	for (size_t i = 0; i < count; i++)
		note_slot(sink, list[i].slot);
	return true;
}

static bool put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	struct sink_store *sink = self;
	if (sink->options.mark != NULL && m->part > 0) {
		parts_add(sink->parts, flow, slot, m);
		return true;
	}
	const struct parts_part whole = {slot, m};
	return put_whole(sink, flow, &whole, 1, FLOW_ACCEPTED, err);
}

static bool is_held_up(const void *self)
{
	const struct sink_store *sink = self;
	return sink->busy_ns > 0;
}

static bool must_commit(const struct sink_store *sink, const struct flow *flow)
{
	size_t count = sink->slot_count;
	return count > 0 && (sink->is_due || count >= sink->options.batch_count ||
				append_bytes(sink->append) >= BATCH_BYTES || flow_room(flow) == 0);
}

static void count_result(struct sink_store *sink, const struct append_result *result)
{
	struct sink_store_counts *c = &sink->counts;
	if (result->outcome != APPEND_STORED) {
		c->duplicates += result->outcome == APPEND_DUPLICATE;
		c->handled += result->outcome == APPEND_HANDLED;
		return;
	}
	c->stored++;
	if (result->id_was_used && c->reused_ids++ == 0)
		log_write(LOG_WARNING,
		    "the event at position %llu has an id that was there with other content: it "
		    "is stored, too (further ones are only counted)",
		    (unsigned long long)result->position);
}

static void end_batch(struct sink_store *sink)
{
	loop_cancel(sink->options.loop, sink->timer);
	sink->timer = 0;
	sink->is_due = false;
	sink->slot_count = 0;
}

static void wait_for_turn(struct sink_store *sink, uint64_t now_ns)
{
	if (sink->busy_ns == 0)
		log_write(LOG_WARNING, "another process writes to %s; waiting for it",
		    store_path(sink->options.store));
	sink->busy_ns = sink->busy_ns > 0 ? sink->busy_ns : now_ns;
	loop_cancel(sink->options.loop, sink->timer);
	sink->timer = loop_at(sink->options.loop, now_ns, on_time, sink);
}

/* Leaves the batch for the next turn, without results, while somebody else has the store. */
static bool commit(struct sink_store *sink, const struct append_result **results, struct error *err)
{
	uint64_t now_ns = chrono_now_ns();
	*results = NULL;
	if (append_commit(sink->append, results, err)) {
		sink->busy_ns = 0;
		return true;
	}
	*results = NULL;
	if (err->kind != ERROR_UNAVAILABLE ||
	    (sink->busy_ns > 0 && now_ns - sink->busy_ns > BUSY_PATIENCE_NS))
		return false;
	error_clear(err);
	wait_for_turn(sink, now_ns);
	return true;
}

static bool flush(void *self, struct flow *flow, struct error *err)
{
	struct sink_store *sink = self;
	const struct append_result *results;
	if (!parts_hand_over(sink->parts, flow, put_whole, sink, err))
		return false;
	if (!must_commit(sink, flow))
		return true;
	if (!commit(sink, &results, err))
		return false;
	if (results == NULL)
		return true;
	size_t count = sink->slot_count;
	end_batch(sink);
	for (size_t i = 0; i < count; i++) {
		count_result(sink, &results[i]);
		flow_settle(flow, sink->slots[i], FLOW_ACCEPTED, "");
	}
	return true;
}

/* The flow releases what is left: nothing of it is in the store. */
static void abandon(void *self, struct flow *flow)
{
	struct sink_store *sink = self;
	struct error ignored = {0}; /* all is stored; it is found a little later */
	(void)flow;
	if (sink->slot_count == 0 && sink->counts.stored > 0)
		IGNORE_RESULT(append_settle(sink->append, &ignored));
	parts_clear(sink->parts);
	append_clear(sink->append);
	end_batch(sink);
}

struct flow_sink sink_store_sink(struct sink_store *sink)
{
	static const struct flow_sink_kind kind = {room, put, flush, is_held_up, NULL, abandon};
	return (struct flow_sink){&kind, sink};
}

const struct sink_store_counts *sink_store_counts(const struct sink_store *sink)
{
	return &sink->counts;
}
