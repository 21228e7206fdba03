#include "model/tally.h"

#include <stddef.h>

const char *const tally_count_names[TALLY_COUNT_COUNT] = {
    [TALLY_SENT] = "sent",
    [TALLY_CONFIRMED] = "confirmed",
    [TALLY_RETURNED] = "returned",
    [TALLY_NACKED] = "nacked",
    [TALLY_UNCONFIRMED] = "unconfirmed",
    [TALLY_RECEIVED] = "received",
    [TALLY_REDELIVERED] = "redelivered",
    [TALLY_REORDERED] = "reordered",
    [TALLY_FOREIGN] = "foreign",
    [TALLY_SENT_BYTES] = "sent_bytes",
    [TALLY_RECEIVED_BYTES] = "received_bytes",
    [TALLY_BLOCKED_NS] = "blocked_ns",
    [TALLY_OPERATIONS] = "operations",
};

const char *const tally_latency_names[TALLY_LATENCY_COUNT] = {
    [TALLY_LATENCY_DUE] = "latency_due",
    [TALLY_LATENCY_SENT] = "latency_sent",
    [TALLY_CONFIRM_DUE] = "confirm_due",
    [TALLY_CONFIRM_SENT] = "confirm_sent",
    [TALLY_GAP] = "gap",
    [TALLY_OPERATION] = "operation",
};

void tally_add(struct tally *to, const struct tally *from)
{
	for (size_t i = 0; i < TALLY_COUNT_COUNT; i++)
		to->counts[i] += from->counts[i];
	for (size_t i = 0; i < TALLY_LATENCY_COUNT; i++)
		histogram_merge(&to->latencies[i], &from->latencies[i]);
}

void tally_clear(struct tally *tally)
{
	for (size_t i = 0; i < TALLY_COUNT_COUNT; i++)
		tally->counts[i] = 0;
	for (size_t i = 0; i < TALLY_LATENCY_COUNT; i++)
		histogram_clear(&tally->latencies[i]);
}
