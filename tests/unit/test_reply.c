/* What of a request, and of what was made of it, is in the reply. */
#include "base/buf.h"
#include "model/marks.h"
#include "model/reply.h"
#include "model/table.h"

#include <check.h>
#include <stdlib.h>

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static const struct slice by = {"rpc/prices", 10};

static void encode(const char *json, struct buf *out)
{
	struct error err = {0};
	json_t *object = json_loads(json, 0, NULL);
	ck_assert_ptr_nonnull(object);
	buf_clear(out);
	ck_assert(table_encode(object, out, &err));
	json_decref(object);
}

/* A request with these headers; "" for none. */
static struct message ask(const char *headers, struct buf *store)
{
	struct message m = {.exchange = SLICE("shop"),
	    .routing_key = SLICE("prices"),
	    .body = SLICE("?"),
	    .present = MESSAGE_REPLY_TO | MESSAGE_CORRELATION_ID | MESSAGE_MESSAGE_ID |
		       MESSAGE_EXPIRATION | MESSAGE_PRIORITY | MESSAGE_DELIVERY_MODE |
		       MESSAGE_TYPE | MESSAGE_USER_ID,
	    .reply_to = SLICE("back"),
	    .correlation_id = SLICE("call 7"),
	    .message_id = SLICE("m1"),
	    .expiration = SLICE("5000"),
	    .priority = 3,
	    .delivery_mode = MESSAGE_TRANSIENT,
	    .type = SLICE("price.wanted"),
	    .user_id = SLICE("guest")};
	if (headers[0] != '\0') {
		encode(headers, store);
		m.headers = buf_slice(store);
		m.present |= MESSAGE_HEADERS;
	}
	return m;
}

static void expect_headers(const struct message *m, const char *json)
{
	struct error err = {0};
	struct buf text = {0};
	ck_assert(table_write_json(m->headers, &text, &err));
	json_t *found = json_loadb(text.ptr, text.len, 0, NULL),
	       *wanted = json_loads(json, 0, NULL);
	ck_assert_msg(json_equal(found, wanted), "%s, not %s", text.ptr, json);
	json_decref(found);
	json_decref(wanted);
	buf_release(&text);
}

START_TEST(a_reply_goes_to_who_asked_and_names_the_call)
{
	struct buf store = {0};
	struct message request = ask("", NULL), result = request, out;
	result.body = SLICE("42");
	result.content_type = SLICE("application/json");
	result.present |= MESSAGE_CONTENT_TYPE;
	reply_make(&request, &result, by, &store, &out);
	ck_assert(slice_is(out.exchange, ""));
	ck_assert(slice_is(out.routing_key, "back"));
	ck_assert(slice_is(out.body, "42"));
	ck_assert(slice_is(out.correlation_id, "call 7"));
	ck_assert(slice_is(out.content_type, "application/json"));
	ck_assert_uint_eq(out.delivery_mode, MESSAGE_TRANSIENT);
	ck_assert_uint_eq(out.present, MESSAGE_CORRELATION_ID | MESSAGE_MESSAGE_ID |
					   MESSAGE_CONTENT_TYPE | MESSAGE_DELIVERY_MODE |
					   MESSAGE_HEADERS);
	expect_headers(&out, "{\"" MARKS_CAUSE "\": \"m1\"}");
	buf_release(&store);
}
END_TEST

START_TEST(the_same_request_has_the_same_reply_and_an_error_is_another_one)
{
	struct buf store = {0}, again = {0};
	struct message request = ask("", NULL), first, second, refusal;
	reply_make(&request, &request, by, &store, &first);
	reply_make(&request, &request, by, &again, &second);
	ck_assert(slice_equal(first.message_id, second.message_id));
	ck_assert(!slice_equal(first.message_id, request.message_id));
	reply_refuse(&request, by, SLICE("no such thing"), &again, &refusal);
	ck_assert(!slice_equal(first.message_id, refusal.message_id));
	ck_assert(slice_is(refusal.correlation_id, "call 7"));
	ck_assert(slice_is(refusal.body, "no such thing"));
	ck_assert(slice_is(refusal.content_type, "text/plain"));
	expect_headers(
	    &refusal, "{\"" MARKS_CAUSE "\": \"m1\", \"" MARKS_ERROR "\": \"no such thing\"}");
	reply_refuse(&request, by, SLICE(""), &again, &refusal);
	ck_assert(slice_is(refusal.body, "rejected"));
	buf_release(&store);
	buf_release(&again);
}
END_TEST

START_TEST(without_a_correlation_id_the_message_id_names_the_call)
{
	struct buf store = {0};
	struct message request = ask("", NULL), out;
	request.present &= ~(unsigned)MESSAGE_CORRELATION_ID;
	reply_make(&request, &request, by, &store, &out);
	ck_assert(slice_is(out.correlation_id, "m1"));
	request.present &= ~(unsigned)MESSAGE_MESSAGE_ID;
	reply_make(&request, &request, by, &store, &out);
	ck_assert_uint_eq(out.present, MESSAGE_DELIVERY_MODE);
	buf_release(&store);
}
END_TEST

START_TEST(a_request_without_reply_to_wants_no_reply)
{
	struct message request = ask("", NULL);
	ck_assert(reply_is_wanted(&request));
	request.reply_to = SLICE("");
	ck_assert(!reply_is_wanted(&request));
	request = ask("", NULL);
	request.present &= ~(unsigned)MESSAGE_REPLY_TO;
	ck_assert(!reply_is_wanted(&request));
}
END_TEST

/* Headers of the request, of the result, and of the reply besides the cause. */
static const struct {
	const char *asked, *result, *reply;
} rows[] = {
    /* what was only copied stays behind, but for the trace */
    {"{\"region\": \"eu\", \"traceparent\": \"" PARENT "\", \"tracestate\": \"a=b\"}",
	"{\"region\": \"eu\", \"traceparent\": \"" PARENT "\", \"tracestate\": \"a=b\"}",
	"{\"traceparent\": \"" PARENT "\", \"tracestate\": \"a=b\"}"},
    /* what was made or changed is the reply's */
    {"{\"region\": \"eu\", \"n\": 1}", "{\"region\": \"us\", \"n\": 1, \"new\": true}",
	"{\"region\": \"us\", \"new\": true}"},
    {"{\"n\": 1}", "{\"n\": {\"$type\": \"int32\", \"value\": 1}}",
	"{\"n\": {\"$type\": \"int32\", \"value\": 1}}"},
    /* nobody's copies, marks and deaths */
    {"{}", "{\"CC\": [\"other\"], \"x-warren-attempts\": 2, \"x-death\": []}", "{}"},
    /* the event that asked is not the reply; an event with an id of its own is */
    {"{\"cloudEvents:id\": \"1\", \"cloudEvents:type\": \"A\"}",
	"{\"cloudEvents:id\": \"1\", \"cloudEvents:type\": \"A\"}", "{}"},
    {"{\"cloudEvents:id\": \"1\", \"cloudEvents:type\": \"A\"}",
	"{\"cloudEvents:id\": \"2\", \"cloudEvents:type\": \"A\"}",
	"{\"cloudEvents:id\": \"2\", \"cloudEvents:type\": \"A\"}"},
};

START_TEST(headers_of_the_request_are_not_those_of_the_reply)
{
	struct buf store = {0}, asked = {0}, made = {0};
	struct message request = ask(rows[_i].asked, &asked), result = request, out;
	encode(rows[_i].result, &made);
	result.headers = buf_slice(&made);
	result.present |= MESSAGE_HEADERS;
	reply_make(&request, &result, by, &store, &out);
	json_t *wanted = json_loads(rows[_i].reply, 0, NULL);
	json_object_set_new(wanted, MARKS_CAUSE, json_string("m1"));
	char *text = json_dumps(wanted, 0);
	expect_headers(&out, text);
	free(text);
	json_decref(wanted);
	buf_release(&store);
	buf_release(&asked);
	buf_release(&made);
}
END_TEST

START_TEST(a_type_that_was_asked_is_not_answered)
{
	struct buf store = {0};
	struct message request = ask("", NULL), result = request, out;
	reply_make(&request, &result, by, &store, &out);
	ck_assert((out.present & MESSAGE_TYPE) == 0);
	result.type = SLICE("price");
	reply_make(&request, &result, by, &store, &out);
	ck_assert(slice_is(out.type, "price"));
	buf_release(&store);
}
END_TEST

START_TEST(a_long_reason_is_cut)
{
	struct buf store = {0}, reason = {0};
	struct message request = ask("", NULL), out;
	for (int i = 0; i < 10000; i++)
		buf_append_char(&reason, 'x');
	reply_refuse(&request, by, buf_slice(&reason), &store, &out);
	ck_assert_uint_eq(table_find_string(out.headers, MARKS_ERROR).len, 1000);
	buf_release(&store);
	buf_release(&reason);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reply");
	TCase *tcase = tcase_create("reply");
	tcase_add_test(tcase, a_reply_goes_to_who_asked_and_names_the_call);
	tcase_add_test(tcase, the_same_request_has_the_same_reply_and_an_error_is_another_one);
	tcase_add_test(tcase, without_a_correlation_id_the_message_id_names_the_call);
	tcase_add_test(tcase, a_request_without_reply_to_wants_no_reply);
	tcase_add_loop_test(tcase, headers_of_the_request_are_not_those_of_the_reply, 0,
	    sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, a_type_that_was_asked_is_not_answered);
	tcase_add_test(tcase, a_long_reason_is_cut);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
