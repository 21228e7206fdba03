#include "flow/exec_answer.h"

#include "base/mem.h"
#include "base/text.h"

#include <check.h>
#include <stdlib.h>

/* A result as "exchange/routing_key/content_type/body". */
static void show(const struct message *m, struct buf *out)
{
	const struct slice parts[] = {m->exchange, m->routing_key, m->content_type, m->body};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		buf_append_str(out, i > 0 ? "/" : "");
		text_escape(parts[i], SIZE_MAX, out);
	}
}

/* The answer in one line, or the error. */
static char *read_line(struct slice line, bool clears_exchange)
{
	const struct message cause = {
	    .exchange = SLICE("orders"),
	    .routing_key = SLICE("order.new"),
	    .body = SLICE("old"),
	    .present = MESSAGE_MESSAGE_ID | MESSAGE_CONTENT_TYPE,
	    .message_id = SLICE("m-1"),
	    .content_type = SLICE("text/csv"),
	};
	struct exec_answer answer = {0};
	struct error err = {0};
	struct buf out = {0};
	bool good = exec_answer_read(line, &cause, clears_exchange, &answer, &err);
	buf_append_str(&out, "");
	if (!good)
		buf_printf(&out, "error %d: %s", err.kind, err.text);
	else if (answer.kind != EXEC_ANSWER_RESULTS)
		buf_printf(&out, "%s: %s", answer.kind == EXEC_ANSWER_RETRY ? "retry" : "reject",
		    answer.reason);
	for (size_t i = 0; good && i < answer.count; i++) {
		buf_append_str(&out, i > 0 ? " " : "");
		show(&answer.results[i], &out);
	}
	exec_answer_release(&answer);
	return buf_take(&out);
}

#define NO_ANSWER \
	", and not a text, a record, true, a list of those, {\"retry\": ..} or {\"reject\": ..}"

static const struct {
	const char *line, *said;
} answers[] = {
    {"\"new\"", "orders/order.new/text/csv/new"},
    {" \"new\"\r", "orders/order.new/text/csv/new"},
    {"\"\"", "orders/order.new/text/csv/"},
    {"\"a\\u00e4\\n\"", "orders/order.new/text/csv/aä\\n"},
    {"true", "orders/order.new/text/csv/old"},
    {"{}", "orders/order.new/text/csv/old"},
    {"{\"body\":\"new\"}", "orders/order.new/text/csv/new"},
    {"{\"body\":null}", "orders/order.new/text/csv/old"},
    {"{\"body\":{\"n\": 1.00, \"big\": 12345678901234567890}}",
	"orders/order.new/application/json/{\"n\": 1.00, \"big\": 12345678901234567890}"},
    {"{\"body\":7}", "orders/order.new/application/json/7"},
    {"{\"body\":false}", "orders/order.new/application/json/false"},
    {"{\"body\":[\"\xe2\x80\xa8\x7f\"]}", "orders/order.new/application/json/[\"\\u{2028}\\x7f\"]"},
    {"{\"body_base64\":\"AAE=\"}", "orders/order.new/text/csv/\\x00\\x01"},
    {"{\"routing_key\":\"k\"}", "orders/k/text/csv/old"},
    {"{\"exchange\":\"orders\",\"body\":\"x\"}", "orders/order.new/text/csv/x"},
    {"{\"exchange\":\"other\",\"body\":\"x\"}", "other/order.new/text/csv/x"},
    {"{\"properties\":{\"content_type\":\"a/b\"},\"body\":{}}", "orders/order.new/a/b/{}"},
    {"{\"properties\":{\"content_type\":\"text/csv\"},\"body\":{}}",
	"orders/order.new/application/json/{}"},
    {"{\"properties\":{\"content_type\":\"text/csv\"},\"body\":\"{}\"}",
	"orders/order.new/text/csv/{}"},
    {"{\"queue\":\"q\",\"redelivered\":true,\"body\":\"x\"}", "orders/order.new/text/csv/x"},
    {"{\"properties\":{\"message_id\":\"m-1\"}}", "orders/order.new/text/csv/old"},
    {"[]", ""},
    {"[ ]", ""},
    {"[\"a\"]", "orders/order.new/text/csv/a"},
    {"[\"a\" , {\"routing_key\":\"k\"},true]",
	"orders/order.new/text/csv/a orders/k/text/csv/old orders/order.new/text/csv/old"},
    {"{\"retry\":\"no stock\"}", "retry: no stock"},
    {"{\"reject\":\"\"}", "reject: "},
    {"{\"reject\":\"a\\n\\u001b[31m\"}", "reject: a\\n\\x1b[31m"},
    /* what is no answer */
    {"", "error 65: '', which is no JSON"},
    {"hello\x1b", "error 65: 'hello\\x1b', which is no JSON"},
    {"\"\xff\"", "error 65: '\"\\xff\"', which is no JSON"},
    {"true false", "error 65: 'true false', which is no JSON"},
    {"null", "error 65: 'null'" NO_ANSWER},
    {"false", "error 65: 'false'" NO_ANSWER},
    {"17", "error 65: '17'" NO_ANSWER},
    {"[[]]", "error 65: result 1: '[]'" NO_ANSWER},
    {"[\"a\",null]", "error 65: result 2: 'null'" NO_ANSWER},
    {"{\"to\":\"x\"}", "error 65: unknown member 'to'"},
    {"{\"retry\":1}", "error 65: retry: the reason is not a text"},
    {"{\"retry\":\"x\",\"body\":\"y\"}", "error 65: unknown member 'retry'"},
    {"[{\"reject\":\"x\"}]", "error 65: result 1: unknown member 'reject'"},
    {"{\"body\":\"a\",\"body\":{}}", "error 65: there are both body and body_base64"},
    {"{\"body\":1,\"body_base64\":\"\"}", "error 65: there are both body and body_base64"},
    {"{\"properties\":{\"message_id\":\"m-2\"}}",
	"error 65: sets message_id, which is made of the cause's"},
    {"{\"properties\":{\"priority\":256}}",
	"error 65: properties.priority: not a whole number from 0 to 255"},
    {"\"\\ud800\"", "error 65: half of a surrogate pair is missing"},
};

START_TEST(line_says_what_becomes_of_the_message)
{
	char *said = read_line(slice_str(answers[_i].line), false);
	ck_assert_str_eq(said, answers[_i].said);
	free(said);
}
END_TEST

START_TEST(exchange_is_cleared_unless_another_one_is_named)
{
	char *text = read_line(SLICE("\"x\""), true);
	char *same = read_line(SLICE("{\"exchange\":\"orders\"}"), true);
	char *other = read_line(SLICE("{\"exchange\":\"other\"}"), true);
	ck_assert_str_eq(text, "/order.new/text/csv/x");
	ck_assert_str_eq(same, "/order.new/text/csv/old");
	ck_assert_str_eq(other, "other/order.new/text/csv/old");
	free(text);
	free(same);
	free(other);
}
END_TEST

START_TEST(list_is_not_endless)
{
	struct buf line = {0};
	for (int i = 0; i < EXEC_ANSWER_MAX_RESULTS + 1; i++)
		buf_append_str(&line, i == 0 ? "[true" : ",true");
	buf_append_char(&line, ']');
	char *said = read_line(buf_slice(&line), false);
	ck_assert_str_eq(said, "error 65: result 10001: more than 10000 results");
	free(said);
	buf_release(&line);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exec_answer");
	TCase *tc = tcase_create("exec_answer");
	tcase_add_loop_test(tc, line_says_what_becomes_of_the_message, 0, ARRAY_LEN(answers));
	tcase_add_test(tc, exchange_is_cleared_unless_another_one_is_named);
	tcase_add_test(tc, list_is_not_endless);
	suite_add_tcase(suite, tc);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
