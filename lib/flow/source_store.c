#include "flow/source_store.h"

#include "base/fifo.h"
#include "base/mem.h"
#include "base/rng.h"

#include <stdlib.h>

#define OPEN_NS CHRONO_S /* so long one reading of the store may take */

/* An event that was offered, and those before it are not all confirmed. */
struct offered {
	uint64_t position;
	bool confirmed;
};

struct source_store {
	struct source_store_options options;
	struct pace pace;
	struct rng rng;
	bool begun, stopped, at_end;
	uint64_t start_ns;
	int64_t first_us; /* when the first event was received; 0: not known yet */
	uint64_t count;	  /* of events offered */

	/* reading */
	bool is_open, has_read, has_event; /* has_read: something, since it was opened */
	uint64_t opened_ns;
	struct select_event event; /* the next one, when has_event */
	uint64_t next;		   /* its position, or where to look for it */
	uint64_t due_ns;	   /* when the event at `next` is due; 0: not known */

	/* what became of them */
	struct fifo offered;  /* struct offered, by their positions */
	uint64_t first_token; /* of the front one */
	struct cursors_place place, saved;
	uint64_t saved_ns;
	uint64_t last_sent; /* position */
	struct source_store_failure failure;
	char *reason; /* of the failure */
};

struct source_store *source_store_create(const struct source_store_options *options)
{
	struct source_store *source = mem_alloc(1, sizeof *source);
	source->options = *options;
	source->place = source->saved = options->place;
	source->next = options->place.done + 1;
	source->offered.size = sizeof(struct offered);
	rng_seed(&source->rng, 0); /* a plain rate draws nothing */
	return source;
}

void source_store_free(struct source_store *source)
{
	if (source == NULL)
		return;
	fifo_release(&source->offered);
	free(source->reason);
	free(source);
}

/* ---- the cursor ---- */

static bool save(struct source_store *source, uint64_t now_ns, struct error *err)
{
	source->saved_ns = now_ns;
	source->saved = source->place;
	return cursors_save(source->options.cursor, &source->place, err);
}

/* What has arrived, a little later, so that not each confirm costs a commit. */
static bool save_done(
    struct source_store *source, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	uint64_t when = source->saved_ns + SOURCE_STORE_SAVE_NS;
	if (source->options.cursor == NULL || source->place.done == source->saved.done)
		return true;
	if (now_ns >= when)
		return save(source, now_ns, err);
	if (when < *wake_ns)
		*wake_ns = when;
	return true;
}

/* Before it is sent. */
static bool save_ahead(
    struct source_store *source, uint64_t position, uint64_t now_ns, struct error *err)
{
	uint64_t to = position + SOURCE_STORE_AHEAD - 1;
	if (source->options.cursor == NULL || position <= source->place.sent_to)
		return true;
	source->place.sent_to = to < source->options.last ? to : source->options.last;
	return save(source, now_ns, err);
}

bool source_store_finish(struct source_store *source, struct error *err)
{
	struct cursors_place *place = &source->place;
	place->sent_to = source->options.place.sent_to;
	if (place->sent_to < source->last_sent)
		place->sent_to = source->last_sent;
	if (place->sent_to < place->done)
		place->sent_to = place->done;
	bool is_saved =
	    place->done == source->saved.done && place->sent_to == source->saved.sent_to;
	return source->options.cursor == NULL || is_saved ||
	       cursors_save(source->options.cursor, place, err);
}

struct cursors_place source_store_place(const struct source_store *source)
{
	return source->place;
}

/* ---- pace ---- */

uint64_t source_store_due(uint64_t start_ns, int64_t later_us, double speed)
{
	double later_ns = (double)later_us * (double)CHRONO_US / speed;
	if (!(later_ns > 0))
		return start_ns;
	if (later_ns >= (double)(CHRONO_NEVER / 2))
		return CHRONO_NEVER;
	return chrono_after(start_ns, (uint64_t)later_ns);
}

/* Of the event at hand. */
static uint64_t find_due(struct source_store *source)
{
	const struct source_store_options *o = &source->options;
	if (o->speed > 0)
		return source_store_due(
		    source->start_ns, source->event.received_us - source->first_us, o->speed);
	return o->plan != NULL ? pace_due(&source->pace) : source->start_ns;
}

/* ---- reading ---- */

/* Lets go of what was read, when it is held for long; what is waited for is read once more. */
static bool refresh(struct source_store *source, uint64_t now_ns, struct error *err)
{
	if (source->is_open && now_ns < source->opened_ns + OPEN_NS)
		return true;
	source->is_open = true;
	source->has_read = source->has_event = false;
	source->opened_ns = now_ns;
	return source->options.reader.open(source->options.reader.ctx, source->next, err);
}

/* Sees to it that the next event is at hand, or at_end. */
static bool read_event(struct source_store *source, uint64_t now_ns, struct error *err)
{
	const struct source_store_options *o = &source->options;
	source->at_end = o->limit > 0 && source->count >= o->limit;
	if (source->at_end || source->has_event)
		return true;
	if (!refresh(source, now_ns, err))
		return false;
	struct select_event *event = &source->event;
	source->has_read = true;
	source->has_event = o->reader.next(o->reader.ctx, event, err);
	source->at_end = !source->has_event || event->position > o->last;
	if (source->at_end)
		return err->kind == ERROR_NONE;
	if (source->count == 0 && source->due_ns == 0)
		source->first_us = event->received_us;
	source->next = event->position;
	source->due_ns = find_due(source);
	return true;
}

static bool offer(
    struct source_store *source, struct flow *flow, uint64_t now_ns, struct error *err)
{
	const struct source_store_options *o = &source->options;
	const struct select_event *event = &source->event;
	bool again = o->cursor != NULL && event->position <= o->place.sent_to;
	const struct message *m;
	if (!save_ahead(source, event->position, now_ns, err) ||
	    !o->reader.message(o->reader.ctx, event, again, &m, err))
		return false;
	const struct offered item = {.position = event->position};
	const struct flow_message offered = {
	    .message = m, .due_ns = o->speed > 0 || o->plan != NULL ? source->due_ns : 0};
	fifo_push(&source->offered, &item);
	source->has_event = false;
	source->next++;
	if (o->plan != NULL)
		pace_take(&source->pace);
	flow_offer(flow, &offered, source->count++);
	return true;
}

/* ---- the turn ---- */

static void begin(struct source_store *source, uint64_t now_ns)
{
	source->begun = true;
	source->start_ns = source->saved_ns = now_ns;
	if (source->options.plan != NULL)
		pace_start(&source->pace, source->options.plan, &source->rng, now_ns);
}

/* The events that are due, as far as there is room. */
static bool offer_due(struct source_store *source, struct flow *flow, uint64_t now_ns,
    uint64_t *wake_ns, struct error *err)
{
	while (!source->stopped && !source->at_end && flow_room(flow) > 0) {
		if (source->due_ns <= now_ns && !read_event(source, now_ns, err))
			return false;
		if (source->at_end)
			break;
		if (source->due_ns > now_ns) {
			*wake_ns = source->due_ns < *wake_ns ? source->due_ns : *wake_ns;
			break;
		}
		if (!offer(source, flow, now_ns, err))
			return false;
	}
	return true;
}

static bool tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct source_store *source = self;
	if (!source->begun)
		begin(source, now_ns);
	if (!offer_due(source, flow, now_ns, wake_ns, err) ||
	    !save_done(source, now_ns, wake_ns, err))
		return false;
	if (!source->has_read || source->at_end)
		return true;
	if (!refresh(source, now_ns, err))
		return false;
	uint64_t let_go_ns = source->opened_ns + OPEN_NS;
	*wake_ns = source->has_read && let_go_ns < *wake_ns ? let_go_ns : *wake_ns;
	return true;
}

/* All that is confirmed up to the first that is not, is done. */
static void advance(struct source_store *source)
{
	const struct offered *front;
	while ((front = fifo_front(&source->offered)) != NULL && front->confirmed) {
		source->place.done = front->position;
		fifo_pop(&source->offered);
		source->first_token++;
	}
}

static void note_failure(
    struct source_store *source, uint64_t position, enum flow_fate fate, const char *reason)
{
	source->stopped = true;
	if (source->failure.position != 0 && source->failure.position < position)
		return;
	free(source->reason);
	source->reason = mem_strdup(reason);
	source->failure = (struct source_store_failure){position, fate, source->reason};
}

static void settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	struct source_store *source = self;
	struct offered *item =
	    (struct offered *)fifo_front(&source->offered) + (token - source->first_token);
	if (outcome->fate == FLOW_RELEASED) { /* it was not sent */
		source->stopped = true;
		return;
	}
	if (item->position > source->last_sent)
		source->last_sent = item->position;
	if (outcome->fate != FLOW_ACCEPTED) {
		note_failure(source, item->position, outcome->fate, outcome->reason);
		return;
	}
	item->confirmed = true;
	advance(source);
}

static void stop(void *self)
{
	((struct source_store *)self)->stopped = true;
}

static bool is_done(const void *self)
{
	const struct source_store *source = self;
	return source->stopped || source->at_end;
}

struct source_store_failure source_store_failure(const struct source_store *source)
{
	return source->failure;
}

struct flow_source source_store_source(struct source_store *source)
{
	static const struct flow_source_kind kind = {tick, settle, stop, is_done};
	return (struct flow_source){&kind, source};
}
