#include "base/buf.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

START_TEST(empty_slices_are_equal_whatever_they_point_to)
{
	ck_assert(slice_equal((struct slice){0}, SLICE("")));
	ck_assert(slice_is((struct slice){0}, ""));
	ck_assert(slice_is(slice_str(NULL), ""));
	ck_assert(!slice_equal(SLICE("a"), SLICE("")));
	ck_assert(!slice_equal(SLICE("a"), SLICE("b")));
	ck_assert(slice_equal(SLICE("a\0b"), SLICE("a\0b")));
	ck_assert(!slice_is(SLICE("a\0b"), "a"));
}
END_TEST

static const struct {
	const char *text, *trimmed;
} trims[] = {
    {"", ""},
    {" \t\r\n", ""},
    {"a", "a"},
    {"  a b\r\n", "a b"},
    {"a\n", "a"},
    {"\va", "\va"},
};

START_TEST(trim_takes_blanks_off_both_ends)
{
	struct slice trimmed = slice_trim(slice_str(trims[_i].text));
	ck_assert(slice_is(trimmed, trims[_i].trimmed));
}
END_TEST

START_TEST(appended_bytes_end_in_nul)
{
	struct buf b = {0};
	buf_append_str(&b, "ab");
	ck_assert_str_eq(b.ptr, "ab");
	buf_append_char(&b, 'c');
	ck_assert_str_eq(b.ptr, "abc");
	buf_append(&b, (struct slice){0});
	buf_append(&b, SLICE("d\0e"));
	ck_assert_uint_eq(b.len, 6);
	ck_assert_int_eq(b.ptr[6], '\0');
	buf_printf(&b, "%s-%d", "f", 7);
	ck_assert(slice_equal(buf_slice(&b), SLICE("abcd\0ef-7")));
	buf_printf(&b, "%s", "");
	ck_assert_uint_eq(b.len, 9);
	buf_release(&b);
	ck_assert_ptr_null(b.ptr);
}
END_TEST

START_TEST(every_size_of_append_fits)
{
	struct buf b = {0};
	char text[200];
	memset(text, 'x', sizeof text);
	size_t total = 0;
	for (size_t len = 0; len < sizeof text; total += len, len++) {
		buf_append(&b, (struct slice){text, len});
		ck_assert_uint_eq(b.len, total + len);
		ck_assert_uint_gt(b.capacity, b.len);
		ck_assert_uint_eq(strlen(b.ptr), b.len);
	}
	buf_release(&b);
}
END_TEST

START_TEST(reserved_room_is_not_moved_by_what_fits_in_it)
{
	struct buf b = {0};
	const char *at = buf_reserve(&b, 1000);
	for (int i = 0; i < 1000; i++)
		buf_append_char(&b, 'x');
	ck_assert_ptr_eq(b.ptr, at);
	buf_release(&b);
}
END_TEST

static const struct {
	uint64_t value;
	const char *text;
} numbers[] = {
    {0, "0"},
    {9, "9"},
    {10, "10"},
    {1234567890, "1234567890"},
    {UINT64_MAX, "18446744073709551615"},
};

START_TEST(numbers_are_appended_in_decimal)
{
	struct buf b = {0};
	buf_append_u64(&b, numbers[_i].value);
	ck_assert_str_eq(b.ptr, numbers[_i].text);
	buf_release(&b);
}
END_TEST

START_TEST(consumed_bytes_leave_the_rest)
{
	struct buf b = {0};
	buf_consume(&b, 5);
	buf_append_str(&b, "abcdef");
	buf_consume(&b, 0);
	buf_consume(&b, 2);
	ck_assert_str_eq(b.ptr, "cdef");
	buf_consume(&b, 100);
	ck_assert_str_eq(b.ptr, "");
	ck_assert_uint_eq(b.len, 0);
	buf_release(&b);
}
END_TEST

START_TEST(truncated_text_ends_in_nul)
{
	struct buf b = {0};
	buf_truncate(&b, 0);
	buf_append_str(&b, "abcdef");
	buf_truncate(&b, 2);
	ck_assert_str_eq(b.ptr, "ab");
	ck_assert_uint_eq(b.len, 2);
	buf_release(&b);
}
END_TEST

START_TEST(clear_keeps_the_memory)
{
	struct buf b = {0};
	buf_clear(&b);
	buf_append_str(&b, "abc");
	size_t capacity = b.capacity;
	buf_clear(&b);
	ck_assert_str_eq(b.ptr, "");
	ck_assert_uint_eq(b.capacity, capacity);
	buf_release(&b);
	buf_release(&b);
}
END_TEST

START_TEST(taken_text_belongs_to_the_caller)
{
	struct buf b = {0};
	char *text = buf_take(&b);
	ck_assert_str_eq(text, "");
	free(text);
	buf_append_str(&b, "abc");
	text = buf_take(&b);
	ck_assert_str_eq(text, "abc");
	ck_assert_ptr_null(b.ptr);
	ck_assert_uint_eq(b.capacity, 0);
	free(text);
}
END_TEST

static Suite *buf_suite(void)
{
	Suite *suite = suite_create("buf");
	TCase *slices = tcase_create("slice");
	tcase_add_test(slices, empty_slices_are_equal_whatever_they_point_to);
	tcase_add_loop_test(slices, trim_takes_blanks_off_both_ends, 0, (int)ARRAY_LEN(trims));
	suite_add_tcase(suite, slices);
	TCase *bufs = tcase_create("buf");
	tcase_add_test(bufs, appended_bytes_end_in_nul);
	tcase_add_test(bufs, every_size_of_append_fits);
	tcase_add_test(bufs, reserved_room_is_not_moved_by_what_fits_in_it);
	tcase_add_loop_test(bufs, numbers_are_appended_in_decimal, 0, (int)ARRAY_LEN(numbers));
	tcase_add_test(bufs, consumed_bytes_leave_the_rest);
	tcase_add_test(bufs, truncated_text_ends_in_nul);
	tcase_add_test(bufs, clear_keeps_the_memory);
	tcase_add_test(bufs, taken_text_belongs_to_the_caller);
	suite_add_tcase(suite, bufs);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(buf_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
