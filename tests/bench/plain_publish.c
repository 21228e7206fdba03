/*
 * plain_publish - the producer's peer: what a program that uses rabbitmq-c plainly does to publish
 * with confirms. plain_publish URL QUEUE COUNT
 */
#include "plain.h"

#include <string.h>

#define BODY_BYTES 256

static void publish(amqp_connection_state_t connection, const char *queue, uint64_t count)
{
	char text[BODY_BYTES];
	memset(text, 'x', sizeof text);
	amqp_bytes_t body = {.len = sizeof text, .bytes = text};
	amqp_basic_properties_t properties = {
	    ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = AMQP_DELIVERY_NONPERSISTENT};
	struct plain_confirms c = {.lowest = 1, .next = 1};
	while (c.next <= count) {
		plain_check_status(amqp_basic_publish(connection, PLAIN_CHANNEL, amqp_empty_bytes,
				       amqp_cstring_bytes(queue), 0, 0, &properties, body),
		    "publish");
		c.next++;
		while (c.next - c.lowest >= PLAIN_WINDOW)
			plain_take_confirm(connection, &c, NULL);
	}
	while (c.lowest < c.next)
		plain_take_confirm(connection, &c, NULL);
}

int main(int argc, char *argv[])
{
	if (argc != 4)
		plain_die("usage", "plain_publish URL QUEUE COUNT");
	uint64_t count = plain_parse_count(argv[3]);
	amqp_connection_state_t connection = plain_open(argv[1]);
	plain_select_confirms(connection);
	publish(connection, argv[2], count);
	plain_close(connection);
	return 0;
}
