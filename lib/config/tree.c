#include "config/tree.h"

#include "base/text.h"
#include "config/pointer.h"

#include <stdlib.h>

struct builder {
	const struct nodes *nodes;
	const struct variables *variables;
	struct places *places;
	struct problems *problems;
	struct buf pointer; /* to the value at hand */
	size_t depth;
	size_t value_count, text_bytes;
	bool failed;
	bool stopped; /* a limit is reached: no use in going on */
};

/* Reports at a place, with the path of the value at hand. */
#define REPORT(b, place, ...)                                             \
	do {                                                              \
		char *path_ = current_path(b);                            \
		problems_add((b)->problems, (place), path_, __VA_ARGS__); \
		free(path_);                                              \
		(b)->failed = true;                                       \
	} while (0)

static char *current_path(const struct builder *b)
{
	struct slice pointer = buf_slice(&b->pointer);
	return pointer_path(problems_full(b->problems) ? (struct slice){0} : pointer);
}

static const struct node *node_at(const struct builder *b, size_t index)
{
	return &b->nodes->items[index];
}

/* The node that is meant: that of the anchor for an alias. */
static size_t follow(const struct builder *b, size_t index)
{
	const struct node *node = node_at(b, index);
	return node->kind == NODE_ALIAS ? node->target : index;
}

/* Counts what is about to be made; false and stopped when it is too much. */
static bool fits(struct builder *b, const struct node *node, size_t text_bytes)
{
	b->value_count++;
	b->text_bytes += text_bytes;
	if (b->value_count > NODES_MAX_COUNT)
		REPORT(b, node->place, "more than %d keys and values, with aliases replaced",
		    NODES_MAX_COUNT);
	else if (b->text_bytes > TREE_MAX_TEXT_BYTES)
		REPORT(b, node->place,
		    "more than %u bytes of text, with aliases and variables replaced",
		    TREE_MAX_TEXT_BYTES);
	else
		return true;
	b->stopped = true;
	return false;
}

static json_t *build(struct builder *b, size_t index, uint32_t spot);

/* Replaces the variables of a scalar; false after reports. Their path is made only when there is
 * something to report, since paths are costly in deep trees. */
static bool expand(struct builder *b, const struct node *node, struct buf *out)
{
	struct problems found = {0};
	struct slice text = nodes_text(b->nodes, node);
	bool good = variables_expand(b->variables, text, node->place, out, &found);
	for (size_t i = 0; i < found.count; i++)
		REPORT(b, node->place, "%s", found.items[i].text);
	problems_release(&found);
	return good;
}

static json_t *build_scalar(struct builder *b, const struct node *node)
{
	struct slice text = nodes_text(b->nodes, node);
	struct buf expanded = {0};
	bool good = true;
	if (b->variables != NULL && text.len > 0 && memchr(text.ptr, '$', text.len) != NULL) {
		good = expand(b, node, &expanded);
		text = buf_slice(&expanded);
	}
	json_t *value = NULL;
	struct error err = {0};
	if (good && fits(b, node, text.len))
		value = scalar_read(text, node->type, &err);
	if (err.kind != ERROR_NONE)
		REPORT(b, node->place, "%s", err.text);
	buf_release(&expanded);
	return value;
}

static json_t *build_list(struct builder *b, size_t index, uint32_t spot)
{
	json_t *list = json_array();
	size_t end = node_at(b, index)->after, number = 0;
	for (size_t i = index + 1; i < end && !b->stopped; i = node_at(b, i)->after) {
		size_t before = b->pointer.len;
		pointer_push_index(&b->pointer, number++);
		struct slice name = {b->pointer.ptr + before + 1, b->pointer.len - before - 1};
		struct place place = node_at(b, i)->place;
		json_t *item = build(b, i, places_add(b->places, spot, name, place, place));
		if (item != NULL && json_array_append_new(list, item) != 0)
			REPORT(b, place, "not enough memory");
		b->pointer.len = before;
	}
	return list;
}

/* Judges a key; false after a report. */
static bool check_key(struct builder *b, const struct node *key, struct place place, uint32_t spot)
{
	if (key->kind != NODE_SCALAR) {
		REPORT(b, place, "a key has to be a text, not a %s",
		    key->kind == NODE_LIST ? "list"
					   : "mapping; a text that starts with '{{' needs quotes");
		return false;
	}
	struct slice name = nodes_text(b->nodes, key);
	if (key->type == SCALAR_ANY && name.len == 0) {
		REPORT(b, place, "the key in front of ':' is missing");
		return false;
	}
	if (key->type == SCALAR_ANY && slice_is(name, "<<")) {
		REPORT(b, place, "merge keys ('<<') are not supported; write the keys out");
		return false;
	}
	if (name.len > TREE_MAX_KEY_BYTES) {
		REPORT(b, place, "a key is longer than %d bytes", TREE_MAX_KEY_BYTES);
		return false;
	}
	uint32_t first = places_find(b->places, spot, name);
	if (first == PLACES_NONE)
		return true;
	char *shown = text_quote(name);
	REPORT(b, place, "duplicate key '%s'; the first one is in line %u", shown,
	    b->places->spots[first].key.line);
	free(shown);
	return false;
}

static void build_member(
    struct builder *b, json_t *mapping, size_t key_index, size_t value_index, uint32_t spot)
{
	struct place place = node_at(b, key_index)->place;
	const struct node *key = node_at(b, follow(b, key_index));
	if (!check_key(b, key, place, spot) || !fits(b, key, key->length))
		return;
	struct slice name = nodes_text(b->nodes, key);
	size_t before = b->pointer.len;
	pointer_push(&b->pointer, name);
	uint32_t below = places_add(b->places, spot, name, place, node_at(b, value_index)->place);
	json_t *value = build(b, value_index, below);
	if (value != NULL && json_object_setn_new_nocheck(mapping, name.ptr, name.len, value) != 0)
		REPORT(b, place, "not enough memory");
	b->pointer.len = before;
}

static json_t *build_mapping(struct builder *b, size_t index, uint32_t spot)
{
	json_t *mapping = json_object();
	size_t end = node_at(b, index)->after;
	for (size_t key = index + 1; key < end && !b->stopped;) {
		size_t value = node_at(b, key)->after;
		build_member(b, mapping, key, value, spot);
		key = node_at(b, value)->after;
	}
	return mapping;
}

/* A value, or NULL after a report. The text of the pointer beyond its len may be stale: only
 * buf_slice is used on it. */
static json_t *build(struct builder *b, size_t index, uint32_t spot)
{
	struct place place = node_at(b, index)->place;
	index = follow(b, index);
	const struct node *node = node_at(b, index);
	if (node->kind == NODE_SCALAR)
		return build_scalar(b, node);
	if (b->depth == NODES_MAX_DEPTH) {
		REPORT(b, place, "nested deeper than %d levels, with aliases replaced",
		    NODES_MAX_DEPTH);
		b->stopped = true;
	}
	if (b->stopped || !fits(b, node, 0))
		return NULL;
	b->depth++;
	json_t *value =
	    node->kind == NODE_LIST ? build_list(b, index, spot) : build_mapping(b, index, spot);
	b->depth--;
	return value;
}

json_t *tree_build(const struct nodes *nodes, const struct variables *variables,
    const struct tree_target *target, struct problems *problems)
{
	struct builder b = {
	    .nodes = nodes,
	    .variables = variables,
	    .places = target->places,
	    .problems = problems,
	};
	buf_append_str(&b.pointer, target->pointer);
	uint32_t spot =
	    places_add(b.places, target->parent, target->name, target->key, nodes->items[0].place);
	json_t *root = build(&b, 0, spot);
	buf_release(&b.pointer);
	if (b.failed || root == NULL) {
		json_decref(root);
		return NULL;
	}
	return root;
}
