/* node.h - one RabbitMQ broker of a lab: its files, its process, and whether it answers. */
#ifndef LAB_NODE_H
#define LAB_NODE_H

#include "base/buf.h"
#include "base/error.h"
#include "lab/child.h"
#include "lab/notify.h"

#include <stdint.h>
#include <sys/types.h>

#define NODE_MAX 7
#define NODE_NAME_BYTES 2
/* From when on a node takes no more messages; see the alarms in fault.h. */
#define NODE_MEMORY_LIMIT "512MB"
#define NODE_DISK_LIMIT "50MB"

enum node_port {
	NODE_PORT_AMQP,
	NODE_PORT_MANAGEMENT,
	NODE_PORT_PROMETHEUS,
	NODE_PORT_STREAM,
	NODE_PORT_DISTRIBUTION, /* between the nodes and rabbitmqctl */
	NODE_PORT_AMQPS,	/* 0: without TLS */
	NODE_PORT_COUNT,
};

extern const char *const node_port_names[NODE_PORT_COUNT];

enum node_state {
	NODE_STARTING, /* or resumed, and not heard of since */
	NODE_RUNNING,
	NODE_PAUSED,
	NODE_STOPPING,
	NODE_STOPPED, /* on request, like NODE_KILLED */
	NODE_KILLED,
	NODE_ENDED, /* by itself */
	NODE_STATE_COUNT
};

extern const char *const node_state_names[NODE_STATE_COUNT];

struct node {
	char name[NODE_NAME_BYTES]; /* "a", so a@localhost in Erlang */
	enum node_state state;
	pid_t pid; /* of the Erlang machine; 0 while there is none */
	uint16_t ports[NODE_PORT_COUNT];
	int64_t started_ms;	 /* wall clock; 0 before it was started */
	enum node_state ends_as; /* what the end of the process makes of it */
	struct notify notify;	 /* open from its start until it is ready; only in its parent */
};

/* What the nodes of one lab share. Borrowed. */
struct node_site {
	const char *dir;      /* of the lab, absolute */
	const char *programs; /* the folder of rabbitmq-server and rabbitmqctl */
	uint16_t epmd_port;
	size_t node_count;
};

/* The name of the nth node. */
void node_name(size_t index, char out[NODE_NAME_BYTES]);

/* The text of rabbitmq.conf. */
void node_render_config(const struct node_site *site, const struct node *node, struct buf *out);

/* The environment of the server and of rabbitmqctl for this node, complete: nothing of ours but
 * PATH comes through. To be released by the caller. */
void node_environment(
    const struct node_site *site, const struct node *node, struct child_words *out);

/* Starts a program of the lab as a child that ends when we do, in the environment of this node;
 * what it says goes to the log, a path. argv is released. */
bool node_spawn_free(const struct node_site *site, const struct node *node,
    struct child_words *argv, const char *log, pid_t *out, struct error *err) MUST_CHECK;

/* Makes the folders and files of a node; fails with ERROR_CANNOT_CREATE. */
bool node_prepare(
    const struct node_site *site, const struct node *node, struct error *err) MUST_CHECK;

/* Starts the broker as a child of ours and sets pid, state and notify. It takes seconds to answer.
 */
bool node_start(const struct node_site *site, struct node *node, struct error *err) MUST_CHECK;

/* True when the broker has said that it is ready, if it was started anew, and opens an AMQP
 * handshake, for which it waits at most until deadline_ns. The port alone is not enough: RabbitMQ
 * opens it a moment before rabbitmqctl can do anything. */
bool node_answers(struct node *node, uint64_t deadline_ns);

/* True when the state has a process, that is: not stopped, killed or ended. */
bool node_is_alive(enum node_state state);

/* Paths, to be released with free(): what the broker logs, and what it says on its way up. */
char *node_log_path(const char *dir, const char *name);
char *node_console_path(const char *dir, const char *name);

#endif
