#include "flow/workflow_outbox.h"

#include "base/fifo.h"
#include "base/mem.h"

#include <stdlib.h>

struct waiting {
	struct message *message;
	uint64_t token;
};

struct workflow_outbox {
	struct fifo waiting; /* struct waiting */
	workflow_outbox_fate_fn *fate;
	void *ctx;
	bool is_stopped;
};

struct workflow_outbox *workflow_outbox_create(void)
{
	struct workflow_outbox *outbox = mem_alloc(1, sizeof *outbox);
	outbox->waiting.size = sizeof(struct waiting);
	return outbox;
}

void workflow_outbox_free(struct workflow_outbox *outbox)
{
	if (outbox == NULL)
		return;
	for (; !fifo_is_empty(&outbox->waiting); fifo_pop(&outbox->waiting))
		free(((struct waiting *)fifo_front(&outbox->waiting))->message);
	fifo_release(&outbox->waiting);
	free(outbox);
}

void workflow_outbox_listen(
    struct workflow_outbox *outbox, workflow_outbox_fate_fn *fate, void *ctx)
{
	outbox->fate = fate;
	outbox->ctx = ctx;
}

void workflow_outbox_put(struct workflow_outbox *outbox, const struct message *m, uint64_t token)
{
	if (outbox->is_stopped) {
		outbox->fate(outbox->ctx, token, FLOW_RELEASED, "");
		return;
	}
	struct waiting w = {message_copy(m), token};
	fifo_push(&outbox->waiting, &w);
}

/* ---- the source ---- */

/* NOLINTBEGIN(readability-non-const-parameter): every source gets it */
static bool tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct workflow_outbox *outbox = self;
	(void)now_ns, (void)wake_ns, (void)err; /* room comes with the next fate */
	while (!fifo_is_empty(&outbox->waiting) && flow_room(flow) > 0) {
		struct waiting w = *(struct waiting *)fifo_front(&outbox->waiting);
		fifo_pop(&outbox->waiting); /* a fate may put another one */
		struct flow_message m = {.message = w.message};
		flow_offer(flow, &m, w.token);
		free(w.message);
	}
	return true;
}
/* NOLINTEND(readability-non-const-parameter) */

static void settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	const struct workflow_outbox *outbox = self;
	outbox->fate(outbox->ctx, token, outcome->fate, outcome->reason);
}

static void stop(void *self)
{
	struct workflow_outbox *outbox = self;
	outbox->is_stopped = true;
	for (; !fifo_is_empty(&outbox->waiting); fifo_pop(&outbox->waiting)) {
		const struct waiting *w = fifo_front(&outbox->waiting);
		outbox->fate(outbox->ctx, w->token, FLOW_RELEASED, "");
		free(w->message);
	}
}

static bool is_done(const void *self)
{
	const struct workflow_outbox *outbox = self;
	return outbox->is_stopped;
}

struct flow_source workflow_outbox_source(struct workflow_outbox *outbox)
{
	static const struct flow_source_kind kind = {tick, settle, stop, is_done};
	return (struct flow_source){&kind, outbox};
}
