/* How a failed message is marked, what is set aside on its way, and how it looks when it is back.
 */
#include "model/retry.h"

#include "base/mem.h"
#include "model/marks.h"
#include "model/table.h"

#include <check.h>
#include <stdlib.h>

static struct buf headers, marked, back;
static struct message m, sent, restored;

static void begin(const char *json)
{
	struct error err = {0};
	json_t *object = json_loads(json, 0, NULL);
	ck_assert_ptr_nonnull(object);
	ck_assert(table_encode(object, &headers, &err));
	json_decref(object);
	m = (struct message){.exchange = slice_str("orders"),
	    .routing_key = slice_str("o.new"),
	    .body = slice_str("body"),
	    .present = MESSAGE_HEADERS,
	    .headers = buf_slice(&headers)};
}

static void release(void)
{
	buf_release(&headers);
	buf_release(&marked);
	buf_release(&back);
}

static void mark(
    const struct message *from, enum retry_step step, uint64_t attempts, const char *reason)
{
	struct error err = {0};
	struct retry_failure failure = {.step = step,
	    .queue = slice_str("q"),
	    .attempts = attempts,
	    .reason = slice_str(reason),
	    .time_s = 1700000000};
	ck_assert(retry_mark(from, &failure, &sent, &marked, &err));
}

/* As RabbitMQ delivers what has waited: to the queue, by its name. */
static void come_back(void)
{
	struct message arrived = sent;
	arrived.exchange = (struct slice){0};
	arrived.routing_key = slice_str("q");
	ck_assert(retry_is_back(&arrived, slice_str("q")));
	retry_restore(&arrived, &restored, &back);
}

static void assert_headers(const struct message *of, const char *expected)
{
	struct buf text = {0};
	struct error err = {0};
	ck_assert(table_write_json(of->headers, &text, &err));
	ck_assert_str_eq(text.ptr, expected);
	buf_release(&text);
}

#define PLACE                                                                                     \
	"\"x-warren-queue\":\"q\",\"x-warren-exchange\":\"orders\",\"x-warren-routing-key\":\"o." \
	"new\""

START_TEST(a_message_waits_with_its_count_and_its_origin)
{
	begin("{\"a\": {\"$type\": \"uint8\", \"value\": 7}, \"b\": {\"c\": [1, null]}}");
	mark(&m, RETRY_WAIT, 1, "ended with status 75");
	assert_headers(&sent, "{\"a\":{\"$type\":\"uint8\",\"value\":7},\"b\":{\"c\":[1,null]},"
			      "\"x-warren-attempts\":1," PLACE "}");
	ck_assert(slice_is(sent.body, "body"));
	ck_assert_uint_eq(retry_attempts(&sent, slice_str("q")), 1);
	ck_assert_uint_eq(retry_attempts(&m, slice_str("q")), 0);
}
END_TEST

START_TEST(a_message_is_parked_with_the_reason_the_error_and_the_time)
{
	begin("{}");
	mark(&m, RETRY_PARK_REJECTED, 1, "ended with status 3");
	assert_headers(&sent, "{\"x-warren-attempts\":1," PLACE
			      ",\"x-warren-reason\":\"rejected\",\"x-warren-error\":\"ended with "
			      "status 3\",\"x-warren-time\":{\"$type\":\"timestamp\",\"value\":"
			      "1700000000}}");
	mark(&m, RETRY_PARK_ATTEMPTS, 5, "");
	assert_headers(&sent, "{\"x-warren-attempts\":5," PLACE
			      ",\"x-warren-reason\":\"attempts\",\"x-warren-time\":{\"$type\":"
			      "\"timestamp\",\"value\":1700000000}}");
}
END_TEST

START_TEST(what_an_earlier_parking_said_is_gone_when_it_waits_again)
{
	begin(
	    "{\"x-warren-reason\": \"attempts\", \"x-warren-error\": \"e\", \"x-warren-time\": 1}");
	mark(&m, RETRY_WAIT, 1, "");
	assert_headers(&sent, "{\"x-warren-attempts\":1," PLACE "}");
}
END_TEST

START_TEST(what_the_verdict_says_besides_goes_with_what_is_parked)
{
	struct error err = {0};
	struct buf told = {0};
	struct retry_failure failure = {.step = RETRY_PARK_REJECTED,
	    .queue = slice_str("q"),
	    .attempts = 1,
	    .time_s = 1700000000};
	json_t *object = json_pack("{s:s, s:s}", MARKS_CONTRACT, "new", "a", "told");
	ck_assert(table_encode(object, &told, &err));
	json_decref(object);
	failure.headers = buf_slice(&told);
	begin("{\"x-warren-contract\": \"old\", \"x-warren-schema-path\": \"/old\", \"a\": 1}");
	ck_assert(retry_mark(&m, &failure, &sent, &marked, &err));
	assert_headers(&sent, "{\"x-warren-attempts\":1," PLACE
			      ",\"x-warren-reason\":\"rejected\",\"x-warren-time\":{\"$type\":"
			      "\"timestamp\",\"value\":1700000000},\"x-warren-contract\":\"new\","
			      "\"a\":\"told\"}");
	failure.step = RETRY_WAIT;
	ck_assert(retry_mark(&m, &failure, &sent, &marked, &err));
	assert_headers(&sent, "{\"a\":1,\"x-warren-attempts\":1," PLACE "}");
	buf_release(&told);
}
END_TEST

START_TEST(a_long_error_is_cut)
{
	char *text = mem_alloc(RETRY_MAX_ERROR_BYTES + 100, 1);
	memset(text, 'e', RETRY_MAX_ERROR_BYTES + 99);
	begin("{}");
	mark(&m, RETRY_PARK_ATTEMPTS, 5, text);
	ck_assert_uint_eq(table_find_string(sent.headers, MARKS_ERROR).len, RETRY_MAX_ERROR_BYTES);
	free(text);
}
END_TEST

START_TEST(a_message_without_headers_gets_some)
{
	begin("{}");
	m.present = 0;
	m.headers = slice_str("not to be looked at");
	mark(&m, RETRY_WAIT, 2, "");
	assert_headers(&sent, "{\"x-warren-attempts\":2," PLACE "}");
	ck_assert_uint_eq(sent.present, MESSAGE_HEADERS);
}
END_TEST

START_TEST(headers_that_would_be_obeyed_are_set_aside_and_come_back)
{
	begin("{\"CC\": [\"x\"], \"a\": 1, \"BCC\": [\"y\"], \"x-death\": [{\"queue\": \"q\"}], "
	      "\"x-first-death-reason\": \"expired\", \"x-delivery-count\": 3}");
	mark(&m, RETRY_WAIT, 1, "");
	assert_headers(&sent,
	    "{\"x-warren-kept-CC\":[\"x\"],\"a\":1,\"x-warren-kept-BCC\":[\"y\"],"
	    "\"x-warren-kept-x-death\":[{\"queue\":\"q\"}],"
	    "\"x-warren-kept-x-first-death-reason\":\"expired\",\"x-warren-attempts\":1," PLACE
	    "}");
	come_back();
	assert_headers(&restored, "{\"CC\":[\"x\"],\"a\":1,\"BCC\":[\"y\"],\"x-death\":[{"
				  "\"queue\":\"q\"}],\"x-first-death-reason\":\"expired\","
				  "\"x-warren-attempts\":1," PLACE "}");
}
END_TEST

START_TEST(what_waiting_itself_added_is_not_shown)
{
	begin("{\"a\": 1, \"x-death\": [{\"queue\": \"q.retry.1s\"}], \"x-first-death-queue\": "
	      "\"q.retry.1s\", \"x-last-death-reason\": \"expired\", \"x-delivery-count\": 1, "
	      "\"x-warren-queue\": \"q\", \"x-warren-exchange\": \"e\", \"x-warren-routing-key\": "
	      "\"k\"}");
	m.exchange = (struct slice){0};
	m.routing_key = slice_str("q");
	ck_assert(retry_is_back(&m, slice_str("q")));
	retry_restore(&m, &restored, &back);
	assert_headers(&restored, "{\"a\":1,\"x-delivery-count\":1,\"x-warren-queue\":\"q\","
				  "\"x-warren-exchange\":\"e\",\"x-warren-routing-key\":\"k\"}");
	ck_assert(slice_is(restored.exchange, "e"));
	ck_assert(slice_is(restored.routing_key, "k"));
}
END_TEST

START_TEST(the_second_failure_keeps_the_first_origin)
{
	begin("{\"a\": 1}");
	mark(&m, RETRY_WAIT, 1, "");
	come_back();
	ck_assert(slice_is(restored.exchange, "orders"));
	ck_assert_uint_eq(retry_attempts(&restored, slice_str("q")), 1);
	struct message *second = message_copy(&restored);
	mark(second, RETRY_WAIT, 2, "");
	assert_headers(&sent, "{\"a\":1,\"x-warren-attempts\":2," PLACE "}");
	free(second);
}
END_TEST

START_TEST(an_expiration_does_not_work_but_is_shown)
{
	begin("{}");
	m.present |= MESSAGE_EXPIRATION | MESSAGE_PRIORITY;
	m.priority = 7;
	m.expiration = slice_str("60000");
	mark(&m, RETRY_WAIT, 1, "");
	ck_assert_uint_eq(sent.present, MESSAGE_HEADERS | MESSAGE_PRIORITY);
	ck_assert_uint_eq(sent.priority, 7);
	come_back();
	ck_assert_uint_eq(restored.present, m.present);
	ck_assert(slice_is(restored.expiration, "60000"));
	ck_assert(!marks_has(restored.headers, MARKS_EXPIRATION));
}
END_TEST

START_TEST(a_user_id_becomes_a_header_for_good)
{
	begin("{\"x-warren-user-id\": \"forged\"}");
	m.present |= MESSAGE_USER_ID;
	m.user_id = slice_str("bob");
	mark(&m, RETRY_WAIT, 1, "");
	ck_assert_uint_eq(sent.present, MESSAGE_HEADERS);
	ck_assert(slice_is(table_find_string(sent.headers, MARKS_USER_ID), "bob"));
	come_back();
	ck_assert_uint_eq(restored.present, MESSAGE_HEADERS);
	ck_assert(slice_is(table_find_string(restored.headers, MARKS_USER_ID), "bob"));
}
END_TEST

START_TEST(the_count_of_another_queue_is_not_ours)
{
	begin("{\"x-warren-attempts\": 4, \"x-warren-queue\": \"other\"}");
	ck_assert_uint_eq(retry_attempts(&m, slice_str("q")), 0);
	ck_assert_uint_eq(retry_attempts(&m, slice_str("other")), 4);
	m.present = 0;
	ck_assert_uint_eq(retry_attempts(&m, slice_str("other")), 0);
}
END_TEST

START_TEST(only_what_came_through_a_wait_queue_is_back)
{
	begin("{\"x-warren-queue\": \"q\", \"x-warren-exchange\": \"e\"}");
	ck_assert(!retry_is_back(&m, slice_str("q"))); /* from its exchange */
	m.exchange = (struct slice){0};
	ck_assert(!retry_is_back(&m, slice_str("q")));
	ck_assert(!retry_is_back(&m, slice_str("o.new"))); /* to a queue where it has not failed */
	m.routing_key = slice_str("q");
	ck_assert(retry_is_back(&m, slice_str("q")));
	retry_restore(&m, &restored, &back); /* half of the origin is none */
	ck_assert(slice_is(restored.routing_key, "q"));
}
END_TEST

START_TEST(an_origin_that_no_message_can_have_is_not_believed)
{
	char json[1024], name[400];
	memset(name, 'n', sizeof name);
	snprintf(json, sizeof json,
	    "{\"x-warren-queue\": \"q\", \"x-warren-exchange\": \"%.300s\", "
	    "\"x-warren-routing-key\": \"k\", \"x-warren-expiration\": \"%.256s\"}",
	    name, name);
	begin(json);
	retry_restore(&m, &restored, &back);
	ck_assert(slice_is(restored.exchange, "orders"));
	ck_assert(slice_is(restored.routing_key, "o.new"));
	ck_assert_uint_eq(restored.present, MESSAGE_HEADERS);
}
END_TEST

START_TEST(damaged_headers_cannot_be_marked)
{
	struct error err = {0};
	struct retry_failure failure = {.queue = slice_str("q"), .attempts = 1};
	begin("{\"a\": 1}");
	m.headers.len--;
	ck_assert(!retry_mark(&m, &failure, &sent, &marked, &err));
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_str_eq(err.text, "its headers are damaged");
}
END_TEST

START_TEST(attempts_are_deliveries_in_all)
{
	const struct topology_retry three = {.attempts = 3};
	ck_assert_int_eq(retry_decide(&three, false, 1), RETRY_WAIT);
	ck_assert_int_eq(retry_decide(&three, false, 2), RETRY_WAIT);
	ck_assert_int_eq(retry_decide(&three, false, 3), RETRY_PARK_ATTEMPTS);
	ck_assert_int_eq(retry_decide(&three, false, 9), RETRY_PARK_ATTEMPTS);
	ck_assert_int_eq(retry_decide(&three, true, 1), RETRY_PARK_REJECTED);
	ck_assert_int_eq(retry_decide(&three, true, 3), RETRY_PARK_REJECTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("retry");
	TCase *cases = tcase_create("retry");
	tcase_add_checked_fixture(cases, NULL, release);
	tcase_add_test(cases, a_message_waits_with_its_count_and_its_origin);
	tcase_add_test(cases, a_message_is_parked_with_the_reason_the_error_and_the_time);
	tcase_add_test(cases, what_an_earlier_parking_said_is_gone_when_it_waits_again);
	tcase_add_test(cases, what_the_verdict_says_besides_goes_with_what_is_parked);
	tcase_add_test(cases, a_long_error_is_cut);
	tcase_add_test(cases, a_message_without_headers_gets_some);
	tcase_add_test(cases, headers_that_would_be_obeyed_are_set_aside_and_come_back);
	tcase_add_test(cases, what_waiting_itself_added_is_not_shown);
	tcase_add_test(cases, the_second_failure_keeps_the_first_origin);
	tcase_add_test(cases, an_expiration_does_not_work_but_is_shown);
	tcase_add_test(cases, a_user_id_becomes_a_header_for_good);
	tcase_add_test(cases, the_count_of_another_queue_is_not_ours);
	tcase_add_test(cases, only_what_came_through_a_wait_queue_is_back);
	tcase_add_test(cases, an_origin_that_no_message_can_have_is_not_believed);
	tcase_add_test(cases, damaged_headers_cannot_be_marked);
	tcase_add_test(cases, attempts_are_deliveries_in_all);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
