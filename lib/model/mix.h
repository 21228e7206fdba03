/*
 * mix.h - several paces side by side: whose message is next, and when.
 *
 * Paced members go by their due times, the earliest first, and before unpaced ones. Unpaced
 * members are always due and share what is left by their weights, evenly spread (8:2 goes
 * a a b a a, again and again, not 8 a and then 2 b). Nothing is allocated per message.
 */
#ifndef MODEL_MIX_H
#define MODEL_MIX_H

#include "model/pace.h"

#define MIX_NONE SIZE_MAX

struct mix_member {
	struct pace pace;
	double credit; /* smooth weighted round robin: what it is owed, in messages times weight */
};

/* `= {0}` is an empty mix, which is done. */
struct mix {
	struct mix_member *members; /* owned; in the order they were added */
	size_t count, capacity;
};

/* Starts a member now; returns its index. plan and rng are borrowed until the last call. */
size_t mix_add(struct mix *m, const struct pace_plan *plan, struct rng *rng, uint64_t now_ns);

/*
 * The member whose message is to be sent now, or MIX_NONE. *due_ns tells since when it is due (an
 * unpaced one: now), or with MIX_NONE when the next one will be; CHRONO_NEVER when all are done.
 * Changes nothing: asked again at the same time it answers the same.
 */
size_t mix_next(const struct mix *m, uint64_t now_ns, uint64_t *due_ns);
/* Takes the next message of a member that mix_next has named. */
void mix_take(struct mix *m, size_t index);
bool mix_done(const struct mix *m);
void mix_release(struct mix *m);

#endif
