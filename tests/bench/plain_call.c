/*
 * plain_call - the peer of `rpc call`: what a program that uses rabbitmq-c plainly does to ask, so
 * many times, over direct reply-to. Without confirms, deadlines, or a look at whose reply it is.
 * plain_call URL QUEUE COUNT IN_FLIGHT
 */
#include "plain.h"

#include <stdio.h>

#define REPLY_TO "amq.rabbitmq.reply-to"

static void ask(amqp_connection_state_t connection, const char *queue, uint64_t number)
{
	char id[24];
	snprintf(id, sizeof id, "%llu", (unsigned long long)number);
	amqp_basic_properties_t properties = {
	    ._flags = AMQP_BASIC_REPLY_TO_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG,
	    .reply_to = amqp_cstring_bytes(REPLY_TO),
	    .correlation_id = amqp_cstring_bytes(id)};
	plain_check_status(
	    amqp_basic_publish(connection, PLAIN_CHANNEL, amqp_empty_bytes,
		amqp_cstring_bytes(queue), 0, 0, &properties, amqp_cstring_bytes("hello")),
	    "publish");
}

static void take_reply(amqp_connection_state_t connection)
{
	amqp_envelope_t envelope;
	amqp_maybe_release_buffers(connection);
	plain_check_reply(amqp_consume_message(connection, &envelope, NULL, 0), "receive");
	amqp_destroy_envelope(&envelope);
}

int main(int argc, char *argv[])
{
	if (argc != 5)
		plain_die("usage", "plain_call URL QUEUE COUNT IN_FLIGHT");
	uint64_t count = plain_parse_count(argv[3]), window = plain_parse_count(argv[4]), sent = 0;
	amqp_connection_state_t connection = plain_open(argv[1]);
	amqp_basic_consume(connection, PLAIN_CHANNEL, amqp_cstring_bytes(REPLY_TO),
	    amqp_empty_bytes, 0, 1, 0, amqp_empty_table);
	plain_check_reply(amqp_get_rpc_reply(connection), "consume");
	for (uint64_t answered = 0; answered < count; answered++) {
		while (sent < count && sent - answered < window)
			ask(connection, argv[2], sent++);
		take_reply(connection);
	}
	plain_close(connection);
	return 0;
}
