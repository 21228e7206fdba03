#include "app/arrange_live.h"

#include "app/api.h"
#include "base/log.h"
#include "base/mem.h"
#include "web/management.h"

#include <stdlib.h>

#define ALTERNATE "alternate-exchange"

/* A list of the API, of one vhost. */
static json_t *get_list(struct client *c, const char *kind, const char *vhost, struct error *err)
{
	json_t *list = NULL;
	char *encoded = management_encode(vhost);
	char *path = mem_printf("/%s/%s", kind, encoded);
	bool good = management_get(c, path, &list, err);
	free(path);
	free(encoded);
	return good ? list : NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* What the policy of that name sets; NULL: no alternate exchange. */
static const char *alternate_of(const json_t *policies, const char *name)
{
	const json_t *policy;
	size_t i;
	json_array_foreach(policies, i, policy)
	{
		const char *its = text_of(policy, "name");
		if (its != NULL && strcmp(its, name) == 0)
			return text_of(json_object_get(policy, "definition"), ALTERNATE);
	}
	return NULL;
}

/* An exchange that every broker has gets a place of its own. The names live as long as t. */
static struct topology_exchange *own_exchange(struct topology *t, const char *name)
{
	for (size_t i = 0; i < t->exchange_count; i++)
		if (strcmp(t->exchanges[i].name, name) == 0)
			return &t->exchanges[i];
	const struct topology_exchange *built_in = topology_find_exchange(t, slice_str(name));
	if (built_in == NULL)
		return NULL; /* made since */
	size_t capacity = t->exchange_count;
	t->exchanges =
	    mem_grow(t->exchanges, &capacity, t->exchange_count + 1, sizeof *t->exchanges);
	struct topology_exchange *e = &t->exchanges[t->exchange_count++];
	*e = *built_in;
	e->arguments = json_object();
	return e;
}

static void add_policies(struct topology *t, const json_t *exchanges, const json_t *policies)
{
	const json_t *exchange;
	size_t i;
	json_array_foreach(exchanges, i, exchange)
	{
		const char *name = text_of(exchange, "name"), *policy = text_of(exchange, "policy");
		const char *alternate = policy != NULL ? alternate_of(policies, policy) : NULL;
		struct topology_exchange *e =
		    name != NULL && alternate != NULL ? own_exchange(t, name) : NULL;
		if (e != NULL && json_object_get(e->arguments, ALTERNATE) == NULL)
			json_object_set_new(e->arguments, ALTERNATE, json_string(alternate));
	}
}

static bool has_policies(const json_t *exchanges)
{
	const json_t *exchange;
	size_t i;
	json_array_foreach(
	    exchanges, i, exchange) if (text_of(exchange, "policy") != NULL) return true;
	return false;
}

static bool read_policies(
    struct client *c, const char *vhost, struct topology *t, struct error *err)
{
	json_t *exchanges = get_list(c, "exchanges", vhost, err), *policies = NULL;
	struct error why = {0};
	bool good = exchanges != NULL;
	if (good && has_policies(exchanges)) {
		policies = get_list(c, "policies", vhost, &why);
		if (policies == NULL && why.kind == ERROR_ACCESS)
			log_write(LOG_WARNING,
			    "exchanges have policies that this user may not see: an alternate "
			    "exchange set by one is not known");
		else if (policies == NULL)
			good = error_set(err, why.kind, "%s", why.text);
		add_policies(t, exchanges, policies);
	}
	json_decref(exchanges);
	json_decref(policies);
	return good;
}

bool arrange_live_topology(struct tool *tool, struct topology *out, struct error *err)
{
	if (!api_open(tool, err))
		return false;
	const char *vhost = tool->settings.uris[0].vhost;
	struct topology t = {0};
	bool good = management_topology(tool->management, vhost, &t, err) &&
		    read_policies(tool->management, vhost, &t, err);
	if (good)
		*out = t;
	else
		topology_release(&t);
	return good;
}
