/*
 * core_dedupe.h - drops a message that was accepted before (an idempotent receiver). It stands
 * before the cores whose effect is to happen once.
 *
 * What makes two messages the same is a key (key.h). An id counts within its queue, as one that was
 * published to two queues is two messages; the id of an event or a key made by jq counts whichever
 * queue it comes by. A message without a key passes, or is rejected.
 *
 * A message leaves its mark (store/handled.h) when it is accepted; what failed may come again.
 * While one is under way, a second one with its key waits here, neither judged nor given back (on a
 * quorum queue that would count towards the limit of its deliveries), until the first one is
 * settled: then it is dropped, or has its turn.
 *
 * Where marks are:
 *  - in memory, as long as the process lives;
 *  - in a store of their own: the mark is committed after the effect and before the
 *    acknowledgement, so a kill in between brings the message once more;
 *  - in the store that the effect is written to: the sink asks core_dedupe_marks, and both are
 *    committed together. A message that had no effect is marked by itself.
 *
 * Where messages are requests (`answers`), a duplicate is one that was asked before. It is
 * rejected, so that who asks is told: by the answer that the first one got, which is kept with its
 * mark (store/answers.h), or by MARKS_ERROR_HANDLED when that is not known. There also a request
 * whose reply came back or was refused leaves its mark: the work was done, and nobody does it
 * again. docs/idempotency.md says what that is worth.
 */
#ifndef FLOW_CORE_DEDUPE_H
#define FLOW_CORE_DEDUPE_H

#include "flow/flow.h"
#include "store/append.h"

#define CORE_DEDUPE_DEFAULT_WINDOW 1000000
#define CORE_DEDUPE_MAX_WINDOW HANDLED_MAX_WINDOW
#define CORE_DEDUPE_DEFAULT_ANSWERS_BYTES (64ull << 20)
#define CORE_DEDUPE_MAX_ANSWERS_BYTES ANSWERS_MAX_BYTES

struct core_dedupe_options {
	const char *by; /* id, cloudevents, or jq; NULL: id */
	size_t window;
	uint64_t age_ns;     /* 0: as long as the window has room */
	const char *scope;   /* whose marks they are, where there are others */
	const char *path;    /* a store of their own, which is made; NULL: none */
	struct store *store; /* without a path: that of the effect, borrowed; NULL: memory */
	bool rejects_unkeyed;
	bool answers;		/* messages are requests; else duplicates are dropped */
	uint64_t answers_bytes; /* of their answers that are kept, at most; 0: none is */
};

struct core_dedupe;

/* Errors of key_create and store_open. Borrows none of the texts. */
struct core_dedupe *core_dedupe_create(
    const struct core_dedupe_options *options, struct error *err);
void core_dedupe_free(struct core_dedupe *core);
struct flow_core core_dedupe_core(struct core_dedupe *core);

/* The mark that the message in a slot will leave, if its marks are in that store. */
bool core_dedupe_mark(const struct core_dedupe *core, uint64_t slot, const struct store *store,
    struct append_mark *out);

/* The message in a slot passed here and is answered like this: kept with its mark. Copies it. */
void core_dedupe_keep_answer(struct core_dedupe *core, uint64_t slot, const struct message *answer);
/* What the first one got, when the one in the slot was rejected as a duplicate; NULL: that is not
 * known, or it was not. Borrowed until it is settled. */
const struct message *core_dedupe_find_answer(const struct core_dedupe *core, uint64_t slot);

/* Messages so far: dropped; and without a key. */
uint64_t core_dedupe_duplicates(const struct core_dedupe *core);
uint64_t core_dedupe_unkeyed(const struct core_dedupe *core);

#endif
