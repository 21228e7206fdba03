/* scratch.h - a folder for what a lesson writes: its event store. It goes with the lesson. */
#ifndef LAB_SCRATCH_H
#define LAB_SCRATCH_H

#include "base/error.h"

/* Makes one below $TMPDIR or /tmp, for this user alone, and has the tools that are started from now
 * on keep their events in it. To scratch_remove. NULL: ERROR_CANNOT_CREATE. */
char *scratch_make(struct error *err);
/* With the files in it. Accepts NULL. */
void scratch_remove(char *folder);

#endif
