#include "model/histogram.h"

#include "base/mem.h"
#include "base/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 20000

typedef uint64_t draw_fn(struct rng *rng, size_t i);

static uint64_t draw_small(struct rng *rng, size_t i)
{
	(void)i;
	return rng_below(rng, 600);
}

static uint64_t draw_uniform(struct rng *rng, size_t i)
{
	(void)i;
	return rng_below(rng, 5000000000);
}

static uint64_t draw_exponential(struct rng *rng, size_t i)
{
	(void)i;
	return (uint64_t)(rng_exponential(rng) * 250000);
}

static uint64_t draw_two_peaks(struct rng *rng, size_t i)
{
	return i % 10 == 0 ? 200000000 + rng_below(rng, 1000000) : 40000 + rng_below(rng, 9000);
}

static uint64_t draw_constant(struct rng *rng, size_t i)
{
	(void)rng;
	(void)i;
	return 1234567;
}

/* 2^0 - 1, 2^0, 2^0 + 1, 2^1 - 1, ... below the last bucket */
static uint64_t draw_around_powers(struct rng *rng, size_t i)
{
	(void)rng;
	return (UINT64_C(1) << i / 3 % 42) + i % 3 - 1;
}

static const struct {
	const char *name;
	draw_fn *draw;
} distributions[] = {
    {"small", draw_small},
    {"uniform", draw_uniform},
    {"exponential", draw_exponential},
    {"two peaks", draw_two_peaks},
    {"constant", draw_constant},
    {"around powers of two", draw_around_powers},
};

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return (left > right) - (left < right);
}

static struct histogram *fill(draw_fn *draw, uint64_t *values)
{
	struct histogram *h = mem_alloc(1, sizeof *h);
	struct rng rng;
	rng_seed(&rng, 7);
	for (size_t i = 0; i < SAMPLES; i++) {
		values[i] = draw(&rng, i);
		histogram_add(h, values[i]);
	}
	return h;
}

START_TEST(a_percentile_is_within_two_in_a_thousand_of_the_sorted_values)
{
	static uint64_t values[SAMPLES];
	struct histogram *h = fill(distributions[_i].draw, values);
	double sum = 0;
	qsort(values, SAMPLES, sizeof values[0], compare);
	for (size_t i = 0; i < SAMPLES; i++) {
		uint64_t truth = values[i];
		uint64_t found = histogram_percentile(h, (double)(i + 1) / SAMPLES);
		uint64_t off = found > truth ? found - truth : truth - found;
		ck_assert_msg(truth < 512 ? off == 0 : off * 512 <= truth,
		    "%s: rank %zu is %llu, not %llu", distributions[_i].name, i + 1,
		    (unsigned long long)truth, (unsigned long long)found);
		sum += (double)truth;
	}
	ck_assert_uint_eq(h->count, SAMPLES);
	ck_assert_uint_eq(h->min_ns, values[0]);
	ck_assert_uint_eq(h->max_ns, values[SAMPLES - 1]);
	ck_assert_uint_eq(histogram_percentile(h, 0), values[0]);
	ck_assert_uint_eq(histogram_percentile(h, 1), values[SAMPLES - 1]);
	ck_assert_double_eq_tol(histogram_mean(h), sum / SAMPLES, 1e-9 * sum / SAMPLES);
	free(h);
}
END_TEST

START_TEST(rank_is_the_nearest_and_does_not_slip_by_rounding)
{
	struct histogram *h = mem_alloc(1, sizeof *h);
	for (uint64_t ns = 1; ns <= 100; ns++)
		histogram_add(h, ns);
	for (uint64_t percent = 1; percent <= 100; percent++)
		ck_assert_uint_eq(histogram_percentile(h, (double)percent / 100), percent);
	ck_assert_uint_eq(histogram_percentile(h, 0.0701), 8);
	ck_assert_uint_eq(histogram_percentile(h, 0.0001), 1);
	ck_assert_uint_eq(histogram_percentile(h, 0.9999), 100);
	ck_assert_uint_eq(histogram_percentile(h, -1), 1);
	ck_assert_uint_eq(histogram_percentile(h, 2), 100);
	ck_assert_uint_eq(histogram_percentile(h, (double)NAN), 1);
	free(h);
}
END_TEST

START_TEST(a_percentile_stays_between_minimum_and_maximum)
{
	struct histogram *h = mem_alloc(1, sizeof *h);
	for (size_t i = 0; i < 3; i++)
		histogram_add(h, 1000001); /* below the middle of its bucket */
	ck_assert_uint_eq(histogram_percentile(h, 0.5), 1000001);
	histogram_clear(h);
	for (size_t i = 0; i < 3; i++)
		histogram_add(h, 1003519); /* above it */
	ck_assert_uint_eq(histogram_percentile(h, 0.5), 1003519);
	free(h);
}
END_TEST

START_TEST(buckets_follow_each_other_without_a_gap)
{
	ck_assert_uint_eq(histogram_bucket(0), 0);
	ck_assert_uint_eq(histogram_bucket(HISTOGRAM_TOP_NS - 1), HISTOGRAM_BUCKETS - 2);
	ck_assert_uint_eq(histogram_bucket(HISTOGRAM_TOP_NS), HISTOGRAM_BUCKETS - 1);
	ck_assert_uint_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
	for (unsigned bit = 0; bit <= HISTOGRAM_TOP_BITS; bit++) {
		uint64_t ns = UINT64_C(1) << bit;
		ck_assert_uint_eq(histogram_bucket(ns), histogram_bucket(ns - 1) + 1);
	}
}
END_TEST

START_TEST(extremes_are_kept_exactly)
{
	struct histogram *h = mem_alloc(1, sizeof *h);
	histogram_add(h, UINT64_MAX);
	ck_assert_uint_eq(histogram_percentile(h, 0.5), UINT64_MAX);
	histogram_add(h, 0);
	histogram_add(h, HISTOGRAM_TOP_NS);
	histogram_add(h, HISTOGRAM_TOP_NS);
	ck_assert_uint_eq(h->min_ns, 0);
	ck_assert_uint_eq(h->max_ns, UINT64_MAX);
	ck_assert_uint_eq(histogram_percentile(h, 0), 0);
	ck_assert_uint_eq(histogram_percentile(h, 0.25), 0);
	ck_assert_uint_ge(histogram_percentile(h, 0.5), HISTOGRAM_TOP_NS);
	ck_assert_uint_eq(histogram_percentile(h, 1), UINT64_MAX);
	ck_assert_uint_eq(h->buckets[HISTOGRAM_BUCKETS - 1], 3);
	free(h);
}
END_TEST

START_TEST(merging_equals_adding_all_to_one)
{
	struct histogram *one = mem_alloc(1, sizeof *one), *merged = mem_alloc(1, sizeof *merged);
	struct histogram *part = mem_alloc(1, sizeof *part);
	struct rng rng;
	rng_seed(&rng, 3);
	histogram_merge(merged, part);
	ck_assert_uint_eq(merged->count, 0);
	for (size_t d = 0; d < ARRAY_LEN(distributions); d++) {
		for (size_t i = 0; i < 1000; i++) {
			uint64_t ns = distributions[d].draw(&rng, i);
			histogram_add(one, ns);
			histogram_add(part, ns);
		}
		histogram_merge(merged, part);
		histogram_clear(part);
		histogram_merge(merged, part);
	}
	ck_assert_double_eq_tol(merged->sum_ns, one->sum_ns, 1e-9 * one->sum_ns);
	merged->sum_ns = one->sum_ns;
	ck_assert_mem_eq(merged, one, sizeof *one);
	free(one);
	free(merged);
	free(part);
}
END_TEST

START_TEST(cleared_is_as_good_as_new)
{
	static const struct histogram empty;
	static uint64_t values[SAMPLES];
	for (size_t d = 0; d < ARRAY_LEN(distributions); d++) {
		struct histogram *h = fill(distributions[d].draw, values);
		histogram_add(h, d % 2 == 0 ? UINT64_MAX : 5);
		histogram_clear(h);
		ck_assert_mem_eq(h, &empty, sizeof empty);
		histogram_clear(h);
		ck_assert_mem_eq(h, &empty, sizeof empty);
		free(h);
	}
}
END_TEST

struct seen {
	uint64_t count, upper_ns, covered;
	const uint64_t *values; /* sorted */
};

static void see(void *ctx, uint64_t lower_ns, uint64_t upper_ns, uint64_t count)
{
	struct seen *seen = ctx;
	ck_assert_uint_gt(count, 0);
	ck_assert_uint_le(lower_ns, upper_ns);
	ck_assert(seen->count == 0 || lower_ns > seen->upper_ns);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t value = seen->values[seen->covered++];
		ck_assert(lower_ns <= value && value <= upper_ns);
	}
	ck_assert(lower_ns >= HISTOGRAM_TOP_NS || (upper_ns - lower_ns) * 256 <= lower_ns);
	seen->count += count;
	seen->upper_ns = upper_ns;
}

START_TEST(each_shows_every_value_in_its_bucket)
{
	static uint64_t values[SAMPLES + 2];
	struct histogram *h = fill(distributions[_i].draw, values);
	values[SAMPLES] = HISTOGRAM_TOP_NS + 1;
	values[SAMPLES + 1] = UINT64_MAX - 1;
	histogram_add(h, values[SAMPLES]);
	histogram_add(h, values[SAMPLES + 1]);
	qsort(values, SAMPLES + 2, sizeof values[0], compare);
	struct seen seen = {.values = values};
	histogram_each(h, see, &seen);
	ck_assert_uint_eq(seen.count, h->count);
	ck_assert_uint_eq(seen.upper_ns, UINT64_MAX - 1);
	free(h);
}
END_TEST

static void never(void *ctx, uint64_t lower_ns, uint64_t upper_ns, uint64_t count)
{
	(void)ctx;
	ck_abort_msg("%llu..%llu: %llu", (unsigned long long)lower_ns, (unsigned long long)upper_ns,
	    (unsigned long long)count);
}

START_TEST(counting_up_to_a_value_leaves_none_below_it_out)
{
	struct histogram *h = mem_alloc(1, sizeof *h);
	struct rng rng;
	rng_seed(&rng, 5);
	for (int i = 0; i < 10000; i++) {
		uint64_t value = rng_next(&rng);
		histogram_add(h, value >> rng_below(&rng, 60));
	}
	for (uint64_t ns = 1; ns < HISTOGRAM_TOP_NS; ns *= 3) {
		uint64_t least = 0, most = 0;
		rng_seed(&rng, 5);
		for (int i = 0; i < 10000; i++) {
			uint64_t value = rng_next(&rng);
			value >>= rng_below(&rng, 60);
			least += value <= ns;
			most += value <= ns + ns / 256;
		}
		uint64_t count = histogram_count_to(h, ns);
		ck_assert_uint_ge(count, least);
		ck_assert_uint_le(count, most);
	}
	ck_assert_uint_eq(histogram_count_to(h, UINT64_MAX), 10000);
	histogram_clear(h);
	ck_assert_uint_eq(histogram_count_to(h, 5), 0);
	free(h);
}
END_TEST

START_TEST(empty_one_answers_zero)
{
	static const struct histogram empty;
	ck_assert_uint_eq(histogram_percentile(&empty, 0), 0);
	ck_assert_uint_eq(histogram_percentile(&empty, 0.99), 0);
	ck_assert_uint_eq(histogram_percentile(&empty, 1), 0);
	ck_assert_double_eq(histogram_mean(&empty), 0);
	histogram_each(&empty, never, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("histogram");
	TCase *tests = tcase_create("histogram");
	int kinds = (int)ARRAY_LEN(distributions);
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(
	    tests, a_percentile_is_within_two_in_a_thousand_of_the_sorted_values, 0, kinds);
	tcase_add_test(tests, rank_is_the_nearest_and_does_not_slip_by_rounding);
	tcase_add_test(tests, a_percentile_stays_between_minimum_and_maximum);
	tcase_add_test(tests, buckets_follow_each_other_without_a_gap);
	tcase_add_test(tests, extremes_are_kept_exactly);
	tcase_add_test(tests, merging_equals_adding_all_to_one);
	tcase_add_test(tests, cleared_is_as_good_as_new);
	tcase_add_loop_test(tests, each_shows_every_value_in_its_bucket, 0, kinds);
	tcase_add_test(tests, counting_up_to_a_value_leaves_none_below_it_out);
	tcase_add_test(tests, empty_one_answers_zero);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
