/* lab.h - a private throwaway RabbitMQ: brought up, found, taken down; as any user, without
 * systemd. */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "base/error.h"
#include "lab/session.h"
#include "lab/state.h"

#include <stddef.h>
#include <stdint.h>

#define LAB_PROGRAMS "/usr/lib/rabbitmq/bin"

struct lab_options {
	const char *dir;      /* absolute */
	const char *programs; /* the folder of rabbitmq-server and rabbitmqctl */
	size_t node_count;    /* from 1 to NODE_MAX */
	bool tls;	      /* listen for TLS, too, with certificates made for it */
	uint64_t wait_ns;     /* how long the start may take */
};

/* Starts a lab and waits until it can be used, also when somebody else is just starting it; *was_up
 * tells whether it was running before. Fails with ERROR_UNAVAILABLE (RabbitMQ is not installed, or
 * did not start: the text has the last lines of its log), or as folder_create does. */
bool lab_up(const struct lab_options *options, struct state *out, bool *was_up,
    struct error *err) MUST_CHECK;

/* Kills the lab and removes its folder; *was_running tells whether there was one. Fails as
 * folder_remove does. Takes milliseconds. */
bool lab_down(const char *dir, bool *was_running, struct error *err) MUST_CHECK;

/* The lab in a folder. ERROR_UNAVAILABLE when none runs there; one that is starting is found. */
bool lab_find(const char *dir, struct state *out, struct error *err) MUST_CHECK;

/* What session_open needs of the options; sees to it that RabbitMQ is installed and the folder
 * there. Fails as lab_up does. */
bool lab_plan(
    const struct lab_options *options, struct session_plan *out, struct error *err) MUST_CHECK;

/* Becomes rabbitmqctl for a node of the lab (NULL: the first); returns only when that fails. */
bool lab_become_ctl(const char *dir, const char *programs, const char *node, char *const args[],
    struct error *err) MUST_CHECK;

#endif
