/* What a message says about itself: the layout, and what is not taken for it. */
#include "model/probe.h"

#include "base/mem.h"
#include "model/table.h"

#include <check.h>
#include <stdlib.h>

static const struct probe samples[] = {
    {PROBE_MONOTONIC, 0x01020304, 0x05060708, UINT64_C(0x1112131415161718),
	UINT64_C(0x2122232425262728), UINT64_C(0x3132333435363738)},
    {PROBE_WALL, UINT32_MAX, 0, UINT64_MAX, UINT64_C(1700000000000000000),
	UINT64_C(1700000000123456789)},
    {PROBE_MONOTONIC, 0, UINT32_MAX, 0, 0, UINT64_MAX},
};

static void assert_same(const struct probe *a, const struct probe *b)
{
	ck_assert_int_eq(a->clock, b->clock);
	ck_assert_uint_eq(a->run, b->run);
	ck_assert_uint_eq(a->publisher, b->publisher);
	ck_assert_uint_eq(a->sequence, b->sequence);
	ck_assert_uint_eq(a->due_ns, b->due_ns);
	ck_assert_uint_eq(a->sent_ns, b->sent_ns);
}

static struct message with_headers(const struct buf *headers)
{
	return (struct message){.body = SLICE("of somebody else"),
	    .present = MESSAGE_HEADERS,
	    .headers = buf_slice(headers)};
}

static void append_header(struct buf *headers, const struct probe *p)
{
	char entries[PROBE_HEADER_BYTES];
	probe_write_header(p, entries);
	buf_append(headers, (struct slice){entries, sizeof entries});
}

START_TEST(the_bytes_stand_where_the_header_says)
{
	static const char expected[] = "\x15\x16\x17\x18"
				       "\x31\x32\x33\x34\x35\x36\x37\x38"
				       "wrnM"
				       "\x01\x02\x03\x04"
				       "\x05\x06\x07\x08"
				       "\x11\x12\x13\x14\x15\x16\x17\x18"
				       "\x21\x22\x23\x24\x25\x26\x27\x28"
				       "\x31\x32\x33\x34\x35\x36\x37\x38";
	char bytes[PROBE_BYTES];
	ck_assert_uint_eq(sizeof expected - 1, PROBE_BYTES);
	probe_write(&samples[0], bytes);
	ck_assert_mem_eq(bytes, expected, PROBE_BYTES);
}
END_TEST

START_TEST(perftest_finds_milliseconds_where_the_clock_is_the_wall)
{
	/* 1700000000123 */
	static const char expected[] = "\xff\xff\xff\xff"
				       "\x00\x00\x01\x8b\xcf\xe5\x68\x7b"
				       "wrnW";
	char bytes[PROBE_BYTES];
	probe_write(&samples[1], bytes);
	ck_assert_mem_eq(bytes, expected, sizeof expected - 1);
}
END_TEST

START_TEST(what_is_written_into_a_body_is_read_back)
{
	char body[PROBE_BYTES + 10] = {0};
	struct probe read = {0};
	struct message m = {.body = {body, PROBE_BYTES}};
	probe_write(&samples[_i], body);
	ck_assert(probe_read(&m, &read));
	assert_same(&read, &samples[_i]);
	m.body.len = sizeof body; /* and more behind it */
	read = (struct probe){0};
	ck_assert(probe_read(&m, &read));
	assert_same(&read, &samples[_i]);
}
END_TEST

START_TEST(what_is_written_into_headers_is_read_back_between_others)
{
	struct buf headers = {0};
	struct probe read = {0};
	table_add_string(&headers, "before", SLICE("warren-probe"));
	append_header(&headers, &samples[_i]);
	table_add_int(&headers, "after", 7);
	struct message m = with_headers(&headers);
	ck_assert(probe_read(&m, &read));
	assert_same(&read, &samples[_i]);
	m.present = 0; /* then the headers do not count */
	ck_assert(!probe_read(&m, &read));
	buf_release(&headers);
}
END_TEST

START_TEST(the_header_is_a_table_of_a_long_and_of_bytes)
{
	struct buf headers = {0}, json = {0};
	struct error err = {0};
	append_header(&headers, &samples[0]);
	struct table_entry entry = {.rest = buf_slice(&headers)};
	ck_assert(table_next(&entry));
	ck_assert(slice_is(entry.key, "timestamp"));
	ck_assert_int_eq(entry.type, 'l');
	ck_assert_uint_eq(entry.value.len, 8);
	ck_assert(table_next(&entry));
	ck_assert(slice_is(entry.key, "warren-probe"));
	ck_assert_int_eq(entry.type, 'x');
	ck_assert_uint_eq(entry.value.len, 4 + PROBE_BYTES);
	ck_assert(!table_next(&entry));
	ck_assert_uint_eq(entry.rest.len, 0);
	ck_assert_msg(table_write_json(buf_slice(&headers), &json, &err), "%s", err.text);
	json_t *object = json_loads(json.ptr, 0, NULL);
	ck_assert_int_eq(
	    json_integer_value(json_object_get(object, "timestamp")), INT64_C(0x3132333435363738));
	json_decref(object);
	buf_release(&json);
	buf_release(&headers);
}
END_TEST

START_TEST(the_wall_clock_in_a_header_is_in_milliseconds)
{
	struct buf headers = {0}, json = {0};
	struct error err = {0};
	append_header(&headers, &samples[1]);
	ck_assert(table_write_json(buf_slice(&headers), &json, &err));
	json_t *object = json_loads(json.ptr, 0, NULL);
	ck_assert_int_eq(
	    json_integer_value(json_object_get(object, "timestamp")), INT64_C(1700000000123));
	json_decref(object);
	buf_release(&json);
	buf_release(&headers);
}
END_TEST

START_TEST(a_body_that_is_too_short_has_none)
{
	struct probe read = {0};
	for (size_t len = 0; len < PROBE_BYTES; len++) {
		char bytes[PROBE_BYTES], *body = mem_alloc(len, 1); /* nothing readable behind it */
		probe_write(&samples[0], bytes);
		memcpy(body, bytes, len);
		struct message m = {.body = {body, len}};
		ck_assert(!probe_read(&m, &read));
		free(body);
	}
}
END_TEST

START_TEST(a_body_with_another_magic_has_none)
{
	char body[PROBE_BYTES];
	struct probe read = {0};
	struct message m = {.body = {body, sizeof body}};
	for (size_t at = 12; at < 16; at++) {
		probe_write(&samples[0], body);
		body[at] ^= 0x20;
		ck_assert(!probe_read(&m, &read));
	}
}
END_TEST

START_TEST(headers_that_are_cut_off_have_none)
{
	char entries[PROBE_HEADER_BYTES];
	struct probe read = {0};
	probe_write_header(&samples[0], entries);
	for (size_t len = 0; len < sizeof entries; len++) {
		struct buf headers = {0};
		char *copy = mem_alloc(len, 1);
		memcpy(copy, entries, len);
		headers = (struct buf){copy, len, len};
		struct message m = with_headers(&headers);
		ck_assert(!probe_read(&m, &read));
		free(copy);
	}
}
END_TEST

/* What stands in place of the length, or of the type, of the header. */
static const struct {
	size_t at;
	char byte;
} damages[] = {
    {18 + 13, 'S'}, {18 + 14, 1}, {18 + 17, 47}, {18 + 17, 49}, {18 + 5, 'P'}, {18 + 18 + 15, 'm'}};

START_TEST(headers_that_say_something_else_have_none)
{
	struct buf headers = {0};
	struct probe read = {0};
	append_header(&headers, &samples[0]);
	struct message m = with_headers(&headers);
	ck_assert(probe_read(&m, &read));
	ck_assert_int_ne(headers.ptr[damages[_i].at], damages[_i].byte);
	headers.ptr[damages[_i].at] = damages[_i].byte;
	ck_assert(!probe_read(&m, &read));
	buf_release(&headers);
}
END_TEST

START_TEST(a_message_without_anything_has_none)
{
	struct probe read = {0};
	struct message m = {0};
	ck_assert(!probe_read(&m, &read));
	m.present = MESSAGE_HEADERS;
	ck_assert(!probe_read(&m, &read));
	ck_assert(!probe_read_perftest(&m, PROBE_WALL, &read));
}
END_TEST

START_TEST(a_body_goes_before_the_headers)
{
	char body[PROBE_BYTES];
	struct buf headers = {0};
	struct probe read = {0};
	probe_write(&samples[0], body);
	append_header(&headers, &samples[1]);
	struct message m = with_headers(&headers);
	m.body = (struct slice){body, sizeof body};
	ck_assert(probe_read(&m, &read));
	assert_same(&read, &samples[0]);
	buf_release(&headers);
}
END_TEST

START_TEST(the_first_bytes_are_perftests_in_its_unit)
{
	static const char body[] = "\x00\x00\x01\x00"
				   "\x00\x00\x01\x8b\xcf\xe5\x68\x7b";
	struct message m = {.body = {body, PROBE_PERFTEST_BYTES}};
	struct probe read = {.run = 9, .publisher = 9};
	ck_assert(probe_read_perftest(&m, PROBE_WALL, &read));
	assert_same(&read, &(struct probe){PROBE_WALL, 0, 0, 256, UINT64_C(1700000000123000000),
			       UINT64_C(1700000000123000000)});
	ck_assert(probe_read_perftest(&m, PROBE_MONOTONIC, &read));
	assert_same(&read, &(struct probe){PROBE_MONOTONIC, 0, 0, 256, UINT64_C(1700000000123),
			       UINT64_C(1700000000123)});
	m.body.len--;
	ck_assert(!probe_read_perftest(&m, PROBE_WALL, &read));
}
END_TEST

START_TEST(perftests_header_goes_before_the_body_in_its_unit)
{
	struct buf headers = {0};
	struct probe read = {.run = 9, .publisher = 9, .sequence = 9};
	table_add_string(&headers, "before", SLICE("timestamp"));
	append_header(&headers, &samples[1]);
	table_add_int(&headers, "after", 7);
	struct message m = with_headers(&headers); /* a body that is long enough, too */
	ck_assert(probe_read_perftest(&m, PROBE_WALL, &read));
	assert_same(&read, &(struct probe){PROBE_WALL, 0, 0, 0, UINT64_C(1700000000123000000),
			       UINT64_C(1700000000123000000)});
	ck_assert(probe_read_perftest(&m, PROBE_MONOTONIC, &read));
	ck_assert_uint_eq(read.sent_ns, UINT64_C(1700000000123));
	m.body.len = 0;
	ck_assert(probe_read_perftest(&m, PROBE_WALL, &read));
	ck_assert_uint_eq(read.due_ns, UINT64_C(1700000000123000000));
	m.present = 0; /* then the headers do not count */
	ck_assert(!probe_read_perftest(&m, PROBE_WALL, &read));
	buf_release(&headers);
}
END_TEST

START_TEST(perftests_header_that_is_cut_off_or_another_is_none)
{
	char entries[PROBE_HEADER_BYTES];
	struct probe read = {0};
	probe_write_header(&samples[0], entries);
	for (size_t len = 0; len <= PROBE_PERFTEST_HEADER_BYTES; len++) {
		char *copy = mem_alloc(len, 1); /* nothing readable behind it */
		memcpy(copy, entries, len);
		struct buf headers = {copy, len, len};
		struct message m = with_headers(&headers);
		m.body.len = PROBE_PERFTEST_BYTES - 1;
		bool is_whole = len == PROBE_PERFTEST_HEADER_BYTES;
		ck_assert_int_eq(probe_read_perftest(&m, PROBE_WALL, &read), is_whole);
		if (is_whole) {
			copy[10] = 'T'; /* of the type: seconds, not PerfTest's */
			ck_assert(!probe_read_perftest(&m, PROBE_WALL, &read));
		}
		free(copy);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("probe");
	TCase *tc = tcase_create("probe");
	tcase_add_test(tc, the_bytes_stand_where_the_header_says);
	tcase_add_test(tc, perftest_finds_milliseconds_where_the_clock_is_the_wall);
	tcase_add_loop_test(
	    tc, what_is_written_into_a_body_is_read_back, 0, (int)ARRAY_LEN(samples));
	tcase_add_loop_test(tc, what_is_written_into_headers_is_read_back_between_others, 0,
	    (int)ARRAY_LEN(samples));
	tcase_add_test(tc, the_header_is_a_table_of_a_long_and_of_bytes);
	tcase_add_test(tc, the_wall_clock_in_a_header_is_in_milliseconds);
	tcase_add_test(tc, a_body_that_is_too_short_has_none);
	tcase_add_test(tc, a_body_with_another_magic_has_none);
	tcase_add_test(tc, headers_that_are_cut_off_have_none);
	tcase_add_loop_test(
	    tc, headers_that_say_something_else_have_none, 0, (int)ARRAY_LEN(damages));
	tcase_add_test(tc, a_message_without_anything_has_none);
	tcase_add_test(tc, a_body_goes_before_the_headers);
	tcase_add_test(tc, the_first_bytes_are_perftests_in_its_unit);
	tcase_add_test(tc, perftests_header_goes_before_the_body_in_its_unit);
	tcase_add_test(tc, perftests_header_that_is_cut_off_or_another_is_none);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
