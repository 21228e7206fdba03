/*
 * core_transform.h - a jq program that makes new messages of each that comes: none, one or many.
 *
 * The program sees what flow/jq_view.h tells. All outputs are collected before the first goes on,
 * so a program that fails half-way sends nothing: the message is rejected with jq's words. No
 * output drops the message, which is accepted. So is rejected what has too many outputs, or too
 * large ones, and an output that is no JSON: infinite, or deeper than DATUM_MAX_DEPTH.
 *
 * An output as the body: a string is the body as it is, everything else is JSON. The properties
 * stay, but for content_type, which says JSON of JSON, and no longer says it of a string
 * (text/plain), and for a content_encoding that compresses.
 *
 * An output as a message is a record (model/record.h), but its body may be any value, which is then
 * treated as above. What it does not name stays as it was: the body, each property, the headers as
 * a whole, the routing key; only the exchange does not, whose ptr is NULL then. message_id cannot
 * be changed: what comes out of a message has its identity from model/derive.h.
 */
#ifndef FLOW_CORE_TRANSFORM_H
#define FLOW_CORE_TRANSFORM_H

#include "flow/flow.h"

enum core_transform_as { CORE_TRANSFORM_BODY, CORE_TRANSFORM_MESSAGE };

/* Of one message; the bytes count what of the message each result takes along. */
#define CORE_TRANSFORM_MAX_OUTPUTS 1000000
#define CORE_TRANSFORM_MAX_BYTES (UINT64_C(128) << 20)

struct core_transform_options {
	const char *expression;
	enum core_transform_as as;
	bool one_answer; /* rejects what has not exactly one output: a request has one reply */
};

struct core_transform;

/* ERROR_USAGE with jq's words when the expression does not compile. */
struct core_transform *core_transform_create(
    const struct core_transform_options *options, struct error *err);
void core_transform_free(struct core_transform *core);

struct flow_core core_transform_core(struct core_transform *core);

/* Messages without an output. */
uint64_t core_transform_dropped(const struct core_transform *core);

#endif
