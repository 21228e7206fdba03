/* Contracts out of files: what they refer to beside them, mistakes in them, bodies judged. */
#include "config/contract.h"

#include "base/buf.h"
#include "base/mem.h"
#include "folder_bench.h"

#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void begin(void)
{
	enter_folder();
	ck_assert_int_eq(mkdir("sub", 0700), 0);
}

static struct contract *load(const char *text)
{
	struct error err = {0};
	write_file("c.json", text);
	struct contract *c = contract_load("c.json", &err);
	ck_assert_msg(c != NULL, "%s", err.text);
	return c;
}

/* The findings, one a line: "instance|schema|text". */
static void collect(void *ctx, const struct schema_finding *f)
{
	buf_printf(ctx, "%s|%s|%s\n", f->instance, f->schema, f->text);
}

static void assert_judged(const struct contract *c, struct slice body, const char *expected)
{
	struct buf said = {0};
	struct error err = {0};
	bool good = contract_judge(c, body, collect, &said, &err);
	ck_assert_str_eq(err.text, "");
	ck_assert_str_eq(said.ptr != NULL ? said.ptr : "", expected);
	ck_assert_int_eq(good, expected[0] == '\0');
	buf_release(&said);
}

START_TEST(a_body_is_judged_and_each_finding_told)
{
	struct contract *c =
	    load("{\"required\": [\"id\"], \"properties\": {\"items\": {\"items\": "
		 "{\"properties\": {\"price\": {\"type\": \"number\"}}}}}}");
	ck_assert_str_eq(contract_name(c), "c.json");
	assert_judged(c, SLICE("{\"id\": 1, \"items\": [{\"price\": 1.5}]}"), "");
	assert_judged(c, SLICE("{\"items\": [{\"price\": \"x\"}, {\"price\": null}]}"),
	    "|/required|required property 'id' is missing\n"
	    "/items/0/price|/properties/items/items/properties/price/type|expected number, found "
	    "string \"x\"\n"
	    "/items/1/price|/properties/items/items/properties/price/type|expected number, found "
	    "null\n");
	contract_free(c);
}
END_TEST

static const struct {
	struct slice body;
	const char *said;
} unreadable[] = {
    {{"", 0}, "||not JSON: line 1, column 0: unexpected token near end of file\n"},
    {{NULL, 0}, "||not JSON: line 1, column 0: unexpected token near end of file\n"},
    {{"{\"a\": 1", 7}, "||not JSON: line 1, column 7: '}' expected near end of file\n"},
    {{"1 2", 3}, "||not JSON: line 1, column 3: end of file expected near '2'\n"},
    {{"\"\xff\"", 3}, "||not UTF-8\n"},
    {{"{\"a\": 1, \"a\": 2}", 16},
	"||not JSON: line 1, column 12: duplicate object key near '\"a\"'\n"},
    {{"1e999", 5}, "||not JSON: line 1, column 5: real number overflow near '1e999'\n"},
};

START_TEST(what_is_no_json_is_a_finding_of_the_whole)
{
	struct contract *c = load("true");
	assert_judged(c, unreadable[_i].body, unreadable[_i].said);
	contract_free(c);
}
END_TEST

START_TEST(numbers_beyond_64_bits_are_judged)
{
	struct contract *c = load("{\"type\": \"integer\", \"minimum\": 1e30}");
	assert_judged(c, SLICE("1000000000000000000000000000000000"), "");
	assert_judged(c, SLICE("7"), "|/minimum|7 is less than the minimum 1e+30\n");
	contract_free(c);
}
END_TEST

START_TEST(formats_are_asserted)
{
	struct contract *c = load("{\"format\": \"uuid\"}");
	struct error err = {0};
	ck_assert(!contract_judge(c, SLICE("\"no\""), NULL, NULL, &err));
	ck_assert_int_eq(err.kind, ERROR_NONE);
	contract_free(c);
}
END_TEST

START_TEST(references_lead_to_files_beside_and_below)
{
	write_file("address.json",
	    "{\"$defs\": {\"zip\": {\"type\": \"integer\"}}, \"properties\": "
	    "{\"zip\": {\"$ref\": \"#/$defs/zip\"}}}");
	write_file("sub/order.json", "{\"properties\": {\"to\": {\"$ref\": \"../address.json\"}, "
				     "\"of\": {\"$ref\": \"party.json\"}}}");
	write_file("sub/party.json", "{\"type\": \"string\"}");
	struct contract *c =
	    load("{\"items\": {\"$ref\": \"sub/order.json\"}, \"$ref\": \"#/$defs/a\", \"$defs\": "
		 "{\"a\": {\"contains\": {\"$ref\": \"address.json#/$defs/zip\"}, \"minContains\": "
		 "0}}}");
	assert_judged(c, SLICE("[{\"to\": {\"zip\": 5}, \"of\": \"me\"}]"), "");
	assert_judged(c, SLICE("[{\"to\": {\"zip\": \"five\"}, \"of\": 1}]"),
	    "/0/to/zip|address.json#/$defs/zip/type|expected integer, found string \"five\"\n"
	    "/0/of|sub/party.json#/type|expected string, found integer 1\n");
	contract_free(c);
}
END_TEST

START_TEST(an_id_stands_for_where_the_file_is)
{
	write_file("address.json", "{\"$id\": \"https://example.com/s/address.json\", \"type\": "
				   "\"string\"}");
	write_file("sub/deep.json", "{\"type\": \"integer\"}");
	struct contract *c =
	    load("{\"$id\": \"https://example.com/s/order.json\", \"properties\": {"
		 "\"a\": {\"$ref\": \"address.json\"}, "
		 "\"b\": {\"$ref\": \"https://example.com/s/address.json\"}, "
		 "\"c\": {\"$ref\": \"sub/deep.json\"}}}");
	ck_assert_str_eq(contract_name(c), "https://example.com/s/order.json");
	assert_judged(c, SLICE("{\"a\": \"x\", \"b\": \"x\", \"c\": 1}"), "");
	assert_judged(c, SLICE("{\"b\": 1, \"c\": true}"),
	    "/b|https://example.com/s/address.json#/type|expected string, found integer 1\n"
	    "/c|https://example.com/s/sub/deep.json#/type|expected integer, found boolean true\n");
	contract_free(c);
}
END_TEST

START_TEST(a_bundle_judges_alike_without_the_files)
{
	write_file("address.json",
	    "{\"$defs\": {\"zip\": {\"type\": \"integer\"}}, \"properties\": "
	    "{\"zip\": {\"$ref\": \"#/$defs/zip\"}, \"of\": {\"$ref\": \"c.json\"}}}");
	struct contract *c =
	    load("{\"$id\": \"https://example.com/c.json\", \"required\": [\"n\"], \"properties\": "
		 "{\"a\": {\"$ref\": \"address.json\"}, \"z\": {\"$ref\": "
		 "\"address.json#/$defs/zip\"}}}");
	json_t *bundle = contract_bundle(c);
	char *text = json_dumps(bundle, JSON_COMPACT);
	ck_assert_str_eq(text,
	    "{\"required\":[\"n\"],\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
	    "address.json\"},\"z\":{"
	    "\"$ref\":\"#/$defs/address.json/$defs/zip\"}},\"$defs\":{\"address.json\":{\"$defs\":{"
	    "\"zip\":{\"type\":\"integer\"}},\"properties\":{\"zip\":{\"$ref\":\"#/$defs/"
	    "address.json/"
	    "$defs/zip\"},\"of\":{\"$ref\":\"#\"}}}}}");
	struct contract *whole = load(text);
	static const char *const bodies[] = {"{\"n\": 1, \"a\": {\"zip\": 5}}",
	    "{\"n\": 1, \"a\": {\"zip\": \"x\"}}", "{\"n\": 1, \"a\": {\"of\": {}}}",
	    "{\"n\": 1, \"z\": \"x\"}"};
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct error err = {0};
		bool good = contract_judge(c, slice_str(bodies[i]), NULL, NULL, &err);
		ck_assert_int_eq(good, i == 0);
		ck_assert_int_eq(
		    contract_judge(whole, slice_str(bodies[i]), NULL, NULL, &err), good);
		ck_assert_str_eq(err.text, "");
	}
	contract_free(whole);
	free(text);
	json_decref(bundle);
	contract_free(c);
}
END_TEST

static const struct {
	const char *text; /* NULL: there is no file */
	enum error_kind kind;
	const char *said;
} mistakes[] = {
    {NULL, ERROR_NO_INPUT, "cannot open 'c.json': No such file or directory"},
    {"{\"type\"", ERROR_SETTINGS,
	"'c.json' is not JSON: line 1, column 7: ':' expected near end of file"},
    {"{\"type\": \"text\"}", ERROR_SETTINGS,
	"'c.json': schema: 'type' must be one or a list of: string integer number boolean array "
	"object null"},
    {"{\"pattern\": \"(\"}", ERROR_SETTINGS,
	"'c.json': schema: pattern '(' does not compile: missing closing parenthesis"},
    {"{\"properties\": {\"a\": {\"$ref\": \"b.json\"}}}", ERROR_SETTINGS,
	"'c.json': schema at '/properties/a': $ref 'b.json' leads nowhere"},
    {"{\"$ref\": \"https://example.com/b.json\"}", ERROR_SETTINGS,
	"'c.json': schema: $ref 'https://example.com/b.json' leads nowhere"},
    {"{\"$ref\": \"#/$defs/a\"}", ERROR_SETTINGS,
	"'c.json': schema: $ref '#/$defs/a' leads nowhere"},
    {"{\"$ref\": \"/etc/passwd\"}", ERROR_SETTINGS,
	"'c.json': schema: $ref '/etc/passwd' leads nowhere"},
    {"{\"$ref\": \"sub/bad.json\"}", ERROR_SETTINGS,
	"'sub/bad.json' is not JSON: line 1, column 8: invalid token near 'nonsense'"},
    {"{\"$schema\": \"https://example.com/mine\"}", ERROR_SETTINGS,
	"'c.json': schema has the unknown $schema 'https://example.com/mine'; accepted are "
	"https://json-schema.org/draft/2020-12/schema, "
	"https://json-schema.org/draft/2019-09/schema and http://json-schema.org/draft-07/schema#"},
};

START_TEST(a_mistake_in_a_contract_is_told)
{
	struct error err = {0};
	(void)unlink("c.json"); /* it may be missing */
	write_file("sub/bad.json", "nonsense");
	if (mistakes[_i].text != NULL)
		write_file("c.json", mistakes[_i].text);
	ck_assert_ptr_null(contract_load("c.json", &err));
	ck_assert_int_eq(err.kind, mistakes[_i].kind);
	ck_assert_str_eq(err.text, mistakes[_i].said);
}
END_TEST

START_TEST(so_many_files_are_a_mistake)
{
	struct error err = {0};
	for (int i = 0; i < CONTRACT_MAX_FILES + 1; i++) {
		char *name = mem_printf("f%d.json", i);
		char *text = mem_printf("{\"$ref\": \"f%d.json\"}", i + 1);
		write_file(name, text);
		free(name);
		free(text);
	}
	ck_assert_ptr_null(contract_load("f0.json", &err));
	ck_assert_str_eq(err.text, "it refers to more than 100 files");
}
END_TEST

START_TEST(files_that_refer_to_each_other_are_read_once)
{
	write_file("other.json", "{\"properties\": {\"back\": {\"$ref\": \"c.json\"}, \"n\": "
				 "{\"type\": \"integer\"}}}");
	struct contract *c = load("{\"properties\": {\"on\": {\"$ref\": \"other.json\"}}}");
	assert_judged(c, SLICE("{\"on\": {\"back\": {\"on\": {\"n\": \"x\"}}}}"),
	    "/on/back/on/n|other.json#/properties/n/type|expected integer, found string \"x\"\n");
	contract_free(c);
}
END_TEST

START_TEST(what_cannot_be_judged_is_no_verdict)
{
	struct contract *c = load("{\"$ref\": \"#\"}");
	struct error err = {0};
	struct buf said = {0};
	ck_assert(!contract_judge(c, SLICE("1"), collect, &said, &err));
	ck_assert_uint_eq(said.len, 0);
	ck_assert_str_eq(err.text,
	    "schema refers to itself without end, or the value nests more than 1000 deep");
	contract_free(c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("contract");
	TCase *tc = tcase_create("contract");
	tcase_add_unchecked_fixture(tc, begin, leave_folder);
	tcase_add_test(tc, a_body_is_judged_and_each_finding_told);
	tcase_add_loop_test(
	    tc, what_is_no_json_is_a_finding_of_the_whole, 0, (int)ARRAY_LEN(unreadable));
	tcase_add_test(tc, numbers_beyond_64_bits_are_judged);
	tcase_add_test(tc, formats_are_asserted);
	tcase_add_test(tc, references_lead_to_files_beside_and_below);
	tcase_add_test(tc, an_id_stands_for_where_the_file_is);
	tcase_add_test(tc, a_bundle_judges_alike_without_the_files);
	tcase_add_loop_test(tc, a_mistake_in_a_contract_is_told, 0, (int)ARRAY_LEN(mistakes));
	tcase_add_test(tc, so_many_files_are_a_mistake);
	tcase_add_test(tc, files_that_refer_to_each_other_are_read_once);
	tcase_add_test(tc, what_cannot_be_judged_is_no_verdict);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
