/*
 * compare.h - two results of bench beside each other: what changed, and whether it is more than
 * noise.
 *
 * The noise comes from the intervals of the two runs, without the first of each and a last one cut
 * short. Judged are their medians: a stall moves the mean of a run, hardly its median. For n
 * values x with median m, of either run
 *
 *   s  = 1.4826 median|x - m| n / (n - 0.8)	the spread, in units of a standard deviation [1, 2]
 *   q  = mean sign(x[i] - m) sign(x[i+1] - m)	how alike neighbours are, at least 0
 *   n' = n (1 - q) / (1 + q), at least 1	as many independent values would tell as much [3]
 *   e  = 1.2533 s / sqrt(n')			the standard error of the median [4]
 *
 * and a change of the median of at most max(3 sqrt(e_old^2 + e_now^2), 1 % of the old median) is
 * noise. Three standard errors, since eleven figures are judged at once; 1 %, since the histograms
 * are exact to 0.4 % each. Of simulated pairs without a difference 0.3 % are told to differ (30
 * intervals, normal or lognormal), 2 % when neighbours correlate by 0.5, 3 % with 5 intervals.
 * Noise within a run is all that it can know: repeat the runs to see more.
 *
 * [1] Rousseeuw, Croux: Alternatives to the median absolute deviation, JASA 88 (1993)
 * [2] Croux, Rousseeuw: Time-efficient algorithms for two highly robust estimators of scale,
 *     COMPSTAT (1992): the factor for small n
 * [3] Bayley, Hammersley: The "effective" number of independent observations, JRSS Suppl. 8 (1946)
 * [4] McGill, Tukey, Larsen: Variations of box plots, The American Statistician 32 (1978)
 */
#ifndef BENCH_COMPARE_H
#define BENCH_COMPARE_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>

/*
 * The comparison of two result documents, the caller's to json_decref(); fit to be the value of
 * "comparison" in the newer one:
 *
 *   {"differs": [{"name": "producers", "old": "2", "now": "4"}],	null: not given
 *    "figures": [{"name": "latency_due p99", "unit": "time", "old": 0.0041, "now": 0.0052,
 *                 "change": 0.268, "noise": 0.031, "verdict": "worse"}]}
 *
 * Units: rate (per second), time (seconds). change and noise are fractions of old. Verdicts:
 * "better", "worse", "within noise"; where there is none the whole runs' figures stand instead of
 * the medians: "too few intervals" (fewer than 5 in either run), "no intervals" (measured over the
 * whole run alone), "in one run only". What cannot be told is null; figures that are 0 or absent in
 * both runs are left out. NULL when one of the two is no result of bench (ERROR_DATA).
 */
json_t *compare_results(const json_t *old, const json_t *now, struct error *err) MUST_CHECK;

/* Appends a comparison as lines: what differs, then a table. The strings may be foreign. */
void compare_write(const json_t *comparison, struct buf *out);

#endif
