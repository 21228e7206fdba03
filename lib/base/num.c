#include "base/num.h"

#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit duration_units[] = {
    {"ns", 1},
    {"us", 1000},
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", 60000000000},
    {"h", 3600000000000},
    {"d", 86400000000000},
};

static const struct unit size_units[] = {
    {"B", 1},
    {"kB", 1000},
    {"KB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
    {"TiB", 1ULL << 40},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool num_parse_u64(struct slice text, uint64_t min, uint64_t max, uint64_t *out, struct error *err)
{
	uint64_t value = 0;
	bool good = text.len > 0;
	for (size_t i = 0; good && i < text.len; i++) {
		unsigned digit = (unsigned char)text.ptr[i] - (unsigned)'0';
		good = digit < 10 && !__builtin_mul_overflow(value, 10, &value) &&
		       !__builtin_add_overflow(value, digit, &value);
	}
	if (!good || value < min || value > max)
		return error_set(err, ERROR_USAGE,
		    max == UINT64_MAX ? "not a whole number of at least %" PRIu64
				      : "not a whole number from %" PRIu64 " to %" PRIu64,
		    min, max);
	*out = value;
	return true;
}

bool num_parse_i64(struct slice text, int64_t min, int64_t max, int64_t *out, struct error *err)
{
	bool negative = text.len > 0 && text.ptr[0] == '-';
	struct slice digits = {text.ptr + negative, text.len - negative};
	uint64_t value = 0;
	struct error ignored = {0}; /* replaced by the text below, which knows the sign */
	uint64_t limit = (uint64_t)INT64_MAX + negative;
	bool good = num_parse_u64(digits, 0, limit, &value, &ignored);
	int64_t result = negative ? (int64_t)(0 - value) : (int64_t)value;
	if (!good || result < min || result > max)
		return error_set(
		    err, ERROR_USAGE, "not a whole number from %" PRId64 " to %" PRId64, min, max);
	*out = result;
	return true;
}

/* The length of the leading "12", "1.5" or "12.25e3" of a text; 0 when there is none. */
static size_t decimal_length(struct slice text, bool signs_and_exponent)
{
	size_t i = signs_and_exponent && text.len > 0 && text.ptr[0] == '-';
	size_t first = i;
	while (i < text.len && is_digit(text.ptr[i]))
		i++;
	if (i == first)
		return 0;
	if (i + 1 < text.len && text.ptr[i] == '.' && is_digit(text.ptr[i + 1]))
		for (i++; i < text.len && is_digit(text.ptr[i]);)
			i++;
	if (!signs_and_exponent || i >= text.len || (text.ptr[i] | 32) != 'e')
		return i;
	size_t mark = i++;
	if (i < text.len && (text.ptr[i] == '-' || text.ptr[i] == '+'))
		i++;
	first = i;
	while (i < text.len && is_digit(text.ptr[i]))
		i++;
	return i == first ? mark : i;
}

/* Only for texts that decimal_length has measured. */
static double decimal_value(struct slice text)
{
	char *copy = mem_strndup(text.ptr, text.len);
	double value = strtod(copy, NULL);
	free(copy);
	return value;
}

bool num_parse_double(struct slice text, double *out, struct error *err)
{
	size_t len = decimal_length(text, true);
	double value = len > 0 && len == text.len ? decimal_value(text) : INFINITY;
	if (!isfinite(value))
		return error_set(err, ERROR_USAGE, "not a finite decimal number");
	*out = value;
	return true;
}

static const struct unit *find_unit(const struct unit *units, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(name, units[i].name))
			return &units[i];
	return NULL;
}

/* value * factor without losing whole numbers to a double. */
static bool scale(struct slice number, uint64_t factor, uint64_t *out)
{
	struct error ignored = {0}; /* the caller says what is accepted */
	uint64_t whole = 0;
	if (num_parse_u64(number, 0, UINT64_MAX, &whole, &ignored))
		return !__builtin_mul_overflow(whole, factor, out) && *out <= INT64_MAX;
	double value = decimal_value(number) * (double)factor;
	if (!(value >= 0 && value < 9.2e18))
		return false;
	*out = (uint64_t)llround(value);
	return true;
}

static bool parse_scaled(
    struct slice text, const struct unit *units, size_t count, const char *bare_unit, uint64_t *out)
{
	size_t digits = decimal_length(text, false);
	struct slice number = {text.ptr, digits};
	struct slice name = {text.ptr + digits, text.len - digits};
	const struct unit *unit =
	    find_unit(units, count, name.len == 0 ? slice_str(bare_unit) : name);
	return digits > 0 && unit != NULL && scale(number, unit->factor, out);
}

bool num_parse_duration(struct slice text, uint64_t *out_ns, struct error *err)
{
	uint64_t ns;
	if (!parse_scaled(text, duration_units, ARRAY_LEN(duration_units), "s", &ns))
		return error_set(err, ERROR_USAGE, "not a duration such as 250ms, 1s, 2m or 1h");
	*out_ns = ns;
	return true;
}

bool num_parse_size(struct slice text, uint64_t *out_bytes, struct error *err)
{
	uint64_t bytes;
	if (!parse_scaled(text, size_units, ARRAY_LEN(size_units), "B", &bytes))
		return error_set(err, ERROR_USAGE, "not a size such as 512, 64KiB or 1MB");
	*out_bytes = bytes;
	return true;
}

bool num_parse_rate(struct slice text, double *out_per_second, struct error *err)
{
	size_t digits = decimal_length(text, false);
	struct slice per = {text.ptr + digits, text.len - digits};
	double seconds = per.len == 0 || slice_is(per, "/s") ? 1
			 : slice_is(per, "/m")		     ? 60
			 : slice_is(per, "/h")		     ? 3600
							     : 0;
	double rate = digits > 0 && seconds > 0
			  ? decimal_value((struct slice){text.ptr, digits}) / seconds
			  : 0;
	if (!(rate > 0 && rate <= 1e9))
		return error_set(err, ERROR_USAGE,
		    "not a rate such as 500/s or 30/m, above 0 and up to 1000000000/s");
	*out_per_second = rate;
	return true;
}

/* True when the value, rounded to three decimals of one unit, reaches the next. */
static bool rounds_up_to(uint64_t ns, const struct unit *unit, const struct unit *next)
{
	return round((double)ns / (double)unit->factor * 1000) >=
	       round((double)next->factor / (double)unit->factor * 1000);
}

void num_format_duration(uint64_t ns, struct buf *out)
{
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(duration_units) &&
	       rounds_up_to(ns, &duration_units[i], &duration_units[i + 1]))
		i++;
	char digits[32];
	snprintf(digits, sizeof digits, "%.3f", (double)ns / (double)duration_units[i].factor);
	size_t len = strlen(digits);
	while (digits[len - 1] == '0')
		len--;
	if (digits[len - 1] == '.')
		len--;
	buf_append(out, (struct slice){digits, len});
	buf_append_str(out, ns == 0 ? "s" : duration_units[i].name);
}

void num_format_size(uint64_t bytes, struct buf *out)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	size_t i = 0;
	/* Not 1024: what would be shown as 1024.0 is 1 of the next unit. */
	for (; value >= (i == 0 ? 1024 : 1023.95) && i + 1 < ARRAY_LEN(units); i++)
		value /= 1024;
	double tenths = round(value * 10) / 10;
	buf_printf(out, tenths == floor(tenths) ? "%.0f %s" : "%.1f %s", tenths, units[i]);
}

const char *num_noun(uint64_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

void num_format_count(uint64_t count, struct buf *out)
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%" PRIu64, count);
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf_append_char(out, ',');
		buf_append_char(out, digits[i]);
	}
}

void num_format_double(double value, struct buf *out)
{
	char text[40];
	int precision = 15;
	do
		snprintf(text, sizeof text, "%.*g", precision, value);
	while (strtod(text, NULL) != value && ++precision <= 17);
	buf_append_str(out, text);
	if (strpbrk(text, ".en") == NULL)
		buf_append_str(out, ".0");
}
