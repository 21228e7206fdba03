#include "flow/core_switch.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/envelope.h"

#include <stdlib.h>

struct core_switch {
	struct core_switch_options options;
	struct buf scratch, reason;
	uint64_t dropped;
};

static void explain(struct core_switch *core, struct slice type)
{
	buf_clear(&core->reason);
	if (type.ptr == NULL) {
		buf_append_str(&core->reason, "it has no type, and only types are handled");
		return;
	}
	buf_append_str(&core->reason, "nobody handles type '");
	text_escape(type, 100, &core->reason);
	buf_append_str(&core->reason, "'");
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)out;
	struct core_switch *core = self;
	const struct core_switch_options *o = &core->options;
	struct envelope e;
	size_t i = 0;
	envelope_read(in->message, &core->scratch, &e);
	while (i < o->type_count && (e.type.ptr == NULL || !slice_is(e.type, o->types[i])))
		i++;
	if (i < o->type_count || o->unknown == CORE_SWITCH_PASS) {
		flow_set_route(flow, slot, o->first_route + (unsigned)i);
		return FLOW_PASS;
	}
	if (o->unknown == CORE_SWITCH_DROP) {
		core->dropped++;
		return FLOW_SPLIT; /* into nothing */
	}
	explain(core, e.type);
	verdict->fate = FLOW_REJECTED;
	verdict->reason = core->reason.ptr;
	return FLOW_SETTLE;
}

struct core_switch *core_switch_create(const struct core_switch_options *options)
{
	struct core_switch *core = mem_alloc(1, sizeof *core);
	core->options = *options;
	return core;
}

void core_switch_free(struct core_switch *core)
{
	if (core == NULL)
		return;
	buf_release(&core->scratch);
	buf_release(&core->reason);
	free(core);
}

struct flow_core core_switch_core(struct core_switch *core)
{
	static const struct flow_core_kind kind = {.apply = apply};
	return (struct flow_core){&kind, core};
}

uint64_t core_switch_dropped(const struct core_switch *core)
{
	return core->dropped;
}
