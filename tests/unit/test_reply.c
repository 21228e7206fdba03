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

/* Kept, as what remembers it keeps it. */
static struct message *keep(const struct message *reply)
{
	struct message answer;
	reply_answer(reply, &answer);
	return message_copy(&answer);
}

START_TEST(an_answer_that_is_given_again_is_the_same_for_the_same_request)
{
	struct buf store = {0}, asked = {0}, made = {0};
	struct message request = ask("{\"n\": 1, \"traceparent\": \"" PARENT "\"}", &asked),
		       result = request, first, second;
	encode("{\"n\": 2, \"traceparent\": \"" PARENT "\"}", &made);
	result.headers = buf_slice(&made);
	result.body = SLICE("42");
	result.type = SLICE("price");
	result.content_type = SLICE("application/json");
	result.content_encoding = SLICE("identity");
	result.present |= MESSAGE_CONTENT_TYPE | MESSAGE_CONTENT_ENCODING;
	reply_make(&request, &result, by, &store, &first);
	struct message *answer = keep(&first), *wanted = message_copy(&first);
	reply_repeat(&request, answer, by, &store, &second);
	ck_assert_uint_eq(second.present, wanted->present);
	ck_assert_uint_eq(second.delivery_mode, wanted->delivery_mode);
	ck_assert(slice_equal(second.body, wanted->body));
	ck_assert(slice_equal(second.routing_key, wanted->routing_key));
	ck_assert(slice_equal(second.message_id, wanted->message_id));
	ck_assert(slice_equal(second.correlation_id, wanted->correlation_id));
	ck_assert(slice_equal(second.content_type, wanted->content_type));
	ck_assert(slice_equal(second.content_encoding, wanted->content_encoding));
	ck_assert(slice_equal(second.type, wanted->type));
	expect_headers(&second, "{\"n\": 2, \"traceparent\": \"" PARENT "\", \"" MARKS_CAUSE
				"\": \"m1\", \"" MARKS_REPEATED "\": true}");
	free(answer);
	free(wanted);
	buf_release(&store);
	buf_release(&asked);
	buf_release(&made);
}
END_TEST

START_TEST(an_answer_that_is_given_again_goes_the_way_of_who_asks_now)
{
	struct buf store = {0}, asked = {0};
	struct message request = ask("{\"traceparent\": \"" PARENT "\"}", &asked), out;
	reply_refuse(&request, by, SLICE("sold out"), &store, &out);
	struct message *answer = keep(&out), *first = message_copy(&out);
	request = ask("{\"tracestate\": \"a=b\", \"x-warren-error\": \"mine\"}", &asked);
	request.reply_to = SLICE("elsewhere");
	request.correlation_id = SLICE("call 8");
	request.message_id = SLICE("m2");
	reply_repeat(&request, answer, by, &store, &out);
	ck_assert(slice_is(out.routing_key, "elsewhere"));
	ck_assert(slice_is(out.correlation_id, "call 8"));
	ck_assert(!slice_equal(out.message_id, first->message_id));
	ck_assert(slice_is(out.body, "sold out"));
	expect_headers(&out,
	    "{\"" MARKS_ERROR "\": \"sold out\", \"tracestate\": \"a=b\", \"" MARKS_CAUSE
	    "\": \"m2\", \"" MARKS_REPEATED "\": true}");
	request.message_id = SLICE("m1"); /* the first one's: an error's id is that of an error */
	reply_repeat(&request, answer, by, &store, &out);
	ck_assert(slice_equal(out.message_id, first->message_id));
	free(answer);
	free(first);
	buf_release(&store);
	buf_release(&asked);
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
	tcase_add_test(tcase, an_answer_that_is_given_again_is_the_same_for_the_same_request);
	tcase_add_test(tcase, an_answer_that_is_given_again_goes_the_way_of_who_asks_now);
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
