#include "bench/left.h"

#include "base/mem.h"
#include "broker/provision.h"

#include <stdlib.h>

#define NOT_THERE UINT64_MAX

/* False when it cannot be asked for. */
static bool look(
    const struct plan *plan, struct connection *c, size_t queue, struct provision_state *out)
{
	struct error ignored = {0}; /* that it is not known is all we need to know */
	*out = (struct provision_state){0};
	return c != NULL && provision_look_queue(c, plan->queues[queue], out, &ignored) &&
	       !out->locked;
}

static uint64_t *look_at_all(const struct plan *plan, struct connection *c)
{
	uint64_t *ready = mem_alloc(plan->queue_count, sizeof *ready);
	struct provision_state state;
	for (size_t i = 0; !plan->are_streams && i < plan->queue_count; i++)
		ready[i] = look(plan, c, i, &state) && state.exists ? state.ready : NOT_THERE;
	return ready;
}

void left_look_before(struct left *left, const struct plan *plan, struct connection *c)
{
	left->before = look_at_all(plan, c);
}

void left_look_at_stop(struct left *left, const struct plan *plan, struct connection *c)
{
	left->at_stop = look_at_all(plan, c);
}

bool left_count(const struct left *left, const struct plan *plan, struct connection *c,
    uint64_t in_hand, uint64_t foreign, uint64_t *out)
{
	uint64_t sum = 0, others = 0;
	bool any_gone = false;
	*out = 0;
	if (plan->are_streams || left->before == NULL)
		return false;
	for (size_t i = 0; i < plan->queue_count; i++) {
		struct provision_state state;
		if (!look(plan, c, i, &state))
			return false;
		bool is_gone = !state.exists;
		bool was_seen = left->at_stop != NULL && left->at_stop[i] != NOT_THERE;
		if (is_gone && (!was_seen || plan->options->requeue))
			return false;
		any_gone = any_gone || is_gone;
		sum += is_gone ? left->at_stop[i] : state.ready;
		others += left->before[i] != NOT_THERE ? left->before[i] : 0;
	}
	sum += any_gone ? in_hand : 0;
	others = others > foreign ? others - foreign : 0;
	*out = sum > others ? sum - others : 0;
	return true;
}

void left_release(struct left *left)
{
	free(left->before);
	free(left->at_stop);
	*left = (struct left){0};
}
