#include "model/topology.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/arguments.h"
#include "model/topology_private.h"

#include <stdlib.h>

/* What a broker has without being asked. */
#define PREDECLARED(name, type)                             \
	{                                                   \
		name, type, true, false, false, false, NULL \
	}

static const struct topology_exchange predeclared[] = {
    PREDECLARED("", "direct"),
    PREDECLARED("amq.direct", "direct"),
    PREDECLARED("amq.topic", "topic"),
    PREDECLARED("amq.fanout", "fanout"),
    PREDECLARED("amq.headers", "headers"),
    PREDECLARED("amq.match", "headers"),
};

/* ---- shared with the other files of the module ---- */

const char *topology_intern(struct topology_builder *b, const char *text)
{
	json_t *copy = json_string_nocheck(text);
	json_array_append_new(b->t.names, copy);
	return json_string_value(copy);
}

struct topology_queue *topology_add_queue(
    struct topology_builder *b, const char *name, const char *type)
{
	struct topology *t = &b->t;
	t->queues = mem_grow(t->queues, &b->queue_capacity, t->queue_count + 1, sizeof *t->queues);
	struct topology_queue *q = &t->queues[t->queue_count++];
	*q = (struct topology_queue){.name = topology_intern(b, name),
	    .type = type,
	    .durable = true,
	    .declared = true,
	    .arguments = json_object()};
	json_object_set_new(q->arguments, "x-queue-type", json_string(type));
	return q;
}

#define SUGGEST_AMONG 1000 /* names: among more, thousands of unknown ones would take minutes */

/* The queue or exchange whose name is nearest; NULL when none is near. */
static const char *find_nearest(const struct topology *t, bool is_queue, const char *name)
{
	size_t count = is_queue ? t->queue_count : t->exchange_count;
	if (count > SUGGEST_AMONG)
		return NULL;
	const char **names = mem_alloc(count + ARRAY_LEN(predeclared) + 1, sizeof *names);
	for (size_t i = 0; i < count; i++)
		names[i] = is_queue ? t->queues[i].name : t->exchanges[i].name;
	for (size_t i = 1; !is_queue && i < ARRAY_LEN(predeclared); i++)
		names[count++] = predeclared[i].name;
	const char *nearest = text_suggest(slice_str(name), names);
	free(names);
	return nearest;
}

char *topology_explain_unknown(const struct topology *t, bool is_queue, const char *name)
{
	bool is_other = is_queue ? topology_find_exchange(t, slice_str(name)) != NULL
				 : topology_find_queue(t, slice_str(name)) != NULL;
	const char *nearest = is_other ? NULL : find_nearest(t, is_queue, name);
	char *quoted = text_quote(slice_str(name));
	char *suggested = text_quote(slice_str(nearest));
	struct buf out = {0};
	buf_printf(&out, "%s '%s' is not declared", is_queue ? "queue" : "exchange", quoted);
	if (is_other)
		buf_printf(&out, "; '%s' is %s", quoted, is_queue ? "an exchange" : "a queue");
	else if (nearest != NULL)
		buf_printf(&out, "; did you mean '%s'?", suggested);
	free(suggested);
	free(quoted);
	return buf_take(&out);
}

void topology_fail_unknown(
    struct topology_builder *b, const char *key, bool is_queue, const char *name)
{
	char *text = topology_explain_unknown(&b->t, is_queue, name);
	reader_fail_at(&b->reader, key, "%s", text);
	free(text);
}

/* ---- exchanges ---- */

static bool is_reserved(const char *name)
{
	return strncmp(name, "amq.", 4) == 0;
}

static void check_name(struct reader *r, const char *name, bool declared)
{
	if (strlen(name) > TOPOLOGY_MAX_NAME)
		reader_fail_name(
		    r, "a name of %zu bytes; it may have %d", strlen(name), TOPOLOGY_MAX_NAME);
	if (declared && is_reserved(name))
		reader_fail_name(r,
		    "names that begin with 'amq.' are reserved; with declared: false "
		    "one that the broker has may be used");
}

static const char *read_exchange_type(struct topology_builder *b, const json_t *body)
{
	static const char *const types[] = {"direct", "topic", "fanout", "headers", NULL};
	/* anything may be true of a plugin's type: what depends on it is not reported as well */
	static const char unknown[] = "x-";
	const char *type = "direct";
	if (!reader_text(&b->reader, body, "type", &type))
		return reader_member(body, "type") != NULL ? unknown : type;
	for (size_t i = 0; types[i] != NULL; i++)
		if (strcmp(type, types[i]) == 0)
			return types[i];
	if (strncmp(type, "x-", 2) == 0 && type[2] != '\0')
		return topology_intern(b, type);
	const char *nearest = text_suggest(slice_str(type), types);
	char *quoted = text_quote(slice_str(type));
	if (nearest != NULL)
		reader_fail_at(&b->reader, "type",
		    "'%s' is no type of exchange; did you mean '%s'?", quoted, nearest);
	else
		reader_fail_at(&b->reader, "type",
		    "'%s' is no type of exchange; it is direct, topic, fanout, headers or x-...",
		    quoted);
	free(quoted);
	return unknown;
}

static void read_alternate(struct reader *r, const json_t *body, json_t *arguments)
{
	const char *alternate;
	if (!reader_text(r, body, "alternate", &alternate))
		return;
	if (json_object_get(arguments, "alternate-exchange") != NULL)
		reader_fail_at(r, "alternate",
		    "alternate stands beside arguments.alternate-exchange; keep one of them");
	json_object_set_new(arguments, "alternate-exchange", json_string(alternate));
}

static void read_exchange(struct topology_builder *b, const char *name, const json_t *body)
{
	struct topology *t = &b->t;
	struct reader *r = &b->reader;
	struct topology_exchange e = {.durable = true, .declared = true};
	e.name = topology_intern(b, name);
	e.type = read_exchange_type(b, body);
	e.arguments = json_object();
	(void)reader_bool(r, body, "durable", &e.durable); /* these report what is wrong */
	(void)reader_bool(r, body, "auto_delete", &e.auto_delete);
	(void)reader_bool(r, body, "internal", &e.internal);
	(void)reader_bool(r, body, "declared", &e.declared);
	if (name[0] == '\0')
		reader_fail_name(r, "the default exchange is always there and cannot be declared");
	check_name(r, name, e.declared);
	arguments_read_exchange(r, body, e.arguments);
	read_alternate(r, body, e.arguments);
	t->exchanges = mem_grow(
	    t->exchanges, &b->exchange_capacity, t->exchange_count + 1, sizeof *t->exchanges);
	t->exchanges[t->exchange_count++] = e;
}

/* Once all exchanges and queues are known. */
static void check_alternate(struct topology_builder *b, const json_t *body, size_t index)
{
	const json_t *value =
	    json_object_get(b->t.exchanges[index].arguments, "alternate-exchange");
	const char *name = json_string_value(value);
	bool is_raw = reader_member(body, "alternate") == NULL;
	if (name == NULL || topology_find_exchange(&b->t, slice_str(name)) != NULL)
		return;
	if (!is_raw) {
		topology_fail_unknown(b, "alternate", false, name);
		return;
	}
	size_t mark = reader_enter(&b->reader, "arguments");
	topology_fail_unknown(b, "alternate-exchange", false, name);
	reader_leave(&b->reader, mark);
}

static void read_exchanges(struct topology_builder *b, const json_t *settings)
{
	json_t *exchanges = reader_member(settings, "exchanges");
	const char *name;
	json_t *body;
	size_t outer = reader_enter(&b->reader, "exchanges");
	json_object_foreach(exchanges, name, body)
	{
		size_t mark = reader_enter(&b->reader, name);
		read_exchange(b, name, body);
		reader_leave(&b->reader, mark);
	}
	reader_leave(&b->reader, outer);
}

static void check_alternates(struct topology_builder *b, const json_t *settings)
{
	json_t *exchanges = reader_member(settings, "exchanges");
	const char *name;
	json_t *body;
	size_t index = 0;
	size_t outer = reader_enter(&b->reader, "exchanges");
	json_object_foreach(exchanges, name, body)
	{
		size_t mark = reader_enter(&b->reader, name);
		check_alternate(b, body, index++);
		reader_leave(&b->reader, mark);
	}
	reader_leave(&b->reader, outer);
}

/* ---- queues ---- */

/* Quorum queues and streams are replicated logs on disk: the broker refuses anything else. */
static void check_replicated(struct reader *r, const struct topology_queue *q)
{
	if (strcmp(q->type, "classic") == 0)
		return;
	if (!q->durable)
		reader_fail_at(r, "durable", "a %s queue is always durable", q->type);
	if (q->exclusive)
		reader_fail_at(r, "exclusive", "a %s queue cannot be exclusive", q->type);
	if (q->auto_delete)
		reader_fail_at(r, "auto_delete", "a %s queue cannot be auto-deleted", q->type);
}

static void read_queue(struct topology_builder *b, const char *name, const json_t *body)
{
	static const char *const types[] = {"classic", "quorum", "stream", NULL};
	struct reader *r = &b->reader;
	size_t type = 0;
	(void)reader_choice(r, body, "type", types, &type); /* these report what is wrong */
	struct topology_queue *q = topology_add_queue(b, name, types[type]);
	(void)reader_bool(r, body, "durable", &q->durable);
	(void)reader_bool(r, body, "exclusive", &q->exclusive);
	(void)reader_bool(r, body, "auto_delete", &q->auto_delete);
	(void)reader_bool(r, body, "declared", &q->declared);
	if (name[0] == '\0')
		reader_fail_name(r, "a queue needs a name");
	check_name(r, name, q->declared);
	check_replicated(r, q);
	arguments_read_queue(r, body, q->type, q->arguments);
	if (!q->declared &&
	    (json_object_size(q->arguments) > 1 || reader_member(body, "dead_letter") != NULL))
		reader_fail(r, "declared: false only looks whether the queue is there; its "
			       "arguments would have no effect");
}

/* Goes to where an argument was written, its friendly key or `arguments`; returns its name there.
 */
static const char *enter_argument(
    struct reader *r, const json_t *body, const char *key, const char *wire)
{
	if (reader_member(body, key) != NULL)
		return key;
	reader_enter(r, "arguments");
	return wire;
}

/* The target of dead letters must be there: the broker drops what it cannot place, silently. */
static void check_dead_letters(struct topology_builder *b, const json_t *body, size_t index)
{
	static const char exchange_wire[] = "x-dead-letter-exchange";
	static const char key_wire[] = "x-dead-letter-routing-key";
	const json_t *arguments = b->t.queues[index].arguments;
	const char *exchange = json_string_value(json_object_get(arguments, exchange_wire));
	const char *key = json_string_value(json_object_get(arguments, key_wire));
	struct reader *r = &b->reader;
	size_t mark = r->pointer.len;
	if (exchange == NULL && key != NULL)
		reader_fail_at(r, enter_argument(r, body, "dead_letter_routing_key", key_wire),
		    "a routing key for dead letters needs an exchange for them");
	else if (exchange != NULL && topology_find_exchange(&b->t, slice_str(exchange)) == NULL)
		topology_fail_unknown(b,
		    enter_argument(r, body, "dead_letter_exchange", exchange_wire), false,
		    exchange);
	else if (exchange != NULL && exchange[0] == '\0' && key != NULL &&
		 topology_find_queue(&b->t, slice_str(key)) == NULL)
		topology_fail_unknown(
		    b, enter_argument(r, body, "dead_letter_routing_key", key_wire), true, key);
	reader_leave(r, mark);
}

static bool has_text(const json_t *arguments, const char *wire, const char *text)
{
	const char *value = json_string_value(json_object_get(arguments, wire));
	return value != NULL && strcmp(value, text) == 0;
}

/* Without these the broker goes back to at-most-once, silently. */
static void check_strategy(struct topology_builder *b, const json_t *body, size_t index)
{
	static const char wire[] = "x-dead-letter-strategy";
	const json_t *arguments = b->t.queues[index].arguments;
	struct reader *r = &b->reader;
	size_t mark = r->pointer.len;
	if (has_text(arguments, wire, "at-least-once") &&
	    (!has_text(arguments, "x-overflow", "reject-publish") ||
		json_object_get(arguments, "x-dead-letter-exchange") == NULL))
		reader_fail_at(r, enter_argument(r, body, "dead_letter_strategy", wire),
		    "at-least-once needs 'overflow: reject-publish' and a target for dead letters");
	reader_leave(r, mark);
}

static void read_queues(struct topology_builder *b, const json_t *settings)
{
	json_t *queues = reader_member(settings, "queues");
	const char *name;
	json_t *body;
	size_t index = 0;
	size_t outer = reader_enter(&b->reader, "queues");
	json_object_foreach(queues, name, body)
	{
		size_t mark = reader_enter(&b->reader, name);
		read_queue(b, name, body);
		reader_leave(&b->reader, mark);
	}
	topology_add_sugar(b, queues);
	json_object_foreach(queues, name, body)
	{
		size_t mark = reader_enter(&b->reader, name);
		check_dead_letters(b, body, index);
		check_strategy(b, body, index++);
		reader_leave(&b->reader, mark);
	}
	reader_leave(&b->reader, outer);
}

/* ---- the whole ---- */

bool topology_read(
    const json_t *settings, struct topology *out, reader_report_fn *report, void *ctx)
{
	struct topology_builder b = {.reader = {.report = report, .ctx = ctx}};
	b.t.names = json_array();
	read_exchanges(&b, settings);
	read_queues(&b, settings);
	check_alternates(&b, settings);
	topology_read_bindings(&b, settings);
	reader_release(&b.reader);
	if (b.reader.failed)
		topology_release(&b.t);
	*out = b.t;
	return !b.reader.failed;
}

void topology_release(struct topology *t)
{
	for (size_t i = 0; i < t->exchange_count; i++)
		json_decref(t->exchanges[i].arguments);
	for (size_t i = 0; i < t->queue_count; i++)
		json_decref(t->queues[i].arguments);
	for (size_t i = 0; i < t->binding_count; i++)
		json_decref(t->bindings[i].arguments);
	free(t->exchanges);
	free(t->queues);
	free(t->bindings);
	json_decref(t->names);
	*t = (struct topology){0};
}

const struct topology_exchange *topology_find_exchange(const struct topology *t, struct slice name)
{
	for (size_t i = 0; i < t->exchange_count; i++)
		if (slice_is(name, t->exchanges[i].name))
			return &t->exchanges[i];
	for (size_t i = 0; i < ARRAY_LEN(predeclared); i++)
		if (slice_is(name, predeclared[i].name))
			return &predeclared[i];
	return NULL;
}

const struct topology_queue *topology_find_queue(const struct topology *t, struct slice name)
{
	for (size_t i = 0; i < t->queue_count; i++)
		if (slice_is(name, t->queues[i].name))
			return &t->queues[i];
	return NULL;
}

/* ---- where messages go ---- */

/* The exchanges that a message may come to; each once. */
struct way {
	const char **names;
	size_t count;
};

static void visit(struct way *way, const char *name)
{
	for (size_t i = 0; i < way->count; i++)
		if (strcmp(way->names[i], name) == 0)
			return;
	way->names[way->count++] = name;
}

/* Adds what lies directly behind an exchange; true when a queue does. */
static bool follow(const struct topology *t, struct way *way, const char *name)
{
	const struct topology_exchange *e = topology_find_exchange(t, slice_str(name));
	const char *alternate =
	    e != NULL ? json_string_value(json_object_get(e->arguments, "alternate-exchange"))
		      : NULL;
	if (name[0] == '\0')
		return t->queue_count > 0;
	if (alternate != NULL)
		visit(way, alternate);
	for (size_t i = 0; i < t->binding_count; i++) {
		const struct topology_binding *binding = &t->bindings[i];
		if (strcmp(binding->exchange, name) != 0)
			continue;
		if (!binding->to_exchange)
			return true;
		visit(way, binding->destination);
	}
	return false;
}

bool topology_reaches_queue(const struct topology *t, struct slice exchange)
{
	const struct topology_exchange *first = topology_find_exchange(t, exchange);
	struct way way = {0};
	bool found = false;
	if (first == NULL)
		return false;
	way.names = mem_alloc(1 + t->exchange_count + t->binding_count, sizeof *way.names);
	visit(&way, first->name);
	for (size_t i = 0; !found && i < way.count; i++)
		found = follow(t, &way, way.names[i]);
	free(way.names);
	return found;
}
