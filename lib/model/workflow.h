/*
 * workflow.h - an orchestrated workflow (a saga): its steps, and what follows on what happens.
 *
 * An instance of it is known by its events alone: workflow_apply folds them into a state, and
 * workflow_decide says which events follow when something comes in. No clock, no descriptors; who
 * calls it stores the events, sends what workflow_due says, and tells when its time is over.
 *
 * What holds for every order in which replies, doubles and timeouts come:
 *  - a step begins when the one before it has a good reply, and its reply counts once;
 *  - when a step fails, the steps before it that were done are compensated, the last one first,
 *    each confirmed before the next begins, and none of them twice;
 *  - a step whose request was sent and never answered may have happened: it is compensated as well,
 *    before the others. One that was refused has not happened, and is not;
 *  - an instance ends completed or aborted, and nothing follows on that.
 */
#ifndef MODEL_WORKFLOW_H
#define MODEL_WORKFLOW_H

#include "model/reader.h"
#include "model/topology.h"

#define WORKFLOW_MAX_STEPS 64
#define WORKFLOW_MAX_EVENTS 4 /* that follow on one input */

/* Something that is sent. Texts are borrowed from the settings. */
struct workflow_letter {
	const char *exchange, *routing_key; /* "": the default exchange */
	const char *type;   /* CloudEvents' type; NULL: it is named after workflow and step */
	const char *body;   /* jq; NULL: the body of the message that started the instance */
	const char *failed; /* jq on the reply; NULL: only an error is a failure */
	uint64_t timeout_ns;
	bool has_reply;
};

struct workflow_step {
	const char *name;
	struct workflow_letter request;
	uint64_t retries; /* times that the request is sent again */
	bool has_compensation;
	struct workflow_letter compensation;
};

struct workflow {
	const char *name;
	const char *start;   /* queue */
	const char *id;	     /* jq on the body; NULL: the message's id */
	const char *replies; /* queue */
	struct workflow_step *steps;
	size_t step_count;
	bool has_completed, has_failed;
	struct workflow_letter completed, failed;
};

/* ---- the settings ---- */

struct workflow_list {
	struct workflow *items;
	size_t count;
};

/* Reads the section `workflows` (NULL: none), which must outlive it. False when something was
 * reported: a queue or exchange that is not in the topology, a name twice, ... */
bool workflow_read(const json_t *section, const struct topology *topology,
    struct workflow_list *out, reader_report_fn *report, void *ctx);
void workflow_release(struct workflow_list *w);
/* NULL when there is none of that name. */
const struct workflow *workflow_find(const struct workflow_list *w, struct slice name);

/* ---- what happens to an instance ---- */

enum workflow_happening {
	WORKFLOW_STARTED,
	WORKFLOW_REQUESTED, /* a step's request is to be sent, for the attempt-th time */
	WORKFLOW_REPLIED,   /* the step is done */
	WORKFLOW_FAILED,    /* the step has failed, and so the instance has */
	WORKFLOW_COMPENSATING,
	WORKFLOW_COMPENSATED,
	WORKFLOW_COMPLETED,
	WORKFLOW_ABORTED,
	WORKFLOW_HAPPENINGS,
};

enum workflow_reason {
	WORKFLOW_REFUSED,   /* its reply says so: it has not happened */
	WORKFLOW_TIMED_OUT, /* no reply: it may have happened */
	WORKFLOW_UNSENT,    /* its request cannot be made: it has not happened */
	WORKFLOW_REASONS,
};

struct workflow_event {
	enum workflow_happening what;
	size_t step;		     /* not of the first and the last two */
	uint64_t attempt;	     /* of WORKFLOW_REQUESTED and WORKFLOW_COMPENSATING, from 1 */
	enum workflow_reason reason; /* of WORKFLOW_FAILED */
};

/* "started", "timed out", ... */
const char *workflow_happening_name(enum workflow_happening what);
const char *workflow_reason_name(enum workflow_reason reason);
/* The other way round; false, *out untouched, for a name that is none. */
bool workflow_happening_find(struct slice name, enum workflow_happening *out);
bool workflow_reason_find(struct slice name, enum workflow_reason *out);

/* ---- the state ---- */

enum workflow_phase {
	WORKFLOW_NOTHING, /* before the first event */
	WORKFLOW_FORWARD,
	WORKFLOW_BACKWARD,
	WORKFLOW_DONE,
	WORKFLOW_UNDONE,
};

enum workflow_fate { /* of a step */
	WORKFLOW_STEP_AHEAD,
	WORKFLOW_STEP_DONE,
	WORKFLOW_STEP_VOID, /* it has not happened */
	WORKFLOW_STEP_UNKNOWN,
	WORKFLOW_STEP_UNDONE,
};

/* `= {0}` is before the first event. */
struct workflow_state {
	enum workflow_phase phase;
	size_t at;	  /* the step that is open; step_count: there is none (any more) */
	uint64_t attempt; /* how often its message was to be sent; 0: not yet */
	unsigned char fates[WORKFLOW_MAX_STEPS]; /* enum workflow_fate */
};

/* False, the state as it was, when the event cannot follow on this state. */
bool workflow_apply(
    const struct workflow *w, struct workflow_state *state, const struct workflow_event *event);

/* Completed or aborted. */
bool workflow_has_ended(const struct workflow_state *state);

/* What an instance waits for: the message that was sent last and has no answer yet, which is sent
 * again, the same, by who cannot know whether it went. */
enum workflow_act {
	WORKFLOW_IDLE,	     /* nothing: it has not begun, or has ended */
	WORKFLOW_REQUEST,    /* of step `at` */
	WORKFLOW_COMPENSATE, /* of step `at` */
	WORKFLOW_ANNOUNCE,   /* the event at the end, completed or failed */
};
enum workflow_act workflow_due(const struct workflow *w, const struct workflow_state *state);
/* What it sends; NULL for WORKFLOW_IDLE. */
const struct workflow_letter *workflow_letter_due(
    const struct workflow *w, const struct workflow_state *state);

/* ---- what comes in ---- */

enum workflow_input_kind {
	WORKFLOW_IN_START,
	WORKFLOW_IN_RESUME,  /* nothing happened, but who wrote the events may have ended early */
	WORKFLOW_IN_GOOD,    /* a good reply, */
	WORKFLOW_IN_BAD,     /* or one that says it failed */
	WORKFLOW_IN_SENT,    /* the broker has confirmed the message */
	WORKFLOW_IN_TIMEOUT, /* the time for the reply is over */
	WORKFLOW_IN_UNSENT,  /* the request that would come next cannot be made */
};

struct workflow_input {
	enum workflow_input_kind kind;
	/* What the reply, confirm or timeout belongs to. */
	enum workflow_act act;
	size_t step;
};

/* The events that follow, how many; 0: the input changes nothing, as it comes twice or late. */
size_t workflow_decide(const struct workflow *w, const struct workflow_state *state,
    const struct workflow_input *input, struct workflow_event events[WORKFLOW_MAX_EVENTS]);

#endif
