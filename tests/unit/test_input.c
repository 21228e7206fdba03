#include "config/input.h"

#include "base/mem.h"
#include "folder_bench.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_refused(const char *name, enum error_kind kind, const char *want)
{
	struct buf out = {0};
	struct error err = {0};
	bool is_file = false;
	buf_append_str(&out, "as before");
	ck_assert(!input_read(name, 10, &out, &is_file, &err));
	ck_assert_str_eq(err.text, want);
	ck_assert_int_eq(err.kind, kind);
	ck_assert_uint_eq(out.len, 9);
	buf_release(&out);
}

static void check_read(const char *name, const char *want, bool want_file)
{
	struct buf out = {0};
	struct error err = {0};
	bool is_file = !want_file;
	buf_append_str(&out, ">");
	ck_assert(input_read(name, 10, &out, &is_file, &err));
	ck_assert_str_eq(err.text, "");
	ck_assert_str_eq(out.ptr + 1, want);
	ck_assert_int_eq(is_file, want_file);
	buf_release(&out);
}

static void fill(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(close(fd), 0);
}

static void set_standard_input(int fd)
{
	ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	ck_assert_int_eq(close(fd), 0);
}

START_TEST(what_is_no_file_is_refused)
{
	enter_folder();
	ck_assert_int_eq(mkfifo("pipe", 0600), 0);
	check_refused("none", ERROR_NO_INPUT, "cannot open 'none': No such file or directory");
	check_refused("a\nb", ERROR_NO_INPUT, "cannot open 'a\\nb': No such file or directory");
	check_refused("", ERROR_NO_INPUT, "cannot open '': No such file or directory");
	check_refused(".", ERROR_NO_INPUT, "cannot read '.': Is a directory");
	check_refused("/dev/zero", ERROR_NO_INPUT,
	    "cannot read '/dev/zero': it is neither a file nor a pipe");
	check_refused("pipe", ERROR_NO_INPUT, "cannot read 'pipe': the pipe gave nothing");
	leave_folder();
}
END_TEST

START_TEST(a_file_is_read_up_to_the_limit)
{
	enter_folder();
	fill(open("f", O_CREAT | O_WRONLY, 0600), "");
	check_read("f", "", true);
	fill(open("f", O_WRONLY), "0123456789");
	check_read("f", "0123456789", true);
	fill(open("f", O_WRONLY), "0123456789a");
	check_refused("f", ERROR_SETTINGS, "'f' is larger than 10 bytes");
	leave_folder();
}
END_TEST

START_TEST(standard_input_and_pipes_are_read)
{
	static const char *const names[] = {"-", "/dev/stdin", "/dev/fd/0"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int ends[2];
		ck_assert_int_eq(pipe(ends), 0);
		fill(ends[1], "a: 1\n");
		set_standard_input(ends[0]);
		check_read(names[i], "a: 1\n", false);
	}
	set_standard_input(open("/dev/null", O_RDONLY));
	check_read("-", "", false);
	set_standard_input(open("/dev/zero", O_RDONLY));
	check_refused("-", ERROR_SETTINGS, "'-' is larger than 10 bytes");
}
END_TEST

START_TEST(a_slow_pipe_is_waited_for)
{
	int ends[2], go[2];
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(pipe(go), 0);
	pid_t writer = fork();
	if (writer == 0) { /* writes only after the reader found the pipe empty */
		char c;
		(void)close(go[1]);
		_exit(read(go[0], &c, 1) == 0 && write(ends[1], "late", 4) == 4 ? 0 : 1);
	}
	ck_assert_int_eq(close(ends[1]), 0);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	set_standard_input(ends[0]);
	char c;
	ck_assert_int_eq(read(STDIN_FILENO, &c, 1), -1);
	ck_assert_int_eq(close(go[1]), 0);
	check_read("-", "late", false);
}
END_TEST

START_TEST(a_closed_standard_input_is_refused)
{
	ck_assert_int_eq(close(STDIN_FILENO), 0);
	check_refused("-", ERROR_NO_INPUT, "cannot read '-': Bad file descriptor");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("input");
	TCase *tc = tcase_create("input");
	tcase_add_test(tc, what_is_no_file_is_refused);
	tcase_add_test(tc, a_file_is_read_up_to_the_limit);
	tcase_add_test(tc, standard_input_and_pipes_are_read);
	tcase_add_test(tc, a_slow_pipe_is_waited_for);
	tcase_add_test(tc, a_closed_standard_input_is_refused);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
