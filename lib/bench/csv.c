#include "bench/csv.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define FIGURE(name) offsetof(struct result_latency, name)

static const struct {
	const char *name;
	size_t offset;
} figures[] = {{"p50", FIGURE(p50)}, {"p95", FIGURE(p95)}, {"p99", FIGURE(p99)},
    {"p999", FIGURE(p999)}, {"max", FIGURE(max)}};

void csv_write_head(struct buf *out)
{
	buf_append_str(out, "time_s,length_s");
	for (size_t i = 0; i < TALLY_COUNT_COUNT; i++)
		buf_printf(out, ",%s", i == TALLY_BLOCKED_NS ? "blocked_s" : tally_count_names[i]);
	for (size_t i = 0; i < TALLY_LATENCY_COUNT; i++)
		for (size_t j = 0; j < ARRAY_LEN(figures); j++)
			buf_printf(out, ",%s_%s_s", tally_latency_names[i], figures[j].name);
	buf_append_str(out, "\r\n");
}

static void put_seconds(struct buf *out, uint64_t ns)
{
	buf_printf(out, ",%.9f", (double)ns / 1e9);
}

void csv_write_row(const struct result_row *row, struct buf *out)
{
	buf_printf(out, "%.6f,%.6f", (double)row->upto_ns / 1e9, (double)row->length_ns / 1e9);
	for (size_t i = 0; i < TALLY_COUNT_COUNT; i++) {
		if (i == TALLY_BLOCKED_NS)
			put_seconds(out, row->counts[i]);
		else
			buf_printf(out, ",%" PRIu64, row->counts[i]);
	}
	for (size_t i = 0; i < TALLY_LATENCY_COUNT; i++) {
		const struct result_latency *l = &row->latencies[i];
		for (size_t j = 0; j < ARRAY_LEN(figures); j++) {
			uint64_t ns;
			memcpy(&ns, (const char *)l + figures[j].offset, sizeof ns);
			if (l->count == 0)
				buf_append_char(out, ','); /* nothing was measured */
			else
				put_seconds(out, ns);
		}
	}
	buf_append_str(out, "\r\n");
}
