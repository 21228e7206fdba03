#include "broker/connection_input.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/connection_private.h"
#include "broker/connection_state_private.h"
#include "broker/dial.h"

#include <amqp.h>
#include <amqp_framing.h>

#include <stdlib.h>
#include <string.h>

#define TLS_ALERT 0x15 /* the content type of its record, RFC 8446 */

/* ---- what the broker says on the connection and about channels ---- */

static enum error_kind kind_of_code(uint16_t code)
{
	switch (code) {
	case AMQP_INTERNAL_ERROR: /* of a broker that is still starting, or in which something died
				   */
	case AMQP_CONNECTION_FORCED:
		return ERROR_UNAVAILABLE;
	case AMQP_ACCESS_REFUSED:
	case AMQP_NOT_ALLOWED:
		return ERROR_ACCESS;
	default:
		return ERROR_REFUSED;
	}
}

static void note_refusal(struct connection *c, uint16_t code, amqp_bytes_t text)
{
	struct buf shown = {0};
	text_escape((struct slice){text.bytes, text.len}, 512, &shown);
	if (text.len == 0)
		buf_printf(&shown, "code %u, without a reason", code);
	free(c->refusal.text);
	c->refusal = (struct connection_refusal){code, kind_of_code(code), buf_take(&shown)};
}

static void on_connection_close(struct connection *c, const amqp_connection_close_t *close)
{
	amqp_connection_close_ok_t ok = {0};
	struct error ignored = {0}; /* the connection ends either way */
	note_refusal(c, close->reply_code, close->reply_text);
	IGNORE_RESULT(frames_put_method(
	    &c->wire.out, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok, FRAMES_MIN_SIZE, &ignored));
	wire_flush(&c->wire);
	bool no_entry = c->login.state != LOGIN_DONE && c->refusal.kind == ERROR_ACCESS;
	bool has_guess = !c->uri->has_password && !c->uri->external;
	connection_lose(c, c->refusal.kind, "the broker closed the connection: %s%s",
	    c->refusal.text,
	    !no_entry	? ""
	    : has_guess ? " (no password was given; check the user and the vhost of the URL, too)"
			: " (check the user, the password and the vhost of the URL)");
}

/* Methods on channel 0. */
static void on_own_method(struct connection *c, struct slice payload)
{
	uint32_t id = frames_method_id(payload);
	void *decoded = frames_decode(c->arena, payload);
	if (decoded == NULL) {
		connection_lose(c, ERROR_REFUSED, "the broker sent a method that cannot be read");
		return;
	}
	if (id == AMQP_CONNECTION_CLOSE_METHOD) {
		on_connection_close(c, decoded);
	} else if (id == AMQP_CONNECTION_CLOSE_OK_METHOD) {
		c->goodbye_answered = true;
	} else if (id == AMQP_CONNECTION_BLOCKED_METHOD) {
		amqp_connection_blocked_t *blocked = decoded;
		char *reason =
		    text_quote((struct slice){blocked->reason.bytes, blocked->reason.len});
		if (!c->blocked)
			log_write(LOG_WARNING, "the broker takes no messages for now: %s", reason);
		free(reason);
		c->blocked = true;
		dial_limit_silence(c->wire.fd, 0); /* it reads nothing, on purpose */
	} else if (id == AMQP_CONNECTION_UNBLOCKED_METHOD) {
		log_write(LOG_WARNING, "the broker takes messages again");
		c->blocked = false;
		dial_limit_silence(c->wire.fd, c->silence_ns);
	} else {
		struct error err = {0};
		if (!login_step(&c->login, c->uri, id, decoded, &c->wire.out, &err))
			connection_lose(c, err.kind, "%s", err.text);
	}
}

static void on_channel_close(struct connection *c, uint16_t number, struct slice payload)
{
	struct channel ch = c->channels[number];
	amqp_channel_close_t *close = frames_decode(c->arena, payload);
	if (close == NULL) {
		connection_lose(c, ERROR_REFUSED, "the broker sent a method that cannot be read");
		return;
	}
	note_refusal(c, close->reply_code, close->reply_text);
	amqp_channel_close_ok_t ok = {0};
	struct error why = {0};
	IGNORE_RESULT(frames_put_method(
	    &c->wire.out, number, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok, FRAMES_MIN_SIZE, &why));
	wire_flush(&c->wire);
	error_set(&why, c->refusal.kind, "%s", c->refusal.text);
	connection_drop_channel(&c->channels[number]);
	if (ch.handlers != NULL && ch.handlers->closed != NULL && !ch.closing)
		ch.handlers->closed(ch.ctx, &why);
}

static void on_channel_method(struct connection *c, uint16_t number, struct slice payload)
{
	struct channel *ch = &c->channels[number];
	uint32_t id = frames_method_id(payload);
	if (id == AMQP_CHANNEL_CLOSE_METHOD) {
		on_channel_close(c, number, payload);
	} else if (id == AMQP_CHANNEL_CLOSE_OK_METHOD && ch->closing) {
		connection_drop_channel(ch);
	} else if (c->call_reply_id == id && c->call_channel == number && !c->call_answered) {
		buf_clear(&c->call_reply);
		buf_append(&c->call_reply, payload);
		c->call_answered = true;
	} else if (content_follows(id)) {
		struct error err = {0};
		if (!content_begin(&ch->content, payload, &err))
			connection_lose(c, err.kind, "%s", err.text);
	} else if (ch->handlers != NULL && ch->handlers->method != NULL && !ch->closing) {
		ch->handlers->method(ch->ctx, id, payload);
	}
}

/* ---- messages ---- */

static void deliver(struct connection *c, uint16_t number, struct slice method, struct message *m)
{
	struct channel *ch = &c->channels[number];
	if (ch->handlers != NULL && ch->handlers->content != NULL && !ch->closing)
		ch->handlers->content(ch->ctx, frames_method_id(method), method, m);
}

/* A frame of a message: hands the message over when that was its last one. */
static void on_content(struct connection *c, uint16_t number, const struct frame *f)
{
	struct content *content = &c->channels[number].content;
	struct error err = {0};
	struct message m;
	bool good = f->type == FRAME_HEADER ? content_add_header(content, f->payload, &err)
					    : content_add_body(content, f->payload, &err);
	if (!good) {
		connection_lose(c, err.kind, "%s", err.text);
		return;
	}
	if (!content_is_whole(content, &m))
		return;
	/* the handler may close the channel, which would free the bytes it is given */
	struct content whole = *content;
	*content = (struct content){0};
	deliver(c, number, buf_slice(&whole.method), &m);
	content_clear(&whole);
	content = &c->channels[number].content;
	if (c->channels[number].handlers != NULL && content->method.ptr == NULL)
		*content = whole; /* its memory serves the next one */
	else
		content_release(&whole);
}

static void on_frame(struct connection *c, const struct frame *f)
{
	if (f->type == FRAME_HEARTBEAT) {
		if (f->channel != 0 || f->payload.len != 0)
			connection_lose(c, ERROR_REFUSED, "the broker sent a damaged heartbeat");
		return;
	}
	if (f->channel == 0 && f->type == FRAME_METHOD) {
		on_own_method(c, f->payload);
		return;
	}
	bool known = f->channel != 0 && f->channel < c->channel_count &&
		     c->channels[f->channel].handlers != NULL;
	if (!known)
		connection_lose(c, ERROR_REFUSED,
		    "the broker sent a frame on channel %u, which is not open", f->channel);
	else if (f->type == FRAME_METHOD)
		on_channel_method(c, f->channel, f->payload);
	else
		on_content(c, f->channel, f);
}

/*
 * The way of nearly every message: its three frames stand whole and in a row in the input, so the
 * handler gets them without a copy. Returns false, having done nothing, when they do not.
 */
static bool take_whole_message(
    struct connection *c, struct slice *input, const struct frame *first, struct slice rest)
{
	if (first->type != FRAME_METHOD || first->channel == 0 ||
	    first->channel >= c->channel_count ||
	    !content_follows(frames_method_id(first->payload)) ||
	    c->channels[first->channel].content.method_id != 0)
		return false;
	struct frame header, body;
	struct error ignored; /* damage is found again, and told, by the general way */
	struct message m = {0};
	uint64_t body_bytes;
	error_clear(&ignored);
	if (frames_next(&rest, c->login.frame_max, &header, &ignored) != FRAMES_OK ||
	    header.type != FRAME_HEADER || header.channel != first->channel ||
	    !frames_read_header(header.payload, &body_bytes, &m))
		return false;
	if (body_bytes > 0) {
		if (frames_next(&rest, c->login.frame_max, &body, &ignored) != FRAMES_OK ||
		    body.type != FRAME_BODY || body.channel != first->channel ||
		    body.payload.len != body_bytes)
			return false;
		m.body = body.payload;
	}
	*input = rest;
	deliver(c, first->channel, first->payload, &m);
	return true;
}

/* ---- reading ---- */

/* The first bytes tell who answers: AMQP of another version, a web server, a TLS port. */
static void check_greeting(struct connection *c)
{
	const char *p = c->wire.in.ptr;
	c->greeted = true;
	if (memcmp(p, "AMQP", 4) == 0)
		connection_lose(c, ERROR_REFUSED,
		    "%s speaks another version of AMQP (it answered %u-%u-%u); warren speaks 0-9-1",
		    c->uri->shown, (unsigned)(unsigned char)p[5], (unsigned)(unsigned char)p[6],
		    (unsigned)(unsigned char)p[7]);
	else if (memcmp(p, "HTTP", 4) == 0)
		connection_lose(c, ERROR_REFUSED,
		    "%s is a web server, not AMQP; RabbitMQ listens on port 5672", c->uri->shown);
}

static void parse_input(struct connection *c)
{
	struct slice rest = buf_slice(&c->wire.in);
	struct error err = {0};
	while (c->wire.fd >= 0) {
		struct slice after = rest;
		struct frame frame;
		enum frames_status status = frames_next(&after, c->login.frame_max, &frame, &err);
		if (status == FRAMES_BAD)
			connection_lose(c, err.kind, "%s", err.text);
		if (status != FRAMES_OK)
			break;
		if (take_whole_message(c, &rest, &frame, after))
			continue;
		rest = after;
		on_frame(c, &frame);
	}
	wire_take(&c->wire, c->wire.in.len - rest.len);
}

/* ---- gathering ---- */

/* Puts the next read off as long as every channel under load allows. */
static void gather(struct connection *c)
{
	uint64_t slept_ns = loop_slept_ns(c->loop), hold_ns = CHRONO_NEVER;
	struct gather_load load = {.span_ns = c->wire.last_read_ns - c->read_before_ns,
	    .slept_ns = slept_ns - c->slept_before_ns};
	c->read_before_ns = c->wire.last_read_ns;
	c->slept_before_ns = slept_ns;
	for (size_t i = 1; i < c->channel_count; i++) {
		const struct channel *ch = &c->channels[i];
		if (ch->handlers == NULL || ch->handlers->load == NULL || ch->closing)
			continue;
		ch->handlers->load(ch->ctx, &load);
		load.most_ns = ch->handlers->gather_ns;
		uint64_t of_channel = gather_hold_ns(&load);
		if (load.came > 0 && of_channel < hold_ns)
			hold_ns = of_channel;
	}
	if (hold_ns > 0 && hold_ns != CHRONO_NEVER)
		wire_gather(&c->wire, hold_ns);
}

void connection_input_ended(void *ctx, int code)
{
	struct connection *c = ctx;
	const char *when = c->login.state == LOGIN_DONE ? "lost" : "no answer from";
	const struct error *failure = c->wire.tls != NULL ? tls_failure(c->wire.tls) : NULL;
	if (failure != NULL && failure->kind != ERROR_NONE)
		connection_lose(c, failure->kind, "%s", failure->text);
	else if (code == 0)
		connection_lose(c, ERROR_UNAVAILABLE,
		    "%s the broker at %s: it closed the connection", when, c->uri->shown);
	else
		connection_lose(c, ERROR_UNAVAILABLE, "%s the broker at %s: %s", when,
		    c->uri->shown, strerror(code));
}

void connection_input_arrived(void *ctx)
{
	struct connection *c = ctx;
	/* a TLS server answers what it cannot read with an alert, which is shorter than a frame */
	if (!c->greeted && c->wire.tls == NULL && c->wire.in.ptr[0] == TLS_ALERT)
		connection_lose(c, ERROR_REFUSED,
		    "%s expects TLS: use amqps://, or the port without it (RabbitMQ's is 5672)",
		    c->uri->shown);
	else if (!c->greeted && c->wire.in.len >= 8)
		check_greeting(c);
	if (c->greeted)
		parse_input(c);
	gather(c);
}
