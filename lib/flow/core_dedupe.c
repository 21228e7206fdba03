#include "flow/core_dedupe.h"

#include "base/chrono.h"
#include "base/fifo.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/key.h"
#include "model/marks.h"
#include "model/reply.h"
#include "store/handled_batch.h"

#include <stdlib.h>

#define NOBODY UINT64_MAX
#define BUSY_STEP_NS (200 * CHRONO_MS) /* the longest that the loop stands still for a lock */
#define BUSY_PATIENCE_NS (120 * CHRONO_S)

/* What else there is to know of a message in the flow. */
struct entry {
	struct message *waiting; /* a copy, while it waits for the one with its key; else NULL */
	struct flow_message m;	 /* of that: what is known about it */
	uint64_t behind;	 /* the slot of the next one that waits for the same; or NOBODY */
	struct message *answer;	 /* owned; what is answered to it, or was to the first; or NULL */
	bool is_duplicate;	 /* rejected as one */
};

struct core_dedupe {
	struct key *key;
	bool rejects_unkeyed, answers;
	struct flow *flow;
	struct store *own;   /* NULL: marks are elsewhere */
	struct store *store; /* where they are; NULL: in memory alone */
	struct handled *handled;
	struct siphash *slots; /* of messages under way and waiting, by the flow's slot */
	struct entry *entries; /* the same */
	size_t slot_count, slot_capacity, entry_capacity;
	struct ids under_way;
	struct fifo freed; /* uint64_t: slots of those that have waited long enough */
	/* Accepted, to be marked before anybody hears of it. */
	struct handled_batch *batch;
	uint64_t *held; /* slots, in the order of the batch */
	size_t held_count, held_capacity;
	uint64_t busy_ns;   /* since when another process has the store; 0: it has not */
	bool has_caught_up; /* in this turn, with what others have marked */
	bool stopping;
	struct buf scratch;
	uint64_t duplicates, unkeyed;
};

/* The mark of a message; false: it has no key. */
static bool find_mark(struct core_dedupe *core, const struct flow_message *m, struct siphash *out)
{
	buf_clear(&core->scratch);
	if (key_is_of_queue(core->key)) { /* "ab" + "c" is not "a" + "bc" */
		buf_append_char(&core->scratch, (char)m->queue.len);
		buf_append(&core->scratch, m->queue);
	}
	if (!key_read(core->key, m->message, &core->scratch))
		return false;
	/* the parts of a message have its id until they get their own */
	if (m->part != 0 && key_is_of_message(core->key))
		buf_append(&core->scratch, (struct slice){(const char *)&m->part, sizeof m->part});
	*out = handled_hash(core->handled, buf_slice(&core->scratch));
	return true;
}

/* ---- the core ---- */

static void note_slot(struct core_dedupe *core, uint64_t slot, struct siphash id)
{
	size_t count = (size_t)slot + 1;
	core->slots = mem_grow(core->slots, &core->slot_capacity, count, sizeof *core->slots);
	core->entries =
	    mem_grow(core->entries, &core->entry_capacity, count, sizeof *core->entries);
	core->slot_count = count > core->slot_count ? count : core->slot_count;
	core->slots[slot] = id;
	core->entries[slot] = (struct entry){.behind = NOBODY};
}

/* The newest one stands first: its delivery is the likeliest to be still ours. */
static void wait_behind(struct core_dedupe *core, uint64_t first, uint64_t slot)
{
	core->entries[slot].behind = core->entries[first].behind;
	core->entries[first].behind = slot;
}

/* Once a turn, when there is a message to judge: the loop may have slept for long, and what others
 * have marked meanwhile counts. */
static bool catch_up(struct core_dedupe *core)
{
	struct error err = {0};
	if (core->has_caught_up)
		return true;
	core->has_caught_up = handled_catch_up(core->handled, &err);
	if (core->has_caught_up || err.kind == ERROR_UNAVAILABLE) /* a lock; the next one tries */
		return true;
	flow_fail(core->flow, &err);
	return false;
}

/* It was handled before, or goes the way of one that is under way. */
static void drop(struct core_dedupe *core, uint64_t slot, struct flow_verdict *verdict)
{
	struct entry *entry = &core->entries[slot];
	struct error err = {0};
	*verdict = (struct flow_verdict){.fate = FLOW_RELEASED, .reason = ""};
	if (!handled_answer(core->handled, core->slots[slot], &entry->answer, &err)) {
		if (err.kind != ERROR_UNAVAILABLE) /* a lock: it comes again */
			flow_fail(core->flow, &err);
		return;
	}
	core->duplicates++;
	/* a rejection is answered; who wants no reply needs none */
	entry->is_duplicate = core->answers && reply_is_wanted(flow_kept(core->flow, slot));
	verdict->fate = entry->is_duplicate ? FLOW_REJECTED : FLOW_ACCEPTED;
	verdict->reason = MARKS_ERROR_HANDLED;
}

/* Drops it, or makes it wait, or passes it as the one that is under way. */
static enum flow_answer judge(struct core_dedupe *core, uint64_t slot, const struct flow_message *m,
    struct flow_verdict *verdict)
{
	size_t place;
	struct siphash id = core->slots[slot];
	*verdict = (struct flow_verdict){.fate = FLOW_RELEASED, .reason = ""};
	if (!catch_up(core))
		return FLOW_SETTLE;
	if (handled_has(core->handled, id, chrono_wall_ms())) {
		drop(core, slot, verdict);
		return FLOW_SETTLE;
	}
	if (!ids_find(&core->under_way, core->slots, id, &place)) {
		ids_add(&core->under_way, core->slots, (size_t)slot);
		return FLOW_PASS;
	}
	/* two parts of one message: what becomes of the first becomes of the message, and one that
	 * waited for the other would keep the message from being whole */
	if (flow_origin(core->flow, place) == flow_origin(core->flow, slot)) {
		drop(core, slot, verdict);
		return FLOW_SETTLE;
	}
	if (core->entries[slot].waiting == NULL)
		core->entries[slot].waiting = message_copy(m->message);
	core->entries[slot].m = *m;
	wait_behind(core, place, slot);
	return FLOW_PENDING;
}

static enum flow_answer pass_unkeyed(struct core_dedupe *core, struct flow_verdict *verdict)
{
	core->unkeyed++;
	*verdict =
	    (struct flow_verdict){.fate = FLOW_REJECTED, .reason = "it has no key to dedupe by"};
	return core->rejects_unkeyed ? FLOW_SETTLE : FLOW_PASS;
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)out;
	struct core_dedupe *core = self;
	struct siphash mark;
	core->flow = flow;
	if (!find_mark(core, in, &mark))
		return pass_unkeyed(core, verdict);
	note_slot(core, slot, mark);
	return judge(core, slot, in, verdict);
}

/* Each of them is judged anew: the next one passes, and the others wait for that one. */
static void go_on(struct core_dedupe *core, struct flow *flow)
{
	while (!fifo_is_empty(&core->freed)) {
		uint64_t slot = *(const uint64_t *)fifo_front(&core->freed);
		fifo_pop(&core->freed);
		struct message *message = core->entries[slot].waiting;
		struct flow_message m = core->entries[slot].m;
		struct flow_verdict verdict;
		m.message = message;
		enum flow_answer answer = judge(core, slot, &m, &verdict);
		if (answer == FLOW_PENDING)
			continue;
		core->entries[slot].waiting = NULL;
		if (answer == FLOW_SETTLE && verdict.fate == FLOW_REJECTED)
			flow_resume(flow, slot, FLOW_SETTLE, &verdict, NULL);
		else if (answer == FLOW_SETTLE)
			flow_settle(flow, slot, verdict.fate, verdict.reason);
		else if (core->stopping)
			flow_settle(flow, slot, FLOW_RELEASED, "");
		else
			flow_resume(flow, slot, FLOW_PASS, NULL, &m);
		free(message);
	}
}

/* ---- marks ---- */

/* The slot of a message that was dropped or passed has no id, or an old one that is not its own. */
static bool takes_id(const struct core_dedupe *core, uint64_t slot, struct siphash *id)
{
	size_t place;
	if (slot >= core->slot_count)
		return false;
	*id = core->slots[slot];
	return ids_find(&core->under_way, core->slots, *id, &place) && place == slot;
}

/* A request was worked on also when its reply found nobody, and does not come again for that. */
static bool is_handled(const struct core_dedupe *core, enum flow_fate fate)
{
	return fate == FLOW_ACCEPTED ||
	       (core->answers && (fate == FLOW_RETURNED || fate == FLOW_NACKED));
}

/* One that is not marked yet, whoever does it, waits for that. */
static bool hold(void *self, uint64_t slot, enum flow_fate fate)
{
	struct core_dedupe *core = self;
	struct siphash mark;
	if (core->store == NULL || !is_handled(core, fate) || !takes_id(core, slot, &mark) ||
	    handled_has(core->handled, mark, chrono_wall_ms()))
		return false;
	size_t index = handled_batch_add(core->batch, core->handled, mark);
	handled_batch_answer(core->batch, index, core->entries[slot].answer);
	core->held =
	    mem_grow(core->held, &core->held_capacity, core->held_count + 1, sizeof *core->held);
	core->held[core->held_count++] = slot;
	return true;
}

/* A failure ends the run, and the messages come again. */
static void let_go(struct core_dedupe *core, struct flow *flow, bool good)
{
	size_t count = core->held_count;
	core->held_count = 0;
	core->busy_ns = 0;
	handled_batch_clear(core->batch);
	for (size_t i = 0; i < count; i++)
		flow_let_go(flow, core->held[i], good);
}

/* True when it has to be tried again: another process writes. */
static bool is_busy(struct core_dedupe *core, struct error *err)
{
	uint64_t now_ns = chrono_now_ns();
	if (err->kind != ERROR_UNAVAILABLE ||
	    (core->busy_ns > 0 && now_ns - core->busy_ns > BUSY_PATIENCE_NS))
		return false;
	if (core->busy_ns == 0)
		log_write(LOG_WARNING, "another process writes to %s; waiting for it",
		    store_path(core->store));
	core->busy_ns = core->busy_ns > 0 ? core->busy_ns : now_ns;
	error_clear(err);
	return true;
}

/* What was accepted since the last turn, in one transaction. */
static void mark_held(struct core_dedupe *core, struct flow *flow)
{
	struct error err = {0};
	bool good = handled_batch_commit(core->batch, core->store, &err);
	if (!good && is_busy(core, &err))
		return;
	if (!good)
		flow_fail(flow, &err);
	let_go(core, flow, good);
}

static void advance(void *self, struct flow *flow)
{
	struct core_dedupe *core = self;
	core->has_caught_up = false;
	if (core->held_count > 0)
		mark_held(core, flow);
	go_on(core, flow);
}

/* What is under way is waited for, and says what becomes of those behind it. */
static void stop(void *self)
{
	((struct core_dedupe *)self)->stopping = true;
}

static void free_waiting(struct core_dedupe *core, uint64_t first)
{
	struct entry *entry = &core->entries[first];
	while (entry->behind != NOBODY) {
		uint64_t slot = entry->behind;
		entry->behind = core->entries[slot].behind;
		core->entries[slot].behind = NOBODY;
		fifo_push(&core->freed, &slot);
	}
}

static struct message *take_answer(struct core_dedupe *core, uint64_t slot)
{
	struct message *answer = core->entries[slot].answer;
	core->entries[slot].answer = NULL;
	core->entries[slot].is_duplicate = false;
	return answer;
}

static void settled(void *self, uint64_t slot, enum flow_fate fate, const char *reason)
{
	struct core_dedupe *core = self;
	struct siphash id;
	(void)reason;
	if (slot >= core->slot_count)
		return;
	struct message *answer = take_answer(core, slot);
	if (core->entries[slot].waiting != NULL) { /* the run ends */
		free(core->entries[slot].waiting);
		core->entries[slot].waiting = NULL;
		return;
	}
	if (takes_id(core, slot, &id)) {
		ids_remove(&core->under_way, core->slots, (size_t)slot);
		free_waiting(core, slot);
		if (is_handled(core, fate) && core->store == NULL) {
			handled_add(core->handled, id, answer, chrono_wall_ms());
			return;
		}
	}
	free(answer);
}

struct flow_core core_dedupe_core(struct core_dedupe *core)
{
	static const struct flow_core_kind kind = {
	    .apply = apply, .advance = advance, .stop = stop, .settled = settled, .hold = hold};
	return (struct flow_core){&kind, core};
}

bool core_dedupe_mark(const struct core_dedupe *core, uint64_t slot, const struct store *store,
    struct append_mark *out)
{
	struct siphash mark;
	if (core->store != store || !takes_id(core, slot, &mark))
		return false;
	*out = (struct append_mark){core->handled, mark};
	return true;
}

/* ---- answers ---- */

void core_dedupe_keep_answer(struct core_dedupe *core, uint64_t slot, const struct message *answer)
{
	struct siphash id;
	if (!takes_id(core, slot, &id) || !handled_keeps(core->handled, answer))
		return;
	free(core->entries[slot].answer);
	core->entries[slot].answer = message_copy(answer);
}

const struct message *core_dedupe_find_answer(const struct core_dedupe *core, uint64_t slot)
{
	return slot < core->slot_count && core->entries[slot].is_duplicate
		   ? core->entries[slot].answer
		   : NULL;
}

/* ---- life ---- */

static bool open_store(
    struct core_dedupe *core, const struct core_dedupe_options *options, struct error *err)
{
	core->store = options->store;
	if (options->path == NULL)
		return true;
	core->store = core->own = store_open(options->path, STORE_CREATE, err);
	if (core->own != NULL)
		store_set_patience(core->own, BUSY_STEP_NS);
	return core->own != NULL;
}

static bool prepare(
    struct core_dedupe *core, const struct core_dedupe_options *options, struct error *err)
{
	core->key = key_create(options->by != NULL ? options->by : KEY_ID, "dedupe", err);
	if (core->key == NULL || !open_store(core, options, err))
		return false;
	const struct handled_options handling = {.store = core->store,
	    .scope = options->scope,
	    .window = options->window,
	    .age_ms = options->age_ns / CHRONO_MS,
	    .answers_bytes = options->answers ? options->answers_bytes : 0};
	core->handled = handled_open(&handling, err);
	return core->handled != NULL;
}

struct core_dedupe *core_dedupe_create(const struct core_dedupe_options *options, struct error *err)
{
	struct core_dedupe *core = mem_alloc(1, sizeof *core);
	core->rejects_unkeyed = options->rejects_unkeyed;
	core->answers = options->answers;
	core->batch = handled_batch_create();
	core->freed.size = sizeof(uint64_t);
	if (prepare(core, options, err))
		return core;
	core_dedupe_free(core);
	return NULL;
}

void core_dedupe_free(struct core_dedupe *core)
{
	if (core == NULL)
		return;
	handled_batch_free(core->batch);
	handled_close(core->handled);
	for (size_t i = 0; i < core->slot_count; i++)
		free(core->entries[i].answer);
	store_close(core->own);
	key_free(core->key);
	ids_release(&core->under_way);
	fifo_release(&core->freed);
	buf_release(&core->scratch);
	free(core->slots);
	free(core->entries);
	free(core->held);
	free(core);
}

uint64_t core_dedupe_duplicates(const struct core_dedupe *core)
{
	return core->duplicates;
}

uint64_t core_dedupe_unkeyed(const struct core_dedupe *core)
{
	return core->unkeyed;
}
