#include "base/mem.h"
#include "base/text.h"
#include "fake/stamp.h"
#include "fake/value.h"
#include "fake/volumes.h"
#include "fake/volumes_words.h"

#include <check.h>
#include <jansson.h>
#include <regex.h>
#include <stdlib.h>

#define WALL_MS INT64_C(1700000000123) /* 2023-11-14T22:13:20.123Z */
#define ROUNDS 1000

#define WORD "[a-z]+"
#define LETTERS "[^0-9\"\\<>]+"
#define DOMAIN WORD "\\.example\\.(com|net|org)"
#define EMAIL "[a-z]+\\.[a-z]+[0-9]{1,2}@example\\.(com|net|org)"
#define SENTENCE "[A-Z][a-z]*( [a-z]+){3,8}\\."
#define DATE "20(2[0-5])-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])"
#define TIME "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
#define STREET "[A-Z][a-z]+ [A-Z][a-z]+"
#define UUID4 "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
#define PHONE                                                    \
	"(\\+1 [0-9]{3} 555 01[0-9]{2}|\\+44 20 7946 0[0-9]{3}|" \
	"\\+44 (113|121|131|161) 496 0[0-9]{3}|\\+44 1632 960[0-9]{3})"

/* Every volume, and what all its values look like. */
static const struct {
	const char *name, *shape;
} shapes[] = {
    {"address", "[1-9][0-9]{0,2} " STREET ", [0-9]{5} " LETTERS},
    {"ascii_email", EMAIL},
    {"ascii_safe_email", EMAIL},
    {"bban", "(0[0-9]{15}|0[0-9]{17}|TEST[0-9]{14}|TEST[0-9]{10})"},
    {"boolean", "(true|false)"},
    {"building_number", "[1-9][0-9]{0,2}"},
    {"catch_phrase", "[A-Z][a-z-]+ [a-z]+ [a-z]+"},
    {"city", LETTERS},
    {"color_name", WORD},
    {"company", LETTERS},
    {"company_email", "[a-z]+[0-9]{1,2}@[a-z]+\\.example\\.com"},
    {"company_suffix", LETTERS},
    {"country", LETTERS},
    {"country_code", "[A-Z]{2}"},
    {"credit_card_expire", "(0[1-9]|1[0-2])/(2[4-9]|3[0-3])"},
    {"credit_card_number", "(37828224[0-9]{7}|60111111[0-9]{8}|55555555[0-9]{8}|42424242[0-9]{8})"},
    {"credit_card_provider", "(American Express|Discover|Mastercard|Visa)"},
    {"credit_card_security_code", "[0-9]{3}"},
    {"currency_code", "[A-Z]{3}"},
    {"currency_name", LETTERS},
    {"date", DATE},
    {"date_of_birth", "(19[4-9][0-9]|200[0-6])-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])"},
    {"date_time", DATE "T" TIME "Z"},
    {"day_of_week", "[A-Z][a-z]+day"},
    {"domain_name", DOMAIN},
    {"domain_word", WORD},
    {"ean", "2[0-9]{12}"},
    {"ean13", "2[0-9]{12}"},
    {"ean8", "2[0-9]{7}"},
    {"email", EMAIL},
    {"emoji", "[^a-z]+"},
    {"file_extension", "[a-z0-9]+"},
    {"file_name", WORD "\\.[a-z0-9]+"},
    {"file_path", "/" WORD "/" WORD "/" WORD "\\.[a-z0-9]+"},
    {"first_name", LETTERS},
    {"free_email", EMAIL},
    {"hex_color", "#[0-9a-f]{6}"},
    {"hostname", "(db|email|lt|srv|web)-[1-9][0-9]\\." DOMAIN},
    {"http_method", "(DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT)"},
    {"http_status_code", "[2-5][0-9]{2}"},
    {"iban", "(AT[0-9]{2}0[0-9]{15}|DE[0-9]{2}0[0-9]{17}|(GB|IE)[0-9]{2}TEST[0-9]{14}|"
	     "NL[0-9]{2}TEST[0-9]{10})"},
    {"id", "2[0-9]{12}"},
    {"ipv4", "(192\\.0\\.2|198\\.51\\.100|203\\.0\\.113)\\.[1-9][0-9]{0,2}"},
    {"ipv6", "2001:db8(:[1-9a-f][0-9a-f]{0,3}){6}"},
    {"isbn10", "[0-9]{9}[0-9X]"},
    {"isbn13", "978[0-9]{10}"},
    {"iso8601", DATE "T" TIME "Z"},
    {"job", LETTERS},
    {"language_code", "[a-z]{2}"},
    {"language_name", LETTERS},
    {"last_name", LETTERS},
    {"latitude", "-?[0-9]{1,2}\\.[0-9]{6}"},
    {"license_plate", "[A-Z]{3}-[0-9]{4}"},
    {"locale", "[a-z]{2}_[A-Z]{2}"},
    {"longitude", "-?[0-9]{1,3}\\.[0-9]{6}"},
    {"mac_address", "[0-9a-f][26ae](:[0-9a-f]{2}){5}"},
    {"md5", "[0-9a-f]{32}"},
    {"mime_type", "(application|audio|font|image|text|video)/[a-z0-9+-]+"},
    {"month", "(0[1-9]|1[0-2])"},
    {"month_name", "[A-Z][a-z]+"},
    {"name", LETTERS " " LETTERS},
    {"now", "2023-11-14T22:13:20\\.123Z"},
    {"number", PHONE},
    {"paragraph", SENTENCE "( " SENTENCE "){2,4}"},
    {"password", "[A-Z][a-z]{4}[0-9]{3}[^a-zA-Z0-9][a-z]{3}"},
    {"phone_number", PHONE},
    {"port_number", "[1-9][0-9]{3,4}"},
    {"postcode", "[0-9]{5}"},
    {"prefix", "[A-Z][a-z]+\\.?"},
    {"price", "[0-9]{1,3}\\.[0-9]{2}"},
    {"pricetag", "\\$([0-9]{1,3}|[1-9],[0-9]{3})\\.[0-9]{2}"},
    {"product", LETTERS},
    {"random_digit", "[0-9]"},
    {"random_int", "(0|[1-9][0-9]{0,3})"},
    {"random_letter", "[a-zA-Z]"},
    {"safe_email", EMAIL},
    {"sentence", SENTENCE},
    {"serial", "2[0-9]{12}"},
    {"sha1", "[0-9a-f]{40}"},
    {"sha256", "[0-9a-f]{64}"},
    {"slug", WORD "-" WORD "-" WORD},
    {"state", LETTERS},
    {"state_abbr", "[A-Z]{2}"},
    {"street_address", "[1-9][0-9]{0,2} " STREET},
    {"street_name", STREET},
    {"street_suffix", "[A-Z][a-z]+"},
    {"swift", "[A-Z]{7}0"},
    {"text", SENTENCE "( " SENTENCE "){1,2}\n" SENTENCE "( " SENTENCE "){1,2}"},
    {"time", TIME},
    {"timezone", "[A-Z][a-z]+/[A-Za-z_]+"},
    {"unix_time", "1[5-7][0-9]{8}"},
    {"uri", "https://" DOMAIN "/" WORD "(/" WORD "){0,2}"},
    {"uri_path", WORD "(/" WORD "){0,2}"},
    {"url", "https://" DOMAIN "/"},
    {"user_agent", "[A-Z]?[a-zA-Z-]+/[0-9].*"},
    {"user_name", "[a-z]+[0-9]{1,2}"},
    {"uuid", UUID4},
    {"uuid4", UUID4},
    {"uuid7", "018bcfe5-687b-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"},
    {"word", WORD},
    {"words", WORD " " WORD " " WORD},
    {"year", "(19[7-9][0-9]|20[0-2][0-9])"},
};

static void generate(const char *name, struct rng *r, struct buf *out)
{
	const struct volume *v = volumes_find(slice_str(name));
	ck_assert_ptr_nonnull(v);
	buf_clear(out);
	v->generate(r, WALL_MS, out);
	ck_assert_uint_gt(out->len, 0);
	ck_assert_int_eq(out->ptr[out->len], '\0');
}

START_TEST(names_are_sorted_and_unique_and_helped)
{
	size_t count;
	const struct volume *all = volumes_all(&count);
	ck_assert_uint_ge(count, 50);
	for (size_t i = 0; i < count; i++) {
		ck_assert_msg(i == 0 || strcmp(all[i - 1].name, all[i].name) < 0, "%s is misplaced",
		    all[i].name);
		ck_assert_ptr_eq(volumes_find(slice_str(all[i].name)), &all[i]);
		ck_assert_uint_gt(strlen(all[i].help), 0);
		ck_assert_str_eq(shapes[i].name, all[i].name);
	}
	ck_assert_uint_eq(count, ARRAY_LEN(shapes));
}
END_TEST

START_TEST(each_value_has_its_shape)
{
	struct rng r;
	struct buf out = {0};
	regex_t regex;
	char *whole = mem_printf("^%s$", shapes[_i].shape);
	ck_assert_int_eq(regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB), 0);
	rng_seed(&r, 1);
	for (int i = 0; i < ROUNDS; i++) {
		generate(shapes[_i].name, &r, &out);
		ck_assert(text_is_utf8(buf_slice(&out)));
		ck_assert_msg(regexec(&regex, out.ptr, 0, NULL, 0) == 0, "%s: '%s'",
		    shapes[_i].name, out.ptr);
	}
	regfree(&regex);
	free(whole);
	buf_release(&out);
}
END_TEST

START_TEST(each_value_is_valid_json_of_its_kind)
{
	static const json_type types[] = {
	    [VOLUME_TEXT] = JSON_STRING, [VOLUME_NUMBER] = JSON_INTEGER, [VOLUME_BOOL] = JSON_TRUE};
	const struct volume *v = volumes_find(slice_str(shapes[_i].name));
	struct rng r;
	struct buf out = {0}, spare = {0};
	rng_seed(&r, 2);
	for (int i = 0; i < ROUNDS; i++) {
		generate(v->name, &r, &out);
		if (v->kind == VOLUME_TEXT)
			value_make_json(VALUE_TEXT, &out, 0, &spare);
		json_t *json = json_loadb(out.ptr, out.len, JSON_DECODE_ANY, NULL);
		ck_assert_msg(json != NULL, "%s: %s", v->name, out.ptr);
		json_type type = json_typeof(json);
		type = type == JSON_REAL ? JSON_INTEGER : type == JSON_FALSE ? JSON_TRUE : type;
		ck_assert_int_eq(type, types[v->kind]);
		json_decref(json);
	}
	buf_release(&out);
	buf_release(&spare);
}
END_TEST

START_TEST(same_seed_gives_same_values)
{
	struct rng a, b, c;
	struct buf x = {0}, y = {0}, z = {0};
	const struct volume *v = volumes_find(slice_str(shapes[_i].name));
	rng_seed(&a, 7);
	rng_seed(&b, 7);
	rng_seed(&c, 8);
	for (int i = 0; i < 100; i++) {
		v->generate(&a, WALL_MS, &x);
		v->generate(&b, WALL_MS, &y);
		v->generate(&c, WALL_MS, &z);
	}
	ck_assert_str_eq(x.ptr, y.ptr);
	if (strcmp(v->name, "now") != 0)
		ck_assert_str_ne(x.ptr, z.ptr);
	buf_release(&x);
	buf_release(&y);
	buf_release(&z);
}
END_TEST

/* Only the clock itself, ids that hold it, and a card that must not have expired. */
START_TEST(few_volumes_follow_the_clock)
{
	size_t count, followers = 0;
	const struct volume *all = volumes_all(&count);
	for (size_t i = 0; i < count; i++) {
		struct rng a, b;
		struct buf x = {0}, y = {0};
		rng_seed(&a, 7);
		rng_seed(&b, 7);
		all[i].generate(&a, WALL_MS, &x);
		all[i].generate(&b, WALL_MS + 1000 * STAMP_DAY_MS, &y);
		followers += strcmp(x.ptr, y.ptr) != 0;
		buf_release(&x);
		buf_release(&y);
	}
	ck_assert_uint_eq(followers, 3);
}
END_TEST

/* Known values of the bytes themselves: they must not change between versions or machines. */
START_TEST(a_seed_stands_for_these_bytes)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
	    {"ean", "2083862971051"},
	    {"name", "Astrid Graham"},
	    {"email", "astrid.graham68@example.org"},
	    {"iban", "AT800378986800434110"},
	    {"latitude", "-74.904666"},
	    {"date_time", "2020-07-02T19:51:47Z"},
	    {"uuid4", "15780b2e-0c2e-4716-a104-d9866d113a7e"},
	};
	struct buf out = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rng r;
		rng_seed(&r, 42);
		generate(rows[i].name, &r, &out);
		ck_assert_str_eq(out.ptr, rows[i].value);
	}
	buf_release(&out);
}
END_TEST

/* Written apart from the code under test: weights from the left, for a number with its check digit.
 */
static unsigned ean_sum(const char *digits)
{
	unsigned sum = 0;
	size_t len = strlen(digits);
	for (size_t i = 0; i < len; i++)
		sum += (unsigned)(digits[i] - '0') * ((len - i) % 2 == 0 ? 3 : 1);
	return sum % 10;
}

static unsigned isbn10_sum(const char *digits)
{
	unsigned sum = 0;
	for (unsigned i = 0; i < 10; i++)
		sum += (10 - i) * (digits[i] == 'X' ? 10 : (unsigned)(digits[i] - '0'));
	return sum % 11;
}

static unsigned luhn_sum(const char *digits)
{
	static const unsigned doubled[] = {0, 2, 4, 6, 8, 1, 3, 5, 7, 9};
	unsigned sum = 0;
	size_t len = strlen(digits);
	for (size_t i = 0; i < len; i++) {
		unsigned d = (unsigned)(digits[i] - '0');
		sum += (len - i) % 2 == 0 ? doubled[d] : d;
	}
	return sum % 10;
}

/* 0 when the IBAN is right, by long division of the text with its first four characters last. */
static unsigned iban_sum(const char *iban)
{
	char *moved = mem_printf("%s%.4s", iban + 4, iban);
	unsigned rest = 0;
	for (const char *c = moved; *c != '\0'; c++) {
		if (*c >= 'A')
			rest = (rest * 10 + (unsigned)(*c - 'A' + 10) / 10) % 97;
		rest =
		    (rest * 10 + (*c >= 'A' ? (unsigned)(*c - 'A') % 10 : (unsigned)(*c - '0'))) %
		    97;
	}
	free(moved);
	return rest - 1;
}

static const struct {
	const char *name;
	unsigned (*sum)(const char *digits); /* 0: right */
	const char *right, *wrong;	     /* published numbers, to test the check itself */
} checks[] = {
    {"ean13", ean_sum, "4006381333931", "4006381333932"},
    {"ean", ean_sum, "4006381333931", "4006381333913"},
    {"ean8", ean_sum, "73513537", "73513573"},
    {"isbn13", ean_sum, "9780306406157", "9780306406158"},
    {"isbn10", isbn10_sum, "0306406152", "0306406125"},
    {"credit_card_number", luhn_sum, "4242424242424242", "4242424242424224"},
    {"iban", iban_sum, "GB82WEST12345698765432", "GB82WEST12345698765423"},
};

START_TEST(check_digits_are_right)
{
	struct rng r;
	struct buf out = {0};
	rng_seed(&r, 3);
	ck_assert_uint_eq(checks[_i].sum(checks[_i].right), 0);
	ck_assert_uint_ne(checks[_i].sum(checks[_i].wrong), 0);
	for (int i = 0; i < ROUNDS; i++) {
		generate(checks[_i].name, &r, &out);
		ck_assert_msg(checks[_i].sum(out.ptr) == 0, "%s: %s", checks[_i].name, out.ptr);
	}
	buf_release(&out);
}
END_TEST

START_TEST(aliases_are_the_same_volume)
{
	static const struct {
		const char *alias, *name;
	} rows[] = {
	    {"id", "ean"},
	    {"serial", "ean"},
	    {"ean13", "ean"},
	    {"number", "phone_number"},
	    {"uuid", "uuid4"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert(volumes_find(slice_str(rows[i].alias))->generate ==
			  volumes_find(slice_str(rows[i].name))->generate);
}
END_TEST

START_TEST(misspelt_names_are_near_the_right_ones)
{
	static const struct {
		const char *word, *near;
	} rows[] = {
	    {"frist_name", "first_name"},
	    {"e_mail", "email"},
	    {"uuid5", "uuid"},
	    {"", NULL},
	    {"supercalifragilistic", NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_ptr_null(volumes_find(slice_str(rows[i].word)));
		const char *near = volumes_suggest(slice_str(rows[i].word));
		if (rows[i].near == NULL)
			ck_assert_ptr_null(near);
		else
			ck_assert_str_eq(near, rows[i].near);
	}
}
END_TEST

START_TEST(filler_has_exactly_the_length)
{
	struct rng r;
	struct buf out = {0};
	rng_seed(&r, 4);
	for (size_t len = 0; len < 300; len++) {
		buf_clear(&out);
		buf_append_str(&out, "before");
		volumes_words_fill(&r, len, &out);
		ck_assert_uint_eq(out.len, len + 6);
		ck_assert_uint_eq(strlen(out.ptr), len + 6);
		ck_assert(len == 0 || out.ptr[out.len - 1] != ' ');
	}
	buf_release(&out);
}
END_TEST

START_TEST(stamps_agree_with_the_calendar)
{
	static const struct {
		int64_t wall_ms;
		const char *text;
	} rows[] = {
	    {0, "1970-01-01T00:00:00.000Z"},
	    {-1, "1969-12-31T23:59:59.999Z"},
	    {951782399999, "2000-02-28T23:59:59.999Z"},
	    {951782400000, "2000-02-29T00:00:00.000Z"},
	    {1709251199000, "2024-02-29T23:59:59.000Z"},
	    {4107542400000, "2100-03-01T00:00:00.000Z"},
	    {INT64_C(-62167219200000), "0000-01-01T00:00:00.000Z"},
	    {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
	    {INT64_MAX, "9999-12-31T23:59:59.999Z"},
	    {INT64_MIN, "0000-01-01T00:00:00.000Z"},
	};
	struct buf out = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_clear(&out);
		stamp_write_rfc3339(rows[i].wall_ms, &out);
		ck_assert_str_eq(out.ptr, rows[i].text);
	}
	buf_release(&out);
}
END_TEST

START_TEST(decimals_are_written_exactly)
{
	static const struct {
		int64_t value;
		unsigned decimals;
		const char *text;
	} rows[] = {
	    {0, 0, "0"},
	    {0, 2, "0.00"},
	    {5, 2, "0.05"},
	    {-5, 2, "-0.05"},
	    {-1250, 2, "-12.50"},
	    {100, 2, "1.00"},
	    {INT64_MIN, 0, "-9223372036854775808"},
	    {INT64_MIN, 18, "-9.223372036854775808"},
	};
	struct buf out = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_clear(&out);
		value_write_decimal(rows[i].value, rows[i].decimals, &out);
		ck_assert_str_eq(out.ptr, rows[i].text);
	}
	buf_release(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("volumes");
	TCase *tests = tcase_create("all");
	tcase_add_test(tests, names_are_sorted_and_unique_and_helped);
	tcase_add_loop_test(tests, each_value_has_its_shape, 0, (int)ARRAY_LEN(shapes));
	tcase_add_loop_test(tests, each_value_is_valid_json_of_its_kind, 0, (int)ARRAY_LEN(shapes));
	tcase_add_loop_test(tests, same_seed_gives_same_values, 0, (int)ARRAY_LEN(shapes));
	tcase_add_test(tests, few_volumes_follow_the_clock);
	tcase_add_test(tests, a_seed_stands_for_these_bytes);
	tcase_add_loop_test(tests, check_digits_are_right, 0, (int)ARRAY_LEN(checks));
	tcase_add_test(tests, aliases_are_the_same_volume);
	tcase_add_test(tests, misspelt_names_are_near_the_right_ones);
	tcase_add_test(tests, filler_has_exactly_the_length);
	tcase_add_test(tests, stamps_agree_with_the_calendar);
	tcase_add_test(tests, decimals_are_written_exactly);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
