/* First in, first out; memory in proportion to what is in it. */
#include "base/fifo.h"

#include <check.h>
#include <stdlib.h>

START_TEST(items_come_out_in_their_order)
{
	struct fifo f = {.size = sizeof(int)};
	ck_assert(fifo_is_empty(&f));
	ck_assert_ptr_null(fifo_front(&f));
	int in = 0, out = 0;
	for (int round = 1; round < 100; round++) {
		for (int i = 0; i < round; i++, in++)
			fifo_push(&f, &in);
		ck_assert_uint_eq(fifo_count(&f), (size_t)(in - out));
		for (int i = 0; i < round / 2; i++, fifo_pop(&f))
			ck_assert_int_eq(*(int *)fifo_front(&f), out++);
	}
	for (; !fifo_is_empty(&f); fifo_pop(&f))
		ck_assert_int_eq(*(int *)fifo_front(&f), out++);
	ck_assert_int_eq(in, out);
	fifo_release(&f);
	ck_assert(fifo_is_empty(&f));
}
END_TEST

START_TEST(a_queue_that_is_never_empty_does_not_grow)
{
	struct fifo f = {.size = sizeof(int)};
	for (int i = 0; i < 10; i++)
		fifo_push(&f, &i);
	for (int i = 10; i < 100000; i++) {
		fifo_push(&f, &i);
		ck_assert_int_eq(*(int *)fifo_front(&f), i - 10);
		fifo_pop(&f);
	}
	ck_assert_uint_le(f.capacity, 64);
	fifo_release(&f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fifo");
	TCase *tcase = tcase_create("fifo");
	tcase_add_test(tcase, items_come_out_in_their_order);
	tcase_add_test(tcase, a_queue_that_is_never_empty_does_not_grow);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
