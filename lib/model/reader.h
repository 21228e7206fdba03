/*
 * reader.h - reads one value after another out of the settings' tree, knowing its place.
 *
 * Every value is checked for its meaning and its range; what is wrong is reported at its JSON
 * pointer, and reading goes on, so that all mistakes are told at once.
 */
#ifndef MODEL_READER_H
#define MODEL_READER_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>

/* What is wrong with one value of the settings; `pointer` is its place (RFC 6901) below the JSON
 * that was given. */
typedef void reader_report_fn(void *ctx, const char *pointer, const char *text);
/* One that keeps the first fault as an ERROR_USAGE with its path; ctx is a struct error. */
void reader_keep_first(void *ctx, const char *pointer, const char *text);

/* Behind a pointer in a report: the key itself is meant, not its value. No pointer can end so, as
 * '~' is followed by 0 or 1 in one. */
#define READER_KEY "~#"

/* `= {0}` with report (may be NULL: silence) and ctx set is a valid start. */
struct reader {
	reader_report_fn *report;
	void *ctx;
	struct buf pointer; /* the place reached, as a JSON pointer (RFC 6901) */
	bool failed;	    /* something was reported */
};

void reader_release(struct reader *r);

/* Steps down to a member or an item; returns what reader_leave needs to step back. */
size_t reader_enter(struct reader *r, const char *key);
size_t reader_enter_item(struct reader *r, size_t index);
void reader_leave(struct reader *r, size_t mark);

/* Reports at the place reached, or at a member of it. Foreign bytes must be escaped. Returns false.
 */
bool reader_fail(struct reader *r, const char *fmt, ...) ERROR_FORMAT(2, 3);
bool reader_fail_at(struct reader *r, const char *key, const char *fmt, ...) ERROR_FORMAT(3, 4);
/* The same for what is wrong with a key, not with its value. */
bool reader_fail_name(struct reader *r, const char *fmt, ...) ERROR_FORMAT(2, 3);
bool reader_fail_name_at(struct reader *r, const char *key, const char *fmt, ...)
    ERROR_FORMAT(3, 4);

/* The member, or NULL when the object has none, or null in its place; object may be NULL. */
json_t *reader_member(const json_t *object, const char *key);

/*
 * Each looks up one member and returns true when it is there and good; *out is untouched
 * otherwise. A member that is wrong is reported; one that is absent or null is not.
 */
bool reader_bool(struct reader *r, const json_t *object, const char *key, bool *out);
bool reader_count(struct reader *r, const json_t *object, const char *key, uint64_t min,
    uint64_t max, uint64_t *out);
/* Borrowed from the tree; a text with a NUL byte in it is refused. */
bool reader_text(struct reader *r, const json_t *object, const char *key, const char **out);
/* Index of the text among the choices, which end with NULL. */
bool reader_choice(struct reader *r, const json_t *object, const char *key,
    const char *const choices[], size_t *out);
/* "1s" or a bare number of seconds. */
bool reader_duration(struct reader *r, const json_t *object, const char *key, uint64_t *out_ns);
/* As above, in whole milliseconds, from min to max. */
bool reader_duration_ms(struct reader *r, const json_t *object, const char *key, uint64_t min_ms,
    uint64_t max_ms, uint64_t *out_ms);
/* A duration, or {from, to} with from <= to; a single one is put into both. */
bool reader_duration_range(struct reader *r, const json_t *object, const char *key,
    uint64_t *out_from_ns, uint64_t *out_to_ns);
bool reader_size(struct reader *r, const json_t *object, const char *key, uint64_t *out_bytes);
/* "500/s" or a bare number per second; above 0, or 0 as well when zero_too. */
bool reader_rate(
    struct reader *r, const json_t *object, const char *key, bool zero_too, double *out_per_second);
/* A number above 0. */
bool reader_positive(struct reader *r, const json_t *object, const char *key, double *out);

/* "a list", "the number 5", "'abc'": what was found, for an error text; to free(). */
char *reader_describe(const json_t *value);

#endif
