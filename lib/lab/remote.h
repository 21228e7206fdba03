/* remote.h - Erlang expressions evaluated inside a node of a lab, through rabbitmqctl. */
#ifndef LAB_REMOTE_H
#define LAB_REMOTE_H

#include "base/buf.h"
#include "base/error.h"
#include "lab/node.h"
#include "lab/state.h"

#include <stdint.h>

/* A lab as the commands see it. Borrowed. */
struct remote {
	const char *dir;      /* absolute */
	const char *programs; /* the folder of rabbitmqctl */
	uint64_t deadline_ns;
};

/* What the expression is, appended as Erlang prints it, trimmed. Fails with ERROR_UNAVAILABLE when
 * the node cannot be asked, or not until the deadline. Takes about a second. */
bool remote_eval(const struct remote *remote, const struct state *state, const struct node *node,
    const char *expression, struct buf *out, struct error *err) MUST_CHECK;

/* Waits inside the node, at most until the deadline, for a condition to become true, after
 * `setup`, expressions that end with a comma or nothing. *held tells whether it came. */
bool remote_await(const struct remote *remote, const struct state *state, const struct node *node,
    const char *setup, const char *condition, bool *held, struct error *err) MUST_CHECK;

/* Appends bytes as an Erlang binary, whatever they are. */
void remote_render_binary(struct slice bytes, struct buf *out);

#endif
