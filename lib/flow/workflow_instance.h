/*
 * workflow_instance.h - one instance of a workflow in memory: its state, and what it has been told.
 *
 * It is made by its events alone (docs/workflows.md lists them): who runs it makes an event, stores
 * it, and applies it; who comes back applies the stored ones, by the same code, and has the same
 * instance. Its messages have ids of their own, the same whenever they are made.
 */
#ifndef FLOW_WORKFLOW_INSTANCE_H
#define FLOW_WORKFLOW_INSTANCE_H

#include "flow/workflow_logic.h"
#include "flow/workflow_timers.h"
#include "model/message.h"

#define WORKFLOW_INSTANCE_TYPES "warren.workflow." /* before a happening: the type of an event */
#define WORKFLOW_INSTANCE_SUBJECTS "workflow/"	   /* before workflow, a slash, and id */
#define WORKFLOW_INSTANCE_UUID_CHARS 36

struct workflow_instance {
	struct workflow_timer timer; /* first; for the answer to what was sent last */
	struct workflow_logic *logic;
	const struct workflow *workflow;
	char *id, *subject;
	struct workflow_state state;
	uint64_t version;  /* events so far */
	int64_t latest_us; /* when the last one was recorded, since 1970 */
	struct datum input, replies, failure;
	struct datum body; /* of the message that is due; no value: it is still to be made */
	/* Texts, or NULL. */
	char *root;	   /* id of the message that started it */
	char *correlation; /* of that message, or its id */
	char *traceparent, *tracestate;
	char *cause; /* id of the message that came last */
	/* Of the message that is due; empty: none is. */
	char message_id[WORKFLOW_INSTANCE_UUID_CHARS + 1];
	struct error *obstacle; /* why its events cannot be understood; NULL: they can */
	size_t place;		/* in the crowd */
	size_t mark;		/* the sink's: what of the batch is the last about it */
};

struct workflow_instance *workflow_instance_create(struct workflow_logic *logic, struct slice id);
void workflow_instance_free(struct workflow_instance *i); /* accepts NULL */

/* ---- events ---- */

/* The data of an event, but for what only the caller knows. */
struct datum workflow_instance_data(
    const struct workflow_instance *i, const struct workflow_event *event);
/* What the message that starts it is to leave in the data. */
void workflow_instance_add_start(struct datum *data, const struct message *m, struct datum input);

/* Takes the data. False, and nothing done, when the event cannot follow. */
bool workflow_instance_apply(
    struct workflow_instance *i, const struct workflow_event *event, struct datum data);
/* The same for one that was stored, of this type. ERROR_DATA: it cannot follow, or is damaged;
 * ERROR_SETTINGS: the workflow has no such step any more. */
bool workflow_instance_replay(struct workflow_instance *i, struct slice type, struct slice data,
    struct error *err) MUST_CHECK;

/* The event as a message, as of the version that the instance is to have with it. Its bytes live in
 * *store, cleared first, in the instance and in the data. */
void workflow_instance_event(const struct workflow_instance *i, const struct workflow_event *event,
    struct slice data, int64_t wall_ms, struct buf *store, struct message *out);

/* "workflow/order/17": its parts. */
bool workflow_instance_parse(struct slice subject, struct slice *workflow, struct slice *id);

/* ---- what it sends ---- */

/* Makes the body of a letter of its workflow out of what it has been told so far, whether or not
 * that is due; *out is the caller's to free. ERROR_DATA: as workflow_logic_body. */
bool workflow_instance_make_body(struct workflow_instance *i, const struct workflow_letter *letter,
    struct datum *out, struct error *err) MUST_CHECK;
/* The message that is due, which has to be one. False: its body cannot be made (ERROR_DATA). Bytes
 * live in *store, cleared first, and in the instance. */
bool workflow_instance_message(struct workflow_instance *i, struct buf *store, struct message *out,
    struct error *err) MUST_CHECK;

#endif
