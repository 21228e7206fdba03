/*
 * sink_store.h - a sink that records messages in an event store; accepted means committed.
 *
 * Messages are gathered and written in one transaction: when there are enough of them, or of their
 * bytes, when the oldest has waited long enough, or when no more can come until these are settled.
 * What is recorded is what was published: the headers that a broker adds to a delivery
 * (x-stream-offset of streams, x-delivery-count) are taken off, and so are the marks of a replay
 * and of resending, so that an event is the same however often it comes; traces of the firehose are
 * unwrapped. With marks, all of a message is written in one transaction with the marks that say it
 * was handled, or nothing. While another process writes to the store, messages wait, and the
 * connection lives.
 */
#ifndef FLOW_SINK_STORE_H
#define FLOW_SINK_STORE_H

#include "flow/flow.h"
#include "store/append.h"

/* A queue of the source. */
struct sink_store_feed {
	const char *queue;     /* the very text that the source names it by */
	struct slice recorded; /* the queue that its events tell of; empty for none */
	bool is_firehose;
	bool is_stream;
	/* What the store has of the stream goes up to this offset, from where it is read: the first
	 * message has to be the one at it. -1: nothing, or it is read from elsewhere. */
	int64_t last_offset;
	uint64_t count; /* messages that came from it: the sink counts */
};

/* The marks that the message in a slot of the flow leaves, by index; false: it has no more. */
typedef bool sink_store_mark_fn(void *ctx, uint64_t slot, size_t index, struct append_mark *out);

struct sink_store_options {
	struct store *store;
	struct loop *loop; /* wakes the flow when a batch has waited long enough */
	struct sink_store_feed *feeds;
	size_t feed_count;
	size_t batch_count; /* most events in a transaction; a turn of the loop may bring more */
	uint64_t batch_ns;
	sink_store_mark_fn *mark; /* NULL: nobody asks what was handled */
	void *mark_ctx;
};

struct sink_store_counts {
	uint64_t stored;
	uint64_t duplicates; /* were in the store already */
	uint64_t handled;    /* not stored: another process has marked their message */
	uint64_t reused_ids; /* stored, though their id is there with other content */
	uint64_t unstored;   /* cannot be read, so they were held */
};

struct sink_store;
/* Borrows all of the options. */
struct sink_store *sink_store_create(const struct sink_store_options *options);
void sink_store_free(struct sink_store *sink);
struct flow_sink sink_store_sink(struct sink_store *sink);
const struct sink_store_counts *sink_store_counts(const struct sink_store *sink);

#endif
