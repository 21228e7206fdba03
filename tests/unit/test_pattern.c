#include "base/mem.h"
#include "base/text.h"
#include "fake/pattern.h"
#include "model/table.h"
#include "pattern_bench.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Counting allocations: the sanitizer has a hook, plain glibc lets us stand in front. */

static unsigned long allocations;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#endif

#if defined(HAS_ASAN)

int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void *, size_t), void (*on_free)(const volatile void *));

static void on_malloc(const volatile void *p, size_t size)
{
	(void)p;
	(void)size;
	allocations++;
}

static void on_free(const volatile void *p)
{
	(void)p;
}

static void count_allocations(void)
{
	static bool is_installed = false;
	if (!is_installed)
		__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	is_installed = true;
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
	allocations++;
	return __libc_realloc(p, size);
}

static void count_allocations(void)
{
}

#endif

static const struct {
	const char *spec, *problems;
} wrongs[] = {
    {"{'exchange': 5, 'routing_key': ['x'], 'body': {}, 'broken': '1'}",
	"/exchange: must be the name of an exchange, not a number\n"
	"/routing_key: must be a text or a generator, not a list\n"
	"/broken: must be a share such as 0.01 or 1%, from 0 to 1\n"
	"/body: must be a text, with {{field}} in it, not a map\n"},
    {"{'routing_key': 'order.{{sate}}', 'fields': {'state': 'state'}}",
	"/routing_key: a template names the unknown field 'sate'; did you mean 'state'?\n"},
    {"{'body': 'x', 'files': 'y'}", "/files: give either body or files, not both\n"},
    {"{'files': 'missing-*.json'}",
	"/files: no file matches 'tests/cases/pattern/missing-*.json'\n"},
    {"{'files': ['missing.json', 5]}",
	"/files/0: no file matches 'tests/cases/pattern/missing.json'\n"
	"/files/1: must be a path or a glob, not a number\n"},
    {"{'files': []}", "/files: needs at least one path or glob\n"},
    {"{'properties': 5, 'headers': []}",
	"/properties: must be a map, not a number\n/headers: must be a map, not a list\n"},
    {"{'properties': {'prioritty': 1, 'headers': {}}}",
	"/properties/prioritty: unknown property 'prioritty'; did you mean 'priority'?\n"
	"/properties/headers: headers stand beside properties, not in them\n"},
    {"{'properties': {'persistent': 1, 'priority': 256, 'timestamp': 'never', 'type': 5}}",
	"/properties/persistent: must be true or false, not a number\n"
	"/properties/priority: must be a whole number from 0 to 255\n"
	"/properties/timestamp: must be now or whole seconds since 1970\n"
	"/properties/type: must be a text or a generator, not a number\n"},
    {"{'properties': {'persistent': true, 'delivery_mode': 2}}",
	"/properties/persistent: give either persistent or delivery_mode, not both\n"},
    {"{'properties': {'delivery_mode': 3, 'priority': {'constant': 'x'}}}",
	"/properties/delivery_mode: must be 1 (transient) or 2 (persistent)\n"
	"/properties/priority: must be a whole number from 0 to 255\n"},
    {"{'properties': {'expiration': '1 minute'}}",
	"/properties/expiration: not a duration such as 250ms, 1s, 2m or 1h\n"},
    {"{'properties': {'expiration': '50d'}}",
	"/properties/expiration: must not be longer than 4294967295ms (49 days)\n"},
    {"{'properties': {'expiration': 60}}",
	"/properties/expiration: must be a duration such as \"1m\", not a number\n"},
    {"{'headers': {'a': {'b': 1, 'c': 2}, 'd': '{{e}}'}}",
	"/headers/a: must have exactly one key, the kind of generator, not 2\n"
	"/headers/d: a template names the unknown field 'e'\n"},
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

START_TEST(mistakes_in_pools_are_reported_with_their_place)
{
	static const struct {
		const char *pools, *problems;
	} rows[] = {
	    {"[]", ": must be a map of names to pools, not a list\n"},
	    {"{'c': 5}", "/c: must be a map with size and fields, not a number\n"},
	    {"{'c': {}}", "/c/fields: is missing; must be a list of volumes or a map of names to "
			  "generators\n"},
	    {"{'c': {'size': 0, 'pick': 'best', 'feilds': []}}",
		"/c/feilds: unknown key 'feilds'; did you mean 'fields'?\n"
		"/c/size: must be a whole number from 1 to 1000000\n"
		"/c/pick: must be random, sequential or zipf\n"
		"/c/fields: is missing; must be a list of volumes or a map of names to "
		"generators\n"},
	    {"{'c': {'fields': {'a': 'now', 'b': {'now': {}}}}}",
		"/c/fields/a: the rows of a pool are made once, so they have no 'now'; use "
		"'date_time'\n"
		"/c/fields/b/now: the rows of a pool are made once, so they have no 'now'; use "
		"'date_time'\n"},
	    {"{'c': {'fields': {'a': 'eam'}}, 'd': {'fields': {'a': {'reference': 'c.a'}, "
	     "'b': {'reference': 'd.a'}}}}",
		"/c/fields/a: unknown volume 'eam'; did you mean 'ean'?\n"
		"/d/fields/b/reference: unknown reference 'd.a'; did you mean 'c.a'?\n"},
	    {"{'c': {'size': 3, 'fields': {'a': {'text': {'length': '100MiB'}}}}}",
		"/c: its rows take more than 256 MiB\n"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf problems = {0};
		json_t *json = read_json(rows[i].pools);
		ck_assert_ptr_null(pattern_pools_create(json, 1, note_problem, &problems));
		ck_assert_str_eq(problems.ptr, rows[i].problems);
		json_decref(json);
		buf_release(&problems);
	}
}
END_TEST

START_TEST(envelope_is_complete)
{
	struct bench b;
	setup(&b,
	    "{'exchange': 'order', 'routing_key': 'order.{{n}}', 'fields': {'n': {'sequence': 7}}, "
	    "'properties': {'content_type': 'text/x', 'content_encoding': 'utf-8', "
	    "'correlation_id': 'c-{{n}}', 'reply_to': {'template': 'r{{n}}'}, 'message_id': "
	    "'m{{n}}', "
	    "'type': 'order.placed', 'user_id': 'guest', 'app_id': 'shop', 'cluster_id': 'x', "
	    "'delivery_mode': 1, 'priority': 9, 'expiration': '1m', 'timestamp': 1234}}",
	    NULL);
	render(&b);
	ck_assert_uint_eq(b.m.present, 0xfffc & ~(unsigned)MESSAGE_HEADERS);
	assert_slice(b.m.exchange, "order");
	assert_slice(b.m.routing_key, "order.7");
	assert_slice(b.m.body, "{\"n\":7}");
	assert_slice(b.m.content_type, "text/x");
	assert_slice(b.m.content_encoding, "utf-8");
	assert_slice(b.m.correlation_id, "c-7");
	assert_slice(b.m.reply_to, "r7");
	assert_slice(b.m.message_id, "m7");
	assert_slice(b.m.type, "order.placed");
	assert_slice(b.m.user_id, "guest");
	assert_slice(b.m.app_id, "shop");
	assert_slice(b.m.cluster_id, "x");
	assert_slice(b.m.expiration, "60000");
	ck_assert_uint_eq(b.m.delivery_mode, MESSAGE_TRANSIENT);
	ck_assert_uint_eq(b.m.priority, 9);
	ck_assert_uint_eq(b.m.timestamp, 1234);
	teardown(&b);
}
END_TEST

START_TEST(envelope_has_defaults)
{
	struct bench b;
	setup(&b, "{}", NULL);
	render(&b);
	ck_assert_uint_eq(
	    b.m.present, MESSAGE_DELIVERY_MODE | MESSAGE_MESSAGE_ID | MESSAGE_CONTENT_TYPE);
	assert_slice(b.m.exchange, "");
	assert_slice(b.m.routing_key, "");
	assert_slice(b.m.content_type, "application/json");
	assert_slice(b.m.message_id, "15780b2e-0c2e-4716-a104-d9866d113a7e");
	ck_assert_uint_eq(b.m.delivery_mode, MESSAGE_PERSISTENT);
	teardown(&b);
}
END_TEST

START_TEST(properties_may_be_generated_or_left_out)
{
	struct bench b;
	setup(&b,
	    "{'properties': {'persistent': false, 'timestamp': 'now', "
	    "'priority': {'sequence': 254}, 'app_id': {'choice': ['a']}, "
	    "'type': {'optional': {'probability': 0, 'of': 'word'}}, "
	    "'message_id': {'optional': {'probability': 0, 'of': 'word'}}}, 'body': 'x'}",
	    NULL);
	render(&b);
	ck_assert_uint_eq(b.m.present, MESSAGE_DELIVERY_MODE | MESSAGE_MESSAGE_ID |
					   MESSAGE_CONTENT_TYPE | MESSAGE_TIMESTAMP |
					   MESSAGE_PRIORITY | MESSAGE_APP_ID);
	ck_assert_uint_eq(b.m.delivery_mode, MESSAGE_TRANSIENT);
	ck_assert_uint_eq(b.m.timestamp, WALL_MS / 1000);
	ck_assert_uint_eq(b.m.priority, 254);
	assert_slice(b.m.app_id, "a");
	assert_slice(b.m.content_type, "text/plain");
	ck_assert_uint_eq(b.m.message_id.len, RNG_UUID_CHARS);
	render(&b);
	ck_assert_uint_eq(b.m.priority, 255);
	struct message before = b.m;
	ck_assert(!pattern_render(b.pattern, &b.rng, WALL_MS, 2, &b.m, &b.err));
	ck_assert_int_eq(b.err.kind, ERROR_DATA);
	ck_assert_str_eq(
	    b.err.text, "the property priority is '256'; must be a whole number from 0 to 255");
	ck_assert_int_eq(memcmp(&before, &b.m, sizeof before), 0);
	teardown(&b);
}
END_TEST

START_TEST(short_strings_have_255_bytes_at_most)
{
	static const struct {
		const char *spec, *error;
	} rows[] = {
	    {"{'routing_key': {'text': {'length': 255}}, "
	     "'properties': {'type': {'text': {'length': 255}}}}",
		NULL},
	    {"{'routing_key': {'text': {'length': 256}}}",
		"the routing key has 256 bytes; AMQP allows 255"},
	    {"{'fields': {'t': {'text': {'length': 300}}}, 'properties': {'type': 'x{{t}}'}}",
		"the property type has 301 bytes; AMQP allows 255"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;
		setup(&b, rows[i].spec, NULL);
		bool good = pattern_render(b.pattern, &b.rng, WALL_MS, 0, &b.m, &b.err);
		ck_assert(good == (rows[i].error == NULL));
		ck_assert_str_eq(b.err.text, good ? "" : rows[i].error);
		ck_assert_int_eq(b.err.kind, good ? ERROR_NONE : ERROR_DATA);
		teardown(&b);
	}
}
END_TEST

START_TEST(long_constants_are_reported_early)
{
	struct bench b;
	char *spec = mem_printf("{'exchange': '%0300d', 'routing_key': '%0300d', "
				"'properties': {'type': '%0300d'}, 'headers': {'%0300d': 1}}",
	    1, 2, 3, 4);
	char *problems = mem_printf("/exchange: has 300 bytes; AMQP allows 255 here\n"
				    "/routing_key: has 300 bytes; AMQP allows 255 here\n"
				    "/properties/type: has 300 bytes; AMQP allows 255 here\n"
				    "/headers/%0300d~#: has a name of 300 bytes; AMQP allows 255\n",
	    4);
	try_setup(&b, spec, NULL);
	ck_assert_str_eq(b.problems.ptr, problems);
	free(spec);
	free(problems);
	teardown(&b);
}
END_TEST

START_TEST(headers_keep_their_types)
{
	static const struct {
		const char *header, *json;
	} rows[] = {
	    {"'text'", "\"text\""},
	    {"'n is {{n}}'", "\"n is 5\""},
	    {"12", "12"},
	    {"1.5", "1.5"},
	    {"true", "true"},
	    {"null", "null"},
	    {"['a', 1]", "[\"a\",1]"},
	    {"{'$type': 'int8', 'value': 5}", "{\"$type\":\"int8\",\"value\":5}"},
	    {"{'constant': {'a': {'$type': 'float', 'value': 1.5}}}",
		"{\"a\":{\"$type\":\"float\",\"value\":1.5}}"},
	    {"{'sequence': -3}", "-3"},
	    {"{'number': {'min': 2.25, 'max': 2.25, 'decimals': 3}}", "2.25"},
	    {"{'choice': [null]}", "null"},
	    {"{'choice': [false]}", "false"},
	    {"{'choice': ['b']}", "\"b\""},
	    {"{'choice': [['a', 'q\\\"\\\\\\n\\u00e9\\ud83d\\udc07\\u200b', 1.5, [], {}]]}",
		"[\"a\",\"q\\\"\\\\\\n\xc3\xa9\xf0\x9f\x90\x87\\u200b\",1.5,[],{}]"},
	    {"{'object': {'a': {'object': {'b': {'constant': true}}}, 'c': {'list': {'of': 'now', "
	     "'count': 1}}}}",
		"{\"a\":{\"b\":true},\"c\":[\"2023-11-14T22:13:20.123Z\"]}"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;
		struct buf json = {0};
		char *spec =
		    mem_printf("{'fields': {'n': {'sequence': 5}}, 'headers': {'before': 1, "
			       "'h': %s, 'none': {'optional': {'probability': 0, "
			       "'of': 'ean'}}, 'after': 2}}",
			rows[i].header);
		char *expected = mem_printf("{\"before\":1,\"h\":%s,\"after\":2}", rows[i].json);
		setup(&b, spec, NULL);
		render(&b);
		ck_assert(b.m.present & MESSAGE_HEADERS);
		ck_assert_msg(table_write_json(b.m.headers, &json, &b.err), "%s", b.err.text);
		ck_assert_str_eq(json.ptr, expected);
		free(spec);
		free(expected);
		buf_release(&json);
		teardown(&b);
	}
}
END_TEST

START_TEST(a_header_may_be_named_like_a_type)
{
	struct bench b;
	setup(&b, "{'headers': {'$type': 'x'}}", NULL);
	render(&b);
	struct slice expected = SLICE("\5$typeS\0\0\0\1x");
	ck_assert(slice_equal(b.m.headers, expected));
	teardown(&b);
}
END_TEST

START_TEST(a_long_name_inside_a_header_fails_when_rendered)
{
	struct bench b;
	char *spec = mem_printf("{'headers': {'h': {'choice': [{'%0300d': 1}]}}}", 1);
	setup(&b, spec, NULL);
	ck_assert(!pattern_render(b.pattern, &b.rng, WALL_MS, 0, &b.m, &b.err));
	ck_assert_str_eq(b.err.text, "the header 'h' has a name of more than 255 bytes in its map");
	free(spec);
	teardown(&b);
}
END_TEST

/* Pools */

START_TEST(references_of_one_message_take_the_same_row)
{
	struct bench b;
	bool seen[5] = {false};
	struct buf rows[5] = {{0}};
	setup(&b,
	    "{'fields': {'a': {'reference': 'customers.id'}, 'b': {'reference': 'customers.n'}, "
	    "'c': {'reference': 'customers.id'}, 'd': {'reference': 'customers.t'}}, "
	    "'body': '{{b}} {{a}} {{c}} {{d}}'}",
	    "{'customers': {'size': 5, 'fields': {'id': 'ean', 'n': {'sequence': 0}, "
	    "'t': {'template': '{{id}}'}}}}");
	for (int i = 0; i < 200; i++) {
		render(&b);
		size_t row = (size_t)(b.m.body.ptr[0] - '0');
		ck_assert_uint_lt(row, 5);
		if (!seen[row])
			buf_append(&rows[row], b.m.body);
		seen[row] = true;
		assert_slice(b.m.body, rows[row].ptr);
		ck_assert_int_eq(memcmp(rows[row].ptr + 2, rows[row].ptr + 16, 13), 0);
		ck_assert_int_eq(memcmp(rows[row].ptr + 2, rows[row].ptr + 30, 13), 0);
	}
	for (size_t i = 0; i < 5; i++) {
		ck_assert(seen[i]);
		buf_release(&rows[i]);
	}
	teardown(&b);
}
END_TEST

START_TEST(patterns_walk_over_a_sequential_pool_together)
{
	static const char *const spec = "{'body': '{{id}}', 'fields': {'other': 'name', "
					"'id': {'reference': 'c.s.id'}}}";
	static const char *const pools =
	    "{'c.s': {'size': 3, 'pick': 'sequential', 'fields': ['id']}}";
	struct bench created, paid;
	setup(&created, spec, pools);
	setup(&paid, spec, pools);
	rng_seed(&paid.rng, 99); /* another message type draws other numbers */
	char first[14] = {0};
	for (int i = 0; i < 7; i++) {
		render(&created);
		render(&paid);
		ck_assert(slice_equal(created.m.body, paid.m.body));
		if (i == 0)
			memcpy(first, created.m.body.ptr, 13);
		ck_assert((i % 3 == 0) == (memcmp(first, created.m.body.ptr, 13) == 0));
	}
	teardown(&created);
	teardown(&paid);
}
END_TEST

START_TEST(rows_depend_on_seed_and_name_alone)
{
	static const struct {
		const char *pools;
		uint64_t seed;
		bool same;
	} rows[] = {
	    {"{'c': {'size': 3, 'pick': 'sequential', 'fields': ['id']}}", 1, true},
	    {"{'b': {'fields': ['name']}, 'c': {'pick': 'sequential', 'fields': ['id']}}", 1, true},
	    {"{'c': {'size': 3, 'pick': 'sequential', 'fields': ['id']}}", 2, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;
		setup(&b, "{'fields': []}", NULL);
		json_t *json = read_json(rows[i].pools);
		json_t *spec = read_json("{'fields': {'a': {'reference': 'c.id'}}}");
		struct pattern_pools *pools =
		    pattern_pools_create(json, rows[i].seed, note_problem, &b.problems);
		struct pattern *p =
		    pattern_create("m", spec, ".", pools, note_problem, &b.problems);
		ck_assert(pattern_render(p, &b.rng, WALL_MS, 0, &b.m, &b.err));
		ck_assert(slice_is(b.m.body, "{\"a\":\"2308065468116\"}") == rows[i].same);
		pattern_free(p);
		pattern_pools_free(pools);
		json_decref(json);
		json_decref(spec);
		teardown(&b);
	}
}
END_TEST

START_TEST(a_pool_may_refer_to_an_earlier_one)
{
	struct bench b;
	setup(&b,
	    "{'fields': {'o': {'reference': 'orders.customer'}, "
	    "'n': {'reference': 'orders.n'}}}",
	    "{'customers': {'size': 2, 'pick': 'sequential', 'fields': {'id': {'pattern': 'c#'}}}, "
	    "'orders': {'size': 4, 'pick': 'sequential', "
	    "'fields': {'customer': {'reference': 'customers.id'}, 'n': {'sequence': 1}}}}");
	char first[64] = {0}, third[64] = {0};
	for (int i = 0; i < 4; i++) {
		render(&b);
		if (i % 2 == 0)
			memcpy(i == 0 ? first : third, b.m.body.ptr, b.m.body.len);
	}
	first[strlen(first) - 2] = third[strlen(third) - 2] = '\0'; /* without n */
	ck_assert_str_eq(first, third);
	teardown(&b);
}
END_TEST

/* Broken bodies */

static bool is_object_of_type(struct slice body, json_type a, json_type b)
{
	json_t *json = json_loadb(body.ptr, body.len, 0, NULL);
	json_t *x = json_object_get(json, "x"), *y = json_object_get(json, "y");
	bool good = json != NULL && (a == JSON_NULL ? x == NULL : x && json_typeof(x) == a) &&
		    (b == JSON_NULL ? y == NULL : y && json_typeof(y) == b);
	json_decref(json);
	return good;
}

static bool is_json(struct slice body)
{
	json_t *json = json_loadb(body.ptr, body.len, JSON_DECODE_ANY, NULL);
	json_decref(json);
	return json != NULL;
}

/* What the header says is what was done. */
static bool is_broken_as(struct slice way, struct slice body)
{
	if (slice_is(way, "truncated"))
		return body.len > 0 && !is_json(body) && text_is_utf8(body);
	if (slice_is(way, "missing-field"))
		return is_object_of_type(body, JSON_NULL, JSON_INTEGER) ||
		       is_object_of_type(body, JSON_STRING, JSON_NULL);
	if (slice_is(way, "wrong-type"))
		return is_object_of_type(body, JSON_INTEGER, JSON_INTEGER) ||
		       is_object_of_type(body, JSON_STRING, JSON_STRING);
	if (slice_is(way, "not-utf8"))
		return !text_is_utf8(body);
	if (slice_is(way, "empty"))
		return body.len == 0;
	return slice_is(way, "garbage") && !is_json(body) && body.len > 0;
}

START_TEST(broken_share_is_broken_as_its_header_says)
{
	static const char *const ways[] = {
	    "truncated", "missing-field", "wrong-type", "not-utf8", "empty", "garbage"};
	struct bench b;
	int counts[ARRAY_LEN(ways)] = {0}, total = 0;
	setup(&b, "{'fields': {'x': 'word', 'y': 'random_int'}, 'broken': '10%'}", NULL);
	for (int i = 0; i < DRAWS; i++) {
		render(&b);
		struct slice way = table_find_string(b.m.headers, "warren-broken");
		if (way.ptr == NULL) {
			ck_assert(is_object_of_type(b.m.body, JSON_STRING, JSON_INTEGER));
			ck_assert_uint_eq(b.m.present & MESSAGE_HEADERS, 0);
			continue;
		}
		total++;
		ck_assert(b.m.present & MESSAGE_HEADERS);
		ck_assert_msg(is_broken_as(way, b.m.body), "%.*s: %.*s", SLICE_ARGS(way),
		    SLICE_ARGS(b.m.body));
		for (size_t k = 0; k < ARRAY_LEN(ways); k++)
			counts[k] += slice_is(way, ways[k]);
	}
	ck_assert_int_gt(total, DRAWS / 10 - 150);
	ck_assert_int_lt(total, DRAWS / 10 + 150);
	for (size_t k = 0; k < ARRAY_LEN(ways); k++)
		ck_assert_msg(counts[k] > total / 6 - 80, "%s: %d", ways[k], counts[k]);
	teardown(&b);
}
END_TEST

START_TEST(any_body_can_be_broken)
{
	static const char *const specs[] = {
	    "{'broken': 1}",
	    "{'broken': 1, 'body': ''}",
	    "{'broken': 1, 'body': 'x'}",
	    "{'broken': 1, 'fields': {'a': {'optional': {'probability': 0.5, 'of': 'word'}}}}",
	    "{'broken': 1, 'fields': {'a': {'constant': null}, 'b': {'constant': []}}}",
	    "{'broken': 1, 'files': 'two.json'}",
	};
	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		struct bench b;
		setup(&b, specs[i], NULL);
		for (int k = 0; k < 300; k++) {
			render(&b);
			ck_assert_ptr_nonnull(table_find_string(b.m.headers, "warren-broken").ptr);
		}
		teardown(&b);
	}
}
END_TEST

/* Files */

START_TEST(files_are_bodies_in_the_order_of_their_paths)
{
	static const struct {
		const char *spec, *bodies[4], *types[4];
	} rows[] = {
	    {"{'files': '*.json'}",
		{"{\"n\": 1}\n", "{\"n\": 2}\n", "{\"n\": 1}\n", "{\"n\": 2}\n"},
		{"application/json", "application/json", "application/json", "application/json"}},
	    {"{'files': ['three.txt', '*.json', 'two.*', 'four']}",
		{"4\n", "{\"n\": 1}\n", "three\n", "{\"n\": 2}\n"},
		{"application/octet-stream", "application/json", "text/plain", "application/json"}},
	    {"{'files': 'three.txt', 'properties': {'content_type': 'text/x'}}",
		{"three\n", "three\n", "three\n", "three\n"},
		{"text/x", "text/x", "text/x", "text/x"}},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;
		setup(&b, rows[i].spec, NULL);
		for (size_t k = 0; k < 4; k++) {
			render(&b);
			assert_slice(b.m.body, rows[i].bodies[k]);
			assert_slice(b.m.content_type, rows[i].types[k]);
		}
		teardown(&b);
	}
}
END_TEST

static void write_file(const char *directory, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", directory, name);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

START_TEST(a_folder_named_like_a_glob_is_a_folder)
{
	struct bench b;
	char directory[] = "/tmp/warren-[a]-XXXXXX";
	ck_assert_ptr_nonnull(mkdtemp(directory));
	write_file(directory, "x.xml", "<x/>");
	setup(&b, "{}", NULL);
	json_t *spec = read_json("{'files': '*.xml'}");
	struct pattern *p = pattern_create("m", spec, directory, NULL, note_problem, &b.problems);
	ck_assert_ptr_nonnull(p);
	ck_assert(pattern_render(p, &b.rng, WALL_MS, 0, &b.m, &b.err));
	assert_slice(b.m.body, "<x/>");
	assert_slice(b.m.content_type, "application/xml");
	pattern_free(p);
	json_decref(spec);
	char *path = mem_printf("%s/x.xml", directory);
	unlink(path);
	rmdir(directory);
	free(path);
	teardown(&b);
}
END_TEST

START_TEST(an_unreadable_file_is_reported)
{
	struct bench b;
	char directory[] = "/tmp/warren-XXXXXX";
	ck_assert_ptr_nonnull(mkdtemp(directory));
	char *path = mem_printf("%s/big.txt", directory);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(ftruncate(fd, ((off_t)128 << 20) + 1), 0);
	close(fd);
	setup(&b, "{}", NULL);
	json_t *spec = read_json("{'files': '*'}");
	ck_assert_ptr_null(pattern_create("m", spec, directory, NULL, note_problem, &b.problems));
	char *expected = mem_printf("/files: cannot read '%s': it has more than 128 MiB\n", path);
	ck_assert_str_eq(b.problems.ptr, expected);
	json_decref(spec);
	unlink(path);
	rmdir(directory);
	free(expected);
	free(path);
	teardown(&b);
}
END_TEST

/* Speed */

#define EVERYTHING                                                                                 \
	"{'exchange': 'order', 'routing_key': 'order.{{state}}', 'broken': '5%', "                 \
	"'fields': {'id': 'ean', 'name': 'name', 'text': 'text', 'card': 'credit_card_number', "   \
	"'total': {'number': {'min': 5, 'max': 500, 'decimals': 2}}, "                             \
	"'normal': {'number': {'distribution': 'normal', 'mean': 5, 'deviation': 2}}, "            \
	"'zipf': {'number': {'distribution': 'zipf', 'max': 1000}}, "                              \
	"'wait': {'number': {'distribution': 'exponential', 'mean': 5, 'decimals': 3}}, "          \
	"'state': {'choice': {'new': 8, 'paid': 2}}, 'now': 'now', 'place': 'latitude', "          \
	"'epoch': {'now': {'format': 'epoch_ms'}}, 'uuid': {'uuid': 7}, "                          \
	"'who': {'reference': 'customers.name'}, 'code': {'pattern': '##-?\?'}, "                  \
	"'list': {'list': {'of': {'object': {'q\\\"': 'sentence', 'maybe': "                       \
	"{'optional': {'probability': 0.5, 'of': 'country'}}}}, 'count': {'min': 0, 'max': 5}}}, " \
	"'filler': {'text': {'length': {'min': 10, 'max': 500}}}, "                                \
	"'mail': {'template': '{{name}} <{{id}}>'}}, "                                             \
	"'headers': {'a': 1, 'b': '{{name}}', 'c': {'choice': [1, 2.5, {'x': ['\\\"y']}]}}, "      \
	"'properties': {'type': 'x', 'correlation_id': '{{uuid}}', 'timestamp': 'now', "           \
	"'priority': {'choice': [1, 2, 3]}}}"

static const char *const busy[] = {EVERYTHING,
    "{'fields': ['ean', 'name'], 'trace': true, 'cloudevents': {'type': 't', 'subject': "
    "'{{ean}}'}}",
    "{'fields': ['ean', 'name'], 'trace': true, 'broken': '5%', 'cloudevents': {'type': 't', "
    "'subject': '{{ean}}', 'mode': 'structured'}}"};

START_TEST(rendering_allocates_nothing_once_buffers_have_grown)
{
	struct bench b;
	count_allocations();
	unsigned long before = allocations;
	setup(&b, busy[_i], CUSTOMERS);
	if (allocations == before) { /* valgrind has taken the place of our counter */
		teardown(&b);
		return;
	}
	bool good = true;
	for (int round = 0; round < 2; round++) {
		before = allocations;
		rng_seed(&b.rng, 42);
		for (uint64_t i = 0; i < 5000; i++) /* without assertions: those allocate */
			good &= pattern_render(b.pattern, &b.rng, WALL_MS, i, &b.m, &b.err);
	}
	ck_assert_uint_eq(allocations, before);
	ck_assert(good);
	teardown(&b);
}
END_TEST

START_TEST(same_seed_gives_the_same_messages)
{
	struct bench a, b;
	setup(&a, EVERYTHING, CUSTOMERS);
	setup(&b, EVERYTHING, CUSTOMERS);
	for (int i = 0; i < 500; i++) {
		render(&a);
		render(&b);
		ck_assert_uint_eq(a.m.present, b.m.present);
		ck_assert(slice_equal(a.m.body, b.m.body));
		ck_assert(slice_equal(a.m.routing_key, b.m.routing_key));
		ck_assert(slice_equal(a.m.headers, b.m.headers));
		ck_assert(slice_equal(a.m.message_id, b.m.message_id));
		ck_assert(slice_equal(a.m.correlation_id, b.m.correlation_id));
		if (table_find_string(a.m.headers, "warren-broken").ptr == NULL)
			ck_assert(is_json(a.m.body));
	}
	teardown(&a);
	teardown(&b);
}
END_TEST

int main(void)
{
	const struct {
		const TTest *test;
		int count; /* of table rows; 0: not a loop */
	} tests[] = {
	    {mistakes_are_reported_with_their_place, (int)ARRAY_LEN(wrongs)},
	    {mistakes_in_pools_are_reported_with_their_place, 0},
	    {envelope_is_complete, 0},
	    {envelope_has_defaults, 0},
	    {properties_may_be_generated_or_left_out, 0},
	    {short_strings_have_255_bytes_at_most, 0},
	    {long_constants_are_reported_early, 0},
	    {headers_keep_their_types, 0},
	    {a_header_may_be_named_like_a_type, 0},
	    {a_long_name_inside_a_header_fails_when_rendered, 0},
	    {references_of_one_message_take_the_same_row, 0},
	    {patterns_walk_over_a_sequential_pool_together, 0},
	    {rows_depend_on_seed_and_name_alone, 0},
	    {a_pool_may_refer_to_an_earlier_one, 0},
	    {broken_share_is_broken_as_its_header_says, 0},
	    {any_body_can_be_broken, 0},
	    {files_are_bodies_in_the_order_of_their_paths, 0},
	    {a_folder_named_like_a_glob_is_a_folder, 0},
	    {an_unreadable_file_is_reported, 0},
	    {rendering_allocates_nothing_once_buffers_have_grown, (int)ARRAY_LEN(busy)},
	    {same_seed_gives_the_same_messages, 0},
	};
	Suite *suite = suite_create("pattern");
	TCase *all = tcase_create("all");
	tcase_set_timeout(all, 60);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++)
		tcase_add_loop_test(all, tests[i].test, 0, tests[i].count > 0 ? tests[i].count : 1);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
