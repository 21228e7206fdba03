/*
 * trace_tree.h - the recorded messages of one trace as a tree: what was made of what.
 *
 * The parent of a message is its cause, by id; else the message that was sent by the span in which
 * the event began (traceparent of a CloudEvent beside that of the message); else it has none and
 * stands at the top, by time.
 */
#ifndef APP_TRACE_TREE_H
#define APP_TRACE_TREE_H

#include "base/slice.h"
#include "model/trace.h"

#include <stdbool.h>

#define TRACE_TREE_NONE SIZE_MAX
#define TRACE_TREE_MOST 100000 /* messages of a trace */

/* A message. The texts are owned; "" for what it has not. */
struct trace_tree_node {
	uint64_t position;
	int64_t time_us; /* when it was recorded, since 1970 */
	char *id, *cause, *type, *exchange, *routing_key, *queue;
	char span[TRACE_SPAN_CHARS]; /* that sent it */
	/* in which the event began; the same when nothing is known */
	char origin[TRACE_SPAN_CHARS];
	/* set by trace_tree_link */
	size_t parent, first_child, next_sibling; /* TRACE_TREE_NONE */
	bool is_last;				  /* of its parent's */
	bool lacks_cause;			  /* it has one, which is not there */
	size_t depth;
};

/* `= {0}` is empty. */
struct trace_tree {
	struct trace_tree_node *nodes; /* after trace_tree_link: by time, then position */
	size_t count, capacity;
	size_t first; /* of those at the top */
};

/* A new node, empty: to be filled in at once. */
struct trace_tree_node *trace_tree_add(struct trace_tree *t);
void trace_tree_release(struct trace_tree *t);

/* Puts them in order and finds the parents. Who would be its own ancestor stands at the top. */
void trace_tree_link(struct trace_tree *t);
/* The node behind this one, children before siblings; TRACE_TREE_NONE at the end. */
size_t trace_tree_next(const struct trace_tree *t, size_t node);

#endif
