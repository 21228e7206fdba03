/* What the board prints, byte by byte: into memory instead of a terminal. */
#include "base/chrono.h"
#include "base/mem.h"
#include "lab/board.h"

#include <check.h>
#include <stdlib.h>

static const char *const names[] = {"shop", "billing"};
static char *text;
static size_t length;
static FILE *out;

static struct board *make(size_t width, bool has_cursor)
{
	out = open_memstream(&text, &length);
	const struct board_options options = {
	    .out = out, .names = names, .count = 2, .width = width, .has_cursor = has_cursor};
	return board_create(&options);
}

/* Frees the board and compares all it has printed. */
static void expect(struct board *board, const char *expected)
{
	board_free(board);
	fclose(out);
	ck_assert_str_eq(text, expected);
	free(text);
}

static void say(struct board *board, size_t who, const char *line)
{
	board_line(board, who, BOARD_DATA, slice_str(line), 0);
}

#define HEADER(dashes) "\nshop\033[31Gbilling\n" dashes "\033[31G" dashes "\n"
#define DASHES "----------------------------"

START_TEST(in_a_pipe_each_line_has_its_name_and_is_whole)
{
	struct board *board = make(0, false);
	char *line = mem_printf("%0500d", 7);
	char *expected = mem_printf("shop    | one\nbilling | %s\n", line);
	say(board, 0, "one");
	say(board, 1, line);
	expect(board, expected);
	free(line);
	free(expected);
}
END_TEST

START_TEST(on_a_narrow_terminal_a_long_line_is_cut)
{
	struct board *board = make(30, true);
	say(board, 1, "12345678901234567890");
	say(board, 1, "123456789012345678901");
	expect(board, "billing | 12345678901234567890\nbilling | 12345678901234567...\n");
}
END_TEST

START_TEST(a_terminal_without_a_cursor_has_no_columns)
{
	struct board *board = make(200, false);
	say(board, 0, "one");
	expect(board, "shop    | one\n");
}
END_TEST

START_TEST(what_comes_in_a_moment_stands_in_one_row)
{
	struct board *board = make(60, true);
	say(board, 1, "got one");
	say(board, 1, "got two");
	say(board, 0, "sent one");
	ck_assert_uint_lt(board_due_ns(board), CHRONO_S);
	board_show(board);
	ck_assert_uint_eq(board_due_ns(board), UINT64_MAX);
	say(board, 0, "later");
	expect(board, HEADER(DASHES) "sent one\033[31Ggot one\n\033[31Ggot two\nlater\n");
}
END_TEST

START_TEST(a_cell_is_cut_by_what_it_takes_on_the_screen)
{
	struct board *board = make(60, true);
	say(board, 0, "ÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄ");
	board_show(board);
	say(board, 0, "日本日本日本日本日本日本日本日本");
	expect(board, HEADER(DASHES) "ÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄ\n"
				     "日本日本日本日本日本日本...\n");
}
END_TEST

START_TEST(a_sentence_is_broken_between_words)
{
	struct board *board = make(40, false);
	board_say(board, "the quick brown fox jumps over the lazy dog");
	board_print(board, "  ok   ", "supercalifragilisticexpialidocious-and-more fits in none");
	expect(board, "\n-- the quick brown fox jumps over the\n   lazy dog\n"
		      "  ok   supercalifragilisticexpialidociou\n       s-and-more fits in none\n");
}
END_TEST

START_TEST(a_question_stays_below)
{
	struct board *board = make(30, false);
	board_ask(board, "Enter ");
	say(board, 0, "one");
	board_ask(board, NULL);
	say(board, 0, "two");
	expect(board, "Enter \r\033[Kshop    | one\nEnter \r\033[Kshop    | two\n");
}
END_TEST

START_TEST(the_names_are_repeated_after_a_sentence)
{
	struct board *board = make(60, true);
	say(board, 0, "one");
	board_say(board, "now");
	say(board, 0, "two");
	expect(board, HEADER(DASHES) "one\n\n-- now\n" HEADER(DASHES) "two\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("board");
	TCase *tests = tcase_create("board");
	tcase_add_test(tests, in_a_pipe_each_line_has_its_name_and_is_whole);
	tcase_add_test(tests, on_a_narrow_terminal_a_long_line_is_cut);
	tcase_add_test(tests, a_terminal_without_a_cursor_has_no_columns);
	tcase_add_test(tests, what_comes_in_a_moment_stands_in_one_row);
	tcase_add_test(tests, a_cell_is_cut_by_what_it_takes_on_the_screen);
	tcase_add_test(tests, a_sentence_is_broken_between_words);
	tcase_add_test(tests, a_question_stays_below);
	tcase_add_test(tests, the_names_are_repeated_after_a_sentence);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
