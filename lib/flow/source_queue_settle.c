/* What the source does with a message that has its fate. */
#include "flow/source_queue.h"

#include "base/chrono.h"
#include "flow/source_queue_private.h"

#include <stdio.h>

#define MAX_PENDING_BYTES (1u << 20) /* of verdicts that the socket does not take */

static void requeue(struct source_queue *source, uint64_t token)
{
	source->requeued++;
	source->quiet_since_ns = chrono_now_ns(); /* it comes again */
	/* a broker that floods us and does not listen gets them back when the channel closes */
	if (connection_pending_bytes(source->connection) > MAX_PENDING_BYTES)
		return;
	subscriber_settle(source_queue_feed(source, token)->subscriber, source_queue_tag(token),
	    SUBSCRIBER_REQUEUE);
}

static void requeue_later(struct source_queue *source, uint64_t token)
{
	fifo_push(
	    &source->retries, &(struct retry){token, chrono_now_ns() + source->options.retry_ns});
}

/* Reading a stream takes nothing away, so nothing is given back: an acknowledgement only asks for
 * more. What was not judged is left alone; what is to be tried again does not come again. */
static void settle_stream(struct feed *feed, uint64_t tag, enum flow_fate fate)
{
	feed->source->lost += fate == FLOW_RETRY;
	if (fate != FLOW_RELEASED)
		subscriber_settle(feed->subscriber, tag, SUBSCRIBER_ACK);
}

static void hold(struct source_queue *source, struct feed *feed)
{
	feed->held++;
	source->requeued++; /* by the broker, when the channel closes */
}

/* The retrier has sent the message on, or cannot. */
static void on_sent_on(void *ctx, uint64_t token, bool safe)
{
	struct source_queue *source = ctx;
	struct feed *feed = source_queue_feed(source, token);
	source->heard = true;
	if (!source_queue_is_current(feed, token))
		return; /* the original comes again beside its copy */
	if (safe)
		subscriber_settle(feed->subscriber, source_queue_tag(token), SUBSCRIBER_ACK);
	else
		hold(source, feed);
}

static bool is_ours(const void *ctx, uint64_t token)
{
	return source_queue_is_current(source_queue_feed(ctx, token), token);
}

/* Another attempt needs somebody who goes on; what is given up is given up even at the end. */
static bool is_sent_on(
    struct source_queue *source, uint64_t token, const struct flow_outcome *outcome)
{
	bool wanted = outcome->fate == FLOW_REJECTED || !source->stopping;
	return source->options.retrier != NULL && wanted &&
	       retrier_take(source->options.retrier, source_queue_feed(source, token)->number,
		   token, outcome);
}

/* The sink had no place for what became of the message. False: it is nobody's yet. */
static bool put_aside(struct source_queue *source, uint64_t token, const struct flow_outcome *o)
{
	char reason[160];
	snprintf(reason, sizeof reason, "the result was %s%s%s",
	    o->fate == FLOW_RETURNED ? "returned" : "refused", o->reason[0] != '\0' ? ": " : "",
	    o->reason);
	struct flow_outcome judged = *o;
	judged.reason = reason;
	judged.fate = FLOW_RETRY;
	if (is_sent_on(source, token, &judged))
		return true;
	judged.fate = FLOW_REJECTED;
	return is_sent_on(source, token, &judged);
}

void source_queue_settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	struct source_queue *source = self;
	struct feed *feed = source_queue_feed(source, token);
	uint64_t tag = source_queue_tag(token);
	enum flow_fate fate = outcome->fate;
	source->heard = true;
	if (!source_queue_is_current(feed, token)) {
		source->unacknowledged += fate == FLOW_ACCEPTED;
		return;
	}
	if (source->options.is_stream[feed->number]) {
		settle_stream(feed, tag, fate);
		return;
	}
	if (source->options.ack == SOURCE_QUEUE_AUTO) {
		source->lost += fate != FLOW_ACCEPTED;
		return;
	}
	bool undelivered = fate == FLOW_RETURNED || fate == FLOW_NACKED;
	if (undelivered && source->options.holds_undelivered && !source->stopping) {
		if (put_aside(source, token, outcome))
			return;
		fate = FLOW_HELD;
	}
	if (is_sent_on(source, token, outcome))
		return;
	if (fate == FLOW_ACCEPTED && source->options.ack == SOURCE_QUEUE_REQUEUE)
		fate = FLOW_HELD;
	switch (fate) {
	case FLOW_ACCEPTED:
		subscriber_settle(feed->subscriber, tag,
		    source->options.ack == SOURCE_QUEUE_REJECT ? SUBSCRIBER_REJECT
							       : SUBSCRIBER_ACK);
		break;
	case FLOW_REJECTED:
		subscriber_settle(feed->subscriber, tag, SUBSCRIBER_REJECT);
		break;
	case FLOW_HELD:
		hold(source, feed);
		break;
	case FLOW_RETRY:
		if (!source->stopping) {
			requeue_later(source, token);
			break;
		}
		requeue(source, token);
		break;
	default:
		requeue(source, token);
	}
}

bool source_queue_is_sending_on(const struct source_queue *source)
{
	const struct retrier *retrier = source->options.retrier;
	if (retrier == NULL)
		return false;
	return source->stopping ? retrier_under_way(retrier) > 0 : retrier_is_hopeful(retrier);
}

void source_queue_requeue_due(struct source_queue *source, uint64_t now_ns, uint64_t *wake_ns)
{
	const struct retry *front;
	while ((front = fifo_front(&source->retries)) != NULL) {
		struct retry r = *front;
		if (r.due_ns > now_ns && !source->stopping) {
			*wake_ns = r.due_ns < *wake_ns ? r.due_ns : *wake_ns;
			return;
		}
		fifo_pop(&source->retries);
		requeue(source, r.token);
	}
}

void source_queue_listen(struct source_queue *source)
{
	if (source->options.retrier != NULL)
		retrier_listen(source->options.retrier,
		    &(struct retrier_listener){on_sent_on, is_ours, source});
}
