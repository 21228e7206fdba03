/* nodes.h - YAML text as a flat list of nodes, each with its place: what libyaml's parser says,
 * checked for what warren does not take, before anything is expanded. */
#ifndef CONFIG_NODES_H
#define CONFIG_NODES_H

#include "base/buf.h"
#include "config/problems.h"
#include "config/scalar.h"

#define NODES_MAX_DEPTH 100
#define NODES_MAX_COUNT 500000

enum node_kind {
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAPPING, /* its children are key, value, key, value ... */
	NODE_ALIAS,
};

struct node {
	enum node_kind kind;
	struct place place;
	/* The nodes of a subtree follow their parent; `after` is the index behind the last of
	 * them: children of i are i + 1, items[i + 1].after, ... up to items[i].after. */
	size_t after;
	size_t target;		/* NODE_ALIAS: an earlier node, complete and no alias itself */
	enum scalar_type type;	/* NODE_SCALAR */
	size_t text_at, length; /* NODE_SCALAR: in `text` of the list */
};

/* Owned; `= {0}` is empty. */
struct nodes {
	struct node *items;
	size_t count, capacity;
	struct buf text;
	bool faulty; /* problems were reported, though every node is there */
};

/*
 * Takes a YAML text of one document apart. Without any content, or with an empty one, count is 0.
 * What is wrong goes to problems, placed in `source`. Faults of the syntax, bytes that are not
 * UTF-8, more than NODES_MAX_DEPTH levels or NODES_MAX_COUNT nodes and a second document end the
 * reading and make it false. Tags other than the core ones, a NUL in a text, aliases without an
 * anchor or inside their own make it faulty: there is an empty text instead of such an alias.
 */
bool nodes_read(
    const char *source, struct slice text, struct nodes *out, struct problems *problems);

/* The text of a scalar; valid until nodes_release. */
struct slice nodes_text(const struct nodes *nodes, const struct node *scalar);
void nodes_release(struct nodes *nodes);

#endif
