#include "model/span.h"

#include "base/mem.h"
#include "base/version.h"
#include "schema/schema.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct span example(void)
{
	struct span s = {.state = slice_str("a=1"),
	    .parent = "00f067aa0ba902b7",
	    .is_remote = true,
	    .kind = SPAN_CONSUMER,
	    .operation = slice_str("process"),
	    .target = slice_str("jobs"),
	    .start_ns = 1795316701685418606};
	ck_assert(trace_parse(
	    slice_str("00-4bf92f3577b34da6a3ce929d0e0e4736-b7ad6b7169203331-01"), &s.trace));
	return s;
}

START_TEST(a_span_is_written_as_the_protocol_says)
{
	struct buf out = {0};
	const struct span s = example();
	span_begin(&s, &out);
	span_add_text(&out, "messaging.system", slice_str("rabbitmq"));
	span_add_text(&out, "nothing", slice_str(""));
	span_add_int(&out, "messaging.message.body.size", -5);
	span_end(&out, 1795316701685418607, NULL);
	ck_assert_str_eq(out.ptr,
	    "{\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"spanId\":\"b7ad6b7169203331\","
	    "\"parentSpanId\":\"00f067aa0ba902b7\",\"traceState\":\"a=1\",\"flags\":769,"
	    "\"name\":\"process jobs\",\"kind\":5,\"startTimeUnixNano\":\"1795316701685418606\","
	    "\"attributes\":[{\"key\":\"messaging.system\",\"value\":{\"stringValue\":\"rabbitmq\"}"
	    "},"
	    "{\"key\":\"messaging.message.body.size\",\"value\":{\"intValue\":\"-5\"}}],"
	    "\"endTimeUnixNano\":\"1795316701685418607\",\"status\":{}}");
	buf_release(&out);
}
END_TEST

START_TEST(a_root_has_no_parent_and_a_failure_says_why)
{
	struct buf out = {0};
	struct span s = example();
	s.parent = NULL;
	s.state = (struct slice){0};
	span_begin(&s, &out);
	span_end(&out, s.start_ns, "status 5: \"no\"");
	ck_assert_ptr_null(strstr(out.ptr, "parentSpanId"));
	ck_assert_ptr_null(strstr(out.ptr, "traceState"));
	ck_assert_ptr_nonnull(strstr(out.ptr, "\"flags\":257,"));
	ck_assert_ptr_nonnull(strstr(out.ptr, "\"attributes\":[],"));
	ck_assert_ptr_nonnull(
	    strstr(out.ptr, "\"status\":{\"code\":2,\"message\":\"status 5: \\\"no\\\"\"}}"));
	buf_release(&out);
}
END_TEST

static struct schema *load_schema(json_t **root)
{
	struct error err = {0};
	*root = json_load_file("tests/cases/otlp/traces.schema.json", 0, NULL);
	ck_assert_msg(*root != NULL, "run it where the repository begins");
	struct schema *schema = schema_create(*root, 0, &err);
	ck_assert_msg(schema != NULL, "%s", err.text);
	return schema;
}

static bool judge(const struct schema *schema, struct slice text)
{
	struct error err = {0};
	json_t *document = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(document);
	bool good = schema_validate(schema, document, NULL, NULL, &err);
	ck_assert_int_eq(err.kind, ERROR_NONE);
	json_decref(document);
	return good;
}

static void write_request(const struct span *spans, size_t count, struct buf *out)
{
	const struct span_attribute resource[] = {{"service.name", "warren-\xff \"x\""}, {"a", ""}};
	buf_clear(out);
	span_write_head(resource, ARRAY_LEN(resource), out);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_append_char(out, ',');
		span_begin(&spans[i], out);
		span_add_text(out, "any", (struct slice){"\0\xff\xc3\xbc\x1b", 5});
		span_add_int(out, "least", INT64_MIN);
		span_end(out, spans[i].start_ns, i % 2 == 1 ? "" : NULL);
	}
	span_write_tail(out);
}

START_TEST(a_request_holds_before_the_schema_whatever_is_in_the_texts)
{
	json_t *root;
	struct schema *schema = load_schema(&root);
	struct buf out = {0};
	char *text = mem_alloc(5000, 1);
	struct span spans[] = {example(), example(), example()};
	memset(text, 'x', 4999);
	spans[1].target = slice_str("\xff\xfe");
	spans[2].target = slice_str(text);
	write_request(spans, ARRAY_LEN(spans), &out);
	ck_assert_msg(judge(schema, buf_slice(&out)), "%s", out.ptr);
	ck_assert_uint_lt(out.len, 6000); /* what is long was cut */
	free(text);
	buf_release(&out);
	schema_free(schema);
	json_decref(root);
}
END_TEST

/* What the schema must not let pass, for it to be a witness. */
static const struct {
	const char *from, *to;
} forgeries[] = {
    {"\"kind\":5", "\"kind\":\"SPAN_KIND_CONSUMER\""},
    {"\"kind\":5", "\"kind\":0"},
    {"\"startTimeUnixNano\":\"1795316701685418606\"", "\"startTimeUnixNano\":1795316701685418606"},
    {"b7ad6b7169203331", "B7AD6B7169203331"},
    {"b7ad6b7169203331", "0000000000000000"},
    {"b7ad6b7169203331", "t61rcWkgMzE="},
    {"parentSpanId", "parent_span_id"},
    {"\"intValue\":\"-9223372036854775808\"", "\"intValue\":-9223372036854775808"},
    {"\"status\":{}", "\"status\":{\"code\":3}"},
    {"\"status\":{}", "\"status\":{\"code\":1,\"message\":\"x\"}"},
    {"service.name", "service"},
    {"\"name\":\"process jobs\",", ""},
};

START_TEST(schema_refuses_what_the_protocol_forbids)
{
	json_t *root;
	struct schema *schema = load_schema(&root);
	struct buf out = {0}, forged = {0};
	const struct span s = example();
	write_request(&s, 1, &out);
	ck_assert(judge(schema, buf_slice(&out)));
	const char *at = strstr(out.ptr, forgeries[_i].from);
	ck_assert_ptr_nonnull(at);
	buf_append(&forged, (struct slice){out.ptr, (size_t)(at - out.ptr)});
	buf_append_str(&forged, forgeries[_i].to);
	buf_append_str(&forged, at + strlen(forgeries[_i].from));
	ck_assert(!judge(schema, buf_slice(&forged)));
	buf_release(&out);
	buf_release(&forged);
	schema_free(schema);
	json_decref(root);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("span");
	TCase *tests = tcase_create("span");
	tcase_add_test(tests, a_span_is_written_as_the_protocol_says);
	tcase_add_test(tests, a_root_has_no_parent_and_a_failure_says_why);
	tcase_add_test(tests, a_request_holds_before_the_schema_whatever_is_in_the_texts);
	tcase_add_loop_test(
	    tests, schema_refuses_what_the_protocol_forbids, 0, (int)ARRAY_LEN(forgeries));
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
