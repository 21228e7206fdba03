#include "bench/result.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/version.h"
#include "bench/machine.h"

#include <stdlib.h>
#include <string.h>

void result_begin(struct result *r, size_t publishers, size_t queues, uint64_t interval_ns)
{
	r->interval_ns = interval_ns;
	r->notes.ledger = ledger_create(publishers, queues);
	r->started_wall_ms = chrono_wall_ms();
	r->stopped_by = "";
}

void result_release(struct result *r)
{
	free(r->rows);
	ledger_free(r->notes.ledger);
	r->rows = NULL;
	r->notes.ledger = NULL;
}

static struct result_latency summarize(const struct histogram *h)
{
	return (struct result_latency){.count = h->count,
	    .p50 = histogram_percentile(h, 0.5),
	    .p95 = histogram_percentile(h, 0.95),
	    .p99 = histogram_percentile(h, 0.99),
	    .p999 = histogram_percentile(h, 0.999),
	    .max = h->max_ns};
}

const struct result_row *result_add(
    struct result *r, const struct tally *tally, uint64_t upto_ns, uint64_t length_ns)
{
	r->rows = mem_grow(r->rows, &r->row_capacity, r->row_count + 1, sizeof *r->rows);
	struct result_row *row = &r->rows[r->row_count++];
	*row = (struct result_row){.upto_ns = upto_ns, .length_ns = length_ns};
	memcpy(row->counts, tally->counts, sizeof row->counts);
	for (size_t i = 0; i < TALLY_LATENCY_COUNT; i++)
		row->latencies[i] = summarize(&tally->latencies[i]);
	return row;
}

double result_rate(const struct result *r, enum tally_count count)
{
	return r->elapsed_ns > 0 ? (double)r->counted[count] / ((double)r->elapsed_ns / 1e9) : 0;
}

/* ---- figures by name ---- */

static bool look_up_latency(const struct result *r, const char *name, double *value)
{
	static const struct {
		const char *prefix;
		enum tally_latency latency;
	} kinds[] = {
	    {"latency_", TALLY_LATENCY_DUE}, {"confirm_", TALLY_CONFIRM_DUE}, {"gap_", TALLY_GAP}};
	static const struct {
		const char *name;
		double share;
	} shares[] = {
	    {"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct histogram *h = &r->notes.tally.latencies[kinds[i].latency];
		size_t len = strlen(kinds[i].prefix);
		if (strncmp(name, kinds[i].prefix, len) != 0 || h->count == 0)
			continue;
		for (size_t j = 0; j < ARRAY_LEN(shares); j++)
			if (strcmp(name + len, shares[j].name) == 0) {
				*value = (double)histogram_percentile(h, shares[j].share) / 1e9;
				return true;
			}
	}
	return false;
}

static bool look_up_count(const struct result *r, const char *name, double *value)
{
	static const char *const rates[] = {"sent_rate", "confirmed_rate", "received_rate"};
	static const enum tally_count rated[] = {TALLY_SENT, TALLY_CONFIRMED, TALLY_RECEIVED};
	for (size_t i = 0; i < ARRAY_LEN(rates); i++)
		if (strcmp(name, rates[i]) == 0) {
			*value = result_rate(r, rated[i]);
			return r->elapsed_ns > 0;
		}
	for (size_t i = 0; i < TALLY_COUNT_COUNT; i++)
		if (strcmp(name, tally_count_names[i]) == 0) {
			*value = (double)r->notes.tally.counts[i];
			return true;
		}
	return false;
}

bool result_look_up(void *ctx, const char *name, double *value)
{
	const struct result *r = ctx;
	const struct {
		const char *name;
		uint64_t value;
		bool is_known;
	} judged[] = {{"lost", r->lost, r->is_judged}, {"duplicated", r->verdict.duplicated, true},
	    {"left", r->left, r->is_left_known}};
	for (size_t i = 0; i < ARRAY_LEN(judged); i++)
		if (strcmp(name, judged[i].name) == 0) {
			*value = (double)judged[i].value;
			return judged[i].is_known;
		}
	return look_up_count(r, name, value) || look_up_latency(r, name, value);
}

/* ---- JSON ---- */

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static json_t *counts_json(const uint64_t counts[TALLY_COUNT_COUNT])
{
	json_t *object = json_object();
	for (size_t i = 0; i < TALLY_COUNT_COUNT; i++) {
		if (i == TALLY_BLOCKED_NS)
			json_object_set_new(
			    object, "blocked_seconds", json_real(seconds(counts[i])));
		else
			json_object_set_new(
			    object, tally_count_names[i], json_integer((json_int_t)counts[i]));
	}
	return object;
}

static json_t *latency_json(const struct histogram *h)
{
	static const struct {
		const char *name;
		double share;
	} shares[] = {{"min", 0}, {"p50", 0.5}, {"p75", 0.75}, {"p90", 0.9}, {"p95", 0.95},
	    {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999}, {"max", 1}};
	if (h->count == 0)
		return json_null();
	json_t *object =
	    json_pack("{s:I, s:f}", "count", (json_int_t)h->count, "mean", histogram_mean(h) / 1e9);
	for (size_t i = 0; i < ARRAY_LEN(shares); i++)
		json_object_set_new(object, shares[i].name,
		    json_real(seconds(histogram_percentile(h, shares[i].share))));
	return object;
}

static void add_bucket(void *ctx, uint64_t lower_ns, uint64_t upper_ns, uint64_t count)
{
	json_array_append_new(
	    ctx, json_pack("[f, f, I]", seconds(lower_ns), seconds(upper_ns), (json_int_t)count));
}

/* A row of its "intervals". Owned. */
static json_t *row_json(const struct result_row *row)
{
	json_t *latencies = json_object();
	for (size_t i = 0; i < TALLY_LATENCY_COUNT; i++) {
		const struct result_latency *l = &row->latencies[i];
		json_object_set_new(latencies, tally_latency_names[i],
		    l->count == 0
			? json_null()
			: json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "count", (json_int_t)l->count,
			      "p50", seconds(l->p50), "p95", seconds(l->p95), "p99",
			      seconds(l->p99), "p999", seconds(l->p999), "max", seconds(l->max)));
	}
	return json_pack("{s:f, s:f, s:o, s:o}", "at", seconds(row->upto_ns), "seconds",
	    seconds(row->length_ns), "counts", counts_json(row->counts), "latency", latencies);
}

/* null when it could not be told. */
static json_t *known(uint64_t count, bool is_known)
{
	return is_known ? json_integer((json_int_t)count) : json_null();
}

static json_t *totals_json(const struct result *r)
{
	json_t *totals = counts_json(r->notes.tally.counts);
	const struct ledger_verdict *v = &r->verdict;
	json_t *judged = json_pack("{s:I, s:o, s:o, s:I, s:I, s:I, s:f}", "duplicated",
	    (json_int_t)v->duplicated, "lost", known(r->lost, r->is_judged), "left",
	    known(r->left, r->is_left_known), "unconfirmed_received",
	    (json_int_t)v->unconfirmed_received, "never_confirmed_nor_received",
	    (json_int_t)v->never_confirmed_nor_received, "refused", (json_int_t)v->refused,
	    "cpu_seconds", r->cpu_seconds);
	json_object_update(totals, judged);
	json_decref(judged);
	return totals;
}

static json_t *lost_json(const struct result *r)
{
	json_t *ranges = json_array();
	for (size_t i = 0; i < r->lost_range_count; i++) {
		const struct ledger_range *range = &r->lost_ranges[i];
		json_array_append_new(ranges,
		    json_pack("{s:I, s:I, s:I}", "publisher", (json_int_t)range->publisher, "first",
			(json_int_t)range->first, "last", (json_int_t)range->last));
	}
	return ranges;
}

json_t *result_json(const struct result *r, const json_t *options)
{
	static const enum tally_count rated[] = {
	    TALLY_SENT, TALLY_CONFIRMED, TALLY_RECEIVED, TALLY_OPERATIONS};
	json_t *rates = json_object(), *latency = json_object(), *histogram = json_object();
	json_t *intervals = json_array();
	for (size_t i = 0; i < ARRAY_LEN(rated); i++)
		json_object_set_new(
		    rates, tally_count_names[rated[i]], json_real(result_rate(r, rated[i])));
	for (size_t i = 0; i < TALLY_LATENCY_COUNT; i++) {
		const struct histogram *h = &r->notes.tally.latencies[i];
		json_t *buckets = json_array();
		json_object_set_new(latency, tally_latency_names[i], latency_json(h));
		histogram_each(h, add_bucket, buckets);
		json_object_set_new(histogram, tally_latency_names[i], buckets);
	}
	for (size_t i = 0; i < r->row_count; i++)
		json_array_append_new(intervals, row_json(&r->rows[i]));
	struct buf started = {0};
	chrono_format(r->started_wall_ms, &started);
	json_t *document =
	    json_pack("{s:s, s:s, s:f, s:f, s:s, s:O, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
		"warren", WARREN_VERSION, "started", started.ptr, "seconds", seconds(r->elapsed_ns),
		"interval", seconds(r->interval_ns), "stopped_by", r->stopped_by, "options",
		options, "machine", machine_describe(), "broker", r->server, "totals",
		totals_json(r), "rates", rates, "latency", latency, "histogram", histogram,
		"intervals", intervals, "lost_ranges", lost_json(r));
	buf_release(&started);
	return document;
}
