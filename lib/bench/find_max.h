/* find_max.h - the highest rate that a broker sustains within a bound of latency. */
#ifndef BENCH_FIND_MAX_H
#define BENCH_FIND_MAX_H

#include "bench/crew.h"

/*
 * Runs trials of --time (5 s when none is given) with the total rate doubled until one fails, then
 * halves the interval until it is within 3 %. A trial holds when 99 % of what was due was sent and
 * (with consumers) received in its time, nothing was lost, and the 99th percentile from the due
 * time keeps to the bound. *best is that of the highest trial that held; ERROR_UNDELIVERED when
 * none did. Each trial is logged, and appended to the array `trials`:
 * {"rate", "sent_rate", "received_rate", "p99", "held"}.
 */
bool find_max_run(const struct crew_options *options, struct result *best, json_t *trials,
    struct error *err) MUST_CHECK;

/* The highest rate that held, of such trials; 0 when none did. */
double find_max_rate(const json_t *trials);

#endif
