/*
 * key.h - what tells one message from another: its id, that of its event, or what a jq expression
 * makes of its body.
 *
 * The text of a jq value is a string as it is, and everything else as JSON: 7 and "7" are the same
 * key. The body is given as jq_view.h says: JSON, else a string, or null.
 */
#ifndef FLOW_KEY_H
#define FLOW_KEY_H

#include "flow/flow.h"

#define KEY_ID "id"		      /* message_id */
#define KEY_CLOUDEVENTS "cloudevents" /* source and id */

struct key;

/* `by` is one of those words, or jq. ERROR_USAGE with jq's words when it does not compile. `who`
 * asks, for what is said when the expression does not end: "dedupe". */
struct key *key_create(const char *by, const char *who, struct error *err);
/* jq, whatever it says. */
struct key *key_create_jq(const char *expression, const char *who, struct error *err);
void key_free(struct key *key); /* accepts NULL */

/* Appends the key. False, *out untouched, when there is none: no id, no CloudEvent, the first
 * output is null or false, there is none, or the expression fails (told once, in the log). */
bool key_read(struct key *key, const struct message *m, struct buf *out);
/* Whether copies of a message in two queues have two keys. */
bool key_is_of_queue(const struct key *key);

/* Whether it is that of the message rather than of what is in it: parts of one share it. */
bool key_is_of_message(const struct key *key);

#endif
