/* arrange_private.h - verbs of the topology tool that stand in files of their own. */
#ifndef APP_ARRANGE_PRIVATE_H
#define APP_ARRANGE_PRIVATE_H

#include "app/arrange.h"

/* Each loads what it needs, prints its result, and takes the form that was asked for. */
typedef bool arrange_verb_fn(struct tool *tool, const struct arrange_options *o,
    enum arrange_format form, struct error *err);

arrange_verb_fn arrange_graph;

#endif
