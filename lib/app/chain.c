#include "app/chain.h"

#include "app/chain_exec.h"
#include "app/chain_memory.h"
#include "app/enforce.h"
#include "app/locate.h"
#include "base/mem.h"
#include "base/rng.h"
#include "flow/core_delay.h"
#include "flow/core_jq.h"
#include "flow/core_transform.h"
#include "model/reader.h"

#include <stdlib.h>

/* RabbitMQ takes back after 30 minutes what is not acknowledged (consumer_timeout), and closes the
 * channel over it. */
#define MAX_DELAY_NS (20 * 60 * CHRONO_S)

/* A step that is open. */
struct link {
	struct flow_core core;
	unsigned route;
	void (*release)(void *self);
	void *self; /* what release gets; NULL: it is somebody else's */
	void (*count)(const void *self, struct chain_counts *counts); /* NULL: nothing */
	bool routes, changes;
	uint64_t patience_ns;
};

struct chain {
	struct chain_options options;
	struct link links[FLOW_MAX_CORES];
	size_t count;
	bool is_unordered;   /* what has come so far need not be in its order */
	const char *pointer; /* of the list that is opened; NULL: from the command line */
};

/* ---- the kinds ---- */

static void release_jq(void *self)
{
	core_transform_free(self);
}

static bool open_jq(struct chain *chain, const json_t *step, struct link *link, struct error *err)
{
	const char *as = json_string_value(json_object_get(step, "as"));
	const struct core_transform_options options = {
	    .expression = json_string_value(json_object_get(step, "jq")),
	    .as = as != NULL && strcmp(as, "message") == 0 ? CORE_TRANSFORM_MESSAGE
							   : CORE_TRANSFORM_BODY,
	    .one_answer = chain->options.one_answer};
	struct core_transform *core = core_transform_create(&options, err);
	if (core == NULL)
		return false;
	link->core = core_transform_core(core);
	link->self = core;
	link->routes = options.as == CORE_TRANSFORM_MESSAGE;
	return true;
}

static void count_jq(const void *self, struct chain_counts *counts)
{
	counts->dropped += core_transform_dropped(self);
}

static void release_filter(void *self)
{
	core_jq_free(self);
}

static bool open_filter(
    struct chain *chain, const json_t *step, struct link *link, struct error *err)
{
	const char *unmatched = json_string_value(json_object_get(step, "unmatched"));
	/* who asks is told, whatever becomes of it */
	bool rejects =
	    chain->options.one_answer || (unmatched != NULL && strcmp(unmatched, "reject") == 0);
	struct core_jq *core = core_jq_create(json_string_value(json_object_get(step, "filter")),
	    rejects ? FLOW_REJECTED : FLOW_ACCEPTED, err);
	if (core == NULL)
		return false;
	link->core = core_jq_core(core);
	link->self = core;
	return true;
}

static void count_filter(const void *self, struct chain_counts *counts)
{
	counts->unmatched += core_jq_hidden(self);
}

static void release_exec(void *self)
{
	chain_exec_free(self);
}

static void count_exec(const void *self, struct chain_counts *counts)
{
	counts->unset_variables += chain_exec_left_out(self);
}

static bool open_exec(struct chain *chain, const json_t *step, struct link *link, struct error *err)
{
	/* who types a command stands somewhere; one that is written down belongs to its file */
	const struct tool *tool = chain->options.tool;
	const char *folder = chain->pointer != NULL ? tool->settings.directory : NULL;
	const struct chain_exec_options options = {.folder = folder,
	    .one_answer = chain->options.one_answer,
	    .is_told = chain->options.is_told};
	struct chain_exec *exec = chain_exec_open(tool->loop, &options, step, err);
	if (exec == NULL)
		return false;
	chain->is_unordered |= json_is_false(json_object_get(step, "order"));
	link->core = chain_exec_core(exec);
	link->self = exec;
	link->routes = chain_exec_routes(exec);
	link->patience_ns = chain_exec_patience_ns(exec);
	return true;
}

static void release_dedupe(void *self)
{
	core_dedupe_free(self);
}

static bool open_dedupe(
    struct chain *chain, const json_t *step, struct link *link, struct error *err)
{
	const char *where = chain->pointer != NULL ? chain->pointer : chain->options.name;
	const struct chain_options *o = &chain->options;
	/* messages that wait for each other's parts, which the store wants whole */
	if (chain->is_unordered && o->store != NULL && json_object_get(step, "store") == NULL)
		return error_set(err, ERROR_USAGE,
		    "dedupe behind an exec with 'order: false' does not go with an event store for "
		    "the results; put it before, or keep the order");
	struct core_dedupe *core =
	    chain_memory_dedupe(o->tool, step, where, o->store, o->one_answer, err);
	if (core == NULL)
		return false;
	link->core = core_dedupe_core(core);
	link->self = core;
	return true;
}

static void count_dedupe(const void *self, struct chain_counts *counts)
{
	counts->duplicates += core_dedupe_duplicates(self);
	counts->unkeyed += core_dedupe_unkeyed(self);
}

static void release_contract(void *self)
{
	core_contract_free(self);
}

static void set_contract(struct core_contract *core, struct link *link)
{
	*link = (struct link){.core = core_contract_core(core),
	    .route = link->route,
	    .release = release_contract,
	    .self = core};
}

static bool open_contract(
    struct chain *chain, const json_t *step, struct link *link, struct error *err)
{
	const struct core_contract_scope all = {0};
	const struct settings *settings = &chain->options.tool->settings;
	struct core_contract *core = core_contract_create();
	char *path =
	    locate_below(settings->directory, json_string_value(json_object_get(step, "contract")));
	bool good = core_contract_add(core, path, &all, err);
	free(path);
	if (good)
		set_contract(core, link);
	else
		core_contract_free(core);
	return good;
}

static void release_enrich(void *self)
{
	core_enrich_free(self);
}

static bool open_enrich(
    struct chain *chain, const json_t *step, struct link *link, struct error *err)
{
	struct core_enrich *core = chain_memory_enrich(chain->options.tool, step, err);
	if (core == NULL)
		return false;
	link->core = core_enrich_core(core);
	link->self = core;
	return true;
}

static void count_enrich(const void *self, struct chain_counts *counts)
{
	counts->unenriched += core_enrich_missed(self);
}

static void release_delay(void *self)
{
	core_delay_free(self);
}

static bool open_delay(
    struct chain *chain, const json_t *step, struct link *link, struct error *err)
{
	struct reader reader = {.report = reader_keep_first, .ctx = err};
	struct core_delay_options options = {.seed = rng_entropy()};
	reader_duration_range(&reader, step, "delay", &options.from_ns, &options.to_ns);
	reader_release(&reader);
	if (reader.failed)
		return false;
	if (options.to_ns > MAX_DELAY_NS)
		return error_set(err, ERROR_USAGE,
		    "delay: at most 20m are accepted, since a broker takes back what is not "
		    "acknowledged after 30m; a queue with message_ttl and dead_letter waits "
		    "longer");
	struct core_delay *core = core_delay_create(chain->options.tool->loop, &options);
	link->core = core_delay_core(core);
	link->self = core;
	link->patience_ns = options.to_ns;
	return true;
}

static const struct kind {
	const char *key;
	bool changes; /* what comes out is another message */
	bool (*open)(struct chain *chain, const json_t *step, struct link *link, struct error *err);
	void (*release)(void *self);
	void (*count)(const void *self, struct chain_counts *counts); /* NULL: nothing */
} kinds[] = {
    {"jq", true, open_jq, release_jq, count_jq},
    {"filter", false, open_filter, release_filter, count_filter},
    {"contract", false, open_contract, release_contract, NULL},
    {"exec", true, open_exec, release_exec, count_exec},
    {"delay", false, open_delay, release_delay, NULL},
    {"dedupe", false, open_dedupe, release_dedupe, count_dedupe},
    {"enrich", true, open_enrich, release_enrich, count_enrich},
};

/* ---- the list ---- */

static const struct kind *find_kind(const json_t *step)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (json_object_get(step, kinds[i].key) != NULL)
			return &kinds[i];
	return NULL;
}

/* Fails with the place of the step. */
static bool refuse(const struct chain *chain, const char *pointer, size_t number, struct error *err)
{
	const struct document *document = chain->options.tool->settings.document;
	struct error why = *err;
	if (pointer == NULL)
		return false;
	char *whole = mem_printf("%s/%zu", pointer, number);
	char *path = document_path(whole);
	struct place place = document_place(document, whole);
	error_clear(err);
	error_set(err, ERROR_SETTINGS, "%s:%u:%u: %s: %s", document_name(document), place.line,
	    place.column, path, why.text);
	free(path);
	free(whole);
	return false;
}

static bool add(struct chain *chain, const json_t *step, unsigned route, struct error *err)
{
	const struct kind *kind = find_kind(step);
	if (kind == NULL)
		return error_set(err, ERROR_USAGE, "no such step");
	if (chain->count == FLOW_MAX_CORES)
		return error_set(err, ERROR_USAGE, "more than %d steps", FLOW_MAX_CORES);
	struct link *link = &chain->links[chain->count];
	*link = (struct link){.route = route,
	    .release = kind->release,
	    .count = kind->count,
	    .changes = kind->changes};
	if (!kind->open(chain, step, link, err))
		return false;
	chain->count++;
	return true;
}

bool chain_add(struct chain *chain, const json_t *steps, const char *pointer, unsigned route,
    struct error *err)
{
	chain->pointer = pointer;
	for (size_t i = 0; i < json_array_size(steps); i++)
		if (!add(chain, json_array_get(steps, i), route, err))
			return refuse(chain, pointer, i, err);
	return true;
}

bool chain_add_contracts(
    struct chain *chain, const char *const *queues, size_t count, struct error *err)
{
	struct core_contract *core = NULL;
	bool good = enforce_queues(&chain->options.tool->settings, queues, count, &core, err);
	if (good && core != NULL && chain->count == FLOW_MAX_CORES)
		good = error_set(err, ERROR_USAGE, "more than %d steps", FLOW_MAX_CORES);
	if (!good)
		core_contract_free(core);
	else if (core != NULL)
		set_contract(core, &chain->links[chain->count++]);
	return good;
}

void chain_add_core(struct chain *chain, struct flow_core core, unsigned route)
{
	chain->links[chain->count++] = (struct link){.core = core, .route = route};
}

void chain_add_owned(struct chain *chain, struct flow_core core, unsigned route,
    void (*release)(void *self), void *self)
{
	chain->links[chain->count++] =
	    (struct link){.core = core, .route = route, .release = release, .self = self};
}

bool chain_changes_on(const struct chain *chain, unsigned route)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->links[i].changes &&
		    (chain->links[i].route == 0 || chain->links[i].route == route))
			return true;
	return false;
}

/* The next of the steps from *i on that remember; NULL: there is no other. */
static struct core_dedupe *next_dedupe(const struct chain *chain, size_t *i)
{
	while (*i < chain->count) {
		const struct link *link = &chain->links[(*i)++];
		if (link->release == release_dedupe)
			return link->self;
	}
	return NULL;
}

bool chain_mark(void *ctx, uint64_t slot, size_t index, struct append_mark *out)
{
	const struct chain *chain = ctx;
	const struct core_dedupe *core;
	for (size_t i = 0; (core = next_dedupe(chain, &i)) != NULL;)
		if (core_dedupe_mark(core, slot, chain->options.store, out) && index-- == 0)
			return true;
	return false;
}

bool chain_has_dedupe(const struct chain *chain)
{
	size_t i = 0;
	return next_dedupe(chain, &i) != NULL;
}

void chain_keep_answer(const struct chain *chain, uint64_t slot, const struct message *answer)
{
	struct core_dedupe *core;
	for (size_t i = 0; (core = next_dedupe(chain, &i)) != NULL;)
		core_dedupe_keep_answer(core, slot, answer);
}

const struct message *chain_find_answer(const struct chain *chain, uint64_t slot)
{
	struct core_dedupe *core;
	const struct message *found = NULL;
	for (size_t i = 0; found == NULL && (core = next_dedupe(chain, &i)) != NULL;)
		found = core_dedupe_find_answer(core, slot);
	return found;
}

bool chain_routes(const struct chain *chain, unsigned route)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->links[i].routes &&
		    (chain->links[i].route == 0 || chain->links[i].route == route))
			return true;
	return false;
}

void chain_count(const struct chain *chain, struct chain_counts *counts)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->links[i].count != NULL)
			chain->links[i].count(chain->links[i].self, counts);
}

uint64_t chain_patience_ns(const struct chain *chain)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < chain->count; i++)
		sum += chain->links[i].patience_ns;
	return sum;
}

size_t chain_length(const struct chain *chain)
{
	return chain->count;
}

void chain_wire(const struct chain *chain, struct flow_options *flow)
{
	for (size_t i = 0; i < chain->count; i++) {
		flow->routes[flow->core_count] = chain->links[i].route;
		flow->cores[flow->core_count++] = chain->links[i].core;
	}
}

struct chain *chain_create(const struct chain_options *options)
{
	struct chain *chain = mem_alloc(1, sizeof *chain);
	chain->options = *options;
	return chain;
}

void chain_free(struct chain *chain)
{
	if (chain == NULL)
		return;
	for (size_t i = chain->count; i > 0; i--)
		if (chain->links[i - 1].self != NULL)
			chain->links[i - 1].release(chain->links[i - 1].self);
	free(chain);
}
