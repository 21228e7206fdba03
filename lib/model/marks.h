/*
 * marks.h - the headers that warren puts on a message for its own use.
 *
 * They begin with "x-warren-", are read by whoever gets the message next, and go where the message
 * goes; the other headers stay as they are, byte for byte.
 */
#ifndef MODEL_MARKS_H
#define MODEL_MARKS_H

#include "model/message.h"

#define MARKS_RESENT "x-warren-resent"		 /* true: it may have been sent before */
#define MARKS_ATTEMPTS "x-warren-attempts"	 /* deliveries that failed so far */
#define MARKS_RETURNED "x-warren-returned"	 /* how often it came back from dead letters */
#define MARKS_QUEUE "x-warren-queue"		 /* where it failed */
#define MARKS_EXCHANGE "x-warren-exchange"	 /* where it was published first, */
#define MARKS_ROUTING_KEY "x-warren-routing-key" /* and with which key */
#define MARKS_REASON "x-warren-reason"		 /* of a dead letter: "attempts" or "rejected" */
#define MARKS_ERROR "x-warren-error"		 /* what the handler said */
#define MARKS_ERROR_HANDLED "handled before"   /* its text: the request is known, its answer not */
#define MARKS_REPEATED "x-warren-repeated"     /* true: of a reply, what was answered before */
#define MARKS_TIME "x-warren-time"	       /* when it was given up: seconds since 1970 */
#define MARKS_USER_ID "x-warren-user-id"       /* the property, which only its user may send */
#define MARKS_EXPIRATION "x-warren-expiration" /* the property, while it must not work */
#define MARKS_REPLAYED "x-warren-replayed"     /* out of an event store: its position there */
#define MARKS_REPLAYED_AGAIN \
	"x-warren-replayed-again"    /* true: a replay that was cut off may have sent it before */
#define MARKS_CAUSE "x-warren-cause" /* message_id of the message that this one was made of */
/* Of what broke a contract: its name, and JSON pointers (RFC 6901), empty for the whole: */
#define MARKS_CONTRACT "x-warren-contract"
#define MARKS_INSTANCE_PATH "x-warren-instance-path" /* to what is wrong in the body, */
#define MARKS_SCHEMA_PATH "x-warren-schema-path"     /* and to the keyword that says so */
#define MARKS_BROKEN "warren-broken" /* the body is bad on purpose, and how; not a prefixed one */
#define MARKS_PREFIX "x-warren-"     /* of them all */
#define MARKS_KEPT "x-warren-kept-"  /* before the name of a header that must not work */

enum mark_kind { MARK_TEXT, MARK_INT, MARK_TRUE, MARK_TIME, MARK_ABSENT };

struct mark {
	const char *key;
	enum mark_kind kind; /* MARK_ABSENT: only takes away what is there */
	struct slice text;
	int64_t number; /* of MARK_INT and MARK_TIME */
};

/* Appends the field table `headers` (encoded, as struct message has it) with the marks in it, each
 * instead of what has its key. */
void marks_set(struct slice headers, const struct mark *marks, size_t count, struct buf *out);

/* Appends the field table `headers`, each entry of the table `others` instead of what has its key.
 */
void marks_join(struct slice headers, struct slice others, struct buf *out);

/* Appends the headers without what brokers (x-death and its kin) and warren have written on the
 * way; `elsewhere`: without CC and BCC too, which were meant for where it was published first. What
 * is damaged stays from there on. */
void marks_strip(struct slice headers, bool elsewhere, struct buf *out);

/* *out becomes the message with MARKS_RESENT, its headers in *store. */
void marks_resent(const struct message *m, struct buf *store, struct message *out);

/* The value of a count; 0 when it is absent, no integer, or negative. */
uint64_t marks_count(struct slice headers, const char *key);

/* Whether the key is there. */
bool marks_has(struct slice headers, const char *key);

#endif
