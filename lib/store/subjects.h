/* subjects.h - what the store knows of a subject without reading its events. */
#ifndef STORE_SUBJECTS_H
#define STORE_SUBJECTS_H

#include "store/store.h"

/* How many events it has up to a position, that one included. */
bool subjects_version(struct store *store, struct slice subject, uint64_t position, uint64_t *out,
    struct error *err) MUST_CHECK;

#endif
