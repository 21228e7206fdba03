#include "flow/workflow_timers.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <stdlib.h>

static void put(struct workflow_timers *t, struct workflow_timer *timer, size_t place)
{
	t->items[place - 1] = timer;
	timer->place = place;
}

static struct workflow_timer *at(const struct workflow_timers *t, size_t place)
{
	return t->items[place - 1];
}

static void rise(struct workflow_timers *t, struct workflow_timer *timer)
{
	size_t place = timer->place;
	for (; place > 1 && at(t, place / 2)->due_ns > timer->due_ns; place /= 2)
		put(t, at(t, place / 2), place);
	put(t, timer, place);
}

static void sink(struct workflow_timers *t, struct workflow_timer *timer)
{
	size_t place = timer->place;
	for (size_t child; (child = 2 * place) <= t->count; place = child) {
		if (child < t->count && at(t, child + 1)->due_ns < at(t, child)->due_ns)
			child++;
		if (at(t, child)->due_ns >= timer->due_ns)
			break;
		put(t, at(t, child), place);
	}
	put(t, timer, place);
}

void workflow_timers_set(
    struct workflow_timers *timers, struct workflow_timer *timer, uint64_t due_ns)
{
	timer->due_ns = due_ns;
	if (timer->place == 0) {
		timers->items = mem_grow(
		    timers->items, &timers->capacity, timers->count + 1, sizeof *timers->items);
		put(timers, timer, ++timers->count);
	}
	rise(timers, timer);
	sink(timers, timer);
}

void workflow_timers_clear(struct workflow_timers *timers, struct workflow_timer *timer)
{
	size_t place = timer->place;
	if (place == 0)
		return;
	struct workflow_timer *last = at(timers, timers->count--);
	timer->place = 0;
	if (last == timer)
		return;
	put(timers, last, place);
	rise(timers, last);
	sink(timers, last);
}

struct workflow_timer *workflow_timers_take(struct workflow_timers *timers, uint64_t now_ns)
{
	struct workflow_timer *first = timers->count > 0 ? at(timers, 1) : NULL;
	if (first == NULL || first->due_ns > now_ns)
		return NULL;
	workflow_timers_clear(timers, first);
	return first;
}

uint64_t workflow_timers_next(const struct workflow_timers *timers)
{
	return timers->count > 0 ? at(timers, 1)->due_ns : CHRONO_NEVER;
}

void workflow_timers_release(struct workflow_timers *timers)
{
	free(timers->items);
	*timers = (struct workflow_timers){0};
}
