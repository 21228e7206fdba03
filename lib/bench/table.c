#include "bench/table.h"

#include "base/mem.h"
#include "base/num.h"

#include <inttypes.h>

void table_write_time(uint64_t ns, struct buf *out)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(units) && (double)ns >= 999.5 * units[i].ns)
		i++;
	double value = (double)ns / units[i].ns;
	int decimals = i == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	buf_printf(out, "%.*f%s", decimals, value, units[i].name);
}

/* A text at the right end of its column. */
static void put_right(struct buf *out, int width, const char *text)
{
	buf_printf(out, " %*s", width, text);
}

static void put_time(struct buf *out, int width, const struct result_latency *l, uint64_t ns)
{
	struct buf text = {0};
	if (l->count == 0)
		buf_append_char(&text, '-');
	else
		table_write_time(ns, &text);
	put_right(out, width, text.ptr);
	buf_release(&text);
}

static double per_second(const struct result_row *row, enum tally_count count)
{
	return (double)row->counts[count] / ((double)row->length_ns / 1e9);
}

static void put_rate(struct buf *out, int width, const struct result_row *row, enum tally_count c)
{
	struct buf text = {0};
	num_format_count((uint64_t)(per_second(row, c) + 0.5), &text);
	put_right(out, width, text.ptr);
	buf_release(&text);
}

/* ---- lines ---- */

struct column {
	const char *head;
	int width;
	enum tally_count rate; /* or else: */
	int latency;	       /* enum tally_latency; -1: a rate */
	size_t offset;	       /* of the figure in struct result_latency */
};

#define FIGURE(name) offsetof(struct result_latency, name)

/* Together they fit into the 80 columns of a terminal. */
static const struct column publishing[] = {{"sent/s", 9, TALLY_SENT, -1, 0}};
static const struct column consuming[] = {{"received/s", 10, TALLY_RECEIVED, -1, 0}};
static const struct column latencies[] = {
    {"due p50", 8, 0, TALLY_LATENCY_DUE, FIGURE(p50)},
    {"p99", 7, 0, TALLY_LATENCY_DUE, FIGURE(p99)},
    {"max", 7, 0, TALLY_LATENCY_DUE, FIGURE(max)},
    {"sent p50", 8, 0, TALLY_LATENCY_SENT, FIGURE(p50)},
    {"p99", 7, 0, TALLY_LATENCY_SENT, FIGURE(p99)},
};
static const struct column confirms[] = {
    {"confirmed/s", 11, TALLY_CONFIRMED, -1, 0},
    {"confirm due p50", 15, 0, TALLY_CONFIRM_DUE, FIGURE(p50)},
    {"p99", 7, 0, TALLY_CONFIRM_DUE, FIGURE(p99)},
    {"sent p50", 8, 0, TALLY_CONFIRM_SENT, FIGURE(p50)},
    {"p99", 7, 0, TALLY_CONFIRM_SENT, FIGURE(p99)},
};
static const struct column gaps[] = {{"gap p99", 8, 0, TALLY_GAP, FIGURE(p99)}};
static const struct column churns[] = {
    {"operations/s", 12, TALLY_OPERATIONS, -1, 0},
    {"p50", 7, 0, TALLY_OPERATION, FIGURE(p50)},
    {"p99", 7, 0, TALLY_OPERATION, FIGURE(p99)},
    {"max", 7, 0, TALLY_OPERATION, FIGURE(max)},
};

static void put_cell(struct buf *out, const struct column *c, const struct result_row *row)
{
	if (row == NULL) {
		put_right(out, c->width, c->head);
	} else if (c->latency < 0) {
		put_rate(out, c->width, row, c->rate);
	} else {
		const struct result_latency *l = &row->latencies[c->latency];
		uint64_t ns;
		memcpy(&ns, (const char *)l + c->offset, sizeof ns);
		put_time(out, c->width, l, ns);
	}
}

static void put_cells(
    struct buf *out, const struct column *columns, size_t count, const struct result_row *row)
{
	for (size_t i = 0; i < count; i++)
		put_cell(out, &columns[i], row);
}

/* Heads when row is NULL. */
static void put_line(const struct plan *plan, const struct result_row *row, struct buf *out)
{
	const struct bench_options *o = plan->options;
	if (o->churn != BENCH_NO_CHURN) {
		put_cells(out, churns, ARRAY_LEN(churns), row);
		return;
	}
	if (o->producers > 0)
		put_cells(out, publishing, ARRAY_LEN(publishing), row);
	if (o->consumers > 0) {
		put_cells(out, consuming, ARRAY_LEN(consuming), row);
		put_cells(out, latencies, ARRAY_LEN(latencies), row);
	} else {
		put_cells(out, confirms, ARRAY_LEN(confirms), row);
	}
	if (o->producers > 0)
		put_cells(out, gaps, ARRAY_LEN(gaps), row);
}

/* What should not happen, when it does. */
static void put_remarks(const struct result_row *row, struct buf *out)
{
	static const enum tally_count remarked[] = {
	    TALLY_RETURNED, TALLY_NACKED, TALLY_REDELIVERED, TALLY_REORDERED, TALLY_FOREIGN};
	const char *separator = "  ";
	for (size_t i = 0; i < ARRAY_LEN(remarked); i++) {
		if (row->counts[remarked[i]] == 0)
			continue;
		buf_append_str(out, separator);
		num_format_count(row->counts[remarked[i]], out);
		buf_printf(out, " %s", tally_count_names[remarked[i]]);
		separator = ", ";
	}
	if (row->counts[TALLY_BLOCKED_NS] > 0) {
		buf_printf(out, "%sblocked ", separator);
		table_write_time(row->counts[TALLY_BLOCKED_NS], out);
	}
}

void table_write_head(const struct plan *plan, struct buf *out)
{
	buf_printf(out, "%7s", "time");
	put_line(plan, NULL, out);
	buf_append_char(out, '\n');
}

void table_write_row(const struct plan *plan, const struct result_row *row, struct buf *out)
{
	buf_printf(out, "%6.1fs", (double)row->upto_ns / 1e9);
	put_line(plan, row, out);
	put_remarks(row, out);
	buf_append_char(out, '\n');
}

static void put_compact_latency(struct buf *out, const char *name, const struct result_latency *l)
{
	if (l->count == 0)
		return;
	buf_printf(out, " %s p50 ", name);
	table_write_time(l->p50, out);
	buf_append_str(out, " p99 ");
	table_write_time(l->p99, out);
}

void table_write_compact(const struct plan *plan, const struct result_row *row, struct buf *out)
{
	const struct bench_options *o = plan->options;
	buf_printf(out, "%.0fs", (double)row->upto_ns / 1e9);
	if (o->producers > 0 && o->churn == BENCH_NO_CHURN)
		buf_printf(out, " sent %.0f/s", per_second(row, TALLY_SENT));
	if (o->consumers > 0 && o->churn == BENCH_NO_CHURN)
		buf_printf(out, " received %.0f/s", per_second(row, TALLY_RECEIVED));
	if (o->churn != BENCH_NO_CHURN)
		buf_printf(out, " operations %.0f/s", per_second(row, TALLY_OPERATIONS));
	put_compact_latency(out, "latency", &row->latencies[TALLY_LATENCY_DUE]);
	put_compact_latency(out, "confirm", &row->latencies[TALLY_CONFIRM_DUE]);
	put_compact_latency(out, "operation", &row->latencies[TALLY_OPERATION]);
	put_remarks(row, out);
	buf_append_char(out, '\n');
}

/* ---- the account ---- */

static void put_count(struct buf *out, const char *separator, uint64_t count, const char *name)
{
	buf_append_str(out, separator);
	num_format_count(count, out);
	buf_printf(out, " %s", name);
}

static void put_counted(struct buf *out, const struct result *r, enum tally_count count)
{
	put_count(out, out->len > 0 && out->ptr[out->len - 1] != '\n' ? ", " : "",
	    r->notes.tally.counts[count], tally_count_names[count]);
	double rate = result_rate(r, count);
	buf_printf(out, rate < 10 ? " (%.2f/s)" : " (%.0f/s)", rate);
}

static void put_percentiles(struct buf *out, const struct result *r)
{
	static const char *const names[TALLY_LATENCY_COUNT] = {
	    [TALLY_LATENCY_DUE] = "received, from due",
	    [TALLY_LATENCY_SENT] = "received, from sent",
	    [TALLY_CONFIRM_DUE] = "confirmed, from due",
	    [TALLY_CONFIRM_SENT] = "confirmed, from sent",
	    [TALLY_GAP] = "gap: sent - due",
	    [TALLY_OPERATION] = "opened and closed",
	};
	static const double shares[] = {0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
	buf_printf(out, "%-22s%8s%8s%8s%8s%8s%8s%8s\n", "", "min", "p50", "p90", "p99", "p99.9",
	    "p99.99", "max");
	for (size_t i = 0; i < TALLY_LATENCY_COUNT; i++) {
		const struct histogram *h = &r->notes.tally.latencies[i];
		if (h->count == 0)
			continue;
		buf_printf(out, "%-22s", names[i]);
		for (size_t j = 0; j < ARRAY_LEN(shares); j++) {
			struct buf text = {0};
			table_write_time(histogram_percentile(h, shares[j]), &text);
			put_right(out, 7, text.ptr);
			buf_release(&text);
		}
		buf_append_char(out, '\n');
	}
}

static void put_lost(struct buf *out, const struct result *r)
{
	for (size_t i = 0; i < r->lost_range_count; i++) {
		const struct ledger_range *range = &r->lost_ranges[i];
		buf_printf(out, "lost: publisher %zu, messages %" PRIu64 " to %" PRIu64 "\n",
		    range->publisher, range->first, range->last);
	}
}

/* What became of the messages; what is as it should be is left out, but for nothing lost. */
static void put_fates(const struct plan *plan, const struct result *r, struct buf *out)
{
	static const enum tally_count told[] = {TALLY_RETURNED, TALLY_NACKED, TALLY_UNCONFIRMED,
	    TALLY_REDELIVERED, TALLY_REORDERED, TALLY_FOREIGN};
	const uint64_t *counts = r->notes.tally.counts;
	const struct ledger_verdict *v = &r->verdict;
	bool confirmed = plan->options->confirm > 0;
	size_t before = out->len;
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		if (counts[told[i]] > 0 && (confirmed || told[i] != TALLY_UNCONFIRMED))
			put_count(out, out->len > before ? ", " : "", counts[told[i]],
			    tally_count_names[told[i]]);
	const struct {
		uint64_t count;
		const char *name;
	} judged[] = {{v->duplicated, "duplicated"},
	    {r->is_left_known ? r->left : 0, "left in the queues"},
	    {confirmed ? v->unconfirmed_received : 0, "received although never confirmed"},
	    {plan->options->consumers > 0 ? v->never_confirmed_nor_received : 0,
		confirmed ? "neither confirmed nor received" : "not received"},
	    {v->refused, "not accounted for, for want of room"}};
	for (size_t i = 0; i < ARRAY_LEN(judged); i++)
		if (judged[i].count > 0)
			put_count(
			    out, out->len > before ? ", " : "", judged[i].count, judged[i].name);
	const char *separator = out->len > before ? ", " : "";
	bool asks = confirmed && plan->options->producers > 0 && plan->options->consumers > 0;
	if (r->is_judged)
		put_count(out, separator, r->lost, "lost");
	else if (asks)
		buf_printf(out, "%swhat was lost cannot be told", separator);
	if (out->len > before)
		buf_append_char(out, '\n');
	put_lost(out, r);
}

void table_write_account(const struct plan *plan, const struct result *r, struct buf *out)
{
	const struct bench_options *o = plan->options;
	if (o->churn != BENCH_NO_CHURN)
		put_counted(out, r, TALLY_OPERATIONS);
	if (o->producers > 0 && o->churn == BENCH_NO_CHURN) {
		put_counted(out, r, TALLY_SENT);
		if (o->confirm > 0)
			put_counted(out, r, TALLY_CONFIRMED);
	}
	if (o->consumers > 0 && o->churn == BENCH_NO_CHURN)
		put_counted(out, r, TALLY_RECEIVED);
	buf_printf(out, " in %.2f s", (double)r->elapsed_ns / 1e9);
	if (o->warm_up_ns > 0) {
		buf_append_str(out, " after a warm-up of ");
		num_format_duration(o->warm_up_ns, out);
	}
	buf_printf(out, "; stopped by %s; %.2f s of CPU\n", r->stopped_by, r->cpu_seconds);
	if (o->churn == BENCH_NO_CHURN)
		put_fates(plan, r, out);
	put_percentiles(out, r);
	uint64_t blocked = r->notes.tally.counts[TALLY_BLOCKED_NS];
	if (blocked > 0) {
		buf_append_str(out, "blocked by the broker for ");
		table_write_time(blocked, out);
		buf_append_str(out,
		    ": what was due meanwhile counts from the end of it; what was on its way\n"
		    "when it began is in the times above with all of it\n");
	}
}

void table_write_verdicts(const json_t *verdicts, struct buf *out)
{
	size_t i;
	json_t *verdict;
	json_array_foreach(verdicts, i, verdict)
	{
		buf_printf(out, "%s: %s %s; found: %s\n",
		    json_is_true(json_object_get(verdict, "met")) ? "met" : "FAILED",
		    json_string_value(json_object_get(verdict, "name")),
		    json_string_value(json_object_get(verdict, "wanted")),
		    json_string_value(json_object_get(verdict, "found")));
	}
}
