#include "model/definitions.h"

#include "base/mem.h"
#include "config/document.h"

#include <stdlib.h>
#include <string.h>

/* A topology that grows while the lists are read. */
struct definitions {
	struct reader reader;
	const char *vhost; /* NULL: of all */
	struct topology t;
	size_t exchange_capacity, queue_capacity, binding_capacity;
};

static void refuse(void *ctx, const char *pointer, const char *text)
{
	struct error *err = ctx;
	char *path = document_path(pointer);
	error_set(err, ERROR_DATA, "%s: %s", path, text);
	free(path);
}

/* ---- members ---- */

/* A text that must be there, kept by the topology. */
static const char *need_text(struct definitions *d, const json_t *object, const char *key)
{
	const char *text = NULL;
	if (!reader_text(&d->reader, object, key, &text)) {
		if (!d->reader.failed)
			reader_fail(&d->reader, "lacks '%s'", key);
		return "";
	}
	json_t *copy = json_string_nocheck(text);
	json_array_append_new(d->t.names, copy);
	return json_string_value(copy);
}

/* The API writes an empty object as an empty list at times: both are Erlang's []. */
static json_t *take_arguments(struct definitions *d, const json_t *object)
{
	json_t *arguments = reader_member(object, "arguments");
	if (json_is_object(arguments))
		return json_deep_copy(arguments);
	bool is_empty_list = json_is_array(arguments) && json_array_size(arguments) == 0;
	if (arguments != NULL && !is_empty_list)
		reader_fail_at(&d->reader, "arguments", "must be an object");
	return json_object();
}

/* ---- objects ---- */

/* amq.* are the broker's own; those that every broker has need no words. */
static void add_exchange(struct definitions *d, const json_t *object)
{
	struct topology *t = &d->t;
	struct topology_exchange e = {.name = need_text(d, object, "name"),
	    .type = need_text(d, object, "type"),
	    .durable = true,
	    .arguments = take_arguments(d, object)};
	e.declared = e.name[0] != '\0' && strncmp(e.name, "amq.", 4) != 0;
	(void)reader_bool(&d->reader, object, "durable", &e.durable); /* or the default */
	(void)reader_bool(&d->reader, object, "auto_delete", &e.auto_delete);
	(void)reader_bool(&d->reader, object, "internal", &e.internal);
	if (!e.declared && topology_find_exchange(t, slice_str(e.name)) != NULL) {
		json_decref(e.arguments);
		return;
	}
	t->exchanges = mem_grow(
	    t->exchanges, &d->exchange_capacity, t->exchange_count + 1, sizeof *t->exchanges);
	t->exchanges[t->exchange_count++] = e;
}

/* A definitions.json has the type only among the arguments; classic queues may lack it there. */
static const char *queue_type(struct definitions *d, const json_t *object, json_t *arguments)
{
	const json_t *argument = json_object_get(arguments, "x-queue-type");
	if (argument == NULL)
		json_object_set_new(arguments, "x-queue-type", json_string("classic"));
	else if (reader_member(object, "type") == NULL && json_is_string(argument)) {
		size_t mark = reader_enter(&d->reader, "arguments");
		const char *type = need_text(d, arguments, "x-queue-type");
		reader_leave(&d->reader, mark);
		return type;
	}
	return reader_member(object, "type") != NULL ? need_text(d, object, "type") : "classic";
}

static void add_queue(struct definitions *d, const json_t *object)
{
	struct topology *t = &d->t;
	struct topology_queue q = {.name = need_text(d, object, "name"),
	    .durable = true,
	    .declared = true,
	    .arguments = take_arguments(d, object)};
	q.type = queue_type(d, object, q.arguments);
	(void)reader_bool(&d->reader, object, "durable", &q.durable); /* or the default */
	(void)reader_bool(&d->reader, object, "auto_delete", &q.auto_delete);
	(void)reader_bool(&d->reader, object, "exclusive", &q.exclusive);
	t->queues = mem_grow(t->queues, &d->queue_capacity, t->queue_count + 1, sizeof *t->queues);
	t->queues[t->queue_count++] = q;
}

static void add_binding(struct definitions *d, const json_t *object)
{
	struct topology *t = &d->t;
	struct topology_binding b = {.exchange = need_text(d, object, "source"),
	    .destination = need_text(d, object, "destination"),
	    .routing_key = need_text(d, object, "routing_key")};
	static const char *const kinds[] = {"queue", "exchange", NULL};
	size_t kind = 0;
	(void)reader_choice(&d->reader, object, "destination_type", kinds, &kind);
	b.to_exchange = kind == 1;
	if (b.exchange[0] == '\0')
		return; /* every queue is bound to the default exchange */
	b.arguments = take_arguments(d, object);
	t->bindings =
	    mem_grow(t->bindings, &d->binding_capacity, t->binding_count + 1, sizeof *t->bindings);
	t->bindings[t->binding_count++] = b;
}

/* ---- the whole ---- */

static bool is_elsewhere(const struct definitions *d, const json_t *object)
{
	const char *vhost = json_string_value(json_object_get(object, "vhost"));
	return d->vhost != NULL && vhost != NULL && strcmp(vhost, d->vhost) != 0;
}

static void read_list(struct definitions *d, const json_t *definitions, const char *member,
    void (*add)(struct definitions *d, const json_t *object))
{
	const json_t *list = reader_member(definitions, member);
	size_t outer = reader_enter(&d->reader, member), i;
	json_t *object;
	if (list != NULL && !json_is_array(list))
		reader_fail(&d->reader, "must be a list");
	json_array_foreach(list, i, object)
	{
		size_t mark = reader_enter_item(&d->reader, i);
		if (!json_is_object(object))
			reader_fail(&d->reader, "must be an object");
		else if (!is_elsewhere(d, object))
			add(d, object);
		reader_leave(&d->reader, mark);
		if (d->reader.failed)
			break;
	}
	reader_leave(&d->reader, outer);
}

bool definitions_read(
    const json_t *definitions, const char *vhost, struct topology *out, struct error *err)
{
	*out = (struct topology){0};
	if (!json_is_object(definitions))
		return error_set(err, ERROR_DATA, "not an object: no definitions");
	struct definitions d = {
	    .reader = {.report = refuse, .ctx = err}, .vhost = vhost, .t.names = json_array()};
	read_list(&d, definitions, "exchanges", add_exchange);
	read_list(&d, definitions, "queues", add_queue);
	read_list(&d, definitions, "bindings", add_binding);
	reader_release(&d.reader);
	if (d.reader.failed)
		topology_release(&d.t);
	*out = d.t;
	return !d.reader.failed;
}
