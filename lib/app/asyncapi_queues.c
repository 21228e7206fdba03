#include "app/asyncapi_queues.h"

#include "app/asyncapi_bindings.h"
#include "app/asyncapi_names.h"
#include "app/asyncapi_schemas.h"
#include "base/mem.h"

#include <stdlib.h>

/* Nobody consumes from a queue that messages only wait in. */
static bool is_consumed(const struct topology_queue *q)
{
	return q->made_for == NULL || json_object_get(q->arguments, "x-message-ttl") == NULL;
}

/* What the settings say of a queue, where that is more than its arguments tell. */
static void set_written(
    const struct asyncapi_draft *d, const struct topology_queue *q, json_t *channel)
{
	static const char *const more[] = {"dead_letter", "retry", "contract", "declared"};
	json_t *written = json_object_get(json_object_get(d->root, "queues"), q->name);
	bool is_more = false;
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		is_more |= json_object_get(written, more[i]) != NULL;
	json_t *contract = asyncapi_schemas_contract(d->settings, written);
	if (is_more && !d->is_live)
		json_object_set(channel, "x-warren-queue", written);
	if (contract != NULL)
		json_object_set_new(
		    channel, "x-warren-contract", asyncapi_schemas_foreign_take(contract));
}

static void add_queue(struct asyncapi_draft *d, const struct topology_queue *q)
{
	char *id = asyncapi_names_id(d->channels, "", q->name);
	json_t *parameters = json_object();
	json_t *address = asyncapi_names_address(q->name, "", parameters);
	json_t *channel = json_pack("{s:o, s:{}, s:o}", "address",
	    address != NULL && json_object_size(parameters) == 0 ? json_incref(address)
								 : json_null(),
	    "messages", "bindings", asyncapi_bindings_queue(d->settings, q));
	if (q->made_for != NULL)
		json_object_set_new(channel, "x-warren-made-for", json_string(q->made_for));
	set_written(d, q, channel);
	json_object_set_new(d->channels, id, channel);
	json_object_set_new(d->queues, q->name, json_string(id));
	json_decref(address);
	json_decref(parameters);
	free(id);
}

void asyncapi_queues_add(struct asyncapi_draft *d)
{
	for (size_t i = 0; i < d->settings->topology.queue_count; i++)
		add_queue(d, &d->settings->topology.queues[i]);
}

/* ---- what comes there ---- */

static void add_by_contract(struct asyncapi_draft *d, const char *queue, const char *channel)
{
	json_t *contract = asyncapi_draft_contract(d, queue);
	if (contract == NULL)
		return;
	json_t *message = json_pack("{s:s, s:s, s:o}", "name", queue, "description",
	    "What the contract of the queue lets pass.", "payload",
	    asyncapi_schemas_foreign_take(contract));
	asyncapi_draft_carry(d, channel, asyncapi_draft_message_take(d, queue, message));
}

static void add_operation(struct asyncapi_draft *d, const char *queue, const char *channel)
{
	char *operation = asyncapi_names_id(d->operations, "receive-", queue);
	json_object_set_new(d->operations, operation,
	    asyncapi_draft_operation("receive", channel, json_pack("{s:b}", "ack", 1)));
	free(operation);
}

void asyncapi_queues_end(struct asyncapi_draft *d)
{
	const char *queue, *message;
	json_t *channel, *unused;
	json_object_foreach(d->queues, queue, channel)
	{
		const char *id = json_string_value(channel);
		const json_t *received = json_object_get(d->received, queue);
		json_object_foreach((json_t *)(uintptr_t)received, message, unused)
		{
			(void)unused;
			asyncapi_draft_carry(d, id, message);
		}
		if (received == NULL && json_object_get(d->taken, queue) != NULL)
			add_by_contract(d, queue, id);
	}
	for (size_t i = 0; i < d->settings->topology.queue_count; i++) {
		const struct topology_queue *q = &d->settings->topology.queues[i];
		if (is_consumed(q) && json_object_get(d->taken, q->name) == NULL)
			add_operation(
			    d, q->name, json_string_value(json_object_get(d->queues, q->name)));
	}
}
