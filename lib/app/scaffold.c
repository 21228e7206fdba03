#include "app/scaffold.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/provision.h"
#include "model/difference.h"

#include <stdlib.h>

void scaffold_init(struct scaffold *s, struct connection *c, const struct topology_queue *queue)
{
	*s = (struct scaffold){.connection = c,
	    .queue = queue,
	    .temp = mem_printf("%s.migration", queue->name),
	    .away = mem_printf("%s.migration.away", queue->name),
	    .lock = mem_printf("%s.migration.lock", queue->name)};
}

void scaffold_release(struct scaffold *s)
{
	free(s->bindings);
	free(s->lock);
	free(s->away);
	free(s->temp);
	*s = (struct scaffold){0};
}

/* ---- bindings ---- */

/* One binding without arguments. */
static struct topology_binding plain_binding(const char *exchange, const char *queue)
{
	return (struct topology_binding){
	    .exchange = exchange, .destination = queue, .routing_key = ""};
}

/* The same binding, but to the exchange in between. */
static struct topology_binding by_way(const struct scaffold *s, const struct topology_binding *b)
{
	struct topology_binding other = *b;
	other.destination = s->temp;
	other.to_exchange = true;
	return other;
}

static bool change_one(struct scaffold *s, struct topology_binding b, bool make, struct error *err)
{
	const struct topology t = {.bindings = &b, .binding_count = 1};
	return make ? provision_apply(s->connection, &t, NULL, NULL, NULL, err)
		    : provision_unbind(s->connection, &t, err);
}

/* All bindings of the queue, directly or by way of the exchange in between. */
bool scaffold_bind(struct scaffold *s, bool direct, bool make, struct error *err)
{
	bool good = true;
	for (size_t i = 0; good && i < s->binding_count; i++) {
		const struct topology_binding *b = &s->bindings[i];
		good = change_one(s, direct ? *b : by_way(s, b), make, err);
	}
	return good;
}

/* What expires meanwhile goes where the queue's dead letters go. */
static json_t *temp_arguments(const struct topology_queue *q)
{
	static const char *const kept[] = {"x-dead-letter-exchange", "x-dead-letter-routing-key"};
	bool is_quorum = strcmp(q->type, "quorum") == 0;
	json_t *out = json_pack("{s:s}", "x-queue-type", is_quorum ? "quorum" : "classic");
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (json_object_get(q->arguments, kept[i]) != NULL)
			json_object_set(out, kept[i], json_object_get(q->arguments, kept[i]));
	return out;
}

/* As replicated as the new queue is. One that is there already stays as it is. */
bool scaffold_build(struct scaffold *s, struct error *err)
{
	struct provision_state state = {0};
	json_t *by = json_pack("{s:s}", "alternate-exchange", s->away);
	json_t *arguments = temp_arguments(s->queue), *none = json_object();
	struct topology_exchange exchanges[] = {
	    {.name = s->temp, .type = "fanout", .durable = true, .declared = true, .arguments = by},
	    {.name = s->away,
		.type = "fanout",
		.durable = true,
		.declared = true,
		.arguments = none},
	};
	struct topology_binding binding = plain_binding(s->away, s->temp);
	bool good = provision_look_queue(s->connection, s->temp, &state, err);
	struct topology_queue temp = {.name = s->temp,
	    .type = "classic",
	    .durable = true,
	    .declared = !state.exists,
	    .arguments = arguments};
	const struct topology t = {.exchanges = exchanges,
	    .exchange_count = ARRAY_LEN(exchanges),
	    .queues = &temp,
	    .queue_count = 1,
	    .bindings = &binding,
	    .binding_count = 1};
	good = good && provision_apply(s->connection, &t, NULL, NULL, NULL, err);
	json_decref(by);
	json_decref(arguments);
	json_decref(none);
	return good;
}

/* The exchange in between goes last: it says that there is something left to do. */
bool scaffold_take_down(struct scaffold *s, struct error *err)
{
	static const struct provision_limits none = {0};
	struct topology_exchange exchanges[] = {
	    {.name = s->away, .declared = true},
	    {.name = s->temp, .declared = true},
	};
	const struct topology t = {.exchanges = exchanges, .exchange_count = ARRAY_LEN(exchanges)};
	return provision_delete(s->connection, &t, &none, NULL, NULL, err);
}

/* ---- before anything is changed ---- */

/* One at a time: the queue is this connection's, and goes with it. */
bool scaffold_lock(struct scaffold *s, struct error *err)
{
	struct provision_state state = {0};
	const char *const own[] = {s->lock, NULL};
	struct topology_queue q = {
	    .name = s->lock, .type = "classic", .exclusive = true, .declared = true};
	const struct topology t = {.queues = &q, .queue_count = 1};
	if (!provision_look_queue(s->connection, s->lock, &state, err))
		return false;
	if (!state.locked)
		return provision_apply(s->connection, &t, own, NULL, NULL, err);
	char *shown = text_quote(slice_str(s->queue->name));
	error_set(err, ERROR_UNAVAILABLE, "somebody else is migrating queue '%s'", shown);
	free(shown);
	return false;
}

bool scaffold_unlock(struct scaffold *s, struct error *err)
{
	static const struct provision_limits none = {0};
	struct topology_queue q = {.name = s->lock, .type = "classic", .declared = true};
	const struct topology t = {.queues = &q, .queue_count = 1};
	return provision_delete(s->connection, &t, &none, NULL, NULL, err);
}

/* Whether the broker takes such a queue at all, tried with one of another name. */
bool scaffold_probe(struct scaffold *s, struct error *err)
{
	static const struct provision_limits none = {0};
	struct topology_queue q = *s->queue;
	q.name = s->away;
	const struct topology t = {.queues = &q, .queue_count = 1};
	return provision_apply(s->connection, &t, NULL, NULL, NULL, err) &&
	       provision_delete(s->connection, &t, &none, NULL, NULL, err);
}

bool scaffold_leads_to(const struct topology_binding *b, bool to_exchange, const char *name)
{
	return b->to_exchange == to_exchange && strcmp(b->destination, name) == 0;
}

static void add_binding(struct scaffold *s, const struct topology_binding *b)
{
	struct topology_binding direct = *b;
	direct.to_exchange = false;
	direct.destination = s->queue->name;
	for (size_t i = 0; i < s->binding_count; i++)
		if (difference_is_same_binding(&s->bindings[i], &direct))
			return;
	s->bindings =
	    mem_grow(s->bindings, &s->binding_capacity, s->binding_count + 1, sizeof *s->bindings);
	s->bindings[s->binding_count++] = direct;
}

/* Those that are there may go directly, or by way of us. */
void scaffold_add_bindings(struct scaffold *s, const struct topology *t)
{
	for (size_t i = 0; i < t->binding_count; i++) {
		const struct topology_binding *b = &t->bindings[i];
		bool is_ours = strcmp(b->exchange, s->temp) == 0;
		if (!is_ours && (scaffold_leads_to(b, false, s->queue->name) ||
				    scaffold_leads_to(b, true, s->temp)))
			add_binding(s, b);
	}
}

bool scaffold_connect(struct scaffold *s, bool make, struct error *err)
{
	return change_one(s, plain_binding(s->temp, s->queue->name), make, err);
}
