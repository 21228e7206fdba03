#include "model/histogram.h"

#include <math.h>
#include <string.h>

/* What a product of doubles may be off by: 7 % of 100 is the 7th value, not the 8th. */
#define SLACK 1e-12

#define SPLIT (1U << HISTOGRAM_SPLIT_BITS)

struct range {
	uint64_t lower_ns, upper_ns; /* both included */
};

static struct range range_of(const struct histogram *h, unsigned bucket)
{
	if (bucket == HISTOGRAM_BUCKETS - 1)
		return (struct range){HISTOGRAM_TOP_NS, h->max_ns};
	unsigned shift = bucket < SPLIT ? 0 : (bucket >> HISTOGRAM_SPLIT_BITS) - 1;
	uint64_t lower_ns = (uint64_t)(bucket - shift * SPLIT) << shift;
	return (struct range){lower_ns, lower_ns + (UINT64_C(1) << shift) - 1};
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	if (from->count == 0)
		return;
	unsigned last = histogram_bucket(from->max_ns);
	for (unsigned i = histogram_bucket(from->min_ns); i <= last; i++)
		to->buckets[i] += from->buckets[i];
	to->min_ns = from->min_ns < to->min_ns || to->count == 0 ? from->min_ns : to->min_ns;
	to->max_ns = from->max_ns > to->max_ns ? from->max_ns : to->max_ns;
	to->sum_ns += from->sum_ns;
	to->count += from->count;
}

void histogram_clear(struct histogram *h)
{
	unsigned first = histogram_bucket(h->min_ns), last = histogram_bucket(h->max_ns);
	memset(&h->buckets[first], 0, (last - first + 1) * sizeof h->buckets[0]);
	h->count = h->min_ns = h->max_ns = 0;
	h->sum_ns = 0;
}

/* The bucket of the value that has this rank (from 1) among all. */
static unsigned bucket_of_rank(const struct histogram *h, uint64_t rank)
{
	unsigned bucket = histogram_bucket(h->min_ns);
	for (uint64_t before = 0;; bucket++) {
		before += h->buckets[bucket];
		if (before >= rank)
			return bucket;
	}
}

uint64_t histogram_percentile(const struct histogram *h, double share)
{
	double rank = ceil(share * (double)h->count * (1 - SLACK));
	if (!(rank > 1))
		return h->min_ns;
	if (rank >= (double)h->count)
		return h->max_ns;
	struct range range = range_of(h, bucket_of_rank(h, (uint64_t)rank));
	uint64_t middle_ns = range.lower_ns + (range.upper_ns - range.lower_ns) / 2;
	if (middle_ns < h->min_ns)
		return h->min_ns;
	return middle_ns < h->max_ns ? middle_ns : h->max_ns;
}

uint64_t histogram_count_to(const struct histogram *h, uint64_t ns)
{
	uint64_t count = 0;
	if (ns >= h->max_ns)
		return h->count;
	unsigned last = histogram_bucket(ns);
	for (unsigned i = histogram_bucket(h->min_ns); i <= last; i++)
		count += h->buckets[i];
	return count;
}

double histogram_mean(const struct histogram *h)
{
	return h->count > 0 ? h->sum_ns / (double)h->count : 0;
}

void histogram_each(const struct histogram *h, histogram_each_fn *fn, void *ctx)
{
	unsigned last = histogram_bucket(h->max_ns);
	for (unsigned i = histogram_bucket(h->min_ns); i <= last; i++) {
		struct range range = range_of(h, i);
		if (h->buckets[i] > 0)
			fn(ctx, range.lower_ns, range.upper_ns, h->buckets[i]);
	}
}
