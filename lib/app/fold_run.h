/*
 * fold_run.h - one stream folded from the store, beginning at a snapshot and keeping new ones.
 *
 * The events are read in pages, with nothing under way in the store in between: others may write.
 */
#ifndef APP_FOLD_RUN_H
#define APP_FOLD_RUN_H

#include "app/fold.h"
#include "store/snapshots.h"

/* What the streams of a run share. Borrowed. */
struct fold_run {
	struct store *store;
	struct fold *fold;
	struct snapshots *snapshots; /* NULL: none are used or kept */
	uint64_t every;		     /* keeps one after so many events of a stream; 0: none */
	uint64_t to;		     /* the last position */
	fold_state_fn *fn;	     /* called after every event, from the first; NULL: not */
	void *ctx;
};

/*
 * The state of a stream (NULL: the whole store, of a fold of FOLD_WHOLE) behind the event at `to`,
 * or before it the last of its own. The value is the caller's also when it fails. A store that
 * cannot be written to is told once (info), and none are kept in this run then.
 */
bool fold_run(
    struct fold_run *run, const char *stream, struct fold_state *out, struct error *err) MUST_CHECK;

/* Writes the snapshots that are waiting. */
void fold_run_keep(struct fold_run *run);

#endif
