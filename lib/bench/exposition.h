/* exposition.h - the running totals of a load run for Prometheus, at /metrics. */
#ifndef BENCH_EXPOSITION_H
#define BENCH_EXPOSITION_H

#include "base/loop.h"
#include "bench/result.h"

struct exposition;

/* address: as http_listen takes it. The loop serves; it must outlive this. */
struct exposition *exposition_open(struct loop *loop, const char *address, struct error *err);
/* What is served from now on. */
void exposition_update(struct exposition *e, const struct result *result);
void exposition_close(struct exposition *e); /* accepts NULL */

#endif
