#include "deeds.h"

#include "base/mem.h"

#include <stdlib.h>
#include <sys/socket.h>

/* ---- silence ---- */

static bool say_nothing(struct peer *p)
{
	p->dumb = p->mute = true;
	return true;
}

/* Alive, but this is never answered. */
static bool never_answer(struct peer *p)
{
	p->dumb = true;
	return true;
}

static bool start_half(struct peer *p)
{
	peer_put_start(p, "PLAIN", "Hostile");
	buf_truncate(&p->out, p->out.len / 2);
	return say_nothing(p);
}

static bool stop_reading(struct peer *p)
{
	p->deaf = true;
	return true;
}

bool deeds_hang_up(struct peer *p)
{
	p->over = true;
	return true;
}

static bool reset(struct peer *p)
{
	struct linger now = {1, 0};
	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	return deeds_hang_up(p);
}

/* ---- what is no AMQP 0-9-1 ---- */

static bool say(struct peer *p, const char *bytes, size_t len)
{
	peer_put_bytes(p, bytes, len);
	return say_nothing(p);
}

static bool say_http(struct peer *p)
{
	static const char answer[] =
	    "HTTP/1.1 400 Bad Request\r\nServer: " DEEDS_ESCAPES "\r\n\r\n";
	return say(p, answer, sizeof answer - 1);
}

static bool say_amqp_1_0(struct peer *p)
{
	return say(p, "AMQP\0\1\0\0", 8);
}

static bool say_same_header(struct peer *p)
{
	return say(p, "AMQP\0\0\11\1", 8);
}

static bool say_tls_alert(struct peer *p)
{
	return say(p, "\25\3\1\0\2\2\106", 7);
}

static bool say_ssh(struct peer *p)
{
	return say(p, "SSH-2.0-" DEEDS_ESCAPES "\r\n", sizeof "SSH-2.0-" DEEDS_ESCAPES "\r\n" - 1);
}

/* ---- logging in ---- */

static bool strange_mechanisms(struct peer *p)
{
	peer_put_start(p, "KERBEROS " DEEDS_ESCAPES, "Hostile");
	return say_nothing(p);
}

static bool escapes_in_properties(struct peer *p)
{
	peer_put_start(p, "PLAIN", DEEDS_ESCAPES_UTF8);
	return true;
}

/* A mebibyte, which no frame of a login may have. */
static bool huge_start(struct peer *p)
{
	char *name = mem_alloc(1, 1 << 20);
	memset(name, 'x', 1 << 20);
	peer_put_frame(p, FRAME_METHOD, 0, (struct slice){name, 1 << 20}, DEEDS_FRAME_END);
	free(name);
	return say_nothing(p);
}

static bool tune_tiny_frames(struct peer *p)
{
	amqp_connection_tune_t tune = {1, 8, 1};
	peer_put(p, 0, AMQP_CONNECTION_TUNE_METHOD, &tune);
	return true;
}

static bool tune_twice(struct peer *p)
{
	amqp_connection_tune_t tune = {0, 0, 0};
	peer_put(p, 0, AMQP_CONNECTION_TUNE_METHOD, &tune);
	peer_put(p, 0, AMQP_CONNECTION_TUNE_METHOD, &tune);
	return true;
}

static bool close_with(struct peer *p, uint16_t code)
{
	amqp_connection_close_t close = {
	    code, amqp_cstring_bytes("REFUSED - " DEEDS_ESCAPES), 10, 40};
	peer_put(p, 0, AMQP_CONNECTION_CLOSE_METHOD, &close);
	p->dumb = true;
	return true;
}

static bool refuse_login(struct peer *p)
{
	return close_with(p, 403);
}

static bool refuse_vhost(struct peer *p)
{
	return close_with(p, 530);
}

/* ---- calls ---- */

bool deeds_close_channel(struct peer *p)
{
	amqp_channel_close_t close = {
	    404, amqp_cstring_bytes("NOT_FOUND - no queue '" DEEDS_ESCAPES "'"), 50, 10};
	peer_put(p, p->channel, AMQP_CHANNEL_CLOSE_METHOD, &close);
	return true;
}

bool deeds_close_connection(struct peer *p)
{
	return close_with(p, 320);
}

static bool answer_something_else(struct peer *p)
{
	amqp_basic_get_empty_t empty = {{0, NULL}};
	peer_put(p, p->channel, AMQP_BASIC_GET_EMPTY_METHOD, &empty);
	p->dumb = true;
	return true;
}

/* channel.open-ok whose long string is longer than the frame. */
static bool answer_damaged(struct peer *p)
{
	peer_put_frame(p, FRAME_METHOD, p->channel, SLICE("\0\24\0\13\0\0\0\377"), DEEDS_FRAME_END);
	return true;
}

/* ---- what becomes of messages ---- */

static bool ack_unknown_tag(struct peer *p)
{
	frames_put_ack(&p->out, p->channel, 999999, false);
	return true;
}

static bool ack_0(struct peer *p)
{
	frames_put_ack(&p->out, p->channel, 0, false);
	return true;
}

static bool ack_most(struct peer *p)
{
	frames_put_ack(&p->out, p->channel, UINT64_MAX, true);
	return true;
}

static bool ack_twice(struct peer *p)
{
	frames_put_ack(&p->out, p->channel, p->published, false);
	frames_put_ack(&p->out, p->channel, p->published, false);
	return true;
}

static bool ack_before(struct peer *p)
{
	for (uint64_t tag = 1; tag <= 100; tag++)
		frames_put_ack(&p->out, p->channel, tag, false);
	return false;
}

static bool nack_all(struct peer *p)
{
	frames_put_nack(&p->out, p->channel, p->published, false, false);
	return true;
}

static void put_return(struct peer *p)
{
	amqp_basic_return_t returned = {312, amqp_cstring_bytes("NO_ROUTE " DEEDS_ESCAPES),
	    amqp_cstring_bytes(""), amqp_cstring_bytes("q")};
	peer_put(p, p->channel, AMQP_BASIC_RETURN_METHOD, &returned);
}

/* With the message's own properties; the body is not looked at by anybody. */
static bool return_all(struct peer *p)
{
	static const char size[8] = {0, 0, 0, 0, 0, 0, 0, 4};
	put_return(p);
	memcpy(p->header.ptr + 4, size, sizeof size);
	peer_put_frame(p, FRAME_HEADER, p->channel, buf_slice(&p->header), DEEDS_FRAME_END);
	peer_put_body(p, p->channel, SLICE("back"));
	return false;
}

static bool return_unknown(struct peer *p)
{
	put_return(p);
	peer_put_header(p, p->channel, 4, NULL);
	peer_put_body(p, p->channel, SLICE("back"));
	return false;
}

static bool deliver_to_producer(struct peer *p)
{
	peer_put_message(p, 1, NULL, SLICE("not asked for"));
	return false;
}

static bool server_cancel(struct peer *p)
{
	amqp_basic_cancel_t cancel = {amqp_cstring_bytes(p->consumer_tag), 1};
	peer_put(p, p->channel, AMQP_BASIC_CANCEL_METHOD, &cancel);
	return true;
}

static bool same_tag_twice(struct peer *p)
{
	peer_put_message(p, 1, NULL, SLICE("one"));
	peer_put_message(p, 1, NULL, SLICE("one"));
	return true;
}

static bool tags_out_of_order(struct peer *p)
{
	peer_put_message(p, UINT64_MAX, NULL, SLICE("last"));
	peer_put_message(p, 0, NULL, SLICE("none"));
	peer_put_message(p, 5, NULL, SLICE("five"));
	return true;
}

static void put_blocked(struct peer *p)
{
	amqp_connection_blocked_t blocked = {amqp_cstring_bytes("low on " DEEDS_ESCAPES)};
	peer_put(p, 0, AMQP_CONNECTION_BLOCKED_METHOD, &blocked);
}

static bool blocked_for_ever(struct peer *p)
{
	put_blocked(p);
	return false;
}

static bool blocked_then_unblocked(struct peer *p)
{
	amqp_connection_unblocked_t unblocked = {0};
	put_blocked(p);
	peer_put(p, 0, AMQP_CONNECTION_UNBLOCKED_METHOD, &unblocked);
	return false;
}

static bool unblocked_never_blocked(struct peer *p)
{
	amqp_connection_unblocked_t unblocked = {0};
	peer_put(p, 0, AMQP_CONNECTION_UNBLOCKED_METHOD, &unblocked);
	return false;
}

const struct scenario deeds_of_session[] = {
    {"silent", AT_HEADER, say_nothing},
    {"start_half_then_hang", AT_HEADER, start_half},
    {"tune_never", AT_START_OK, say_nothing},
    {"open_never", AT_OPEN, say_nothing},
    {"rpc_never", AT_CALL, never_answer},
    {"goodbye_never", AT_END, never_answer},
    {"publish_stop_reading", AT_PUBLISH, stop_reading},
    {"consume_stop_reading", AT_CONSUME, stop_reading},
    {"publish_heartbeats_stop", AT_PUBLISH, say_nothing},
    {"consume_heartbeats_stop", AT_CONSUME, say_nothing},
    {"never_confirm", AT_PUBLISH, never_answer},
    {"close_at_header", AT_HEADER, deeds_hang_up},
    {"close_at_start_ok", AT_START_OK, deeds_hang_up},
    {"close_at_open", AT_OPEN, deeds_hang_up},
    {"close_at_call", AT_CALL, deeds_hang_up},
    {"close_at_consume", AT_CONSUME, deeds_hang_up},
    {"consume_closes_channel", AT_REST, deeds_close_channel},
    {"consume_closes_connection", AT_REST, deeds_close_connection},
    {"close_at_publish", AT_PUBLISH, deeds_hang_up},
    {"reset_at_header", AT_HEADER, reset},
    {"reset_at_consume", AT_CONSUME, reset},
    {"reset_at_publish", AT_PUBLISH, reset},
    {"http", AT_HEADER, say_http},
    {"amqp_1_0", AT_HEADER, say_amqp_1_0},
    {"amqp_same_header", AT_HEADER, say_same_header},
    {"tls_alert", AT_HEADER, say_tls_alert},
    {"ssh", AT_HEADER, say_ssh},
    {"strange_mechanisms", AT_HEADER, strange_mechanisms},
    {"escapes_in_properties", AT_HEADER, escapes_in_properties},
    {"huge_start", AT_HEADER, huge_start},
    {"tune_tiny_frames", AT_START_OK, tune_tiny_frames},
    {"tune_twice", AT_START_OK, tune_twice},
    {"refuse_login", AT_START_OK, refuse_login},
    {"refuse_vhost", AT_OPEN, refuse_vhost},
    {"call_closes_channel", AT_CALL, deeds_close_channel},
    {"call_closes_connection", AT_CALL, deeds_close_connection},
    {"call_answer_damaged", AT_CALL, answer_damaged},
    {"call_answers_something_else", AT_CALL, answer_something_else},
    {"ack_unknown_tag", AT_PUBLISH, ack_unknown_tag},
    {"ack_0", AT_PUBLISH, ack_0},
    {"ack_most", AT_PUBLISH, ack_most},
    {"ack_twice", AT_PUBLISH, ack_twice},
    {"ack_before", AT_OPEN, ack_before},
    {"nack_all", AT_PUBLISH, nack_all},
    {"return_all", AT_PUBLISH, return_all},
    {"return_unknown", AT_PUBLISH, return_unknown},
    {"deliver_to_producer", AT_PUBLISH, deliver_to_producer},
    {"publish_closes_channel", AT_PUBLISH, deeds_close_channel},
    {"publish_closes_connection", AT_PUBLISH, deeds_close_connection},
    {"server_cancel", AT_REST, server_cancel},
    {"server_cancel_at_once", AT_CONSUME, server_cancel},
    {"same_tag_twice", AT_CONSUME, same_tag_twice},
    {"tags_out_of_order", AT_CONSUME, tags_out_of_order},
    {"blocked_for_ever", AT_OPEN, blocked_for_ever},
    {"blocked_then_unblocked", AT_OPEN, blocked_then_unblocked},
    {"unblocked_never_blocked", AT_OPEN, unblocked_never_blocked},
    {NULL, AT_END, NULL},
};
