#include "model/firehose.h"

#include "base/text.h"
#include "model/field.h"
#include "model/table.h"

#include <stdlib.h>

#define MAX_SHORT_STRING 255

static bool read_text(const struct table_entry *entry, struct slice *out)
{
	struct slice text = field_content(entry->value);
	if (entry->type != 'S' || text.len > MAX_SHORT_STRING)
		return false;
	*out = text;
	return true;
}

/* Of any width; a negative number is a larger one that did not fit. */
static bool read_number(const struct table_entry *entry, uint64_t most, uint64_t *out)
{
	if (strchr("bBsuIilLT", entry->type) == NULL)
		return false;
	uint64_t value = field_number(entry->value);
	if (value > most)
		return false;
	*out = value;
	return true;
}

static bool read_octet(const struct table_entry *entry, uint8_t *out)
{
	uint64_t number;
	if (!read_number(entry, UINT8_MAX, &number))
		return false;
	*out = (uint8_t)number;
	return true;
}

static bool read_property(
    const struct table_entry *entry, const struct message_property_row *row, struct message *m)
{
	void *member = (char *)m + row->offset;
	switch (row->value) {
	case MESSAGE_VALUE_TEXT:
		return read_text(entry, member);
	case MESSAGE_VALUE_OCTET:
		return read_octet(entry, member);
	case MESSAGE_VALUE_TIMESTAMP:
		return read_number(entry, UINT64_MAX, member);
	case MESSAGE_VALUE_TABLE:
		*(struct slice *)member = field_content(entry->value);
		return entry->type == 'F';
	}
	return false;
}

static bool read_properties(const struct table_entry *table, struct message *m)
{
	if (table->type != 'F')
		return false;
	struct table_entry entry = {.rest = field_content(table->value)};
	while (table_next(&entry)) {
		const struct message_property_row *row = message_property_find(entry.key);
		if (row == NULL)
			continue;
		if (!read_property(&entry, row, m))
			return false;
		m->present |= row->bit;
	}
	return entry.rest.len == 0;
}

/* The first key is the one that the message was published with. */
static bool read_keys(const struct table_entry *keys, struct message *m)
{
	struct table_entry first = {0};
	if (keys->type != 'A')
		return false;
	struct slice items = field_content(keys->value);
	return field_take_value(&items, &first.type, &first.value) &&
	       read_text(&first, &m->routing_key);
}

static bool read_redelivered(const struct table_entry *entry, bool *out)
{
	uint64_t number = 0;
	bool is_known = entry->type == 't' || read_number(entry, UINT64_MAX, &number);
	*out = entry->type == 't' ? entry->value.ptr[0] != 0 : number != 0;
	return is_known;
}

static bool damaged(struct slice key, struct error *err)
{
	char *shown = text_quote(key);
	error_set(
	    err, ERROR_DATA, "this is no trace of the firehose: its header '%s' is damaged", shown);
	free(shown);
	return false;
}

/* One header of the trace. */
static bool read_header(
    const struct table_entry *entry, struct firehose *out, unsigned *seen, struct error *err)
{
	bool good = true;
	if (slice_is(entry->key, "exchange_name")) {
		good = read_text(entry, &out->message.exchange);
		*seen |= 1;
	} else if (slice_is(entry->key, "routing_keys")) {
		good = read_keys(entry, &out->message);
		*seen |= 2;
	} else if (slice_is(entry->key, "properties")) {
		good = read_properties(entry, &out->message);
		*seen |= 4;
	} else if (slice_is(entry->key, "redelivered")) {
		good = read_redelivered(entry, &out->redelivered);
	}
	return good || damaged(entry->key, err);
}

bool firehose_read(const struct message *trace, struct firehose *out, struct error *err)
{
	static const struct slice deliver = {"deliver.", 8};
	struct firehose read = {.message.body = trace->body};
	bool has_headers = (trace->present & MESSAGE_HEADERS) != 0;
	struct table_entry entry = {.rest = has_headers ? trace->headers : (struct slice){0}};
	unsigned seen = 0;
	while (table_next(&entry))
		if (!read_header(&entry, &read, &seen, err))
			return false;
	if (seen != 7 || entry.rest.len > 0)
		return error_set(err, ERROR_DATA,
		    "this is no trace of the firehose: exchange_name, routing_keys and properties "
		    "do not all stand in its headers");
	struct slice key = trace->routing_key;
	if (key.len > deliver.len && memcmp(key.ptr, deliver.ptr, deliver.len) == 0)
		read.queue = slice_from(key, deliver.len);
	*out = read;
	return true;
}
