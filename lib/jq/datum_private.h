/* datum_private.h - libjq's values, for those in this folder. */
#ifndef JQ_DATUM_PRIVATE_H
#define JQ_DATUM_PRIVATE_H

#include "jq/datum.h"

#include <jv.h>
#include <string.h>

_Static_assert(sizeof(jv) == sizeof(struct datum), "a datum holds libjq's value");

/* The value stays the datum's. */
static inline jv datum_jv(const struct datum *d)
{
	jv value;
	memcpy(&value, d, sizeof value);
	return value;
}

/* The value becomes the datum's. */
static inline struct datum datum_of_jv(jv value)
{
	struct datum d;
	memcpy(&d, &value, sizeof d);
	return d;
}

/* The value moves out of the datum. */
static inline jv datum_take_jv(struct datum *d)
{
	jv value = datum_jv(d);
	*d = (struct datum){0};
	return value;
}

#endif
