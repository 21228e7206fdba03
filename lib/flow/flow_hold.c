#include "flow/flow.h"

#include "base/mem.h"
#include "flow/flow_private.h"

#include <stdlib.h>

int flow_gravity(enum flow_fate fate)
{
	static const int gravities[FLOW_FATE_COUNT] = {[FLOW_ACCEPTED] = 0,
	    [FLOW_HELD] = 1,
	    [FLOW_REJECTED] = 2,
	    [FLOW_RETURNED] = 3,
	    [FLOW_NACKED] = 4,
	    [FLOW_UNCONFIRMED] = 5,
	    [FLOW_RETRY] = 6,
	    [FLOW_RELEASED] = 7};
	return gravities[fate];
}

void flow_note_worst(struct flow_slot *s, const struct flow_verdict *verdict)
{
	size_t len = verdict->headers.len;
	free(s->reason);
	free(s->headers);
	s->worst = verdict->fate;
	s->reason = mem_strdup(verdict->reason);
	s->headers = len > 0 ? mem_strndup(verdict->headers.ptr, len) : NULL;
	s->headers_len = len;
}

/* ---- fates that are held back ---- */

bool flow_hold_back(struct flow *flow, uint64_t slot, const struct flow_verdict *verdict)
{
	const struct flow_options *o = &flow->options;
	unsigned holds = 0;
	for (size_t i = 0; i < o->core_count; i++)
		holds += o->cores[i].kind->hold != NULL &&
			 o->cores[i].kind->hold(o->cores[i].self, slot, verdict->fate);
	if (holds == 0)
		return false;
	flow->slots[slot].holds = holds;
	flow_note_worst(&flow->slots[slot], verdict);
	flow->held++;
	return true;
}

void flow_let_go(struct flow *flow, uint64_t slot, bool good)
{
	struct flow_slot *s = &flow->slots[slot];
	if (!good)
		s->worst = FLOW_RELEASED;
	if (--s->holds > 0)
		return;
	flow->held--;
	const struct flow_slot kept = *s;
	s->reason = s->headers = NULL;
	flow_settle_now(flow, slot,
	    &(struct flow_verdict){.fate = kept.worst,
		.reason = kept.reason,
		.headers = {kept.headers, kept.headers_len}});
	free(kept.reason);
	free(kept.headers);
}

/* ---- what a message has become ---- */

void flow_note_inside(struct flow *flow, size_t slot)
{
	struct flow_slot *s = &flow->slots[slot];
	flow->slots[s->root].outside -= s->is_outside;
	s->is_outside = false;
}

bool flow_is_whole(const struct flow *flow, uint64_t slot, enum flow_fate *worst)
{
	const struct flow_slot *root = &flow->slots[flow->slots[slot].root];
	*worst = root->gravest;
	return root->outside == 0;
}

uint64_t flow_parent(const struct flow *flow, uint64_t slot)
{
	return flow->slots[slot].parent;
}
