/* bench.h - the bench tool: a load of publishers and consumers, measured. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "bench/bench_options.h"

tool_run_fn bench_run;

#endif
