/* explain.h - what a schema refused, in words: what was found, what is accepted. */
#ifndef CONFIG_EXPLAIN_H
#define CONFIG_EXPLAIN_H

#include "base/buf.h"
#include "schema/schema.h"

/* What a finding is about: the value at finding->instance, or the key that leads there. */
enum explain_subject {
	EXPLAIN_VALUE,
	EXPLAIN_UNKNOWN_KEY, /* the key should not be there */
	EXPLAIN_MISSING_KEY, /* finding->property is missing in the mapping that the key holds */
	EXPLAIN_KEY,	     /* the name of the key is not in order */
};

enum explain_subject explain_subject(const struct schema_finding *finding);

/*
 * Appends one line, escaped: "unknown key 'heartbeet'; did you mean 'heartbeat'?", "missing key
 * 'queue'", "found 'many'; accepted: a whole number". A schema object words what it accepts with
 * the keyword "x-accepts": "a duration such as 250ms, 1s or 2m"; it has to stand beside the keyword
 * that refuses, so in each branch of an anyOf.
 */
void explain_finding(const struct schema_finding *finding, struct buf *out);

#endif
