#include "config/pointer.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

struct path_case {
	const char *pointer, *path;
};

static const struct path_case path_cases[] = {
    {"", ""},
    {"/messages/order_placed/amount", "messages.order_placed.amount"},
    {"/bindings/0/queue", "bindings.0.queue"},
    {"/messages/order.placed", "messages.\"order.placed\""},
    {"/a=b/c d", "\"a=b\".\"c d\""},
    {"//x", "\"\".x"},
    {"/a~1b~0c", "a/b~c"},
    {"/a\x1b[2J", "a\\x1b[2J"},
};

START_TEST(pointer_is_shown_as_a_path)
{
	char *path = pointer_path(slice_str(path_cases[_i].pointer));
	ck_assert_str_eq(path, path_cases[_i].path);
	free(path);
}
END_TEST

START_TEST(a_long_path_keeps_its_end)
{
	struct buf pointer = {0};
	for (int i = 0; i < 200; i++)
		buf_append_str(&pointer, "/\xc3\xa4\xc3\xa4");
	buf_append_str(&pointer, "/end");
	char *path = pointer_path(buf_slice(&pointer));
	ck_assert_uint_le(strlen(path), 303);
	ck_assert_int_eq(strncmp(path, "...", 3), 0);
	ck_assert_str_eq(path + strlen(path) - 4, ".end");
	free(path);
	buf_release(&pointer);
}
END_TEST

START_TEST(a_long_pointer_is_shown_by_its_last_keys)
{
	struct buf pointer = {0}, want = {0};
	buf_append_str(&want, "...");
	for (int i = 0; i < 9; i++)
		for (int k = 0; k < 1000; k++)
			buf_append_char(&pointer, k == 0 ? '/' : 'x');
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 80; k++)
			buf_append_char(&want, 'x');
		buf_append_str(&want, "....");
	}
	pointer_push_index(&pointer, 7);
	char *path = pointer_path(buf_slice(&pointer));
	ck_assert_uint_eq(strlen(path), want.len + 1);
	ck_assert_str_eq(path + want.len - 4, "....7");
	ck_assert_int_eq(strncmp(path, want.ptr, want.len), 0);
	free(path);
	buf_release(&pointer);
	buf_release(&want);
}
END_TEST

START_TEST(what_is_pushed_comes_out_again)
{
	static const char *const keys[] = {"a", "", "a/b", "~", "~1", "~0/", "\xc3\xa4", "0"};
	struct buf pointer = {0}, key = {0};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		pointer_push(&pointer, slice_str(keys[i]));
	pointer_push_index(&pointer, 17);
	ck_assert_str_eq(pointer.ptr, "/a//a~1b/~0/~01/~00~1/\xc3\xa4/0/17");
	struct slice rest = buf_slice(&pointer);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		ck_assert(pointer_next(&rest, &key));
		ck_assert_str_eq(key.ptr, keys[i]);
	}
	ck_assert(pointer_next(&rest, &key));
	ck_assert_str_eq(key.ptr, "17");
	ck_assert(!pointer_next(&rest, &key));
	buf_release(&key);
	buf_release(&pointer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pointer");
	TCase *tc = tcase_create("pointer");
	tcase_add_loop_test(tc, pointer_is_shown_as_a_path, 0, ARRAY_LEN(path_cases));
	tcase_add_test(tc, a_long_path_keeps_its_end);
	tcase_add_test(tc, a_long_pointer_is_shown_by_its_last_keys);
	tcase_add_test(tc, what_is_pushed_comes_out_again);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
