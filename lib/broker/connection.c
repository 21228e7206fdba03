#include "broker/connection_private.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/content.h"
#include "broker/dial.h"
#include "broker/login.h"
#include "broker/wire.h"

#include <amqp.h>
#include <amqp_framing.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_NS (10 * CHRONO_S)
#define LOGIN_NS (5 * CHRONO_S)
#define GOODBYE_NS (2 * CHRONO_S)
#define TLS_ALERT 0x15 /* the content type of its record, RFC 8446 */

struct channel {
	const struct channel_handlers *handlers; /* NULL: free */
	void *ctx;
	bool closing;		/* we sent channel.close; what still comes is dropped */
	struct content content; /* a message that is not whole yet */
};

struct connection {
	struct loop *loop;
	struct wire wire;
	const struct uri *uri;
	struct login login;
	struct error lost;
	bool blocked;
	bool goodbye_answered;
	struct channel *channels; /* by number; 0 is the connection's own */
	size_t channel_count;
	struct frames_arena *arena;
	struct connection_refusal refusal;
	char *server;
	/* a call that waits for its answer */
	uint16_t call_channel;
	uint32_t call_reply_id; /* 0: no call */
	bool call_answered;
	struct buf call_reply;
	bool greeted;	   /* the first bytes were those of AMQP */
	bool input_paused; /* asked for; a call reads nevertheless */
	/* heartbeats */
	uint64_t heartbeat_ns, heartbeat_timer;
};

/* ---- loss ---- */

static void drop_channel(struct channel *ch)
{
	content_release(&ch->content);
	*ch = (struct channel){0};
}

void connection_lose(struct connection *c, enum error_kind kind, const char *fmt, ...)
{
	if (c->lost.kind != ERROR_NONE)
		return;
	va_list args;
	va_start(args, fmt);
	char text[ERROR_TEXT_BYTES];
	(void)vsnprintf(text, sizeof text, fmt, args); /* a cut text is still worth having */
	va_end(args);
	error_set(&c->lost, kind, "%s", text);
	loop_cancel(c->loop, c->heartbeat_timer);
	c->heartbeat_timer = 0;
	wire_close(&c->wire);
	for (size_t i = 1; i < c->channel_count; i++) {
		struct channel ch = c->channels[i];
		if (ch.handlers != NULL && ch.handlers->closed != NULL && !ch.closing)
			ch.handlers->closed(ch.ctx, &c->lost);
	}
}

bool connection_check(const struct connection *c, struct error *err)
{
	return c->lost.kind == ERROR_NONE || error_set(err, c->lost.kind, "%s", c->lost.text);
}

/* ---- writing ---- */

void connection_flush(struct connection *c)
{
	wire_flush(&c->wire);
}

size_t connection_pending_bytes(const struct connection *c)
{
	return wire_pending_bytes(&c->wire);
}

struct buf *connection_output(struct connection *c)
{
	return wire_output(&c->wire);
}

bool connection_send(
    struct connection *c, uint16_t channel, uint32_t method_id, void *request, struct error *err)
{
	return connection_check(c, err) && frames_put_method(connection_output(c), channel,
					       method_id, request, c->login.frame_max, err);
}

/* A call reads on: its answer stands behind what is not wanted yet. */
static void pause_or_read(struct connection *c)
{
	wire_pause(&c->wire, c->input_paused && c->call_reply_id == 0);
}

void connection_pause_input(struct connection *c)
{
	c->input_paused = true;
	pause_or_read(c);
}

void connection_resume_input(struct connection *c)
{
	c->input_paused = false;
	pause_or_read(c);
}

/* ---- heartbeats ---- */

static void on_heartbeat(void *ctx, uint64_t now_ns)
{
	struct connection *c = ctx;
	c->heartbeat_timer = 0;
	if (!c->wire.paused && now_ns - c->wire.last_read_ns > 2 * c->heartbeat_ns) {
		connection_lose(c, ERROR_UNAVAILABLE,
		    "lost the broker at %s: no sign of life for %.0f seconds", c->uri->shown,
		    (double)(now_ns - c->wire.last_read_ns) / 1e9);
		return;
	}
	/* bytes that wait are a sign of life as good as a heartbeat behind them */
	if (now_ns - c->wire.last_write_ns >= c->heartbeat_ns / 2 &&
	    wire_pending_bytes(&c->wire) == 0)
		frames_put_heartbeat(wire_output(&c->wire));
	wire_flush(&c->wire);
	c->heartbeat_timer = loop_at(c->loop, now_ns + c->heartbeat_ns / 4, on_heartbeat, c);
}

static void start_heartbeats(struct connection *c)
{
	c->heartbeat_ns = c->login.heartbeat_s * CHRONO_S;
	if (c->heartbeat_ns == 0)
		return;
	c->heartbeat_timer =
	    loop_at(c->loop, chrono_now_ns() + c->heartbeat_ns / 4, on_heartbeat, c);
}

/* ---- what the broker says on the connection and about channels ---- */

static enum error_kind kind_of_code(const struct connection *c, uint16_t code)
{
	switch (code) {
	case AMQP_INTERNAL_ERROR: /* of a broker that is still starting, while we log in */
		return c->login.state == LOGIN_DONE ? ERROR_REFUSED : ERROR_UNAVAILABLE;
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
	free(c->refusal.text);
	c->refusal = (struct connection_refusal){code, buf_take(&shown)};
}

static void on_connection_close(struct connection *c, const amqp_connection_close_t *close)
{
	amqp_connection_close_ok_t ok = {0};
	struct error ignored = {0}; /* the connection ends either way */
	note_refusal(c, close->reply_code, close->reply_text);
	IGNORE_RESULT(frames_put_method(
	    &c->wire.out, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok, FRAMES_MIN_SIZE, &ignored));
	connection_flush(c);
	connection_lose(c, kind_of_code(c, close->reply_code),
	    "the broker closed the connection: %s", c->refusal.text);
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
	} else if (id == AMQP_CONNECTION_UNBLOCKED_METHOD) {
		log_write(LOG_WARNING, "the broker takes messages again");
		c->blocked = false;
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
	connection_flush(c);
	error_set(&why, kind_of_code(c, c->refusal.code), "%s", c->refusal.text);
	drop_channel(&c->channels[number]);
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
		drop_channel(ch);
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
	struct error ignored = {0}; /* damage is found again, and told, by the general way */
	struct message m = {0};
	uint64_t body_bytes;
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

static void on_end_of_input(void *ctx, int code)
{
	struct connection *c = ctx;
	const char *when = c->login.state == LOGIN_DONE ? "lost" : "no answer from";
	if (code == 0)
		connection_lose(c, ERROR_UNAVAILABLE,
		    "%s the broker at %s: it closed the connection", when, c->uri->shown);
	else
		connection_lose(c, ERROR_UNAVAILABLE, "%s the broker at %s: %s", when,
		    c->uri->shown, strerror(code));
}

static void on_input(void *ctx)
{
	struct connection *c = ctx;
	/* a TLS server answers what it cannot read with an alert, which is shorter than a frame */
	if (!c->greeted && c->wire.in.ptr[0] == TLS_ALERT)
		connection_lose(c, ERROR_REFUSED,
		    "%s expects TLS; write amqps:// or use the plain port", c->uri->shown);
	else if (!c->greeted && c->wire.in.len >= 8)
		check_greeting(c);
	if (c->greeted)
		parse_input(c);
}

/* ---- calls ---- */

/* Runs the loop until *done, the connection is lost, or time is up. */
static bool wait_for(struct connection *c, const bool *done, uint64_t deadline_ns, const char *what,
    struct error *err)
{
	while (!*done) {
		connection_flush(c);
		if (!connection_check(c, err))
			return false;
		if (chrono_now_ns() >= deadline_ns) {
			connection_lose(c, ERROR_UNAVAILABLE,
			    "the broker at %s did not answer %s in time", c->uri->shown, what);
			return connection_check(c, err);
		}
		if (!loop_turn(c->loop, deadline_ns, err))
			return false;
	}
	return true;
}

void *connection_call(struct connection *c, uint16_t channel, uint32_t method_id, void *request,
    uint32_t reply_id, struct error *err)
{
	uint64_t deadline = chrono_now_ns() + ANSWER_NS;
	const char *what = amqp_method_name(method_id);
	if (channel == 0) {
		error_set(err, ERROR_REFUSED, "%s on a channel that is closed", what);
		return NULL;
	}
	if (!connection_send(c, channel, method_id, request, err))
		return NULL;
	c->call_channel = channel;
	c->call_reply_id = reply_id;
	pause_or_read(c);
	c->call_answered = false;
	c->refusal.code = 0;
	while (!c->call_answered && c->channels[channel].handlers != NULL) {
		connection_flush(c);
		if (!connection_check(c, err))
			break;
		if (chrono_now_ns() >= deadline)
			connection_lose(c, ERROR_UNAVAILABLE,
			    "the broker at %s did not answer %s in 10 seconds", c->uri->shown,
			    what);
		else if (!loop_turn(c->loop, deadline, err))
			break;
	}
	c->call_reply_id = 0;
	pause_or_read(c);
	if (!c->call_answered && err->kind == ERROR_NONE)
		error_set(err, kind_of_code(c, c->refusal.code), "%s", c->refusal.text);
	return c->call_answered ? frames_decode(c->arena, buf_slice(&c->call_reply)) : NULL;
}

const struct connection_refusal *connection_refusal(const struct connection *c)
{
	return &c->refusal;
}

uint16_t connection_open_channel(
    struct connection *c, const struct channel_handlers *handlers, void *ctx, struct error *err)
{
	size_t number = 1;
	while (number < c->channel_count && c->channels[number].handlers != NULL)
		number++;
	if (number > c->login.channel_max) {
		error_set(err, ERROR_REFUSED, "the broker allows %u channels on a connection",
		    c->login.channel_max);
		return 0;
	}
	size_t capacity = c->channel_count;
	c->channels = mem_grow(c->channels, &capacity, number + 1, sizeof *c->channels);
	c->channel_count = capacity;
	c->channels[number] = (struct channel){.handlers = handlers, .ctx = ctx};
	amqp_channel_open_t open = {0};
	if (connection_call(c, (uint16_t)number, AMQP_CHANNEL_OPEN_METHOD, &open,
		AMQP_CHANNEL_OPEN_OK_METHOD, err) != NULL)
		return (uint16_t)number;
	c->channels[number] = (struct channel){0};
	return 0;
}

void connection_close_channel(struct connection *c, uint16_t channel)
{
	if (channel == 0 || channel >= c->channel_count || c->channels[channel].handlers == NULL)
		return;
	c->channels[channel].closing = true;
	amqp_channel_close_t close = {.reply_code = AMQP_REPLY_SUCCESS};
	struct error ignored = {0}; /* a lost connection has closed its channels already */
	IGNORE_RESULT(connection_send(c, channel, AMQP_CHANNEL_CLOSE_METHOD, &close, &ignored));
}

/* ---- opening and closing ---- */

static void free_connection(struct connection *c)
{
	wire_release(&c->wire);
	loop_cancel(c->loop, c->heartbeat_timer);
	for (size_t i = 0; i < c->channel_count; i++)
		content_release(&c->channels[i].content);
	free(c->channels);
	frames_arena_free(c->arena);
	login_release(&c->login);
	free(c->refusal.text);
	buf_release(&c->call_reply);
	free(c);
}

static bool log_in(struct connection *c, uint64_t deadline_ns, struct error *err)
{
	frames_put_protocol_header(&c->wire.out);
	while (c->login.state != LOGIN_DONE) {
		connection_flush(c);
		if (!connection_check(c, err))
			return false;
		if (loop_stop_requested(c->loop))
			return error_set(err, ERROR_UNAVAILABLE, "stopped while logging in");
		if (chrono_now_ns() >= deadline_ns)
			return error_set(err, ERROR_UNAVAILABLE,
			    "the broker at %s does not answer: is it AMQP?", c->uri->shown);
		if (!loop_turn(c->loop, deadline_ns, err))
			return false;
	}
	start_heartbeats(c);
	return true;
}

struct connection *connection_open(
    struct loop *loop, const struct connection_options *options, struct error *err)
{
	const struct uri *uri = options->uri;
	uint64_t limit =
	    uri->connection_timeout_ms ? uri->connection_timeout_ms * CHRONO_MS : LOGIN_NS;
	uint64_t deadline = chrono_now_ns() + limit;
	if (uri->tls) {
		error_set(
		    err, ERROR_SETTINGS, "%s: TLS is not built in yet; use amqp://", uri->shown);
		return NULL;
	}
	int fd = dial_tcp(loop, uri->host, uri->port, deadline, err);
	if (fd < 0)
		return NULL;
	struct connection *c = mem_alloc(1, sizeof *c);
	c->loop = loop;
	c->uri = uri;
	c->wire.arrived = on_input;
	c->wire.ended = on_end_of_input;
	c->wire.ctx = c;
	wire_open(&c->wire, loop, fd);
	c->arena = frames_arena_create();
	c->channel_count = 1; /* number 0 is the connection's own and has no handlers */
	c->channels = mem_alloc(1, sizeof *c->channels);
	login_init(&c->login, options->name,
	    uri->heartbeat_s != UINT64_MAX ? uri->heartbeat_s : options->heartbeat_s);
	if (log_in(c, deadline, err))
		return c;
	free_connection(c);
	return NULL;
}

void connection_close(struct connection *c)
{
	if (c == NULL)
		return;
	amqp_connection_close_t close = {.reply_code = AMQP_REPLY_SUCCESS};
	struct error ignored = {0}; /* nothing more is expected of a connection that ends */
	connection_resume_input(c);
	for (size_t i = 1; i < c->channel_count; i++)
		c->channels[i].closing = true;
	if (connection_send(c, 0, AMQP_CONNECTION_CLOSE_METHOD, &close, &ignored))
		(void)wait_for(c, &c->goodbye_answered, chrono_now_ns() + GOODBYE_NS,
		    "connection.close", &ignored);
	free_connection(c);
}

/* ---- looking ---- */

bool connection_is_blocked(const struct connection *c)
{
	return c->blocked;
}

const char *connection_shown(const struct connection *c)
{
	return c->uri->shown;
}

const char *connection_server(const struct connection *c)
{
	return c->login.server;
}

uint32_t connection_frame_max(const struct connection *c)
{
	return c->login.frame_max;
}

struct loop *connection_loop(const struct connection *c)
{
	return c->loop;
}
