/* Definitions as settings. */
#include "model/definitions.h"

#include "base/mem.h"
#include "base/text.h"
#include "config/pointer.h"
#include "model/arguments.h"
#include "model/definitions_private.h"

#include <stdlib.h>
#include <string.h>

enum section { EXCHANGES, QUEUES, BINDINGS, SECTIONS };

static const char *const section_names[SECTIONS] = {"exchanges", "queues", "bindings"};

/* An object of the chosen vhost. */
struct item {
	enum section section;
	const json_t *object; /* of the document */
	json_t *plain;	  /* owned: the object without what every one of them has, or may lack */
	const char *name; /* of an exchange or queue */
	bool is_other;	  /* it stays as it is */
};

struct import {
	const struct definitions_import *how;
	const json_t *document;
	char *vhost;	    /* owned; NULL: the document names none */
	struct item *items; /* by section, in the order of the document */
	size_t count, capacity;
	json_t *index[SECTIONS]; /* name -> item; the items of the bindings, in order */
	bool is_changed;	 /* an item became an other one */
	size_t other_count;
};

#define SHOWN_OTHERS 5 /* the rest are counted */

static const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* ---- items ---- */

/* What the API leaves out at times, or says in one of two ways. */
static json_t *make_plain(enum section section, const json_t *object)
{
	json_t *plain = json_deep_copy(object);
	const json_t *arguments = json_object_get(plain, "arguments");
	const char *type = member_text(plain, "type");
	json_object_del(plain, "vhost");
	if (!json_is_object(arguments)) /* [] is Erlang's empty object */
		json_object_set_new(plain, "arguments", json_object());
	if (section == BINDINGS) {
		json_object_update_missing_new(
		    plain, json_pack("{s:s}", "destination_type", "queue"));
		return plain;
	}
	json_object_update_missing_new(
	    plain, json_pack("{s:b, s:b}", "durable", 1, "auto_delete", 0));
	if (section == EXCHANGES)
		json_object_update_missing_new(plain, json_pack("{s:b}", "internal", 0));
	else if (type != NULL) { /* newer brokers say it twice */
		if (strcmp(type, "classic") != 0)
			json_object_update_missing_new(json_object_get(plain, "arguments"),
			    json_pack("{s:s}", "x-queue-type", type));
		json_object_del(plain, "type");
	}
	return plain;
}

static const char *const section_words[SECTIONS] = {"exchange", "queue", "binding of"};

static void make_other(struct import *im, struct item *item, const char *why)
{
	if (item->is_other)
		return;
	item->is_other = true;
	im->is_changed = true;
	if (++im->other_count > SHOWN_OTHERS)
		return;
	const char *name =
	    item->section == BINDINGS ? member_text(item->object, "source") : item->name;
	char *quoted = text_quote(slice_str(name));
	char *text = mem_printf(
	    "%s '%s' stays under 'definitions': %s", section_words[item->section], quoted, why);
	im->how->note(im->how->ctx, text);
	free(text);
	free(quoted);
}

static void add_item(struct import *im, enum section section, const json_t *object)
{
	struct item item = {.section = section,
	    .object = object,
	    .plain = make_plain(section, object),
	    .name = member_text(object, "name")};
	json_t *index = im->index[section];
	im->items = mem_grow(im->items, &im->capacity, im->count + 1, sizeof *im->items);
	im->items[im->count] = item;
	if (section != BINDINGS && json_object_get(index, item.name) != NULL)
		make_other(im, &im->items[im->count], "it is there twice");
	else if (section != BINDINGS)
		json_object_set_new(index, item.name, json_integer((json_int_t)im->count));
	im->count++;
}

static bool is_chosen(const struct import *im, const json_t *object)
{
	const char *vhost = member_text(object, "vhost");
	return im->vhost == NULL || (vhost != NULL && strcmp(vhost, im->vhost) == 0);
}

static void collect_items(struct import *im)
{
	json_t *object;
	size_t i;
	for (enum section s = EXCHANGES; s < SECTIONS; s++) {
		im->index[s] = s == BINDINGS ? json_array() : json_object();
		json_array_foreach(json_object_get(im->document, section_names[s]), i, object)
		{
			if (is_chosen(im, object))
				add_item(im, s, object);
		}
	}
}

/* ---- bodies of the settings ---- */

static void set_flag(json_t *body, const json_t *object, const char *key, bool otherwise)
{
	const json_t *value = json_object_get(object, key);
	if (json_is_true(value) != otherwise)
		json_object_set_new(body, key, json_boolean(json_is_true(value)));
}

static json_t *exchange_body(const struct item *item)
{
	json_t *body = json_object();
	json_t *arguments = json_deep_copy(json_object_get(item->plain, "arguments"));
	json_t *alternate = json_object_get(arguments, "alternate-exchange");
	const char *type = member_text(item->plain, "type");
	if (strcmp(type, "direct") != 0)
		json_object_set_new(body, "type", json_string(type));
	set_flag(body, item->plain, "durable", true);
	set_flag(body, item->plain, "auto_delete", false);
	set_flag(body, item->plain, "internal", false);
	if (json_string_length(alternate) > 0) {
		json_object_set(body, "alternate", alternate);
		json_object_del(arguments, "alternate-exchange");
	}
	if (json_object_size(arguments) > 0)
		json_object_set(body, "arguments", arguments);
	json_decref(arguments);
	return body;
}

static bool is_untyped(const struct item *item)
{
	return item->section == QUEUES &&
	       json_object_get(json_object_get(item->plain, "arguments"), "x-queue-type") == NULL;
}

static json_t *queue_body(const struct item *item)
{
	json_t *body = json_object();
	const json_t *arguments = json_object_get(item->plain, "arguments");
	const char *type = member_text(arguments, "x-queue-type");
	if (type == NULL)
		type = "classic";
	if (strcmp(type, "classic") != 0)
		json_object_set_new(body, "type", json_string(type));
	set_flag(body, item->plain, "durable", true);
	set_flag(body, item->plain, "auto_delete", false);
	arguments_write_queue(arguments, type, body);
	return body;
}

/* match and headers, of a headers exchange; x-match goes without saying in neither form. */
static void set_headers(struct import *im, const struct item *item, json_t *body)
{
	const char *source = member_text(item->plain, "source");
	json_t *arguments = json_object_get(item->plain, "arguments");
	const json_t *index = json_object_get(im->index[EXCHANGES], source);
	const struct item *exchange = index != NULL ? &im->items[json_integer_value(index)] : NULL;
	bool is_headers =
	    exchange != NULL
		? strcmp(member_text(exchange->plain, "type"), "headers") == 0
		: strcmp(source, "amq.headers") == 0 || strcmp(source, "amq.match") == 0;
	const char *match = member_text(arguments, "x-match");
	if (json_object_size(arguments) == 0)
		return;
	if (!is_headers || match == NULL) {
		json_object_set(body, "arguments", arguments);
		return;
	}
	json_t *headers = json_deep_copy(arguments);
	json_object_del(headers, "x-match");
	json_object_set_new(body, "match", json_string(match));
	if (json_object_size(headers) > 0)
		json_object_set(body, "headers", headers);
	json_decref(headers);
}

static json_t *binding_body(struct import *im, const struct item *item)
{
	const char *kind = member_text(item->plain, "destination_type"); /* null counts as none */
	const json_t *key = json_object_get(item->plain, "routing_key");
	json_t *body = json_object();
	json_object_set(body, "exchange", json_object_get(item->plain, "source"));
	json_object_set(body,
	    kind != NULL && strcmp(kind, "exchange") == 0 ? "to_exchange" : "queue",
	    json_object_get(item->plain, "destination"));
	if (json_string_length(key) > 0)
		json_object_set(body, "routing_key", (json_t *)(uintptr_t)key);
	set_headers(im, item, body);
	return body;
}

/* What is said of the items, without `definitions`. */
static json_t *make_settings(struct import *im)
{
	json_t *sections[SECTIONS] = {json_object(), json_object(), json_array()};
	json_t *settings = json_object();
	json_array_clear(im->index[BINDINGS]);
	for (size_t i = 0; i < im->count; i++) {
		const struct item *item = &im->items[i];
		if (item->is_other)
			continue;
		if (item->section == EXCHANGES)
			json_object_set_new(sections[EXCHANGES], item->name, exchange_body(item));
		else if (item->section == QUEUES)
			json_object_set_new(sections[QUEUES], item->name, queue_body(item));
		else {
			json_array_append_new(sections[BINDINGS], binding_body(im, item));
			json_array_append_new(im->index[BINDINGS], json_integer((json_int_t)i));
		}
	}
	for (size_t s = 0; s < SECTIONS; s++)
		json_object_set_new(settings, section_names[s], sections[s]);
	return settings;
}

/* ---- what the settings refuse ---- */

/* Finds the item that a report of topology_read is about. */
static struct item *find_item(const struct import *im, const char *pointer)
{
	size_t end = strlen(READER_KEY);
	struct slice rest = slice_str(pointer);
	struct buf section = {0}, key = {0};
	const json_t *index = NULL;
	if (rest.len >= end && strcmp(pointer + rest.len - end, READER_KEY) == 0)
		rest.len -= end;
	bool is_whole = pointer_next(&rest, &section) && pointer_next(&rest, &key);
	for (size_t s = 0; is_whole && s < SECTIONS; s++) {
		if (!slice_is(buf_slice(&section), section_names[s]))
			continue;
		index = s == BINDINGS
			    ? json_array_get(im->index[s], (size_t)strtoul(key.ptr, NULL, 10))
			    : json_object_get(im->index[s], key.ptr);
	}
	buf_release(&section);
	buf_release(&key);
	return index != NULL ? &im->items[json_integer_value(index)] : NULL;
}

static void report(void *ctx, const char *pointer, const char *text)
{
	struct import *im = ctx;
	struct item *item = find_item(im, pointer);
	if (item != NULL)
		make_other(im, item, text);
}

static void ignore_note(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

/* What would go out for an item; one topology has them all, in their order. */
static json_t *export_item(const struct item *item, const struct topology *t, size_t at[SECTIONS])
{
	size_t i = at[item->section]++;
	if (item->section == EXCHANGES)
		return definitions_exchange(&t->exchanges[i], ignore_note, NULL);
	if (item->section == QUEUES)
		return definitions_queue(&t->queues[i], is_untyped(item), ignore_note, NULL);
	return definitions_binding(&t->bindings[i], ignore_note, NULL);
}

static void compare_items(struct import *im, const struct topology *t)
{
	size_t at[SECTIONS] = {0};
	for (size_t i = 0; i < im->count; i++) {
		struct item *item = &im->items[i];
		if (item->is_other)
			continue;
		json_t *back = export_item(item, t, at);
		if (!json_equal(back, item->plain))
			make_other(im, item, "it holds what the settings cannot say");
		json_decref(back);
	}
}

/* Settings that are taken, and go out as they came in. What goes over to the others may be named
 * by what is left, so that this is asked again. */
static json_t *settle(struct import *im)
{
	for (;;) {
		struct topology t;
		json_t *settings = make_settings(im);
		im->is_changed = false;
		if (topology_read(settings, &t, report, im)) {
			compare_items(im, &t);
			topology_release(&t);
		}
		if (!im->is_changed)
			return settings;
		json_decref(settings);
	}
}

/* ---- the section `definitions` ---- */

/* The members as they are, the lists without what the settings have said. */
static json_t *make_others(const struct import *im)
{
	json_t *others = json_deep_copy(im->document), *object;
	size_t i;
	for (size_t s = 0; s < SECTIONS; s++) {
		json_t *list = json_array();
		json_array_foreach(json_object_get(im->document, section_names[s]), i, object)
		{
			if (!is_chosen(im, object))
				json_array_append(list, object);
		}
		for (i = 0; i < im->count; i++)
			if (im->items[i].section == s && im->items[i].is_other)
				json_array_append(list, (json_t *)(uintptr_t)im->items[i].object);
		if (json_array_size(list) > 0)
			json_object_set(others, section_names[s], list);
		else
			json_object_del(others, section_names[s]);
		json_decref(list);
	}
	if (!im->how->credentials) /* settings end up in git: what opens a door is asked for */
		definitions_drop_credentials(others, im->how->note, im->how->ctx);
	return others;
}

static void set_untyped(const struct import *im, json_t *section)
{
	json_t *names = json_array();
	size_t classic = 0;
	for (size_t i = 0; i < im->count; i++) {
		const struct item *item = &im->items[i];
		const json_t *arguments = json_object_get(item->plain, "arguments");
		const char *type = member_text(arguments, "x-queue-type");
		if (item->section != QUEUES || item->is_other)
			continue;
		classic += type == NULL || strcmp(type, "classic") == 0;
		if (type == NULL)
			json_array_append_new(names, json_string(item->name));
	}
	if (json_array_size(names) > 0)
		json_object_set_new(section, "untyped",
		    json_array_size(names) == classic ? json_true() : json_incref(names));
	json_decref(names);
}

static json_t *make_section(const struct import *im)
{
	json_t *section = json_object(), *others = make_others(im);
	if (im->vhost != NULL)
		json_object_set_new(section, "vhost", json_string(im->vhost));
	else
		json_object_set_new(section, "form", json_string("vhost"));
	set_untyped(im, section);
	if (json_object_size(others) > 0)
		json_object_set(section, "others", others);
	json_decref(others);
	return section;
}

/* ---- the whole ---- */

static void note_rest(const struct import *im)
{
	if (im->other_count <= SHOWN_OTHERS)
		return;
	char *text = mem_printf("... and %zu more", im->other_count - SHOWN_OTHERS);
	im->how->note(im->how->ctx, text);
	free(text);
}

static void drop_empty(json_t *settings)
{
	for (size_t s = 0; s < SECTIONS; s++) {
		const json_t *section = json_object_get(settings, section_names[s]);
		if (json_object_size(section) == 0 && json_array_size(section) == 0)
			json_object_del(settings, section_names[s]);
	}
}

static void release(struct import *im)
{
	for (size_t i = 0; i < im->count; i++)
		json_decref(im->items[i].plain);
	for (size_t s = 0; s < SECTIONS; s++)
		json_decref(im->index[s]);
	free(im->items);
	free(im->vhost);
}

json_t *definitions_import(
    const json_t *document, const struct definitions_import *how, struct error *err)
{
	struct import im = {.how = how, .document = document};
	struct topology checked;
	json_t *settings = NULL;
	if (!definitions_read(document, NULL, &checked, err)) /* its form */
		return NULL;
	topology_release(&checked);
	if (definitions_choose_vhost(document, how->vhost, &im.vhost, err)) {
		collect_items(&im);
		settings = settle(&im);
		note_rest(&im);
		drop_empty(settings);
		json_object_set_new(settings, "definitions", make_section(&im));
	}
	release(&im);
	return settings;
}
