/* The instances that are under way in the store, taken up where they were. */
#include "flow/sink_workflow.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "flow/sink_workflow_private.h"
#include "store/select.h"

#include <stdlib.h>

/* A reply may lie in its queue since before we came: it is seen before the time is over. */
#define GRACE_NS (5 * CHRONO_S)

static struct workflow_logic *find_logic(const struct sink_workflow *sink, struct slice name)
{
	for (size_t i = 0; i < sink->options.logic_count; i++) {
		struct workflow_logic *logic = sink->options.logics[i];
		if (slice_is(name, workflow_logic_workflow(logic)->name))
			return logic;
	}
	return NULL;
}

static bool is_end(struct slice type)
{
	return slice_is(type, WORKFLOW_INSTANCE_TYPES "completed") ||
	       slice_is(type, WORKFLOW_INSTANCE_TYPES "aborted");
}

/* One that has ended may have had other steps than there are now. */
static void apply(
    struct sink_workflow *sink, struct workflow_instance *i, const struct select_event *event)
{
	char before[WORKFLOW_INSTANCE_UUID_CHARS + 1];
	struct error why = {0};
	memcpy(before, i->message_id, sizeof before);
	if (i->obstacle == NULL && !workflow_instance_replay(i, event->type, event->body, &why)) {
		error_context(&why, "position %llu", (unsigned long long)event->position);
		i->obstacle = mem_alloc(1, sizeof *i->obstacle);
		*i->obstacle = why;
	}
	i->latest_us = event->received_us;
	workflow_crowd_move(sink->crowd, i, before);
	if (workflow_has_ended(&i->state) || (i->obstacle != NULL && is_end(event->type)))
		workflow_crowd_remove(sink->crowd, i);
}

static bool check_obstacles(const struct sink_workflow *sink, struct error *err)
{
	const struct workflow_instance *i;
	size_t next = 0;
	while ((i = workflow_crowd_next(sink->crowd, &next)) != NULL)
		if (i->obstacle != NULL)
			return error_set(err, i->obstacle->kind, "%s", i->obstacle->text);
	return true;
}

static void replay(struct sink_workflow *sink, const struct select_event *event)
{
	struct slice name, id;
	struct workflow_logic *logic;
	if (!workflow_instance_parse(event->subject, &name, &id) ||
	    (logic = find_logic(sink, name)) == NULL)
		return; /* somebody else's */
	struct workflow_instance *i = workflow_crowd_find(sink->crowd, event->subject);
	if (i == NULL) {
		i = workflow_instance_create(logic, id);
		workflow_crowd_add(sink->crowd, i);
	}
	apply(sink, i, event);
}

static bool read_store(struct sink_workflow *sink, struct error *err)
{
	char *types[WORKFLOW_HAPPENINGS];
	struct select_filter filter = {
	    .types = (const char *const *)types, .type_count = WORKFLOW_HAPPENINGS};
	struct select_event event;
	for (size_t i = 0; i < WORKFLOW_HAPPENINGS; i++)
		types[i] = mem_printf(WORKFLOW_INSTANCE_TYPES "%s",
		    workflow_happening_name((enum workflow_happening)i));
	struct select *select = select_open(sink->options.store, &filter, err);
	bool good = select != NULL;
	while (good && select_next(select, &event, err))
		replay(sink, &event);
	select_close(select);
	for (size_t i = 0; i < WORKFLOW_HAPPENINGS; i++)
		free(types[i]);
	return good && err->kind == ERROR_NONE;
}

/* When the answer should be here: by the clock of those days, but not before what waits for us
 * could be seen; and not later than if it were asked for now. */
static uint64_t due_ns(const struct workflow_instance *i)
{
	uint64_t wait_ns = sink_workflow_wait_ns(i);
	int64_t passed_us = (int64_t)(chrono_wall_ns() / CHRONO_US) - i->latest_us;
	uint64_t passed_ns = passed_us > 0 ? (uint64_t)passed_us * CHRONO_US : 0;
	uint64_t rest_ns = passed_ns < wait_ns ? wait_ns - passed_ns : 0;
	uint64_t least_ns = wait_ns < GRACE_NS ? wait_ns : GRACE_NS;
	return chrono_after(chrono_now_ns(), rest_ns > least_ns ? rest_ns : least_ns);
}

bool sink_workflow_resume(struct sink_workflow *sink, struct error *err)
{
	struct workflow_instance *i;
	size_t next = 0;
	if (!read_store(sink, err) || !check_obstacles(sink, err))
		return false;
	sink->counts.resumed = workflow_crowd_count(sink->crowd);
	while ((i = workflow_crowd_next(sink->crowd, &next)) != NULL) {
		struct sink_workflow_news news = {
		    .input = {.kind = WORKFLOW_IN_RESUME}, .slot = SINK_WORKFLOW_NOBODY};
		if (!sink_workflow_take(sink, i, &news))
			sink_workflow_send(sink, i, SINK_WORKFLOW_NOBODY, due_ns(i));
	}
	return true;
}
