#include "flow/core_dedupe.h"

#include "base/fifo.h"
#include "base/mem.h"
#include "flow/ids.h"
#include "flow/ids_file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define MAX_SHORT_STRING 255
#define NOBODY UINT64_MAX

/* What else there is to know of a message in the flow. */
struct entry {
	struct message *waiting; /* a copy, while it waits for the one with its id; else NULL */
	struct flow_message m;	 /* of that: what is known about it */
	uint64_t behind;	 /* the slot of the next one that waits for the same; or NOBODY */
};

struct core_dedupe {
	unsigned char key[SIPHASH_KEY_BYTES];
	struct flow *flow;
	struct ids_file *file; /* NULL: in memory only */
	/* accepted: a ring, `next` is where the next one goes, or the oldest once it is full */
	struct siphash *ring;
	size_t window, next;
	struct ids accepted;
	struct siphash *slots; /* of messages under way and waiting, by the flow's slot */
	struct entry *entries; /* the same */
	size_t slot_count, slot_capacity, entry_capacity;
	struct ids under_way;
	struct fifo freed; /* uint64_t: slots of those that have waited long enough */
	bool stopping;
	uint64_t duplicates;
};

/* Of queue and message_id, each of which is a short string. */
static struct siphash hash(const struct core_dedupe *core, struct slice queue, struct slice id)
{
	char bytes[1 + 2 * MAX_SHORT_STRING];
	size_t queue_len = queue.len < MAX_SHORT_STRING ? queue.len : MAX_SHORT_STRING;
	size_t id_len = id.len < MAX_SHORT_STRING ? id.len : MAX_SHORT_STRING;
	bytes[0] = (char)queue_len; /* "ab" + "c" is not "a" + "bc" */
	if (queue_len > 0)
		memcpy(bytes + 1, queue.ptr, queue_len);
	memcpy(bytes + 1 + queue_len, id.ptr, id_len);
	return siphash_128(core->key, (struct slice){bytes, 1 + queue_len + id_len});
}

static void remember(struct core_dedupe *core, struct siphash id)
{
	if (core->accepted.count == core->window)
		ids_remove(&core->accepted, core->ring, core->next);
	core->ring[core->next] = id;
	ids_add(&core->accepted, core->ring, core->next);
	core->next = (core->next + 1) % core->window;
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

/* Drops it, or makes it wait, or passes it as the one that is under way. */
static enum flow_answer judge(struct core_dedupe *core, uint64_t slot, const struct flow_message *m)
{
	size_t place;
	struct siphash id = core->slots[slot];
	if (ids_find(&core->accepted, core->ring, id, &place)) {
		core->duplicates++;
		return FLOW_SETTLE;
	}
	if (!ids_find(&core->under_way, core->slots, id, &place)) {
		ids_add(&core->under_way, core->slots, (size_t)slot);
		return FLOW_PASS;
	}
	if (core->entries[slot].waiting == NULL)
		core->entries[slot].waiting = message_copy(m->message);
	core->entries[slot].m = *m;
	wait_behind(core, place, slot);
	return FLOW_PENDING;
}

static const struct flow_verdict handled = {.fate = FLOW_ACCEPTED, .reason = "handled before"};

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)out;
	struct core_dedupe *core = self;
	const struct message *m = in->message;
	core->flow = flow;
	if ((m->present & MESSAGE_MESSAGE_ID) == 0 || m->message_id.len == 0)
		return FLOW_PASS;
	note_slot(core, slot, hash(core, in->queue, m->message_id));
	*verdict = handled;
	return judge(core, slot, in);
}

/* Each of them is judged anew: the next one passes, and the others wait for that one. */
static void advance(void *self, struct flow *flow)
{
	struct core_dedupe *core = self;
	while (!fifo_is_empty(&core->freed)) {
		uint64_t slot = *(const uint64_t *)fifo_front(&core->freed);
		fifo_pop(&core->freed);
		struct message *message = core->entries[slot].waiting;
		struct flow_message m = core->entries[slot].m;
		m.message = message;
		enum flow_answer answer = judge(core, slot, &m);
		if (answer == FLOW_PENDING)
			continue;
		core->entries[slot].waiting = NULL;
		if (answer == FLOW_SETTLE)
			flow_settle(flow, slot, handled.fate, handled.reason);
		else if (core->stopping)
			flow_settle(flow, slot, FLOW_RELEASED, "");
		else
			flow_resume(flow, slot, FLOW_PASS, NULL, &m);
		free(message);
	}
}

/* What is under way is waited for, and says what becomes of those behind it. */
static void stop(void *self)
{
	((struct core_dedupe *)self)->stopping = true;
}

/* The slot of a message that was dropped or passed has no id, or an old one that is not its own. */
static bool takes_id(struct core_dedupe *core, uint64_t slot, struct siphash *id)
{
	size_t place;
	*id = core->slots[slot];
	return ids_find(&core->under_way, core->slots, *id, &place) && place == slot;
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

static void settled(void *self, uint64_t slot, enum flow_fate fate, const char *reason)
{
	struct core_dedupe *core = self;
	struct siphash id;
	struct error err = {0};
	(void)reason;
	if (slot >= core->slot_count)
		return;
	if (core->entries[slot].waiting != NULL) { /* the run ends */
		free(core->entries[slot].waiting);
		core->entries[slot].waiting = NULL;
		return;
	}
	if (!takes_id(core, slot, &id))
		return;
	ids_remove(&core->under_way, core->slots, (size_t)slot);
	free_waiting(core, slot);
	if (fate != FLOW_ACCEPTED)
		return;
	remember(core, id);
	if (core->file != NULL && !ids_file_append(core->file, id, &err))
		flow_fail(core->flow, &err);
}

struct flow_core core_dedupe_core(struct core_dedupe *core)
{
	static const struct flow_core_kind kind = {
	    .apply = apply, .advance = advance, .stop = stop, .settled = settled};
	return (struct flow_core){&kind, core};
}

/* ---- life ---- */

static bool open_file(struct core_dedupe *core, const char *path, struct error *err)
{
	struct siphash *ids = mem_alloc(core->window, sizeof *ids);
	size_t count = 0, place;
	core->file = ids_file_open(path, core->window, err);
	bool good = core->file != NULL && ids_file_read(core->file, ids, &count, err);
	for (size_t i = 0; good && i < count; i++)
		if (!ids_find(&core->accepted, core->ring, ids[i], &place))
			remember(core, ids[i]);
	if (good)
		memcpy(core->key, ids_file_key(core->file), sizeof core->key);
	free(ids);
	return good;
}

static bool make_key(struct core_dedupe *core, struct error *err)
{
	if (getrandom(core->key, sizeof core->key, 0) == (ssize_t)sizeof core->key)
		return true;
	return error_set(err, ERROR_IO, "cannot get random bytes: %s", strerror(errno));
}

struct core_dedupe *core_dedupe_create(size_t window, const char *path, struct error *err)
{
	struct core_dedupe *core = mem_alloc(1, sizeof *core);
	core->window = window;
	core->ring = mem_alloc(window, sizeof *core->ring);
	core->freed.size = sizeof(uint64_t);
	if (path != NULL ? open_file(core, path, err) : make_key(core, err))
		return core;
	core_dedupe_free(core);
	return NULL;
}

void core_dedupe_free(struct core_dedupe *core)
{
	if (core == NULL)
		return;
	ids_file_close(core->file);
	ids_release(&core->accepted);
	ids_release(&core->under_way);
	free(core->ring);
	free(core->slots);
	free(core->entries);
	fifo_release(&core->freed);
	free(core);
}

uint64_t core_dedupe_duplicates(const struct core_dedupe *core)
{
	return core->duplicates;
}
