/* arrange_private.h - verbs of the topology tool that stand in files of their own. */
#ifndef APP_ARRANGE_PRIVATE_H
#define APP_ARRANGE_PRIVATE_H

#include "app/arrange.h"

/* Each loads what it needs, prints its result, and takes the form that was asked for. */
typedef bool arrange_verb_fn(struct tool *tool, const struct arrange_options *o,
    enum arrange_format form, struct error *err);

arrange_verb_fn arrange_graph;
arrange_verb_fn arrange_export;
arrange_verb_fn arrange_import;

/* The definitions of the whole broker; for a user who is no administrator what can be seen of the
 * vhost (NULL: that of the settings). To json_decref; NULL on failure. */
json_t *arrange_definitions(struct tool *tool, const char *vhost, struct error *err);
/* Writes a sentence to the log, as a definitions_note_fn. */
void arrange_note(void *ctx, const char *text);

#endif
