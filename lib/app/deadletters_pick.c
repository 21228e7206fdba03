#include "app/deadletters_pick.h"

bool deadletters_pick_is_over(const struct deadletters_pick *pick)
{
	return pick->looked_at >= pick->in_queue || pick->taken >= pick->limit;
}

bool deadletters_pick_is_choosy(const struct deadletters_pick *pick)
{
	return pick->reason != NULL || pick->queue != NULL || pick->ids->count > 0 ||
	       pick->older_than_s != UINT64_MAX;
}

static bool has_id(const struct deadletters_pick *pick, const struct message *m)
{
	if (pick->ids->count == 0)
		return true;
	for (size_t i = 0; i < pick->ids->count; i++)
		if ((m->present & MESSAGE_MESSAGE_ID) != 0 &&
		    slice_is(m->message_id, pick->ids->items[i]))
			return true;
	return false;
}

static bool is_old(const struct deadletters_pick *pick, uint64_t time_s)
{
	if (pick->older_than_s == UINT64_MAX)
		return true;
	return time_s != 0 && time_s <= pick->now_s && pick->now_s - time_s >= pick->older_than_s;
}

static bool is_meant(const struct deadletters_pick *pick, const struct message *m)
{
	struct death d;
	death_read(m, &d);
	return (pick->reason == NULL || slice_is(d.reason, pick->reason)) &&
	       (pick->queue == NULL || slice_is(d.queue, pick->queue)) && has_id(pick, m) &&
	       is_old(pick, d.time_s);
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)flow, (void)slot, (void)out;
	struct deadletters_pick *pick = self;
	verdict->fate = FLOW_HELD;
	if (deadletters_pick_is_over(pick))
		return FLOW_SETTLE;
	pick->looked_at++;
	return is_meant(pick, in->message) ? FLOW_PASS : FLOW_SETTLE;
}

struct flow_core deadletters_pick_core(struct deadletters_pick *pick)
{
	static const struct flow_core_kind kind = {.apply = apply};
	return (struct flow_core){&kind, pick};
}

static enum flow_answer take(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)flow, (void)slot, (void)out;
	struct deadletters_pick *pick = self;
	struct death d;
	verdict->fate = FLOW_HELD;
	if (pick->taken >= pick->limit)
		return FLOW_SETTLE;
	pick->taken++;
	if (pick->groups == NULL)
		return FLOW_PASS;
	death_read(in->message, &d);
	deadletters_groups_add(pick->groups, in->message, &d, NULL);
	return FLOW_SETTLE;
}

struct flow_core deadletters_pick_take_core(struct deadletters_pick *pick)
{
	static const struct flow_core_kind kind = {.apply = take};
	return (struct flow_core){&kind, pick};
}
