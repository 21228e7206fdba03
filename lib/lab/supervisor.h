/* supervisor.h - the process that owns a running lab: starts it, watches it, ends all of it. */
#ifndef LAB_SUPERVISOR_H
#define LAB_SUPERVISOR_H

#include "base/error.h"
#include "lab/state.h"

#include <stddef.h>
#include <stdint.h>

#define SUPERVISOR_LOG "supervisor.log"
#define SUPERVISOR_EPMD_LOG "epmd.log"

struct supervisor_plan {
	const char *dir;      /* ours, locked and empty */
	const char *programs; /* the folder of rabbitmq-server and rabbitmqctl */
	size_t node_count;
	bool tls;	  /* listen for TLS, too */
	uint64_t wait_ns; /* how long the start may take */
	int lifeline;  /* a socket to whoever wants the lab: its end while the lab starts ends it */
	bool tethered; /* ... and also when the lab runs */
	/* Called once the lab can be used. */
	void (*ready)(void *ctx, const struct state *state);
	void *ctx;
};

/*
 * Runs the lab in this process, which must have no other children, until SIGTERM, SIGINT, the end
 * of the lifeline, or the end of epmd or of the last node. Nothing of the lab is left running when
 * it returns, nor when this process is killed. True when it was told to end; otherwise err says
 * what ended first: ERROR_UNAVAILABLE, with the last lines of its log.
 */
bool supervisor_run(const struct supervisor_plan *plan, struct error *err) MUST_CHECK;

#endif
