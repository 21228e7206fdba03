/*
 * ledger.h - the fate of every message, by publisher and sequence number: what became of it at the
 * broker, and on which queues it arrived how often. Exact.
 *
 * Each worker notes into a ledger of its own, which is merged into one master now and then; the
 * master judges. Notes may come in any order: a receipt before its fate is as good as after it.
 *
 * Memory: sets of sequence numbers (sequences.h), a bit for a fact of a message, and none for
 * 8192 consecutive messages that share it. So a run in which all are confirmed and received needs
 * memory for what is in flight. What stays is chunks with gaps: some lost, some returned, or
 * messages of one publisher spread over several queues, at 1 MiB for 8 million notes.
 */
#ifndef MODEL_LEDGER_H
#define MODEL_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A higher number is not ours: 2^40 messages are 12 days at a million per second. */
#define LEDGER_SEQUENCES (UINT64_C(1) << 40)
/* Foreign numbers below it may cost a KiB each. Receipts are refused where a ledger would need more
 * bitmaps for them than this (128 MiB) and two for each pair of a publisher and a queue. */
#define LEDGER_SPARE_BITMAPS 131072

enum ledger_fate {
	LEDGER_CONFIRMED,
	LEDGER_RETURNED,
	LEDGER_NACKED,
	LEDGER_UNCONFIRMED, /* sent, and nothing was heard of it */
	LEDGER_FATES
};

struct ledger;

/* Publishers and queues are numbered from 0. With no queues at all nothing is expected. */
struct ledger *ledger_create(size_t publishers, size_t queues);
void ledger_free(struct ledger *l); /* harmless for NULL */

/* What this publisher gets confirmed should arrive on this queue, too. If nothing is said of a
 * publisher, on any of the queues. Asked of the ledger that judges; a merge does not carry it. */
void ledger_expect(struct ledger *l, size_t publisher, size_t queue);

/* One fate for each message that was sent; the same again changes nothing. A sequence must be below
 * LEDGER_SEQUENCES. */
void ledger_settle(struct ledger *l, size_t publisher, uint64_t sequence, enum ledger_fate fate);
/* A message arrived on a queue, for the first time or again. The numbers may be foreign bytes:
 * false and counted as refused when they cannot be ours, or when there is no room left. */
bool ledger_receive(struct ledger *l, size_t publisher, size_t queue, uint64_t sequence);

/* Moves all notes over: `from` is empty then, and as good as new. Both must have been created with
 * the same numbers. Receipts that both have are duplicates. */
void ledger_merge(struct ledger *to, struct ledger *from);

struct ledger_verdict {
	uint64_t settled[LEDGER_FATES]; /* messages, by fate */
	uint64_t received;		/* receipts, not counting the same message on the same queue
					   again */
	uint64_t duplicated;		/* these again */
	uint64_t refused;		/* receipts that ledger_receive refused, or a merge for want
					   of room: then what is lost may be too high */
	uint64_t lost; /* copies of confirmed messages: missing on a queue, or on every queue */
	/* messages that arrived somewhere, and yet */
	uint64_t unconfirmed_received, nacked_received, returned_received;
	uint64_t unsettled_received; /* have no fate: not sent in this run, or not settled yet */
	uint64_t never_confirmed_nor_received; /* LEDGER_UNCONFIRMED, and arrived nowhere */
};

void ledger_judge(const struct ledger *l, struct ledger_verdict *out);

/* Consecutive messages of a publisher. */
struct ledger_range {
	size_t publisher;
	uint64_t first, last; /* both included */
};

/* Names the messages that are lost, in order: at most `most` ranges. Returns how many. A message
 * with several copies missing is named once. */
size_t ledger_lost(const struct ledger *l, struct ledger_range *out, size_t most);

/* Memory held, without what malloc adds. Walks through all of it. */
size_t ledger_bytes(const struct ledger *l);

#endif
