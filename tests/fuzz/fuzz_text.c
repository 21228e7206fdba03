/* fuzz_text.c - any bytes, escaped: nothing is left that a terminal obeys or that forges a line. */
#include "base/text.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The characters that text.h promises to escape, told apart here without its help. */
static bool is_obeyed(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff ||
	       (c >= 0xe0000 && c <= 0xe007f) || (c & 0xfffe) == 0xfffe ||
	       (c >= 0xfdd0 && c <= 0xfdef) || (c >= 0xe000 && c <= 0xf8ff) || c >= 0xf0000;
}

/* Of text that is known to be UTF-8. */
static uint32_t next_character(const char **p)
{
	uint32_t c = (unsigned char)*(*p)++;
	unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	c = more == 0 ? c : c & (0x3fu >> more);
	for (; more > 0; more--)
		c = c << 6 | ((unsigned char)*(*p)++ & 0x3f);
	return c;
}

static void check(struct slice text, const char *allowed)
{
	const char *p = text.ptr;
	if (text.len == 0)
		return;
	if (!text_is_utf8(text))
		abort();
	while (p < text.ptr + text.len) {
		uint32_t c = next_character(&p);
		if (is_obeyed(c) && (c == 0 || c > 0x7f || strchr(allowed, (int)c) == NULL)) {
			fprintf(stderr, "U+%04X got through\n", (unsigned)c);
			abort();
		}
	}
}

static void check_json(struct slice text)
{
	struct buf out = {0};
	text_json(text, &out);
	json_t *back = json_loadb(out.ptr, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (back == NULL ||
	    !slice_equal(text, (struct slice){json_string_value(back), json_string_length(back)}))
		abort();
	for (size_t i = 0; i < out.len; i++)
		if ((unsigned char)out.ptr[i] < 0x20 || out.ptr[i] == 0x7f)
			abort();
	json_decref(back);
	buf_release(&out);
}

static void check_base64(struct slice bytes)
{
	struct buf text = {0}, back = {0};
	text_base64(bytes, &text);
	if (!text_base64_decode(buf_slice(&text), &back) || !slice_equal(buf_slice(&back), bytes))
		abort();
	buf_clear(&back);
	if (!text_base64_decode(bytes, &back) && back.len > 0)
		abort();
	buf_release(&text);
	buf_release(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = {(const char *)data, size};
	struct buf out = {0};
	size_t most = size > 0 ? data[0] : 0;
	text_escape(bytes, SIZE_MAX, &out);
	check(buf_slice(&out), "");
	buf_clear(&out);
	text_escape(bytes, most, &out);
	check(buf_slice(&out), "");
	buf_clear(&out);
	text_escape_lines(bytes, SIZE_MAX, &out);
	check(buf_slice(&out), "\n\t");
	char *quote = text_quote(bytes);
	check(slice_str(quote), "");
	if (text_is_utf8(bytes))
		check_json(bytes);
	check_base64(bytes);
	free(quote);
	buf_release(&out);
	return 0;
}
