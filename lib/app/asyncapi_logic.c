#include "app/asyncapi_logic.h"

#include "app/asyncapi_bindings.h"
#include "app/asyncapi_names.h"
#include "app/asyncapi_schemas.h"
#include "base/mem.h"

#include <stdlib.h>

static const struct kind {
	const char *name; /* the key of a step that says its kind */
	bool changes;	  /* makes new messages of those that come */
} kinds[] = {
    {"jq", true},
    {"filter", false},
    {"exec", true},
    {"contract", false},
    {"dedupe", false},
    {"enrich", true},
    {"delay", false},
};

/* ---- steps ---- */

static const struct kind *find_kind(const json_t *step)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (json_object_get(step, kinds[i].name) != NULL)
			return &kinds[i];
	return NULL;
}

void asyncapi_logic_name_steps(const json_t *steps, struct buf *out)
{
	size_t count = json_array_size(steps);
	buf_append_str(out, count == 0 ? "" : count == 1 ? "the step " : "the steps ");
	for (size_t i = 0; i < count; i++) {
		const struct kind *kind = find_kind(json_array_get(steps, i));
		buf_printf(out, "%s%s", i > 0 ? ", " : "", kind != NULL ? kind->name : "?");
	}
}

bool asyncapi_logic_changes(const json_t *steps)
{
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const struct kind *kind = find_kind(json_array_get(steps, i));
		if (kind == NULL || kind->changes)
			return true;
	}
	return false;
}

json_t *asyncapi_logic_outcome_take(
    const struct asyncapi_draft *d, const json_t *steps, json_t *before)
{
	json_t *schema = before;
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		const struct kind *kind = find_kind(step);
		bool is_contract = json_object_get(step, "contract") != NULL;
		if (!is_contract && kind != NULL && !kind->changes)
			continue;
		json_decref(schema);
		schema = is_contract ? asyncapi_schemas_contract(d->settings, step) : NULL;
	}
	return schema;
}

/* ---- messages and operations ---- */

json_t *asyncapi_logic_message(
    const char *name, const char *description, const char *type, json_t *payload, json_t *headers)
{
	json_t *message = json_pack("{s:s, s:s}", "name", name, "description", description);
	json_t *binding = json_object();
	if (payload != NULL)
		json_object_set_new(message, "payload", asyncapi_schemas_foreign_take(payload));
	if (json_object_size(headers) > 0)
		json_object_set_new(message, "headers",
		    json_pack("{s:s, s:O}", "type", "object", "properties", headers));
	if (type != NULL)
		json_object_set_new(binding, "messageType", json_string(type));
	json_object_set_new(message, "bindings", asyncapi_bindings_amqp_take(binding));
	json_decref(headers);
	return message;
}

void asyncapi_logic_oblige(struct asyncapi_draft *d, const char *message)
{
	json_t *object = json_object_get(d->messages, message), *messages;
	const char *queue;
	json_object_foreach(d->received, queue, messages)
	{
		json_t *contract = NULL;
		if (json_object_get(object, "payload") == NULL &&
		    json_object_get(messages, message) != NULL)
			contract = asyncapi_draft_contract(d, queue);
		if (contract != NULL)
			json_object_set_new(
			    object, "payload", asyncapi_schemas_foreign_take(contract));
	}
}

void asyncapi_logic_add_take(struct asyncapi_draft *d, const char *id, const char *kind,
    const char *name, const char *description, json_t *operation)
{
	char *key = asyncapi_names_id(d->operations, "", id);
	char *marker = mem_printf("x-warren-%s", kind);
	json_object_set_new(operation, "title", json_sprintf("%s %s", kind, name));
	json_object_set_new(operation, "description", json_string(description));
	json_object_set_new(operation, marker, json_string(name));
	json_object_set_new(d->operations, key, operation);
	free(marker);
	free(key);
}
