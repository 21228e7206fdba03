/* drill.h - a fault in the middle of real work, told as it happens, and judged by message ids. */
#ifndef LAB_DRILL_H
#define LAB_DRILL_H

#include "base/buf.h"
#include "base/error.h"
#include "lab/state.h"

#include <stddef.h>
#include <stdio.h>

struct drill;

/* NULL with ERROR_USAGE, which names those there are. */
const struct drill *drill_find(const char *name, struct error *err) MUST_CHECK;

/* How many nodes it needs. */
size_t drill_node_count(const struct drill *drill);

/* A line for each: name, nodes, what happens. */
void drill_render_list(struct buf *out);

/* Where it takes place. Borrowed. */
struct drill_site {
	const struct state *state; /* of a lab that runs */
	const char *dir;	   /* its folder */
	const char *programs;	   /* the folder of rabbitmqctl */
	FILE *out;		   /* gets the timeline and the verdict */
};

/*
 * Runs `producer` and `consumer`, which lie beside this program, on a queue of the lab, does to
 * them or to the nodes what the drill says, and lets them finish. Each line of the timeline has
 * the seconds since the start, who says something, and what. *was_lost tells whether a confirmed
 * message was never received.
 *
 * Fails with ERROR_UNAVAILABLE when a step did not succeed, a program cannot be run or nothing was
 * confirmed: then there is no verdict; and when it is interrupted.
 */
bool drill_run(const struct drill *drill, const struct drill_site *site, bool *was_lost,
    struct error *err) MUST_CHECK;

#endif
