/* orchestrate_private.h - what the verbs of the workflow tool share. */
#ifndef APP_ORCHESTRATE_PRIVATE_H
#define APP_ORCHESTRATE_PRIVATE_H

#include "app/orchestrate.h"

#include "base/buf.h"
#include "flow/workflow_logic.h"
#include "model/message.h"

orchestrate_verb_fn orchestrate_drive; /* run */
orchestrate_verb_fn orchestrate_list;
orchestrate_verb_fn orchestrate_show;
orchestrate_verb_fn orchestrate_graph;

/* `= {0}` is none. */
struct orchestrate_cast {
	struct workflow_logic **logics; /* owned */
	size_t count;
};
/* The workflows of the settings that the operands name, or all, with their programs; to
 * orchestrate_free, also after a failure. ERROR_USAGE: there is none, or none of a name;
 * ERROR_SETTINGS, each printed with its place: a program does not compile. */
bool orchestrate_choose(const struct tool *tool, char **operands, struct orchestrate_cast *out,
    struct error *err) MUST_CHECK;
void orchestrate_free(struct orchestrate_cast *cast);

/* The error of a name that no workflow has; always false. */
bool orchestrate_lack(const struct tool *tool, const char *name, struct error *err);

/* What happened, in a few words for people: "reserve: requested, attempt 2". `data` is JSON. */
void orchestrate_describe(struct slice type, struct slice data, bool color, struct buf *out);

#endif
