/*
 * events_replay_cursor.h - what a cursor of a replay was begun with: it goes on with that only.
 *
 * What counts is which events it takes and what is sent of them, where to: the filters, the target,
 * the masks. Where it ends (--to, --limit), how fast it is and which broker it goes to do not.
 */
#ifndef APP_EVENTS_REPLAY_CURSOR_H
#define APP_EVENTS_REPLAY_CURSOR_H

#include "app/events.h"
#include "store/cursors.h"

/* The same words for the same replay; JSON, to free(). */
char *events_replay_cursor_what(const struct events_options *options);

/* Where it stands. ERROR_USAGE, saying in what they differ, when it was begun as another replay. */
bool events_replay_cursor_look(struct store *store, const char *name, const char *what,
    struct cursors_place *place, struct error *err) MUST_CHECK;

#endif
