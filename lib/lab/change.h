/* change.h - what a person may do to the nodes of a running lab, and when. */
#ifndef LAB_CHANGE_H
#define LAB_CHANGE_H

#include "base/error.h"
#include "lab/node.h"
#include "lab/state.h"

#include <stddef.h>
#include <stdint.h>

enum change_verb {
	CHANGE_KILL,
	CHANGE_STOP,
	CHANGE_START,
	CHANGE_PAUSE,
	CHANGE_RESUME,
	CHANGE_CUT,  /* only noted here: see partition.h */
	CHANGE_HEAL, /* of every cut, likewise */
	CHANGE_VERB_COUNT
};

extern const char *const change_verb_names[CHANGE_VERB_COUNT];

struct change {
	enum change_verb verb;
	size_t node;	 /* its index; of no meaning to CHANGE_HEAL */
	uint32_t others; /* CHANGE_CUT: a bit for each node on the other side */
};

/* Whether the state allows it: ERROR_UNAVAILABLE names the node and the states that would. The
 * change must be about nodes of the lab. */
bool change_check(
    const struct state *state, const struct change *change, struct error *err) MUST_CHECK;

/* Begins it at once and notes it in the state, what it leads to is seen later: a signal, a start.
 * Only for the process whose children the nodes are. Fails as change_check and node_start do. */
bool change_apply(const struct node_site *site, struct state *state, const struct change *change,
    struct error *err) MUST_CHECK;

#endif
