/* A line of JSON as the learner sees it. */
#include "lab/actor.h"

#include <check.h>

static const struct {
	const char *line, *shown;
} cases[] = {
    {"{\"exchange\":\"shop\",\"routing_key\":\"a.b\",\"properties\":{},\"body\":\"hi\","
     "\"fate\":\"confirmed\"}",
	">> a.b hi"},
    {"{\"routing_key\":\"q\",\"queue\":\"q\",\"properties\":{},\"body\":\"hi\"}", "<< hi"},
    {"{\"routing_key\":\"k\",\"queue\":\"q\",\"redelivered\":true,\"properties\":{\"priority\":9},"
     "\"body\":\"hi\"}",
	"<< k (9) hi (redelivered)"},
    {"{\"routing_key\":\"\",\"properties\":{\"headers\":{\"a\":true,\"b\":false,\"c\":1,"
     "\"d\":\"x\",\"x-death\":[]}},\"body\":\"\",\"fate\":\"returned\"}",
	">> [a c=1 d=x]  (returned)"},
    {"{\"queue\":\"q\",\"properties\":{\"headers\":{\"x-stream-offset\":15}},\"body\":\"e\"}",
	"<< @15 e"},
    {"{\"queue\":\"q\",\"properties\":{\"headers\":{\"x-first-death-reason\":\"expired\"}},"
     "\"body\":\"e\"}",
	"<< e (expired)"},
    {"{\"queue\":\"q\",\"properties\":{},"
     "\"body\":\"{\\n \\\"n\\\": 1, \\\"t\\\": \\\"a\\\\u001b[31m\\\", \\\"l\\\": [1, null]}\"}",
	"<< 1, a\\x1b[31m, [1,null]"},
    {"{\"queue\":\"q\",\"properties\":{},\"body\":\"{broken \\u001b]0;\\u0007\"}",
	"<< {broken \\x1b]0;\\x07"},
    {"{\"queue\":\"q\",\"properties\":{},\"body_base64\":\"/w==\"}", "<< (binary)"},
};

START_TEST(a_message_is_one_printable_line)
{
	struct buf out = {0};
	actor_render(slice_str(cases[_i].line), &out);
	ck_assert_str_eq(out.ptr, cases[_i].shown);
	buf_release(&out);
}
END_TEST

static const struct {
	const char *line, *shown;
} reasons[] = {
    {"{\"queue\":\"q\",\"properties\":{\"headers\":{\"x-warren-reason\":\"rejected\","
     "\"x-warren-error\":\"/a: bad \\u001b[31m\",\"x-warren-instance-path\":\"/a\","
     "\"x-warren-schema-path\":\"b.json#/type\"}},\"body\":\"{}\"}",
	"   rejected: /a: bad \\x1b[31m\n   body: /a\n   contract: b.json#/type\n"},
    {"{\"properties\":{\"headers\":{\"x-warren-reason\":\"rejected\",\"x-warren-error\":\"not "
     "JSON\",\"x-warren-instance-path\":\"\",\"x-warren-schema-path\":\"\"}},\"body\":\"{\"}",
	"   rejected: not JSON\n   body: the whole\n"},
    {"{\"properties\":{\"headers\":{\"x-warren-reason\":\"attempts\"}},\"body\":\"\"}",
	"   attempts\n"},
    {"{\"properties\":{\"headers\":{\"x-warren-error\":\"of a reply\"}},\"body\":\"\"}", ""},
    {"{\"properties\":{},\"body\":\"\"}", ""},
    {"no JSON", ""},
};

START_TEST(a_dead_letter_says_why)
{
	struct buf out = {0};
	actor_render_reason(slice_str(reasons[_i].line), &out);
	ck_assert(slice_is(buf_slice(&out), reasons[_i].shown));
	buf_release(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("actor");
	TCase *tests = tcase_create("actor");
	tcase_add_loop_test(
	    tests, a_message_is_one_printable_line, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_loop_test(
	    tests, a_dead_letter_says_why, 0, (int)(sizeof reasons / sizeof *reasons));
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
