/* problems.h - everything that is wrong with an input, each with its place, reported at once. */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include "base/buf.h"
#include "base/error.h"

/* Problems beyond this many are only counted, so that no input makes the list grow without end. */
#define PROBLEMS_KEPT 1000

/* Where something stands. line and column count from 1, columns in characters; 0 when there is no
 * such place. */
struct place {
	const char *source; /* file name, or the option it came from, such as "--set"; not owned */
	unsigned line, column;
};

struct problem {
	struct place place; /* its source belongs to the list */
	char *path;	    /* "messages.order_placed.amount"; "" for the whole document */
	char *text;	    /* what was found; what is accepted; did you mean */
};

/* Owned list, always in the order of places and without doubles; `= {0}` is empty. Sources stand in
 * the order in which they first had a problem. */
struct problems {
	struct problem *items;
	size_t count, capacity;
	size_t dropped; /* how many came after PROBLEMS_KEPT */
	char **sources;
	size_t source_count, source_capacity;
	/* The text whose lines are worth showing, when its document could not be made: for
	 * problems_write. NULL and empty otherwise. */
	const char *text_name;
	struct buf text;
};

/* Adds one; source, path and the formatted text are copied. Foreign bytes in path and text must be
 * escaped. User and password of a URL in the text become ***. */
void problems_add(struct problems *p, struct place place, const char *path, const char *fmt, ...)
    ERROR_FORMAT(4, 5);

/* Adds one whose text shows no secret and is kept as it is: with addresses already masked, a word
 * behind an '@' is not taken for the end of a password. */
void problems_add_safe(struct problems *p, struct place place, const char *path, const char *text);

/* True when a further problem would only be counted, so that its path and text need not be made. */
bool problems_full(const struct problems *p);

/* Keeps a copy of a text, for those who show its lines after the text itself is gone. */
void problems_keep_text(struct problems *p, const char *name, struct slice text);

/*
 * Writes one "file:line:col: path: text" line each; at most `most` of them, then "... and N more".
 * With `source` (the text of the file) each is followed by the source line and a caret; source_name
 * tells which file that text belongs to. An empty source shows no lines.
 */
void problems_write(const struct problems *p, size_t most, const char *source_name,
    struct slice source, struct buf *out);

void problems_release(struct problems *p);

/* A copy of a text with *** for the user and password of a URL in it; to free(). */
char *problems_mask(struct slice text);

/* The place of a byte of a text; lines end as in YAML 1.1: LF, CR, CRLF, NEL, LS, PS. */
struct place problems_place(const char *source, struct slice text, size_t offset);
/* A line of a text without its end, counted from 1; NULL bytes when there is no such line. */
struct slice problems_line(struct slice text, unsigned line);
/* How many bytes the first `count` characters of a line take; at most its length. */
size_t problems_column_bytes(struct slice line, size_t count);

#endif
