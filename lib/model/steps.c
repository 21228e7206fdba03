#include "model/steps.h"

#include "base/mem.h"
#include "base/num.h"

#include <stdlib.h>
#include <string.h>

bool steps_add(struct steps *steps, const char *text, steps_parse_fn *parse, struct error *err)
{
	const char *colon = strrchr(text, ':');
	struct steps_step step = {0};
	if (colon == NULL)
		return error_set(err, ERROR_USAGE, "not VALUE:DURATION, such as 4KiB:30s");
	struct slice value = {text, (size_t)(colon - text)};
	if (!parse(value, &step.value, err) ||
	    !num_parse_duration(slice_str(colon + 1), &step.length_ns, err))
		return false;
	uint64_t total_ns;
	if (step.length_ns == 0 ||
	    __builtin_add_overflow(steps->total_ns, step.length_ns, &total_ns))
		return error_set(err, ERROR_USAGE, "the duration is too short or too long");
	steps->steps =
	    mem_grow(steps->steps, &steps->capacity, steps->count + 1, sizeof *steps->steps);
	steps->steps[steps->count++] = step;
	steps->total_ns = total_ns;
	return true;
}

uint64_t steps_at(const struct steps *steps, uint64_t elapsed_ns)
{
	uint64_t left = elapsed_ns % steps->total_ns;
	size_t i = 0;
	for (; i + 1 < steps->count && left >= steps->steps[i].length_ns; i++)
		left -= steps->steps[i].length_ns;
	return steps->steps[i].value;
}

uint64_t steps_greatest(const struct steps *steps)
{
	uint64_t greatest = 0;
	for (size_t i = 0; i < steps->count; i++)
		if (steps->steps[i].value > greatest)
			greatest = steps->steps[i].value;
	return greatest;
}

void steps_release(struct steps *steps)
{
	free(steps->steps);
	*steps = (struct steps){0};
}
