#include "flow/parts.h"

#include "base/mem.h"

#include <stdlib.h>

/* A message that is not all there. */
struct group {
	uint64_t origin;	       /* its slot, which is nobody else's meanwhile */
	struct flow_message *messages; /* each with a copy of its own */
	struct parts_part *list;
	size_t count, message_capacity, list_capacity;
};

struct parts {
	struct group *groups;
	size_t count, capacity;
};

struct parts *parts_create(void)
{
	return mem_alloc(1, sizeof(struct parts));
}

static void release(struct group *group)
{
	for (size_t i = 0; i < group->count; i++)
		free((void *)(uintptr_t)group->messages[i].message);
	free(group->messages);
	free(group->list);
	*group = (struct group){0};
}

void parts_clear(struct parts *parts)
{
	while (parts->count > 0)
		release(&parts->groups[--parts->count]);
}

void parts_free(struct parts *parts)
{
	if (parts == NULL)
		return;
	parts_clear(parts);
	free(parts->groups);
	free(parts);
}

/* The newest is the likeliest. */
static struct group *find(struct parts *parts, uint64_t origin)
{
	for (size_t i = parts->count; i > 0; i--)
		if (parts->groups[i - 1].origin == origin)
			return &parts->groups[i - 1];
	parts->groups =
	    mem_grow(parts->groups, &parts->capacity, parts->count + 1, sizeof *parts->groups);
	parts->groups[parts->count] = (struct group){.origin = origin};
	return &parts->groups[parts->count++];
}

void parts_add(
    struct parts *parts, const struct flow *flow, uint64_t slot, const struct flow_message *m)
{
	struct group *group = find(parts, flow_origin(flow, slot));
	size_t count = group->count + 1;
	group->messages =
	    mem_grow(group->messages, &group->message_capacity, count, sizeof *group->messages);
	group->list = mem_grow(group->list, &group->list_capacity, count, sizeof *group->list);
	group->messages[group->count] = *m;
	group->messages[group->count].message = message_copy(m->message);
	group->list[group->count].slot = slot;
	group->count = count;
}

bool parts_are_open(const struct parts *parts)
{
	return parts->count > 0;
}

bool parts_hand_over(
    struct parts *parts, struct flow *flow, parts_fn *fn, void *ctx, struct error *err)
{
	size_t kept = 0;
	bool good = true;
	for (size_t i = 0; i < parts->count; i++) {
		struct group group = parts->groups[i];
		enum flow_fate worst;
		if (!good || !flow_is_whole(flow, group.origin, &worst)) {
			parts->groups[kept++] = group;
			continue;
		}
		for (size_t j = 0; j < group.count; j++)
			group.list[j].m = &group.messages[j];
		good = fn(ctx, flow, group.list, group.count, worst, err);
		release(&group);
	}
	parts->count = kept;
	return good;
}
