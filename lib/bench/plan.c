#include "bench/plan_private.h"

#include "app/offset.h"
#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <stdlib.h>

#define LEAST_INTERVAL_NS (10 * CHRONO_MS)
#define MOST_SIZE (UINT64_C(128) << 20)

/* ---- options that contradict each other ---- */

static bool is_text(const char *option, const char *text, struct error *err)
{
	return text == NULL || text_is_utf8(slice_str(text)) ||
	       error_set(err, ERROR_USAGE, "option '--%s' is not UTF-8", option);
}

static bool are_texts(const char *option, const struct option_list *list, struct error *err)
{
	for (size_t i = 0; i < list->count; i++)
		if (!is_text(option, list->items[i], err))
			return false;
	return true;
}

static bool check_texts(const struct bench_options *o, struct error *err)
{
	return is_text("exchange", o->exchange, err) && is_text("type", o->type, err) &&
	       is_text("routing-key", o->routing_key, err) &&
	       is_text("queue-pattern", o->queue_pattern, err) &&
	       is_text("content-type", o->content_type, err) &&
	       are_texts("queue", &o->queues, err) && are_texts("property", &o->properties, err) &&
	       are_texts("queue-argument", &o->queue_arguments, err) &&
	       are_texts("consumer-argument", &o->consumer_arguments, err);
}

static bool check_paces(const struct bench_options *o, struct error *err)
{
	int paces = o->has_rate + o->has_total_rate + o->has_interval + (o->schedule.count > 0);
	bool has_own = o->tool.settings == NULL;
	if (paces > 1)
		return error_set(err, ERROR_USAGE,
		    "--rate, --total-rate, --publishing-interval and --schedule exclude each "
		    "other");
	/* a search sets the rate itself; settings may have one */
	if (o->arrivals == BENCH_POISSON && has_own && paces == 0 && !o->find_max)
		return error_set(err, ERROR_USAGE, "--arrivals poisson needs a rate");
	if (o->churn != BENCH_NO_CHURN && (paces > o->has_rate || o->find_max))
		return error_set(
		    err, ERROR_USAGE, "--churn goes with --rate, or as fast as it can");
	return true;
}

static bool check_consuming(const struct bench_options *o, struct error *err)
{
	if (o->autoack && (o->nack || o->requeue || o->ack_every > 0))
		return error_set(err, ERROR_USAGE,
		    "--autoack leaves nothing to acknowledge: not with --nack, --requeue or "
		    "--multi-ack-every");
	if (o->requeue && !o->nack)
		return error_set(err, ERROR_USAGE, "--requeue goes with --nack");
	if (o->requeue && o->has_cmessages)
		return error_set(err, ERROR_USAGE,
		    "--cmessages counts messages that are done with; --requeue is never done");
	bool has_end = o->has_time || o->has_pmessages || o->has_cmessages;
	if (o->exit_when == BENCH_EXIT_EMPTY && o->producers > 0 && !has_end)
		return error_set(err, ERROR_USAGE,
		    "--exit-when empty waits for the producers, so they need --time or "
		    "--pmessages");
	if (o->prefetch > 0 && o->ack_every > o->prefetch)
		return error_set(err, ERROR_USAGE,
		    "--multi-ack-every above --prefetch would wait for messages that the broker "
		    "holds back");
	if (o->latency_ns > 0 && o->latencies.count > 0)
		return error_set(err, ERROR_USAGE,
		    "--consumer-latency and --latency-schedule exclude each other");
	return o->exit_when == BENCH_EXIT_NEVER || o->consumers > 0 ||
	       error_set(err, ERROR_USAGE, "--exit-when looks at queues that somebody consumes");
}

static bool check(const struct plan *plan, struct error *err)
{
	const struct bench_options *o = plan->options;
	if (o->producers == 0 && o->consumers == 0)
		return error_set(err, ERROR_USAGE, "nothing to do: no producers and no consumers");
	if (o->report_ns < LEAST_INTERVAL_NS)
		return error_set(err, ERROR_USAGE, "--interval is at least 10ms");
	if (o->has_time && o->warm_up_ns >= o->time_ns)
		return error_set(err, ERROR_USAGE, "--warm-up leaves nothing of --time to measure");
	if (o->has_type && o->exchange == NULL)
		return error_set(err, ERROR_USAGE, "--type is that of an --exchange");
	if (o->bodies.count > 0 && (o->has_size || o->sizes.count > 0))
		return error_set(err, ERROR_USAGE, "--body has the size that it has");
	if (o->size > MOST_SIZE || steps_greatest(&plan->sizes) > MOST_SIZE)
		return error_set(err, ERROR_USAGE, "a size is at most 128MiB");
	return check_paces(o, err) && check_consuming(o, err);
}

/* ---- names of messages ---- */

bool plan_sends(const struct plan *plan, const char *name)
{
	if (plan->named[0] == NULL)
		return true;
	for (size_t i = 0; plan->named[i] != NULL; i++)
		if (strcmp(plan->named[i], name) == 0)
			return true;
	return false;
}

static bool check_names(const struct plan *plan, struct error *err)
{
	const struct settings *s = plan->settings;
	const char **known = mem_alloc(s->message_count + 1, sizeof *known);
	for (size_t i = 0; i < s->message_count; i++)
		known[i] = s->messages[i].name;
	bool good = true;
	for (size_t i = 0; good && plan->named[i] != NULL; i++)
		if (settings_find_message(s, plan->named[i]) == NULL)
			good = settings_lack("message", plan->named[i], known, NULL, err);
	free(known);
	return good;
}

/* ---- lanes ---- */

/* When a publisher begins, so that they take turns instead of sending all at once. */
static uint64_t stagger_ns(const struct plan *plan, size_t publisher)
{
	const struct bench_options *o = plan->options;
	double share = (double)publisher / (double)plan->publishers;
	if (o->random_start_ns > 0)
		return rng_entropy() % o->random_start_ns;
	if (o->has_total_rate)
		return (uint64_t)(share * (double)plan->publishers / o->total_rate * 1e9);
	if (o->has_rate)
		return (uint64_t)(share / o->rate * 1e9);
	return o->has_interval ? (uint64_t)(share * (double)o->interval_ns) : 0;
}

static bool add_producer(struct plan *plan, struct plan_link *link, struct error *err)
{
	const struct bench_options *o = plan->options;
	link->publishes = true;
	link->lanes = mem_alloc(o->producer_channels, sizeof *link->lanes);
	for (uint64_t i = 0; i < o->producer_channels; i++) {
		struct plan_lane *lane = &link->lanes[link->lane_count++];
		size_t publisher = plan->next_publisher++;
		lane->publisher = (uint32_t)publisher;
		lane->offset_ns = stagger_ns(plan, publisher);
		if (!plan_members(plan, publisher, lane, err))
			return false;
	}
	return true;
}

static void add_read_queue(struct plan *plan, struct plan_lane *lane, size_t queue)
{
	size_t i = lane->queue_count++;
	lane->queues[i] = plan->queues[queue];
	lane->is_stream[i] = plan->are_streams;
	/* everybody who reads a stream gets all of it */
	lane->queue_numbers[i] = plan->are_streams ? plan->ledger_queues++ : queue;
}

static void add_consumer(struct plan *plan, struct plan_link *link, size_t consumer)
{
	const struct bench_options *o = plan->options;
	link->lanes = mem_alloc(o->consumer_channels, sizeof *link->lanes);
	link->delay_ns = o->start_delay_ns + (o->slow_start ? consumer * CHRONO_S : 0);
	size_t most = o->queue_pattern != NULL ? 1 : plan->queue_count;
	for (uint64_t i = 0; i < o->consumer_channels; i++) {
		struct plan_lane *lane = &link->lanes[link->lane_count++];
		lane->queues = mem_alloc(most, sizeof *lane->queues);
		lane->is_stream = mem_alloc(most, sizeof *lane->is_stream);
		lane->queue_numbers = mem_alloc(most, sizeof *lane->queue_numbers);
		if (o->queue_pattern != NULL)
			add_read_queue(plan, lane, consumer % plan->queue_count);
		for (size_t q = 0; o->queue_pattern == NULL && q < plan->queue_count; q++)
			add_read_queue(plan, lane, q);
	}
}

static bool add_links(struct plan *plan, struct error *err)
{
	const struct bench_options *o = plan->options;
	plan->links = mem_alloc(o->producers + o->consumers, sizeof *plan->links);
	plan->ledger_queues = plan->are_streams || o->consumers == 0 ? 0 : plan->queue_count;
	/* consumers first: they are there before anything is sent */
	for (uint64_t i = 0; i < o->consumers; i++)
		add_consumer(plan, &plan->links[plan->link_count++], i);
	for (uint64_t i = 0; i < o->producers; i++)
		if (!add_producer(plan, &plan->links[plan->link_count++], err))
			return false;
	return true;
}

/* ---- consuming ---- */

static bool read_consuming(struct plan *plan, struct error *err)
{
	const struct bench_options *o = plan->options;
	bool good = true;
	plan->consumer_arguments = json_object();
	for (size_t i = 0; good && i < o->consumer_arguments.count; i++)
		good = plan_assign(o->consumer_arguments.items[i], plan->consumer_arguments, err);
	if (good && o->offset != NULL && !plan->are_streams)
		return error_set(err, ERROR_USAGE, "--offset is for streams; none is read here");
	json_t *offset = good && o->offset != NULL ? offset_read(o->offset, err) : NULL;
	good = good && (o->offset == NULL || offset != NULL);
	if (offset != NULL)
		json_object_set_new(plan->consumer_arguments, "x-stream-offset", offset);
	char **texts = plan_split(&o->latencies);
	for (size_t i = 0; good && texts[i] != NULL; i++)
		good = steps_add(&plan->services, texts[i], num_parse_duration, err) ||
		       error_context(err, "option '--latency-schedule'");
	plan_free_texts(texts);
	if (good && plan->are_streams && (o->autoack || o->nack || o->polling || o->prefetch == 0))
		return error_set(err, ERROR_USAGE,
		    "a stream is read with acknowledgements and a prefetch, and not polled");
	return good;
}

bool plan_make(
    struct tool *tool, const struct bench_options *options, struct plan *out, struct error *err)
{
	*out = (struct plan){.options = options,
	    .settings = &tool->settings,
	    .named = (const char *const *)tool->operands,
	    .run = (uint32_t)rng_entropy(),
	    .publishers = options->producers * options->producer_channels};
	return check_texts(options, err) && check_names(out, err) && plan_topology(out, err) &&
	       plan_message(out, err) && check(out, err) && read_consuming(out, err) &&
	       add_links(out, err);
}

static void release_lane(struct plan_lane *lane)
{
	for (size_t i = 0; i < lane->member_count; i++)
		pace_plan_release(&lane->members[i].pace);
	free(lane->members);
	free(lane->queues);
	free(lane->is_stream);
	free(lane->queue_numbers);
}

void plan_release(struct plan *plan)
{
	for (size_t i = 0; i < plan->link_count; i++) {
		for (size_t j = 0; j < plan->links[i].lane_count; j++)
			release_lane(&plan->links[i].lanes[j]);
		free(plan->links[i].lanes);
	}
	free(plan->links);
	for (size_t i = 0; i < plan->queue_count; i++)
		free(plan->queues[i]);
	free(plan->queues);
	for (size_t i = 0; i < plan->body_count; i++)
		free((char *)(uintptr_t)plan->bodies[i].ptr);
	free(plan->bodies);
	steps_release(&plan->sizes);
	steps_release(&plan->services);
	topology_release(&plan->own);
	json_decref(plan->document);
	json_decref(plan->specs);
	json_decref(plan->consumer_arguments);
	*plan = (struct plan){0};
}

/* ---- what is expected ---- */

bool plan_is_followed(const struct plan *plan)
{
	const struct bench_options *o = plan->options;
	bool is_stamped = plan->stamp == EMIT_BODY || plan->stamp == EMIT_HEADER;
	bool all_read = o->queue_pattern == NULL || o->consumers >= plan->queue_count;
	return is_stamped && all_read && o->producers > 0 && o->consumers > 0;
}

/* Whether every message reaches every queue. The default exchange knows queues by their names. */
static bool reaches_all(const struct plan *plan)
{
	const struct bench_options *o = plan->options;
	bool is_shared_key = o->queue_pattern == NULL || o->routing_key != NULL;
	return plan_exchange(plan)[0] != '\0' && (is_shared_key || strcmp(o->type, "fanout") == 0);
}

/* Whether we know what reaches what: the topology is ours and of a kind that is simple to tell. */
static bool is_known(const struct plan *plan)
{
	const struct bench_options *o = plan->options;
	bool simple = strcmp(o->type, "direct") == 0 || strcmp(o->type, "fanout") == 0;
	return plan->topology == &plan->own && !o->random_routing_key && simple &&
	       (plan->specs == NULL || json_array_size(plan->specs) > 0);
}

static void expect_lane(
    const struct plan *plan, const struct plan_lane *lane, struct ledger *ledger)
{
	for (size_t q = 0; q < lane->queue_count; q++)
		for (size_t p = 0; p < plan->publishers; p++) {
			bool reached =
			    reaches_all(plan) || strcmp(lane->queues[q], plan_key(plan, p)) == 0;
			if (reached)
				ledger_expect(ledger, p, lane->queue_numbers[q]);
		}
}

void plan_expect(const struct plan *plan, struct ledger *ledger)
{
	if (!is_known(plan))
		return;
	for (size_t i = 0; i < plan->link_count; i++)
		for (size_t j = 0; !plan->links[i].publishes && j < plan->links[i].lane_count; j++)
			expect_lane(plan, &plan->links[i].lanes[j], ledger);
}
