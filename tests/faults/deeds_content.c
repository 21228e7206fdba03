#include "deeds.h"

#include "base/mem.h"

#include <stdlib.h>

/* ---- frames that are wrong ---- */

static bool put_header_only(struct peer *p, uint64_t announced, size_t sent)
{
	char *body = mem_alloc(1, sent + 1);
	memset(body, 'b', sent);
	peer_put_deliver(p, p->channel, 1);
	peer_put_header(p, p->channel, announced, NULL);
	peer_put_body(p, p->channel, (struct slice){body, sent});
	free(body);
	return true;
}

static bool body_never_completes(struct peer *p)
{
	return put_header_only(p, 1000, 10);
}

static bool body_size_smaller(struct peer *p)
{
	return put_header_only(p, 10, 1000);
}

static bool body_size_zero(struct peer *p)
{
	return put_header_only(p, 0, 10);
}

static bool body_size_2_63(struct peer *p)
{
	return put_header_only(p, UINT64_C(1) << 63, 100000);
}

static bool body_size_most(struct peer *p)
{
	return put_header_only(p, UINT64_MAX, 100000);
}

static bool channel_close_inside_body(struct peer *p)
{
	put_header_only(p, 1000, 10);
	return deeds_close_channel(p);
}

static bool channel_close_without_words(struct peer *p)
{
	amqp_channel_close_t close = {0};
	peer_put(p, p->channel, AMQP_CHANNEL_CLOSE_METHOD, &close);
	return true;
}

static bool connection_close_inside_body(struct peer *p)
{
	put_header_only(p, 1000, 10);
	return deeds_close_connection(p);
}

static bool hang_up_inside_body(struct peer *p)
{
	put_header_only(p, 1000, 10);
	return deeds_hang_up(p);
}

static bool deliver_inside_body(struct peer *p)
{
	put_header_only(p, 1000, 10);
	return put_header_only(p, 10, 10);
}

static bool header_without_method(struct peer *p)
{
	peer_put_header(p, p->channel, 10, NULL);
	return true;
}

static bool body_without_header(struct peer *p)
{
	peer_put_deliver(p, p->channel, 1);
	peer_put_body(p, p->channel, SLICE("body"));
	return true;
}

static bool body_alone(struct peer *p)
{
	peer_put_body(p, p->channel, SLICE("body"));
	return true;
}

static bool wrong_channel(struct peer *p)
{
	p->channel = 77;
	return put_header_only(p, 4, 4);
}

static bool all_channels(struct peer *p)
{
	for (unsigned channel = 2; channel <= UINT16_MAX; channel++) {
		p->channel = (uint16_t)channel;
		put_header_only(p, 1000, 10);
	}
	return true;
}

static bool content_on_channel_0(struct peer *p)
{
	p->channel = 0;
	return put_header_only(p, 4, 4);
}

static bool unknown_frame_types(struct peer *p)
{
	for (unsigned type = 0; type < 256; type++)
		if (type == 0 || (type > FRAME_BODY && type != FRAME_HEARTBEAT))
			peer_put_frame(p, type, p->channel, SLICE("what"), DEEDS_FRAME_END);
	return true;
}

static bool truncated_frame(struct peer *p)
{
	put_header_only(p, 1000, 1000);
	buf_truncate(&p->out, p->out.len - 500);
	return deeds_hang_up(p);
}

/* Its size is all of 32 bits, and so much is sent as goes. */
static bool oversized_frame(struct peer *p)
{
	static const char head[] = {FRAME_BODY, 0, 1, '\xff', '\xff', '\xff', '\xff'};
	char block[65536] = {0};
	peer_put_bytes(p, head, sizeof head);
	for (int i = 0; i < 2000 && peer_flush(p); i++)
		peer_put_bytes(p, block, sizeof block);
	return true;
}

static bool oversized_header(struct peer *p)
{
	static const char head[] = {FRAME_HEADER, 0, 1, 2, 0, 0, 0};
	peer_put_deliver(p, p->channel, 1);
	peer_put_bytes(p, head, sizeof head);
	return true;
}

static bool frame_end_wrong(struct peer *p)
{
	peer_put_frame(p, FRAME_BODY, p->channel, SLICE("body"), 0xcd);
	return true;
}

static bool damaged_heartbeat(struct peer *p)
{
	peer_put_frame(p, FRAME_HEARTBEAT, 0, SLICE("beat"), DEEDS_FRAME_END);
	return true;
}

static bool unknown_method(struct peer *p)
{
	peer_put_frame(p, FRAME_METHOD, p->channel, SLICE("\xff\xff\xff\xff"), DEEDS_FRAME_END);
	return true;
}

static bool short_method(struct peer *p)
{
	peer_put_frame(p, FRAME_METHOD, 0, SLICE("\0\12"), DEEDS_FRAME_END);
	return true;
}

static bool method_cut_short(struct peer *p)
{
	peer_put_frame(p, FRAME_METHOD, p->channel, SLICE("\0\74\0\74\377abc"), DEEDS_FRAME_END);
	return true;
}

static bool method_out_of_order(struct peer *p)
{
	peer_put_start(p, "PLAIN", "Again");
	return true;
}

/* ---- headers ---- */

static bool deliver_with(struct peer *p, struct buf *headers)
{
	struct slice table = buf_slice(headers);
	peer_put_message(p, 1, &table, SLICE("body"));
	buf_release(headers);
	return true;
}

/* Tables in tables: 20,000 of them, each the only field of the one around it. */
static bool deep_header_table(struct peer *p)
{
	struct buf headers = {0};
	for (size_t left = 20000; left > 0; left--) {
		buf_append(&headers, SLICE("\0F")); /* an empty key, a table */
		peer_put_u32(&headers, 6 * (left - 1));
	}
	return deliver_with(p, &headers);
}

static bool deep_header_array(struct peer *p)
{
	struct buf headers = {0};
	buf_append(&headers, SLICE("\1k"));
	for (size_t left = 20000; left > 0; left--) {
		buf_append_char(&headers, 'A');
		peer_put_u32(&headers, 5 * (left - 1));
	}
	return deliver_with(p, &headers);
}

static bool empty_header_key(struct peer *p)
{
	struct buf headers = {0};
	buf_append(&headers, SLICE("\0S\0\0\0\1x\0t\1"));
	return deliver_with(p, &headers);
}

/* Its inner size is said to be all of 32 bits. */
static bool huge_table(struct peer *p)
{
	struct buf headers = {0};
	buf_append(&headers, SLICE("\1kF\377\377\377\377\1aS\0\0\0\1x"));
	return deliver_with(p, &headers);
}

static bool unknown_field_kind(struct peer *p)
{
	struct buf headers = {0};
	buf_append(&headers, SLICE("\1k?\0\0\0\1"));
	return deliver_with(p, &headers);
}

static bool ten_thousand_headers(struct peer *p)
{
	struct buf headers = {0};
	for (int i = 0; i < 10000; i++)
		buf_append(&headers, SLICE("\4sameS\0\0\0\1x"));
	return deliver_with(p, &headers);
}

/* A mebibyte in one header of a message, which is more than was agreed for a frame. */
static bool header_above_agreed(struct peer *p)
{
	static const uint64_t bytes = 1 << 20;
	struct buf headers = {0};
	buf_append(&headers, SLICE("\3padS"));
	peer_put_u32(&headers, bytes);
	memset(buf_reserve(&headers, bytes), 'p', bytes);
	headers.len += bytes;
	return deliver_with(p, &headers);
}

static bool escapes_in_message(struct peer *p)
{
	struct buf headers = {0};
	buf_append_char(&headers, (char)(sizeof DEEDS_ESCAPES - 1));
	buf_append_str(&headers, DEEDS_ESCAPES "S");
	peer_put_u32(&headers, sizeof DEEDS_ESCAPES - 1);
	buf_append_str(&headers, DEEDS_ESCAPES);
	struct slice table = buf_slice(&headers);
	amqp_basic_deliver_t deliver = {.consumer_tag = amqp_cstring_bytes(p->consumer_tag),
	    .delivery_tag = 1,
	    .exchange = amqp_cstring_bytes(DEEDS_ESCAPES),
	    .routing_key = amqp_cstring_bytes(DEEDS_ESCAPES)};
	peer_put(p, p->channel, AMQP_BASIC_DELIVER_METHOD, &deliver);
	peer_put_header(p, p->channel, sizeof DEEDS_ESCAPES - 1, &table);
	peer_put_body(p, p->channel, SLICE(DEEDS_ESCAPES));
	buf_release(&headers);
	return true;
}

/* ---- too much ---- */

/* More than was asked for, for ever: until the tool has gone. */
static bool flood(struct peer *p)
{
	for (uint64_t tag = 1; peer_flush(p); tag++)
		peer_put_message(p, tag, NULL, SLICE("one of very many"));
	return true;
}

static bool flood_of_heartbeats(struct peer *p)
{
	while (peer_flush(p))
		for (int i = 0; i < 10000; i++)
			frames_put_heartbeat(&p->out);
	return true;
}

static bool put_big_body(struct peer *p, uint64_t bytes)
{
	char *block = mem_alloc(1, 1 << 20);
	memset(block, 'x', 1 << 20);
	peer_put_deliver(p, p->channel, 1);
	peer_put_header(p, p->channel, bytes, NULL);
	for (uint64_t sent = 0; sent < bytes && peer_flush(p); sent += 1 << 20)
		peer_put_body(p, p->channel, (struct slice){block, 1 << 20});
	free(block);
	return true;
}

static bool big_body(struct peer *p)
{
	return put_big_body(p, 100u << 20);
}

static bool bigger_body(struct peer *p)
{
	return put_big_body(p, UINT64_C(4) << 30);
}

const struct scenario deeds_of_content[] = {
    {"body_never_completes", AT_CONSUME, body_never_completes},
    {"body_size_smaller", AT_CONSUME, body_size_smaller},
    {"body_size_zero", AT_CONSUME, body_size_zero},
    {"body_size_2_63", AT_CONSUME, body_size_2_63},
    {"body_size_most", AT_CONSUME, body_size_most},
    {"channel_close_inside_body", AT_REST, channel_close_inside_body},
    {"channel_close_without_words", AT_REST, channel_close_without_words},
    {"channel_close_at_once", AT_CONSUME, channel_close_inside_body},
    {"connection_close_inside_body", AT_CONSUME, connection_close_inside_body},
    {"hang_up_inside_body", AT_CONSUME, hang_up_inside_body},
    {"deliver_inside_body", AT_CONSUME, deliver_inside_body},
    {"header_without_method", AT_CONSUME, header_without_method},
    {"body_without_header", AT_CONSUME, body_without_header},
    {"body_alone", AT_CONSUME, body_alone},
    {"wrong_channel", AT_CONSUME, wrong_channel},
    {"frames_on_all_channels", AT_CONSUME, all_channels},
    {"content_on_channel_0", AT_CONSUME, content_on_channel_0},
    {"unknown_frame_types", AT_CONSUME, unknown_frame_types},
    {"truncated_frame", AT_CONSUME, truncated_frame},
    {"oversized_frame", AT_CONSUME, oversized_frame},
    {"oversized_header", AT_CONSUME, oversized_header},
    {"frame_end_wrong", AT_CONSUME, frame_end_wrong},
    {"damaged_heartbeat", AT_CONSUME, damaged_heartbeat},
    {"unknown_method", AT_CONSUME, unknown_method},
    {"short_method", AT_CONSUME, short_method},
    {"method_cut_short", AT_CONSUME, method_cut_short},
    {"method_out_of_order", AT_CONSUME, method_out_of_order},
    {"deep_header_table", AT_CONSUME, deep_header_table},
    {"deep_header_array", AT_CONSUME, deep_header_array},
    {"empty_header_key", AT_CONSUME, empty_header_key},
    {"huge_table", AT_CONSUME, huge_table},
    {"unknown_field_kind", AT_CONSUME, unknown_field_kind},
    {"ten_thousand_headers", AT_CONSUME, ten_thousand_headers},
    {"header_above_agreed", AT_CONSUME, header_above_agreed},
    {"escapes_in_message", AT_CONSUME, escapes_in_message},
    {"flood", AT_CONSUME, flood},
    {"flood_held", AT_CONSUME, flood},
    {"flood_of_heartbeats", AT_CONSUME, flood_of_heartbeats},
    {"big_body", AT_CONSUME, big_body},
    {"bigger_body", AT_CONSUME, bigger_body},
    {NULL, AT_END, NULL},
};
