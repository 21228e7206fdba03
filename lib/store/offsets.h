/* offsets.h - how far the streams of RabbitMQ have been recorded. */
#ifndef STORE_OFFSETS_H
#define STORE_OFFSETS_H

#include "store/store.h"

/* The highest offset that the store has of a stream; -1: none. */
bool offsets_last(
    struct store *store, const char *queue, int64_t *out, struct error *err) MUST_CHECK;

#endif
