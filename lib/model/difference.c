#include "model/difference.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- values ---- */

/* What is not UTF-8, as RabbitMQ shows it; `base64` is the value of a $type. */
static json_t *show_bytes(const char *base64)
{
	struct buf bytes = {0};
	bool decoded = text_base64_decode(slice_str(base64), &bytes);
	bool is_text = decoded && text_is_utf8(buf_slice(&bytes));
	json_t *shown = is_text ? json_stringn_nocheck(bytes.len > 0 ? bytes.ptr : "", bytes.len)
				: json_sprintf("Not UTF-8, base64 is: %s", base64);
	buf_release(&bytes);
	return shown;
}

/* A number beyond int64 is a string of digits; the broker reads its 64 bits as signed. */
static json_t *show_number(const json_t *value)
{
	struct error ignored = {0}; /* then it is no number, and shown as it stands */
	uint64_t digits;
	if (json_is_string(value) &&
	    num_parse_u64(slice_str(json_string_value(value)), 0, UINT64_MAX, &digits, &ignored))
		return json_integer((json_int_t)digits);
	return json_deep_copy(value);
}

static json_t *show(const json_t *value);

/* {"$type": "table", "entries": [["key", value], ..]} */
static json_t *show_table(const json_t *typed)
{
	json_t *out = json_object(), *entry;
	size_t i;
	json_array_foreach(json_object_get(typed, "entries"), i, entry)
	{
		const char *key = json_string_value(json_array_get(entry, 0));
		if (key != NULL)
			json_object_set_new(out, key, show(json_array_get(entry, 1)));
	}
	return out;
}

static json_t *show_typed(const char *type, const json_t *typed)
{
	const json_t *value = json_object_get(typed, "value");
	if (strcmp(type, "table") == 0)
		return show_table(typed);
	if (json_is_string(value) && (strcmp(type, "bytes") == 0 || strcmp(type, "string") == 0))
		return show_bytes(json_string_value(value));
	if (strcmp(type, "bool") == 0)
		return json_boolean(json_integer_value(value) != 0);
	if (strcmp(type, "decimal") != 0)
		return show_number(value);
	char *text = mem_printf("%" JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT,
	    json_integer_value(json_object_get(typed, "scale")), json_integer_value(value));
	json_t *shown = json_real(strtod(text, NULL));
	free(text);
	return shown;
}

/* A value of model/table.h as the HTTP API shows it, as a new value. */
static json_t *show(const json_t *value)
{
	const char *type = json_string_value(json_object_get(value, "$type")), *key;
	json_t *out, *part;
	size_t i;
	if (type != NULL)
		return show_typed(type, value);
	if (json_is_array(value)) {
		out = json_array();
		json_array_foreach(value, i, part) json_array_append_new(out, show(part));
		return out;
	}
	if (json_is_object(value)) {
		out = json_object();
		json_object_foreach((json_t *)(uintptr_t)value, key, part)
		    json_object_set_new(out, key, show(part));
		return out;
	}
	return json_is_null(value) ? json_string("undefined") : json_deep_copy(value);
}

/* json_equal, but for 5 and 5.0. */
static bool is_same(const json_t *a, const json_t *b)
{
	const char *key;
	json_t *part;
	size_t i;
	if (json_is_number(a) && json_is_number(b))
		return json_equal(a, b) || (!(json_is_integer(a) && json_is_integer(b)) &&
					       json_number_value(a) == json_number_value(b));
	if (json_is_array(a) && json_is_array(b)) {
		bool same = json_array_size(a) == json_array_size(b);
		json_array_foreach(a, i, part) same = same && is_same(part, json_array_get(b, i));
		return same;
	}
	if (json_is_object(a) && json_is_object(b)) {
		bool same = json_object_size(a) == json_object_size(b);
		json_object_foreach((json_t *)(uintptr_t)a, key, part)
		{
			const json_t *other = json_object_get(b, key);
			same = same && other != NULL && is_same(part, other);
		}
		return same;
	}
	return json_equal(a, b);
}

static bool is_same_value(const json_t *wanted, const json_t *found)
{
	json_t *a = show(wanted), *b = show(found);
	bool same = is_same(a, b);
	json_decref(a);
	json_decref(b);
	return same;
}

/* ---- the list ---- */

struct difference_item *difference_add(struct difference *d, enum difference_kind kind)
{
	d->items = mem_grow(d->items, &d->item_capacity, d->item_count + 1, sizeof *d->items);
	d->counts[kind]++;
	struct difference_item *item = &d->items[d->item_count++];
	item->kind = kind;
	return item;
}

void difference_add_attribute(
    struct difference_item *item, const char *name, json_t *wanted, json_t *found)
{
	item->attributes = mem_grow(item->attributes, &item->attribute_capacity,
	    item->attribute_count + 1, sizeof *item->attributes);
	item->attributes[item->attribute_count++] =
	    (struct difference_attribute){mem_strdup(name), wanted, found};
}

void difference_settle(struct difference *d, struct difference_item *item)
{
	if (item->attribute_count == 0)
		return;
	d->counts[item->kind]--;
	item->kind = DIFFERENCE_CHANGE;
	d->counts[item->kind]++;
}

void difference_release(struct difference *d)
{
	for (size_t i = 0; i < d->item_count; i++) {
		struct difference_item *item = &d->items[i];
		for (size_t k = 0; k < item->attribute_count; k++) {
			free(item->attributes[k].name);
			json_decref(item->attributes[k].wanted);
			json_decref(item->attributes[k].found);
		}
		free(item->attributes);
	}
	free(d->items);
	*d = (struct difference){0};
}

const char *difference_object(const struct difference_item *item)
{
	return item->exchange != NULL ? "exchange" : item->queue != NULL ? "queue" : "binding";
}

const char *difference_name(const struct difference_item *item)
{
	return item->exchange != NULL ? item->exchange->name
	       : item->queue != NULL  ? item->queue->name
				      : NULL;
}

const char *difference_queue_type(const struct difference_item *item)
{
	for (size_t i = 0; i < item->attribute_count; i++)
		if (strcmp(item->attributes[i].name, "type") == 0)
			return json_string_value(item->attributes[i].found);
	return item->queue->type;
}

/* ---- what both have ---- */

static void compare_text(
    struct difference_item *item, const char *name, const char *wanted, const char *found)
{
	if (strcmp(wanted, found) != 0)
		difference_add_attribute(item, name, json_string(wanted), json_string(found));
}

static void compare_flag(struct difference_item *item, const char *name, bool wanted, bool found)
{
	if (wanted != found)
		difference_add_attribute(item, name, json_boolean(wanted), json_boolean(found));
}

/* The type of a queue is compared by itself: whoever made a classic one may not have sent it. */
static bool is_compared(const char *name)
{
	return strcmp(name, "x-queue-type") != 0;
}

static void compare_arguments(
    struct difference_item *item, const json_t *wanted, const json_t *found)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)wanted, name, value)
	{
		json_t *other = json_object_get(found, name);
		if (is_compared(name) && (other == NULL || !is_same_value(value, other)))
			difference_add_attribute(
			    item, name, json_incref(value), json_incref(other));
	}
	json_object_foreach((json_t *)(uintptr_t)found, name,
	    value) if (is_compared(name) && json_object_get(wanted, name) == NULL)
	    difference_add_attribute(item, name, NULL, json_incref(value));
}

static void compare_exchange(struct difference_item *item, const struct topology_exchange *wanted,
    const struct topology_exchange *found)
{
	compare_text(item, "type", wanted->type, found->type);
	compare_flag(item, "durable", wanted->durable, found->durable);
	compare_flag(item, "auto_delete", wanted->auto_delete, found->auto_delete);
	compare_flag(item, "internal", wanted->internal, found->internal);
	compare_arguments(item, wanted->arguments, found->arguments);
}

static void compare_queue(struct difference_item *item, const struct topology_queue *wanted,
    const struct topology_queue *found)
{
	compare_text(item, "type", wanted->type, found->type);
	compare_flag(item, "durable", wanted->durable, found->durable);
	compare_flag(item, "exclusive", wanted->exclusive, found->exclusive);
	compare_flag(item, "auto_delete", wanted->auto_delete, found->auto_delete);
	compare_arguments(item, wanted->arguments, found->arguments);
}

/* ---- the run ---- */

struct run {
	const struct topology *wanted, *found;
	const char *prefix;
	struct difference *out;
};

static const struct topology_exchange *listed_exchange(const struct topology *t, const char *name)
{
	for (size_t i = 0; i < t->exchange_count; i++)
		if (strcmp(t->exchanges[i].name, name) == 0)
			return &t->exchanges[i];
	return NULL;
}

/* The kind of what is not there, or is there and left alone; EQUAL: to be compared. */
static enum difference_kind kind_of(bool is_there, bool declared)
{
	if (!is_there)
		return declared ? DIFFERENCE_CREATE : DIFFERENCE_MISSING;
	return DIFFERENCE_EQUAL;
}

static void look_at_exchange(struct run *run, const struct topology_exchange *e)
{
	/* the broker's own are always there */
	const struct topology_exchange *found =
	    topology_find_exchange(run->found, slice_str(e->name));
	struct difference_item *item =
	    difference_add(run->out, kind_of(found != NULL, e->declared));
	item->exchange = e;
	if (found != NULL && e->declared)
		compare_exchange(item, e, found);
	difference_settle(run->out, item);
}

static void look_at_queue(struct run *run, const struct topology_queue *q)
{
	const struct topology_queue *found = topology_find_queue(run->found, slice_str(q->name));
	enum difference_kind kind = kind_of(found != NULL, q->declared);
	if (q->exclusive && (found == NULL || found->exclusive))
		kind = DIFFERENCE_LEFT;
	struct difference_item *item = difference_add(run->out, kind);
	item->queue = q;
	if (kind == DIFFERENCE_EQUAL && q->declared)
		compare_queue(item, q, found);
	difference_settle(run->out, item);
}

bool difference_is_same_binding(const struct topology_binding *a, const struct topology_binding *b)
{
	return a->to_exchange == b->to_exchange && strcmp(a->exchange, b->exchange) == 0 &&
	       strcmp(a->destination, b->destination) == 0 &&
	       strcmp(a->routing_key, b->routing_key) == 0 &&
	       is_same_value(a->arguments, b->arguments);
}

static bool has_binding(const struct topology *t, const struct topology_binding *b)
{
	for (size_t i = 0; i < t->binding_count; i++)
		if (difference_is_same_binding(&t->bindings[i], b))
			return true;
	return false;
}

static bool leads_to_exclusive(const struct topology *t, const struct topology_binding *b)
{
	const struct topology_queue *q =
	    b->to_exchange ? NULL : topology_find_queue(t, slice_str(b->destination));
	return q != NULL && q->exclusive;
}

static void look_at_binding(struct run *run, const struct topology_binding *b)
{
	bool is_there = has_binding(run->found, b);
	enum difference_kind kind = is_there ? DIFFERENCE_EQUAL : DIFFERENCE_CREATE;
	if (!is_there && leads_to_exclusive(run->wanted, b))
		kind = DIFFERENCE_LEFT;
	difference_add(run->out, kind)->binding = b;
}

/* ---- extras ---- */

static bool has_prefix(const struct run *run, const char *name)
{
	return run->prefix != NULL && name[0] != '\0' && strncmp(name, "amq.", 4) != 0 &&
	       strncmp(name, run->prefix, strlen(run->prefix)) == 0;
}

/* Whether a queue of the settings is theirs to make, and so what was made for it. */
static bool is_declared_queue(const struct run *run, struct slice name)
{
	const struct topology_queue *q = topology_find_queue(run->wanted, name);
	return q != NULL && q->declared;
}

/* "orders.retry.1s" of the declared queue "orders", and the others of topology.h. */
static bool is_ours(const struct run *run, const char *name)
{
	struct slice queue;
	return topology_made_for(name, &queue) && is_declared_queue(run, queue);
}

static bool is_extra_exchange(const struct run *run, const char *name)
{
	return listed_exchange(run->wanted, name) == NULL &&
	       (has_prefix(run, name) || is_ours(run, name));
}

static bool is_extra_queue(const struct run *run, const struct topology_queue *q)
{
	return !q->exclusive && topology_find_queue(run->wanted, slice_str(q->name)) == NULL &&
	       (has_prefix(run, q->name) || is_ours(run, q->name));
}

/* Whether somebody's bindings of it are of interest. */
static bool is_watched(const struct run *run, bool is_queue, const char *name)
{
	const struct topology_exchange *e = is_queue ? NULL : listed_exchange(run->wanted, name);
	bool declared =
	    is_queue ? is_declared_queue(run, slice_str(name)) : e != NULL && e->declared;
	return declared || has_prefix(run, name);
}

static bool is_extra_binding(const struct run *run, const struct topology_binding *b)
{
	const struct topology_queue *q =
	    b->to_exchange ? NULL : topology_find_queue(run->found, slice_str(b->destination));
	bool goes_along = b->exchange[0] == '\0' || is_extra_exchange(run, b->exchange) ||
			  (b->to_exchange ? is_extra_exchange(run, b->destination)
					  : q != NULL && (q->exclusive || is_extra_queue(run, q)));
	return !goes_along &&
	       (is_watched(run, false, b->exchange) ||
		   is_watched(run, !b->to_exchange, b->destination)) &&
	       !has_binding(run->wanted, b);
}

static void find_extras(struct run *run)
{
	const struct topology *found = run->found;
	for (size_t i = 0; i < found->exchange_count; i++)
		if (is_extra_exchange(run, found->exchanges[i].name))
			difference_add(run->out, DIFFERENCE_EXTRA)->exchange = &found->exchanges[i];
	for (size_t i = 0; i < found->queue_count; i++)
		if (is_extra_queue(run, &found->queues[i]))
			difference_add(run->out, DIFFERENCE_EXTRA)->queue = &found->queues[i];
	for (size_t i = 0; i < found->binding_count; i++)
		if (is_extra_binding(run, &found->bindings[i]))
			difference_add(run->out, DIFFERENCE_EXTRA)->binding = &found->bindings[i];
}

void difference_find(const struct topology *wanted, const struct topology *found,
    const char *prefix, struct difference *out)
{
	struct run run = {wanted, found, prefix, out};
	*out = (struct difference){0};
	for (size_t i = 0; i < wanted->exchange_count; i++)
		look_at_exchange(&run, &wanted->exchanges[i]);
	for (size_t i = 0; i < wanted->queue_count; i++)
		look_at_queue(&run, &wanted->queues[i]);
	for (size_t i = 0; i < wanted->binding_count; i++)
		look_at_binding(&run, &wanted->bindings[i]);
	find_extras(&run);
}
