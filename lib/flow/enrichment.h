/*
 * enrichment.h - what messages are enriched with, by key: made-up data, the objects of a file, what
 * an event store knows.
 *
 *  - volume: made-up data (fake/volumes.h), the same for the same seed and key.
 *  - file: one JSON object whose members are found by name; or, when its name ends in .jsonl or
 *    .ndjson, JSON lines, objects that are found by their member `by` (of two with the same, the
 *    later one counts). It is read once.
 *  - store: the data of the latest event of a subject, as it is at that moment: JSON, else a text.
 *    Events that were recorded since the index was brought up last (store/tail.h) are looked
 *    through one by one.
 */
#ifndef FLOW_ENRICHMENT_H
#define FLOW_ENRICHMENT_H

#include "base/error.h"
#include "jq/datum.h"

#define ENRICHMENT_MAX_FILE (UINT64_C(64) << 20) /* bytes; in memory it is several times that */

/* One of volume, file and store; the others NULL. */
struct enrichment_options {
	const char *volume, *file, *store;
	const char *by; /* with a file of lines; NULL: "id" */
	uint64_t seed;
};

struct enrichment;

/* ERROR_USAGE: not one of them, or no such volume; ERROR_DATA: the file is not JSON, with the line;
 * those of input_read and store_open. */
struct enrichment *enrichment_open(const struct enrichment_options *options, struct error *err);
void enrichment_close(struct enrichment *e); /* accepts NULL */

/* No value when there is nothing under this key. ERROR_IO, ...: of the store. */
bool enrichment_find(
    struct enrichment *e, struct slice key, struct datum *out, struct error *err) MUST_CHECK;

#endif
