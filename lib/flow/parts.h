/*
 * parts.h - what a message was split into, kept until all of it is there: for a sink that takes all
 * of a message or nothing.
 */
#ifndef FLOW_PARTS_H
#define FLOW_PARTS_H

#include "flow/flow.h"

struct parts;

struct parts *parts_create(void);
void parts_free(struct parts *parts); /* accepts NULL */

/* Keeps a copy of a part that was put. */
void parts_add(
    struct parts *parts, const struct flow *flow, uint64_t slot, const struct flow_message *m);
bool parts_are_open(const struct parts *parts);
void parts_clear(struct parts *parts);

/* A part, to store or, when `worst` is not accepted, to settle so: another one has failed. The
 * message lives until this returns. */
struct parts_part {
	uint64_t slot;
	const struct flow_message *m;
};
typedef bool parts_fn(void *ctx, struct flow *flow, const struct parts_part *list, size_t count,
    enum flow_fate worst, struct error *err);

/* Hands over the messages of which all parts are there, each whole and in the order of its parts.
 * False: fn failed. */
bool parts_hand_over(
    struct parts *parts, struct flow *flow, parts_fn *fn, void *ctx, struct error *err) MUST_CHECK;

#endif
