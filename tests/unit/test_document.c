#include "config/document.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "config/input.h"
#include "folder_bench.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CASES "tests/cases/document"

/* Set once by main(), before any test runs. */
static struct dirent **case_names;
static int case_count;

static void check_problems(const struct problems *p, const char *want)
{
	struct buf out = {0};
	buf_append_str(&out, "");
	problems_write(p, SIZE_MAX, NULL, (struct slice){0}, &out);
	ck_assert_str_eq(out.ptr, want);
	buf_release(&out);
}

/* Parses a text that has to be in order. */
static struct document *parse(const char *text)
{
	struct problems p = {0};
	struct error err = {0};
	struct document *doc = document_parse("f", slice_str(text), &p, &err);
	check_problems(&p, "");
	ck_assert_ptr_nonnull(doc);
	return doc;
}

static void check_json(const struct document *doc, const char *want)
{
	char *json = json_dumps(document_root(doc), JSON_COMPACT);
	ck_assert_str_eq(json, want);
	free(json);
}

/* --- cases: input.yaml, the problems it has, and maybe a schema.json --- */

static void read_case(const char *name, const char *file, struct buf *out)
{
	char *whole = mem_printf(CASES "/%s/%s", name, file);
	struct error err = {0};
	bool is_file;
	if (!input_read(whole, 4u << 20, out, &is_file, &err))
		ck_abort_msg("%s", err.text);
	free(whole);
}

static void check_schema(const struct document *doc, const char *name, struct problems *p)
{
	char *whole = mem_printf(CASES "/%s/schema.json", name);
	json_t *root = json_load_file(whole, 0, NULL);
	free(whole);
	if (root == NULL)
		return;
	struct error err = {0};
	struct schema *schema = schema_create(root, 0, &err);
	ck_assert_str_eq(err.text, "");
	bool clean = document_check(doc, schema, p, &err);
	ck_assert_str_eq(err.text, "");
	ck_assert_int_eq(clean, p->count == 0);
	schema_free(schema);
	json_decref(root);
}

START_TEST(cases_are_there)
{
	ck_assert_msg(case_count > 100, "only %d cases in " CASES, case_count);
}
END_TEST

START_TEST(case_has_these_problems)
{
	const char *name = case_names[_i]->d_name;
	struct buf text = {0}, want = {0}, message = {0};
	struct problems p = {0};
	struct error err = {0};
	read_case(name, "input.yaml", &text);
	read_case(name, "problems", &want);
	struct document *doc = document_parse("input.yaml", buf_slice(&text), &p, &err);
	if (doc == NULL) {
		buf_printf(
		    &message, "'input.yaml' has %zu problem%s", p.count, p.count == 1 ? "" : "s");
		ck_assert_str_eq(err.text, message.ptr);
		ck_assert_int_eq(err.kind, ERROR_SETTINGS);
		ck_assert(slice_equal(buf_slice(&p.text), buf_slice(&text)));
	} else {
		check_schema(doc, name, &p);
	}
	struct buf found = {0};
	problems_write(&p, SIZE_MAX, NULL, (struct slice){0}, &found);
	ck_assert_msg(slice_equal(buf_slice(&found), buf_slice(&want)), "%s: found\n%s\nwant\n%s",
	    name, found.ptr ? found.ptr : "", want.ptr ? want.ptr : "");
	buf_clear(&found);
	problems_write(&p, SIZE_MAX, "input.yaml", buf_slice(&text), &found);
	document_free(doc);
	problems_release(&p);
	buf_release(&found);
	buf_release(&message);
	buf_release(&want);
	buf_release(&text);
}
END_TEST

/* --- values --- */

struct value_case {
	const char *yaml, *json;
};

static const struct value_case value_cases[] = {
    {"", "{}"},
    {"# nothing\n", "{}"},
    {"---\n...\n", "{}"},
    {"a: [no, on, 12:30, 2026-11-21, 1.0, 10s]",
	"{\"a\":[\"no\",\"on\",\"12:30\",\"2026-11-21\",1.0,\"10s\"]}"},
    {"a:\nb: ~\nc: ''\n", "{\"a\":null,\"b\":null,\"c\":\"\"}"},
    {"a: '5'\nb: \"true\"\nc: |\n  5\nd: >-\n  null\n",
	"{\"a\":\"5\",\"b\":\"true\",\"c\":\"5\\n\",\"d\":\"null\"}"},
    {"a: !!str 5\nb: !!int '0x10'\nc: !!float 5\nd: !!bool 'true'\ne: !!null ''\nf: ! 5\n",
	"{\"a\":\"5\",\"b\":16,\"c\":5.0,\"d\":true,\"e\":null,\"f\":\"5\"}"},
    {"1: a\n1.5: b\ntrue: c\n~: d\n", "{\"1\":\"a\",\"1.5\":\"b\",\"true\":\"c\",\"~\":\"d\"}"},
    {"a: &x {b: [1]}\nc: *x\nd: [*x, *x]\n",
	"{\"a\":{\"b\":[1]},\"c\":{\"b\":[1]},\"d\":[{\"b\":[1]},{\"b\":[1]}]}"},
    {"a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}"},
    {"? a\n: - b\n  - c\n", "{\"a\":[\"b\",\"c\"]}"},
    {"a: 'x\n\n  y'\n", "{\"a\":\"x\\ny\"}"},
    {"a: \"\\u00e4\\x1b\"\n", "{\"a\":\"\xc3\xa4\\u001B\"}"},
    {"\xef\xbb\xbf"
     "a: 1\r\nb: 2\r\n",
	"{\"a\":1,\"b\":2}"},
    {"a: ${W_PORT}\nb: '${W_PORT}'\nc: \"${W_PORT}\"\nd: !!str ${W_PORT}\n",
	"{\"a\":5672,\"b\":\"5672\",\"c\":\"5672\",\"d\":\"5672\"}"},
    {"a: ${W_EMPTY}\nb: \"${W_EMPTY}\"\nc: ${W_UNSET-no}\nd: ${W_UNSET:-1.5}\ne: 1${W_PORT}\n",
	"{\"a\":null,\"b\":\"\",\"c\":\"no\",\"d\":1.5,\"e\":15672}"},
    {"a: ${W_YAML}\nb: [\"${W_YAML}\"]\n",
	"{\"a\":\"x\\nadmin: true\\n- [y\",\"b\":[\"x\\nadmin: true\\n- [y\"]}"},
    {"a: ${W_TAG}\nb: ${W_ALIAS}\n", "{\"a\":\"!!int 5\",\"b\":\"*x\"}"},
    {"${W_PORT}: ${W_PORT}\n", "{\"${W_PORT}\":5672}"},
    {"a: $$5\nb: 5$\nc: $W_PORT\nd: $${W_PORT}\n",
	"{\"a\":\"$5\",\"b\":\"5$\",\"c\":\"$W_PORT\",\"d\":\"${W_PORT}\"}"},
    {"a: &x ${W_PORT}\nb: *x\n", "{\"a\":5672,\"b\":5672}"},
};

START_TEST(text_becomes_this_tree)
{
	setenv("W_PORT", "5672", 1);
	setenv("W_EMPTY", "", 1);
	setenv("W_YAML", "x\nadmin: true\n- [y", 1);
	setenv("W_TAG", "!!int 5", 1);
	setenv("W_ALIAS", "*x", 1);
	unsetenv("W_UNSET");
	struct document *doc = parse(value_cases[_i].yaml);
	check_json(doc, value_cases[_i].json);
	document_free(doc);
}
END_TEST

/* --- places --- */

struct place_case {
	const char *pointer;
	unsigned key_line, key_column, line, column;
};

static const char placed[] = "# settings\n"
			     "broker:\n"
			     "  url: x\n"
			     "list:\n"
			     "  - a\n"
			     "  - {b: 1, \"c/d~e\": 2}\n"
			     "nothing:\n"
			     "\xc3\xa4: &x [1]\n"
			     "copy: *x\n";

static const struct place_case place_cases[] = {
    {"", 2, 1, 2, 1},
    {"/broker", 2, 1, 3, 3},
    {"/broker/url", 3, 3, 3, 8},
    {"/broker/unknown/deeper", 2, 1, 3, 3},
    {"/list", 4, 1, 5, 3},
    {"/list/0", 5, 5, 5, 5},
    {"/list/1", 6, 5, 6, 5},
    {"/list/1/b", 6, 6, 6, 9},
    {"/list/1/c~1d~0e", 6, 12, 6, 21},
    {"/list/2", 4, 1, 5, 3},
    {"/nothing", 7, 1, 7, 9},
    {"/\xc3\xa4", 8, 1, 8, 4},
    {"/copy", 9, 1, 9, 7},
    {"/copy/0", 8, 8, 8, 8},
};

START_TEST(keys_and_values_have_places)
{
	const struct place_case *c = &place_cases[_i];
	struct document *doc = parse(placed);
	struct place key = document_key_place(doc, c->pointer);
	struct place value = document_place(doc, c->pointer);
	ck_assert_str_eq(key.source, "f");
	ck_assert_uint_eq(key.line, c->key_line);
	ck_assert_uint_eq(key.column, c->key_column);
	ck_assert_uint_eq(value.line, c->line);
	ck_assert_uint_eq(value.column, c->column);
	document_free(doc);
}
END_TEST

/* --- document_set --- */

struct set_case {
	const char *assignment;
	const char *want; /* JSON, or the error in front of which a '!' stands */
};

#define BEFORE "a: {b: 1, l: [x, {y: 2}]}\ns: text\nn: ~\n\"d.e\": 1\n"
#define REST ",\"s\":\"text\",\"n\":null,\"d.e\":1}"
#define SAME "{\"a\":{\"b\":1,\"l\":[\"x\",{\"y\":2}]}" REST
#define NO_PATH "; accepted: PATH=VALUE"

static const struct set_case set_cases[] = {
    {"a.b=5", "{\"a\":{\"b\":5,\"l\":[\"x\",{\"y\":2}]}" REST},
    {"a=", "{\"a\":null" REST},
    {"a=[1, {b: no}]", "{\"a\":[1,{\"b\":\"no\"}]" REST},
    {"a.b=1.5", "{\"a\":{\"b\":1.5,\"l\":[\"x\",{\"y\":2}]}" REST},
    {"a.b='5'", "{\"a\":{\"b\":\"5\",\"l\":[\"x\",{\"y\":2}]}" REST},
    {"a.b=x=y", "{\"a\":{\"b\":\"x=y\",\"l\":[\"x\",{\"y\":2}]}" REST},
    {"a.b=#", "{\"a\":{\"b\":\"#\",\"l\":[\"x\",{\"y\":2}]}" REST},
    {"a.b=x # y", "{\"a\":{\"b\":\"x\",\"l\":[\"x\",{\"y\":2}]}" REST},
    {"a.b=${W_UNSET}", "{\"a\":{\"b\":\"${W_UNSET}\",\"l\":[\"x\",{\"y\":2}]}" REST},
    {"a.b=\"*.x\"", "{\"a\":{\"b\":\"*.x\",\"l\":[\"x\",{\"y\":2}]}" REST},
    {"a.l.0=z", "{\"a\":{\"b\":1,\"l\":[\"z\",{\"y\":2}]}" REST},
    {"a.l.1.y=3", "{\"a\":{\"b\":1,\"l\":[\"x\",{\"y\":3}]}" REST},
    {"a.l.1.z.w=3", "{\"a\":{\"b\":1,\"l\":[\"x\",{\"y\":2,\"z\":{\"w\":3}}]}" REST},
    {"n.m.o=1", "{\"a\":{\"b\":1,\"l\":[\"x\",{\"y\":2}]},\"s\":\"text\",\"n\":{\"m\":{\"o\":1}},"
		"\"d.e\":1}"},
    {"\"d.e\"=2", "{\"a\":{\"b\":1,\"l\":[\"x\",{\"y\":2}]},\"s\":\"text\",\"n\":null,\"d.e\":2}"},
    {"n.\"p=q.r\".t=1",
	"{\"a\":{\"b\":1,\"l\":[\"x\",{\"y\":2}]},\"s\":\"text\",\"n\":{\"p=q.r\":{\"t\":1}},"
	"\"d.e\":1}"},
    {"amount", "!--set: 'amount' has no '='" NO_PATH},
    {"", "!--set: '' has no '='" NO_PATH},
    {"=5", "!--set: '' has an empty key" NO_PATH},
    {"a..b=1", "!--set: 'a..b' has an empty key" NO_PATH},
    {".a=1", "!--set: '.a' has an empty key" NO_PATH},
    {"a.=1", "!--set: 'a.' has an empty key" NO_PATH},
    {"a.", "!--set: 'a.' has no '='" NO_PATH},
    {"a.\"b=1", "!--set: 'a.\"b=1' has no closing quote"},
    {"a.\"b\"c=1", "!--set: 'a.\"b\"c' goes on behind a closing quote"},
    {"url:amqp://me:s3cret@host", "!--set: 'url:amqp://***@host' has no '='" NO_PATH},
    {"a.l.2=1",
	"!--set: 'a.l.2': '2' is not the number of an item; 'a.l' is a list of 2, counted from 0"},
    {"a.l.-1=1",
	"!--set: 'a.l.-1': '-1' is not the number of an item; 'a.l' is a list of 2, counted "
	"from 0"},
    {"a.l.y.z=1",
	"!--set: 'a.l.y.z': 'y' is not the number of an item; 'a.l' is a list of 2, counted "
	"from 0"},
    {"a.l.99999999999999999999.z=1",
	"!--set: 'a.l.99999999999999999999.z': '99999999999999999999' is not the number of an "
	"item; 'a.l' is a list of 2, counted from 0"},
    {"a.b.c=1", "!--set: 'a.b.c': there is no 'c' in 'a.b', which is a number"},
    {"s.c.d=1", "!--set: 's.c.d': there is no 'c' in 's', which is a text"},
    {"x.y=[1", "!--set: the value of 'x.y' is not YAML: did not find expected ',' or ']' while "
	       "parsing a flow sequence; in double quotes it is a text"},
    {"x.y={a: 1, a: 2}", "!--set: the value of 'x.y' is not YAML: duplicate key 'a'; the first one "
			 "is in line 1; in double quotes it is a text"},
    {"x.y=*.order", "!--set: the value of 'x.y' is not YAML: a text that starts with '*' or '&' "
		    "needs quotes; in double quotes it is a text"},
    {"x.y=a: b: c", "!--set: the value of 'x.y' is not YAML: found ':' inside a text; put the text "
		    "in quotes, or check the indentation; in double quotes it is a text"},
    {"x.y=99999999999999999999",
	"!--set: the value of 'x.y' is not YAML: '99999999999999999999' is an integer beyond the "
	"64 bits of -9223372036854775808 to 9223372036854775807; put it in quotes to have it as "
	"text; in double quotes it is a text"},
    {"a=\xff", "!--set: the argument is not UTF-8"},
};

START_TEST(assignment_is_applied_or_refused)
{
	const struct set_case *c = &set_cases[_i];
	struct document *doc = parse(BEFORE);
	struct error err = {0};
	bool done = document_set(doc, "--set", c->assignment, &err);
	ck_assert_str_eq(err.text, c->want[0] == '!' ? c->want + 1 : "");
	ck_assert_int_eq(err.kind, c->want[0] == '!' ? ERROR_USAGE : ERROR_NONE);
	ck_assert_int_eq(done, c->want[0] != '!');
	check_json(doc, c->want[0] == '!' ? SAME : c->want);
	document_free(doc);
}
END_TEST

START_TEST(what_was_set_is_placed_at_its_option)
{
	struct document *doc = parse("a: {b: {c: 1}}\n");
	struct error err = {0};
	char option[] = "--set";
	ck_assert(document_set(doc, option, "a.b={c: [1, 2]}", &err));
	option[0] = '?';
	ck_assert(document_set(doc, "WARREN_SET", "x.y=1", &err));
	ck_assert_str_eq(document_place(doc, "/a").source, "f");
	ck_assert_str_eq(document_place(doc, "/a/b/c/1").source, "--set");
	ck_assert_uint_eq(document_place(doc, "/a/b/c/1").line, 0);
	ck_assert_str_eq(document_key_place(doc, "/x").source, "WARREN_SET");
	ck_assert(document_set(doc, "--amount", "a.b.c.1=5", &err));
	ck_assert_str_eq(document_place(doc, "/a/b/c/0").source, "--set");
	ck_assert_str_eq(document_place(doc, "/a/b/c/1").source, "--amount");
	check_json(doc, "{\"a\":{\"b\":{\"c\":[1,5]}},\"x\":{\"y\":1}}");
	document_free(doc);
}
END_TEST

START_TEST(a_path_has_a_limit)
{
	struct document *doc = document_empty();
	struct error err = {0};
	struct buf dotted = {0};
	for (int i = 0; i < DOCUMENT_MAX_DEPTH; i++)
		buf_append_str(&dotted, i > 0 ? ".a" : "a");
	buf_append_str(&dotted, "=1");
	ck_assert(document_set(doc, "--set", dotted.ptr, &err));
	buf_clear(&dotted);
	for (int i = 0; i < 50000; i++)
		buf_append_str(&dotted, "a.");
	ck_assert(!document_set(doc, "--set", dotted.ptr, &err));
	ck_assert_int_eq(strncmp(err.text, "--set: 'a.a.", 12), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "...' has too many keys"));
	buf_release(&dotted);
	document_free(doc);
}
END_TEST

START_TEST(settings_without_a_file_are_checked_too)
{
	struct document *doc = document_empty();
	struct problems p = {0};
	struct error err = {0};
	json_t *root = json_pack(
	    "{s:[s], s:{s:{s:s}}}", "required", "broker", "properties", "a", "type", "integer");
	struct schema *schema = schema_create(root, 0, &err);
	ck_assert(document_set(doc, "--set", "a=x", &err));
	ck_assert(!document_check(doc, schema, &p, &err));
	ck_assert_int_eq(err.kind, ERROR_NONE);
	check_problems(&p, "(no settings file): missing key 'broker'\n"
			   "--set: a: found 'x'; accepted: a whole number\n");
	schema_free(schema);
	json_decref(root);
	problems_release(&p);
	document_free(doc);
}
END_TEST

/* --- files --- */

/* Each test runs in a process of its own, so it may go there. */
static void enter_folders(void)
{
	enter_folder();
	ck_assert_int_eq(mkdir("sub", 0700), 0);
}

START_TEST(a_file_may_be_four_mebibytes)
{
	struct buf text = {0};
	struct problems p = {0};
	struct error err = {0};
	buf_append_str(&text, "a: 1\n#");
	while (text.len < DOCUMENT_MAX_BYTES)
		buf_append_char(&text, 'x');
	struct document *doc = document_parse("f", buf_slice(&text), &p, &err);
	ck_assert_ptr_nonnull(doc);
	ck_assert_uint_eq(document_text(doc).len, DOCUMENT_MAX_BYTES);
	document_free(doc);
	buf_append_char(&text, 'x');
	ck_assert_ptr_null(document_parse("f", buf_slice(&text), &p, &err));
	check_problems(&p, "f: larger than 4194304 bytes\n");
	problems_release(&p);
	buf_release(&text);
}
END_TEST

START_TEST(standard_input_has_a_name_and_no_env_file)
{
	enter_folders();
	write_file(".env", "W_FILE=x\n");
	write_file("s.yaml", "a: ${W_FILE-none}\n");
	unsetenv("W_FILE");
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "a: ${W_FILE-none}\n", 18), 18);
	ck_assert_int_eq(close(ends[1]), 0);
	ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	struct problems p = {0};
	struct error err = {0};
	struct document *doc = document_load("-", &p, &err);
	ck_assert_str_eq(err.text, "");
	check_json(doc, "{\"a\":\"none\"}");
	ck_assert_str_eq(document_name(doc), "<stdin>");
	document_free(doc);
	ck_assert_int_eq(close(ends[0]), 0);
	leave_folder();
}
END_TEST

START_TEST(a_missing_file_is_no_problem_of_its_content)
{
	struct problems p = {0};
	struct error err = {0};
	ck_assert_ptr_null(document_load("/tmp/none/none.yaml", &p, &err));
	ck_assert_int_eq(err.kind, ERROR_NO_INPUT);
	ck_assert_str_eq(err.text, "cannot open '/tmp/none/none.yaml': No such file or directory");
	ck_assert_uint_eq(p.count, 0);
}
END_TEST

START_TEST(variables_come_from_the_env_file_beside_the_settings)
{
	enter_folders();
	setenv("W_BOTH", "environment", 1);
	unsetenv("W_FILE");
	write_file("sub/.env", "W_BOTH=file\nW_FILE='12'\n");
	write_file(".env", "W_FILE=wrong one\n");
	write_file("sub/s.yaml", "a: ${W_BOTH}\nb: ${W_FILE}\n");
	struct problems p = {0};
	struct error err = {0};
	struct document *doc = document_load("sub/s.yaml", &p, &err);
	check_problems(&p, "");
	check_json(doc, "{\"a\":\"environment\",\"b\":12}");
	document_free(doc);
	leave_folder();
}
END_TEST

START_TEST(faults_of_the_env_file_are_placed_in_it)
{
	enter_folders();
	unsetenv("W_FILE");
	write_file("sub/.env", "# mine\nW FILE=x\n");
	write_file("sub/s.yaml", "a: ${W_FILE}\n");
	struct problems p = {0};
	struct error err = {0};
	ck_assert_ptr_null(document_load("sub/s.yaml", &p, &err));
	ck_assert_str_eq(err.text, "'sub/s.yaml' has 2 problems");
	check_problems(&p,
	    "sub/.env:2:1: the line cannot be used: it is not KEY=VALUE, export KEY=VALUE or a # "
	    "comment\n"
	    "sub/s.yaml:1:4: a: ${W_FILE} is not set; set it or write ${W_FILE:-default}\n");
	problems_release(&p);
	p = (struct problems){0};
	write_file("sub/s.yaml", "a: ${HOME:-x}\n");
	error_clear(&err);
	ck_assert_ptr_null(document_load("sub/s.yaml", &p, &err));
	ck_assert_str_eq(err.text, "'sub/s.yaml' has 1 problem");
	problems_release(&p);
	leave_folder();
}
END_TEST

START_TEST(an_env_file_that_is_not_needed_does_not_matter)
{
	enter_folders();
	write_file("sub/.env", "not for us\n");
	write_file("sub/s.yaml", "a: $1\n");
	struct problems p = {0};
	struct error err = {0};
	struct document *doc = document_load("sub/s.yaml", &p, &err);
	ck_assert_ptr_nonnull(doc);
	document_free(doc);
	ck_assert_int_eq(unlink("sub/.env"), 0);
	ck_assert_int_eq(mkdir("sub/.env", 0700), 0);
	write_file("sub/s.yaml", "a: ${HOME:-x}\n");
	doc = document_load("sub/s.yaml", &p, &err);
	ck_assert_ptr_nonnull(doc);
	document_free(doc);
	leave_folder();
}
END_TEST

/* --- limits --- */

static void repeat(struct buf *out, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_append_str(out, text);
}

struct limit_case {
	const char *before, *each;
	size_t count;
	const char *problem;
};

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X1000 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50

/* Long keys around each other. */
#define DEEP "? " X1000 "\n: ? " X1000 "\n  : ? " X1000 "\n    : ? " X1000 "\n      :\n"

static const struct limit_case limit_cases[] = {
    {"", "{a: ", 250000, "f:1:401: nested deeper than 100 levels\n"},
    {"", "[", 1000000, "f:1:101: nested deeper than 100 levels\n"},
    {"", "- ", 500000, "f:1:201: nested deeper than 100 levels\n"},
    {"", "? ", 500000, "f:1:201: nested deeper than 100 levels\n"},
    {"a: [", "x,", 600000, "f:1:999999: more than 500000 keys and values\n"},
    {"a:\n", "- &a x\n", 550000, "f:499999:3: more than 500000 keys and values\n"},
    {"a: &a " X1000 "\nb:\n", "- *a\n", 90000,
	"f:1:4: b.8387: more than 8388608 bytes of text, with aliases and variables replaced\n"},
    {"a: &a [x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x]\nb:\n", "- *a\n", 90000,
	"f:1:38: b.24998.15: more than 500000 keys and values, with aliases replaced\n"},
    {"a: ", "${W_BIG}", 100000,
	"f:1:4: a: with its variables the text is larger than 1048576 bytes\n"},
    {"a: x\n", "a: x\n", 200000, NULL},
    {"a:\n", "- ${W_UNSET}\n", 20000, NULL},
    {"a: ", "\"", 1000000, NULL},
    {"", "%", 1000000, NULL},
    {"", "a\r", 500000, NULL},
    {"? ", "? a\n", 200000, NULL},
    {"", "!", 1000000, NULL},
    {"", "%TAG !a! x\n", 70000, "f:101:1: more than 100 %TAG directives\n"},
    {"? \"" X1000 "x\"\n:\n", "- x\n", 70000, "f:1:3: a key is longer than 1000 bytes\n"},
    {DEEP, "- ${W_UNSET}\n", 20000, NULL},
    {"a: [", "}{", 500000, NULL},
};

/* Without its limits each of these takes minutes; the bound leaves room for valgrind. */
START_TEST(hostile_text_is_refused_in_no_time)
{
	const struct limit_case *c = &limit_cases[_i];
	struct buf text = {0};
	struct problems p = {0};
	struct error err = {0};
	setenv("W_BIG", X1000, 1);
	unsetenv("W_UNSET");
	buf_append_str(&text, c->before);
	repeat(&text, c->each, c->count);
	uint64_t start = chrono_now_ns();
	ck_assert_ptr_null(document_parse("f", buf_slice(&text), &p, &err));
	uint64_t took_ms = (chrono_now_ns() - start) / CHRONO_MS;
	ck_assert_msg(
	    took_ms < 10000, "%s x %zu takes %u ms", c->each, c->count, (unsigned)took_ms);
	ck_assert_uint_ge(p.count, 1);
	if (c->problem != NULL)
		check_problems(&p, c->problem);
	buf_release(&text);
	problems_release(&p);
}
END_TEST

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(void)
{
	case_count = scandir(CASES, &case_names, is_case, alphasort);
	Suite *suite = suite_create("document");
	TCase *tc = tcase_create("document");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, cases_are_there);
	tcase_add_loop_test(tc, case_has_these_problems, 0, case_count);
	tcase_add_loop_test(tc, text_becomes_this_tree, 0, ARRAY_LEN(value_cases));
	tcase_add_loop_test(tc, keys_and_values_have_places, 0, ARRAY_LEN(place_cases));
	tcase_add_loop_test(tc, assignment_is_applied_or_refused, 0, ARRAY_LEN(set_cases));
	tcase_add_test(tc, what_was_set_is_placed_at_its_option);
	tcase_add_test(tc, a_path_has_a_limit);
	tcase_add_test(tc, settings_without_a_file_are_checked_too);
	tcase_add_test(tc, a_file_may_be_four_mebibytes);
	tcase_add_test(tc, standard_input_has_a_name_and_no_env_file);
	tcase_add_test(tc, a_missing_file_is_no_problem_of_its_content);
	tcase_add_test(tc, variables_come_from_the_env_file_beside_the_settings);
	tcase_add_test(tc, faults_of_the_env_file_are_placed_in_it);
	tcase_add_test(tc, an_env_file_that_is_not_needed_does_not_matter);
	tcase_add_loop_test(tc, hostile_text_is_refused_in_no_time, 0, ARRAY_LEN(limit_cases));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	for (int i = 0; i < case_count; i++)
		free(case_names[i]);
	free(case_names);
	return failed == 0 ? 0 : 1;
}
