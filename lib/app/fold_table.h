/*
 * fold_table.h - the states of all streams at once, brought forward through the events in their
 * order and kept in a projection.
 */
#ifndef APP_FOLD_TABLE_H
#define APP_FOLD_TABLE_H

#include "app/fold.h"
#include "store/projection.h"

/* Borrowed. */
struct fold_table_options {
	struct store *store;
	struct fold *fold;
	struct projection *projection;
	/* Called behind each transaction for each stream that changed in it; NULL: not. */
	fold_state_fn *changed;
	/* Called after every event that belongs to a stream; NULL: not. */
	fold_state_fn *every;
	void *ctx;
};

struct fold_table;

struct fold_table *fold_table_create(const struct fold_table_options *options);
void fold_table_free(struct fold_table *t);

/*
 * Takes the next events up to a position in, a few thousand at most, states and place in one
 * transaction; *more is false when there were none left. ERROR_DATA: the reducer fails on one, or a
 * state is none that JSON can hold; then nothing of this step is kept.
 */
bool fold_table_advance(
    struct fold_table *t, uint64_t to, bool *more, struct error *err) MUST_CHECK;

#endif
