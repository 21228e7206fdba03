/* distribution.h - whole numbers drawn at random: even, in a bell, waiting times, a few favourites.
 */
#ifndef FAKE_DISTRIBUTION_H
#define FAKE_DISTRIBUTION_H

#include "base/rng.h"

#define DISTRIBUTION_LIMIT (INT64_C(1) << 53) /* the largest size of low, high and results */

enum distribution_kind {
	DISTRIBUTION_UNIFORM,
	DISTRIBUTION_NORMAL,
	DISTRIBUTION_EXPONENTIAL,
	DISTRIBUTION_ZIPF, /* low is the commonest: the kth number is k^exponent times as rare */
};

/* All results lie in [low, high], within +-DISTRIBUTION_LIMIT: what falls outside is moved to the
 * nearer end. */
struct distribution {
	enum distribution_kind kind;
	int64_t low, high;
	double mean, deviation;
	double exponent;
	double zipf_first, zipf_last, zipf_accept; /* from distribution_prepare */
};

/* Computes what a Zipf distribution needs; call once after filling in the rest. exponent > 0. */
void distribution_prepare(struct distribution *d);
/* Allocates nothing. */
int64_t distribution_draw(const struct distribution *d, struct rng *r);

#endif
