/* Schemas out of samples: what they say, and that every sample fulfils the one made of it. */
#include "schema/infer.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "schema/schema.h"

#include <check.h>
#include <stdlib.h>

static json_t *parse(const char *text)
{
	json_error_t where;
	json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &where);
	ck_assert_msg(json != NULL, "%s: %s", text, where.text);
	return json;
}

static bool fulfils(const json_t *schema, const json_t *instance)
{
	struct error err = {0};
	struct schema *s = schema_create(schema, SCHEMA_ASSERT_FORMAT, &err);
	ck_assert_msg(s != NULL, "%s", err.text);
	bool good = schema_validate(s, instance, NULL, NULL, &err);
	ck_assert_str_eq(err.text, "");
	schema_free(s);
	return good;
}

/* Samples as an array, and what is said besides the dialect. */
static const struct {
	const char *samples, *schema;
} cases[] = {
    {"[]", "{}"},
    {"[1]", "{\"type\":\"integer\"}"},
    {"[1, 2.5]", "{\"type\":\"number\"}"},
    {"[1.0]", "{\"type\":\"number\"}"},
    {"[null, true, \"x\", 1, {}, []]",
	"{\"type\":[\"object\",\"array\",\"string\",\"integer\",\"boolean\",\"null\"]}"},
    {"[{\"a\": 1, \"b\": null}, {\"a\": 2}]", "{\"type\":\"object\",\"properties\":{\"a\":{"
					      "\"type\":\"integer\"},\"b\":{\"type\":\"null\"}},"
					      "\"required\":[\"a\"]}"},
    {"[{\"a\": {\"b\": \"x\"}}, {\"a\": {\"c\": 1}}]",
	"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{\"b\":{"
	"\"type\":"
	"\"string\"},\"c\":{\"type\":\"integer\"}}}},\"required\":[\"a\"]}"},
    {"[[], [1, \"x\"], [{\"n\": 1}]]", "{\"type\":\"array\",\"items\":{\"type\":[\"object\","
				       "\"string\",\"integer\"],\"properties\":{\"n\":"
				       "{\"type\":\"integer\"}},\"required\":[\"n\"]}}"},
    {"[[], []]", "{\"type\":\"array\"}"},
    {"[\"2026-01-01T00:00:00Z\"]", "{\"type\":\"string\",\"format\":\"date-time\"}"},
    {"[\"2026-01-01\"]", "{\"type\":\"string\",\"format\":\"date\"}"},
    {"[\"12:30:00Z\"]", "{\"type\":\"string\",\"format\":\"time\"}"},
    {"[\"7d444840-9dc0-11d1-b245-5ffdce74fad2\"]", "{\"type\":\"string\",\"format\":\"uuid\"}"},
    {"[\"10.0.0.1\"]", "{\"type\":\"string\",\"format\":\"ipv4\"}"},
    {"[\"::1\"]", "{\"type\":\"string\",\"format\":\"ipv6\"}"},
    {"[\"a@example.com\"]", "{\"type\":\"string\",\"format\":\"email\"}"},
    {"[\"https://example.com/\"]", "{\"type\":\"string\",\"format\":\"uri\"}"},
    {"[\"urn:a\"]", "{\"type\":\"string\"}"},
    {"[\"10.0.0.1\", \"no\"]", "{\"type\":\"string\"}"},
    {"[\"10.0.0.1\", \"\"]", "{\"type\":\"string\"}"},
};

START_TEST(samples_become_a_schema)
{
	struct infer *infer = infer_create(0);
	json_t *samples = parse(cases[_i].samples), *sample;
	size_t i;
	json_array_foreach(samples, i, sample) infer_add(infer, sample);
	json_t *schema = infer_schema(infer);
	ck_assert_str_eq(json_string_value(json_object_get(schema, "$schema")),
	    "https://json-schema.org/draft/2020-12/schema");
	json_object_del(schema, "$schema");
	char *text = json_dumps(schema, JSON_COMPACT);
	ck_assert_str_eq(text, cases[_i].schema);
	json_array_foreach(samples, i, sample) ck_assert(fulfils(schema, sample));
	free(text);
	json_decref(schema);
	json_decref(samples);
	infer_free(infer);
}
END_TEST

/* The type of the text after `count` samples of `kinds` kinds. */
static char *text_of_many(size_t max_enum, size_t count, size_t kinds, bool with_null)
{
	struct infer *infer = infer_create(max_enum);
	for (size_t i = 0; i < count; i++) {
		json_t *sample = json_sprintf("k%zu", (count - i) % kinds);
		infer_add(infer, sample);
		json_decref(sample);
	}
	json_t *null = json_null();
	if (with_null)
		infer_add(infer, null);
	json_t *schema = infer_schema(infer);
	json_object_del(schema, "$schema");
	char *text = json_dumps(schema, JSON_COMPACT);
	json_decref(schema);
	infer_free(infer);
	return text;
}

START_TEST(few_texts_become_an_enum_when_asked)
{
	static const struct {
		size_t max_enum, count, kinds;
		bool with_null;
		const char *schema;
	} rows[] = {
	    {3, 20, 3, false, "{\"type\":\"string\",\"enum\":[\"k0\",\"k1\",\"k2\"]}"},
	    {3, 20, 3, true,
		"{\"type\":[\"string\",\"null\"],\"enum\":[\"k0\",\"k1\",\"k2\",null]}"},
	    {3, 19, 3, false, "{\"type\":\"string\"}"},
	    {3, 20, 4, false, "{\"type\":\"string\"}"},
	    {0, 20, 1, false, "{\"type\":\"string\"}"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text =
		    text_of_many(rows[i].max_enum, rows[i].count, rows[i].kinds, rows[i].with_null);
		ck_assert_str_eq(text, rows[i].schema);
		free(text);
	}
}
END_TEST

START_TEST(an_object_with_many_names_is_a_map)
{
	struct infer *infer = infer_create(0);
	for (int i = 0; i <= INFER_MAX_PROPERTIES; i++) {
		json_t *sample = json_pack("{s:o}", "x", json_null());
		char *name = mem_printf("n%d", i);
		json_object_set_new(sample, name, json_integer(i));
		infer_add(infer, sample);
		json_decref(sample);
		free(name);
	}
	json_t *schema = infer_schema(infer);
	ck_assert_str_eq(json_string_value(json_object_get(schema, "type")), "object");
	ck_assert_uint_eq(json_object_size(schema), 2);
	json_decref(schema);
	infer_free(infer);
}
END_TEST

START_TEST(what_is_very_deep_may_be_anything)
{
	struct infer *infer = infer_create(0);
	json_t *deep = json_integer(1);
	for (int i = 0; i < 2 * INFER_MAX_DEPTH; i++)
		deep = json_pack("[o]", deep);
	infer_add(infer, deep);
	json_t *schema = infer_schema(infer);
	ck_assert(fulfils(schema, deep));
	json_decref(schema);
	json_decref(deep);
	infer_free(infer);
}
END_TEST

/* ---- whatever the samples are ---- */

static json_t *make_value(struct rng *r, unsigned depth)
{
	static const char *const texts[] = {"", "a", "b@example.com", "2026-01-01", "10.0.0.1",
	    "2026-01-01T00:00:00Z", "7d444840-9dc0-11d1-b245-5ffdce74fad2", "x\\u0000y", "::1"};
	switch (rng_below(r, depth > 3 ? 6 : 9)) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(rng_below(r, 2));
	case 2:
		return json_integer((json_int_t)rng_below(r, 100));
	case 3:
		return json_real((double)rng_below(r, 100) / 2);
	case 4:
		return json_stringn("a\0b", 3);
	case 5:
		return json_string(texts[rng_below(r, ARRAY_LEN(texts))]);
	case 6: {
		json_t *array = json_array();
		for (uint64_t n = rng_below(r, 4); n > 0; n--)
			json_array_append_new(array, make_value(r, depth + 1));
		return array;
	}
	default: {
		json_t *object = json_object();
		for (uint64_t n = rng_below(r, 5); n > 0; n--) {
			char name[] = {(char)('a' + rng_below(r, 6)), '\0'};
			json_object_set_new(object, name, make_value(r, depth + 1));
		}
		return object;
	}
	}
}

START_TEST(every_sample_fulfils_the_schema_made_of_it)
{
	for (uint64_t seed = 0; seed < 500; seed++) {
		struct rng r;
		rng_seed(&r, seed);
		struct infer *infer = infer_create((size_t)rng_below(&r, 5));
		json_t *samples = json_array(), *sample;
		size_t i;
		for (uint64_t n = 1 + rng_below(&r, 40); n > 0; n--)
			json_array_append_new(samples, make_value(&r, 0));
		json_array_foreach(samples, i, sample) infer_add(infer, sample);
		json_t *schema = infer_schema(infer);
		json_array_foreach(samples, i, sample)
		    ck_assert_msg(fulfils(schema, sample), "seed %d, sample %zu", (int)seed, i);
		json_t *same = infer_schema(infer);
		ck_assert(json_equal(schema, same));
		json_decref(same);
		json_decref(schema);
		json_decref(samples);
		infer_free(infer);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("infer");
	TCase *tc = tcase_create("infer");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, samples_become_a_schema, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, few_texts_become_an_enum_when_asked);
	tcase_add_test(tc, an_object_with_many_names_is_a_map);
	tcase_add_test(tc, what_is_very_deep_may_be_anything);
	tcase_add_test(tc, every_sample_fulfils_the_schema_made_of_it);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
