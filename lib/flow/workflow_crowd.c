#include "flow/workflow_crowd.h"

#include "base/mem.h"

#include <jansson.h>
#include <stdlib.h>

struct workflow_crowd {
	struct workflow_instance **items;
	size_t count, capacity;
	json_t *index; /* subjects and ids of messages, which no subject looks like, to places */
};

struct workflow_crowd *workflow_crowd_create(void)
{
	struct workflow_crowd *crowd = mem_alloc(1, sizeof *crowd);
	crowd->index = json_object();
	return crowd;
}

void workflow_crowd_free(struct workflow_crowd *crowd)
{
	if (crowd == NULL)
		return;
	for (size_t i = 0; i < crowd->count; i++)
		workflow_instance_free(crowd->items[i]);
	json_decref(crowd->index);
	free(crowd->items);
	free(crowd);
}

static void enter(struct workflow_crowd *crowd, const struct workflow_instance *i)
{
	json_t *place = json_integer((json_int_t)i->place);
	json_object_set_nocheck(crowd->index, i->subject, place);
	if (i->message_id[0] != '\0')
		json_object_set_nocheck(crowd->index, i->message_id, place);
	json_decref(place);
}

void workflow_crowd_add(struct workflow_crowd *crowd, struct workflow_instance *instance)
{
	crowd->items =
	    mem_grow(crowd->items, &crowd->capacity, crowd->count + 1, sizeof(*crowd->items));
	instance->place = crowd->count;
	crowd->items[crowd->count++] = instance;
	enter(crowd, instance);
}

void workflow_crowd_remove(struct workflow_crowd *crowd, struct workflow_instance *instance)
{
	struct workflow_instance *last = crowd->items[--crowd->count];
	json_object_del(crowd->index, instance->subject);
	if (instance->message_id[0] != '\0')
		json_object_del(crowd->index, instance->message_id);
	if (last != instance) {
		last->place = instance->place;
		crowd->items[last->place] = last;
		enter(crowd, last);
	}
	workflow_instance_free(instance);
}

void workflow_crowd_move(
    struct workflow_crowd *crowd, const struct workflow_instance *instance, const char *before)
{
	if (strcmp(before, instance->message_id) == 0)
		return;
	if (before[0] != '\0')
		json_object_del(crowd->index, before);
	enter(crowd, instance);
}

struct workflow_instance *workflow_crowd_find(
    const struct workflow_crowd *crowd, struct slice subject_or_message_id)
{
	struct slice key = subject_or_message_id;
	const json_t *place = key.len > 0 ? json_object_getn(crowd->index, key.ptr, key.len) : NULL;
	return place != NULL ? crowd->items[json_integer_value(place)] : NULL;
}

size_t workflow_crowd_count(const struct workflow_crowd *crowd)
{
	return crowd->count;
}

struct workflow_instance *workflow_crowd_next(const struct workflow_crowd *crowd, size_t *next)
{
	return *next < crowd->count ? crowd->items[(*next)++] : NULL;
}
