/* num.h - strict text-to-number: the whole input, range-checked, units spelled out. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/buf.h"
#include "base/error.h"

/* All parsers take the whole slice or fail with ERROR_USAGE and a text that says what is accepted;
 * the result is untouched on failure. Signs, spaces and other bases are refused unless said. */

bool num_parse_u64(
    struct slice text, uint64_t min, uint64_t max, uint64_t *out, struct error *err) MUST_CHECK;
bool num_parse_i64(
    struct slice text, int64_t min, int64_t max, int64_t *out, struct error *err) MUST_CHECK;
/* Decimal or scientific notation, finite. */
bool num_parse_double(struct slice text, double *out, struct error *err) MUST_CHECK;
/* "250ms", "1.5s", "2m", "1h", "1d", "10us", "5ns"; a bare number is seconds. Result in ns. */
bool num_parse_duration(struct slice text, uint64_t *out_ns, struct error *err) MUST_CHECK;
/* "64KiB", "1MB", "10B", a bare number is bytes. */
bool num_parse_size(struct slice text, uint64_t *out_bytes, struct error *err) MUST_CHECK;
/* "500/s", "30/m", "2.5/s"; a bare number is per second. Result in messages per second, > 0. */
bool num_parse_rate(struct slice text, double *out_per_second, struct error *err) MUST_CHECK;

/* The shortest exact form with one unit: 1500000000 -> "1.5s". */
void num_format_duration(uint64_t ns, struct buf *out);
/* 1536 -> "1.5 KiB". */
void num_format_size(uint64_t bytes, struct buf *out);
/* 1234567 -> "1,234,567". */
void num_format_count(uint64_t count, struct buf *out);
/* What stands behind a count: `one` or `many` of something. */
const char *num_noun(uint64_t count, const char *one, const char *many);
/* The shortest decimal text that reads back as the same double; always looks like a real
 * (has '.', 'e'). Not for NaN or infinities. */
void num_format_double(double value, struct buf *out);

#endif
