/* machine.h - where a measurement was made. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <jansson.h>

/* {"system", "cpus", "cpu", "memory_bytes"}. Owned. */
json_t *machine_describe(void);

#endif
