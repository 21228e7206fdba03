/* steps.h - a value that changes with time: VALUE:DURATION, one after the other, again and again.
 */
#ifndef MODEL_STEPS_H
#define MODEL_STEPS_H

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

struct steps_step {
	uint64_t value;
	uint64_t length_ns;
};

/* `= {0}` has no steps; steps are owned. */
struct steps {
	struct steps_step *steps;
	size_t count, capacity;
	uint64_t total_ns;
};

typedef bool steps_parse_fn(struct slice text, uint64_t *out, struct error *err);

/* Adds "4KiB:30s", its value read by the function given. ERROR_USAGE. */
bool steps_add(
    struct steps *steps, const char *text, steps_parse_fn *parse, struct error *err) MUST_CHECK;
/* The value so long after the start; there must be a step. */
uint64_t steps_at(const struct steps *steps, uint64_t elapsed_ns);
uint64_t steps_greatest(const struct steps *steps);
void steps_release(struct steps *steps);

#endif
