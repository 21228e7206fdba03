/* flow_private.h - what a run has under way, for flow*.c alone. */
#ifndef FLOW_FLOW_PRIVATE_H
#define FLOW_FLOW_PRIVATE_H

#include "flow/flow.h"

#include "base/fifo.h"

#define FLOW_ID_BYTES 40 /* a UUID fits */

/* What became so far of a message that was split, or whose fate is held back. */
struct flow_ledger {
	size_t branches; /* that are under way, and one more while it is being split */
	uint64_t count;	 /* of them, that there were */
	/* Of one that was offered: of all that it became, how many may still become what the sink
	 * has not got, and the worst fate of what has ended. */
	size_t outside;
	enum flow_fate gravest;
	uint64_t total;	      /* of those, that there were */
	unsigned holds;	      /* cores that hold its fate back, which is `worst` */
	enum flow_fate worst; /* of its branches so far; */
	char *reason;	      /* owned, as the headers are; NULL: of what was accepted */
	char *headers;
	size_t headers_len;
};

/* A message under way. Free slots are chained through next_free. */
struct flow_slot {
	bool used;
	/* by the sink, or by a core that was at work on it: what becomes of it counts */
	bool taken;
	bool redelivered;
	bool is_outside; /* it may still become what the sink has not got */
	unsigned route;	 /* which cores it is for */
	uint64_t token;
	size_t core;		    /* the one that is at work on it */
	size_t parent;		    /* of a branch: the slot that was split; else FLOW_NOBODY */
	struct flow_ledger *ledger; /* owned; NULL: it is whole and on its way */
	struct message *copy;	    /* with keep_messages */
	char id[FLOW_ID_BYTES];	    /* the beginning of the message_id */
	size_t id_len;
	struct slice queue; /* borrowed from the source, which outlives the run */
	uint64_t number, due_ns, part;
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
	/* struct flow_waiting: parts of what was split, what a core has answered later, and what
	 * is behind them */
	struct fifo waiting;
	bool has_split; /* so that who never splits pays nothing for it */
	bool stopping;
	bool may_hold;	      /* there is a core that holds fates back, */
	bool ending;	      /* but now nothing is held back any more */
	size_t held;	      /* fates that are */
	uint64_t deadline_ns; /* of the last fates; CHRONO_NEVER before the end is near */
	uint64_t progress;    /* when that was set */
	uint64_t turned_away; /* of those that were offered, because nothing more is taken on */
	struct error failure;
	struct flow_counts counts;
};

/* What the message was offered as. */
static inline size_t flow_root(const struct flow *flow, size_t slot)
{
	while (flow->slots[slot].parent != FLOW_NOBODY)
		slot = flow->slots[slot].parent;
	return slot;
}

static inline bool flow_is_split(const struct flow_slot *slot)
{
	return slot->ledger != NULL && slot->ledger->branches > 0;
}

/* Settles what no core holds back any more. */
void flow_settle_now(struct flow *flow, uint64_t slot, const struct flow_verdict *verdict);
/* Asks the cores; true: one at least holds it back, and the verdict is kept. */
bool flow_hold_back(struct flow *flow, uint64_t slot, const struct flow_verdict *verdict);
/* It will not become anything more that the sink has not got. */
void flow_note_inside(struct flow *flow, size_t slot);
/* The same, for it has ended. */
void flow_note_end(struct flow *flow, size_t slot, enum flow_fate fate);

/* The slot's own, made when it has none. */
struct flow_ledger *flow_open_ledger(struct flow_slot *slot);
void flow_free_ledger(struct flow_ledger *ledger);
/* From the least to the gravest: what must come again outweighs what nobody wants. */
int flow_gravity(enum flow_fate fate);
/* Keeps a copy of the verdict as its worst. */
void flow_note_worst(struct flow_ledger *ledger, const struct flow_verdict *verdict);

/* Puts what waited for room in the sink. */
void flow_put_waiting(struct flow *flow);
/* At the end, releases parts instead: what they are of comes again, whole. After a failure all. */
void flow_release_waiting(struct flow *flow);
/* Forgets it; the slots are still there. */
void flow_drop_waiting(struct flow *flow);

#endif
