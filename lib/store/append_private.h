/* append_private.h - the batch that append gathers and writes. */
#ifndef STORE_APPEND_PRIVATE_H
#define STORE_APPEND_PRIVATE_H

#include "base/buf.h"
#include "store/append.h"
#include "store/handled_batch.h"
#include "store/store_private.h"
#include "store/tail.h"

/* Bytes of the batch; len with at SIZE_MAX: not there. */
struct append_span {
	size_t at, len;
};

enum append_text {
	APPEND_TEXT_QUEUE,
	APPEND_TEXT_EXCHANGE,
	APPEND_TEXT_ROUTING_KEY,
	APPEND_TEXT_ID,
	APPEND_TEXT_TYPE,
	APPEND_TEXT_SOURCE,
	APPEND_TEXT_SUBJECT,
	APPEND_TEXT_TIME,
	APPEND_TEXT_PROPERTIES,
	APPEND_TEXT_BODY,
	APPEND_TEXT_DATA,
	APPEND_TEXT_COUNT,
};

struct append_pending {
	int64_t received_us;
	int64_t stream_offset;
	uint64_t version; /* 0: any */
	bool redelivered;
	struct append_span texts[APPEND_TEXT_COUNT];
	size_t guard, guard_count; /* in `guards` */
};

struct append {
	struct store *store;
	struct digest *digest;
	struct tail *tail;
	struct append_pending *pending;
	struct append_result *results;
	size_t count, capacity, result_capacity;
	struct buf bytes; /* of what is pending */
	struct handled_batch *marks;
	size_t *guards; /* indices of marks */
	size_t guard_count, guard_capacity;
	size_t *passed; /* indices of first events of the batch that were passed over */
	size_t passed_count, passed_capacity;
	struct buf scratch;
	/* Prepared when they are first needed. */
	sqlite3_stmt *last, *by_offset, *same, *insert;
};

/* Of an event of the batch; ptr NULL: it has none. Borrowed until the batch grows. */
struct slice append_text(
    const struct append *append, const struct append_pending *p, enum append_text which);

#endif
