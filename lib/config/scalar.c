#include "config/scalar.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

#define SHOWN_BYTES 40

/* What a plain scalar may look like, by the core schema (YAML 1.2.2, section 10.3.2). */
enum look {
	LOOK_TEXT,
	LOOK_NULL,
	LOOK_TRUE,
	LOOK_FALSE,
	LOOK_INTEGER,
	LOOK_REAL,
	LOOK_NOT_FINITE,
};

struct word {
	const char *text;
	enum look look;
};

static const struct word words[] = {
    {"", LOOK_NULL},
    {"~", LOOK_NULL},
    {"null", LOOK_NULL},
    {"Null", LOOK_NULL},
    {"NULL", LOOK_NULL},
    {"true", LOOK_TRUE},
    {"True", LOOK_TRUE},
    {"TRUE", LOOK_TRUE},
    {"false", LOOK_FALSE},
    {"False", LOOK_FALSE},
    {"FALSE", LOOK_FALSE},
    {".nan", LOOK_NOT_FINITE},
    {".NaN", LOOK_NOT_FINITE},
    {".NAN", LOOK_NOT_FINITE},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_infinite(struct slice unsigned_text)
{
	return slice_is(unsigned_text, ".inf") || slice_is(unsigned_text, ".Inf") ||
	       slice_is(unsigned_text, ".INF");
}

static size_t count_digits(struct slice s, size_t from)
{
	size_t i = from;
	while (i < s.len && is_digit(s.ptr[i]))
		i++;
	return i - from;
}

/* [0-9]+ is an integer; a dot or an exponent makes it a real. */
static enum look number_look(struct slice s)
{
	size_t whole = count_digits(s, 0), i = whole, fraction = 0;
	if (i == s.len)
		return whole > 0 ? LOOK_INTEGER : LOOK_TEXT;
	if (s.ptr[i] == '.') {
		fraction = count_digits(s, i + 1);
		i += 1 + fraction;
	}
	if (whole + fraction == 0)
		return LOOK_TEXT;
	if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
		i++;
		i += i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+');
		size_t exponent = count_digits(s, i);
		i = exponent > 0 ? i + exponent : SIZE_MAX;
	}
	return i == s.len ? LOOK_REAL : LOOK_TEXT;
}

/* The base of 0x1f and 0o17 (which have no sign); 10 for everything else. */
static unsigned base_of(struct slice s)
{
	if (s.len < 3 || s.ptr[0] != '0')
		return 10;
	return s.ptr[1] == 'x' ? 16 : s.ptr[1] == 'o' ? 8 : 10;
}

static unsigned digit_value(char c)
{
	if (is_digit(c))
		return (unsigned)(c - '0');
	char letter = (char)(c | 0x20);
	return letter >= 'a' && letter <= 'f' ? (unsigned)(letter - 'a') + 10 : 16;
}

static bool has_only_digits(struct slice s, unsigned base)
{
	for (size_t i = 0; i < s.len; i++)
		if (digit_value(s.ptr[i]) >= base)
			return false;
	return true;
}

static struct slice without(struct slice s, size_t count)
{
	return slice_from(s, count);
}

static bool has_sign(struct slice s)
{
	return s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+');
}

static enum look look_of(struct slice s)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_is(s, words[i].text))
			return words[i].look;
	unsigned base = base_of(s);
	if (base != 10)
		return has_only_digits(without(s, 2), base) ? LOOK_INTEGER : LOOK_TEXT;
	struct slice digits = without(s, has_sign(s));
	return is_infinite(digits) ? LOOK_NOT_FINITE : number_look(digits);
}

static bool fail(struct slice text, const char *why, struct error *err)
{
	struct buf shown = {0};
	text_escape(text, SHOWN_BYTES, &shown);
	error_set(err, ERROR_SETTINGS, "'%s' %s", shown.ptr ? shown.ptr : "", why);
	buf_release(&shown);
	return false;
}

/* Only for texts that look like an integer. */
static json_t *read_integer(struct slice text, struct error *err)
{
	unsigned base = base_of(text);
	bool negative = text.ptr[0] == '-';
	struct slice digits = without(text, base != 10 ? 2 : has_sign(text));
	uint64_t value = 0, limit = (uint64_t)INT64_MAX + negative;
	bool fits = true;
	for (size_t i = 0; fits && i < digits.len; i++)
		fits = !__builtin_mul_overflow(value, base, &value) &&
		       !__builtin_add_overflow(value, digit_value(digits.ptr[i]), &value) &&
		       value <= limit;
	if (fits)
		return json_integer(negative ? (json_int_t)(0 - value) : (json_int_t)value);
	fail(text,
	    "is an integer beyond the 64 bits of -9223372036854775808 to 9223372036854775807; "
	    "put it in quotes to have it as text",
	    err);
	return NULL;
}

/* Only for texts that look like an integer or a real in base 10. */
static json_t *read_real(struct slice text, struct error *err)
{
	char *copy = mem_strndup(text.ptr, text.len);
	double value = strtod(copy, NULL);
	free(copy);
	if (isfinite(value))
		return json_real(value);
	fail(text, "is too large for a number", err);
	return NULL;
}

static json_t *read_look(struct slice text, enum look look, struct error *err)
{
	switch (look) {
	case LOOK_NULL:
		return json_null();
	case LOOK_TRUE:
		return json_true();
	case LOOK_FALSE:
		return json_false();
	case LOOK_INTEGER:
		return read_integer(text, err);
	case LOOK_REAL:
		return read_real(text, err);
	case LOOK_NOT_FINITE:
		fail(text, "is not a finite number; put it in quotes to have it as text", err);
		return NULL;
	case LOOK_TEXT:
		break;
	}
	return json_stringn_nocheck(text.ptr ? text.ptr : "", text.len);
}

/* Which looks a tag accepts, and the words for it. */
struct tag {
	unsigned looks; /* bits by enum look */
	const char *refusal;
};

#define BIT(look) (1u << (look))

static const struct tag tags[] = {
    [SCALAR_INTEGER] = {BIT(LOOK_INTEGER), "is not an integer, as its tag !!int says"},
    [SCALAR_REAL] = {BIT(LOOK_INTEGER) | BIT(LOOK_REAL) | BIT(LOOK_NOT_FINITE),
	"is not a number, as its tag !!float says"},
    [SCALAR_BOOLEAN] = {BIT(LOOK_TRUE) | BIT(LOOK_FALSE),
	"is not true or false, as its tag !!bool says"},
    [SCALAR_NULL] = {BIT(LOOK_NULL), "is not null, as its tag !!null says"},
};

json_t *scalar_read(struct slice text, enum scalar_type type, struct error *err)
{
	if (type == SCALAR_TEXT)
		return read_look(text, LOOK_TEXT, err);
	enum look look = look_of(text);
	if (type != SCALAR_ANY && (tags[type].looks & BIT(look)) == 0) {
		fail(text, tags[type].refusal, err);
		return NULL;
	}
	if (type == SCALAR_REAL && look == LOOK_INTEGER && base_of(text) == 10)
		return read_real(text, err);
	return read_look(text, look, err);
}
