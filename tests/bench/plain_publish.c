/*
 * plain_publish - the producer's peer: what a program that uses rabbitmq-c plainly does to publish
 * with confirms. plain_publish URL QUEUE COUNT
 */
#include "plain.h"

#include <stdbool.h>
#include <string.h>

#define WINDOW 1000 /* most messages without a confirm, as the producer's default */
#define BODY_BYTES 256

/* The confirms of the messages from `lowest` up to, not including, `next`. */
struct confirms {
	uint64_t lowest, next;	 /* delivery tags */
	bool is_settled[WINDOW]; /* by tag % WINDOW */
};

static void settle(struct confirms *c, uint64_t tag, bool multiple)
{
	for (uint64_t t = multiple ? c->lowest : tag; t <= tag; t++)
		c->is_settled[t % WINDOW] = true;
	while (c->lowest < c->next && c->is_settled[c->lowest % WINDOW])
		c->is_settled[c->lowest++ % WINDOW] = false;
}

static void take_frame(amqp_connection_state_t connection, struct confirms *c)
{
	amqp_frame_t frame;
	plain_check_status(amqp_simple_wait_frame(connection, &frame), "wait for a confirm");
	if (frame.frame_type != AMQP_FRAME_METHOD ||
	    frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
		plain_die("wait for a confirm", "something else came");
	const amqp_basic_ack_t *ack = frame.payload.method.decoded;
	settle(c, ack->delivery_tag, ack->multiple != 0);
	amqp_maybe_release_buffers(connection);
}

static void publish(amqp_connection_state_t connection, const char *queue, uint64_t count)
{
	char text[BODY_BYTES];
	memset(text, 'x', sizeof text);
	amqp_bytes_t body = {.len = sizeof text, .bytes = text};
	amqp_basic_properties_t properties = {
	    ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = AMQP_DELIVERY_NONPERSISTENT};
	struct confirms c = {.lowest = 1, .next = 1};
	while (c.next <= count) {
		plain_check_status(amqp_basic_publish(connection, PLAIN_CHANNEL, amqp_empty_bytes,
				       amqp_cstring_bytes(queue), 0, 0, &properties, body),
		    "publish");
		c.next++;
		while (c.next - c.lowest >= WINDOW)
			take_frame(connection, &c);
	}
	while (c.lowest < c.next)
		take_frame(connection, &c);
}

int main(int argc, char *argv[])
{
	if (argc != 4)
		plain_die("usage", "plain_publish URL QUEUE COUNT");
	uint64_t count = plain_parse_count(argv[3]);
	amqp_connection_state_t connection = plain_open(argv[1]);
	amqp_confirm_select(connection, PLAIN_CHANNEL);
	plain_check_reply(amqp_get_rpc_reply(connection), "confirm.select");
	publish(connection, argv[2], count);
	plain_close(connection);
	return 0;
}
