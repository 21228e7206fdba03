#include "base/text.h"
#include "model/envelope.h"
#include "model/table.h"
#include "model/trace.h"
#include "pattern_bench.h"

#define ID "'properties': {'message_id': 'm{{n}}'}"
#define FIELDS "'fields': {'n': {'sequence': 7}, 'account': {'constant': 'acc1'}}"
#define NOW "2023-11-14T22:13:20.123Z"

static const struct {
	const char *spec, *headers, *body, *content_type;
} rows[] = {
    /* binary */
    {"{" FIELDS ", " ID ", 'cloudevents': {'type': 'deposited', 'subject': 'account/{{account}}'}}",
	"{'cloudEvents_specversion':'1.0','cloudEvents_type':'deposited',"
	"'cloudEvents_source':'/warren/made','cloudEvents_subject':'account/acc1',"
	"'cloudEvents_id':'m7','cloudEvents_time':'" NOW "'}",
	"{'n':7,'account':'acc1'}", "application/json"},
    {"{" FIELDS ", " ID ", 'headers': {'region': 'eu'}, 'body': 'x', 'cloudevents': {'prefix': "
     "'ce-', 'type': {'choice': ['a']}, 'source': 'urn:{{n}}', 'dataschema': 'http://x/{{n}}', "
     "'extensions': {'tenant': 'acme', 'nth': {'sequence': 3}, 'share': {'constant': 2.5}, "
     "'live': true, 'count': 12, 'late': {'choice': [false]}}}}",
	"{'region':'eu','ce-specversion':'1.0','ce-tenant':'acme','ce-share':'2.5','ce-live':true,"
	"'ce-count':12,'ce-type':'a','ce-source':'urn:7','ce-dataschema':'http://x/7','ce-nth':3,"
	"'ce-late':false,'ce-id':'m7','ce-time':'" NOW "'}",
	"x", "text/plain"},
    {"{" FIELDS ", " ID ", 'cloudevents': {'type': 't', 'subject': {'optional': {'probability': 0, "
     "'of': 'word'}}, 'extensions': {'big': {'constant': 4294967296}, 'none': {'choice': [null]}, "
     "'nested': {'choice': [{'a': 1}]}}}}",
	"{'cloudEvents_specversion':'1.0','cloudEvents_type':'t','cloudEvents_source':"
	"'/warren/made','cloudEvents_big':'4294967296','cloudEvents_nested':'{\\\"a\\\":1}',"
	"'cloudEvents_id':'m7','cloudEvents_time':'" NOW "'}",
	"{'n':7,'account':'acc1'}", "application/json"},
    /* structured */
    {"{" FIELDS ", " ID ", 'headers': {'region': 'eu'}, 'cloudevents': {'mode': 'structured', "
     "'type': 'deposited', 'subject': 'account/{{account}}', 'extensions': {'nth': {'sequence': "
     "3}, "
     "'q': 'a\\\"b'}}}",
	"{'region':'eu'}",
	"{'specversion':'1.0','type':'deposited','source':'/warren/made','q':'a\\\"b','subject':"
	"'account/acc1','nth':3,'id':'m7','time':'" NOW "','datacontenttype':'application/json',"
	"'data':{'n':7,'account':'acc1'}}",
	ENVELOPE_CONTENT_TYPE},
    {"{" FIELDS ", " ID ", 'body': 'say \\\"{{account}}\\\"\\n', 'cloudevents': {'mode': "
     "'structured', 'type': 't', 'source': 's'}}",
	NULL,
	"{'specversion':'1.0','type':'t','source':'s','id':'m7','time':'" NOW "',"
	"'datacontenttype':'text/plain','data':'say \\\"acc1\\\"\\n'}",
	ENVELOPE_CONTENT_TYPE},
    {"{'body': ' [1.50, {{n}}] ', " FIELDS ", 'properties': {'message_id': 'm', 'content_type': "
     "'text/json;a=b'}, 'cloudevents': {'mode': 'structured', 'type': 't', 'source': 's'}}",
	NULL,
	"{'specversion':'1.0','type':'t','source':'s','id':'m','time':'" NOW "',"
	"'datacontenttype':'text/json;a=b','data': [1.50, 7] }",
	ENVELOPE_CONTENT_TYPE},
    {"{'body': '{', 'properties': {'message_id': 'm', 'content_type': 'application/x+json'}, "
     "'cloudevents': {'mode': 'structured', 'type': 't', 'source': 's'}}",
	NULL,
	"{'specversion':'1.0','type':'t','source':'s','id':'m','time':'" NOW "',"
	"'datacontenttype':'application/x+json','data_base64':'ew=='}",
	ENVELOPE_CONTENT_TYPE},
    {"{'body': '', 'properties': {'message_id': 'm'}, 'cloudevents': {'mode': 'structured', "
     "'type': 't', 'source': 's'}}",
	NULL,
	"{'specversion':'1.0','type':'t','source':'s','id':'m','time':'" NOW "',"
	"'datacontenttype':'text/plain'}",
	ENVELOPE_CONTENT_TYPE},
};

static void assert_headers(const struct message *m, const char *expected)
{
	struct buf json = {0};
	struct error err = {0};
	ck_assert(((m->present & MESSAGE_HEADERS) != 0) == (expected != NULL));
	if (expected == NULL)
		return;
	char *text = quoted(expected);
	ck_assert_msg(table_write_json(m->headers, &json, &err), "%s", err.text);
	ck_assert_str_eq(json.ptr, text);
	free(text);
	buf_release(&json);
}

START_TEST(an_event_is_written_as_its_settings_say)
{
	struct bench b;
	struct buf scratch = {0};
	struct envelope e;
	setup(&b, rows[_i].spec, NULL);
	render(&b);
	char *body = quoted(rows[_i].body);
	assert_headers(&b.m, rows[_i].headers);
	assert_slice(b.m.body, body);
	assert_slice(b.m.content_type, rows[_i].content_type);
	ck_assert_uint_eq(b.m.timestamp, WALL_MS / 1000);
	ck_assert(b.m.present & MESSAGE_TIMESTAMP);
	envelope_read(&b.m, &scratch, &e);
	ck_assert_int_ne(e.mode, ENVELOPE_NONE);
	ck_assert(slice_equal(e.id, b.m.message_id));
	ck_assert(slice_equal(e.type, b.m.type) && (b.m.present & MESSAGE_TYPE) != 0);
	ck_assert(slice_is(e.time, NOW));
	free(body);
	buf_release(&scratch);
	teardown(&b);
}
END_TEST

START_TEST(an_event_without_a_message_id_of_its_own_has_the_made_one)
{
	struct bench plain, event;
	struct buf scratch = {0};
	struct envelope e;
	setup(&plain, "{'fields': ['ean']}", NULL);
	setup(&event, "{'fields': ['ean'], 'cloudevents': {'type': 't'}}", NULL);
	for (int i = 0; i < 5; i++) {
		render(&plain);
		render(&event);
		envelope_read(&event.m, &scratch, &e);
		ck_assert(slice_equal(e.id, event.m.message_id));
		/* the envelope draws nothing: the same seed says the same */
		ck_assert(slice_equal(plain.m.message_id, event.m.message_id));
		ck_assert(slice_equal(plain.m.body, event.m.body));
	}
	buf_release(&scratch);
	teardown(&plain);
	teardown(&event);
}
END_TEST

START_TEST(what_the_settings_say_of_properties_wins)
{
	struct bench b;
	setup(&b,
	    "{'properties': {'type': 'native', 'timestamp': 5}, 'cloudevents': {'type': 'event'}}",
	    NULL);
	render(&b);
	assert_slice(b.m.type, "native");
	ck_assert_uint_eq(b.m.timestamp, 5);
	assert_slice(table_find_string(b.m.headers, "cloudEvents_type"), "event");
	assert_slice(table_find_string(b.m.headers, "cloudEvents_time"), NOW);
	teardown(&b);
}
END_TEST

START_TEST(a_type_too_long_for_a_property_is_a_header_alone)
{
	struct bench b;
	setup(&b, "{'cloudevents': {'type': {'text': {'length': 256}}}}", NULL);
	render(&b);
	ck_assert(!(b.m.present & MESSAGE_TYPE));
	ck_assert_uint_eq(table_find_string(b.m.headers, "cloudEvents_type").len, 256);
	teardown(&b);
}
END_TEST

START_TEST(a_random_type_is_one_type)
{
	struct bench b;
	setup(&b, "{'cloudevents': {'type': {'text': {'length': 20}}}}", NULL);
	for (int i = 0; i < 20; i++) {
		render(&b);
		ck_assert(
		    slice_equal(b.m.type, table_find_string(b.m.headers, "cloudEvents_type")));
	}
	teardown(&b);
}
END_TEST

START_TEST(a_broken_body_is_kept_byte_for_byte_in_an_event)
{
	struct bench b;
	struct buf decoded = {0};
	setup(&b,
	    "{'fields': ['ean'], 'broken': 1, 'cloudevents': {'type': 't', 'mode': 'structured'}}",
	    NULL);
	size_t base64 = 0;
	for (int i = 0; i < 200; i++) {
		render(&b);
		json_t *event =
		    json_loadb(b.m.body.ptr, b.m.body.len, JSON_REJECT_DUPLICATES, NULL);
		ck_assert_msg(event != NULL, "%.*s", SLICE_ARGS(b.m.body));
		ck_assert_ptr_nonnull(table_find_string(b.m.headers, "warren-broken").ptr);
		const char *text = json_string_value(json_object_get(event, "data_base64"));
		if (text != NULL) {
			base64++;
			buf_clear(&decoded);
			ck_assert(text_base64_decode(slice_str(text), &decoded));
			ck_assert_ptr_null(
			    json_loadb(decoded.ptr, decoded.len, JSON_DECODE_ANY, NULL));
		}
		json_decref(event);
	}
	ck_assert_uint_gt(base64, 50);
	buf_release(&decoded);
	teardown(&b);
}
END_TEST

START_TEST(another_body_becomes_the_data_of_the_same_event)
{
	struct bench b;
	setup(&b,
	    "{'body': '', 'properties': {'message_id': 'm', 'content_type': 'application/json'}, "
	    "'cloudevents': {'type': 't', 'source': 's', 'mode': 'structured'}}",
	    NULL);
	render(&b);
	static const char *const bodies[][2] = {
	    {"{\"a\":1}", ",\"data\":{\"a\":1}}"}, {"x", ",\"data_base64\":\"eA==\"}"}, {"", "}"}};
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		char *expected = mem_printf(
		    "{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"s\","
		    "\"id\":\"m\",\"time\":\"" NOW "\",\"datacontenttype\":\"application/json\"%s",
		    bodies[i][1]);
		pattern_set_body(b.pattern, slice_str(bodies[i][0]), &b.m);
		assert_slice(b.m.body, expected);
		free(expected);
	}
	teardown(&b);
	setup(&b, "{'body': '', 'cloudevents': {'type': 't'}}", NULL);
	render(&b);
	pattern_set_body(b.pattern, SLICE("a line"), &b.m);
	assert_slice(b.m.body, "a line");
	teardown(&b);
}
END_TEST

START_TEST(each_message_begins_a_trace)
{
	static const char *const specs[] = {"{'trace': true}",
	    "{'trace': true, 'cloudevents': {'type': 't'}}",
	    "{'trace': true, 'cloudevents': {'type': 't', 'prefix': 'ce-'}}",
	    "{'trace': true, 'cloudevents': {'type': 't', 'mode': 'structured'}}"};
	static const char *const origins[] = {
	    NULL, "cloudEvents_traceparent", "ce-traceparent", NULL};
	struct bench b;
	char before[TRACE_ID_CHARS] = {0};
	setup(&b, specs[_i], NULL);
	for (int i = 0; i < 20; i++) {
		struct trace t;
		render(&b);
		struct slice parent = table_find_string(b.m.headers, "traceparent");
		ck_assert(trace_parse(parent, &t));
		ck_assert_int_eq(t.flags, TRACE_SAMPLED);
		ck_assert_mem_ne(before, t.trace_id, sizeof before);
		memcpy(before, t.trace_id, sizeof before);
		if (origins[_i] != NULL)
			ck_assert(slice_equal(table_find_string(b.m.headers, origins[_i]), parent));
		else if (_i > 0)
			ck_assert_ptr_nonnull(
			    memmem(b.m.body.ptr, b.m.body.len, parent.ptr, parent.len));
	}
	teardown(&b);
}
END_TEST

START_TEST(without_a_text_for_what_is_required_there_is_no_event)
{
	static const char *const wrongs[][2] = {
	    {"{'cloudevents': {'type': {'optional': {'probability': 0, 'of': 'word'}}}}",
		"the type of the event is empty"},
	    {"{'fields': {'s': {'choice': ['']}}, 'cloudevents': {'type': 't', 'source': '{{s}}'}}",
		"the source of the event is empty"},
	    {"{'properties': {'message_id': ''}, 'cloudevents': {'type': 't'}}",
		"the id of the event, message_id, is empty"}};
	for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
		struct bench b;
		setup(&b, wrongs[i][0], NULL);
		struct message before = b.m;
		ck_assert(!pattern_render(b.pattern, &b.rng, WALL_MS, 0, &b.m, &b.err));
		ck_assert_int_eq(b.err.kind, ERROR_DATA);
		ck_assert_str_eq(b.err.text, wrongs[i][1]);
		ck_assert_int_eq(memcmp(&before, &b.m, sizeof before), 0);
		teardown(&b);
	}
}
END_TEST

START_TEST(a_source_by_default_is_a_path_of_the_name)
{
	struct buf problems = {0};
	struct rng rng;
	struct error err = {0};
	struct message m;
	json_t *spec = read_json("{'cloudevents': {'type': 't'}}");
	static const char *const names[][2] = {{"order_placed", "/warren/order_placed"},
	    {"a b/{{c}}\xc3\xa9", "/warren/a%20b%2F%7B%7Bc%7D%7D%C3%A9"}, {NULL, "/warren"}};
	rng_seed(&rng, 1);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct pattern *p =
		    pattern_create(names[i][0], spec, ".", NULL, note_problem, &problems);
		ck_assert(pattern_render(p, &rng, WALL_MS, 0, &m, &err));
		assert_slice(table_find_string(m.headers, "cloudEvents_source"), names[i][1]);
		pattern_free(p);
	}
	json_decref(spec);
	buf_release(&problems);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pattern_event");
	TCase *tests = tcase_create("pattern_event");
	tcase_add_loop_test(
	    tests, an_event_is_written_as_its_settings_say, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tests, an_event_without_a_message_id_of_its_own_has_the_made_one);
	tcase_add_test(tests, what_the_settings_say_of_properties_wins);
	tcase_add_test(tests, a_type_too_long_for_a_property_is_a_header_alone);
	tcase_add_test(tests, a_random_type_is_one_type);
	tcase_add_test(tests, a_broken_body_is_kept_byte_for_byte_in_an_event);
	tcase_add_test(tests, another_body_becomes_the_data_of_the_same_event);
	tcase_add_loop_test(tests, each_message_begins_a_trace, 0, 4);
	tcase_add_test(tests, without_a_text_for_what_is_required_there_is_no_event);
	tcase_add_test(tests, a_source_by_default_is_a_path_of_the_name);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
