#include "config/problems.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

#define ALL SIZE_MAX

static void check_written(
    const struct problems *p, size_t most, const char *name, struct slice source, const char *want)
{
	struct buf out = {0};
	buf_append_str(&out, "");
	problems_write(p, most, name, source, &out);
	ck_assert_str_eq(out.ptr, want);
	buf_release(&out);
}

static struct place at(const char *source, unsigned line, unsigned column)
{
	return (struct place){source, line, column};
}

START_TEST(problems_are_sorted_by_place)
{
	struct problems p = {0};
	problems_add(&p, at("a.yaml", 10, 1), "x.y", "third");
	problems_add(&p, at("a.yaml", 2, 9), "", "second");
	problems_add(&p, at("a.yaml", 2, 3), "m", "first %d", 1);
	problems_add(&p, at("--set", 0, 0), "z", "of another source");
	problems_add(&p, at("a.yaml", 10, 1), "x.y", "fourth, at the same place");
	problems_add(&p, at("a.yaml", 10, 0), "", "without a column");
	check_written(&p, ALL, NULL, (struct slice){0},
	    "a.yaml:2:3: m: first 1\n"
	    "a.yaml:2:9: second\n"
	    "a.yaml:10: without a column\n"
	    "a.yaml:10:1: x.y: third\n"
	    "a.yaml:10:1: x.y: fourth, at the same place\n"
	    "--set: z: of another source\n");
	problems_release(&p);
}
END_TEST

START_TEST(doubles_are_dropped)
{
	struct problems p = {0};
	problems_add(&p, at("a", 1, 1), "p", "text");
	problems_add(&p, at("a", 1, 1), "p", "other text");
	problems_add(&p, at("a", 1, 1), "p", "text");
	problems_add(&p, at("a", 1, 1), "q", "text");
	problems_add(&p, at("b", 1, 1), "p", "text");
	ck_assert_uint_eq(p.count, 4);
	ck_assert_uint_eq(p.dropped, 0);
	problems_release(&p);
}
END_TEST

START_TEST(source_path_and_text_are_copied)
{
	struct problems p = {0};
	char name[] = "file", path[] = "path", text[] = "text";
	problems_add(&p, at(name, 1, 1), path, "%s", text);
	memset(name, 'x', 4);
	memset(path, 'x', 4);
	memset(text, 'x', 4);
	check_written(&p, ALL, NULL, (struct slice){0}, "file:1:1: path: text\n");
	problems_release(&p);
}
END_TEST

START_TEST(only_so_many_are_written_and_the_rest_is_counted)
{
	struct problems p = {0};
	for (unsigned i = 1; i <= 5; i++)
		problems_add(&p, at("f", i, 1), "", "no. %u", i);
	check_written(
	    &p, 2, NULL, (struct slice){0}, "f:1:1: no. 1\nf:2:1: no. 2\n... and 3 more\n");
	check_written(&p, 0, NULL, (struct slice){0}, "... and 5 more\n");
	problems_release(&p);
}
END_TEST

START_TEST(the_list_does_not_grow_without_end)
{
	struct problems p = {0};
	for (unsigned i = 0; i < PROBLEMS_KEPT + 7; i++)
		problems_add(&p, at("f", i + 1, 1), "", "x");
	ck_assert_uint_eq(p.count, PROBLEMS_KEPT);
	ck_assert_uint_eq(p.dropped, 7);
	check_written(&p, 1, NULL, (struct slice){0}, "f:1:1: x\n... and 1006 more\n");
	problems_release(&p);
}
END_TEST

START_TEST(nothing_wrong_writes_nothing)
{
	struct problems p = {0};
	check_written(&p, ALL, "f", SLICE("a: 1\n"), "");
	problems_release(&p);
}
END_TEST

START_TEST(a_long_text_is_cut_between_characters)
{
	struct problems p = {0};
	struct buf text = {0};
	for (int i = 0; i < 600; i++)
		buf_append_str(&text, "\xc3\xa4");
	problems_add(&p, at("f", 1, 1), "", "%s", text.ptr);
	size_t len = strlen(p.items[0].text);
	ck_assert_uint_le(len, 1023);
	ck_assert_uint_ge(len, 1015);
	ck_assert_str_eq(p.items[0].text + len - 5, "\xc3\xa4...");
	buf_release(&text);
	problems_release(&p);
}
END_TEST

START_TEST(file_names_are_escaped)
{
	struct problems p = {0};
	problems_add(&p, at("a\n\x1b[2Jb", 1, 2), "", "x");
	check_written(&p, ALL, NULL, (struct slice){0}, "a\\n\\x1b[2Jb:1:2: x\n");
	problems_release(&p);
}
END_TEST

struct line_case {
	const char *text;
	unsigned line, column;
	const char *want; /* below "f:l:c: x" */
};

#define NINE(s) s s s s s s s s s

static const struct line_case line_cases[] = {
    {"a: 1\nbroker: x\n", 2, 9, "    2 | broker: x\n      |         ^\n"},
    {"a: 1", 1, 1, "    1 | a: 1\n      | ^\n"},
    {"a: 1", 1, 5, "    1 | a: 1\n      |     ^\n"},
    {"a: 1", 1, 50, "    1 | a: 1\n      |     ^\n"},
    {"a: 1", 1, 0, "    1 | a: 1\n"},
    {"a: 1\n", 2, 1, ""},
    {"a: 1\n", 0, 0, ""},
    {"\n\n\n", 2, 1, "    2 | \n      | ^\n"},
    {"\xef\xbb\xbf"
     "a: 1",
	1, 2, "    1 | a: 1\n      |  ^\n"},
    {"a: 1\r\nb: 2\r\n", 2, 4, "    2 | b: 2\n      |    ^\n"},
    {"a: 1\rb: 2\r", 2, 4, "    2 | b: 2\n      |    ^\n"},
    {"a: 1\xc2\x85"
     "b: 2\xe2\x80\xa8"
     "c: 3",
	3, 4, "    3 | c: 3\n      |    ^\n"},
    {"\t\tx: \ty", 1, 7, "    1 | \t\tx: \ty\n      | \t\t   \t^\n"},
    {"\xc3\xa4\xc3\xb6: 1", 1, 5, "    1 | \xc3\xa4\xc3\xb6: 1\n      |     ^\n"},
    {"a: \x1b[2J!", 1, 8, "    1 | a: \\x1b[2J!\n      |           ^\n"},
    {"a: \xff!", 1, 5, "    1 | a: \\xff!\n      |        ^\n"},
    {"back\\slash", 1, 6, "    1 | back\\slash\n      |      ^\n"},
    {"u: amqp://me:s3cret@host x", 1, 26,
	"    1 | u: amqp://***@host x\n"
	"      |                    ^\n"},
    {"u: amqp://me:s3@c/r'et@host", 1, 15,
	"    1 | u: amqp://***@host\n"
	"      |           ^\n"},
    {"u: amqp://me:s3cret@host", 1, 4, "    1 | u: amqp://***@host\n      |    ^\n"},
    {"u: amqp://host", 1, 4, "    1 | u: amqp://host\n      |    ^\n"},
    {NINE("0123456789") "0123456789", 1, 1, "    1 | " NINE("0123456789") "...\n      | ^\n"},
    {NINE("0123456789") "X123456789", 1, 91,
	"    1 | ...0123456789012345678901234567890123456789X123456789\n"
	"      |                                            ^\n"},
};

START_TEST(source_line_and_caret_follow)
{
	const struct line_case *c = &line_cases[_i];
	struct problems p = {0};
	struct buf want = {0};
	problems_add(&p, at("f", c->line, c->column), "", "x");
	problems_write(&p, ALL, NULL, (struct slice){0}, &want);
	buf_append_str(&want, c->want);
	check_written(&p, ALL, "f", slice_str(c->text), want.ptr);
	buf_release(&want);
	problems_release(&p);
}
END_TEST

START_TEST(lines_of_other_sources_are_not_shown)
{
	struct problems p = {0};
	problems_add(&p, at(".env", 1, 1), "", "x");
	problems_add(&p, at("f", 2, 1), "", "y");
	problems_add(&p, at("f", 2, 4), "", "z");
	check_written(&p, ALL, "f", SLICE("a: 1\nb: 2\n"),
	    ".env:1:1: x\n"
	    "f:2:1: y\n"
	    "    2 | b: 2\n"
	    "      | ^\n"
	    "f:2:4: z\n"
	    "    2 | b: 2\n"
	    "      |    ^\n");
	problems_release(&p);
}
END_TEST

struct mask_case {
	const char *text, *want;
};

static const struct mask_case mask_cases[] = {
    {"", ""},
    {"no url", "no url"},
    {"me@example.org", "me@example.org"},
    {"found 'amqp://me:s3cret@host/'; accepted: x", "found 'amqp://***@host/'; accepted: x"},
    {"amqp://host/", "amqp://host/"},
    {"amqp://a:b@h1,amqp://c:d@h2", "amqp://***@h2"},
    {"amqp://a:p@ss w'ord@h", "amqp://***@h"},
    {"  url: me:s3cret@host", "  url: ***@host"},
    {"found 'me:s3:@cret@host'; accepted: x", "found '***@host'; accepted: x"},
    {"[a:b@h1, c:d@h2]", "***@h2]"},
    {"to: me@example.org", "to: me@example.org"},
};

START_TEST(credentials_never_show)
{
	const struct mask_case *c = &mask_cases[_i];
	char *masked = problems_mask(slice_str(c->text));
	ck_assert_str_eq(masked, c->want);
	free(masked);
	struct problems p = {0};
	problems_add(&p, at("f", 1, 1), "", "%s", c->text);
	ck_assert_str_eq(p.items[0].text, c->want);
	problems_release(&p);
}
END_TEST

START_TEST(a_safe_text_is_kept_as_it_is)
{
	struct problems p = {0};
	problems_add_safe(&p, at("f", 1, 1), "", "'amqp://me:***@h': write '@' as %40");
	ck_assert_str_eq(p.items[0].text, "'amqp://me:***@h': write '@' as %40");
	problems_release(&p);
}
END_TEST

START_TEST(a_kept_text_outlives_its_owner)
{
	struct problems p = {0};
	char text[] = "a: 1\n", name[] = "f";
	problems_keep_text(&p, name, slice_str(text));
	problems_add(&p, at(name, 1, 4), "a", "x");
	name[0] = text[0] = '?';
	check_written(
	    &p, ALL, p.text_name, buf_slice(&p.text), "f:1:4: a: x\n    1 | a: 1\n      |    ^\n");
	problems_release(&p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("problems");
	TCase *tc = tcase_create("problems");
	tcase_add_test(tc, problems_are_sorted_by_place);
	tcase_add_test(tc, doubles_are_dropped);
	tcase_add_test(tc, source_path_and_text_are_copied);
	tcase_add_test(tc, only_so_many_are_written_and_the_rest_is_counted);
	tcase_add_test(tc, the_list_does_not_grow_without_end);
	tcase_add_test(tc, nothing_wrong_writes_nothing);
	tcase_add_test(tc, a_long_text_is_cut_between_characters);
	tcase_add_test(tc, file_names_are_escaped);
	tcase_add_loop_test(tc, source_line_and_caret_follow, 0, ARRAY_LEN(line_cases));
	tcase_add_test(tc, lines_of_other_sources_are_not_shown);
	tcase_add_loop_test(tc, credentials_never_show, 0, ARRAY_LEN(mask_cases));
	tcase_add_test(tc, a_safe_text_is_kept_as_it_is);
	tcase_add_test(tc, a_kept_text_outlives_its_owner);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
