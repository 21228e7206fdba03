/* stamp.h - wall-clock times as text, fast enough for every message; the years 0 to 9999. */
#ifndef FAKE_STAMP_H
#define FAKE_STAMP_H

#include "base/buf.h"

#define STAMP_DAY_MS INT64_C(86400000)

/* RFC 3339 in UTC, as chrono_format: 2026-11-21T08:15:30.250Z. */
void stamp_write_rfc3339(int64_t wall_ms, struct buf *out);
/* 2026-11-21T08:15:30Z */
void stamp_write_seconds(int64_t wall_ms, struct buf *out);
/* 2026-11-21 */
void stamp_write_date(int64_t wall_ms, struct buf *out);
/* 08:15:30 */
void stamp_write_time(int64_t wall_ms, struct buf *out);

struct stamp_date {
	int year, month, day; /* month and day from 1 */
};
struct stamp_date stamp_date(int64_t wall_ms);

#endif
