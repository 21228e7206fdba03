#include "peer.h"

#include "base/chrono.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_END 0xce
#define HEARTBEAT_MS 300 /* under half of the least interval, a second */
#define READ_BYTES (64u * 1024)

/* ---- putting ---- */

void peer_put_u32(struct buf *b, uint64_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_append_char(b, (char)(value >> shift));
}

void peer_put_bytes(struct peer *p, const void *bytes, size_t len)
{
	buf_append(&p->out, (struct slice){bytes, len});
}

void peer_put(struct peer *p, uint16_t channel, uint32_t id, void *method)
{
	struct error err = {0};
	if (!frames_put_method(&p->out, channel, id, method, FRAMES_DEFAULT_SIZE, &err))
		abort(); /* a scenario that cannot be played */
}

void peer_put_frame(
    struct peer *p, unsigned type, uint16_t channel, struct slice payload, unsigned char end)
{
	buf_append_char(&p->out, (char)type);
	buf_append_char(&p->out, (char)(channel >> 8));
	buf_append_char(&p->out, (char)channel);
	peer_put_u32(&p->out, payload.len);
	buf_append(&p->out, payload);
	buf_append_char(&p->out, (char)end);
}

void peer_put_start(struct peer *p, const char *mechanisms, const char *product)
{
	amqp_table_entry_t properties[] = {
	    {amqp_cstring_bytes("product"),
		{.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(product)}},
	    {amqp_cstring_bytes("version"),
		{.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes("1.0")}},
	};
	amqp_connection_start_t start = {.version_major = 0,
	    .version_minor = 9,
	    .server_properties = {2, properties},
	    .mechanisms = amqp_cstring_bytes(mechanisms),
	    .locales = amqp_cstring_bytes("en_US")};
	peer_put(p, 0, AMQP_CONNECTION_START_METHOD, &start);
}

void peer_put_deliver(struct peer *p, uint16_t channel, uint64_t tag)
{
	amqp_basic_deliver_t deliver = {.consumer_tag = amqp_cstring_bytes(p->consumer_tag),
	    .delivery_tag = tag,
	    .exchange = amqp_cstring_bytes(""),
	    .routing_key = amqp_cstring_bytes("q")};
	peer_put(p, channel, AMQP_BASIC_DELIVER_METHOD, &deliver);
}

void peer_put_header(
    struct peer *p, uint16_t channel, uint64_t body_bytes, const struct slice *headers)
{
	struct buf payload = {0};
	peer_put_u32(&payload, 60u << 16);
	peer_put_u32(&payload, body_bytes >> 32);
	peer_put_u32(&payload, body_bytes & UINT32_MAX);
	buf_append(&payload, headers != NULL ? SLICE("\x20\0") : SLICE("\0\0"));
	if (headers != NULL) {
		peer_put_u32(&payload, headers->len);
		buf_append(&payload, *headers);
	}
	peer_put_frame(p, FRAME_HEADER, channel, buf_slice(&payload), FRAME_END);
	buf_release(&payload);
}

void peer_put_body(struct peer *p, uint16_t channel, struct slice body)
{
	while (body.len > 0) {
		size_t most = FRAMES_DEFAULT_SIZE - FRAMES_OVERHEAD;
		struct slice piece = {body.ptr, body.len < most ? body.len : most};
		peer_put_frame(p, FRAME_BODY, channel, piece, FRAME_END);
		body.ptr += piece.len;
		body.len -= piece.len;
	}
}

void peer_put_message(struct peer *p, uint64_t tag, const struct slice *headers, struct slice body)
{
	peer_put_deliver(p, p->channel, tag);
	peer_put_header(p, p->channel, body.len, headers);
	peer_put_body(p, p->channel, body);
}

/* ---- the socket ---- */

bool peer_flush(struct peer *p)
{
	if (p->out.len > 0 && p->sending != NULL)
		p->sending(p);
	for (size_t at = 0; at < p->out.len;) {
		ssize_t n = send(p->fd, p->out.ptr + at, p->out.len - at, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR) {
			p->over = true;
			break;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	buf_clear(&p->out);
	return !p->over;
}

/* Waits for bytes; false when there are none for now. */
static bool receive(struct peer *p)
{
	struct pollfd one = {p->fd, POLLIN, 0};
	int most_ms = p->idle_ms > 0 && p->idle_ms < HEARTBEAT_MS ? p->idle_ms : HEARTBEAT_MS;
	if (p->deaf)
		one.events = POLLRDHUP;
	if (poll(&one, 1, most_ms) <= 0) {
		p->over |= p->idle_ms > 0;
		return false;
	}
	if (p->deaf) {
		p->over = true;
		return false;
	}
	ssize_t n = recv(p->fd, buf_reserve(&p->in, READ_BYTES), READ_BYTES, 0);
	if (n <= 0)
		p->over = true;
	else
		p->in.len += (size_t)n;
	return n > 0;
}

/* ---- hearing ---- */

static bool is_answered(struct peer *p, enum moment moment)
{
	return p->dumb || (p->at != NULL && p->at(p, moment));
}

static void answer_queue_declare(struct peer *p, uint16_t channel)
{
	amqp_queue_declare_ok_t ok = {amqp_cstring_bytes("q"), 5, 0};
	peer_put(p, channel, AMQP_QUEUE_DECLARE_OK_METHOD, &ok);
}

static void answer_consume(struct peer *p, uint16_t channel, const amqp_basic_consume_t *consume)
{
	size_t len = consume->consumer_tag.len < 255 ? consume->consumer_tag.len : 255;
	memcpy(p->consumer_tag, consume->consumer_tag.bytes, len);
	p->consumer_tag[len] = '\0';
	if (len == 0)
		strcpy(p->consumer_tag, "ctag");
	amqp_basic_consume_ok_t ok = {amqp_cstring_bytes(p->consumer_tag)};
	peer_put(p, channel, AMQP_BASIC_CONSUME_OK_METHOD, &ok);
	p->channel = channel;
	(void)is_answered(p, AT_CONSUME); /* it is, here */
}

static void answer_call(struct peer *p, uint16_t channel, uint32_t id, void *decoded)
{
	amqp_channel_open_ok_t open_ok = {{0, NULL}};
	amqp_basic_cancel_t *cancel = decoded;
	p->channel = channel;
	if (is_answered(p, AT_CALL))
		return;
	switch (id) {
	case AMQP_CHANNEL_OPEN_METHOD:
		peer_put(p, channel, AMQP_CHANNEL_OPEN_OK_METHOD, &open_ok);
		break;
	case AMQP_QUEUE_DECLARE_METHOD:
		answer_queue_declare(p, channel);
		break;
	case AMQP_BASIC_CONSUME_METHOD:
		answer_consume(p, channel, decoded);
		break;
	case AMQP_BASIC_CANCEL_METHOD:
		peer_put(p, channel, AMQP_BASIC_CANCEL_OK_METHOD,
		    &(amqp_basic_cancel_ok_t){cancel->consumer_tag});
		break;
	default: /* the answer without arguments is the next number */
		peer_put_bytes(p, "\1", 1);
		buf_append_char(&p->out, (char)(channel >> 8));
		buf_append_char(&p->out, (char)channel);
		peer_put_u32(&p->out, 4);
		peer_put_u32(&p->out, id + 1);
		buf_append_char(&p->out, (char)FRAME_END);
	}
}

static void note_published(struct peer *p)
{
	p->published++;
	if (is_answered(p, AT_PUBLISH))
		return;
	frames_put_ack(&p->out, p->channel, p->published, false);
}

static void hear_own_method(struct peer *p, uint32_t id)
{
	amqp_connection_tune_t tune = {2047, FRAMES_DEFAULT_SIZE, 60};
	amqp_connection_open_ok_t open_ok = {{0, NULL}};
	amqp_connection_close_ok_t close_ok = {0};
	if (id == AMQP_CONNECTION_START_OK_METHOD && !is_answered(p, AT_START_OK)) {
		peer_put(p, 0, AMQP_CONNECTION_TUNE_METHOD, &tune);
	} else if (id == AMQP_CONNECTION_OPEN_METHOD && !is_answered(p, AT_OPEN)) {
		peer_put(p, 0, AMQP_CONNECTION_OPEN_OK_METHOD, &open_ok);
	} else if (id == AMQP_CONNECTION_CLOSE_METHOD && !is_answered(p, AT_END)) {
		peer_put(p, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &close_ok);
		(void)peer_flush(p); /* the session is over in any case */
		p->over = true;
	} else if (id == AMQP_CONNECTION_CLOSE_OK_METHOD) {
		p->over = true;
	}
}

static bool has_no_answer(uint32_t id)
{
	return id == AMQP_BASIC_PUBLISH_METHOD || id == AMQP_BASIC_ACK_METHOD ||
	       id == AMQP_BASIC_NACK_METHOD || id == AMQP_BASIC_REJECT_METHOD ||
	       id == AMQP_CHANNEL_CLOSE_OK_METHOD || id == AMQP_BASIC_CANCEL_OK_METHOD;
}

static void hear(struct peer *p, struct frames_arena *arena, const struct frame *f)
{
	struct message m = {0};
	uint32_t id = f->type == FRAME_METHOD ? frames_method_id(f->payload) : 0;
	void *decoded = id != 0 ? frames_decode(arena, f->payload) : NULL;
	if (f->type == FRAME_METHOD && f->channel == 0)
		hear_own_method(p, id);
	else if (f->type == FRAME_METHOD && decoded != NULL && !has_no_answer(id))
		answer_call(p, f->channel, id, decoded);
	else if (f->type == FRAME_HEADER && frames_read_header(f->payload, &p->body_left, &m)) {
		buf_clear(&p->header);
		buf_append(&p->header, f->payload);
		if (p->body_left == 0)
			note_published(p);
	} else if (f->type == FRAME_BODY && p->body_left > 0) {
		p->body_left -= f->payload.len < p->body_left ? f->payload.len : p->body_left;
		if (p->body_left == 0)
			note_published(p);
	}
}

static void hear_all(struct peer *p, struct frames_arena *arena)
{
	struct slice rest = buf_slice(&p->in);
	struct error err = {0};
	struct frame f;
	while (!p->over && frames_next(&rest, FRAMES_DEFAULT_SIZE, &f, &err) == FRAMES_OK)
		hear(p, arena, &f);
	buf_consume(&p->in, p->in.len - rest.len);
}

static bool hear_protocol_header(struct peer *p)
{
	while (p->in.len < 8 && !p->over)
		(void)receive(p); /* p->over tells */
	if (p->over)
		return false;
	buf_consume(&p->in, 8);
	if (!is_answered(p, AT_HEADER))
		peer_put_start(p, "PLAIN AMQPLAIN", "Hostile");
	return true;
}

static void note_rest(struct peer *p)
{
	bool at_work = p->consumer_tag[0] != '\0' || p->published > 0;
	if (at_work && !p->rested)
		(void)is_answered(p, AT_REST); /* there is nothing to answer */
	p->rested |= at_work;
}

void peer_serve(struct peer *p)
{
	struct frames_arena *arena = frames_arena_create();
	uint64_t last_ns = chrono_now_ns();
	if (hear_protocol_header(p))
		(void)peer_flush(p); /* p->over tells */
	while (!p->over) {
		if (receive(p))
			hear_all(p, arena);
		if (!p->mute && chrono_now_ns() - last_ns > HEARTBEAT_MS * CHRONO_MS) {
			frames_put_heartbeat(&p->out);
			last_ns = chrono_now_ns();
			note_rest(p);
		}
		(void)peer_flush(p);
	}
	frames_arena_free(arena);
	buf_release(&p->in);
	buf_release(&p->out);
	buf_release(&p->header);
}
