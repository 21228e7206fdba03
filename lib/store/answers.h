/*
 * answers.h - what was answered to the requests that were handled: beside their marks (handled.h),
 * in the store or in memory, so that who asks again is told the same.
 *
 * An answer is a message with body, headers, type and content_... alone (model/reply.h), and has
 * the number of its mark. The latest are kept, as many as fit a bound: each counts its bytes and
 * ANSWERS_OVERHEAD_BYTES besides. In the store the bound holds for all processes that share the
 * scope: a row says how many bytes there were before it, so nobody has to add them up.
 */
#ifndef STORE_ANSWERS_H
#define STORE_ANSWERS_H

#include "model/message.h"
#include "store/store.h"

#define ANSWERS_OVERHEAD_BYTES 256
#define ANSWERS_MAX_BYTES (1ull << 50) /* as a bound */

struct answers;

/* What an answer counts. */
uint64_t answers_size(const struct message *answer);

/* *out is NULL when there are none to be kept and none to be forgotten. Both pointers are borrowed;
 * without a store they are in memory. bytes: from 0 to ANSWERS_MAX_BYTES. */
bool answers_open(struct store *store, const char *scope, uint64_t bytes, struct answers **out,
    struct error *err) MUST_CHECK;
void answers_close(struct answers *a); /* accepts NULL */

/* In memory: takes it over. Numbers rise. */
void answers_take(struct answers *a, uint64_t number, struct message *answer);
/* In the store, in a transaction that writes. One that is too large is left out. */
bool answers_write(
    struct answers *a, uint64_t number, const struct message *answer, struct error *err) MUST_CHECK;
/* Forgets those up to a number; in the store in such a transaction. */
bool answers_forget(struct answers *a, uint64_t number, struct error *err) MUST_CHECK;
/* Forgets the oldest, until the others fit the bound. At the end of such a transaction. */
bool answers_bound(struct answers *a, struct error *err) MUST_CHECK;

/* A copy of it, to free(); *out is NULL when it is not known, or is that of another mark. */
bool answers_find(struct answers *a, uint64_t number, struct slice mark, struct message **out,
    struct error *err) MUST_CHECK;

#endif
