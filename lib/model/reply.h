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

#endif
