/* Traces of the firehose: the message that they tell of. */
#include "model/firehose.h"

#include "base/mem.h"
#include "model/record.h"
#include "model/table.h"

#include <check.h>
#include <stdlib.h>

static struct buf headers;
static struct error err;

static void begin(void)
{
	error_clear(&err);
}

static void end(void)
{
	buf_release(&headers);
}

/* A trace with headers that are given as JSON; the bytes live until the next. */
static struct message trace_of(const char *key, const char *json)
{
	json_t *object = json_loads(json, 0, NULL);
	ck_assert_ptr_nonnull(object);
	buf_clear(&headers);
	ck_assert_msg(table_encode(object, &headers, &err), "%s", err.text);
	json_decref(object);
	return (struct message){.exchange = SLICE("amq.rabbitmq.trace"),
	    .routing_key = slice_str(key),
	    .body = SLICE("body"),
	    .present = MESSAGE_HEADERS,
	    .headers = buf_slice(&headers)};
}

#define INT32(number) "{\"$type\": \"int32\", \"value\": " #number "}"

START_TEST(a_trace_gives_back_the_message)
{
	const struct message trace = trace_of("publish.orders",
	    "{\"exchange_name\": \"orders\", \"routing_keys\": [\"order.made\", \"copied.to\"],"
	    "\"properties\": {\"content_type\": \"text/plain\", \"headers\": {\"n\": "
	    "" INT32(5) ", \"t\": {\"deep\": []}},"
			"\"delivery_mode\": " INT32(2) ", \"priority\": " INT32(
			    9) ", \"correlation_id\": \"c\", \"reply_to\": \"r\","
			       "\"expiration\": \"60000\", \"message_id\": \"m\", \"timestamp\": "
			       "" INT32(
				   1700000000) ", \"type\": \"t\", \"user_id\": \"guest\","
					       "\"app_id\": \"a\", \"cluster_id\": \"x\", "
					       "\"content_encoding\": \"gzip\"},"
					       "\"node\": \"rabbit@here\", \"user\": "
					       "\"guest\", \"channel\": 1, \"unknown\": null}");
	struct firehose f;
	struct buf line = {0};
	ck_assert_msg(firehose_read(&trace, &f, &err), "%s", err.text);
	ck_assert(record_write(&f.message, &(struct record_extra){0}, &line, &err));
	ck_assert_str_eq(line.ptr,
	    "{\"exchange\":\"orders\",\"routing_key\":\"order.made\",\"properties\":{"
	    "\"content_type\":\"text/plain\",\"content_encoding\":\"gzip\",\"headers\":{\"n\":{"
	    "\"$type\":\"int32\",\"value\":5},\"t\":{\"deep\":[]}},\"delivery_mode\":2,"
	    "\"priority\":9,\"correlation_id\":\"c\",\"reply_to\":\"r\",\"expiration\":\"60000\","
	    "\"message_id\":\"m\",\"timestamp\":1700000000,\"type\":\"t\",\"user_id\":\"guest\","
	    "\"app_id\":\"a\",\"cluster_id\":\"x\"},\"body\":\"body\"}\n");
	ck_assert_ptr_null(f.queue.ptr);
	ck_assert(!f.redelivered);
	buf_release(&line);
}
END_TEST

START_TEST(a_delivery_tells_its_queue)
{
	const struct message trace = trace_of("deliver.a.queue",
	    "{\"exchange_name\": \"\", \"routing_keys\": [\"a.queue\"], \"properties\": {},"
	    "\"redelivered\": " INT32(1) "}");
	struct firehose f;
	ck_assert_msg(firehose_read(&trace, &f, &err), "%s", err.text);
	ck_assert(slice_is(f.queue, "a.queue"));
	ck_assert(f.redelivered);
	ck_assert(slice_is(f.message.exchange, "") && slice_is(f.message.routing_key, "a.queue"));
	ck_assert_uint_eq(f.message.present, 0);
}
END_TEST

START_TEST(a_time_beyond_31_bits_comes_back)
{
	const struct message trace = trace_of("publish.",
	    "{\"exchange_name\": \"\", \"routing_keys\": [\"q\"], \"properties\": {\"timestamp\": "
	    "" INT32(-1294967296) "}}");
	struct firehose f;
	ck_assert_msg(firehose_read(&trace, &f, &err), "%s", err.text);
	ck_assert_uint_eq(f.message.timestamp, 3000000000);
}
END_TEST

static const struct {
	const char *headers, *said;
} damages[] = {
    {"{}", "exchange_name, routing_keys and properties do not all stand in its headers"},
    {"{\"exchange_name\": \"\", \"properties\": {}}", "do not all stand"},
    {"{\"exchange_name\": 5}", "its header 'exchange_name' is damaged"},
    {"{\"routing_keys\": []}", "its header 'routing_keys' is damaged"},
    {"{\"routing_keys\": [5]}", "its header 'routing_keys' is damaged"},
    {"{\"routing_keys\": \"q\"}", "its header 'routing_keys' is damaged"},
    {"{\"properties\": []}", "its header 'properties' is damaged"},
    {"{\"properties\": {\"priority\": 256}}", "its header 'properties' is damaged"},
    {"{\"properties\": {\"message_id\": 1}}", "its header 'properties' is damaged"},
    {"{\"properties\": {\"headers\": \"none\"}}", "its header 'properties' is damaged"},
    {"{\"redelivered\": \"yes\"}", "its header 'redelivered' is damaged"},
};

START_TEST(what_is_no_trace_is_told)
{
	const struct message trace = trace_of("publish.x", damages[_i].headers);
	struct firehose f;
	ck_assert(!firehose_read(&trace, &f, &err));
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_msg(strstr(err.text, damages[_i].said) != NULL, "%s", err.text);
}
END_TEST

START_TEST(a_text_that_is_too_long_is_no_property)
{
	char text[300], json[400];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	snprintf(json, sizeof json, "{\"properties\": {\"message_id\": \"%s\"}}", text);
	const struct message trace = trace_of("publish.x", json);
	struct firehose f;
	ck_assert(!firehose_read(&trace, &f, &err));
}
END_TEST

START_TEST(damaged_headers_are_no_trace)
{
	struct message trace = trace_of("publish.",
	    "{\"exchange_name\": \"\", \"routing_keys\": [\"q\"], \"properties\": {\"type\": "
	    "\"t\"}}");
	struct firehose f;
	for (size_t cut = 1; cut < headers.len; cut++) {
		error_clear(&err);
		trace.headers.len = headers.len - cut;
		ck_assert(!firehose_read(&trace, &f, &err));
	}
	error_clear(&err);
	trace.present = 0;
	ck_assert(!firehose_read(&trace, &f, &err));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("firehose");
	TCase *tests = tcase_create("firehose");
	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, a_trace_gives_back_the_message);
	tcase_add_test(tests, a_delivery_tells_its_queue);
	tcase_add_test(tests, a_time_beyond_31_bits_comes_back);
	tcase_add_loop_test(tests, what_is_no_trace_is_told, 0, (int)ARRAY_LEN(damages));
	tcase_add_test(tests, a_text_that_is_too_long_is_no_property);
	tcase_add_test(tests, damaged_headers_are_no_trace);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
