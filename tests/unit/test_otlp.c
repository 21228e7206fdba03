#include "web/otlp_options.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- an environment ---- */

#define MOST 8

struct variable {
	const char *name, *value;
};
static struct variable environment[MOST];

static const char *look_up(const char *name)
{
	for (size_t i = 0; i < MOST && environment[i].name != NULL; i++)
		if (strcmp(environment[i].name, name) == 0)
			return environment[i].value;
	return NULL;
}

static struct otlp_options o;
static struct buf told;

static void teardown(void)
{
	otlp_options_release(&o);
	buf_release(&told);
	memset(environment, 0, sizeof environment);
}

/* What becomes of "NAME=value" and a further one. */
static void read_with(const char *option, const struct variable *variables)
{
	otlp_options_release(&o);
	buf_clear(&told);
	for (size_t i = 0; i < MOST; i++)
		environment[i] = variables[i];
	otlp_options_read(look_up, option, "warren-test", &o, &told);
}

#define READ(option, ...) read_with(option, (const struct variable[MOST]){__VA_ARGS__})
#define ENDPOINT                                               \
	{                                                      \
		"OTEL_EXPORTER_OTLP_ENDPOINT", "http://x:4318" \
	}

static const char *attribute(const char *key)
{
	for (size_t i = 0; i < o.resource_count; i++)
		if (strcmp(o.resource[i].key, key) == 0)
			return o.resource[i].value;
	return NULL;
}

static const char *told_text(void)
{
	return told.len > 0 ? told.ptr : "";
}

/* ---- the cases ---- */

START_TEST(nothing_is_exported_unless_somebody_says_where_to)
{
	READ(NULL, {0});
	ck_assert_ptr_null(o.url);
	READ(NULL, {"OTEL_EXPORTER_OTLP_ENDPOINT", ""});
	ck_assert_ptr_null(o.url);
	READ(NULL, {"OTEL_EXPORTER_OTLP_HEADERS", "a=b"});
	ck_assert_ptr_null(o.url);
}
END_TEST

START_TEST(endpoint_for_all_gets_a_path_and_that_for_traces_is_taken_as_it_is)
{
	READ(NULL, ENDPOINT);
	ck_assert_str_eq(o.url, "http://x:4318/v1/traces");
	READ(NULL, {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://x:4318/otlp/"});
	ck_assert_str_eq(o.url, "http://x:4318/otlp/v1/traces");
	READ(NULL, ENDPOINT, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://y/in/"});
	ck_assert_str_eq(o.url, "https://y/in/");
	READ("http://z:1", ENDPOINT, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://y/in/"});
	ck_assert_str_eq(o.url, "http://z:1/v1/traces");
}
END_TEST

START_TEST(it_can_be_switched_off)
{
	READ(NULL, ENDPOINT, {"OTEL_SDK_DISABLED", "True"});
	ck_assert_ptr_null(o.url);
	READ(NULL, ENDPOINT, {"OTEL_SDK_DISABLED", "1"}); /* only "true" means it */
	ck_assert_ptr_nonnull(o.url);
	READ("http://z:1", {"OTEL_TRACES_EXPORTER", "none"});
	ck_assert_ptr_null(o.url);
	READ(NULL, ENDPOINT, {"OTEL_TRACES_EXPORTER", "zipkin"});
	ck_assert_ptr_nonnull(o.url);
	ck_assert_str_eq(
	    told_text(), "OTEL_TRACES_EXPORTER 'zipkin' is ignored: there are otlp and none\n");
}
END_TEST

START_TEST(headers_are_percent_decoded_and_broken_ones_told_without_their_value)
{
	READ(NULL, ENDPOINT,
	    {"OTEL_EXPORTER_OTLP_HEADERS",
		" authorization = Bearer%20a%2Cb%3D ,, x-tenant=7,one%=1,nothing,a=%0d%0aEvil:1,"
		"b c=d,e=%4"});
	ck_assert_uint_eq(o.header_count, 4);
	ck_assert_str_eq(o.headers[0], "authorization: Bearer a,b=");
	ck_assert_str_eq(o.headers[1], "x-tenant: 7");
	ck_assert_str_eq(
	    o.headers[2], "one%: 1"); /* % may stand in a name, where it means itself */
	ck_assert_str_eq(o.headers[3], "Content-Type: application/json");
	ck_assert_ptr_null(o.headers[4]);
	const char *why = "is ignored: it is no key=value with a value that is percent-encoded";
	struct buf expected = {0};
	for (int number = 5; number <= 8; number++)
		buf_printf(&expected, "OTEL_EXPORTER_OTLP_HEADERS: number %d %s\n", number, why);
	ck_assert_str_eq(told_text(), expected.ptr);
	buf_release(&expected);
}
END_TEST

START_TEST(headers_for_traces_replace_those_for_all)
{
	READ(NULL, ENDPOINT, {"OTEL_EXPORTER_OTLP_HEADERS", "a=1,b=2"},
	    {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "c=3"});
	ck_assert_uint_eq(o.header_count, 2);
	ck_assert_str_eq(o.headers[0], "c: 3");
}
END_TEST

START_TEST(headers_beyond_the_most_are_told)
{
	struct buf list = {0};
	for (int i = 0; i < 40; i++)
		buf_printf(&list, "h%d=%d,", i, i);
	READ(NULL, ENDPOINT, {"OTEL_EXPORTER_OTLP_HEADERS", list.ptr});
	ck_assert_uint_eq(o.header_count, OTLP_MOST_HEADERS);
	ck_assert_ptr_null(o.headers[OTLP_MOST_HEADERS]);
	ck_assert_ptr_nonnull(strstr(told_text(), "number 32 is ignored"));
	buf_release(&list);
}
END_TEST

START_TEST(service_name_wins_over_the_attributes_and_those_over_the_default)
{
	READ(NULL, ENDPOINT);
	ck_assert_str_eq(attribute("service.name"), "warren-test");
	READ(NULL, ENDPOINT,
	    {"OTEL_RESOURCE_ATTRIBUTES", "service.name=shop,deployment.environment=a%2Fb"});
	ck_assert_str_eq(attribute("service.name"), "shop");
	ck_assert_str_eq(attribute("deployment.environment"), "a/b");
	READ(NULL, ENDPOINT, {"OTEL_RESOURCE_ATTRIBUTES", "service.name=shop"},
	    {"OTEL_SERVICE_NAME", "mine"});
	ck_assert_str_eq(attribute("service.name"), "mine");
}
END_TEST

START_TEST(numbers_have_defaults_and_what_is_none_is_told)
{
	READ(NULL, ENDPOINT);
	ck_assert_uint_eq(o.timeout_ns, 10 * CHRONO_S);
	ck_assert_uint_eq(o.delay_ns, 5 * CHRONO_S);
	ck_assert_uint_eq(o.last_ns, 2 * CHRONO_S);
	ck_assert_uint_eq(o.queue, 2048);
	ck_assert_uint_eq(o.batch, 512);
	ck_assert_str_eq(told_text(), "");
	READ(NULL, ENDPOINT, {"OTEL_EXPORTER_OTLP_TIMEOUT", "250"},
	    {"OTEL_BSP_EXPORT_TIMEOUT", "30000"}, {"OTEL_BSP_SCHEDULE_DELAY", "-1"},
	    {"OTEL_BSP_MAX_QUEUE_SIZE", "10"}, {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "99"});
	ck_assert_uint_eq(o.timeout_ns, 250 * CHRONO_MS);
	ck_assert_uint_eq(o.delay_ns, 5 * CHRONO_S);
	ck_assert_uint_eq(o.last_ns, 30 * CHRONO_S);
	ck_assert_uint_eq(o.queue, 10);
	ck_assert_uint_eq(o.batch, 10); /* not above the queue */
	ck_assert(strncmp(told_text(), "OTEL_BSP_SCHEDULE_DELAY '-1' is ignored: ", 40) == 0);
}
END_TEST

static const struct {
	const char *name, *argument;
	bool good;
	struct sampler is;
} samplers[] = {
    {"always_on", NULL, true, {1, false}},
    {"always_off", NULL, true, {0, false}},
    {"traceidratio", "0.25", true, {0.25, false}},
    {"traceidratio", NULL, true, {1, false}},
    {"parentbased_always_on", NULL, true, {1, true}},
    {"parentbased_always_off", "7", true, {0, true}},
    {"parentbased_traceidratio", "1", true, {1, true}},
    {"traceidratio", "1.5", false, {1, true}},
    {"traceidratio", "-0.5", false, {1, true}},
    {"parentbased_traceidratio", "half", false, {1, true}},
    {"jaeger_remote", NULL, false, {1, true}},
};

START_TEST(sampler_is_one_of_six)
{
	READ(NULL, ENDPOINT, {"OTEL_TRACES_SAMPLER", samplers[_i].name},
	    {"OTEL_TRACES_SAMPLER_ARG", samplers[_i].argument});
	ck_assert(o.sampler.ratio == samplers[_i].is.ratio);
	ck_assert(o.sampler.is_parent_based == samplers[_i].is.is_parent_based);
	ck_assert_int_eq(told.len == 0, samplers[_i].good);
}
END_TEST

START_TEST(sampler_takes_about_its_share_and_the_same_ones_each_time)
{
	struct rng rng;
	struct sampler s = {.ratio = 0.25};
	unsigned taken = 0, fewer = 0;
	rng_seed(&rng, 1);
	for (int i = 0; i < 10000; i++) {
		struct trace t;
		trace_start(&rng, &t);
		bool is = sampler_decide(&s, t.trace_id, NULL);
		taken += is;
		ck_assert(is == sampler_decide(&s, t.trace_id, &t));
		/* what a smaller share takes, a larger one takes too */
		fewer += sampler_decide(&(struct sampler){.ratio = 0.1}, t.trace_id, NULL);
		ck_assert(is || !sampler_decide(&(struct sampler){.ratio = 0.1}, t.trace_id, NULL));
	}
	ck_assert_uint_ge(taken, 2300);
	ck_assert_uint_le(taken, 2700);
	ck_assert_uint_ge(fewer, 850);
	ck_assert_uint_le(fewer, 1150);
}
END_TEST

START_TEST(parent_decides_for_who_follows)
{
	struct rng rng;
	struct trace parent;
	struct sampler none = {.ratio = 0, .is_parent_based = true};
	struct sampler all = {.ratio = 1, .is_parent_based = true};
	rng_seed(&rng, 1);
	trace_start(&rng, &parent);
	ck_assert(sampler_decide(&none, parent.trace_id, &parent));
	ck_assert(!sampler_decide(&none, parent.trace_id, NULL));
	parent.flags = 0;
	ck_assert(!sampler_decide(&all, parent.trace_id, &parent));
	ck_assert(sampler_decide(&all, parent.trace_id, NULL));
}
END_TEST

START_TEST(another_protocol_is_told)
{
	READ(NULL, ENDPOINT, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
	    {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"});
	ck_assert_ptr_nonnull(strstr(told_text(), "OTEL_EXPORTER_OTLP_PROTOCOL 'grpc' is ignored"));
	ck_assert_ptr_nonnull(
	    strstr(told_text(), "OTEL_EXPORTER_OTLP_COMPRESSION 'gzip' is ignored"));
	READ(NULL, ENDPOINT, {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"});
	ck_assert_str_eq(told_text(), "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("otlp");
	TCase *tests = tcase_create("otlp");
	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_test(tests, nothing_is_exported_unless_somebody_says_where_to);
	tcase_add_test(tests, endpoint_for_all_gets_a_path_and_that_for_traces_is_taken_as_it_is);
	tcase_add_test(tests, it_can_be_switched_off);
	tcase_add_test(tests, headers_are_percent_decoded_and_broken_ones_told_without_their_value);
	tcase_add_test(tests, headers_for_traces_replace_those_for_all);
	tcase_add_test(tests, headers_beyond_the_most_are_told);
	tcase_add_test(tests, service_name_wins_over_the_attributes_and_those_over_the_default);
	tcase_add_test(tests, numbers_have_defaults_and_what_is_none_is_told);
	tcase_add_loop_test(tests, sampler_is_one_of_six, 0, (int)ARRAY_LEN(samplers));
	tcase_add_test(tests, sampler_takes_about_its_share_and_the_same_ones_each_time);
	tcase_add_test(tests, parent_decides_for_who_follows);
	tcase_add_test(tests, another_protocol_is_told);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
