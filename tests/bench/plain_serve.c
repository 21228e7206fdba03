/*
 * plain_serve - the peer of `rpc serve --echo`: what a program that uses rabbitmq-c plainly does to
 * answer: take, publish, acknowledge. Without confirms. plain_serve URL QUEUE COUNT PREFETCH
 */
#include "plain.h"

static void answer(amqp_connection_state_t connection, const amqp_envelope_t *request)
{
	const amqp_basic_properties_t *asked = &request->message.properties;
	amqp_basic_properties_t properties = {
	    ._flags = AMQP_BASIC_CORRELATION_ID_FLAG, .correlation_id = asked->correlation_id};
	plain_check_status(amqp_basic_publish(connection, PLAIN_CHANNEL, amqp_empty_bytes,
			       asked->reply_to, 0, 0, &properties, request->message.body),
	    "publish");
	plain_check_status(
	    amqp_basic_ack(connection, PLAIN_CHANNEL, request->delivery_tag, 0), "acknowledge");
}

int main(int argc, char *argv[])
{
	if (argc != 5)
		plain_die("usage", "plain_serve URL QUEUE COUNT PREFETCH");
	uint64_t count = plain_parse_count(argv[3]), prefetch = plain_parse_count(argv[4]);
	if (prefetch > UINT16_MAX)
		plain_die(argv[4], "too many");
	amqp_connection_state_t connection = plain_open(argv[1]);
	plain_subscribe(connection, argv[2], (uint16_t)prefetch);
	for (uint64_t answered = 0; answered < count; answered++) {
		amqp_envelope_t request;
		amqp_maybe_release_buffers(connection);
		plain_check_reply(amqp_consume_message(connection, &request, NULL, 0), "receive");
		answer(connection, &request);
		amqp_destroy_envelope(&request);
	}
	plain_close(connection);
	return 0;
}
