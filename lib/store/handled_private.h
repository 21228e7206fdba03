/* handled_private.h - writing marks; for handled_batch.c, in a transaction of its own or another's.
 */
#ifndef STORE_HANDLED_PRIVATE_H
#define STORE_HANDLED_PRIVATE_H

#include "store/handled.h"

/* All of these in a transaction that writes, in this order. begin takes up what others have written
 * and lets go of what is too old or too much. */
bool handled_begin(struct handled *h, int64_t now_ms, struct error *err) MUST_CHECK;
bool handled_write(struct handled *h, struct siphash mark, const struct message *answer,
    struct error *err) MUST_CHECK; /* answer may be NULL */
/* All are written: no more answers than the bound allows. */
bool handled_bound(struct handled *h, struct error *err) MUST_CHECK;
/* When it is over: kept, then the marks are known; or undone. */
void handled_end(struct handled *h, bool kept);

#endif
