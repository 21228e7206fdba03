/* The settings as definitions. */
#include "model/definitions.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/definitions_private.h"

#include <stdlib.h>
#include <string.h>

/* Who is told what is left out, and of which object it is. */
struct notes {
	definitions_note_fn *note;
	void *ctx;
	const char *object, *name;
};

/* argument: of the object, or NULL. */
static void note(const struct notes *n, const char *argument, const char *why)
{
	char *name = text_quote(slice_str(n->name)), *quoted = text_quote(slice_str(argument));
	char *text = argument != NULL
			 ? mem_printf("%s '%s': its argument '%s' %s", n->object, name, quoted, why)
			 : mem_printf("%s '%s' %s", n->object, name, why);
	n->note(n->ctx, text);
	free(text);
	free(quoted);
	free(name);
}

/* ---- arguments ---- */

/* What RabbitMQ reads as the same value though it loses the width; NULL when there is none. */
static json_t *plain_value(const json_t *value, const char *type)
{
	static const char *const same[] = {
	    "int8", "uint8", "int16", "uint16", "int32", "uint32", "float", "double"};
	const json_t *inner = json_object_get(value, "value");
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		if (strcmp(type, same[i]) == 0 && json_is_number(inner))
			return json_deep_copy(inner);
	return NULL;
}

static json_t *arguments_of(const json_t *arguments, const struct notes *n)
{
	json_t *out = json_object(), *value;
	const char *name;
	json_object_foreach((json_t *)(uintptr_t)arguments, name, value)
	{
		const char *type = json_string_value(json_object_get(value, "$type"));
		json_t *plain = type != NULL ? plain_value(value, type) : json_deep_copy(value);
		if (plain != NULL)
			json_object_set_new(out, name, plain);
		else
			note(n, name, "is left out: definitions do not have its type");
	}
	return out;
}

/* ---- objects ---- */

json_t *definitions_exchange(const struct topology_exchange *e, definitions_note_fn *fn, void *ctx)
{
	const struct notes n = {fn, ctx, "exchange", e->name};
	return json_pack("{s:s, s:s, s:b, s:b, s:b, s:o}", "name", e->name, "type", e->type,
	    "durable", e->durable, "auto_delete", e->auto_delete, "internal", e->internal,
	    "arguments", arguments_of(e->arguments, &n));
}

json_t *definitions_queue(
    const struct topology_queue *q, bool is_untyped, definitions_note_fn *fn, void *ctx)
{
	const struct notes n = {fn, ctx, "queue", q->name};
	json_t *arguments = arguments_of(q->arguments, &n);
	if (is_untyped)
		json_object_del(arguments, "x-queue-type");
	return json_pack("{s:s, s:b, s:b, s:o}", "name", q->name, "durable", q->durable,
	    "auto_delete", q->auto_delete, "arguments", arguments);
}

json_t *definitions_binding(const struct topology_binding *b, definitions_note_fn *fn, void *ctx)
{
	const struct notes n = {fn, ctx, "binding of", b->exchange};
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "source", b->exchange, "destination",
	    b->destination, "destination_type", b->to_exchange ? "exchange" : "queue",
	    "routing_key", b->routing_key, "arguments", arguments_of(b->arguments, &n));
}

/* ---- the whole ---- */

struct export
{
	const struct topology *topology;
	const json_t *section;
	const char *vhost; /* NULL: objects do not name it */
	definitions_note_fn *note;
	void *ctx;
	json_t *untyped;  /* a set of names; NULL when it is all or none */
	json_t *left_out; /* a set of queues */
};

static void append(const struct export *x, json_t *list, json_t *object)
{
	if (x->vhost != NULL)
		json_object_set_new(object, "vhost", json_string(x->vhost));
	json_array_append_new(list, object);
}

static json_t *export_exchanges(const struct export *x)
{
	const struct topology *t = x->topology;
	json_t *list = json_array();
	for (size_t i = 0; i < t->exchange_count; i++)
		if (t->exchanges[i].declared)
			append(x, list, definitions_exchange(&t->exchanges[i], x->note, x->ctx));
	return list;
}

/* An exclusive queue is its connection's, and no broker keeps it. */
static bool leaves_out(const struct export *x, const struct topology_queue *q)
{
	const struct notes n = {x->note, x->ctx, "queue", q->name};
	if (q->declared && !q->exclusive)
		return false;
	if (q->exclusive) {
		note(&n, NULL, "is left out: it is exclusive, and ends with its connection");
		json_object_set_new(x->left_out, q->name, json_true());
	}
	return true;
}

static json_t *export_queues(const struct export *x)
{
	const struct topology *t = x->topology;
	bool all_untyped = json_is_true(json_object_get(x->section, "untyped"));
	json_t *list = json_array();
	for (size_t i = 0; i < t->queue_count; i++) {
		const struct topology_queue *q = &t->queues[i];
		bool is_untyped = all_untyped || json_object_get(x->untyped, q->name) != NULL;
		if (!leaves_out(x, q))
			append(x, list,
			    definitions_queue(
				q, is_untyped && strcmp(q->type, "classic") == 0, x->note, x->ctx));
	}
	return list;
}

static json_t *export_bindings(const struct export *x)
{
	const struct topology *t = x->topology;
	json_t *list = json_array();
	for (size_t i = 0; i < t->binding_count; i++) {
		const struct topology_binding *b = &t->bindings[i];
		if (b->to_exchange || json_object_get(x->left_out, b->destination) == NULL)
			append(x, list, definitions_binding(b, x->note, x->ctx));
	}
	return list;
}

/* Puts a list in front of what the section has under the name. */
static void put_list(json_t *out, const char *name, json_t *list)
{
	json_t *more = json_object_get(out, name);
	if (json_is_array(more))
		json_array_extend(list, more);
	json_object_set_new(out, name, list);
}

json_t *definitions_export(const struct topology *t, const json_t *section, const char *vhost,
    definitions_note_fn *note_fn, void *ctx)
{
	const char *form = json_string_value(json_object_get(section, "form"));
	const json_t *own_vhost = json_object_get(section, "vhost");
	const json_t *others = json_object_get(section, "others"), *name;
	size_t i;
	bool is_whole = form == NULL || strcmp(form, "broker") == 0;
	struct export x = {t, section, NULL, note_fn, ctx, json_object(), json_object()};
	json_t *out = others != NULL ? json_deep_copy(others) : json_object();
	if (is_whole)
		x.vhost = own_vhost != NULL ? json_string_value(own_vhost) : vhost;
	json_array_foreach(json_object_get(section, "untyped"), i, name)
	    json_object_set_new(x.untyped, json_string_value(name), json_true());
	if (is_whole && json_object_get(out, "vhosts") == NULL)
		json_object_set_new(out, "vhosts", json_pack("[{s:s}]", "name", x.vhost));
	put_list(out, "queues", export_queues(&x));
	put_list(out, "exchanges", export_exchanges(&x));
	put_list(out, "bindings", export_bindings(&x));
	json_decref(x.untyped);
	json_decref(x.left_out);
	return out;
}
