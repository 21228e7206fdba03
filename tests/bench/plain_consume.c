/*
 * plain_consume - the consumer's peer: what a program that uses rabbitmq-c plainly does to receive
 * and acknowledge. plain_consume URL QUEUE COUNT PREFETCH
 */
#include "plain.h"

static void consume(amqp_connection_state_t connection, uint64_t count)
{
	for (uint64_t received = 1; received <= count; received++) {
		amqp_envelope_t envelope;
		amqp_maybe_release_buffers(connection);
		plain_check_reply(amqp_consume_message(connection, &envelope, NULL, 0), "receive");
		if (received % PLAIN_ACK_EVERY == 0 || received == count)
			plain_acknowledge(connection, envelope.delivery_tag);
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
	plain_subscribe(connection, argv[2], (uint16_t)prefetch);
	consume(connection, count);
	plain_close(connection);
	return 0;
}
