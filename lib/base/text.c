#include "base/text.h"

#include "base/mem.h"

#include <endian.h>
#include <stdlib.h>

#define QUOTE_BYTES 200
#define MAX_COMBINING_RUN 8

/* Decodes one character; returns its length in bytes, 0 when the bytes are not UTF-8 there. */
static size_t decode(struct slice s, uint32_t *out)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	if (p[0] < 0x80) {
		*out = p[0];
		return 1;
	}
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	if (p[0] < 0xc2 || p[0] > 0xf4 || len > s.len)
		return 0;
	uint32_t c = p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return len;
}

bool text_is_utf8(struct slice bytes)
{
	uint32_t c;
	for (size_t i = 0, n; i < bytes.len; i += n) {
		uint64_t eight;
		n = 8;
		if (bytes.len - i >= 8 &&
		    (memcpy(&eight, bytes.ptr + i, 8), (eight & UINT64_C(0x8080808080808080)) == 0))
			continue;
		n = decode(slice_from(bytes, i), &c);
		if (n == 0)
			return false;
	}
	return true;
}

void text_utf8(uint32_t c, struct buf *out)
{
	char bytes[4];
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = len; i-- > 1; c >>= 6)
		bytes[i] = (char)(0x80 | (c & 0x3f));
	bytes[0] = (char)(lead[len] | c);
	buf_append(out, (struct slice){bytes, len});
}

struct range {
	uint32_t first, last;
};

/* The ranges stand in order, so that common scripts are through after a few. */
static bool in_ranges(uint32_t c, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count && c >= ranges[i].first; i++)
		if (c <= ranges[i].last)
			return true;
	return false;
}

/* Characters that change how a terminal or a reader sees the text around them. */
static bool is_deceptive(uint32_t c)
{
	static const struct range ranges[] = {
	    {0x00, 0x1f},
	    {0x7f, 0x9f},
	    {0xad, 0xad},     /* soft hyphen */
	    {0x34f, 0x34f},   /* combining grapheme joiner */
	    {0x61c, 0x61c},   /* arabic letter mark */
	    {0x115f, 0x1160}, /* hangul fillers */
	    {0x180b, 0x180f}, /* mongolian selectors and vowel separator */
	    {0x200b, 0x200f}, /* zero width, direction marks */
	    {0x2028, 0x202e}, /* separators, bidirectional embedding */
	    {0x2060, 0x206f}, /* invisible operators, isolates */
	    {0x3164, 0x3164},
	    {0xe000, 0xf8ff}, /* private use */
	    {0xfdd0, 0xfdef}, /* noncharacters */
	    {0xfeff, 0xfeff}, /* byte order mark */
	    {0xfff0, 0xfffb},
	    {0xe0000, 0xe0fff}, /* tags, variation selectors supplement */
	    {0xf0000, 0x10ffff},
	};
	return in_ranges(c, ranges, ARRAY_LEN(ranges)) || (c & 0xfffe) == 0xfffe;
}

static bool is_combining(uint32_t c)
{
	static const struct range ranges[] = {
	    {0x300, 0x36f},
	    {0x483, 0x489},
	    {0x591, 0x5bd},
	    {0x610, 0x61a},
	    {0x64b, 0x65f},
	    {0xe31, 0xe3a},
	    {0x1ab0, 0x1aff},
	    {0x1dc0, 0x1dff},
	    {0x20d0, 0x20ff},
	    {0xfe00, 0xfe0f},
	    {0xfe20, 0xfe2f},
	};
	return in_ranges(c, ranges, ARRAY_LEN(ranges));
}

static void escape_one(uint32_t c, struct buf *out)
{
	if (c == '\n')
		buf_append_str(out, "\\n");
	else if (c == '\t')
		buf_append_str(out, "\\t");
	else if (c == '\r')
		buf_append_str(out, "\\r");
	else if (c < 0x80)
		buf_printf(out, "\\x%02x", (unsigned)c);
	else
		buf_printf(out, "\\u{%x}", (unsigned)c);
}

/* The bytes at the front that every terminal shows as they are. */
static size_t printable_run(struct slice bytes)
{
	size_t n = 0;
	while (n < bytes.len && bytes.ptr[n] >= ' ' && bytes.ptr[n] <= '~' && bytes.ptr[n] != '\\')
		n++;
	return n;
}

/* Escapes the character at the front and returns its length. marks: combining ones before it. */
static size_t escape_front(struct slice bytes, bool keep_lines, unsigned *marks, struct buf *out)
{
	uint32_t c = 0;
	size_t n = decode(bytes, &c);
	if (n == 0) {
		buf_printf(out, "\\x%02x", (unsigned)(unsigned char)bytes.ptr[0]);
		return 1;
	}
	*marks = is_combining(c) ? *marks + 1 : 0;
	if (keep_lines && (c == '\n' || c == '\t'))
		buf_append_char(out, (char)c);
	else if (c == '\\' && !keep_lines)
		buf_append_str(out, "\\\\");
	else if (is_deceptive(c) || *marks > MAX_COMBINING_RUN)
		escape_one(c, out);
	else
		buf_append(out, (struct slice){bytes.ptr, n});
	return n;
}

static void escape(struct slice bytes, size_t max_bytes, bool keep_lines, struct buf *out)
{
	unsigned marks = 0;
	for (size_t i = 0, n; i < bytes.len; i += n) {
		if (i >= max_bytes) {
			buf_append_str(out, "...");
			return;
		}
		struct slice rest = {bytes.ptr + i, bytes.len - i};
		size_t left = max_bytes - i < rest.len ? max_bytes - i : rest.len;
		n = printable_run((struct slice){rest.ptr, left});
		if (n > 0) {
			buf_append(out, (struct slice){rest.ptr, n});
			marks = 0;
		} else {
			n = escape_front(rest, keep_lines, &marks, out);
		}
	}
}

void text_escape(struct slice bytes, size_t max_bytes, struct buf *out)
{
	escape(bytes, max_bytes, false, out);
}

void text_escape_lines(struct slice bytes, size_t max_bytes, struct buf *out)
{
	escape(bytes, max_bytes, true, out);
}

char *text_quote(struct slice bytes)
{
	struct buf out = {0};
	text_escape(bytes, QUOTE_BYTES, &out);
	return buf_take(&out);
}

/* True for the bytes that stand for themselves inside a JSON string. */
static bool is_json_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

#define EVERY_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* The high bit of each byte that is 0; bytes above such a one may be wrong. */
static uint64_t zero_bytes(uint64_t word)
{
	return (word - EVERY_BYTE(1)) & ~word & EVERY_BYTE(0x80);
}

/* How many of eight bytes are plain before the first that is not; 8 when all are. */
static size_t json_plain_bytes(uint64_t word)
{
	uint64_t below_space = (word - EVERY_BYTE(0x20)) & ~word & EVERY_BYTE(0x80);
	uint64_t specials =
	    below_space | (word & EVERY_BYTE(0x80)) | zero_bytes(word ^ EVERY_BYTE('"')) |
	    zero_bytes(word ^ EVERY_BYTE('\\')) | zero_bytes(word ^ EVERY_BYTE(0x7f));
	return specials == 0 ? 8 : (size_t)__builtin_ctzll(specials) / 8;
}

/* Copies the plain bytes at the front and returns how many. Eight at a time: this is where a
 * consumer that prints JSON spends its time. `end` has room for len and 8 more. */
static size_t copy_json_plain(const char *bytes, size_t len, char *end)
{
	size_t n = 0;
	for (; len - n >= 8; n += 8) {
		uint64_t word;
		memcpy(&word, bytes + n, 8);
		memcpy(end + n, &word, 8);
		size_t plain = json_plain_bytes(le64toh(word));
		if (plain < 8)
			return n + plain;
	}
	for (; n < len && is_json_plain((unsigned char)bytes[n]); n++)
		end[n] = bytes[n];
	return n;
}

size_t text_plain(struct slice bytes)
{
	size_t n = 0;
	for (; bytes.len - n >= 8; n += 8) {
		uint64_t word;
		memcpy(&word, bytes.ptr + n, 8);
		size_t plain = json_plain_bytes(le64toh(word));
		if (plain < 8)
			return n + plain;
	}
	while (n < bytes.len && is_json_plain((unsigned char)bytes.ptr[n]))
		n++;
	return n;
}

static char *write_u(uint32_t unit, char *end)
{
	static const char hex[] = "0123456789abcdef";
	*end++ = '\\';
	*end++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*end++ = hex[unit >> shift & 15];
	return end;
}

/* Writes the character at the front, which is not plain; returns where the text goes on. */
static char *write_json_special(struct slice bytes, char *end, size_t *taken)
{
	uint32_t c = 0xfffd; /* what is not UTF-8 is the caller's mistake; the line stays valid */
	size_t n = decode(bytes, &c);
	*taken = n > 0 ? n : 1;
	if (n > 0 && !is_deceptive(c)) {
		for (size_t i = 0; i < n; i++) /* too few for a call of memcpy */
			*end++ = bytes.ptr[i];
		return end;
	}
	if (c <= 0xffff)
		return write_u(c, end);
	return write_u(0xdc00 | (c & 0x3ff), write_u(0xd7c0 + (c >> 10), end));
}

#define JSON_BLOCK 256
/* A byte becomes six at most (\u001b); the last character may reach out of the block. */
#define JSON_BLOCK_MAX (JSON_BLOCK * 6 + 12 + 8)

/* Writes the characters that begin in the first JSON_BLOCK bytes; returns how many bytes. */
static size_t write_json_block(struct slice bytes, struct buf *out)
{
	static const char letters[128] = {['"'] = '"',
	    ['\\'] = '\\',
	    ['\b'] = 'b',
	    ['\f'] = 'f',
	    ['\n'] = 'n',
	    ['\r'] = 'r',
	    ['\t'] = 't'};
	size_t block = bytes.len < JSON_BLOCK ? bytes.len : JSON_BLOCK, i = 0;
	char *end = buf_reserve(out, JSON_BLOCK_MAX);
	for (size_t taken; i < block; i += taken) {
		unsigned char c = (unsigned char)bytes.ptr[i];
		taken = 1;
		if (is_json_plain(c)) {
			taken = copy_json_plain(bytes.ptr + i, block - i, end);
			end += taken;
		} else if (c < sizeof letters && letters[c] != '\0') {
			*end++ = '\\';
			*end++ = letters[c];
		} else {
			end = write_json_special(slice_from(bytes, i), end, &taken);
		}
	}
	out->len = (size_t)(end - out->ptr);
	return i;
}

void text_json(struct slice bytes, struct buf *out)
{
	buf_append_char(out, '"');
	while (bytes.len > 0) {
		size_t taken = write_json_block(bytes, out);
		bytes.ptr += taken;
		bytes.len -= taken;
	}
	buf_append_char(out, '"');
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void text_base64(struct slice bytes, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	char *end = buf_reserve(out, (bytes.len + 2) / 3 * 4);
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t v = (uint32_t)p[i] << 16;
		v |= n > 1 ? (uint32_t)p[i + 1] << 8 : 0;
		v |= n > 2 ? p[i + 2] : 0;
		*end++ = base64_digits[v >> 18];
		*end++ = base64_digits[v >> 12 & 63];
		*end++ = n > 1 ? base64_digits[v >> 6 & 63] : '=';
		*end++ = n > 2 ? base64_digits[v & 63] : '=';
		out->len += 4;
	}
	*end = '\0';
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes four characters, of which the last `pads` are '='. */
static bool decode_four(const char *four, size_t pads, char three[3])
{
	uint32_t v = 0;
	for (size_t k = 0; k < 4; k++) {
		int digit = k >= 4 - pads ? 0 : base64_value(four[k]);
		if (digit < 0)
			return false;
		v = v << 6 | (uint32_t)digit;
	}
	three[0] = (char)(v >> 16);
	three[1] = (char)(v >> 8);
	three[2] = (char)v;
	return true;
}

bool text_base64_decode(struct slice text, struct buf *out)
{
	if (text.len % 4 != 0)
		return false;
	size_t bytes = text.len / 4 * 3, pads = 0;
	while (pads < 2 && pads < text.len && text.ptr[text.len - 1 - pads] == '=')
		pads++;
	char *end = buf_reserve(out, bytes);
	bool good = true;
	for (size_t i = 0; good && i < text.len; i += 4, end += 3)
		good = decode_four(text.ptr + i, i + 4 == text.len ? pads : 0, end);
	buf_truncate(out, out->len + (good ? bytes - pads : 0));
	return good;
}

#define SUGGEST_MAX 63

/* Optimal string alignment distance of two words of at most SUGGEST_MAX bytes. */
static size_t distance(struct slice a, struct slice b)
{
	size_t rows[3][SUGGEST_MAX + 1];
	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *now = rows[i % 3], *up = rows[(i - 1) % 3], *up2 = rows[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t best = up[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
			best = up[j] + 1 < best ? up[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			bool swapped = i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] &&
				       a.ptr[i - 2] == b.ptr[j - 1];
			if (swapped && up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[a.len % 3][b.len];
}

const char *text_suggest(struct slice word, const char *const candidates[])
{
	const char *nearest = NULL;
	size_t best = 2 + word.len / 4;
	for (size_t i = 0; candidates[i] != NULL; i++) {
		struct slice candidate = slice_str(candidates[i]);
		if (word.len > SUGGEST_MAX || candidate.len > SUGGEST_MAX)
			continue;
		size_t d = distance(word, candidate);
		if (d < best) {
			best = d;
			nearest = candidates[i];
		}
	}
	return nearest;
}
