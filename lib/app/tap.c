#include "app/tap.h"

#include "app/inquire.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/text.h"
#include "broker/provision.h"
#include "model/firehose.h"

#include <stdlib.h>

#define LONGEST_SHOWN_NAME 200 /* of an exchange, in the name of a queue: 255 bytes at most */

static void add_binding(struct taps *taps, const char *key)
{
	struct topology *t = &taps->topology;
	const struct tap *tap = &taps->items[taps->count - 1];
	for (size_t i = 0; i < t->binding_count; i++)
		if (t->bindings[i].destination == tap->queue &&
		    strcmp(t->bindings[i].routing_key, key) == 0)
			return;
	t->bindings = mem_grow(
	    t->bindings, &taps->binding_capacity, t->binding_count + 1, sizeof *t->bindings);
	t->bindings[t->binding_count++] = (struct topology_binding){
	    .exchange = tap->exchange, .destination = tap->queue, .routing_key = key};
}

/* Its name tells who looks at the broker what it is for. */
static void add_tap(struct taps *taps, const char *exchange, bool is_firehose)
{
	struct topology *t = &taps->topology;
	bool is_long = strlen(exchange) > LONGEST_SHOWN_NAME;
	char *name = mem_printf("warren.events.%s%s.%016llx",
	    is_firehose ? "firehose"
	    : is_long	? "tap"
			: "tap.",
	    is_firehose || is_long ? "" : exchange, (unsigned long long)rng_entropy());
	taps->items = mem_grow(taps->items, &taps->capacity, taps->count + 1, sizeof *taps->items);
	taps->items[taps->count++] = (struct tap){exchange, name, is_firehose};
	t->queues =
	    mem_grow(t->queues, &taps->queue_capacity, t->queue_count + 1, sizeof *t->queues);
	t->queues[t->queue_count++] = (struct topology_queue){.name = name,
	    .type = "classic",
	    .exclusive = true,
	    .declared = true,
	    .arguments = json_pack("{s:s}", "x-queue-type", "classic")};
}

/* ---- which keys ---- */

/* Owned; empty when nobody tells. */
static char *find_type(struct tool *tool, const char *exchange, struct error *err)
{
	const struct topology_exchange *e =
	    topology_find_exchange(&tool->settings.topology, slice_str(exchange));
	bool is_builtin = strncmp(exchange, "amq.", 4) == 0;
	if (e != NULL && (e->declared || is_builtin))
		return mem_strdup(e->type);
	return inquire_exchange_type(tool->connection, exchange, err);
}

static bool add_keys_of_settings(
    struct taps *taps, const struct topology *t, const char *exchange, struct error *err)
{
	size_t before = taps->topology.binding_count;
	for (size_t i = 0; i < t->binding_count; i++)
		if (strcmp(t->bindings[i].exchange, exchange) == 0)
			add_binding(taps, t->bindings[i].routing_key);
	if (taps->topology.binding_count > before)
		return true;
	char *shown = text_quote(slice_str(exchange));
	error_set(err, ERROR_USAGE,
	    "exchange '%s' is direct, and no settings tell its keys: name them with --key", shown);
	free(shown);
	return false;
}

static void warn_of_keys(const char *exchange, const char *type)
{
	char *shown = text_quote(slice_str(exchange)), *is = text_quote(slice_str(type));
	if (type[0] == '\0')
		log_write(LOG_WARNING,
		    "this user may not ask of what type exchange '%s' is; if it is direct, only "
		    "--key gets something out of it",
		    shown);
	else
		log_write(LOG_WARNING,
		    "exchange '%s' is of type '%s', where the binding key '#' may get nothing: "
		    "see --key",
		    shown, is);
	free(shown);
	free(is);
}

static bool add_keys_by_type(
    struct tool *tool, struct taps *taps, const char *exchange, struct error *err)
{
	static const char *const plain[] = {"topic", "fanout", "headers"};
	char *type = find_type(tool, exchange, err);
	bool good = type != NULL, is_plain = false;
	for (size_t i = 0; good && i < ARRAY_LEN(plain); i++)
		is_plain = is_plain || strcmp(type, plain[i]) == 0;
	if (good && strcmp(type, "direct") == 0) {
		good = add_keys_of_settings(taps, &tool->settings.topology, exchange, err);
	} else if (good) {
		if (!is_plain)
			warn_of_keys(exchange, type);
		add_binding(taps, "#");
	}
	free(type);
	return good;
}

static bool add_exchange(struct tool *tool, struct taps *taps, const char *exchange,
    const struct option_list *keys, struct error *err)
{
	if (exchange[0] == '\0')
		return error_set(err, ERROR_USAGE,
		    "nothing can be bound to the default exchange; see --firehose");
	add_tap(taps, exchange, false);
	for (size_t i = 0; i < keys->count; i++)
		add_binding(taps, keys->items[i]);
	return keys->count > 0 || add_keys_by_type(tool, taps, exchange, err);
}

bool tap_plan(
    struct tool *tool, const struct tap_options *options, struct taps *out, struct error *err)
{
	for (size_t i = 0; i < options->exchanges->count; i++)
		if (!add_exchange(tool, out, options->exchanges->items[i], options->keys, err))
			return false;
	if (options->firehose != NULL) {
		add_tap(out, FIREHOSE_EXCHANGE, true);
		add_binding(
		    out, strcmp(options->firehose, "publish") == 0 ? "publish.#" : "deliver.#");
	}
	return true;
}

bool tap_declare(struct taps *taps, struct connection *c, struct error *err)
{
	const char **names = mem_alloc(taps->count + 1, sizeof *names);
	for (size_t i = 0; i < taps->count; i++)
		names[i] = taps->items[i].queue;
	bool good = provision_apply(c, &taps->topology, names, NULL, NULL, err);
	if (good && taps->was_declared && taps->count > 0)
		log_write(LOG_WARNING,
		    "the taps are bound anew: what was published while the connection was lost "
		    "was not seen by them");
	taps->was_declared = true;
	free(names);
	return good;
}

void tap_release(struct taps *taps)
{
	for (size_t i = 0; i < taps->count; i++) {
		json_decref(taps->topology.queues[i].arguments);
		free(taps->items[i].queue);
	}
	free(taps->topology.queues);
	free(taps->topology.bindings);
	free(taps->items);
	*taps = (struct taps){0};
}
