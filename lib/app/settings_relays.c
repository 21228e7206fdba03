/* The section `relays` of the settings: that each has one source and one sink, which are there. */
#include "app/settings.h"

#include "app/address.h"
#include "app/settings_private.h"
#include "base/mem.h"
#include "flow/core_address.h"
#include "model/reader.h"

#include <stdlib.h>

#define MAX_NAME 255 /* bytes of a short string of AMQP */

/* A relay that is looked at. */
struct look {
	struct reader *r;
	const struct reporter *reporter;
	const char *name;
	const struct topology *topology;
	const json_t *spec;
};

static bool has(const json_t *spec, const char *key)
{
	return json_object_get(spec, key) != NULL;
}

/* ---- where from ---- */

static void check_queue(const struct look *l, const char *name, const char *key)
{
	const struct topology_queue *q = topology_find_queue(l->topology, slice_str(name));
	if (q == NULL) {
		char *text = topology_explain_unknown(l->topology, true, name);
		reader_fail_at(l->r, key, "%s", text);
		free(text);
	} else if (strcmp(q->type, "stream") == 0) {
		reader_fail_at(l->r, key,
		    "a stream keeps its messages, so that a relay would pass them on again and "
		    "again; it takes a classic or a quorum queue");
	}
}

static void check_queues(const struct look *l)
{
	const json_t *queue = json_object_get(l->spec, "queue"), *item;
	size_t i;
	if (json_is_string(queue))
		check_queue(l, json_string_value(queue), "queue");
	if (!json_is_array(queue))
		return;
	size_t mark = reader_enter(l->r, "queue");
	json_array_foreach((json_t *)(uintptr_t)queue, i, item)
	{
		char *number = mem_printf("%zu", i);
		if (json_is_string(item))
			check_queue(l, json_string_value(item), number);
		free(number);
	}
	reader_leave(l->r, mark);
}

/* What the address says of itself hides its password, and must not be masked again. */
static void report_address(const struct look *l, const char *key, const char *text)
{
	const struct reporter *reporter = l->reporter;
	char *pointer = mem_printf("/relays/%s/%s", l->name, key);
	char *path = document_path(pointer);
	if (!settings_is_faulty(reporter->faulty, path))
		problems_add_safe(
		    reporter->problems, document_place(reporter->document, pointer), path, text);
	free(path);
	free(pointer);
}

static void check_address(const struct look *l, const char *key)
{
	const char *text = json_string_value(json_object_get(l->spec, key));
	struct slice rest = slice_str(text);
	while (rest.len > 0) {
		struct error err = {0};
		struct uri uri = {0};
		if (!uri_parse(address_take(&rest), &uri, &err)) {
			report_address(l, key, err.text);
			return;
		}
		uri_release(&uri);
	}
}

static void check_source(const struct look *l)
{
	if (has(l->spec, "queue") && has(l->spec, "files"))
		reader_fail_name_at(l->r, "files",
		    "its messages come from 'queue' already; a relay has one source");
	else if (!has(l->spec, "queue") && !has(l->spec, "files"))
		reader_fail_name(
		    l->r, "nothing says where its messages come from; it needs 'queue' or 'files'");
	if (has(l->spec, "from") && !has(l->spec, "queue"))
		reader_fail_name_at(l->r, "from", "another broker has queues; it needs 'queue'");
	check_address(l, "from");
	if (!has(l->spec, "from"))
		check_queues(l);
}

/* ---- where to ---- */

static bool takes_from(const struct look *l, const char *name)
{
	const json_t *queue = json_object_get(l->spec, "queue"), *item;
	size_t i;
	if (json_is_string(queue))
		return strcmp(json_string_value(queue), name) == 0;
	json_array_foreach((json_t *)(uintptr_t)queue, i,
	    item) if (json_is_string(item) &&
		      strcmp(json_string_value(item), name) == 0) return true;
	return false;
}

/* A key that the default exchange gets: the name of a queue, unless it is made of the body. */
static void check_target_queue(const struct look *l, const char *name)
{
	if (strstr(name, "{{") != NULL || strncmp(name, "amq.", 4) == 0 || strlen(name) > MAX_NAME)
		return;
	if (takes_from(l, name) && !has(l->spec, "from"))
		reader_fail_at(l->r, "routing_key",
		    "it takes its messages from this queue: they would go round for ever");
	else if (topology_find_queue(l->topology, slice_str(name)) == NULL)
		check_queue(l, name, "routing_key");
}

static void check_exchange(const struct look *l, const char *name)
{
	const struct topology_exchange *e = topology_find_exchange(l->topology, slice_str(name));
	if (e == NULL) {
		char *text = topology_explain_unknown(l->topology, false, name);
		reader_fail_at(l->r, "exchange", "%s", text);
		free(text);
	} else if (e->internal) {
		reader_fail_at(l->r, "exchange",
		    "this exchange is internal: only other exchanges may publish to it");
	}
}

/* Of the relay, or of a handler that has what it does not say from the relay. */
static void check_target(const struct look *l, const json_t *place, const char *exchange)
{
	const char *own = json_string_value(json_object_get(place, "exchange"));
	const char *key = json_string_value(json_object_get(place, "routing_key"));
	struct error err = {0};
	if (key != NULL && !core_address_check(key, &err))
		reader_fail_at(l->r, "routing_key", "%s", err.text);
	if (has(l->spec, "to"))
		return;
	if (own != NULL && own[0] != '\0')
		check_exchange(l, own);
	else if (key != NULL && (exchange == NULL || exchange[0] == '\0') && err.kind == ERROR_NONE)
		check_target_queue(l, key);
}

static bool steps_route(const json_t *steps)
{
	const json_t *step;
	size_t i;
	json_array_foreach((json_t *)(uintptr_t)steps, i, step)
	{
		const char *as = json_string_value(json_object_get(step, "as"));
		if (as != NULL && strcmp(as, "message") == 0)
			return true;
	}
	return false;
}

static bool publishes(const json_t *place)
{
	return has(place, "exchange") || has(place, "routing_key") ||
	       steps_route(json_object_get(place, "core"));
}

/* Every way through the relay leads somewhere. */
static bool all_handlers_publish(const json_t *spec)
{
	const json_t *on = json_object_get(spec, "on"), *handler;
	const char *type, *unknown = json_string_value(json_object_get(spec, "unknown"));
	if (on == NULL || (unknown != NULL && strcmp(unknown, "pass") == 0))
		return false;
	json_object_foreach((json_t *)(uintptr_t)on, type,
	    handler) if (!(json_is_array(handler) ? steps_route(handler)
						  : publishes(handler))) return false;
	return true;
}

static void check_sink(const struct look *l)
{
	static const char *const to_broker[] = {"exchange", "routing_key", "to"};
	const json_t *spec = l->spec;
	const char *elsewhere = has(spec, "store")    ? "store"
				: has(spec, "output") ? "output"
						      : NULL;
	if (has(spec, "store") && has(spec, "output"))
		reader_fail_name_at(
		    l->r, "output", "its results go to 'store' already; a relay has one sink");
	for (size_t i = 0; i < ARRAY_LEN(to_broker) && elsewhere != NULL; i++)
		if (has(spec, to_broker[i]) && strcmp(to_broker[i], "routing_key") != 0)
			reader_fail_name_at(l->r, to_broker[i],
			    "its results go to '%s' already; a relay has one sink", elsewhere);
	if (elsewhere == NULL && !publishes(spec) && !all_handlers_publish(spec))
		reader_fail_name(l->r,
		    "nothing says where its results go; it needs 'exchange', 'routing_key', "
		    "'store' or 'output'");
	check_address(l, "to");
	check_target(l, spec, json_string_value(json_object_get(spec, "exchange")));
}

/* ---- the whole ---- */

static void check_handlers(const struct look *l)
{
	const json_t *on = json_object_get(l->spec, "on");
	const char *exchange = json_string_value(json_object_get(l->spec, "exchange")), *type;
	json_t *handler;
	if (on == NULL && has(l->spec, "unknown"))
		reader_fail_name_at(
		    l->r, "unknown", "without 'on' no type is known; it goes with 'on'");
	size_t mark = reader_enter(l->r, "on");
	json_object_foreach((json_t *)(uintptr_t)on, type, handler)
	{
		size_t inner = reader_enter(l->r, type);
		if (json_is_object(handler))
			check_target(l, handler, exchange);
		reader_leave(l->r, inner);
	}
	reader_leave(l->r, mark);
}

void settings_check_relays(const struct settings *s, struct reporter *reporter)
{
	const char *name;
	json_t *spec;
	struct reader r = {.report = settings_report, .ctx = reporter};
	reporter->base = "/relays";
	json_object_foreach(json_object_get(document_root(s->document), "relays"), name, spec)
	{
		const struct look l = {.r = &r,
		    .reporter = reporter,
		    .name = name,
		    .topology = &s->topology,
		    .spec = spec};
		size_t mark = reader_enter(&r, name);
		if (json_is_object(spec)) {
			check_source(&l);
			check_sink(&l);
			check_handlers(&l);
		}
		reader_leave(&r, mark);
	}
	reporter->base = "";
	reader_release(&r);
}
