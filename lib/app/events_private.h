/* events_private.h - what the verbs of events share. */
#ifndef APP_EVENTS_PRIVATE_H
#define APP_EVENTS_PRIVATE_H

#include "app/events.h"

#include "store/store.h"

events_verb_fn events_append;
events_verb_fn events_compact;
events_verb_fn events_export;
events_verb_fn events_fold;
events_verb_fn events_import;
events_verb_fn events_list;
events_verb_fn events_query;
events_verb_fn events_record;
events_verb_fn events_replay;
events_verb_fn events_show;
events_verb_fn events_stats;
events_verb_fn events_trace;
events_verb_fn events_verify;

/* For a verb with one operand, or with none: `what` is NULL then. ERROR_USAGE. */
bool events_operands(
    char **operands, const char *verb, const char *what, struct error *err) MUST_CHECK;

/* The store of --store; to be read only, a stream will do, too. */
struct store *events_open_store(
    struct tool *tool, const struct events_options *o, enum store_mode mode, struct error *err);

#endif
