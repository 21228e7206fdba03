/* A recorded message as it is published once more. */
#include "base/mem.h"
#include "model/replay.h"
#include "model/table.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

static void encode(const char *json, struct buf *out)
{
	struct error err = {0};
	json_t *object = json_loads(json, 0, NULL);
	ck_assert_msg(table_encode(object, out, &err), "%s", err.text);
	json_decref(object);
}

/* The headers that are sent of these. */
static char *headers_of(const char *json, const struct replay_order *order)
{
	struct error err = {0};
	struct buf table = {0}, store = {0}, text = {0};
	struct replay_outcome outcome;
	struct message out, m = {0};
	if (json != NULL) {
		encode(json, &table);
		m = (struct message){.present = MESSAGE_HEADERS, .headers = buf_slice(&table)};
	}
	replay_message(&m, order, &out, &store, &outcome);
	ck_assert((out.present & MESSAGE_HEADERS) != 0);
	ck_assert(table_write_json(out.headers, &text, &err));
	buf_release(&table);
	buf_release(&store);
	return buf_take(&text);
}

static const struct header_case {
	const char *headers, *sent;
	struct replay_order order;
} header_cases[] = {
    {NULL, "{\"x-warren-replayed\":7}", {.position = 7}},
    {NULL, "{\"x-warren-replayed\":7,\"x-warren-replayed-again\":true}",
	{.position = 7, .again = true}},
    {"{\"a\":1,\"cloudEvents_id\":\"e1\",\"traceparent\":\"00-1-2-01\",\"x-mine\":true}",
	"{\"a\":1,\"cloudEvents_id\":\"e1\",\"traceparent\":\"00-1-2-01\",\"x-mine\":true,"
	"\"x-warren-replayed\":8}",
	{.position = 8}},
    {"{\"x-death\":[{\"count\":1}],\"x-first-death-queue\":\"q\",\"x-first-death-reason\":\"r\","
     "\"x-first-death-exchange\":\"\",\"x-last-death-queue\":\"q\",\"x-last-death-reason\":\"r\","
     "\"x-last-death-exchange\":\"e\",\"x-delivery-count\":2,\"x-acquired-count\":2,"
     "\"x-stream-offset\":5,\"x-received-from\":[],\"x-shovelled\":[],\"x-shovelled-timestamp\":1,"
     "\"x-routed-by\":\"rabbit@a\",\"x-opt-rabbitmq-received-time\":1,"
     "\"x-opt-mqtt-client-id\":\"c\",\"x-deathly\":1}",
	"{\"x-deathly\":1,\"x-warren-replayed\":9}", {.position = 9}},
    {"{\"x-warren-replayed\":3,\"x-warren-replayed-again\":true,\"x-warren-resent\":true,"
     "\"x-warren-attempts\":2,\"x-warren-kept-x-death\":[],\"x-warren-queue\":\"q\"}",
	"{\"x-warren-replayed\":4}", {.position = 4}},
    {"{\"CC\":[\"a\"],\"BCC\":[\"b\"],\"x-stream-filter-value\":\"f\"}",
	"{\"CC\":[\"a\"],\"BCC\":[\"b\"],\"x-stream-filter-value\":\"f\",\"x-warren-replayed\":1}",
	{.position = 1}},
    {"{\"CC\":[\"a\"],\"BCC\":[\"b\"]}", "{\"x-warren-replayed\":1}",
	{.position = 1, .exchange = "e"}},
    {"{\"CC\":[\"a\"],\"BCC\":[\"b\"]}", "{\"x-warren-replayed\":1}",
	{.position = 1, .routing_key = "k"}},
};

START_TEST(headers_are_the_publishers_and_the_mark)
{
	const struct header_case *c = &header_cases[_i];
	char *sent = headers_of(c->headers, &c->order);
	ck_assert_str_eq(sent, c->sent);
	free(sent);
}
END_TEST

START_TEST(everything_else_goes_as_it_was)
{
	struct buf store = {0};
	struct replay_outcome outcome;
	const struct message m = {.exchange = SLICE("x"),
	    .routing_key = SLICE("k"),
	    .body = SLICE("body"),
	    .present = MESSAGE_MESSAGE_ID | MESSAGE_EXPIRATION | MESSAGE_TIMESTAMP,
	    .message_id = SLICE("id"),
	    .expiration = SLICE("60000"),
	    .timestamp = 5};
	struct message out;
	replay_message(&m, &(struct replay_order){.position = 1}, &out, &store, &outcome);
	ck_assert_uint_eq(out.present, m.present | MESSAGE_HEADERS);
	ck_assert(slice_is(out.exchange, "x") && slice_is(out.routing_key, "k"));
	ck_assert(slice_is(out.message_id, "id") && slice_is(out.expiration, "60000"));
	ck_assert(slice_equal(out.body, m.body));
	replay_message(&m,
	    &(struct replay_order){.position = 1, .exchange = "", .routing_key = "q"}, &out, &store,
	    &outcome);
	ck_assert(slice_is(out.exchange, "") && slice_is(out.routing_key, "q"));
	buf_release(&store);
}
END_TEST

START_TEST(a_user_id_goes_only_when_it_is_ours)
{
	static const struct user_case {
		const char *recorded, *ours;
		bool stays;
	} cases[] = {{"ann", "ann", true}, {"ann", "bob", false}, {"ann", NULL, false}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf store = {0};
		struct replay_outcome outcome;
		struct message out;
		const struct message m = {
		    .present = MESSAGE_USER_ID, .user_id = slice_str(cases[i].recorded)};
		replay_message(
		    &m, &(struct replay_order){.user = cases[i].ours}, &out, &store, &outcome);
		ck_assert(((out.present & MESSAGE_USER_ID) != 0) == cases[i].stays);
		ck_assert(outcome.lost_user_id == !cases[i].stays);
		buf_release(&store);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("replay");
	TCase *cases = tcase_create("replay");
	tcase_add_loop_test(
	    cases, headers_are_the_publishers_and_the_mark, 0, ARRAY_LEN(header_cases));
	tcase_add_test(cases, everything_else_goes_as_it_was);
	tcase_add_test(cases, a_user_id_goes_only_when_it_is_ours);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
