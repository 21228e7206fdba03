/*
 * fold.h - a reducer: a jq program that makes of {state, event} the next state, and what parts the
 * events into streams.
 */
#ifndef APP_FOLD_H
#define APP_FOLD_H

#include "base/digest.h"
#include "base/error.h"
#include "jq/datum.h"
#include "store/select.h"

/* Borrowed. */
struct fold_options {
	const char *reduce;
	const char *initial; /* JSON; NULL: null */
	/* What the streams are: "subject" (also NULL), another of the columns type, source, queue,
	 * exchange, routing_key, correlation_id, or a jq expression on the body, which gives the
	 * name. */
	const char *stream_by;
	bool is_whole; /* no streams: all events are one */
};

enum fold_streams {
	FOLD_WHOLE,    /* one of all events; its name is empty */
	FOLD_SUBJECTS, /* the store knows them */
	FOLD_NAMED,    /* only fold_stream can tell */
};

/* The state of a stream. */
struct fold_state {
	struct slice stream; /* borrowed */
	uint64_t version;    /* events of the stream in it; 0: none */
	uint64_t position;   /* of the last of them */
	struct datum value;  /* owned */
};
/* False, with err set, ends what is going on. */
typedef bool fold_state_fn(void *ctx, const struct fold_state *state, struct error *err);

struct fold;

/* ERROR_USAGE with jq's words, ERROR_DATA: initial is not JSON. */
struct fold *fold_create(const struct fold_options *options, struct error *err);
void fold_free(struct fold *f);

/* How long the reducer may take for an event, 5 s unless set. One that does not come to an end ends
 * the process (program.h) as ERROR_DATA would, with the position. */
void fold_set_limit(struct fold *f, uint64_t limit_ns);

enum fold_streams fold_streams(const struct fold *f);
/* Of everything that a state depends on beside the events. */
const unsigned char *fold_digest(const struct fold *f);

/* The name of the stream that an event belongs to, borrowed until the next call; false when it
 * belongs to none: it has no such column, or the expression fails (the first time a warning) or
 * gives null, false or nothing. */
bool fold_stream(struct fold *f, const struct select_event *event, struct slice *name);

struct datum fold_initial(const struct fold *f); /* the caller's */

/* Makes it the state behind the event: the reducer's first output. ERROR_DATA with the position and
 * the id of the event when it fails or has none; the value is none then. */
bool fold_apply(struct fold *f, const struct select_event *event, struct fold_state *state,
    struct error *err) MUST_CHECK;

/* Before a state is printed or kept in a table. ERROR_DATA with the position when it is none that
 * JSON can hold: behind a later event it may be one again. */
bool fold_check_state(const struct fold_state *state, struct error *err) MUST_CHECK;

#endif
