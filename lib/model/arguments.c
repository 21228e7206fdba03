#include "model/arguments.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "model/table.h"

#include <inttypes.h>
#include <stdlib.h>

enum queue_type {
	CLASSIC = 1 << 0,
	QUORUM = 1 << 1,
	STREAM = 1 << 2,
};

#define ANY_TYPE (CLASSIC | QUORUM | STREAM)
#define MOST_CHOICES 4 /* the closing NULL included */
#define MAX_NAME 255   /* bytes of a short string of AMQP */

enum argument_kind {
	ARGUMENT_RAW, /* only under its wire name */
	ARGUMENT_MS,  /* a duration, sent in ms */
	ARGUMENT_AGE, /* a duration, sent as text: "7D" */
	ARGUMENT_COUNT,
	ARGUMENT_BYTES,
	ARGUMENT_BOOL,
	ARGUMENT_TEXT,
	ARGUMENT_CHOICE,
};

/* Two rows may share a key when its wire name depends on the type. */
struct argument {
	const char *key; /* NULL for ARGUMENT_RAW */
	const char *wire;
	enum argument_kind kind;
	unsigned types; /* enum queue_type */
	uint64_t min, max;
	const char *choices[MOST_CHOICES];
};

#define MAX_MS UINT32_MAX /* what the broker's timers hold */

/* clang-format off */
static const struct argument arguments[] = {
    {"message_ttl", "x-message-ttl", ARGUMENT_MS, CLASSIC | QUORUM, 0, MAX_MS, {0}},
    {"expires", "x-expires", ARGUMENT_MS, CLASSIC | QUORUM, 1, MAX_MS, {0}},
    {"max_length", "x-max-length", ARGUMENT_COUNT, CLASSIC | QUORUM, 0, INT64_MAX, {0}},
    {"max_length_bytes", "x-max-length-bytes", ARGUMENT_BYTES, ANY_TYPE, 0, 0, {0}},
    {"overflow", "x-overflow", ARGUMENT_CHOICE, CLASSIC, 0, 0,
	{"drop-head", "reject-publish", "reject-publish-dlx"}},
    {"overflow", "x-overflow", ARGUMENT_CHOICE, QUORUM, 0, 0, {"drop-head", "reject-publish"}},
    {"max_priority", "x-max-priority", ARGUMENT_COUNT, CLASSIC, 1, 255, {0}},
    {"single_active_consumer", "x-single-active-consumer", ARGUMENT_BOOL, CLASSIC | QUORUM, 0, 0,
	{0}},
    {"dead_letter_exchange", "x-dead-letter-exchange", ARGUMENT_TEXT, CLASSIC | QUORUM, 0, 0, {0}},
    {"dead_letter_routing_key", "x-dead-letter-routing-key", ARGUMENT_TEXT, CLASSIC | QUORUM, 0,
	0, {0}},
    {"dead_letter_strategy", "x-dead-letter-strategy", ARGUMENT_CHOICE, QUORUM, 0, 0,
	{"at-most-once", "at-least-once"}},
    {"delivery_limit", "x-delivery-limit", ARGUMENT_COUNT, QUORUM, 0, INT32_MAX, {0}},
    {"queue_mode", "x-queue-mode", ARGUMENT_CHOICE, CLASSIC, 0, 0, {"default", "lazy"}},
    {"queue_version", "x-queue-version", ARGUMENT_COUNT, CLASSIC, 1, 2, {0}},
    {"initial_group_size", "x-quorum-initial-group-size", ARGUMENT_COUNT, QUORUM, 1, 255, {0}},
    {"initial_group_size", "x-initial-cluster-size", ARGUMENT_COUNT, STREAM, 1, 255, {0}},
    {"leader_locator", "x-queue-leader-locator", ARGUMENT_CHOICE, QUORUM | STREAM, 0, 0,
	{"client-local", "balanced"}},
    {"max_in_memory_length", "x-max-in-memory-length", ARGUMENT_COUNT, QUORUM, 0, INT64_MAX, {0}},
    {"max_in_memory_bytes", "x-max-in-memory-bytes", ARGUMENT_BYTES, QUORUM, 0, 0, {0}},
    {"max_age", "x-max-age", ARGUMENT_AGE, STREAM, 0, 0, {0}},
    {"max_segment_size", "x-stream-max-segment-size-bytes", ARGUMENT_BYTES, STREAM, 0, 0, {0}},
    {"filter_size", "x-stream-filter-size-bytes", ARGUMENT_COUNT, STREAM, 16, 255, {0}},
    /* known to the broker or its plugins; here so that they are not taken for misspelt ones */
    {NULL, "x-queue-master-locator", ARGUMENT_RAW, CLASSIC, 0, 0, {0}},
    {NULL, "x-quorum-target-group-size", ARGUMENT_RAW, QUORUM, 0, 0, {0}},
    {NULL, "x-delayed-retry-type", ARGUMENT_RAW, QUORUM, 0, 0, {0}},
    {NULL, "x-delayed-retry-min", ARGUMENT_RAW, QUORUM, 0, 0, {0}},
    {NULL, "x-delayed-retry-max", ARGUMENT_RAW, QUORUM, 0, 0, {0}},
    {NULL, "x-consumer-timeout", ARGUMENT_RAW, ANY_TYPE, 0, 0, {0}},
    {NULL, "x-message-deduplication", ARGUMENT_RAW, ANY_TYPE, 0, 0, {0}},
    {NULL, "x-cache-size", ARGUMENT_RAW, ANY_TYPE, 0, 0, {0}},
    {NULL, "x-cache-ttl", ARGUMENT_RAW, ANY_TYPE, 0, 0, {0}},
    {NULL, "x-cache-persistence", ARGUMENT_RAW, ANY_TYPE, 0, 0, {0}},
};
/* clang-format on */

static const char *const type_names[] = {"classic", "quorum", "stream"};

static unsigned type_bit(const char *type)
{
	for (unsigned i = 0; i < ARRAY_LEN(type_names); i++)
		if (strcmp(type, type_names[i]) == 0)
			return 1u << i;
	return CLASSIC;
}

/* "<name> is for classic and quorum queues, not for stream ones" at the key. */
static void refuse_type(
    struct reader *r, const char *key, const char *name, unsigned types, const char *type)
{
	struct buf takers = {0};
	for (unsigned i = 0; i < ARRAY_LEN(type_names); i++) {
		if ((types & 1u << i) == 0)
			continue;
		buf_append_str(&takers, takers.len > 0 ? " and " : "");
		buf_append_str(&takers, type_names[i]);
	}
	reader_fail_name_at(r, key, "%s is for %s queues, not for %s ones", name, takers.ptr, type);
	buf_release(&takers);
}

/* 604800 s -> "7D": the largest unit that divides the age; months and years have no fixed length.
 */
static json_t *age_from_seconds(uint64_t seconds)
{
	static const struct {
		uint64_t seconds;
		char letter;
	} units[] = {{86400, 'D'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};

	size_t i = 0;
	while (seconds % units[i].seconds != 0)
		i++;
	return json_sprintf("%" PRIu64 "%c", seconds / units[i].seconds, units[i].letter);
}

static json_t *read_age(struct reader *r, const json_t *body, const char *key)
{
	uint64_t ns;
	if (!reader_duration(r, body, key, &ns))
		return NULL;
	uint64_t seconds = ns / CHRONO_S;
	if (seconds == 0 || ns % CHRONO_S != 0) {
		char *found = reader_describe(reader_member(body, key));
		reader_fail_at(r, key, "%s is not a whole number of seconds of at least 1", found);
		free(found);
		return NULL;
	}
	return age_from_seconds(seconds);
}

/* The wire value of a friendly key; NULL when it is absent or was reported. */
static json_t *read_value(struct reader *r, const json_t *body, const struct argument *row)
{
	uint64_t number = 0;
	const char *text;
	size_t choice;
	bool flag;
	bool good = false;
	switch (row->kind) {
	case ARGUMENT_BOOL:
		return reader_bool(r, body, row->key, &flag) ? json_boolean(flag) : NULL;
	case ARGUMENT_TEXT:
		return reader_text(r, body, row->key, &text) ? json_string(text) : NULL;
	case ARGUMENT_CHOICE:
		return reader_choice(r, body, row->key, row->choices, &choice)
			   ? json_string(row->choices[choice])
			   : NULL;
	case ARGUMENT_AGE:
		return read_age(r, body, row->key);
	case ARGUMENT_MS:
		good = reader_duration_ms(r, body, row->key, row->min, row->max, &number);
		break;
	case ARGUMENT_BYTES:
		good = reader_size(r, body, row->key, &number);
		break;
	case ARGUMENT_COUNT:
		good = reader_count(r, body, row->key, row->min, row->max, &number);
		break;
	case ARGUMENT_RAW:
		break;
	}
	return good ? json_integer((json_int_t)number) : NULL;
}

/* All the types that take a key, over all its rows. */
static unsigned types_of_key(const char *key)
{
	unsigned types = 0;
	for (size_t i = 0; key != NULL && i < ARRAY_LEN(arguments); i++)
		if (arguments[i].key != NULL && strcmp(arguments[i].key, key) == 0)
			types |= arguments[i].types;
	return types;
}

static bool is_first_of_key(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (arguments[k].key != NULL && strcmp(arguments[k].key, arguments[i].key) == 0)
			return false;
	return true;
}

static void read_friendly(struct reader *r, const json_t *body, const char *type, json_t *out)
{
	unsigned bit = type_bit(type);
	for (size_t i = 0; i < ARRAY_LEN(arguments); i++) {
		const struct argument *row = &arguments[i];
		if (row->key == NULL || reader_member(body, row->key) == NULL)
			continue;
		unsigned types = types_of_key(row->key);
		if ((types & bit) == 0 && is_first_of_key(i))
			refuse_type(r, row->key, row->key, types, type);
		if ((row->types & bit) == 0)
			continue;
		json_t *value = read_value(r, body, row);
		if (value != NULL)
			json_object_set_new(out, row->wire, value);
	}
}

static const struct argument *find_wire(const char *wire, unsigned bit)
{
	const struct argument *other = NULL;
	for (size_t i = 0; i < ARRAY_LEN(arguments); i++) {
		if (strcmp(arguments[i].wire, wire) != 0)
			continue;
		if ((arguments[i].types & bit) != 0)
			return &arguments[i];
		other = &arguments[i];
	}
	return other;
}

/* An unknown name that is near a known one is a slip; any other is a plugin's. */
static bool check_spelling(struct reader *r, const char *wire, const char *const known[])
{
	const char *nearest = text_suggest(slice_str(wire), known);
	if (nearest == NULL)
		return true;
	char *quoted = text_quote(slice_str(wire));
	reader_fail_name_at(r, wire, "unknown argument '%s'; did you mean '%s'?", quoted, nearest);
	free(quoted);
	return false;
}

bool arguments_check_field(struct reader *r, const char *name, const json_t *value)
{
	struct error err = {0};
	struct buf encoded = {0};
	if (strlen(name) > MAX_NAME)
		return reader_fail_name_at(
		    r, name, "a name of %zu bytes; it may have %d", strlen(name), MAX_NAME);
	json_t *table = json_object();
	json_object_set_new(table, "", json_deep_copy(value)); /* no name, none in the error */
	bool good = table_encode(table, &encoded, &err);
	json_decref(table);
	buf_release(&encoded);
	return good || reader_fail_at(r, name, "%s", err.text);
}

/* "7D": what the broker takes for an age. */
static bool check_age(struct reader *r, const json_t *raw, const char *wire)
{
	const json_t *value = json_object_get(raw, wire);
	const char *text = json_string_value(value);
	if (text == NULL)
		text = "";
	size_t digits = strspn(text, "0123456789");
	/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): text is set above */
	if (digits > 0 && strlen(text) == digits + 1 && strchr("YMDhms", text[digits]) != NULL)
		return true;
	char *found = reader_describe(value);
	reader_fail_at(r, wire, "%s is not an age such as 7D or 12h", found);
	free(found);
	return false;
}

/* From RabbitMQ 4.0 on. */
static bool is_unlimited(const struct argument *row, const json_t *value)
{
	return strcmp(row->wire, "x-delivery-limit") == 0 && json_is_integer(value) &&
	       json_integer_value(value) == -1;
}

/* The broker refuses a queue that has an argument of the wrong kind. One with a $type is left to
 * its author. */
static bool check_kind(struct reader *r, const json_t *raw, const struct argument *row)
{
	uint64_t max = row->kind == ARGUMENT_BYTES ? INT64_MAX : row->max, number;
	const json_t *value = json_object_get(raw, row->wire);
	const char *text;
	size_t choice;
	bool flag;
	if (json_is_null(value))
		return reader_fail_at(r, row->wire, "it has no value");
	if (json_is_object(value) || is_unlimited(row, value))
		return true;
	switch (row->kind) {
	case ARGUMENT_MS:
	case ARGUMENT_COUNT:
	case ARGUMENT_BYTES:
		return reader_count(r, raw, row->wire, row->min, max, &number);
	case ARGUMENT_AGE:
		return check_age(r, raw, row->wire);
	case ARGUMENT_BOOL:
		return reader_bool(r, raw, row->wire, &flag);
	case ARGUMENT_TEXT:
		return reader_text(r, raw, row->wire, &text);
	case ARGUMENT_CHOICE:
		return reader_choice(r, raw, row->wire, row->choices, &choice);
	case ARGUMENT_RAW:
		break;
	}
	return true;
}

static bool check_raw(struct reader *r, const json_t *body, const char *wire, const char *type)
{
	unsigned bit = type_bit(type);
	const struct argument *row = find_wire(wire, bit);
	const char *known[ARRAY_LEN(arguments) + 1] = {0};
	for (size_t i = 0; i < ARRAY_LEN(arguments); i++)
		known[i] = arguments[i].wire;
	if (strcmp(wire, "x-queue-type") == 0)
		return reader_fail_name_at(r, wire,
		    "the type of a queue is written as 'type', not as "
		    "an argument");
	if (row == NULL)
		return strncmp(wire, "x-", 2) != 0 || check_spelling(r, wire, known);
	if ((row->types & bit) == 0) {
		refuse_type(r, wire, wire, row->types, type);
		return false;
	}
	if (row->key != NULL && reader_member(body, row->key) != NULL)
		return reader_fail_name_at(
		    r, wire, "%s is set by %s already; keep one of them", wire, row->key);
	return check_kind(r, reader_member(body, "arguments"), row);
}

void arguments_read_queue(struct reader *r, const json_t *body, const char *type, json_t *out)
{
	const char *wire;
	json_t *value;
	read_friendly(r, body, type, out);
	size_t mark = reader_enter(r, "arguments");
	json_object_foreach(reader_member(body, "arguments"), wire, value)
	{
		if (check_raw(r, body, wire, type) && arguments_check_field(r, wire, value))
			json_object_set_new(out, wire, json_deep_copy(value));
	}
	reader_leave(r, mark);
}

void arguments_read_exchange(struct reader *r, const json_t *body, json_t *out)
{
	static const char *const known[] = {
	    "alternate-exchange", "x-delayed-type", "hash-header", "hash-property", NULL};
	const char *wire;
	json_t *value;
	size_t mark = reader_enter(r, "arguments");
	json_object_foreach(reader_member(body, "arguments"), wire, value)
	{
		bool is_known = false;
		for (size_t i = 0; known[i] != NULL; i++)
			is_known |= strcmp(wire, known[i]) == 0;
		if ((is_known || check_spelling(r, wire, known)) &&
		    arguments_check_field(r, wire, value))
			json_object_set_new(out, wire, json_deep_copy(value));
	}
	reader_leave(r, mark);
}

/* ---- from the wire ---- */

/* "1.5m" when that is exact. */
static json_t *write_ms(const json_t *wire)
{
	json_int_t ms = json_integer_value(wire);
	struct buf text = {0};
	struct error ignored = {0}; /* only whether the short form is exact counts */
	uint64_t ns = 0;
	if (!json_is_integer(wire) || ms < 0 || ms > (json_int_t)MAX_MS)
		return NULL;
	uint64_t wanted = (uint64_t)ms * CHRONO_MS;
	num_format_duration(wanted, &text);
	bool is_exact = num_parse_duration(buf_slice(&text), &ns, &ignored) && ns == wanted;
	json_t *value =
	    is_exact ? json_string(text.ptr) : json_sprintf("%" JSON_INTEGER_FORMAT "ms", ms);
	buf_release(&text);
	return value;
}

/* "7D" -> "7d"; not what would come back as another text: "168h", months, years. */
static json_t *write_age(const json_t *wire)
{
	const char *text = json_is_string(wire) ? json_string_value(wire) : "";
	char *duration = mem_strdup(text);
	struct error ignored = {0}; /* it stays raw */
	uint64_t ns = 0;
	json_t *value = NULL, *back = NULL;
	size_t last = strlen(text);
	if (last > 1 && duration[last - 1] == 'D')
		duration[last - 1] = 'd';
	if (num_parse_duration(slice_str(duration), &ns, &ignored) && ns >= CHRONO_S)
		back = age_from_seconds(ns / CHRONO_S);
	if (json_equal(back, wire))
		value = json_string(duration);
	json_decref(back);
	free(duration);
	return value;
}

/* The value under the friendly key; NULL when it has none. */
static json_t *write_value(const json_t *wire, const struct argument *row)
{
	switch (row->kind) {
	case ARGUMENT_MS:
		return write_ms(wire);
	case ARGUMENT_AGE:
		return write_age(wire);
	case ARGUMENT_COUNT:
	case ARGUMENT_BYTES:
		return json_is_integer(wire) && json_integer_value(wire) >= 0
			   ? json_copy((json_t *)(uintptr_t)wire)
			   : NULL;
	case ARGUMENT_BOOL:
		return json_is_boolean(wire) ? json_boolean(json_is_true(wire)) : NULL;
	case ARGUMENT_TEXT:
	case ARGUMENT_CHOICE:
		return json_is_string(wire) ? json_copy((json_t *)(uintptr_t)wire) : NULL;
	case ARGUMENT_RAW:
		break;
	}
	return NULL;
}

void arguments_write_queue(const json_t *wire, const char *type, json_t *body)
{
	unsigned bit = type_bit(type);
	json_t *raw = json_object(), *value;
	const char *name;
	json_object_foreach((json_t *)(uintptr_t)wire, name, value)
	{
		const struct argument *row = find_wire(name, bit);
		bool has_key = row != NULL && row->key != NULL && (row->types & bit) != 0;
		json_t *friendly = has_key ? write_value(value, row) : NULL;
		if (friendly != NULL)
			json_object_set_new(body, row->key, friendly);
		else if (strcmp(name, "x-queue-type") != 0)
			json_object_set(raw, name, value);
	}
	if (json_object_size(raw) > 0)
		json_object_set(body, "arguments", raw);
	json_decref(raw);
}
