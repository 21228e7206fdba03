#include "pattern_bench.h"

/* Bodies of the first messages with seed 42, one a line. */

static const struct {
	const char *spec, *bodies;
} bodies[] = {
    {"{}", "{}\n{}\n"},
    {"{'fields': ['id', 'first_name']}", "{\"id\":\"2083862971051\",\"first_name\":\"Grace\"}\n"
					 "{\"id\":\"2991803914282\",\"first_name\":\"Oliver\"}\n"},
    {"{'fields': {'n': {'sequence': {'from': 1000, 'step': -7}}, 'm': {'sequence': 5}}}",
	"{\"n\":1000,\"m\":5}\n{\"n\":993,\"m\":6}\n"},
    {"{'fields': {'a': {'constant': {'x': [1, 2.5, null, true, 'q\\\"\\u001b']}}}}",
	"{\"a\":{\"x\":[1,2.5,null,true,\"q\\\"\\u001b\"]}}\n"
	"{\"a\":{\"x\":[1,2.5,null,true,\"q\\\"\\u001b\"]}}\n"},
    {"{'fields': {'a': {'constant': []}, 'b': {'constant': {}}, 'c': {'constant': 0.1}}}",
	"{\"a\":[],\"b\":{},\"c\":0.1}\n{\"a\":[],\"b\":{},\"c\":0.1}\n"},
    {"{'fields': {'a': 'now', 'b': {'now': {'format': 'date', 'offset': '-1d'}}, "
     "'c': {'now': {'format': 'epoch_s'}}, 'd': {'now': {'format': 'epoch_ms', 'offset': '+1s'}}}}",
	"{\"a\":\"2023-11-14T22:13:20.123Z\",\"b\":\"2023-11-13\",\"c\":1700000000,"
	"\"d\":1700000001123}\n"
	"{\"a\":\"2023-11-14T22:13:20.123Z\",\"b\":\"2023-11-13\",\"c\":1700000000,"
	"\"d\":1700000001123}\n"},
    {"{'fields': {'a': {'number': {'min': 7, 'max': 7}}, "
     "'b': {'number': {'min': 0.07, 'max': 0.07, 'decimals': 2}}, "
     "'c': {'number': {'min': -3, 'max': -3, 'distribution': 'zipf'}}, "
     "'d': {'number': {'mean': 5, 'deviation': 0, 'decimals': 1, 'distribution': 'normal'}}}}",
	"{\"a\":7,\"b\":0.07,\"c\":-3,\"d\":5.0}\n{\"a\":7,\"b\":0.07,\"c\":-3,\"d\":5.0}\n"},
    {"{'fields': {'a': {'number': {'min': 5, 'max': 500, 'decimals': 2}}}}",
	"{\"a\":46.51}\n{\"a\":462.73}\n"},
    {"{'fields': {'a': {'number': {'min': 0, 'max': 9, 'distribution': 'normal'}}, "
     "'b': {'number': {'mean': 3, 'distribution': 'exponential', 'decimals': 3}}, "
     "'c': {'number': {'max': 100, 'distribution': 'zipf'}}}}",
	"{\"a\":4,\"b\":3.419,\"c\":1}\n{\"a\":6,\"b\":4.299,\"c\":5}\n"},
    {"{'fields': {'a': {'pattern': '##-%%-?\?-!!-^^-\\\\#\\\\\\\\'}}}",
	"{\"a\":\"03-79-zu-SW-c9-#\\\\\"}\n{\"a\":\"83-78-qw-SS-12-#\\\\\"}\n"},
    {"{'fields': {'a': {'choice': ['x', 1, null, [true]]}, 'b': {'choice': {'p': 8, 'q': 2}}}}",
	"{\"a\":\"x\",\"b\":\"p\"}\n{\"a\":[true],\"b\":\"p\"}\n"},
    {"{'fields': {'a': {'template': '{{b}} <{{c}}>'}, 'b': {'template': '{{c}}!'}, "
     "'c': {'sequence': 1}}}",
	"{\"a\":\"1! <1>\",\"b\":\"1!\",\"c\":1}\n{\"a\":\"2! <2>\",\"b\":\"2!\",\"c\":2}\n"},
    {"{'fields': {'a': {'uuid': 4}, 'b': {'uuid': 7}, 'c': 'uuid4', 'd': 'uuid7'}}",
	"{\"a\":\"15780b2e-0c2e-4716-a104-d9866d113a7e\",\"b\":\"018bcfe5-687b-79a1-acb8-"
	"ad4703b360a1\",\"c\":\"fde6dc7f-e2ec-4e64-850d-a53101795238\",\"d\":\"018bcfe5-687b-7db2-"
	"999a-2743ebe60087\"}\n"
	"{\"a\":\"aeb53b34-0c10-4971-8a69-db9873af8965\",\"b\":\"018bcfe5-687b-76b6-9248-"
	"0865a4b42742\",\"c\":\"b60dec3b-f2d8-47cd-a0b5-5a68b96677fa\",\"d\":\"018bcfe5-687b-7f95-"
	"99f4-b354ec3844d4\"}\n"},
    {"{'fields': {'a': {'list': {'of': {'sequence': 1}, 'count': 3}}, "
     "'b': {'list': {'of': 'now', 'count': 0}}, "
     "'c': {'object': {'x': {'constant': '\\\"'}, 'y': {'object': {}}}}}}",
	"{\"a\":[1,1,1],\"b\":[],\"c\":{\"x\":\"\\\"\",\"y\":{}}}\n"
	"{\"a\":[2,2,2],\"b\":[],\"c\":{\"x\":\"\\\"\",\"y\":{}}}\n"},
    {"{'fields': {'a': {'optional': {'probability': 0, 'of': 'ean'}}, "
     "'b': {'optional': {'probability': 1, 'of': {'constant': 1}}}, "
     "'c': {'optional': {'probability': 0, 'of': 'ean', 'otherwise': 'null'}}, "
     "'d': {'optional': {'probability': 0, 'of': 'ean', 'otherwise': null}}, "
     "'e': {'optional': {'probability': 0, 'of': 'ean', 'otherwise': 'omit'}}, "
     "'f': {'list': {'of': {'optional': {'probability': 0, 'of': 'ean'}}, 'count': 3}}, "
     "'g': {'object': {'h': {'optional': {'probability': 0, 'of': 'ean'}}, "
     "'i': {'constant': null}}}}}",
	"{\"b\":1,\"c\":null,\"d\":null,\"f\":[],\"g\":{\"i\":null}}\n"
	"{\"b\":1,\"c\":null,\"d\":null,\"f\":[],\"g\":{\"i\":null}}\n"},
    {"{'fields': {'a': {'text': {'length': 20}}, 'b': {'text': {'length': '5B'}}}}",
	"{\"a\":\"flower paper under w\",\"b\":\"quick\"}\n{\"a\":\"path door shade "
	"easy\",\"b\":\"summe\"}\n"},
    {"{'fields': {'a/\\\"b': {'constant': 1}}}", "{\"a/\\\"b\":1}\n{\"a/\\\"b\":1}\n"},
    {"{'fields': {'n': {'sequence': 1}, 'o': {'object': {'x': {'constant': 'y'}}}, "
     "'z': {'constant': null}}, 'body': '<{{n}}> {{ o }} {{z}}.{{{{n}} {{{n}}} } {'}",
	"<1> {\"x\":\"y\"} .{{n}} {1} } {\n<2> {\"x\":\"y\"} .{{n}} {2} } {\n"},
    {"{'body': ''}", "\n\n"},
};

START_TEST(spec_and_seed_make_these_bodies)
{
	struct bench b;
	struct buf text = {0};
	setup(&b, bodies[_i].spec, NULL);
	for (int i = 0; i < 2; i++) {
		render(&b);
		buf_append(&text, b.m.body);
		buf_append_char(&text, '\n');
	}
	ck_assert_str_eq(text.ptr, bodies[_i].bodies);
	buf_release(&text);
	teardown(&b);
}
END_TEST

/* Everything that can be wrong, with its place and exact text. */

#define FIELD(spec) "{'fields': {'a': " spec "}}"

static const struct {
	const char *spec, *problems;
} wrongs[] = {
    {"[]", ": must be a map with exchange, routing_key, fields ..., not a list\n"},
    {"{'fields': 5}", "/fields: must be a list of volumes or a map of names to generators, not a "
		      "number\n"},
    {"{'fields': ['frist_name', 'qqqqqqqqq', 3, 'ean', 'ean']}",
	"/fields/2: must be the name of a volume, not a number\n"
	"/fields/4: the field 'ean' stands in the list twice\n"},
    {"{'fields': ['frist_name', 'qqqqqqqqq']}",
	"/fields/0: unknown volume 'frist_name'; did you mean 'first_name'?\n"
	"/fields/1: unknown volume 'qqqqqqqqq'\n"},
    {FIELD("3"), "/fields/a: must be the name of a volume or a map such as {constant: 1}, not a "
		 "number\n"},
    {FIELD("{}"), "/fields/a: must have exactly one key, the kind of generator, not 0\n"},
    {FIELD("{'uuid': 4, 'volume': 'ean'}"),
	"/fields/a: must have exactly one key, the kind of generator, not 2\n"},
    {FIELD("{'chioce': [1]}"),
	"/fields/a/chioce: unknown generator 'chioce'; did you mean 'choice'?\n"},
    {FIELD("{'volume': 3}"), "/fields/a/volume: must be the name of a volume, not a number\n"},
    {FIELD("{'volume': '\\u001b[2J'}"), "/fields/a/volume: unknown volume '\\x1b[2J'\n"},
    {FIELD("{'uuid': 5}"), "/fields/a/uuid: must be 4 (random) or 7 (begins with the time)\n"},
    {FIELD("{'sequence': 'x'}"),
	"/fields/a/sequence: must be a whole number or a map with from and step, not a string\n"},
    {FIELD("{'sequence': {'from': 1.5, 'stop': 1}}"),
	"/fields/a/sequence/stop: unknown key 'stop'; did you mean 'step'?\n"
	"/fields/a/sequence/from: must be a whole number, not a number\n"},
    {FIELD("{'number': 3}"),
	"/fields/a/number: must be a map such as {min: 1, max: 6}, not a number\n"},
    {FIELD("{'number': {}}"),
	"/fields/a/number/max: is missing; must be the largest number wanted\n"},
    {FIELD("{'number': {'max': -1}}"), "/fields/a/number/max: must not be below min\n"},
    {FIELD("{'number': {'max': '9'}}"), "/fields/a/number/max: must be a number, not a string\n"},
    {FIELD("{'number': {'max': 9, 'decimals': 10}}"),
	"/fields/a/number/decimals: must be from 0 to 9\n"},
    {FIELD("{'number': {'max': 1e15, 'decimals': 2}}"),
	"/fields/a/number/max: is beyond 2^53 in units of the last decimal\n"},
    {FIELD("{'number': {'min': 0.1, 'max': 0.9}}"),
	"/fields/a/number: there is no number with 0 decimals from min to max\n"},
    {FIELD("{'number': {'max': 9, 'distribution': 'gauss'}}"),
	"/fields/a/number/distribution: unknown distribution 'gauss'\n"},
    {FIELD("{'number': {'distribution': 'normal'}}"),
	"/fields/a/number/mean: is missing; give mean and deviation, or min and max\n"},
    {FIELD("{'number': {'distribution': 'normal', 'mean': 1, 'deviation': -1}}"),
	"/fields/a/number/deviation: must be at least 0; give mean and deviation, or min and "
	"max\n"},
    {FIELD("{'number': {'distribution': 'exponential'}}"),
	"/fields/a/number/mean: is missing; an exponential distribution needs it\n"},
    {FIELD("{'number': {'distribution': 'exponential', 'mean': 0}}"),
	"/fields/a/number/mean: must be above 0 for an exponential distribution\n"},
    {FIELD("{'number': {'max': 5, 'mean': 1, 'deviation': 1, 'exponent': 1}}"),
	"/fields/a/number/mean: is for a normal or exponential distribution\n"
	"/fields/a/number/deviation: is for a normal distribution\n"
	"/fields/a/number/exponent: is for a zipf distribution\n"},
    {FIELD("{'sequence': {'step': 0}}"),
	"/fields/a/sequence/step: a step of 0 never counts; {constant: ...} is a value that "
	"stays\n"},
    {FIELD("{'number': {'distribution': 'zipf', 'max': 5, 'decimals': 1}}"),
	"/fields/a/number/decimals: must be 0: zipf draws whole numbers\n"},
    {FIELD("{'number': {'distribution': 'zipf', 'max': 5, 'exponent': 0}}"),
	"/fields/a/number/exponent: must be above 0 and at most 10\n"},
    {FIELD("{'choice': []}"), "/fields/a/choice: needs at least one value to choose from\n"},
    {FIELD("{'choice': 'x'}"),
	"/fields/a/choice: must be a list of values or a map of values to weights, not a string\n"},
    {FIELD("{'choice': {'x': -1, 'y': 'z'}}"),
	"/fields/a/choice/x: must be a weight: a number of at least 0, at most 1e12\n"
	"/fields/a/choice/y: must be a weight: a number of at least 0, at most 1e12\n"},
    {FIELD("{'choice': {'x': 0}}"), "/fields/a/choice: needs at least one weight above 0\n"},
    {FIELD("{'pattern': 'a\\\\'}"), "/fields/a/pattern: ends in a backslash that escapes nothing; "
				    "write two for a backslash\n"},
    {FIELD("{'pattern': 1}"),
	"/fields/a/pattern: must be a string such as \"##-??\", not a number\n"},
    {FIELD("{'template': '{{a}}'}"),
	"/fields/a: templates insert each other in a circle: a -> a\n"},
    {"{'fields': {'a': {'template': '{{b}}'}, 'b': {'template': '{{c}}'}, "
     "'c': {'template': '{{b}}'}}}",
	"/fields/b: templates insert each other in a circle: b -> c -> b\n"},
    {"{'fields': {'email': 'email', 'a': {'template': '{{emial}} {{city}} {{zzzzz}}'}}}",
	"/fields/a/template: a template names the unknown field 'emial'; did you mean 'email'?\n"
	"/fields/a/template: a template names the unknown field 'city'; there is a volume of that "
	"name: put it under fields\n"
	"/fields/a/template: a template names the unknown field 'zzzzz'\n"},
    {FIELD("{'template': 'x {{ y'}"),
	"/fields/a/template: '{{' without '}}'; write '{{{{' for two braces\n"},
    {FIELD("{'now': 'date'}"),
	"/fields/a/now: must be a map with format and offset, not a string\n"},
    {FIELD("{'now': {'format': 'iso', 'offset': '1 hour'}}"),
	"/fields/a/now/format: must be rfc3339, date, epoch_s or epoch_ms\n"
	"/fields/a/now/offset: must be a duration such as -1h, 30m or 2d\n"},
    {FIELD("{'reference': 'custmers.id'}"),
	"/fields/a/reference: unknown reference 'custmers.id'; did you mean 'customers.id'?\n"},
    {FIELD("{'reference': 1}"), "/fields/a/reference: must be \"pool.field\", not a number\n"},
    {FIELD("{'list': {'of': 'eam', 'cuont': 1}}"),
	"/fields/a/list/cuont: unknown key 'cuont'; did you mean 'count'?\n"
	"/fields/a/list/count: must be a whole number from 0 to 10000, or a map with min and max "
	"of such, min not above max\n"
	"/fields/a/list/of: unknown volume 'eam'; did you mean 'ean'?\n"},
    {FIELD("{'list': {'count': {'min': 3, 'max': 1}}}"),
	"/fields/a/list/count: must be a whole number from 0 to 10000, or a map with min and max "
	"of such, min not above max\n"
	"/fields/a/list/of: is missing; must be a generator\n"},
    {FIELD("{'list': {'count': 1001, 'of': {'list': {'count': 1000, 'of': 'ean'}}}}"),
	"/fields/a/list/of/list/count: makes more than 1000000 values of one message\n"},
    {FIELD("{'object': ['ean']}"),
	"/fields/a/object: must be a map of names to generators, not a list\n"},
    {FIELD("{'object': {'b~/': 'x'}}"), "/fields/a/object/b~0~1: unknown volume 'x'\n"},
    {FIELD("{'optional': {'probability': 1.1, 'of': 'ean', 'otherwise': 0}}"),
	"/fields/a/optional/otherwise: must be omit or null\n"
	"/fields/a/optional/probability: must be a share such as 0.01 or 1%, from 0 to 1\n"},
    {FIELD("{'text': {'length': -1}}"),
	"/fields/a/text/length: must be a whole number from 0 to 134217728, or a map with min and "
	"max of such, min not above max\n"},
};

START_TEST(mistakes_are_reported_with_their_place)
{
	struct bench b;
	try_setup(&b, wrongs[_i].spec, CUSTOMERS);
	ck_assert_ptr_null(b.pattern);
	ck_assert_str_eq(b.problems.ptr, wrongs[_i].problems);
	teardown(&b);
}
END_TEST

START_TEST(generators_nested_too_deeply_are_refused)
{
	struct bench b;
	struct buf spec = {0}, pointer = {0};
	buf_append_str(&spec, "{'fields': {'a': ");
	for (int i = 0; i < 40; i++)
		buf_append_str(&spec, "{'object': {'a': ");
	buf_append_str(&spec, "'ean'");
	for (int i = 0; i < 40; i++)
		buf_append_str(&spec, "}}");
	buf_append_str(&spec, "}}");
	for (int i = 0; i < 32; i++)
		buf_append_str(&pointer, "/object/a");
	char *expected = mem_printf("/fields/a%s: is nested deeper than 32 levels\n", pointer.ptr);
	try_setup(&b, spec.ptr, NULL);
	ck_assert_str_eq(b.problems.ptr, expected);
	free(expected);
	buf_release(&spec);
	buf_release(&pointer);
	teardown(&b);
}
END_TEST

/* Twice as long with each field: 2^40 bytes in all, if nothing stopped it. */
START_TEST(templates_that_explode_are_refused)
{
	struct bench b;
	struct buf spec = {0};
	buf_append_str(&spec, "{'fields': {'f0': 'ean'");
	for (int i = 1; i < 40; i++)
		buf_printf(&spec, ", 'f%d': {'template': '{{f%d}}{{f%d}}'}", i, i - 1, i - 1);
	buf_append_str(&spec, "}}");
	try_setup(&b, spec.ptr, NULL);
	ck_assert_str_eq(b.problems.ptr, "/fields/f16: inserts more than 100000 values, through "
					 "templates in templates\n");
	buf_release(&spec);
	teardown(&b);
}
END_TEST

/* Chances */

START_TEST(distributions_have_their_mean)
{
	static const struct {
		const char *number;
		double mean, tolerance, min, max;
	} rows[] = {
	    {"{'min': 5, 'max': 500, 'decimals': 2}", 252.5, 3, 5, 500},
	    {"{'max': 1}", 0.5, 0.02, 0, 1},
	    {"{'distribution': 'normal', 'mean': 100, 'deviation': 15, 'decimals': 1}", 100, 0.5, 0,
		200},
	    {"{'distribution': 'normal', 'min': 0, 'max': 60}", 30, 0.3, 0, 60},
	    {"{'distribution': 'normal', 'mean': 0, 'deviation': 10, 'min': 0}", 3.99, 0.2, 0, 60},
	    {"{'distribution': 'exponential', 'mean': 4, 'decimals': 3}", 4, 0.15, 0, 80},
	    {"{'distribution': 'exponential', 'mean': 4, 'max': 4, 'decimals': 3}", 2.528, 0.05, 0,
		4},
	    {"{'distribution': 'zipf', 'max': 10}", 3.414, 0.1, 1, 10},
	    {"{'distribution': 'zipf', 'min': 11, 'max': 20}", 13.414, 0.1, 11, 20},
	    {"{'distribution': 'zipf', 'max': 10, 'exponent': 2}", 1.8899, 0.06, 1, 10},
	    {"{'distribution': 'zipf', 'max': 10, 'exponent': 0.5}", 4.4738, 0.1, 1, 10},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;
		double sum = 0;
		char *spec = mem_printf(
		    "{'body': '{{a}}', 'fields': {'a': {'number': %s}}}", rows[i].number);
		setup(&b, spec, NULL);
		for (int k = 0; k < DRAWS; k++) {
			render(&b);
			double value = strtod(b.m.body.ptr, NULL);
			ck_assert_double_ge(value, rows[i].min);
			ck_assert_double_le(value, rows[i].max);
			sum += value;
		}
		ck_assert_msg(sum / DRAWS > rows[i].mean - rows[i].tolerance &&
				  sum / DRAWS < rows[i].mean + rows[i].tolerance,
		    "%s has the mean %f", rows[i].number, sum / DRAWS);
		free(spec);
		teardown(&b);
	}
}
END_TEST

static int count_messages(struct bench *b, int messages, const char *body)
{
	int count = 0;
	for (int i = 0; i < messages; i++) {
		render(b);
		count += slice_is(b->m.body, body);
	}
	return count;
}

START_TEST(shares_come_out_as_asked)
{
	static const struct {
		const char *field, *body;
		int least, most; /* of 10000 */
	} rows[] = {
	    {"{'choice': {'a': 8, 'b': 2}}", "a", 7850, 8150},
	    {"{'choice': {'a': 8, 'z': 0, 'b': 2}}", "b", 1850, 2150},
	    {"{'choice': {'a': 8, 'z': 0}}", "z", 0, 0},
	    {"{'choice': {'a': 0.1, 'b': 0.3}}", "a", 2350, 2650},
	    {"{'choice': ['a', 'b', 'c', 'd']}", "d", 2350, 2650},
	    {"{'optional': {'probability': 0.7, 'of': {'constant': 'x'}}}", "x", 6850, 7150},
	    {"{'number': {'distribution': 'zipf', 'max': 4}}", "1", 4650, 4950},
	    {"{'number': {'distribution': 'zipf', 'max': 4}}", "4", 1080, 1320},
	    {"{'reference': 'favourites.n'}", "0", 4650, 4950},
	    {"{'list': {'of': {'constant': 1}, 'count': {'min': 0, 'max': 3}}}", "[1]", 2350, 2650},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;
		char *spec = mem_printf("{'body': '{{a}}', 'fields': {'a': %s}}", rows[i].field);
		setup(&b, spec,
		    "{'favourites': {'size': 4, 'pick': 'zipf', "
		    "'fields': {'n': {'sequence': 0}}}}");
		int count = count_messages(&b, 10000, rows[i].body);
		ck_assert_msg(count >= rows[i].least && count <= rows[i].most, "%s: %d",
		    rows[i].field, count);
		free(spec);
		teardown(&b);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("generator");
	TCase *tests = tcase_create("all");
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, spec_and_seed_make_these_bodies, 0, (int)ARRAY_LEN(bodies));
	tcase_add_loop_test(
	    tests, mistakes_are_reported_with_their_place, 0, (int)ARRAY_LEN(wrongs));
	tcase_add_test(tests, generators_nested_too_deeply_are_refused);
	tcase_add_test(tests, templates_that_explode_are_refused);
	tcase_add_test(tests, distributions_have_their_mean);
	tcase_add_test(tests, shares_come_out_as_asked);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
