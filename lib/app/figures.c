#include "app/figures.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "web/management.h"

#include <stdlib.h>

#define LOOK_AGAIN_NS (100 * CHRONO_MS)

bool figures_wait(struct tool *tool, uint64_t until_ns, struct error *err)
{
	while (chrono_now_ns() < until_ns) {
		if (loop_stop_requested(tool->loop))
			return error_set(err, ERROR_UNDELIVERED, "stopped by a signal");
		if (!loop_turn(tool->loop, until_ns, err) ||
		    !connection_check(tool->connection, err))
			return false;
	}
	return true;
}

/* ---- asking ---- */

/* All the API has on a queue, or, without a name, of all queues, but without figures. */
static json_t *ask(struct tool *tool, const char *queue, struct error *err)
{
	json_t *answer = NULL;
	char *vhost = management_encode(tool->settings.uris[0].vhost);
	char *name = queue != NULL ? management_encode(queue) : NULL;
	char *path = name != NULL ? mem_printf("/queues/%s/%s", vhost, name)
				  : mem_printf("/queues/%s?disable_stats=true&columns="
					       "name,arguments,policy,operator_policy",
					vhost);
	bool good = management_get(tool->management, path, &answer, err);
	free(path);
	free(name);
	free(vhost);
	return good ? answer : NULL;
}

/* One of its members; of a new queue it may take until the next statistics. To json_decref. */
static json_t *ask_until(
    struct tool *tool, const char *queue, const char *member, struct error *err)
{
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), FIGURES_AGE_NS);
	for (;;) {
		json_t *answer = ask(tool, queue, err);
		json_t *value = json_incref(json_object_get(answer, member));
		bool is_there = answer != NULL;
		json_decref(answer);
		if (!is_there || value != NULL)
			return value;
		if (chrono_now_ns() >= deadline_ns) {
			error_set(err, ERROR_REFUSED,
			    "the HTTP API does not tell its %s, without which messages could be "
			    "lost",
			    member);
			return NULL;
		}
		uint64_t next_ns = chrono_after(chrono_now_ns(), LOOK_AGAIN_NS);
		if (!figures_wait(tool, next_ns, err))
			return NULL;
	}
}

static bool read_figure(
    struct tool *tool, const char *queue, const char *member, uint64_t *out, struct error *err)
{
	json_t *figure = ask_until(tool, queue, member, err);
	bool good = json_is_integer(figure) && json_integer_value(figure) >= 0;
	if (good)
		*out = (uint64_t)json_integer_value(figure);
	else
		error_set(err, ERROR_REFUSED, "what the HTTP API tells as %s is no count", member);
	json_decref(figure);
	return good;
}

/* ---- what is asked for ---- */

bool figures_held(struct tool *tool, const char *queue, uint64_t *out, struct error *err)
{
	return read_figure(tool, queue, "messages_unacknowledged", out, err);
}

bool figures_bytes(struct tool *tool, const char *queue, uint64_t *out, struct error *err)
{
	return read_figure(tool, queue, "message_bytes", out, err);
}

/* The list of all tells at once what the page of one queue has only with its figures. */
static json_t *find(struct tool *tool, const char *queue, struct error *err)
{
	json_t *list = ask(tool, NULL, err), *item, *found = NULL;
	size_t i;
	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));
		if (found == NULL && name != NULL && strcmp(name, queue) == 0)
			found = json_incref(item);
	}
	if (list != NULL && found == NULL)
		error_set(err, ERROR_REFUSED, "the HTTP API does not know the queue");
	json_decref(list);
	return found;
}

json_t *figures_arguments(struct tool *tool, const char *queue, struct error *err)
{
	json_t *item = find(tool, queue, err);
	json_t *arguments = json_incref(json_object_get(item, "arguments"));
	bool is_there = item != NULL;
	json_decref(item);
	return is_there && arguments == NULL ? json_object() : arguments;
}

json_t *figures_policy(struct tool *tool, const char *queue, struct error *err)
{
	json_t *item = find(tool, queue, err);
	bool is_there = item != NULL;
	bool has_policy = json_is_string(json_object_get(item, "policy")) ||
			  json_is_string(json_object_get(item, "operator_policy"));
	json_decref(item);
	if (has_policy)
		return ask_until(tool, queue, "effective_policy_definition", err);
	return is_there ? json_object() : NULL;
}
