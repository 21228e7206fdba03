#include "model/expectations.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

/* Above this a double leaves out whole numbers. */
#define MAX_COUNT (UINT64_C(1) << 53)

#define PERCENTILES(prefix, what)                                                          \
	{prefix "p50", EXPECTATION_DURATION, "Highest median of the time from " what "."}, \
	    {prefix "p90", EXPECTATION_DURATION,                                           \
		"Highest 90th percentile of the time from " what "."},                     \
	    {prefix "p95", EXPECTATION_DURATION,                                           \
		"Highest 95th percentile of the time from " what "."},                     \
	    {prefix "p99", EXPECTATION_DURATION,                                           \
		"Highest 99th percentile of the time from " what "."},                     \
	    {prefix "p999", EXPECTATION_DURATION,                                          \
		"Highest 99.9th percentile of the time from " what "."},                   \
	{                                                                                  \
		prefix "max", EXPECTATION_DURATION, "Longest time from " what "."          \
	}

static const struct expectation_row rows[] = {
    {"lost", EXPECTATION_COUNT, "Most messages that were confirmed and never received."},
    {"duplicated", EXPECTATION_COUNT, "Most messages that were received more than once."},
    {"reordered", EXPECTATION_COUNT,
	"Most messages that were received after a later one of their publisher."},
    {"returned", EXPECTATION_COUNT, "Most messages that came back because no queue took them."},
    {"nacked", EXPECTATION_COUNT, "Most messages that the broker refused to take."},
    {"unconfirmed", EXPECTATION_COUNT, "Most messages that were sent and never confirmed."},
    {"redelivered", EXPECTATION_COUNT, "Most messages that were marked as delivered before."},
    {"left", EXPECTATION_COUNT, "Most messages left in the queues at the end."},
    PERCENTILES("latency_", "due to received"),
    PERCENTILES("confirm_", "due to confirmed"),
    PERCENTILES("gap_", "due to sent"),
    {"sent_rate", EXPECTATION_RATE, "Fewest messages sent per second, over the whole run."},
    {"confirmed_rate", EXPECTATION_RATE,
	"Fewest messages confirmed per second, over the whole run."},
    {"received_rate", EXPECTATION_RATE, "Fewest messages received per second, over the whole run."},
};

const struct expectation_row *expectations_rows(size_t *count)
{
	*count = ARRAY_LEN(rows);
	return rows;
}

void expectations_release(struct expectations *e)
{
	free(e->items);
	*e = (struct expectations){0};
}

static size_t find_row(struct slice name)
{
	size_t i = 0;
	while (i < ARRAY_LEN(rows) && !slice_is(name, rows[i].name))
		i++;
	return i;
}

static void set_limit(struct expectations *e, size_t row, double limit)
{
	size_t i = 0;
	while (i < e->count && e->items[i].row != row)
		i++;
	if (i == e->count) {
		e->items = mem_grow(e->items, &e->capacity, i + 1, sizeof *e->items);
		e->count++;
	}
	e->items[i] = (struct expectation){row, limit};
}

/* What to say of a name that the table does not have; to free(). */
static char *unknown_name(struct slice name)
{
	const char *names[ARRAY_LEN(rows) + 1] = {NULL};
	struct buf text = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		names[i] = rows[i].name;
	char *shown = text_quote(name);
	const char *near = text_suggest(name, names);
	buf_printf(&text, "unknown expectation '%s'", shown);
	if (near != NULL)
		buf_printf(&text, "; did you mean '%s'?", near);
	for (size_t i = 0; near == NULL && names[i] != NULL; i++)
		buf_printf(&text, "%s%s", i > 0 ? ", " : "; accepted: ", names[i]);
	free(shown);
	return buf_take(&text);
}

/* ---- reading the settings ---- */

static bool read_limit(
    struct reader *r, const json_t *spec, const struct expectation_row *row, double *limit)
{
	uint64_t whole;
	if (row->kind == EXPECTATION_RATE)
		return reader_rate(r, spec, row->name, false, limit);
	if (row->kind == EXPECTATION_DURATION) {
		if (!reader_duration(r, spec, row->name, &whole))
			return false;
		*limit = (double)whole / 1e9;
		return true;
	}
	if (!reader_count(r, spec, row->name, 0, MAX_COUNT, &whole))
		return false;
	*limit = (double)whole;
	return true;
}

static void read_one(struct reader *r, const json_t *spec, const char *name, struct expectations *e)
{
	size_t row = find_row(slice_str(name));
	double limit;
	if (row == ARRAY_LEN(rows)) {
		char *text = unknown_name(slice_str(name));
		reader_fail_name_at(r, name, "%s", text);
		free(text);
	} else if (read_limit(r, spec, &rows[row], &limit)) {
		set_limit(e, row, limit);
	}
}

bool expectations_read(
    const json_t *spec, struct expectations *out, reader_report_fn *report, void *ctx)
{
	struct reader r = {.report = report, .ctx = ctx};
	struct expectations read = {0};
	if (spec != NULL && !json_is_object(spec))
		reader_fail(&r, "not a mapping such as {lost: 0, latency_p99: 50ms}");
	json_t *object = (json_t *)spec; /* jansson iterates over what is not const, and reads it */
	for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i))
		read_one(&r, spec, json_object_iter_key(i), &read);
	reader_release(&r);
	if (r.failed)
		expectations_release(&read);
	else
		*out = read;
	return !r.failed;
}

/* ---- reading the command line ---- */

static bool parse_limit(
    const struct expectation_row *row, struct slice text, double *limit, struct error *err)
{
	uint64_t whole;
	if (row->kind == EXPECTATION_RATE)
		return num_parse_rate(text, limit, err);
	if (row->kind == EXPECTATION_DURATION) {
		if (!num_parse_duration(text, &whole, err))
			return false;
		*limit = (double)whole / 1e9;
		return true;
	}
	if (!num_parse_u64(text, 0, MAX_COUNT, &whole, err))
		return false;
	*limit = (double)whole;
	return true;
}

static bool refuse_name(struct slice name, struct error *err)
{
	char *text = unknown_name(name);
	error_set(err, ERROR_USAGE, "%s", text);
	free(text);
	return false;
}

/* `reason` is what a parser of base/num has said: "not a duration such as 1s". */
static bool refuse_value(
    const char *name, struct slice value, const struct error *reason, struct error *err)
{
	char *shown = text_quote(value);
	error_set(err, ERROR_USAGE, "%s: '%s' is %s", name, shown, reason->text);
	free(shown);
	return false;
}

bool expectations_add(struct expectations *e, const char *assignment, struct error *err)
{
	struct slice name = {assignment, strcspn(assignment, "=")};
	struct error reason = {0};
	double limit;
	size_t row = find_row(name);
	if (row == ARRAY_LEN(rows))
		return refuse_name(name, err);
	if (assignment[name.len] == '\0')
		return error_set(
		    err, ERROR_USAGE, "'%s' needs a value, as in latency_p99=50ms", rows[row].name);
	struct slice value = slice_str(assignment + name.len + 1);
	if (!parse_limit(&rows[row], value, &limit, &reason))
		return refuse_value(rows[row].name, value, &reason, err);
	set_limit(e, row, limit);
	return true;
}

/* ---- the verdict ---- */

/* "61.2 ms": as durations are shown elsewhere, with a space before the unit. */
static void write_duration(double seconds, struct buf *out)
{
	struct buf text = {0};
	num_format_duration((uint64_t)llround(fmin(seconds, 9e9) * 1e9), &text);
	size_t digits = strspn(text.ptr, "0123456789.");
	buf_printf(out, "%.*s %s", (int)digits, text.ptr, text.ptr + digits);
	buf_release(&text);
}

/* "1,250", "50 ms", "5,000/s"; to free(). */
static char *show(enum expectation_kind kind, double value)
{
	struct buf out = {0};
	double whole = round(fmin(value, (double)MAX_COUNT));
	if (kind == EXPECTATION_DURATION)
		write_duration(value, &out);
	else if (kind == EXPECTATION_RATE && whole < 100)
		buf_printf(&out, "%.3g", value);
	else
		num_format_count((uint64_t)whole, &out);
	if (kind == EXPECTATION_RATE)
		buf_append_str(&out, "/s");
	return buf_take(&out);
}

static bool judge_one(
    const struct expectation *expected, expectation_lookup_fn *lookup, void *ctx, json_t *verdicts)
{
	const struct expectation_row *row = &rows[expected->row];
	bool is_least = row->kind == EXPECTATION_RATE;
	double value = NAN;
	bool measured = lookup(ctx, row->name, &value) && isfinite(value);
	bool met = measured && (is_least ? value >= expected->limit : value <= expected->limit);
	char *limit = show(row->kind, expected->limit);
	char *found = measured ? show(row->kind, value) : mem_strdup("nothing was measured");
	/* missed by less than is shown: the two must not look the same */
	const char *nearly = met || strcmp(found, limit) != 0 ? ""
			     : is_least			      ? "just under "
							      : "just over ";
	char *wanted = mem_printf("%s %s", is_least ? "at least" : "at most", limit);
	char *shown = mem_printf("%s%s", nearly, found);
	json_array_append_new(verdicts, json_pack("{s:s, s:s, s:s, s:b}", "name", row->name,
					    "wanted", wanted, "found", shown, "met", met));
	free(shown);
	free(wanted);
	free(found);
	free(limit);
	return met;
}

size_t expectations_judge(
    const struct expectations *e, expectation_lookup_fn *lookup, void *ctx, json_t *verdicts)
{
	size_t failed = 0;
	for (size_t i = 0; i < e->count; i++)
		failed += !judge_one(&e->items[i], lookup, ctx, verdicts);
	return failed;
}
