#include "model/mix.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

size_t mix_add(struct mix *m, const struct pace_plan *plan, struct rng *rng, uint64_t now_ns)
{
	m->members = mem_grow(m->members, &m->capacity, m->count + 1, sizeof *m->members);
	pace_start(&m->members[m->count].pace, plan, rng, now_ns);
	return m->count++;
}

static bool is_paced(const struct mix_member *member)
{
	return pace_plan_is_paced(member->pace.plan);
}

static bool is_sharing(const struct mix_member *member)
{
	return !is_paced(member) && !pace_done(&member->pace);
}

static size_t earliest_paced(const struct mix *m, uint64_t *due_ns)
{
	size_t earliest = MIX_NONE;
	*due_ns = CHRONO_NEVER;
	for (size_t i = 0; i < m->count; i++) {
		uint64_t due = pace_due(&m->members[i].pace);
		if (!is_paced(&m->members[i]) || due >= *due_ns)
			continue;
		earliest = i;
		*due_ns = due;
	}
	return earliest;
}

/* Of the unpaced ones the one that will be owed most once each has earned its weight. */
static size_t most_owed(const struct mix *m)
{
	size_t most = MIX_NONE;
	double best = 0;
	for (size_t i = 0; i < m->count; i++) {
		const struct mix_member *member = &m->members[i];
		double owed = member->credit + member->pace.plan->weight;
		if (!is_sharing(member) || (most != MIX_NONE && owed <= best))
			continue;
		most = i;
		best = owed;
	}
	return most;
}

/* The only pattern there is: nothing to compare. */
static size_t next_of_one(const struct mix *m, uint64_t now_ns, uint64_t *due_ns)
{
	const struct mix_member *member = &m->members[0];
	*due_ns = pace_due(&member->pace);
	if (pace_done(&member->pace))
		return MIX_NONE;
	if (!is_paced(member))
		*due_ns = now_ns;
	return *due_ns <= now_ns ? 0 : MIX_NONE;
}

size_t mix_next(const struct mix *m, uint64_t now_ns, uint64_t *due_ns)
{
	if (m->count == 1)
		return next_of_one(m, now_ns, due_ns);
	size_t paced = earliest_paced(m, due_ns);
	if (paced != MIX_NONE && *due_ns <= now_ns)
		return paced;
	size_t unpaced = most_owed(m);
	if (unpaced != MIX_NONE)
		*due_ns = now_ns;
	return unpaced;
}

void mix_take(struct mix *m, size_t index)
{
	assert(index < m->count);
	struct mix_member *taken = &m->members[index];
	if (m->count > 1 && is_sharing(taken)) {
		double earned = 0;
		for (size_t i = 0; i < m->count; i++) {
			if (!is_sharing(&m->members[i]))
				continue;
			m->members[i].credit += m->members[i].pace.plan->weight;
			earned += m->members[i].pace.plan->weight;
		}
		taken->credit -= earned;
	}
	pace_take(&taken->pace);
}

bool mix_done(const struct mix *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (!pace_done(&m->members[i].pace))
			return false;
	return true;
}

void mix_release(struct mix *m)
{
	free(m->members);
	*m = (struct mix){0};
}
