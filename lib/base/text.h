/* text.h - the only door from foreign bytes to a terminal, a log line, an error or JSON. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

/* Strict UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF. */
bool text_is_utf8(struct slice bytes);
/* Appends one character, at most U+10FFFF. */
void text_utf8(uint32_t character, struct buf *out);

/*
 * Appends the bytes so that no terminal obeys them and no line is forged: printable UTF-8 as it
 * is, everything else as \n \t \\ \xNN or \u{NNNN}. Escapes by class of character, never by
 * recognising sequences: C0, DEL, C1, bidirectional controls, zero-width characters, line and
 * paragraph separators, tags, noncharacters, private use, runs of more than 8 combining marks.
 * max_bytes bounds what is read of the input (SIZE_MAX: all); a cut is shown as "...".
 */
void text_escape(struct slice bytes, size_t max_bytes, struct buf *out);
/* As text_escape, but line feeds, tabs and backslashes pass: for bodies laid out over several
 * lines. */
void text_escape_lines(struct slice bytes, size_t max_bytes, struct buf *out);

/* A short form for error texts: escaped, at most 200 bytes, in a string to free(). */
char *text_quote(struct slice bytes);

/* How many bytes at the front are printable ASCII, and neither quote nor backslash. */
size_t text_plain(struct slice bytes);

/* Appends a JSON string with its quotes. The bytes must be UTF-8 (text_is_utf8); controls, DEL,
 * C1 and line separators become \u00XX, so that the line is safe on a terminal too. */
void text_json(struct slice bytes, struct buf *out);

void text_base64(struct slice bytes, struct buf *out);
/* Appends the decoded bytes; false and nothing appended when it is not base64 (RFC 4648 4). */
bool text_base64_decode(struct slice text, struct buf *out);

/* The candidate closest to the word, for "did you mean"; NULL when none is near. Distance is
 * optimal string alignment, at most 1 + length / 4. Candidates end with NULL. */
const char *text_suggest(struct slice word, const char *const candidates[]);

#endif
