/* sink_exchange.h - a sink that publishes; accepted means confirmed by the broker and not returned.
 */
#ifndef FLOW_SINK_EXCHANGE_H
#define FLOW_SINK_EXCHANGE_H

#include "broker/recovery.h"
#include "broker/spool.h"
#include "flow/flow.h"
#include "model/topology.h"

/* Replies to amq.rabbitmq.reply-to addresses are never mandatory: they would always come back. */
enum sink_exchange_mandatory {
	SINK_EXCHANGE_AS_SETTINGS, /* where the topology leads from the exchange to a queue */
	SINK_EXCHANGE_ALWAYS,
	SINK_EXCHANGE_NEVER,
};

struct sink_exchange_options {
	size_t window; /* most messages without a confirm */
	enum sink_exchange_mandatory mandatory;
	const struct topology *topology; /* NULL: nothing is known, so every message is mandatory */
	bool is_unhurried;		 /* as in publisher.h: the source does not wait for fates */
	/* When the connection is lost: comes back with it, and sends again what has no fate. NULL:
	 * that is the end. */
	struct recovery *recovery;
	unsigned nack_retries; /* as in publisher.h, and without recovery too, */
	bool skips_refused;    /* and this */
	/* A message that does not fit this connection is nacked; else it ends the run. */
	bool nacks_unfit;
	/* What is sent stands there until it has a fate. NULL: nowhere. The flow's first message
	 * has this number in it. */
	struct spool *spool;
	uint64_t spool_number;
	/* With a window of 0: told of each message that comes back; its fate was told before. */
	void (*returned)(void *ctx);
	void *ctx;
};

struct sink_exchange;

/* Opens a channel in confirm mode. The connection and topology must outlive it. */
struct sink_exchange *sink_exchange_open(
    struct connection *c, const struct sink_exchange_options *options, struct error *err);
void sink_exchange_close(struct sink_exchange *sink);
/* publisher_sync, before the flow is finished. */
bool sink_exchange_sync(struct sink_exchange *sink, struct error *err) MUST_CHECK;
/* How many were sent again so far. */
uint64_t sink_exchange_resent(const struct sink_exchange *sink);
struct flow_sink sink_exchange_sink(struct sink_exchange *sink);

#endif
