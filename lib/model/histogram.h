/*
 * histogram.h - latencies counted in buckets that widen with the value, for exact enough
 * percentiles.
 *
 * The layout is that of HdrHistogram (Gil Tene): each power of two is split into 256 buckets of the
 * same width. Below 512 ns a bucket is one value; above, it is at most 1/256 (0.4 %) of its values
 * wide, and its middle at most 0.2 % off any of them. Everything from 2^42 ns (73 minutes) on
 * shares the last bucket, of which only the ends are known. Nothing is sampled, nothing allocated.
 */
#ifndef MODEL_HISTOGRAM_H
#define MODEL_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SPLIT_BITS 8
#define HISTOGRAM_TOP_BITS 42
#define HISTOGRAM_TOP_NS (UINT64_C(1) << HISTOGRAM_TOP_BITS)
/* 256 for the values below 256, 256 for each power of two up to the top, and the last. */
#define HISTOGRAM_BUCKETS \
	(((HISTOGRAM_TOP_BITS - HISTOGRAM_SPLIT_BITS + 1) << HISTOGRAM_SPLIT_BITS) + 1)

/* `= {0}` is empty. The buckets in use are those from min_ns to max_ns. 72 KB. */
struct histogram {
	uint64_t count;
	uint64_t min_ns, max_ns; /* exact; 0 when empty */
	double sum_ns;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* The bucket of a value: the 9 highest bits of it, behind 256 buckets for each bit it has more. */
static inline unsigned histogram_bucket(uint64_t ns)
{
	uint64_t capped = ns < HISTOGRAM_TOP_NS ? ns : HISTOGRAM_TOP_NS;
	unsigned shift = 63 - HISTOGRAM_SPLIT_BITS -
			 (unsigned)__builtin_clzll(capped | 1 << HISTOGRAM_SPLIT_BITS);
	return (shift << HISTOGRAM_SPLIT_BITS) + (unsigned)(capped >> shift);
}

static inline void histogram_add(struct histogram *h, uint64_t ns)
{
	h->min_ns = ns < h->min_ns || h->count == 0 ? ns : h->min_ns;
	h->max_ns = ns > h->max_ns ? ns : h->max_ns;
	h->sum_ns += (double)ns;
	h->count++;
	h->buckets[histogram_bucket(ns)]++;
}

/* Adds all that is in another one. Like histogram_clear it touches only the buckets in use. */
void histogram_merge(struct histogram *to, const struct histogram *from);
void histogram_clear(struct histogram *h);

/* The value that a share of all (0 to 1) does not exceed, by nearest rank: 0 is the minimum, 1 the
 * maximum, both exact. 0 when empty. */
uint64_t histogram_percentile(const struct histogram *h, double share);
/* Of the values as they came, not of the buckets; 0 when empty. */
double histogram_mean(const struct histogram *h);

/* How many values are at most this one; all of the bucket in which it lies count, so that up to
 * 0.4 % above it may be among them. */
uint64_t histogram_count_to(const struct histogram *h, uint64_t ns);

/* A bucket that holds something: lower_ns <= value <= upper_ns. The last one ends at the maximum.
 */
typedef void histogram_each_fn(void *ctx, uint64_t lower_ns, uint64_t upper_ns, uint64_t count);
/* In ascending order. */
void histogram_each(const struct histogram *h, histogram_each_fn *fn, void *ctx);

#endif
