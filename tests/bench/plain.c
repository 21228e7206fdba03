#include "plain.h"

#include <amqp_tcp_socket.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX 131072
#define HEARTBEAT_S 0 /* a run takes seconds, and rabbitmq-c's own waits need none */

void plain_die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

void plain_check_status(int status, const char *what)
{
	if (status < 0)
		plain_die(what, amqp_error_string2(status));
}

void plain_check_reply(amqp_rpc_reply_t reply, const char *what)
{
	if (reply.reply_type == AMQP_RESPONSE_NORMAL)
		return;
	if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
		plain_die(what, amqp_error_string2(reply.library_error));
	plain_die(what, "the broker refused");
}

uint64_t plain_parse_count(const char *text)
{
	char *end;
	errno = 0;
	unsigned long long count = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || count == 0)
		plain_die(text, "not a count");
	return count;
}

/* The defaults, the vhost "/" among them, stand where the URL says nothing. */
static struct amqp_connection_info parse_url(char *url)
{
	struct amqp_connection_info info;
	amqp_default_connection_info(&info);
	plain_check_status(amqp_parse_url(url, &info), "the URL");
	return info;
}

amqp_connection_state_t plain_open(const char *url)
{
	char *copy = strdup(url); /* parse_url writes into it */
	amqp_connection_state_t connection = amqp_new_connection();
	amqp_socket_t *socket = connection != NULL ? amqp_tcp_socket_new(connection) : NULL;
	if (copy == NULL || socket == NULL)
		plain_die("open", "out of memory");
	struct amqp_connection_info info = parse_url(copy);
	plain_check_status(amqp_socket_open(socket, info.host, info.port), "connect");
	plain_check_reply(amqp_login(connection, info.vhost, 0, FRAME_MAX, HEARTBEAT_S,
			      AMQP_SASL_METHOD_PLAIN, info.user, info.password),
	    "log in");
	amqp_channel_open(connection, PLAIN_CHANNEL);
	plain_check_reply(amqp_get_rpc_reply(connection), "open the channel");
	free(copy);
	return connection;
}

void plain_close(amqp_connection_state_t connection)
{
	plain_check_reply(amqp_connection_close(connection, AMQP_REPLY_SUCCESS), "close");
	plain_check_status(amqp_destroy_connection(connection), "close");
}

void plain_select_confirms(amqp_connection_state_t connection)
{
	amqp_confirm_select(connection, PLAIN_CHANNEL);
	plain_check_reply(amqp_get_rpc_reply(connection), "confirm.select");
}

static void settle(struct plain_confirms *c, uint64_t tag, bool multiple)
{
	for (uint64_t t = multiple ? c->lowest : tag; t <= tag; t++)
		c->is_settled[t % PLAIN_WINDOW] = true;
	while (c->lowest < c->next && c->is_settled[c->lowest % PLAIN_WINDOW])
		c->is_settled[c->lowest++ % PLAIN_WINDOW] = false;
}

bool plain_take_confirm(
    amqp_connection_state_t connection, struct plain_confirms *c, const struct timeval *most)
{
	amqp_frame_t frame;
	int status = amqp_simple_wait_frame_noblock(connection, &frame, most);
	if (status == AMQP_STATUS_TIMEOUT)
		return false;
	plain_check_status(status, "wait for a confirm");
	if (frame.frame_type != AMQP_FRAME_METHOD ||
	    frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
		plain_die("wait for a confirm", "something else came");
	const amqp_basic_ack_t *ack = frame.payload.method.decoded;
	settle(c, ack->delivery_tag, ack->multiple != 0);
	amqp_maybe_release_buffers(connection);
	return true;
}

void plain_subscribe(amqp_connection_state_t connection, const char *queue, uint16_t prefetch)
{
	amqp_basic_qos(connection, PLAIN_CHANNEL, 0, prefetch, 0);
	plain_check_reply(amqp_get_rpc_reply(connection), "basic.qos");
	amqp_basic_consume(connection, PLAIN_CHANNEL, amqp_cstring_bytes(queue), amqp_empty_bytes,
	    0, 0, 0, amqp_empty_table);
	plain_check_reply(amqp_get_rpc_reply(connection), "basic.consume");
}

void plain_acknowledge(amqp_connection_state_t connection, uint64_t tag)
{
	const amqp_boolean_t multiple = 1;
	plain_check_status(amqp_basic_ack(connection, PLAIN_CHANNEL, tag, multiple), "acknowledge");
}
