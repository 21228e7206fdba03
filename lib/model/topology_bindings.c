/* The bindings of the settings. */
#include "model/topology.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/arguments.h"
#include "model/topology_private.h"

#include <stdlib.h>

static const char *const matches[] = {"all", "any", "all-with-x", "any-with-x", NULL};
#define FIRST_WITH_X 2

/* Plugins may route by headers as well (x-delayed-message does, when told so). */
static bool may_match_headers(const struct topology_exchange *e)
{
	return strcmp(e->type, "headers") == 0 || strncmp(e->type, "x-", 2) == 0;
}

static const struct topology_exchange *find_exchange(
    const struct topology_builder *b, const char *name)
{
	const json_t *index = json_object_get(b->exchange_index, name);
	if (index != NULL)
		return &b->t.exchanges[json_integer_value(index)];
	return topology_find_exchange(
	    &(struct topology){0}, slice_str(name)); /* the broker's own */
}

static bool read_exchange(
    struct topology_builder *b, const json_t *item, struct topology_binding *out)
{
	const char *name;
	if (!reader_text(&b->reader, item, "exchange", &name))
		return reader_member(item, "exchange") != NULL ||
		       reader_fail(&b->reader, "a binding needs 'exchange', its source");
	out->exchange = topology_intern(b, name);
	if (name[0] == '\0')
		return reader_fail_at(&b->reader, "exchange",
		    "the default exchange cannot be bound; it has every queue under its name");
	if (find_exchange(b, name) == NULL)
		topology_fail_unknown(b, "exchange", false, name);
	return true;
}

static bool is_known(const struct topology_builder *b, bool is_queue, const char *name)
{
	return is_queue ? json_object_get(b->queue_index, name) != NULL
			: find_exchange(b, name) != NULL;
}

static bool read_destination(
    struct topology_builder *b, const json_t *item, struct topology_binding *out)
{
	struct reader *r = &b->reader;
	bool to_queue = reader_member(item, "queue") != NULL;
	out->to_exchange = reader_member(item, "to_exchange") != NULL;
	if (to_queue == out->to_exchange)
		return reader_fail(r, "a binding leads to one 'queue' or one 'to_exchange', %s",
		    to_queue ? "not to both" : "and this one to nothing");
	const char *key = to_queue ? "queue" : "to_exchange", *name;
	if (!reader_text(r, item, key, &name))
		return false;
	out->destination = topology_intern(b, name);
	if (!to_queue && name[0] == '\0')
		return reader_fail_at(r, key, "the default exchange cannot be bound");
	if (!is_known(b, to_queue, name))
		topology_fail_unknown(b, key, to_queue, name);
	return true;
}

static void read_routing_key(
    struct topology_builder *b, const json_t *item, struct topology_binding *out)
{
	const char *key = "";
	(void)reader_text(&b->reader, item, "routing_key", &key); /* reports itself */
	if (strlen(key) > TOPOLOGY_MAX_NAME)
		reader_fail_at(&b->reader, "routing_key",
		    "a routing key of %zu bytes; it may have %d", strlen(key), TOPOLOGY_MAX_NAME);
	if (strstr(key, "{{") != NULL)
		reader_fail_at(&b->reader, "routing_key",
		    "{{field}} is for messages; the key of a binding is a fixed text");
	out->routing_key = topology_intern(b, key);
}

static void read_header(
    struct reader *r, const char *name, const json_t *value, size_t match, json_t *out)
{
	char *quoted = text_quote(slice_str(name));
	if (strcmp(name, "x-match") == 0)
		reader_fail_name_at(r, name, "x-match is written as 'match', not as a header");
	else if (json_object_get(out, name) != NULL)
		reader_fail_name_at(
		    r, name, "'%s' stands in 'arguments' as well; keep one of them", quoted);
	else if (strncmp(name, "x-", 2) == 0 && match < FIRST_WITH_X)
		reader_fail_name_at(r, name,
		    "headers that begin with 'x-' are not looked at; match: %s-with-x does",
		    matches[match]);
	else if (arguments_check_field(r, name, value))
		json_object_set_new(out, name, json_deep_copy(value));
	free(quoted);
}

/* match and headers; the exchange's type says whether they mean anything. */
static void read_headers(
    struct topology_builder *b, const json_t *item, const char *exchange, json_t *arguments)
{
	static const char *const keys[] = {"match", "headers"};
	const struct topology_exchange *e = find_exchange(b, exchange);
	struct reader *r = &b->reader;
	json_t *headers = reader_member(item, "headers"), *value;
	const char *name;
	size_t match = 0;
	bool is_used = reader_member(item, "match") != NULL || headers != NULL;
	for (size_t i = 0; e != NULL && !may_match_headers(e) && i < ARRAY_LEN(keys); i++)
		if (reader_member(item, keys[i]) != NULL)
			reader_fail_at(r, keys[i],
			    "%s is for exchanges of type headers; this one is of type %s", keys[i],
			    e->type);
	(void)reader_choice(r, item, "match", matches, &match); /* reports itself */
	if (!is_used)
		return;
	if (json_object_get(arguments, "x-match") != NULL)
		reader_fail(r, "match and headers stand beside arguments.x-match; keep one");
	bool is_any = match % FIRST_WITH_X == 1;
	if (is_any && json_object_size(headers) == 0 && json_object_size(arguments) == 0)
		reader_fail_at(
		    r, "match", "match: %s without headers matches no message", matches[match]);
	json_object_set_new(arguments, "x-match", json_string(matches[match]));
	size_t mark = reader_enter(r, "headers");
	json_object_foreach(headers, name, value) read_header(r, name, value, match, arguments);
	reader_leave(r, mark);
}

static void check_repeated(struct topology_builder *b, const struct topology_binding *binding)
{
	json_t *said = json_pack("[s, b, s, s, O]", binding->exchange, binding->to_exchange,
	    binding->destination, binding->routing_key, binding->arguments);
	char *text = json_dumps(said, JSON_COMPACT | JSON_SORT_KEYS);
	if (json_object_get(b->seen_bindings, text) != NULL)
		reader_fail(&b->reader, "this binding stands above already");
	json_object_set_new(b->seen_bindings, text, json_true());
	free(text);
	json_decref(said);
}

static json_t *read_arguments(struct reader *r, const json_t *item)
{
	const json_t *raw = reader_member(item, "arguments");
	const char *name;
	json_t *value;
	size_t mark = reader_enter(r, "arguments");
	json_object_foreach((json_t *)(uintptr_t)raw, name, value)(void)
	    arguments_check_field(r, name, value); /* reports itself */
	reader_leave(r, mark);
	return json_is_object(raw) ? json_deep_copy(raw) : json_object();
}

static void read_binding(struct topology_builder *b, const json_t *item)
{
	struct topology *t = &b->t;
	struct topology_binding binding = {0};
	bool has_source = read_exchange(b, item, &binding);
	bool has_destination = read_destination(b, item, &binding);
	read_routing_key(b, item, &binding);
	if (!has_source || !has_destination || binding.exchange == NULL)
		return;
	binding.arguments = read_arguments(&b->reader, item);
	read_headers(b, item, binding.exchange, binding.arguments);
	check_repeated(b, &binding);
	t->bindings =
	    mem_grow(t->bindings, &b->binding_capacity, t->binding_count + 1, sizeof *t->bindings);
	t->bindings[t->binding_count++] = binding;
}

static void make_indexes(struct topology_builder *b)
{
	b->exchange_index = json_object();
	b->queue_index = json_object();
	b->seen_bindings = json_object();
	for (size_t i = 0; i < b->t.exchange_count; i++)
		json_object_set_new(
		    b->exchange_index, b->t.exchanges[i].name, json_integer((json_int_t)i));
	for (size_t i = 0; i < b->t.queue_count; i++)
		json_object_set_new(
		    b->queue_index, b->t.queues[i].name, json_integer((json_int_t)i));
}

void topology_read_bindings(struct topology_builder *b, const json_t *settings)
{
	const json_t *list = reader_member(settings, "bindings");
	make_indexes(b);
	size_t outer = reader_enter(&b->reader, "bindings");
	for (size_t i = 0; i < json_array_size(list); i++) {
		size_t mark = reader_enter_item(&b->reader, i);
		read_binding(b, json_array_get(list, i));
		reader_leave(&b->reader, mark);
	}
	reader_leave(&b->reader, outer);
	json_decref(b->exchange_index);
	json_decref(b->queue_index);
	json_decref(b->seen_bindings);
}
