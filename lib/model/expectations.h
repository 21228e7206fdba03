/*
 * expectations.h - what a run must keep to (`expect:`, --expect NAME=VALUE), and the verdict on it.
 *
 * Counts and durations are limits from above, rates from below. Durations begin when a message was
 * due, so that a broker that makes us wait cannot hide it.
 */
#ifndef MODEL_EXPECTATIONS_H
#define MODEL_EXPECTATIONS_H

#include "base/error.h"
#include "model/reader.h"

#include <jansson.h>

enum expectation_kind {
	EXPECTATION_COUNT,    /* at most so many */
	EXPECTATION_DURATION, /* at most so long */
	EXPECTATION_RATE,     /* at least so many a second */
};

/* What can be expected. */
struct expectation_row {
	const char *name; /* "latency_p99" */
	enum expectation_kind kind;
	const char *help; /* one sentence; the same as in the schema of the settings */
};

struct expectation {
	size_t row;   /* of the table */
	double limit; /* a count, seconds, or per second */
};

/* `= {0}` expects nothing. Each name at most once, in the order they came. */
struct expectations {
	struct expectation *items; /* owned */
	size_t count, capacity;
};

/* The whole table, in the order to show it. */
const struct expectation_row *expectations_rows(size_t *count);

/* Reads a mapping from names to values; NULL is an empty one. False when something was reported;
 * *out is untouched then. */
bool expectations_read(
    const json_t *spec, struct expectations *out, reader_report_fn *report, void *ctx);
/* Adds "latency_p99=50ms", or replaces what was expected of that name. Fails with ERROR_USAGE, and
 * changes nothing then. */
bool expectations_add(struct expectations *e, const char *assignment, struct error *err) MUST_CHECK;
void expectations_release(struct expectations *e);

/* What was found for a name: a count, seconds or per second, not negative. False, or not a finite
 * number: nothing was measured. */
typedef bool expectation_lookup_fn(void *ctx, const char *name, double *value);

/*
 * Judges each, and appends {"name", "wanted": "at most 50 ms", "found": "61.2 ms", "met": false}
 * to the array `verdicts` (NULL: only counts). What was not measured is not met. Returns how many
 * were not met.
 */
size_t expectations_judge(
    const struct expectations *e, expectation_lookup_fn *lookup, void *ctx, json_t *verdicts);

#endif
