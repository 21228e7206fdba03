#include "app/relay_flow.h"

#include "app/relay_fates.h"
#include "app/relay_input.h"
#include "app/relay_logic.h"
#include "app/relay_output.h"
#include "app/watch.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/core_switch.h"
#include "flow/source_queue.h"

#include <stdlib.h>

#define DRAIN_NS (5 * CHRONO_S) /* after a stop, for confirms, when the steps are done */
#define MOST_TOLD 20		/* rejected messages that are told one by one */

struct relay_flow {
	struct tool *tool;
	const struct relay_options *options;
	const struct relay_plan *plan;
	struct printer *printer;
	struct relay_input input;
	struct relay_output output;
	struct relay_logic logic;
	struct relay_fates *fates;
	struct watch *watch;
	struct flow *flow;
	bool has_ended;
	uint64_t told;
	/* what is known at the end alone */
	struct flow_counts counts;
	struct retrier_counts sent_on;
	uint64_t requeued, unacknowledged;
};

const char *relay_flow_name(const struct relay_flow *r)
{
	return r->plan->name;
}

const char *const *relay_flow_queues(const struct relay_flow *r)
{
	return r->input.queues;
}

const struct flow *relay_flow_flow(const struct relay_flow *r)
{
	return r->flow;
}

/* ---- what is told of messages ---- */

static bool is_ready(void *ctx)
{
	const struct relay_flow *r = ctx;
	return printer_is_ready(r->printer);
}

/* Of results that found no place the printer tells. */
static const char *judgement(enum flow_fate fate)
{
	return fate == FLOW_REJECTED ? "rejects" : fate == FLOW_RETRY ? "will try again" : NULL;
}

static void on_fate(
    void *ctx, const struct flow_message *m, enum flow_fate fate, const char *reason)
{
	struct relay_flow *r = ctx;
	const char *does = judgement(fate);
	if (does == NULL || r->told > MOST_TOLD)
		return;
	if (r->told++ == MOST_TOLD) {
		log_write(
		    LOG_WARNING, "%s: further such messages are only counted", r->plan->title);
		return;
	}
	char *id = text_quote(m->id.len > 0 ? m->id : SLICE("without an id"));
	log_write(LOG_WARNING, "%s %s message %s%s%s", r->plan->title, does, id,
	    reason[0] != '\0' ? ": " : "", reason);
	free(id);
}

/* ---- opening ---- */

static bool create(struct relay_flow *r, struct error *err)
{
	struct tool *tool = r->tool;
	if (!relay_output_init(&r->output, tool, r->options, r->plan, err) ||
	    !relay_input_init(&r->input, tool, r->options, r->plan, err))
		return relay_logic_refuse(tool, r->plan, err);
	const struct relay_logic_ends ends = {.queues = r->input.queues,
	    .queue_count = r->input.queue_count,
	    .user = relay_link_user(&r->output.link),
	    .store = r->output.store};
	if (!relay_logic_open(&r->logic, tool, r->plan, &ends, err))
		return false;
	r->fates = relay_fates_create(r->printer);
	chain_add_core(r->logic.chain, relay_fates_core(r->fates), 0);
	return true;
}

struct relay_flow *relay_flow_create(struct tool *tool, const struct relay_options *options,
    const struct relay_plan *plan, struct printer *printer, struct error *err)
{
	struct relay_flow *r = mem_alloc(1, sizeof *r);
	r->tool = tool;
	r->options = options;
	r->plan = plan;
	r->printer = printer;
	if (create(r, err))
		return r;
	relay_flow_free(r);
	return NULL;
}

/* What a full queue nacks can go by the retry policy of where it came from. */
static bool has_policies(const struct relay_input *in)
{
	bool all = in->queue_count > 0;
	for (size_t i = 0; i < in->queue_count; i++)
		all = all && in->retrying.policies[i].is_set &&
		      !in->retrying.policies[i].rejects_only;
	return all;
}

static const char *spec_text(const struct relay_flow *r, const char *key)
{
	return json_string_value(json_object_get(r->plan->spec, key));
}

/* As far as it can be seen without the broker: a result that goes to the queue it comes from. */
static void warn_of_circle(const struct relay_flow *r)
{
	const char *exchange = spec_text(r, "exchange"), *key = spec_text(r, "routing_key");
	if (key == NULL || (exchange != NULL && exchange[0] != '\0') ||
	    spec_text(r, "from") != NULL || spec_text(r, "to") != NULL)
		return;
	for (size_t i = 0; i < r->input.queue_count; i++) {
		if (strcmp(r->input.queues[i], key) != 0)
			continue;
		char *shown = text_quote(slice_str(key));
		log_write(LOG_WARNING,
		    "the results of %s go to queue '%s', where they come from: round for ever, "
		    "unless a step ends it",
		    r->plan->title, shown);
		free(shown);
	}
}

bool relay_flow_connect(struct relay_flow *r, struct error *err)
{
	warn_of_circle(r);
	if (!relay_input_connect(&r->input, err))
		return error_context(err, "%s", r->plan->title);
	const struct relay_output_options how = {.window = relay_input_window(&r->input),
	    .chain = r->logic.chain,
	    .routes = r->logic.routes,
	    .gives_up = has_policies(&r->input)};
	return relay_output_open(&r->output, &how, err) || error_context(err, "%s", r->plan->title);
}

static void watch_over(struct relay_flow *r, struct flow_options *flow)
{
	const struct watch_options watched = {.parts = {.name = r->plan->name,
						  .queues = r->input.queues,
						  .queue_count = r->input.queue_count,
						  .recovery = r->input.link.recovery,
						  .retrier = r->input.retrying.retrier,
						  .sink = r->output.exchange},
	    .spans = (r->input.queues != NULL ? WATCH_PROCESS : WATCH_NO_SPANS) |
		     (r->output.exchange != NULL ? WATCH_PUBLISH : WATCH_NO_SPANS),
	    .from = r->input.link.uris,
	    .to = r->output.link.uris};
	r->watch = watch_open(r->tool, &watched, flow);
}

bool relay_flow_open(struct relay_flow *r, struct error *err)
{
	const struct relay_options *o = r->options;
	if (!relay_input_open(&r->input, err))
		return error_context(err, "%s", r->plan->title);
	struct flow_options flow = {.source = relay_input_source(&r->input),
	    .sink = relay_output_sink(&r->output),
	    .window = relay_input_window(&r->input),
	    .limit = o->has_count ? o->count : FLOW_NO_LIMIT,
	    .drain_ns = chrono_after(DRAIN_NS, chain_patience_ns(r->logic.chain)),
	    .keep_messages = r->input.retrying.retrier != NULL,
	    .is_ready = is_ready,
	    .on_fate = on_fate,
	    .ctx = r};
	chain_wire(r->logic.chain, &flow);
	watch_over(r, &flow);
	r->flow = flow_create(r->tool->loop, &flow);
	watch_begin(r->watch, r->flow);
	return true;
}

/* ---- the run ---- */

bool relay_flow_runs(const struct relay_flow *r)
{
	return !r->has_ended;
}

static bool finish(struct relay_flow *r, struct error *err)
{
	const struct relay_input *in = &r->input;
	if (r->has_ended)
		return true;
	r->has_ended = true;
	bool good = flow_finish(r->flow, err);
	r->counts = *flow_counts(r->flow);
	if (in->retrying.retrier != NULL) {
		r->sent_on = *retrier_counts(in->retrying.retrier);
		r->sent_on.unsent += retrier_under_way(in->retrying.retrier);
	}
	if (in->queue_source != NULL) {
		r->requeued = source_queue_requeued(in->queue_source);
		r->unacknowledged = source_queue_unacknowledged(in->queue_source);
	}
	watch_end(r->watch);
	r->watch = NULL;
	flow_free(r->flow);
	r->flow = NULL;
	relay_input_close(&r->input);
	return good || error_context(err, "%s", r->plan->title);
}

bool relay_flow_step(struct relay_flow *r, uint64_t *wake_ns, struct error *err)
{
	enum flow_state state = flow_step(r->flow, wake_ns, err);
	if (state == FLOW_RUNS)
		return true;
	*wake_ns = 0;
	return finish(r, err);
}

void relay_flow_free(struct relay_flow *r)
{
	if (r == NULL)
		return;
	watch_end(r->watch);
	flow_free(r->flow);
	relay_logic_close(&r->logic);
	relay_fates_free(r->fates);
	relay_input_release(&r->input);
	relay_output_release(&r->output);
	free(r);
}

/* ---- the counts ---- */

static uint64_t count_dropped(const struct relay_flow *r, const struct chain_counts *chain)
{
	return chain->dropped + (r->logic.types != NULL ? core_switch_dropped(r->logic.types) : 0);
}

void relay_flow_count(const struct relay_flow *r, struct summary_row rows[RELAY_FLOW_ROWS])
{
	const struct flow_counts *c = &r->counts;
	const struct relay_fates_counts *results = relay_fates_counts(r->fates);
	struct chain_counts chain = {0};
	chain_count(r->logic.chain, &chain);
	const struct summary_row all[RELAY_FLOW_ROWS] = {
	    {"received", c->offered, false},
	    {"published", results->fates[FLOW_ACCEPTED], false},
	    {"dropped", count_dropped(r, &chain), true},
	    {"unmatched", chain.unmatched, true},
	    {"duplicates", chain.duplicates, true},
	    {"unkeyed", chain.unkeyed, true},
	    {"unenriched", chain.unenriched, true},
	    {"rejected", c->fates[FLOW_REJECTED], true},
	    {"retried", r->sent_on.retried, true},
	    {"parked", r->sent_on.parked, true},
	    {"returned", results->fates[FLOW_RETURNED], true},
	    {"nacked", results->fates[FLOW_NACKED], true},
	    {"unconfirmed", results->fates[FLOW_UNCONFIRMED], true},
	    {"resent", relay_output_resent(&r->output), true},
	    {"known", relay_output_known(&r->output), true},
	    {"unstored", results->fates[FLOW_HELD], true},
	    {"unsent", r->sent_on.unsent, true},
	    {"requeued", r->requeued, true},
	    {"unacknowledged", r->unacknowledged, true},
	    {"released", c->fates[FLOW_RELEASED], true},
	    {"redelivered", c->redelivered, true},
	    {"unset_variables", chain.unset_variables, true},
	};
	memcpy(rows, all, sizeof all);
}

bool relay_flow_has_lost(const struct relay_flow *r)
{
	const struct flow_counts *c = &r->counts;
	uint64_t unplaced = c->fates[FLOW_RETURNED] + c->fates[FLOW_NACKED];
	if (r->input.queues != NULL) /* all else is in its queue, or was judged */
		return r->sent_on.unsent > 0 || unplaced > r->sent_on.retried + r->sent_on.parked;
	return c->fates[FLOW_ACCEPTED] < c->offered;
}
