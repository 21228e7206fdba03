#include "base/sheet.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/output.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FIRST_ROWS 200	       /* decide how wide the columns of a table are */
#define FIRST_BYTES (1u << 20) /* or those that fill so much */
#define MOST_CELL_BYTES 4096   /* of a text in a table */
#define SMALLEST_LAST 10       /* columns of a terminal for the last one */
#define OUTPUT_BYTES (64u << 10)

struct column {
	char *name;
	size_t width;  /* of the widest cell seen */
	bool has_text; /* numbers stand to the right */
};

struct sheet {
	enum sheet_format format;
	struct output output;
	struct column *columns;
	size_t count;
	size_t terminal; /* its columns; 0: no terminal, nothing is cut */
	bool is_terminal;
	bool laid_out;	 /* the names are out, and the widths are fixed */
	struct buf held; /* a table's first cells, printable, a NUL behind each */
	size_t held_rows;
};

static size_t terminal_columns(void)
{
	struct winsize size;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

struct sheet *sheet_create(enum sheet_format format, const char *const names[], size_t count)
{
	struct sheet *s = mem_alloc(1, sizeof *s);
	s->format = format;
	s->count = count;
	s->columns = mem_alloc(count, sizeof *s->columns);
	for (size_t i = 0; i < count; i++)
		s->columns[i].name = mem_strdup(names[i]);
	s->terminal = terminal_columns();
	s->is_terminal = isatty(STDOUT_FILENO) != 0;
	output_init(&s->output, STDOUT_FILENO, "standard output", NULL);
	return s;
}

void sheet_free(struct sheet *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->columns[i].name);
	free(s->columns);
	buf_release(&s->held);
	output_release(&s->output);
	free(s);
}

struct sheet_cell sheet_text(struct slice text)
{
	return (struct sheet_cell){
	    .kind = text.ptr != NULL ? SHEET_TEXT : SHEET_NULL, .text = text};
}

struct sheet_cell sheet_integer(uint64_t value)
{
	return (struct sheet_cell){.kind = SHEET_INTEGER, .integer = (int64_t)value};
}

static void write_number(const struct sheet_cell *cell, struct buf *out)
{
	if (cell->kind == SHEET_INTEGER)
		buf_printf(out, "%" PRId64, cell->integer);
	else if (isfinite(cell->real))
		num_format_double(cell->real, out);
	else
		buf_append_str(out, cell->real < 0 ? "-Infinity" : "Infinity");
}

/* ---- JSON ---- */

static void write_json_text(struct slice text, struct buf *out)
{
	if (text_is_utf8(text)) {
		text_json(text, out);
		return;
	}
	buf_append_str(out, "{\"base64\":\"");
	text_base64(text, out);
	buf_append_str(out, "\"}");
}

static void write_json_row(const struct sheet *s, const struct sheet_cell *cells, struct buf *out)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct sheet_cell *cell = &cells[i];
		bool is_number = cell->kind == SHEET_INTEGER || cell->kind == SHEET_REAL;
		bool is_null =
		    cell->kind == SHEET_NULL || (cell->kind == SHEET_REAL && !isfinite(cell->real));
		buf_append_char(out, i == 0 ? '{' : ',');
		write_json_text(slice_str(s->columns[i].name), out);
		buf_append_char(out, ':');
		if (is_null)
			buf_append_str(out, "null");
		else if (is_number)
			write_number(cell, out);
		else
			write_json_text(cell->text, out);
	}
	buf_append_str(out, "}\n");
}

/* ---- CSV ---- */

static void write_quoted(struct slice text, struct buf *out)
{
	buf_append_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			buf_append_char(out, '"');
		buf_append_char(out, text.ptr[i]);
	}
	buf_append_char(out, '"');
}

static bool needs_quotes(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (strchr(",\"\r\n", text.ptr[i]) != NULL)
			return true;
	return text.len == 0 || text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ';
}

/* A program gets every character as it is; a terminal would obey some. */
static void write_csv_text(const struct sheet *s, struct slice text, struct buf *out)
{
	struct buf printable = {0};
	if (s->is_terminal && text_is_utf8(text) && text.len > 0) {
		text_escape_lines(text, SIZE_MAX, &printable);
		text = buf_slice(&printable);
	}
	if (!text_is_utf8(text)) {
		buf_append_str(out, "base64:");
		text_base64(text, out);
	} else if (needs_quotes(text)) {
		write_quoted(text, out);
	} else {
		buf_append(out, text);
	}
	buf_release(&printable);
}

static void write_csv_names(const struct sheet *s, struct buf *out)
{
	for (size_t i = 0; i < s->count; i++) {
		if (i > 0)
			buf_append_char(out, ',');
		write_csv_text(s, slice_str(s->columns[i].name), out);
	}
	buf_append_str(out, "\r\n");
}

static void write_csv_row(const struct sheet *s, const struct sheet_cell *cells, struct buf *out)
{
	for (size_t i = 0; i < s->count; i++) {
		if (i > 0)
			buf_append_char(out, ',');
		if (cells[i].kind == SHEET_TEXT)
			write_csv_text(s, cells[i].text, out);
		else if (cells[i].kind != SHEET_NULL)
			write_number(&cells[i], out);
	}
	buf_append_str(out, "\r\n");
}

/* ---- a table ---- */

/* Characters of UTF-8; wide and combining ones are counted as one as well. */
static size_t count_columns(struct slice text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return count;
}

/* The first columns of a printable text, which ends in ".." when it is cut. */
static void write_cut(struct slice text, size_t columns, struct buf *out)
{
	size_t end = 0, seen = 0;
	if (count_columns(text) <= columns || columns < 2) {
		buf_append(out, text);
		return;
	}
	while (end < text.len) {
		seen += ((unsigned char)text.ptr[end] & 0xc0) != 0x80;
		if (seen > columns - 2)
			break;
		end++;
	}
	buf_append(out, (struct slice){text.ptr, end});
	buf_append_str(out, "..");
}

static void pad(size_t count, struct buf *out)
{
	while (count-- > 0)
		buf_append_char(out, ' ');
}

/* The last column has no fixed width: what follows it is the end of the line. */
static void write_cell(const struct sheet *s, size_t i, struct slice text, struct buf *out)
{
	const struct column *c = &s->columns[i];
	bool is_last = i + 1 == s->count;
	size_t width = count_columns(text);
	size_t blanks = width < c->width ? c->width - width : 0;
	if (!c->has_text)
		pad(blanks, out);
	if (s->terminal > 0)
		write_cut(text, c->width, out);
	else
		buf_append(out, text);
	if (c->has_text && !is_last)
		pad(blanks, out);
	buf_append_str(out, is_last ? "\n" : "  ");
}

/* On a terminal the widest columns give way until the line fits. */
static void fit(struct sheet *s)
{
	size_t sum = 0;
	for (size_t i = 0; i < s->count; i++)
		sum += s->columns[i].width + (i + 1 < s->count ? 2 : 0);
	while (sum > s->terminal) {
		struct column *widest = &s->columns[0];
		for (size_t i = 1; i < s->count; i++)
			if (s->columns[i].width >= widest->width)
				widest = &s->columns[i];
		if (widest->width <= SMALLEST_LAST)
			return;
		widest->width--;
		sum--;
	}
}

static void write_names(struct sheet *s, struct buf *out)
{
	struct buf name = {0};
	for (size_t i = 0; i < s->count; i++) {
		buf_clear(&name);
		text_escape(slice_str(s->columns[i].name), MOST_CELL_BYTES, &name);
		write_cell(s, i, buf_slice(&name), out);
	}
	buf_release(&name);
}

static void lay_out(struct sheet *s)
{
	struct buf *out = output_buf(&s->output);
	const char *at = s->held.ptr;
	s->laid_out = true;
	for (size_t i = 0; i < s->count; i++) {
		size_t width = count_columns(slice_str(s->columns[i].name));
		if (width > s->columns[i].width)
			s->columns[i].width = width;
	}
	if (s->terminal > 0)
		fit(s);
	write_names(s, out);
	for (size_t row = 0; row < s->held_rows; row++)
		for (size_t i = 0; i < s->count; i++) {
			struct slice text = slice_str(at);
			write_cell(s, i, text, out);
			at += text.len + 1;
		}
	buf_release(&s->held);
}

static void write_printable(const struct sheet_cell *cell, struct buf *out)
{
	if (cell->kind == SHEET_TEXT)
		text_escape(cell->text, MOST_CELL_BYTES, out);
	else if (cell->kind != SHEET_NULL)
		write_number(cell, out);
}

static void hold_row(struct sheet *s, const struct sheet_cell *cells)
{
	for (size_t i = 0; i < s->count; i++) {
		struct column *c = &s->columns[i];
		size_t at = s->held.len;
		write_printable(&cells[i], &s->held);
		size_t width = count_columns(slice_from(buf_slice(&s->held), at));
		c->width = width > c->width ? width : c->width;
		c->has_text = c->has_text || cells[i].kind == SHEET_TEXT;
		buf_append_char(&s->held, '\0');
	}
	if (++s->held_rows == FIRST_ROWS || s->held.len > FIRST_BYTES)
		lay_out(s);
}

static void write_table_row(struct sheet *s, const struct sheet_cell *cells, struct buf *out)
{
	struct buf text = {0};
	for (size_t i = 0; i < s->count; i++) {
		buf_clear(&text);
		write_printable(&cells[i], &text);
		write_cell(s, i, buf_slice(&text), out);
	}
	buf_release(&text);
}

/* ---- rows ---- */

static void write_csv_head(struct sheet *s)
{
	if (!s->laid_out)
		write_csv_names(s, output_buf(&s->output));
	s->laid_out = true;
}

bool sheet_add(struct sheet *s, const struct sheet_cell *cells, struct error *err)
{
	struct buf *out = output_buf(&s->output);
	if (s->format == SHEET_JSON) {
		write_json_row(s, cells, out);
	} else if (s->format == SHEET_CSV) {
		write_csv_head(s);
		write_csv_row(s, cells, out);
	} else if (!s->laid_out) {
		hold_row(s, cells);
	} else {
		write_table_row(s, cells, out);
	}
	return output_waiting(&s->output) < OUTPUT_BYTES || output_drain(&s->output, 0, err);
}

bool sheet_end(struct sheet *s, struct error *err)
{
	if (s->format == SHEET_CSV)
		write_csv_head(s);
	else if (s->format == SHEET_TABLE && !s->laid_out)
		lay_out(s);
	return output_drain(&s->output, 0, err);
}
