/*
 * gather.h - how long a connection may put off its next read. Arithmetic only.
 *
 * Under load a broker says little at a time, but often, and each time costs three system calls and
 * a switch to us and back, on cores that it needs itself. To read later costs nobody anything then:
 * what waits stands in line with many others anyway. A message that comes alone is read at once.
 */
#ifndef BROKER_GATHER_H
#define BROKER_GATHER_H

#include <stdbool.h>
#include <stdint.h>

/* What one read has shown of a channel. */
struct gather_load {
	uint64_t came;	   /* messages that came to us, or to their end, since the read before */
	uint64_t ahead;	   /* messages that the broker can go on with while we wait */
	uint64_t span_ns;  /* since the read before */
	uint64_t slept_ns; /* of it, how long we had nothing to do */
	uint64_t most_ns;  /* to wait: what the user of the channel allows */
	/* Nobody waits for a message: a read is put off as soon as there will be several to find.
	 */
	bool is_unhurried;
};

/* 0: read on at once. At most the time in which the broker, at the pace of the span, does a quarter
 * of what it has ahead. */
uint64_t gather_hold_ns(const struct gather_load *load);

#endif
