/* fault.h - the verbs that break a running lab and mend it; each waits until its effect is seen. */
#ifndef LAB_FAULT_H
#define LAB_FAULT_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

struct fault_site {
	const char *dir;      /* of a lab that runs, absolute */
	const char *programs; /* the folder of rabbitmqctl */
	const char *vhost;    /* leader: where the queue is */
	uint64_t wait_ns;     /* how long the effect may take */
};

/* Whether the word is such a verb: kill, stop, start, pause, resume, cut, heal, alarm, leader. */
bool fault_is_verb(const char *verb);

/*
 * Does it and appends a line for people: what happened and how long it took; `leader` only the name
 * of the node. Operands end with NULL. Fails with ERROR_USAGE (operands, a node that is not in the
 * lab), ERROR_UNAVAILABLE (no lab, a node in the wrong state, no effect in time) and ERROR_REFUSED
 * (no such queue).
 */
bool fault_run(const struct fault_site *site, const char *verb, char *const operands[],
    struct buf *out, struct error *err) MUST_CHECK;

#endif
