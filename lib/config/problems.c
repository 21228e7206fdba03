#include "config/problems.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_BYTES 1024
#define NAME_BYTES 1000
/* A source line longer than this many characters is cut, with so many left before the column. */
#define LINE_CHARACTERS 90
#define LINE_BEFORE 40

/* --- places --- */

/* The length of the line break at the start of s, 0 when there is none. */
static size_t break_length(struct slice s)
{
	static const char *const breaks[] = {
	    "\r\n", "\n", "\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
	if (s.len == 0 || strchr("\n\r\xc2\xe2", s.ptr[0]) == NULL)
		return 0; /* spares most bytes the search */
	for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
		struct slice b = slice_str(breaks[i]);
		if (s.len >= b.len && memcmp(s.ptr, b.ptr, b.len) == 0)
			return b.len;
	}
	return 0;
}

/* A byte order mark is no character of the first line. */
static struct slice skip_mark(struct slice text)
{
	bool marked = text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0;
	return slice_from(text, marked ? 3 : 0);
}

static bool starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

struct place problems_place(const char *source, struct slice text, size_t offset)
{
	struct place place = {source, 1, 1};
	struct slice rest = skip_mark(text);
	const char *stop = text.ptr + (offset < text.len ? offset : text.len);
	while (rest.ptr < stop) {
		size_t n = break_length(rest);
		if (n > 0) {
			place.line++;
			place.column = 1;
		} else {
			n = 1;
			place.column += starts_character(rest.ptr[0]);
		}
		rest = slice_from(rest, n);
	}
	return place;
}

/* Cuts the first line off *rest; returns it without its end. */
static struct slice take_line(struct slice *rest)
{
	struct slice line = {rest->ptr, 0};
	size_t end = 0;
	while (line.len < rest->len && (end = break_length(slice_from(*rest, line.len))) == 0)
		line.len++;
	*rest = slice_from(*rest, line.len + end);
	return line;
}

/* Walks a text line by line, forward only: problems are sorted, so one pass shows them all. */
struct cursor {
	struct slice rest, line;
	unsigned number; /* of `line`; 0 before the first */
};

static struct slice cursor_line(struct cursor *c, unsigned number)
{
	while (c->number < number && c->rest.len > 0) {
		c->line = take_line(&c->rest);
		c->number++;
	}
	return c->number == number ? c->line : (struct slice){0};
}

struct slice problems_line(struct slice text, unsigned line)
{
	struct cursor c = {.rest = skip_mark(text)};
	return cursor_line(&c, line);
}

size_t problems_column_bytes(struct slice line, size_t count)
{
	size_t i = 0;
	for (; i < line.len; i++)
		if (starts_character(line.ptr[i]) && count-- == 0)
			break;
	return i;
}

/* --- the list --- */

static const char *keep_source(struct problems *p, const char *source)
{
	if (source == NULL)
		source = "";
	for (size_t i = 0; i < p->source_count; i++)
		if (strcmp(p->sources[i], source) == 0)
			return p->sources[i];
	p->sources =
	    mem_grow(p->sources, &p->source_capacity, p->source_count + 1, sizeof p->sources[0]);
	p->sources[p->source_count] = mem_strdup(source);
	return p->sources[p->source_count++];
}

static size_t source_rank(const struct problems *p, const char *source)
{
	size_t i = 0;
	while (i < p->source_count && p->sources[i] != source)
		i++;
	return i;
}

/* Below 0, 0 or above 0, as a stands before, at or after b. Both sources belong to the list. */
static int compare_places(const struct problems *p, struct place a, struct place b)
{
	size_t rank_a = source_rank(p, a.source), rank_b = source_rank(p, b.source);
	if (rank_a != rank_b)
		return rank_a < rank_b ? -1 : 1;
	if (a.line != b.line)
		return a.line < b.line ? -1 : 1;
	return (a.column > b.column) - (a.column < b.column);
}

/* "user:password@host", where the scheme was forgotten: from the first word with an '@' on. */
static struct slice find_bare_credentials(struct slice text)
{
	const char *first = text.len > 0 ? memchr(text.ptr, '@', text.len) : NULL;
	if (first == NULL)
		return (struct slice){0};
	const char *at = memrchr(first, '@', (size_t)(text.ptr + text.len - first));
	while (first > text.ptr && strchr(" \t'\"", first[-1]) == NULL)
		first--;
	bool has_password = memchr(first, ':', (size_t)(at - first)) != NULL;
	return has_password ? (struct slice){first, (size_t)(at - first)} : (struct slice){0};
}

/*
 * The user and password of a URL in a text: from behind "://" to the last '@'. Rather too much than
 * too little, since passwords hold '@', '/', quotes and spaces.
 */
static struct slice find_credentials(struct slice text)
{
	const char *scheme_end = text.len > 0 ? memmem(text.ptr, text.len, "://", 3) : NULL;
	if (scheme_end == NULL)
		return find_bare_credentials(text);
	const char *first = scheme_end + 3;
	const char *at = memrchr(first, '@', (size_t)(text.ptr + text.len - first));
	return at != NULL ? (struct slice){first, (size_t)(at - first)} : (struct slice){0};
}

char *problems_mask(struct slice text)
{
	struct buf out = {0};
	struct slice secret = find_credentials(text);
	if (secret.ptr == NULL)
		return mem_strndup(text.ptr, text.len);
	buf_append(&out, (struct slice){text.ptr, (size_t)(secret.ptr - text.ptr)});
	buf_append_str(&out, "***");
	buf_append(&out, slice_from(text, (size_t)(secret.ptr - text.ptr) + secret.len));
	return buf_take(&out);
}

/* Cuts a text that filled its array, between two characters. */
static size_t mark_cut(char *text, size_t size)
{
	size_t end = size - sizeof "...";
	while (end > 0 && !starts_character(text[end]))
		end--;
	memcpy(text + end, "...", sizeof "...");
	return end + 3;
}

/* Where a new problem belongs; SIZE_MAX when the list has it already. */
static size_t find_position(const struct problems *p, const struct problem *new)
{
	size_t at = p->count;
	while (at > 0 && compare_places(p, p->items[at - 1].place, new->place) > 0)
		at--;
	for (size_t i = at; i > 0; i--) {
		const struct problem *old = &p->items[i - 1];
		if (compare_places(p, old->place, new->place) != 0)
			break;
		if (strcmp(old->path, new->path) == 0 && strcmp(old->text, new->text) == 0)
			return SIZE_MAX;
	}
	return at;
}

static void release_problem(struct problem *problem)
{
	free(problem->path);
	free(problem->text);
}

static void insert(struct problems *p, struct problem new)
{
	size_t at = find_position(p, &new);
	if (at == SIZE_MAX) {
		release_problem(&new);
		return;
	}
	p->items = mem_grow(p->items, &p->capacity, p->count + 1, sizeof p->items[0]);
	memmove(p->items + at + 1, p->items + at, (p->count - at) * sizeof p->items[0]);
	p->items[at] = new;
	p->count++;
}

bool problems_full(const struct problems *p)
{
	return p->count >= PROBLEMS_KEPT;
}

void problems_add_safe(struct problems *p, struct place place, const char *path, const char *text)
{
	if (problems_full(p)) {
		p->dropped++;
		return;
	}
	place.source = keep_source(p, place.source);
	insert(p, (struct problem){
		      .place = place,
		      .path = mem_strdup(path),
		      .text = mem_strdup(text),
		  });
}

void problems_add(struct problems *p, struct place place, const char *path, const char *fmt, ...)
{
	if (problems_full(p)) {
		p->dropped++; /* perhaps a double, which is not worth finding out */
		return;
	}
	char text[TEXT_BYTES];
	va_list args;
	va_start(args, fmt);
	int wanted = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	size_t len = wanted < 0 ? 0 : (size_t)wanted;
	if (len >= sizeof text)
		len = mark_cut(text, sizeof text);
	char *masked = problems_mask((struct slice){text, len});
	problems_add_safe(p, place, path, masked);
	free(masked);
}

void problems_keep_text(struct problems *p, const char *name, struct slice text)
{
	p->text_name = keep_source(p, name);
	buf_clear(&p->text);
	buf_append(&p->text, text);
}

void problems_release(struct problems *p)
{
	for (size_t i = 0; i < p->count; i++)
		release_problem(&p->items[i]);
	for (size_t i = 0; i < p->source_count; i++)
		free(p->sources[i]);
	free(p->items);
	free(p->sources);
	buf_release(&p->text);
	*p = (struct problems){0};
}

/* --- writing --- */

/* Pads a caret line: as wide as the escaped text above it, tabs kept. */
static void write_padding(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '\t')
			buf_append_char(out, '\t');
		else if (starts_character(text.ptr[i]))
			buf_append_char(out, ' ');
}

/* Swaps the credentials in a line for ***, and moves the byte offset along. Returns the line to
 * free(); an offset inside them becomes that of the stars. */
static char *hide_credentials(struct slice line, size_t *offset)
{
	struct slice secret = find_credentials(line);
	size_t first = secret.ptr != NULL ? (size_t)(secret.ptr - line.ptr) : SIZE_MAX;
	if (*offset > first)
		*offset = *offset < first + secret.len ? first : *offset - secret.len + 3;
	return problems_mask(line);
}

/* Shows a line of the file, cut around the column, and a caret below it. */
static void write_line(struct slice line, struct place place, struct buf *out)
{
	size_t at = problems_column_bytes(line, place.column > 0 ? place.column - 1 : 0);
	char *shown = hide_credentials(line, &at);
	line = slice_str(shown);
	size_t column = 0;
	for (size_t i = 0; i < at; i++)
		column += starts_character(line.ptr[i]);
	size_t skipped = column > LINE_CHARACTERS - LINE_BEFORE ? column - LINE_BEFORE : 0;
	size_t first = problems_column_bytes(line, skipped);
	size_t last = problems_column_bytes(line, skipped + LINE_CHARACTERS);
	struct buf before = {0};
	if (first > 0)
		buf_append_str(&before, "...");
	text_escape_lines((struct slice){line.ptr + first, at - first}, SIZE_MAX, &before);
	buf_printf(out, "%5u | ", place.line);
	buf_append(out, buf_slice(&before));
	text_escape_lines((struct slice){line.ptr + at, last - at}, SIZE_MAX, out);
	buf_append_str(out, last < line.len ? "...\n" : "\n");
	if (place.column > 0) {
		buf_append_str(out, "      | ");
		write_padding(buf_slice(&before), out);
		buf_append_str(out, "^\n");
	}
	buf_release(&before);
	free(shown);
}

static void write_problem(const struct problem *problem, struct buf *out)
{
	struct place place = problem->place;
	text_escape(slice_str(place.source), NAME_BYTES, out);
	if (place.line > 0)
		buf_printf(out, ":%u", place.line);
	if (place.line > 0 && place.column > 0)
		buf_printf(out, ":%u", place.column);
	if (place.source[0] != '\0')
		buf_append_str(out, ": ");
	if (problem->path[0] != '\0')
		buf_printf(out, "%s: ", problem->path);
	buf_printf(out, "%s\n", problem->text);
}

void problems_write(const struct problems *p, size_t most, const char *source_name,
    struct slice source, struct buf *out)
{
	struct cursor cursor = {.rest = skip_mark(source)};
	size_t shown = p->count < most ? p->count : most;
	for (size_t i = 0; i < shown; i++) {
		struct place place = p->items[i].place;
		write_problem(&p->items[i], out);
		if (source_name == NULL || strcmp(place.source, source_name) != 0)
			continue;
		struct slice line = cursor_line(&cursor, place.line);
		if (line.ptr != NULL && place.line > 0)
			write_line(line, place, out);
	}
	size_t more = p->count - shown + p->dropped;
	if (more > 0)
		buf_printf(out, "... and %zu more\n", more);
}
