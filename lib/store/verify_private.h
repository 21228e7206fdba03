/* verify_private.h - what the parts of verify share. */
#ifndef STORE_VERIFY_PRIVATE_H
#define STORE_VERIFY_PRIVATE_H

#include "base/buf.h"
#include "base/digest.h"
#include "store/store_private.h"
#include "store/verify.h"

/* Of the rows of events. */
enum verify_column {
	VERIFY_POSITION,
	VERIFY_RECEIVED,
	VERIFY_REDELIVERED,
	VERIFY_QUEUE,
	VERIFY_STREAM_OFFSET,
	VERIFY_EXCHANGE,
	VERIFY_ROUTING_KEY,
	VERIFY_ID,
	VERIFY_TYPE,
	VERIFY_SOURCE,
	VERIFY_SUBJECT,
	VERIFY_TIME,
	VERIFY_DATA,
	VERIFY_PROPERTIES,
	VERIFY_BODY,
	VERIFY_HASH,
	VERIFY_VERSION,
};

/* A set of entries as one number: the sum of a keyed hash of each. */
struct verify_entries {
	uint64_t low, high;
};

struct verify {
	struct store *store;
	const unsigned char *wanted;
	verify_report_fn *report;
	void *ctx;
	struct verify_result *result;
	struct digest *digest;
	sqlite3_stmt *scan, *one, *next; /* from a position on; at one; where the next one is */
	uint64_t at;			 /* the position that comes */
	bool has_previous;		 /* its hash is known: */
	unsigned char previous[STORE_HASH_BYTES];
	int64_t received_us; /* of the event before */
	struct buf kept, scratch;
	uint64_t indexed;	   /* the index of tail.h goes up to here */
	struct verify_entries ids; /* of the events, less those of the index: nothing is left */
	struct verify_entries streams;
	/* A run of positions that are not there, or cannot be read, not reported yet. */
	uint64_t run_from;
	char *run_what; /* NULL: no run */
};

void verify_report(
    struct verify *v, uint64_t position, uint64_t last, struct slice id, const char *what);
/* Something about the file as a whole. */
void verify_note_file(struct verify *v, struct slice line);

/* A step in which damage is no failure: the code tells. */
bool verify_step(
    struct verify *v, sqlite3_stmt *statement, int *code, struct error *err) MUST_CHECK;

/* The index of tail.h against the events: begin, count each event that was read, compare. */
bool verify_begin_index(struct verify *v, struct error *err) MUST_CHECK;
void verify_count(struct verify *v, sqlite3_stmt *event);
bool verify_index(struct verify *v, struct error *err) MUST_CHECK;

/* The tables, views and triggers against those of a new store; and what snapshots hold. */
bool verify_schema(struct verify *v, struct error *err) MUST_CHECK;
bool verify_snapshots(struct verify *v, struct error *err) MUST_CHECK;

/* SQLite's own check. */
bool verify_file(struct verify *v, struct error *err) MUST_CHECK;

#endif
