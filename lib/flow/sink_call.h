/*
 * sink_call.h - a sink that asks: a message is a request, and accepted when its reply is there.
 *
 * So the flow's window is how many calls are under way. Each ends once: answered; with an error
 * that the reply carries (rejected); returned, nacked; or, unconfirmed for the flow, when its time
 * is up or the connection was lost, in which case nobody knows whether it was worked on. Nothing is
 * sent again: a request that is worked on twice is the caller's to want.
 *
 * Requests get a correlation_id and a reply_to of ours; an expiration, so that the broker drops
 * what nobody waits for any more; and keep the rest.
 */
#ifndef FLOW_SINK_CALL_H
#define FLOW_SINK_CALL_H

#include "broker/recovery.h"
#include "flow/flow.h"
#include "model/calls.h"
#include "model/histogram.h"

#define SINK_CALL_LATE "no answer in time" /* the reason of a timeout, which is unconfirmed */

struct sink_call_reply {
	const struct message *message;
	struct slice queue; /* that it came from */
	const char *error;  /* what its MARKS_ERROR says, printable; NULL: it has none */
	uint64_t latency_ns;
};

struct sink_call_options {
	struct loop *loop;
	const char *reply_queue; /* as in broker/requester.h */
	/* ptr not NULL: where requests go, whatever they say. */
	struct slice exchange, routing_key;
	uint64_t deadline_ns; /* from its sending, for each; at least a millisecond */
	size_t window;	      /* at most CALLS_MOST */
	uint64_t run;	      /* random */
	/* When the connection is lost: comes back with it, for further requests. NULL: that is the
	 * end. */
	struct recovery *recovery;
	/* Told of each reply that was waited for, before its fate; must not wait. NULL for none. */
	void (*on_reply)(void *ctx, const struct sink_call_reply *reply);
	void *ctx;
};

/* Of calls, how they ended: calls = the sum of the first six + those under way. */
struct sink_call_counts {
	uint64_t answered, errors, timeouts, returned, nacked, lost;
	/* replies that nobody waited for */
	uint64_t late, duplicates, foreign;
};

struct sink_call;

/* Opens a channel that replies come to. The connection must outlive it. */
struct sink_call *sink_call_open(
    struct connection *c, const struct sink_call_options *options, struct error *err);
void sink_call_close(struct sink_call *sink); /* accepts NULL */
struct flow_sink sink_call_sink(struct sink_call *sink);

const struct sink_call_counts *sink_call_counts(const struct sink_call *sink);
/* From the sending to the reply, of calls that were answered, with or without an error. */
const struct histogram *sink_call_latency(const struct sink_call *sink);

#endif
