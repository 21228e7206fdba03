#include "app/asyncapi_sections.h"

#include "app/address.h"
#include "app/asyncapi_bindings.h"
#include "base/mem.h"
#include "model/definitions.h"

#include <stdlib.h>

static void set_if(json_t *object, const char *key, json_t *value)
{
	if (value != NULL)
		json_object_set(object, key, value);
}

static void ignore_note(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

/* ---- topology ---- */

/* The ways between exchanges and queues, of which AsyncAPI knows nothing. */
static void set_topology(json_t *document, const struct settings *s)
{
	static const char *const sections[][2] = {
	    {"exchanges", "x-warren-exchanges"}, {"bindings", "x-warren-bindings"}};
	struct topology all = s->topology; /* as definitions have no exclusive queue */
	all.queues = mem_alloc(all.queue_count, sizeof *all.queues);
	for (size_t i = 0; i < all.queue_count; i++) {
		all.queues[i] = s->topology.queues[i];
		all.queues[i].exclusive = false;
	}
	json_t *definitions = definitions_export(&all, NULL, s->uris[0].vhost, ignore_note, NULL);
	free(all.queues);
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		json_t *list = json_object_get(definitions, sections[i][0]);
		if (json_array_size(list) > 0)
			json_object_set(document, sections[i][1], list);
	}
	json_decref(definitions);
}

/* ---- sections ---- */

/* Addresses without user and password. */
static void strip_address(json_t *relay, const char *key)
{
	struct slice rest = slice_str(json_string_value(json_object_get(relay, key)));
	struct buf out = {0};
	buf_append_str(&out, "");
	while (rest.len > 0) {
		struct error ignored = {0}; /* it was read before, with the settings */
		struct uri uri = {0};
		if (!uri_parse(address_take(&rest), &uri, &ignored))
			continue;
		json_t *address = asyncapi_bindings_address(&uri);
		buf_printf(&out, "%s%s", out.len > 0 ? " " : "", json_string_value(address));
		json_decref(address);
		uri_release(&uri);
	}
	json_object_set_new(relay, key, json_string(out.ptr));
	buf_release(&out);
}

/* Under `exec`, as a text or as a list of words, there may be an address. */
static void mask_commands(json_t *json, bool is_exec)
{
	json_t *value;
	const char *key;
	size_t i;
	if (is_exec && json_is_string(json)) {
		char *masked = problems_mask(slice_str(json_string_value(json)));
		json_string_set(json, masked);
		free(masked);
	}
	json_array_foreach(json, i, value) mask_commands(value, is_exec);
	json_object_foreach(json, key, value) mask_commands(value, strcmp(key, "exec") == 0);
}

/* Business logic as it was written down, but for what opens a door. */
static void set_logic(json_t *sections, const json_t *root)
{
	static const char *const names[] = {"relays", "responders", "workflows"};
	const char *name;
	json_t *relay;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const json_t *written = json_object_get(root, names[i]);
		if (json_object_size(written) == 0)
			continue;
		json_t *section = json_deep_copy(written);
		mask_commands(section, false);
		json_object_set_new(sections, names[i], section);
	}
	json_object_foreach(json_object_get(sections, names[0]), name, relay)
	{
		if (json_object_get(relay, "from") != NULL)
			strip_address(relay, "from");
		if (json_object_get(relay, "to") != NULL)
			strip_address(relay, "to");
	}
}

/* What the settings have beside their topology and messages, and our tools or a test need. */
static void set_sections(json_t *document, const json_t *root)
{
	static const char *const names[] = {"pools", "projections", "expect"};
	json_t *sections = json_object();
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		set_if(sections, names[i], json_object_get(root, names[i]));
	set_logic(sections, root);
	if (json_object_size(sections) > 0)
		json_object_set(document, "x-warren-sections", sections);
	json_decref(sections);
}

void asyncapi_sections_set(json_t *document, const struct settings *s)
{
	set_topology(document, s);
	set_sections(document, document_root(s->document));
}
