/* opening.h - begins to consume, and waits for what hinders it and goes by itself. */
#ifndef APP_OPENING_H
#define APP_OPENING_H

#include "app/tool.h"
#include "flow/source_queue.h"

/* As source_queue_open. Who starts beside others may find a queue that is declared, but not yet at
 * work: with options->recovery that is waited for. NULL: failed. */
struct source_queue *opening_shared(
    struct connection *c, const struct source_queue_options *options, struct error *err);

/*
 * The same at tool->connection, for who wants queues for itself (`exclusive` in options->own, which
 * has to be there). Another consumer is waited for, as long as --wait says and a few seconds at
 * least: that of a process that was killed is there until the broker notices. `advice` is why one
 * has to be alone, and the way out: it ends the sentence that tells of it.
 */
struct source_queue *opening_sole(struct tool *tool, const struct source_queue_options *options,
    const char *advice, struct error *err);

/* Whether nobody consumes from those of the queues that are to be exclusive (ERROR_UNAVAILABLE): a
 * quorum queue takes an exclusive consumer beside another one. */
bool opening_is_alone(struct connection *c, const char *const *queues,
    const struct source_queue_own *own, size_t count, struct error *err) MUST_CHECK;

#endif
