#include "app/retrying.h"

#include "base/mem.h"

#include <stdlib.h>

#define WINDOW 1000 /* copies that wait for a confirm */

/* False when no queue has a policy. */
static bool read_policies(
    struct retrying *retrying, const json_t *settings, const char *const *queues)
{
	bool any = false;
	for (size_t i = 0; i < retrying->queue_count; i++) {
		struct retrier_policy *p = &retrying->policies[i];
		p->is_set = topology_retry_of(settings, queues[i], &p->retry);
		if (p->is_set)
			topology_retry_parking(
			    settings, queues[i], &p->parking_exchange, &p->parking_key);
		any = any || p->is_set;
	}
	return any;
}

bool retrying_open(struct tool *tool, const char *const *queues, size_t queue_count, bool sends,
    struct retrying *out, struct error *err)
{
	out->policies = mem_alloc(queue_count, sizeof *out->policies);
	out->queue_count = queue_count;
	if (!read_policies(out, document_root(tool->settings.document), queues))
		return true;
	if (sends && (out->connection = tool_connect_beside(tool, err)) == NULL)
		return false;
	if (out->connection != NULL)
		out->recovery = tool_recovery(tool, out->connection, NULL, NULL);
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
