#include "flow/flow.h"

#include "base/chrono.h"
#include "flow/flow_private.h"

void flow_stop(struct flow *flow)
{
	const struct flow_options *o = &flow->options;
	if (flow->stopping)
		return;
	flow->stopping = true;
	o->source.kind->stop(o->source.self);
	for (size_t i = 0; i < o->core_count; i++)
		if (o->cores[i].kind->stop != NULL)
			o->cores[i].kind->stop(o->cores[i].self);
}

/* The limit is reached, or somebody asks for the end. */
static bool must_stop(const struct flow *flow)
{
	return loop_stop_requested(flow->loop) || flow->failure.kind != ERROR_NONE ||
	       flow->counts.finished >= flow->options.limit;
}

/* A source that has failed offers no more. */
static bool is_source_done(const struct flow *flow)
{
	const struct flow_options *o = &flow->options;
	return flow->failure.kind != ERROR_NONE || o->source.kind->is_done(o->source.self);
}

static bool flush_sink(struct flow *flow, struct error *err)
{
	return flow->options.sink.kind->flush(flow->options.sink.self, flow, err);
}

/* Lets the source offer; its failure ends the run, but not before what is under way is settled. */
static void tick_source(struct flow *flow, uint64_t *wake_ns)
{
	const struct flow_options *o = &flow->options;
	struct error err = {0};
	if (flow->failure.kind == ERROR_NONE &&
	    !o->source.kind->tick(o->source.self, flow, chrono_now_ns(), wake_ns, &err))
		flow_fail(flow, &err);
}

static void advance_cores(struct flow *flow)
{
	const struct flow_options *o = &flow->options;
	for (size_t i = 0; i < o->core_count; i++)
		if (o->cores[i].kind->advance != NULL)
			o->cores[i].kind->advance(o->cores[i].self, flow);
}

/* What the next turn of the loop must not sleep through, but for what the source says: room again,
 * a deadline from now on, a reason to stop. */
static bool must_go_on(const struct flow *flow, size_t under_way_before, bool done)
{
	const struct flow_sink *sink = &flow->options.sink;
	bool may_put = !fifo_is_empty(&flow->waiting) && sink->kind->room(sink->self) > 0;
	return flow->under_way < under_way_before || may_put || flow->held > 0 ||
	       (done && flow->deadline_ns == CHRONO_NEVER) || (must_stop(flow) && !flow->stopping);
}

/* Changes with each message that is settled, and with what the sink says of itself. */
static uint64_t progress_of(const struct flow *flow)
{
	const struct flow_sink *sink = &flow->options.sink;
	/* who goes on sending after the end does not put it off */
	uint64_t settled = flow->counts.offered - flow->turned_away - flow->under_way;
	return settled + (sink->kind->progress != NULL ? sink->kind->progress(sink->self) : 0);
}

static bool is_held_up(const struct flow *flow)
{
	const struct flow_sink *sink = &flow->options.sink;
	return sink->kind->is_held_up != NULL && sink->kind->is_held_up(sink->self) &&
	       !loop_stop_requested(flow->loop);
}

static void begin_drain(struct flow *flow)
{
	flow->deadline_ns = chrono_after(chrono_now_ns(), flow->options.drain_ns);
	flow->progress = progress_of(flow);
}

void flow_restart_drain(struct flow *flow)
{
	if (flow->deadline_ns != CHRONO_NEVER)
		begin_drain(flow);
}

static bool is_drain_over(struct flow *flow)
{
	if (flow->deadline_ns == CHRONO_NEVER)
		return false;
	if (progress_of(flow) != flow->progress)
		begin_drain(flow);
	if (chrono_now_ns() < flow->deadline_ns)
		return false;
	if (is_held_up(flow))
		flow_restart_drain(flow);
	return chrono_now_ns() >= flow->deadline_ns;
}

enum flow_state flow_step(struct flow *flow, uint64_t *wake_ns, struct error *err)
{
	if (must_stop(flow))
		flow_stop(flow);
	if (flow->failure.kind != ERROR_NONE || loop_stop_requested(flow->loop))
		flow_release_waiting(flow);
	bool done = is_source_done(flow);
	if (done && flow->under_way == 0)
		return FLOW_ENDS;
	if ((done || flow->stopping) && flow->deadline_ns == CHRONO_NEVER)
		begin_drain(flow);
	if (is_drain_over(flow))
		return FLOW_ENDS;
	if (flow->deadline_ns < *wake_ns)
		*wake_ns = flow->deadline_ns;
	/* what came while the loop ran is finished before the source is asked for more */
	if (!flush_sink(flow, err))
		return FLOW_FAILS;
	flow_put_waiting(flow);
	advance_cores(flow);
	tick_source(flow, wake_ns);
	size_t before = flow->under_way;
	if (!flush_sink(flow, err))
		return FLOW_FAILS;
	done = is_source_done(flow);
	if (done && flow->under_way == 0)
		return FLOW_ENDS;
	if (must_go_on(flow, before, done))
		*wake_ns = 0;
	return FLOW_RUNS;
}

bool flow_finish(struct flow *flow, struct error *err)
{
	const struct flow_options *o = &flow->options;
	bool good = err->kind == ERROR_NONE;
	flow_stop(flow);
	/* a sink that has lost its broker says so even when nothing is left to be put */
	good = good && flush_sink(flow, err);
	o->sink.kind->abandon(o->sink.self, flow);
	flow_drop_waiting(flow);
	flow->ending = true;
	/* branches first: the message goes with its last one */
	for (int branches = 1; branches >= 0; branches--)
		for (size_t i = 0; i < flow->slot_count; i++)
			if (flow->slots[i].used && flow_is_split(&flow->slots[i]) != branches)
				flow_settle(flow, i, FLOW_RELEASED, "the run ended first");
	if (flow->failure.kind != ERROR_NONE)
		return error_set(err, flow->failure.kind, "%s", flow->failure.text);
	return good;
}

bool flow_run(struct flow *flow, struct error *err)
{
	bool good = true;
	while (good) {
		uint64_t wake_ns = CHRONO_NEVER;
		if (flow_step(flow, &wake_ns, err) != FLOW_RUNS)
			break;
		good = loop_turn(flow->loop, wake_ns, err);
	}
	return flow_finish(flow, err);
}
