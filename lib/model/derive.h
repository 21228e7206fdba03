/*
 * derive.h - the message that business logic makes of another one: an identity of its own, the
 * same whenever the same message is worked on again, and where it comes from.
 *
 *   message_id       a UUID of version 8 (RFC 9562, 5.8): SHA-256 of who made it, of the cause's
 *                    source and id, and of the part. So a message that is handled twice has results
 *                    with the same ids, which a receiver can tell. Absent when the cause has none.
 *   correlation_id   the cause's, or else the cause's id: the same along a chain
 *   MARKS_CAUSE      the cause's id
 *   CloudEvents      in binary mode id, correlationid and causationid likewise, as the extension
 *                    "correlation" names them; in structured mode likewise, in the body, unless the
 *                    logic has given the event an id of its own. A body that is an event no
 *                    more is application/json.
 *   left out         what brokers and warren have written on the cause (model/replay.h), and CC and
 *                    BCC; reply_to and the rest stay
 *
 * traceparent stays: the span that publishes is the tracer's business.
 */
#ifndef MODEL_DERIVE_H
#define MODEL_DERIVE_H

#include "base/digest.h"
#include "model/message.h"

/* What a derivation works with, kept from one to the next; `= {0}` to begin. */
struct derive_work {
	struct digest *digest;
	struct buf scratch, kept, body;
};
void derive_release(struct derive_work *work);

/* Borrowed; texts that are empty change nothing. */
struct derivation {
	struct slice by;		    /* who made it: "relay/welcome" */
	uint64_t part;			    /* as in flow.h */
	struct slice type, source, subject; /* of the new event */
	const char *user; /* the connection's, who may be in user_id; NULL: nobody */
};

/* *m is the cause with the new body, and becomes the new message: its headers and texts live in
 * *store, which is cleared first, and the body of a structured event in *work, until the next one.
 */
void derive_message(
    struct derive_work *work, struct message *m, const struct derivation *d, struct buf *store);

#endif
