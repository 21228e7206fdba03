#include "app/asyncapi_sections.h"

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

/* What the settings have beside their topology and messages, and producer or a test needs. */
static void set_sections(json_t *document, const json_t *root)
{
	static const char *const names[] = {"pools", "projections", "expect"};
	json_t *sections = json_object();
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		set_if(sections, names[i], json_object_get(root, names[i]));
	if (json_object_size(sections) > 0)
		json_object_set(document, "x-warren-sections", sections);
	json_decref(sections);
}

void asyncapi_sections_set(json_t *document, const struct settings *s)
{
	set_topology(document, s);
	set_sections(document, document_root(s->document));
}
