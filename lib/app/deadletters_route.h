/*
 * deadletters_route.h - the way back of a dead letter: a core that addresses it anew.
 *
 * What was written on it when it died is taken off (model/death.h), so that its attempts begin
 * anew, and what was set aside then (model/retry.h) is put back, but for its expiration: it would
 * die of that again. How often it came back is written on; and MARKS_RESENT when somebody had it
 * before, who may have been killed on the way (or has only looked). What has no way back is held,
 * and counted by why.
 */
#ifndef APP_DEADLETTERS_ROUTE_H
#define APP_DEADLETTERS_ROUTE_H

#include "app/deadletters_groups.h"
#include "app/deadletters_pick.h"
#include "broker/connection.h"

enum deadletters_stay {
	DEADLETTERS_GOES,
	DEADLETTERS_TOO_OFTEN,
	DEADLETTERS_NO_ORIGIN,
	DEADLETTERS_NO_QUEUE,
	DEADLETTERS_HERE,
	DEADLETTERS_NO_EXCHANGE,
	DEADLETTERS_NO_NAME,
	DEADLETTERS_STAY_COUNT,
};
/* Why, for people; NULL for DEADLETTERS_GOES. */
extern const char *const deadletters_stay_texts[DEADLETTERS_STAY_COUNT];

struct deadletters_route_options {
	const char *dead_letters;	    /* the queue that is read */
	const char *exchange, *routing_key; /* instead of where it came from; NULL: as told */
	bool to_queue;			    /* into the queue it died in, by the default exchange */
	uint64_t max_returns;		    /* times; UINT64_MAX: any */
	const char *user;	       /* the only one whose messages may say so; NULL: nobody */
	struct deadletters_pick *pick; /* counts what is taken; with groups: only looks, and says
					  there what would be done */
};

struct deadletters_route;
struct deadletters_route *deadletters_route_create(const struct deadletters_route_options *options);
void deadletters_route_free(struct deadletters_route *route);
struct flow_core deadletters_route_core(struct deadletters_route *route);

/* Asks the broker for the exchanges that nobody has asked for yet and sends on, as far as the sink
 * has room, the messages that wait for that. Waits, so it is called between two turns of the loop.
 * True in *moved when there was something to do. */
bool deadletters_route_advance(struct deadletters_route *route, struct flow *flow,
    const struct flow_sink *sink, struct connection *c, bool *moved, struct error *err) MUST_CHECK;

/* How many stay so far, by why; and how many have their user_id as a mark, because this user
 * may not claim it. */
uint64_t deadletters_route_stays(const struct deadletters_route *route, enum deadletters_stay why);
uint64_t deadletters_route_unsigned(const struct deadletters_route *route);

#endif
