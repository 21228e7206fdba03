#include "app/retrying.h"

#include "base/mem.h"
#include "model/reader.h"

#include <stdlib.h>

#define WINDOW 1000 /* copies that wait for a confirm */

static bool has_contract(const json_t *settings, const char *queue)
{
	const json_t *body = reader_member(reader_member(settings, "queues"), queue);
	return reader_member(body, "contract") != NULL;
}

/* What a queue without a retry policy rejects becomes a dead letter with its reason, where we know
 * where those go. */
static void park_rejected(
    const struct settings *settings, const char *queue, struct retrier_policy *p)
{
	const char *exchange, *key;
	const struct topology_queue *q = topology_find_queue(&settings->topology, slice_str(queue));
	if (q == NULL || !topology_dead_letters(q, &exchange, &key))
		return;
	*p = (struct retrier_policy){.is_set = true,
	    .rejects_only = true,
	    .parking_exchange = mem_strdup(exchange),
	    .parking_key = key != NULL ? mem_strdup(key) : NULL};
}

static void read_policy(const struct settings *settings, const char *queue,
    enum retrying_scope scope, struct retrier_policy *p)
{
	const json_t *root = document_root(settings->document);
	p->is_set = topology_retry_of(root, queue, &p->retry);
	if (p->is_set)
		topology_retry_parking(root, queue, &p->parking_exchange, &p->parking_key);
	else if (scope == RETRYING_ALL ||
		 (scope == RETRYING_BY_POLICY && has_contract(root, queue)))
		park_rejected(settings, queue, p);
}

/* False when no queue has a policy. */
static bool read_policies(struct retrying *retrying, const struct settings *settings,
    const char *const *queues, enum retrying_scope scope)
{
	bool any = false;
	for (size_t i = 0; i < retrying->queue_count; i++) {
		read_policy(settings, queues[i], scope, &retrying->policies[i]);
		any = any || retrying->policies[i].is_set;
	}
	return any;
}

static bool connect(struct tool *tool, struct retrying *out, struct error *err)
{
	const struct tool_place *place = out->place;
	struct connection *c =
	    place != NULL ? tool_reach(tool, place, err) : tool_connect_beside(tool, err);
	if (c == NULL)
		return false;
	out->connection = c;
	out->recovery = place != NULL ? tool_recovery_at(tool, place, c, NULL, NULL)
				      : tool_recovery(tool, c, NULL, NULL);
	return true;
}

bool retrying_open(struct tool *tool, const char *const *queues, size_t queue_count,
    enum retrying_scope scope, struct retrying *out, struct error *err)
{
	out->policies = mem_alloc(queue_count, sizeof *out->policies);
	out->queue_count = queue_count;
	if (!read_policies(out, &tool->settings, queues, scope))
		return true;
	if (scope != RETRYING_NOTHING && !connect(tool, out, err))
		return false;
	struct retrier_options options = {.queues = queues,
	    .policies = out->policies,
	    .queue_count = queue_count,
	    .window = WINDOW,
	    .connection = out->connection,
	    .recovery = out->recovery};
	out->retrier = retrier_open(&options, err);
	return out->retrier != NULL;
}

void retrying_close(struct retrying *retrying)
{
	retrier_close(retrying->retrier);
	recovery_free(retrying->recovery);
	connection_close(retrying->connection);
	for (size_t i = 0; i < retrying->queue_count; i++) {
		free(retrying->policies[i].parking_exchange);
		free(retrying->policies[i].parking_key);
	}
	free(retrying->policies);
	*retrying = (struct retrying){0};
}
