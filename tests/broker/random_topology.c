#include "random_topology.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

#define PICK(r, list) ((list)[rng_below((r), ARRAY_LEN(list))])

const char *const random_queues[RANDOM_QUEUES] = {"a", "b", "a.b", "c", "d", "e", ".", "a.a"};

/* false more often than not below 1/2 */
static bool chance(struct rng *r, uint64_t percent)
{
	return rng_below(r, 100) < percent;
}

static const char *keep(struct random_world *w, const char *text)
{
	json_t *copy = json_string_nocheck(text);
	json_array_append_new(w->t.names, copy);
	return json_string_value(copy);
}

/* ---- keys ---- */

static const char *random_key(struct random_world *w, struct rng *r, bool is_pattern)
{
	static const char *const plain[] = {"a", "b", "a", "b", "c", "", "*", "#", "a#", "**"};
	static const char *const wild[] = {"a", "b", "*", "#", "*", "#", "#", ""};
	struct buf key = {0};
	uint64_t count = rng_below(r, 6);
	buf_append_str(&key, "");
	for (uint64_t i = 0; i < count; i++) {
		buf_append_str(&key, i == 0 ? "" : ".");
		buf_append_str(&key, is_pattern ? PICK(r, wild) : PICK(r, plain));
	}
	const char *kept = keep(w, count == 0 ? "" : key.ptr);
	buf_release(&key);
	return kept;
}

/* ---- headers ---- */

/* Values that are the same to the broker, or nearly so. */
static const char *const numbers[] = {"1", "1", "1.0", "2", "-1", "1.5", "0.1", "9007199254740993",
    "9007199254740992", "9007199254740992.0", "9223372036854775807", "1e300",
    "{\"$type\": \"int8\", \"value\": 1}", "{\"$type\": \"int8\", \"value\": -1}",
    "{\"$type\": \"uint8\", \"value\": 255}", "{\"$type\": \"int16\", \"value\": 1}",
    "{\"$type\": \"uint16\", \"value\": 1}", "{\"$type\": \"int32\", \"value\": -1}",
    "{\"$type\": \"uint32\", \"value\": 1}", "{\"$type\": \"uint64\", \"value\": 1}",
    "{\"$type\": \"uint64\", \"value\": \"18446744073709551615\"}",
    "{\"$type\": \"float\", \"value\": 1.0}", "{\"$type\": \"float\", \"value\": 0.1}",
    "{\"$type\": \"timestamp\", \"value\": 1}",
    "{\"$type\": \"decimal\", \"scale\": 0, \"value\": 1}",
    "{\"$type\": \"decimal\", \"scale\": 1, \"value\": 10}", "\"1\""};
static const char *const words[] = {"\"a\"", "\"a\"", "\"\"", "\"true\"", "true", "true", "false",
    "1", "null", "{\"$type\": \"bytes\", \"value\": \"YQ==\"}",
    "{\"$type\": \"bytes\", \"value\": \"\"}", "{\"$type\": \"bool\", \"value\": 2}", "[]"};
static const char *const lists[] = {"[]", "{}", "[]", "{}", "[1]", "[1.0]", "[\"a\", null]",
    "[null]", "[[1], {}]", "[[1], []]", "{\"k\": 1}", "{\"k\": true, \"l\": 1}",
    "{\"l\": 1, \"k\": true}", "[{\"$type\": \"int8\", \"value\": 1}]",
    "[{\"$type\": \"uint64\", \"value\": 1}]", "[\"a\"]",
    "[{\"$type\": \"bytes\", \"value\": \"YQ==\"}]", "[\"a.b\"]"};
static const char *const few[] = {"1", "1", "\"a\"", "true", "null", "[\"a\"]"};

#define GROUP(list)                   \
	{                             \
		list, ARRAY_LEN(list) \
	}
static const struct group {
	const char *const *values;
	size_t count;
} groups[] = {GROUP(numbers), GROUP(words), GROUP(lists), GROUP(few)};

static json_t *random_value(struct rng *r, const struct group *group)
{
	return json_loads(group->values[rng_below(r, group->count)], JSON_DECODE_ANY, NULL);
}

/* The values of a name are of one group mostly, so that they meet their like. */
static const struct header {
	const char *name;
	size_t group;
} headers[] = {{"h", 0}, {"i", 1}, {"j", 2}, {"x-k", 3}, {"x-", 3}, {"CC", 2}, {"BCC", 2},
    {"X-l", 3}, {"", 3}};

static void add_headers(struct rng *r, json_t *to)
{
	for (uint64_t i = rng_below(r, 4); i > 0; i--) {
		const struct header *h =
		    &headers[rng_below(r, chance(r, 55) ? 3 : ARRAY_LEN(headers))];
		const struct group *group = chance(r, 80) ? &groups[h->group] : &PICK(r, groups);
		json_t *value = chance(r, 25) ? json_null() : random_value(r, group);
		json_object_set_new(to, h->name, value);
	}
}

static json_t *random_arguments(struct rng *r)
{
	static const char *const matches[] = {"all", "any", "all-with-x", "any-with-x"};
	json_t *arguments = json_object();
	if (chance(r, 85))
		json_object_set_new(arguments, "x-match", json_string(PICK(r, matches)));
	add_headers(r, arguments);
	return arguments;
}

/* ---- exchanges and bindings ---- */

static const char *random_exchange(struct random_world *w, struct rng *r, size_t count)
{
	return w->t.exchanges[w->t.exchange_count - 1 - rng_below(r, count)].name;
}

static const char *const built_in[] = {
    "amq.direct", "amq.topic", "amq.fanout", "amq.headers", "amq.match"};

static void add_exchange(struct random_world *w, struct rng *r, uint64_t number, size_t index)
{
	static const char *const types[] = {
	    "direct", "topic", "topic", "fanout", "headers", "headers"};
	struct topology *t = &w->t;
	char *name = mem_printf("x%" PRIu64 ".%zu", number, index);
	t->exchanges = mem_grow(
	    t->exchanges, &w->exchange_capacity, t->exchange_count + 1, sizeof *t->exchanges);
	t->exchanges[t->exchange_count++] = (struct topology_exchange){.name = keep(w, name),
	    .type = PICK(r, types),
	    .declared = true,
	    .internal = index > 0 && chance(r, 20),
	    .arguments = json_object()};
	free(name);
}

/* Another of its kind, one that every broker has, or one that is not there. */
static void add_alternate(
    struct random_world *w, struct rng *r, struct topology_exchange *e, size_t count)
{
	static const char *const odd[] = {"", "nobody", "amq.fanout", "amq.topic"};
	const char *name = chance(r, 80) ? random_exchange(w, r, count) : PICK(r, odd);
	json_object_set_new(e->arguments, "alternate-exchange", json_string(name));
}

static void add_binding(struct random_world *w, struct topology_binding b)
{
	struct topology *t = &w->t;
	t->bindings =
	    mem_grow(t->bindings, &w->binding_capacity, t->binding_count + 1, sizeof *t->bindings);
	t->bindings[t->binding_count++] = b;
}

static struct topology_binding random_binding(struct random_world *w, struct rng *r, size_t count)
{
	struct topology_binding b = {.exchange = random_exchange(w, r, count),
	    .to_exchange = chance(r, 40),
	    .routing_key = random_key(w, r, chance(r, 70)),
	    .arguments = random_arguments(r)};
	b.destination = !b.to_exchange	? PICK(r, random_queues)
			: chance(r, 90) ? random_exchange(w, r, count)
					: PICK(r, built_in);
	return b;
}

static void keep_binding(struct random_world *w, struct rng *r)
{
	struct random_kept *k = w->kept;
	if (k->count == ARRAY_LEN(k->items))
		return;
	struct topology_binding b = random_binding(w, r, 1);
	b.exchange = PICK(r, built_in);
	b.to_exchange = false;
	b.destination = PICK(r, random_queues);
	json_t *key = json_string(b.routing_key);
	json_array_append_new(k->names, key);
	b.routing_key = json_string_value(key);
	k->items[k->count++] = b;
	json_incref(b.arguments);
	add_binding(w, b);
}

void random_world_begin(struct random_world *w, struct random_kept *kept)
{
	struct topology *t = &w->t;
	w->kept = kept;
	t->names = json_array();
	if (kept->names == NULL)
		kept->names = json_array();
	t->queues = mem_grow(t->queues, &w->queue_capacity, RANDOM_QUEUES, sizeof *t->queues);
	for (size_t i = 0; i < RANDOM_QUEUES; i++)
		t->queues[t->queue_count++] = (struct topology_queue){.name = random_queues[i],
		    .type = "classic",
		    .durable = true,
		    .declared = true,
		    .arguments = json_object()};
	for (size_t i = 0; i < kept->count; i++) {
		json_incref(kept->items[i].arguments);
		add_binding(w, kept->items[i]);
	}
}

size_t random_world_add(struct random_world *w, struct rng *r, uint64_t number)
{
	size_t count = 1 + rng_below(r, 5);
	for (size_t i = 0; i < count; i++)
		add_exchange(w, r, number, i);
	for (size_t i = 0; i < count; i++)
		if (chance(r, 40))
			add_alternate(w, r, &w->t.exchanges[w->t.exchange_count - 1 - i], count);
	for (uint64_t i = 2 + rng_below(r, 5 + 3 * count); i > 0; i--)
		add_binding(w, random_binding(w, r, count));
	if (chance(r, 10))
		keep_binding(w, r);
	return count;
}

const char *random_world_add_row(
    struct random_world *w, const char *type, const char *key, json_t *arguments)
{
	struct topology *t = &w->t;
	char *name = mem_printf("%s.%zu", type, t->exchange_count);
	t->exchanges = mem_grow(
	    t->exchanges, &w->exchange_capacity, t->exchange_count + 1, sizeof *t->exchanges);
	struct topology_exchange *e = &t->exchanges[t->exchange_count++];
	*e = (struct topology_exchange){
	    .name = keep(w, name), .type = type, .declared = true, .arguments = json_object()};
	add_binding(w, (struct topology_binding){.exchange = e->name,
			   .destination = random_queues[0],
			   .routing_key = key,
			   .arguments = arguments});
	free(name);
	return e->name;
}

/* ---- messages ---- */

static json_t *random_routes(struct random_world *w, struct rng *r)
{
	json_t *list = json_array();
	for (uint64_t i = rng_below(r, 4); i > 0; i--)
		json_array_append_new(list, chance(r, 80) ? json_string(random_key(w, r, false))
							  : random_value(r, &PICK(r, groups)));
	return list;
}

/* What a late binding wants, to begin with, at times. */
static json_t *start_headers(const struct random_world *w, struct rng *r)
{
	if (w->t.binding_count == 0 || chance(r, 50))
		return json_object();
	uint64_t back = rng_below(r, w->t.binding_count < 8 ? w->t.binding_count : 8);
	json_t *wanted = w->t.bindings[w->t.binding_count - 1 - back].arguments;
	json_t *copy = json_copy(wanted);
	json_object_del(copy, "x-match");
	return copy;
}

/* CC and BCC other than as a list would end the channel. */
static json_t *random_headers(struct random_world *w, struct rng *r)
{
	static const char *const routes[] = {"CC", "BCC"};
	json_t *made = start_headers(w, r);
	if (json_object_size(made) == 0 || chance(r, 50))
		add_headers(r, made);
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const json_t *there = json_object_get(made, routes[i]);
		if ((there != NULL && !json_is_array(there)) || chance(r, 10))
			json_object_set_new(made, routes[i], random_routes(w, r));
	}
	return made;
}

struct routes_message random_message(struct random_world *w, struct rng *r, size_t exchange_count)
{
	struct routes_message m = {.routing_key = random_key(w, r, false),
	    .headers = chance(r, 80) ? random_headers(w, r) : NULL};
	uint64_t where = rng_below(r, 100);
	m.exchange = where < 85	  ? random_exchange(w, r, exchange_count)
		     : where < 92 ? PICK(r, built_in)
				  : "";
	const struct topology_exchange *e = topology_find_exchange(&w->t, slice_str(m.exchange));
	if (e->internal) /* which the broker takes nothing for; the first never is */
		m.exchange = w->t.exchanges[w->t.exchange_count - exchange_count].name;
	return m;
}
