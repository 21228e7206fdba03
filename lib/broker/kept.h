/* kept.h - the frames of messages without a fate, in the order of sending, to be sent again if need
 * be. */
#ifndef BROKER_KEPT_H
#define BROKER_KEPT_H

#include "broker/frames.h"

/* `= {0}` is empty. A place is where a message begins, counted from the first byte ever kept. */
struct kept {
	struct buf bytes;
	uint64_t base; /* the place of the first byte in it */
};

void kept_release(struct kept *k);

/* Copies the frames of one message; returns their place. */
uint64_t kept_add(struct kept *k, struct slice frames);
/* The place of the next message. */
uint64_t kept_end(const struct kept *k);
/* What stands before the place is not needed any more. Cheap: memory is moved seldom. */
void kept_forget(struct kept *k, uint64_t place);

/* Reads a message back: a copy with all its bytes, to free(). */
struct message *kept_read(const struct kept *k, uint64_t place, bool *mandatory);

#endif
