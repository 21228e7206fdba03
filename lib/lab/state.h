/* state.h - what is known of a lab: written by its supervisor, read by every other command. */
#ifndef LAB_STATE_H
#define LAB_STATE_H

#include "base/buf.h"
#include "base/error.h"
#include "lab/node.h"

#include <stdint.h>
#include <sys/types.h>

enum state_phase { STATE_STARTING, STATE_RUNNING, STATE_ENDED, STATE_PHASE_COUNT };

struct state {
	enum state_phase phase;
	pid_t supervisor;
	pid_t epmd; /* 0 before it was started */
	uint16_t epmd_port;
	int64_t started_ms; /* wall clock */
	size_t node_count;  /* from 1 to NODE_MAX */
	struct node nodes[NODE_MAX];
	uint32_t cuts[NODE_MAX]; /* bit j of cuts[i], and i of cuts[j]: no way between these */
};

/*
 * The format of state.json is the form of `lab status --format json`: a change of meaning gets a
 * new "version", and a reader refuses one it does not know. New members need no new version.
 */
void state_render_json(const struct state *state, const char *dir, struct buf *out);
/* Fails with ERROR_DATA. */
bool state_parse(struct slice json, struct state *out, struct error *err) MUST_CHECK;

/* Replaces state.json in one step; fails with ERROR_IO. */
bool state_write(const struct state *state, const char *dir, struct error *err) MUST_CHECK;
/* Fails with ERROR_NO_INPUT when there is none. */
bool state_read(const char *dir, struct state *out, struct error *err) MUST_CHECK;

struct state_variable {
	const char *name;
	char *value; /* owned */
};

enum { STATE_VARIABLE_COUNT = 8 };

/* The variables that lead a program to the first node of the lab; AMQP_URLS has all nodes, parted
 * by blanks. The value of one that this lab does not have is NULL. */
void state_variables(
    const struct state *state, const char *dir, struct state_variable out[STATE_VARIABLE_COUNT]);
void state_variables_release(struct state_variable variables[STATE_VARIABLE_COUNT]);

/* "export NAME='value'" lines for eval in any POSIX shell. */
void state_render_exports(const struct state *state, const char *dir, struct buf *out);

/* The address of a node for AMQP clients, to be released with free(). */
char *state_url(const struct node *node);

/* The node of that name, NULL for the first; NULL with ERROR_USAGE when there is none. */
const struct node *state_find_node(
    const struct state *state, const char *name, struct error *err) MUST_CHECK;

/* One line a node: AMQP, management and metrics addresses, stream port, folder. */
void state_render_addresses(const struct state *state, const char *dir, struct buf *out);

/* The table of `lab status`. */
void state_render_table(const struct state *state, int64_t now_ms, struct buf *out);

/* Appends the text so that a POSIX shell reads it as one word, whatever is in it. */
void state_quote(const char *text, struct buf *out);

#endif
