#include "flow/core_jq.h"

#include "base/log.h"
#include "base/mem.h"
#include "flow/jq_view.h"

#include <stdlib.h>

struct core_jq {
	struct jq_view view;
	enum flow_fate hidden_fate;
	uint64_t hidden, errors;
};

/* ---- the core ---- */

struct core_jq *core_jq_create(const char *expression, enum flow_fate hidden, struct error *err)
{
	struct jq_view view = {0};
	if (!jq_view_open(&view, expression,
		"error: the filter did not come to an end on a message; giving up, so that the "
		"broker delivers again what is not settled\n",
		"error: the filter needs more memory than there is\n", err))
		return NULL;
	struct core_jq *core = mem_alloc(1, sizeof *core);
	core->view = view;
	core->hidden_fate = hidden;
	return core;
}

void core_jq_set_limit(struct core_jq *core, uint64_t limit_ns)
{
	program_set_limit(core->view.program, limit_ns);
}

void core_jq_free(struct core_jq *core)
{
	if (core == NULL)
		return;
	jq_view_close(&core->view);
	free(core);
}

/* ---- messages ---- */

/* A filter that fails on one message tends to fail on all of them: one line is enough. */
static void note_failure(struct core_jq *core, const struct datum *failure)
{
	if (core->errors++ > 0)
		return;
	char *said = program_complaint(failure);
	log_write(LOG_WARNING,
	    "the filter fails on a message and hides it: %s (further failures are only counted)",
	    said);
	free(said);
}

bool core_jq_passes(struct core_jq *core, const struct flow_message *m)
{
	struct datum first;
	jq_view_start(&core->view, m);
	enum program_answer answer = program_next(core->view.program, &first);
	bool passes = answer == PROGRAM_OUTPUT && datum_is_true(&first);
	if (answer == PROGRAM_FAILED)
		note_failure(core, &first);
	datum_free(&first);
	return passes;
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)flow, (void)slot, (void)out;
	struct core_jq *core = self;
	if (core_jq_passes(core, in))
		return FLOW_PASS;
	core->hidden++;
	verdict->fate = core->hidden_fate;
	verdict->reason = "the filter does not let it pass";
	return FLOW_SETTLE;
}

struct flow_core core_jq_core(struct core_jq *core)
{
	static const struct flow_core_kind kind = {.apply = apply};
	return (struct flow_core){&kind, core};
}

uint64_t core_jq_hidden(const struct core_jq *core)
{
	return core->hidden;
}

uint64_t core_jq_errors(const struct core_jq *core)
{
	return core->errors;
}
