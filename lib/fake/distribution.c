#include "fake/distribution.h"

#include <math.h>
#include <stdbool.h>

/*
 * Zipf by rejection from the integral of x^-exponent (Hoermann and Derflinger, "Rejection-inversion
 * to generate variates from monotone discrete distributions", 1996): no table, so the range may be
 * anything. The two ratios keep the integral exact for an exponent near 1, where it is a logarithm.
 */
static double expm1_ratio(double t)
{
	return fabs(t) > 1e-8 ? expm1(t) / t : 1 + t / 2;
}

static double log1p_ratio(double t)
{
	return fabs(t) > 1e-8 ? log1p(t) / t : 1 - t / 2;
}

static double density(const struct distribution *d, double x)
{
	return exp(-d->exponent * log(x));
}

static double integral(const struct distribution *d, double x)
{
	double log_x = log(x);
	return expm1_ratio((1 - d->exponent) * log_x) * log_x;
}

static double integral_inverse(const struct distribution *d, double y)
{
	double t = y * (1 - d->exponent);
	return exp(log1p_ratio(t < -1 ? -1 : t) * y);
}

void distribution_prepare(struct distribution *d)
{
	if (d->kind != DISTRIBUTION_ZIPF)
		return;
	double count = (double)(d->high - d->low) + 1;
	d->zipf_first = integral(d, 1.5) - 1;
	d->zipf_last = integral(d, count + 0.5);
	d->zipf_accept = 2 - integral_inverse(d, integral(d, 2.5) - density(d, 2));
}

static int64_t draw_zipf(const struct distribution *d, struct rng *r)
{
	double count = (double)(d->high - d->low) + 1;
	for (;;) {
		double u = d->zipf_last + rng_unit(r) * (d->zipf_first - d->zipf_last);
		double x = integral_inverse(d, u);
		double k = floor(x + 0.5);
		if (!(k >= 1)) /* rounding at the lower end, where x may even be NaN */
			k = 1;
		if (k > count)
			k = count;
		if (k - x <= d->zipf_accept || u >= integral(d, k + 0.5) - density(d, k))
			return d->low + (int64_t)k - 1;
	}
}

static int64_t hold(const struct distribution *d, double value)
{
	if (!(value > (double)d->low))
		return d->low;
	return value < (double)d->high ? llround(value) : d->high;
}

int64_t distribution_draw(const struct distribution *d, struct rng *r)
{
	switch (d->kind) {
	case DISTRIBUTION_NORMAL:
		return hold(d, d->mean + d->deviation * rng_normal(r));
	case DISTRIBUTION_EXPONENTIAL:
		return hold(d, d->mean * rng_exponential(r));
	case DISTRIBUTION_ZIPF:
		return draw_zipf(d, r);
	default:
		return rng_between(r, d->low, d->high);
	}
}
