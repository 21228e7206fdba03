/* flow_private.h - what a run has under way; for flow.c and flow_run.c. */
#ifndef FLOW_FLOW_PRIVATE_H
#define FLOW_FLOW_PRIVATE_H

#include "flow/flow.h"

#include "base/fifo.h"

#define FLOW_ID_BYTES 40 /* a UUID fits */

/* A message under way. Free slots are chained through next_free. */
struct flow_slot {
	bool used;
	bool
	    taken; /* by the sink, or by a core that was at work on it: what becomes of it counts */
	uint64_t token;
	size_t core;	 /* the one that is at work on it */
	unsigned route;	 /* which cores it is for */
	size_t parent;	 /* of a branch: the slot that was split; else NOBODY */
	size_t branches; /* that are under way, and one more while it is being split */
	uint64_t part, branch_count;
	size_t root;		/* what was offered: itself, or its parent's */
	bool is_outside;	/* it may still become what the sink has not got; */
	size_t outside;		/* of the root: how many are so, */
	enum flow_fate gravest; /* and the worst fate of what has ended */
	unsigned holds;		/* cores that hold its fate back, which is `worst` */
	enum flow_fate worst;	/* of its branches so far; */
	char *reason;		/* owned, as are these: why; NULL for no reason */
	char *headers;
	size_t headers_len;
	struct message *copy;	/* with keep_messages */
	char id[FLOW_ID_BYTES]; /* the beginning of the message_id */
	size_t id_len;
	struct slice queue; /* borrowed from the source, which outlives the run */
	bool redelivered;
	uint64_t number, due_ns;
	size_t next_free;
};

/* A message that the sink has no room for yet. */
struct flow_waiting {
	size_t slot;
	struct message *message;
	struct flow_message m; /* what else is known of it */
};

struct flow {
	struct loop *loop;
	struct flow_options options;
	struct flow_slot *slots;
	size_t slot_count, capacity;
	size_t first_free; /* slot_count: none */
	size_t under_way;  /* of those that were offered: branches are not counted */
	struct fifo
	    waiting; /* struct flow_waiting; only what was split waits, and what is behind it */
	bool has_split;
	bool stopping;
	bool ending;	      /* nothing is held back any more */
	size_t held;	      /* fates that are */
	uint64_t deadline_ns; /* of the last fates; CHRONO_NEVER before the end is near */
	uint64_t progress;    /* the sink's, when that was set */
	struct error failure;
	struct flow_counts counts;
};

/* Settles what no core holds back any more. */
void flow_settle_now(struct flow *flow, uint64_t slot, const struct flow_verdict *verdict);
/* Asks the cores; true: one at least holds it back, and the verdict is kept. */
bool flow_hold_back(struct flow *flow, uint64_t slot, const struct flow_verdict *verdict);
/* From the least to the gravest: what must come again outweighs what nobody wants. */
int flow_gravity(enum flow_fate fate);
void flow_note_worst(struct flow_slot *s, const struct flow_verdict *verdict);
/* It will not become anything more that the sink has not got. */
void flow_note_inside(struct flow *flow, size_t slot);

/* Puts what waited for room in the sink. */
void flow_put_waiting(struct flow *flow);
/* Forgets it; the slots are still there. */
void flow_drop_waiting(struct flow *flow);

#endif
