#include "model/message.h"

#include "base/mem.h"

#include <stddef.h>

#define ROW(member, bit, value)                                       \
	{                                                             \
#member, bit, value, offsetof(struct message, member) \
	}

const struct message_property_row message_properties[MESSAGE_PROPERTY_COUNT] = {
    ROW(content_type, MESSAGE_CONTENT_TYPE, MESSAGE_VALUE_TEXT),
    ROW(content_encoding, MESSAGE_CONTENT_ENCODING, MESSAGE_VALUE_TEXT),
    ROW(headers, MESSAGE_HEADERS, MESSAGE_VALUE_TABLE),
    ROW(delivery_mode, MESSAGE_DELIVERY_MODE, MESSAGE_VALUE_OCTET),
    ROW(priority, MESSAGE_PRIORITY, MESSAGE_VALUE_OCTET),
    ROW(correlation_id, MESSAGE_CORRELATION_ID, MESSAGE_VALUE_TEXT),
    ROW(reply_to, MESSAGE_REPLY_TO, MESSAGE_VALUE_TEXT),
    ROW(expiration, MESSAGE_EXPIRATION, MESSAGE_VALUE_TEXT),
    ROW(message_id, MESSAGE_MESSAGE_ID, MESSAGE_VALUE_TEXT),
    ROW(timestamp, MESSAGE_TIMESTAMP, MESSAGE_VALUE_TIMESTAMP),
    ROW(type, MESSAGE_TYPE, MESSAGE_VALUE_TEXT),
    ROW(user_id, MESSAGE_USER_ID, MESSAGE_VALUE_TEXT),
    ROW(app_id, MESSAGE_APP_ID, MESSAGE_VALUE_TEXT),
    ROW(cluster_id, MESSAGE_CLUSTER_ID, MESSAGE_VALUE_TEXT),
};

const struct message_property_row *message_property_find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(message_properties); i++)
		if (slice_is(name, message_properties[i].name))
			return &message_properties[i];
	return NULL;
}

static bool is_slice(const struct message_property_row *row)
{
	return row->value == MESSAGE_VALUE_TEXT || row->value == MESSAGE_VALUE_TABLE;
}

/* Moves the bytes of a slice to *end and lets the slice point there. */
static void move_bytes(struct slice *s, char **end)
{
	if (s->len > 0)
		memcpy(*end, s->ptr, s->len);
	s->ptr = *end;
	*end += s->len;
}

struct message *message_copy(const struct message *m)
{
	size_t bytes = m->exchange.len + m->routing_key.len + m->body.len;
	for (size_t i = 0; i < ARRAY_LEN(message_properties); i++)
		if (is_slice(&message_properties[i]))
			bytes += message_slice_const(m, &message_properties[i])->len;
	struct message *copy = mem_alloc(1, sizeof *copy + bytes);
	char *end = (char *)(copy + 1);
	*copy = *m;
	move_bytes(&copy->exchange, &end);
	move_bytes(&copy->routing_key, &end);
	move_bytes(&copy->body, &end);
	for (size_t i = 0; i < ARRAY_LEN(message_properties); i++)
		if (is_slice(&message_properties[i]))
			move_bytes(message_slice(copy, &message_properties[i]), &end);
	return copy;
}
