/*
 * deadletters_pick.h - which dead letters are meant: a core that passes them and holds the others.
 *
 * It never chases what arrives meanwhile: after as many messages as were in the queue at the
 * beginning, or as were asked for, everything is held and the run is over.
 */
#ifndef APP_DEADLETTERS_PICK_H
#define APP_DEADLETTERS_PICK_H

#include "app/deadletters_groups.h"
#include "config/options.h"
#include "flow/flow.h"

struct deadletters_pick {
	const char *reason, *queue;	   /* it died for and in; NULL: any */
	const struct option_list *ids;	   /* message_ids; none: any */
	uint64_t older_than_s;		   /* since it died; UINT64_MAX: any, told or not */
	uint64_t now_s;			   /* since 1970 */
	uint64_t in_queue, limit;	   /* messages to look at, and to take */
	uint64_t looked_at, taken;	   /* so far; taken by who works on what passes */
	struct deadletters_groups *groups; /* not NULL: the take core only counts, in here */
};

/* True once enough were looked at or taken. */
bool deadletters_pick_is_over(const struct deadletters_pick *pick);
/* Whether it leaves any message out by itself, other than by number. */
bool deadletters_pick_is_choosy(const struct deadletters_pick *pick);
struct flow_core deadletters_pick_core(struct deadletters_pick *pick);
/* A core for behind it, and behind other filters: takes what comes, up to the limit. */
struct flow_core deadletters_pick_take_core(struct deadletters_pick *pick);

#endif
