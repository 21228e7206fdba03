#include "app/guard.h"

#include "base/log.h"

/* ---- the source ---- */

static bool tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	const struct flow_source *source = &((struct guard *)self)->source;
	return source->kind->tick(source->self, flow, now_ns, wake_ns, err);
}

static void settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	const struct flow_source *source = &((struct guard *)self)->source;
	struct flow_outcome kept = *outcome;
	if (kept.fate != FLOW_ACCEPTED)
		kept.fate = FLOW_HELD;
	source->kind->settle(source->self, token, &kept);
}

static void stop(void *self)
{
	const struct flow_source *source = &((struct guard *)self)->source;
	source->kind->stop(source->self);
}

static bool is_done(const void *self)
{
	const struct flow_source *source = &((const struct guard *)self)->source;
	return source->kind->is_done(source->self);
}

struct flow_source guard_source(struct guard *guard)
{
	static const struct flow_source_kind kind = {tick, settle, stop, is_done};
	return (struct flow_source){&kind, guard};
}

/* ---- the sink ---- */

static size_t room(const void *self)
{
	const struct flow_sink *sink = &((const struct guard *)self)->sink;
	return sink->kind->room(sink->self);
}

static bool put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	struct guard *guard = self;
	struct error why;
	error_clear(&why);
	if (guard->sink.kind->put(guard->sink.self, flow, slot, m, &why))
		return true;
	if (why.kind != ERROR_DATA)
		return error_set(err, why.kind, "%s", why.text);
	if (guard->unsendable++ == 0)
		log_write(LOG_WARNING,
		    "a message cannot be sent and stays in its queue: %s (further ones are only "
		    "counted)",
		    why.text);
	flow_settle(flow, slot, FLOW_HELD, why.text);
	return true;
}

static bool flush(void *self, struct flow *flow, struct error *err)
{
	const struct flow_sink *sink = &((struct guard *)self)->sink;
	return sink->kind->flush(sink->self, flow, err);
}

static bool is_held_up(const void *self)
{
	const struct flow_sink *sink = &((const struct guard *)self)->sink;
	return sink->kind->is_held_up != NULL && sink->kind->is_held_up(sink->self);
}

static uint64_t progress(const void *self)
{
	const struct flow_sink *sink = &((const struct guard *)self)->sink;
	return sink->kind->progress != NULL ? sink->kind->progress(sink->self) : 0;
}

static void abandon(void *self, struct flow *flow)
{
	const struct flow_sink *sink = &((struct guard *)self)->sink;
	sink->kind->abandon(sink->self, flow);
}

struct flow_sink guard_sink(struct guard *guard)
{
	static const struct flow_sink_kind kind = {room, put, flush, is_held_up, progress, abandon};
	return (struct flow_sink){&kind, guard};
}
