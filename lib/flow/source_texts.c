#include "flow/source_texts.h"

#include "base/mem.h"

#include <stdlib.h>

struct source_texts {
	struct source_texts_options options;
	size_t count;
	uint64_t amount, made;
	struct rng content, timing;
	struct pace pace;
	bool started, stopped;
};

struct source_texts *source_texts_create(const struct source_texts_options *options)
{
	struct source_texts *source = mem_alloc(1, sizeof *source);
	source->options = *options;
	while (options->texts[source->count] != NULL)
		source->count++;
	source->amount = options->plan->unlimited ? source->count : options->plan->amount;
	rng_seed(&source->content, options->seed);
	rng_seed(&source->timing, options->seed + 1);
	return source;
}

void source_texts_free(struct source_texts *source)
{
	free(source);
}

static bool offer(struct source_texts *source, struct flow *flow, struct error *err)
{
	struct message m;
	const char *text = source->options.texts[source->made % source->count];
	if (!pattern_render(
		source->options.pattern, &source->content, chrono_wall_ms(), source->made, &m, err))
		return false;
	pattern_set_body(source->options.pattern, slice_str(text), &m);
	source->made++;
	pace_take(&source->pace);
	flow_offer(flow, &(struct flow_message){.message = &m}, 0);
	return true;
}

static bool tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct source_texts *source = self;
	if (!source->started)
		pace_start(&source->pace, source->options.plan, &source->timing, now_ns);
	source->started = true;
	while (!source->stopped && source->made < source->amount && flow_room(flow) > 0) {
		uint64_t due = pace_due(&source->pace);
		if (due > now_ns) {
			*wake_ns = due < *wake_ns ? due : *wake_ns;
			return true;
		}
		if (!offer(source, flow, err))
			return false;
	}
	return true;
}

static void settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	(void)self, (void)token, (void)outcome; /* a text is not put back */
}

static void stop(void *self)
{
	struct source_texts *source = self;
	source->stopped = true;
}

static bool is_done(const void *self)
{
	const struct source_texts *source = self;
	return source->stopped || source->made >= source->amount ||
	       (source->started && pace_done(&source->pace));
}

struct flow_source source_texts_source(struct source_texts *source)
{
	static const struct flow_source_kind kind = {tick, settle, stop, is_done};
	return (struct flow_source){&kind, source};
}
