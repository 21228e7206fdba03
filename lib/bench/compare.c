#include "bench/compare.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

#define LEAST_INTERVALS 5
#define LEAST_CHANGE 0.01   /* of the old median */
#define WHOLE_INTERVAL 0.9  /* of the length asked for; below it the last one was cut short */
#define MOST_PLAUSIBLE 1e15 /* a figure beyond is damage */
#define STANDARD_ERRORS 3   /* see compare.h for these */
#define MAD_TO_SIGMA 1.4826
#define SIGMA_TO_MEDIAN 1.2533
#define SMALL_SAMPLE 0.8

enum unit { RATE, TIME, CPU };

static const struct figure {
	const char *name;
	enum unit unit;
	const char *measure, *statistic;
} figures[] = {
    {"sent", RATE, "sent", NULL},
    {"confirmed", RATE, "confirmed", NULL},
    {"received", RATE, "received", NULL},
    {"latency_due p50", TIME, "latency_due", "p50"},
    {"latency_due p99", TIME, "latency_due", "p99"},
    {"latency_sent p50", TIME, "latency_sent", "p50"},
    {"latency_sent p99", TIME, "latency_sent", "p99"},
    {"confirm_sent p50", TIME, "confirm_sent", "p50"},
    {"confirm_sent p99", TIME, "confirm_sent", "p99"},
    {"operation p50", TIME, "operation", "p50"},
    {"cpu per million", CPU, NULL, NULL},
};

/* ---- reading a result ---- */

/* NAN for what is absent or no figure: the old document is foreign. */
static double number_at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	double number = json_is_number(value) ? json_number_value(value) : NAN;
	return number >= 0 && number <= MOST_PLAUSIBLE ? number : NAN;
}

static double percentile(const json_t *parent, const struct figure *f)
{
	const json_t *latency = json_object_get(parent, "latency");
	return number_at(json_object_get(latency, f->measure), f->statistic);
}

/* Of the whole run. */
static double whole_value(const json_t *result, const struct figure *f)
{
	const json_t *totals = json_object_get(result, "totals");
	double moved = number_at(totals, "sent") + number_at(totals, "received");
	if (f->unit == RATE)
		return number_at(json_object_get(result, "rates"), f->measure);
	if (f->unit == TIME)
		return percentile(result, f);
	return moved > 0 ? number_at(totals, "cpu_seconds") / moved * 1e6 : NAN;
}

static double interval_value(const json_t *interval, double seconds, const struct figure *f)
{
	if (f->unit == RATE)
		return number_at(json_object_get(interval, "counts"), f->measure) / seconds;
	return f->unit == TIME ? percentile(interval, f) : NAN;
}

/* What the intervals of a run say about a figure. */
struct series {
	double *values; /* owned; in the order of time */
	size_t count;
};

static struct series read_series(const json_t *result, const struct figure *f)
{
	const json_t *intervals = json_object_get(result, "intervals");
	double wanted = number_at(result, "interval");
	size_t count = json_array_size(intervals);
	struct series s = {.values = mem_alloc(count, sizeof *s.values)};
	for (size_t i = 1; i < count; i++) {
		const json_t *interval = json_array_get(intervals, i);
		double seconds =
		    number_at(interval, "at") - number_at(json_array_get(intervals, i - 1), "at");
		bool is_cut = i + 1 == count && seconds < WHOLE_INTERVAL * wanted;
		double value = interval_value(interval, seconds, f);
		if (seconds > 0 && !is_cut && isfinite(value))
			s.values[s.count++] = value;
	}
	return s;
}

/* ---- medians and their noise ---- */

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median_of(const double *values, size_t count)
{
	double *sorted = mem_alloc(count, sizeof *sorted);
	memcpy(sorted, values, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare_doubles);
	double median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
	free(sorted);
	return median;
}

static double spread_of(const struct series *s, double median)
{
	double *distances = mem_alloc(s->count, sizeof *distances), n = (double)s->count;
	for (size_t i = 0; i < s->count; i++)
		distances[i] = fabs(s->values[i] - median);
	double spread = MAD_TO_SIGMA * median_of(distances, s->count) * n / (n - SMALL_SAMPLE);
	free(distances);
	return spread;
}

static int sign_of(double x)
{
	return (x > 0) - (x < 0);
}

/* How many independent values would tell as much: n' of compare.h. */
static double effective_count(const struct series *s, double median)
{
	long alike = 0;
	for (size_t i = 1; i < s->count; i++)
		alike += sign_of(s->values[i] - median) * sign_of(s->values[i - 1] - median);
	double q = fmax(0, (double)alike / (double)(s->count - 1));
	return fmax(1, (double)s->count * (1 - q) / (1 + q));
}

static double error_of(const struct series *s, double median)
{
	return SIGMA_TO_MEDIAN * spread_of(s, median) / sqrt(effective_count(s, median));
}

/* ---- the comparison ---- */

struct row {
	double old, now, noise; /* in the figure's unit; NAN: unknown */
	const char *verdict;
};

static void judge(
    struct row *r, const struct figure *f, const struct series *old, const struct series *now)
{
	r->old = median_of(old->values, old->count);
	r->now = median_of(now->values, now->count);
	r->noise = fmax(STANDARD_ERRORS * hypot(error_of(old, r->old), error_of(now, r->now)),
	    LEAST_CHANGE * r->old);
	bool is_more = r->now > r->old;
	if (fabs(r->now - r->old) <= r->noise)
		r->verdict = "within noise";
	else
		r->verdict = is_more == (f->unit == RATE) ? "better" : "worse";
}

static struct row compare_figure(const json_t *old, const json_t *now, const struct figure *f)
{
	struct row r = {whole_value(old, f), whole_value(now, f), NAN, "no intervals"};
	struct series before = read_series(old, f), after = read_series(now, f);
	if (isnan(r.old) || isnan(r.now))
		r.verdict = "in one run only";
	else if (f->unit != CPU &&
		 (before.count < LEAST_INTERVALS || after.count < LEAST_INTERVALS))
		r.verdict = "too few intervals";
	else if (f->unit != CPU)
		judge(&r, f, &before, &after);
	free(before.values);
	free(after.values);
	return r;
}

static json_t *number_or_null(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static void add_figure(json_t *list, const json_t *old, const json_t *now, const struct figure *f)
{
	struct row r = compare_figure(old, now, f);
	if (!(r.old > 0) && !(r.now > 0))
		return; /* neither run did that */
	json_t *row = json_object();
	json_object_set_new(row, "name", json_string(f->name));
	json_object_set_new(row, "unit", json_string(f->unit == RATE ? "rate" : "time"));
	json_object_set_new(row, "old", number_or_null(r.old));
	json_object_set_new(row, "now", number_or_null(r.now));
	json_object_set_new(row, "change", number_or_null((r.now - r.old) / r.old));
	json_object_set_new(row, "noise", number_or_null(r.noise / r.old));
	json_object_set_new(row, "verdict", json_string(r.verdict));
	json_array_append_new(list, row);
}

/* A value as a text, null for none. */
static json_t *text_of(const json_t *value)
{
	if (value == NULL || json_is_null(value))
		return json_null();
	if (json_is_string(value))
		return json_string_nocheck(json_string_value(value));
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_t *string = json_string(text);
	free(text);
	return string;
}

static void add_difference(json_t *list, const char *name, const json_t *old, const json_t *now)
{
	json_t *row;
	if (json_equal(old, now))
		return;
	row = json_object();
	json_object_set_new(row, "name", json_string_nocheck(name));
	json_object_set_new(row, "old", text_of(old));
	json_object_set_new(row, "now", text_of(now));
	json_array_append_new(list, row);
}

/* The settings that both or one of the two have. */
static void add_differences(json_t *list, const json_t *old, const json_t *now)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)now, name, value)
	    add_difference(list, name, json_object_get(old, name), value);
	json_object_foreach((json_t *)old, name, value) if (json_object_get(now, name) == NULL)
	    add_difference(list, name, value, NULL);
}

static bool check_result(const char *which, const json_t *result, struct error *err)
{
	static const struct {
		const char *key;
		json_type type;
	} parts[] = {{"warren", JSON_STRING}, {"totals", JSON_OBJECT}, {"rates", JSON_OBJECT},
	    {"latency", JSON_OBJECT}, {"intervals", JSON_ARRAY}};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const json_t *part = json_object_get(result, parts[i].key);
		if (part == NULL || json_typeof(part) != parts[i].type)
			return error_set(err, ERROR_DATA,
			    "the %s document is not a result of bench: it has no '%s'", which,
			    parts[i].key);
	}
	return true;
}

json_t *compare_results(const json_t *old, const json_t *now, struct error *err)
{
	static const char *const alone[] = {"broker", "interval", "warren"};
	static const char *const groups[] = {"machine", "options"};
	if (!check_result("old", old, err) || !check_result("new", now, err))
		return NULL;
	json_t *differs = json_array(), *rows = json_array();
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		add_differences(
		    differs, json_object_get(old, groups[i]), json_object_get(now, groups[i]));
	for (size_t i = 0; i < ARRAY_LEN(alone); i++)
		add_difference(differs, alone[i], json_object_get(old, alone[i]),
		    json_object_get(now, alone[i]));
	for (size_t i = 0; i < ARRAY_LEN(figures); i++)
		add_figure(rows, old, now, &figures[i]);
	return json_pack("{s:o, s:o}", "differs", differs, "figures", rows);
}

/* ---- as text ---- */

#define CELL 14		  /* columns of a figure */
#define SETTING_BYTES 200 /* of a setting that are shown */

/* Three digits that count. */
static void write_short(double value, struct buf *out)
{
	double size = fabs(value);
	if (size >= 99.95)
		num_format_count((uint64_t)llround(size), out);
	else
		buf_printf(out, "%.*f", size >= 9.995 ? 1 : 2, size);
}

static void write_time(double seconds, struct buf *out)
{
	static const struct {
		double size;
		const char *name;
	} units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(units) && seconds < units[i].size * 0.9995)
		i++;
	write_short(seconds / units[i].size, out);
	buf_printf(out, " %s", units[i].name);
}

static void write_rate(double per_second, struct buf *out)
{
	write_short(per_second, out);
	buf_append_str(out, "/s");
}

static void write_change(double fraction, struct buf *out)
{
	buf_append_char(out, fraction < 0 ? '-' : '+');
	write_short(fraction * 100, out);
	buf_append_char(out, '%');
}

static void write_noise(double fraction, struct buf *out)
{
	write_short(fraction * 100, out);
	buf_append_char(out, '%');
}

/* Right-aligned; "-" for null. */
static void write_cell(
    const json_t *value, void (*write)(double value, struct buf *out), int width, struct buf *out)
{
	struct buf cell = {0};
	if (json_is_number(value))
		write(json_number_value(value), &cell);
	else
		buf_append_char(&cell, '-');
	buf_printf(out, "%*s", width, cell.ptr);
	buf_release(&cell);
}

static void write_row(const json_t *row, struct buf *out)
{
	bool is_rate = strcmp(json_string_value(json_object_get(row, "unit")), "rate") == 0;
	buf_printf(out, "%-18s", json_string_value(json_object_get(row, "name")));
	write_cell(json_object_get(row, "old"), is_rate ? write_rate : write_time, CELL, out);
	write_cell(json_object_get(row, "now"), is_rate ? write_rate : write_time, CELL, out);
	write_cell(json_object_get(row, "change"), write_change, 10, out);
	write_cell(json_object_get(row, "noise"), write_noise, 9, out);
	buf_printf(out, "  %s\n", json_string_value(json_object_get(row, "verdict")));
}

static void write_setting(const json_t *value, struct buf *out)
{
	if (json_is_null(value))
		buf_append_str(out, "(none)");
	else
		text_escape(slice_str(json_string_value(value)), SETTING_BYTES, out);
}

static void write_difference(const json_t *row, struct buf *out)
{
	buf_append_str(out, "differs: ");
	write_setting(json_object_get(row, "name"), out);
	buf_append_char(out, ' ');
	write_setting(json_object_get(row, "old"), out);
	buf_append_str(out, " -> ");
	write_setting(json_object_get(row, "now"), out);
	buf_append_char(out, '\n');
}

void compare_write(const json_t *comparison, struct buf *out)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(comparison, "differs"), i, row)
	    write_difference(row, out);
	buf_printf(out, "%-18s%*s%*s%10s%9s  verdict\n", "figure", CELL, "old", CELL, "now",
	    "change", "noise");
	json_array_foreach(json_object_get(comparison, "figures"), i, row) write_row(row, out);
}
