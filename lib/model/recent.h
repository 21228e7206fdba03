/*
 * recent.h - the last so many hashes, for so long: in at one end, out at the other.
 *
 * Each costs about 24 bytes, 32 with an age. Times are milliseconds since 1970, by whichever clock;
 * one before that of the last hash becomes that of the last hash.
 */
#ifndef MODEL_RECENT_H
#define MODEL_RECENT_H

#include "base/siphash.h"

struct recent;

/* window: from 1 to IDS_MAX_PLACE; age_ms 0: however old they are. */
struct recent *recent_create(size_t window, uint64_t age_ms);
void recent_free(struct recent *r); /* accepts NULL */

bool recent_has(const struct recent *r, struct siphash hash);
/* The same, and how many were added after it. */
bool recent_find(const struct recent *r, struct siphash hash, size_t *newer);
/* Goes in as the newest, also when it is in already; the oldest makes room. */
void recent_add(struct recent *r, struct siphash hash, int64_t at_ms);
/* Lets go of what is too old. */
void recent_expire(struct recent *r, int64_t now_ms);
/* How many of those that were added last are remembered. */
size_t recent_count(const struct recent *r);

#endif
