/* churn.h - opens and closes connections, channels or queues, one after the other, and times it. */
#ifndef BENCH_CHURN_H
#define BENCH_CHURN_H

#include "bench/notes.h"
#include "bench/plan.h"

struct churn;

/* The options of the plan say what, how often a second, how often in all. Borrows all four. name:
 * of the connections. */
struct churn *churn_create(
    const struct plan *plan, const char *name, struct loop *loop, struct notes *notes);
/* When to begin, and when it is done. */
void churn_begin(struct churn *churn, uint64_t start_ns, uint64_t end_ns);
/* Opens and closes once, waiting for the broker (a channel's close is sent, and not waited for);
 * lowers *wake_ns to when the next is due. */
bool churn_step(struct churn *churn, uint64_t *wake_ns, struct error *err) MUST_CHECK;
void churn_stop(struct churn *churn);
bool churn_is_done(const struct churn *churn);
/* Both accept NULL. */
void churn_close(struct churn *churn);
void churn_free(struct churn *churn);

#endif
