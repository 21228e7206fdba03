#include "config/variables.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

static void set_environment(void)
{
	setenv("W_SET", "value", 1);
	setenv("W_EMPTY", "", 1);
	setenv("W_DOLLAR", "${W_SET}$$", 1);
	setenv("W_YAML", "x\nadmin: true", 1);
	setenv("W_LATIN", "caf\xe9", 1);
	setenv("W_BOTH", "from the environment", 1);
	unsetenv("W_UNSET");
	unsetenv("W_OTHER");
	unsetenv("W_FILE");
}

static void check_problems(const struct problems *p, const char *want)
{
	struct buf out = {0};
	buf_append_str(&out, "");
	problems_write(p, SIZE_MAX, NULL, (struct slice){0}, &out);
	ck_assert_str_eq(out.ptr, want);
	buf_release(&out);
}

struct expand_case {
	const char *text, *want; /* want: the problem in front of which a '!' stands */
};

#define MALFORMED                                                                             \
	" is malformed; accepted: ${VAR}, ${VAR:-default}, ${VAR-default}, ${VAR:?message}, " \
	"and $$ for a dollar sign\n"
#define OPEN " has no closing '}'; write $$ for a dollar sign\n"

static const struct expand_case expand_cases[] = {
    {"", ""},
    {"plain", "plain"},
    {"${W_SET}", "value"},
    {"a${W_SET}b${W_SET}c", "avaluebvaluec"},
    {"${W_EMPTY}", ""},
    {"[${W_EMPTY}]", "[]"},
    /* dollars */
    {"$", "$"},
    {"$$", "$"},
    {"$$$", "$$"},
    {"$$$$", "$$"},
    {"$W_SET", "$W_SET"},
    {"100$", "100$"},
    {"$${W_SET}", "${W_SET}"},
    {"$$${W_SET}", "$value"},
    {"$ {W_SET}", "$ {W_SET}"},
    /* defaults */
    {"${W_SET:-x}", "value"},
    {"${W_EMPTY:-x}", "x"},
    {"${W_UNSET:-x}", "x"},
    {"${W_UNSET:-}", ""},
    {"${W_SET-x}", "value"},
    {"${W_EMPTY-x}", ""},
    {"${W_UNSET-x}", "x"},
    {"${W_UNSET-}", ""},
    {"${W_UNSET:-amqp://guest:guest@localhost:5672/%2f}", "amqp://guest:guest@localhost:5672/%2f"},
    {"${W_UNSET:--}", "-"},
    {"${W_UNSET:-a b: c # d}", "a b: c # d"},
    {"${W_UNSET:-$$}", "$"},
    {"${W_UNSET:-$${x}}", "${x}"},
    {"${W_UNSET:-{}}", "{}"},
    {"${W_UNSET:-${W_SET}}", "value"},
    {"${W_UNSET:-${W_OTHER:-x}}", "x"},
    {"${W_UNSET:-<${W_OTHER:-${W_EMPTY-y}z}>}!", "<z>!"},
    {"${W_SET:-${W_UNSET}}", "value"},
    /* what is put in is not looked at again */
    {"${W_DOLLAR}", "${W_SET}$$"},
    {"${W_YAML}", "x\nadmin: true"},
    /* not set */
    {"${W_UNSET}", "!f:3:7: ${W_UNSET} is not set; set it or write ${W_UNSET:-default}\n"},
    {"x${W_UNSET}y${W_OTHER}",
	"!f:3:7: ${W_UNSET} is not set; set it or write ${W_UNSET:-default}\n"
	"f:3:7: ${W_OTHER} is not set; set it or write ${W_OTHER:-default}\n"},
    {"${W_UNSET:-${W_OTHER}}",
	"!f:3:7: ${W_OTHER} is not set; set it or write ${W_OTHER:-default}\n"},
    {"${W_SET:?x}", "value"},
    {"${W_UNSET:?say who}", "!f:3:7: ${W_UNSET} is not set: say who\n"},
    {"${W_EMPTY:?say who}", "!f:3:7: ${W_EMPTY} is empty: say who\n"},
    {"${W_UNSET:?}", "!f:3:7: ${W_UNSET} is not set\n"},
    {"${W_UNSET:?\x1b[2J}", "!f:3:7: ${W_UNSET} is not set: \\x1b[2J\n"},
    {"${W_LATIN}", "!f:3:7: the value of ${W_LATIN} is not UTF-8\n"},
    /* malformed */
    {"${}", "!f:3:7: '${}'" MALFORMED},
    {"${ W_SET}", "!f:3:7: '${ W_SET}'" MALFORMED},
    {"${W_SET }", "!f:3:7: '${W_SET }'" MALFORMED},
    {"${1}", "!f:3:7: '${1}'" MALFORMED},
    {"${W_OTHER-SET:-x}", "SET:-x"},
    {"${W_SET:+x}", "!f:3:7: '${W_SET:+x}'" MALFORMED},
    {"${W_SET?x}", "!f:3:7: '${W_SET?x}'" MALFORMED},
    {"${W_SET:}", "!f:3:7: '${W_SET:}'" MALFORMED},
    {"${{field}}", "!f:3:7: '${{field}'" MALFORMED},
    {"${W_SET", "!f:3:7: '${W_SET'" OPEN},
    {"${", "!f:3:7: '${'" OPEN},
    {"${W_UNSET:-${W_SET}", "!f:3:7: '${W_UNSET:-${W_SET}'" OPEN},
    {"${W_UNSET:-$${x}", "${x"},
};

START_TEST(text_is_expanded)
{
	const struct expand_case *c = &expand_cases[_i];
	set_environment();
	struct variables v = {0};
	struct problems p = {0};
	struct buf out = {0};
	buf_append_str(&out, "");
	bool good = variables_expand(&v, slice_str(c->text), (struct place){"f", 3, 7}, &out, &p);
	if (c->want[0] == '!') {
		ck_assert(!good);
		check_problems(&p, c->want + 1);
	} else {
		check_problems(&p, "");
		ck_assert(good);
		ck_assert_str_eq(out.ptr, c->want);
	}
	buf_release(&out);
	problems_release(&p);
}
END_TEST

START_TEST(expansion_has_limits)
{
	struct variables v = {0};
	struct problems p = {0};
	struct buf big = {0}, text = {0}, out = {0};
	for (int i = 0; i < 100000; i++)
		buf_append_char(&big, 'x');
	setenv("W_BIG", big.ptr, 1);
	for (int i = 0; i < 100000; i++)
		buf_append_str(&text, "${W_BIG}");
	ck_assert(!variables_expand(&v, buf_slice(&text), (struct place){"f", 1, 1}, &out, &p));
	check_problems(&p, "f:1:1: with its variables the text is larger than 1048576 bytes\n");
	ck_assert_uint_le(out.len, VARIABLES_MAX_BYTES);
	buf_release(&big);
	buf_release(&text);
	buf_release(&out);
	problems_release(&p);
}
END_TEST

START_TEST(defaults_nest_only_so_deep)
{
	struct variables v = {0};
	struct problems p = {0};
	struct buf text = {0}, out = {0};
	set_environment();
	for (int i = 0; i < 50000; i++)
		buf_append_str(&text, "${W_UNSET:-");
	for (int i = 0; i < 50000; i++)
		buf_append_str(&text, "}");
	ck_assert(!variables_expand(&v, buf_slice(&text), (struct place){"f", 1, 1}, &out, &p));
	check_problems(&p, "f:1:1: variables in defaults are nested deeper than 16 levels\n");
	buf_release(&text);
	buf_release(&out);
	problems_release(&p);
}
END_TEST

struct env_case {
	const char *text;
	const char *want; /* of ${W_FILE-unset}; or the problem in front of which a '!' stands */
};

#define NO_FORM \
	"1:1: the line cannot be used: it is not KEY=VALUE, export KEY=VALUE or a # comment\n"
#define NO_QUOTE "1:1: the line cannot be used: the closing quote is missing\n"
#define BEHIND_QUOTE "1:1: the line cannot be used: only a comment may follow the closing quote\n"

static const struct env_case env_cases[] = {
    {"", "unset"},
    {"# nothing\n\n   \n\t# here\n", "unset"},
    {"W_FILE=x", "x"},
    {"W_FILE=x\n", "x"},
    {"W_FILE=x\r\nOTHER=y\r\n", "x"},
    {"\xef\xbb\xbfW_FILE=x\n", "x"},
    {"export W_FILE=x\n", "x"},
    {"  export \t W_FILE=x\n", "x"},
    {"export=x\nW_FILE=y\n", "y"},
    {"W_FILE=\n", ""},
    {"W_FILE=a b  \n", "a b"},
    {"W_FILE= x\n", "x"},
    {"W_FILE=a=b=c\n", "a=b=c"},
    {"W_FILE=a # comment\n", "a"},
    {"W_FILE= # comment\n", ""},
    {"W_FILE=a#b\n", "a#b"},
    {"W_FILE=#b\n", "#b"},
    {"W_FILE='a # b'\n", "a # b"},
    {"W_FILE=\"a # b\" # c\n", "a # b"},
    {"W_FILE='it is \"x\"'\n", "it is \"x\""},
    {"W_FILE=\"it's\"\n", "it's"},
    {"W_FILE=it's\n", "it's"},
    {"W_FILE=''\n", ""},
    {"W_FILE=' x '\n", " x "},
    {"W_FILE=$HOME/`id`$(id)\\n${W_SET}\n", "$HOME/`id`$(id)\\n${W_SET}"},
    {"W_FILE=\"a\\nb\"\n", "a\\nb"},
    {"W_FILE=first\nW_FILE=second\n", "second"},
    {"W_FILE\n", "!.env:" NO_FORM},
    {"W_FILE = x\n", "!.env:" NO_FORM},
    {"=x\n", "!.env:" NO_FORM},
    {"1A=x\n", "!.env:" NO_FORM},
    {"W-FILE=x\n", "!.env:" NO_FORM},
    {"export\n", "!.env:" NO_FORM},
    {"export W_FILE\n", "!.env:" NO_FORM},
    {"W_FILE='x\n", "!.env:" NO_QUOTE},
    {"W_FILE=\"x'\n", "!.env:" NO_QUOTE},
    {"W_FILE='\n", "!.env:" NO_QUOTE},
    {"W_FILE='x'y\n", "!.env:" BEHIND_QUOTE},
    {"W_FILE='x'#y\n", "!.env:" BEHIND_QUOTE},
    {"W_FILE=caf\xe9\n", "!.env:1:1: the line cannot be used: it is not UTF-8, or holds a NUL\n"},
    {"A=1\n\n?\nB=2\n!\n",
	"!.env:3:1: the line cannot be used: it is not KEY=VALUE, export KEY=VALUE or a # comment\n"
	".env:5:1: the line cannot be used: it is not KEY=VALUE, export KEY=VALUE or a # "
	"comment\n"},
};

START_TEST(env_file_is_read)
{
	const struct env_case *c = &env_cases[_i];
	set_environment();
	struct variables v = {0};
	struct problems p = {0};
	bool good = variables_read(&v, ".env", slice_str(c->text), &p);
	if (c->want[0] == '!') {
		ck_assert(!good);
		check_problems(&p, c->want + 1);
	} else {
		struct buf out = {0};
		buf_append_str(&out, "");
		ck_assert(good);
		ck_assert(variables_expand(
		    &v, SLICE("${W_FILE-unset}"), (struct place){"f", 1, 1}, &out, &p));
		ck_assert_str_eq(out.ptr, c->want);
		buf_release(&out);
	}
	problems_release(&p);
	variables_release(&v);
}
END_TEST

START_TEST(nul_in_an_env_file_is_refused)
{
	struct variables v = {0};
	struct problems p = {0};
	ck_assert(!variables_read(&v, ".env", SLICE("A=x\0y\n"), &p));
	check_problems(&p, ".env:1:1: the line cannot be used: it is not UTF-8, or holds a NUL\n");
	problems_release(&p);
	variables_release(&v);
}
END_TEST

START_TEST(the_environment_wins_over_the_env_file)
{
	set_environment();
	struct variables v = {0};
	struct problems p = {0};
	struct buf out = {0};
	ck_assert(
	    variables_read(&v, ".env", SLICE("W_BOTH=file\nW_EMPTY=file\nW_FILE=file\n"), &p));
	ck_assert(variables_expand(&v, SLICE("${W_BOTH}, ${W_EMPTY:-empty}, ${W_FILE}"),
	    (struct place){"f", 1, 1}, &out, &p));
	ck_assert_str_eq(out.ptr, "from the environment, empty, file");
	buf_release(&out);
	problems_release(&p);
	variables_release(&v);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("variables");
	TCase *tc = tcase_create("variables");
	tcase_add_loop_test(tc, text_is_expanded, 0, ARRAY_LEN(expand_cases));
	tcase_add_test(tc, expansion_has_limits);
	tcase_add_test(tc, defaults_nest_only_so_deep);
	tcase_add_loop_test(tc, env_file_is_read, 0, ARRAY_LEN(env_cases));
	tcase_add_test(tc, nul_in_an_env_file_is_refused);
	tcase_add_test(tc, the_environment_wins_over_the_env_file);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
