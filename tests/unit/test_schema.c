#include "schema/schema.h"

#include "base/buf.h"
#include "base/mem.h"
#include "json_bench.h"

#include <check.h>
#include <stdlib.h>

/* One line a finding: "pointer: text". */
static void write_finding(void *ctx, const struct schema_finding *finding)
{
	struct buf *out = ctx;
	buf_printf(out, "%s: %s\n", finding->instance, finding->text);
}

/* The findings, then the error if there is one; to free(). */
static char *judge(const char *schema_text, const char *instance_text, unsigned flags)
{
	struct error err = {0};
	struct buf out = {0};
	json_t *root = read_json(schema_text), *instance = read_json(instance_text);
	struct schema *s = schema_create(root, flags, &err);
	ck_assert_msg(s != NULL, "%s: %s", schema_text, err.text);
	bool ok = schema_validate(s, instance, write_finding, &out, &err);
	ck_assert_msg(ok == (out.len == 0 && err.kind == ERROR_NONE), "%s", schema_text);
	if (err.kind != ERROR_NONE)
		buf_printf(&out, "error: %s\n", err.text);
	error_clear(&err);
	ck_assert_msg(schema_validate(s, instance, NULL, NULL, &err) == ok, "%s", schema_text);
	schema_free(s);
	json_decref(root);
	json_decref(instance);
	return buf_take(&out);
}

struct finding_case {
	const char *schema;
	const char *instance;
	const char *findings;
};

static void check_cases(const struct finding_case *cases, size_t count, unsigned flags)
{
	for (size_t i = 0; i < count; i++) {
		char *findings = judge(cases[i].schema, cases[i].instance, flags);
		ck_assert_msg(strcmp(findings, cases[i].findings) == 0,
		    "%s\non %s\nsays:\n%sexpected:\n%s", cases[i].schema, cases[i].instance,
		    findings, cases[i].findings);
		free(findings);
	}
}

START_TEST(finding_says_what_was_found_and_what_is_accepted)
{
	static const struct finding_case cases[] = {
	    {"{'type':'integer'}", "'ten'", ": expected integer, found string \"ten\"\n"},
	    {"{'type':'string'}", "7", ": expected string, found integer 7\n"},
	    {"{'type':'integer'}", "1.5", ": expected integer, found number 1.5\n"},
	    {"{'type':'integer'}", "5.0", ""},
	    {"{'type':['integer','null','string']}", "[1]",
		": expected string, integer or null, found array\n"},
	    {"{'type':['object','array']}", "false",
		": expected array or object, found boolean false\n"},
	    {"{'type':'object'}", "null", ": expected object, found null\n"},
	    {"{'type':'array'}", "{}", ": expected array, found object\n"},
	    {"{'enum':['direct','topic','fanout']}", "'dirct'",
		": not one of direct, topic, fanout\n"},
	    {"{'enum':[3,null,'x y','',1.5,{'a':1}]}", "'dirct'",
		": not one of 3, null, \"x y\", \"\", 1.5, {\"a\": 1}\n"},
	    {"{'const':'a'}", "'b'", ": expected \"a\", found string \"b\"\n"},
	    {"{'const':{'a':[1.0]}}", "{'a':[1]}", ""},
	    {"{'maximum':5}", "7", ": 7 is more than the maximum 5\n"},
	    {"{'minimum':5}", "-0.5", ": -0.5 is less than the minimum 5\n"},
	    {"{'exclusiveMaximum':5}", "5.0", ": 5.0 is not less than 5\n"},
	    {"{'exclusiveMinimum':5}", "5", ": 5 is not more than 5\n"},
	    {"{'multipleOf':0.01}", "19.99", ""},
	    {"{'multipleOf':0.01}", "19.995", ": 19.995 is not a multiple of 0.01\n"},
	    {"{'minLength':4}", "'abc'", ": 3 characters are fewer than the minimum 4\n"},
	    {"{'maxLength':1}", "'\\u00e9\\ud83d\\ude00'",
		": 2 characters are more than the maximum 1\n"},
	    {"{'minLength':2}", "'\\u0000'", ": 1 character is fewer than the minimum 2\n"},
	    {"{'pattern':'^[0-9]+$'}", "'7\\n'",
		": \"7\\n\" does not match the pattern ^[0-9]+$\n"},
	    {"{'minItems':1}", "[]", ": 0 items are fewer than the minimum 1\n"},
	    {"{'maxItems':1}", "[1,2]", ": 2 items are more than the maximum 1\n"},
	    {"{'uniqueItems':true}", "[1,2,1.0]",
		": items 0 and 2 are equal, each item must be different\n"},
	    {"{'minProperties':2}", "{'a':1}", ": 1 property is fewer than the minimum 2\n"},
	    {"{'maxProperties':0}", "{'a':1}", ": 1 property is more than the maximum 0\n"},
	    {"{'required':['exchange']}", "{}", ": required property 'exchange' is missing\n"},
	    {"{'dependentRequired':{'a':['b']}}", "{'a':1}",
		": required property 'b' is missing, as 'a' is there\n"},
	    {"{'additionalProperties':false,'properties':{'a':{}}}", "{'b':1,'a':2}",
		"/b: unknown property\n"},
	    {"{'properties':{'a':false}}", "{'a':2}", "/a: property is not accepted here\n"},
	    {"{'prefixItems':[true],'items':false}", "[1,2]", "/1: unexpected item\n"},
	    {"{'contains':{'type':'string'}}", "[1]",
		": 0 matching items are fewer than the minimum 1\n"},
	    {"{'contains':{'type':'string'},'maxContains':1}", "['a','b']",
		": 2 matching items are more than the maximum 1\n"},
	    {"{'not':{'enum':['a']}}", "'a'", ": string \"a\" is not accepted here\n"},
	    {"{'propertyNames':{'pattern':'^[a-z]+$'}}", "{'ok':1,'No':2}",
		"/No: property name: \"No\" does not match the pattern ^[a-z]+$\n"},
	    {"false", "1", ": no value is accepted here\n"},
	};
	check_cases(cases, ARRAY_LEN(cases), 0);
}
END_TEST

START_TEST(foreign_bytes_are_escaped)
{
	static const struct finding_case cases[] = {
	    {"{'type':'integer'}", "'\\u001b[31m'",
		": expected integer, found string \"\\x1b[31m\"\n"},
	    {"{'enum':['\\u202e']}", "1", ": not one of \\u{202e}\n"},
	    {"{'required':['a\\u0007']}", "{}", ": required property 'a\\x07' is missing\n"},
	    {"{'pattern':'^\\u0007$'}", "'a'", ": \"a\" does not match the pattern ^\\x07$\n"},
	};
	check_cases(cases, ARRAY_LEN(cases), 0);
}
END_TEST

START_TEST(findings_come_in_the_order_of_the_instance)
{
	static const struct finding_case cases[] = {
	    {"{'allOf':[{'properties':{'b':{'type':'null'}}},{'properties':{'a':{'type':'null'},"
	     "'list':{'items':{'type':'null'}}}}],'required':['z']}",
		"{'a':1,'list':[null,2,3],'b':4}",
		": required property 'z' is missing\n"
		"/a: expected null, found integer 1\n"
		"/list/1: expected null, found integer 2\n"
		"/list/2: expected null, found integer 3\n"
		"/b: expected null, found integer 4\n"},
	    /* said twice, reported once */
	    {"{'allOf':[{'required':['a']},{'required':['a']}]}", "{}",
		": required property 'a' is missing\n"},
	    /* keys that need escaping in a pointer */
	    {"{'additionalProperties':{'additionalProperties':false}}", "{'a/b':{'c~d':1,'':2}}",
		"/a~1b/c~0d: unknown property\n/a~1b/: unknown property\n"},
	};
	check_cases(cases, ARRAY_LEN(cases), 0);
}
END_TEST

#define KINDS                                                                                     \
	"{'oneOf':[{'type':'object','properties':{'kind':{'const':'a'},'x':{'type':'integer'}}}," \
	"{'type':'object','properties':{'kind':{'const':'b'},'y':{'type':'integer'},"             \
	"'z':{'type':'integer'}}}]}"
#define RETRY                                                                                   \
	"{'anyOf':[{'type':'string'},{'type':'object','properties':{'from':{'type':'string'}}," \
	"'additionalProperties':false}]}"

START_TEST(nearest_alternative_explains_the_failure)
{
	static const struct finding_case cases[] = {
	    {"{'anyOf':[{'type':'string'},{'type':'integer'},{'type':'null'}]}", "true",
		": expected string, integer or null, found boolean true\n"},
	    {"{'anyOf':[{'const':'auto'},{'type':'integer'}]}", "'foo'",
		": expected integer or one of auto, found string \"foo\"\n"},
	    {"{'oneOf':[{'const':'a'},{'const':'b'}]}", "'foo'", ": not one of a, b\n"},
	    {"{'anyOf':[{'type':'null'},{'anyOf':[{'type':'string'},{'type':'array'}]}]}", "1",
		": expected string, array or null, found integer 1\n"},
	    {RETRY, "{'form':'1'}", "/form: unknown property\n"},
	    {RETRY, "{'from':1}", "/from: expected string, found integer 1\n"},
	    {RETRY, "1", ": expected string or object, found integer 1\n"},
	    {KINDS, "{'kind':'b','y':'s','z':'t'}",
		"/y: expected integer, found string \"s\"\n"
		"/z: expected integer, found string \"t\"\n"},
	    {KINDS, "{'kind':'c'}", "/kind: expected \"a\", found string \"c\"\n"},
	    /* the deeper one got further */
	    {"{'anyOf':[{'required':['q']},{'properties':{'a':{'properties':{'b':{'type':'null'}}}}"
	     "}]}",
		"{'a':{'b':1}}", "/a/b: expected null, found integer 1\n"},
	    {"{'oneOf':[true,{},{'type':'string'}]}", "1",
		": matches 2 of the 3 alternatives, exactly 1 is accepted\n"},
	    {"{'if':{'required':['a']},'then':{'required':['b']},'else':{'required':['c']}}",
		"{'a':1}", ": required property 'b' is missing\n"},
	};
	check_cases(cases, ARRAY_LEN(cases), 0);
}
END_TEST

START_TEST(unevaluated_property_is_seen_through_applicators)
{
	static const struct finding_case cases[] = {
	    {"{'allOf':[{'properties':{'a':{}}}],'unevaluatedProperties':false}", "{'a':1,'z':1}",
		"/z: unknown property\n"},
	    /* a branch that failed says nothing about its members */
	    {"{'anyOf':[{'properties':{'a':{'const':1}}},{'properties':{'b':{}}}],"
	     "'unevaluatedProperties':false}",
		"{'a':2,'b':2}", "/a: unknown property\n"},
	    /* what is wrong already is not unknown as well */
	    {"{'allOf':[{'properties':{'a':{'const':1}}}],'unevaluatedProperties':false}",
		"{'a':2}", "/a: expected 1, found integer 2\n"},
	    {"{'allOf':[{'prefixItems':[{}]}],'contains':{'const':7},'unevaluatedItems':false}",
		"[1,7,2]", "/2: unexpected item\n"},
	    /* before 2020-12, contains told nothing to others */
	    {"{'$schema':'https://json-schema.org/draft/2019-09/schema','contains':{'const':7},"
	     "'unevaluatedItems':false}",
		"[7]", "/0: unexpected item\n"},
	    /* members of a member are another matter */
	    {"{'properties':{'a':{'properties':{'b':{}}}},'unevaluatedProperties':false}",
		"{'a':{'b':1},'b':1}", "/b: unknown property\n"},
	    {"{'prefixItems':[{'prefixItems':[{},{}]}],'unevaluatedItems':false}", "[[1,2],3]",
		"/1: unexpected item\n"},
	};
	check_cases(cases, ARRAY_LEN(cases), 0);
}
END_TEST

START_TEST(format_is_asserted_only_when_asked_for)
{
	static const struct finding_case asserted[] = {
	    {"{'format':'date'}", "'2025-02-29'", ": \"2025-02-29\" is not a valid date\n"},
	    {"{'format':'date'}", "'2024-02-29'", ""},
	    {"{'format':'ipv4'}", "'127.0.0.01'", ": \"127.0.0.01\" is not a valid ipv4\n"},
	    {"{'format':'ipv6'}", "'1::2:3:4:5:6:7:8'",
		": \"1::2:3:4:5:6:7:8\" is not a valid ipv6\n"},
	    {"{'format':'regex'}", "'(?P<n>a)'", ": \"(?P<n>a)\" is not a valid regex\n"},
	    {"{'format':'uuid'}", "17", ""},
	    {"{'format':'nobody knows'}", "'x'", ""},
	};
	static const struct finding_case ignored[] = {
	    {"{'format':'date'}", "'2025-02-29'", ""},
	    {"{'format':'ipv4'}", "'x'", ""},
	};
	check_cases(asserted, ARRAY_LEN(asserted), SCHEMA_ASSERT_FORMAT);
	check_cases(ignored, ARRAY_LEN(ignored), 0);
}
END_TEST

START_TEST(patterns_are_those_of_ecma_262)
{
	static const struct finding_case cases[] = {
	    {"{'pattern':'^\\\\p{Letter}+$'}", "'\\u00e9a'", ""},
	    {"{'pattern':'^\\\\P{Lowercase_Letter}$'}", "'A'", ""},
	    {"{'pattern':'^[\\\\p{gc=Nd}x]$'}", "'\\u0664'", ""},
	    {"{'pattern':'^\\\\p{Script=Greek}$'}", "'\\u03b1'", ""},
	    {"{'pattern':'^\\\\ud83d\\\\ude00$'}", "'\\ud83d\\ude00'", ""},
	    {"{'pattern':'^[[:x]+$'}", "':[x'", ""},
	    {"{'pattern':'^a.c$'}", "'a\\u2028c'",
		": \"a\\u{2028}c\" does not match the pattern ^a.c$\n"},
	    {"{'pattern':'^a.c$'}", "'a\\rc'", ": \"a\\rc\" does not match the pattern ^a.c$\n"},
	    {"{'pattern':'^\\\\v$'}", "'\\u000b'", ""},
	    {"{'pattern':'^(?<n>a)\\\\k<n>(?i:B)$'}", "'aab'", ""},
	    {"{'pattern':'b'}", "'abc'", ""},
	    {"{'pattern':''}", "''", ""},
	};
	check_cases(cases, ARRAY_LEN(cases), 0);
}
END_TEST

START_TEST(reference_is_resolved_against_the_nearest_id)
{
	static const struct finding_case cases[] = {
	    {"{'$id':'http://h/a/b/c','$ref':'../x/./y','$defs':{'y':{'$id':'/a/x/"
	     "y','type':'null'}}}",
		"1", ": expected null, found integer 1\n"},
	    {"{'$id':'http://h/a/','$ref':'?q#n','$defs':{'y':{'$id':'http://h/a/?q','$defs':"
	     "{'z':{'$anchor':'n','type':'null'}}}}}",
		"1", ": expected null, found integer 1\n"},
	    {"{'$id':'urn:a:b','$ref':'#/$defs/a%20~1~0%25','$defs':{'a /~%':{'type':'null'}}}",
		"1", ": expected null, found integer 1\n"},
	    {"{'$ref':'other/../z','$defs':{'z':{'$id':'z','type':'null'}}}", "1",
		": expected null, found integer 1\n"},
	    /* of three, the outermost $dynamicAnchor */
	    {"{'$id':'http://h/1','$ref':'2','$defs':{'t':{'$dynamicAnchor':'t','const':1},"
	     "'b':{'$id':'2','$ref':'3','$defs':{'t':{'$dynamicAnchor':'t','const':2}}},"
	     "'c':{'$id':'3','$dynamicRef':'#t','$defs':{'t':{'$dynamicAnchor':'t','const':3}}}}}",
		"0", ": expected 1, found integer 0\n"},
	};
	check_cases(cases, ARRAY_LEN(cases), 0);
}
END_TEST

START_TEST(fault_of_the_schema_is_an_error_and_no_finding)
{
	static const struct finding_case cases[] = {
	    {"{'$ref':'#'}", "1",
		"error: schema refers to itself without end, or the value nests more than 1000 "
		"deep\n"},
	    {"{'anyOf':[{'$ref':'#/$defs/a'},true],'$defs':{'a':{'allOf':[{'$ref':'#'}]}}}", "1",
		"error: schema refers to itself without end, or the value nests more than 1000 "
		"deep\n"},
	    {"{'properties':{'a':{'$ref':'#/$defs/x'}}}", "{'a':1}",
		"error: schema at '/properties/a': $ref '#/$defs/x' leads nowhere\n"},
	    {"{'properties':{'a':{'$ref':'http://example.org/x'}}}", "{'b':1}", ""},
	    {"{'pattern':'^(a+)+$'}", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'",
		"error: schema has a pattern that needs too many steps\n"},
	    {"{'$schema':'urn:x'}", "1",
		"error: schema has the unknown $schema 'urn:x'; accepted are "
		"https://json-schema.org/draft/2020-12/schema, "
		"https://json-schema.org/draft/2019-09/schema and "
		"http://json-schema.org/draft-07/schema#\n"},
	};
	check_cases(cases, ARRAY_LEN(cases), 0);
}
END_TEST

static void count_finding(void *ctx, const struct schema_finding *finding)
{
	size_t *count = ctx;
	ck_assert_str_eq(finding->text, "unexpected item");
	++*count;
}

START_TEST(findings_are_limited_but_the_verdict_is_not)
{
	struct error err = {0};
	size_t count = 0;
	json_t *root = read_json("{'items':false}"), *instance = json_array();
	for (int i = 0; i < 3000; i++)
		json_array_append_new(instance, json_null());
	struct schema *s = schema_create(root, 0, &err);
	ck_assert(!schema_validate(s, instance, count_finding, &count, &err));
	ck_assert_uint_eq(count, 1000);
	ck_assert_int_eq(err.kind, ERROR_NONE);
	schema_free(s);
	json_decref(root);
	json_decref(instance);
}
END_TEST

START_TEST(broken_schema_is_refused)
{
	static const struct broken_case {
		const char *schema;
		const char *text;
	} cases[] = {
	    {"7", "schema must be an object, true or false"},
	    {"{'type':'strnig'}", "schema: 'type' must be one or a list of: string integer number "
				  "boolean array object null"},
	    {"{'properties':{'a':{'minLength':-1}}}",
		"schema at '/properties/a': 'minLength' must be an integer of at least 0"},
	    {"{'$defs':{'\\u001b':{'required':'a'}}}",
		"schema at '/$defs/\\x1b': 'required' must be an array of strings"},
	    {"{'anyOf':[]}", "schema: 'anyOf' must be an array of one or more schemas"},
	    {"{'items':[{}]}", "schema: 'items' must be a schema: an object, true or false"},
	    {"{'multipleOf':0}", "schema: 'multipleOf' must be a number above 0"},
	    {"{'pattern':'('}",
		"schema: pattern '(' does not compile: missing closing parenthesis"},
	    {"{'pattern':'a\\\\Z'}", "schema: pattern has '\\Z', which ECMA-262 does not know"},
	    {"{'pattern':'a\\\\'}", "schema: pattern ends in a backslash"},
	    {"{'patternProperties':{'(?R)':{}}}",
		"schema: pattern has a kind of '(?' that ECMA-262 does not know"},
	    {"{'$ref':'#/x/y','x':{'y':{'enum':1}}}", "schema at '/x/y': 'enum' must be an array"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct error err = {0};
		json_t *root = read_json(cases[i].schema);
		ck_assert_ptr_null(schema_create(root, 0, &err));
		ck_assert_str_eq(err.text, cases[i].text);
		ck_assert_int_eq(err.kind, ERROR_SETTINGS);
		json_decref(root);
	}
}
END_TEST

START_TEST(schema_that_nests_too_deep_is_refused)
{
	struct error err = {0};
	json_t *root = json_object();
	for (int i = 0; i < 600; i++)
		root = json_pack("{s:o}", "not", root);
	ck_assert_ptr_null(schema_create(root, 0, &err));
	ck_assert_str_eq(err.text, "schema holds more than 500 schemas within each other");
	json_decref(root);
}
END_TEST

/* {"a":X,"b":X} with X shared, 30 times: 2^30 schemas for whoever counts them one by one. */
START_TEST(shared_subschemas_do_not_multiply)
{
	struct error err = {0};
	json_t *root = json_pack("{s:s}", "type", "string");
	for (int i = 0; i < 30; i++)
		root = json_pack("{s:{s:O,s:o}}", "properties", "a", root, "b", root);
	struct schema *s = schema_create(root, 0, &err);
	json_t *instance = read_json("{'a':{'b':{}}}");
	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert(schema_validate(s, instance, NULL, NULL, &err));
	schema_free(s);
	json_decref(instance);
	json_decref(root);
}
END_TEST

START_TEST(work_without_end_is_stopped)
{
	struct error err = {0};
	struct buf text = {0};
	buf_append_str(&text, "{\"$defs\":{");
	for (int i = 0; i < 40; i++)
		buf_printf(&text,
		    "\"d%d\":{\"allOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":\"#/$defs/d%d\"}]},",
		    i, i + 1, i + 1);
	buf_append_str(&text, "\"d40\":true},\"$ref\":\"#/$defs/d0\"}");
	json_t *root = read_json(text.ptr), *instance = read_json("1");
	struct schema *s = schema_create(root, 0, &err);
	ck_assert(!schema_validate(s, instance, NULL, NULL, &err));
	ck_assert_str_eq(err.text, "schema needs too many steps for one value");
	schema_free(s);
	json_decref(root);
	json_decref(instance);
	buf_release(&text);
}
END_TEST

static void copy_finding(void *ctx, const struct schema_finding *f)
{
	struct buf *out = ctx;
	char *value = json_dumps(f->value, JSON_ENCODE_ANY | JSON_COMPACT);
	char *expected = json_dumps(f->expected, JSON_ENCODE_ANY | JSON_COMPACT);
	buf_printf(out, "%s|%s|%s|%s|%s|%s|%zu\n", f->instance, f->schema, f->keyword,
	    f->property != NULL ? f->property : "-", value, expected,
	    json_object_size(f->subschema));
	free(value);
	free(expected);
}

START_TEST(finding_names_value_keyword_and_schema)
{
	struct error err = {0};
	struct buf out = {0};
	json_t *root =
	    read_json("{'$defs':{'p':{'type':'integer','maximum':5}},"
		      "'properties':{'a':{'$ref':'#/$defs/p'},'e':{'$ref':'urn:e#/$defs/x'}},"
		      "'additionalProperties':false,'required':['b'],"
		      "'propertyNames':{'maxLength':3}}");
	json_t *other = read_json("{'$defs':{'x':{'type':'null'}}}");
	json_t *instance = read_json("{'a':7,'long':{'x':1},'e':2}");
	struct schema *s = schema_create(root, 0, &err);
	ck_assert(schema_add(s, "urn:e", other, &err));
	ck_assert(!schema_validate(s, instance, copy_finding, &out, &err));
	ck_assert_str_eq(out.ptr,
	    "|/required|required|b|{\"a\":7,\"long\":{\"x\":1},\"e\":2}|[\"b\"]|5\n"
	    "/a|/$defs/p/maximum|maximum|-|7|5|2\n"
	    "/long|/propertyNames/maxLength|maxLength|long|{\"x\":1}|3|1\n"
	    "/long|/additionalProperties|additionalProperties|long|{\"x\":1}|false|5\n"
	    "/e|urn:e#/$defs/x/type|type|-|2|\"null\"|1\n");
	buf_release(&out);
	schema_free(s);
	json_decref(root);
	json_decref(other);
	json_decref(instance);
}
END_TEST

START_TEST(meta_schemas_are_built_in)
{
	static const struct meta_case {
		const char *uri;
		const char *finding;
	} cases[] = {
	    {"https://json-schema.org/draft/2020-12/schema",
		"/properties/a/minLength: -1 is less than the minimum 0\n"},
	    {"https://json-schema.org/draft/2019-09/schema",
		"/properties/a/minLength: -1 is less than the minimum 0\n"},
	    {"http://json-schema.org/draft-07/schema#",
		"/properties/a/minLength: -1 is less than the minimum 0\n"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *schema =
		    mem_printf("{'$schema':'%s','$ref':'%s'}", cases[i].uri, cases[i].uri);
		char *bad = judge(schema, "{'properties':{'a':{'minLength':-1}}}", 0);
		char *good = judge(schema, "{'properties':{'a':{'minLength':1}}}", 0);
		ck_assert_str_eq(bad, cases[i].finding);
		ck_assert_str_eq(good, "");
		free(schema);
		free(bad);
		free(good);
	}
}
END_TEST

START_TEST(added_document_brings_its_own_dialect)
{
	struct error err = {0};
	json_t *root = read_json("{'$schema':'urn:mine','minimum':10}");
	json_t *meta =
	    read_json("{'$schema':'https://json-schema.org/draft/2020-12/schema','$vocabulary':"
		      "{'https://json-schema.org/draft/2020-12/vocab/core':true}}");
	json_t *number = read_json("1");
	struct schema *s = schema_create(root, 0, &err);
	ck_assert(!schema_validate(s, number, NULL, NULL, &err));
	ck_assert_int_eq(err.kind, ERROR_SETTINGS);
	error_clear(&err);
	ck_assert(schema_add(s, "urn:mine", meta, &err));
	ck_assert(schema_validate(s, number, NULL, NULL, &err)); /* without `validation` */
	schema_free(s);
	json_decref(root);
	json_decref(meta);
	json_decref(number);
}
END_TEST

START_TEST(broken_document_is_refused_and_changes_nothing)
{
	struct error err = {0};
	json_t *root = read_json("{'$ref':'urn:a'}");
	json_t *bad = read_json("{'type':1}"), *good = read_json("{'type':'null'}"),
	       *null = read_json("null");
	struct schema *s = schema_create(root, 0, &err);
	ck_assert(!schema_add(s, "urn:a", bad, &err));
	ck_assert_str_eq(err.text,
	    "schema 'urn:a': schema at 'urn:a#': 'type' must be one or a list of: string integer "
	    "number boolean array object null");
	error_clear(&err);
	ck_assert(schema_add(s, "urn:a", good, &err));
	ck_assert(schema_validate(s, null, NULL, NULL, &err));
	schema_free(s);
	json_decref(root);
	json_decref(bad);
	json_decref(good);
	json_decref(null);
}
END_TEST

START_TEST(numbers_are_compared_exactly)
{
	static const struct finding_case cases[] = {
	    {"{'const':9007199254740993}", "9007199254740992",
		": expected 9007199254740993, found integer 9007199254740992\n"},
	    {"{'const':9007199254740992.0}", "9007199254740993",
		": expected 9007199254740992.0, found integer 9007199254740993\n"},
	    {"{'maximum':9223372036854775807}", "9223372036854775808.5",
		": 9.223372036854776e+18 is more than the maximum 9223372036854775807\n"},
	    {"{'minimum':-9223372036854775808}", "-1e19",
		": -1e+19 is less than the minimum -9223372036854775808\n"},
	    {"{'multipleOf':0.0001}", "0.0075", ""},
	    {"{'multipleOf':1e-8}", "12391239123", ""},
	    {"{'multipleOf':0.3}", "9223372036854775807",
		": 9223372036854775807 is not a multiple of 0.3\n"},
	    {"{'multipleOf':7}", "1e300", ": 1e+300 is not a multiple of 7\n"},
	    {"{'multipleOf':0.5}", "1e308", ""},
	    {"{'multipleOf':1e300}", "1", ": 1 is not a multiple of 1e+300\n"},
	    {"{'multipleOf':1e300}", "0", ""},
	    {"{'multipleOf':9223372036854775807}", "-9223372036854775807", ""},
	    {"{'minLength':1e30}", "'a'", ": 1 character is fewer than the minimum 1e+30\n"},
	    {"{'uniqueItems':true}", "[0.0,-0.0]",
		": items 0 and 1 are equal, each item must be different\n"},
	    {"{'uniqueItems':true}",
		"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,{'a':1,'b':[0]},{'b':[-0.0],'a':1.0}"
		"]",
		": items 18 and 19 are equal, each item must be different\n"},
	};
	check_cases(cases, ARRAY_LEN(cases), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("schema");
	TCase *tc = tcase_create("schema");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, finding_says_what_was_found_and_what_is_accepted);
	tcase_add_test(tc, foreign_bytes_are_escaped);
	tcase_add_test(tc, findings_come_in_the_order_of_the_instance);
	tcase_add_test(tc, nearest_alternative_explains_the_failure);
	tcase_add_test(tc, unevaluated_property_is_seen_through_applicators);
	tcase_add_test(tc, format_is_asserted_only_when_asked_for);
	tcase_add_test(tc, patterns_are_those_of_ecma_262);
	tcase_add_test(tc, reference_is_resolved_against_the_nearest_id);
	tcase_add_test(tc, fault_of_the_schema_is_an_error_and_no_finding);
	tcase_add_test(tc, findings_are_limited_but_the_verdict_is_not);
	tcase_add_test(tc, broken_schema_is_refused);
	tcase_add_test(tc, schema_that_nests_too_deep_is_refused);
	tcase_add_test(tc, shared_subschemas_do_not_multiply);
	tcase_add_test(tc, work_without_end_is_stopped);
	tcase_add_test(tc, finding_names_value_keyword_and_schema);
	tcase_add_test(tc, meta_schemas_are_built_in);
	tcase_add_test(tc, added_document_brings_its_own_dialect);
	tcase_add_test(tc, broken_document_is_refused_and_changes_nothing);
	tcase_add_test(tc, numbers_are_compared_exactly);
	suite_add_tcase(suite, tc);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
