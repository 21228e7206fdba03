/* Our own headers: put on, read, replaced; the others stay byte for byte. */
#include "model/marks.h"
#include "model/table.h"

#include <check.h>
#include <stdlib.h>

static struct buf table_of(const char *json)
{
	struct buf out = {0};
	struct error err = {0};
	json_t *object = json_loads(json, 0, NULL);
	ck_assert_ptr_nonnull(object);
	ck_assert(table_encode(object, &out, &err));
	json_decref(object);
	return out;
}

static void assert_json(const struct buf *table, const char *expected)
{
	struct buf text = {0};
	struct error err = {0};
	ck_assert(table_write_json(buf_slice(table), &text, &err));
	ck_assert_str_eq(text.ptr, expected);
	buf_release(&text);
}

START_TEST(marks_stand_behind_the_other_headers)
{
	struct buf before = table_of("{\"a\": 1, \"b\": {\"$type\": \"uint8\", \"value\": 7}}");
	struct buf after = {0};
	const struct mark marks[] = {
	    {.key = MARKS_RESENT, .kind = MARK_TRUE},
	    {.key = MARKS_ATTEMPTS, .kind = MARK_INT, .number = 3},
	    {.key = MARKS_QUEUE, .kind = MARK_TEXT, .text = slice_str("q")},
	    {.key = MARKS_TIME, .kind = MARK_TIME, .number = 1700000000},
	};
	marks_set(buf_slice(&before), marks, 4, &after);
	assert_json(&after,
	    "{\"a\":1,\"b\":{\"$type\":\"uint8\",\"value\":7},\"x-warren-resent\":true,"
	    "\"x-warren-attempts\":3,\"x-warren-queue\":\"q\","
	    "\"x-warren-time\":{\"$type\":\"timestamp\",\"value\":1700000000}}");
	buf_release(&before);
	buf_release(&after);
}
END_TEST

START_TEST(a_mark_takes_the_place_of_an_older_one)
{
	struct buf before =
	    table_of("{\"x-warren-attempts\": 1, \"a\": null, \"x-warren-time\": 5}");
	struct buf after = {0};
	const struct mark marks[] = {
	    {.key = MARKS_ATTEMPTS, .kind = MARK_INT, .number = 2},
	    {.key = MARKS_TIME, .kind = MARK_ABSENT},
	};
	marks_set(buf_slice(&before), marks, 2, &after);
	assert_json(&after, "{\"a\":null,\"x-warren-attempts\":2}");
	ck_assert_uint_eq(marks_count(buf_slice(&before), MARKS_ATTEMPTS), 1);
	ck_assert_uint_eq(marks_count(buf_slice(&after), MARKS_ATTEMPTS), 2);
	ck_assert(marks_has(buf_slice(&before), MARKS_TIME));
	ck_assert(!marks_has(buf_slice(&after), MARKS_TIME));
	buf_release(&before);
	buf_release(&after);
}
END_TEST

START_TEST(a_table_without_entries_takes_marks_too)
{
	struct buf after = {0};
	const struct mark mark = {.key = MARKS_RETURNED, .kind = MARK_INT, .number = 1};
	marks_set((struct slice){0}, &mark, 1, &after);
	assert_json(&after, "{\"x-warren-returned\":1}");
	buf_release(&after);
}
END_TEST

START_TEST(a_table_joins_another_and_replaces_equal_names)
{
	struct buf before = table_of("{\"a\": 1, \"b\": [2], \"c\": 3}");
	struct buf others = table_of("{\"c\": \"new\", \"a\": null, \"d\": 4}");
	struct buf after = {0};
	marks_join(buf_slice(&before), buf_slice(&others), &after);
	assert_json(&after, "{\"b\":[2],\"c\":\"new\",\"a\":null,\"d\":4}");
	buf_clear(&after);
	marks_join(buf_slice(&before), SLICE(""), &after);
	assert_json(&after, "{\"a\":1,\"b\":[2],\"c\":3}");
	buf_clear(&after);
	marks_join(SLICE(""), buf_slice(&others), &after);
	assert_json(&after, "{\"c\":\"new\",\"a\":null,\"d\":4}");
	buf_release(&before);
	buf_release(&others);
	buf_release(&after);
}
END_TEST

START_TEST(what_is_damaged_stays_and_is_no_count)
{
	const struct slice damaged = {"\x01"
				      "aS\xff\xff\xff\xff",
	    7};
	struct buf after = {0};
	marks_set(damaged, NULL, 0, &after);
	ck_assert(slice_equal(buf_slice(&after), damaged));
	ck_assert_uint_eq(marks_count(damaged, "a"), 0);
	buf_release(&after);
}
END_TEST

static const struct {
	const char *json;
	uint64_t count;
} counts[] = {
    {"{\"n\": 5}", 5},
    {"{\"n\": -5}", 0},
    {"{\"n\": \"5\"}", 0},
    {"{\"n\": {\"$type\": \"int8\", \"value\": 100}}", 100},
    {"{\"n\": {\"$type\": \"int8\", \"value\": -1}}", 0},
    {"{\"n\": {\"$type\": \"uint8\", \"value\": 200}}", 200},
    {"{\"n\": {\"$type\": \"int16\", \"value\": 300}}", 300},
    {"{\"n\": {\"$type\": \"uint32\", \"value\": 4000000000}}", 4000000000},
    {"{\"n\": true}", 0},
    {"{}", 0},
};

START_TEST(a_count_is_any_integer_that_is_not_negative)
{
	struct buf table = table_of(counts[_i].json);
	ck_assert_uint_eq(marks_count(buf_slice(&table), "n"), counts[_i].count);
	buf_release(&table);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("marks");
	TCase *cases = tcase_create("marks");
	tcase_add_test(cases, marks_stand_behind_the_other_headers);
	tcase_add_test(cases, a_mark_takes_the_place_of_an_older_one);
	tcase_add_test(cases, a_table_without_entries_takes_marks_too);
	tcase_add_test(cases, a_table_joins_another_and_replaces_equal_names);
	tcase_add_test(cases, what_is_damaged_stays_and_is_no_count);
	tcase_add_loop_test(
	    cases, a_count_is_any_integer_that_is_not_negative, 0, sizeof counts / sizeof *counts);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
