#include "app/relay_fates.h"

#include "base/mem.h"

#include <stdlib.h>

#define ID_BYTES 40 /* a UUID fits */

/* A result on its way to its fate. */
struct result {
	bool is_there;
	char id[ID_BYTES];
	size_t id_len;
	struct message *copy; /* to be shown with its fate; NULL: it is not */
};

struct relay_fates {
	struct printer *printer;
	struct result *results; /* by slot */
	size_t capacity;
	struct relay_fates_counts counts;
};

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)flow, (void)verdict;
	struct relay_fates *core = self;
	size_t before = core->capacity;
	core->results = mem_grow(core->results, &core->capacity, slot + 1, sizeof *core->results);
	for (size_t i = before; i < core->capacity; i++)
		core->results[i] = (struct result){0};
	struct result *r = &core->results[slot];
	struct slice id = (out->present & MESSAGE_MESSAGE_ID) != 0 ? out->message_id : SLICE("");
	free(r->copy);
	*r = (struct result){.is_there = true};
	r->id_len = id.len < ID_BYTES ? id.len : ID_BYTES;
	if (r->id_len > 0)
		memcpy(r->id, id.ptr, r->id_len);
	if (core->printer->format == PRINTER_JSON)
		r->copy = message_copy(out);
	if (core->printer->format == PRINTER_PRETTY)
		printer_on_put(core->printer, in);
	core->counts.put++;
	return FLOW_PASS;
}

/* What was not sent comes again: that is no news. */
static bool is_news(enum flow_fate fate)
{
	return fate != FLOW_RELEASED && fate != FLOW_HELD;
}

static void settled(void *self, uint64_t slot, enum flow_fate fate, const char *reason)
{
	struct relay_fates *core = self;
	if (slot >= core->capacity || !core->results[slot].is_there)
		return; /* it did not come so far */
	struct result *r = &core->results[slot];
	const struct flow_message m = {.message = r->copy, .id = {r->id, r->id_len}};
	core->counts.fates[fate]++;
	if (is_news(fate))
		printer_on_fate(core->printer, &m, fate, reason);
	free(r->copy);
	*r = (struct result){0};
}

struct relay_fates *relay_fates_create(struct printer *printer)
{
	struct relay_fates *core = mem_alloc(1, sizeof *core);
	core->printer = printer;
	return core;
}

void relay_fates_free(struct relay_fates *core)
{
	if (core == NULL)
		return;
	for (size_t i = 0; i < core->capacity; i++)
		free(core->results[i].copy);
	free(core->results);
	free(core);
}

struct flow_core relay_fates_core(struct relay_fates *core)
{
	static const struct flow_core_kind kind = {.apply = apply, .settled = settled};
	return (struct flow_core){&kind, core};
}

const struct relay_fates_counts *relay_fates_counts(const struct relay_fates *core)
{
	return &core->counts;
}
