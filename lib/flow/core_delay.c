#include "flow/core_delay.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/rng.h"

#include <stdlib.h>

/* A message until its time has come. */
struct held {
	uint64_t due_ns, number; /* of two that are due together the one that came first */
	uint64_t slot;
	struct flow *flow;
	struct message *message;
	char *queue;
	bool redelivered;
};

struct core_delay {
	struct loop *loop;
	struct core_delay_options options;
	struct rng rng;
	struct held *heap; /* a binary heap: none is due before its parent, the first is next */
	size_t count, capacity;
	uint64_t arrived;
	uint64_t timer, timer_due_ns; /* of the first; 0: not set */
	bool stopping;
};

/* ---- the heap ---- */

static bool is_before(const struct held *a, const struct held *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
}

static void push(struct core_delay *core, const struct held *item)
{
	core->heap = mem_grow(core->heap, &core->capacity, core->count + 1, sizeof *core->heap);
	size_t at = core->count++;
	for (; at > 0 && is_before(item, &core->heap[(at - 1) / 2]); at = (at - 1) / 2)
		core->heap[at] = core->heap[(at - 1) / 2];
	core->heap[at] = *item;
}

static struct held pop(struct core_delay *core)
{
	struct held first = core->heap[0], last = core->heap[--core->count];
	size_t at = 0;
	for (size_t child; (child = 2 * at + 1) < core->count; at = child) {
		if (child + 1 < core->count &&
		    is_before(&core->heap[child + 1], &core->heap[child]))
			child++;
		if (!is_before(&core->heap[child], &last))
			break;
		core->heap[at] = core->heap[child];
	}
	core->heap[at] = last;
	return first;
}

/* ---- going on ---- */

/* NOLINTBEGIN(clang-analyzer-unix.Malloc): a message is out of the heap before it is freed */

static void free_held(struct held *held)
{
	free(held->message);
	free(held->queue);
}

static void pass(struct held *held)
{
	const struct flow_message m = {.message = held->message,
	    .queue = slice_str(held->queue),
	    .redelivered = held->redelivered};
	flow_resume(held->flow, held->slot, FLOW_PASS, NULL, &m);
	free_held(held);
}

static void on_due(void *ctx, uint64_t now_ns);

/* One timer, for the first of all. */
static void set_timer(struct core_delay *core)
{
	uint64_t due_ns = core->count > 0 ? core->heap[0].due_ns : 0;
	if (due_ns == core->timer_due_ns)
		return;
	loop_cancel(core->loop, core->timer);
	core->timer = due_ns > 0 ? loop_at(core->loop, due_ns, on_due, core) : 0;
	core->timer_due_ns = due_ns;
}

static void on_due(void *ctx, uint64_t now_ns)
{
	struct core_delay *core = ctx;
	core->timer = core->timer_due_ns = 0;
	while (core->count > 0 && core->heap[0].due_ns <= now_ns) {
		struct held held = pop(core);
		pass(&held);
	}
	set_timer(core);
}

/* NOLINTEND(clang-analyzer-unix.Malloc) */

static uint64_t draw(struct core_delay *core)
{
	const struct core_delay_options *o = &core->options;
	return o->from_ns +
	       (o->to_ns > o->from_ns ? rng_below(&core->rng, o->to_ns - o->from_ns + 1) : 0);
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)out;
	struct core_delay *core = self;
	if (core->stopping) {
		verdict->fate = FLOW_RELEASED;
		return FLOW_SETTLE;
	}
	const struct held held = {.due_ns = chrono_after(chrono_now_ns(), draw(core)),
	    .number = core->arrived++,
	    .slot = slot,
	    .flow = flow,
	    .message = message_copy(in->message),
	    .queue = mem_strndup(in->queue.len > 0 ? in->queue.ptr : "", in->queue.len),
	    .redelivered = in->redelivered};
	push(core, &held);
	set_timer(core);
	return FLOW_PENDING;
}

static void stop(void *self)
{
	struct core_delay *core = self;
	core->stopping = true;
	for (size_t i = 0; i < core->count; i++) {
		flow_settle(core->heap[i].flow, core->heap[i].slot, FLOW_RELEASED, "");
		free_held(&core->heap[i]);
	}
	core->count = 0;
	set_timer(core);
}

struct flow_core core_delay_core(struct core_delay *core)
{
	static const struct flow_core_kind kind = {.apply = apply, .stop = stop};
	return (struct flow_core){&kind, core};
}

/* ---- life ---- */

struct core_delay *core_delay_create(struct loop *loop, const struct core_delay_options *options)
{
	struct core_delay *core = mem_alloc(1, sizeof *core);
	core->loop = loop;
	core->options = *options;
	rng_seed(&core->rng, options->seed);
	return core;
}

void core_delay_free(struct core_delay *core)
{
	if (core == NULL)
		return;
	loop_cancel(core->loop, core->timer);
	for (size_t i = 0; i < core->count; i++)
		free_held(&core->heap[i]);
	free(core->heap);
	free(core);
}
