#include "flow/sink_exchange.h"

#include "base/mem.h"
#include "broker/publisher.h"

#include <stdlib.h>
#include <string.h>

#define SPOOL_FIRST_BYTES 32768 /* of output; the wire writes at twice that */

struct sink_exchange {
	struct connection *connection;
	struct publisher *publisher;
	struct sink_exchange_options options;
	struct flow *flow; /* the run that puts messages */
	uint64_t resent;   /* when it is over */
	uint64_t *numbers; /* in the spool, by slot */
	size_t number_capacity;
	struct error spool_failure; /* then nothing is sent any more */
	/* the verdict on the exchange of the last message: runs of one exchange are the rule */
	struct buf last_exchange;
	bool last_known, last_mandatory;
};

static void on_fate(void *ctx, uint64_t token, enum publisher_fate fate, const char *reason)
{
	static const enum flow_fate fates[] = {
	    [PUBLISHER_CONFIRMED] = FLOW_ACCEPTED,
	    [PUBLISHER_RETURNED] = FLOW_RETURNED,
	    [PUBLISHER_NACKED] = FLOW_NACKED,
	    [PUBLISHER_UNCONFIRMED] = FLOW_UNCONFIRMED,
	};
	struct sink_exchange *sink = ctx;
	recovery_note_progress(sink->options.recovery);
	if (sink->options.spool != NULL && fate != PUBLISHER_UNCONFIRMED)
		spool_settle(sink->options.spool, sink->numbers[token]);
	flow_settle(sink->flow, token, fates[fate], reason);
}

static void on_return(void *ctx)
{
	const struct sink_exchange *sink = ctx;
	if (sink->options.returned != NULL)
		sink->options.returned(sink->options.ctx);
}

struct sink_exchange *sink_exchange_open(
    struct connection *c, const struct sink_exchange_options *options, struct error *err)
{
	struct sink_exchange *sink = mem_alloc(1, sizeof *sink);
	struct publisher_options publishing = {.window = options->window,
	    .fate = on_fate,
	    .returned = on_return,
	    .ctx = sink,
	    .is_unhurried = options->is_unhurried,
	    .keeps =
		options->recovery != NULL || options->nack_retries > 0 || options->skips_refused,
	    .nack_retries = options->nack_retries,
	    .skips_refused = options->skips_refused};
	sink->connection = c;
	sink->options = *options;
	sink->publisher = publisher_open(c, &publishing, err);
	if (sink->publisher != NULL)
		return sink;
	free(sink);
	return NULL;
}

void sink_exchange_close(struct sink_exchange *sink)
{
	if (sink == NULL)
		return;
	publisher_close(sink->publisher);
	buf_release(&sink->last_exchange);
	free(sink->numbers);
	free(sink);
}

bool sink_exchange_sync(struct sink_exchange *sink, struct error *err)
{
	return publisher_sync(sink->publisher, err);
}

/* A reply to an address of broker/requester.h, which is no queue: such a message is returned,
 * whether somebody gets it or not. https://www.rabbitmq.com/docs/direct-reply-to */
static bool is_direct_reply(const struct message *m)
{
	static const struct slice prefix = {"amq.rabbitmq.reply-to.", 22};
	return m->exchange.len == 0 && m->routing_key.len > prefix.len &&
	       memcmp(m->routing_key.ptr, prefix.ptr, prefix.len) == 0;
}

/* Whether somebody should get it, so that nobody getting it is a failure. */
static bool is_mandatory(struct sink_exchange *sink, const struct message *m)
{
	struct slice exchange = m->exchange;
	if (is_direct_reply(m))
		return false;
	if (sink->options.mandatory != SINK_EXCHANGE_AS_SETTINGS)
		return sink->options.mandatory == SINK_EXCHANGE_ALWAYS;
	if (sink->options.topology == NULL || exchange.len == 0)
		return true;
	if (!sink->last_known || !slice_equal(buf_slice(&sink->last_exchange), exchange)) {
		buf_clear(&sink->last_exchange);
		buf_append(&sink->last_exchange, exchange);
		sink->last_known = true;
		sink->last_mandatory =
		    topology_find_exchange(sink->options.topology, exchange) == NULL ||
		    topology_reaches_queue(sink->options.topology, exchange);
	}
	return sink->last_mandatory;
}

static size_t room(const void *self)
{
	const struct sink_exchange *sink = self;
	return publisher_room(sink->publisher);
}

/* ---- the spool ---- */

/* Before the frames reach the socket; and what has its fate is not sent again after a death. */
static bool flush_spool(struct sink_exchange *sink, struct error *err)
{
	struct error *why = &sink->spool_failure;
	bool was_good = why->kind == ERROR_NONE;
	if (sink->options.spool == NULL || (was_good && spool_flush(sink->options.spool, why)))
		return true;
	if (was_good) /* what the spool does not have must not go out, now or over another one */
		connection_abort(sink->connection, why->text);
	return error_set(err, why->kind, "%s", why->text);
}

static bool add_to_spool(struct sink_exchange *sink, uint64_t slot, const struct flow_message *m,
    bool mandatory, struct error *err)
{
	uint64_t number = sink->options.spool_number + m->number;
	/* in the spool it would stand in everybody's way, run after run */
	if (!publisher_fits(sink->connection, m->message, err))
		return false;
	/* the connection writes by itself when much has come together */
	if (connection_pending_bytes(sink->connection) > SPOOL_FIRST_BYTES &&
	    !flush_spool(sink, err))
		return false;
	if (!spool_add(sink->options.spool, number, m->message, mandatory, err))
		return false;
	sink->numbers =
	    mem_grow(sink->numbers, &sink->number_capacity, slot + 1, sizeof *sink->numbers);
	sink->numbers[slot] = number;
	return true;
}

/* ---- the sink ---- */

static bool put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	struct sink_exchange *sink = self;
	bool mandatory = is_mandatory(sink, m->message);
	struct error unfit = {0};
	sink->flow = flow;
	if (sink->options.nacks_unfit && !publisher_fits(sink->connection, m->message, &unfit)) {
		flow_settle(flow, slot, FLOW_NACKED, unfit.text);
		return true;
	}
	if (sink->options.spool != NULL && !add_to_spool(sink, slot, m, mandatory, err))
		return false;
	return publisher_send(sink->publisher, m->message, mandatory, slot, err);
}

/* After a failure of the publisher: over a connection that is back, or without the message that was
 * refused. */
static bool go_on(struct sink_exchange *sink, const struct error *cause, struct error *err)
{
	struct recovery *recovery = sink->options.recovery;
	struct error why = *cause, lost = {0};
	do {
		if (recovery == NULL && !connection_check(sink->connection, &lost))
			break;
		if (recovery != NULL && !recovery_renew(recovery, err))
			return false;
		error_clear(&why);
		if (publisher_renew(sink->publisher, &why)) {
			flow_restart_drain(sink->flow);
			return true;
		}
	} while (!connection_check(sink->connection, &lost));
	return error_set(err, why.kind, "%s", why.text);
}

static bool flush(void *self, struct flow *flow, struct error *err)
{
	struct sink_exchange *sink = self;
	struct error why;
	error_clear(&why);
	sink->flow = flow;
	if (!flush_spool(sink, err))
		return false;
	bool good =
	    publisher_check(sink->publisher, &why) && publisher_resend_due(sink->publisher, &why);
	connection_flush(sink->connection);
	return good || go_on(sink, &why, err);
}

static bool is_held_up(const void *self)
{
	const struct sink_exchange *sink = self;
	return connection_is_blocked(sink->connection);
}

static uint64_t progress(const void *self)
{
	const struct sink_exchange *sink = self;
	return publisher_progress(sink->publisher);
}

static void abandon(void *self, struct flow *flow)
{
	struct sink_exchange *sink = self;
	sink->flow = flow;
	sink->resent = publisher_resent(sink->publisher);
	publisher_close(sink->publisher);
	sink->publisher = NULL;
}

uint64_t sink_exchange_resent(const struct sink_exchange *sink)
{
	return sink->publisher != NULL ? publisher_resent(sink->publisher) : sink->resent;
}

struct flow_sink sink_exchange_sink(struct sink_exchange *sink)
{
	static const struct flow_sink_kind kind = {room, put, flush, is_held_up, progress, abandon};
	return (struct flow_sink){&kind, sink};
}
