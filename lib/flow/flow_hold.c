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

struct flow_ledger *flow_open_ledger(struct flow_slot *slot)
{
	if (slot->ledger == NULL) {
		slot->ledger = mem_alloc(1, sizeof *slot->ledger);
		*slot->ledger = (struct flow_ledger){
		    .worst = FLOW_ACCEPTED, .gravest = FLOW_ACCEPTED, .outside = slot->is_outside};
	}
	return slot->ledger;
}

void flow_free_ledger(struct flow_ledger *ledger)
{
	if (ledger == NULL)
		return;
	free(ledger->reason);
	free(ledger->headers);
	free(ledger);
}

void flow_note_worst(struct flow_ledger *ledger, const struct flow_verdict *verdict)
{
	size_t len = verdict->headers.len;
	free(ledger->reason);
	free(ledger->headers);
	ledger->worst = verdict->fate;
	ledger->reason = mem_strdup(verdict->reason);
	ledger->headers = len > 0 ? mem_strndup(verdict->headers.ptr, len) : NULL;
	ledger->headers_len = len;
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
	struct flow_ledger *ledger = flow_open_ledger(&flow->slots[slot]);
	ledger->holds = holds;
	flow_note_worst(ledger, verdict);
	flow->held++;
	return true;
}

void flow_let_go(struct flow *flow, uint64_t slot, bool good)
{
	struct flow_ledger *ledger = flow->slots[slot].ledger;
	if (!good)
		ledger->worst = FLOW_RELEASED;
	if (--ledger->holds > 0)
		return;
	flow->held--;
	flow->slots[slot].ledger = NULL;
	flow_settle_now(flow, slot,
	    &(struct flow_verdict){.fate = ledger->worst,
		.reason = ledger->reason,
		.headers = {ledger->headers, ledger->headers_len}});
	flow_free_ledger(ledger);
}

/* ---- what a message has become ---- */

void flow_note_inside(struct flow *flow, size_t slot)
{
	struct flow_slot *s = &flow->slots[slot];
	struct flow_ledger *all = flow->slots[flow_root(flow, slot)].ledger;
	if (all != NULL)
		all->outside -= s->is_outside;
	s->is_outside = false;
}

void flow_note_end(struct flow *flow, size_t slot, enum flow_fate fate)
{
	struct flow_ledger *all = flow->slots[flow_root(flow, slot)].ledger;
	flow_note_inside(flow, slot);
	if (all != NULL && flow_gravity(fate) > flow_gravity(all->gravest))
		all->gravest = fate;
}

/* What was not split is with the sink that asks. */
bool flow_is_whole(const struct flow *flow, uint64_t slot, enum flow_fate *worst)
{
	const struct flow_ledger *all = flow->slots[flow_root(flow, slot)].ledger;
	*worst = all != NULL ? all->gravest : FLOW_ACCEPTED;
	return all == NULL || all->outside == 0;
}

uint64_t flow_parent(const struct flow *flow, uint64_t slot)
{
	return flow->slots[slot].parent;
}
