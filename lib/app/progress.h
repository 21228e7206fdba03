/* progress.h - one line on a terminal that shows how far long work has come. */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include "base/loop.h"
#include "flow/flow.h"

struct progress;

/*
 * Shows, four times a second, what the flow has counted: "12,345 of 100,000 sent, 12,300 confirmed,
 * 5,432/s, 16s left". Nothing at all when stderr is no terminal (returns NULL). `goal` is
 * FLOW_NO_LIMIT when open. The words name what goes in and what comes out: "sent" and "confirmed".
 * Log lines step around it. Borrows all.
 */
struct progress *progress_start(struct loop *loop, const struct flow *flow, uint64_t goal,
    const char *in_word, const char *out_word);
/* Wipes the line. Accepts NULL. */
void progress_stop(struct progress *p);

#endif
