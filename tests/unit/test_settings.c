/*
 * Settings: every lesson loads; every folder of tests/cases/settings is a file with mistakes and
 * the lines that must be said about it. WARREN_TEST_WRITE=1 writes those lines anew, to be read
 * before they are committed.
 */
#include "app/settings.h"

#include "base/mem.h"
#include "fake/volumes.h"

#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static glob_t cases, lessons;

/* For the cases that try to get structure in through a value; tests/cli/settings.sh has them too.
 */
static const struct {
	const char *name, *value;
} variables[] = {
    {"WARREN_TEST_VALUE", "from the environment"},
    {"WARREN_TEST_LINES", "20\n    weight: 3"},
    {"WARREN_TEST_LIST", "[id, email]"},
    {"WARREN_TEST_REFERENCE", "${WARREN_TEST_VALUE}"},
};

static struct buf read_file(const char *path)
{
	struct buf text = {0};
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return text;
	for (size_t n = 1; n > 0; text.len += n)
		n = fread(buf_reserve(&text, 4096), 1, 4096, f);
	fclose(f);
	return text;
}

/* The problems of a file as they are printed, with the file's name alone for its path. */
static struct buf problems_of(const char *path, enum error_kind *kind)
{
	struct problems problems = {0};
	struct settings settings;
	struct error err = {0};
	struct settings_options options = {.source = path, .seed = 1};
	struct buf out = {0};
	bool good = settings_load(&options, &settings, &problems, &err);
	*kind = good ? ERROR_NONE : err.kind;
	problems_write(&problems, SIZE_MAX, "", (struct slice){0}, &out);
	if (!good && problems.count == 0)
		buf_printf(&out, "%s\n", err.text);
	problems_release(&problems);
	settings_release(&settings);
	return out;
}

/* Cuts the folder of the case out of what is said. */
static void drop_folder(struct buf *text, const char *folder)
{
	size_t len = strlen(folder);
	for (char *at = text->ptr; at != NULL && (at = strstr(at, folder)) != NULL;) {
		memmove(at, at + len, text->len - (size_t)(at - text->ptr) - len + 1);
		text->len -= len;
	}
}

START_TEST(each_mistake_is_told_with_its_place)
{
	const char *folder = cases.gl_pathv[_i];
	char *input = mem_printf("%ssettings.yaml", folder);
	char *expected_path = mem_printf("%sproblems", folder);
	enum error_kind kind;
	struct buf got = problems_of(input, &kind);
	drop_folder(&got, folder);
	if (getenv("WARREN_TEST_WRITE") != NULL) {
		FILE *f = fopen(expected_path, "w");
		fwrite(got.ptr, 1, got.len, f);
		fclose(f);
	}
	struct buf expected = read_file(expected_path);
	ck_assert_msg(kind == ERROR_SETTINGS, "%s: kind %d, not 78", folder, (int)kind);
	ck_assert_msg(slice_equal(buf_slice(&got), buf_slice(&expected)),
	    "%s\ngot:\n%sexpected:\n%s", folder, got.ptr,
	    expected.ptr ? expected.ptr : "(nothing)\n");
	buf_release(&expected);
	buf_release(&got);
	free(expected_path);
	free(input);
}
END_TEST

START_TEST(each_lesson_loads)
{
	enum error_kind kind;
	struct buf got = problems_of(lessons.gl_pathv[_i], &kind);
	ck_assert_msg(kind == ERROR_NONE, "%s", got.ptr);
	buf_release(&got);
}
END_TEST

START_TEST(there_are_a_hundred_cases)
{
	ck_assert_uint_ge(cases.gl_pathc, 100);
}
END_TEST

START_TEST(the_schema_lists_every_volume)
{
	json_error_t where;
	json_t *schema = json_loads(settings_schema(), 0, &where);
	ck_assert_ptr_nonnull(schema);
	const json_t *names =
	    json_object_get(json_object_get(json_object_get(schema, "$defs"), "volume"), "enum");
	size_t count;
	const struct volume *volumes = volumes_all(&count);
	ck_assert_uint_eq(json_array_size(names), count);
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(json_string_value(json_array_get(names, i)), volumes[i].name);
	json_decref(schema);
}
END_TEST

START_TEST(overrides_are_checked_like_the_file)
{
	static const char *const good[] = {"messages.order_placed.amount=100"};
	static const char *const bad[] = {"messages.order_placed.amount=many"};
	struct problems problems = {0};
	struct settings settings;
	struct error err = {0};
	struct settings_options options = {
	    .source = "settings/walkthrough.yaml", .overrides = good, .override_count = 1};
	ck_assert_msg(settings_load(&options, &settings, &problems, &err), "%s", err.text);
	ck_assert_uint_eq(settings.messages[0].plan.amount, 100);
	settings_release(&settings);
	options.overrides = bad;
	ck_assert(!settings_load(&options, &settings, &problems, &err));
	ck_assert_int_eq(err.kind, ERROR_SETTINGS);
	ck_assert_uint_eq(problems.count, 1);
	ck_assert_str_eq(problems.items[0].path, "messages.order_placed.amount");
	ck_assert_str_eq(problems.items[0].place.source, "--set");
	problems_release(&problems);
	settings_release(&settings);
}
END_TEST

START_TEST(several_addresses_may_be_given)
{
	struct settings s = {0};
	struct problems problems = {0};
	struct error err = {0};
	struct settings_options options = {.source = "settings/walkthrough.yaml",
	    .url = "amqp://a amqps://b:1/v amqp://c",
	    .url_origin = "--url"};
	ck_assert(settings_load(&options, &s, &problems, &err));
	ck_assert_uint_eq(s.uri_count, 3);
	ck_assert_str_eq(s.uris[1].shown, "amqps://b:1/v");
	settings_release(&s);
	options.url = "amqp://a amqp://me:s3 cr3t@b";
	ck_assert(!settings_load(&options, &s, &problems, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "a space"));
	ck_assert_ptr_null(strstr(err.text, "cr3t"));
	settings_release(&s);
	problems_release(&problems);
}
END_TEST

START_TEST(several_addresses_may_come_in_the_variable_of_the_settings)
{
	struct settings s = {0};
	struct problems problems = {0};
	struct error err = {0};
	struct settings_options options = {.source = "settings/walkthrough.yaml"};
	setenv("AMQP_URL", "amqp://me:secret@a amqps://b:1/v", 1);
	ck_assert(settings_load(&options, &s, &problems, &err));
	ck_assert_uint_eq(s.uri_count, 2);
	ck_assert_str_eq(s.uris[0].shown, "amqp://me:***@a");
	ck_assert_str_eq(s.uris[1].shown, "amqps://b:1/v");
	settings_release(&s);
	setenv("AMQP_URL", "amqp://a amqp://b:port", 1);
	ck_assert(!settings_load(&options, &s, &problems, &err));
	ck_assert_uint_eq(problems.count, 1);
	settings_release(&s);
	problems_release(&problems);
	unsetenv("AMQP_URL");
}
END_TEST

START_TEST(the_url_given_counts_more_than_the_settings)
{
	struct problems problems = {0};
	struct settings settings;
	struct error err = {0};
	struct settings_options options = {.source = "settings/walkthrough.yaml",
	    .url = "amqp://me:secret@broker/vh",
	    .url_origin = "--url"};
	ck_assert(settings_load(&options, &settings, &problems, &err));
	ck_assert_str_eq(settings.uris[0].host, "broker");
	ck_assert_str_eq(settings.uris[0].shown, "amqp://me:***@broker/vh");
	settings_release(&settings);
	options.url = "amqp://me:s3cr3t@bro ker";
	ck_assert(!settings_load(&options, &settings, &problems, &err));
	ck_assert_ptr_null(strstr(err.text, "s3cr3t"));
	settings_release(&settings);
	problems_release(&problems);
}
END_TEST

START_TEST(a_bad_address_is_a_mistake_even_when_another_is_given)
{
	struct problems problems = {0};
	struct settings settings;
	struct error err = {0};
	struct settings_options options = {
	    .source = "tests/cases/settings/url-port-zero/settings.yaml", .url = "amqp://broker"};
	ck_assert(!settings_load(&options, &settings, &problems, &err));
	ck_assert_int_eq(err.kind, ERROR_SETTINGS);
	ck_assert_uint_eq(problems.count, 1);
	ck_assert_str_eq(problems.items[0].path, "broker.url");
	settings_release(&settings);
	problems_release(&problems);
}
END_TEST

struct pauses {
	const char *reconnect;
	uint64_t from_ms, to_ms;
};

static const struct pauses pauses[] = {
    {"broker.reconnect={}", 100, 1000},
    {"broker.reconnect={from: 5s}", 5000, 5000},
    {"broker.reconnect={to: 10ms}", 10, 10},
    {"broker.reconnect={from: 50ms, to: 20s}", 50, 20000},
};

START_TEST(one_pause_that_is_given_moves_the_other)
{
	const struct pauses *row = &pauses[_i];
	struct problems problems = {0};
	struct settings settings;
	struct error err = {0};
	struct settings_options options = {.overrides = &row->reconnect, .override_count = 1};
	ck_assert_msg(settings_load(&options, &settings, &problems, &err), "%s", err.text);
	ck_assert_uint_eq(settings.retry_from_ns, row->from_ms * 1000000);
	ck_assert_uint_eq(settings.retry_to_ns, row->to_ms * 1000000);
	settings_release(&settings);
	problems_release(&problems);
}
END_TEST

START_TEST(expectations_are_read)
{
	static const char *const overrides[] = {"expect={lost: 0, latency_p99: 50ms}"};
	struct problems problems = {0};
	struct settings settings;
	struct error err = {0};
	struct settings_options options = {.overrides = overrides, .override_count = 1};
	ck_assert_msg(settings_load(&options, &settings, &problems, &err), "%s", err.text);
	ck_assert_uint_eq(settings.expect.count, 2);
	ck_assert_double_eq(settings.expect.items[1].limit, 0.05);
	settings_release(&settings);
	problems_release(&problems);
}
END_TEST

int main(void)
{
	unsetenv("AMQP_URL");
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		setenv(variables[i].name, variables[i].value, 1);
	glob("tests/cases/settings/*/", 0, NULL, &cases);
	glob("settings/*.yaml", 0, NULL, &lessons);
	Suite *suite = suite_create("settings");
	TCase *tests = tcase_create("settings");
	tcase_add_loop_test(tests, each_mistake_is_told_with_its_place, 0, (int)cases.gl_pathc);
	tcase_add_loop_test(tests, each_lesson_loads, 0, (int)lessons.gl_pathc);
	tcase_add_test(tests, there_are_a_hundred_cases);
	tcase_add_test(tests, the_schema_lists_every_volume);
	tcase_add_test(tests, overrides_are_checked_like_the_file);
	tcase_add_test(tests, several_addresses_may_be_given);
	tcase_add_test(tests, several_addresses_may_come_in_the_variable_of_the_settings);
	tcase_add_test(tests, the_url_given_counts_more_than_the_settings);
	tcase_add_test(tests, a_bad_address_is_a_mistake_even_when_another_is_given);
	tcase_add_loop_test(
	    tests, one_pause_that_is_given_moves_the_other, 0, (int)ARRAY_LEN(pauses));
	tcase_add_test(tests, expectations_are_read);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	globfree(&cases);
	globfree(&lessons);
	return failed == 0 ? 0 : 1;
}
