#include "bench/words.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>

struct splitter {
	struct slice line;
	size_t at;
	struct buf word;
	bool is_word; /* even an empty one: '' */
	bool has_variable;
};

static char peek(const struct splitter *s, size_t ahead)
{
	return s->at + ahead < s->line.len ? s->line.ptr[s->at + ahead] : '\0';
}

static bool is_blank(char c)
{
	return c != '\0' && strchr(" \t\r\n", c) != NULL;
}

/* How many bytes the end of a line takes that a backslash stands before: 1, 2 or 0. */
static size_t line_end(const struct splitter *s)
{
	if (peek(s, 1) == '\r' && peek(s, 2) == '\n')
		return 2;
	return peek(s, 1) == '\n' ? 1 : 0;
}

static void keep(struct splitter *s)
{
	char c = peek(s, 0), next = peek(s, 1);
	bool begins = isalnum((unsigned char)next) || (next != '\0' && strchr("_{(", next) != NULL);
	s->has_variable |= c == '`' || (c == '$' && begins);
	buf_append_char(&s->word, c);
	s->at++;
}

static void keep_escaped(struct splitter *s)
{
	size_t end = line_end(s);
	if (end == 0 && s->at + 1 < s->line.len) {
		s->is_word = true;
		buf_append_char(&s->word, peek(s, 1));
		end = 1;
	}
	s->at += 1 + end;
}

static bool keep_quoted(struct splitter *s, size_t number, struct error *err)
{
	char quote = peek(s, 0);
	s->is_word = true;
	for (s->at++; s->at < s->line.len && peek(s, 0) != quote;) {
		char c = peek(s, 0), next = peek(s, 1);
		if (quote == '\'') {
			buf_append_char(&s->word, c);
			s->at++;
		} else if (c == '\\' && next != '\0' && strchr("$`\"\\\r\n", next) != NULL) {
			keep_escaped(s);
		} else {
			keep(s);
		}
	}
	if (s->at == s->line.len)
		return error_set(
		    err, ERROR_USAGE, "word %zu: the quote %c is not closed", number, quote);
	s->at++;
	return true;
}

static void end_word(struct splitter *s, struct words *out)
{
	if (!s->is_word)
		return;
	out->items = mem_grow(out->items, &out->capacity, out->count + 1, sizeof *out->items);
	buf_append_str(&s->word, "");
	out->items[out->count++] = (struct words_item){buf_take(&s->word), s->has_variable};
	s->is_word = s->has_variable = false;
}

bool words_split(struct slice line, struct words *out, struct error *err)
{
	struct splitter s = {.line = line};
	bool good = true;
	while (good && s.at < line.len) {
		char c = peek(&s, 0);
		if (is_blank(c)) {
			end_word(&s, out);
			s.at++;
		} else if (c == '\\') {
			keep_escaped(&s);
		} else if (c == '\'' || c == '"') {
			good = keep_quoted(&s, out->count + 1, err);
		} else {
			s.is_word = true;
			keep(&s);
		}
	}
	if (good)
		end_word(&s, out);
	buf_release(&s.word);
	return good;
}

void words_release(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->items[i].text);
	free(w->items);
	*w = (struct words){0};
}

static bool needs_quotes(struct slice word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!isalnum((unsigned char)word.ptr[i]) &&
		    (word.ptr[i] == '\0' || strchr("_./%+@:=,-", word.ptr[i]) == NULL))
			return true;
	return word.len == 0;
}

void words_quote(struct slice word, struct buf *out)
{
	if (!needs_quotes(word)) {
		buf_append(out, word);
		return;
	}
	buf_append_char(out, '\'');
	for (size_t i = 0; i < word.len; i++)
		if (word.ptr[i] == '\'')
			buf_append_str(out, "'\\''");
		else
			buf_append_char(out, word.ptr[i]);
	buf_append_char(out, '\'');
}
