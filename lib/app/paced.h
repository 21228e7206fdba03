/* paced.h - the pace of a message's settings, with what the command line says instead. */
#ifndef APP_PACED_H
#define APP_PACED_H

#include "model/pace.h"

struct paced {
	bool has_amount, has_delay, has_rate;
	uint64_t amount, delay_ns;
	double rate;		/* per second */
	const json_t *schedule; /* or NULL; repeated */
	const char *arrivals;	/* or NULL */
};

/* spec: a value of `messages:`, or NULL. ERROR_USAGE when the two do not go together. */
bool paced_read(const json_t *spec, const struct paced *paced, struct pace_plan *out,
    struct error *err) MUST_CHECK;

#endif
