#include "model/record.h"

#include "base/text.h"
#include "model/table.h"

/* Written by hand, because a consumer does nothing else. */

/* Begins a member: `{"name":` or `,"name":`. `opened` tells where the object began. */
static void begin_member(struct buf *out, size_t opened, struct slice name)
{
	char *end = buf_reserve(out, name.len + 4);
	end[0] = out->len == opened ? '{' : ',';
	end[1] = '"';
	memcpy(end + 2, name.ptr, name.len);
	memcpy(end + 2 + name.len, "\":", 3);
	out->len += name.len + 4;
}

static void write_base64(struct slice bytes, struct buf *out)
{
	buf_append_char(out, '"');
	text_base64(bytes, out);
	buf_append_char(out, '"');
}

static void write_text(struct slice text, struct buf *out)
{
	if (text_is_utf8(text)) {
		text_json(text, out);
		return;
	}
	buf_append(out, SLICE("{\"$type\":\"string\",\"value\":"));
	write_base64(text, out);
	buf_append_char(out, '}');
}

static void write_timestamp(uint64_t seconds, struct buf *out)
{
	const char *quote = seconds > INT64_MAX ? "\"" : "";
	buf_append_str(out, quote);
	buf_append_u64(out, seconds);
	buf_append_str(out, quote);
}

static const void *member(const struct message *m, const struct message_property_row *row)
{
	return (const char *)m + row->offset;
}

static bool write_property(const struct message *m, const struct message_property_row *row,
    struct buf *out, struct error *err)
{
	switch (row->value) {
	case MESSAGE_VALUE_TEXT:
		write_text(*message_slice_const(m, row), out);
		break;
	case MESSAGE_VALUE_OCTET:
		buf_append_u64(out, *(const uint8_t *)member(m, row));
		break;
	case MESSAGE_VALUE_TIMESTAMP:
		write_timestamp(*(const uint64_t *)member(m, row), out);
		break;
	case MESSAGE_VALUE_TABLE:
		return table_write_json(*message_slice_const(m, row), out, err) ||
		       error_context(err, "properties.%s", row->name);
	}
	return true;
}

static bool write_properties(const struct message *m, struct buf *out, struct error *err)
{
	size_t opened = out->len;
	for (size_t i = 0; i < MESSAGE_PROPERTY_COUNT; i++) {
		const struct message_property_row *row = &message_properties[i];
		if ((m->present & row->bit) == 0)
			continue;
		begin_member(out, opened, slice_str(row->name));
		if (!write_property(m, row, out, err))
			return false;
	}
	buf_append(out, out->len == opened ? SLICE("{}") : SLICE("}"));
	return true;
}

bool record_write_properties(const struct message *m, struct buf *out, struct error *err)
{
	size_t before = out->len;
	if (write_properties(m, out, err))
		return true;
	buf_truncate(out, before);
	return false;
}

static void write_body(struct slice body, struct buf *out, size_t opened)
{
	bool is_text = text_is_utf8(body);
	begin_member(out, opened, is_text ? SLICE("body") : SLICE("body_base64"));
	if (is_text)
		text_json(body, out);
	else
		write_base64(body, out);
}

static void write_text_member(struct buf *out, size_t opened, struct slice name, struct slice text)
{
	begin_member(out, opened, name);
	write_text(text, out);
}

bool record_write(
    const struct message *m, const struct record_extra *extra, struct buf *out, struct error *err)
{
	static const struct record_extra nothing = {0};
	size_t opened = out->len;
	if (extra == NULL)
		extra = &nothing;
	if (extra->position > 0) {
		begin_member(out, opened, SLICE("position"));
		buf_append_u64(out, extra->position);
	}
	if (extra->received.len > 0)
		write_text_member(out, opened, SLICE("received"), extra->received);
	if (m->exchange.ptr != NULL)
		write_text_member(out, opened, SLICE("exchange"), m->exchange);
	if (m->routing_key.ptr != NULL)
		write_text_member(out, opened, SLICE("routing_key"), m->routing_key);
	if (extra->redelivered != NULL) {
		begin_member(out, opened, SLICE("redelivered"));
		buf_append_str(out, *extra->redelivered ? "true" : "false");
	}
	if (extra->queue.len > 0)
		write_text_member(out, opened, SLICE("queue"), extra->queue);
	if (extra->offset != NULL) {
		begin_member(out, opened, SLICE("stream_offset"));
		buf_append_u64(out, (uint64_t)*extra->offset);
	}
	begin_member(out, opened, SLICE("properties"));
	if (extra->properties.len > 0) {
		buf_append(out, extra->properties);
	} else if (!write_properties(m, out, err)) {
		buf_truncate(out, opened);
		return false;
	}
	write_body(m->body, out, opened);
	if (extra->fate != NULL)
		write_text_member(out, opened, SLICE("fate"), slice_str(extra->fate));
	if (extra->reason.len > 0)
		write_text_member(out, opened, SLICE("reason"), extra->reason);
	if (extra->latency_us != NULL) {
		begin_member(out, opened, SLICE("latency_us"));
		buf_append_u64(out, *extra->latency_us);
	}
	if (extra->death != NULL) {
		begin_member(out, opened, SLICE("death"));
		death_write_json(extra->death, out);
	}
	buf_append(out, SLICE("}\n"));
	return true;
}
