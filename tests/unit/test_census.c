#include "base/census.h"

#include "base/buf.h"

#include <check.h>

static void add(struct census *census, const char *text, int times)
{
	for (int i = 0; i < times; i++)
		census_add(census, slice_str(text));
}

START_TEST(texts_are_counted_and_the_most_frequent_stands_first)
{
	struct census *census = census_create(10);
	add(census, "b", 2);
	add(census, "a", 2);
	add(census, "often", 3);
	census_add(census, (struct slice){"\0x", 2});
	census_add(census, (struct slice){NULL, 0});
	ck_assert_uint_eq(census_size(census), 5);
	const struct census_row *rows = census_by_count(census);
	static const char *const order[] = {"often", "a", "b", ""};
	for (size_t i = 0; i < 4; i++)
		ck_assert(slice_is(rows[i].text, order[i]));
	ck_assert_uint_eq(rows[0].count, 3);
	ck_assert_uint_eq(rows[4].text.len, 2);
	ck_assert(slice_is(census_by_text(census)[4].text, "often"));
	census_free(census);
}
END_TEST

START_TEST(many_texts_keep_their_counts_as_it_grows)
{
	struct census *census = census_create(100000);
	struct buf text = {0};
	for (int round = 0; round < 2; round++)
		for (unsigned i = 0; i < 20000; i++) {
			buf_clear(&text);
			buf_printf(&text, "order.%u", i);
			census_add(census, buf_slice(&text));
		}
	ck_assert_uint_eq(census_size(census), 20000);
	const struct census_row *rows = census_by_count(census);
	for (size_t i = 0; i < 20000; i++)
		ck_assert_uint_eq(rows[i].count, 2);
	buf_release(&text);
	census_free(census);
}
END_TEST

START_TEST(beyond_the_most_they_are_counted_together)
{
	struct census *census = census_create(2);
	add(census, "a", 1);
	add(census, "b", 1);
	add(census, "c", 5);
	add(census, "a", 1);
	ck_assert_uint_eq(census_size(census), 2);
	ck_assert_uint_eq(census_others(census), 5);
	ck_assert_uint_eq(census_by_count(census)[0].count, 2);
	census_free(census);
	census_free(NULL);
}
END_TEST

static Suite *census_suite(void)
{
	Suite *suite = suite_create("census");
	TCase *tcase = tcase_create("census");
	tcase_add_test(tcase, texts_are_counted_and_the_most_frequent_stands_first);
	tcase_add_test(tcase, many_texts_keep_their_counts_as_it_grows);
	tcase_add_test(tcase, beyond_the_most_they_are_counted_together);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(census_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
