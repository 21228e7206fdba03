/*
 * core_meter.h - a core that stands in front of the others, lets every message pass, and counts
 * what becomes of it and how long that takes.
 *
 * By queue: only the queues that are named when it is made have counts of their own, so that what
 * is counted stays bounded whatever comes.
 */
#ifndef FLOW_CORE_METER_H
#define FLOW_CORE_METER_H

#include "flow/flow.h"
#include "model/histogram.h"

/* What has come from one queue, or from where there are no queues. */
struct core_meter_count {
	char *queue; /* owned; NULL: all that comes from no queue that was named */
	uint64_t received, bytes, redelivered; /* bytes: of bodies */
	uint64_t fates[FLOW_FATE_COUNT];
	struct histogram *times; /* from entering the flow until the fate is known; owned */
};

struct core_meter;

struct core_meter *core_meter_create(const char *const *queues, size_t queue_count);
void core_meter_free(struct core_meter *meter); /* accepts NULL; after the flow */
struct flow_core core_meter_core(struct core_meter *meter);
/* It may stand in one flow after the other, and counts on. Before each of them. */
void core_meter_begin(struct core_meter *meter);

/* One for each queue, then the one without a queue. */
size_t core_meter_count(const struct core_meter *meter);
const struct core_meter_count *core_meter_at(const struct core_meter *meter, size_t i);

#endif
