#include "fake/volumes_times.h"

#include "base/mem.h"
#include "fake/stamp.h"
#include "fake/value.h"

#define YEAR_2020_S INT64_C(1577836800)
#define YEAR_2026_S INT64_C(1767225600)
#define YEAR_1940_S INT64_C(-946771200)
#define YEAR_2007_S INT64_C(1167609600)

static int64_t any_second(struct rng *r)
{
	return rng_between(r, YEAR_2020_S, YEAR_2026_S - 1);
}

void volumes_times_now(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)r;
	stamp_write_rfc3339(wall_ms, out);
}

void volumes_times_date(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	stamp_write_date(any_second(r) * 1000, out);
}

void volumes_times_time(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	stamp_write_time(any_second(r) * 1000, out);
}

void volumes_times_date_time(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	stamp_write_seconds(any_second(r) * 1000, out);
}

void volumes_times_unix_time(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	buf_append_u64(out, (uint64_t)any_second(r));
}

void volumes_times_date_of_birth(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	stamp_write_date(rng_between(r, YEAR_1940_S, YEAR_2007_S - 1) * 1000, out);
}

void volumes_times_year(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	buf_append_u64(out, 1970 + rng_below(r, 56));
}

void volumes_times_month(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	value_write_padded(1 + rng_below(r, 12), 2, out);
}

void volumes_times_month_name(struct rng *r, int64_t wall_ms, struct buf *out)
{
	static const char *const months[] = {"January", "February", "March", "April", "May", "June",
	    "July", "August", "September", "October", "November", "December"};
	(void)wall_ms;
	buf_append_str(out, months[rng_below(r, ARRAY_LEN(months))]);
}

void volumes_times_day_of_week(struct rng *r, int64_t wall_ms, struct buf *out)
{
	static const char *const days[] = {
	    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
	(void)wall_ms;
	buf_append_str(out, days[rng_below(r, ARRAY_LEN(days))]);
}
