#include "lab/board.h"

#include "base/buf.h"
#include "base/chrono.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define MOMENT_NS (60 * CHRONO_MS) /* what comes within it stands in one row */
#define MIN_COLUMN 26
#define GAP 2		/* between columns */
#define PAPER_WIDTH 100 /* of sentences where there is no terminal */
#define RESET "\033[0m"
#define BOLD "\033[1m"
#define DIM "\033[2m"

struct cell {
	enum board_style style;
	struct buf text; /* empty: nothing waits */
};

struct board {
	struct board_options o;
	size_t column; /* width of one with its gap; 0: no columns */
	size_t name_width;
	struct cell *cells;
	uint64_t due_ns;
	bool needs_header;
};

struct board *board_create(const struct board_options *options)
{
	struct board *board = mem_alloc(1, sizeof *board);
	*board = (struct board){.o = *options, .due_ns = UINT64_MAX, .needs_header = true};
	board->cells = mem_alloc(options->count, sizeof *board->cells);
	for (size_t i = 0; i < options->count; i++)
		if (strlen(options->names[i]) > board->name_width)
			board->name_width = strlen(options->names[i]);
	size_t column = options->count > 0 ? options->width / options->count : 0;
	if (options->has_cursor && column >= MIN_COLUMN)
		board->column = column;
	return board;
}

void board_free(struct board *board)
{
	if (board == NULL)
		return;
	board_show(board);
	for (size_t i = 0; i < board->o.count; i++)
		buf_release(&board->cells[i].text);
	free(board->cells);
	free(board);
}

/* ---- widths ---- */

/* Columns that a character may take, rather one too many: East Asian ones and pictures take two,
 * and which they are depends on the terminal. */
static size_t width_of(unsigned char lead)
{
	return lead >= 0xe3 ? 2 : 1; /* from U+3000 on */
}

static size_t length_of(unsigned char lead)
{
	return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* The bytes of UTF-8 text that fit. */
static size_t fitting(struct slice text, size_t width)
{
	size_t at = 0;
	while (at < text.len) {
		unsigned char lead = (unsigned char)text.ptr[at];
		if (width_of(lead) > width || length_of(lead) > text.len - at)
			break;
		width -= width_of(lead);
		at += length_of(lead);
	}
	return at;
}

/* Writes the text, cut to the width (0: whole). */
static void write_cut(const struct board *board, struct slice text, size_t width)
{
	bool is_cut = width > 0 && fitting(text, width) < text.len;
	size_t length =
	    width == 0 ? text.len : fitting(text, is_cut && width > 3 ? width - 3 : width);
	(void)fprintf(board->o.out, "%.*s%s", (int)length, text.len > 0 ? text.ptr : "",
	    is_cut ? "..." : ""); /* the caller of the board looks at the stream */
}

/* ---- colours ---- */

static const char *color_of(size_t who)
{
	static const char *const colors[] = {
	    "\033[36m", "\033[33m", "\033[32m", "\033[35m", "\033[34m", "\033[31m"};
	return colors[who % ARRAY_LEN(colors)];
}

static void paint(const struct board *board, const char *code)
{
	if (board->o.color)
		(void)fputs(code, board->o.out);
}

static void paint_style(const struct board *board, size_t who, enum board_style style)
{
	if (style == BOARD_TALK)
		paint(board, DIM);
	else
		paint(board, color_of(who));
	if (style == BOARD_COMMAND)
		paint(board, BOLD);
}

/* ---- columns ---- */

static void move_to(const struct board *board, size_t who)
{
	if (who > 0)
		(void)fprintf(board->o.out, "\033[%zuG", who * board->column + 1);
}

static void write_header(struct board *board)
{
	(void)fputc('\n', board->o.out);
	for (size_t i = 0; i < board->o.count; i++) {
		move_to(board, i);
		paint(board, BOLD);
		paint(board, color_of(i));
		write_cut(board, slice_str(board->o.names[i]), board->column - GAP);
		paint(board, RESET);
	}
	(void)fputc('\n', board->o.out);
	for (size_t i = 0; i < board->o.count; i++) {
		move_to(board, i);
		for (size_t dash = 0; dash < board->column - GAP; dash++)
			(void)fputc('-', board->o.out);
	}
	(void)fputc('\n', board->o.out);
	board->needs_header = false;
}

uint64_t board_due_ns(const struct board *board)
{
	return board->due_ns;
}

void board_show(struct board *board)
{
	if (board->due_ns == UINT64_MAX)
		return;
	board->due_ns = UINT64_MAX;
	if (board->needs_header)
		write_header(board);
	for (size_t i = 0; i < board->o.count; i++) {
		struct cell *cell = &board->cells[i];
		if (cell->text.len == 0)
			continue;
		move_to(board, i);
		paint_style(board, i, cell->style);
		write_cut(board, buf_slice(&cell->text), board->column - GAP);
		paint(board, RESET);
		buf_clear(&cell->text);
	}
	(void)fputc('\n', board->o.out);
	(void)fflush(board->o.out);
}

/* ---- lines ---- */

static void write_line(
    const struct board *board, size_t who, enum board_style style, struct slice text)
{
	size_t used = board->name_width + 3;
	paint(board, color_of(who));
	(void)fprintf(board->o.out, "%-*s | ", (int)board->name_width, board->o.names[who]);
	paint(board, RESET);
	if (style != BOARD_DATA)
		paint_style(board, who, style);
	write_cut(board, text, board->o.width > used ? board->o.width - used : 0);
	if (style != BOARD_DATA)
		paint(board, RESET);
	(void)fputc('\n', board->o.out);
	(void)fflush(board->o.out);
}

void board_line(
    struct board *board, size_t who, enum board_style style, struct slice text, uint64_t now_ns)
{
	struct cell *cell = &board->cells[who];
	if (text.len == 0)
		return;
	if (board->column == 0) {
		write_line(board, who, style, text);
		return;
	}
	if (cell->text.len > 0)
		board_show(board);
	cell->style = style;
	buf_append(&cell->text, text);
	if (board->due_ns == UINT64_MAX)
		board->due_ns = chrono_after(now_ns, MOMENT_NS);
}

static void write_wrapped(const struct board *board, struct slice text, size_t width)
{
	while (text.len > 0) {
		size_t length = fitting(text, width), end = length;
		if (length < text.len)
			while (end > 0 && text.ptr[end] != ' ')
				end--;
		if (end == 0)
			end = length > 0 ? length : text.len;
		(void)fprintf(board->o.out, "%.*s", (int)end, text.ptr);
		text = slice_trim((struct slice){text.ptr + end, text.len - end});
		if (text.len > 0)
			(void)fputs("\n   ", board->o.out);
	}
}

void board_say(struct board *board, const char *text, const char *ending)
{
	size_t width = board->o.width > 20 ? board->o.width : PAPER_WIDTH;
	board_show(board);
	(void)fputc('\n', board->o.out);
	paint(board, BOLD);
	(void)fputs("-- ", board->o.out);
	write_wrapped(board, slice_str(text), width - 14);
	paint(board, RESET);
	(void)fprintf(board->o.out, "%s%s", ending ? " " : "\n", ending ? ending : "");
	(void)fflush(board->o.out);
	board->needs_header = board->column > 0;
}

void board_print(struct board *board, const char *text)
{
	board_show(board);
	(void)fprintf(board->o.out, "%s\n", text);
	(void)fflush(board->o.out);
	board->needs_header = board->column > 0;
}
