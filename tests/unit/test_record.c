#include "model/record.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/table.h"

#include <check.h>
#include <stdlib.h>

static const bool yes = true, no = false;

/* SLICE for tables, which take only constants. */
#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

/* --- writing --- */

static const struct {
	struct message message;
	struct record_extra extra;
	const char *line;
} lines[] = {
    {{.body = BYTES("hop")}, {0}, "{\"properties\":{},\"body\":\"hop\"}\n"},
    {{.priority = 1}, {0}, "{\"properties\":{},\"body\":\"\"}\n"},
    {{.exchange = BYTES(""), .routing_key = BYTES("q"), .body = BYTES("x")}, {0},
	"{\"exchange\":\"\",\"routing_key\":\"q\",\"properties\":{},\"body\":\"x\"}\n"},
    {{.exchange = BYTES("order"), .routing_key = BYTES("order.notify"), .body = BYTES("text")},
	{.redelivered = &no, .queue = BYTES("order_notify")},
	"{\"exchange\":\"order\",\"routing_key\":\"order.notify\",\"redelivered\":false,"
	"\"queue\":\"order_notify\",\"properties\":{},\"body\":\"text\"}\n"},
    {{.body = BYTES("x")}, {.redelivered = &yes},
	"{\"redelivered\":true,\"properties\":{},\"body\":\"x\"}\n"},
    {{.body = BYTES("x")}, {.fate = "returned", .reason = BYTES("NO_ROUTE\n")},
	"{\"properties\":{},\"body\":\"x\",\"fate\":\"returned\",\"reason\":\"NO_ROUTE\\n\"}\n"},
    {{.body = BYTES("a\0b\"\\\n\x7f\x1b h\xc3\xa9")}, {0},
	"{\"properties\":{},\"body\":\"a\\u0000b\\\"\\\\\\n\\u007f\\u001b h\xc3\xa9\"}\n"},
    {{.body = BYTES("\xff\0")}, {0}, "{\"properties\":{},\"body_base64\":\"/wA=\"}\n"},
    {{.exchange = BYTES("\xff"), .routing_key = BYTES("\xfe"), .body = BYTES("x")},
	{.queue = BYTES("\xfd")},
	"{\"exchange\":{\"$type\":\"string\",\"value\":\"/w==\"},"
	"\"routing_key\":{\"$type\":\"string\",\"value\":\"/g==\"},"
	"\"queue\":{\"$type\":\"string\",\"value\":\"/Q==\"},\"properties\":{},\"body\":\"x\"}\n"},
    {{.present = MESSAGE_CONTENT_TYPE | MESSAGE_HEADERS, .body = BYTES("x")}, {0},
	"{\"properties\":{\"content_type\":\"\",\"headers\":{}},\"body\":\"x\"}\n"},
    {{.present = MESSAGE_TYPE | MESSAGE_DELIVERY_MODE, .type = BYTES("\xff"), .delivery_mode = 1},
	{0},
	"{\"properties\":{\"delivery_mode\":1,\"type\":{\"$type\":\"string\",\"value\":"
	"\"/w==\"}},\"body\":\"\"}\n"},
    {{.present = MESSAGE_TIMESTAMP, .timestamp = INT64_MAX}, {0},
	"{\"properties\":{\"timestamp\":9223372036854775807},\"body\":\"\"}\n"},
    {{.present = MESSAGE_TIMESTAMP, .timestamp = UINT64_MAX}, {0},
	"{\"properties\":{\"timestamp\":\"18446744073709551615\"},\"body\":\"\"}\n"},
    {{.present = 1}, {0}, "{\"properties\":{},\"body\":\"\"}\n"}, /* a bit of no property */
    {{.exchange = BYTES("e"),
	 .routing_key = BYTES("k"),
	 .body = BYTES("{}"),
	 .present = 0xfffc,
	 .delivery_mode = 2,
	 .priority = 9,
	 .timestamp = 1700000000,
	 .content_type = BYTES("application/json"),
	 .content_encoding = BYTES("utf-8"),
	 .headers = BYTES("\1nl\0\0\0\0\0\0\0\1"),
	 .correlation_id = BYTES("c"),
	 .reply_to = BYTES("r"),
	 .expiration = BYTES("60000"),
	 .message_id = BYTES("m"),
	 .type = BYTES("t"),
	 .user_id = BYTES("guest"),
	 .app_id = BYTES("a"),
	 .cluster_id = BYTES("old")},
	{0},
	"{\"exchange\":\"e\",\"routing_key\":\"k\",\"properties\":{\"content_type\":"
	"\"application/json\",\"content_encoding\":\"utf-8\",\"headers\":{\"n\":1},"
	"\"delivery_mode\":2,\"priority\":9,\"correlation_id\":\"c\",\"reply_to\":\"r\","
	"\"expiration\":\"60000\",\"message_id\":\"m\",\"timestamp\":1700000000,\"type\":\"t\","
	"\"user_id\":\"guest\",\"app_id\":\"a\",\"cluster_id\":\"old\"},\"body\":\"{}\"}\n"},
};

START_TEST(message_is_written_as_one_line)
{
	struct buf out = {0};
	struct error err = {0};
	buf_append_str(&out, "before\n");
	ck_assert(record_write(&lines[_i].message, &lines[_i].extra, &out, &err));
	ck_assert_str_eq(out.ptr + 7, lines[_i].line);
	buf_release(&out);
}
END_TEST

START_TEST(damaged_headers_are_refused_and_leave_no_bytes)
{
	struct message m = {.present = MESSAGE_HEADERS, .headers = SLICE("\1nz")};
	struct buf out = {0};
	struct error err = {0};
	buf_append_str(&out, "before");
	ck_assert(!record_write(&m, NULL, &out, &err));
	ck_assert_str_eq(err.text, "properties.headers: damaged field table at byte 0 of 3");
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_str_eq(out.ptr, "before");
	ck_assert_uint_eq(out.len, 6);
	buf_release(&out);
}
END_TEST

/* --- both ways --- */

static void assert_same_slice(const char *name, struct slice a, struct slice b)
{
	ck_assert_msg(slice_equal(a, b), "%s differs: %zu and %zu bytes", name, a.len, b.len);
}

/* Equal in all that is present. */
static void assert_same_message(const struct message *a, const struct message *b)
{
	const unsigned known = 0xfffc;
	ck_assert_uint_eq(a->present & known, b->present & known);
	ck_assert_int_eq(a->exchange.ptr == NULL, b->exchange.ptr == NULL);
	ck_assert_int_eq(a->routing_key.ptr == NULL, b->routing_key.ptr == NULL);
	assert_same_slice("exchange", a->exchange, b->exchange);
	assert_same_slice("routing_key", a->routing_key, b->routing_key);
	assert_same_slice("body", a->body, b->body);
	for (size_t i = 0; i < MESSAGE_PROPERTY_COUNT; i++) {
		const struct message_property_row *row = &message_properties[i];
		bool is_slice =
		    row->value == MESSAGE_VALUE_TEXT || row->value == MESSAGE_VALUE_TABLE;
		if ((a->present & row->bit) != 0 && is_slice)
			assert_same_slice(
			    row->name, *message_slice_const(a, row), *message_slice_const(b, row));
	}
	if ((a->present & MESSAGE_DELIVERY_MODE) != 0)
		ck_assert_uint_eq(a->delivery_mode, b->delivery_mode);
	if ((a->present & MESSAGE_PRIORITY) != 0)
		ck_assert_uint_eq(a->priority, b->priority);
	if ((a->present & MESSAGE_TIMESTAMP) != 0)
		ck_assert_uint_eq(a->timestamp, b->timestamp);
}

static void assert_round_trip(const struct message *m, const struct record_extra *extra)
{
	struct buf line = {0}, store = {0};
	struct message again = {0};
	struct error err = {0};
	ck_assert_msg(record_write(m, extra, &line, &err), "%s", err.text);
	ck_assert_msg(record_read(buf_slice(&line), &again, &store, &err), "%s", err.text);
	assert_same_message(m, &again);
	ck_assert(record_looks_like(buf_slice(&line)));
	buf_release(&line);
	buf_release(&store);
}

START_TEST(written_lines_are_read_back)
{
	assert_round_trip(&lines[_i].message, &lines[_i].extra);
}
END_TEST

/* Any bytes, or only letters; NUL-terminated memory of its own is not needed. */
static struct slice random_slice(struct rng *r, size_t max, char *memory)
{
	struct slice s = {memory, (size_t)rng_below(r, max + 1)};
	bool letters = rng_below(r, 2) == 0;
	for (size_t i = 0; i < s.len; i++)
		memory[i] = (char)(letters ? 'a' + (char)rng_below(r, 26) : (char)rng_next(r));
	return s;
}

START_TEST(random_messages_survive_the_way_to_a_line_and_back)
{
	static char memory[17][600];
	struct rng r;
	rng_seed(&r, (uint64_t)_i);
	for (int run = 0; run < 500; run++) {
		struct message m = {.present = (unsigned)rng_below(&r, 0x10000) & 0xfffc};
		struct buf headers = {0};
		size_t used = 0;
		for (size_t i = 0; i < MESSAGE_PROPERTY_COUNT; i++)
			if (message_properties[i].value == MESSAGE_VALUE_TEXT)
				*message_slice(&m, &message_properties[i]) =
				    random_slice(&r, 255, memory[used++]);
		m.body = random_slice(&r, 600, memory[used++]);
		if (rng_below(&r, 2) == 0)
			m.exchange = random_slice(&r, 255, memory[used++]);
		if (rng_below(&r, 2) == 0)
			m.routing_key = random_slice(&r, 255, memory[used++]);
		m.delivery_mode = (uint8_t)rng_between(&r, 1, 2);
		m.expiration = SLICE("4294967295");
		m.priority = (uint8_t)rng_next(&r);
		m.timestamp = rng_next(&r);
		for (uint64_t n = rng_below(&r, 30); n > 0; n--)
			table_add_int(&headers, "n", (int64_t)rng_next(&r));
		m.headers = buf_slice(&headers);
		assert_round_trip(&m, NULL);
		buf_release(&headers);
	}
}
END_TEST

START_TEST(absent_members_stay_absent)
{
	struct buf store = {0};
	struct message m = {.priority = 7};
	struct error err = {0};
	ck_assert(record_read(SLICE("{\"body\":\"\"}"), &m, &store, &err));
	ck_assert_ptr_null(m.exchange.ptr);
	ck_assert_ptr_null(m.routing_key.ptr);
	ck_assert_uint_eq(m.present, 0);
	ck_assert_uint_eq(m.priority, 0);
	ck_assert_uint_eq(m.body.len, 0);
	buf_release(&store);
}
END_TEST

START_TEST(headers_longer_than_their_json_do_not_move_the_texts)
{
	struct buf store = {0};
	struct message m = {0};
	struct error err = {0};
	ck_assert(
	    record_read(SLICE("{\"exchange\":\"e\",\"properties\":{\"type\":\"t\",\"headers\":"
			      "{\"\":[1,2,3,4,5,6,7,8,9]}},\"body\":\"b\"}"),
		&m, &store, &err));
	ck_assert(slice_is(m.exchange, "e"));
	ck_assert(slice_is(m.type, "t"));
	ck_assert(slice_is(m.body, "b"));
	ck_assert_uint_eq(m.headers.len, 1 + 5 + 9 * 9);
	buf_release(&store);
}
END_TEST

START_TEST(told_beside_the_message_is_ignored)
{
	struct buf store = {0};
	struct message m = {0};
	struct error err = {0};
	ck_assert(record_read(SLICE(" {\"redelivered\":5,\"queue\":[],\"fate\":null,\"reason\":{},"
				    "\"body\":\"b\"}\r\n"),
	    &m, &store, &err));
	ck_assert(slice_is(m.body, "b"));
	buf_release(&store);
}
END_TEST

/* --- refusals --- */

#define LETTERS_64 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"
#define LETTERS_256 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64

static const struct {
	const char *line, *text;
} refusals[] = {
    {"", "not a JSON object: '[' or '{' expected near end of file"},
    {"[]", "not a JSON object"},
    {"{\"body\":\"a\"} x", "not a JSON object: end of file expected near 'x'"},
    {"{\"body\":\"a\",\"body\":\"b\"}", "not a JSON object: duplicate object key near '\"body\"'"},
    {"{\"body\":\"\xff\"}", "not a JSON object: unable to decode byte 0xff near '\"'"},
    {"{\x1b", "not a JSON object: string or '}' expected near '\\x1b'"},
    {"{}", "body or body_base64 is missing"},
    {"{\"exchange\":\"e\"}", "body or body_base64 is missing"},
    {"{\"body\":\"a\",\"body_base64\":\"\"}", "there are both body and body_base64"},
    {"{\"body_base64\":\"\",\"body\":\"a\"}", "there are both body and body_base64"},
    {"{\"body\":{}}", "body: not a string"},
    {"{\"body\":{\"$type\":\"string\",\"value\":\"\"}}", "body: not a string"},
    {"{\"body_base64\":\"a\"}", "body_base64: not base64"},
    {"{\"body_base64\":5}", "body_base64: not base64"},
    {"{\"bdoy\":\"a\"}", "unknown member 'bdoy'; did you mean 'body'?"},
    {"{\"body\":\"a\",\"colour\\u001b\":1}", "unknown member 'colour\\x1b'"},
    {"{\"exchange\":5,\"body\":\"\"}", "exchange: not a string"},
    {"{\"exchange\":null,\"body\":\"\"}", "exchange: not a string"},
    {"{\"exchange\":{\"$type\":\"bytes\",\"value\":\"\"},\"body\":\"\"}", "exchange: not a string"},
    {"{\"exchange\":{\"$type\":\"string\",\"value\":\"x\"},\"body\":\"\"}", "exchange: not base64"},
    {"{\"routing_key\":\"" LETTERS_256 "\",\"body\":\"\"}",
	"routing_key: has 256 bytes; at most 255 are accepted"},
    {"{\"properties\":[],\"body\":\"\"}", "properties: not an object"},
    {"{\"properties\":{\"contenttype\":\"\"},\"body\":\"\"}",
	"properties: unknown member 'contenttype'; did you mean 'content_type'?"},
    {"{\"properties\":{\"type\":\"" LETTERS_256 "\"},\"body\":\"\"}",
	"properties.type: has 256 bytes; at most 255 are accepted"},
    {"{\"properties\":{\"priority\":256},\"body\":\"\"}",
	"properties.priority: not a whole number from 0 to 255"},
    {"{\"properties\":{\"expiration\":\"soon\"},\"body\":\"\"}",
	"properties.expiration: not a whole number of milliseconds, in quotes"},
    {"{\"properties\":{\"expiration\":\"4294967296\"},\"body\":\"\"}",
	"properties.expiration: not a whole number of milliseconds, in quotes"},
    {"{\"properties\":{\"delivery_mode\":3},\"body\":\"\"}",
	"properties.delivery_mode: must be 1 (transient) or 2 (persistent)"},
    {"{\"properties\":{\"delivery_mode\":-1},\"body\":\"\"}",
	"properties.delivery_mode: must be 1 (transient) or 2 (persistent)"},
    {"{\"properties\":{\"delivery_mode\":2.0},\"body\":\"\"}",
	"properties.delivery_mode: must be 1 (transient) or 2 (persistent)"},
    {"{\"properties\":{\"timestamp\":-1},\"body\":\"\"}",
	"properties.timestamp: not a whole number of seconds since 1970"},
    {"{\"properties\":{\"timestamp\":\"18446744073709551616\"},\"body\":\"\"}",
	"properties.timestamp: not a whole number of seconds since 1970"},
    {"{\"properties\":{\"expiration\":60000},\"body\":\"\"}",
	"properties.expiration: not a string"},
    {"{\"properties\":{\"headers\":null},\"body\":\"\"}", "properties.headers: not a table"},
    {"{\"properties\":{\"headers\":{\"a\":{\"b\":{\"$type\":\"int8\",\"value\":999}}}},"
     "\"body\":\"\"}",
	"properties.headers: a.b: not a whole number from -128 to 127"},
};

START_TEST(wrong_lines_are_refused_with_their_path)
{
	struct buf store = {0};
	struct message m = {.priority = 7};
	struct error err = {0};
	ck_assert(!record_read(slice_str(refusals[_i].line), &m, &store, &err));
	ck_assert_str_eq(err.text, refusals[_i].text);
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_uint_eq(m.priority, 7);
	buf_release(&store);
}
END_TEST

static const struct {
	const char *line;
	bool looks_like;
} looks[] = {
    {"{\"body\":\"x\"}", true},
    {"{\"body_base64\":\"\",\"queue\":\"q\"}", true},
    {"{\"body\":5}", true},
    {"{\"body\":\"x\",\"id\":1}", false},
    {"{\"id\":1}", false},
    {"{}", false},
    {"[\"body\"]", false},
    {"\"body\"", false},
    {"body", false},
    {"", false},
};

START_TEST(record_is_told_from_a_body_of_its_own)
{
	ck_assert_int_eq(record_looks_like(slice_str(looks[_i].line)), looks[_i].looks_like);
}
END_TEST

START_TEST(what_an_event_store_tells_is_written_and_read_back)
{
	static const char line[] =
	    "{\"position\":7,\"received\":\"2026-11-21T08:00:00.000001Z\",\"exchange\":\"x\","
	    "\"routing_key\":\"k\",\"redelivered\":true,\"queue\":\"q\",\"stream_offset\":0,"
	    "\"properties\":{\"priority\":3},\"body\":\"b\"}\n";
	const int64_t offset = 0;
	struct buf out = {0}, store = {0};
	struct error err = {0};
	struct record_told told;
	struct message m = {.exchange = SLICE("x"), .routing_key = SLICE("k"), .body = SLICE("b")};
	struct record_extra extra = {.redelivered = &yes,
	    .queue = SLICE("q"),
	    .position = 7,
	    .received = SLICE("2026-11-21T08:00:00.000001Z"),
	    .offset = &offset,
	    .properties = SLICE("{\"priority\":3}")};
	ck_assert(record_write(&m, &extra, &out, &err));
	ck_assert_str_eq(out.ptr, line);
	ck_assert_msg(record_read_told(buf_slice(&out), &m, &told, &store, &err), "%s", err.text);
	ck_assert_uint_eq(m.priority, 3);
	ck_assert(told.redelivered && slice_is(told.queue, "q"));
	ck_assert(slice_is(told.received, "2026-11-21T08:00:00.000001Z"));
	ck_assert_int_eq(told.offset, 0);
	ck_assert(record_read_told(SLICE("{\"body\":\"b\"}"), &m, &told, &store, &err));
	ck_assert(!told.redelivered && told.queue.ptr == NULL && told.received.ptr == NULL);
	ck_assert_int_eq(told.offset, -1);
	buf_release(&out);
	buf_release(&store);
}
END_TEST

static Suite *record_suite(void)
{
	Suite *suite = suite_create("record");
	TCase *writing = tcase_create("write");
	tcase_add_loop_test(writing, message_is_written_as_one_line, 0, (int)ARRAY_LEN(lines));
	tcase_add_test(writing, damaged_headers_are_refused_and_leave_no_bytes);
	suite_add_tcase(suite, writing);
	TCase *both = tcase_create("both ways");
	tcase_set_timeout(both, 60);
	tcase_add_loop_test(both, written_lines_are_read_back, 0, (int)ARRAY_LEN(lines));
	tcase_add_loop_test(both, random_messages_survive_the_way_to_a_line_and_back, 0, 4);
	tcase_add_test(both, absent_members_stay_absent);
	tcase_add_test(both, headers_longer_than_their_json_do_not_move_the_texts);
	tcase_add_test(both, told_beside_the_message_is_ignored);
	tcase_add_test(both, what_an_event_store_tells_is_written_and_read_back);
	suite_add_tcase(suite, both);
	TCase *wrong = tcase_create("refusals");
	tcase_add_loop_test(
	    wrong, wrong_lines_are_refused_with_their_path, 0, (int)ARRAY_LEN(refusals));
	tcase_add_loop_test(wrong, record_is_told_from_a_body_of_its_own, 0, (int)ARRAY_LEN(looks));
	suite_add_tcase(suite, wrong);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(record_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
