#include "bench/plan_private.h"

#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>

#define MOST_QUEUES 100000
#define DEAD_LETTER_EXCHANGE "x-dead-letter-exchange"

char **plan_split(const struct option_list *list)
{
	char **texts = NULL;
	size_t count = 0, capacity = 0;
	for (size_t i = 0; i < list->count; i++) {
		for (const char *at = list->items[i]; at != NULL;) {
			size_t len = strcspn(at, ",");
			texts = mem_grow(texts, &capacity, count + 2, sizeof *texts);
			texts[count++] = mem_strndup(at, len);
			at = at[len] == ',' ? at + len + 1 : NULL;
		}
	}
	return texts != NULL ? texts : mem_alloc(1, sizeof *texts);
}

void plan_free_texts(char **texts)
{
	for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
		free(texts[i]);
	free(texts);
}

/* ---- queues ---- */

static void add_queue(struct plan *plan, char *name)
{
	plan->queues = mem_grow(
	    plan->queues, &plan->queue_capacity, plan->queue_count + 1, sizeof *plan->queues);
	plan->queues[plan->queue_count++] = name;
}

/* The place of the number in a pattern such as perf-%d or perf-%03d, and its width. */
static bool read_pattern(
    const char *pattern, size_t *at, size_t *len, int *width, struct error *err)
{
	const char *percent = strchr(pattern, '%');
	const char *end = percent != NULL ? percent + 1 + strspn(percent + 1, "0123456789") : NULL;
	if (percent == NULL || *end != 'd' || strchr(end, '%') != NULL || end - percent > 3 ||
	    (end - percent > 1 && percent[1] != '0'))
		return error_set(err, ERROR_USAGE,
		    "option '--queue-pattern' takes a name with one %%d, or %%03d, for the number");
	*at = (size_t)(percent - pattern);
	*len = (size_t)(end + 1 - percent);
	*width = atoi(percent + 1);
	return true;
}

static bool add_numbered(struct plan *plan, struct error *err)
{
	const struct bench_options *o = plan->options;
	size_t at = 0, len = 0;
	int width = 0;
	if (!read_pattern(o->queue_pattern, &at, &len, &width, err))
		return false;
	if (o->queue_to < o->queue_from || o->queue_to - o->queue_from >= MOST_QUEUES)
		return error_set(err, ERROR_USAGE,
		    "--queue-pattern-from to --queue-pattern-to must be 1 to %d queues",
		    MOST_QUEUES);
	uint64_t more = o->queue_to - o->queue_from;
	for (uint64_t i = 0; i <= more; i++) {
		uint64_t number = o->queue_from + i;
		add_queue(plan, mem_printf("%.*s%0*" PRIu64 "%s", (int)at, o->queue_pattern, width,
				    number, o->queue_pattern + at + len));
	}
	return true;
}

static void add_written(struct plan *plan)
{
	const struct topology *t = &plan->settings->topology;
	for (size_t i = 0; i < t->queue_count; i++) {
		if (t->queues[i].made_for == NULL)
			add_queue(plan, mem_strdup(t->queues[i].name));
	}
}

/* A queue that is read twice by everybody would not get what the ledger expects. */
static bool check_named(const struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->queue_count; i++) {
		if (plan->queues[i][0] == '\0')
			return error_set(err, ERROR_USAGE, "a queue needs a name");
		for (size_t j = 0; j < i; j++)
			if (strcmp(plan->queues[i], plan->queues[j]) == 0) {
				char *shown = text_quote(slice_str(plan->queues[i]));
				error_set(err, ERROR_USAGE, "queue '%s' is named twice", shown);
				free(shown);
				return false;
			}
	}
	return true;
}

static bool add_named(struct plan *plan, struct error *err)
{
	char **names = plan_split(&plan->options->queues);
	for (size_t i = 0; names[i] != NULL; i++)
		add_queue(plan, names[i]);
	free(names); /* the names themselves are kept */
	return check_named(plan, err);
}

static bool choose_queues(struct plan *plan, struct error *err)
{
	const struct bench_options *o = plan->options;
	if (o->queue_pattern != NULL && o->queues.count > 0)
		return error_set(
		    err, ERROR_USAGE, "--queue and --queue-pattern exclude each other");
	if (o->queue_pattern != NULL)
		return add_numbered(plan, err);
	if (o->queues.count > 0)
		return add_named(plan, err);
	if (o->tool.settings != NULL && plan->settings->topology.queue_count > 0)
		add_written(plan);
	if (plan->queue_count > 0)
		return true;
	add_queue(plan, mem_printf("warren-bench-%08x", plan->run));
	plan->is_removed = true;
	return true;
}

/* ---- what is declared ---- */

static bool is_shared_key(const struct plan *plan)
{
	return plan->options->queue_pattern == NULL || plan->options->routing_key != NULL;
}

const char *plan_exchange(const struct plan *plan)
{
	const char *exchange = plan->options->exchange;
	return exchange != NULL ? exchange : "";
}

const char *plan_key(const struct plan *plan, size_t publisher)
{
	if (plan->options->routing_key != NULL)
		return plan->options->routing_key;
	return plan->queues[is_shared_key(plan) ? 0 : publisher % plan->queue_count];
}

static json_t *queue_document(const struct plan *plan, json_t *arguments)
{
	static const char *const types[] = {"classic", "quorum", "stream"};
	const struct bench_options *o = plan->options;
	bool classic = o->queue_type == BENCH_CLASSIC;
	json_t *queue = json_pack(
	    "{s:s, s:b}", "type", types[o->queue_type], "durable", o->durable || !classic);
	/* the queue of the run is taken away at its end, and looked at before */
	if (classic && o->auto_delete && !plan->is_removed)
		json_object_set_new(queue, "auto_delete", json_true());
	if (json_object_size(arguments) > 0)
		json_object_set(queue, "arguments", arguments);
	return queue;
}

static void add_bindings(const struct plan *plan, json_t *document)
{
	json_t *bindings = json_array();
	for (size_t i = 0; i < plan->queue_count; i++)
		json_array_append_new(
		    bindings, json_pack("{s:s, s:s, s:s}", "exchange", plan_exchange(plan), "queue",
				  plan->queues[i], "routing_key", plan_key(plan, i)));
	json_object_set_new(document, "bindings", bindings);
}

static bool is_builtin(const char *exchange)
{
	return exchange[0] == '\0' || strncmp(exchange, "amq.", 4) == 0;
}

/* The topology as it would stand in settings. */
static json_t *write_document(const struct plan *plan, json_t *arguments)
{
	const struct bench_options *o = plan->options;
	const char *exchange = plan_exchange(plan);
	json_t *document = json_object(), *queues = json_object();
	for (size_t i = 0; i < plan->queue_count; i++)
		json_object_set_new(queues, plan->queues[i], queue_document(plan, arguments));
	json_object_set_new(document, "queues", queues);
	if (!is_builtin(exchange))
		json_object_set_new(document, "exchanges",
		    json_pack("{s:{s:s, s:b}}", exchange, "type", o->type, "durable", true));
	if (exchange[0] != '\0')
		add_bindings(plan, document);
	return document;
}

/* An exchange for dead letters may be anybody's, or not there at all. */
static void add_dead_letters(struct plan *plan, const json_t *exchange)
{
	for (size_t i = 0; exchange != NULL && i < plan->own.queue_count; i++)
		json_object_set(plan->own.queues[i].arguments, DEAD_LETTER_EXCHANGE,
		    (json_t *)(uintptr_t)exchange);
}

static bool make_own(struct plan *plan, struct error *err)
{
	json_t *arguments = json_object();
	bool good = true;
	for (size_t i = 0; good && i < plan->options->queue_arguments.count; i++)
		good = plan_assign(plan->options->queue_arguments.items[i], arguments, err);
	json_t *dead_letters = json_incref(json_object_get(arguments, DEAD_LETTER_EXCHANGE));
	json_object_del(arguments, DEAD_LETTER_EXCHANGE);
	if (good) {
		plan->document = write_document(plan, arguments);
		good = topology_read(plan->document, &plan->own, reader_keep_first, err);
		add_dead_letters(plan, dead_letters);
	}
	plan->topology = &plan->own;
	json_decref(dead_letters);
	json_decref(arguments);
	return good;
}

/* Whether the settings say what is declared. */
static bool has_settings_topology(const struct plan *plan)
{
	const struct topology *t = &plan->settings->topology;
	return plan->options->tool.settings != NULL && t->queue_count + t->exchange_count > 0;
}

static bool find_streams(struct plan *plan, struct error *err)
{
	const struct bench_options *o = plan->options;
	/* of queues that somebody else declares an offset tells */
	bool is_said = o->queue_type == BENCH_STREAM || (o->predeclared && o->offset != NULL);
	size_t streams = 0;
	for (size_t i = 0; i < plan->queue_count; i++) {
		const struct topology_queue *q =
		    topology_find_queue(&plan->settings->topology, slice_str(plan->queues[i]));
		streams += q != NULL ? strcmp(q->type, "stream") == 0 : is_said;
	}
	plan->are_streams = streams > 0;
	return streams == 0 || streams == plan->queue_count ||
	       error_set(err, ERROR_USAGE, "streams are read by themselves, without other queues");
}

static bool check(const struct plan *plan, struct error *err)
{
	const struct bench_options *o = plan->options;
	bool to_default = plan_exchange(plan)[0] == '\0';
	bool sends_own =
	    o->producers > 0 && (o->tool.settings == NULL || plan->settings->message_count == 0);
	if (sends_own && o->random_routing_key && to_default)
		return error_set(err, ERROR_USAGE, "--random-routing-key needs an --exchange");
	if (sends_own && to_default && o->queue_pattern == NULL && plan->queue_count > 1)
		return error_set(err, ERROR_USAGE,
		    "several queues get the same messages from an --exchange; or each its own, "
		    "with "
		    "--queue-pattern");
	return true;
}

bool plan_topology(struct plan *plan, struct error *err)
{
	if (!choose_queues(plan, err))
		return false;
	if (has_settings_topology(plan))
		plan->topology = &plan->settings->topology;
	else if (!make_own(plan, err))
		return false;
	if (plan->options->predeclared)
		plan->topology = NULL;
	return check(plan, err) && find_streams(plan, err);
}
