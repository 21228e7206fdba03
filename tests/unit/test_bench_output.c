/* What a load run shows, from figures that are made up: text, CSV, JSON, and for Prometheus. */
#include "base/chrono.h"
#include "base/mem.h"
#include "base/version.h"
#include "bench/csv.h"
#include "bench/exposition.h"
#include "bench/table.h"
#include "model/expectations.h"

#include <arpa/inet.h>
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct bench_options options;
static struct plan plan;
static struct result result;
static struct tally tally; /* of an interval */
static struct buf out;

static void setup(void)
{
	options = bench_defaults;
	plan = (struct plan){.options = &options, .stamp = EMIT_BODY};
	tally_clear(&tally);
	memset(&result, 0, sizeof result);
	result_begin(&result, 2, 1, CHRONO_S);
	buf_append_str(&out, "");
}

static void teardown(void)
{
	result_release(&result);
	buf_release(&out);
}

/* An interval of two seconds that ends at five. */
static const struct result_row *add_row(void)
{
	return result_add(&result, &tally, 5 * CHRONO_S, 2 * CHRONO_S);
}

/* As many as the percentiles need: 1 to 100 times the unit. */
static void fill(struct histogram *h, uint64_t unit_ns)
{
	for (uint64_t i = 1; i <= 100; i++)
		histogram_add(h, i * unit_ns);
}

static void assert_out(const char *expected)
{
	ck_assert_str_eq(out.ptr, expected);
}

/* ---- times ---- */

static const struct {
	uint64_t ns;
	const char *text;
} times[] = {
    {0, "0ns"},
    {1, "1ns"},
    {999, "999ns"},
    {1000, "1.00us"},
    {1004, "1.00us"},
    {1005001, "1.01ms"},
    {9994, "9.99us"},
    {9995, "10.0us"},
    {99949, "99.9us"},
    {99950, "100us"},
    {999499, "999us"},
    {999500, "1.00ms"},
    {210000, "210us"},
    {1450000, "1.45ms"},
    {999499999, "999ms"},
    {999500000, "1.00s"},
    {2010000000, "2.01s"},
    {61200000000, "61.2s"},
    {UINT64_C(86400000000000), "86400s"},
};

START_TEST(times_have_three_digits_and_a_unit)
{
	table_write_time(times[_i].ns, &out);
	assert_out(times[_i].text);
}
END_TEST

/* ---- lines ---- */

/* Figures for every column. */
static void fill_tally(void)
{
	tally.counts[TALLY_SENT] = 10001;
	tally.counts[TALLY_CONFIRMED] = 2469134;
	tally.counts[TALLY_RECEIVED] = 10;
	tally.counts[TALLY_OPERATIONS] = 30;
	fill(&tally.latencies[TALLY_LATENCY_DUE], 2 * CHRONO_MS);
	fill(&tally.latencies[TALLY_LATENCY_SENT], CHRONO_MS);
	fill(&tally.latencies[TALLY_CONFIRM_DUE], 4 * CHRONO_US);
	fill(&tally.latencies[TALLY_CONFIRM_SENT], 3);
	fill(&tally.latencies[TALLY_GAP], 5);
	fill(&tally.latencies[TALLY_OPERATION], 3 * CHRONO_MS);
}

static void write_lines(void)
{
	table_write_head(&plan, &out);
	table_write_row(&plan, add_row(), &out);
}

START_TEST(publishers_and_consumers_have_their_columns)
{
	fill_tally();
	write_lines();
	assert_out("   time    sent/s received/s  due p50     p99     max sent p50"
		   "     p99  gap p99\n"
		   "   5.0s     5,001          5    100ms   198ms   200ms   50.0ms"
		   "  99.0ms    495ns\n");
}
END_TEST

START_TEST(without_consumers_the_confirms_are_shown)
{
	options.consumers = 0;
	fill_tally();
	write_lines();
	assert_out(
	    "   time    sent/s confirmed/s confirm due p50     p99 sent p50     p99  gap p99\n"
	    "   5.0s     5,001   1,234,567           200us   396us    150ns   297ns    495ns\n");
}
END_TEST

START_TEST(without_producers_only_what_is_received_is_shown)
{
	options.producers = 0;
	fill_tally();
	write_lines();
	assert_out("   time received/s  due p50     p99     max sent p50     p99\n"
		   "   5.0s          5    100ms   198ms   200ms   50.0ms  99.0ms\n");
}
END_TEST

START_TEST(churn_has_columns_of_its_own)
{
	options.churn = BENCH_CHANNELS;
	options.consumers = 0;
	fill_tally();
	write_lines();
	assert_out("   time operations/s     p50     p99     max\n"
		   "   5.0s           15   150ms   297ms   300ms\n");
}
END_TEST

START_TEST(what_was_not_measured_is_a_dash)
{
	write_lines();
	assert_out("   time    sent/s received/s  due p50     p99     max sent p50"
		   "     p99  gap p99\n"
		   "   5.0s         0          0        -       -       -        -"
		   "       -        -\n");
}
END_TEST

START_TEST(heads_and_rows_are_as_wide_as_each_other)
{
	options.producers = (uint64_t)_i & 1;
	options.consumers = (uint64_t)_i >> 1 & 1;
	options.churn = _i >> 2;
	fill_tally();
	write_lines();
	size_t head = strcspn(out.ptr, "\n");
	ck_assert_uint_le(head, 80);
	ck_assert_uint_eq(strcspn(out.ptr + head + 1, "\n"), head);
	/* every head ends where a figure does */
	for (size_t i = 0; i < head; i++) {
		bool ends = out.ptr[i] != ' ' && (out.ptr[i + 1] == ' ' || i + 1 == head);
		char below = out.ptr[head + 1 + i], next = out.ptr[head + 2 + i];
		if (below != ' ' && (next == ' ' || next == '\n'))
			ck_assert_msg(ends, "a figure ends at %zu in\n%s", i, out.ptr);
	}
}
END_TEST

START_TEST(what_should_not_happen_stands_behind_when_it_does)
{
	options.producers = 0;
	tally.counts[TALLY_RETURNED] = 1234;
	tally.counts[TALLY_REORDERED] = 1;
	tally.counts[TALLY_FOREIGN] = 2;
	tally.counts[TALLY_BLOCKED_NS] = 1500 * CHRONO_MS;
	table_write_row(&plan, add_row(), &out);
	assert_out("   5.0s          0        -       -       -        -       -"
		   "  1,234 returned, 1 reordered, 2 foreign, blocked 1.50s\n");
}
END_TEST

START_TEST(a_blocked_interval_is_told_alone_too)
{
	options.producers = 0;
	tally.counts[TALLY_BLOCKED_NS] = 20;
	table_write_row(&plan, add_row(), &out);
	assert_out("   5.0s          0        -       -       -        -       -  blocked 20ns\n");
}
END_TEST

START_TEST(the_compact_form_is_a_few_words)
{
	tally.counts[TALLY_SENT] = 10000;
	tally.counts[TALLY_RECEIVED] = 9999;
	tally.counts[TALLY_NACKED] = 7;
	fill(&tally.latencies[TALLY_LATENCY_DUE], CHRONO_US);
	table_write_compact(&plan, add_row(), &out);
	assert_out("5s sent 5000/s received 5000/s latency p50 50.0us p99 98.9us  7 nacked\n");
}
END_TEST

START_TEST(the_compact_form_leaves_out_what_there_is_not)
{
	options.consumers = 0;
	if (_i == 1)
		options.churn = BENCH_CONNECTIONS;
	fill_tally();
	histogram_clear(&tally.latencies[TALLY_LATENCY_DUE]);
	histogram_clear(&tally.latencies[_i == 0 ? TALLY_OPERATION : TALLY_CONFIRM_DUE]);
	table_write_compact(&plan, add_row(), &out);
	assert_out(_i == 0 ? "5s sent 5000/s confirm p50 200us p99 396us\n"
			   : "5s operations 15/s operation p50 150ms p99 297ms\n");
}
END_TEST

/* ---- the account ---- */

/* Totals of ten seconds, of which the last eight are measured. */
static void fill_result(void)
{
	uint64_t *counts = result.notes.tally.counts;
	counts[TALLY_SENT] = 10000;
	counts[TALLY_CONFIRMED] = 9900;
	counts[TALLY_RECEIVED] = 9800;
	counts[TALLY_OPERATIONS] = 48;
	for (size_t i = 0; i < TALLY_COUNT_COUNT; i++)
		result.counted[i] = counts[i] * 8 / 10;
	result.elapsed_ns = 8 * CHRONO_S;
	result.cpu_seconds = 0.125;
	result.stopped_by = "time";
	result.started_wall_ms = INT64_C(1700000000123);
	result.is_judged = result.is_left_known = true;
	(void)snprintf(result.server, sizeof result.server, "RabbitMQ 3.10.8");
	fill(&result.notes.tally.latencies[TALLY_LATENCY_DUE], CHRONO_MS);
}

#define HEAD                                                                               \
	"                           min     p50     p90     p99   p99.9  p99.99     max\n" \
	"received, from due      1.00ms  50.0ms  90.0ms  99.0ms   100ms   100ms   100ms\n"

START_TEST(an_account_has_rates_fates_and_percentiles)
{
	fill_result();
	table_write_account(&plan, &result, &out);
	assert_out("10,000 sent (1000/s), 9,900 confirmed (990/s), 9,800 received (980/s)"
		   " in 8.00 s; stopped by time; 0.12 s of CPU\n"
		   "0 lost\n" HEAD);
}
END_TEST

static void craft_trouble(void)
{
	uint64_t *counts = result.notes.tally.counts;
	fill_result();
	counts[TALLY_RETURNED] = 1;
	counts[TALLY_NACKED] = 2;
	counts[TALLY_UNCONFIRMED] = 3;
	counts[TALLY_REDELIVERED] = 4;
	counts[TALLY_REORDERED] = 5;
	counts[TALLY_FOREIGN] = 6000;
	counts[TALLY_BLOCKED_NS] = 2 * CHRONO_S;
	result.verdict.duplicated = 7;
	result.verdict.unconfirmed_received = 8;
	result.verdict.never_confirmed_nor_received = 9;
	result.verdict.refused = 12;
	result.left = 10;
	result.lost = 11;
	result.lost_ranges[0] = (struct ledger_range){0, 5, 14};
	result.lost_ranges[1] = (struct ledger_range){1, 7, 7};
	result.lost_range_count = 2;
}

START_TEST(an_account_tells_what_went_wrong)
{
	craft_trouble();
	table_write_account(&plan, &result, &out);
	assert_out(
	    "10,000 sent (1000/s), 9,900 confirmed (990/s), 9,800 received (980/s)"
	    " in 8.00 s; stopped by time; 0.12 s of CPU\n"
	    "1 returned, 2 nacked, 3 unconfirmed, 4 redelivered, 5 reordered, 6,000 foreign, "
	    "7 duplicated, 10 left in the queues, 8 received although never confirmed, "
	    "9 neither confirmed nor received, 12 not accounted for, for want of room, "
	    "11 lost\n"
	    "lost: publisher 0, messages 5 to 14\n"
	    "lost: publisher 1, messages 7 to 7\n" HEAD
	    "blocked by the broker for 2.00s: what was due meanwhile counts from the end of it; "
	    "what was on its way\nwhen it began is in the times above with all of it\n");
}
END_TEST

START_TEST(without_confirms_nothing_is_told_of_them)
{
	craft_trouble();
	options.confirm = 0;
	result.lost_range_count = 0;
	result.is_judged = false;
	table_write_account(&plan, &result, &out);
	ck_assert_ptr_nonnull(strstr(out.ptr, "10,000 sent (1000/s), 9,800 received (980/s) in"));
	ck_assert_ptr_nonnull(
	    strstr(out.ptr, ", 10 left in the queues, 9 not received, 12 not accounted"));
	ck_assert_ptr_null(strstr(out.ptr, "confirmed"));
	ck_assert_ptr_null(strstr(out.ptr, "lost"));
}
END_TEST

#define CANNOT_TELL "what was lost cannot be told\n"

/* Who would have sent, confirmed and received is there: then it is said that it is not known. */
START_TEST(nothing_is_judged_lost_that_nobody_could_know_of)
{
	fill_result();
	result.is_judged = false;
	result.lost = 5; /* means nothing */
	options.producers = _i != 0;
	options.consumers = _i != 1;
	options.confirm = _i != 2;
	table_write_account(&plan, &result, &out);
	ck_assert_int_eq(strstr(out.ptr, "\n" CANNOT_TELL) != NULL, _i == 3);
	ck_assert_int_eq(strstr(out.ptr, "lost") != NULL, _i == 3);
	ck_assert_ptr_null(strstr(out.ptr, "5 lost"));
}
END_TEST

START_TEST(what_cannot_be_told_stands_behind_the_rest)
{
	fill_result();
	result.is_judged = false;
	result.notes.tally.counts[TALLY_NACKED] = 3;
	result.left = 10;
	table_write_account(&plan, &result, &out);
	ck_assert_ptr_nonnull(strstr(out.ptr, "\n3 nacked, 10 left in the queues, " CANNOT_TELL));
}
END_TEST

START_TEST(what_is_left_is_told_when_it_is_known)
{
	fill_result();
	result.is_left_known = _i == 1;
	result.left = 10;
	table_write_account(&plan, &result, &out);
	ck_assert_ptr_nonnull(
	    strstr(out.ptr, _i == 1 ? "\n10 left in the queues, 0 lost\n" : "\n0 lost\n"));
}
END_TEST

START_TEST(what_the_ledger_had_no_room_for_is_told)
{
	fill_result();
	result.verdict.refused = 3000;
	table_write_account(&plan, &result, &out);
	ck_assert_ptr_nonnull(
	    strstr(out.ptr, "\n3,000 not accounted for, for want of room, 0 lost\n"));
}
END_TEST

START_TEST(a_warm_up_is_told)
{
	fill_result();
	options.warm_up_ns = 500 * CHRONO_MS;
	table_write_account(&plan, &result, &out);
	ck_assert_ptr_nonnull(
	    strstr(out.ptr, " in 8.00 s after a warm-up of 500ms; stopped by time; "));
}
END_TEST

START_TEST(an_account_of_churn_counts_operations)
{
	fill_result();
	options.churn = BENCH_QUEUES;
	options.consumers = 0;
	histogram_clear(&result.notes.tally.latencies[TALLY_LATENCY_DUE]);
	histogram_add(&result.notes.tally.latencies[TALLY_OPERATION], CHRONO_MS);
	table_write_account(&plan, &result, &out);
	assert_out(
	    "48 operations (4.75/s) in 8.00 s; stopped by time; 0.12 s of CPU\n"
	    "                           min     p50     p90     p99   p99.9  p99.99     max\n"
	    "opened and closed       1.00ms  1.00ms  1.00ms  1.00ms  1.00ms  1.00ms  1.00ms\n");
}
END_TEST

START_TEST(each_expectation_has_its_line)
{
	struct expectations expectations = {0};
	struct error err = {0};
	json_t *verdicts = json_array();
	fill_result();
	ck_assert(expectations_add(&expectations, "lost=0", &err));
	ck_assert(expectations_add(&expectations, "left=5", &err));
	result.is_left_known = false;
	ck_assert(expectations_add(&expectations, "latency_p99=50ms", &err));
	ck_assert(expectations_add(&expectations, "gap_p50=1s", &err));
	ck_assert_uint_eq(expectations_judge(&expectations, result_look_up, &result, verdicts), 3);
	table_write_verdicts(verdicts, &out);
	assert_out("met: lost at most 0; found: 0\n"
		   "FAILED: left at most 5; found: nothing was measured\n"
		   "FAILED: latency_p99 at most 50 ms; found: 98.959 ms\n"
		   "FAILED: gap_p50 at most 1 s; found: nothing was measured\n");
	json_decref(verdicts);
	expectations_release(&expectations);
}
END_TEST

/* ---- figures by name ---- */

START_TEST(every_expectation_finds_its_figure)
{
	size_t count;
	const struct expectation_row *rows = expectations_rows(&count);
	craft_trouble();
	fill(&result.notes.tally.latencies[TALLY_CONFIRM_DUE], CHRONO_US);
	fill(&result.notes.tally.latencies[TALLY_GAP], 10 * CHRONO_US);
	ck_assert_uint_gt(count, 20);
	for (size_t i = 0; i < count; i++) {
		double value = -1;
		ck_assert_msg(
		    result_look_up(&result, rows[i].name, &value), "%s is not found", rows[i].name);
		ck_assert_double_gt(value, 0);
	}
}
END_TEST

static const struct {
	const char *name;
	double value; /* negative: nothing was measured, or there is no such name */
} figures[] = {
    {"lost", 11},
    {"duplicated", 7},
    {"left", 10},
    {"returned", 1},
    {"nacked", 2},
    {"unconfirmed", 3},
    {"redelivered", 4},
    {"reordered", 5},
    {"sent_rate", 1000},
    {"confirmed_rate", 990},
    {"received_rate", 980},
    {"latency_p50", 0.050},
    {"latency_p90", 0.090},
    {"latency_p95", 0.095},
    {"latency_p99", 0.099},
    {"latency_p999", 0.100},
    {"latency_max", 0.100},
    {"confirm_max", -1},
    {"gap_p50", -1},
    {"latency_p98", -1},
    {"latency_", -1},
    {"nothing", -1},
    {"", -1},
};

static const struct {
	bool is_judged, is_left_known;
} knowledge[] = {{false, false}, {true, false}, {false, true}, {true, true}};

START_TEST(what_is_not_known_is_not_found)
{
	double value = -1;
	craft_trouble();
	result.is_judged = knowledge[_i].is_judged;
	result.is_left_known = knowledge[_i].is_left_known;
	ck_assert_int_eq(result_look_up(&result, "lost", &value), result.is_judged);
	ck_assert_int_eq(result_look_up(&result, "left", &value), result.is_left_known);
	ck_assert(result_look_up(&result, "duplicated", &value));
}
END_TEST

START_TEST(figures_are_counts_seconds_and_per_second)
{
	double value = -1;
	craft_trouble();
	ck_assert_int_eq(result_look_up(&result, figures[_i].name, &value), figures[_i].value >= 0);
	if (figures[_i].value >= 0)
		ck_assert_double_eq_tol(value, figures[_i].value, figures[_i].value * 0.004);
}
END_TEST

START_TEST(a_run_without_length_has_no_rates)
{
	double value;
	fill_result();
	result.elapsed_ns = 0;
	ck_assert(!result_look_up(&result, "sent_rate", &value));
	ck_assert_double_eq(result_rate(&result, TALLY_SENT), 0);
}
END_TEST

/* ---- CSV ---- */

static size_t fields(const char *line)
{
	size_t count = 1;
	for (; *line != '\r'; line++)
		count += *line == ',';
	ck_assert_str_eq(line, "\r\n");
	return count;
}

/* The field of a name; to free(). */
static char *field(const char *head, const char *row, const char *name)
{
	size_t len = strlen(name);
	while (strncmp(head, name, len) != 0 || strchr(",\r", head[len]) == NULL) {
		head += strcspn(head, ",") + 1;
		row += strcspn(row, ",") + 1;
		ck_assert_msg(head[-1] == ',', "no field %s", name);
	}
	return mem_strndup(row, strcspn(row, ",\r"));
}

static const struct {
	const char *name, *text;
} csv_fields[] = {
    {"time_s", "5.000000"},
    {"length_s", "2.000000"},
    {"sent", "10001"},
    {"confirmed", "2469134"},
    {"received", "10"},
    {"foreign", "0"},
    {"blocked_s", "1.500000000"},
    {"operations", "30"},
    {"latency_due_p50_s", ""},
    {"latency_due_max_s", ""},
    {"latency_sent_max_s", "0.100000000"},
    {"confirm_sent_p50_s", "0.000000150"},
    {"confirm_sent_p999_s", "0.000000300"},
    {"gap_p95_s", "0.000000475"},
    {"operation_max_s", "0.300000000"},
};

START_TEST(a_row_of_csv_has_a_field_for_each_head)
{
	struct buf head = {0};
	fill_tally();
	tally.counts[TALLY_BLOCKED_NS] = 1500 * CHRONO_MS;
	histogram_clear(&tally.latencies[TALLY_LATENCY_DUE]);
	csv_write_head(&head);
	csv_write_row(add_row(), &out);
	ck_assert_uint_eq(fields(head.ptr), 2 + TALLY_COUNT_COUNT + 5 * TALLY_LATENCY_COUNT);
	ck_assert_uint_eq(fields(out.ptr), fields(head.ptr));
	for (size_t i = 0; i < ARRAY_LEN(csv_fields); i++) {
		char *got = field(head.ptr, out.ptr, csv_fields[i].name);
		ck_assert_msg(strcmp(got, csv_fields[i].text) == 0, "%s: '%s', not '%s'",
		    csv_fields[i].name, got, csv_fields[i].text);
		free(got);
	}
	buf_release(&head);
}
END_TEST

/* ---- JSON ---- */

/* The value at "a.b.0.c". */
static const json_t *at(const json_t *value, const char *path)
{
	for (;;) {
		size_t len = strcspn(path, ".");
		char *name = mem_strndup(path, len);
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(name))
					     : json_object_get(value, name);
		free(name);
		if (path[len] == '\0' || value == NULL)
			return value;
		path += len + 1;
	}
}

static const struct {
	const char *path;
	double number; /* or else: */
	const char *text;
} members[] = {
    {"warren", 0, WARREN_VERSION},
    {"started", 0, "2023-11-14T22:13:20.123Z"},
    {"seconds", 8, NULL},
    {"interval", 1, NULL},
    {"stopped_by", 0, "time"},
    {"options.rate", 0, "5/s"},
    {"broker", 0, "RabbitMQ 3.10.8"},
    {"totals.sent", 10000, NULL},
    {"totals.confirmed", 9900, NULL},
    {"totals.received", 9800, NULL},
    {"totals.returned", 1, NULL},
    {"totals.nacked", 2, NULL},
    {"totals.unconfirmed", 3, NULL},
    {"totals.redelivered", 4, NULL},
    {"totals.reordered", 5, NULL},
    {"totals.foreign", 6000, NULL},
    {"totals.blocked_seconds", 2, NULL},
    {"totals.duplicated", 7, NULL},
    {"totals.unconfirmed_received", 8, NULL},
    {"totals.never_confirmed_nor_received", 9, NULL},
    {"totals.left", 10, NULL},
    {"totals.lost", 11, NULL},
    {"totals.refused", 12, NULL},
    {"totals.cpu_seconds", 0.125, NULL},
    {"rates.sent", 1000, NULL},
    {"rates.confirmed", 990, NULL},
    {"rates.received", 980, NULL},
    {"rates.operations", 4.75, NULL},
    {"latency.latency_due.count", 100, NULL},
    {"latency.latency_due.mean", 0.0505, NULL},
    {"latency.latency_due.min", 0.001, NULL},
    {"latency.latency_due.max", 0.1, NULL},
    {"intervals.0.at", 5, NULL},
    {"intervals.0.seconds", 2, NULL},
    {"intervals.0.counts.sent", 10001, NULL},
    {"intervals.0.latency.operation.count", 100, NULL},
    {"intervals.0.latency.operation.max", 0.3, NULL},
    {"lost_ranges.0.first", 5, NULL},
    {"lost_ranges.0.last", 14, NULL},
    {"lost_ranges.1.publisher", 1, NULL},
};

static json_t *document(void)
{
	json_t *given = json_pack("{s:s}", "rate", "5/s");
	craft_trouble();
	fill_tally();
	add_row();
	json_t *made = result_json(&result, given);
	json_decref(given);
	ck_assert_ptr_nonnull(made);
	return made;
}

START_TEST(a_document_has_every_figure)
{
	json_t *made = document();
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const json_t *value = at(made, members[i].path);
		ck_assert_msg(value != NULL, "no %s", members[i].path);
		if (members[i].text != NULL)
			ck_assert_pstr_eq(json_string_value(value), members[i].text);
		else
			ck_assert_msg(fabs(json_number_value(value) - members[i].number) < 1e-12,
			    "%s: %g, not %g", members[i].path, json_number_value(value),
			    members[i].number);
	}
	ck_assert(json_is_object(at(made, "machine")));
	ck_assert(json_is_integer(at(made, "machine.cpus")));
	json_decref(made);
}
END_TEST

START_TEST(what_was_not_measured_is_null_and_has_no_buckets)
{
	json_t *made = document();
	ck_assert(json_is_null(at(made, "latency.gap")));
	ck_assert_uint_eq(json_array_size(at(made, "histogram.gap")), 0);
	ck_assert_ptr_nonnull(at(made, "histogram.gap"));
	json_decref(made);
}
END_TEST

START_TEST(what_is_not_known_is_null)
{
	craft_trouble();
	result.is_judged = knowledge[_i].is_judged;
	result.is_left_known = knowledge[_i].is_left_known;
	json_t *none = json_object(), *made = result_json(&result, none);
	const json_t *lost = at(made, "totals.lost"), *left = at(made, "totals.left");
	ck_assert(result.is_judged ? json_integer_value(lost) == 11 : json_is_null(lost));
	ck_assert(result.is_left_known ? json_integer_value(left) == 10 : json_is_null(left));
	json_decref(made);
	json_decref(none);
}
END_TEST

START_TEST(buckets_hold_all_that_was_timed)
{
	json_t *made = document();
	const json_t *buckets = at(made, "histogram.latency_due");
	json_int_t sum = 0;
	for (size_t i = 0; i < json_array_size(buckets); i++) {
		const json_t *bucket = json_array_get(buckets, i);
		sum += json_integer_value(json_array_get(bucket, 2));
		ck_assert_double_le(json_real_value(json_array_get(bucket, 0)),
		    json_real_value(json_array_get(bucket, 1)));
	}
	ck_assert_int_eq(sum, 100);
	json_decref(made);
}
END_TEST

START_TEST(every_count_and_latency_has_a_name)
{
	json_t *made = document();
	for (size_t i = 0; i < TALLY_COUNT_COUNT; i++)
		if (i != TALLY_BLOCKED_NS)
			ck_assert(json_is_integer(
			    json_object_get(at(made, "totals"), tally_count_names[i])));
	for (size_t i = 0; i < TALLY_LATENCY_COUNT; i++)
		ck_assert_ptr_nonnull(
		    json_object_get(at(made, "intervals.0.latency"), tally_latency_names[i]));
	json_decref(made);
}
END_TEST

/* ---- Prometheus ---- */

/* A port that nobody listens on. */
static unsigned free_port(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

/* Reads /metrics while the loop serves it. */
static void fetch(struct loop *loop, unsigned port)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
				      "Connection: close\r\n\r\n";
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)port)};
	struct error err = {0};
	uint64_t until_ns = chrono_now_ns() + 20 * CHRONO_S;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
	buf_clear(&out);
	for (ssize_t got = -1; got != 0;) {
		ck_assert_uint_lt(chrono_now_ns(), until_ns);
		ck_assert(loop_turn(loop, chrono_now_ns() + CHRONO_MS, &err));
		got = recv(fd, buf_reserve(&out, 65536), 65536, MSG_DONTWAIT);
		buf_truncate(&out, out.len + (got > 0 ? (size_t)got : 0));
	}
	close(fd);
}

static const char *const exposed[] = {
    "\r\n\r\n# HELP warren_bench_sent_total Messages sent.\n"
    "# TYPE warren_bench_sent_total counter\n"
    "warren_bench_sent_total 10000\n",
    "\nwarren_bench_confirmed_total 9900\n",
    "\nwarren_bench_received_total 9800\n",
    "\nwarren_bench_foreign_total 6000\n",
    "\nwarren_bench_blocked_seconds_total 2\n",
    "\n# TYPE warren_bench_latency_due_seconds summary\n",
    "\nwarren_bench_latency_due_seconds_sum 5.05\n",
    "\nwarren_bench_latency_due_seconds_count 100\n",
};

START_TEST(the_totals_are_served_as_they_are_now)
{
	struct error err = {0};
	unsigned port = free_port();
	char *address = mem_printf("127.0.0.1:%u", port);
	struct loop *loop = loop_create(&err);
	struct exposition *e = exposition_open(loop, address, &err);
	ck_assert_msg(e != NULL, "%s", err.text);
	fetch(loop, port);
	ck_assert_ptr_nonnull(strstr(out.ptr, "200 OK"));
	ck_assert_ptr_null(strstr(out.ptr, "warren_bench"));
	craft_trouble();
	for (int twice = 0; twice < 2; twice++)
		exposition_update(e, &result);
	fetch(loop, port);
	for (size_t i = 0; i < ARRAY_LEN(exposed); i++)
		ck_assert_msg(
		    strstr(out.ptr, exposed[i]) != NULL, "no %s in %s", exposed[i], out.ptr);
	ck_assert_ptr_null(strstr(out.ptr, "warren_bench_gap_seconds")); /* was not measured */
	ck_assert_ptr_null(strstr(strstr(out.ptr, "\nwarren_bench_sent_total") + 1,
	    "\nwarren_bench_sent_total")); /* once */
	exposition_close(e);
	exposition_close(NULL);
	loop_free(loop);
	free(address);
}
END_TEST

static TCase *cases(const char *name)
{
	TCase *tc = tcase_create(name);
	tcase_add_checked_fixture(tc, setup, teardown);
	return tc;
}

static TCase *table_cases(void)
{
	TCase *tc = cases("table");
	tcase_add_loop_test(tc, times_have_three_digits_and_a_unit, 0, (int)ARRAY_LEN(times));
	tcase_add_test(tc, publishers_and_consumers_have_their_columns);
	tcase_add_test(tc, without_consumers_the_confirms_are_shown);
	tcase_add_test(tc, without_producers_only_what_is_received_is_shown);
	tcase_add_test(tc, churn_has_columns_of_its_own);
	tcase_add_test(tc, what_was_not_measured_is_a_dash);
	tcase_add_loop_test(tc, heads_and_rows_are_as_wide_as_each_other, 1, 8);
	tcase_add_test(tc, what_should_not_happen_stands_behind_when_it_does);
	tcase_add_test(tc, a_blocked_interval_is_told_alone_too);
	tcase_add_test(tc, the_compact_form_is_a_few_words);
	tcase_add_loop_test(tc, the_compact_form_leaves_out_what_there_is_not, 0, 2);
	tcase_add_test(tc, an_account_has_rates_fates_and_percentiles);
	tcase_add_test(tc, an_account_tells_what_went_wrong);
	tcase_add_test(tc, without_confirms_nothing_is_told_of_them);
	tcase_add_loop_test(tc, nothing_is_judged_lost_that_nobody_could_know_of, 0, 4);
	tcase_add_test(tc, what_cannot_be_told_stands_behind_the_rest);
	tcase_add_loop_test(tc, what_is_left_is_told_when_it_is_known, 0, 2);
	tcase_add_test(tc, what_the_ledger_had_no_room_for_is_told);
	tcase_add_test(tc, a_warm_up_is_told);
	tcase_add_test(tc, an_account_of_churn_counts_operations);
	tcase_add_test(tc, each_expectation_has_its_line);
	return tc;
}

static TCase *result_cases(void)
{
	TCase *tc = cases("result");
	tcase_add_test(tc, every_expectation_finds_its_figure);
	tcase_add_loop_test(
	    tc, figures_are_counts_seconds_and_per_second, 0, (int)ARRAY_LEN(figures));
	tcase_add_test(tc, a_run_without_length_has_no_rates);
	tcase_add_test(tc, a_row_of_csv_has_a_field_for_each_head);
	tcase_add_test(tc, a_document_has_every_figure);
	tcase_add_test(tc, what_was_not_measured_is_null_and_has_no_buckets);
	tcase_add_loop_test(tc, what_is_not_known_is_null, 0, (int)ARRAY_LEN(knowledge));
	tcase_add_loop_test(tc, what_is_not_known_is_not_found, 0, (int)ARRAY_LEN(knowledge));
	tcase_add_test(tc, buckets_hold_all_that_was_timed);
	tcase_add_test(tc, every_count_and_latency_has_a_name);
	tcase_add_test(tc, the_totals_are_served_as_they_are_now);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("bench_output");
	suite_add_tcase(suite, table_cases());
	suite_add_tcase(suite, result_cases());
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
