#include "app/metrics.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "model/prometheus.h"
#include "web/http.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MOST_COUNTS 8
#define MOST_LABELS 5 /* and the NULL at the end */

/* What is not counted by queue. */
enum figure {
	FIGURE_SENT,
	FIGURE_RESENT,
	FIGURE_RECONNECTS,
	FIGURE_RETRIES,
	FIGURE_PARKED,
	FIGURES
};

struct metrics_flow {
	char *name; /* NULL: it has none */
	struct core_meter *meter;
	const struct flow *flow; /* NULL: it has ended, or not begun */
	struct metrics_parts parts;
	uint64_t before[FIGURES]; /* of the flows of this name that have ended */
};

struct count {
	const char *name, *help;
	metrics_count_fn *fn; /* NULL: it is frozen, */
	const void *ctx;
	uint64_t last; /* at this */
};

struct metrics {
	const char *tool;
	double start_s;
	struct http *http;
	struct http_page page;
	struct metrics_flow **flows;
	size_t flow_count, flow_capacity;
	struct count counts[MOST_COUNTS];
	size_t count_count;
};

/* ---- the flows ---- */

static void take_figures(const struct metrics_flow *f, uint64_t out[FIGURES])
{
	const struct metrics_parts *p = &f->parts;
	memcpy(out, f->before, sizeof f->before);
	if (f->flow == NULL)
		return;
	out[FIGURE_SENT] += flow_counts(f->flow)->put;
	out[FIGURE_RESENT] += p->sink != NULL ? sink_exchange_resent(p->sink) : 0;
	out[FIGURE_RECONNECTS] += p->recovery != NULL ? recovery_count(p->recovery) : 0;
	out[FIGURE_RETRIES] += p->retrier != NULL ? retrier_counts(p->retrier)->retried : 0;
	out[FIGURE_PARKED] += p->retrier != NULL ? retrier_counts(p->retrier)->parked : 0;
}

static bool is_named(const struct metrics_flow *f, const char *name)
{
	return f->name != NULL && name != NULL ? strcmp(f->name, name) == 0 : f->name == name;
}

struct metrics_flow *metrics_add(struct metrics *metrics, const struct metrics_parts *parts)
{
	for (size_t i = 0; i < metrics->flow_count; i++)
		if (metrics->flows[i]->flow == NULL && is_named(metrics->flows[i], parts->name))
			return metrics->flows[i];
	struct metrics_flow *f = mem_alloc(1, sizeof *f);
	f->name = parts->name != NULL ? mem_strdup(parts->name) : NULL;
	f->meter = core_meter_create(parts->queues, parts->queue_count);
	metrics->flows = mem_grow(metrics->flows, &metrics->flow_capacity, metrics->flow_count + 1,
	    sizeof(struct metrics_flow *));
	metrics->flows[metrics->flow_count++] = f;
	return f;
}

struct flow_core metrics_core(const struct metrics_flow *f)
{
	return core_meter_core(f->meter);
}

void metrics_begin(
    struct metrics_flow *f, const struct flow *flow, const struct metrics_parts *parts)
{
	core_meter_begin(f->meter);
	f->flow = flow;
	f->parts = *parts;
}

void metrics_end(struct metrics_flow *f)
{
	uint64_t figures[FIGURES];
	take_figures(f, figures);
	memcpy(f->before, figures, sizeof figures);
	f->flow = NULL;
}

/* ---- the text ---- */

/* The labels of a sample; what is NULL is left out. */
struct labels {
	struct prometheus_label items[MOST_LABELS];
	size_t count;
};

static void add_label(struct labels *labels, const char *name, const char *value)
{
	if (value != NULL)
		labels->items[labels->count++] = (struct prometheus_label){name, value};
	labels->items[labels->count] = (struct prometheus_label){NULL, NULL};
}

static struct labels labels_of(
    const struct metrics *metrics, const struct metrics_flow *f, const struct core_meter_count *row)
{
	struct labels labels = {0};
	add_label(&labels, "tool", metrics->tool);
	add_label(&labels, "flow", f->name);
	add_label(&labels, "queue", row != NULL ? row->queue : NULL);
	return labels;
}

static uint64_t under_way(const struct core_meter_count *row)
{
	uint64_t settled = 0;
	for (size_t i = 0; i < FLOW_FATE_COUNT; i++)
		settled += row->fates[i];
	return row->received - settled;
}

static void write_received(
    struct prometheus *p, const struct labels *l, const struct core_meter_count *row)
{
	prometheus_counter(p, "warren_messages_received_total",
	    "Messages taken on: delivered, generated or read.", l->items, (double)row->received);
}

static void write_bytes(
    struct prometheus *p, const struct labels *l, const struct core_meter_count *row)
{
	prometheus_counter(p, "warren_messages_received_bytes_total",
	    "Bytes of the bodies of messages taken on.", l->items, (double)row->bytes);
}

static void write_redelivered(
    struct prometheus *p, const struct labels *l, const struct core_meter_count *row)
{
	prometheus_counter(p, "warren_messages_redelivered_total",
	    "Messages taken on that were delivered before.", l->items, (double)row->redelivered);
}

static void write_under_way(
    struct prometheus *p, const struct labels *l, const struct core_meter_count *row)
{
	prometheus_gauge(p, "warren_messages_under_way", "Messages taken on that have no fate yet.",
	    l->items, (double)under_way(row));
}

static void write_fates(
    struct prometheus *p, const struct labels *l, const struct core_meter_count *row)
{
	static const char *const fates[FLOW_FATE_COUNT] = {"accepted", "returned", "nacked",
	    "unconfirmed", "retry", "rejected", "held", "released"};
	for (size_t i = 0; i < FLOW_FATE_COUNT; i++) {
		struct labels labels = *l;
		add_label(&labels, "fate", fates[i]);
		prometheus_counter(p, "warren_messages_settled_total",
		    "Messages by what became of them.", labels.items, (double)row->fates[i]);
	}
}

/* From a tenth of a millisecond to what a person would call broken. */
static void write_times(
    struct prometheus *p, const struct labels *l, const struct core_meter_count *row)
{
	static const uint64_t bounds_us[] = {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000,
	    100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000};
	struct prometheus_bucket buckets[ARRAY_LEN(bounds_us)];
	for (size_t i = 0; i < ARRAY_LEN(buckets); i++)
		buckets[i] = (struct prometheus_bucket){(double)bounds_us[i] / 1e6,
		    histogram_count_to(row->times, bounds_us[i] * CHRONO_US)};
	const struct prometheus_histogram histogram = {
	    buckets, ARRAY_LEN(buckets), row->times->sum_ns / 1e9, row->times->count};
	prometheus_histogram(p, "warren_message_duration_seconds",
	    "From taking a message on until its fate was known.", l->items, &histogram);
}

typedef void write_row_fn(
    struct prometheus *p, const struct labels *l, const struct core_meter_count *row);

/* The row without a queue is told only where there are no queues, or when something came. */
static void write_rows(const struct metrics *metrics, struct prometheus *p, write_row_fn *fn)
{
	for (size_t i = 0; i < metrics->flow_count; i++) {
		const struct metrics_flow *f = metrics->flows[i];
		size_t count = core_meter_count(f->meter);
		for (size_t j = 0; j < count; j++) {
			const struct core_meter_count *row = core_meter_at(f->meter, j);
			struct labels labels = labels_of(metrics, f, row);
			if (row->queue != NULL || count == 1 || row->received > 0)
				fn(p, &labels, row);
		}
	}
}

static void write_figures(const struct metrics *metrics, struct prometheus *p)
{
	static const struct {
		const char *name, *help;
	} names[FIGURES] = {
	    [FIGURE_SENT] = {"warren_messages_sent_total",
		"Messages that the sink has taken: published, printed or stored."},
	    [FIGURE_RESENT] = {"warren_messages_resent_total",
		"Messages published once more, after a nack or a lost connection."},
	    [FIGURE_RECONNECTS] = {"warren_reconnects_total",
		"How often the connection was lost and came back."},
	    [FIGURE_RETRIES] = {"warren_retries_total",
		"Failed messages that wait on the broker for another try."},
	    [FIGURE_PARKED] = {"warren_dead_letters_total",
		"Failed messages that were given up and parked."},
	};
	for (size_t i = 0; i < FIGURES; i++)
		for (size_t j = 0; j < metrics->flow_count; j++) {
			uint64_t figures[FIGURES];
			struct labels labels = labels_of(metrics, metrics->flows[j], NULL);
			take_figures(metrics->flows[j], figures);
			prometheus_counter(
			    p, names[i].name, names[i].help, labels.items, (double)figures[i]);
		}
}

/* What Prometheus' own client libraries tell of a process. */
static void write_process(const struct metrics *metrics, struct prometheus *p)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		prometheus_counter(p, "process_cpu_seconds_total",
		    "Time of the processor spent, in user and system mode.", NULL,
		    (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	prometheus_gauge(p, "process_start_time_seconds", "When the process began, since 1970.",
	    NULL, metrics->start_s);
}

static void write_page(void *ctx, struct buf *out)
{
	const struct metrics *metrics = ctx;
	struct prometheus p = {.out = out};
	struct labels build = {0};
	add_label(&build, "tool", metrics->tool);
	struct labels tool = build;
	add_label(&build, "version", WARREN_VERSION);
	prometheus_gauge(&p, "warren_build_info", "Which warren this is.", build.items, 1);
	write_rows(metrics, &p, write_received);
	write_rows(metrics, &p, write_bytes);
	write_rows(metrics, &p, write_redelivered);
	write_rows(metrics, &p, write_under_way);
	write_rows(metrics, &p, write_fates);
	write_rows(metrics, &p, write_times);
	write_figures(metrics, &p);
	for (size_t i = 0; i < metrics->count_count; i++) {
		const struct count *c = &metrics->counts[i];
		uint64_t value = c->fn != NULL ? c->fn(c->ctx) : c->last;
		prometheus_counter(&p, c->name, c->help, tool.items, (double)value);
	}
	write_process(metrics, &p);
}

/* ---- the whole ---- */

void metrics_count(struct metrics *metrics, const char *name, const char *help,
    metrics_count_fn *fn, const void *ctx)
{
	if (metrics->count_count < MOST_COUNTS)
		metrics->counts[metrics->count_count++] =
		    (struct count){.name = name, .help = help, .fn = fn, .ctx = ctx};
}

void metrics_freeze(struct metrics *metrics, const void *ctx)
{
	for (size_t i = 0; i < metrics->count_count; i++) {
		struct count *c = &metrics->counts[i];
		if (c->fn == NULL || c->ctx != ctx)
			continue;
		c->last = c->fn(ctx);
		c->fn = NULL;
	}
}

struct metrics *metrics_open(
    struct loop *loop, const char *address, const char *tool, struct error *err)
{
	struct metrics *metrics = mem_alloc(1, sizeof *metrics);
	struct http_page page = {"/metrics", PROMETHEUS_CONTENT_TYPE, write_page, metrics};
	metrics->tool = tool;
	metrics->start_s = (double)chrono_wall_ms() / 1e3;
	metrics->page = page;
	metrics->http = http_listen(loop, address, &metrics->page, 1, err);
	if (metrics->http == NULL) {
		free(metrics);
		return NULL;
	}
	log_write(LOG_INFO, "metrics at http://%s/metrics", http_address(metrics->http));
	return metrics;
}

void metrics_close(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	http_close(metrics->http);
	for (size_t i = 0; i < metrics->flow_count; i++) {
		core_meter_free(metrics->flows[i]->meter);
		free(metrics->flows[i]->name);
		free(metrics->flows[i]);
	}
	free(metrics->flows);
	free(metrics);
}
