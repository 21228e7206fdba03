/* mutate.h - a good session whose bytes are damaged on their way to the tool, by a seed. */
#ifndef FAULTS_MUTATE_H
#define FAULTS_MUTATE_H

#include "peer.h"

#include "base/rng.h"

struct mutate {
	struct rng rng;
	uint64_t frame;	 /* counts those sent */
	uint64_t target; /* this one is damaged next */
	unsigned left;	 /* so many damages */
};

/* Makes a session of it: m must live as long. */
void mutate_session(struct mutate *m, struct peer *p, uint64_t seed);

#endif
