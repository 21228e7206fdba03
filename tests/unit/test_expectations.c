#include "model/expectations.h"

#include "app/settings.h"
#include "base/buf.h"
#include "base/mem.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static void collect(void *ctx, const char *pointer, const char *text)
{
	buf_printf(ctx, "%s: %s\n", pointer, text);
}

static json_t *parse(const char *text)
{
	json_error_t at;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &at);
	ck_assert_msg(json != NULL, "%s: %s", text, at.text);
	return json;
}

static const struct expectation_row *row_of(const struct expectations *e, size_t index)
{
	size_t count;
	const struct expectation_row *rows = expectations_rows(&count);
	ck_assert_uint_lt(e->items[index].row, count);
	return &rows[e->items[index].row];
}

START_TEST(settings_and_command_line_mean_the_same)
{
	static const struct {
		const char *spec, *assignment, *name;
		double limit;
	} values[] = {
	    {"{\"lost\": 0}", "lost=0", "lost", 0},
	    {"{\"left\": 9007199254740992}", "left=9007199254740992", "left", 9007199254740992},
	    {"{\"nacked\": 3.0}", "nacked=3", "nacked", 3},
	    {"{\"latency_p99\": \"50ms\"}", "latency_p99=50ms", "latency_p99", 0.05},
	    {"{\"confirm_max\": 2}", "confirm_max=2", "confirm_max", 2},
	    {"{\"gap_p50\": 0.001}", "gap_p50=0.001", "gap_p50", 0.001},
	    {"{\"gap_p999\": \"0s\"}", "gap_p999=0s", "gap_p999", 0},
	    {"{\"sent_rate\": \"5000/s\"}", "sent_rate=5000/s", "sent_rate", 5000},
	    {"{\"received_rate\": \"30/m\"}", "received_rate=30/m", "received_rate", 0.5},
	    {"{\"confirmed_rate\": 2.5}", "confirmed_rate=2.5", "confirmed_rate", 2.5},
	};
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct expectations read = {0}, added = {0};
		struct error err = {0};
		json_t *spec = parse(values[i].spec);
		ck_assert_msg(expectations_read(spec, &read, NULL, NULL), "%s", values[i].spec);
		ck_assert_msg(expectations_add(&added, values[i].assignment, &err), "%s", err.text);
		ck_assert_uint_eq(read.count, 1);
		ck_assert_uint_eq(added.count, 1);
		ck_assert_str_eq(row_of(&read, 0)->name, values[i].name);
		ck_assert_str_eq(row_of(&added, 0)->name, values[i].name);
		ck_assert_double_eq(read.items[0].limit, values[i].limit);
		ck_assert_double_eq(added.items[0].limit, values[i].limit);
		json_decref(spec);
		expectations_release(&read);
		expectations_release(&added);
	}
}
END_TEST

static const struct {
	const char *spec, *problems;
} bad_settings[] = {
    {"{\"latency_p9\": \"1s\"}",
	"/latency_p9~#: unknown expectation 'latency_p9'; did you mean 'latency_p90'?\n"},
    {"{\"lost\": 0, \"lots\": -1, \"left\": 0.5}",
	"/lots~#: unknown expectation 'lots'; did you mean 'lost'?\n"
	"/left: 0.5 is not a whole number from 0 to 9007199254740992\n"},
    {"{\"lost\": \"0\"}", "/lost: '0' is not a whole number from 0 to 9007199254740992\n"},
    {"{\"gap_p99\": \"5 ms\"}", "/gap_p99: '5 ms' is not a duration such as 250ms, 1s, 2m or 1h\n"},
    {"{\"gap_p99\": -1}", "/gap_p99: -1 is not a duration such as 250ms, 1s, 2m or 1h\n"},
    {"{\"sent_rate\": 0}",
	"/sent_rate: 0 is not a rate such as 500/s or 30/m, above 0 and up to 1000000000/s\n"},
    {"[\"lost\"]", ": not a mapping such as {lost: 0, latency_p99: 50ms}\n"},
};

START_TEST(mistakes_in_the_settings_are_told_together)
{
	struct expectations e = {0};
	struct error err = {0};
	struct buf problems = {0};
	json_t *spec = parse(bad_settings[_i].spec);
	ck_assert(expectations_add(&e, "lost=7", &err));
	ck_assert(!expectations_read(spec, &e, collect, &problems));
	ck_assert_str_eq(problems.ptr, bad_settings[_i].problems);
	ck_assert_uint_eq(e.count, 1); /* as it was */
	ck_assert_double_eq(e.items[0].limit, 7);
	json_decref(spec);
	buf_release(&problems);
	expectations_release(&e);
}
END_TEST

START_TEST(no_section_and_an_empty_one_expect_nothing)
{
	struct expectations e = {0};
	json_t *empty = json_object();
	ck_assert(expectations_read(NULL, &e, NULL, NULL));
	ck_assert(expectations_read(empty, &e, NULL, NULL));
	ck_assert_uint_eq(e.count, 0);
	ck_assert_uint_eq(expectations_judge(&e, NULL, NULL, NULL), 0);
	json_decref(empty);
	expectations_release(&e);
}
END_TEST

#define ALL_NAMES                                                                            \
	"lost, duplicated, reordered, returned, nacked, unconfirmed, redelivered, left, "    \
	"latency_p50, latency_p90, latency_p95, latency_p99, latency_p999, latency_max, "    \
	"confirm_p50, confirm_p90, confirm_p95, confirm_p99, confirm_p999, confirm_max, "    \
	"gap_p50, gap_p90, gap_p95, gap_p99, gap_p999, gap_max, sent_rate, confirmed_rate, " \
	"received_rate"

static const struct {
	const char *assignment, *text;
} bad_assignments[] = {
    {"latency-p99=1s", "unknown expectation 'latency-p99'; did you mean 'latency_p99'?"},
    {"Lost=0", "unknown expectation 'Lost'; did you mean 'lost'?"},
    {"throughput=5", "unknown expectation 'throughput'; accepted: " ALL_NAMES},
    {"", "unknown expectation ''; accepted: " ALL_NAMES},
    {"=5", "unknown expectation ''; accepted: " ALL_NAMES},
    {"\033[31mwhat a name\nis this", "unknown expectation '\\x1b[31mwhat a name\\nis this'; "
				     "accepted: " ALL_NAMES},
    {"lost", "'lost' needs a value, as in latency_p99=50ms"},
    {"lost=", "lost: '' is not a whole number from 0 to 9007199254740992"},
    {"lost=-1", "lost: '-1' is not a whole number from 0 to 9007199254740992"},
    {"lost=9007199254740993",
	"lost: '9007199254740993' is not a whole number from 0 to 9007199254740992"},
    {"lost=0=0", "lost: '0=0' is not a whole number from 0 to 9007199254740992"},
    {"gap_max=5\033", "gap_max: '5\\x1b' is not a duration such as 250ms, 1s, 2m or 1h"},
    {"sent_rate=5/d", "sent_rate: '5/d' is not a rate such as 500/s or 30/m, above 0 and up to "
		      "1000000000/s"},
};

START_TEST(bad_assignment_changes_nothing)
{
	struct expectations e = {0};
	struct error err = {0};
	ck_assert(expectations_add(&e, "lost=7", &err));
	ck_assert(!expectations_add(&e, bad_assignments[_i].assignment, &err));
	ck_assert_int_eq(err.kind, ERROR_USAGE);
	ck_assert_str_eq(err.text, bad_assignments[_i].text);
	ck_assert_uint_eq(e.count, 1);
	ck_assert_double_eq(e.items[0].limit, 7);
	expectations_release(&e);
}
END_TEST

START_TEST(a_later_one_of_the_same_name_replaces)
{
	struct expectations e = {0};
	struct error err = {0};
	json_t *spec = parse("{\"lost\": 5, \"gap_p99\": \"1ms\"}");
	ck_assert(expectations_read(spec, &e, NULL, NULL));
	ck_assert(expectations_add(&e, "sent_rate=10", &err));
	ck_assert(expectations_add(&e, "lost=0", &err));
	ck_assert_uint_eq(e.count, 3);
	ck_assert_str_eq(row_of(&e, 0)->name, "lost");
	ck_assert_double_eq(e.items[0].limit, 0);
	ck_assert_str_eq(row_of(&e, 1)->name, "gap_p99");
	ck_assert_str_eq(row_of(&e, 2)->name, "sent_rate");
	json_decref(spec);
	expectations_release(&e);
}
END_TEST

struct found {
	const char *name;
	double value;
};

static bool look_up(void *ctx, const char *name, double *value)
{
	const struct found *found = ctx;
	if (found->name == NULL)
		return false;
	ck_assert_str_eq(name, found->name);
	*value = found->value;
	return true;
}

static const struct judged {
	const char *assignment;
	struct found found;
	bool met;
	const char *wanted, *shown;
} judged[] = {
    {"lost=0", {"lost", 0}, true, "at most 0", "0"},
    {"lost=0", {"lost", 1}, false, "at most 0", "1"},
    {"left=1000", {"left", 1000}, true, "at most 1,000", "1,000"},
    {"left=1000", {"left", 1234567}, false, "at most 1,000", "1,234,567"},
    {"left=1000", {"left", 1e300}, false, "at most 1,000", "9,007,199,254,740,992"},
    {"latency_p99=50ms", {"latency_p99", 0.0612}, false, "at most 50 ms", "61.2 ms"},
    {"latency_p99=50ms", {"latency_p99", 0.05}, true, "at most 50 ms", "50 ms"},
    {"latency_p99=50ms", {"latency_p99", 50000000 / 1e9}, true, "at most 50 ms", "50 ms"},
    {"latency_p99=50ms", {"latency_p99", 0.0500001}, false, "at most 50 ms", "just over 50 ms"},
    {"gap_max=90", {"gap_max", 0}, true, "at most 1.5 m", "0 s"},
    {"gap_max=0", {"gap_max", 1e-9}, false, "at most 0 s", "1 ns"},
    {"gap_max=1h", {"gap_max", 1e300}, false, "at most 1 h", "104166.667 d"},
    {"sent_rate=5000/s", {"sent_rate", 5000}, true, "at least 5,000/s", "5,000/s"},
    {"sent_rate=5000/s", {"sent_rate", 60001.4}, true, "at least 5,000/s", "60,001/s"},
    {"sent_rate=5000/s", {"sent_rate", 4812.4}, false, "at least 5,000/s", "4,812/s"},
    {"sent_rate=5000/s", {"sent_rate", 4999.9}, false, "at least 5,000/s", "just under 5,000/s"},
    {"sent_rate=30/m", {"sent_rate", 0.25}, false, "at least 0.5/s", "0.25/s"},
    {"sent_rate=99.96", {"sent_rate", 0}, false, "at least 100/s", "0/s"},
    {"lost=0", {NULL, 0}, false, "at most 0", "nothing was measured"},
    {"sent_rate=1", {NULL, 0}, false, "at least 1/s", "nothing was measured"},
    {"latency_p50=1s", {"latency_p50", NAN}, false, "at most 1 s", "nothing was measured"},
    {"sent_rate=1", {"sent_rate", INFINITY}, false, "at least 1/s", "nothing was measured"},
};

START_TEST(what_is_found_is_held_against_what_is_wanted)
{
	const struct judged *row = &judged[_i];
	struct expectations e = {0};
	struct error err = {0};
	json_t *verdicts = json_array();
	struct found found = row->found;
	ck_assert_msg(expectations_add(&e, row->assignment, &err), "%s", err.text);
	ck_assert_uint_eq(expectations_judge(&e, look_up, &found, verdicts), !row->met);
	ck_assert_uint_eq(json_array_size(verdicts), 1);
	const json_t *verdict = json_array_get(verdicts, 0);
	ck_assert_uint_eq(json_object_size(verdict), 4);
	ck_assert_str_eq(json_string_value(json_object_get(verdict, "name")), row_of(&e, 0)->name);
	ck_assert_str_eq(json_string_value(json_object_get(verdict, "wanted")), row->wanted);
	ck_assert_str_eq(json_string_value(json_object_get(verdict, "found")), row->shown);
	ck_assert(json_is_boolean(json_object_get(verdict, "met")));
	ck_assert_int_eq(json_is_true(json_object_get(verdict, "met")), row->met);
	ck_assert_uint_eq(expectations_judge(&e, look_up, &found, NULL), !row->met);
	json_decref(verdicts);
	expectations_release(&e);
}
END_TEST

static bool always_one(void *ctx, const char *name, double *value)
{
	(void)name;
	++*(size_t *)ctx;
	*value = 1;
	return true;
}

START_TEST(each_is_judged_and_the_failed_are_counted)
{
	struct expectations e = {0};
	struct error err = {0};
	size_t asked = 0;
	json_t *verdicts = json_array();
	ck_assert(expectations_add(&e, "lost=0", &err));
	ck_assert(expectations_add(&e, "left=1", &err));
	ck_assert(expectations_add(&e, "latency_max=999ms", &err));
	ck_assert(expectations_add(&e, "sent_rate=1/s", &err));
	ck_assert(json_array_append_new(verdicts, json_null()) == 0); /* what is there stays */
	ck_assert_uint_eq(expectations_judge(&e, always_one, &asked, verdicts), 2);
	ck_assert_uint_eq(asked, 4);
	ck_assert_uint_eq(json_array_size(verdicts), 5);
	ck_assert_str_eq(
	    json_string_value(json_object_get(json_array_get(verdicts, 4), "name")), "sent_rate");
	json_decref(verdicts);
	expectations_release(&e);
}
END_TEST

START_TEST(the_schema_says_the_same_as_the_table)
{
	static const char *const kinds[] = {
	    [EXPECTATION_COUNT] = "#/$defs/most",
	    [EXPECTATION_DURATION] = "#/$defs/duration",
	    [EXPECTATION_RATE] = "#/$defs/rate",
	};
	json_t *schema = parse(settings_schema());
	const json_t *defs = json_object_get(schema, "$defs");
	const json_t *properties = json_object_get(json_object_get(defs, "expect"), "properties");
	size_t count;
	const struct expectation_row *rows = expectations_rows(&count);
	ck_assert_uint_eq(json_object_size(properties), count);
	for (size_t i = 0; i < count; i++) {
		const json_t *property = json_object_get(properties, rows[i].name);
		ck_assert_msg(property != NULL, "%s", rows[i].name);
		ck_assert_str_eq(
		    json_string_value(json_object_get(property, "description")), rows[i].help);
		ck_assert_str_eq(
		    json_string_value(json_object_get(property, "$ref")), kinds[rows[i].kind]);
	}
	json_decref(schema);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("expectations");
	TCase *tests = tcase_create("expectations");
	tcase_add_test(tests, settings_and_command_line_mean_the_same);
	tcase_add_loop_test(
	    tests, mistakes_in_the_settings_are_told_together, 0, (int)ARRAY_LEN(bad_settings));
	tcase_add_test(tests, no_section_and_an_empty_one_expect_nothing);
	tcase_add_loop_test(
	    tests, bad_assignment_changes_nothing, 0, (int)ARRAY_LEN(bad_assignments));
	tcase_add_test(tests, a_later_one_of_the_same_name_replaces);
	tcase_add_loop_test(
	    tests, what_is_found_is_held_against_what_is_wanted, 0, (int)ARRAY_LEN(judged));
	tcase_add_test(tests, each_is_judged_and_the_failed_are_counted);
	tcase_add_test(tests, the_schema_says_the_same_as_the_table);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
