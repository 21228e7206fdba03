#include "fake/stamp.h"

#include "fake/value.h"

#define FIRST_MS (-719528 * STAMP_DAY_MS)	      /* 0000-01-01 */
#define LAST_MS (2932897 * STAMP_DAY_MS - INT64_C(1)) /* the end of 9999-12-31 */

static int64_t hold(int64_t wall_ms)
{
	return wall_ms < FIRST_MS ? FIRST_MS : wall_ms > LAST_MS ? LAST_MS : wall_ms;
}

/* Counts from 0000-03-01, so that the leap day is the last of its year: years of 400 are 146097
 * days, and the months from March on have 153 days in every five. */
struct stamp_date stamp_date(int64_t wall_ms)
{
	int64_t since_year_0 = (hold(wall_ms) - FIRST_MS) / STAMP_DAY_MS;
	int64_t days = since_year_0 - 60 + 146097;
	int64_t cycle = days / 146097, of_cycle = days % 146097;
	int64_t year = (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) / 365;
	int64_t of_year = of_cycle - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153; /* 0 is March */
	bool next_year = month >= 10;
	return (struct stamp_date){
	    .year = (int)(year + cycle * 400 - 400 + next_year),
	    .month = (int)(next_year ? month - 9 : month + 3),
	    .day = (int)(of_year - (153 * month + 2) / 5 + 1),
	};
}

static uint64_t of_day_ms(int64_t wall_ms)
{
	return (uint64_t)(hold(wall_ms) - FIRST_MS) % (uint64_t)STAMP_DAY_MS;
}

void stamp_write_date(int64_t wall_ms, struct buf *out)
{
	struct stamp_date date = stamp_date(wall_ms);
	value_write_padded((uint64_t)date.year, 4, out);
	buf_append_char(out, '-');
	value_write_padded((uint64_t)date.month, 2, out);
	buf_append_char(out, '-');
	value_write_padded((uint64_t)date.day, 2, out);
}

void stamp_write_time(int64_t wall_ms, struct buf *out)
{
	uint64_t seconds = of_day_ms(wall_ms) / 1000;
	value_write_padded(seconds / 3600, 2, out);
	buf_append_char(out, ':');
	value_write_padded(seconds / 60 % 60, 2, out);
	buf_append_char(out, ':');
	value_write_padded(seconds % 60, 2, out);
}

void stamp_write_seconds(int64_t wall_ms, struct buf *out)
{
	stamp_write_date(wall_ms, out);
	buf_append_char(out, 'T');
	stamp_write_time(wall_ms, out);
	buf_append_char(out, 'Z');
}

void stamp_write_rfc3339(int64_t wall_ms, struct buf *out)
{
	stamp_write_date(wall_ms, out);
	buf_append_char(out, 'T');
	stamp_write_time(wall_ms, out);
	buf_append_char(out, '.');
	value_write_padded(of_day_ms(wall_ms) % 1000, 3, out);
	buf_append_char(out, 'Z');
}
