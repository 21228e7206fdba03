#include "model/sampler.h"

#include "base/mem.h"
#include "base/num.h"

bool sampler_parse(const char *name, const char *argument, struct sampler *out)
{
	static const struct {
		const char *name;
		bool is_parent_based, takes_ratio;
		double ratio;
	} rows[] = {
	    {"always_on", false, false, 1},
	    {"always_off", false, false, 0},
	    {"traceidratio", false, true, 1},
	    {"parentbased_always_on", true, false, 1},
	    {"parentbased_always_off", true, false, 0},
	    {"parentbased_traceidratio", true, true, 1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		double ratio = rows[i].ratio;
		struct error why = {0};
		if (strcmp(rows[i].name, name) != 0)
			continue;
		if (rows[i].takes_ratio && argument != NULL &&
		    (!num_parse_double(slice_str(argument), &ratio, &why) || ratio < 0 ||
			ratio > 1))
			return false;
		*out = (struct sampler){ratio, rows[i].is_parent_based};
		return true;
	}
	return false;
}

/* The last 56 bits, which level 2 of Trace Context wants to be random. */
static double share_of(const char trace_id[TRACE_ID_CHARS])
{
	uint64_t bits = 0;
	for (size_t i = TRACE_ID_CHARS - 14; i < TRACE_ID_CHARS; i++)
		bits = bits << 4 |
		       (uint64_t)(trace_id[i] <= '9' ? trace_id[i] - '0' : trace_id[i] - 'a' + 10);
	return (double)bits / (double)(UINT64_C(1) << 56);
}

bool sampler_decide(
    const struct sampler *s, const char trace_id[TRACE_ID_CHARS], const struct trace *parent)
{
	if (parent != NULL && s->is_parent_based)
		return (parent->flags & TRACE_SAMPLED) != 0;
	return s->ratio >= 1 || share_of(trace_id) < s->ratio;
}
