/*
 * reply.h - the message that answers a request: where it goes, and what of the two it has.
 *
 *   exchange, key    the default exchange, and the request's reply_to
 *   correlation_id   the request's; else its message_id
 *   message_id       as of derive.h: the same whenever the same request is answered
 *   headers          traceparent and tracestate; MARKS_CAUSE, the request's id; and what the result
 *                    has otherwise than the request. What was only copied from the request is not
 *                    the reply's; of an event, all or nothing, by its id
 *   body and type,   the result's; delivery_mode as the request had it. Nothing else: an expiration
 *   content_...      or a priority was the request's own
 */
#ifndef MODEL_REPLY_H
#define MODEL_REPLY_H

#include "model/message.h"

/* Whether somebody waits for a reply. */
bool reply_is_wanted(const struct message *request);

/* Makes the reply of what business logic has made of the request. `by` as in derive.h. Texts live
 * in *store, which is cleared first, or in the messages. */
void reply_make(const struct message *request, const struct message *result, struct slice by,
    struct buf *store, struct message *out);

/* Makes the one that says why there is none: MARKS_ERROR, and the reason as its text. */
void reply_refuse(const struct message *request, struct slice by, struct slice reason,
    struct buf *store, struct message *out);

/* What of a reply is the answer, and not of its request: *out, which borrows it, has body, type,
 * content_... and headers. */
void reply_answer(const struct message *reply, struct message *out);

/* Makes the reply that gives to a request the answer that one like it got: the answer as it was, on
 * the way and in the trace of the one that asks now, with MARKS_REPEATED. The same request has the
 * same message_id of its reply again. */
void reply_repeat(const struct message *request, const struct message *answer, struct slice by,
    struct buf *store, struct message *out);

#endif
