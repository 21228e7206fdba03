/*
 * A passive declare tells whether an object is there, but not what it is. To declare what is there
 * anew changes nothing, and the refusal names what differs: provision_compare.
 */
#include "app/inquire.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/provision.h"

#include <stdlib.h>
#include <string.h>

static const json_t *found_of(const struct difference_item *item, const char *name)
{
	for (size_t i = 0; i < item->attribute_count; i++)
		if (strcmp(item->attributes[i].name, name) == 0)
			return item->attributes[i].found;
	return NULL;
}

/* *may_ask becomes false, and *out empty, where the user lacks the permission. */
static bool compare(struct connection *c, const struct topology *t, struct difference *out,
    bool *may_ask, struct error *err)
{
	struct error why = {0};
	bool partly;
	*may_ask = provision_compare(c, t, out, &partly, &why);
	return *may_ask || why.kind == ERROR_ACCESS || error_set(err, why.kind, "%s", why.text);
}

static char *lacking(const char *name, struct error *err)
{
	char *shown = text_quote(slice_str(name));
	error_set(err, ERROR_REFUSED, "there is no exchange '%s'", shown);
	free(shown);
	return NULL;
}

char *inquire_exchange_type(struct connection *c, const char *name, struct error *err)
{
	struct topology_exchange exchange = {.name = name,
	    .type = "topic",
	    .durable = true,
	    .declared = true,
	    .arguments = json_object()};
	const struct topology asked = {.exchanges = &exchange, .exchange_count = 1};
	struct difference d;
	bool may_ask;
	char *type = NULL;
	if (compare(c, &asked, &d, &may_ask, err) && !may_ask) {
		type = mem_strdup("");
	} else if (may_ask) {
		const char *found = json_string_value(found_of(&d.items[0], "type"));
		type = d.items[0].kind == DIFFERENCE_CREATE
			   ? lacking(name, err)
			   : mem_strdup(found != NULL ? found : exchange.type);
		difference_release(&d);
	}
	json_decref(exchange.arguments);
	return type;
}

bool inquire_queue(
    struct connection *c, const char *name, struct inquire_queue *out, struct error *err)
{
	struct topology_queue queue = {.name = name,
	    .type = "classic",
	    .durable = true,
	    .declared = true,
	    .arguments = json_pack("{s:s}", "x-queue-type", "classic")};
	const struct topology asked = {.queues = &queue, .queue_count = 1};
	struct difference d;
	bool may_ask;
	*out = (struct inquire_queue){0};
	bool good = compare(c, &asked, &d, &may_ask, err);
	if (may_ask) {
		const char *type = json_string_value(found_of(&d.items[0], "type"));
		out->is_stream = type != NULL && strcmp(type, "stream") == 0;
		out->has_single_active =
		    json_is_true(found_of(&d.items[0], "x-single-active-consumer"));
		difference_release(&d);
	}
	json_decref(queue.arguments);
	return good;
}
