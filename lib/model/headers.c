#include "model/headers.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/field.h"
#include "model/table.h"

#include <math.h>
#include <stdlib.h>

/* ---- values ---- */

enum kind { KIND_NONE, INTEGER, REAL, TEXT, BOOLEAN, NOTHING, DECIMAL, LIST };

/* By the type letter: the kind at the top level, and what RabbitMQ tells apart inside of others. */
static const struct type {
	enum kind kind;
	char letter;
	bool is_signed; /* of whole numbers */
} types[128] = {
    ['b'] = {INTEGER, 'b', true},
    ['B'] = {INTEGER, 'B', false},
    ['s'] = {INTEGER, 's', true},
    ['u'] = {INTEGER, 'u', false},
    ['I'] = {INTEGER, 'I', true},
    ['i'] = {INTEGER, 'i', false},
    ['l'] = {INTEGER, 'l', true},
    ['L'] = {INTEGER, 'l', true}, /* RabbitMQ reads it as a signed one */
    ['T'] = {INTEGER, 'T', false},
    ['f'] = {REAL, 'f', true},
    ['d'] = {REAL, 'd', true},
    ['S'] = {TEXT, 'S', false},
    ['x'] = {TEXT, 'x', false},
    ['t'] = {BOOLEAN, 't', false},
    ['V'] = {NOTHING, 'V', false},
    ['D'] = {DECIMAL, 'D', false},
    ['A'] = {LIST, 'A', false},
    ['F'] = {LIST, 'F', false},
};

static const struct type *type_of(char letter)
{
	return &types[(unsigned char)letter & 0x7f];
}

struct number {
	bool is_negative; /* then `whole` is the distance from zero */
	bool is_whole;
	uint64_t whole;
	double real; /* when it is not whole, or beyond 64 bits */
};

static struct number read_integer(bool is_signed, struct slice value)
{
	int64_t number = field_signed(value);
	if (!is_signed || number >= 0)
		return (struct number){.is_whole = true, .whole = field_number(value)};
	return (struct number){
	    .is_negative = true, .is_whole = true, .whole = 0 - (uint64_t)number};
}

static struct number read_real(struct slice value)
{
	double real = field_real(value), size = fabs(real);
	if (size < 0x1p64 && floor(size) == size) /* exact */
		return (struct number){
		    .is_negative = real < 0, .is_whole = true, .whole = (uint64_t)size};
	return (struct number){.real = real};
}

static struct number read_number(char letter, struct slice value)
{
	const struct type *type = type_of(letter);
	return type->kind == INTEGER ? read_integer(type->is_signed, value) : read_real(value);
}

static bool is_same_number(struct number a, struct number b)
{
	if (a.is_whole != b.is_whole)
		return false;
	return a.is_whole ? a.is_negative == b.is_negative && a.whole == b.whole : a.real == b.real;
}

static bool is_same(char a_letter, struct slice a, char b_letter, struct slice b);

/* Takes a value, behind its key in a table; false at the end. */
static bool take_member(
    bool has_keys, struct slice *rest, struct slice *key, char *letter, struct slice *value)
{
	if (!has_keys)
		return field_take_value(rest, letter, value);
	struct table_entry entry = {.rest = *rest};
	if (!table_next(&entry))
		return false;
	*key = entry.key;
	*letter = entry.type;
	*value = entry.value;
	*rest = entry.rest;
	return true;
}

/* To RabbitMQ both are lists: the empty ones are the same. Not deeper than TABLE_MAX_DEPTH. */
static bool is_same_list(char a_letter, struct slice a, char b_letter, struct slice b)
{
	struct slice a_rest = field_content(a), b_rest = field_content(b);
	if (a_letter != b_letter)
		return a_rest.len == 0 && b_rest.len == 0;
	bool has_keys = a_letter == 'F';
	for (;;) {
		struct slice a_key = {0}, b_key = {0}, a_value, b_value;
		char a_type, b_type;
		bool more = take_member(has_keys, &a_rest, &a_key, &a_type, &a_value);
		if (more != take_member(has_keys, &b_rest, &b_key, &b_type, &b_value))
			return false;
		if (!more)
			return true;
		if (!slice_equal(a_key, b_key) ||
		    type_of(a_type)->letter != type_of(b_type)->letter ||
		    !is_same(a_type, a_value, b_type, b_value))
			return false;
	}
}

static bool is_same(char a_letter, struct slice a, char b_letter, struct slice b)
{
	enum kind kind = type_of(a_letter)->kind, other = type_of(b_letter)->kind;
	bool is_number = kind == INTEGER || kind == REAL;
	if (is_number && (other == INTEGER || other == REAL))
		return is_same_number(read_number(a_letter, a), read_number(b_letter, b));
	if (kind != other)
		return false;
	switch (kind) {
	case BOOLEAN:
		return (a.ptr[0] != 0) == (b.ptr[0] != 0);
	case TEXT:
		return slice_equal(field_content(a), field_content(b));
	case LIST:
		return is_same_list(a_letter, a, b_letter, b);
	default:
		return slice_equal(a, b);
	}
}

/* ---- tables by their keys ---- */

struct entries {
	struct table_entry *items;
	size_t count;
};

static int order_of(struct slice a, struct slice b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Doubled keys stay in the order of the wire. */
static int compare_entries(const void *left, const void *right)
{
	const struct table_entry *a = left, *b = right;
	int order = order_of(a->key, b->key);
	return order != 0 ? order : (a->key.ptr > b->key.ptr) - (a->key.ptr < b->key.ptr);
}

static struct entries sort(struct slice table)
{
	struct entries list = {0};
	size_t capacity = 0;
	for (struct table_entry entry = {.rest = table}; table_next(&entry);) {
		list.items = mem_grow(list.items, &capacity, list.count + 1, sizeof *list.items);
		list.items[list.count++] = entry;
	}
	if (list.count > 0)
		qsort(list.items, list.count, sizeof *list.items, compare_entries);
	return list;
}

/* ---- words ---- */

static void write_key(struct slice key, struct buf *out)
{
	if (text_is_utf8(key)) {
		text_json(key, out);
		return;
	}
	buf_append_char(out, '"');
	text_escape(key, SIZE_MAX, out);
	buf_append_char(out, '"');
}

/* "paid": true */
static void write_entry(const struct table_entry *e, struct buf *out)
{
	struct buf nameless = {0}, json = {0};
	struct error unlikely = {0}; /* the value has been encoded by us */
	buf_append_char(&nameless, '\0');
	buf_append_char(&nameless, e->type);
	buf_append(&nameless, e->value);
	write_key(e->key, out);
	buf_append_str(out, ": ");
	if (table_write_json(buf_slice(&nameless), &json, &unlikely))
		buf_append(out, (struct slice){json.ptr + 4, json.len - 5}); /* of {"":true} */
	buf_release(&nameless);
	buf_release(&json);
}

static void begin_item(struct buf *list, const char *between)
{
	if (list->len > 0)
		buf_append_str(list, between);
}

/* got is NULL when the message has nothing of that name. */
static void write_unmet(
    const struct table_entry *wanted, const struct table_entry *got, struct buf *out)
{
	begin_item(out, "; ");
	if (wanted->type == 'V')
		write_key(wanted->key, out);
	else
		write_entry(wanted, out);
	buf_append_str(out, " wanted, the message has ");
	if (got != NULL) {
		write_entry(got, out);
		return;
	}
	buf_append_str(out, "no ");
	write_key(wanted->key, out);
}

static void write_met(const struct table_entry *wanted, struct buf *out)
{
	begin_item(out, ", ");
	if (wanted->type == 'V')
		write_key(wanted->key, out);
	else
		write_entry(wanted, out);
}

/* ---- matching ---- */

static const struct rule {
	const char *name;
	bool is_any, with_x;
} rules[] = {{"all", false, false}, {"any", true, false}, {"all-with-x", false, true},
    {"any-with-x", true, true}};

static const struct rule *find_rule(struct slice arguments)
{
	struct slice name = table_find_string(arguments, "x-match");
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (slice_is(name, rules[i].name))
			return &rules[i];
	return &rules[0];
}

static bool is_left_out(const struct rule *rule, struct slice key)
{
	return !rule->with_x && key.len >= 2 && memcmp(key.ptr, "x-", 2) == 0;
}

struct comparison {
	const struct rule *rule;
	size_t met_count, unmet_count;
	struct buf met, unmet, left_out;
};

static void compare_one(
    struct comparison *c, const struct table_entry *wanted, const struct table_entry *got)
{
	if (got != NULL &&
	    (wanted->type == 'V' || is_same(wanted->type, wanted->value, got->type, got->value))) {
		c->met_count++;
		write_met(wanted, &c->met);
	} else {
		c->unmet_count++;
		write_unmet(wanted, got, &c->unmet);
	}
}

/* Both are sorted. Of doubled keys the first is compared with the first. */
static void compare(struct comparison *c, struct entries wanted, struct entries got)
{
	size_t at = 0;
	for (size_t i = 0; i < wanted.count; i++) {
		struct slice key = wanted.items[i].key;
		if (slice_is(key, "x-match"))
			continue;
		if (is_left_out(c->rule, key)) {
			begin_item(&c->left_out, ", ");
			write_key(key, &c->left_out);
			continue;
		}
		while (at < got.count && order_of(got.items[at].key, key) < 0)
			at++;
		bool there = at < got.count && order_of(got.items[at].key, key) == 0;
		compare_one(c, &wanted.items[i], there ? &got.items[at++] : NULL);
	}
}

static bool judge(const struct comparison *c, struct buf *why)
{
	bool is_any = c->rule->is_any;
	bool matches = is_any ? c->met_count > 0 : c->unmet_count == 0;
	if (c->met_count + c->unmet_count == 0)
		buf_append_str(why, matches ? "no header is wanted" : "no header could match");
	else if (matches)
		buf_printf(why, "the message has %s", c->met.ptr);
	else
		buf_append(why, buf_slice(&c->unmet));
	if (c->left_out.len > 0)
		buf_printf(why, "; not looked at: %s", c->left_out.ptr);
	buf_printf(why, " (x-match: %s)", c->rule->name);
	return matches;
}

bool headers_match(struct slice arguments, struct slice headers, struct buf *why)
{
	struct entries wanted = sort(arguments), got = sort(headers);
	struct comparison c = {.rule = find_rule(arguments)};
	compare(&c, wanted, got);
	bool matches = judge(&c, why);
	buf_release(&c.met);
	buf_release(&c.unmet);
	buf_release(&c.left_out);
	free(wanted.items);
	free(got.items);
	return matches;
}
