/*
 * move.h - takes the messages of a queue to an exchange: out of the queue only once the broker has
 * confirmed that another one has them.
 *
 * Body, properties, headers and routing key stay as they are; the exchange becomes the one that
 * they go to. A user_id that only its user may send becomes a header (MARKS_USER_ID). One after the
 * other, so in order, when nobody else takes from the queue.
 */
#ifndef APP_MOVE_H
#define APP_MOVE_H

#include "app/tool.h"

/* `= {0}` is closed. */
struct move {
	struct tool *tool;
	struct connection *publishing;
	uint64_t unsigned_count; /* messages whose user_id became a header */
};

/* Publishes over a connection of its own: a broker that takes nothing from a publisher does not
 * read its acknowledgements either. The tool is connected. */
bool move_open(struct move *m, struct tool *tool, struct error *err) MUST_CHECK;
void move_close(struct move *m);

/*
 * Moves until the queue is empty, or `limit` messages are moved (FLOW_NO_LIMIT). What could not be
 * moved stays where it is, and is an error (ERROR_UNDELIVERED), as is a signal that ends it before.
 * *moved counts also on failure.
 */
bool move_messages(struct move *m, const char *queue, const char *exchange, uint64_t limit,
    uint64_t *moved, struct error *err) MUST_CHECK;

#endif
