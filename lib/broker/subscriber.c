#include "broker/subscriber.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/connection_private.h"
#include "broker/rabbitmqc_private.h"
#include "broker/refusal.h"

#include <amqp.h>
#include <amqp_framing.h>

#include <stdio.h>
#include <stdlib.h>

#define MAX_GATHERED_ACKS 100
#define GATHER_NS (500 * CHRONO_US)
#define GATHER_ACKS_NS (10 * CHRONO_MS)
/* RabbitMQ passes 32 single acknowledgements on to a quorum queue; further ones wait in the channel
 * until the disk has the first (quorum_commands_soft_limit), and its end forgets them. */
#define LINGER_NS (500 * CHRONO_MS)

enum delivery_state {
	DELIVERY_UNSETTLED,
	DELIVERY_ACK, /* to be acknowledged at the next flush */
	DELIVERY_DONE,
};

/* The state of delivery n stands at n & (capacity - 1), for oldest <= n < next. */
struct subscriber {
	struct connection *connection;
	uint16_t channel;
	struct subscriber_options options;
	unsigned char *states;
	size_t capacity; /* a power of two */
	uint64_t oldest, next;
	uint64_t acks;		/* DELIVERY_ACK entries */
	uint64_t acks_since_ns; /* when the first of them was settled */
	uint64_t lone_ack_ns;	/* when the last single one was sent; 0: none */
	uint64_t unsettled;
	uint64_t looked_at;  /* value of `next` at the last look at the load */
	unsigned generation; /* of the consumer: its tag is "warren-<generation>" */
	bool cancelling, cancelled;
	bool asked;	       /* polling: the answer is to come */
	uint64_t next_poll_ns; /* polling: not before */
	struct error closed;
};

static unsigned char *state_of(const struct subscriber *s, uint64_t tag)
{
	return &s->states[tag & (s->capacity - 1)];
}

static void grow(struct subscriber *s)
{
	size_t doubled = s->capacity * 2;
	unsigned char *states = mem_alloc(doubled, 1);
	for (uint64_t n = s->oldest; n < s->next; n++)
		states[n & (doubled - 1)] = *state_of(s, n);
	free(s->states);
	s->states = states;
	s->capacity = doubled;
}

/* ---- what the broker sends ---- */

static void on_content(void *ctx, uint32_t method_id, struct slice payload, struct message *m)
{
	struct subscriber *s = ctx;
	struct frames_deliver d;
	bool good =
	    (method_id == AMQP_BASIC_DELIVER_METHOD && frames_read_deliver(payload, &d, m)) ||
	    (method_id == AMQP_BASIC_GET_OK_METHOD && frames_read_get_ok(payload, &d, m));
	s->asked = false;
	if (!good || d.tag != s->next) {
		connection_lose(s->connection, ERROR_REFUSED,
		    good ? "the broker numbered a delivery out of order"
			 : "the broker sent a damaged delivery");
		return;
	}
	if (s->next - s->oldest == s->capacity)
		grow(s);
	*state_of(s, s->next++) = s->options.no_ack ? DELIVERY_DONE : DELIVERY_UNSETTLED;
	if (s->options.no_ack)
		s->oldest = s->next;
	else
		s->unsettled++;
	struct subscriber_delivery delivery = {m, d.tag, d.redelivered};
	s->options.deliver(s->options.ctx, &delivery);
}

static void end(struct subscriber *s, enum error_kind kind, const char *text)
{
	error_set(&s->closed, kind, "%s", text);
	s->cancelled = true;
	s->options.ended(s->options.ctx, &s->closed);
}

static void on_method(void *ctx, uint32_t method_id, struct slice payload)
{
	struct subscriber *s = ctx;
	(void)payload;
	if (method_id == AMQP_BASIC_GET_EMPTY_METHOD) {
		s->asked = false;
		s->next_poll_ns = chrono_now_ns() + s->options.poll_ns;
	} else if (method_id == AMQP_BASIC_CANCEL_OK_METHOD) {
		s->cancelled = true;
	} else if (method_id == AMQP_BASIC_CANCEL_METHOD && !s->cancelling) {
		char *queue = text_quote(slice_str(s->options.queue));
		char *text = mem_printf(
		    "the broker cancelled the consumer: queue '%s' was deleted or moved", queue);
		end(s, ERROR_REFUSED, text);
		free(text);
		free(queue);
	}
}

static void on_closed(void *ctx, const struct error *why)
{
	struct subscriber *s = ctx;
	s->channel = 0;
	const struct connection_refusal *refusal = connection_refusal(s->connection);
	struct error explained = {0};
	if (connection_check(s->connection, &explained) && refusal->code != 0) {
		char *queue = text_quote(slice_str(s->options.queue));
		struct refusal_context context = {"consume from", "queue", queue};
		refusal_explain(refusal->code, refusal->text, &context, &explained);
		free(queue);
	}
	end(s, why->kind, explained.kind != ERROR_NONE ? explained.text : why->text);
}

/* Ahead is what the prefetch allows beyond what is not acknowledged yet. */
static void tell_load(void *ctx, struct gather_load *load)
{
	struct subscriber *s = ctx;
	uint64_t prefetch =
	    s->options.no_ack || s->options.prefetch == 0 ? UINT16_MAX : s->options.prefetch;
	load->came = s->next - s->looked_at;
	load->is_unhurried = false;
	uint64_t open = s->unsettled + s->acks;
	load->ahead = prefetch > open ? prefetch - open : 0;
	s->looked_at = s->next;
}

static const struct channel_handlers handlers = {
    on_method, on_content, on_closed, tell_load, GATHER_NS};

/* ---- opening ---- */

static bool consume(struct subscriber *s, struct error *err)
{
	char consumer_tag[32];
	snprintf(consumer_tag, sizeof consumer_tag, "warren-%u", ++s->generation);
	amqp_basic_consume_t request = {.queue = rabbitmqc_bytes(s->options.queue),
	    .consumer_tag = rabbitmqc_bytes(consumer_tag),
	    .no_ack = s->options.no_ack,
	    .exclusive = s->options.exclusive};
	struct rabbitmqc_table arguments = {0};
	bool good = rabbitmqc_table_read(&arguments, s->options.arguments, err);
	request.arguments = arguments.table;
	good = good && connection_call(s->connection, s->channel, AMQP_BASIC_CONSUME_METHOD,
			   &request, AMQP_BASIC_CONSUME_OK_METHOD, err) != NULL;
	rabbitmqc_table_release(&arguments);
	s->cancelling = s->cancelled = false;
	return good;
}

static bool open_channel(struct subscriber *s, struct error *err)
{
	s->channel = connection_open_channel(s->connection, &handlers, s, err);
	if (s->channel == 0)
		return false;
	amqp_basic_qos_t qos = {.prefetch_count = s->options.prefetch};
	return connection_call(s->connection, s->channel, AMQP_BASIC_QOS_METHOD, &qos,
		   AMQP_BASIC_QOS_OK_METHOD, err) != NULL &&
	       (s->options.polling || consume(s, err));
}

static void ignore_end(void *ctx, const struct error *why)
{
	(void)ctx;
	(void)why;
}

static uint16_t gathered_acks(const struct subscriber_options *o)
{
	unsigned half = o->prefetch / 2u;
	if (o->ack_every != 0)
		return o->ack_every;
	if (o->prefetch == 1)
		return 1;
	return (uint16_t)(half == 0 || half > MAX_GATHERED_ACKS ? MAX_GATHERED_ACKS : half);
}

struct subscriber *subscriber_open(
    struct connection *c, const struct subscriber_options *options, struct error *err)
{
	struct subscriber *s = mem_alloc(1, sizeof *s);
	*s = (struct subscriber){.connection = c,
	    .options = *options,
	    .states = mem_alloc(1024, 1),
	    .capacity = 1024,
	    .oldest = 1,
	    .next = 1};
	struct error why = {0};
	s->options.ack_every = gathered_acks(options);
	s->options.ended = ignore_end; /* a refusal now is this function's failure */
	/* the end may stand right behind the answer to our asking */
	if (open_channel(s, &why) && s->closed.kind == ERROR_NONE) {
		s->options.ended = options->ended;
		return s;
	}
	const struct error *cause = s->closed.kind != ERROR_NONE ? &s->closed : &why;
	error_set(err, cause->kind, "%s", cause->text);
	subscriber_close(s);
	return NULL;
}

static void ignore_delivery(void *ctx, const struct subscriber_delivery *d)
{
	(void)ctx, (void)d; /* it is given back when the channel closes */
}

/* Nothing tells when acknowledgements have got through. */
static void linger(struct subscriber *s)
{
	uint64_t end = s->lone_ack_ns + LINGER_NS;
	struct error lost = {0};
	s->options.deliver = ignore_delivery;
	s->options.ended = ignore_end;
	while (s->channel != 0 && chrono_now_ns() < end && connection_check(s->connection, &lost) &&
	       loop_turn(connection_loop(s->connection), end, &lost))
		;
}

void subscriber_close(struct subscriber *s)
{
	if (s == NULL)
		return;
	linger(s);
	connection_close_channel(s->connection, s->channel);
	free(s->states);
	free(s);
}

/* ---- settling ---- */

void subscriber_settle(struct subscriber *s, uint64_t tag, enum subscriber_verdict verdict)
{
	if (s->options.no_ack || s->channel == 0)
		return;
	unsigned char *state = state_of(s, tag);
	if (tag < s->oldest || tag >= s->next || *state != DELIVERY_UNSETTLED)
		return;
	s->unsettled--;
	if (verdict == SUBSCRIBER_ACK) {
		*state = DELIVERY_ACK;
		if (s->acks++ == 0)
			s->acks_since_ns = chrono_now_ns();
		return;
	}
	*state = DELIVERY_DONE;
	frames_put_nack(connection_output(s->connection), s->channel, tag, false,
	    verdict == SUBSCRIBER_REQUEUE);
}

/* Steps over the settled prefix; returns the last tag in it that wants an acknowledgement, or 0. */
static uint64_t advance(struct subscriber *s)
{
	uint64_t last = 0;
	for (; s->oldest < s->next && *state_of(s, s->oldest) != DELIVERY_UNSETTLED; s->oldest++) {
		if (*state_of(s, s->oldest) == DELIVERY_ACK) {
			last = s->oldest;
			s->acks--;
		}
	}
	return last;
}

void subscriber_flush(struct subscriber *s)
{
	if (s->channel == 0)
		return;
	uint64_t last = advance(s);
	if (last != 0)
		frames_put_ack(connection_output(s->connection), s->channel, last, true);
	/* behind one that waits, each goes by itself */
	if (s->acks > 0)
		s->lone_ack_ns = chrono_now_ns();
	for (uint64_t n = s->oldest; s->acks > 0 && n < s->next; n++) {
		if (*state_of(s, n) != DELIVERY_ACK)
			continue;
		frames_put_ack(connection_output(s->connection), s->channel, n, false);
		*state_of(s, n) = DELIVERY_DONE;
		s->acks--;
	}
	connection_flush(s->connection);
}

/* Asks for the next message, unless one is asked for or unsettled. */
static void poll_due(struct subscriber *s, uint64_t now_ns, uint64_t *wake_ns)
{
	amqp_basic_get_t request = {
	    .queue = rabbitmqc_bytes(s->options.queue), .no_ack = s->options.no_ack};
	struct error ignored = {0}; /* a lost connection is told by `ended` */
	if (s->asked || s->unsettled > 0 || s->cancelling || s->channel == 0)
		return;
	if (now_ns < s->next_poll_ns) {
		*wake_ns = s->next_poll_ns < *wake_ns ? s->next_poll_ns : *wake_ns;
		return;
	}
	s->asked =
	    connection_send(s->connection, s->channel, AMQP_BASIC_GET_METHOD, &request, &ignored);
	connection_flush(s->connection);
}

void subscriber_flush_due(struct subscriber *s, uint64_t now_ns, uint64_t *wake_ns)
{
	connection_flush(s->connection); /* rejections and requeues do not wait */
	if (s->options.polling)
		poll_due(s, now_ns, wake_ns);
	if (s->acks == 0)
		return;
	uint64_t due = s->acks_since_ns + GATHER_ACKS_NS;
	if (s->acks >= s->options.ack_every || now_ns >= due)
		subscriber_flush(s);
	else if (due < *wake_ns)
		*wake_ns = due;
}

/* ---- the consumer's life ---- */

static bool send_cancel(struct subscriber *s, unsigned generation, bool nowait, struct error *err)
{
	char consumer_tag[32];
	snprintf(consumer_tag, sizeof consumer_tag, "warren-%u", generation);
	amqp_basic_cancel_t request = {
	    .consumer_tag = rabbitmqc_bytes(consumer_tag), .nowait = nowait};
	bool good =
	    connection_send(s->connection, s->channel, AMQP_BASIC_CANCEL_METHOD, &request, err);
	connection_flush(s->connection);
	return good;
}

void subscriber_cancel(struct subscriber *s)
{
	if (s->channel == 0 || s->cancelling)
		return;
	struct error ignored = {0}; /* a lost connection cancels everything */
	s->cancelling = true;
	if (s->options.polling) /* an answer that is to come does come */
		return;
	IGNORE_RESULT(send_cancel(s, s->generation, false, &ignored));
}

bool subscriber_is_cancelled(const struct subscriber *s)
{
	return s->cancelled || s->channel == 0 ||
	       (s->cancelling && s->options.polling && !s->asked);
}

bool subscriber_renew(struct subscriber *s, struct error *err)
{
	subscriber_flush(s);
	unsigned old = s->generation;
	/* the new one first: an auto-delete queue goes with its last consumer */
	return consume(s, err) && send_cancel(s, old, true, err);
}

bool subscriber_count_ready(struct subscriber *s, uint64_t *out, struct error *err)
{
	amqp_queue_declare_t request = {.queue = rabbitmqc_bytes(s->options.queue), .passive = 1};
	subscriber_flush(s);
	amqp_queue_declare_ok_t *ok = connection_call(s->connection, s->channel,
	    AMQP_QUEUE_DECLARE_METHOD, &request, AMQP_QUEUE_DECLARE_OK_METHOD, err);
	if (ok == NULL)
		return false;
	*out = ok->message_count;
	return true;
}

uint64_t subscriber_first_unsettled(const struct subscriber *s)
{
	uint64_t tag = s->oldest;
	while (tag < s->next && *state_of(s, tag) != DELIVERY_UNSETTLED)
		tag++;
	return tag;
}

bool subscriber_is_settled(const struct subscriber *s, uint64_t tag)
{
	return tag < s->oldest || (tag < s->next && *state_of(s, tag) != DELIVERY_UNSETTLED);
}
