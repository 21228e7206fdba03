#include "flow/core_meter.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* What is under way, by the flow's slot. */
struct entry {
	uint64_t since_ns; /* 0: nothing, or the part of a message, which is not counted */
	size_t row;
};

struct core_meter {
	struct core_meter_count *rows; /* of the queues, and one more */
	size_t queue_count;
	size_t last; /* the row that was found last: most come from one queue */
	struct entry *entries;
	size_t entry_capacity;
};

struct core_meter *core_meter_create(const char *const *queues, size_t queue_count)
{
	struct core_meter *meter = mem_alloc(1, sizeof *meter);
	meter->rows = mem_alloc(queue_count + 1, sizeof *meter->rows);
	meter->queue_count = queue_count;
	for (size_t i = 0; i <= queue_count; i++) {
		meter->rows[i].queue = i < queue_count ? mem_strdup(queues[i]) : NULL;
		meter->rows[i].times = mem_alloc(1, sizeof *meter->rows[i].times);
	}
	return meter;
}

void core_meter_free(struct core_meter *meter)
{
	if (meter == NULL)
		return;
	for (size_t i = 0; i <= meter->queue_count; i++) {
		free(meter->rows[i].queue);
		free(meter->rows[i].times);
	}
	free(meter->rows);
	free(meter->entries);
	free(meter);
}

void core_meter_begin(struct core_meter *meter)
{
	if (meter->entry_capacity > 0)
		memset(meter->entries, 0, meter->entry_capacity * sizeof *meter->entries);
}

static size_t find_row(struct core_meter *meter, struct slice queue)
{
	size_t i = meter->last;
	if (i < meter->queue_count && slice_is(queue, meter->rows[i].queue))
		return i;
	for (i = 0; i < meter->queue_count && !slice_is(queue, meter->rows[i].queue); i++)
		;
	meter->last = i;
	return i;
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	struct core_meter *meter = self;
	size_t row = find_row(meter, in->queue);
	struct core_meter_count *count = &meter->rows[row];
	(void)flow, (void)out, (void)verdict;
	meter->entries = mem_grow(
	    meter->entries, &meter->entry_capacity, (size_t)slot + 1, sizeof *meter->entries);
	meter->entries[slot] = (struct entry){chrono_now_ns(), row};
	count->received++;
	count->bytes += in->message->body.len;
	count->redelivered += in->redelivered;
	return FLOW_PASS;
}

static void settled(void *self, uint64_t slot, enum flow_fate fate, const char *reason)
{
	struct core_meter *meter = self;
	(void)reason;
	if (slot >= meter->entry_capacity || meter->entries[slot].since_ns == 0)
		return;
	struct core_meter_count *count = &meter->rows[meter->entries[slot].row];
	histogram_add(count->times, chrono_now_ns() - meter->entries[slot].since_ns);
	count->fates[fate]++;
	meter->entries[slot].since_ns = 0;
}

struct flow_core core_meter_core(struct core_meter *meter)
{
	static const struct flow_core_kind kind = {.apply = apply, .settled = settled};
	return (struct flow_core){&kind, meter};
}

size_t core_meter_count(const struct core_meter *meter)
{
	return meter->queue_count + 1;
}

const struct core_meter_count *core_meter_at(const struct core_meter *meter, size_t i)
{
	return &meter->rows[i];
}
