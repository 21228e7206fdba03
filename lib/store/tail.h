/*
 * tail.h - where an id and a subject's last version are, for events without number.
 *
 * An id is random: entered into an index by itself, it makes a page dirty by itself, and a page a
 * message is ten times what the message is. So the index, the tables `ids` and `streams`, is behind
 * the events: what stands at positions behind meta's `indexed` is the tail. The writer has it in
 * memory and enters it when it is long, sorted, so that a page takes many at once; and when it is
 * short anyway. Who reads looks through the index and through the tail.
 */
#ifndef STORE_TAIL_H
#define STORE_TAIL_H

#include "store/store.h"

struct tail;

/* The store must outlive it. */
struct tail *tail_create(struct store *store);
void tail_free(struct tail *tail);

/* All of these in a transaction that writes. When it is undone, tail_forget. */

/* First: takes up what others have written up to the last position. */
bool tail_catch_up(struct tail *tail, uint64_t last, struct error *err) MUST_CHECK;

/* The event at this position, the last one. ptr NULL: it has no id, no subject. */
void tail_add(
    struct tail *tail, uint64_t position, struct slice id, struct slice subject, uint64_t version);

/* Positions of events that may have this id: begin, then next until *position is 0. */
void tail_find(struct tail *tail, struct slice id);
bool tail_next(struct tail *tail, uint64_t *position, struct error *err) MUST_CHECK;

/* The version that a subject is at; 0: it has no event. */
bool tail_version(
    struct tail *tail, struct slice subject, uint64_t *version, struct error *err) MUST_CHECK;

/* Last: enters the tail into the index, if it is time, or `now`. */
bool tail_settle(struct tail *tail, bool now, struct error *err) MUST_CHECK;

void tail_forget(struct tail *tail);

#endif
