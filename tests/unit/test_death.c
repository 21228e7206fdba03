/* How a message died, read from headers of every shape; and taken off again. */
#include "base/mem.h"
#include "model/death.h"
#include "model/table.h"

#include <check.h>
#include <stdlib.h>

static struct buf table_of(const char *json)
{
	struct buf out = {0};
	struct error err = {0};
	json_t *object = json_loads(json, 0, NULL);
	ck_assert_ptr_nonnull(object);
	ck_assert_msg(table_encode(object, &out, &err), "%s: %s", json, err.text);
	json_decref(object);
	return out;
}

static struct message message_of(const struct buf *headers)
{
	return (struct message){.present = MESSAGE_HEADERS, .headers = buf_slice(headers)};
}

#define TIME(seconds) "{\"$type\":\"timestamp\",\"value\":" seconds "}"

static const struct {
	const char *headers, *death;
} cases[] = {
    /* RabbitMQ's, as 3.10 writes them */
    {"{\"x-death\":[{\"count\":2,\"reason\":\"rejected\",\"queue\":\"work\",\"time\":" TIME(
	 "1700000000") ",\"exchange\":\"order\",\"routing-keys\":[\"order.new\",\"copy\"]}],"
		       "\"x-first-death-exchange\":\"order\",\"x-first-death-queue\":\"work\",\"x-"
		       "first-death-reason\":\"rejected\"}",
	"{\"reason\":\"rejected\",\"queue\":\"work\",\"exchange\":\"order\",\"routing_key\":"
	"\"order.new\",\"time\":1700000000,\"count\":2}"},
    /* the newest tells the death, the first one the origin, wherever it stands */
    {"{\"x-death\":[{\"reason\":\"rejected\",\"queue\":\"work\",\"exchange\":\"order\",\"routing-"
     "keys\":[\"k\"]},{\"reason\":\"expired\",\"queue\":\"wait\",\"exchange\":\"retry\",\"routing-"
     "keys\":[\"r\"]}],"
     "\"x-first-death-queue\":\"work\",\"x-first-death-reason\":\"rejected\"}",
	"{\"reason\":\"rejected\",\"queue\":\"work\",\"exchange\":\"order\",\"routing_key\":"
	"\"k\"}"},
    {"{\"x-death\":[{\"reason\":\"expired\",\"queue\":\"wait\",\"exchange\":\"retry\",\"routing-"
     "keys\":[\"r\"]},{\"reason\":\"rejected\",\"queue\":\"work\",\"exchange\":\"order\",\"routing-"
     "keys\":[\"k\"]}],"
     "\"x-first-death-queue\":\"work\",\"x-first-death-reason\":\"rejected\"}",
	"{\"reason\":\"expired\",\"queue\":\"wait\",\"exchange\":\"order\",\"routing_key\":\"k\"}"},
    /* without a word of the first, the oldest entry is it */
    {"{\"x-death\":[{\"reason\":\"expired\",\"queue\":\"wait\",\"exchange\":\"retry\",\"routing-"
     "keys\":[\"r\"]},{\"reason\":\"maxlen\",\"queue\":\"work\",\"exchange\":\"\",\"routing-keys\":"
     "[\"work\"]}]}",
	"{\"reason\":\"expired\",\"queue\":\"wait\",\"exchange\":\"\",\"routing_key\":\"work\"}"},
    /* ours win */
    {"{\"x-death\":[{\"count\":9,\"reason\":\"expired\",\"queue\":\"wait\",\"exchange\":\"retry\","
     "\"routing-keys\":[\"r\"]}],"
     "\"x-warren-reason\":\"attempts\",\"x-warren-error\":\"exit "
     "1\",\"x-warren-queue\":\"work\",\"x-warren-exchange\":\"\",\"x-warren-routing-key\":\"work\","
     "\"x-warren-time\":" TIME("1700000001") ",\"x-warren-attempts\":3,\"x-warren-returned\":1}",
	"{\"reason\":\"attempts\",\"error\":\"exit "
	"1\",\"queue\":\"work\",\"exchange\":\"\",\"routing_key\":\"work\",\"time\":1700000001,"
	"\"count\":3,\"returned\":1}"},
    /* it broke a contract; the whole body is at fault */
    {"{\"x-warren-reason\":\"rejected\",\"x-warren-contract\":\"c.json\",\"x-warren-instance-"
     "path\":"
     "\"\",\"x-warren-schema-path\":\"/type\"}",
	"{\"reason\":\"rejected\",\"contract\":\"c.json\",\"instance_path\":\"\",\"schema_path\":"
	"\"/"
	"type\"}"},
    {"{\"x-warren-contract\":\"nobody died of it\"}", "{\"reason\":\"unknown\"}"},
    /* in a wait queue of ours: RabbitMQ tells the death, we the origin */
    {"{\"x-death\":[{\"reason\":\"expired\",\"queue\":\"wait\",\"exchange\":\"\",\"routing-keys\":["
     "\"wait\"]}],\"x-warren-exchange\":\"order\",\"x-warren-routing-key\":\"k\"}",
	"{\"reason\":\"expired\",\"queue\":\"wait\",\"exchange\":\"order\",\"routing_key\":\"k\"}"},
    /* nobody tells */
    {"{}", "{\"reason\":\"unknown\"}"},
    {"{\"x-warren-returned\":2}", "{\"reason\":\"unknown\",\"returned\":2}"},
    /* hostile shapes */
    {"{\"x-death\":\"rejected\"}", "{\"reason\":\"unknown\"}"},
    {"{\"x-death\":{\"reason\":\"rejected\"}}", "{\"reason\":\"unknown\"}"},
    {"{\"x-death\":[]}", "{\"reason\":\"unknown\"}"},
    {"{\"x-death\":[1,\"a\",null,[{\"reason\":\"deep\"}]]}", "{\"reason\":\"unknown\"}"},
    {"{\"x-death\":[1,{\"reason\":\"expired\"}]}", "{\"reason\":\"expired\"}"},
    {"{\"x-death\":[{}]}", "{\"reason\":\"unknown\"}"},
    {"{\"x-death\":[{\"reason\":5,\"queue\":{},\"count\":\"many\",\"time\":12,\"exchange\":[],"
     "\"routing-keys\":\"k\"}]}",
	"{\"reason\":\"unknown\"}"},
    {"{\"x-death\":[{\"exchange\":\"e\",\"routing-keys\":[]}]}", "{\"reason\":\"unknown\"}"},
    {"{\"x-death\":[{\"exchange\":\"e\",\"routing-keys\":[5,\"k\"]}]}", "{\"reason\":\"unknown\"}"},
    {"{\"x-death\":[{\"count\":-1,\"time\":" TIME("\"18446744073709551615\"") "}]}",
	"{\"reason\":\"unknown\"}"},
    {"{\"x-death\":[{\"queue\":{\"$type\":\"string\",\"value\":\"/w==\"}}]}",
	"{\"reason\":\"unknown\",\"queue\":{\"$type\":\"string\",\"value\":\"/w==\"}}"},
    {"{\"x-warren-reason\":7,\"x-warren-queue\":\"q\",\"x-warren-exchange\":\"e\",\"x-warren-"
     "returned\":\"3\"}",
	"{\"reason\":\"unknown\"}"},
};

START_TEST(a_death_is_read)
{
	struct buf headers = table_of(cases[_i].headers), json = {0};
	struct message m = message_of(&headers);
	struct death d;
	death_read(&m, &d);
	death_write_json(&d, &json);
	ck_assert_str_eq(json.ptr, cases[_i].death);
	buf_release(&headers);
	buf_release(&json);
}
END_TEST

START_TEST(a_message_without_headers_died_for_nobody_knows_what)
{
	const struct message m = {0};
	struct death d;
	struct buf lines = {0};
	death_read(&m, &d);
	ck_assert(slice_is(d.reason, "unknown"));
	ck_assert(!d.has_origin);
	death_write_lines(&m, &lines);
	ck_assert_uint_eq(lines.len, 0);
	buf_release(&lines);
}
END_TEST

/* Cut anywhere, the headers are still read without a byte beyond them; ASan watches. */
START_TEST(damaged_headers_are_read_as_far_as_they_go)
{
	struct buf whole = table_of(cases[4].headers);
	for (size_t len = 0; len < whole.len; len++) {
		char *bytes = mem_alloc(len > 0 ? len : 1, 1);
		memcpy(bytes, whole.ptr, len);
		struct message m = {.present = MESSAGE_HEADERS, .headers = {bytes, len}};
		struct death d;
		struct buf out = {0};
		death_read(&m, &d);
		death_write_json(&d, &out);
		death_write_lines(&m, &out);
		death_forget(m.headers, 1, &out);
		buf_release(&out);
		free(bytes);
	}
	buf_release(&whole);
}
END_TEST

START_TEST(lines_tell_the_history_and_let_no_byte_through)
{
	struct buf headers = table_of(
	    "{\"x-warren-reason\":\"attempts\",\"x-warren-queue\":\"w\\u001b[31m\",\"x-warren-"
	    "error\":\"two\\nlines\",\"x-warren-attempts\":3,\"x-warren-time\":" TIME(
		"1700000000") ",\"x-warren-returned\":1,\"x-warren-exchange\":\"order\",\"x-warren-"
			      "routing-key\":\"k\","
			      "\"x-death\":[{\"count\":1,\"reason\":\"expired\",\"queue\":\"wait\","
			      "\"exchange\":\"\",\"routing-keys\":[\"wait\"]}]}");
	struct message m = message_of(&headers);
	struct buf lines = {0};
	death_write_lines(&m, &lines);
	ck_assert_str_eq(lines.ptr,
	    "     parked: attempts in queue 'w\\x1b[31m', 3 times, 2023-11-14T22:13:20.000Z; "
	    "sent to exchange 'order' with key 'k'\n"
	    "     error: two\\nlines\n"
	    "     died: expired in queue 'wait', 1 time; sent to exchange '' with key 'wait'\n"
	    "     brought back 1 time\n");
	buf_release(&headers);
	buf_release(&lines);
}
END_TEST

START_TEST(what_is_forgotten_leaves_the_other_headers_byte_for_byte)
{
	struct buf headers = table_of(
	    "{\"a\":{\"$type\":\"uint8\",\"value\":7},\"x-death\":[{}],\"x-first-death-queue\":"
	    "\"q\",\"x-first-death-reason\":\"r\",\"x-first-death-exchange\":\"e\",\"x-last-death-"
	    "queue\":\"q\",\"x-delivery-count\":4,"
	    "\"x-warren-attempts\":3,\"x-warren-queue\":\"q\",\"x-warren-exchange\":\"e\",\"x-"
	    "warren-routing-key\":\"k\",\"x-warren-reason\":\"r\",\"x-warren-error\":\"e\",\"x-"
	    "warren-time\":" TIME(
		"1") ",\"x-warren-returned\":2,\"x-warren-resent\":true,\"z\":{\"y\":[1.5]}}");
	struct buf after = {0}, json = {0};
	struct error err = {0};
	death_forget(buf_slice(&headers), 3, &after);
	ck_assert(table_write_json(buf_slice(&after), &json, &err));
	ck_assert_str_eq(json.ptr, "{\"a\":{\"$type\":\"uint8\",\"value\":7},\"x-warren-resent\":"
				   "true,\"z\":{\"y\":[1.5]},\"x-warren-returned\":3}");
	buf_release(&headers);
	buf_release(&after);
	buf_release(&json);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("death");
	TCase *tests = tcase_create("death");
	tcase_add_loop_test(tests, a_death_is_read, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tests, a_message_without_headers_died_for_nobody_knows_what);
	tcase_add_test(tests, damaged_headers_are_read_as_far_as_they_go);
	tcase_add_test(tests, lines_tell_the_history_and_let_no_byte_through);
	tcase_add_test(tests, what_is_forgotten_leaves_the_other_headers_byte_for_byte);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
