#include "flow/sink_call.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/requester.h"
#include "model/marks.h"
#include "model/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct sink_call {
	struct connection *connection;
	struct sink_call_options options;
	struct requester *requester;
	struct calls *calls; /* the token of each is its slot in the flow */
	struct flow *flow;   /* the run that puts messages */
	char expiration[24]; /* the deadline in milliseconds */
	uint64_t timer;	     /* 0: none is set */
	struct sink_call_counts counts;
	struct histogram latency;
};

/* ---- the end of a call ---- */

static void end_call(struct sink_call *sink, uint64_t number, uint64_t *count, enum flow_fate fate,
    const char *reason)
{
	const struct call *call = calls_get(sink->calls, number);
	if (call == NULL)
		return;
	uint64_t slot = call->token;
	calls_end(sink->calls, number, fate == FLOW_ACCEPTED || fate == FLOW_REJECTED);
	++*count;
	flow_settle(sink->flow, slot, fate, reason);
}

static struct slice correlation_of(const struct message *m)
{
	bool has = (m->present & MESSAGE_CORRELATION_ID) != 0;
	return has ? m->correlation_id : (struct slice){"", 0};
}

/* A reply that nobody waits for. */
static void set_aside(struct sink_call *sink, enum calls_match match, const struct message *m)
{
	static const char *const words[] = {
	    [CALLS_LATE] = "late", [CALLS_DUPLICATE] = "second", [CALLS_FOREIGN] = "foreign"};
	struct sink_call_counts *counts = &sink->counts;
	++*(match == CALLS_LATE	       ? &counts->late
	    : match == CALLS_DUPLICATE ? &counts->duplicates
				       : &counts->foreign);
	char *shown = text_quote(correlation_of(m));
	log_write(LOG_DEBUG, "a %s reply is set aside: correlation_id '%s'", words[match], shown);
	free(shown);
}

static void on_reply(void *ctx, const struct message *m)
{
	struct sink_call *sink = ctx;
	uint64_t number = 0;
	enum calls_match match = calls_find(sink->calls, correlation_of(m), &number);
	recovery_note_progress(sink->options.recovery);
	if (match != CALLS_AWAITED) {
		set_aside(sink, match, m);
		return;
	}
	struct slice mark = (m->present & MESSAGE_HEADERS) != 0
				? table_find_string(m->headers, MARKS_ERROR)
				: (struct slice){0};
	char *error = mark.ptr != NULL ? text_quote(mark) : NULL;
	uint64_t latency = chrono_now_ns() - calls_get(sink->calls, number)->begun_ns;
	struct slice queue = requester_reply_to(sink->requester);
	histogram_add(&sink->latency, latency);
	if (sink->options.on_reply != NULL)
		sink->options.on_reply(
		    sink->options.ctx, &(struct sink_call_reply){m, queue, error, latency});
	end_call(sink, number, error != NULL ? &sink->counts.errors : &sink->counts.answered,
	    error != NULL ? FLOW_REJECTED : FLOW_ACCEPTED, error != NULL ? error : "");
	free(error);
}

static void on_returned(void *ctx, const struct message *request, const char *reason)
{
	struct sink_call *sink = ctx;
	uint64_t number = 0;
	if (calls_find(sink->calls, correlation_of(request), &number) == CALLS_AWAITED)
		end_call(sink, number, &sink->counts.returned, FLOW_RETURNED, reason);
}

static void on_nacked(void *ctx, uint64_t number)
{
	struct sink_call *sink = ctx;
	end_call(sink, number, &sink->counts.nacked, FLOW_NACKED, "the broker could not take it");
}

static void lose_all(struct sink_call *sink, const char *why)
{
	for (uint64_t number; (number = calls_first(sink->calls)) != 0;)
		end_call(sink, number, &sink->counts.lost, FLOW_UNCONFIRMED, why);
}

static void on_ended(void *ctx, const struct error *why)
{
	lose_all(ctx, why->text);
}

/* ---- deadlines ---- */

static void on_timer(void *ctx, uint64_t now_ns);

/* Deadlines are as far away for all, so a timer for the first one is early enough for the rest. */
static void set_timer(struct sink_call *sink)
{
	uint64_t first = calls_first(sink->calls);
	if (first != 0 && sink->timer == 0)
		sink->timer = loop_at(
		    sink->options.loop, calls_get(sink->calls, first)->deadline_ns, on_timer, sink);
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	struct sink_call *sink = ctx;
	sink->timer = 0;
	for (uint64_t first; (first = calls_first(sink->calls)) != 0;) {
		if (calls_get(sink->calls, first)->deadline_ns > now_ns)
			break;
		end_call(sink, first, &sink->counts.timeouts, FLOW_UNCONFIRMED, SINK_CALL_LATE);
	}
	set_timer(sink);
}

/* ---- the sink ---- */

static size_t room(const void *self)
{
	const struct sink_call *sink = self;
	size_t sendable = requester_room(sink->requester), places = calls_room(sink->calls);
	return sendable < places ? sendable : places;
}

/* What a request has of ours. The bytes of `id` live as long as *m. */
static void address(struct sink_call *sink, struct message *m, struct slice id)
{
	const struct sink_call_options *o = &sink->options;
	if (o->exchange.ptr != NULL)
		m->exchange = o->exchange;
	if (o->routing_key.ptr != NULL)
		m->routing_key = o->routing_key;
	if ((m->present & MESSAGE_EXPIRATION) == 0)
		m->expiration = slice_str(sink->expiration);
	m->correlation_id = id;
	m->reply_to = requester_reply_to(sink->requester);
	m->present |= MESSAGE_CORRELATION_ID | MESSAGE_REPLY_TO | MESSAGE_EXPIRATION;
}

static bool put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	struct sink_call *sink = self;
	struct message request = *m->message;
	struct error why = {0};
	char id[CALLS_ID_CHARS];
	uint64_t now_ns = chrono_now_ns();
	(void)err;
	sink->flow = flow;
	uint64_t number = calls_begin(sink->calls,
	    &(struct call){slot, now_ns, chrono_after(now_ns, sink->options.deadline_ns)});
	calls_name(sink->calls, number, id);
	address(sink, &request, (struct slice){id, sizeof id});
	if (requester_send(sink->requester, &request, number, &why))
		set_timer(sink);
	else if (why.kind == ERROR_DATA)
		end_call(sink, number, &sink->counts.nacked, FLOW_NACKED, why.text);
	else /* flush tells why */
		end_call(sink, number, &sink->counts.lost, FLOW_UNCONFIRMED, why.text);
	return true;
}

/* Over a connection that is back; what the broker has refused stays refused. */
static bool go_on(struct sink_call *sink, const struct error *cause, struct error *err)
{
	struct recovery *recovery = sink->options.recovery;
	struct error why = *cause, lost = {0};
	while (recovery != NULL && !connection_check(sink->connection, &lost)) {
		if (!recovery_renew(recovery, err))
			return false;
		error_clear(&why);
		if (requester_renew(sink->requester, &why))
			return true;
		error_clear(&lost);
	}
	return error_set(err, why.kind, "%s", why.text);
}

static bool flush(void *self, struct flow *flow, struct error *err)
{
	struct sink_call *sink = self;
	struct error why = {0};
	sink->flow = flow;
	connection_flush(sink->connection);
	return requester_check(sink->requester, &why) || go_on(sink, &why, err);
}

static void abandon(void *self, struct flow *flow)
{
	struct sink_call *sink = self;
	sink->flow = flow;
	lose_all(sink, "the run ended first");
}

struct flow_sink sink_call_sink(struct sink_call *sink)
{
	static const struct flow_sink_kind kind = {room, put, flush, NULL, NULL, abandon};
	return (struct flow_sink){&kind, sink};
}

/* ---- opening ---- */

struct sink_call *sink_call_open(
    struct connection *c, const struct sink_call_options *options, struct error *err)
{
	struct sink_call *sink = mem_alloc(1, sizeof *sink);
	sink->connection = c;
	sink->options = *options;
	sink->calls = calls_create(options->window, options->run);
	snprintf(sink->expiration, sizeof sink->expiration, "%" PRIu64,
	    (options->deadline_ns + CHRONO_MS - 1) / CHRONO_MS);
	struct requester_options asking = {.reply_queue = options->reply_queue,
	    .reply = on_reply,
	    .returned = on_returned,
	    .nacked = on_nacked,
	    .ended = on_ended,
	    .ctx = sink};
	sink->requester = requester_open(c, &asking, err);
	if (sink->requester != NULL)
		return sink;
	sink_call_close(sink);
	return NULL;
}

void sink_call_close(struct sink_call *sink)
{
	if (sink == NULL)
		return;
	requester_close(sink->requester);
	loop_cancel(sink->options.loop, sink->timer);
	calls_free(sink->calls);
	free(sink);
}

const struct sink_call_counts *sink_call_counts(const struct sink_call *sink)
{
	return &sink->counts;
}

const struct histogram *sink_call_latency(const struct sink_call *sink)
{
	return &sink->latency;
}
