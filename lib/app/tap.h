/*
 * tap.h - what is listened to without taking anything from others: exchanges, and the broker's
 * firehose, each by an exclusive queue of our own that ends with the connection.
 */
#ifndef APP_TAP_H
#define APP_TAP_H

#include "app/tool.h"
#include "model/topology.h"

struct tap {
	const char *exchange; /* borrowed */
	char *queue;	      /* its name, owned */
	bool is_firehose;
};

/* `= {0}` is none. */
struct taps {
	struct tap *items;
	size_t count, capacity;
	struct topology topology; /* the queues and bindings; owned, not by topology_release */
	size_t queue_capacity, binding_capacity;
	bool was_declared;
};

struct tap_options {
	const struct option_list *exchanges;
	const struct option_list *keys; /* to bind with, instead of what is fit for the type */
	const char *firehose;		/* "publish" or "deliver"; NULL: none */
};

/*
 * Chooses names and binding keys; nothing is declared yet. `#` gets everything out of a topic,
 * fanout or headers exchange; a direct one needs keys, which are those of its bindings in the
 * settings. A type that the settings do not tell is asked of the broker.
 */
bool tap_plan(struct tool *tool, const struct tap_options *options, struct taps *out,
    struct error *err) MUST_CHECK;
/* Declares and binds; again after the connection was lost, with a warning: what was published
 * meanwhile was not seen. */
bool tap_declare(struct taps *taps, struct connection *c, struct error *err) MUST_CHECK;
void tap_release(struct taps *taps);

#endif
