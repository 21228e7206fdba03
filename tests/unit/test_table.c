#include "model/table.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static int nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* "0161 74 01" -> bytes; spaces are for the reader. */
static struct buf from_hex(const char *hex)
{
	struct buf out = {0};
	buf_reserve(&out, 0);
	for (; *hex != '\0'; hex++)
		if (*hex != ' ') {
			buf_append_char(&out, (char)(nibble(hex[0]) * 16 + nibble(hex[1])));
			hex++;
		}
	return out;
}

static struct buf to_hex(struct slice bytes)
{
	struct buf out = {0};
	buf_reserve(&out, 0);
	for (size_t i = 0; i < bytes.len; i++)
		buf_printf(&out, "%02x", (unsigned)(unsigned char)bytes.ptr[i]);
	return out;
}

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *tree =
	    json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
	ck_assert_msg(tree != NULL, "%s: %s", error.text, text);
	return tree;
}

static void assert_same_bytes(struct slice got, struct slice expected)
{
	struct buf a = to_hex(got), b = to_hex(expected);
	ck_assert_str_eq(a.ptr, b.ptr);
	buf_release(&a);
	buf_release(&b);
}

/* --- bytes and JSON --- */

static const struct {
	const char *hex, *json;
} pairs[] = {
    {"", "{}"},
    {"0161 7401", "{\"a\":true}"},
    {"0161 7400", "{\"a\":false}"},
    {"0161 7402", "{\"a\":{\"$type\":\"bool\",\"value\":2}}"},
    {"0161 62ff", "{\"a\":{\"$type\":\"int8\",\"value\":-1}}"},
    {"0161 6280", "{\"a\":{\"$type\":\"int8\",\"value\":-128}}"},
    {"0161 42ff", "{\"a\":{\"$type\":\"uint8\",\"value\":255}}"},
    {"0161 738000", "{\"a\":{\"$type\":\"int16\",\"value\":-32768}}"},
    {"0161 75ffff", "{\"a\":{\"$type\":\"uint16\",\"value\":65535}}"},
    {"0161 4980000000", "{\"a\":{\"$type\":\"int32\",\"value\":-2147483648}}"},
    {"0161 69ffffffff", "{\"a\":{\"$type\":\"uint32\",\"value\":4294967295}}"},
    {"0161 6c0000000000000001", "{\"a\":1}"},
    {"0161 6cffffffffffffffff", "{\"a\":-1}"},
    {"0161 6c8000000000000000", "{\"a\":-9223372036854775808}"},
    {"0161 6c7fffffffffffffff", "{\"a\":9223372036854775807}"},
    {"0161 4c7fffffffffffffff", "{\"a\":{\"$type\":\"uint64\",\"value\":9223372036854775807}}"},
    {"0161 4c8000000000000000", "{\"a\":{\"$type\":\"uint64\",\"value\":\"9223372036854775808\"}}"},
    {"0161 4cffffffffffffffff",
	"{\"a\":{\"$type\":\"uint64\",\"value\":\"18446744073709551615\"}}"},
    {"0161 54000000006553f100", "{\"a\":{\"$type\":\"timestamp\",\"value\":1700000000}}"},
    {"0161 54ffffffffffffffff",
	"{\"a\":{\"$type\":\"timestamp\",\"value\":\"18446744073709551615\"}}"},
    {"0161 663fc00000", "{\"a\":{\"$type\":\"float\",\"value\":1.5}}"},
    {"0161 663dcccccd", "{\"a\":{\"$type\":\"float\",\"value\":0.1}}"},
    {"0161 6680000000", "{\"a\":{\"$type\":\"float\",\"value\":-0.0}}"},
    {"0161 6600000001", "{\"a\":{\"$type\":\"float\",\"value\":1.4013e-45}}"},
    {"0161 667f7fffff", "{\"a\":{\"$type\":\"float\",\"value\":3.4028235e+38}}"},
    {"0161 643ff8000000000000", "{\"a\":1.5}"},
    {"0161 643fb999999999999a", "{\"a\":0.1}"},
    {"0161 643fd3333333333334", "{\"a\":0.30000000000000004}"},
    {"0161 648000000000000000", "{\"a\":-0.0}"},
    {"0161 644000000000000000", "{\"a\":2.0}"},
    {"0161 640000000000000001", "{\"a\":4.94065645841247e-324}"},
    {"0161 647fefffffffffffff", "{\"a\":1.7976931348623157e+308}"},
    {"0161 4402000004d2", "{\"a\":{\"$type\":\"decimal\",\"scale\":2,\"value\":1234}}"},
    {"0161 44ffffffffff", "{\"a\":{\"$type\":\"decimal\",\"scale\":255,\"value\":4294967295}}"},
    {"0161 5300000000", "{\"a\":\"\"}"},
    {"0161 5300000003 68c3a9", "{\"a\":\"h\xc3\xa9\"}"},
    {"0161 5300000003 61000a", "{\"a\":\"a\\u0000\\n\"}"},
    {"0161 5300000002 ff00", "{\"a\":{\"$type\":\"string\",\"value\":\"/wA=\"}}"},
    {"0161 7800000000", "{\"a\":{\"$type\":\"bytes\",\"value\":\"\"}}"},
    {"0161 7800000003 010203", "{\"a\":{\"$type\":\"bytes\",\"value\":\"AQID\"}}"},
    {"0161 56", "{\"a\":null}"},
    {"0161 4100000000", "{\"a\":[]}"},
    {"0161 4100000019 7401 56 6c0000000000000005 5300000001 7a 46 00000000 42 07",
	"{\"a\":[true,null,5,\"z\",{},{\"$type\":\"uint8\",\"value\":7}]}"},
    {"0161 4600000000", "{\"a\":{}}"},
    {"0161 4600000004 0162 7401", "{\"a\":{\"b\":true}}"},
    {"0161 7401 0162 7400", "{\"a\":true,\"b\":false}"},
    {"0162 7401 0161 7400", "{\"b\":true,\"a\":false}"},
    {"00 7401", "{\"\":true}"},
    {"02c3a9 7401", "{\"\xc3\xa9\":true}"},
    {"0161 7401 0161 7400", "{\"$type\":\"table\",\"entries\":[[\"a\",true],[\"a\",false]]}"},
    {"00 56 00 56", "{\"$type\":\"table\",\"entries\":[[\"\",null],[\"\",null]]}"},
    {"01ff 7401", "{\"$type\":\"table\",\"entries\":[[{\"$type\":\"string\",\"value\":\"/w==\"},"
		  "true]]}"},
    {"0100 7401", "{\"$type\":\"table\",\"entries\":[[\"\\u0000\",true]]}"},
    {"052474797065 5300000005 666c6f6174",
	"{\"$type\":\"table\",\"entries\":[[\"$type\",\"float\"]]}"},
    {"0161 4600000008 052474797065 7401",
	"{\"a\":{\"$type\":\"table\",\"entries\":[[\"$type\",true]]}}"},
};

START_TEST(bytes_become_json)
{
	struct buf bytes = from_hex(pairs[_i].hex), json = {0};
	struct error err = {0};
	ck_assert_msg(table_write_json(buf_slice(&bytes), &json, &err), "%s", err.text);
	ck_assert_str_eq(json.ptr, pairs[_i].json);
	buf_release(&bytes);
	buf_release(&json);
}
END_TEST

START_TEST(numbers_that_are_not_finite_are_shown)
{
	static const char *const pairs_of[][2] = {
	    {"0161 667fc00000", "{\"a\":{\"$type\":\"float\",\"value\":\"nan\"}}"},
	    {"0161 66ff800000", "{\"a\":{\"$type\":\"float\",\"value\":\"-inf\"}}"},
	    {"0161 647ff8000000000001", "{\"a\":{\"$type\":\"double\",\"value\":\"nan\"}}"},
	    {"0161 647ff0000000000000", "{\"a\":{\"$type\":\"double\",\"value\":\"inf\"}}"},
	};
	for (size_t i = 0; i < ARRAY_LEN(pairs_of); i++) {
		struct buf bytes = from_hex(pairs_of[i][0]), json = {0};
		struct error err = {0};
		ck_assert_msg(table_write_json(buf_slice(&bytes), &json, &err), "%s", err.text);
		ck_assert_str_eq(json.ptr, pairs_of[i][1]);
		buf_release(&bytes);
		buf_release(&json);
	}
}
END_TEST

START_TEST(json_becomes_the_same_bytes)
{
	struct buf bytes = from_hex(pairs[_i].hex), encoded = {0};
	struct error err = {0};
	json_t *tree = parse(pairs[_i].json);
	ck_assert_msg(table_encode(tree, &encoded, &err), "%s", err.text);
	assert_same_bytes(buf_slice(&encoded), buf_slice(&bytes));
	json_decref(tree);
	buf_release(&encoded);
	buf_release(&bytes);
}
END_TEST

/* Further ways to write what table_write_json writes otherwise. */
static const struct {
	const char *json, *hex;
} spellings[] = {
    {"{\"a\":{\"$type\":\"int64\",\"value\":5}}", "0161 6c0000000000000005"},
    {"{\"a\":{\"value\":5,\"$type\":\"uint8\"}}", "0161 4205"},
    {"{\"a\":{\"$type\":\"double\",\"value\":1}}", "0161 643ff0000000000000"},
    {"{\"a\":{\"$type\":\"float\",\"value\":1}}", "0161 663f800000"},
    {"{\"a\":{\"$type\":\"bool\",\"value\":1}}", "0161 7401"},
    {"{\"a\":{\"$type\":\"string\",\"value\":\"aGk=\"}}", "0161 5300000002 6869"},
    {"{\"a\":{\"$type\":\"timestamp\",\"value\":\"7\"}}", "0161 540000000000000007"},
    {"{\"$type\":\"table\",\"entries\":[[\"a\",true]]}", "0161 7401"},
};

START_TEST(other_spellings_are_accepted)
{
	struct buf bytes = from_hex(spellings[_i].hex), encoded = {0};
	struct error err = {0};
	json_t *tree = parse(spellings[_i].json);
	ck_assert_msg(table_encode(tree, &encoded, &err), "%s", err.text);
	assert_same_bytes(buf_slice(&encoded), buf_slice(&bytes));
	json_decref(tree);
	buf_release(&encoded);
	buf_release(&bytes);
}
END_TEST

/* --- refusals --- */

static const struct {
	const char *json, *text;
} refusals[] = {
    {"[]", "not a table"},
    {"5", "not a table"},
    {"{\"$type\":\"float\",\"value\":1}", "not a table"},
    {"{\"$type\":\"table\"}", "table needs $type, entries and nothing else"},
    {"{\"$type\":\"table\",\"entries\":{}}", "table needs $type, entries and nothing else"},
    {"{\"a\":{\"$type\":\"table\",\"entries\":[],\"x\":1}}",
	"a: table needs $type, entries and nothing else"},
    {"{\"$type\":\"table\",\"entries\":[[\"a\",1],[\"b\"]]}", "[1]: not a pair of key and value"},
    {"{\"$type\":\"table\",\"entries\":[[\"a\",1],7]}", "[1]: not a pair of key and value"},
    {"{\"$type\":\"table\",\"entries\":[[5,1]]}", "[0]: the key is no string"},
    {"{\"$type\":\"table\",\"entries\":[[{\"$type\":\"bytes\",\"value\":\"\"},1]]}",
	"[0]: the key is no string"},
    {"{\"$type\":\"table\",\"entries\":[[{\"$type\":\"string\",\"value\":\"x\"},1]]}",
	"[0]: not base64"},
    {"{\"a\":{\"$type\":\"flaot\",\"value\":1}}",
	"a: unknown $type 'flaot'; accepted: uint8, decimal, int32, uint64, string, timestamp, "
	"int8, double, float, uint32, int64, int16, bool, uint16, bytes, table"},
    {"{\"a\":{\"$type\":5,\"value\":1}}",
	"a: unknown $type ''; accepted: uint8, decimal, int32, uint64, string, timestamp, "
	"int8, double, float, uint32, int64, int16, bool, uint16, bytes, table"},
    {"{\"a\":{\"$type\":\"int8\"}}", "a: int8 needs $type, value and nothing else"},
    {"{\"a\":{\"$type\":\"int8\",\"value\":1,\"x\":2}}",
	"a: int8 needs $type, value and nothing else"},
    {"{\"a\":{\"$type\":\"decimal\",\"value\":1}}",
	"a: decimal needs $type, scale, value and nothing else"},
    {"{\"a\":{\"$type\":\"decimal\",\"scale\":256,\"value\":1}}",
	"a: scale: not a whole number from 0 to 255"},
    {"{\"a\":{\"$type\":\"int8\",\"value\":128}}", "a: not a whole number from -128 to 127"},
    {"{\"a\":{\"$type\":\"int8\",\"value\":\"1\"}}", "a: not a whole number from -128 to 127"},
    {"{\"a\":{\"$type\":\"int8\",\"value\":1.0}}", "a: not a whole number from -128 to 127"},
    {"{\"a\":{\"$type\":\"uint32\",\"value\":-1}}", "a: not a whole number from 0 to 4294967295"},
    {"{\"a\":{\"$type\":\"uint64\",\"value\":\"18446744073709551616\"}}",
	"a: not a whole number from 0 to 18446744073709551615"},
    {"{\"a\":{\"$type\":\"float\",\"value\":1e39}}", "a: too large for a float"},
    {"{\"a\":{\"$type\":\"double\",\"value\":\"-inf\"}}",
	"a: not a finite number (RabbitMQ would close the connection)"},
    {"{\"a\":{\"$type\":\"float\",\"value\":\"nan\"}}",
	"a: not a finite number (RabbitMQ would close the connection)"},
    {"{\"a\":{\"$type\":\"float\",\"value\":\"inf\"}}",
	"a: not a finite number (RabbitMQ would close the connection)"},
    {"{\"a\":{\"$type\":\"double\",\"value\":true}}",
	"a: not a finite number (RabbitMQ would close the connection)"},
    {"{\"a\":{\"$type\":\"bytes\",\"value\":\"a\"}}", "a: not base64"},
    {"{\"a\":{\"$type\":\"bytes\",\"value\":[]}}", "a: not base64"},
    {"{\"a\":{\"b\":[1,[{\"c\\u001b\":{\"$type\":\"int8\",\"value\":null}}]]}}",
	"a.b[1][0].c\\x1b: not a whole number from -128 to 127"},
};

START_TEST(wrong_json_is_refused_with_its_path)
{
	struct buf out = {0};
	struct error err = {0};
	json_t *tree = parse(refusals[_i].json);
	buf_append_str(&out, "before");
	ck_assert(!table_encode(tree, &out, &err));
	ck_assert_str_eq(err.text, refusals[_i].text);
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_str_eq(out.ptr, "before");
	ck_assert_uint_eq(out.len, 6);
	json_decref(tree);
	buf_release(&out);
}
END_TEST

START_TEST(keys_have_at_most_255_bytes)
{
	for (size_t len = 255; len <= 256; len++) {
		struct buf key = {0}, out = {0};
		struct error err = {0};
		while (key.len < len)
			buf_append_char(&key, 'k');
		json_t *tree = json_pack("{s{sn}}", "a", key.ptr);
		ck_assert_int_eq(table_encode(tree, &out, &err), len == 255);
		ck_assert_str_eq(err.text, len == 255 ? "" : "a: a key has more than 255 bytes");
		json_decref(tree);
		buf_release(&key);
		buf_release(&out);
	}
}
END_TEST

static const struct {
	const char *hex, *text;
} damage[] = {
    {"01", "damaged field table at byte 0 of 1"},
    {"0161", "damaged field table at byte 0 of 2"},
    {"0561 7401", "damaged field table at byte 0 of 4"},
    {"0161 7401 00", "damaged field table at byte 4 of 5"},
    {"0161 5a00000000", "damaged field table at byte 0 of 7"},
    {"0161 f400", "damaged field table at byte 0 of 4"},
    {"0161 5300000005 61", "damaged field table at byte 0 of 8"},
    {"0161 53ffffffff 61", "damaged field table at byte 0 of 8"},
    {"0161 53000000", "damaged field table at byte 0 of 6"},
    {"0161 4600000003 0162 74 01", "damaged field table at byte 7 of 11"},
    {"0161 4600000005 0162 7401 00", "damaged field table at byte 11 of 12"},
    {"0161 4100000001 74 01", "damaged field table at byte 7 of 9"},
    {"0161 4100000003 7401 56 7a", "damaged field table at byte 10 of 11"},
    {"0161 4100000004 7401 56 7a", "damaged field table at byte 10 of 11"},
};

START_TEST(damaged_bytes_are_refused_with_their_place)
{
	struct buf bytes = from_hex(damage[_i].hex), out = {0};
	struct error err = {0};
	buf_append_str(&out, "before");
	ck_assert(!table_write_json(buf_slice(&bytes), &out, &err));
	ck_assert_str_eq(err.text, damage[_i].text);
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_str_eq(out.ptr, "before");
	ck_assert_uint_eq(out.len, 6);
	buf_release(&bytes);
	buf_release(&out);
}
END_TEST

/* --- depth --- */

/* A table that holds arrays within arrays, `levels` in all. */
static json_t *nest(size_t levels, bool tables)
{
	json_t *inner = tables ? json_object() : json_array();
	for (; levels > 2; levels--)
		inner = tables ? json_pack("{so}", "k", inner) : json_pack("[o]", inner);
	return json_pack("{so}", "k", inner);
}

START_TEST(sixty_four_levels_pass_both_ways)
{
	struct buf bytes = {0}, json = {0};
	struct error err = {0};
	json_t *tree = nest(TABLE_MAX_DEPTH, _i != 0);
	ck_assert_msg(table_encode(tree, &bytes, &err), "%s", err.text);
	ck_assert_msg(table_write_json(buf_slice(&bytes), &json, &err), "%s", err.text);
	json_t *again = parse(json.ptr);
	ck_assert(json_equal(tree, again));
	json_decref(again);
	json_decref(tree);
	buf_release(&bytes);
	buf_release(&json);
}
END_TEST

START_TEST(deeper_levels_are_refused_both_ways)
{
	struct buf bytes = {0}, wrapped = {0}, json = {0};
	struct error err = {0};
	json_t *tree = nest(TABLE_MAX_DEPTH + 1, _i != 0);
	ck_assert(!table_encode(tree, &bytes, &err));
	ck_assert_ptr_nonnull(strstr(err.text, ": nested deeper than 64 levels"));
	json_decref(tree);
	tree = nest(TABLE_MAX_DEPTH, _i != 0);
	error_clear(&err);
	ck_assert(table_encode(tree, &bytes, &err));
	buf_append(&wrapped, (struct slice){"\1kF\0\0", 5});
	buf_append_char(&wrapped, (char)(bytes.len >> 8));
	buf_append_char(&wrapped, (char)bytes.len);
	buf_append(&wrapped, buf_slice(&bytes));
	ck_assert(!table_write_json(buf_slice(&wrapped), &json, &err));
	ck_assert_str_eq(err.text, "nested deeper than 64 levels");
	json_decref(tree);
	buf_release(&bytes);
	buf_release(&wrapped);
	buf_release(&json);
}
END_TEST

/* --- properties of all tables --- */

static json_t *random_value(struct rng *r, unsigned depth);

/* Some keys are doubled on purpose, some are not UTF-8, some hold NUL. */
static json_t *random_pairs(struct rng *r, unsigned depth)
{
	json_t *entries = json_array();
	for (uint64_t n = rng_below(r, 20); n > 0; n--) {
		static const char *const keys[] = {"a", "b", "", "x-death", "$type", "\xc3\xa9"};
		struct buf key = {0};
		if (rng_below(r, 4) == 0)
			buf_append_str(&key, keys[rng_below(r, ARRAY_LEN(keys))]);
		else
			buf_append_u64(&key, rng_below(r, 1000));
		json_t *pair = json_pack("[so]", key.ptr, random_value(r, depth + 1));
		json_array_append_new(entries, pair);
		buf_release(&key);
	}
	return json_pack("{ssso}", "$type", "table", "entries", entries);
}

static json_t *random_double(struct rng *r)
{
	uint64_t bits = rng_next(r);
	double value;
	memcpy(&value, &bits, sizeof value);
	json_t *real = json_real(value);
	return real != NULL ? real : json_null(); /* not finite */
}

static json_t *random_base64(struct rng *r, const char *type)
{
	struct buf bytes = {0}, text = {0};
	buf_reserve(&bytes, 0);
	for (uint64_t n = rng_below(r, 40); n > 0; n--)
		buf_append_char(&bytes, (char)rng_next(r));
	text_base64(buf_slice(&bytes), &text);
	json_t *typed = json_pack("{ssss}", "$type", type, "value", text.ptr);
	buf_release(&bytes);
	buf_release(&text);
	return typed;
}

static json_t *random_value(struct rng *r, unsigned depth)
{
	static const char *const types[] = {
	    "int8", "uint8", "int16", "uint16", "int32", "uint32", "uint64", "timestamp", "float"};
	switch (rng_below(r, depth < 5 ? 10 : 8)) {
	case 0:
		return json_boolean(rng_below(r, 2) != 0);
	case 1:
		return json_integer((json_int_t)rng_next(r));
	case 2:
		return random_double(r);
	case 3:
		return json_pack("{sssi}", "$type", types[rng_below(r, ARRAY_LEN(types))], "value",
		    (int)rng_below(r, 128));
	case 4:
		return random_base64(r, "string");
	case 5:
		return random_base64(r, "bytes");
	case 6:
		return json_pack("{sssisi}", "$type", "decimal", "scale", (int)rng_below(r, 256),
		    "value", (int)rng_below(r, 1000000));
	case 7:
		return json_null();
	case 8: {
		json_t *array = json_array();
		for (uint64_t n = rng_below(r, 5); n > 0; n--)
			json_array_append_new(array, random_value(r, depth + 1));
		return array;
	}
	default:
		return random_pairs(r, depth);
	}
}

START_TEST(random_tables_survive_the_way_to_json_and_back)
{
	struct rng r;
	rng_seed(&r, (uint64_t)_i);
	for (int run = 0; run < 200; run++) {
		struct buf bytes = {0}, json = {0}, again = {0};
		struct error err = {0};
		json_t *tree = random_pairs(&r, 0);
		ck_assert_msg(table_encode(tree, &bytes, &err), "%s", err.text);
		ck_assert_msg(table_write_json(buf_slice(&bytes), &json, &err), "%s", err.text);
		json_t *parsed = parse(json.ptr);
		ck_assert_msg(table_encode(parsed, &again, &err), "%s", err.text);
		ck_assert(slice_equal(buf_slice(&bytes), buf_slice(&again)));
		json_decref(parsed);
		json_decref(tree);
		buf_release(&bytes);
		buf_release(&json);
		buf_release(&again);
	}
}
END_TEST

START_TEST(table_cut_at_any_byte_is_refused_or_ends_at_an_entry)
{
	struct rng r;
	rng_seed(&r, (uint64_t)_i);
	struct buf bytes = {0};
	struct error err = {0};
	json_t *tree = random_pairs(&r, 0);
	ck_assert_msg(table_encode(tree, &bytes, &err), "%s", err.text);
	struct table_entry entry = {.rest = buf_slice(&bytes)};
	size_t whole = 0; /* bytes of the entries that the cut leaves whole */
	struct table_entry next = entry;
	bool more = table_next(&next);
	for (size_t cut = 0; cut < bytes.len; cut++) {
		if (more && cut == (size_t)(next.rest.ptr - bytes.ptr)) {
			whole = cut;
			more = table_next(&next);
		}
		struct buf json = {0};
		char *exact = mem_strndup(bytes.ptr, cut); /* for the address sanitizer */
		error_clear(&err);
		bool ok = table_write_json((struct slice){exact, cut}, &json, &err);
		ck_assert_int_eq(ok, cut == whole);
		free(exact);
		buf_release(&json);
	}
	json_decref(tree);
	buf_release(&bytes);
}
END_TEST

START_TEST(many_keys_are_told_apart)
{
	for (int doubled = 0; doubled < 2; doubled++) {
		struct buf bytes = {0}, json = {0};
		struct error err = {0};
		for (int i = 0; i < 20000; i++) {
			char key[16];
			snprintf(key, sizeof key, "%d", doubled != 0 && i == 19999 ? 77 : i);
			table_add_bool(&bytes, key, true);
		}
		ck_assert(table_write_json(buf_slice(&bytes), &json, &err));
		ck_assert_int_eq(strncmp(json.ptr, "{\"$type\":\"table\"", 16) == 0, doubled != 0);
		buf_release(&bytes);
		buf_release(&json);
	}
}
END_TEST

/* --- walking and building --- */

START_TEST(built_entries_can_be_read)
{
	struct buf bytes = {0}, json = {0};
	struct error err = {0};
	table_add_string(&bytes, "name", SLICE("hop\0per"));
	table_add_int(&bytes, "count", -3);
	table_add_bool(&bytes, "paid", true);
	table_add_string(&bytes, "", SLICE(""));
	ck_assert(table_write_json(buf_slice(&bytes), &json, &err));
	ck_assert_str_eq(
	    json.ptr, "{\"name\":\"hop\\u0000per\",\"count\":-3,\"paid\":true,\"\":\"\"}");
	ck_assert(slice_equal(table_find_string(buf_slice(&bytes), "name"), SLICE("hop\0per")));
	ck_assert_ptr_null(table_find_string(buf_slice(&bytes), "count").ptr);
	ck_assert_ptr_null(table_find_string(buf_slice(&bytes), "none").ptr);
	ck_assert_ptr_nonnull(table_find_string(buf_slice(&bytes), "").ptr);
	buf_release(&bytes);
	buf_release(&json);
}
END_TEST

START_TEST(walk_shows_keys_types_and_values)
{
	struct buf bytes = from_hex("0161 62ff 026263 5300000002 6869 00 56");
	struct table_entry entry = {.rest = buf_slice(&bytes)};
	ck_assert(table_next(&entry));
	ck_assert(slice_is(entry.key, "a"));
	ck_assert_int_eq(entry.type, 'b');
	assert_same_bytes(entry.value, SLICE("\xff"));
	ck_assert(table_next(&entry));
	ck_assert(slice_is(entry.key, "bc"));
	ck_assert_int_eq(entry.type, 'S');
	assert_same_bytes(entry.value, SLICE("\0\0\0\2hi"));
	ck_assert(table_next(&entry));
	ck_assert_uint_eq(entry.key.len, 0);
	ck_assert_int_eq(entry.type, 'V');
	ck_assert_uint_eq(entry.value.len, 0);
	ck_assert(!table_next(&entry));
	ck_assert_uint_eq(entry.rest.len, 0);
	buf_release(&bytes);
}
END_TEST

START_TEST(walk_ends_at_damage_with_a_rest)
{
	struct buf bytes = from_hex("0161 7401 0162 7a");
	struct table_entry entry = {.rest = buf_slice(&bytes)};
	ck_assert(table_next(&entry));
	ck_assert(!table_next(&entry));
	ck_assert_uint_eq(entry.rest.len, 3);
	ck_assert_ptr_null(table_find_string(buf_slice(&bytes), "b").ptr);
	buf_release(&bytes);
}
END_TEST

static Suite *table_suite(void)
{
	Suite *suite = suite_create("table");
	TCase *values = tcase_create("values");
	tcase_add_loop_test(values, bytes_become_json, 0, (int)ARRAY_LEN(pairs));
	tcase_add_test(values, numbers_that_are_not_finite_are_shown);
	tcase_add_loop_test(values, json_becomes_the_same_bytes, 0, (int)ARRAY_LEN(pairs));
	tcase_add_loop_test(values, other_spellings_are_accepted, 0, (int)ARRAY_LEN(spellings));
	suite_add_tcase(suite, values);
	TCase *wrong = tcase_create("refusals");
	tcase_add_loop_test(
	    wrong, wrong_json_is_refused_with_its_path, 0, (int)ARRAY_LEN(refusals));
	tcase_add_test(wrong, keys_have_at_most_255_bytes);
	tcase_add_loop_test(
	    wrong, damaged_bytes_are_refused_with_their_place, 0, (int)ARRAY_LEN(damage));
	tcase_add_loop_test(wrong, sixty_four_levels_pass_both_ways, 0, 2);
	tcase_add_loop_test(wrong, deeper_levels_are_refused_both_ways, 0, 2);
	suite_add_tcase(suite, wrong);
	TCase *properties = tcase_create("properties");
	tcase_set_timeout(properties, 60);
	tcase_add_loop_test(properties, random_tables_survive_the_way_to_json_and_back, 0, 5);
	tcase_add_loop_test(properties, table_cut_at_any_byte_is_refused_or_ends_at_an_entry, 0, 5);
	tcase_add_test(properties, many_keys_are_told_apart);
	suite_add_tcase(suite, properties);
	TCase *walk = tcase_create("walk");
	tcase_add_test(walk, built_entries_can_be_read);
	tcase_add_test(walk, walk_shows_keys_types_and_values);
	tcase_add_test(walk, walk_ends_at_damage_with_a_rest);
	suite_add_tcase(suite, walk);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(table_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
