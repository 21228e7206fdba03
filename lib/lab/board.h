/*
 * board.h - what several programs say at the same time, so that one sees who says what.
 *
 * On a wide terminal each has a column, and what comes in the same moment stands in one row. On a
 * narrow one, and anywhere else, each line begins with a name, as those of docker compose do.
 */
#ifndef LAB_BOARD_H
#define LAB_BOARD_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum board_style {
	BOARD_DATA,    /* a message */
	BOARD_TALK,    /* something about itself */
	BOARD_COMMAND, /* how it was started */
};

struct board_options {
	FILE *out;		  /* its errors stay in it */
	const char *const *names; /* printable; borrowed for as long as the board */
	size_t count;
	size_t width;	 /* of the terminal; 0: none, nothing is cut */
	bool has_cursor; /* the terminal can place it: columns are possible */
	bool color;
};

struct board;

struct board *board_create(const struct board_options *options);
/* Shows what waits, and frees. Accepts NULL. */
void board_free(struct board *board);

/* A line of the nth; the text must be printable. Shown by board_show, or by what comes next. */
void board_line(
    struct board *board, size_t who, enum board_style style, struct slice text, uint64_t now_ns);
/* A sentence across all columns, broken between words. Printable, as all texts here. */
void board_say(struct board *board, const char *text);
/* The same as part of a list, behind a beginning of its own. */
void board_print(struct board *board, const char *beginning, const char *text);
/* A question that stays below whatever else is shown, on a terminal, until it is NULL again.
 * Borrowed. */
void board_ask(struct board *board, const char *question);

/* When what waits is to be shown; UINT64_MAX: nothing waits. */
uint64_t board_due_ns(const struct board *board);
void board_show(struct board *board);

#endif
