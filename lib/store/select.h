/*
 * select.h - events out of the store, in the order of their positions.
 *
 * They are read ahead in small lots and kept: between two calls nothing holds the file.
 */
#ifndef STORE_SELECT_H
#define STORE_SELECT_H

#include "base/buf.h"
#include "model/message.h"
#include "store/store.h"

/* Which events; `= {0}` is all of them. Texts are borrowed. */
struct select_filter {
	uint64_t from, to;	    /* positions, both included; to 0: no end */
	int64_t since_us, until_us; /* received, since 1970, until not included; 0: no bound */
	const char *const *types;   /* one of these */
	size_t type_count;
	const char *const *ids;
	size_t id_count;
	const char *const *keys; /* routing keys: one of these topic patterns matches */
	size_t key_count;
	const char *exchange; /* NULL: any */
	const char *subject;
	uint64_t after_version; /* with subject: later versions only */
	const char *grep;	/* in the body, as bytes */
	const char *trace;	/* a trace id, somewhere in the properties or in a CloudEvent */
	const char *where;	/* an SQL expression over the view `events`, the user's own */
	bool reverse;
	uint64_t limit; /* 0: none */
};

/* An event. Borrowed until the next call of select_next. Texts that it has not: ptr NULL. */
struct select_event {
	uint64_t position;
	int64_t received_us;
	bool redelivered;
	struct slice queue;
	int64_t stream_offset; /* -1: none */
	struct slice id, type, source, subject, time;
	uint64_t version; /* of the subject; 0 without one */
	struct slice exchange, routing_key;
	struct slice properties; /* JSON, headers included, as in record.h */
	struct slice body;
	struct slice data; /* what happened: the body, which need not be JSON; of a structured
			      CloudEvent its data */
	const unsigned char *hash; /* STORE_HASH_BYTES */
};

struct select;

/* ERROR_USAGE: `where` is no expression, in SQLite's words. The store must outlive it. */
struct select *select_open(
    struct store *store, const struct select_filter *filter, struct error *err);
void select_close(struct select *select);

/* False at the end and when it fails; then err tells which. ERROR_DATA: a damaged event, named. */
bool select_next(struct select *select, struct select_event *out, struct error *err);

/* The message as it was recorded; its bytes live in *kept, cleared first, and in the event. */
bool select_message(const struct select_event *event, struct buf *kept, struct message *out,
    struct error *err) MUST_CHECK;

/* The last position that was received at or before a time; 0: none. */
bool select_position_at(
    struct store *store, int64_t received_us, uint64_t *out, struct error *err) MUST_CHECK;

#endif
