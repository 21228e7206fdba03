#include "bench/compare.h"

#include "base/mem.h"
#include "base/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

/* ---- crafted results ---- */

/* What the intervals of a run are made of. */
struct run {
	size_t intervals;
	double rate, spread; /* of received; a standard deviation, as a fraction */
	double p99;	     /* of latency_due: the same spread */
	double drift;	     /* of both from begin to end, a fraction */
	uint64_t seed;
};

static double around(double value, const struct run *run, size_t i, struct rng *rng)
{
	double noise = run->spread * rng_normal(rng);
	double drift = run->drift * (double)i / (double)run->intervals;
	return value * (1 + noise + drift);
}

static json_t *interval_at(double at, double received, double p99)
{
	return json_pack("{s:f,s:{s:f},s:{s:{s:f},s:n}}", "at", at, "counts", "received", received,
	    "latency", "latency_due", "p99", p99, "operation");
}

static json_t *result_of(const struct run *run)
{
	struct rng rng;
	rng_seed(&rng, run->seed);
	json_t *intervals = json_array();
	for (size_t i = 0; i < run->intervals; i++) {
		double received = around(run->rate, run, i, &rng);
		json_array_append_new(intervals,
		    interval_at((double)(i + 1), received, around(run->p99, run, i, &rng)));
	}
	json_t *result = json_pack("{s:s,s:f,s:{s:s},s:{s:i},s:s,s:{s:i,s:i,s:f},s:{s:i,s:f},"
				   "s:{s:{s:f}},s:o}",
	    "warren", "0.1.0", "interval", 1.0, "options", "producers", "2", "machine", "cpus", 2,
	    "broker", "RabbitMQ 3.10.8", "totals", "sent", 0, "received", 1000000, "cpu_seconds",
	    2.4, "rates", "sent", 0, "received", run->rate, "latency", "latency_due", "p99",
	    run->p99, "intervals", intervals);
	ck_assert_ptr_nonnull(result);
	return result;
}

static const struct run usual = {60, 5000, 0.05, 0.004, 0, 1};

/* ---- asking ---- */

static json_t *compare(const json_t *old, const json_t *now)
{
	struct error err = {0};
	json_t *comparison = compare_results(old, now, &err);
	ck_assert_msg(comparison != NULL, "%s", err.text);
	return comparison;
}

static const json_t *figure_of(const json_t *comparison, const char *name)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(comparison, "figures"), i,
	    row) if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0) return row;
	return NULL;
}

static void check_verdict(const json_t *comparison, const char *name, const char *verdict)
{
	const json_t *row = figure_of(comparison, name);
	ck_assert_msg(row != NULL, "no %s", name);
	const char *found = json_string_value(json_object_get(row, "verdict"));
	ck_assert_msg(strcmp(found, verdict) == 0, "%s: %s instead of %s", name, found, verdict);
}

static double number_of(const json_t *row, const char *key)
{
	ck_assert_msg(json_is_number(json_object_get(row, key)), "%s is no number", key);
	return json_number_value(json_object_get(row, key));
}

static char *text_of(const json_t *comparison)
{
	struct buf out = {0};
	compare_write(comparison, &out);
	return buf_take(&out);
}

/* Compares two runs and takes both away. */
static json_t *compare_runs(struct run old, struct run now)
{
	json_t *a = result_of(&old), *b = result_of(&now);
	json_t *comparison = compare(a, b);
	json_decref(a);
	json_decref(b);
	return comparison;
}

/* ---- verdicts ---- */

static const struct {
	const char *what;
	struct run now;
	const char *rate, *latency;
} changes[] = {
    {"another run of the same", {60, 5000, 0.05, 0.004, 0, 2}, "within noise", "within noise"},
    {"a tenth more of both", {60, 5500, 0.05, 0.0044, 0, 3}, "better", "worse"},
    {"a tenth less of both", {60, 4500, 0.05, 0.0036, 0, 4}, "worse", "better"},
    {"a tenth more in much noise", {60, 5500, 0.4, 0.0044, 0, 5}, "within noise", "within noise"},
    {"a drift by a tenth", {60, 5000, 0.003, 0.004, 0.1, 6}, "within noise", "within noise"},
    {"a tenth more, in six intervals", {6, 5500, 0.01, 0.0044, 0, 7}, "better", "worse"},
    {"ten times as much, in five", {5, 50000, 0.01, 0.04, 0, 8}, "too few intervals",
	"too few intervals"},
    {"one interval", {1, 5000, 0.05, 0.004, 0, 9}, "too few intervals", "too few intervals"},
    {"no interval", {0, 5000, 0.05, 0.004, 0, 10}, "too few intervals", "too few intervals"},
};

START_TEST(change_is_told_from_noise)
{
	json_t *comparison = compare_runs(usual, changes[_i].now);
	check_verdict(comparison, "received", changes[_i].rate);
	check_verdict(comparison, "latency_due p99", changes[_i].latency);
	json_decref(comparison);
}
END_TEST

START_TEST(few_of_a_hundred_equal_pairs_are_said_to_differ)
{
	size_t wrong = 0;
	for (uint64_t seed = 100; seed < 300; seed += 2) {
		struct run old = {30, 5000, 0.1, 0.004, 0, seed}, now = old;
		now.seed = seed + 1;
		json_t *comparison = compare_runs(old, now);
		const json_t *row = figure_of(comparison, "received");
		wrong +=
		    strcmp(json_string_value(json_object_get(row, "verdict")), "within noise") != 0;
		json_decref(comparison);
	}
	ck_assert_uint_le(wrong, 3);
}
END_TEST

START_TEST(change_below_a_hundredth_is_noise_even_in_silence)
{
	struct run old = {60, 5000, 0, 0.004, 0, 1}, now = {60, 5049, 0, 0.00396, 0, 1};
	json_t *comparison = compare_runs(old, now);
	check_verdict(comparison, "received", "within noise");
	json_decref(comparison);
	now.rate = 5051;
	comparison = compare_runs(old, now);
	check_verdict(comparison, "received", "better");
	json_decref(comparison);
}
END_TEST

START_TEST(figures_are_medians_and_noise_as_the_header_says)
{
	static const double received[] = {9999, 100, 104, 98, 102, 101}; /* the first is left out */
	const struct run none = {0, 100, 0, 0.004, 0, 1};
	json_t *run = result_of(&none), *intervals = json_object_get(run, "intervals");
	for (size_t i = 0; i < ARRAY_LEN(received); i++)
		json_array_append_new(intervals, interval_at((double)(i + 1), received[i], 0.004));
	/* m = 101; |x - m| = 1 3 3 1 0, median 1; signs - + - + 0: q = 0 */
	double s = 1.4826 * 5 / 4.2, e = 1.2533 * s / sqrt(5);
	json_t *comparison = compare(run, run);
	const json_t *row = figure_of(comparison, "received");
	ck_assert_double_eq_tol(number_of(row, "old"), 101, 1e-9);
	ck_assert_double_eq_tol(number_of(row, "now"), 101, 1e-9);
	ck_assert_double_eq_tol(number_of(row, "noise"), 3 * sqrt(2) * e / 101, 1e-9);
	ck_assert_double_eq_tol(number_of(row, "change"), 0, 1e-9);
	json_decref(comparison);
	json_decref(run);
}
END_TEST

START_TEST(neighbours_that_are_alike_widen_the_noise)
{
	static const double received[] = {0, 98, 99, 100, 101, 102};
	const struct run none = {0, 100, 0, 0.004, 0, 1};
	json_t *run = result_of(&none), *intervals = json_object_get(run, "intervals");
	for (size_t i = 0; i < ARRAY_LEN(received); i++)
		json_array_append_new(intervals, interval_at((double)(i + 1), received[i], 0.004));
	/* m = 100, MAD 1; signs - - 0 + +: q = 2 / 4, n' = 5 / 3 */
	double s = 1.4826 * 5 / 4.2, e = 1.2533 * s / sqrt(5.0 / 3);
	json_t *comparison = compare(run, run);
	const json_t *row = figure_of(comparison, "received");
	ck_assert_double_eq_tol(number_of(row, "noise"), 3 * sqrt(2) * e / 100, 1e-9);
	json_decref(comparison);
	json_decref(run);
}
END_TEST

START_TEST(last_interval_counts_only_when_it_is_whole)
{
	const struct run six = {6, 5000, 0.01, 0.004, 0, 1};
	json_t *old = result_of(&usual), *now = result_of(&six), *comparison;
	json_t *last = json_array_get(json_object_get(now, "intervals"), 5);
	json_object_set_new(last, "at", json_real(5.95));
	comparison = compare(old, now);
	check_verdict(comparison, "received", "within noise");
	json_decref(comparison);
	json_object_set_new(last, "at", json_real(5.5));
	comparison = compare(old, now);
	check_verdict(comparison, "received", "too few intervals");
	json_decref(comparison);
	json_decref(old);
	json_decref(now);
}
END_TEST

START_TEST(rates_go_by_the_length_of_their_interval)
{
	const struct run none = {0, 100, 0, 0.004, 0, 1};
	json_t *run = result_of(&none), *intervals = json_object_get(run, "intervals");
	for (size_t i = 0; i < 8; i++)
		json_array_append_new(intervals, interval_at(0.5 * (double)(i + 1), 100, 0.004));
	json_object_set_new(run, "interval", json_real(0.5));
	json_t *comparison = compare(run, run);
	ck_assert_double_eq_tol(number_of(figure_of(comparison, "received"), "old"), 200, 1e-9);
	json_decref(comparison);
	json_decref(run);
}
END_TEST

START_TEST(figure_that_neither_run_has_is_left_out)
{
	json_t *comparison = compare_runs(usual, usual);
	ck_assert_ptr_null(figure_of(comparison, "sent")); /* 0 */
	ck_assert_ptr_null(figure_of(comparison, "operation p50"));
	ck_assert_uint_eq(json_array_size(json_object_get(comparison, "figures")), 3);
	check_verdict(comparison, "cpu per million", "no intervals");
	ck_assert_double_eq_tol(
	    number_of(figure_of(comparison, "cpu per million"), "now"), 2.4, 1e-9);
	json_decref(comparison);
}
END_TEST

START_TEST(figure_of_one_run_is_not_judged)
{
	json_t *old = result_of(&usual), *now = result_of(&usual);
	json_object_set_new(json_object_get(old, "latency"), "latency_due", json_null());
	json_t *comparison = compare(old, now);
	const json_t *row = figure_of(comparison, "latency_due p99");
	check_verdict(comparison, "latency_due p99", "in one run only");
	ck_assert(json_is_null(json_object_get(row, "old")));
	ck_assert(json_is_null(json_object_get(row, "change")));
	ck_assert_double_eq_tol(number_of(row, "now"), 0.004, 1e-9);
	json_decref(comparison);
	json_decref(old);
	json_decref(now);
}
END_TEST

/* ---- as text ---- */

START_TEST(table_has_a_line_for_each_figure)
{
	struct run old = {60, 5000, 0, 0.004, 0, 1}, now = {60, 6000, 0, 0.000612, 0, 1};
	json_t *comparison = compare_runs(old, now);
	char *text = text_of(comparison);
	ck_assert_str_eq(text,
	    "figure                       old           now    change    noise  verdict\n"
	    "received                 5,000/s       6,000/s    +20.0%    1.00%  better\n"
	    "latency_due p99          4.00 ms        612 us    -84.7%    1.00%  better\n"
	    "cpu per million           2.40 s        2.40 s    +0.00%        -  no intervals\n");
	free(text);
	json_decref(comparison);
}
END_TEST

START_TEST(what_differs_stands_in_front)
{
	json_t *old = result_of(&usual), *now = result_of(&usual);
	json_t *options = json_object_get(now, "options");
	json_object_set_new(options, "producers", json_string("4"));
	json_object_set_new(options, "size", json_string("256B"));
	json_object_set_new(json_object_get(old, "options"), "churn", json_string("yes"));
	json_object_set_new(json_object_get(now, "machine"), "cpus", json_integer(4));
	json_object_set_new(now, "broker", json_string("RabbitMQ 4.0.1"));
	json_object_set_new(now, "interval", json_real(0.5));
	json_t *comparison = compare(old, now);
	char *text = text_of(comparison);
	const char *expected = "differs: cpus 2 -> 4\n"
			       "differs: producers 2 -> 4\n"
			       "differs: size (none) -> 256B\n"
			       "differs: churn yes -> (none)\n"
			       "differs: broker RabbitMQ 3.10.8 -> RabbitMQ 4.0.1\n"
			       "differs: interval 1.0 -> 0.5\n"
			       "figure ";
	ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "%s", text);
	free(text);
	json_decref(comparison);
	json_decref(old);
	json_decref(now);
}
END_TEST

START_TEST(strings_of_the_old_file_are_escaped)
{
	json_t *old = result_of(&usual), *now = result_of(&usual);
	json_object_set_new(json_object_get(old, "options"), "a\nb", json_string("\033[31m"));
	json_object_set_new(old, "broker", json_string("x\ndiffers: y \xe2\x80\xae"));
	json_object_set_new(old, "interval", json_pack("[s]", "\n\x7f"));
	json_t *comparison = compare(old, now);
	char *text = text_of(comparison);
	ck_assert_ptr_nonnull(strstr(text, "differs: a\\nb \\x1b[31m -> (none)\n"));
	ck_assert_ptr_nonnull(strstr(text, "differs: broker x\\ndiffers: y \\u{202e} -> Rabbit"));
	for (const char *c = text; *c != '\0'; c++)
		ck_assert_msg((*c >= ' ' && *c <= '~') || *c == '\n', "%s", text);
	free(text);
	json_decref(comparison);
	json_decref(old);
	json_decref(now);
}
END_TEST

/* ---- damaged files ---- */

static const struct {
	const char *json, *lacks;
} strangers[] = {
    {"{}", "warren"},
    {"[]", "warren"},
    {"null", "warren"},
    {"\"warren\"", "warren"},
    {"{\"warren\": 1}", "warren"},
    {"{\"warren\": \"0.1.0\"}", "totals"},
    {"{\"warren\": \"0.1.0\", \"totals\": []}", "totals"},
    {"{\"warren\": \"0.1.0\", \"totals\": {}, \"latency\": {}}", "rates"},
    {"{\"warren\": \"0.1.0\", \"totals\": {}, \"rates\": {}, \"latency\": 3}", "latency"},
    {"{\"warren\": \"0.1.0\", \"totals\": {}, \"rates\": {}, \"latency\": {}}", "intervals"},
};

START_TEST(file_that_is_no_result_is_refused)
{
	json_t *stranger = json_loads(strangers[_i].json, JSON_DECODE_ANY, NULL);
	json_t *result = result_of(&usual);
	struct error err = {0}, again = {0};
	char *text = mem_printf(
	    "the old document is not a result of bench: it has no '%s'", strangers[_i].lacks);
	ck_assert_ptr_null(compare_results(stranger, result, &err));
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_str_eq(err.text, text);
	ck_assert_ptr_null(compare_results(result, stranger, &again));
	ck_assert_int_eq(strncmp(again.text, "the new document", 16), 0);
	free(text);
	json_decref(result);
	json_decref(stranger);
}
END_TEST

/* Right in its outline, and nothing right inside. */
static const char *const damaged[] = {
    "{\"rates\": {\"received\": \"many\"}}",
    "{\"rates\": {\"received\": -5000}, \"latency\": {\"latency_due\": {\"p99\": 1e300}}}",
    "{\"intervals\": [1, null, [], {}, \"x\", {\"at\": {}}, {\"at\": 1}, {\"at\": 0}]}",
    "{\"intervals\": [{\"at\": 1e308}, {\"at\": -1e308}], \"interval\": \"x\"}",
    "{\"totals\": {}, \"options\": 3, \"machine\": [], \"broker\": {\"a\": [1.5, null]}}",
    "{\"options\": {\"x\": [[[]]], \"producers\": null}}",
    "{\"latency\": {\"latency_due\": [1]}, \"totals\": {\"cpu_seconds\": true}}",
};

START_TEST(damaged_result_is_compared_as_far_as_it_goes)
{
	json_t *old = result_of(&usual), *now = result_of(&usual);
	json_t *damage = json_loads(damaged[_i], 0, NULL);
	ck_assert_int_eq(json_object_update(old, damage), 0);
	json_t *there = compare(old, now), *back = compare(now, old);
	char *text = text_of(there), *other = text_of(back);
	ck_assert_ptr_null(strstr(text, "nan"));
	ck_assert_ptr_null(strstr(other, "nan"));
	ck_assert_ptr_null(strstr(other, "inf"));
	free(text);
	free(other);
	json_decref(there);
	json_decref(back);
	json_decref(damage);
	json_decref(old);
	json_decref(now);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compare");
	TCase *tests = tcase_create("compare");
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, change_is_told_from_noise, 0, ARRAY_LEN(changes));
	tcase_add_test(tests, few_of_a_hundred_equal_pairs_are_said_to_differ);
	tcase_add_test(tests, change_below_a_hundredth_is_noise_even_in_silence);
	tcase_add_test(tests, figures_are_medians_and_noise_as_the_header_says);
	tcase_add_test(tests, neighbours_that_are_alike_widen_the_noise);
	tcase_add_test(tests, last_interval_counts_only_when_it_is_whole);
	tcase_add_test(tests, rates_go_by_the_length_of_their_interval);
	tcase_add_test(tests, figure_that_neither_run_has_is_left_out);
	tcase_add_test(tests, figure_of_one_run_is_not_judged);
	tcase_add_test(tests, table_has_a_line_for_each_figure);
	tcase_add_test(tests, what_differs_stands_in_front);
	tcase_add_test(tests, strings_of_the_old_file_are_escaped);
	tcase_add_loop_test(tests, file_that_is_no_result_is_refused, 0, ARRAY_LEN(strangers));
	tcase_add_loop_test(
	    tests, damaged_result_is_compared_as_far_as_it_goes, 0, ARRAY_LEN(damaged));
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
