/* fuzz_num.c - texts as numbers, durations, sizes, rates: read as what is said, or refused; what is
 * written reads back. */
#include "base/num.h"
#include "base/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const char *what, const char *detail)
{
	fprintf(stderr, "%s: %s\n", what, detail);
	abort();
}

/* A refusal says so in words for people. */
static void check_refusal(const struct error *err)
{
	if (err->kind != ERROR_USAGE || err->text[0] == '\0')
		fail("no refusal", err->text);
	for (const char *c = err->text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == '\x7f')
			fail("a control character", err->text);
	if (!text_is_utf8(slice_str(err->text)))
		fail("not UTF-8", err->text);
}

static void check_integers(struct slice text)
{
	struct error err = {0}, again = {0};
	struct buf shown = {0};
	uint64_t u = 77;
	int64_t i = 77;
	if (num_parse_u64(text, 10, 1000000, &u, &err) ? u < 10 || u > 1000000 : u != 77)
		fail("out of bounds", "u64");
	if (err.kind != ERROR_NONE)
		check_refusal(&err);
	if (num_parse_i64(text, -1000, 1000, &i, &again) ? i < -1000 || i > 1000 : i != 77)
		fail("out of bounds", "i64");
	if (again.kind != ERROR_NONE)
		check_refusal(&again);
	num_format_count(u, &shown);
	buf_release(&shown);
}

static void check_double(struct slice text)
{
	struct error err = {0};
	struct buf shown = {0};
	double value = 0, back = 0;
	if (!num_parse_double(text, &value, &err)) {
		check_refusal(&err);
		return;
	}
	if (!isfinite(value))
		fail("not finite", "double");
	num_format_double(value, &shown);
	if (!num_parse_double(buf_slice(&shown), &back, &err) || back != value)
		fail("does not read back", shown.ptr);
	buf_release(&shown);
}

static void check_duration(struct slice text)
{
	struct error err = {0};
	struct buf shown = {0};
	uint64_t ns = 0, back = 0;
	if (!num_parse_duration(text, &ns, &err)) {
		check_refusal(&err);
		return;
	}
	num_format_duration(ns, &shown);
	/* rounded up, the longest of all is too long */
	if (ns < INT64_MAX / 2 && !num_parse_duration(buf_slice(&shown), &back, &err))
		fail("does not read back", shown.ptr);
	buf_release(&shown);
}

static void check_size_and_rate(struct slice text)
{
	struct error err = {0}, again = {0};
	struct buf shown = {0};
	uint64_t bytes = 0;
	double rate = 1;
	if (num_parse_size(text, &bytes, &err))
		num_format_size(bytes, &shown);
	else
		check_refusal(&err);
	if (!num_parse_rate(text, &rate, &again))
		check_refusal(&again);
	if (!(rate > 0) || !isfinite(rate))
		fail("a rate that is none", "rate");
	buf_release(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};
	check_integers(text);
	check_double(text);
	check_duration(text);
	check_size_and_rate(text);
	return 0;
}
