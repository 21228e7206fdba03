/*
 * core_address.h - the last core of a relay: where each message goes, and what it says it is.
 *
 * A message that logic has made (`by` is set) gets an identity of its own, model/derive.h. One that
 * only passes by stays what it is, byte for byte, without what brokers and warren have written on
 * it (marks_strip), and without CC and BCC. Either loses a user_id that the connection must not
 * send.
 *
 * A routing key may hold {{member}} of the body, which has to be a JSON object then, or
 * {{member.of.member}}: texts, whole numbers and booleans. A message without it is rejected with
 * the reason, and so is one whose key is longer than 255 bytes.
 */
#ifndef FLOW_CORE_ADDRESS_H
#define FLOW_CORE_ADDRESS_H

#include "flow/flow.h"

#include <jansson.h>

/* Borrowed, but for what is copied: all texts. */
struct core_address_options {
	const char *exchange;	 /* NULL: the default exchange */
	bool keeps_exchange;	 /* one that the message has goes before that */
	const char *routing_key; /* NULL: the message's own */
	const char *type;	 /* of the event; NULL: its own */
	const char *source;	 /* of a CloudEvent; NULL: its own */
	const json_t *headers;	 /* besides: texts, numbers, booleans by name; NULL: none */
	const char *by;		 /* who made it: "relay/welcome"; NULL: it only passes by */
	const char *user;	 /* the connection's; NULL: nobody's */
};

struct core_address;

/* Fails with ERROR_SETTINGS over a template that does not end, and over headers that no table
 * takes. */
struct core_address *core_address_create(
    const struct core_address_options *options, struct error *err);
void core_address_free(struct core_address *core); /* accepts NULL */
struct flow_core core_address_core(struct core_address *core);

/* Checks a routing key; false with what is wrong with it (ERROR_SETTINGS). */
bool core_address_check(const char *routing_key, struct error *err) MUST_CHECK;

#endif
