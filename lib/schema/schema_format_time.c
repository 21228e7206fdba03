#include "schema/schema_private.h"

/* RFC 3339 dates and times, and durations of its appendix A. */

/* Reads exactly `count` digits; false when they are not there. */
static bool take_digits(struct slice *s, size_t count, unsigned *out)
{
	unsigned value = 0;
	if (s->len < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (s->ptr[i] < '0' || s->ptr[i] > '9')
			return false;
		value = value * 10 + (unsigned)(s->ptr[i] - '0');
	}
	s->ptr += count;
	s->len -= count;
	*out = value;
	return true;
}

static bool take_char(struct slice *s, char c)
{
	if (s->len == 0 || s->ptr[0] != c)
		return false;
	s->ptr++;
	s->len--;
	return true;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(struct slice *s)
{
	unsigned year, month, day;
	return take_digits(s, 4, &year) && take_char(s, '-') && take_digits(s, 2, &month) &&
	       take_char(s, '-') && take_digits(s, 2, &day) && month >= 1 && month <= 12 &&
	       day >= 1 && day <= days_of_month(year, month);
}

/* The digits after a point, at least one. */
static bool take_fraction(struct slice *s)
{
	unsigned digit;
	if (!take_char(s, '.'))
		return true;
	if (!take_digits(s, 1, &digit))
		return false;
	while (take_digits(s, 1, &digit))
		;
	return true;
}

/* Z or +hh:mm; minutes east of Greenwich. */
static bool take_offset(struct slice *s, int *minutes)
{
	unsigned hour, minute;
	*minutes = 0;
	if (take_char(s, 'Z') || take_char(s, 'z'))
		return true;
	int sign = take_char(s, '+') ? 1 : take_char(s, '-') ? -1 : 0;
	if (sign == 0 || !take_digits(s, 2, &hour) || !take_char(s, ':') ||
	    !take_digits(s, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*minutes = sign * (int)(hour * 60 + minute);
	return true;
}

static bool take_time(struct slice *s)
{
	const int day = 24 * 60;
	unsigned hour, minute, second;
	int offset;
	if (!take_digits(s, 2, &hour) || !take_char(s, ':') || !take_digits(s, 2, &minute) ||
	    !take_char(s, ':') || !take_digits(s, 2, &second) || !take_fraction(s) ||
	    !take_offset(s, &offset))
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	/* A leap second is the last one of a day in UTC. */
	int utc = ((int)(hour * 60 + minute) - offset + day) % day;
	return second < 60 || utc == day - 1;
}

bool schema_format_time_is_date(struct slice text)
{
	return take_date(&text) && text.len == 0;
}

bool schema_format_time_is_time(struct slice text)
{
	return take_time(&text) && text.len == 0;
}

bool schema_format_time_is_date_time(struct slice text)
{
	return take_date(&text) && (take_char(&text, 'T') || take_char(&text, 't')) &&
	       take_time(&text) && text.len == 0;
}

/* A number and one of the units, which must come in their order without gaps: *next is the first
 * that may still come. */
static bool take_part(struct slice *s, const char *units, size_t *next, bool first)
{
	unsigned digit;
	if (!take_digits(s, 1, &digit))
		return false;
	while (take_digits(s, 1, &digit))
		;
	const char *unit = s->len > 0 && s->ptr[0] != '\0' ? strchr(units, s->ptr[0]) : NULL;
	if (unit == NULL)
		return false;
	size_t at = (size_t)(unit - units);
	if (first ? at < *next : at != *next)
		return false;
	*next = at + 1;
	return take_char(s, units[at]);
}

static bool take_parts(struct slice *s, const char *units)
{
	size_t next = 0;
	for (bool first = true; s->len > 0 && s->ptr[0] != 'T'; first = false)
		if (!take_part(s, units, &next, first))
			return false;
	return next > 0;
}

bool schema_format_time_is_duration(struct slice text)
{
	if (!take_char(&text, 'P') || text.len == 0)
		return false;
	if (text.ptr[text.len - 1] == 'W')
		return take_parts(&text, "W") && text.len == 0;
	if (text.ptr[0] != 'T' && !take_parts(&text, "YMD"))
		return false;
	return text.len == 0 ||
	       (take_char(&text, 'T') && take_parts(&text, "HMS") && text.len == 0);
}
