/* drill_private.h - what the drills are made of. */
#ifndef LAB_DRILL_PRIVATE_H
#define LAB_DRILL_PRIVATE_H

#include "lab/fates.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum drill_step_kind {
	DRILL_END,  /* of the steps */
	DRILL_FLOW, /* until messages have been confirmed and received again */
	DRILL_HOLD, /* let the fault last */
	DRILL_LAB,  /* a command of lab; "LEADER" stands for the node that DRILL_LEADER found */
	DRILL_LEADER,
	DRILL_KILL_CONSUMER,
	DRILL_START_CONSUMER,
};

#define DRILL_LEADER_WORD "LEADER"
#define DRILL_QUEUE "drill"

struct drill_step {
	enum drill_step_kind kind;
	const char *words[5]; /* DRILL_LAB; ends with NULL */
	uint64_t span_ns;     /* DRILL_HOLD */
};

struct drill {
	const char *name, *what;
	size_t node_count;
	const char *queue_type;
	struct drill_step steps[12];
};

/* The verdict as people read it; `survived`: the producer went on until it was told to end. */
void drill_print_verdict(
    const struct fates_verdict *verdict, uint64_t begun_ns, bool survived, FILE *out);

#endif
