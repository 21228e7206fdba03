#include "flow/source_queue.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "flow/source_queue_private.h"

#include <stdlib.h>

#define LOOK_AGAIN_NS (50 * CHRONO_MS) /* between two looks at whether a queue is empty */
#define STREAM_QUIET_NS CHRONO_S /* a stream is read to its end when it says nothing so long */
/* What a queue without prefetch may send ahead of a slow sink before it is read no further. */
#define MAX_BACKLOG_BYTES (16u << 20)
#define MAX_BACKLOG_COUNT 65536

/* ---- deliveries ---- */

/* Not before the subscriber is known that will settle it: it may deliver while it opens. */
static bool flow_is_ready(const struct source_queue *source, const struct feed *feed)
{
	bool in_order = fifo_is_empty(&source->backlog);
	return source->flow != NULL && feed->subscriber != NULL && in_order &&
	       (source->stopping || flow_room(source->flow) > 0);
}

static void offer(
    struct feed *feed, const struct message *message, bool redelivered, uint64_t token)
{
	struct flow_message m = {
	    .message = message, .queue = feed->queue, .redelivered = redelivered};
	if (source_queue_was_settled(feed, message))
		subscriber_settle(feed->subscriber, source_queue_tag(token), SUBSCRIBER_ACK);
	else
		flow_offer(feed->source->flow, &m, token);
}

static void on_delivery(void *ctx, const struct subscriber_delivery *d)
{
	struct feed *feed = ctx;
	struct source_queue *source = feed->source;
	uint64_t token = source_queue_token(feed, d->tag);
	const struct message *message = d->message;
	struct message restored;
	source->deliveries++;
	recovery_note_progress(source->options.recovery);
	if (source->options.recovery != NULL && source->options.is_stream[feed->number])
		source_queue_note_offset(feed, d);
	source->heard = true;
	if (source->options.retrier != NULL)
		message =
		    retrier_restore(source->options.retrier, feed->number, message, &restored);
	if (flow_is_ready(source, feed)) {
		offer(feed, message, d->redelivered, token);
		return;
	}
	fifo_push(
	    &source->backlog, &(struct waiting){message_copy(message), d->redelivered, token});
	source->backlog_bytes += source_queue_weight(message);
	/* the prefetch bounds it, where there is one */
	if (source->backlog_bytes > MAX_BACKLOG_BYTES ||
	    fifo_count(&source->backlog) > MAX_BACKLOG_COUNT)
		connection_pause_input(source->connection);
}

/* Hands over what waits; once stopping, all of it: the flow gives it back. */
static void offer_backlog(struct source_queue *source)
{
	while (
	    !fifo_is_empty(&source->backlog) && (source->stopping || flow_room(source->flow) > 0)) {
		struct waiting w = *(struct waiting *)fifo_front(&source->backlog);
		fifo_pop(&source->backlog);
		source->backlog_bytes -= source_queue_weight(w.message);
		offer(source_queue_feed(source, w.token), w.message, w.redelivered, w.token);
		free(w.message);
	}
	if (fifo_is_empty(&source->backlog))
		connection_resume_input(source->connection);
}

static void on_ended(void *ctx, const struct error *why)
{
	struct feed *feed = ctx;
	feed->has_ended = true;
	error_set(&feed->source->ended, why->kind, "%s", why->text);
}

/* ---- the turn ---- */

static uint16_t prefetch_of(const struct feed *feed)
{
	const struct source_queue_options *o = &feed->source->options;
	bool has_own = o->own != NULL && o->own[feed->number].prefetch != 0;
	return has_own ? o->own[feed->number].prefetch : o->prefetch;
}

/* Past a full hand of held messages the broker sends no more: consume anew beside them. */
static bool renew_feeds(struct source_queue *source, uint64_t *wake_ns, struct error *err)
{
	for (size_t i = 0; i < source->feed_count; i++) {
		struct feed *feed = &source->feeds[i];
		uint16_t prefetch = prefetch_of(feed);
		if (prefetch == 0 || feed->held < prefetch || feed->has_ended)
			continue;
		feed->held = 0;
		*wake_ns = 0; /* what comes while it waits may fill the hand again */
		if (!subscriber_renew(feed->subscriber, err))
			return false;
	}
	return true;
}

static bool all_empty(struct source_queue *source, bool *empty, struct error *err)
{
	*empty = true;
	for (size_t i = 0; i < source->feed_count; i++) {
		uint64_t ready = 0;
		if (!subscriber_count_ready(source->feeds[i].subscriber, &ready, err))
			return false;
		/* of a stream it tells nothing, but comes behind what the broker had to send */
		*empty = *empty && (ready == 0 || source->options.is_stream[i]);
	}
	return true;
}

static bool reads_stream(const struct source_queue *source)
{
	for (size_t i = 0; i < source->feed_count; i++)
		if (source->options.is_stream[i])
			return true;
	return false;
}

/*
 * Ends the run when two looks in a row find every queue empty and nothing was delivered between
 * them: one look could fall between a message leaving the queue and reaching us.
 */
static bool look_for_end(
    struct source_queue *source, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	uint64_t quiet = reads_stream(source) ? STREAM_QUIET_NS : 0;
	uint64_t due = source->next_look_ns;
	if (due < source->quiet_since_ns + quiet)
		due = source->quiet_since_ns + quiet;
	if (now_ns < due) {
		*wake_ns = due < *wake_ns ? due : *wake_ns;
		return true;
	}
	bool empty = false;
	uint64_t before = source->deliveries;
	if (!all_empty(source, &empty, err))
		return false;
	bool quiet_since = source->looked_empty && source->deliveries_at_look == before;
	source->looked_empty = empty && source->deliveries == before;
	source->deliveries_at_look = before;
	source->next_look_ns = chrono_now_ns() + LOOK_AGAIN_NS;
	*wake_ns = source->next_look_ns < *wake_ns ? source->next_look_ns : *wake_ns;
	source->done = source->looked_empty && quiet_since;
	return true;
}

static void check_idle(struct source_queue *source, uint64_t now_ns, uint64_t *wake_ns)
{
	uint64_t end = chrono_after(source->quiet_since_ns, source->options.idle_ns);
	if (now_ns >= end)
		source->done = true;
	else if (end < *wake_ns)
		*wake_ns = end;
}

static void flush_acks(struct source_queue *source, uint64_t now_ns, uint64_t *wake_ns)
{
	for (size_t i = 0; i < source->feed_count; i++) {
		if (source->feeds[i].has_ended)
			continue;
		if (source->stopping || source->done)
			subscriber_flush(source->feeds[i].subscriber);
		else
			subscriber_flush_due(source->feeds[i].subscriber, now_ns, wake_ns);
	}
}

/* What waits for the broker's answers. */
static bool ask_broker(
    struct source_queue *source, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	if (!renew_feeds(source, wake_ns, err))
		return false;
	if (source->heard)
		source->quiet_since_ns = now_ns;
	source->heard = false;
	bool busy = flow_under_way(source->flow) > 0 || !fifo_is_empty(&source->backlog) ||
		    source_queue_is_sending_on(source) || !fifo_is_empty(&source->retries);
	if (busy)
		return true;
	check_idle(source, now_ns, wake_ns);
	return !source->options.until_empty || look_for_end(source, now_ns, wake_ns, err);
}

/* Whether the next tick sees why a question had no answer, and goes on or not. */
static bool is_interrupted(const struct source_queue *source)
{
	struct error lost = {0};
	return source->options.recovery != NULL &&
	       (source->ended.kind != ERROR_NONE || !connection_check(source->connection, &lost));
}

static bool tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct source_queue *source = self;
	source->heard |= source->flow == NULL;
	source->flow = flow;
	bool is_well = source->ended.kind == ERROR_NONE;
	if ((!is_well || !connection_check(source->connection, &source->ended)) &&
	    !source_queue_go_on(source, err))
		return false;
	offer_backlog(source);
	source_queue_requeue_due(source, now_ns, wake_ns);
	if (source->options.retrier != NULL &&
	    !retrier_tick(source->options.retrier, now_ns, wake_ns, err))
		return false;
	flush_acks(source, now_ns, wake_ns);
	if (source->stopping || source->done)
		return true;
	struct error unanswered = {0};
	if (ask_broker(source, now_ns, wake_ns, &unanswered))
		return true;
	*wake_ns = 0;
	return is_interrupted(source) || error_set(err, unanswered.kind, "%s", unanswered.text);
}

static void stop(void *self)
{
	struct source_queue *source = self;
	source->stopping = true;
	if (source->options.retrier != NULL)
		retrier_stop(source->options.retrier);
	for (size_t i = 0; i < source->feed_count; i++)
		if (!source->feeds[i].has_ended)
			subscriber_cancel(source->feeds[i].subscriber);
}

static bool is_done(const void *self)
{
	const struct source_queue *source = self;
	if (!source->stopping)
		return source->done;
	for (size_t i = 0; i < source->feed_count; i++)
		if (!source->feeds[i].has_ended &&
		    !subscriber_is_cancelled(source->feeds[i].subscriber))
			return false;
	return fifo_is_empty(&source->retries) && fifo_is_empty(&source->backlog) &&
	       !source_queue_is_sending_on(source);
}

struct flow_source source_queue_source(struct source_queue *source)
{
	static const struct flow_source_kind kind = {tick, source_queue_settle, stop, is_done};
	return (struct flow_source){&kind, source};
}

/* ---- opening ---- */

bool source_queue_open_feed(struct source_queue *source, struct feed *feed, struct error *err)
{
	struct subscriber_options options = {.queue = source->options.queues[feed->number],
	    .prefetch = prefetch_of(feed),
	    .ack_every = source->options.ack_every,
	    .no_ack = source->options.ack == SOURCE_QUEUE_AUTO,
	    .arguments = feed->arguments,
	    .exclusive = feed->exclusive,
	    .polling = source->options.polling,
	    .poll_ns = source->options.poll_ns,
	    .deliver = on_delivery,
	    .ended = on_ended,
	    .ctx = feed};
	feed->subscriber = subscriber_open(source->connection, &options, err);
	return feed->subscriber != NULL;
}

static void init_feed(struct source_queue *source, struct feed *feed, size_t number)
{
	const struct source_queue_options *o = &source->options;
	feed->source = source;
	feed->queue = slice_str(o->queues[number]);
	feed->number = number;
	feed->offsets.size = sizeof(struct offset);
	feed->settled.size = sizeof(uint64_t);
	bool is_meant = o->is_stream[number] || o->all_arguments;
	const json_t *arguments = o->own != NULL ? o->own[number].arguments
				  : is_meant	 ? o->arguments
						 : NULL;
	feed->exclusive = o->own != NULL ? o->own[number].exclusive : o->exclusive;
	if (arguments != NULL)
		feed->arguments = json_deep_copy(arguments);
}

struct source_queue *source_queue_open(
    struct connection *c, const struct source_queue_options *options, struct error *err)
{
	struct source_queue *source = mem_alloc(1, sizeof *source);
	source->connection = c;
	source->options = *options;
	source->backlog.size = sizeof(struct waiting);
	source->retries.size = sizeof(struct retry);
	source_queue_listen(source);
	source->feeds = mem_alloc(options->queue_count, sizeof *source->feeds);
	if (options->queue_count > MAX_FEEDS) {
		error_set(err, ERROR_USAGE, "a consumer takes %d queues at most", MAX_FEEDS);
		source_queue_close(source);
		return NULL;
	}
	for (size_t i = 0; i < options->queue_count; i++) {
		init_feed(source, &source->feeds[i], i);
		source->feed_count = i + 1; /* deliveries may come before it is open */
		if (!source_queue_open_feed(source, &source->feeds[i], err)) {
			source_queue_close(source);
			return NULL;
		}
	}
	return source;
}

void source_queue_close(struct source_queue *source)
{
	if (source == NULL)
		return;
	for (size_t i = 0; i < source->feed_count; i++) {
		if (source->feeds[i].subscriber != NULL)
			subscriber_flush(source->feeds[i].subscriber);
		subscriber_close(source->feeds[i].subscriber);
		json_decref(source->feeds[i].arguments);
		fifo_release(&source->feeds[i].offsets);
		fifo_release(&source->feeds[i].settled);
	}
	for (; !fifo_is_empty(&source->backlog); fifo_pop(&source->backlog))
		free(((struct waiting *)fifo_front(&source->backlog))->message);
	fifo_release(&source->backlog);
	fifo_release(&source->retries);
	free(source->feeds);
	free(source);
}

uint64_t source_queue_requeued(const struct source_queue *source)
{
	return source->requeued;
}

uint64_t source_queue_unacknowledged(const struct source_queue *source)
{
	return source->unacknowledged;
}

uint64_t source_queue_lost(const struct source_queue *source)
{
	bool is_gone = source->options.ack == SOURCE_QUEUE_AUTO;
	return source->lost + (is_gone ? fifo_count(&source->backlog) : 0);
}
