/* What the settings ask for beside what the broker has. */
#include "app/arrange_private.h"

#include "app/api.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/provision.h"
#include "web/management.h"

#include <stdlib.h>

/* ---- policies ---- */

/* One declared queue under a policy: what that amounts to. */
static bool read_policy(struct client *c, const char *vhost, const char *queue,
    const json_t *policy, json_t *policies, struct error *err)
{
	json_t *answer = NULL;
	char *encoded = management_encode(queue);
	char *path =
	    mem_printf("/queues/%s/%s?columns=effective_policy_definition", vhost, encoded);
	bool good = management_get(c, path, &answer, err);
	json_t *definition = json_object_get(answer, "effective_policy_definition");
	if (good && json_is_object(definition))
		json_object_set_new(policies, queue,
		    json_pack("{s:O, s:O}", "policy", (json_t *)(uintptr_t)policy, "definition",
			definition));
	json_decref(answer);
	free(path);
	free(encoded);
	return good;
}

static bool read_policies(struct client *c, const char *vhost, const struct topology *wanted,
    json_t *policies, struct error *err)
{
	json_t *list = NULL, *queue;
	size_t i;
	char *path =
	    mem_printf("/queues/%s?disable_stats=true&columns=name,policy,operator_policy", vhost);
	bool good = management_get(c, path, &list, err);
	json_array_foreach(list, i, queue)
	{
		const char *name = json_string_value(json_object_get(queue, "name"));
		const json_t *policy = json_object_get(queue, "policy");
		if (!json_is_string(policy))
			policy = json_object_get(queue, "operator_policy");
		if (good && name != NULL && json_is_string(policy) &&
		    topology_find_queue(wanted, slice_str(name)) != NULL)
			good = read_policy(c, vhost, name, policy, policies, err);
	}
	json_decref(list);
	free(path);
	return good;
}

/* Of two numbers the smaller one counts, of anything else what the queue was declared with
 * (https://www.rabbitmq.com/docs/parameters#combining-policy-definitions). */
static bool has_effect(const json_t *asked, const json_t *given)
{
	return asked == NULL || (json_is_number(asked) && json_is_number(given) &&
				    json_number_value(given) < json_number_value(asked));
}

void arrange_look_notes(const struct arrange_look *live, const struct topology_queue *q,
    arrange_policy_fn *note, void *ctx)
{
	const json_t *entry = json_object_get(live->policies, q->name);
	const char *policy = json_string_value(json_object_get(entry, "policy")), *key;
	json_t *value;
	json_object_foreach(json_object_get(entry, "definition"), key, value)
	{
		char *argument = mem_printf("x-%s", key);
		if (has_effect(json_object_get(q->arguments, argument), value))
			note(ctx, policy, key, value);
		free(argument);
	}
}

/* ---- the look ---- */

static bool look_amqp(struct tool *tool, struct arrange_look *out, struct error *err)
{
	*out = (struct arrange_look){.policies = NULL};
	return provision_compare(
	    tool->connection, &tool->settings.topology, &out->difference, &out->partly, err);
}

static bool look_http(
    struct tool *tool, const char *prefix, struct arrange_look *out, struct error *err)
{
	const struct topology *wanted = &tool->settings.topology;
	const char *vhost = tool->settings.uris[0].vhost;
	if (!api_open(tool, err) || !management_topology(tool->management, vhost, &out->found, err))
		return false;
	char *encoded = management_encode(vhost);
	out->is_http = true;
	out->policies = json_object();
	bool good = read_policies(tool->management, encoded, wanted, out->policies, err);
	free(encoded);
	if (good)
		difference_find(wanted, &out->found, prefix, &out->difference);
	return good;
}

bool arrange_look(
    struct tool *tool, const char *prefix, struct arrange_look *out, struct error *err)
{
	if (!api_is_known(tool))
		return look_amqp(tool, out, err);
	*out = (struct arrange_look){.policies = NULL};
	bool good = look_http(tool, prefix, out, err);
	if (!good)
		arrange_look_release(out);
	return good;
}

bool arrange_look_anyway(struct tool *tool, struct arrange_look *out, struct error *err)
{
	struct error why = {0};
	if (arrange_look(tool, NULL, out, &why))
		return true;
	if (!api_is_known(tool))
		return error_set(err, why.kind, "%s", why.text);
	log_write(LOG_WARNING, "%s; going on over AMQP alone", why.text);
	return look_amqp(tool, out, err);
}

void arrange_look_release(struct arrange_look *live)
{
	difference_release(&live->difference);
	topology_release(&live->found);
	json_decref(live->policies);
	*live = (struct arrange_look){.policies = NULL};
}

/* ---- words ---- */

char *arrange_show_value(const json_t *value)
{
	struct buf out = {0};
	char *text = value != NULL ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	bool is_text = json_is_string(value);
	buf_append_str(&out, value == NULL ? "none" : is_text ? "'" : "");
	text_escape(slice_str(is_text ? json_string_value(value) : text), 200, &out);
	buf_append_str(&out, is_text ? "'" : "");
	free(text);
	return buf_take(&out);
}
