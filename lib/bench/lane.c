#include "bench/lane.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "bench/absorb.h"
#include "flow/sink_exchange.h"
#include "flow/source_pattern.h"
#include "flow/source_queue.h"

#include <stdlib.h>

#define UNCONFIRMED_WINDOW 256	    /* of the flow, without confirms: each is settled at once */
#define CONSUMER_WINDOW 65536	    /* above every prefetch */
#define DRAIN_NS (2 * CHRONO_S)	    /* for the broker's answer to a cancel */
#define EXIT_IDLE_NS (5 * CHRONO_S) /* --exit-when idle */

struct lane {
	struct lane_options options;
	struct flow *flow;
	bool has_ended, is_finished; /* does nothing more; and so does its flow */
	/* of a publisher */
	struct pattern **patterns;
	struct source_pattern_member *members;
	size_t member_count;
	struct source_pattern *pattern_source;
	struct emit *emit;
	struct sink_exchange *exchange_sink;
	/* of a consumer */
	struct source_queue *queue_source;
	struct absorb *absorb;
	uint64_t start_ns;	    /* 0: it has begun */
	uint64_t requeued, dropped; /* once it is closed */
};

/* ---- publishers ---- */

static bool compile_patterns(struct lane *lane, struct error *err)
{
	const struct plan_lane *given = lane->options.lane;
	const struct settings *s = lane->options.plan->settings;
	lane->patterns = mem_alloc(given->member_count, sizeof *lane->patterns);
	lane->members = mem_alloc(given->member_count, sizeof *lane->members);
	for (size_t i = 0; i < given->member_count; i++) {
		const struct plan_member *m = &given->members[i];
		/* each lane has its own: a pattern renders into itself */
		lane->patterns[i] = pattern_create(
		    m->name, m->spec, s->directory, s->pools, reader_keep_first, err);
		if (lane->patterns[i] == NULL)
			return error_context(err, "message '%s'", m->name);
		lane->members[i] =
		    (struct source_pattern_member){m->name, lane->patterns[i], &m->pace};
		lane->member_count++;
	}
	return true;
}

static bool create_publisher(struct lane *lane, struct error *err)
{
	const struct plan *plan = lane->options.plan;
	struct emit_options options = {.notes = lane->options.notes,
	    .run = plan->run,
	    .publisher = lane->options.lane->publisher,
	    .stamp = plan->stamp,
	    .clock = (enum probe_clock)plan->options->clock,
	    .window = plan->options->confirm,
	    .bodies = plan->bodies,
	    .body_count = plan->body_count,
	    .sizes = plan->sizes.count > 0 ? &plan->sizes : NULL,
	    .stripped = plan->stripped};
	lane->emit = emit_create(&options);
	return compile_patterns(lane, err);
}

static bool open_publisher(struct lane *lane, struct connection *c, struct error *err)
{
	const struct plan *plan = lane->options.plan;
	struct sink_exchange_options options = {.window = plan->options->confirm,
	    .mandatory = plan->mandatory ? SINK_EXCHANGE_ALWAYS : SINK_EXCHANGE_NEVER,
	    .returned = emit_on_return,
	    .ctx = lane->emit};
	lane->exchange_sink = sink_exchange_open(c, &options, err);
	return lane->exchange_sink != NULL;
}

static void begin_publisher(struct lane *lane, uint64_t start_ns, uint64_t end_ns)
{
	const struct plan *plan = lane->options.plan;
	struct source_pattern_options patterns = {.members = lane->members,
	    .count = lane->member_count,
	    .seed = lane->options.seed,
	    .start_ns = start_ns + lane->options.lane->offset_ns,
	    .end_ns = end_ns,
	    .quantum_ns = plan->options->quantum_ns};
	emit_start(lane->emit, start_ns);
	lane->pattern_source = source_pattern_create(&patterns);
	struct flow_options options = {.source = source_pattern_source(lane->pattern_source),
	    .cores = {emit_core(lane->emit)},
	    .core_count = 1,
	    .sink = sink_exchange_sink(lane->exchange_sink),
	    .window = plan->options->confirm > 0 ? plan->options->confirm : UNCONFIRMED_WINDOW,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = plan->options->confirm_timeout_ns,
	    .on_fate = emit_on_fate,
	    .ctx = lane->emit};
	lane->flow = flow_create(lane->options.loop, &options);
}

/* ---- consumers ---- */

static void create_consumer(struct lane *lane)
{
	const struct plan *plan = lane->options.plan;
	const struct bench_options *o = plan->options;
	const struct plan_lane *given = lane->options.lane;
	struct absorb_options options = {.loop = lane->options.loop,
	    .notes = lane->options.notes,
	    .run = plan->run,
	    .publishers = plan->publishers,
	    .is_stamped = plan->stamp != EMIT_NONE,
	    .perftest = plan->stamp == EMIT_PERFTEST,
	    .clock = (enum probe_clock)o->clock,
	    .queues = given->queues,
	    .queue_numbers = given->queue_numbers,
	    .queue_count = given->queue_count,
	    .verdict = !o->nack	    ? ABSORB_ACCEPT
		       : o->requeue ? ABSORB_REQUEUE
				    : ABSORB_REJECT,
	    .service_ns = o->latency_ns,
	    .services = plan->services.count > 0 ? &plan->services : NULL,
	    .rate = o->consumer_rate};
	lane->absorb = absorb_create(&options);
}

static bool open_consumer(struct lane *lane, struct connection *c, struct error *err)
{
	const struct plan *plan = lane->options.plan;
	const struct bench_options *o = plan->options;
	const struct plan_lane *given = lane->options.lane;
	struct source_queue_options options = {.queues = (const char *const *)given->queues,
	    .queue_count = given->queue_count,
	    .prefetch = (uint16_t)o->prefetch,
	    .ack_every = (uint16_t)o->ack_every,
	    .ack = o->autoack ? SOURCE_QUEUE_AUTO : SOURCE_QUEUE_ACK,
	    .until_empty = o->exit_when == BENCH_EXIT_EMPTY && o->producers == 0,
	    .idle_ns = o->exit_when == BENCH_EXIT_IDLE ? EXIT_IDLE_NS : CHRONO_NEVER,
	    .arguments = plan->consumer_arguments,
	    .is_stream = given->is_stream,
	    .all_arguments = true,
	    .exclusive = o->exclusive,
	    .polling = o->polling,
	    .poll_ns = o->poll_ns};
	lane->queue_source = source_queue_open(c, &options, err);
	return lane->queue_source != NULL;
}

static void begin_consumer(struct lane *lane, uint64_t start_ns)
{
	const struct bench_options *o = lane->options.plan->options;
	absorb_start(lane->absorb, start_ns);
	lane->start_ns = start_ns;
	struct flow_options options = {.source = source_queue_source(lane->queue_source),
	    .sink = absorb_sink(lane->absorb),
	    .window = CONSUMER_WINDOW,
	    .limit = o->has_cmessages ? o->cmessages : FLOW_NO_LIMIT,
	    .drain_ns = DRAIN_NS};
	lane->flow = flow_create(lane->options.loop, &options);
}

/* ---- both ---- */

struct lane *lane_create(const struct lane_options *options, struct error *err)
{
	struct lane *lane = mem_alloc(1, sizeof *lane);
	lane->options = *options;
	if (!options->publishes)
		create_consumer(lane);
	else if (!create_publisher(lane, err)) {
		lane_free(lane);
		return NULL;
	}
	return lane;
}

bool lane_open(struct lane *lane, struct connection *c, struct error *err)
{
	return lane->options.publishes ? open_publisher(lane, c, err) : open_consumer(lane, c, err);
}

void lane_begin(struct lane *lane, uint64_t start_ns, uint64_t end_ns)
{
	if (lane->options.publishes)
		begin_publisher(lane, start_ns, end_ns);
	else
		begin_consumer(lane, start_ns);
}

/* What comes before the start waits in the source, and is not timed before the clock runs. */
static bool is_early(struct lane *lane, uint64_t *wake_ns)
{
	if (lane->start_ns != 0 && chrono_now_ns() >= lane->start_ns)
		lane->start_ns = 0;
	if (lane->start_ns != 0 && lane->start_ns < *wake_ns)
		*wake_ns = lane->start_ns;
	return lane->start_ns != 0;
}

/* Without confirms a publisher is done before the broker has sent back what nobody takes: that
 * comes until the channel closes. */
static bool has_returns(const struct lane *lane)
{
	const struct plan *plan = lane->options.plan;
	return lane->exchange_sink != NULL && lane->flow != NULL && plan->mandatory &&
	       plan->options->confirm == 0;
}

bool lane_step(struct lane *lane, uint64_t *wake_ns, struct error *err)
{
	if (lane->flow == NULL || lane->has_ended || is_early(lane, wake_ns))
		return true;
	if (flow_step(lane->flow, wake_ns, err) == FLOW_RUNS) {
		/* nothing happens on the connection when a consumer is done with its message */
		uint64_t done_ns = lane->absorb != NULL ? absorb_done_ns(lane->absorb) : *wake_ns;
		*wake_ns = done_ns < *wake_ns ? done_ns : *wake_ns;
		return true;
	}
	lane->has_ended = true;
	lane->is_finished = !has_returns(lane) || err->kind != ERROR_NONE;
	return !lane->is_finished || flow_finish(lane->flow, err);
}

void lane_stop(struct lane *lane)
{
	if (lane->flow != NULL)
		flow_stop(lane->flow);
	else
		lane->has_ended = true; /* before it began */
}

bool lane_is_done(const struct lane *lane)
{
	return lane->has_ended;
}

void lane_unblocked(struct lane *lane, uint64_t now_ns)
{
	if (lane->emit != NULL)
		emit_unblocked(lane->emit, now_ns);
}

uint64_t lane_requeued(const struct lane *lane)
{
	return lane->queue_source != NULL ? source_queue_requeued(lane->queue_source)
					  : lane->requeued;
}

uint64_t lane_dropped(const struct lane *lane)
{
	return lane->queue_source != NULL ? source_queue_lost(lane->queue_source) : lane->dropped;
}

void lane_close(struct lane *lane)
{
	struct error ignored = {0}; /* of a run that has failed or was cut short, and is told */
	if (has_returns(lane) && !lane->is_finished && !loop_stop_requested(lane->options.loop))
		IGNORE_RESULT(sink_exchange_sync(lane->exchange_sink, &ignored));
	/* nothing of the flow may outlive its source: timers of the sink */
	if (lane->flow != NULL && !lane->is_finished)
		IGNORE_RESULT(flow_finish(lane->flow, &ignored));
	lane->requeued = lane_requeued(lane);
	lane->dropped = lane_dropped(lane);
	lane->has_ended = lane->is_finished = true;
	sink_exchange_close(lane->exchange_sink);
	source_queue_close(lane->queue_source);
	lane->exchange_sink = NULL;
	lane->queue_source = NULL;
}

void lane_free(struct lane *lane)
{
	if (lane == NULL)
		return;
	for (size_t i = 0; lane->patterns != NULL && i < lane->member_count; i++)
		pattern_free(lane->patterns[i]);
	free(lane->patterns);
	free(lane->members);
	source_pattern_free(lane->pattern_source);
	flow_free(lane->flow);
	emit_free(lane->emit);
	absorb_free(lane->absorb);
	free(lane);
}
