/* session.h - a supervisor as a process of its own, and the line between it and its starter. */
#ifndef LAB_SESSION_H
#define LAB_SESSION_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct session_plan {
	const char *dir;      /* of the lab, absolute; it exists, see folder_create */
	const char *programs; /* the folder of rabbitmq-server and rabbitmqctl */
	size_t node_count;
	bool tls;
	uint64_t wait_ns; /* how long the start may take */
	bool tethered;	  /* the lab ends with this process, or with session_close */
	bool in_sight;	  /* its log goes to our stderr instead of supervisor.log */
};

struct session {
	pid_t pid;
	int lifeline;
};

enum session_answer {
	SESSION_READY,
	SESSION_TAKEN,	     /* another supervisor has the folder */
	SESSION_INTERRUPTED, /* the other descriptor had something to say first */
};

/* Starts the supervisor; the folder is cleared of what an earlier lab left. */
bool session_open(
    const struct session_plan *plan, struct session *out, struct error *err) MUST_CHECK;

/* Waits until the lab can be used. `other` is a further descriptor to listen to, or -1. Fails as
 * supervisor_run does; the logs are then still in the folder. */
bool session_await(const struct session *session, uint64_t deadline_ns, int other,
    enum session_answer *out, struct error *err) MUST_CHECK;

/* Lets the lab go on without us. */
void session_detach(struct session *session);

/* Ends a tethered lab and waits for its supervisor, in the end with SIGKILL. */
void session_close(struct session *session);

#endif
