/* Masks keep the shape, hide the value, and say the same of the same. */
#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "base/text.h"
#include "fake/mask.h"
#include "fake/mask_value.h"
#include "model/table.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const unsigned char key[SIPHASH_KEY_BYTES] = "a key of 16 byte";
static const unsigned char other_key[SIPHASH_KEY_BYTES] = "another 16 bytes";

static char *text_mask(const unsigned char k[SIPHASH_KEY_BYTES], struct slice text)
{
	struct buf out = {0};
	mask_value_text(k, text, &out);
	buf_append_str(&out, "");
	return buf_take(&out);
}

/* ---- texts ---- */

static char class_of(char c)
{
	if (c >= '0' && c <= '9')
		return '0';
	if (c >= 'a' && c <= 'z')
		return 'a';
	if (c >= 'A' && c <= 'Z')
		return 'A';
	return c;
}

/* Of a random text: its mask has the same class at each place, is not the text, and comes again. */
START_TEST(a_text_keeps_its_classes_and_none_of_its_value)
{
	static const char set[] = "abcxyzABCXYZ0123456789 .,-_/()#:";
	struct rng r;
	rng_seed(&r, (uint64_t)_i);
	for (int n = 0; n < 2000; n++) {
		char text[40];
		size_t length = 1 + rng_below(&r, sizeof text - 1);
		bool varies = false;
		for (size_t i = 0; i < length; i++) {
			text[i] = set[rng_below(&r, sizeof set - 1)];
			varies = varies || class_of(text[i]) != text[i] || text[i] == '0' ||
				 text[i] == 'a' || text[i] == 'A';
		}
		struct slice s = {text, length};
		char *once = text_mask(key, s), *twice = text_mask(key, s);
		ck_assert_str_eq(once, twice);
		ck_assert_uint_eq(strlen(once), length);
		for (size_t i = 0; i < length; i++)
			ck_assert_msg(class_of(once[i]) == class_of(text[i]), "%.*s: %s",
			    (int)length, text, once);
		ck_assert(!varies || memcmp(once, text, length) != 0);
		free(once);
		free(twice);
	}
}
END_TEST

START_TEST(another_key_gives_another_mask)
{
	char *one = text_mask(key, SLICE("Margarethe Sommerfeld"));
	char *two = text_mask(other_key, SLICE("Margarethe Sommerfeld"));
	ck_assert_str_ne(one, two);
	free(one);
	free(two);
}
END_TEST

START_TEST(letters_beyond_ascii_stay_letters_of_as_many_bytes)
{
	static const char *const texts[] = {
	    "Zoë Müller-Lüdenscheid", "Ärger", "山田 太郎", "Иван", "😀 ok", "naïve – “quoted” €5"};
	struct slice text = slice_str(texts[_i]);
	char *masked = text_mask(key, text);
	ck_assert_uint_eq(strlen(masked), text.len);
	ck_assert(text_is_utf8(slice_str(masked)));
	ck_assert_str_ne(masked, text.ptr);
	ck_assert((strstr(texts[_i], "–") == NULL) == (strstr(masked, "–") == NULL));
	ck_assert((strstr(texts[_i], "€") == NULL) == (strstr(masked, "€") == NULL));
	free(masked);
}
END_TEST

/* Nothing can be made up for these. */
START_TEST(what_has_neither_letter_nor_digit_stays)
{
	static const char *const texts[] = {"", " ", "--", "?!", "€"};
	char *masked = text_mask(key, slice_str(texts[_i]));
	ck_assert_str_eq(masked, texts[_i]);
	free(masked);
}
END_TEST

START_TEST(an_address_stays_one_and_reaches_nobody)
{
	struct rng r;
	rng_seed(&r, 7);
	for (int n = 0; n < 2000; n++) {
		char text[64];
		int length = snprintf(text, sizeof text, "%c%u.%c@firm%u.co.uk",
		    (int)('a' + rng_below(&r, 26)), (unsigned)rng_below(&r, 1000),
		    (int)('A' + rng_below(&r, 26)), (unsigned)rng_below(&r, 9));
		char *masked = text_mask(key, (struct slice){text, (size_t)length});
		const char *at = strchr(masked, '@');
		ck_assert_ptr_nonnull(at);
		ck_assert(strcmp(at, "@example.com") == 0 || strcmp(at, "@example.net") == 0 ||
			  strcmp(at, "@example.org") == 0);
		ck_assert_int_eq(at - masked, strchr(text, '@') - text);
		free(masked);
	}
	char *none = text_mask(key, SLICE("me @ home, or you@there"));
	ck_assert_msg(strstr(none, "example") == NULL, "%s", none);
	free(none);
}
END_TEST

START_TEST(a_uuid_stays_one_of_its_version)
{
	struct rng r;
	rng_seed(&r, 3);
	for (int n = 0; n < 2000; n++) {
		char uuid[RNG_UUID_CHARS + 1] = "";
		if (n % 2 == 0)
			rng_uuid4(&r, uuid);
		else
			rng_uuid7(&r, 1700000000000 + n, uuid);
		for (size_t i = 0; n % 3 == 0 && i < RNG_UUID_CHARS; i++)
			uuid[i] = uuid[i] >= 'a' ? (char)(uuid[i] - 'a' + 'A') : uuid[i];
		char *masked = text_mask(key, (struct slice){uuid, RNG_UUID_CHARS});
		ck_assert_uint_eq(
		    strspn(masked, n % 3 == 0 ? "0123456789ABCDEF-" : "0123456789abcdef-"),
		    RNG_UUID_CHARS);
		for (size_t i = 0; i < RNG_UUID_CHARS; i++)
			ck_assert(i == 14 || i == 19 || uuid[i] == '-' ? masked[i] == uuid[i]
								       : masked[i] != '-');
		ck_assert_str_ne(masked, uuid);
		free(masked);
	}
}
END_TEST

START_TEST(a_time_stays_one_with_its_offset)
{
	static const char *const texts[] = {"2026-11-21", "1987-05-12T23:59:59Z",
	    "2026-11-21 08:15", "2026-11-21T08:15:30.250123+02:00", "2000-01-01T00:00-11:30"};
	const char *text = texts[_i];
	for (unsigned char k = 0; k < 200; k++) {
		unsigned char some_key[SIPHASH_KEY_BYTES] = {k};
		char *masked = text_mask(some_key, slice_str(text));
		ck_assert_uint_eq(strlen(masked), strlen(text));
		ck_assert_str_ne(masked, text);
		struct buf whole = {0}; /* with what chrono_parse wants */
		buf_append_str(&whole, masked);
		if (whole.len == 10)
			buf_append_str(&whole, "T00:00:00Z");
		else if (whole.len == 16)
			buf_append_str(&whole, ":00Z");
		else if (whole.len == 22) {
			buf_truncate(&whole, 16);
			buf_append_str(&whole, ":00-11:30");
		}
		int64_t ms;
		struct error err = {0};
		ck_assert_msg(
		    chrono_parse(buf_slice(&whole), &ms, &err), "%s of %s", whole.ptr, text);
		const char *zone = strpbrk(text + 10, "Z+-");
		ck_assert_str_eq(
		    masked + strlen(masked) - strlen(zone ? zone : ""), zone ? zone : "");
		buf_release(&whole);
		free(masked);
	}
	char *no_time = text_mask(key, SLICE("2026-11-21x"));
	ck_assert_uint_eq(strlen(no_time), 11);
	free(no_time);
}
END_TEST

/* ---- numbers ---- */

START_TEST(a_number_keeps_sign_digits_and_exponent)
{
	struct rng r;
	rng_seed(&r, 11);
	for (int n = 0; n < 5000; n++) {
		struct buf text = {0}, masked = {0};
		if (n % 3 == 0)
			buf_append_char(&text, '-');
		unsigned digits = 1 + (unsigned)rng_below(&r, 19);
		buf_append_char(&text, (char)('1' + rng_below(&r, digits == 19 ? 8 : 9)));
		while (--digits > 0)
			buf_append_char(&text, (char)('0' + rng_below(&r, 10)));
		if (n % 2 == 0)
			buf_printf(&text, ".%u", (unsigned)rng_below(&r, 1000));
		if (n % 5 == 0)
			buf_append_str(&text, "e-3");
		mask_value_number(key, buf_slice(&text), &masked);
		ck_assert_uint_eq(masked.len, text.len);
		ck_assert_str_ne(masked.ptr, text.ptr);
		for (size_t i = 0; i < text.len; i++)
			ck_assert_msg(class_of(masked.ptr[i]) == class_of(text.ptr[i]), "%s: %s",
			    text.ptr, masked.ptr);
		if (n % 5 == 0)
			ck_assert_str_eq(masked.ptr + masked.len - 3, "e-3");
		if (n % 2 != 0 && n % 5 != 0) {
			int64_t value;
			struct error err = {0};
			ck_assert_msg(
			    num_parse_i64(buf_slice(&masked), INT64_MIN, INT64_MAX, &value, &err),
			    "%s: %s", text.ptr, masked.ptr);
		}
		buf_release(&text);
		buf_release(&masked);
	}
}
END_TEST

static const char *const small_numbers[] = {"0", "-0", "5", "0.5", "0.0", "9223372036854775807",
    "-9223372036854775808", "18446744073709551615", "1e5"};

START_TEST(a_small_or_a_big_number_is_another_one)
{
	struct slice text = slice_str(small_numbers[_i]);
	for (unsigned char k = 0; k < 200; k++) {
		unsigned char some_key[SIPHASH_KEY_BYTES] = {k};
		struct buf masked = {0};
		mask_value_number(some_key, text, &masked);
		ck_assert_uint_eq(masked.len, text.len);
		ck_assert(!slice_equal(buf_slice(&masked), text));
		json_t *json = json_loadb(masked.ptr, masked.len, JSON_DECODE_ANY, NULL);
		ck_assert_msg(json != NULL || text.len == 20, "%s", masked.ptr);
		if (text.len == 20 && text.ptr[0] != '-')
			ck_assert(strcmp(masked.ptr, "18446744073709551615") < 0);
		json_decref(json);
		buf_release(&masked);
	}
}
END_TEST

/* ---- fields ---- */

/* In `expected`, # is any digit and ? any letter. */
static const struct field_case {
	const char *name, *fields[3], *body, *expected;
} field_cases[] = {
    {"a field", {"email"}, "{\"email\":\"Ann\", \"n\": 1}", "{\"email\":\"???\", \"n\": 1}"},
    {"a path, and all else as it stands", {"customer.name"},
	" {\"x\":1.50,\"customer\" : {\"name\":\"Ann\",\"e\":\"\\u0041\"},\r\n\"name\":\"Bob\"} ",
	" {\"x\":1.50,\"customer\" : {\"name\":\"???\",\"e\":\"\\u0041\"},\r\n\"name\":\"Bob\"} "},
    {"items", {"items.*.price"}, "{\"items\":[{\"price\":12.5,\"n\":1},{\"price\":7}]}",
	"{\"items\":[{\"price\":##.#,\"n\":1},{\"price\":#}]}"},
    {"members", {"*.a"}, "{\"k\":{\"a\":1},\"l\":{\"a\":2,\"b\":3}}",
	"{\"k\":{\"a\":#},\"l\":{\"a\":#,\"b\":3}}"},
    {"two fields", {"a", "b.c"}, "{\"a\":1,\"b\":{\"c\":2,\"d\":3}}",
	"{\"a\":#,\"b\":{\"c\":#,\"d\":3}}"},
    {"a whole object, but for true, false and null", {"a"},
	"{\"a\":{\"b\":[1,\"x\",true,false,null],\"c\":-2},\"b\":1}",
	"{\"a\":{\"b\":[#,\"?\",true,false,null],\"c\":-#},\"b\":1}"},
    {"a key with escapes", {"caf\xc3\xa9"}, "{\"caf\\u00e9\":\"x\"}", "{\"caf\\u00e9\":\"?\"}"},
    {"an absent field", {"nothing.here"}, "{\"a\":[1,{}],\"nothing\":5}",
	"{\"a\":[1,{}],\"nothing\":5}"},
    {"items of an array at the top", {"*"}, "[\"a\",[2],{}]", "[\"?\",[#],{}]"},
    {"a key twice", {"a"}, "{\"a\":1,\"a\":2}", "{\"a\":#,\"a\":#}"},
    {"a word alone", {"a"}, "\"Ann\"", "\"Ann\""},
    {"a number that JSON readers cannot hold", {"a"}, "{\"a\":1,\"b\":123456789012345678901234}",
	"{\"a\":#,\"b\":123456789012345678901234}"},
};

static bool fits(const char *masked, const char *original, const char *expected)
{
	if (strlen(masked) != strlen(expected))
		return false;
	for (; *expected != '\0'; masked++, original++, expected++) {
		bool good = *expected == '#'   ? class_of(*masked) == '0'
			    : *expected == '?' ? class_of(*masked) == class_of(*original)
					       : *masked == *expected;
		if (!good)
			return false;
	}
	return true;
}

static size_t count_of(const char *const *fields)
{
	size_t count = 0;
	while (count < 3 && fields[count] != NULL)
		count++;
	return count;
}

START_TEST(a_field_is_masked_where_its_path_leads)
{
	const struct field_case *c = &field_cases[_i];
	struct error err = {0};
	struct buf store = {0};
	struct mask *mask = mask_create(c->fields, count_of(c->fields), key, &err);
	ck_assert_msg(mask != NULL, "%s", err.text);
	struct message m = {.body = slice_str(c->body)}, out;
	ck_assert_msg(mask_message(mask, &m, &out, &store, &err), "%s: %s", c->name, err.text);
	char *got = mem_strndup(out.body.ptr, out.body.len);
	ck_assert_msg(fits(got, c->body, c->expected), "%s: %s", c->name, got);
	bool changes = strpbrk(c->expected, "#?") != NULL;
	ck_assert_msg(
	    changes == (mask_count(mask, 0) > 0), "%s: %u", c->name, (unsigned)mask_count(mask, 0));
	free(got);
	buf_release(&store);
	mask_free(mask);
}
END_TEST

static struct error refusal_of(const char *field, const struct message *m)
{
	struct error err = {0};
	struct buf store = {0};
	struct message out;
	struct mask *mask = mask_create(&field, 1, key, &err);
	if (mask != NULL)
		ck_assert(!mask_message(mask, m, &out, &store, &err));
	mask_free(mask);
	buf_release(&store);
	return err;
}

/* Whatever stands there; also where another field's mask covers it. */
START_TEST(a_field_that_a_message_lacks_is_told)
{
	static const char *const fields[] = {"owner", "owner.name", "headers.h"};
	static const struct {
		const char *body;
		bool has[2];
	} cases[] = {
	    {"{\"owner\":\"DAVE\"}", {true, false}},
	    {"[{\"owner\":\"DAVE\"}]", {false, false}},
	    {"{\"owner\":null}", {true, false}},
	    {"{\"owner\":{\"name\":\"DAVE\"}}", {true, true}},
	    {"{\"Owner\":{\"name\":\"DAVE\"}}", {false, false}},
	};
	struct error err = {0};
	struct buf store = {0};
	struct mask *mask = mask_create(fields, 3, key, &err);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct message m = {.body = slice_str(cases[i].body)}, out;
		ck_assert(mask_message(mask, &m, &out, &store, &err));
		for (size_t field = 0; field < 2; field++)
			ck_assert_msg(mask_found(mask, field) == cases[i].has[field], "%s: %s",
			    cases[i].body, fields[field]);
		ck_assert(!mask_found(mask, 2)); /* there are no headers */
	}
	mask_free(mask);
	buf_release(&store);
}
END_TEST

START_TEST(half_of_a_surrogate_pair_is_masked_too)
{
	const char *field = "a";
	struct error err = {0};
	struct buf store = {0};
	struct message m = {.body = SLICE("{\"a\":\"\\ud800 Ann\"}")}, out;
	struct mask *mask = mask_create(&field, 1, key, &err);
	ck_assert(mask_message(mask, &m, &out, &store, &err));
	json_t *json = json_loadb(out.body.ptr, out.body.len, 0, NULL);
	ck_assert_msg(json != NULL, "%s", store.ptr);
	ck_assert_ptr_null(strstr(store.ptr, "ud800"));
	ck_assert_ptr_null(strstr(store.ptr, "Ann"));
	json_decref(json);
	mask_free(mask);
	buf_release(&store);
}
END_TEST

START_TEST(what_cannot_be_masked_is_refused)
{
	static const char *const bodies[] = {"", "hello", "{\"a\":1} x", "{\"a\":\"\xff\"}", "{"};
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct error err = refusal_of("a", &(struct message){.body = slice_str(bodies[i])});
		ck_assert_int_eq(err.kind, ERROR_DATA);
		ck_assert_str_eq(err.text, "its body is not JSON");
	}
	static const char *const fields[] = {"", ".", "a.", ".a", "a..b"};
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		struct error err = refusal_of(fields[i], NULL);
		ck_assert_int_eq(err.kind, ERROR_USAGE);
		ck_assert_str_eq(err.text, "--mask takes a path such as customer.email, with a "
					   "name between every two dots");
	}
}
END_TEST

START_TEST(the_path_into_a_structured_event_begins_in_its_data)
{
	const char *field = "email";
	struct error err = {0};
	struct buf store = {0};
	struct mask *mask = mask_create(&field, 1, key, &err);
	struct message m = {.present = MESSAGE_CONTENT_TYPE,
	    .content_type = SLICE("application/CloudEvents+json; charset=utf-8"),
	    .body = SLICE("{\"email\":\"env\",\"id\":\"1\",\"d\\u0061ta\":{\"email\":\"ann\"}}")};
	struct message out;
	ck_assert(mask_message(mask, &m, &out, &store, &err));
	ck_assert_uint_eq(mask_count(mask, 0), 1);
	ck_assert_ptr_nonnull(
	    strstr(store.ptr, "{\"email\":\"env\",\"id\":\"1\",\"d\\u0061ta\":{"));
	ck_assert_ptr_null(strstr(store.ptr, "ann"));
	mask_free(mask);
	buf_release(&store);
	m.body = SLICE("{\"data_base64\":\"AAAA\"}");
	err = refusal_of("email", &m);
	ck_assert_str_eq(err.text, "the data of its CloudEvent is not JSON");
}
END_TEST

/* ---- headers ---- */

static void encode(const char *json, struct buf *out)
{
	struct error err = {0};
	json_t *object = json_loads(json, 0, NULL);
	ck_assert_msg(table_encode(object, out, &err), "%s", err.text);
	json_decref(object);
}

START_TEST(a_header_is_masked_when_it_is_named)
{
	const char *const fields[] = {"headers.customer", "headers.list.*.n"};
	struct error err = {0};
	struct buf table = {0}, store = {0}, json = {0};
	encode("{\"a\":{\"$type\":\"timestamp\",\"value\":17},\"customer\":\"Ann 12\","
	       "\"list\":[{\"n\":5,\"m\":6}],\"customers\":1.5}",
	    &table);
	struct mask *mask = mask_create(fields, 2, key, &err);
	struct message m = {.present = MESSAGE_HEADERS,
	    .headers = buf_slice(&table),
	    .body = SLICE("no JSON, and nobody asks")};
	struct message out;
	ck_assert_msg(mask_message(mask, &m, &out, &store, &err), "%s", err.text);
	ck_assert(slice_equal(out.body, m.body));
	ck_assert(table_write_json(out.headers, &json, &err));
	const char *expected =
	    "{\"a\":{\"$type\":\"timestamp\",\"value\":17},\"customer\":\"??? ##\","
	    "\"list\":[{\"n\":#,\"m\":6}],\"customers\":1.5}";
	const char *original =
	    "{\"a\":{\"$type\":\"timestamp\",\"value\":17},\"customer\":\"Ann 12\","
	    "\"list\":[{\"n\":5,\"m\":6}],\"customers\":1.5}";
	ck_assert_msg(fits(json.ptr, original, expected), "%s", json.ptr);
	ck_assert_ptr_null(strstr(json.ptr, "Ann"));
	mask_free(mask);
	err = refusal_of("headers.a", &m);
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_str_eq(
	    err.text, "a header that is to be masked is neither a text nor a common number");
	buf_release(&table);
	buf_release(&store);
	buf_release(&json);
}
END_TEST

/* ---- whatever is there ---- */

static json_t *random_json(struct rng *r, unsigned depth)
{
	char text[12];
	switch (rng_below(r, depth > 0 ? 7 : 5)) {
	case 0:
		return json_integer(rng_between(r, -1000000, 1000000));
	case 1:
		return json_real((double)rng_between(r, -5000, 5000) / 8);
	case 2:
		return rng_below(r, 2) != 0 ? json_true() : json_null();
	case 3:
	case 4:
		for (size_t i = 0; i < sizeof text - 1; i++)
			text[i] = (char)(' ' + rng_below(r, 95));
		text[rng_below(r, sizeof text)] = '\0';
		text[sizeof text - 1] = '\0';
		return json_string(text);
	default:
		break;
	}
	json_t *out = rng_below(r, 2) != 0 ? json_array() : json_object();
	for (uint64_t n = rng_below(r, 5); n > 0; n--) {
		snprintf(text, sizeof text, "%c", (int)('a' + n));
		json_t *child = random_json(r, depth - 1);
		if (json_is_array(out))
			json_array_append_new(out, child);
		else
			json_object_set_new(out, text, child);
	}
	return out;
}

/* The same kinds at the same places. */
static void check_same_shape(const json_t *a, const json_t *b)
{
	ck_assert_int_eq(json_typeof(a), json_typeof(b));
	ck_assert_uint_eq(json_array_size(a), json_array_size(b));
	ck_assert_uint_eq(json_object_size(a), json_object_size(b));
	for (size_t i = 0; i < json_array_size(a); i++)
		check_same_shape(json_array_get(a, i), json_array_get(b, i));
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)a, name, value)
	{
		ck_assert_ptr_nonnull(json_object_get(b, name));
		check_same_shape(value, json_object_get(b, name));
	}
}

START_TEST(a_random_body_keeps_its_shape_and_without_a_path_every_byte)
{
	static const char *const all[] = {"*"}, *const none[] = {"z.z"};
	struct rng r;
	struct error err = {0};
	struct buf store = {0};
	rng_seed(&r, (uint64_t)_i + 100);
	struct mask *masks[] = {mask_create(all, 1, key, &err), mask_create(none, 1, key, &err)};
	for (int n = 0; n < 500; n++) {
		json_t *json = random_json(&r, 5);
		char *text = json_dumps(json, JSON_ENCODE_ANY | (n % 2 ? JSON_INDENT(3) : 0));
		struct message m = {.body = slice_str(text)}, out;
		ck_assert(mask_message(masks[0], &m, &out, &store, &err));
		json_t *masked = json_loadb(out.body.ptr, out.body.len, JSON_DECODE_ANY, NULL);
		ck_assert_msg(masked != NULL, "%s: %s", text, store.ptr);
		check_same_shape(json, masked);
		ck_assert(mask_message(masks[1], &m, &out, &store, &err));
		ck_assert(slice_equal(out.body, m.body));
		json_decref(masked);
		json_decref(json);
		free(text);
	}
	mask_free(masks[0]);
	mask_free(masks[1]);
	buf_release(&store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mask");
	TCase *cases = tcase_create("mask");
	tcase_add_loop_test(cases, a_text_keeps_its_classes_and_none_of_its_value, 0, 5);
	tcase_add_test(cases, another_key_gives_another_mask);
	tcase_add_loop_test(cases, letters_beyond_ascii_stay_letters_of_as_many_bytes, 0, 6);
	tcase_add_loop_test(cases, what_has_neither_letter_nor_digit_stays, 0, 5);
	tcase_add_test(cases, an_address_stays_one_and_reaches_nobody);
	tcase_add_test(cases, a_uuid_stays_one_of_its_version);
	tcase_add_loop_test(cases, a_time_stays_one_with_its_offset, 0, 5);
	tcase_add_test(cases, a_number_keeps_sign_digits_and_exponent);
	tcase_add_loop_test(
	    cases, a_small_or_a_big_number_is_another_one, 0, ARRAY_LEN(small_numbers));
	tcase_add_loop_test(
	    cases, a_field_is_masked_where_its_path_leads, 0, ARRAY_LEN(field_cases));
	tcase_add_test(cases, a_field_that_a_message_lacks_is_told);
	tcase_add_test(cases, half_of_a_surrogate_pair_is_masked_too);
	tcase_add_test(cases, what_cannot_be_masked_is_refused);
	tcase_add_test(cases, the_path_into_a_structured_event_begins_in_its_data);
	tcase_add_test(cases, a_header_is_masked_when_it_is_named);
	tcase_add_loop_test(
	    cases, a_random_body_keeps_its_shape_and_without_a_path_every_byte, 0, 5);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
