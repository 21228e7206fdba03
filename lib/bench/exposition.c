#include "bench/exposition.h"

#include "base/log.h"
#include "base/mem.h"
#include "model/prometheus.h"
#include "web/http.h"

#include <stdio.h>
#include <stdlib.h>

struct exposition {
	struct http *http;
	struct http_page page;
	struct buf text; /* served as it is */
};

static void write_page(void *ctx, struct buf *out)
{
	const struct exposition *e = ctx;
	buf_append(out, buf_slice(&e->text));
}

struct exposition *exposition_open(struct loop *loop, const char *address, struct error *err)
{
	struct exposition *e = mem_alloc(1, sizeof *e);
	struct http_page page = {"/metrics", PROMETHEUS_CONTENT_TYPE, write_page, e};
	e->page = page;
	e->http = http_listen(loop, address, &e->page, 1, err);
	if (e->http == NULL) {
		free(e);
		return NULL;
	}
	log_write(LOG_INFO, "metrics at http://%s/metrics", http_address(e->http));
	return e;
}

void exposition_close(struct exposition *e)
{
	if (e == NULL)
		return;
	http_close(e->http);
	buf_release(&e->text);
	free(e);
}

/* ---- the text ---- */

static const struct {
	const char *name, *help;
	enum tally_count count;
} counters[] = {
    {"warren_bench_sent_total", "Messages sent.", TALLY_SENT},
    {"warren_bench_confirmed_total", "Messages that the broker confirmed.", TALLY_CONFIRMED},
    {"warren_bench_returned_total", "Messages that no queue took.", TALLY_RETURNED},
    {"warren_bench_nacked_total", "Messages that the broker could not take.", TALLY_NACKED},
    {"warren_bench_unconfirmed_total", "Messages sent whose fate nobody knows.", TALLY_UNCONFIRMED},
    {"warren_bench_received_total", "Messages received.", TALLY_RECEIVED},
    {"warren_bench_redelivered_total", "Messages received that came before.", TALLY_REDELIVERED},
    {"warren_bench_reordered_total", "Messages received behind a later one.", TALLY_REORDERED},
    {"warren_bench_foreign_total", "Messages received that this run did not send.", TALLY_FOREIGN},
    {"warren_bench_sent_bytes_total", "Bytes of bodies sent.", TALLY_SENT_BYTES},
    {"warren_bench_received_bytes_total", "Bytes of bodies received.", TALLY_RECEIVED_BYTES},
    {"warren_bench_operations_total", "Openings and closings of --churn.", TALLY_OPERATIONS},
};

static const struct {
	const char *name, *help;
	enum tally_latency latency;
} summaries[] = {
    {"warren_bench_latency_due_seconds", "From the due time until received.", TALLY_LATENCY_DUE},
    {"warren_bench_latency_sent_seconds", "From sending until received.", TALLY_LATENCY_SENT},
    {"warren_bench_confirm_due_seconds", "From the due time until confirmed.", TALLY_CONFIRM_DUE},
    {"warren_bench_confirm_sent_seconds", "From sending until confirmed.", TALLY_CONFIRM_SENT},
    {"warren_bench_gap_seconds", "From the due time until sent.", TALLY_GAP},
    {"warren_bench_operation_seconds", "To open and close, of --churn.", TALLY_OPERATION},
};

static void write_summary(struct prometheus *p, size_t i, const struct histogram *h)
{
	static const double shares[] = {0.5, 0.9, 0.95, 0.99, 0.999};
	struct prometheus_quantile quantiles[ARRAY_LEN(shares)];
	for (size_t j = 0; j < ARRAY_LEN(shares); j++)
		quantiles[j] = (struct prometheus_quantile){
		    shares[j], (double)histogram_percentile(h, shares[j]) / 1e9};
	struct prometheus_summary summary = {
	    quantiles, ARRAY_LEN(quantiles), h->sum_ns / 1e9, h->count};
	prometheus_summary(p, summaries[i].name, summaries[i].help, NULL, &summary);
}

void exposition_update(struct exposition *e, const struct result *result)
{
	const struct tally *tally = &result->notes.tally;
	struct prometheus p = {.out = &e->text};
	buf_clear(&e->text);
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		prometheus_counter(&p, counters[i].name, counters[i].help, NULL,
		    (double)tally->counts[counters[i].count]);
	prometheus_counter(&p, "warren_bench_blocked_seconds_total",
	    "Time in which the broker took no messages, added up over connections.", NULL,
	    (double)tally->counts[TALLY_BLOCKED_NS] / 1e9);
	for (size_t i = 0; i < ARRAY_LEN(summaries); i++)
		if (tally->latencies[summaries[i].latency].count > 0)
			write_summary(&p, i, &tally->latencies[summaries[i].latency]);
}
