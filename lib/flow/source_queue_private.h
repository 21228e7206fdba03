/* source_queue_private.h - the inside of the source, for source_queue*.c alone. */
#ifndef FLOW_SOURCE_QUEUE_PRIVATE_H
#define FLOW_SOURCE_QUEUE_PRIVATE_H

#include "base/fifo.h"
#include "broker/subscriber.h"
#include "flow/source_queue.h"

/* A token is the number of the feed, its generation and the delivery tag. */
#define TAG_BITS 40
#define GENERATION_BITS 12
#define MAX_FEEDS 4096

/* One queue that is read. */
struct feed {
	struct source_queue *source;
	struct subscriber *subscriber;
	struct slice queue;
	size_t number;
	/* of the consumer: a delivery tag means nothing on another channel */
	unsigned generation;
	bool has_ended;
	bool exclusive;
	json_t *arguments;   /* of basic.consume; owned; NULL for none */
	struct fifo offsets; /* struct offset, of a stream with recovery */
	struct fifo settled; /* offsets past where it went on that were settled before, ascending */
	uint64_t held;	     /* deliveries of this generation of the consumer that stay unsettled */
};

/* Where a delivery stands in its stream. */
struct offset {
	uint64_t tag, offset;
};

/* A message that is requeued when its pause is over. */
struct retry {
	uint64_t token, due_ns;
};

/* A delivery that came when the flow could not take it. */
struct waiting {
	struct message *message;
	bool redelivered;
	uint64_t token;
};

struct source_queue {
	struct connection *connection;
	struct source_queue_options options;
	struct flow *flow; /* NULL until the first tick */
	struct feed *feeds;
	size_t feed_count;
	struct fifo backlog;  /* struct waiting */
	size_t backlog_bytes; /* source_queue_weight of what is in it */
	struct fifo retries;  /* struct retry, in order of due time: every pause is the same */
	uint64_t deliveries, requeued, lost, unacknowledged;
	bool heard; /* something came or was settled since the last look */
	uint64_t quiet_since_ns, next_look_ns;
	uint64_t deliveries_at_look; /* of a look that found every queue empty */
	bool looked_empty;
	bool stopping, done;
	struct error ended;
};

static inline uint64_t source_queue_token(const struct feed *feed, uint64_t tag)
{
	return (uint64_t)feed->number << (TAG_BITS + GENERATION_BITS) |
	       (uint64_t)feed->generation << TAG_BITS | tag;
}

static inline uint64_t source_queue_tag(uint64_t token)
{
	return token & ((UINT64_C(1) << TAG_BITS) - 1);
}

static inline struct feed *source_queue_feed(const struct source_queue *source, uint64_t token)
{
	return &source->feeds[token >> (TAG_BITS + GENERATION_BITS)];
}

/* Whether it is ours: nobody else gets it, as long as the broker waits for our verdict; and ever
 * when it does not wait for one. */
static inline bool source_queue_is_current(const struct feed *feed, uint64_t token)
{
	unsigned generation = token >> TAG_BITS & ((1u << GENERATION_BITS) - 1);
	return feed->source->options.ack == SOURCE_QUEUE_AUTO ||
	       (generation == feed->generation && !feed->has_ended);
}

/* Bytes of what may be long in a message. */
static inline size_t source_queue_weight(const struct message *m)
{
	return m->body.len + m->headers.len;
}

/* Begins to consume. */
bool source_queue_open_feed(
    struct source_queue *source, struct feed *feed, struct error *err) MUST_CHECK;

/* ---- of source_queue_settle.c ---- */

/* flow_source_kind.settle. */
void source_queue_settle(void *self, uint64_t token, const struct flow_outcome *outcome);
/* Hears of what the retrier has sent on; nothing without one. */
void source_queue_listen(struct source_queue *source);
/* Whether the end waits for what the retrier has taken on. */
bool source_queue_is_sending_on(const struct source_queue *source);
/* Requeues what has waited long enough, or all once stopping; lowers *wake_ns to the next. */
void source_queue_requeue_due(struct source_queue *source, uint64_t now_ns, uint64_t *wake_ns);

/* ---- of source_queue_again.c ---- */

/* Remembers where a delivery of a stream stands, to go on from there. */
void source_queue_note_offset(struct feed *feed, const struct subscriber_delivery *d);
/* Whether the next message of this feed was settled before the connection was lost. */
bool source_queue_was_settled(struct feed *feed, const struct message *m);
/* A consumer has ended, or the connection is lost: begins anew where that is wanted. Fails with
 * what has happened where it is not. */
bool source_queue_go_on(struct source_queue *source, struct error *err) MUST_CHECK;

#endif
