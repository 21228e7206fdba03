/* compact.h - the file of a store made as small as what is in it. Events stay, all of them. */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include "store/store.h"

struct compact_result {
	uint64_t before, after; /* bytes of file and log */
	uint64_t snapshots;	/* dropped */
};

/* Drops snapshots (snapshots.h) that nobody owns, as they are of reducers of a command line, and
 * those that are void; takes the log up into the file and writes the file anew, which wants as much
 * free disk as it is long. ERROR_UNAVAILABLE: somebody else writes, or reads all the time. */
bool compact_run(struct store *store, struct compact_result *out, struct error *err) MUST_CHECK;

#endif
