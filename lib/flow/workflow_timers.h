/* workflow_timers.h - when something is due, the earliest first: a binary heap. */
#ifndef FLOW_WORKFLOW_TIMERS_H
#define FLOW_WORKFLOW_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lies in what is due. `= {0}` is not set. */
struct workflow_timer {
	uint64_t due_ns;
	size_t place; /* in the heap, from 1; 0: not set */
};

/* `= {0}` is empty. */
struct workflow_timers {
	struct workflow_timer **items;
	size_t count, capacity;
};

/* Sets it, or sets it anew. It must live until it is cleared or has been taken. */
void workflow_timers_set(
    struct workflow_timers *timers, struct workflow_timer *timer, uint64_t due_ns);
void workflow_timers_clear(struct workflow_timers *timers, struct workflow_timer *timer);
/* The first that is due by now, which is cleared; NULL: none is. */
struct workflow_timer *workflow_timers_take(struct workflow_timers *timers, uint64_t now_ns);
/* When the first is due; CHRONO_NEVER: none is set. */
uint64_t workflow_timers_next(const struct workflow_timers *timers);
void workflow_timers_release(struct workflow_timers *timers);

#endif
