/*
 * store.h - an event store: a SQLite file that is only ever appended to.
 *
 * WAL with synchronous=FULL, so that what is committed outlives the loss of power; one process
 * writes at a time, any number reads. Made 0600 and never through a symbolic link. A file that is
 * no store, or one of a newer version, is refused and left alone. docs/events.md describes the
 * view `events`, which is what others may rely on.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

#define STORE_HASH_BYTES 32			     /* SHA-256 */
#define STORE_MAX_POSITION ((UINT64_C(1) << 53) - 1) /* what a double holds, so jq and JSON too */

enum store_mode {
	STORE_READ,   /* read-only: the file and its tables stay as they are */
	STORE_WRITE,  /* must be there */
	STORE_CREATE, /* is made when it is not there */
};

struct store;

/* ERROR_NO_INPUT: there is none; ERROR_CANNOT_CREATE; ERROR_DATA: it is something else, or damaged;
 * ERROR_UNAVAILABLE: another process keeps it busy; ERROR_IO. */
struct store *store_open(const char *path, enum store_mode mode, struct error *err);
/* One for this process alone, on a disk without a name; `name` is what errors call it. */
struct store *store_open_temporary(const char *name, struct error *err);
void store_close(struct store *store);

const char *store_path(const struct store *store); /* printable */

/* The last event: its position, 0 in an empty store, and its hash (STORE_HASH_BYTES; zeros).
 * ERROR_DATA: it stands where no event can. */
bool store_head(
    struct store *store, uint64_t *position, unsigned char *hash, struct error *err) MUST_CHECK;

/* How long a writer waits for another, 30 s unless set. */
void store_set_patience(struct store *store, uint64_t ns);

/* Grows whenever another connection has changed the file. */
bool store_changes(struct store *store, uint64_t *out, struct error *err) MUST_CHECK;

#endif
