#include "base/skim.h"
#include "base/mem.h"
#include "base/text.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

static const struct {
	const char *text;
	bool good;
} texts[] = {
    {"{}", true},
    {" [ ] \r\n\t", true},
    {"\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"", true},
    {"[0,-0,1,-12,1.5,0.25,1e3,1E+3,-1.5e-30]", true},
    {"[1, 2 , [ [] ] , {\"a\" : {} , \"b\":\"\"}]", true},
    {"true", true},
    {"false", true},
    {"null", true},
    {"123456789012345678901234567890", true},
    {"\"\\ud83d\"", true}, /* grammar, not sense */
    {"", false},
    {" ", false},
    {"{", false},
    {"}", false},
    {"{\"a\"}", false},
    {"{\"a\":}", false},
    {"{\"a\":1,}", false},
    {"{,}", false},
    {"{a:1}", false},
    {"{\"a\":1 \"b\":2}", false},
    {"[1,]", false},
    {"[1 2]", false},
    {"[1", false},
    {"[1}", false},
    {"01", false},
    {"1.", false},
    {".5", false},
    {"+1", false},
    {"-", false},
    {"1e", false},
    {"1e+", false},
    {"0x1", false},
    {"tru", false},
    {"truee", false},
    {"nan", false},
    {"'a'", false},
    {"\"a", false},
    {"\"a\\\"", false},
    {"\"\\x\"", false},
    {"\"\\u12g4\"", false},
    {"\"\\u123\"", false},
    {"\"a\nb\"", false},
    {"1 1", false},
    {"{} {}", false},
    {"// c\n1", false},
};

START_TEST(text_is_json_or_not)
{
	struct slice text = slice_str(texts[_i].text);
	ck_assert_msg(skim_is_json(text) == texts[_i].good, "%s", texts[_i].text);
}
END_TEST

START_TEST(a_byte_of_zero_is_no_json)
{
	ck_assert(!skim_is_json(SLICE("\0")));
	ck_assert(!skim_is_json(SLICE("1\0")));
	ck_assert(!skim_is_json(SLICE("\"\0\"")));
	ck_assert(!skim_is_json(SLICE("\"\\\0\"")));
	ck_assert(!skim_is_json((struct slice){0}));
}
END_TEST

START_TEST(depth_has_a_limit)
{
	struct buf deep = {0};
	for (int over = 0; over < 2; over++) {
		size_t levels = SKIM_MAX_DEPTH + (size_t)over;
		buf_clear(&deep);
		for (size_t i = 0; i < levels; i++)
			buf_append_char(&deep, '[');
		for (size_t i = 0; i < levels; i++)
			buf_append_char(&deep, ']');
		ck_assert(skim_is_json(buf_slice(&deep)) == (over == 0));
	}
	buf_release(&deep);
}
END_TEST

/* "key=value;" of each member, then "!" at damage. */
static const struct {
	const char *object, *members;
} objects[] = {
    {"{}", ""},
    {" { } ", ""},
    {"{\"a\":1}", "a=1;"},
    {" { \"a\" : [ 1 , 2 ] , \"b\\n\":\"x\\\"\" } ", "a=[ 1 , 2 ];b\\n=\"x\\\"\";"},
    {"{\"\":null,\"\":-1.50}", "=null;=-1.50;"},
    {"", "!"},
    {"[]", "!"},
    {"1", "!"},
    {"{", "!"},
    {"{\"a\":1", "a=1;!"},
    {"{\"a\":1,", "a=1;!"},
    {"{\"a\":1,}", "a=1;!"},
    {"{\"a\":1}}", "a=1;!"},
    {"{\"a\":1} x", "a=1;!"},
    {"{\"a\":1 \"b\":2}", "a=1;!"},
    {"{,\"a\":1}", "!"},
    {"{\"a\" 1}", "!"},
};

START_TEST(members_come_one_by_one)
{
	struct buf said = {0};
	struct skim_member m = {.rest = slice_str(objects[_i].object)};
	buf_append_str(&said, "");
	while (skim_next(&m))
		buf_printf(&said, "%.*s=%.*s;", SLICE_ARGS(m.key), SLICE_ARGS(m.value));
	buf_append_str(&said, m.is_damaged ? "!" : "");
	ck_assert_str_eq(said.ptr, objects[_i].members);
	buf_release(&said);
}
END_TEST

START_TEST(escapes_are_resolved_as_another_reader_does)
{
	static const char *const strings[] = {"", "plain", "a\\\"\\\\\\/\\b\\f\\n\\r\\tz",
	    "\\u0041\\u00e9\\u20AC\\ud83d\\ude00", "\\u001f\xc3\xa9", "\\uffff\\ud7ff\\ue000"};
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		struct buf out = {0};
		char *quoted = mem_printf("\"%s\"", strings[i]);
		json_t *read = json_loads(quoted, JSON_DECODE_ANY, NULL);
		ck_assert(skim_unescape(slice_str(strings[i]), &out));
		ck_assert_str_eq(out.ptr ? out.ptr : "", json_string_value(read));
		ck_assert_uint_le(out.len, strlen(strings[i]));
		json_decref(read);
		free(quoted);
		buf_release(&out);
	}
}
END_TEST

START_TEST(half_a_surrogate_pair_is_refused)
{
	static const char *const strings[] = {
	    "x\\ud83d", "\\ud83dx", "\\ud83d\\n", "\\ude00", "\\ud83d\\ud83d", "\\ud83d\\u0041"};
	struct buf out = {0};
	buf_append_str(&out, "before");
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		ck_assert_msg(!skim_unescape(slice_str(strings[i]), &out), "%s", strings[i]);
		ck_assert_str_eq(out.ptr, "before");
	}
	buf_release(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("skim");
	TCase *tests = tcase_create("skim");
	tcase_add_loop_test(tests, text_is_json_or_not, 0, (int)ARRAY_LEN(texts));
	tcase_add_test(tests, a_byte_of_zero_is_no_json);
	tcase_add_test(tests, depth_has_a_limit);
	tcase_add_loop_test(tests, members_come_one_by_one, 0, (int)ARRAY_LEN(objects));
	tcase_add_test(tests, escapes_are_resolved_as_another_reader_does);
	tcase_add_test(tests, half_a_surrogate_pair_is_refused);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
