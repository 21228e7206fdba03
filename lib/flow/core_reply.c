#include "flow/core_reply.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/publisher.h"
#include "model/marks.h"
#include "model/reply.h"

#include <stdlib.h>
#include <string.h>

enum kind { NOTHING, REPLY, REFUSAL, REPEAT };

struct core_reply {
	struct core_reply_options options;
	struct core_reply_counts counts;
	unsigned char *kinds; /* enum kind, by slot: what was made of the request */
	size_t capacity;
	struct buf store;  /* of the reply made last */
	struct buf reason; /* why the last one did not do, which its refusal says */
	bool has_told;	   /* of requests without reply_to */
};

struct core_reply *core_reply_create(const struct core_reply_options *options)
{
	struct core_reply *core = mem_alloc(1, sizeof *core);
	core->options = *options;
	return core;
}

void core_reply_free(struct core_reply *core)
{
	if (core == NULL)
		return;
	buf_release(&core->store);
	buf_release(&core->reason);
	free(core->kinds);
	free(core);
}

static struct slice name_of(const struct core_reply *core, struct slice queue)
{
	for (size_t i = 0; i < core->options.count; i++)
		if (slice_is(queue, core->options.queues[i]))
			return slice_str(core->options.names[i]);
	return SLICE("rpc");
}

static void note(struct core_reply *core, uint64_t slot, enum kind kind)
{
	size_t before = core->capacity;
	core->kinds = mem_grow(core->kinds, &core->capacity, slot + 1, sizeof *core->kinds);
	if (core->capacity > before)
		memset(core->kinds + before, NOTHING, core->capacity - before);
	core->kinds[slot] = (unsigned char)kind;
}

/* It was worked on, and that is all. */
static enum flow_answer keep_silent(struct core_reply *core, struct flow_verdict *verdict)
{
	if (!core->has_told)
		log_write(LOG_WARNING,
		    "a request has no reply_to: it is worked on, and nobody is told; further ones "
		    "are counted");
	core->has_told = true;
	*verdict = (struct flow_verdict){.fate = FLOW_ACCEPTED, .reason = ""};
	return FLOW_SETTLE;
}

static void keep(const struct core_reply *core, uint64_t slot, const struct message *reply)
{
	const struct core_reply_memory *memory = &core->options.memory;
	struct message answer;
	if (memory->keep == NULL)
		return;
	reply_answer(reply, &answer);
	memory->keep(memory->ctx, slot, &answer);
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	struct core_reply *core = self;
	const struct message *request = flow_kept(flow, slot);
	struct error why = {0};
	if (!reply_is_wanted(request))
		return keep_silent(core, verdict);
	reply_make(request, in->message, name_of(core, in->queue), &core->store, out);
	if (publisher_fits(core->options.connection, out, &why)) {
		note(core, slot, REPLY);
		keep(core, slot, out);
		return FLOW_PASS;
	}
	buf_clear(&core->reason);
	buf_append_str(&core->reason, why.text);
	*verdict = (struct flow_verdict){.fate = FLOW_REJECTED, .reason = core->reason.ptr};
	return FLOW_SETTLE;
}

static void refuse(struct core_reply *core, uint64_t slot, const struct flow_message *m,
    const char *reason, struct message *out)
{
	reply_refuse(m->message, name_of(core, m->queue), slice_str(reason), &core->store, out);
	note(core, slot, REFUSAL);
	if (strcmp(reason, MARKS_ERROR_HANDLED) != 0) /* which says that there is none */
		keep(core, slot, out);
}

/* What was answered before, when that is known and goes to this one, too. */
static bool repeat(
    struct core_reply *core, uint64_t slot, const struct flow_message *m, struct message *out)
{
	const struct core_reply_memory *memory = &core->options.memory;
	const struct message *answer =
	    memory->recall != NULL ? memory->recall(memory->ctx, slot) : NULL;
	struct error why = {0};
	if (answer == NULL)
		return false;
	reply_repeat(m->message, answer, name_of(core, m->queue), &core->store, out);
	if (!publisher_fits(core->options.connection, out, &why))
		return false;
	note(core, slot, REPEAT);
	keep(core, slot, out); /* for another key that it has */
	return true;
}

bool core_reply_rescue(struct core_reply *core, uint64_t slot, const struct flow_message *m,
    const struct flow_verdict *verdict, struct message *out)
{
	if (!reply_is_wanted(m->message))
		return false;
	if (!repeat(core, slot, m, out))
		refuse(core, slot, m, verdict->reason, out);
	return true;
}

static void settled(void *self, uint64_t slot, enum flow_fate fate, const char *reason)
{
	(void)reason;
	struct core_reply *core = self;
	enum kind kind = slot < core->capacity ? (enum kind)core->kinds[slot] : NOTHING;
	struct core_reply_counts *counts = &core->counts;
	if (slot < core->capacity)
		core->kinds[slot] = NOTHING;
	if (fate == FLOW_ACCEPTED)
		++*(kind == REPLY     ? &counts->answered
		    : kind == REFUSAL ? &counts->errors
		    : kind == REPEAT  ? &counts->repeated
				      : &counts->unanswered);
	else if (fate == FLOW_RETURNED || fate == FLOW_NACKED)
		counts->undeliverable++;
	else if (fate == FLOW_REJECTED)
		counts->rejected++;
}

struct flow_core core_reply_core(struct core_reply *core)
{
	static const struct flow_core_kind kind = {.apply = apply, .settled = settled};
	return (struct flow_core){&kind, core};
}

const struct core_reply_counts *core_reply_counts(const struct core_reply *core)
{
	return &core->counts;
}
