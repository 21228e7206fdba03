/* summary.h - the last words of a run: what became of every message, how long it took. */
#ifndef APP_SUMMARY_H
#define APP_SUMMARY_H

#include "base/buf.h"

enum summary_format { SUMMARY_TEXT, SUMMARY_JSON, SUMMARY_NONE };

#define SUMMARY_ONLY_JSON 2

struct summary_row {
	/* "confirmed"; the key in JSON. A word of it that ends with s is a plural, for the text. */
	const char *name;
	uint64_t value;
	/* Left out of the text: false: never; true: when it is 0; or SUMMARY_ONLY_JSON: always. */
	int optional;
};

/* "20 sent, 20 confirmed in 19s (1.05/s)", or one JSON object with all rows, seconds and rate. The
 * rate is that of the first row. Ends with a line feed. */
void summary_write(const struct summary_row *rows, size_t count, uint64_t elapsed_ns,
    enum summary_format format, struct buf *out);

#endif
