#include "schema/schema_private.h"

#include "base/mem.h"
#include "base/num.h"

#include <math.h>
#include <stdlib.h>

/* Only 128 bits hold every product below; the extension keyword keeps -Wpedantic content. */
__extension__ typedef unsigned __int128 wide;

#define FEW_ITEMS 16 /* up to here comparing each with each beats sorting */

static bool is_integral(double d)
{
	return floor(d) == d;
}

unsigned schema_value_types(const json_t *value)
{
	static const unsigned types[] = {
	    [JSON_OBJECT] = SCHEMA_OBJECT,
	    [JSON_ARRAY] = SCHEMA_ARRAY,
	    [JSON_STRING] = SCHEMA_STRING,
	    [JSON_INTEGER] = SCHEMA_INTEGER | SCHEMA_NUMBER,
	    [JSON_REAL] = SCHEMA_NUMBER,
	    [JSON_TRUE] = SCHEMA_BOOLEAN,
	    [JSON_FALSE] = SCHEMA_BOOLEAN,
	    [JSON_NULL] = SCHEMA_NULL,
	};
	if (json_is_real(value) && is_integral(json_real_value(value)))
		return SCHEMA_INTEGER | SCHEMA_NUMBER;
	return types[json_typeof(value)];
}

struct slice schema_value_text(const json_t *string)
{
	return (struct slice){json_string_value(string), json_string_length(string)};
}

static size_t count_characters(struct slice utf8)
{
	size_t count = 0;
	for (size_t i = 0; i < utf8.len; i++)
		count += ((unsigned char)utf8.ptr[i] & 0xc0) != 0x80;
	return count;
}

size_t schema_value_count(const json_t *value)
{
	if (json_is_string(value))
		return count_characters(schema_value_text(value));
	return json_is_array(value) ? json_array_size(value) : json_object_size(value);
}

/* Exact: a double of 2^53 and more has no fraction, and int64 is cut nowhere. */
static int compare_mixed(int64_t i, double d)
{
	if (d >= 0x1p63)
		return -1;
	if (d < -0x1p63)
		return 1;
	int64_t whole = (int64_t)d;
	if (i != whole)
		return i < whole ? -1 : 1;
	double fraction = d - (double)whole;
	return fraction > 0 ? -1 : fraction < 0;
}

int schema_value_compare(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b)) {
		int64_t x = json_integer_value(a), y = json_integer_value(b);
		return x < y ? -1 : x > y;
	}
	if (json_is_integer(a))
		return compare_mixed(json_integer_value(a), json_real_value(b));
	if (json_is_integer(b))
		return -compare_mixed(json_integer_value(b), json_real_value(a));
	double x = json_real_value(a), y = json_real_value(b);
	return x < y ? -1 : x > y;
}

static bool equal_arrays(const json_t *a, const json_t *b)
{
	if (json_array_size(a) != json_array_size(b))
		return false;
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!schema_value_equal(json_array_get(a, i), json_array_get(b, i)))
			return false;
	return true;
}

static bool equal_objects(const json_t *a, const json_t *b)
{
	const char *key;
	json_t *member;
	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach((json_t *)a, key, member)
	{
		const json_t *other = json_object_get(b, key);
		if (other == NULL || !schema_value_equal(member, other))
			return false;
	}
	return true;
}

bool schema_value_equal(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return schema_value_compare(a, b) == 0;
	if (json_typeof(a) != json_typeof(b))
		return false;
	switch (json_typeof(a)) {
	case JSON_STRING:
		return slice_equal(schema_value_text(a), schema_value_text(b));
	case JSON_ARRAY:
		return equal_arrays(a, b);
	case JSON_OBJECT:
		return equal_objects(a, b);
	default:
		return true;
	}
}

static uint64_t mix(uint64_t h, uint64_t value)
{
	h = (h ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t hash_text(struct slice text)
{
	uint64_t h = text.len;
	for (size_t i = 0; i < text.len; i++)
		h = mix(h, (unsigned char)text.ptr[i]);
	return h;
}

static uint64_t hash_number(const json_t *value)
{
	double d = json_number_value(value) + 0.0; /* -0.0 becomes 0.0 */
	uint64_t bits;
	memcpy(&bits, &d, sizeof bits);
	return mix(1, bits);
}

/* Equal values have equal hashes. */
static uint64_t hash_value(const json_t *value)
{
	uint64_t h = (uint64_t)json_typeof(value) + 2;
	const char *key;
	json_t *member;
	if (json_is_number(value))
		return hash_number(value);
	if (json_is_string(value))
		return mix(h, hash_text(schema_value_text(value)));
	for (size_t i = 0; i < json_array_size(value); i++)
		h = mix(h, hash_value(json_array_get(value, i)));
	json_object_foreach((json_t *)value, key, member) /* their order does not count */
	    h += mix(hash_text(slice_str(key)), hash_value(member));
	return h;
}

struct hashed {
	uint64_t hash;
	size_t index;
};

static int compare_hashed(const void *left, const void *right)
{
	const struct hashed *a = left, *b = right;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static bool find_twin_of(const json_t *array, const struct hashed *items, size_t i, size_t count,
    size_t *first, size_t *second)
{
	for (size_t k = i + 1; k < count && items[k].hash == items[i].hash; k++) {
		*first = items[i].index;
		*second = items[k].index;
		if (schema_value_equal(
			json_array_get(array, *first), json_array_get(array, *second)))
			return true;
	}
	return false;
}

bool schema_value_find_twins(const json_t *array, size_t *first, size_t *second)
{
	size_t count = json_array_size(array);
	struct hashed few[FEW_ITEMS] = {{0}}, *items = few;
	bool found = false;
	if (count > FEW_ITEMS)
		items = mem_alloc(count, sizeof *items);
	for (size_t i = 0; i < count; i++) {
		items[i].hash = count > FEW_ITEMS ? hash_value(json_array_get(array, i)) : 0;
		items[i].index = i;
	}
	if (count > FEW_ITEMS)
		qsort(items, count, sizeof *items, compare_hashed);
	for (size_t i = 0; i < count && !found; i++)
		found = find_twin_of(array, items, i, count, first, second);
	if (items != few)
		free(items);
	return found;
}

/* digits * 10^exponent, without its sign: what the number looks like in the JSON text. */
struct decimal {
	uint64_t digits;
	int exponent;
};

/* "+16" or "-07", as num_format_double writes it: three digits at most. */
static int exponent_of_text(const char *text)
{
	int exponent = 0;
	for (const char *p = text + 1; *p != '\0'; p++)
		exponent = exponent * 10 + (*p - '0');
	return *text == '-' ? -exponent : exponent;
}

static struct decimal decimal_of_text(const char *text)
{
	struct decimal d = {0};
	bool after_point = false;
	for (; *text != '\0' && *text != 'e' && *text != 'E'; text++) {
		after_point = after_point || *text == '.';
		if (*text < '0' || *text > '9')
			continue;
		d.digits = d.digits * 10 + (uint64_t)(*text - '0');
		d.exponent -= after_point;
	}
	if (*text != '\0')
		d.exponent += exponent_of_text(text + 1);
	return d;
}

/* The way without text, for few decimals. Below 10^15 a division by such a power is correctly
 * rounded, and no two decimals of 15 digits are the same double: equal means this one was meant. */
static bool decimal_of_short(double value, struct decimal *d)
{
	static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
	for (size_t i = 0; i < ARRAY_LEN(powers); i++) {
		double digits = nearbyint(value * powers[i]);
		if (digits < 1e15 && digits / powers[i] == value) {
			*d = (struct decimal){(uint64_t)digits, -(int)i};
			return true;
		}
	}
	return false;
}

/* A double is taken as the shortest decimal that means it: 0.1 is one tenth, as its author wrote.
 * At most 17 digits come from a double, 19 from an integer. */
static struct decimal decimal_of(const json_t *number)
{
	struct decimal d = {0};
	if (json_is_integer(number)) {
		int64_t i = json_integer_value(number);
		d.digits = i < 0 ? -(uint64_t)i : (uint64_t)i;
	} else if (!decimal_of_short(fabs(json_real_value(number)), &d)) {
		struct buf text = {0};
		num_format_double(json_real_value(number), &text);
		d = decimal_of_text(text.ptr);
		buf_release(&text);
	}
	for (; d.digits != 0 && d.digits % 10 == 0; d.digits /= 10)
		d.exponent++;
	return d;
}

bool schema_value_is_multiple(const json_t *value, const json_t *of)
{
	struct decimal a = decimal_of(value), b = decimal_of(of);
	int shift = a.exponent - b.exponent;
	if (a.digits == 0 || b.digits == 0)
		return a.digits == 0;
	if (shift < -19)
		return false; /* b has more digits than a can be */
	wide divisor = b.digits;
	for (; shift < 0; shift++)
		divisor *= 10; /* below 10^19 * 10^19 < 2^128 */
	wide rest = a.digits % divisor;
	for (; shift > 0 && rest != 0; shift--)
		rest = rest * 10 % divisor; /* here the divisor is below 2^64 */
	return rest == 0;
}
