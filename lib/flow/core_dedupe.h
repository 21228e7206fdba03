/*
 * core_dedupe.h - drops a message that was accepted before: the same message_id from the same queue
 * (one that was published to two queues is two messages). It stands before the other cores.
 *
 * An id counts once its message is accepted: printed and flushed, handled by its command. What
 * failed may come again. While a message is under way, a second one with its id waits here, neither
 * judged nor given back (on a quorum queue that would count towards the limit of its deliveries),
 * until the first one is settled: then it is dropped, or has its turn. A message without a
 * message_id passes. The last `window` ids are remembered, first in, first out; each costs about 24
 * bytes. They are hashed to 128 bits (base/siphash.h): a message is taken for another one with odds
 * of 1 in 10^32 at a million ids.
 *
 * The effect is exactly-once
 *  - without a file, as long as the process lives: lost connections and acknowledgements, other
 *    consumers that give messages back, and publishers that send again (with the same id) included;
 *  - with a file also when the process ends in between or is killed, but for the messages that were
 *    handed to the sink or the command and had not been noted down yet: an id is written to the
 *    file after its message is accepted and before it is acknowledged, so a kill before that
 *    brings those at work and those just done once more (with N commands at most 2 N messages),
 *    and never loses one;
 *  - not when the machine loses its power, which may take the last ids written; not for an id that
 *    comes after `window` others; and not beside a second consumer of the queue, which has ids of
 *    its own.
 */
#ifndef FLOW_CORE_DEDUPE_H
#define FLOW_CORE_DEDUPE_H

#include "flow/flow.h"

#define CORE_DEDUPE_DEFAULT_WINDOW 1000000
#define CORE_DEDUPE_MAX_WINDOW 100000000

struct core_dedupe;

/* path: keeps the ids there (ids_file.h, whose errors are these); NULL for none. */
struct core_dedupe *core_dedupe_create(size_t window, const char *path, struct error *err);
void core_dedupe_free(struct core_dedupe *core);
struct flow_core core_dedupe_core(struct core_dedupe *core);

/* Messages dropped so far. */
uint64_t core_dedupe_duplicates(const struct core_dedupe *core);

#endif
