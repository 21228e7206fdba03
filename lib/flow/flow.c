#include "flow/flow.h"

#include "base/chrono.h"
#include "base/fifo.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define ID_BYTES 40 /* a UUID fits */
#define NOBODY SIZE_MAX
#define MANY 1000003 /* a prime: parts of parts have numbers of their own */

/* A message under way. Free slots are chained through next_free. */
struct slot {
	bool used;
	bool
	    taken; /* by the sink, or by a core that was at work on it: what becomes of it counts */
	uint64_t token;
	size_t core;	 /* the one that is at work on it */
	unsigned route;	 /* which cores it is for */
	size_t parent;	 /* of a branch: the slot that was split; else NOBODY */
	size_t branches; /* that are under way, and one more while it is being split */
	uint64_t part, branch_count;
	enum flow_fate worst; /* of its branches so far, */
	char *reason;	      /* and why; owned, NULL for none */
	struct message *copy; /* with keep_messages */
	char id[ID_BYTES];    /* the beginning of the message_id */
	size_t id_len;
	struct slice queue; /* borrowed from the source, which outlives the run */
	bool redelivered;
	uint64_t number, due_ns;
	size_t next_free;
};

/* A message that the sink has no room for yet. */
struct waiting {
	size_t slot;
	struct message *message;
	struct flow_message m; /* what else is known of it */
};

struct flow {
	struct loop *loop;
	struct flow_options options;
	struct slot *slots;
	size_t slot_count, capacity;
	size_t first_free;   /* slot_count: none */
	size_t under_way;    /* of those that were offered: branches are not counted */
	struct fifo waiting; /* struct waiting; only what was split waits, and what is behind it */
	bool has_split;
	bool stopping;
	uint64_t deadline_ns; /* of the last fates; CHRONO_NEVER before the end is near */
	uint64_t progress;    /* the sink's, when that was set */
	struct error failure;
	struct flow_counts counts;
};

struct flow *flow_create(struct loop *loop, const struct flow_options *options)
{
	struct flow *flow = mem_alloc(1, sizeof *flow);
	flow->loop = loop;
	flow->options = *options;
	flow->deadline_ns = CHRONO_NEVER;
	flow->waiting.size = sizeof(struct waiting);
	return flow;
}

static void drop_waiting(struct flow *flow)
{
	for (; !fifo_is_empty(&flow->waiting); fifo_pop(&flow->waiting))
		free(((struct waiting *)fifo_front(&flow->waiting))->message);
}

void flow_free(struct flow *flow)
{
	if (flow == NULL)
		return;
	for (size_t i = 0; i < flow->slot_count; i++) {
		free(flow->slots[i].copy);
		free(flow->slots[i].reason);
	}
	drop_waiting(flow);
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
	flow->slots[i] = (struct slot){.used = true, .parent = NOBODY, .worst = FLOW_ACCEPTED};
	return i;
}

static void release_slot(struct flow *flow, size_t i)
{
	struct slot *s = &flow->slots[i];
	free(s->copy);
	free(s->reason);
	flow->under_way -= s->parent == NOBODY;
	*s = (struct slot){.next_free = flow->first_free};
	flow->first_free = i;
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
	const struct flow_options *o = &flow->options;
	enum flow_fate fate = verdict->fate;
	if (slot >= flow->slot_count || !flow->slots[slot].used)
		return;
	const struct slot *s = &flow->slots[slot];
	if (s->parent != NOBODY) {
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
	/* from the least to the gravest: what must come again outweighs what nobody wants */
	static const int ranks[FLOW_FATE_COUNT] = {[FLOW_ACCEPTED] = 0,
	    [FLOW_HELD] = 1,
	    [FLOW_REJECTED] = 2,
	    [FLOW_RETURNED] = 3,
	    [FLOW_NACKED] = 4,
	    [FLOW_UNCONFIRMED] = 5,
	    [FLOW_RETRY] = 6,
	    [FLOW_RELEASED] = 7};
	struct slot *s = &flow->slots[slot];
	if (ranks[verdict->fate] > ranks[s->worst]) {
		s->worst = verdict->fate;
		free(s->reason);
		s->reason = mem_strdup(verdict->reason);
	}
	if (--s->branches > 0)
		return;
	char *reason = s->reason;
	s->reason = NULL;
	settle(flow, slot,
	    &(struct flow_verdict){.fate = s->worst, .reason = reason != NULL ? reason : ""});
	free(reason);
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
	if (!o->sink.kind->put(o->sink.self, flow, slot, m, &err)) {
		flow_fail(flow, &err);
		flow_settle(flow, slot, FLOW_RELEASED, err.text);
		return;
	}
	flow->counts.put++;
	if (o->on_put != NULL)
		o->on_put(o->ctx, m);
}

/* Only a split makes more messages than the sink said it had room for. */
static void put(struct flow *flow, size_t slot, const struct flow_message *m)
{
	const struct flow_sink *sink = &flow->options.sink;
	if (!flow->has_split ||
	    (fifo_is_empty(&flow->waiting) && sink->kind->room(sink->self) > 0)) {
		put_now(flow, slot, m);
		return;
	}
	struct waiting w = {slot, message_copy(m->message), *m};
	fifo_push(&flow->waiting, &w);
}

static void put_waiting(struct flow *flow)
{
	const struct flow_sink *sink = &flow->options.sink;
	while (!fifo_is_empty(&flow->waiting) && flow->failure.kind == ERROR_NONE &&
	       sink->kind->room(sink->self) > 0) {
		struct waiting w = *(struct waiting *)fifo_front(&flow->waiting);
		fifo_pop(&flow->waiting);
		w.m.message = w.message;
		put_now(flow, w.slot, &w.m);
		free(w.message);
	}
}

/* A core has its verdict. */
static void conclude(struct flow *flow, size_t slot, const struct flow_verdict *verdict)
{
	const struct flow_options *o = &flow->options;
	const struct slot *s = &flow->slots[slot];
	struct message out;
	const struct flow_message m = {
	    .message = s->copy, .queue = s->queue, .redelivered = s->redelivered};
	if (verdict->fate == FLOW_REJECTED && o->rescue != NULL && s->parent == NOBODY &&
	    s->copy != NULL && o->rescue(o->ctx, &m, verdict, &out))
		put(flow, slot,
		    &(struct flow_message){
			.message = &out, .queue = s->queue, .redelivered = s->redelivered});
	else
		settle(flow, slot, verdict);
}

/* ---- through the cores ---- */

static void end_split(struct flow *flow, size_t slot)
{
	static const struct flow_verdict accepted = {.fate = FLOW_ACCEPTED, .reason = ""};
	struct slot *s = &flow->slots[slot];
	s->taken = true;
	if (s->branches == 0) /* it has none */
		s->branches = 1;
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

void flow_branch(struct flow *flow, uint64_t slot, const struct flow_message *m)
{
	if (slot >= flow->slot_count || !flow->slots[slot].used)
		return;
	size_t branch = take_slot(flow);
	struct slot *from = &flow->slots[slot], *s = &flow->slots[branch];
	flow->has_split = true;
	from->branches += from->branches == 0 ? 2 : 1;
	s->parent = slot;
	s->part = from->part * MANY + ++from->branch_count;
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

uint64_t flow_origin(const struct flow *flow, uint64_t slot)
{
	while (flow->slots[slot].parent != NOBODY)
		slot = flow->slots[slot].parent;
	return slot;
}

void flow_set_route(struct flow *flow, uint64_t slot, unsigned route)
{
	flow->slots[slot].route = route;
}

static void note_id(struct slot *s, struct slice id)
{
	s->id_len = id.len < ID_BYTES ? id.len : ID_BYTES;
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
		o->source.kind->settle(o->source.self, token, &outcome);
		return;
	}
	size_t slot = take_slot(flow);
	struct slot *s = &flow->slots[slot];
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
	struct slot *s = &flow->slots[slot];
	if (answer == FLOW_PASS) {
		struct flow_message now = *m;
		now.number = s->number;
		now.part = s->part;
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

/* ---- the run ---- */

void flow_stop(struct flow *flow)
{
	const struct flow_options *o = &flow->options;
	if (flow->stopping)
		return;
	flow->stopping = true;
	o->source.kind->stop(o->source.self);
	for (size_t i = 0; i < o->core_count; i++)
		if (o->cores[i].kind->stop != NULL)
			o->cores[i].kind->stop(o->cores[i].self);
}

/* The limit is reached, or somebody asks for the end. */
static bool must_stop(const struct flow *flow)
{
	return loop_stop_requested(flow->loop) || flow->failure.kind != ERROR_NONE ||
	       flow->counts.finished >= flow->options.limit;
}

/* A source that has failed offers no more. */
static bool is_source_done(const struct flow *flow)
{
	const struct flow_options *o = &flow->options;
	return flow->failure.kind != ERROR_NONE || o->source.kind->is_done(o->source.self);
}

static bool flush_sink(struct flow *flow, struct error *err)
{
	return flow->options.sink.kind->flush(flow->options.sink.self, flow, err);
}

/* Lets the source offer; its failure ends the run, but not before what is under way is settled. */
static void tick_source(struct flow *flow, uint64_t *wake_ns)
{
	const struct flow_options *o = &flow->options;
	struct error err = {0};
	if (flow->failure.kind == ERROR_NONE &&
	    !o->source.kind->tick(o->source.self, flow, chrono_now_ns(), wake_ns, &err))
		flow_fail(flow, &err);
}

static void advance_cores(struct flow *flow)
{
	const struct flow_options *o = &flow->options;
	for (size_t i = 0; i < o->core_count; i++)
		if (o->cores[i].kind->advance != NULL)
			o->cores[i].kind->advance(o->cores[i].self, flow);
}

/* What the next turn of the loop must not sleep through, but for what the source says: room again,
 * a deadline from now on, a reason to stop. */
static bool must_go_on(const struct flow *flow, size_t under_way_before, bool done)
{
	const struct flow_sink *sink = &flow->options.sink;
	bool may_put = !fifo_is_empty(&flow->waiting) && sink->kind->room(sink->self) > 0;
	return flow->under_way < under_way_before || may_put ||
	       (done && flow->deadline_ns == CHRONO_NEVER) || (must_stop(flow) && !flow->stopping);
}

static uint64_t progress_of(const struct flow *flow)
{
	const struct flow_sink *sink = &flow->options.sink;
	return sink->kind->progress != NULL ? sink->kind->progress(sink->self) : 0;
}

static bool is_held_up(const struct flow *flow)
{
	const struct flow_sink *sink = &flow->options.sink;
	return sink->kind->is_held_up != NULL && sink->kind->is_held_up(sink->self) &&
	       !loop_stop_requested(flow->loop);
}

static void begin_drain(struct flow *flow)
{
	flow->deadline_ns = chrono_after(chrono_now_ns(), flow->options.drain_ns);
	flow->progress = progress_of(flow);
}

void flow_restart_drain(struct flow *flow)
{
	if (flow->deadline_ns != CHRONO_NEVER)
		begin_drain(flow);
}

static bool is_drain_over(struct flow *flow)
{
	if (flow->deadline_ns == CHRONO_NEVER)
		return false;
	if (progress_of(flow) != flow->progress)
		begin_drain(flow);
	if (chrono_now_ns() < flow->deadline_ns)
		return false;
	if (is_held_up(flow))
		flow_restart_drain(flow);
	return chrono_now_ns() >= flow->deadline_ns;
}

enum flow_state flow_step(struct flow *flow, uint64_t *wake_ns, struct error *err)
{
	if (must_stop(flow))
		flow_stop(flow);
	bool done = is_source_done(flow);
	if (done && flow->under_way == 0)
		return FLOW_ENDS;
	if ((done || flow->stopping) && flow->deadline_ns == CHRONO_NEVER)
		begin_drain(flow);
	if (is_drain_over(flow))
		return FLOW_ENDS;
	if (flow->deadline_ns < *wake_ns)
		*wake_ns = flow->deadline_ns;
	/* what came while the loop ran is finished before the source is asked for more */
	if (!flush_sink(flow, err))
		return FLOW_FAILS;
	put_waiting(flow);
	advance_cores(flow);
	tick_source(flow, wake_ns);
	size_t before = flow->under_way;
	if (!flush_sink(flow, err))
		return FLOW_FAILS;
	done = is_source_done(flow);
	if (done && flow->under_way == 0)
		return FLOW_ENDS;
	if (must_go_on(flow, before, done))
		*wake_ns = 0;
	return FLOW_RUNS;
}

bool flow_finish(struct flow *flow, struct error *err)
{
	const struct flow_options *o = &flow->options;
	bool good = err->kind == ERROR_NONE;
	flow_stop(flow);
	/* a sink that has lost its broker says so even when nothing is left to be put */
	good = good && flush_sink(flow, err);
	o->sink.kind->abandon(o->sink.self, flow);
	drop_waiting(flow);
	/* branches are behind what they come from, or fall with it: the message goes with its last
	 */
	for (int branches = 1; branches >= 0; branches--)
		for (size_t i = 0; i < flow->slot_count; i++)
			if (flow->slots[i].used && (flow->slots[i].branches == 0) == branches)
				flow_settle(flow, i, FLOW_RELEASED, "the run ended first");
	if (flow->failure.kind != ERROR_NONE)
		return error_set(err, flow->failure.kind, "%s", flow->failure.text);
	return good;
}

bool flow_run(struct flow *flow, struct error *err)
{
	bool good = true;
	while (good) {
		uint64_t wake_ns = CHRONO_NEVER;
		if (flow_step(flow, &wake_ns, err) != FLOW_RUNS)
			break;
		good = loop_turn(flow->loop, wake_ns, err);
	}
	return flow_finish(flow, err);
}

const struct flow_counts *flow_counts(const struct flow *flow)
{
	return &flow->counts;
}

size_t flow_under_way(const struct flow *flow)
{
	return flow->under_way;
}
