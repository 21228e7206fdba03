#include "flow/flow.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "flow/flow_private.h"

#include <stdlib.h>
#include <string.h>

#define MANY 1000003 /* a prime: parts of parts have numbers of their own */

struct flow *flow_create(struct loop *loop, const struct flow_options *options)
{
	struct flow *flow = mem_alloc(1, sizeof *flow);
	flow->loop = loop;
	flow->options = *options;
	flow->deadline_ns = CHRONO_NEVER;
	flow->waiting.size = sizeof(struct flow_waiting);
	for (size_t i = 0; i < options->core_count; i++)
		flow->may_hold |= options->cores[i].kind->hold != NULL;
	return flow;
}

void flow_drop_waiting(struct flow *flow)
{
	for (; !fifo_is_empty(&flow->waiting); fifo_pop(&flow->waiting))
		free(((struct flow_waiting *)fifo_front(&flow->waiting))->message);
}

void flow_free(struct flow *flow)
{
	if (flow == NULL)
		return;
	for (size_t i = 0; i < flow->slot_count; i++) {
		free(flow->slots[i].copy);
		flow_free_ledger(flow->slots[i].ledger);
	}
	flow_drop_waiting(flow);
	fifo_release(&flow->waiting);
	free(flow->slots);
	free(flow);
}

/* ---- slots ---- */

static size_t take_slot(struct flow *flow)
{
	size_t i = flow->first_free;
	if (i == flow->slot_count) {
		flow->slots = mem_grow(flow->slots, &flow->capacity, i + 1, sizeof *flow->slots);
		flow->first_free = ++flow->slot_count;
	} else {
		flow->first_free = flow->slots[i].next_free;
	}
	struct flow_slot *s = &flow->slots[i];
	s->used = s->is_outside = true;
	s->taken = false;
	s->route = 0;
	s->parent = FLOW_NOBODY;
	s->part = 0;
	s->id_len = 0;
	return i;
}

static void release_slot(struct flow *flow, size_t i)
{
	struct flow_slot *s = &flow->slots[i];
	free(s->copy);
	s->copy = NULL;
	flow_free_ledger(s->ledger);
	s->ledger = NULL;
	s->used = false;
	s->next_free = flow->first_free;
	flow->first_free = i;
	flow->under_way -= s->parent == FLOW_NOBODY;
}

/* ---- the way of a message ---- */

static uint64_t finished_or_under_way(const struct flow *flow)
{
	return flow->counts.finished + flow->under_way;
}

/* Nothing more is taken on. */
static bool is_closed(const struct flow *flow)
{
	return flow->stopping || flow->failure.kind != ERROR_NONE;
}

size_t flow_room(const struct flow *flow)
{
	const struct flow_options *o = &flow->options;
	uint64_t taken = finished_or_under_way(flow);
	if (is_closed(flow) || taken >= o->limit || flow->under_way >= o->window ||
	    !fifo_is_empty(&flow->waiting) || (o->is_ready != NULL && !o->is_ready(o->ctx)))
		return 0;
	size_t room = o->sink.kind->room(o->sink.self);
	if (room > o->window - flow->under_way)
		room = o->window - flow->under_way;
	return room < o->limit - taken ? room : (size_t)(o->limit - taken);
}

/* The fate of a branch, and of the message it comes from when it was the last one. */
static void settle_branch(struct flow *flow, size_t slot, const struct flow_verdict *verdict);

static void tell_cores(const struct flow *flow, uint64_t slot, const struct flow_verdict *verdict)
{
	const struct flow_options *o = &flow->options;
	for (size_t i = 0; i < o->core_count; i++)
		if (o->cores[i].kind->settled != NULL)
			o->cores[i].kind->settled(
			    o->cores[i].self, slot, verdict->fate, verdict->reason);
}

static void settle(struct flow *flow, uint64_t slot, const struct flow_verdict *verdict)
{
	if (slot >= flow->slot_count || !flow->slots[slot].used)
		return;
	if (flow->has_split)
		flow_note_end(flow, slot, verdict->fate);
	if (!flow->may_hold || flow->ending || !flow_hold_back(flow, slot, verdict))
		flow_settle_now(flow, slot, verdict);
}

void flow_settle_now(struct flow *flow, uint64_t slot, const struct flow_verdict *verdict)
{
	const struct flow_options *o = &flow->options;
	enum flow_fate fate = verdict->fate;
	const struct flow_slot *s = &flow->slots[slot];
	if (s->parent != FLOW_NOBODY) {
		settle_branch(flow, slot, verdict);
		return;
	}
	flow->counts.fates[fate]++;
	flow->counts.finished += s->taken && (fate == FLOW_ACCEPTED || fate == FLOW_REJECTED);
	struct flow_message kept = {.message = s->copy,
	    .id = {s->id, s->id_len},
	    .queue = s->queue,
	    .redelivered = s->redelivered,
	    .number = s->number,
	    .due_ns = s->due_ns};
	if (o->on_fate != NULL)
		o->on_fate(o->ctx, &kept, fate, verdict->reason);
	tell_cores(flow, slot, verdict);
	uint64_t token = s->token;
	struct message *copy = s->copy;
	const struct flow_outcome outcome = {
	    fate, verdict->reason, copy, s->redelivered, verdict->headers};
	flow->slots[slot].copy = NULL;
	release_slot(flow, slot);
	o->source.kind->settle(o->source.self, token, &outcome);
	free(copy);
}

void flow_settle(struct flow *flow, uint64_t slot, enum flow_fate fate, const char *reason)
{
	settle(flow, slot, &(struct flow_verdict){.fate = fate, .reason = reason});
}

/* ---- a message that became several ---- */

/* One fewer that the message waits for. */
static void join(struct flow *flow, size_t slot, const struct flow_verdict *verdict)
{
	struct flow_ledger *ledger = flow->slots[slot].ledger;
	if (flow_gravity(verdict->fate) > flow_gravity(ledger->worst))
		flow_note_worst(ledger, verdict);
	if (--ledger->branches > 0)
		return;
	struct flow_ledger whole = *ledger; /* which may take another verdict on */
	ledger->reason = ledger->headers = NULL;
	settle(flow, slot,
	    &(struct flow_verdict){.fate = whole.worst,
		.reason = whole.reason != NULL ? whole.reason : "",
		.headers = {whole.headers, whole.headers_len}});
	free(whole.reason);
	free(whole.headers);
}

static void settle_branch(struct flow *flow, size_t slot, const struct flow_verdict *verdict)
{
	size_t parent = flow->slots[slot].parent;
	tell_cores(flow, slot, verdict);
	release_slot(flow, slot);
	join(flow, parent, verdict);
}

/* ---- into the sink ---- */

static void put_now(struct flow *flow, size_t slot, const struct flow_message *m)
{
	const struct flow_options *o = &flow->options;
	struct error err;
	error_clear(&err);
	flow->slots[slot].taken = true;
	if (flow->has_split)
		flow_note_inside(flow, slot);
	if (!o->sink.kind->put(o->sink.self, flow, slot, m, &err)) {
		flow_fail(flow, &err);
		flow_settle(flow, slot, FLOW_RELEASED, err.text);
		return;
	}
	flow->counts.put++;
	if (o->on_put != NULL && flow->slots[slot].used) /* else it has its fate, and is gone */
		o->on_put(o->ctx, m);
}

/* Who offers has asked for room. With cores in between there may be none: a split makes several
 * messages of one, and a core that answers later does so when it can, as while the sink looks for
 * its broker. */
static void put(struct flow *flow, size_t slot, const struct flow_message *m)
{
	const struct flow_options *o = &flow->options;
	if (o->core_count == 0 ||
	    (fifo_is_empty(&flow->waiting) && o->sink.kind->room(o->sink.self) > 0)) {
		put_now(flow, slot, m);
		return;
	}
	struct flow_waiting w = {slot, message_copy(m->message), *m};
	fifo_push(&flow->waiting, &w);
}

void flow_put_waiting(struct flow *flow)
{
	const struct flow_sink *sink = &flow->options.sink;
	while (!fifo_is_empty(&flow->waiting) && flow->failure.kind == ERROR_NONE &&
	       sink->kind->room(sink->self) > 0) {
		struct flow_waiting w = *(struct flow_waiting *)fifo_front(&flow->waiting);
		fifo_pop(&flow->waiting);
		w.m.message = w.message;
		put_now(flow, w.slot, &w.m);
		free(w.message);
	}
}

void flow_release_waiting(struct flow *flow)
{
	bool all = flow->failure.kind != ERROR_NONE;
	for (size_t count = fifo_count(&flow->waiting); count > 0; count--) {
		struct flow_waiting w = *(struct flow_waiting *)fifo_front(&flow->waiting);
		fifo_pop(&flow->waiting);
		if (!all && flow->slots[w.slot].parent == FLOW_NOBODY) {
			fifo_push(&flow->waiting, &w);
			continue;
		}
		free(w.message);
		flow_settle(flow, w.slot, FLOW_RELEASED, "");
	}
}

/* A core has its verdict. */
static void conclude(struct flow *flow, size_t slot, const struct flow_verdict *verdict)
{
	const struct flow_options *o = &flow->options;
	const struct flow_slot *s = &flow->slots[slot];
	struct message out;
	const struct flow_message m = {
	    .message = s->copy, .queue = s->queue, .redelivered = s->redelivered};
	if (verdict->fate == FLOW_REJECTED && o->rescue != NULL && s->parent == FLOW_NOBODY &&
	    s->copy != NULL && o->rescue(o->ctx, slot, &m, verdict, &out))
		put(flow, slot,
		    &(struct flow_message){
			.message = &out, .queue = s->queue, .redelivered = s->redelivered});
	else
		settle(flow, slot, verdict);
}

/* ---- through the cores ---- */

static struct flow_ledger *begin_split(struct flow_slot *s)
{
	struct flow_ledger *ledger = flow_open_ledger(s);
	if (ledger->branches == 0)
		ledger->branches = 1;
	return ledger;
}

static void end_split(struct flow *flow, size_t slot)
{
	static const struct flow_verdict accepted = {.fate = FLOW_ACCEPTED, .reason = ""};
	struct flow_slot *s = &flow->slots[slot];
	(void)begin_split(s); /* into nothing */
	s->taken = true;
	flow_note_inside(flow, slot);
	join(flow, slot, &accepted);
}

/* Takes a message through the cores from the given one on, then into the sink. */
static void advance(struct flow *flow, size_t slot, size_t core, const struct flow_message *m)
{
	const struct flow_options *o = &flow->options;
	struct message stages[FLOW_CORE_ROOM];
	struct flow_message now = *m;
	for (size_t i = core; i < o->core_count; i++) {
		struct flow_verdict verdict = {.fate = FLOW_REJECTED, .reason = ""};
		if (o->routes[i] != 0 && o->routes[i] != flow->slots[slot].route)
			continue;
		stages[i] = *now.message;
		flow->slots[slot].core = i;
		enum flow_answer answer = o->cores[i].kind->apply(
		    o->cores[i].self, flow, slot, &now, &stages[i], &verdict);
		if (answer == FLOW_SETTLE)
			conclude(flow, slot, &verdict);
		if (answer == FLOW_SPLIT)
			end_split(flow, slot);
		if (answer != FLOW_PASS)
			return;
		now.message = &stages[i];
	}
	put(flow, slot, &now);
}

/* Whether there may be one more part; without it the message is rejected. */
static bool may_branch(struct flow *flow, size_t slot)
{
	static const struct flow_verdict verdict = {
	    .fate = FLOW_REJECTED, .reason = "it becomes more than 1,000,000 messages"};
	struct flow_ledger *ledger = begin_split(&flow->slots[slot]);
	struct flow_ledger *all = flow->slots[flow_root(flow, slot)].ledger;
	if (all->total++ < FLOW_MAX_PARTS)
		return true;
	if (flow_gravity(verdict.fate) > flow_gravity(ledger->worst))
		flow_note_worst(ledger, &verdict);
	return false;
}

void flow_branch(struct flow *flow, uint64_t slot, const struct flow_message *m)
{
	if (slot >= flow->slot_count || !flow->slots[slot].used || !may_branch(flow, slot))
		return;
	size_t branch = take_slot(flow);
	struct flow_slot *from = &flow->slots[slot], *s = &flow->slots[branch];
	flow->has_split = true;
	struct flow_ledger *ledger = from->ledger;
	ledger->branches++;
	s->parent = slot;
	flow->slots[flow_root(flow, slot)].ledger->outside++;
	s->part = from->part * MANY + ++ledger->count;
	s->queue = from->queue;
	s->redelivered = from->redelivered;
	s->number = from->number;
	s->due_ns = from->due_ns;
	s->route = from->route;
	struct flow_message part = *m;
	part.queue = s->queue;
	part.redelivered = s->redelivered;
	part.number = s->number;
	part.due_ns = s->due_ns;
	part.part = s->part;
	advance(flow, branch, from->core + 1, &part);
}

const struct message *flow_kept(const struct flow *flow, uint64_t slot)
{
	return flow->slots[flow_root(flow, slot)].copy;
}

uint64_t flow_origin(const struct flow *flow, uint64_t slot)
{
	return flow_root(flow, slot);
}

void flow_set_route(struct flow *flow, uint64_t slot, unsigned route)
{
	flow->slots[slot].route = route;
}

static void note_id(struct flow_slot *s, struct slice id)
{
	s->id_len = id.len < FLOW_ID_BYTES ? id.len : FLOW_ID_BYTES;
	if (s->id_len > 0)
		memcpy(s->id, id.ptr, s->id_len);
}

void flow_offer(struct flow *flow, const struct flow_message *m, uint64_t token)
{
	const struct flow_options *o = &flow->options;
	uint64_t number = flow->counts.offered++;
	flow->counts.redelivered += m->redelivered;
	if (is_closed(flow) || finished_or_under_way(flow) >= o->limit) {
		const struct flow_outcome outcome = {.fate = FLOW_RELEASED,
		    .reason = "",
		    .message = m->message,
		    .redelivered = m->redelivered};
		flow->counts.fates[FLOW_RELEASED]++;
		flow->turned_away++;
		o->source.kind->settle(o->source.self, token, &outcome);
		return;
	}
	size_t slot = take_slot(flow);
	struct flow_slot *s = &flow->slots[slot];
	flow->under_way++;
	s->token = token;
	s->queue = m->queue;
	s->redelivered = m->redelivered;
	s->number = number;
	s->due_ns = m->due_ns;
	s->copy = o->keep_messages ? message_copy(m->message) : NULL;
	note_id(s, m->message->message_id);
	struct flow_message numbered = *m;
	numbered.number = number;
	numbered.part = 0;
	if (o->core_count > 0)
		advance(flow, slot, 0, &numbered);
	else
		put(flow, slot, &numbered);
}

void flow_resume(struct flow *flow, uint64_t slot, enum flow_answer answer,
    const struct flow_verdict *verdict, const struct flow_message *m)
{
	if (slot >= flow->slot_count || !flow->slots[slot].used)
		return;
	struct flow_slot *s = &flow->slots[slot];
	if (answer == FLOW_PASS) {
		/* what the core knew of it may be gone before the message has its turn */
		struct flow_message now = {.message = m->message,
		    .queue = s->queue,
		    .redelivered = s->redelivered,
		    .number = s->number,
		    .part = s->part,
		    .due_ns = s->due_ns};
		advance(flow, slot, s->core + 1, &now);
		return;
	}
	s->taken = true;
	if (answer == FLOW_SPLIT)
		end_split(flow, slot);
	else
		conclude(flow, slot, verdict);
}

void flow_fail(struct flow *flow, const struct error *why)
{
	error_set(&flow->failure, why->kind, "%s", why->text);
}

const struct flow_counts *flow_counts(const struct flow *flow)
{
	return &flow->counts;
}

size_t flow_under_way(const struct flow *flow)
{
	return flow->under_way;
}
