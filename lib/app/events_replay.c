#include "app/events_private.h"

#include "app/events_replay_cursor.h"
#include "app/events_replay_message.h"
#include "app/paced.h"
#include "app/progress.h"
#include "app/watch.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "broker/provision.h"
#include "flow/sink_exchange.h"
#include "flow/source_store.h"

#include <inttypes.h>
#include <stdlib.h>

#define CURSOR_PATIENCE_NS (5 * CHRONO_S)
#define DRAIN_NS (30 * CHRONO_S) /* for the last confirms */

struct replay {
	struct tool *tool;
	const struct events_options *options;
	struct store *store, *writing; /* writing: the cursor; NULL without one */
	uint64_t last;		       /* position: what is recorded from now on is not replayed */
	struct events_replay_message message;
	char *what;		/* the cursor is for; NULL: there is none */
	struct cursors *cursor; /* once it is taken */
	struct cursors_place place;
	double speed; /* 0: max */
	struct pace_plan plan;
	struct source_store *source;
	struct flow_counts counts;
	uint64_t resent, tried, elapsed_ns; /* tried: masks made while looking through */
	bool has_run;
};

/* ---- the options ---- */

static bool read_speed(struct replay *r, struct error *err)
{
	const char *text = r->options->speed;
	struct error why = {0};
	if (text == NULL || strcmp(text, "max") == 0)
		return true;
	if (r->options->has_rate)
		return error_set(err, ERROR_USAGE, "--speed and --rate exclude each other");
	if (num_parse_double(slice_str(text), &r->speed, &why) && r->speed > 0)
		return true;
	char *shown = text_quote(slice_str(text));
	error_set(err, ERROR_USAGE,
	    "option '--speed' takes max or a factor above 0, such as 1 or 10, not '%s'", shown);
	free(shown);
	return false;
}

/* --exchange and --routing-key are where to; which events, the other options say. */
static bool open_select(struct replay *r, struct error *err)
{
	struct events_options which = *r->options;
	which.exchange = NULL;
	which.has_limit = false;
	r->message.select =
	    events_select_create(&which, (int64_t)(chrono_wall_ns() / CHRONO_US), err);
	return r->message.select != NULL;
}

static bool read_options(struct replay *r, struct error *err)
{
	const struct events_options *o = r->options;
	const struct paced paced = {.has_rate = o->has_rate, .rate = o->rate};
	r->message.exchange = o->exchange;
	r->message.routing_key = o->routing_key;
	r->what = o->cursor != NULL ? events_replay_cursor_what(o) : NULL;
	return read_speed(r, err) && paced_read(NULL, &paced, &r->plan, err) && open_select(r, err);
}

/* ---- the store ---- */

static bool open_store(struct replay *r, struct error *err)
{
	const struct events_options *o = r->options;
	unsigned char hash[STORE_HASH_BYTES];
	/* apart from what is read: a transaction that began with reading could not write any more
	 * once somebody else has written */
	r->writing = o->cursor != NULL ? events_open_store(r->tool, o, STORE_WRITE, err) : NULL;
	if (r->writing != NULL) /* shorter than two heartbeats */
		store_set_patience(r->writing, CURSOR_PATIENCE_NS);
	if (o->cursor != NULL && r->writing == NULL)
		return error_context(err, "--cursor");
	r->store = events_open_store(r->tool, o, STORE_READ, err);
	if (r->store == NULL || !store_head(r->store, &r->last, hash, err))
		return false;
	if (o->has_to && o->to < r->last)
		r->last = o->to;
	return true;
}

static bool open_mask(struct replay *r, struct error *err)
{
	const struct option_list *fields = &r->options->masks;
	unsigned char key[SIPHASH_KEY_BYTES];
	if (fields->count == 0)
		return true;
	cursors_mask_key(r->store, key);
	r->message.mask = mask_create(fields->items, fields->count, key, err);
	r->message.field_count = fields->count;
	return r->message.mask != NULL;
}

/* Where it stands, to look at what comes behind; it is taken when nothing is left to be refused. */
static bool look_at_cursor(struct replay *r, struct error *err)
{
	return r->what == NULL ||
	       events_replay_cursor_look(r->writing, r->options->cursor, r->what, &r->place, err);
}

static bool take_cursor(struct replay *r, struct error *err)
{
	if (r->what == NULL)
		return true;
	r->cursor =
	    cursors_take(r->writing, r->options->cursor, slice_str(r->what), &r->place, err);
	return r->cursor != NULL;
}

static uint64_t masked_count(const struct replay *r)
{
	uint64_t count = 0;
	for (size_t i = 0; r->message.mask != NULL && i < r->options->masks.count; i++)
		count += mask_count(r->message.mask, i);
	return count;
}

static void warn_of_lack(
    const struct replay *r, const char *field, const struct events_replay_lack *lack)
{
	char *shown = text_quote(slice_str(field));
	struct buf where = {0};
	for (size_t i = 0; i < EVENTS_REPLAY_FIRST && i < lack->count; i++)
		buf_printf(&where, "%s%" PRIu64, i > 0 ? ", " : "", lack->first[i]);
	if (lack->count == r->message.tried)
		log_write(
		    LOG_WARNING, "none of the events has '%s': nothing is masked there", shown);
	else
		log_write(LOG_WARNING,
		    "%" PRIu64 " of %" PRIu64
		    " events lack '%s', so nothing is masked there: position %s%s",
		    lack->count, r->message.tried, shown, where.ptr,
		    lack->count > EVENTS_REPLAY_FIRST ? ", .." : "");
	buf_release(&where);
	free(shown);
}

/* A name that is written wrong, or a body of another shape, lets through what is not to be seen. */
static void warn_of_lacks(const struct replay *r)
{
	for (size_t i = 0; i < r->message.field_count; i++)
		if (r->message.lacks[i].count > 0)
			warn_of_lack(r, r->options->masks.items[i], &r->message.lacks[i]);
}

/* ---- before anything is sent ---- */

/* An event that was written by hand came by no exchange. */
static bool check_target(struct replay *r, struct error *err)
{
	struct select_filter *filter = events_select_filter(r->message.select);
	struct select_event event;
	if (r->options->exchange != NULL || r->options->routing_key != NULL)
		return true;
	filter->exchange = "";
	bool good = events_select_open(r->message.select, r->store, err);
	while (good && events_select_next(r->message.select, &event, err))
		if (event.position <= r->last && event.routing_key.len == 0)
			good = error_set(err, ERROR_USAGE,
			    "event %" PRIu64 " came by no exchange, so nothing is sent: say where "
			    "to with --exchange",
			    event.position);
	filter->exchange = NULL;
	return good && err->kind == ERROR_NONE;
}

static bool try_masks(struct replay *r, struct error *err)
{
	if (r->message.mask == NULL)
		return true;
	if (!events_replay_message_try(
		&r->message, r->store, r->place.done + 1, r->last, r->options->limit, err))
		return false;
	r->tried = masked_count(r);
	warn_of_lacks(r);
	return true;
}

static bool check_exchange(struct replay *r, struct error *err)
{
	const char *name = r->options->exchange;
	struct provision_state state = {0};
	if (name == NULL || name[0] == '\0')
		return true;
	if (!provision_look_exchange(r->tool->connection, name, &state, err))
		return false;
	if (state.exists)
		return true;
	char *shown = text_quote(slice_str(name));
	error_set(err, ERROR_REFUSED, "exchange '%s' does not exist", shown);
	free(shown);
	return false;
}

static void tell_cursor(const struct replay *r)
{
	if (r->place.done > 0)
		log_write(LOG_INFO, "going on behind position %" PRIu64, r->place.done);
	if (r->place.sent_to > r->place.done)
		log_write(LOG_WARNING,
		    "positions %" PRIu64 "-%" PRIu64
		    " may have been sent before: they go with x-warren-replayed-again",
		    r->place.done + 1, r->place.sent_to);
}

/* Also after the connection was lost. */
static bool restore(void *ctx, struct connection *c, struct error *err)
{
	const struct replay *r = ctx;
	return !r->options->declare ||
	       provision_apply(c, &r->tool->settings.topology, NULL, NULL, NULL, err);
}

static bool prepare(struct replay *r, struct error *err)
{
	struct tool *tool = r->tool;
	if (!read_options(r, err) || !open_store(r, err) || !open_mask(r, err) ||
	    !look_at_cursor(r, err) || !check_target(r, err) || !try_masks(r, err) ||
	    !(tool->connection != NULL || tool_connect(tool, err)) ||
	    !restore(r, tool->connection, err) || !check_exchange(r, err) || !take_cursor(r, err))
		return false;
	tool_make_recoverable(tool, restore, r);
	r->message.user = settings_user(&tool->settings);
	log_write(LOG_INFO, "broker %s (%s)", connection_shown(tool->connection),
	    connection_server(tool->connection));
	tell_cursor(r);
	return true;
}

/* ---- the run ---- */

static bool open_events(void *ctx, uint64_t from, struct error *err)
{
	struct replay *r = ctx;
	struct select_filter *filter = events_select_filter(r->message.select);
	filter->from = from > filter->from ? from : filter->from;
	return events_select_open(r->message.select, r->store, err);
}

static bool next_event(void *ctx, struct select_event *out, struct error *err)
{
	const struct replay *r = ctx;
	return events_select_next(r->message.select, out, err);
}

static bool make_message(void *ctx, const struct select_event *event, bool again,
    const struct message **out, struct error *err)
{
	struct replay *r = ctx;
	return events_replay_message_make(&r->message, event, again, out, err);
}

static void open_source(struct replay *r)
{
	const struct source_store_options options = {
	    .reader = {open_events, next_event, make_message, r},
	    .speed = r->speed,
	    .plan = r->options->has_rate ? &r->plan : NULL,
	    .limit = r->options->has_limit ? r->options->limit : 0,
	    .last = r->last,
	    .cursor = r->cursor,
	    .place = r->place};
	r->source = source_store_create(&options);
}

/* A nacked message is not sent again: others would overtake it. */
static bool run_flow(struct replay *r, struct error *err)
{
	const struct events_options *o = r->options;
	const struct sink_exchange_options sending = {.window = o->window,
	    .mandatory = o->mandatory ? SINK_EXCHANGE_ALWAYS : SINK_EXCHANGE_NEVER,
	    .is_unhurried = true,
	    .recovery = r->tool->recovery,
	    .nacks_unfit = true};
	struct sink_exchange *sink = sink_exchange_open(r->tool->connection, &sending, err);
	if (sink == NULL)
		return false;
	open_source(r);
	struct flow_options options = {.source = source_store_source(r->source),
	    .sink = sink_exchange_sink(sink),
	    .window = o->window,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = DRAIN_NS};
	const struct watch_options watched = {
	    .parts = {.name = "replay", .recovery = r->tool->recovery, .sink = sink},
	    .spans = WATCH_PUBLISH};
	struct watch *watch = watch_open(r->tool, &watched, &options);
	struct flow *flow = flow_create(r->tool->loop, &options);
	watch_begin(watch, flow);
	struct progress *progress = NULL;
	if (!o->tool.quiet)
		progress = progress_start(r->tool->loop, flow, FLOW_NO_LIMIT, "sent", "confirmed");
	uint64_t start_ns = chrono_now_ns();
	bool good = flow_run(flow, err);
	progress_stop(progress);
	r->elapsed_ns = chrono_now_ns() - start_ns;
	r->resent = sink_exchange_resent(sink);
	r->has_run = true;
	r->counts = *flow_counts(flow);
	watch_end(watch);
	sink_exchange_close(sink);
	flow_free(flow);
	return good;
}

/* ---- the end ---- */

/* Why it ended before the last event, and what stands behind. */
static bool tell_failure(const struct replay *r, bool good, struct error *err)
{
	const struct source_store_failure failure = source_store_failure(r->source);
	const struct cursors_place place = source_store_place(r->source);
	if (failure.position == 0)
		return good;
	if (place.sent_to > failure.position)
		log_write(LOG_WARNING,
		    "positions up to %" PRIu64 " were sent behind it, and may have arrived",
		    place.sent_to);
	if (!good)
		return error_context(err, "event %" PRIu64 " is not confirmed", failure.position);
	return error_set(err, ERROR_UNDELIVERED,
	    "event %" PRIu64 " was %s: %s; the replay ends before it", failure.position,
	    failure.fate == FLOW_RETURNED ? "returned"
	    : failure.fate == FLOW_NACKED ? "nacked"
					  : "not confirmed",
	    failure.reason[0] != '\0' ? failure.reason : "no reason given");
}

static void report(const struct replay *r)
{
	const struct flow_counts *c = &r->counts;
	const struct summary_row rows[] = {
	    {"sent", c->put, false},
	    {"confirmed", c->fates[FLOW_ACCEPTED], false},
	    {"returned", c->fates[FLOW_RETURNED], true},
	    {"nacked", c->fates[FLOW_NACKED], true},
	    {"unconfirmed", c->fates[FLOW_UNCONFIRMED], true},
	    {"resent", r->resent, true},
	    {"again", r->message.again, true},
	    {"masked", masked_count(r) - r->tried, true},
	    {"without_user_id", r->message.lost_user_ids, true},
	};
	tool_summarize(r->tool, rows, ARRAY_LEN(rows), r->elapsed_ns);
	if (r->message.lost_user_ids > 0)
		log_write(LOG_WARNING,
		    "%" PRIu64 " %s without the user_id: the broker takes only that of who is "
		    "connected",
		    r->message.lost_user_ids,
		    num_noun(r->message.lost_user_ids, "message went", "messages went"));
}

static bool finish(struct replay *r, bool good, struct error *err)
{
	struct error why = {0};
	if (!source_store_finish(r->source, &why) && good)
		good = error_set(err, why.kind, "%s", why.text);
	good = tell_failure(r, good, err);
	uint64_t done = source_store_place(r->source).done;
	if (r->cursor != NULL)
		log_write(LOG_INFO, "the cursor stands at position %" PRIu64, done);
	else if (loop_stop_requested(r->tool->loop))
		log_write(LOG_INFO,
		    "stopped behind position %" PRIu64 "; --from %" PRIu64 " goes on there", done,
		    done + 1);
	report(r);
	return good;
}

bool events_replay(
    struct tool *tool, const struct events_options *o, char **operands, struct error *err)
{
	struct replay r = {.tool = tool, .options = o};
	bool good =
	    events_operands(operands, "replay", NULL, err) && prepare(&r, err) && run_flow(&r, err);
	if (r.has_run)
		good = finish(&r, good, err);
	source_store_free(r.source);
	cursors_free(r.cursor);
	free(r.what);
	events_select_free(r.message.select);
	events_replay_message_release(&r.message);
	mask_free(r.message.mask);
	store_close(r.writing);
	store_close(r.store);
	pace_plan_release(&r.plan);
	return good;
}
