/* refusal.h - what the broker's "no" means: which object, what you asked, what it is, what next. */
#ifndef BROKER_REFUSAL_H
#define BROKER_REFUSAL_H

#include "base/error.h"

#include <stdint.h>

/* What was being done when the broker refused. */
struct refusal_context {
	const char *doing;  /* "declare", "delete", "bind", "consume from", "publish to" */
	const char *object; /* "exchange", "queue", "binding" */
	const char *name;   /* printable; NULL: the one that the broker names */
};

/* Sets err to one sentence made from the reply code and the broker's (escaped) text. Returns false.
 * The kind is ERROR_ACCESS for 403 and 530, else ERROR_REFUSED. */
bool refusal_explain(
    uint16_t code, const char *text, const struct refusal_context *context, struct error *err);

/*
 * RabbitMQ's words for a redeclaration with another value, taken apart:
 * "inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current is 'true'",
 * where a missing value is "none", and one that stands against none "the value '10' of type
 * 'long'". False, and nothing to release, for other words.
 */
struct refusal_difference {
	char *attribute, *received, *current; /* owned */
};
bool refusal_split(const char *text, struct refusal_difference *out);
void refusal_difference_release(struct refusal_difference *d);

#endif
