/* words.h - a command line as words, split as a POSIX shell would, and words quoted for one. */
#ifndef BENCH_WORDS_H
#define BENCH_WORDS_H

#include "base/buf.h"
#include "base/error.h"

struct words_item {
	char *text;	   /* without its quotes; nothing is expanded */
	bool has_variable; /* a shell would have replaced something in it: $X, $(x), `x` */
};

/* Owned; `= {0}` is empty. */
struct words {
	struct words_item *items;
	size_t count, capacity;
};

/*
 * Adds the words of a command line: single and double quotes, backslashes, and a backslash before
 * the end of a line as its continuation. ERROR_USAGE for a quote that is not closed; what was added
 * until then is the caller's to release.
 */
bool words_split(struct slice line, struct words *out, struct error *err) MUST_CHECK;
void words_release(struct words *w);

/* Appends the word so that a POSIX shell reads it as one, with quotes only where it needs them. */
void words_quote(struct slice word, struct buf *out);

#endif
