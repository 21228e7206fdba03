/* relay_plan.h - which relays are run: those of the settings by name, or one that the command line
 * makes up. */
#ifndef APP_RELAY_PLAN_H
#define APP_RELAY_PLAN_H

#include "app/relay_options.h"

struct relay_plan {
	const char *name; /* "welcome" */
	char *title;	  /* owned, for texts: "relay welcome", "the relay" */
	/* Owned: whose work it is, for the ids of results and the marks of what was handled:
	 * "relay/welcome"; of one that is made up a digest, so that another has others. */
	char *by;
	json_t *spec;	    /* owned; as under `relays` in the settings */
	char *pointer;	    /* owned; where it stands in the settings; NULL: on the command line */
	const char *lines;  /* a file, or "-": its messages, one a line; NULL: the spec says */
	const char *folder; /* where relative names in it begin */
};

/* An array to release; NULL with ERROR_USAGE, and *count untouched, when there is none of a name,
 * or when the options do not go together. */
struct relay_plan *relay_plan_make(
    const struct tool *tool, const struct relay_options *o, size_t *count, struct error *err);
void relay_plan_release(struct relay_plan *plans, size_t count);

#endif
