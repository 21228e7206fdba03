#include "flow/source_pattern.h"

#include "base/mem.h"
#include "model/mix.h"

#include <stdlib.h>

#define BURST 256 /* messages made before the sink and the socket get their turn */

struct member {
	const struct source_pattern_member *given;
	struct rng content, timing; /* apart, so that pacing does not change what is said */
	uint64_t sequence;
};

struct source_pattern {
	struct member *members;
	size_t count;
	struct mix mix;
	uint64_t start_ns, end_ns, quantum_ns;
	uint64_t skip;
	uint64_t ahead_ns; /* of the clock are the paces, by what was skipped */
	bool started, stopped;
};

/* A seed for one stream of one pattern: the same whatever other patterns run beside it. */
static void seed_stream(struct rng *rng, uint64_t seed, const char *name, uint64_t stream)
{
	uint64_t h = seed ^ (stream * UINT64_C(0x9e3779b97f4a7c15));
	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	rng_seed(rng, h);
}

struct source_pattern *source_pattern_create(const struct source_pattern_options *options)
{
	struct source_pattern *source = mem_alloc(1, sizeof *source);
	source->start_ns = options->start_ns;
	source->end_ns = options->end_ns != 0 ? options->end_ns : CHRONO_NEVER;
	source->quantum_ns = options->quantum_ns;
	source->skip = options->skip;
	source->members = mem_alloc(options->count, sizeof *source->members);
	source->count = options->count;
	for (size_t i = 0; i < source->count; i++) {
		const struct source_pattern_member *given = &options->members[i];
		source->members[i].given = given;
		seed_stream(&source->members[i].content, options->seed, given->name, 1);
		seed_stream(&source->members[i].timing, options->seed, given->name, 2);
	}
	return source;
}

void source_pattern_free(struct source_pattern *source)
{
	if (source == NULL)
		return;
	mix_release(&source->mix);
	free(source->members);
	free(source);
}

static bool make_next(struct source_pattern *source, size_t index, int64_t wall_ms,
    struct message *message, struct error *err)
{
	struct member *m = &source->members[index];
	mix_take(&source->mix, index);
	return pattern_render(
		   m->given->pattern, &m->content, wall_ms, m->sequence++, message, err) ||
	       error_context(err, "message '%s'", m->given->name);
}

/* Makes what is to be skipped; the first message after it is due at once. */
static bool skip(struct source_pattern *source, uint64_t start_ns, struct error *err)
{
	uint64_t due_ns = start_ns;
	struct message message;
	int64_t wall_ms = chrono_wall_ms();
	for (uint64_t i = 0; i <= source->skip; i++) {
		size_t index = mix_next(&source->mix, due_ns, &due_ns);
		if (index == MIX_NONE && due_ns != CHRONO_NEVER)
			index = mix_next(&source->mix, due_ns, &due_ns);
		if (index == MIX_NONE || i == source->skip)
			break;
		message = (struct message){0};
		if (!make_next(source, index, wall_ms, &message, err))
			return false;
	}
	source->ahead_ns = due_ns != CHRONO_NEVER ? due_ns - start_ns : 0;
	return true;
}

static bool start(struct source_pattern *source, uint64_t now_ns, struct error *err)
{
	source->started = true;
	for (size_t i = 0; i < source->count; i++)
		mix_add(&source->mix, source->members[i].given->plan, &source->members[i].timing,
		    now_ns);
	return source->skip == 0 || skip(source, now_ns, err);
}

/* mix_next by the clock that everybody else goes by. */
static size_t next(const struct source_pattern *source, uint64_t now_ns, uint64_t *due_ns)
{
	size_t index = mix_next(&source->mix, now_ns + source->ahead_ns, due_ns);
	if (*due_ns != CHRONO_NEVER)
		*due_ns -= source->ahead_ns;
	return index;
}

static bool offer_next(struct source_pattern *source, struct flow *flow, size_t index,
    uint64_t due_ns, int64_t wall_ms, struct error *err)
{
	struct message message = {0};
	if (!make_next(source, index, wall_ms, &message, err))
		return false;
	struct flow_message offered = {.message = &message, .due_ns = due_ns, .member = index};
	flow_offer(flow, &offered, 0);
	return true;
}

static bool tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct source_pattern *source = self;
	if (now_ns < source->start_ns) {
		*wake_ns = source->start_ns < *wake_ns ? source->start_ns : *wake_ns;
		return true;
	}
	if (!source->started &&
	    !start(source, source->start_ns != 0 ? source->start_ns : now_ns, err))
		return false;
	int64_t wall_ms = chrono_wall_ms();
	size_t left = BURST;
	for (; left > 0 && flow_room(flow) > 0; left--) {
		uint64_t due_ns;
		size_t index = next(source, now_ns, &due_ns);
		bool is_late = due_ns >= source->end_ns && due_ns != CHRONO_NEVER;
		if (index == MIX_NONE || is_late) {
			uint64_t next_ns = is_late ? source->end_ns : due_ns;
			if (next_ns < now_ns + source->quantum_ns)
				next_ns = now_ns + source->quantum_ns;
			if (next_ns > source->end_ns && now_ns < source->end_ns)
				next_ns = source->end_ns;
			source->stopped = source->stopped || now_ns >= source->end_ns;
			*wake_ns = next_ns < *wake_ns ? next_ns : *wake_ns;
			return true;
		}
		if (!offer_next(source, flow, index, due_ns, wall_ms, err))
			return false;
	}
	if (left == 0)
		*wake_ns = 0; /* there is more to do at once */
	return true;
}

static void settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	(void)self; /* what is made up is not given back */
	(void)token;
	(void)outcome;
}

static void stop(void *self)
{
	struct source_pattern *source = self;
	source->stopped = true;
}

static bool is_done(const void *self)
{
	const struct source_pattern *source = self;
	return source->stopped || (source->started && mix_done(&source->mix));
}

struct flow_source source_pattern_source(struct source_pattern *source)
{
	static const struct flow_source_kind kind = {tick, settle, stop, is_done};
	return (struct flow_source){&kind, source};
}
