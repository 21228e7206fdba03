#include "base/chrono.h"

#include <stdio.h>
#include <time.h>

#define FIRST_S INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define LAST_S INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */

uint64_t chrono_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * CHRONO_S + (uint64_t)t.tv_nsec;
}

uint64_t chrono_wall_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * CHRONO_S + (uint64_t)t.tv_nsec;
}

int64_t chrono_wall_ms(void)
{
	return (int64_t)(chrono_wall_ns() / CHRONO_MS);
}

uint64_t chrono_after(uint64_t now_ns, uint64_t span_ns)
{
	return span_ns > CHRONO_NEVER - now_ns ? CHRONO_NEVER : now_ns + span_ns;
}

/* Seconds, and what is left of a wall time in units of so many a second, also before 1970. */
static time_t split(int64_t wall, int per_second, int *left)
{
	int64_t seconds = wall / per_second;
	*left = (int)(wall % per_second);
	if (*left < 0) {
		*left += per_second;
		seconds--;
	}
	return (time_t)seconds;
}

static void put_digits(char *end, int value, int count)
{
	for (; count > 0; count--, value /= 10)
		*--end = (char)('0' + value % 10);
}

/* By hand, because a recorder does it for each message. */
static void format(time_t seconds, int fraction, int digits, struct buf *out)
{
	static const char shape[] = "0000-00-00T00:00:00.";
	struct tm tm = {0};
	seconds = seconds < FIRST_S ? FIRST_S : seconds > LAST_S ? LAST_S : seconds;
	gmtime_r(&seconds, &tm);
	char *at = buf_reserve(out, sizeof shape + (size_t)digits), *end;
	memcpy(at, shape, sizeof shape - 1);
	put_digits(at + 4, tm.tm_year + 1900, 4);
	put_digits(at + 7, tm.tm_mon + 1, 2);
	put_digits(at + 10, tm.tm_mday, 2);
	put_digits(at + 13, tm.tm_hour, 2);
	put_digits(at + 16, tm.tm_min, 2);
	put_digits(at + 19, tm.tm_sec, 2);
	end = at + sizeof shape - 1 + digits;
	put_digits(end, fraction, digits);
	memcpy(end, "Z", 2);
	out->len += (size_t)(end + 1 - at);
}

void chrono_format(int64_t wall_ms, struct buf *out)
{
	int ms;
	time_t seconds = split(wall_ms, 1000, &ms);
	format(seconds, ms, 3, out);
}

void chrono_format_us(int64_t wall_us, struct buf *out)
{
	int us;
	time_t seconds = split(wall_us, 1000000, &us);
	format(seconds, us, 6, out);
}

void chrono_format_clock(int64_t wall_ms, struct buf *out)
{
	int ms;
	struct tm tm = {0};
	time_t seconds = split(wall_ms, 1000, &ms);
	localtime_r(&seconds, &tm);
	buf_printf(out, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec, ms);
}

/* Takes exactly `count` digits from the front of the text. */
static bool take_digits(struct slice *text, int count, int *out)
{
	int value = 0;
	for (int i = 0; i < count; i++, text->ptr++, text->len--) {
		if (text->len == 0 || text->ptr[0] < '0' || text->ptr[0] > '9')
			return false;
		value = value * 10 + (text->ptr[0] - '0');
	}
	*out = value;
	return true;
}

static bool take_char(struct slice *text, const char *accepted)
{
	if (text->len == 0 || text->ptr[0] == '\0' || strchr(accepted, text->ptr[0]) == NULL)
		return false;
	text->ptr++;
	text->len--;
	return true;
}

/* ".250" and the like; what is finer than a microsecond is dropped. */
static bool take_fraction(struct slice *text, int *us)
{
	int scale = 100000;
	*us = 0;
	if (!take_char(text, "."))
		return true;
	int digit;
	if (!take_digits(text, 1, &digit))
		return false;
	do {
		*us += digit * scale;
		scale /= 10;
	} while (take_digits(text, 1, &digit));
	return true;
}

static bool take_offset(struct slice *text, int *minutes)
{
	int hour, minute;
	*minutes = 0;
	if (take_char(text, "Zz"))
		return true;
	bool west = text->len > 0 && text->ptr[0] == '-';
	if (!take_char(text, "+-") || !take_digits(text, 2, &hour) || !take_char(text, ":") ||
	    !take_digits(text, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*minutes = (west ? -1 : 1) * (hour * 60 + minute);
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

bool chrono_parse_us(struct slice text, int64_t *out_wall_us, struct error *err)
{
	struct slice rest = text;
	int year, month, day, hour, minute, second, us, offset;
	bool good = take_digits(&rest, 4, &year) && take_char(&rest, "-") &&
		    take_digits(&rest, 2, &month) && take_char(&rest, "-") &&
		    take_digits(&rest, 2, &day) && take_char(&rest, "Tt ") &&
		    take_digits(&rest, 2, &hour) && take_char(&rest, ":") &&
		    take_digits(&rest, 2, &minute) && take_char(&rest, ":") &&
		    take_digits(&rest, 2, &second) && take_fraction(&rest, &us) &&
		    take_offset(&rest, &offset) && rest.len == 0;
	if (!good || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
	    hour > 23 || minute > 59 || second > 60)
		return error_set(err, ERROR_USAGE, "not a time such as 2026-11-21T08:15:30Z");
	struct tm tm = {.tm_year = year - 1900,
	    .tm_mon = month - 1,
	    .tm_mday = day,
	    .tm_hour = hour,
	    .tm_min = minute,
	    .tm_sec = second};
	*out_wall_us = ((int64_t)timegm(&tm) - offset * 60) * 1000000 + us;
	return true;
}

bool chrono_parse(struct slice text, int64_t *out_wall_ms, struct error *err)
{
	int64_t us;
	if (!chrono_parse_us(text, &us, err))
		return false;
	*out_wall_ms = us / 1000 - (us % 1000 < 0);
	return true;
}
