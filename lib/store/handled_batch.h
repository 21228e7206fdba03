/*
 * handled_batch.h - marks of messages that are written together, by themselves or in the
 * transaction that writes what the messages did.
 */
#ifndef STORE_HANDLED_BATCH_H
#define STORE_HANDLED_BATCH_H

#include "store/handled.h"

struct handled_batch;

struct handled_batch *handled_batch_create(void);
void handled_batch_free(struct handled_batch *b); /* accepts NULL */

/* `handled` is kept in the store that the batch will be written to. Returns its index; the same
 * again, soon, has the same one. */
size_t handled_batch_add(struct handled_batch *b, struct handled *handled, struct siphash mark);
/* What was answered, to be written with that mark; borrowed until the batch is empty. */
void handled_batch_answer(struct handled_batch *b, size_t index, const struct message *answer);
size_t handled_batch_count(const struct handled_batch *b);
void handled_batch_take_back(struct handled_batch *b, size_t count); /* all but the first so many */
void handled_batch_clear(struct handled_batch *b);

/* In a transaction of that store, in this order: begin finds out which of them another process has
 * written, write enters the others. end, after it, with whether it was kept: then the batch is
 * empty, else it is still there. */
bool handled_batch_begin(struct handled_batch *b, struct error *err) MUST_CHECK;
bool handled_batch_is_there(const struct handled_batch *b, size_t index);
bool handled_batch_write(struct handled_batch *b, struct error *err) MUST_CHECK;
void handled_batch_end(struct handled_batch *b, bool kept);

/* All of that by itself. When it fails, the store is as it was and the batch is still there.
 * ERROR_UNAVAILABLE: another process writes. */
bool handled_batch_commit(
    struct handled_batch *b, struct store *store, struct error *err) MUST_CHECK;

#endif
