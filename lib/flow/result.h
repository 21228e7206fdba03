/* result.h - what logic makes of a message: parts of it are new, the others stay. */
#ifndef FLOW_RESULT_H
#define FLOW_RESULT_H

#include "base/error.h"
#include "model/message.h"

/* Sets a new body, and what is said about it: content_type says JSON of JSON, and no longer says it
 * of a text (text/plain); a content_encoding that compresses goes. */
void result_set_body(struct message *m, struct slice body, bool is_text);

/* *out, a copy of the message, gets the routing key and each property that a record names; borrowed
 * from it. Body and exchange are left to the caller. message_id cannot be changed: what is made of
 * a message has its identity from model/derive.h (ERROR_DATA). */
bool result_set_named(const struct message *named, const struct message *in, struct message *out,
    struct error *err) MUST_CHECK;

#endif
