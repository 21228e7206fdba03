/* tree.h - a JSON tree and the places of its values, made from the nodes of a YAML text. */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include "config/nodes.h"
#include "config/places.h"
#include "config/problems.h"
#include "config/variables.h"

#include <jansson.h>

/* What keys and texts may add up to once aliases and variables are replaced. */
#define TREE_MAX_TEXT_BYTES (8u << 20)

/* Names in AMQP end at 255; more than that, a hundred levels deep, would make paths costly. */
#define TREE_MAX_KEY_BYTES 1000

struct tree_target {
	struct places *places;
	uint32_t parent;   /* of the new root, in places */
	struct slice name; /* of the new root below it */
	struct place key;
	const char *pointer; /* to the new root, for the paths of problems */
};

/*
 * Makes a new tree of at least one node and adds its places. Variables are replaced in scalar
 * values, never in keys; not at all when they are NULL. Aliases are copied, within the limits of
 * nodes.h on depth and count. Duplicate keys, keys that are no text, merge keys and what does not
 * fit its tag go to problems, all that can be found; then NULL.
 */
json_t *tree_build(const struct nodes *nodes, const struct variables *variables,
    const struct tree_target *target, struct problems *problems);

#endif
