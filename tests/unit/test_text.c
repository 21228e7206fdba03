#include "base/text.h"

#include "base/mem.h"
#include "base/rng.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

static const struct {
	struct slice bytes;
	bool is_utf8;
} utf8s[] = {
    {BYTES(""), true},
    {BYTES("plain text of more than eight bytes"), true},
    {BYTES("a\0b"), true},
    {BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x87"), true},
    {BYTES("eight by\xc3\xa9 eight by"), true},
    {BYTES("\xed\x9f\xbf\xee\x80\x80"), true}, /* around the surrogates */
    {BYTES("\xf4\x8f\xbf\xbf"), true},	       /* U+10FFFF */
    {BYTES("\xef\xbf\xbe"), true},	       /* a noncharacter is still UTF-8 */
    {BYTES("\x80"), false},
    {BYTES("\xc3"), false},
    {BYTES("eight by\xc3"), false},
    {BYTES("\xc3("), false},
    {BYTES("\xe2\x82"), false},
    {BYTES("\xc0\x80"), false},		/* overlong */
    {BYTES("\xe0\x80\xaf"), false},	/* overlong */
    {BYTES("\xf0\x80\x80\xaf"), false}, /* overlong */
    {BYTES("\xed\xa0\x80"), false},	/* surrogate */
    {BYTES("\xf4\x90\x80\x80"), false}, /* above U+10FFFF */
    {BYTES("\xf8\x88\x80\x80\x80"), false},
    {BYTES("\xff"), false},
};

START_TEST(utf8_is_judged_strictly)
{
	/* In memory of exactly that size, for the address sanitizer. */
	struct slice s = utf8s[_i].bytes;
	char *exact = mem_alloc(s.len, 1);
	memcpy(exact, s.ptr, s.len);
	ck_assert_int_eq(text_is_utf8((struct slice){exact, s.len}), utf8s[_i].is_utf8);
	free(exact);
}
END_TEST

static const struct {
	struct slice bytes;
	size_t max;
	const char *escaped, *lines;
} escapes[] = {
    {BYTES(""), SIZE_MAX, "", ""},
    {BYTES("hop"), SIZE_MAX, "hop", "hop"},
    {BYTES("h\xc3\xa9 \xf0\x9f\x90\x87"), SIZE_MAX, "h\xc3\xa9 \xf0\x9f\x90\x87",
	"h\xc3\xa9 \xf0\x9f\x90\x87"},
    {BYTES("a\nb\tc\rd"), SIZE_MAX, "a\\nb\\tc\\rd", "a\nb\tc\\rd"},
    {BYTES("a\\b"), SIZE_MAX, "a\\\\b", "a\\b"},
    {BYTES("\0\x1b[31m\x07\x7f"), SIZE_MAX, "\\x00\\x1b[31m\\x07\\x7f", "\\x00\\x1b[31m\\x07\\x7f"},
    {BYTES("\xc2\x9b"), SIZE_MAX, "\\u{9b}", "\\u{9b}"}, /* C1 */
    {BYTES("\xff\xc3"), SIZE_MAX, "\\xff\\xc3", "\\xff\\xc3"},
    {BYTES("\xe2\x80\xae"), SIZE_MAX, "\\u{202e}", "\\u{202e}"},       /* right to left */
    {BYTES("\xe2\x80\x8b"), SIZE_MAX, "\\u{200b}", "\\u{200b}"},       /* zero width */
    {BYTES("\xe2\x80\xa8"), SIZE_MAX, "\\u{2028}", "\\u{2028}"},       /* line separator */
    {BYTES("\xef\xbb\xbf"), SIZE_MAX, "\\u{feff}", "\\u{feff}"},       /* byte order mark */
    {BYTES("\xee\x80\x80"), SIZE_MAX, "\\u{e000}", "\\u{e000}"},       /* private use */
    {BYTES("\xf3\xa0\x81\x81"), SIZE_MAX, "\\u{e0041}", "\\u{e0041}"}, /* tag */
    {BYTES("\xf0\x9f\xbf\xbe"), SIZE_MAX, "\\u{1fffe}", "\\u{1fffe}"}, /* noncharacter */
    {BYTES("\xc2\xad"), SIZE_MAX, "\\u{ad}", "\\u{ad}"},	       /* soft hyphen */
    {BYTES("\xc2\xa0\xc2\xae"), SIZE_MAX, "\xc2\xa0\xc2\xae", "\xc2\xa0\xc2\xae"},
    {BYTES("abc"), 3, "abc", "abc"},
    {BYTES("abcd"), 3, "abc...", "abc..."},
    {BYTES("abc"), 0, "...", "..."},
    {BYTES("ab\xc3\xa9z"), 3, "ab\xc3\xa9...", "ab\xc3\xa9..."}, /* never half a character */
    {BYTES("a\nb"), 2, "a\\n...", "a\n..."},
};

START_TEST(foreign_bytes_are_escaped)
{
	struct buf out = {0};
	buf_reserve(&out, 0);
	text_escape(escapes[_i].bytes, escapes[_i].max, &out);
	ck_assert_str_eq(out.ptr, escapes[_i].escaped);
	buf_clear(&out);
	text_escape_lines(escapes[_i].bytes, escapes[_i].max, &out);
	ck_assert_str_eq(out.ptr, escapes[_i].lines);
	buf_release(&out);
}
END_TEST

START_TEST(ninth_combining_mark_in_a_row_is_escaped)
{
	struct buf in = {0}, out = {0};
	buf_append_char(&in, 'e');
	for (int i = 0; i < 9; i++)
		buf_append_str(&in, "\xcc\x81");
	buf_append_str(&in, "e\xcc\x81");
	text_escape(buf_slice(&in), SIZE_MAX, &out);
	ck_assert_str_eq(out.ptr,
	    "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"
	    "\\u{301}e\xcc\x81");
	buf_release(&in);
	buf_release(&out);
}
END_TEST

START_TEST(quotes_are_cut_at_200_bytes)
{
	char letters[201];
	memset(letters, 'x', sizeof letters);
	char *quoted = text_quote((struct slice){letters, 200});
	ck_assert_uint_eq(strlen(quoted), 200);
	free(quoted);
	quoted = text_quote((struct slice){letters, 201});
	ck_assert_uint_eq(strlen(quoted), 203);
	ck_assert_str_eq(quoted + 198, "xx...");
	free(quoted);
	quoted = text_quote((struct slice){0});
	ck_assert_str_eq(quoted, "");
	free(quoted);
}
END_TEST

/* --- JSON --- */

static const struct {
	struct slice bytes;
	const char *json;
} jsons[] = {
    {BYTES(""), "\"\""}, {BYTES("hop"), "\"hop\""},
    {BYTES("eight by and then some more"), "\"eight by and then some more\""},
    {BYTES("\"\\/"), "\"\\\"\\\\/\""}, {BYTES("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
    {BYTES("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\\u007f\""},
    {BYTES("1234567\0"
	   "1234567\x7f"),
	"\"1234567\\u00001234567\\u007f\""},
    {BYTES("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x87"),
	"\"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x87\""},
    {BYTES("\xc2\x9b"), "\"\\u009b\""}, {BYTES("\xe2\x80\xa8"), "\"\\u2028\""},
    {BYTES("\xf3\xa0\x81\x81"), "\"\\udb40\\udc41\""},
    {BYTES("\xf4\x8f\xbf\xbf"), "\"\\udbff\\udfff\""},
    {BYTES("a\xff"
	   "b"),
	"\"a\\ufffdb\""}, /* a caller's mistake */
};

START_TEST(json_strings_are_safe_on_a_terminal)
{
	struct buf out = {0};
	buf_append_str(&out, "x");
	text_json(jsons[_i].bytes, &out);
	ck_assert_str_eq(out.ptr + 1, jsons[_i].json);
	buf_release(&out);
}
END_TEST

/* One character of any length, often one that must be escaped. */
static void append_character(struct rng *r, struct buf *out)
{
	static const char *const some[] = {"\"", "\\", "\n", "\x1b", "\x7f", "\xc3\xa9", "\xc2\x80",
	    "\xe2\x80\xae", "\xe4\xb8\xad", "\xf0\x9f\x90\x87", "\xf3\xa0\x81\x81"};
	if (rng_below(r, 4) == 0)
		buf_append_str(out, some[rng_below(r, ARRAY_LEN(some))]);
	else
		buf_append_char(out, (char)rng_below(r, 128));
}

START_TEST(random_text_survives_json)
{
	struct rng r;
	rng_seed(&r, (uint64_t)_i);
	for (size_t len = 0; len < 700; len++) {
		struct buf in = {0}, json = {0};
		while (in.len < len)
			append_character(&r, &in);
		text_json(buf_slice(&in), &json);
		ck_assert_uint_eq(strlen(json.ptr), json.len);
		size_t controls = 0;
		for (size_t i = 0; i < json.len; i++)
			controls += (unsigned char)json.ptr[i] < ' ';
		ck_assert_uint_eq(controls, 0);
		json_t *tree =
		    json_loadb(json.ptr, json.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		ck_assert_ptr_nonnull(tree);
		struct slice back = {json_string_value(tree), json_string_length(tree)};
		ck_assert(slice_equal(back, buf_slice(&in)));
		json_decref(tree);
		buf_release(&in);
		buf_release(&json);
	}
}
END_TEST

/* --- base64 --- */

static const struct {
	struct slice bytes;
	const char *text;
} base64s[] = {
    {BYTES(""), ""},
    {BYTES("f"), "Zg=="},
    {BYTES("fo"), "Zm8="},
    {BYTES("foo"), "Zm9v"},
    {BYTES("foob"), "Zm9vYg=="},
    {BYTES("fooba"), "Zm9vYmE="},
    {BYTES("foobar"), "Zm9vYmFy"},
    {BYTES("\xfb\xff\xbf"), "+/+/"},
    {BYTES("\0\0\0"), "AAAA"},
};

START_TEST(base64_follows_rfc_4648)
{
	struct buf text = {0}, back = {0};
	text_base64(base64s[_i].bytes, &text);
	ck_assert_str_eq(text.ptr, base64s[_i].text);
	ck_assert(text_base64_decode(buf_slice(&text), &back));
	ck_assert(slice_equal(buf_slice(&back), base64s[_i].bytes));
	buf_release(&text);
	buf_release(&back);
}
END_TEST

static const struct slice not_base64[] = {
    BYTES("Z"),
    BYTES("Zg"),
    BYTES("Zg="),
    BYTES("===="),
    BYTES("Z==="),
    BYTES("Zg==Zg=="),
    BYTES("Zm9v\n"),
    BYTES("Zm 9"),
    BYTES("Zm9-"),
    BYTES("Zm9_"),
    BYTES("Zm9\0"),
    BYTES("=m9v"),
    BYTES("Zm=v"),
    BYTES("Zm9vY*=="),
};

START_TEST(what_is_not_base64_is_refused)
{
	struct buf out = {0};
	buf_append_str(&out, "before");
	ck_assert(!text_base64_decode(not_base64[_i], &out));
	ck_assert_str_eq(out.ptr, "before");
	ck_assert_uint_eq(out.len, 6);
	buf_release(&out);
}
END_TEST

START_TEST(random_bytes_survive_base64)
{
	struct rng r;
	rng_seed(&r, 3);
	for (size_t len = 0; len < 300; len++) {
		struct buf in = {0}, text = {0}, back = {0};
		buf_reserve(&in, len);
		while (in.len < len)
			buf_append_char(&in, (char)rng_next(&r));
		text_base64(buf_slice(&in), &text);
		ck_assert_uint_eq(strlen(text.ptr), text.len);
		ck_assert(text_base64_decode(buf_slice(&text), &back));
		ck_assert(slice_equal(buf_slice(&in), buf_slice(&back)));
		buf_release(&in);
		buf_release(&text);
		buf_release(&back);
	}
}
END_TEST

/* --- suggestions --- */

static const char *const words[] = {"amount", "delay", "url", "routing_key", NULL};

static const struct {
	const char *word, *near;
} suggestions[] = {
    {"amount", "amount"},
    {"amout", "amount"},
    {"amuont", "amount"}, /* swapped */
    {"rul", "url"},
    {"dely", "delay"},
    {"routingkey", "routing_key"},
    {"routin-kye", "routing_key"},
    {"xyz", NULL},
    {"", NULL},
    {"amounttttt", NULL},
};

START_TEST(nearest_word_is_suggested)
{
	ck_assert_pstr_eq(
	    text_suggest(slice_str(suggestions[_i].word), words), suggestions[_i].near);
}
END_TEST

START_TEST(very_long_words_have_no_suggestion)
{
	char word[200];
	memset(word, 'a', sizeof word);
	ck_assert_ptr_null(text_suggest((struct slice){word, sizeof word}, words));
	const char *const none[] = {NULL};
	ck_assert_ptr_null(text_suggest(SLICE("a"), none));
}
END_TEST

static Suite *text_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *escape = tcase_create("escape");
	tcase_add_loop_test(escape, utf8_is_judged_strictly, 0, (int)ARRAY_LEN(utf8s));
	tcase_add_loop_test(escape, foreign_bytes_are_escaped, 0, (int)ARRAY_LEN(escapes));
	tcase_add_test(escape, ninth_combining_mark_in_a_row_is_escaped);
	tcase_add_test(escape, quotes_are_cut_at_200_bytes);
	suite_add_tcase(suite, escape);
	TCase *json = tcase_create("json");
	tcase_set_timeout(json, 60);
	tcase_add_loop_test(json, json_strings_are_safe_on_a_terminal, 0, (int)ARRAY_LEN(jsons));
	tcase_add_loop_test(json, random_text_survives_json, 0, 4);
	suite_add_tcase(suite, json);
	TCase *base64 = tcase_create("base64");
	tcase_add_loop_test(base64, base64_follows_rfc_4648, 0, (int)ARRAY_LEN(base64s));
	tcase_add_loop_test(base64, what_is_not_base64_is_refused, 0, (int)ARRAY_LEN(not_base64));
	tcase_add_test(base64, random_bytes_survive_base64);
	suite_add_tcase(suite, base64);
	TCase *suggest = tcase_create("suggest");
	tcase_add_loop_test(suggest, nearest_word_is_suggested, 0, (int)ARRAY_LEN(suggestions));
	tcase_add_test(suggest, very_long_words_have_no_suggestion);
	suite_add_tcase(suite, suggest);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(text_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
