/* What the source does when a consumer ends or the connection is lost. */
#include "flow/source_queue.h"

#include "base/log.h"
#include "flow/source_queue_private.h"
#include "model/marks.h"

#include <stdlib.h>

#define MANY_OFFSETS 1024
#define OFFSET_HEADER "x-stream-offset"

/* ---- streams: to go on where we were ---- */

static uint64_t front_tag(const struct feed *feed)
{
	return ((const struct offset *)fifo_front(&feed->offsets))->tag;
}

/* Drops the places of what is settled, but for the last one. */
static void forget_settled(struct feed *feed, uint64_t first_unsettled)
{
	while (fifo_count(&feed->offsets) > 1 && front_tag(feed) < first_unsettled)
		fifo_pop(&feed->offsets);
}

void source_queue_note_offset(struct feed *feed, const struct subscriber_delivery *d)
{
	/* the first ones may come before the subscriber is known */
	if (feed->subscriber != NULL && fifo_count(&feed->offsets) >= MANY_OFFSETS)
		forget_settled(feed, subscriber_first_unsettled(feed->subscriber));
	fifo_push(&feed->offsets,
	    &(struct offset){d->tag, marks_count(d->message->headers, OFFSET_HEADER)});
}

/* What was settled out of turn will come again, and is not to be offered again. It goes before what
 * is left of the last time: that has not come since. */
static void remember_settled(struct feed *feed)
{
	struct fifo settled = {.size = sizeof(uint64_t)};
	for (; !fifo_is_empty(&feed->offsets); fifo_pop(&feed->offsets)) {
		const struct offset *o = fifo_front(&feed->offsets);
		if (subscriber_is_settled(feed->subscriber, o->tag))
			fifo_push(&settled, &o->offset);
	}
	for (; !fifo_is_empty(&feed->settled); fifo_pop(&feed->settled))
		fifo_push(&settled, fifo_front(&feed->settled));
	fifo_release(&feed->settled);
	feed->settled = settled;
}

bool source_queue_was_settled(struct feed *feed, const struct message *m)
{
	if (fifo_is_empty(&feed->settled))
		return false;
	uint64_t offset = marks_count(m->headers, OFFSET_HEADER);
	while (!fifo_is_empty(&feed->settled)) {
		uint64_t next = *(const uint64_t *)fifo_front(&feed->settled);
		if (next > offset)
			return false;
		fifo_pop(&feed->settled);
		if (next == offset)
			return true;
	}
	return false;
}

/* The next consumer begins with the first message that is not settled, or that has not come. */
static void resume_stream(struct feed *feed)
{
	if (fifo_is_empty(&feed->offsets) || feed->subscriber == NULL)
		return;
	uint64_t first = subscriber_first_unsettled(feed->subscriber);
	forget_settled(feed, first);
	const struct offset *front = fifo_front(&feed->offsets);
	uint64_t next = front->tag < first ? front->offset + 1 : front->offset;
	json_object_set_new(feed->arguments, OFFSET_HEADER, json_integer((json_int_t)next));
	remember_settled(feed);
}

/* ---- coming back ---- */

/* What came by a consumer that is no more will come again: it is not offered, nor given back. */
static void forget_stale(struct source_queue *source)
{
	size_t waiting = fifo_count(&source->backlog), retries = fifo_count(&source->retries);
	for (size_t i = 0; i < waiting; i++) {
		struct waiting w = *(struct waiting *)fifo_front(&source->backlog);
		fifo_pop(&source->backlog);
		if (source_queue_is_current(source_queue_feed(source, w.token), w.token)) {
			fifo_push(&source->backlog, &w);
			continue;
		}
		source->backlog_bytes -= source_queue_weight(w.message);
		free(w.message);
	}
	for (size_t i = 0; i < retries; i++) {
		struct retry r = *(struct retry *)fifo_front(&source->retries);
		fifo_pop(&source->retries);
		if (source_queue_is_current(source_queue_feed(source, r.token), r.token))
			fifo_push(&source->retries, &r);
	}
	source->looked_empty = false;
}

static bool reopen_feeds(struct source_queue *source, struct error *err)
{
	for (size_t i = 0; i < source->feed_count; i++) {
		struct feed *feed = &source->feeds[i];
		if (!feed->has_ended)
			continue;
		resume_stream(feed);
		subscriber_close(feed->subscriber);
		feed->subscriber = NULL;
		feed->generation = (feed->generation + 1) & ((1u << GENERATION_BITS) - 1);
		feed->held = 0;
		feed->has_ended = false; /* deliveries may come before it is open */
		if (!source_queue_open_feed(source, feed, err)) {
			feed->has_ended = true;
			return false;
		}
	}
	return true;
}

bool source_queue_go_on(struct source_queue *source, struct error *err)
{
	struct recovery *recovery = source->options.recovery;
	struct error why = source->ended, lost = {0};
	for (bool first = true;; first = false) {
		bool lives = connection_check(source->connection, &lost);
		bool is_wanted = recovery != NULL && !source->stopping &&
				 (!lives || source->options.outlives_cancel || !first) &&
				 (!lives || first || recovery_may_help(recovery, &why));
		if (!is_wanted)
			return error_set(err, why.kind, "%s", why.text);
		if (!lives && !recovery_renew(recovery, err))
			return false;
		if (lives && first)
			log_write(LOG_WARNING, "%s; declaring and consuming anew", why.text);
		if (lives && !recovery_restore(recovery, &why, err))
			return false;
		forget_stale(source);
		error_clear(&source->ended);
		error_clear(&why);
		error_clear(&lost);
		if (reopen_feeds(source, &why))
			return true;
	}
}
