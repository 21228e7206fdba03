/* outlet.h - where the results of a load run go while it runs and when it is over: terminal, CSV,
 * JSON, HTML, Prometheus. */
#ifndef BENCH_OUTLET_H
#define BENCH_OUTLET_H

#include "bench/plan.h"
#include "bench/result.h"

struct outlet;

/* Opens the files and the port that the options name, so that what cannot be had is told before the
 * run. The tool's loop must be open. NULL on failure. */
struct outlet *outlet_open(struct tool *tool, const struct plan *plan, struct error *err);
/* A crew_row_fn. */
void outlet_on_row(void *ctx, const struct result *result, const struct result_row *row);
/* Writes the account, and the document in every form that was asked for. */
bool outlet_finish(struct outlet *outlet, const struct result *result, json_t *document,
    struct error *err) MUST_CHECK;
/* Accepts NULL. */
void outlet_close(struct outlet *outlet);

#endif
