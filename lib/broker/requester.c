#include "broker/requester.h"

#include "base/chrono.h"
#include "base/fifo.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/connection_private.h"
#include "broker/rabbitmqc_private.h"
#include "broker/refusal.h"

#include <amqp.h>
#include <amqp_framing.h>

#include <stdlib.h>

#define DIRECT_REPLY_TO "amq.rabbitmq.reply-to"
#define CONSUMER_TAG "warren-replies"
#define GATHER_NS (200 * CHRONO_US) /* somebody waits for each reply */
#define MAX_PENDING_BYTES (1u << 20)
#define MAX_UNCONFIRMED 65536

struct sent {
	uint64_t token;
	bool settled; /* out of turn */
};

struct requester {
	struct connection *connection;
	uint16_t channel;
	struct requester_options options;
	char *queue;	  /* where replies come to */
	struct fifo sent; /* struct sent: the requests without a confirm, in order */
	uint64_t oldest;  /* the delivery tag of the first of them */
	uint64_t came;	  /* since the last look at the load */
	struct error closed;
};

/* ---- what the broker sends ---- */

static void on_reply(struct requester *r, struct slice payload, struct message *m)
{
	struct frames_deliver d;
	if (!frames_read_deliver(payload, &d, m)) {
		connection_lose(r->connection, ERROR_REFUSED, "the broker sent a damaged delivery");
		return;
	}
	r->came++;
	r->options.reply(r->options.ctx, m);
}

static void on_return(struct requester *r, struct slice payload, struct message *m)
{
	struct frames_return back;
	if (!frames_read_return(payload, &back, m)) {
		connection_lose(r->connection, ERROR_REFUSED, "the broker sent a damaged return");
		return;
	}
	char *text = text_quote(back.text);
	char *reason = mem_printf("%u %s", back.code, text);
	r->options.returned(r->options.ctx, m, reason);
	free(reason);
	free(text);
}

static void on_content(void *ctx, uint32_t method_id, struct slice payload, struct message *m)
{
	struct requester *r = ctx;
	if (method_id == AMQP_BASIC_DELIVER_METHOD)
		on_reply(r, payload, m);
	else
		on_return(r, payload, m);
}

/* ---- confirms ---- */

static void settle(struct requester *r, uint64_t tag, bool nacked)
{
	struct sent *sent = (struct sent *)fifo_front(&r->sent) + (tag - r->oldest);
	if (sent->settled)
		return;
	sent->settled = true;
	if (nacked)
		r->options.nacked(r->options.ctx, sent->token);
}

static void on_settled(struct requester *r, struct slice payload, bool nacked)
{
	struct frames_settle s;
	uint64_t next = r->oldest + fifo_count(&r->sent);
	if (!frames_read_settle(payload, &s) || s.tag >= next) {
		connection_lose(
		    r->connection, ERROR_REFUSED, "the broker settled a message that was not sent");
		return;
	}
	/* tag 0 with multiple means everything sent so far */
	uint64_t last = s.multiple && s.tag == 0 ? next - 1 : s.tag;
	for (uint64_t tag = s.multiple ? r->oldest : last; tag >= r->oldest && tag <= last; tag++)
		settle(r, tag, nacked);
	for (; !fifo_is_empty(&r->sent) && ((struct sent *)fifo_front(&r->sent))->settled;
	     r->oldest++)
		fifo_pop(&r->sent);
}

/* ---- the end ---- */

static void end(struct requester *r, enum error_kind kind, const char *text)
{
	if (r->closed.kind != ERROR_NONE)
		return;
	error_set(&r->closed, kind, "%s", text);
	r->options.ended(r->options.ctx, &r->closed);
}

static void on_cancelled(struct requester *r)
{
	char *queue = text_quote(slice_str(r->queue));
	char *text = mem_printf("the reply queue '%s' was deleted or moved", queue);
	end(r, ERROR_REFUSED, text);
	free(text);
	free(queue);
}

static void on_method(void *ctx, uint32_t method_id, struct slice payload)
{
	struct requester *r = ctx;
	if (method_id == AMQP_BASIC_ACK_METHOD || method_id == AMQP_BASIC_NACK_METHOD)
		on_settled(r, payload, method_id == AMQP_BASIC_NACK_METHOD);
	else if (method_id == AMQP_BASIC_CANCEL_METHOD)
		on_cancelled(r);
}

static void on_closed(void *ctx, const struct error *why)
{
	struct requester *r = ctx;
	const struct connection_refusal *refusal = connection_refusal(r->connection);
	struct error explained = {0}, lost = {0};
	r->channel = 0;
	if (connection_check(r->connection, &lost) && refusal->code != 0) {
		struct refusal_context context = {"send requests to", "exchange", NULL};
		refusal_explain(refusal->code, refusal->text, &context, &explained);
	}
	end(r, why->kind, explained.kind != ERROR_NONE ? explained.text : why->text);
}

/* Ahead is what the broker and the answering side have to do without us. */
static void tell_load(void *ctx, struct gather_load *load)
{
	struct requester *r = ctx;
	load->came = r->came;
	load->is_unhurried = false;
	load->ahead = fifo_count(&r->sent);
	r->came = 0;
}

static const struct channel_handlers handlers = {
    on_method, on_content, on_closed, tell_load, GATHER_NS};

/* ---- opening ---- */

static bool declare_own(struct requester *r, struct error *err)
{
	amqp_queue_declare_t request = {
	    .queue = rabbitmqc_bytes(""), .exclusive = 1, .auto_delete = 1};
	amqp_queue_declare_ok_t *ok = connection_call(r->connection, r->channel,
	    AMQP_QUEUE_DECLARE_METHOD, &request, AMQP_QUEUE_DECLARE_OK_METHOD, err);
	if (ok == NULL)
		return false;
	r->queue = mem_strndup(ok->queue.bytes, ok->queue.len);
	return true;
}

static bool consume(struct requester *r, struct error *err)
{
	bool is_theirs = r->options.reply_queue != NULL && r->options.reply_queue[0] != '\0';
	amqp_basic_consume_t request = {.queue = rabbitmqc_bytes(r->queue),
	    .consumer_tag = rabbitmqc_bytes(CONSUMER_TAG),
	    .no_ack = 1,
	    .exclusive = is_theirs};
	return connection_call(r->connection, r->channel, AMQP_BASIC_CONSUME_METHOD, &request,
		   AMQP_BASIC_CONSUME_OK_METHOD, err) != NULL;
}

static bool explain(struct requester *r, const struct error *raw, struct error *err)
{
	const struct connection_refusal *refusal = connection_refusal(r->connection);
	struct error lost = {0};
	if (!connection_check(r->connection, &lost) || refusal->code == 0 || r->queue == NULL)
		return error_set(err, raw->kind, "%s", raw->text);
	char *queue = text_quote(slice_str(r->queue));
	struct refusal_context context = {"take replies from", "queue", queue};
	refusal_explain(refusal->code, refusal->text, &context, err);
	free(queue);
	return false;
}

static bool open_channel(struct requester *r, struct error *err)
{
	amqp_confirm_select_t select = {0};
	r->channel = connection_open_channel(r->connection, &handlers, r, err);
	return r->channel != 0 &&
	       connection_call(r->connection, r->channel, AMQP_CONFIRM_SELECT_METHOD, &select,
		   AMQP_CONFIRM_SELECT_OK_METHOD, err) != NULL;
}

static bool begin(struct requester *r, struct error *err)
{
	struct error raw = {0};
	const char *name = r->options.reply_queue;
	free(r->queue);
	r->queue = NULL;
	fifo_release(&r->sent);
	r->oldest = 1;
	if (!open_channel(r, err))
		return false;
	if (name == NULL || name[0] != '\0')
		r->queue = mem_strdup(name != NULL ? name : DIRECT_REPLY_TO);
	else if (!declare_own(r, err))
		return false;
	return consume(r, &raw) || explain(r, &raw, err);
}

static void ignore_end(void *ctx, const struct error *why)
{
	(void)ctx, (void)why; /* it is told as the failure of the opening */
}

struct requester *requester_open(
    struct connection *c, const struct requester_options *options, struct error *err)
{
	struct requester *r = mem_alloc(1, sizeof *r);
	*r = (struct requester){
	    .connection = c, .options = *options, .sent = {.size = sizeof(struct sent)}};
	if (requester_renew(r, err))
		return r;
	requester_close(r);
	return NULL;
}

void requester_close(struct requester *r)
{
	if (r == NULL)
		return;
	connection_close_channel(r->connection, r->channel);
	fifo_release(&r->sent);
	free(r->queue);
	free(r);
}

bool requester_renew(struct requester *r, struct error *err)
{
	void (*ended)(void *ctx, const struct error *why) = r->options.ended;
	connection_close_channel(r->connection, r->channel);
	r->channel = 0;
	error_clear(&r->closed);
	r->options.ended = ignore_end;
	bool good = begin(r, err);
	r->options.ended = ended;
	if (good && r->closed.kind != ERROR_NONE) /* right behind the broker's answer */
		return error_set(err, r->closed.kind, "%s", r->closed.text);
	if (!good && r->closed.kind == ERROR_NONE)
		error_set(&r->closed, err->kind, "%s", err->text);
	return good;
}

struct slice requester_reply_to(const struct requester *r)
{
	return slice_str(r->queue);
}

size_t requester_room(const struct requester *r)
{
	size_t unconfirmed = fifo_count(&r->sent);
	if (r->channel == 0 || r->closed.kind != ERROR_NONE ||
	    connection_is_blocked(r->connection) ||
	    connection_pending_bytes(r->connection) > MAX_PENDING_BYTES)
		return 0;
	return unconfirmed < MAX_UNCONFIRMED ? MAX_UNCONFIRMED - unconfirmed : 0;
}

bool requester_send(struct requester *r, const struct message *m, uint64_t token, struct error *err)
{
	if (!requester_check(r, err) ||
	    !frames_put_publish(connection_output(r->connection), r->channel, m, true,
		connection_frame_max(r->connection), err))
		return false;
	fifo_push(&r->sent, &(struct sent){.token = token});
	return true;
}

bool requester_check(const struct requester *r, struct error *err)
{
	if (r->closed.kind != ERROR_NONE)
		return error_set(err, r->closed.kind, "%s", r->closed.text);
	return connection_check(r->connection, err);
}
