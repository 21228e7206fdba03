/* Frames: what is written can be read back, and nothing that is damaged is taken for whole. */
#include "broker/frames.h"

#include "base/mem.h"

#include <amqp.h>
#include <amqp_framing.h>
#include <check.h>
#include <stdlib.h>

#define FRAME_MAX 4096u

static struct message full_message(void)
{
	return (struct message){.exchange = SLICE("order"),
	    .routing_key = SLICE("order.notify"),
	    .body = SLICE("hello"),
	    .present = 0xfffc,
	    .delivery_mode = MESSAGE_PERSISTENT,
	    .priority = 7,
	    .timestamp = UINT64_C(0xffeeddccbbaa9988),
	    .content_type = SLICE("text/plain"),
	    .content_encoding = SLICE("gzip"),
	    .headers = SLICE("\1at\1"),
	    .correlation_id = SLICE("c"),
	    .reply_to = SLICE("r"),
	    .expiration = SLICE("60000"),
	    .message_id = SLICE("m"),
	    .type = SLICE("t"),
	    .user_id = SLICE("u"),
	    .app_id = SLICE("a"),
	    .cluster_id = SLICE("k")};
}

/* Reads the three or more frames of a publish; the body pieces end up in body. */
static void read_publish(
    struct slice in, struct message *m, bool *mandatory, struct buf *body, size_t *pieces)
{
	struct error err = {0};
	struct frame f;
	uint64_t body_bytes = 0;
	ck_assert_int_eq(frames_next(&in, FRAME_MAX, &f, &err), FRAMES_OK);
	ck_assert_int_eq(f.type, FRAME_METHOD);
	ck_assert_uint_eq(f.channel, 3);
	ck_assert_uint_eq(frames_method_id(f.payload), AMQP_BASIC_PUBLISH_METHOD);
	ck_assert(frames_read_publish(f.payload, mandatory, m));
	ck_assert_int_eq(frames_next(&in, FRAME_MAX, &f, &err), FRAMES_OK);
	ck_assert_int_eq(f.type, FRAME_HEADER);
	ck_assert(frames_read_header(f.payload, &body_bytes, m));
	for (*pieces = 0; in.len > 0; ++*pieces) {
		ck_assert_int_eq(frames_next(&in, FRAME_MAX, &f, &err), FRAMES_OK);
		ck_assert_int_eq(f.type, FRAME_BODY);
		ck_assert_uint_le(f.payload.len, FRAME_MAX - FRAMES_OVERHEAD);
		buf_append(body, f.payload);
	}
	ck_assert_uint_eq(body->len, body_bytes);
}

START_TEST(every_property_comes_back)
{
	struct message sent = full_message(), got = {0};
	struct buf out = {0}, body = {0};
	struct error err = {0};
	size_t pieces;
	bool mandatory = false;
	ck_assert(frames_put_publish(&out, 3, &sent, true, FRAME_MAX, &err));
	read_publish(buf_slice(&out), &got, &mandatory, &body, &pieces);
	ck_assert(mandatory);
	ck_assert(slice_equal(got.exchange, sent.exchange));
	ck_assert(slice_equal(got.routing_key, sent.routing_key));
	ck_assert_uint_eq(got.present, sent.present);
	for (size_t i = 0; i < MESSAGE_PROPERTY_COUNT; i++) {
		const struct message_property_row *row = &message_properties[i];
		if (row->value == MESSAGE_VALUE_TEXT || row->value == MESSAGE_VALUE_TABLE)
			ck_assert_msg(
			    slice_equal(*message_slice(&sent, row), *message_slice(&got, row)),
			    "%s", row->name);
	}
	ck_assert_uint_eq(got.timestamp, sent.timestamp);
	ck_assert_uint_eq(got.priority, 7);
	ck_assert_uint_eq(got.delivery_mode, MESSAGE_PERSISTENT);
	ck_assert(slice_equal(buf_slice(&body), sent.body));
	buf_release(&out);
	buf_release(&body);
}
END_TEST

static const size_t body_sizes[] = {0, 1, FRAME_MAX - 9, FRAME_MAX - 8, FRAME_MAX - 7,
    2 * (FRAME_MAX - 8), 2 * (FRAME_MAX - 8) + 1, 100000};

START_TEST(bodies_are_cut_at_the_frame_size)
{
	size_t size = body_sizes[_i];
	char *bytes = mem_alloc(size + 1, 1);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 7);
	struct message sent = {.body = {bytes, size}}, got = {0};
	struct buf out = {0}, body = {0};
	struct error err = {0};
	size_t pieces;
	bool mandatory = true;
	ck_assert(frames_put_publish(&out, 3, &sent, false, FRAME_MAX, &err));
	read_publish(buf_slice(&out), &got, &mandatory, &body, &pieces);
	ck_assert(!mandatory);
	ck_assert_uint_eq(pieces, (size + FRAME_MAX - 9) / (FRAME_MAX - 8));
	ck_assert(slice_equal(buf_slice(&body), sent.body));
	free(bytes);
	buf_release(&out);
	buf_release(&body);
}
END_TEST

START_TEST(a_cut_frame_asks_for_more_and_takes_nothing)
{
	struct message sent = full_message();
	struct buf out = {0};
	struct error err = {0};
	ck_assert(frames_put_publish(&out, 3, &sent, false, FRAME_MAX, &err));
	struct slice whole = buf_slice(&out);
	struct frame f;
	struct slice rest = whole;
	ck_assert_int_eq(frames_next(&rest, FRAME_MAX, &f, &err), FRAMES_OK);
	size_t first = whole.len - rest.len;
	for (size_t len = 0; len < first; len++) {
		struct slice cut = {whole.ptr, len};
		ck_assert_int_eq(frames_next(&cut, FRAME_MAX, &f, &err), FRAMES_MORE);
		ck_assert_uint_eq(cut.len, len);
	}
	buf_release(&out);
}
END_TEST

static const struct bad_frame {
	const char *bytes;
	size_t len;
	const char *text;
} bad_frames[] = {
    {"\5\0\0\0\0\0\0\316", 8, "the broker sent a frame of unknown type 5"},
    {"\1\0\1\0\0\20\1", 7, "the broker sent a frame of 4097 bytes; agreed were at most 4088"},
    {"\3\0\1\0\0\17\371", 7, "the broker sent a frame of 4089 bytes; agreed were at most 4088"},
    {"\2\0\1\1\0\0\1", 7,
	"the broker sent a content header of 16777217 bytes; at most 16777216 are taken"},
    {"\1\0\1\0\0\0\1x\0", 9, "the broker sent a frame without its end octet"},
};

START_TEST(damage_is_told)
{
	struct slice in = {bad_frames[_i].bytes, bad_frames[_i].len};
	struct error err = {0};
	struct frame f;
	ck_assert_int_eq(frames_next(&in, FRAME_MAX, &f, &err), FRAMES_BAD);
	ck_assert_str_eq(err.text, bad_frames[_i].text);
	ck_assert_int_eq(err.kind, ERROR_REFUSED);
}
END_TEST

/* What was agreed limits what we send. */
START_TEST(a_content_header_may_be_larger_than_was_agreed)
{
	char *bytes = mem_alloc(FRAMES_MAX_HEADER, 1);
	struct message sent = {.present = MESSAGE_HEADERS,
	    .headers = {bytes, FRAMES_MAX_HEADER - 18}, /* what else is in the header */
	    .body = SLICE("hello")};
	struct message got = {0};
	struct buf out = {0}, body = {0};
	struct error err = {0};
	size_t pieces;
	bool mandatory = false;
	ck_assert(!frames_fit_publish(&sent, FRAME_MAX, &err));
	ck_assert(frames_put_publish(&out, 3, &sent, true, FRAMES_MAX_HEADER + 8, &err));
	read_publish(buf_slice(&out), &got, &mandatory, &body, &pieces);
	ck_assert_uint_eq(got.headers.len, sent.headers.len);
	ck_assert(slice_equal(buf_slice(&body), sent.body));
	buf_release(&out);
	buf_release(&body);
	free(bytes);
}
END_TEST

START_TEST(what_the_wire_cannot_hold_is_refused_before_the_first_byte)
{
	static const char long_text[5000] = {1};
	struct buf out = {0};
	struct error err = {0};
	struct message m = {.routing_key = {long_text, 256}};
	ck_assert(!frames_put_publish(&out, 1, &m, true, FRAME_MAX, &err));
	ck_assert_str_eq(err.text, "the routing key has 256 bytes; at most 255 fit");
	ck_assert_int_eq(err.kind, ERROR_DATA);
	error_clear(&err);
	m = (struct message){.present = MESSAGE_TYPE, .type = {long_text, 300}};
	ck_assert(!frames_put_publish(&out, 1, &m, true, FRAME_MAX, &err));
	ck_assert_str_eq(err.text, "property 'type' has 300 bytes; at most 255 fit");
	error_clear(&err);
	m = (struct message){.present = MESSAGE_HEADERS, .headers = {long_text, 5000}};
	ck_assert(!frames_put_publish(&out, 1, &m, true, FRAME_MAX, &err));
	ck_assert_str_eq(
	    err.text, "the properties and headers take 5018 bytes; one frame holds 4088");
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(acknowledgements_read_back)
{
	struct buf out = {0};
	struct error err = {0};
	struct frame f;
	struct frames_settle s;
	frames_put_ack(&out, 9, UINT64_C(1) << 40, true);
	frames_put_nack(&out, 9, 5, false, true);
	struct slice in = buf_slice(&out);
	ck_assert_int_eq(frames_next(&in, FRAME_MAX, &f, &err), FRAMES_OK);
	ck_assert_uint_eq(frames_method_id(f.payload), AMQP_BASIC_ACK_METHOD);
	ck_assert(frames_read_settle(f.payload, &s));
	ck_assert_uint_eq(s.tag, UINT64_C(1) << 40);
	ck_assert(s.multiple);
	ck_assert_int_eq(frames_next(&in, FRAME_MAX, &f, &err), FRAMES_OK);
	ck_assert_uint_eq(frames_method_id(f.payload), AMQP_BASIC_NACK_METHOD);
	ck_assert_int_eq(f.payload.ptr[12], 2); /* requeue, not multiple */
	buf_release(&out);
}
END_TEST

START_TEST(methods_go_through_the_library_both_ways)
{
	struct buf out = {0};
	struct error err = {0};
	struct frames_arena *arena = frames_arena_create();
	amqp_queue_declare_ok_t ok = {amqp_cstring_bytes("jobs"), 12, 3};
	ck_assert(frames_put_method(&out, 1, AMQP_QUEUE_DECLARE_OK_METHOD, &ok, FRAME_MAX, &err));
	struct slice in = buf_slice(&out);
	struct frame f;
	ck_assert_int_eq(frames_next(&in, FRAME_MAX, &f, &err), FRAMES_OK);
	amqp_queue_declare_ok_t *got = frames_decode(arena, f.payload);
	ck_assert_ptr_nonnull(got);
	ck_assert_uint_eq(got->message_count, 12);
	ck_assert_uint_eq(got->consumer_count, 3);
	ck_assert_ptr_null(frames_decode(arena, (struct slice){"\0\1", 2}));
	ck_assert_ptr_null(frames_decode(arena, (struct slice){"\0\62\0\13\5ab", 7}));
	frames_arena_free(arena);
	buf_release(&out);
}
END_TEST

START_TEST(a_header_that_ends_early_is_refused)
{
	struct message sent = full_message(), got;
	struct buf out = {0};
	struct error err = {0};
	struct frame f;
	uint64_t body_bytes;
	ck_assert(frames_put_publish(&out, 1, &sent, false, FRAME_MAX, &err));
	struct slice in = buf_slice(&out);
	ck_assert_int_eq(frames_next(&in, FRAME_MAX, &f, &err), FRAMES_OK);
	ck_assert_int_eq(frames_next(&in, FRAME_MAX, &f, &err), FRAMES_OK);
	for (size_t len = 0; len < f.payload.len; len++)
		ck_assert(
		    !frames_read_header((struct slice){f.payload.ptr, len}, &body_bytes, &got));
	ck_assert(frames_read_header(f.payload, &body_bytes, &got));
	buf_release(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frames");
	TCase *cases = tcase_create("frames");
	tcase_add_test(cases, every_property_comes_back);
	tcase_add_loop_test(cases, bodies_are_cut_at_the_frame_size, 0, ARRAY_LEN(body_sizes));
	tcase_add_test(cases, a_cut_frame_asks_for_more_and_takes_nothing);
	tcase_add_loop_test(cases, damage_is_told, 0, ARRAY_LEN(bad_frames));
	tcase_add_test(cases, a_content_header_may_be_larger_than_was_agreed);
	tcase_add_test(cases, what_the_wire_cannot_hold_is_refused_before_the_first_byte);
	tcase_add_test(cases, acknowledgements_read_back);
	tcase_add_test(cases, methods_go_through_the_library_both_ways);
	tcase_add_test(cases, a_header_that_ends_early_is_refused);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
