/* chrono.h - monotonic nanoseconds for deciding, wall-clock milliseconds for recording. */
#ifndef BASE_CHRONO_H
#define BASE_CHRONO_H

#include "base/buf.h"
#include "base/error.h"

#define CHRONO_NEVER UINT64_MAX /* a deadline that does not come */
#define CHRONO_US UINT64_C(1000)
#define CHRONO_MS UINT64_C(1000000)
#define CHRONO_S UINT64_C(1000000000)

uint64_t chrono_now_ns(void);  /* CLOCK_MONOTONIC */
uint64_t chrono_wall_ns(void); /* since 1970-01-01T00:00:00Z, UTC */
int64_t chrono_wall_ms(void);

/* now + span, held at CHRONO_NEVER instead of wrapping. */
uint64_t chrono_after(uint64_t now_ns, uint64_t span_ns);

/* RFC 3339 in UTC with milliseconds: 2026-11-21T08:15:30.250Z. It knows the years 0 to 9999; what
 * is beyond is written as the nearest second of them. */
void chrono_format(int64_t wall_ms, struct buf *out);
/* The same of microseconds: 2026-11-21T08:15:30.250000Z. */
void chrono_format_us(int64_t wall_us, struct buf *out);
/* Local time of day for people: 08:15:30.250. */
void chrono_format_clock(int64_t wall_ms, struct buf *out);
/* RFC 3339 with any offset, 'T' or ' ' between, fraction optional. */
bool chrono_parse(struct slice rfc3339, int64_t *out_wall_ms, struct error *err) MUST_CHECK;
bool chrono_parse_us(struct slice rfc3339, int64_t *out_wall_us, struct error *err) MUST_CHECK;

#endif
