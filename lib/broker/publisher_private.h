/* publisher_private.h - the inside of a publisher, for publisher*.c alone. */
#ifndef BROKER_PUBLISHER_PRIVATE_H
#define BROKER_PUBLISHER_PRIVATE_H

#include "base/fifo.h"
#include "broker/kept.h"
#include "broker/publisher.h"

/* A message sent and not yet settled; message n stands at n & mask. */
struct entry {
	uint64_t token;
	uint64_t route_hash, id_hash; /* a return does not say which message it is */
	char *return_reason;	      /* not NULL: returned, the acknowledgement is still to come */
	size_t bytes;
	uint64_t place; /* of its frames in `kept` */
	unsigned tries; /* how often it was nacked */
	bool settled;
};

/* A message to be sent again. */
struct again {
	uint64_t token;
	struct message *message; /* owned */
	unsigned tries;
	bool mandatory;
};

struct publisher {
	struct connection *connection;
	uint16_t channel;
	struct publisher_options options;
	struct entry *ring;
	size_t mask;
	uint64_t oldest;  /* sequence number of the oldest unsettled message */
	uint64_t next;	  /* of the next message; the broker counts from 1 as well */
	uint64_t settled; /* since the last look at the load */
	uint64_t settled_in_all;
	uint64_t put_bytes; /* of the connection, behind the last message */
	uint64_t moved;	    /* fates and bytes, when last looked at, */
	uint64_t moved_ns;  /* and when they changed */
	uint64_t progress;
	struct error closed;
	/* with keeps */
	struct kept kept;
	struct fifo again; /* struct again, oldest first */
	uint64_t resent;
	uint64_t pause_ns, due_ns; /* of `again` after a nack */
	uint64_t wake_timer;
	unsigned nacks_in_a_row;
	bool has_told;	 /* that a stop waits for these */
	bool is_careful; /* one by one, to find the message that is refused */
	uint64_t look_timer, progress_at_look;
	unsigned quiet_looks;
};

static inline struct entry *publisher_entry(struct publisher *p, uint64_t number)
{
	return &p->ring[number & p->mask];
}

/* Opens p's channel on its connection. */
bool publisher_open_channel(struct publisher *p, struct error *err) MUST_CHECK;
/* Whether the socket keeps up and the broker lets us send. */
bool publisher_is_open(const struct publisher *p);
/* Puts a message into the connection's output and the ring; token and tries are those of `entry`.
 */
bool publisher_put(struct publisher *p, const struct message *m, bool mandatory,
    const struct entry *entry, struct error *err) MUST_CHECK;
/* Gives a message its fate, unless it has one. */
void publisher_settle(
    struct publisher *p, uint64_t number, enum publisher_fate fate, const char *reason);
/* Steps over what is settled at the front of the ring. */
void publisher_advance(struct publisher *p);

/* ---- of publisher_again.c ---- */

/* A nacked message goes again later: its number is used up, the message is not. False when it has
 * been tried often enough. */
bool publisher_put_off(struct publisher *p, uint64_t number);
/* What waits to be sent again gets its fate. */
void publisher_abandon_again(struct publisher *p, const char *reason);
/* Begins to look whether confirms come. */
void publisher_watch_confirms(struct publisher *p);

#endif
