#include "broker/connection.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "broker/connection_input.h"
#include "broker/connection_private.h"
#include "broker/connection_state_private.h"
#include "broker/dial.h"

#include <amqp.h>
#include <amqp_framing.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_NS (10 * CHRONO_S)
#define LOGIN_NS (5 * CHRONO_S)
#define GOODBYE_NS (2 * CHRONO_S)
#define SILENCE_NS (60 * CHRONO_S) /* without heartbeats */
#define LATE_NS (250 * CHRONO_MS)  /* nobody is woken so late but who stood still */

/* Whether the broker's time is up. Not when we come so late that we have not been there to hear it,
 * as on a machine that stands still, which may hold up the broker as well: then it has the whole
 * time once more. */
static bool is_over(uint64_t *deadline_ns, uint64_t limit_ns)
{
	uint64_t now = chrono_now_ns();
	if (now < *deadline_ns)
		return false;
	if (now - *deadline_ns < LATE_NS)
		return true;
	*deadline_ns = now + limit_ns;
	return false;
}

/* ---- loss ---- */

void connection_drop_channel(struct channel *ch)
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

void connection_abort(struct connection *c, const char *why)
{
	connection_lose(c, ERROR_UNAVAILABLE, "%s", why);
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

uint64_t connection_activity(const struct connection *c)
{
	return c->wire.events;
}

size_t connection_pending_bytes(const struct connection *c)
{
	return wire_pending_bytes(&c->wire);
}

uint64_t connection_taken_bytes(const struct connection *c)
{
	return wire_taken_bytes(&c->wire);
}

uint64_t connection_put_bytes(const struct connection *c)
{
	return c->wire.written + wire_pending_bytes(&c->wire);
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
	uint64_t next_ns = now_ns + c->heartbeat_ns / 4;
	uint64_t too_long_ns = c->wire.last_read_ns + 2 * c->heartbeat_ns + CHRONO_MS;
	bool is_last = !c->wire.paused && too_long_ns > now_ns && too_long_ns < next_ns;
	c->heartbeat_timer = loop_at(c->loop, is_last ? too_long_ns : next_ns, on_heartbeat, c);
}

static void start_heartbeats(struct connection *c)
{
	c->heartbeat_ns = c->login.heartbeat_s * CHRONO_S;
	c->silence_ns = c->heartbeat_ns > 0 ? 3 * c->heartbeat_ns : SILENCE_NS;
	dial_limit_silence(c->wire.fd, c->silence_ns);
	if (c->heartbeat_ns == 0)
		return;
	c->heartbeat_timer =
	    loop_at(c->loop, chrono_now_ns() + c->heartbeat_ns / 4, on_heartbeat, c);
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
		if (is_over(&deadline, ANSWER_NS))
			connection_lose(c, ERROR_UNAVAILABLE,
			    "the broker at %s did not answer %s in 10 seconds", c->uri->shown,
			    what);
		else if (!loop_turn(c->loop, deadline, err))
			break;
	}
	c->call_reply_id = 0;
	pause_or_read(c);
	if (!c->call_answered && err->kind == ERROR_NONE)
		error_set(err, c->refusal.kind, "%s", c->refusal.text);
	void *reply = c->call_answered ? frames_decode(c->arena, buf_slice(&c->call_reply)) : NULL;
	if (c->call_answered && reply == NULL) {
		connection_lose(c, ERROR_REFUSED, "the broker's answer to %s cannot be read", what);
		IGNORE_RESULT(connection_check(c, err)); /* which is false now */
	}
	return reply;
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
	connection_drop_channel(&c->channels[number]); /* with what came on it meanwhile */
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

static bool log_in(struct connection *c, uint64_t deadline_ns, uint64_t limit_ns, struct error *err)
{
	frames_put_protocol_header(&c->wire.out);
	while (c->login.state != LOGIN_DONE) {
		connection_flush(c);
		if (!connection_check(c, err))
			return false;
		if (loop_stop_requested(c->loop))
			return error_set(err, ERROR_UNAVAILABLE, "stopped while logging in");
		if (is_over(&deadline_ns, limit_ns))
			return error_set(err, ERROR_UNAVAILABLE,
			    "the broker at %s does not answer: is it AMQP?", c->uri->shown);
		if (!loop_turn(c->loop, deadline_ns, err))
			return false;
	}
	start_heartbeats(c);
	return true;
}

/* As it was made: nothing of the connection before is left. */
static void reset(struct connection *c, const struct uri *uri)
{
	wire_reset(&c->wire);
	for (size_t i = 0; i < c->channel_count; i++)
		connection_drop_channel(&c->channels[i]);
	login_release(&c->login);
	login_init(&c->login, c->name,
	    uri->heartbeat_s != UINT64_MAX ? uri->heartbeat_s : c->asked_heartbeat_s);
	c->uri = uri;
	error_clear(&c->lost);
	c->blocked = c->goodbye_answered = c->greeted = c->input_paused = false;
	c->refusal.code = 0;
}

static bool dial_and_log_in(struct connection *c, struct error *err)
{
	const struct uri *uri = c->uri;
	uint64_t limit =
	    uri->connection_timeout_ms ? uri->connection_timeout_ms * CHRONO_MS : LOGIN_NS;
	uint64_t deadline = chrono_now_ns() + limit;
	int fd = dial_tcp(c->loop, uri->host, uri->port, deadline, err);
	if (fd < 0)
		return false;
	struct tls *tls = uri->tls ? tls_open(c->loop, fd, uri, deadline, err) : NULL;
	if (uri->tls && tls == NULL) {
		close(fd);
		return false;
	}
	wire_open(&c->wire, c->loop, fd, tls);
	return log_in(c, deadline, limit, err);
}

bool connection_reopen(struct connection *c, const struct uri *uri, struct error *err)
{
	struct error why = {0};
	reset(c, uri);
	if (dial_and_log_in(c, &why))
		return true;
	connection_lose(c, why.kind, "%s", why.text);
	return error_set(err, why.kind, "%s", why.text);
}

struct connection *connection_open(
    struct loop *loop, const struct connection_options *options, struct error *err)
{
	struct connection *c = mem_alloc(1, sizeof *c);
	c->loop = loop;
	c->name = options->name;
	c->asked_heartbeat_s = options->heartbeat_s;
	c->wire.arrived = connection_input_arrived;
	c->wire.ended = connection_input_ended;
	c->wire.ctx = c;
	c->wire.fd = -1;
	c->arena = frames_arena_create();
	c->channel_count = 1; /* number 0 is the connection's own and has no handlers */
	c->channels = mem_alloc(1, sizeof *c->channels);
	if (connection_reopen(c, options->uri, err))
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

const char *connection_tls(const struct connection *c)
{
	return c->wire.tls != NULL ? tls_shown(c->wire.tls) : NULL;
}

uint16_t connection_refusal_code(const struct connection *c)
{
	return c->refusal.code;
}

struct loop *connection_loop(const struct connection *c)
{
	return c->loop;
}
