#include "bench/words.h"

#include "base/mem.h"

#include <check.h>

static const struct {
	const char *line, *words; /* joined by | */
} lines[] = {
    {"", ""},
    {" \t\r\n ", ""},
    {"perf-test -x 1", "perf-test|-x|1"},
    {"  a   b  ", "a|b"},
    {"'a b' \"c d\"", "a b|c d"},
    {"a'b'\"c\"d", "abcd"},
    {"'' \"\"", "|"},
    {"a\\ b", "a b"},
    {"a \\\n  b", "a|b"},
    {"a \\\r\n  b", "a|b"},
    {"a\\\nb", "ab"},
    {"\"a\\\nb\"", "ab"},
    {"'a\\\nb'", "a\\\nb"},
    {"a\nb", "a|b"},
    {"\\'a\\\"", "'a\""},
    {"\"\\$X \\` \\\" \\\\ \\x\"", "$X ` \" \\ \\x"},
    {"'\\n\"$X'", "\\n\"$X"},
    {"\"it's\"", "it's"},
    {"$X \"${Y}\" `z`", "$X|${Y}|`z`"},
    {"a\\", "a"},
    {"x=\"a b\"", "x=a b"},
    {"'\xc3\xa9 '", "\xc3\xa9 "},
};

START_TEST(a_line_is_split_as_a_shell_would)
{
	struct words words = {0};
	struct error err = {0};
	struct buf joined = {0};
	ck_assert_msg(words_split(slice_str(lines[_i].line), &words, &err), "%s", err.text);
	buf_append_str(&joined, "");
	for (size_t i = 0; i < words.count; i++) {
		buf_append_str(&joined, i > 0 ? "|" : "");
		buf_append_str(&joined, words.items[i].text);
	}
	ck_assert_str_eq(joined.ptr, lines[_i].words);
	buf_release(&joined);
	words_release(&words);
}
END_TEST

static const struct {
	const char *word;
	bool has_variable;
} variables[] = {
    {"$X", true},
    {"\"$X\"", true},
    {"a${X}b", true},
    {"$(x)", true},
    {"$_", true},
    {"`x`", true},
    {"\"`x`\"", true},
    {"'$X'", false},
    {"\\$X", false},
    {"\"\\$X\"", false},
    {"'`x`'", false},
    {"a$", false},
    {"\"$\"", false},
    {"$.50", false},
};

START_TEST(what_a_shell_would_replace_is_known)
{
	struct words words = {0};
	struct error err = {0};
	ck_assert(words_split(slice_str(variables[_i].word), &words, &err));
	ck_assert_uint_eq(words.count, 1);
	ck_assert_int_eq(words.items[0].has_variable, variables[_i].has_variable);
	words_release(&words);
}
END_TEST

static const struct {
	const char *line, *text;
} unclosed[] = {
    {"a 'b", "word 2: the quote ' is not closed"},
    {"\"", "word 1: the quote \" is not closed"},
    {"a b c\"'\\\"", "word 3: the quote \" is not closed"},
    {"\"a\\", "word 1: the quote \" is not closed"},
};

START_TEST(an_open_quote_is_refused)
{
	struct words words = {0};
	struct error err = {0};
	ck_assert(!words_split(slice_str(unclosed[_i].line), &words, &err));
	ck_assert_int_eq(err.kind, ERROR_USAGE);
	ck_assert_str_eq(err.text, unclosed[_i].text);
	words_release(&words);
}
END_TEST

static const struct {
	const char *word, *quoted;
} quotes[] = {
    {"plain", "plain"},
    {"a=1,b:2/c@d.e+f%20-g_h", "a=1,b:2/c@d.e+f%20-g_h"},
    {"", "''"},
    {"a b", "'a b'"},
    {"it's", "'it'\\''s'"},
    {"$X", "'$X'"},
    {"~", "'~'"},
    {"#", "'#'"},
    {"*", "'*'"},
    {"a\nb", "'a\nb'"},
    {"\\", "'\\'"},
    {"\xc3\xa9", "'\xc3\xa9'"},
};

START_TEST(a_quoted_word_is_read_as_it_was)
{
	struct words words = {0};
	struct error err = {0};
	struct buf quoted = {0};
	words_quote(slice_str(quotes[_i].word), &quoted);
	ck_assert_str_eq(quoted.ptr, quotes[_i].quoted);
	ck_assert(words_split(buf_slice(&quoted), &words, &err));
	ck_assert_uint_eq(words.count, 1);
	ck_assert_str_eq(words.items[0].text, quotes[_i].word);
	ck_assert(!words.items[0].has_variable);
	words_release(&words);
	buf_release(&quoted);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("words");
	TCase *tc = tcase_create("words");
	tcase_add_loop_test(tc, a_line_is_split_as_a_shell_would, 0, (int)ARRAY_LEN(lines));
	tcase_add_loop_test(tc, what_a_shell_would_replace_is_known, 0, (int)ARRAY_LEN(variables));
	tcase_add_loop_test(tc, an_open_quote_is_refused, 0, (int)ARRAY_LEN(unclosed));
	tcase_add_loop_test(tc, a_quoted_word_is_read_as_it_was, 0, (int)ARRAY_LEN(quotes));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
