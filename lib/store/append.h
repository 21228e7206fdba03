/*
 * append.h - events into the store: gathered, then written in one transaction.
 *
 * The positions go up by one; each event's hash covers it and the hash before it (chain.h), so that
 * a past that was changed is found. An event that has an id is in the store once for each id and
 * content: the same again, from a redelivery or a publisher that was not sure, is recognised. One
 * of a RabbitMQ stream is there once for each queue and offset, whatever its id. Events with a
 * subject are counted per subject: their version.
 */
#ifndef STORE_APPEND_H
#define STORE_APPEND_H

#include "model/message.h"
#include "store/handled.h"

/* Says that a message was handled: written with its events, in one transaction. */
struct append_mark {
	struct handled *handled; /* kept in the same store */
	struct siphash mark;
};

/* What is recorded. Borrowed. */
struct append_event {
	const struct message *message;
	struct slice queue;    /* where it was taken from; may be empty */
	int64_t stream_offset; /* in a RabbitMQ stream, of that queue; -1: none */
	bool redelivered;
	int64_t received_us; /* since 1970; one before the last event's becomes the last event's */
	/* That it is to be of its subject; 0: whichever comes. When somebody else was first, 1 is
	 * passed over, with what stands behind it in the batch under the same subject; over another
	 * one the commit fails (ERROR_UNDELIVERED). */
	uint64_t version;
	/* Those of the message it comes from; when another process has written one of them first,
	 * it is not stored. */
	const struct append_mark *marks;
	size_t mark_count;
};

enum append_outcome {
	APPEND_STORED,	    /* at position, with version */
	APPEND_DUPLICATE,   /* it is there, at position */
	APPEND_HANDLED,	    /* not stored: what it comes from was handled by another process */
	APPEND_PASSED_OVER, /* its subject has events, so it cannot be the first */
};

struct append_result {
	enum append_outcome outcome;
	uint64_t position;
	uint64_t version; /* of its subject; 0 without one */
	/* Stored, although an event with that id and other content was there. */
	bool id_was_used;
};

struct append;

/* The store must outlive it. */
struct append *append_create(struct store *store);
void append_free(struct append *append);

/* Copies the event into the batch. ERROR_DATA, nothing added: headers that cannot be read. */
bool append_add(
    struct append *append, const struct append_event *event, struct error *err) MUST_CHECK;
size_t append_count(const struct append *append); /* of the batch */
size_t append_bytes(const struct append *append);

/*
 * Writes the batch and empties it. When it fails, the store is as it was and the batch is still
 * there. The results, one each in the order of append_add, live until the next call.
 */
bool append_commit(
    struct append *append, const struct append_result **results, struct error *err) MUST_CHECK;
void append_clear(struct append *append);
/* Takes back what was added since the batch had `count` events and `marks` marks. */
void append_take_back(struct append *append, size_t count, size_t marks);
size_t append_marks(const struct append *append); /* of the batch */
/* At the end, for who comes next to find things fast: enters what is in the store into its index
 * (tail.h). Nothing is lost without it. */
bool append_settle(struct append *append, struct error *err) MUST_CHECK;

/* append_commit of a batch of one event, if its subject is at this version (0: has no event yet).
 * ERROR_UNDELIVERED when it is not: somebody else was first; nothing is written. */
bool append_commit_expecting(struct append *append, uint64_t version,
    const struct append_result **results, struct error *err) MUST_CHECK;

#endif
