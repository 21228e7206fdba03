/*
 * plain_consume - the consumer's peer: what a program that uses rabbitmq-c plainly does to receive
 * and acknowledge. plain_consume URL QUEUE COUNT PREFETCH
 */
#include "plain.h"

#define ACK_EVERY 100

static void acknowledge(amqp_connection_state_t connection, uint64_t tag)
{
	const amqp_boolean_t multiple = 1;
	plain_check_status(amqp_basic_ack(connection, PLAIN_CHANNEL, tag, multiple), "acknowledge");
}

static void consume(amqp_connection_state_t connection, uint64_t count)
{
	for (uint64_t received = 1; received <= count; received++) {
		amqp_envelope_t envelope;
		amqp_maybe_release_buffers(connection);
		plain_check_reply(amqp_consume_message(connection, &envelope, NULL, 0), "receive");
		if (received % ACK_EVERY == 0 || received == count)
			acknowledge(connection, envelope.delivery_tag);
		amqp_destroy_envelope(&envelope);
	}
}

int main(int argc, char *argv[])
{
	if (argc != 5)
		plain_die("usage", "plain_consume URL QUEUE COUNT PREFETCH");
	uint64_t count = plain_parse_count(argv[3]), prefetch = plain_parse_count(argv[4]);
	if (prefetch > UINT16_MAX)
		plain_die(argv[4], "too many");
	amqp_connection_state_t connection = plain_open(argv[1]);
	amqp_basic_qos(connection, PLAIN_CHANNEL, 0, (uint16_t)prefetch, 0);
	plain_check_reply(amqp_get_rpc_reply(connection), "basic.qos");
	amqp_basic_consume(connection, PLAIN_CHANNEL, amqp_cstring_bytes(argv[2]), amqp_empty_bytes,
	    0, 0, 0, amqp_empty_table);
	plain_check_reply(amqp_get_rpc_reply(connection), "basic.consume");
	consume(connection, count);
	plain_close(connection);
	return 0;
}
