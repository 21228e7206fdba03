#include "fake/mask_value.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/text.h"
#include "fake/value.h"

#define TRIES 64 /* the odds that all of them hit the value itself: 1 in 9^64 */
#define DATE_CHARS 10
#define MINUTE_CHARS 16 /* of "2026-11-21T08:15" */

/* ---- letters and digits ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char pick(struct rng *r, const char *from, size_t count)
{
	return from[rng_below(r, count)];
}

static char pick_digit(struct rng *r)
{
	return (char)('0' + rng_below(r, 10));
}

static size_t sequence_length(char lead)
{
	unsigned char c = (unsigned char)lead;
	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static uint32_t read_sequence(const char *text, size_t length)
{
	static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t point = (unsigned char)text[0] & lead_bits[length];
	for (size_t i = 1; i < length; i++)
		point = point << 6 | ((unsigned char)text[i] & 0x3f);
	return point;
}

/* What is no letter beyond ASCII: signs of Latin-1, punctuation, currencies, CJK punctuation. */
static bool is_sign(uint32_t point)
{
	return point < 0xc0 || point == 0xd7 || point == 0xf7 ||
	       (point >= 0x2000 && point < 0x2100) || (point >= 0x3000 && point < 0x3040);
}

/* A letter for a letter of as many bytes. */
static uint32_t pick_point(struct rng *r, uint32_t point, size_t length)
{
	if (length == 3)
		return 0x4e00 + (uint32_t)rng_below(r, 20902); /* CJK */
	if (length == 4)
		return 0x1f600 + (uint32_t)rng_below(r, 80); /* faces */
	return (point <= 0xde ? 0xc0 : 0xe0) + (uint32_t)rng_below(r, 0x17);
}

static void make_by_class(struct rng *r, struct slice text, struct buf *out)
{
	for (size_t i = 0, length; i < text.len; i += length) {
		char c = text.ptr[i];
		length = sequence_length(c);
		if (length > text.len - i)
			length = text.len - i; /* not UTF-8: never read beyond */
		uint32_t point = read_sequence(text.ptr + i, length);
		if (is_digit(c))
			buf_append_char(out, pick_digit(r));
		else if (c >= 'a' && c <= 'z')
			buf_append_char(out, (char)('a' + rng_below(r, 26)));
		else if (c >= 'A' && c <= 'Z')
			buf_append_char(out, (char)('A' + rng_below(r, 26)));
		else if (length == 1 || is_sign(point))
			buf_append(out, (struct slice){text.ptr + i, length});
		else
			text_utf8(pick_point(r, point, length), out);
	}
}

/* ---- forms ---- */

/* In the pattern stands 0 for a digit and x for a hexadecimal one. */
static bool has_form(struct slice text, size_t at, const char *pattern)
{
	size_t length = strlen(pattern);
	if (text.len < at || text.len - at < length)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = text.ptr[at + i];
		bool is_hex = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		bool fits = pattern[i] == '0'	? is_digit(c)
			    : pattern[i] == 'x' ? is_hex
						: c == pattern[i];
		if (!fits)
			return false;
	}
	return true;
}

static bool is_uuid(struct slice text)
{
	return text.len == RNG_UUID_CHARS &&
	       has_form(text, 0, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
}

/* Version and variant stay: they say how it was made, not what it names. */
static void make_uuid(struct rng *r, struct slice text, struct buf *out)
{
	bool is_upper = false;
	for (size_t i = 0; i < text.len; i++)
		is_upper = is_upper || (text.ptr[i] >= 'A' && text.ptr[i] <= 'F');
	const char *digits = is_upper ? "0123456789ABCDEF" : "0123456789abcdef";
	for (size_t i = 0; i < text.len; i++) {
		bool stays = text.ptr[i] == '-' || i == 14 || i == 19;
		buf_append_char(out, stays ? text.ptr[i] : pick(r, digits, 16));
	}
}

/* How much of the text is the time of a date: 0 when it is none. */
static size_t time_length(struct slice text)
{
	if (!has_form(text, 0, "0000-00-00"))
		return 0;
	size_t at = DATE_CHARS;
	if (text.len == at)
		return at;
	if (strchr("Tt ", text.ptr[at]) == NULL || !has_form(text, at + 1, "00:00"))
		return 0;
	at = MINUTE_CHARS;
	if (has_form(text, at, ":00"))
		at += 3;
	if (has_form(text, at, ".0"))
		for (at++; at < text.len && is_digit(text.ptr[at]);)
			at++;
	struct slice zone = slice_from(text, at);
	bool is_zone =
	    zone.len == 0 || slice_is(zone, "Z") || slice_is(zone, "z") ||
	    (zone.len == 6 && (has_form(zone, 0, "+00:00") || has_form(zone, 0, "-00:00")));
	return is_zone ? at : 0;
}

static void make_time(struct rng *r, struct slice text, struct buf *out)
{
	static const struct part {
		size_t at; /* in the text, behind one character that stays */
		uint64_t from, count;
		unsigned width;
	} parts[] = {{0, 1950, 80, 4}, {5, 1, 12, 2}, {8, 1, 28, 2}, {11, 0, 24, 2}, {14, 0, 60, 2},
	    {17, 0, 60, 2}};
	size_t length = time_length(text), done = 0;
	for (size_t i = 0; i < ARRAY_LEN(parts) && parts[i].at < length; i++) {
		const struct part *p = &parts[i];
		if (p->at == 17 && text.ptr[MINUTE_CHARS] != ':')
			break; /* a fraction of minutes */
		if (p->at > 0)
			buf_append_char(out, text.ptr[p->at - 1]);
		value_write_padded(p->from + rng_below(r, p->count), p->width, out);
		done = p->at + p->width;
	}
	for (; done < length; done++)
		buf_append_char(out, is_digit(text.ptr[done]) ? pick_digit(r) : text.ptr[done]);
	buf_append(out, slice_from(text, length));
}

/* Where the @ stands; 0: it is no address. */
static size_t address_at(struct slice text)
{
	const char *at = text.len > 0 ? memchr(text.ptr, '@', text.len) : NULL;
	if (at == NULL || at == text.ptr)
		return 0;
	struct slice domain = slice_from(text, (size_t)(at - text.ptr) + 1);
	const char *dot = domain.len > 0 ? memchr(domain.ptr, '.', domain.len) : NULL;
	bool is_domain = dot != NULL && dot != domain.ptr && dot != domain.ptr + domain.len - 1;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || strchr("<>,;\"()", text.ptr[i]) != NULL)
			return 0;
	if (!is_domain || memchr(domain.ptr, '@', domain.len) != NULL)
		return 0;
	return (size_t)(at - text.ptr);
}

static void make_address(struct rng *r, struct slice text, struct buf *out)
{
	static const char *const domains[] = {"@example.com", "@example.net", "@example.org"};
	make_by_class(r, (struct slice){text.ptr, address_at(text)}, out);
	buf_append_str(out, domains[rng_below(r, ARRAY_LEN(domains))]);
}

static void make_text(struct rng *r, struct slice text, struct buf *out)
{
	if (is_uuid(text))
		make_uuid(r, text, out);
	else if (time_length(text) > 0)
		make_time(r, text, out);
	else if (address_at(text) > 0)
		make_address(r, text, out);
	else
		make_by_class(r, text, out);
}

/* ---- numbers ---- */

/* The most that the first digits of the longest numbers of 64 bits may be: 8.. of 19, 17.. of 20.
 */
static char most_digit(size_t digits, size_t i)
{
	if (digits == 19 && i == 0)
		return '8';
	if (digits == 20 && i < 2)
		return i == 0 ? '1' : '7';
	return '9';
}

static void make_number(struct rng *r, struct slice number, struct buf *out)
{
	size_t at = number.ptr[0] == '-', whole = at;
	while (whole < number.len && is_digit(number.ptr[whole]))
		whole++;
	size_t digits = whole - at;
	bool is_real = whole < number.len && number.ptr[whole] == '.';
	if (at > 0)
		buf_append_char(out, '-');
	for (size_t i = 0; i < digits; i++) {
		char least = i == 0 ? '1' : '0';
		uint64_t choices = 1 + (uint64_t)most_digit(digits, i) - (uint64_t)least;
		bool stays = is_real && digits == 1 && number.ptr[at] == '0'; /* of 0.25 */
		buf_append_char(out, stays ? '0' : (char)(least + (char)rng_below(r, choices)));
	}
	for (at = whole; at < number.len && strchr("eE", number.ptr[at]) == NULL; at++)
		buf_append_char(out, is_digit(number.ptr[at]) ? pick_digit(r) : number.ptr[at]);
	buf_append(out, slice_from(number, at));
}

/* ---- both ---- */

static void make(const unsigned char *key, struct slice value, struct buf *out,
    void (*how)(struct rng *r, struct slice value, struct buf *out))
{
	struct siphash hash = siphash_128(key, value);
	size_t before = out->len;
	struct rng r;
	for (uint64_t i = 0; i < TRIES; i++) {
		buf_truncate(out, before);
		rng_seed(&r, hash.low + i * hash.high);
		how(&r, value, out);
		if (!slice_equal(slice_from(buf_slice(out), before), value))
			return;
	}
}

void mask_value_text(const unsigned char key[SIPHASH_KEY_BYTES], struct slice text, struct buf *out)
{
	if (text.len > 0)
		make(key, text, out, make_text);
}

void mask_value_number(
    const unsigned char key[SIPHASH_KEY_BYTES], struct slice number, struct buf *out)
{
	make(key, number, out, make_number);
}
