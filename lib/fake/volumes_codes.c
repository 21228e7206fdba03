#include "fake/volumes_codes.h"

#include "base/mem.h"
#include "fake/stamp.h"
#include "fake/value.h"
#include "fake/volumes_data.h"

static void append_digits(struct rng *r, unsigned count, struct buf *out)
{
	static const uint64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
	    100000000, 1000000000, 10000000000, 100000000000, 1000000000000};
	value_write_padded(rng_below(r, powers[count]), count, out);
}

static void append_letters(struct rng *r, unsigned count, char first, struct buf *out)
{
	for (unsigned i = 0; i < count; i++)
		buf_append_char(out, (char)(first + (int)rng_below(r, 26)));
}

static void append_hex(struct rng *r, unsigned digits, struct buf *out)
{
	static const char hex[] = "0123456789abcdef";
	uint64_t bits = 0;
	char *end = buf_reserve(out, digits);
	for (unsigned i = 0; i < digits; i++, bits >>= 4) {
		if (i % 16 == 0)
			bits = rng_next(r);
		end[i] = hex[bits & 15];
	}
	end[digits] = '\0';
	out->len += digits;
}

/* The check digit of EAN and ISBN-13: weights 3 and 1 in turn, from the right. */
static void append_ean_check(size_t first, struct buf *out)
{
	unsigned sum = 0, weight = 3;
	for (size_t i = out->len; i-- > first; weight ^= 2)
		sum += (unsigned)(out->ptr[i] - '0') * weight;
	buf_append_char(out, (char)('0' + (10 - sum % 10) % 10));
}

/* The first digit 2 marks numbers that a shop gives out itself: never those of a real product. */
void volumes_codes_ean13(struct rng *r, int64_t wall_ms, struct buf *out)
{
	size_t first = out->len;
	(void)wall_ms;
	buf_append_char(out, '2');
	append_digits(r, 11, out);
	append_ean_check(first, out);
}

void volumes_codes_ean8(struct rng *r, int64_t wall_ms, struct buf *out)
{
	size_t first = out->len;
	(void)wall_ms;
	buf_append_char(out, '2');
	append_digits(r, 6, out);
	append_ean_check(first, out);
}

void volumes_codes_isbn13(struct rng *r, int64_t wall_ms, struct buf *out)
{
	size_t first = out->len;
	(void)wall_ms;
	buf_append_str(out, "978");
	append_digits(r, 9, out);
	append_ean_check(first, out);
}

void volumes_codes_isbn10(struct rng *r, int64_t wall_ms, struct buf *out)
{
	size_t first = out->len;
	unsigned sum = 0;
	(void)wall_ms;
	append_digits(r, 9, out);
	for (unsigned i = 0; i < 9; i++)
		sum += (10 - i) * (unsigned)(out->ptr[first + i] - '0');
	unsigned check = (11 - sum % 11) % 11;
	buf_append_char(out, check == 10 ? 'X' : (char)('0' + check));
}

/* Bank codes that no bank has: TEST, or a leading 0 where the country's codes begin with 1. */
static const struct iban_country {
	const char *code, *bank;
	unsigned digits; /* after the bank */
} iban_countries[] = {
    {"AT", "0", 15},
    {"DE", "0", 17},
    {"GB", "TEST", 14},
    {"IE", "TEST", 14},
    {"NL", "TEST", 10},
};

static void append_bban(struct rng *r, const struct iban_country *country, struct buf *out)
{
	buf_append_str(out, country->bank);
	append_digits(r, country->digits - 10, out);
	append_digits(r, 10, out);
}

void volumes_codes_bban(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_bban(r, &iban_countries[rng_below(r, ARRAY_LEN(iban_countries))], out);
}

/* ISO 7064 MOD 97-10 of digits and upper-case letters (A is 10), carried on from `rest`. */
static unsigned mod97(unsigned rest, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool is_digit = text[i] <= '9';
		unsigned v = (unsigned)(is_digit ? text[i] - '0' : text[i] - 'A' + 10);
		rest = (rest * (is_digit ? 10 : 100) + v) % 97;
	}
	return rest;
}

void volumes_codes_iban(struct rng *r, int64_t wall_ms, struct buf *out)
{
	const struct iban_country *country =
	    &iban_countries[rng_below(r, ARRAY_LEN(iban_countries))];
	(void)wall_ms;
	buf_append_str(out, country->code);
	size_t check_at = out->len;
	buf_append_str(out, "00");
	append_bban(r, country, out);
	unsigned rest = mod97(0, out->ptr + check_at + 2, out->len - check_at - 2);
	unsigned check = 98 - mod97(mod97(rest, country->code, 2), "00", 2);
	out->ptr[check_at] = (char)('0' + check / 10);
	out->ptr[check_at + 1] = (char)('0' + check % 10);
}

/* The 0 at the end of the location marks the code of a test system. */
void volumes_codes_swift(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_letters(r, 4, 'A', out);
	buf_append_str(out, volumes_data_pick_pair(r, &volumes_data_countries)->code);
	append_letters(r, 1, 'A', out);
	buf_append_char(out, '0');
}

/* The first eight digits of the numbers that payment services publish for tests. */
static const struct card {
	const char *provider, *prefix;
	unsigned digits; /* between prefix and check digit */
} cards[] = {
    {"American Express", "37828224", 6},
    {"Discover", "60111111", 7},
    {"Mastercard", "55555555", 7},
    {"Visa", "42424242", 7},
};

/* Luhn: every second digit from the right is doubled, the digits of the doubles are added. */
void volumes_codes_card_number(struct rng *r, int64_t wall_ms, struct buf *out)
{
	const struct card *card = &cards[rng_below(r, ARRAY_LEN(cards))];
	size_t first = out->len;
	unsigned sum = 0;
	bool doubled = true;
	(void)wall_ms;
	buf_append_str(out, card->prefix);
	append_digits(r, card->digits, out);
	for (size_t i = out->len; i-- > first; doubled = !doubled) {
		unsigned digit = (unsigned)(out->ptr[i] - '0') << doubled;
		sum += digit > 9 ? digit - 9 : digit;
	}
	buf_append_char(out, (char)('0' + (10 - sum % 10) % 10));
}

void volumes_codes_card_provider(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	buf_append_str(out, cards[rng_below(r, ARRAY_LEN(cards))].provider);
}

/* A month of the ten years after this one. */
void volumes_codes_card_expire(struct rng *r, int64_t wall_ms, struct buf *out)
{
	int year = stamp_date(wall_ms).year + (int)rng_between(r, 1, 10);
	value_write_padded(1 + rng_below(r, 12), 2, out);
	buf_append_char(out, '/');
	value_write_padded((uint64_t)year % 100, 2, out);
}

void volumes_codes_card_security_code(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_digits(r, 3, out);
}

void volumes_codes_uuid4(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	rng_uuid4(r, buf_reserve(out, RNG_UUID_CHARS));
	out->len += RNG_UUID_CHARS;
	out->ptr[out->len] = '\0';
}

void volumes_codes_uuid7(struct rng *r, int64_t wall_ms, struct buf *out)
{
	rng_uuid7(r, wall_ms, buf_reserve(out, RNG_UUID_CHARS));
	out->len += RNG_UUID_CHARS;
	out->ptr[out->len] = '\0';
}

void volumes_codes_md5(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_hex(r, 32, out);
}

void volumes_codes_sha1(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_hex(r, 40, out);
}

void volumes_codes_sha256(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_hex(r, 64, out);
}

void volumes_codes_hex_color(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	buf_append_char(out, '#');
	append_hex(r, 6, out);
}

void volumes_codes_password(struct rng *r, int64_t wall_ms, struct buf *out)
{
	static const char marks[] = "!#$%&()*+@^_";
	(void)wall_ms;
	append_letters(r, 1, 'A', out);
	append_letters(r, 4, 'a', out);
	append_digits(r, 3, out);
	buf_append_char(out, marks[rng_below(r, sizeof marks - 1)]);
	append_letters(r, 3, 'a', out);
}

/* The three blocks for documentation, RFC 5737. */
void volumes_codes_ipv4(struct rng *r, int64_t wall_ms, struct buf *out)
{
	static const char *const blocks[] = {"192.0.2.", "198.51.100.", "203.0.113."};
	(void)wall_ms;
	buf_append_str(out, blocks[rng_below(r, ARRAY_LEN(blocks))]);
	buf_append_u64(out, 1 + rng_below(r, 254));
}

/* 2001:db8::/32 is for documentation, RFC 3849; groups without leading zeros, RFC 5952. */
void volumes_codes_ipv6(struct rng *r, int64_t wall_ms, struct buf *out)
{
	static const char hex[] = "0123456789abcdef";
	(void)wall_ms;
	buf_append_str(out, "2001:db8");
	for (int group = 0; group < 6; group++) {
		uint64_t bits = 1 + rng_below(r, 0xffff);
		buf_append_char(out, ':');
		for (int shift = bits > 0xfff  ? 12
				 : bits > 0xff ? 8
				 : bits > 0xf  ? 4
					       : 0;
		     shift >= 0; shift -= 4)
			buf_append_char(out, hex[bits >> shift & 15]);
	}
}

void volumes_codes_mac_address(struct rng *r, int64_t wall_ms, struct buf *out)
{
	static const char local_digits[] = "26ae"; /* locally administered, one station */
	(void)wall_ms;
	append_hex(r, 1, out);
	buf_append_char(out, local_digits[rng_below(r, 4)]);
	for (int octet = 1; octet < 6; octet++) {
		buf_append_char(out, ':');
		append_hex(r, 2, out);
	}
}

void volumes_codes_port_number(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	buf_append_u64(out, 1024 + rng_below(r, 65536 - 1024));
}

void volumes_codes_user_agent(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	volumes_data_append(r, &volumes_data_user_agents, out);
}

void volumes_codes_mime_type(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	volumes_data_append(r, &volumes_data_mime_types, out);
}

void volumes_codes_http_method(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	volumes_data_append(r, &volumes_data_http_methods, out);
}

void volumes_codes_http_status_code(struct rng *r, int64_t wall_ms, struct buf *out)
{
	static const uint16_t codes[] = {200, 201, 202, 204, 301, 302, 304, 400, 401, 403, 404, 405,
	    409, 410, 418, 422, 429, 500, 502, 503, 504};
	(void)wall_ms;
	buf_append_u64(out, codes[rng_below(r, ARRAY_LEN(codes))]);
}

void volumes_codes_boolean(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	buf_append_str(out, rng_below(r, 2) ? "true" : "false");
}

void volumes_codes_random_digit(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_digits(r, 1, out);
}

void volumes_codes_random_int(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	buf_append_u64(out, rng_below(r, 10000));
}

void volumes_codes_random_letter(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_letters(r, 1, rng_below(r, 2) ? 'a' : 'A', out);
}

void volumes_codes_price(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	value_write_decimal(rng_between(r, 99, 99999), 2, out);
}

void volumes_codes_pricetag(struct rng *r, int64_t wall_ms, struct buf *out)
{
	int64_t cents = rng_between(r, 99, 999999);
	(void)wall_ms;
	buf_append_char(out, '$');
	if (cents >= 100000) {
		buf_append_u64(out, (uint64_t)cents / 100000);
		buf_append_char(out, ',');
		value_write_padded((uint64_t)cents / 100 % 1000, 3, out);
		buf_append_char(out, '.');
		value_write_padded((uint64_t)cents % 100, 2, out);
		return;
	}
	value_write_decimal(cents, 2, out);
}

void volumes_codes_latitude(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	value_write_decimal(rng_between(r, -90000000, 90000000), 6, out);
}

void volumes_codes_longitude(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	value_write_decimal(rng_between(r, -180000000, 180000000), 6, out);
}
