#include "schema/schema_private.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

static void free_node(struct schema_node *n)
{
	for (size_t i = 0; i < n->rule_count; i++)
		free(n->rules[i].branches);
	free(n->rules);
	free(n->pointer);
	free(n);
}

static void free_resource(struct schema_resource *r)
{
	free(r->anchors);
	free(r->uri);
	free(r);
}

static void free_document(struct schema_document *d)
{
	json_decref(d->owned);
	free(d->uri);
	free(d);
}

/* Forgets what was compiled; the documents stay. */
static void drop_compiled(struct schema *s)
{
	for (size_t i = 0; i < s->nodes.count; i++)
		free_node(s->nodes.items[i]);
	for (size_t i = 0; i < s->resources.count; i++)
		free_resource(s->resources.items[i]);
	for (size_t i = 0; i < s->regexes.count; i++)
		schema_regex_free(s->regexes.items[i]);
	s->nodes.count = s->resources.count = s->regexes.count = s->references.count = 0;
	schema_map_release(&s->by_uri);
	schema_map_release(&s->by_json);
	schema_map_release(&s->by_pattern);
	s->waits_for_dialect = false;
}

/* Compiles the documents from the given one on, and connects what can be connected. */
static bool compile_from(struct schema *s, size_t first, struct error *err)
{
	size_t count = s->documents.count; /* references may add meta-schemas, compiled by then */
	for (size_t i = first; i < count; i++)
		if (!schema_compile_document(s, s->documents.items[i], err))
			return false;
	return schema_resolve_references(s, err);
}

/* Goes back to the first `count` documents, which compiled before. */
static void forget_documents(struct schema *s, size_t count)
{
	struct error known_good = {0};
	while (s->documents.count > count)
		free_document(s->documents.items[--s->documents.count]);
	drop_compiled(s);
	(void)compile_from(s, 0, &known_good); /* nothing has changed since it did */
}

struct schema *schema_create(const json_t *root, unsigned flags, struct error *err)
{
	struct schema *s = mem_alloc(1, sizeof *s);
	s->flags = flags;
	schema_compile_add_document(s, "", root, NULL);
	if (compile_from(s, 0, err))
		return s;
	schema_free(s);
	return NULL;
}

void schema_free(struct schema *s)
{
	if (s == NULL)
		return;
	drop_compiled(s);
	for (size_t i = 0; i < s->documents.count; i++)
		free_document(s->documents.items[i]);
	free(s->documents.items);
	free(s->nodes.items);
	free(s->resources.items);
	free(s->regexes.items);
	free(s->references.items);
	free(s);
}

bool schema_add(struct schema *s, const char *uri, const json_t *document, struct error *err)
{
	size_t before = s->documents.count;
	bool again = s->waits_for_dialect; /* perhaps for this one: then all means something else */
	schema_compile_add_document(s, uri, document, NULL);
	if (again)
		drop_compiled(s);
	if (compile_from(s, again ? 0 : before, err))
		return true;
	forget_documents(s, before);
	char *shown = text_quote(slice_str(uri));
	error_context(err, "schema '%s'", shown);
	free(shown);
	return false;
}

bool schema_is_whole(const struct schema *s, struct error *err)
{
	for (size_t i = 0; i < s->resources.count; i++) {
		const struct schema_resource *r = s->resources.items[i];
		if (r->dialect.unknown == NULL)
			continue;
		char *text = schema_text_unknown(r->dialect.unknown);
		error_set(err, ERROR_SETTINGS, "%s", text);
		free(text);
		return false;
	}
	for (size_t i = 0; i < s->references.count; i++) {
		const struct schema_rule *rule = s->references.items[i];
		if (rule->target != NULL)
			continue;
		char *text = schema_text_nowhere(rule);
		error_set(err, ERROR_SETTINGS, "%s", text);
		free(text);
		return false;
	}
	return true;
}

bool schema_validate(const struct schema *s, const json_t *instance, schema_report_fn *report,
    void *ctx, struct error *err)
{
	const struct schema_document *main_document = s->documents.items[0];
	const struct schema_resource *root =
	    schema_map_get(&s->by_uri, slice_str(main_document->uri));
	const struct schema_place place = {.value = instance};
	struct schema_run run = {.schema = s, .err = err, .quiet = report == NULL};
	bool ok = schema_run_node(&run, root->node, &place) && !run.broken;
	if (report != NULL && !run.broken)
		schema_fault_report(&run.faults, report, ctx);
	schema_fault_drop(&run.faults, 0, run.faults.count);
	schema_regex_free_matcher(run.matcher);
	free(run.faults.items);
	free(run.seen);
	return ok;
}
