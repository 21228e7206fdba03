#include "config/emit.h"

#include "base/mem.h"
#include "base/rng.h"
#include "config/document.h"

#include <check.h>
#include <stdlib.h>

static json_t *parse(const char *text)
{
	json_error_t at;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &at);
	ck_assert_msg(json != NULL, "%s: %s", text, at.text);
	return json;
}

/* The YAML of a JSON object, which our own loader has read back to the same values; to free(). */
static char *emit_and_load(const json_t *object)
{
	struct buf out = {0};
	struct error err = {0};
	struct problems problems = {0};
	ck_assert_msg(emit_yaml(object, &out, &err), "%s", err.text);
	struct document *doc = document_parse("f", buf_slice(&out), &problems, &err);
	ck_assert_msg(doc != NULL, "%s: %s\n%s", err.text,
	    problems.count > 0 ? problems.items[0].text : "", out.ptr);
	char *got = json_dumps(document_root(doc), JSON_COMPACT);
	char *want = json_dumps(object, JSON_COMPACT);
	ck_assert_msg(strcmp(got, want) == 0, "%s\n%s\n%s", out.ptr, got, want);
	free(got);
	free(want);
	document_free(doc);
	problems_release(&problems);
	return buf_take(&out);
}

static const struct row {
	const char *json, *yaml;
} rows[] = {
    {"{}", "{}\n"},
    {"{\"queues\": {\"a\": {}, \"b\": {\"type\": \"quorum\", \"n\": 5, \"on\": true}}}",
	"queues:\n  a: {}\n  b: {type: quorum, \"n\": 5, \"on\": true}\n"},
    {"{\"bindings\": [{\"exchange\": \"x\", \"routing_key\": \"#\"}, {\"a\": []}]}",
	"bindings:\n- {exchange: x, routing_key: '#'}\n- {a: []}\n"},
    {"{\"a\": null, \"b\": [null], \"c\": 1.0, \"d\": -5}", "a:\nb:\n-\nc: 1.0\nd: -5\n"},
    {"{\"ttl\": \"1m\", \"t\": \"12:30\", \"h\": \"0x10\", \"v\": \"1.5\", \"d\": \"2024-01-01\"}",
	"ttl: 1m\nt: \"12:30\"\nh: \"0x10\"\nv: \"1.5\"\nd: \"2024-01-01\"\n"},
    {"{\"a\": \"0xA_B\", \"b\": \"-0x_1f\", \"c\": \"0xyz\"}",
	"a: \"0xA_B\"\nb: \"-0x_1f\"\nc: 0xyz\n"},
    {"{\"a\": 1e22, \"b\": -1.5e-7, \"c\": 0.25}", "a: 1.0e+22\nb: -1.5e-07\nc: 0.25\n"},
    {"{\"a\": \"no\", \"b\": \"NULL\", \"c\": \"\", \"d\": \"~\", \"e\": \"<<\", \"null\": \"y\"}",
	"a: \"no\"\nb: \"NULL\"\nc: \"\"\nd: \"~\"\ne: \"<<\"\n\"null\": \"y\"\n"},
    {"{\"a\": \"${HOME}\", \"b\": \"$$x\", \"c\": \"5$\", \"${d}\": \"$$${\"}",
	"a: $${HOME}\nb: $$$x\nc: 5$\n${d}: $$$$$${\n"},
    {"{\"a\": \"two\\nlines\", \"b\": \" space \", \"c\": \"a: b # c\"}",
	"a: \"two\\nlines\"\nb: ' space '\nc: 'a: b # c'\n"},
    {"{\"q\": \"\xc3\xa4\xe5\xad\x90\"}", "q: \xc3\xa4\xe5\xad\x90\n"},
    {"{\"q\": \"\xc3\xa4\\u202e\\u0007\"}", "q: \"\\xE4\\u202E\\a\"\n"},
};

START_TEST(values_become_yaml_and_come_back)
{
	json_t *json = parse(rows[_i].json);
	char *yaml = emit_and_load(json);
	ck_assert_str_eq(yaml, rows[_i].yaml);
	free(yaml);
	json_decref(json);
}
END_TEST

/* A text of the characters that mean something to somebody. */
static json_t *make_text(struct rng *r)
{
	static const char *const parts[] = {"$", "{", "}", "\"", "'", "\\", "#", " ", ":", "-", "?",
	    ",", "[", "]", "&", "*", "!", "|", ">", "%", "@", "`", "\n", "\t", "\r", "0", "1", "e",
	    ".", "x", "~", "null", "true", "yes", "<<", "=", "\xc2\x85", "\xe2\x80\xa8",
	    "\xef\xbb\xbf", "\xf0\x9f\x90\x87", "\xe2\x80\xae", "\x01", "\x7f", "a", "Z", "_"};
	struct buf text = {0};
	buf_append_str(&text, "");
	for (uint64_t n = rng_below(r, 8); n > 0; n--)
		buf_append_str(&text, parts[rng_below(r, ARRAY_LEN(parts))]);
	json_t *json = json_string(text.ptr);
	ck_assert_ptr_nonnull(json);
	buf_release(&text);
	return json;
}

static json_t *make_value(struct rng *r, unsigned depth)
{
	json_t *out;
	switch (rng_below(r, depth > 0 ? 8 : 6)) {
	case 0:
		return json_integer((json_int_t)rng_next(r));
	case 1:
		return json_real((double)rng_below(r, 1000000) / 64);
	case 2:
		return json_boolean(rng_below(r, 2) == 1);
	case 6:
		out = json_array();
		for (uint64_t n = rng_below(r, 5); n > 0; n--)
			json_array_append_new(out, make_value(r, depth - 1));
		return out;
	case 7:
		out = json_object();
		for (uint64_t n = rng_below(r, 5); n > 0; n--) {
			json_t *key = make_text(r);
			json_object_set_new(out, json_string_value(key), make_value(r, depth - 1));
			json_decref(key);
		}
		return out;
	default:
		return make_text(r);
	}
}

START_TEST(any_value_comes_back)
{
	struct rng r;
	rng_seed(&r, 5);
	for (int i = 0; i < 3000; i++) {
		json_t *object = json_object();
		json_object_set_new(object, "a", make_value(&r, 4));
		json_object_set_new(object, "b", make_value(&r, 4));
		free(emit_and_load(object));
		json_decref(object);
	}
}
END_TEST

START_TEST(long_names_come_back)
{
	char name[256];
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	json_t *object = json_pack("{s:{s:{s:s}}}", "queues", name, "type", name);
	free(emit_and_load(object));
	json_decref(object);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("emit");
	TCase *tc = tcase_create("emit");
	tcase_add_loop_test(tc, values_become_yaml_and_come_back, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, any_value_comes_back);
	tcase_add_test(tc, long_names_come_back);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
