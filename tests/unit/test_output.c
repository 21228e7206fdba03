/* Bytes to a slow reader: never blocking, never piling up, none lost. */
#include "base/output.h"

#include "base/chrono.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int ends[2]; /* of a pipe */
static struct output out;
static struct error err;

static void open_output(struct loop *loop)
{
	err = (struct error){0};
	ck_assert_int_eq(pipe(ends), 0);
	output_init(&out, ends[1], "the pipe", loop);
}

static void close_output(void)
{
	output_release(&out);
	close(ends[0]);
	close(ends[1]);
}

static void append_bytes(size_t count)
{
	char *room = buf_reserve(output_buf(&out), count);
	memset(room, 'x', count);
	output_buf(&out)->len += count;
}

static size_t read_bytes(size_t most)
{
	static char bytes[1 << 20];
	ssize_t n = read(ends[0], bytes, most);
	ck_assert_int_ge(n, 0);
	return (size_t)n;
}

START_TEST(a_full_pipe_makes_bytes_wait)
{
	open_output(NULL);
	append_bytes(1 << 20);
	ck_assert(output_flush(&out, &err));
	ck_assert_uint_gt(out.total, 0);
	ck_assert_uint_gt(output_waiting(&out), 0);
	ck_assert_uint_eq(output_position(&out), 1 << 20);
	ck_assert(!output_is_full(&out));
	append_bytes(4 << 20);
	ck_assert(output_is_full(&out));
	close_output();
}
END_TEST

START_TEST(a_reader_that_is_always_behind_costs_no_memory)
{
	open_output(NULL);
	append_bytes(1 << 20);
	for (int i = 0; i < 2000; i++) {
		append_bytes(8192);
		ck_assert(output_flush(&out, &err));
		read_bytes(8192);
	}
	ck_assert_uint_gt(output_waiting(&out), 0);
	ck_assert_uint_lt(out.waiting.capacity, 5 << 20);
	ck_assert_uint_eq(output_position(&out), (1 << 20) + 2000 * 8192);
	close_output();
}
END_TEST

START_TEST(a_closed_pipe_is_an_error)
{
	struct loop *loop = loop_create(&err); /* ignores SIGPIPE */
	open_output(loop);
	close(ends[0]);
	append_bytes(10);
	ck_assert(!output_flush(&out, &err));
	ck_assert_int_eq(err.kind, ERROR_IO);
	ck_assert_str_eq(err.text, "cannot write to the pipe: Broken pipe");
	output_release(&out);
	close(ends[1]);
	loop_free(loop);
}
END_TEST

static void read_much(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	read_bytes(1 << 20);
	loop_at(ctx, chrono_now_ns() + CHRONO_MS, read_much, ctx);
}

START_TEST(a_drain_waits_for_the_reader)
{
	struct loop *loop = loop_create(&err);
	open_output(loop);
	append_bytes(3 << 20);
	loop_at(loop, 0, read_much, loop);
	ck_assert_msg(output_drain(&out, 0, &err), "%s", err.text);
	ck_assert_uint_eq(output_waiting(&out), 0);
	ck_assert_uint_eq(out.total, 3 << 20);
	close_output();
	loop_free(loop);
}
END_TEST

START_TEST(a_stop_ends_the_wait)
{
	struct loop *loop = loop_create(&err);
	open_output(loop);
	append_bytes(1 << 20);
	loop_request_stop(loop);
	uint64_t start = chrono_now_ns();
	ck_assert(!output_drain(&out, 50 * CHRONO_MS, &err));
	ck_assert_uint_ge(chrono_now_ns() - start, 50 * CHRONO_MS);
	ck_assert_int_eq(err.kind, ERROR_IO);
	ck_assert(strstr(err.text, "the pipe takes no more: ") != NULL);
	close_output();
	loop_free(loop);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("output");
	TCase *tcase = tcase_create("output");
	tcase_add_test(tcase, a_full_pipe_makes_bytes_wait);
	tcase_add_test(tcase, a_reader_that_is_always_behind_costs_no_memory);
	tcase_add_test(tcase, a_closed_pipe_is_an_error);
	tcase_add_test(tcase, a_drain_waits_for_the_reader);
	tcase_add_test(tcase, a_stop_ends_the_wait);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
