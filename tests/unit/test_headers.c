#include "model/headers.h"

#include "base/mem.h"
#include "model/table.h"

#include "../broker/routing_rows.h"

#include <check.h>
#include <stdlib.h>

static struct buf encode(const char *text)
{
	struct error err = {0};
	struct buf out = {0};
	json_t *json = routing_rows_parse(text);
	ck_assert_msg(json != NULL && table_encode(json, &out, &err), "%s: %s", text, err.text);
	json_decref(json);
	return out;
}

START_TEST(headers_match_as_in_rabbitmq)
{
	const struct headers_row *r = &headers_rows[_i];
	struct buf arguments = encode(r->arguments), headers = encode(r->headers), why = {0};
	bool matches = headers_match(buf_slice(&arguments), buf_slice(&headers), &why);
	ck_assert_msg(matches == r->matches, "%s and %s: %s", r->arguments, r->headers, why.ptr);
	ck_assert_uint_gt(why.len, 0);
	buf_release(&arguments);
	buf_release(&headers);
	buf_release(&why);
}
END_TEST

static const struct {
	const char *arguments, *headers, *said;
} reasons[] = {
    {"{'paid': true}", "{}", "'paid': true wanted, the message has no 'paid' (x-match: all)"},
    {"{'paid': true, 'n': 3}", "{'n': '3', 'paid': true}",
	"'n': 3 wanted, the message has 'n': '3' (x-match: all)"},
    {"{'paid': true, 'n': 3}", "{'paid': true, 'n': 3}",
	"the message has 'n': 3, 'paid': true (x-match: all)"},
    {"{'paid': null}", "{}", "'paid' wanted, the message has no 'paid' (x-match: all)"},
    {"{'x-match': 'any', 'a': 1, 'b': 2}", "{'a': 2}",
	"'a': 1 wanted, the message has 'a': 2; 'b': 2 wanted, the message has no 'b' (x-match: "
	"any)"},
    {"{'x-match': 'any', 'a': null, 'b': 2}", "{'a': 2}", "the message has 'a' (x-match: any)"},
    {"{'x-match': 'any'}", "{'a': 2}", "no header could match (x-match: any)"},
    {"{'x-b': 1, 'x-a': 1}", "{}",
	"no header is wanted; not looked at: 'x-a', 'x-b' (x-match: all)"},
    {"{'a\\u001b': '\\u001b'}", "{}",
	"'a\\u001b': '\\u001b' wanted, the message has no 'a\\u001b' (x-match: all)"},
};

START_TEST(the_reason_names_what_is_wanted_and_what_is_there)
{
	struct buf arguments = encode(reasons[_i].arguments), headers = encode(reasons[_i].headers);
	struct buf why = {0};
	headers_match(buf_slice(&arguments), buf_slice(&headers), &why);
	for (char *c = why.ptr; *c != '\0'; c++)
		if (*c == '"')
			*c = '\'';
	ck_assert_str_eq(why.ptr, reasons[_i].said);
	buf_release(&arguments);
	buf_release(&headers);
	buf_release(&why);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("headers");
	TCase *tc = tcase_create("headers");
	tcase_add_loop_test(tc, headers_match_as_in_rabbitmq, 0, (int)ARRAY_LEN(headers_rows));
	tcase_add_loop_test(
	    tc, the_reason_names_what_is_wanted_and_what_is_there, 0, (int)ARRAY_LEN(reasons));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
