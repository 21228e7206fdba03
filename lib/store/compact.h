/* compact.h - the file of a store made as small as what is in it. Events stay, all of them. */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include "store/store.h"

/* Takes the log up into the file and writes the file anew, which wants as much free disk as it is
 * long. The sizes are in bytes, of file and log. ERROR_UNAVAILABLE: somebody else writes, or reads
 * all the time. */
bool compact_run(
    struct store *store, uint64_t *before, uint64_t *after, struct error *err) MUST_CHECK;

#endif
