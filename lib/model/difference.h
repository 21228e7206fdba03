/*
 * difference.h - what the settings want beside what a broker has, object by object.
 *
 * Both sides are a struct topology; the one that was found may hold values as RabbitMQ's HTTP API
 * shows them, which tells neither widths of numbers nor 5 from 5.0, writes null as "undefined", a
 * decimal as "<scale>.<value>", and what is not UTF-8 as base64 behind a few words. So values count
 * as equal when they would look the same there.
 */
#ifndef MODEL_DIFFERENCE_H
#define MODEL_DIFFERENCE_H

#include "model/topology.h"

enum difference_kind {
	DIFFERENCE_EQUAL,
	DIFFERENCE_CREATE,  /* wanted, not there */
	DIFFERENCE_CHANGE,  /* there, with other attributes */
	DIFFERENCE_EXTRA,   /* there, not wanted */
	DIFFERENCE_MISSING, /* declared: false, so nobody of ours makes it, and not there */
	DIFFERENCE_LEFT,    /* another connection's business: exclusive */
	DIFFERENCE_UNSEEN,  /* nobody could look */
	DIFFERENCE_KIND_COUNT,
};

struct difference_attribute {
	char *name;		/* "type", "durable", ..., or an argument: "x-message-ttl" */
	json_t *wanted, *found; /* owned; NULL: not set */
};

/* One of the three pointers is set; it points into what is wanted, of an extra into what was found.
 */
struct difference_item {
	enum difference_kind kind;
	const struct topology_exchange *exchange;
	const struct topology_queue *queue;
	const struct topology_binding *binding;
	struct difference_attribute *attributes; /* of DIFFERENCE_CHANGE, in the order of the
						    settings, then what was found only */
	size_t attribute_count, attribute_capacity;
};

/* `= {0}` is empty. */
struct difference {
	struct difference_item *items;
	size_t item_count, item_capacity;
	size_t counts[DIFFERENCE_KIND_COUNT];
};

/*
 * Exchanges, queues and bindings in the order of `wanted`, then the extras in that of `found`. Both
 * must outlive the result.
 *
 * An extra is what is there and not wanted among
 *  - what warren made for a declared queue, by its name: topology_made_for;
 *  - exchanges and queues whose name begins with `prefix` (NULL: none; "": all but amq.*);
 *  - bindings with a declared exchange or queue, or one of that prefix, at one of their ends.
 * Exclusive queues belong to a connection and are never extras; a binding of one, or of another
 * extra, goes with it and is none either.
 */
void difference_find(const struct topology *wanted, const struct topology *found,
    const char *prefix, struct difference *out);
void difference_release(struct difference *d);

/* The parts, for who looks at one object at a time. The item may move with the next one added. */
struct difference_item *difference_add(struct difference *d, enum difference_kind kind);
/* Takes both values, which may be NULL. */
void difference_add_attribute(
    struct difference_item *item, const char *name, json_t *wanted, json_t *found);

/* Makes it DIFFERENCE_CHANGE when it has attributes. */
void difference_settle(struct difference *d, struct difference_item *item);

/* Source, destination, its kind, key and arguments: what makes a binding that one. */
bool difference_is_same_binding(const struct topology_binding *a, const struct topology_binding *b);

/* "exchange", "queue", "binding". */
const char *difference_object(const struct difference_item *item);
/* The name of an exchange or queue; NULL for a binding. */
const char *difference_name(const struct difference_item *item);

/* The type of a queue as it was found. */
const char *difference_queue_type(const struct difference_item *item);

#endif
