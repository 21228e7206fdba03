/* tally.h - what a load run counts and times; kept by each thread, added up by one. */
#ifndef MODEL_TALLY_H
#define MODEL_TALLY_H

#include "model/histogram.h"

enum tally_count {
	TALLY_SENT,
	TALLY_CONFIRMED,
	TALLY_RETURNED,
	TALLY_NACKED,
	TALLY_UNCONFIRMED,
	TALLY_RECEIVED,
	TALLY_REDELIVERED, /* of those received: the broker says that they came before */
	TALLY_REORDERED,   /* of those received: a later one of the same publisher came before */
	TALLY_FOREIGN,	   /* of those received: not sent by this run */
	TALLY_SENT_BYTES,  /* of bodies */
	TALLY_RECEIVED_BYTES,
	TALLY_BLOCKED_NS, /* connection.blocked, added up over connections */
	TALLY_OPERATIONS, /* of --churn */
	TALLY_COUNT_COUNT,
};

enum tally_latency {
	TALLY_LATENCY_DUE,  /* from the time a message was due until it is received */
	TALLY_LATENCY_SENT, /* from the time it was sent until it is received */
	TALLY_CONFIRM_DUE,
	TALLY_CONFIRM_SENT,
	TALLY_GAP,	 /* sent - due */
	TALLY_OPERATION, /* of --churn */
	TALLY_LATENCY_COUNT,
};

extern const char *const tally_count_names[TALLY_COUNT_COUNT];	   /* "sent", ... */
extern const char *const tally_latency_names[TALLY_LATENCY_COUNT]; /* "latency_due", ... */

/* `= {0}` is empty. About half a megabyte. */
struct tally {
	uint64_t counts[TALLY_COUNT_COUNT];
	struct histogram latencies[TALLY_LATENCY_COUNT];
};

void tally_add(struct tally *to, const struct tally *from);
void tally_clear(struct tally *tally);

#endif
