#include "app/trace_tree.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define NONE TRACE_TREE_NONE

struct trace_tree_node *trace_tree_add(struct trace_tree *t)
{
	t->nodes = mem_grow(t->nodes, &t->capacity, t->count + 1, sizeof *t->nodes);
	struct trace_tree_node *n = &t->nodes[t->count++];
	n->parent = n->first_child = n->next_sibling = NONE;
	return n;
}

void trace_tree_release(struct trace_tree *t)
{
	for (size_t i = 0; i < t->count; i++) {
		struct trace_tree_node *n = &t->nodes[i];
		char *texts[] = {n->id, n->cause, n->type, n->exchange, n->routing_key, n->queue};
		for (size_t k = 0; k < ARRAY_LEN(texts); k++)
			free(texts[k]);
	}
	free(t->nodes);
	*t = (struct trace_tree){0};
}

/* ---- who is whose parent ---- */

static int by_time(const void *a, const void *b)
{
	const struct trace_tree_node *x = a, *y = b;
	if (x->time_us != y->time_us)
		return x->time_us < y->time_us ? -1 : 1;
	return x->position < y->position ? -1 : x->position > y->position;
}

/* A node by a text of its, for bsearch. */
struct entry {
	const char *key;
	size_t len;
	size_t node;
};

static int compare_keys(const struct entry *x, const struct entry *y)
{
	int order = memcmp(x->key, y->key, x->len < y->len ? x->len : y->len);
	return order != 0 ? order : x->len < y->len ? -1 : x->len > y->len;
}

/* The first in time stands first among those of one key. */
static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = compare_keys(x, y);
	return order != 0 ? order : x->node < y->node ? -1 : x->node > y->node;
}

static size_t find(const struct entry *entries, size_t count, struct slice key)
{
	const struct entry wanted = {key.ptr, key.len, 0};
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_keys(&entries[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && compare_keys(&entries[low], &wanted) == 0 ? entries[low].node : NONE;
}

/* Foreign ids may lead round in circles. */
static bool is_ancestor(const struct trace_tree *t, size_t node, size_t of)
{
	for (size_t i = of; i != NONE; i = t->nodes[i].parent)
		if (i == node)
			return true;
	return false;
}

static size_t choose_parent(
    struct trace_tree *t, size_t i, const struct entry *ids, const struct entry *spans)
{
	struct trace_tree_node *n = &t->nodes[i];
	size_t parent = NONE;
	if (n->cause[0] != '\0')
		parent = find(ids, t->count, slice_str(n->cause));
	n->lacks_cause = n->cause[0] != '\0' && parent == NONE;
	if (parent == NONE && memcmp(n->origin, n->span, TRACE_SPAN_CHARS) != 0)
		parent = find(spans, t->count, (struct slice){n->origin, TRACE_SPAN_CHARS});
	return parent;
}

static void find_parents(struct trace_tree *t)
{
	struct entry *ids = mem_alloc(t->count + 1, sizeof *ids);
	struct entry *spans = mem_alloc(t->count + 1, sizeof *spans);
	for (size_t i = 0; i < t->count; i++) {
		ids[i] = (struct entry){t->nodes[i].id, strlen(t->nodes[i].id), i};
		spans[i] = (struct entry){t->nodes[i].span, TRACE_SPAN_CHARS, i};
	}
	qsort(ids, t->count, sizeof *ids, by_key);
	qsort(spans, t->count, sizeof *spans, by_key);
	bool may_circle = false; /* some child was recorded before its parent */
	for (size_t i = 0; i < t->count; i++) {
		size_t parent = choose_parent(t, i, ids, spans);
		may_circle |= parent != NONE && parent >= i;
		if (parent != NONE && !(may_circle && is_ancestor(t, i, parent)))
			t->nodes[i].parent = parent;
	}
	free(ids);
	free(spans);
}

/* From the last to the first, so that each list is by time. */
static void list_children(struct trace_tree *t)
{
	t->first = NONE;
	for (size_t i = t->count; i > 0; i--) {
		struct trace_tree_node *n = &t->nodes[i - 1];
		size_t *first = n->parent != NONE ? &t->nodes[n->parent].first_child : &t->first;
		n->next_sibling = *first;
		n->is_last = *first == NONE;
		*first = i - 1;
	}
}

void trace_tree_link(struct trace_tree *t)
{
	if (t->count > 0)
		qsort(t->nodes, t->count, sizeof *t->nodes, by_time);
	find_parents(t);
	list_children(t);
	for (size_t i = t->first; i != NONE; i = trace_tree_next(t, i)) {
		size_t parent = t->nodes[i].parent;
		t->nodes[i].depth = parent != NONE ? t->nodes[parent].depth + 1 : 0;
	}
}

size_t trace_tree_next(const struct trace_tree *t, size_t node)
{
	if (t->count == 0 || t->nodes[node].first_child != NONE)
		return t->count == 0 ? NONE : t->nodes[node].first_child;
	while (node != NONE && t->nodes[node].next_sibling == NONE)
		node = t->nodes[node].parent;
	return node != NONE ? t->nodes[node].next_sibling : NONE;
}
