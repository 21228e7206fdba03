/*
 * events_select.h - the options that say which events: a filter of the store and, beyond SQL, --jq.
 *
 *   struct events_select *s = events_select_create(options, now_us, err);
 *   events_select_filter(s)->from = behind_the_cursor;      // if need be
 *   good = events_select_open(s, store, err);
 *   while (good && events_select_next(s, &event, err)) ..
 *   good = good && err->kind == ERROR_NONE;
 *   events_select_free(s);
 */
#ifndef APP_EVENTS_SELECT_H
#define APP_EVENTS_SELECT_H

#include "app/events.h"
#include "store/select.h"

/* Microseconds since 1970 of a time on the command line: RFC 3339, of which the seconds or all of
 * the time of day may be missing, or a duration before now. `option` is what the error names. */
bool events_select_time(const char *option, const char *text, int64_t now_us, int64_t *out_us,
    struct error *err) MUST_CHECK;

struct events_select;

/* From --type --id --stream --exchange --key --since --until --from --to --grep --jq --where
 * --limit --reverse. The options are borrowed. ERROR_USAGE. */
struct events_select *events_select_create(
    const struct events_options *options, int64_t now_us, struct error *err);
void events_select_free(struct events_select *s);

/* What the store is asked for, to be changed before events_select_open: replay clears `exchange`.
 * With --jq its limit is 0: events_select_next counts. */
struct select_filter *events_select_filter(struct events_select *s);

/* Begins, or begins anew. The store must outlive it. */
bool events_select_open(struct events_select *s, struct store *store, struct error *err) MUST_CHECK;

/* False at the end and when it fails; then err tells which. Borrowed until the next call. */
bool events_select_next(struct events_select *s, struct select_event *out, struct error *err);

/* The message of the event that events_select_next gave last. Borrowed until the next call. */
bool events_select_message(
    struct events_select *s, const struct message **out, struct error *err) MUST_CHECK;

#endif
