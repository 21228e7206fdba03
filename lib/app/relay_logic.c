#include "app/relay_logic.h"

#include "base/mem.h"
#include "config/pointer.h"
#include "flow/core_address.h"
#include "flow/core_switch.h"

#include <stdlib.h>

struct opening {
	struct relay_logic *logic;
	struct tool *tool;
	const struct relay_plan *plan;
	const struct relay_logic_ends *ends;
};

bool relay_logic_refuse(const struct tool *tool, const struct relay_plan *plan, struct error *err)
{
	const struct document *document = tool->settings.document;
	struct error why = *err;
	if (plan->pointer == NULL)
		return false;
	char *path = document_path(plan->pointer);
	struct place place = document_place(document, plan->pointer);
	error_clear(err);
	error_set(err, ERROR_SETTINGS, "%s:%u:%u: %s: %s", document_name(document), place.line,
	    place.column, path, why.text);
	free(path);
	return false;
}

/* ---- where results go ---- */

static const char *text_of(const json_t *handler, const json_t *relay, const char *key)
{
	const json_t *own = json_object_get(handler, key);
	return json_string_value(own != NULL ? own : json_object_get(relay, key));
}

static void release_address(void *self)
{
	core_address_free(self);
}

/* The address of what comes on a route; handler may be NULL. */
static bool add_address(
    const struct opening *o, const json_t *handler, unsigned route, struct error *err)
{
	const json_t *spec = o->plan->spec;
	struct chain *chain = o->logic->chain;
	const struct core_address_options options = {.exchange = text_of(handler, spec, "exchange"),
	    .keeps_exchange = chain_routes(chain, route) || !o->logic->publishes,
	    .routing_key = text_of(handler, spec, "routing_key"),
	    .type = text_of(handler, spec, "type"),
	    .source = json_string_value(json_object_get(spec, "source")),
	    .headers = json_object_get(spec, "headers"),
	    .user = o->ends->user};
	struct core_address_options all = options;
	if (chain_changes_on(chain, route) || all.type != NULL || all.source != NULL)
		all.by = o->logic->by;
	if (chain_length(chain) + 2 > FLOW_MAX_CORES)
		return error_set(err, ERROR_SETTINGS, "more than %d steps and handlers",
			   FLOW_MAX_CORES) ||
		       relay_logic_refuse(o->tool, o->plan, err);
	struct core_address *core = core_address_create(&all, err);
	if (core == NULL)
		return relay_logic_refuse(o->tool, o->plan, err);
	o->logic->routes |= chain_routes(chain, route);
	chain_add_owned(chain, core_address_core(core), route, release_address, core);
	return true;
}

/* ---- handlers ---- */

static void release_switch(void *self)
{
	core_switch_free(self);
}

static void add_switch(const struct opening *o, const json_t *on)
{
	static const char *const unknowns[] = {"dead_letter", "drop", "pass"};
	const char *unknown = json_string_value(json_object_get(o->plan->spec, "unknown")), *type;
	struct relay_logic *logic = o->logic;
	struct core_switch_options options = {.first_route = 1};
	json_t *handler;
	logic->type_names = mem_alloc(json_object_size(on), sizeof *logic->type_names);
	json_object_foreach((json_t *)(uintptr_t)on, type, handler)
	    logic->type_names[options.type_count++] = type;
	options.types = logic->type_names;
	for (size_t i = 0; unknown != NULL && i < ARRAY_LEN(unknowns); i++)
		if (strcmp(unknown, unknowns[i]) == 0)
			options.unknown = (enum core_switch_unknown)i;
	logic->types = core_switch_create(&options);
	chain_add_owned(
	    logic->chain, core_switch_core(logic->types), 0, release_switch, logic->types);
}

static bool add_handler(const struct opening *o, const char *type, const json_t *handler,
    unsigned route, struct error *err)
{
	bool is_list = json_is_array(handler);
	const json_t *steps = is_list ? handler : json_object_get(handler, "core");
	struct buf pointer = {0};
	buf_append_str(&pointer, o->plan->pointer);
	buf_append_str(&pointer, "/on");
	pointer_push(&pointer, slice_str(type));
	buf_append_str(&pointer, is_list ? "" : "/core");
	bool good = chain_add(o->logic->chain, steps, pointer.ptr, route, err) &&
		    add_address(o, is_list ? NULL : handler, route, err);
	buf_release(&pointer);
	return good;
}

static bool add_handlers(const struct opening *o, const json_t *on, struct error *err)
{
	const char *type;
	json_t *handler;
	unsigned route = 1;
	add_switch(o, on);
	json_object_foreach((json_t *)(uintptr_t)on, type,
	    handler) if (!add_handler(o, type, handler, route++, err)) return false;
	return add_address(o, NULL, route, err);
}

/* ---- the whole ---- */

static bool add_all(const struct opening *o, struct error *err)
{
	const struct relay_plan *plan = o->plan;
	const json_t *on = json_object_get(plan->spec, "on");
	char *pointer = plan->pointer != NULL ? mem_printf("%s/core", plan->pointer) : NULL;
	bool good =
	    chain_add(o->logic->chain, json_object_get(plan->spec, "core"), pointer, 0, err);
	free(pointer);
	return good && (on != NULL ? add_handlers(o, on, err) : add_address(o, NULL, 0, err));
}

bool relay_logic_open(struct relay_logic *logic, struct tool *tool, const struct relay_plan *plan,
    const struct relay_logic_ends *ends, struct error *err)
{
	struct opening o = {.logic = logic, .tool = tool, .plan = plan, .ends = ends};
	logic->by = mem_strdup(plan->by);
	const struct chain_options options = {
	    .tool = tool, .name = logic->by, .store = ends->store, .is_told = true};
	logic->publishes = json_object_get(plan->spec, "store") == NULL &&
			   json_object_get(plan->spec, "output") == NULL;
	logic->chain = chain_create(&options);
	return chain_add_contracts(logic->chain, ends->queues, ends->queue_count, err) &&
	       add_all(&o, err);
}

void relay_logic_close(struct relay_logic *logic)
{
	chain_free(logic->chain);
	free(logic->type_names);
	free(logic->by);
	*logic = (struct relay_logic){0};
}
