#include "lab/board.h"

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
	char *text; /* owned */
};

/* What one has said and is not shown yet. */
struct lane {
	struct cell *cells;
	size_t count, capacity;
};

struct board {
	struct board_options o;
	size_t column; /* width of one with its gap; 0: no columns */
	size_t name_width;
	struct lane *lanes;
	uint64_t due_ns;
	bool needs_header;
	const char *question; /* NULL: none stands in the last line */
};

struct board *board_create(const struct board_options *options)
{
	struct board *board = mem_alloc(1, sizeof *board);
	*board = (struct board){.o = *options, .due_ns = UINT64_MAX, .needs_header = true};
	board->lanes = mem_alloc(options->count, sizeof *board->lanes);
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
		free(board->lanes[i].cells);
	free(board->lanes);
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

/* ---- the question ---- */

static void hide_question(const struct board *board)
{
	if (board->question != NULL)
		(void)fputs("\r\033[K", board->o.out);
}

static void show_question(const struct board *board)
{
	if (board->question != NULL)
		(void)fputs(board->question, board->o.out);
	(void)fflush(board->o.out);
}

void board_ask(struct board *board, const char *question)
{
	board_show(board);
	hide_question(board);
	board->question = question;
	show_question(board);
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

/* The nth of what each has said; false when nobody said so much. */
static bool write_row(struct board *board, size_t row)
{
	bool is_there = false;
	for (size_t i = 0; i < board->o.count; i++) {
		if (row >= board->lanes[i].count)
			continue;
		struct cell *cell = &board->lanes[i].cells[row];
		is_there = true;
		move_to(board, i);
		paint_style(board, i, cell->style);
		write_cut(board, slice_str(cell->text), board->column - GAP);
		paint(board, RESET);
		free(cell->text);
	}
	if (is_there)
		(void)fputc('\n', board->o.out);
	return is_there;
}

void board_show(struct board *board)
{
	if (board->due_ns == UINT64_MAX)
		return;
	board->due_ns = UINT64_MAX;
	hide_question(board);
	if (board->needs_header)
		write_header(board);
	for (size_t row = 0; write_row(board, row);)
		row++;
	for (size_t i = 0; i < board->o.count; i++)
		board->lanes[i].count = 0;
	show_question(board);
}

/* ---- lines ---- */

static void write_line(
    const struct board *board, size_t who, enum board_style style, struct slice text)
{
	size_t used = board->name_width + 3;
	hide_question(board);
	paint(board, color_of(who));
	(void)fprintf(board->o.out, "%-*s | ", (int)board->name_width, board->o.names[who]);
	paint(board, RESET);
	if (style != BOARD_DATA)
		paint_style(board, who, style);
	write_cut(board, text, board->o.width > used ? board->o.width - used : 0);
	if (style != BOARD_DATA)
		paint(board, RESET);
	(void)fputc('\n', board->o.out);
	show_question(board);
}

void board_line(
    struct board *board, size_t who, enum board_style style, struct slice text, uint64_t now_ns)
{
	struct lane *lane = &board->lanes[who];
	if (text.len == 0)
		return;
	if (board->column == 0) {
		write_line(board, who, style, text);
		return;
	}
	lane->cells = mem_grow(lane->cells, &lane->capacity, lane->count + 1, sizeof *lane->cells);
	lane->cells[lane->count++] = (struct cell){style, mem_strndup(text.ptr, text.len)};
	if (board->due_ns == UINT64_MAX)
		board->due_ns = chrono_after(now_ns, MOMENT_NS);
}

/* Lines after the first stand below the text of that one. */
static void write_wrapped(const struct board *board, struct slice text, size_t indent)
{
	size_t paper = board->o.width > 0 ? board->o.width : PAPER_WIDTH;
	size_t width = paper > indent + MIN_COLUMN ? paper - indent : MIN_COLUMN;
	while (text.len > 0) {
		size_t length = fitting(text, width), end = length;
		while (length < text.len && end > 0 && text.ptr[end] != ' ')
			end--;
		if (end == 0) /* one long word */
			end = length;
		(void)fprintf(board->o.out, "%.*s\n", (int)end, text.ptr);
		text = slice_trim((struct slice){text.ptr + end, text.len - end});
		if (text.len > 0)
			(void)fprintf(board->o.out, "%*s", (int)indent, "");
	}
}

static void write_sentence(
    struct board *board, const char *beginning, const char *text, const char *code)
{
	paint(board, code);
	(void)fputs(beginning, board->o.out);
	write_wrapped(board, slice_str(text), strlen(beginning));
	paint(board, RESET);
	(void)fflush(board->o.out);
	board->needs_header = board->column > 0;
}

void board_say(struct board *board, const char *text)
{
	board_show(board);
	(void)fputc('\n', board->o.out);
	write_sentence(board, "-- ", text, BOLD);
}

void board_print(struct board *board, const char *beginning, const char *text)
{
	board_show(board);
	write_sentence(board, beginning, text, "");
}
