#include "model/workflow.h"

#include "base/mem.h"

#include <assert.h>

/* ---- names ---- */

static const char *const happenings[] = {"started", "requested", "replied", "failed",
    "compensating", "compensated", "completed", "aborted"};
static const char *const reasons[] = {"refused", "timed out", "not sent"};

static bool find(const char *const *names, size_t count, struct slice name, size_t *out)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(name, names[i])) {
			*out = i;
			return true;
		}
	return false;
}

const char *workflow_happening_name(enum workflow_happening what)
{
	return happenings[what];
}

const char *workflow_reason_name(enum workflow_reason reason)
{
	return reasons[reason];
}

bool workflow_happening_find(struct slice name, enum workflow_happening *out)
{
	size_t i;
	if (!find(happenings, ARRAY_LEN(happenings), name, &i))
		return false;
	*out = (enum workflow_happening)i;
	return true;
}

bool workflow_reason_find(struct slice name, enum workflow_reason *out)
{
	size_t i;
	if (!find(reasons, ARRAY_LEN(reasons), name, &i))
		return false;
	*out = (enum workflow_reason)i;
	return true;
}

/* ---- the state ---- */

/* The last step that has to be undone; step_count: there is none. */
static size_t last_to_undo(const struct workflow *w, const struct workflow_state *s)
{
	for (size_t i = w->step_count; i > 0; i--) {
		enum workflow_fate fate = (enum workflow_fate)s->fates[i - 1];
		if (w->steps[i - 1].has_compensation &&
		    (fate == WORKFLOW_STEP_DONE || fate == WORKFLOW_STEP_UNKNOWN))
			return i - 1;
	}
	return w->step_count;
}

static void open_step(struct workflow_state *s, size_t step)
{
	s->at = step;
	s->attempt = 0;
}

static bool is_open(const struct workflow *w, const struct workflow_state *s,
    enum workflow_phase phase, size_t step)
{
	return s->phase == phase && s->at == step && step < w->step_count;
}

static bool apply_failed(
    const struct workflow *w, struct workflow_state *s, const struct workflow_event *e)
{
	static const unsigned char fates[] = {[WORKFLOW_REFUSED] = WORKFLOW_STEP_VOID,
	    [WORKFLOW_TIMED_OUT] = WORKFLOW_STEP_UNKNOWN,
	    [WORKFLOW_UNSENT] = WORKFLOW_STEP_VOID};
	if (!is_open(w, s, WORKFLOW_FORWARD, e->step) || e->reason >= WORKFLOW_REASONS ||
	    (e->reason == WORKFLOW_UNSENT) != (s->attempt == 0))
		return false;
	s->fates[e->step] = fates[e->reason];
	s->phase = WORKFLOW_BACKWARD;
	open_step(s, last_to_undo(w, s));
	return true;
}

static bool apply_sending(const struct workflow *w, struct workflow_state *s,
    const struct workflow_event *e, enum workflow_phase phase)
{
	if (!is_open(w, s, phase, e->step) || e->attempt != s->attempt + 1)
		return false;
	s->attempt = e->attempt;
	return true;
}

/* Its message has its answer. */
static bool apply_answer(const struct workflow *w, struct workflow_state *s,
    const struct workflow_event *e, enum workflow_phase phase)
{
	if (!is_open(w, s, phase, e->step) || s->attempt == 0)
		return false;
	bool forward = phase == WORKFLOW_FORWARD;
	s->fates[e->step] = forward ? WORKFLOW_STEP_DONE : WORKFLOW_STEP_UNDONE;
	open_step(s, forward ? e->step + 1 : last_to_undo(w, s));
	return true;
}

static bool apply_end(const struct workflow *w, struct workflow_state *s, enum workflow_phase from,
    enum workflow_phase to)
{
	if (s->phase != from || s->at != w->step_count)
		return false;
	s->phase = to;
	return true;
}

bool workflow_apply(
    const struct workflow *w, struct workflow_state *state, const struct workflow_event *event)
{
	assert(w->step_count <= WORKFLOW_MAX_STEPS);
	switch (event->what) {
	case WORKFLOW_STARTED:
		if (state->phase != WORKFLOW_NOTHING)
			return false;
		*state = (struct workflow_state){.phase = WORKFLOW_FORWARD};
		return true;
	case WORKFLOW_REQUESTED:
		return apply_sending(w, state, event, WORKFLOW_FORWARD);
	case WORKFLOW_REPLIED:
		return apply_answer(w, state, event, WORKFLOW_FORWARD);
	case WORKFLOW_FAILED:
		return apply_failed(w, state, event);
	case WORKFLOW_COMPENSATING:
		return apply_sending(w, state, event, WORKFLOW_BACKWARD);
	case WORKFLOW_COMPENSATED:
		return apply_answer(w, state, event, WORKFLOW_BACKWARD);
	case WORKFLOW_COMPLETED:
		return apply_end(w, state, WORKFLOW_FORWARD, WORKFLOW_DONE);
	case WORKFLOW_ABORTED:
		return apply_end(w, state, WORKFLOW_BACKWARD, WORKFLOW_UNDONE);
	case WORKFLOW_HAPPENINGS:
		break;
	}
	return false;
}

bool workflow_has_ended(const struct workflow_state *state)
{
	return state->phase == WORKFLOW_DONE || state->phase == WORKFLOW_UNDONE;
}

enum workflow_act workflow_due(const struct workflow *w, const struct workflow_state *state)
{
	bool forward = state->phase == WORKFLOW_FORWARD;
	if (!forward && state->phase != WORKFLOW_BACKWARD)
		return WORKFLOW_IDLE;
	if (state->at == w->step_count)
		return WORKFLOW_ANNOUNCE;
	return forward ? WORKFLOW_REQUEST : WORKFLOW_COMPENSATE;
}

const struct workflow_letter *workflow_letter_due(
    const struct workflow *w, const struct workflow_state *state)
{
	switch (workflow_due(w, state)) {
	case WORKFLOW_REQUEST:
		return &w->steps[state->at].request;
	case WORKFLOW_COMPENSATE:
		return &w->steps[state->at].compensation;
	case WORKFLOW_ANNOUNCE:
		return state->phase == WORKFLOW_FORWARD ? &w->completed : &w->failed;
	case WORKFLOW_IDLE:
		break;
	}
	return NULL;
}

/* ---- what follows ---- */

struct decision {
	const struct workflow *w;
	struct workflow_state state; /* after the events so far */
	struct workflow_event *events;
	size_t count;
};

static void add(struct decision *d, struct workflow_event event)
{
	bool fits = workflow_apply(d->w, &d->state, &event);
	assert(fits && d->count < WORKFLOW_MAX_EVENTS);
	(void)fits;
	d->events[d->count++] = event;
}

static void add_end(struct decision *d)
{
	bool forward = d->state.phase == WORKFLOW_FORWARD;
	add(d, (struct workflow_event){.what = forward ? WORKFLOW_COMPLETED : WORKFLOW_ABORTED});
}

/* What the state itself asks for: the next message, or the end when there is none to send. */
static void go_on(struct decision *d)
{
	bool forward = d->state.phase == WORKFLOW_FORWARD;
	enum workflow_act act = workflow_due(d->w, &d->state);
	if (act == WORKFLOW_ANNOUNCE && !(forward ? d->w->has_completed : d->w->has_failed))
		add_end(d);
	else if ((act == WORKFLOW_REQUEST || act == WORKFLOW_COMPENSATE) && d->state.attempt == 0)
		add(d, (struct workflow_event){
			   .what = forward ? WORKFLOW_REQUESTED : WORKFLOW_COMPENSATING,
			   .step = d->state.at,
			   .attempt = 1});
}

static void fail(struct decision *d, enum workflow_reason reason)
{
	add(d, (struct workflow_event){
		   .what = WORKFLOW_FAILED, .step = d->state.at, .reason = reason});
	go_on(d);
}

static void answer(struct decision *d)
{
	bool forward = d->state.phase == WORKFLOW_FORWARD;
	add(d, (struct workflow_event){
		   .what = forward ? WORKFLOW_REPLIED : WORKFLOW_COMPENSATED, .step = d->state.at});
	go_on(d);
}

static void time_out(struct decision *d, enum workflow_act act)
{
	const struct workflow_state *s = &d->state;
	if (act == WORKFLOW_REQUEST && s->attempt > d->w->steps[s->at].retries)
		fail(d, WORKFLOW_TIMED_OUT);
	else if (act != WORKFLOW_ANNOUNCE)
		add(d,
		    (struct workflow_event){.what = act == WORKFLOW_REQUEST ? WORKFLOW_REQUESTED
									    : WORKFLOW_COMPENSATING,
			.step = s->at,
			.attempt = s->attempt + 1});
}

/* Of the message that the instance waits for. */
static void take_answer(
    struct decision *d, const struct workflow_input *input, enum workflow_act act)
{
	const struct workflow_letter *letter = workflow_letter_due(d->w, &d->state);
	switch (input->kind) {
	case WORKFLOW_IN_GOOD:
		if (letter->has_reply)
			answer(d);
		break;
	case WORKFLOW_IN_BAD: /* a compensation is asked for until it is done */
		if (act == WORKFLOW_REQUEST)
			fail(d, WORKFLOW_REFUSED);
		break;
	case WORKFLOW_IN_SENT:
		if (act == WORKFLOW_ANNOUNCE)
			add_end(d);
		else if (!letter->has_reply)
			answer(d);
		break;
	case WORKFLOW_IN_TIMEOUT:
		time_out(d, act);
		break;
	case WORKFLOW_IN_START:
	case WORKFLOW_IN_RESUME:
	case WORKFLOW_IN_UNSENT:
		break;
	}
}

size_t workflow_decide(const struct workflow *w, const struct workflow_state *state,
    const struct workflow_input *input, struct workflow_event events[WORKFLOW_MAX_EVENTS])
{
	struct decision d = {.w = w, .state = *state, .events = events};
	enum workflow_act act = workflow_due(w, state);
	bool is_sent = state->attempt > 0 || act == WORKFLOW_ANNOUNCE;
	switch (input->kind) {
	case WORKFLOW_IN_START:
		if (state->phase != WORKFLOW_NOTHING)
			break;
		add(&d, (struct workflow_event){.what = WORKFLOW_STARTED});
		go_on(&d);
		break;
	case WORKFLOW_IN_RESUME:
		go_on(&d);
		break;
	case WORKFLOW_IN_UNSENT:
		if (act == WORKFLOW_REQUEST && !is_sent)
			fail(&d, WORKFLOW_UNSENT);
		break;
	default:
		if (act != WORKFLOW_IDLE && act == input->act && is_sent &&
		    (act == WORKFLOW_ANNOUNCE || input->step == state->at))
			take_answer(&d, input, act);
		break;
	}
	return d.count;
}
